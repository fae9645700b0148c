"""The libraries that are compared, which of them are here, and how each makes a case."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from benchmarks.cases import Case

# module, and what it is called; the order of the columns
LIBRARIES = {
    "rushlight": "rushlight",
    "torch": "PyTorch",
    "numpy": "NumPy",
    "jax": "JAX",
    "onnxruntime": "onnxruntime",
}
SAME_CODE = ("rushlight", "torch")
FORMS = {"numpy": "in_numpy", "jax": "in_jax", "onnxruntime": "in_onnx"}
NEEDS = {"onnxruntime": ("onnx", "numpy"), "jax": ("numpy",)}


def installed() -> list[str]:
    """The modules that can be imported here with what they need; rushlight always (the checkout's)."""
    return [
        name
        for name in LIBRARIES
        if name == "rushlight" or all(importlib.util.find_spec(n) for n in (name, *NEEDS.get(name, ())))
    ]


def make(library: str, case: Case) -> Callable[[], Any] | None:
    """The function to time, None where the library has no natural form of the case."""
    if library in SAME_CODE:
        forms = importlib.import_module("benchmarks.in_torch")
        return getattr(forms, case.form)(importlib.import_module(library), *case.arguments)
    form = getattr(importlib.import_module(f"benchmarks.{FORMS[library]}"), case.form, None)
    return form(*case.arguments) if form else None
