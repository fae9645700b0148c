"""Module, the base of every network: what happens once per model.

Attribute look-up and calls are in the C base, rushlight._C.Module; hooks that a call runs are in Module._call_impl here.
"""

from __future__ import annotations

import itertools
import warnings
import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import rushlight
from rushlight import _C
from rushlight._C import (
    Tensor,
    _global_backward_hooks,
    _global_backward_pre_hooks,
    _global_forward_hooks,
    _global_forward_pre_hooks,
)
from rushlight.nn.parameter import Buffer, Parameter, is_lazy
from rushlight.utils.hooks import BackwardHook, RemovableHandle

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

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"

# Hooks of all modules.  The four that a call asks for are made in C.
_global_is_full_backward_hook: bool | None = None
_global_forward_hooks_always_called: OrderedDict = OrderedDict()
_global_forward_hooks_with_kwargs: OrderedDict = OrderedDict()
_global_buffer_registration_hooks: OrderedDict = OrderedDict()
_global_module_registration_hooks: OrderedDict = OrderedDict()
_global_parameter_registration_hooks: OrderedDict = OrderedDict()


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict returns."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _typename(o: Any) -> str:
    """The type's name as messages show it: 'int', 'torch.FloatTensor', 'collections.OrderedDict'."""
    if isinstance(o, Tensor):
        return o.type()
    kind = o if isinstance(o, type) else type(o)
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", None) else f"{module}.{kind.__qualname__}"


def _accepts(function: Callable, name: str) -> bool:
    """Whether a function has a parameter of this name."""
    from inspect import signature  # not at import: it takes longer than the rest of this package

    return name in signature(function).parameters


def _addindent(text: str, n: int) -> str:
    """All lines but the first, n spaces to the right."""
    return text.replace("\n", "\n" + n * " ")


# ---- hooks of all modules ----


def _register(hook: Callable, hooks: OrderedDict, *flags: tuple[OrderedDict, bool]) -> RemovableHandle:
    """Adds a hook; flags are dicts that hold the ids of the hooks for which something is true."""
    handle = RemovableHandle(hooks, extra_dict=[d for d, _ in flags])
    hooks[handle.id] = hook
    for d, on in flags:
        if on:
            d[handle.id] = True
    return handle


def register_module_buffer_registration_hook(hook: Callable) -> RemovableHandle:
    """Calls hook(module, name, buffer) whenever a buffer is registered; a result replaces it."""
    return _register(hook, _global_buffer_registration_hooks)


def register_module_module_registration_hook(hook: Callable) -> RemovableHandle:
    """Calls hook(module, name, submodule) whenever a submodule is registered; a result replaces it."""
    return _register(hook, _global_module_registration_hooks)


def register_module_parameter_registration_hook(hook: Callable) -> RemovableHandle:
    """Calls hook(module, name, param) whenever a parameter is registered; a result replaces it."""
    return _register(hook, _global_parameter_registration_hooks)


def register_module_forward_pre_hook(hook: Callable) -> RemovableHandle:
    """Calls hook(module, args) before every module's forward; a result replaces the arguments."""
    return _register(hook, _global_forward_pre_hooks)


