"""The text of a tensor, to the letter that of PyTorch: repr, str and format.

The values that appear are taken out of the tensor once, as nested lists; one format is chosen for all of them from the
largest and the smallest; then rows are laid out within the line width.

A number in a floating tensor is written in one of three ways:

- whole numbers with a point and nothing behind it (``1.``), when all are whole;
- with ``precision`` digits after the point;
- in scientific notation, when the largest is more than 1000 times the smallest, or above 1e8, or the smallest is below
  1e-4. Zeros, infinities and nans do not count.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "get_printoptions",
    "printoptions",
    "set_printoptions",
    "tensor_format",
    "tensor_repr",
    "tensor_str",
]


@dataclass
class Options:
    """How tensors are printed."""

    precision: int = 4
    """Digits after the decimal point."""
    threshold: float = 1000
    """Tensors with more elements than this are summarised."""
    edgeitems: int = 3
    """Elements shown at each end of a summarised dim."""
    linewidth: int = 80
    """Characters per line."""
    sci_mode: bool | None = None
    """Scientific notation: always, never, or (None) where the values call for it."""


_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options = Options()
_ELLIPSIS = object()  # stands in the nested lists for what a summary leaves out


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Changes how tensors are printed; what is not given stays, except ``sci_mode``.

    Args:
        precision: digits after the decimal point. Default: 4
        threshold: tensors with more elements are summarised. Default: 1000
        edgeitems: elements shown at each end of a summarised dim. Default: 3
        linewidth: characters per line. Default: 80
        profile: "default", "short" or "full": sets the four above first
        sci_mode: scientific notation always (True), never (False) or by the values (None)
    """
    if profile is not None:
        for name, value in _PROFILES.get(profile, {}).items():
            setattr(_options, name, value)
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    for name, value in given.items():
        if value is not None:
            setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keywords of :func:`set_printoptions`."""
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Within the ``with`` block, tensors are printed with these options."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


# ---- numbers ------------------------------------------------------------------------------------


class _Format:
    """One format for all numbers of a tensor, chosen from those that are shown."""

    def __init__(self, values: list, floating: bool) -> None:
        self.floating = floating
        self.whole = True
        self.scientific = False
        self.width = 1
        if floating:
            self._choose([v for v in values if v and math.isfinite(v)])
        else:
            self.width = max((len(str(v)) for v in values), default=1)

    def _choose(self, values: list[float]) -> None:
        """Notation and width; values: those that are neither zero, infinite nor nan."""
        if not values:
            return
        sizes = [abs(v) for v in values]
        largest, smallest = max(sizes), min(sizes)
        self.whole = all(v.is_integer() for v in values)
        self.scientific = _options.sci_mode
        if self.scientific is None:
            self.scientific = largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4
        self.width = max(len(self._plain(v)) for v in values)

    def _plain(self, value: float) -> str:
        if self.scientific:
            return f"{value:.{_options.precision}e}"
        if self.whole:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{_options.precision}f}"

    def __call__(self, value: Any) -> str:
        text = self._plain(value) if self.floating else str(value)
        return text.rjust(self.width)


class _ComplexFormat:
    """One format for the real parts of all numbers, one for the imaginary parts."""

    def __init__(self, values: list[complex]) -> None:
        self.real = _Format([v.real for v in values], True)
        self.imag = _Format([v.imag for v in values], True)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value: complex) -> str:
        imag = f"{self.imag(value.imag)}j".lstrip()
        return self.real(value.real) + (imag if imag[0] in "+-" else f"+{imag}")


def _scalars(nested: Any) -> list:
    """All numbers of nested lists, flat."""
    if not isinstance(nested, list):
        return [] if nested is _ELLIPSIS else [nested]
    if nested and not isinstance(nested[0], list) and _ELLIPSIS not in nested:
        return nested
    return [value for item in nested for value in _scalars(item)]


# ---- layout -------------------------------------------------------------------------------------


def _shown(tensor: Any) -> Any:
    """The values of a summary as nested lists: the ends of every dim, with a mark for what lies between."""
    if tensor.dim() == 0:
        return tensor.tolist()
    size, edge = tensor.shape[0], _options.edgeitems
    if size <= 2 * edge:
        return tensor.tolist() if tensor.dim() == 1 else [_shown(tensor[i]) for i in range(size)]
    if tensor.dim() == 1:
        return [*tensor[:edge].tolist(), _ELLIPSIS, *tensor[size - edge :].tolist()]
    first = [_shown(tensor[i]) for i in range(edge)]
    last = [_shown(tensor[i]) for i in range(size - edge, size)]
    return [*first, _ELLIPSIS, *last]


def _row(values: list, indent: int, number: _Format | _ComplexFormat) -> str:
    """One dim of numbers, wrapped at the line width."""
    per_line = max(1, (_options.linewidth - indent) // (number.width + 2))
    if _ELLIPSIS in values:
        mark = " ..." if len(values) > 1 else "..."
        texts = [mark if v is _ELLIPSIS else number(v) for v in values]
    else:
        texts = [number(v) for v in values]
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _block(nested: Any, dims: int, indent: int, number: _Format | _ComplexFormat) -> str:
    """Numbers of any number of dims; indent: the column of the opening bracket."""
    if dims == 0:
        return number(nested)
    if dims == 1:
        return _row(nested, indent, number)
    parts = [
        "..." if item is _ELLIPSIS else _block(item, dims - 1, indent + 1, number)
        for item in nested
    ]
    return "[" + ("," + "\n" * (dims - 1) + " " * (indent + 1)).join(parts) + "]"


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """Adds ", dtype=..." and the like, on a new line where the last one has no room."""
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


# ---- tensors ------------------------------------------------------------------------------------


def _history(tensor: Any) -> str | None:
    """The suffix that tells how gradients reach the tensor."""
    try:
        node = tensor.grad_fn
    except RuntimeError:  # a view whose base was changed in a way that leaves it without history
        return "grad_fn=<Invalid>"
    if node is not None:
        return f"grad_fn=<{type(node).__name__}>"
    return "requires_grad=True" if tensor.requires_grad else None


def tensor_str(tensor: Any, default_dtype: Any, name: str = "tensor") -> str:
    """The text that ``repr`` and ``print`` give, as PyTorch's.

    Args:
        tensor: a tensor of any dtype and shape
        default_dtype: the dtype that needs no mention, besides int64 and bool
        name: what stands before the bracket: "tensor", or the name of a subclass
    """
    indent = len(name) + 1
    dtype, dims = tensor.dtype, tensor.dim()
    dtype_name = str(dtype)
    suffixes = []
    if tensor.numel() == 0:
        body = "[]"
        if dims != 1:
            suffixes.append(f"size={tuple(tensor.shape)}")
        if dtype != default_dtype:
            suffixes.append(f"dtype={dtype_name}")
    else:
        if not _options.edgeitems:  # no element may be shown: then at least the size
            suffixes.append(f"size={tuple(tensor.shape)}")
        usual = default_dtype
        if dtype.is_complex:  # complex64 goes with float32, complex128 with float64
            usual = default_dtype.to_complex()
        if dtype != usual and dtype_name not in ("torch.int64", "torch.bool"):
            suffixes.append(f"dtype={dtype_name}")
        values = tensor.detach()
        nested = _shown(values) if tensor.numel() > _options.threshold else values.tolist()
        shown = _scalars(nested)
        number = _ComplexFormat(shown) if dtype.is_complex else _Format(shown, tensor.is_floating_point())
        body = _block(nested, dims, indent, number)
    history = _history(tensor)
    if history is not None:
        suffixes.append(history)
    return _with_suffixes(f"{name}({body}", suffixes, indent)


def tensor_repr(tensor: Any) -> str:
    """``repr(tensor)``: a subclass other than Parameter stands under its own name."""
    import rushlight
    from rushlight import _C

    kind = type(tensor)
    plain = kind is _C.Tensor or kind.__name__ in ("Parameter", "Buffer")
    text = tensor_str(tensor, _C.get_default_dtype(), "tensor" if plain else kind.__name__)
    return text if plain or not isinstance(tensor, rushlight.nn.Parameter) else f"Parameter({text})"


def tensor_format(tensor: Any, spec: str) -> str:
    """``format(tensor, spec)``: that of the number for 0-dim tensors, else of any object."""
    if tensor.dim() == 0:
        return tensor.item().__format__(spec)
    return object.__format__(tensor, spec)
