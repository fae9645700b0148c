"""Makes `import torch` mean rushlight, for programs that are not to be changed."""

import importlib
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType

from rushlight import _C, _version
from rushlight._torch_names import torch_name

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class made in Python


class _Loader(importlib.abc.Loader):
    """Hands out rushlight's own module under torch's name."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import system has put torch's there

    def is_package(self, fullname: str) -> bool:
        return hasattr(self.module, "__path__")

    def get_code(self, fullname: str) -> None:
        return None


class _Finder(importlib.abc.MetaPathFinder):
    """Finds torch and torch.* in rushlight and rushlight.*."""

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "torch" and not fullname.startswith("torch."):
            return None
        real = "rushlight" + fullname[len("torch") :]
        try:
            module = importlib.import_module(real)
        except ModuleNotFoundError as error:
            if error.name != real:
                raise
            raise ModuleNotFoundError(
                f"No module named '{fullname}': torch is rushlight here, which has no {real}", name=fullname
            ) from None
        return importlib.machinery.ModuleSpec(
            fullname, _Loader(module), is_package=hasattr(module, "__path__")
        )


class _Renamer(importlib.abc.MetaPathFinder):
    """Lets each module of rushlight's that is imported from now on name its classes as PyTorch does."""

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith("rushlight."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _rename_classes(module)

            spec.loader.exec_module = exec_module
        return spec


def _rename_classes(module: ModuleType) -> None:
    """print(type(layer)) is to show <class 'torch.nn.modules.linear.Linear'>."""
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__.split(".")[0] == "rushlight":
            name = torch_name(value.__module__, value.__qualname__)
            if value.__flags__ & _HEAP_TYPE:
                value.__module__ = name
            else:
                _C._set_type_name(value, f"{name}.{value.__name__}")


def install_as_torch() -> None:
    """Makes `import torch` and `import torch.anything` give rushlight's modules from now on.

    `torch.__version__` then is PyTorch's with rushlight's as local part, "2.13.0+rushlight.0.1.0", since
    programs compare it; classes are shown with PyTorch's modules. Calling it again changes nothing.

    Raises:
        RuntimeError: PyTorch has been imported in this process already.
    """
    import rushlight

    loaded = sys.modules.get("torch")
    if loaded is rushlight:
        return
    if loaded is not None:
        raise RuntimeError("install_as_torch(): PyTorch is already imported; call this before any `import torch`")
    sys.meta_path[:0] = [_Finder(), _Renamer()]
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "rushlight":
            _rename_classes(module)
    rushlight.__version__ = f"{_version.TORCH_VERSION}+rushlight.{_version.__version__}"
    sys.modules["torch"] = rushlight