def register_module_forward_hook(
    hook: Callable, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls hook(module, args, output) after every module's forward; a result replaces the output.

    Args:
        hook: the function; with_kwargs makes it hook(module, args, kwargs, output).
        always_call (bool): also when forward fails. Default: False
    """
    return _register(
        hook,
        _global_forward_hooks,
        (_global_forward_hooks_with_kwargs, with_kwargs),
        (_global_forward_hooks_always_called, always_call),
    )


def register_module_backward_hook(hook: Callable) -> RemovableHandle:
    """The old kind of backward hook on every module; prefer register_module_full_backward_hook."""
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook is True:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
    _global_is_full_backward_hook = False
    return _register(hook, _global_backward_hooks)


def register_module_full_backward_pre_hook(hook: Callable) -> RemovableHandle:
    """Calls hook(module, grad_output) before the gradients of every module's inputs are computed."""
    return _register(hook, _global_backward_pre_hooks)


def register_module_full_backward_hook(hook: Callable) -> RemovableHandle:
    """Calls hook(module, grad_input, grad_output) after the gradients of every module's inputs."""
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook is False:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
    _global_is_full_backward_hook = True
    return _register(hook, _global_backward_hooks)


class _WrappedHook:
    """A hook that is given its module first, without keeping the module alive."""

    def __init__(self, hook: Callable, module: Module | None = None) -> None:
        self.hook = hook
        self.with_module = module is not None
        if module is not None:
            self.module = weakref.ref(module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.with_module:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self) -> dict:
        state = {"hook": self.hook, "with_module": self.with_module}
        if self.with_module:
            state["module"] = self.module()
        return state

    def __setstate__(self, state: dict) -> None:
        self.hook = state["hook"]
        self.with_module = state["with_module"]
        if self.with_module:
            if state["module"] is None:
                raise RuntimeError(
                    "You are trying to revive the hook of a dead Module!"
                )
            self.module = weakref.ref(state["module"])


class Module(_C.Module):
    """Base of all neural-network modules; a module may contain modules.

    Subclasses call super().__init__() first and then assign parameters, buffers and submodules as attributes; they
    say what a call computes in forward().

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
        """self.name = value where a registry may be concerned; False when it is an ordinary attribute."""
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
        """Adds a tensor that is part of the module's state but no parameter, such as a running mean.

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
                "If you need gradients in your forward method, consider using autograd.grad instead.",
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

    def _apply(self: T, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> T:
        """Replaces each parameter's data and gradient, and each buffer, by fn of it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for param in self._parameters.values():
            if param is None:
                continue
            grad = param.grad
            with rushlight.no_grad():
                param.data = fn(param)
                if grad is not None:
                    grad.data = fn(grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: T, *args: Any, **kwargs: Any) -> T:
        """Converts parameters and buffers in place: to(device, dtype, non_blocking), to(dtype) or to(tensor).

        Integer parameters and buffers keep their dtype.

        Raises:
            TypeError: the dtype is not floating.
            RuntimeError: a device other than the CPU.
        """
        device, dtype, non_blocking = _parse_to(*args, **kwargs)
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )

        def convert(t: Tensor) -> Tensor:
            if device is not None:
                t = t.to(device)
            return t.to(dtype) if dtype is not None and t.is_floating_point() else t

        return self._apply(convert)

    def to_empty(self: T, *, device: Any, recurse: bool = True) -> T:
        """Gives every parameter and buffer fresh memory without values."""
        return self._apply(lambda t: rushlight.empty_like(t, device=device), recurse=recurse)

    def type(self: T, dst_type: Any) -> T:
        """Converts all parameters and buffers to this dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def _to_floating(self: T, dtype: Any) -> T:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self: T) -> T:
        """Floating parameters and buffers to float32."""
        return self._to_floating(rushlight.float32)

    def double(self: T) -> T:
        """Floating parameters and buffers to float64."""
        return self._to_floating(rushlight.float64)

    def half(self: T) -> T:
        """Floating parameters and buffers to float16."""
        return self._to_floating(rushlight.float16)

    def bfloat16(self: T) -> T:
        """Floating parameters and buffers to bfloat16."""
        return self._to_floating(rushlight.bfloat16)

    def cpu(self: T) -> T:
        """Nothing to do: everything is on the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self: T, device: Any = None) -> T:
        """There is no CUDA here: an error when there is anything to move."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self: T) -> T:
        """Tensor.share_memory_ on all parameters and buffers."""
        return self._apply(lambda t: t.share_memory_())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted and ignored: calls already run in C."""

    # ---- hooks ----

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls hook(module, args) before forward; a result replaces the arguments.

        Args:
            hook: the function; with_kwargs makes it hook(module, args, kwargs), whose result is (args, kwargs).
            prepend (bool): before the hooks that are there. Default: False

        Returns:
            RemovableHandle: its remove() takes the hook away.
        """
        handle = _register(
            hook, self._forward_pre_hooks, (self._forward_pre_hooks_with_kwargs, with_kwargs)
        )
        if prepend:
            self._forward_pre_hooks.move_to_end(handle.id, last=False)
        return handle

    def register_forward_hook(
        self,
        hook: Callable,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Calls hook(module, args, output) after forward; a result replaces the output.

        Args:
            hook: the function; with_kwargs makes it hook(module, args, kwargs, output).
            prepend (bool): before the hooks that are there. Default: False
            always_call (bool): also when forward fails. Default: False

        Returns:
            RemovableHandle: its remove() takes the hook away.
        """
        handle = _register(
            hook,
            self._forward_hooks,
            (self._forward_hooks_with_kwargs, with_kwargs),
            (self._forward_hooks_always_called, always_call),
        )
        if prepend:
            self._forward_hooks.move_to_end(handle.id, last=False)
        return handle

    def register_full_backward_pre_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """Calls hook(module, grad_output) before the gradients of the inputs are computed.

        A result replaces grad_output. prepend: before the hooks that are there.
        """
        handle = _register(hook, self._backward_pre_hooks)
        if prepend:
            self._backward_pre_hooks.move_to_end(handle.id, last=False)
        return handle

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Calls hook(module, grad_input, grad_output) once the gradients of the inputs are known.

        A result replaces grad_input. prepend: before the hooks that are there.

        Raises:
            RuntimeError: the module has a hook of the old kind.
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
        self._is_full_backward_hook = True
        handle = _register(hook, self._backward_hooks)
        if prepend:
            self._backward_hooks.move_to_end(handle.id, last=False)
        return handle

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """The old kind of backward hook, on the last node alone; prefer register_full_backward_hook."""
        if self._is_full_backward_hook is True:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
        self._is_full_backward_hook = False
        return _register(hook, self._backward_hooks)

    def _get_backward_hooks(self) -> tuple[list[Callable], list[Callable]]:
        """The full backward hooks, and those of the old kind."""
        full, old = [], []
        for is_full, hooks in (
            (_global_is_full_backward_hook, _global_backward_hooks),
            (self._is_full_backward_hook, self._backward_hooks),
        ):
            if is_full is not None:
                (full if is_full else old).extend(hooks.values())
        return full, old

    def _get_backward_pre_hooks(self) -> list[Callable]:
        return [*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]

    def _wrapped_call_impl(self, *args: Any, **kwargs: Any) -> Any:
        return self(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        """A call with hooks; the C base comes here only when there is one."""
        called: set[int] = set()  # hooks with always_call that ran
        result = None
        try:
            args, kwargs = self._run_forward_pre_hooks(args, kwargs)
            full, old = self._get_backward_hooks()
            pre = self._get_backward_pre_hooks()
            backward = BackwardHook(self, full, pre) if full or pre else None
            if backward:
                args = backward.setup_input_hook(args)
            result = self.forward(*args, **kwargs)
            for id, hook, with_kwargs, always in self._forward_hooks_in_order():
                if always:
                    called.add(id)
                changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
                if changed is not None:
                    result = changed
            if backward:
                if not isinstance(result, (Tensor, tuple)):
                    warnings.warn(
                        "For backward hooks to be called, module output should be a Tensor or a "
                        f"tuple of Tensors but received {type(result)}",
                        stacklevel=2,
                    )
                result = backward.setup_output_hook(result)
            if old:
                self._register_old_backward_hooks(old, result)
            return result
        except Exception:
            for id, hook, with_kwargs, always in self._forward_hooks_in_order():
                if not always or id in called:
                    continue
                try:
                    changed = (
                        hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
                    )
                    if changed is not None:
                        result = changed
                except Exception as e:
                    kind = "global module" if id in _global_forward_hooks else "module"
                    warnings.warn(
                        f"{kind} forward hook with ``always_call=True`` raised an exception that "
                        f"was silenced as another error was raised in forward: {e}",
                        stacklevel=2,
                    )
            raise

    def _run_forward_pre_hooks(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        for id, hook in (*_global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()):
            if id in self._forward_pre_hooks_with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is None:
                    continue
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {changed}."
                    )
                args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        return args, kwargs

    def _forward_hooks_in_order(self) -> list[tuple[int, Callable, bool, bool]]:
        """(id, hook, wants kwargs, always called), those of all modules first."""
        return [
            (id, hook, id in with_kwargs, id in always)
            for hooks, with_kwargs, always in (
                (
                    _global_forward_hooks,
                    _global_forward_hooks_with_kwargs,
                    _global_forward_hooks_always_called,
                ),
                (
                    self._forward_hooks,
                    self._forward_hooks_with_kwargs,
                    self._forward_hooks_always_called,
                ),
            )
            for id, hook in hooks.items()
        ]

    def _register_old_backward_hooks(self, hooks: list[Callable], result: Any) -> None:
        """On the node of the first tensor in the result."""
        while not isinstance(result, Tensor):
            if isinstance(result, dict):
                result = next(v for v in result.values() if isinstance(v, Tensor))
            else:
                result = result[0]
        if result.grad_fn is not None:
            for hook in hooks:
                result.grad_fn.register_hook(_WrappedHook(hook, self))

    # ---- state_dict ----

    def get_extra_state(self) -> Any:
        """What state_dict keeps besides parameters and buffers; for subclasses, with set_extra_state."""
        raise RuntimeError(
            "Module.get_extra_state() must be defined by the subclass that uses extra state."
        )

    def set_extra_state(self, state: Any) -> None:
        """Takes back what get_extra_state gave; for subclasses."""
        raise RuntimeError(
            "Module.set_extra_state() must be defined by the subclass that uses extra state."
        )

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        """This module's own part of the state_dict, without its children's."""
        for name, param in self._parameters.items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Parameters and persistent buffers by dotted name, sharing their memory.

        Args:
            destination (dict): is filled and returned. Default: a new OrderedDict.
            prefix (str): put before each name. Default: ""
            keep_vars (bool): the parameters themselves instead of detached tensors. Default: False
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict"
                " for details.",
                FutureWarning,
                stacklevel=2,
            )
            if destination is None:
                destination = args[0]
            if len(args) > 1 and prefix == "":
                prefix = args[1]
            if len(args) > 2 and keep_vars is False:
                keep_vars = args[2]
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            changed = hook(self, destination, prefix, metadata)
            if changed is not None:
                if getattr(hook, "_from_public_api", False):
                    raise RuntimeError("state_dict post-hook must return None")
                destination = changed
        return destination

    def _register_state_dict_hook(self, hook: Callable) -> RemovableHandle:
        """Calls hook(module, state_dict, prefix, metadata) after state_dict; a result replaces it."""
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously "
                "registered via register_state_dict_post_hook"
            )
        return _register(hook, self._state_dict_hooks)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Calls hook(module, state_dict, prefix, metadata) after state_dict; it may edit in place."""
        hook._from_public_api = True
        return _register(hook, self._state_dict_hooks)

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Calls hook(module, prefix, keep_vars) before state_dict."""
        return _register(hook, self._state_dict_pre_hooks)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable, with_module: bool = False
    ) -> RemovableHandle:
        return _register(
            _WrappedHook(hook, self if with_module else None), self._load_state_dict_pre_hooks
        )

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Calls hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs) before this module loads its part."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Calls hook(module, incompatible_keys) after loading; it may edit the lists in place."""
        return _register(hook, self._load_state_dict_post_hooks)

    def _load_from_state_dict(
        self,
        state_dict: dict,
        prefix: str,
        local_metadata: dict,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Loads this module's own part, without its children's; notes what does not fit."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(
                state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
            )
        assign = local_metadata.get("assign_to_params_buffers", False)
        local = {
            name: value
            for name, value in itertools.chain(self._parameters.items(), self._buffers.items())
            if value is not None and name not in self._non_persistent_buffers_set
        }
        for name, param in local.items():
            key = prefix + name
            if key in state_dict:
                message = self._load_one(name, key, param, state_dict[key], assign)
                if message:
                    error_msgs.append(message)
            elif strict:
                missing_keys.append(key)

        extra = prefix + _EXTRA_STATE_KEY_SUFFIX
        if type(self).set_extra_state is not Module.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)

        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    first, dot, _ = key[len(prefix) :].partition(".")
                    if first not in (self._modules if dot else local):
                        unexpected_keys.append(key)

    def _load_one(
        self, name: str, key: str, param: Tensor, value: Any, assign: bool
    ) -> str | None:
        """Copies or assigns one value; the message when it does not fit."""
        if not isinstance(value, Tensor):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
                f"object from checkpoint but received {type(value)}"
            )
        lazy = is_lazy(param)
        if not lazy:
            if param.dim() == 0 and value.dim() == 1 and len(value) == 1:
                value = value[0]
            if value.shape != param.shape:
                return (
                    f"size mismatch for {key}: copying a param with shape {value.shape} from "
                    f"checkpoint, the shape in current model is {param.shape}."
                )
        try:
            with rushlight.no_grad():
                if assign:
                    if isinstance(param, Parameter):
                        if isinstance(value, Parameter):
                            value.requires_grad_(param.requires_grad)
                        else:
                            value = Parameter(value, requires_grad=param.requires_grad)
                    setattr(self, name, value)
                elif lazy:
                    # A lazy value says nothing yet; one with values met a module without its hook.
                    if not is_lazy(value):
                        raise ValueError("the parameter is not initialized")
                else:
                    param.copy_(value)
        except Exception as e:
            return (
                f'While copying the parameter named "{key}", whose dimensions in the model are '
                f"{param.size()} and whose dimensions in the checkpoint are {value.size()}, "
                f"an exception occurred : {e.args}."
            )
        return None

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copies a state_dict's values into the parameters and buffers.

        Args:
            state_dict (dict): values by dotted name.
            strict (bool): missing and unexpected names are an error. Default: True
            assign (bool): puts the given tensors in place of the present ones. Default: False

        Returns:
            missing_keys and unexpected_keys, two lists of names.

        Raises:
            TypeError: state_dict is no mapping.
            RuntimeError: sizes do not fit, or names with strict; says all of them.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing_keys: list[str] = []
        unexpected_keys: list[str] = []
        error_msgs: list[str] = []
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)  # hooks may edit it
        if metadata is not None:
            state_dict._metadata = metadata

        def load(module: Module, local: dict, prefix: str = "") -> None:
            local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local_metadata["assign_to_params_buffers"] = True
            module._load_from_state_dict(
                local, prefix, local_metadata, True, missing_keys, unexpected_keys, error_msgs
            )
            for name, child in module._modules.items():
                if child is not None:
                    below = f"{prefix}{name}."
                    load(child, {k: v for k, v in local.items() if k.startswith(below)}, below)
            keys = _IncompatibleKeys(missing_keys, unexpected_keys)
            for hook in module._load_state_dict_post_hooks.values():
                if hook(module, keys) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not "
                        "expected to return new values, if incompatible_keys need to be modified, "
                        "it should be done inplace."
                    )

        load(self, state_dict)
        if strict:
            for kind, keys in (("Unexpected", unexpected_keys), ("Missing", missing_keys)):
                if keys:
                    names = ", ".join(f'"{k}"' for k in keys)
                    error_msgs.insert(0, f"{kind} key(s) in state_dict: {names}. ")
        if error_msgs:
            raise RuntimeError(
                "Error(s) in loading state_dict for {}:\n\t{}".format(
                    type(self).__name__, "\n\t".join(error_msgs)
                )
            )
        return _IncompatibleKeys(missing_keys, unexpected_keys)

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
            *self.__getstate__(),
            *self._parameters,
            *self._modules,
            *self._buffers,
        ]
        return sorted(name for name in names if not name[0].isdigit())

    def __reduce_ex__(self, protocol: int) -> Any:
        return super().__reduce_ex__(max(protocol, 2))  # older protocols cannot copy a C base

    def _replicate_for_data_parallel(self) -> Module:
        replica = self.__new__(type(self))
        replica.__dict__ = self.__getstate__()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool]:
    """(device, dtype, non_blocking) of Module.to's several forms."""
    if args and isinstance(args[0], Tensor) or "tensor" in kwargs:
        other = kwargs.pop("tensor", None) if "tensor" in kwargs else args[0]
        return other.device, other.dtype, False
    device, dtype, non_blocking = None, None, False
    rest = list(args)
    if rest and not isinstance(rest[0], rushlight.dtype):
        device = rest.pop(0)
    if rest:
        dtype = rest.pop(0)
    if rest:
        non_blocking = rest.pop(0)
    device = kwargs.pop("device", device)
    dtype = kwargs.pop("dtype", dtype)
    non_blocking = kwargs.pop("non_blocking", non_blocking)
    kwargs.pop("copy", None)
    kwargs.pop("memory_format", None)
    if rest or kwargs or (dtype is not None and not isinstance(dtype, rushlight.dtype)):
        given = ", ".join([*map(_typename, args), *(f"{k}={_typename(v)}" for k, v in kwargs.items())])
        raise TypeError(f"to() received an invalid combination of arguments - got ({given})")
    return (None if device is None else rushlight.device(device)), dtype, non_blocking
