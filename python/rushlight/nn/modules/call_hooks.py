"""Hooks that run when a module is called, its own and those of all modules."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from rushlight._C import (
    Tensor,
    _global_backward_hooks,
    _global_backward_pre_hooks,
    _global_forward_hooks,
    _global_forward_pre_hooks,
)
from rushlight.utils.hooks import BackwardHook, RemovableHandle

# Hooks of all modules.  The four that a call asks for are made in C.
_global_is_full_backward_hook: bool | None = None
_global_forward_hooks_always_called: OrderedDict = OrderedDict()
_global_forward_hooks_with_kwargs: OrderedDict = OrderedDict()
_global_buffer_registration_hooks: OrderedDict = OrderedDict()
_global_module_registration_hooks: OrderedDict = OrderedDict()
_global_parameter_registration_hooks: OrderedDict = OrderedDict()


def _register(
    hook: Callable, hooks: OrderedDict, *flags: tuple[OrderedDict, bool]
) -> RemovableHandle:
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

    def __init__(self, hook: Callable, module: Any = None) -> None:
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
                raise RuntimeError("You are trying to revive the hook of a dead Module!")
            self.module = weakref.ref(state["module"])


class CallHooks:
    """The part of Module that registers and runs forward and backward hooks."""

    __slots__ = ()

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls hook(module, args) before forward; a result replaces the arguments.

        Args:
            hook: the function; with_kwargs makes it hook(module, args, kwargs), whose result is
                (args, kwargs).
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
        """The old kind of backward hook, on the last node alone; prefer
        register_full_backward_hook.
        """
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
                changed = (
                    hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
                )
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
                        hook(self, args, kwargs, result)
                        if with_kwargs
                        else hook(self, args, result)
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
