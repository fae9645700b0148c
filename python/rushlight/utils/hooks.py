"""Handles that remove a hook, and what full backward hooks of modules need of autograd."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

__all__ = ["BackwardHook", "RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]


class RemovableHandle:
    """Removes a hook from its dict: by remove(), or at the end of a with statement.

    Args:
        hooks_dict (dict): hooks by id; an OrderedDict, since the handle refers to it weakly.
        extra_dict (dict or list of dicts): further dicts from which the id goes as well.
    """

    id: int
    next_id: int = 0

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extra = extra_dict if isinstance(extra_dict, list) else [extra_dict]
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra if d is not None)

    def remove(self) -> None:
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self) -> tuple:
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state: tuple) -> None:
        hooks = OrderedDict() if state[0] is None else state[0]
        self.hooks_dict_ref = weakref.ref(hooks)
        self.id = state[1]
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)
        extra = state[2] if len(state) > 2 and state[2] else ()
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def unserializable_hook(f: Callable) -> Callable:
    """Marks a tensor hook as one that need not survive serialization: no warning about it."""
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warns that a tensor's hooks are not saved with it."""
    for hook in (getattr(tensor, "_backward_hooks", None) or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, "
                "you can decorate the function with @torch.utils.hooks.unserializable_hook "
                "to suppress this warning",
                stacklevel=2,
            )


class BackwardHook:
    """Joins the gradients at a module's outputs with those at its inputs, and calls the hooks.

    The tensors among the inputs and among the outputs each pass through one identity node; the
    hooks on these two nodes see all gradients of a side at once.
    """

    def __init__(self, module: Any, user_hooks: list, user_pre_hooks: list) -> None:
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self.grad_outputs: tuple | None = None
        self.n_inputs = self.n_outputs = -1
        self.input_places: list[int] | None = None  # which of the inputs are tensors
        self.output_places: list[int] | None = None

    def setup_input_hook(self, args: tuple) -> tuple:
        """The inputs, with the node under whose hook the backward hooks run."""
        self.n_inputs = len(args)
        args, self.input_places = self._through_node(self._on_input_grads, args)
        return args

    def setup_output_hook(self, result: Any) -> Any:
        """The outputs, with the node whose hook notes their gradients."""
        outputs = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(outputs)
        outputs, self.output_places = self._through_node(self._on_output_grads, outputs)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _through_node(self, hook: Callable, values: tuple) -> tuple[tuple, list[int] | None]:
        import rushlight
        from rushlight.nn.modules._functions import BackwardHookFunction

        places = [i for i, v in enumerate(values) if isinstance(v, rushlight.Tensor)]
        tensors = [values[i] for i in places]
        if not (rushlight.is_grad_enabled() and any(t.requires_grad for t in tensors)):
            return values, None
        tensors = BackwardHookFunction.apply(*tensors)
        node = next(t.grad_fn for t in tensors if t.grad_fn is not None)
        node.register_hook(hook)
        result = list(values)
        for place, tensor in zip(places, tensors, strict=True):
            result[place] = tensor
        kind = type(values)
        return (kind(result) if kind is tuple else kind(*result)), places

    @staticmethod
    def _spread(places: list[int], grads: tuple, n: int) -> tuple:
        spread: list = [None] * n
        for place, grad in zip(places, grads, strict=True):
            spread[place] = grad
        return tuple(spread)

    def _on_input_grads(self, grad_inputs: tuple, _: tuple) -> tuple | None:
        if self.grad_outputs is None:
            return None  # the gradient came round the module, as in double backward
        grads = self._spread(self.input_places, grad_inputs, self.n_inputs)
        for hook in self.user_hooks:
            changed = hook(self.module, grads, self.grad_outputs)
            if changed is None:
                continue
            if len(changed) != len(grads):
                raise RuntimeError(
                    "Backward hook returned an invalid number of grad_input, "
                    f"got {len(changed)}, but expected {len(grads)}"
                )
            grads = changed
        self.grad_outputs = None
        return tuple(grads[i] for i in self.input_places)

    def _on_output_grads(self, _: tuple, grad_outputs: tuple) -> tuple:
        self.grad_outputs = self._spread(self.output_places, grad_outputs, self.n_outputs)
        for hook in self.user_pre_hooks:
            changed = hook(self.module, self.grad_outputs)
            if changed is None:
                continue
            if len(changed) != len(self.grad_outputs):
                raise RuntimeError(
                    "Backward pre hook returned an invalid number of grad_output, "
                    f"got {len(changed)}, but expected {len(self.grad_outputs)}"
                )
            self.grad_outputs = changed
        grads = self.grad_outputs
        if self.input_places is None:
            self._without_inputs()
        return tuple(grads[i] for i in self.output_places)

    def _without_inputs(self) -> None:
        """No input wants a gradient: the hooks run here, with None for each."""
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients. See "
            "https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
            "#torch.nn.Module.register_full_backward_hook for more details.",
            stacklevel=5,
        )
        for hook in self.user_hooks:
            changed = hook(self.module, (None,) * self.n_inputs, self.grad_outputs)
            if changed is not None and not (
                isinstance(changed, tuple) and all(g is None for g in changed)
            ):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )
        self.grad_outputs = None
