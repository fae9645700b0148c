"""Module, the base of every network: what happens once per model.

Attribute look-up and calls are in the C base, rushlight._C.Module; hooks that a call runs in
call_hooks.py, dtypes and devices in conversion.py, state_dict and load_state_dict in state_dict.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from rushlight import _C
from rushlight._C import Tensor
from rushlight.nn.modules.call_hooks import (
    CallHooks,
    _global_buffer_registration_hooks,
    _global_module_registration_hooks,
    _global_parameter_registration_hooks,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from rushlight.nn.modules.conversion import Conversion, _typename
from rushlight.nn.modules.state_dict import StateDict, _IncompatibleKeys  # noqa: F401  programs import it from here
from rushlight.nn.parameter import Buffer, Parameter

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

T = TypeVar("T", bound="Module")


def _accepts(function: Callable, name: str) -> bool:
    """Whether a function has a parameter of this name."""
    from inspect import signature  # not at import: it takes longer than the rest of this package

    return name in signature(function).parameters


def _addindent(text: str, n: int) -> str:
    """All lines but the first, n spaces to the right."""
    return text.replace("\n", "\n" + n * " ")


class Module(_C.Module, CallHooks, Conversion, StateDict):
    """Base of all neural-network modules; a module may contain modules.

    Subclasses call super().__init__() first and then assign parameters, buffers and submodules as
    attributes; they say what a call computes in forward().

    Attributes:
        training (bool): whether the module is in training mode; see train() and eval().

    Example:
        >>> import rushlight.nn as nn
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = nn.Linear(20, 256)
        ...     def forward(self, x):
        ...         return self.hidden(x).relu()
    """

    dump_patches: bool = False
    # Saved in the state_dict's metadata; a class that changes its parameters counts it up.
    _version: int = 1
    call_super_init: bool = False
    _compiled_call_impl: Callable | None = None

    training: bool
    T_destination = TypeVar("T_destination", bound=dict[str, Any])

    def forward(self, *input: Any) -> Any:
        """What a call computes; every subclass has its own."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    # ---- registering ----

    def _assign(self, name: str, value: Any) -> bool:
        """self.name = value where a registry may be concerned; False when it is an ordinary
        attribute.
        """
        params = getattr(self, "_parameters", None)
        modules = getattr(self, "_modules", None)
        buffers = getattr(self, "_buffers", None)
        if isinstance(value, Parameter):
            if params is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, buffers, modules)
            self.register_parameter(name, value)
        elif params is not None and name in params:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as parameter '{name}' "
                    "(torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, params, buffers)
            modules[name] = self._run_registration_hooks(
                _global_module_registration_hooks, name, value
            )
        elif modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as child module '{name}' "
                    "(torch.nn.Module or None expected)"
                )
            modules[name] = self._run_registration_hooks(
                _global_module_registration_hooks, name, value
            )
        elif isinstance(value, Buffer) or (buffers is not None and name in buffers):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            self._assign_buffer(name, value)
        else:
            return False
        return True

    def _forget(self, name: str, *registries: dict) -> None:
        """The name is about to mean something else."""
        self._forget_attribute(name)
        for registry in registries:
            registry.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _run_registration_hooks(self, hooks: Mapping, name: str, value: Any) -> Any:
        for hook in hooks.values():
            output = hook(self, name, value)
            if output is not None:
                value = output
        return value

    def _assign_buffer(self, name: str, value: Tensor | None) -> None:
        if isinstance(value, Buffer):
            persistent = value.persistent
        else:
            persistent = name not in self._non_persistent_buffers_set
        own = getattr(self.register_buffer, "__func__", None) is not Module.register_buffer
        if own and not _accepts(self.register_buffer, "persistent"):
            if not persistent:
                raise RuntimeError(
                    "Registering a non-persistent buffer on a Module subclass that implements "
                    "register_buffer() without the persistent argument is not allowed."
                )
            self.register_buffer(name, value)
        else:
            self.register_buffer(name, value, persistent)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is part of the module's state but no parameter, such as a running
        mean.

        Args:
            name (str): the attribute under which it is found.
            tensor (Tensor or None): the buffer; None is kept, but not part of state_dict.
            persistent (bool): whether state_dict holds it. Default: True

        Raises:
            TypeError: name is no string, or tensor neither a tensor nor None.
            KeyError: name is empty, contains a dot or is already an attribute.
        """
        if getattr(self, "_buffers", None) is None:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        self._buffers[name] = self._run_registration_hooks(
            _global_buffer_registration_hooks, name, tensor
        )
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def _check_name(self, kind: str, name: str, registry: Mapping) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in registry:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter.

        Args:
            name (str): the attribute under which it is found.
            param (Parameter or None): the parameter; None is kept, but not part of state_dict.

        Raises:
            TypeError: name is no string, or param neither a Parameter nor None.
            KeyError: name is empty, contains a dot or is already an attribute.
            ValueError: param has a history.
        """
        if getattr(self, "_parameters", None) is None:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is None:
            self._parameters[name] = None
            return
        if not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, compute "
                "the value in the forward() method."
            )
        self._parameters[name] = self._run_registration_hooks(
            _global_parameter_registration_hooks, name, param
        )

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child module.

        Args:
            name (str): the attribute under which it is found.
            module (Module or None): the child.

        Raises:
            TypeError: name is no string, or module neither a Module nor None.
            KeyError: name is empty, contains a dot or is already an attribute.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {_typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = self._run_registration_hooks(
            _global_module_registration_hooks, name, module
        )

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as add_module."""
        self.add_module(name, module)

    # ---- finding by dotted name ----

    def get_submodule(self, target: str) -> Module:
        """The submodule with this dotted name, such as "encoder.layers.0"; "" is the module itself.

        Raises:
            AttributeError: there is none, or a part of the path is no module.
        """
        module: Any = self
        for part in target.split(".") if target else ():
            if not hasattr(module, part):
                raise AttributeError(f"{module._get_name()} has no attribute `{part}`")
            module = getattr(module, part)
            if not isinstance(module, Module):
                raise AttributeError(f"`{part}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts a module at this dotted name.

        Args:
            target (str): where; all but the last part must exist.
            module (Module): what.
            strict (bool): the last part must exist as well. Default: False

        Raises:
            ValueError: target is empty, or module no Module.
            AttributeError: a part of the path is missing or no module.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def _get_member(self, target: str) -> tuple[Module, str, Any]:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return module, name, getattr(module, name)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with this dotted name.

        Raises:
            AttributeError: there is none.
        """
        _, name, param = self._get_member(target)
        if not isinstance(param, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return param

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with this dotted name.

        Raises:
            AttributeError: there is none.
        """
        module, name, buffer = self._get_member(target)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    # ---- walking ----

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """All modules with their dotted names, this one first.

        Args:
            memo (set): modules already seen; filled. Default: a new set.
            prefix (str): put before each name. Default: ""
            remove_duplicate (bool): each module once. Default: True
        """
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = prefix + ("." if prefix else "") + name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """All modules, this one first."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct children with their names, each once."""
        memo = set()
        for name, module in self._modules.items():
            if module is not None and module not in memo:
                memo.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct children, each once."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self,
        get_members_fn: Callable,
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        memo = set()
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        else:
            modules = iter([(prefix, self)])
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in memo:
                    continue
                if remove_duplicate:
                    memo.add(member)
                yield path + ("." if path else "") + name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names.

        Args:
            prefix (str): put before each name. Default: ""
            recurse (bool): also those of submodules. Default: True
            remove_duplicate (bool): a shared parameter once. Default: True
        """
        yield from self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters; what an optimizer is given."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names; arguments as for named_parameters."""
        yield from self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def apply(self: T, fn: Callable[[Module], None]) -> T:
        """Calls fn on each module, children before parents; to initialise parameters, say."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ---- mode, gradients, dtype ----

    def train(self: T, mode: bool = True) -> T:
        """Switches this module and all below to training mode, which Dropout and BatchNorm heed.

        Raises:
            ValueError: mode is no bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: T) -> T:
        """train(False)."""
        return self.train(False)

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        """Whether autograd records operations on the parameters."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the parameters' gradients.

        Args:
            set_to_none (bool): to None, instead of to zeros. Default: True
        """
        if getattr(self, "_is_replica", False):
            warnings.warn(
                "Calling .zero_grad() from a module created with nn.DataParallel() has no effect. "
                "The parameters are copied (in a differentiable manner) from the original module. "
                "This means they are not leaf nodes in autograd and so don't accumulate gradients. "
                "If you need gradients in your forward method, consider using autograd.grad "
                "instead.",
                stacklevel=2,
            )
        for param in self.parameters():
            if param.grad is None:
                continue
            if set_to_none:
                param.grad = None
            else:
                if param.grad.grad_fn is not None:
                    param.grad.detach_()
                else:
                    param.grad.requires_grad_(False)
                param.grad.zero_()

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted and ignored: calls already run in C."""

    # ---- printing, copying ----

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What print shows between the parentheses, besides the children; for subclasses."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        children = [
            f"({name}): {_addindent(repr(module), 2)}" for name, module in self._modules.items()
        ]
        if not children and len(extra_lines) <= 1:
            return f"{self._get_name()}({extra})"
        lines = "\n  ".join(extra_lines + children)
        return f"{self._get_name()}(\n  {lines}\n)"

    def __dir__(self) -> list[str]:
        names = [
            *dir(type(self)),
            *_C.Module.__getstate__(self),
            *self._parameters,
            *self._modules,
            *self._buffers,
        ]
        return sorted(name for name in names if not name[0].isdigit())

    def __reduce_ex__(self, protocol: int) -> Any:
        return super().__reduce_ex__(max(protocol, 2))  # older protocols cannot copy a C base

    def _replicate_for_data_parallel(self) -> Module:
        replica = self.__new__(type(self))
        replica.__dict__ = _C.Module.__getstate__(self)
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica
