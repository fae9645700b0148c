"""torch.ops: operators registered with torch.library, as torch.ops.namespace.name."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _OpNamespace(ModuleType):
    """The operators of one namespace."""

    def __getattr__(self, name: str) -> Any:
        from rushlight.library import _registry

        space = self.__name__.removeprefix("torch.ops.")
        found = _registry.get(space, {}).get(name)
        if found is None:
            raise AttributeError(f"'_OpNamespace' '{space}' object has no attribute '{name}'", name=name)
        return found

    def __repr__(self) -> str:
        return f"<module '{self.__name__}' from 'torch.ops'>"


class _Ops(ModuleType):
    """Namespaces of operators, made when first mentioned."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        space = _OpNamespace(f"torch.ops.{name}")
        setattr(self, name, space)
        return space

    def load_library(self, path: str) -> None:
        """Raises NotImplementedError: libraries of PyTorch's operators need PyTorch."""
        raise NotImplementedError(f"torch.ops.load_library({path!r}): operators compiled for PyTorch cannot run here")


ops = _Ops("torch.ops")
sys.modules.setdefault("rushlight.ops", ops)
