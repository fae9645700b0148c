"""Optimizer, the base: parameter groups, state, hooks.  The steps themselves are in C
(csrc/ops/optim.c).
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import rushlight
from rushlight import _C
from rushlight._C import Tensor
from rushlight.nn.modules.module import _typename
from rushlight.utils.hooks import RemovableHandle

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]

ParamsT = Any  # in annotations: tensors, pairs (name, tensor), or dicts of groups

# A default that every group must give.
required: Any = type("_RequiredParameter", (), {"__repr__": lambda self: "<required parameter>"})()

_global_optimizer_pre_hooks: OrderedDict = OrderedDict()
_global_optimizer_post_hooks: OrderedDict = OrderedDict()


def _register(hooks: OrderedDict, hook: Callable, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook: Callable) -> RemovableHandle:
    """Calls hook(optimizer, args, kwargs) before every optimizer's step."""
    return _register(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable) -> RemovableHandle:
    """Calls hook(optimizer, args, kwargs) after every optimizer's step."""
    return _register(_global_optimizer_post_hooks, hook)


def _use_grad_for_differentiable(func: Callable) -> Callable:
    """For steps written in Python: records the step if the optimizer is differentiable."""

    @functools.wraps(func)
    def step(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        with rushlight.set_grad_enabled(self.defaults["differentiable"]):
            return func(self, *args, **kwargs)

    return step


class Optimizer:
    """Base of all optimizers.

    Args:
        params (iterable): tensors, pairs (name, tensor), or dicts, one per group, with the tensors
            under "params".
        defaults (dict): options of groups that do not give them.

    Attributes:
        param_groups (list of dict): the groups with their options; may be edited between steps.
        state (dict): what the optimizer remembers, by parameter.
    """

    # in annotations: what hooks of steps are
    OptimizerPreHook = Callable[["Optimizer", tuple, dict], Any]
    OptimizerPostHook = Callable[["Optimizer", tuple, dict], None]

    _hook_dicts = (
        "_optimizer_step_pre_hooks",
        "_optimizer_step_post_hooks",
        "_optimizer_state_dict_pre_hooks",
        "_optimizer_state_dict_post_hooks",
        "_optimizer_load_state_dict_pre_hooks",
        "_optimizer_load_state_dict_post_hooks",
    )

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        for name in self._hook_dicts:
            setattr(self, name, OrderedDict())
        self._patch_step_function()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                "but got " + _typename(params)
            )
        self.state: defaultdict = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in self._hook_dicts:
            if name not in self.__dict__:
                setattr(self, name, OrderedDict())
        self._patch_step_function()
        for group in self.param_groups:  # options that the saved groups did not know yet
            for name, value in self.defaults.items():
                if value is not required:
                    group.setdefault(name, value)
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            for key in sorted(group):
                if key != "params":
                    text += f"    {key}: {group[key]}\n"
        return text + ")"

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, of layers that are to be trained from now on, say.

        Args:
            param_group (dict): the tensors under "params", and options.

        Raises:
            TypeError: no dict, a set of parameters, or something that is no tensor.
            ValueError: a tensor with a history, or one that another group has.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering "
                "of tensors in sets will change between runs. Please use a list instead."
            )
        params = list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names:
            if len(names) != len(params):
                raise ValueError(
                    "all optimizer params should be with/without names. Some param names are missing"
                )
            param_group["param_names"] = names
            params = [p[1] for p in params]
        param_group["params"] = params
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is " + _typename(p)
                )
            if not self.defaults.get("differentiable") and not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    + name
                )
            param_group.setdefault(name, default)
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see github.com/pytorch/pytorch/issues/40967 for more "
                "information",
                stacklevel=3,
            )
        others: set = set()
        for group in self.param_groups:
            others.update(group["params"])
            if ("param_names" in param_group) != ("param_names" in group):
                kind = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {kind} to the optimizer"
                )
        if not others.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    # ---- step ----

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Changes the parameters once, by their gradients; every optimizer has its own."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the parameters' gradients.

        Args:
            set_to_none (bool): to None, instead of to zeros. Default: True
        """
        _C._zero_grad(self.param_groups, set_to_none)

    def _patch_step_function(self) -> None:
        """Gives a step written in Python its hooks, once per class; those in C ask for them
        themselves.
        """
        step = type(self).step
        if not getattr(step, "hooked", None):
            type(self).step = self.profile_hook_step(step)
            type(self).step.hooked = True

    @staticmethod
    def profile_hook_step(func: Callable) -> Callable:
        """A step that calls the hooks before and after."""

        @functools.wraps(func)
        def wrapper(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
            given = (self, *args)
            for hook in chain(
                _global_optimizer_pre_hooks.values(), self._optimizer_step_pre_hooks.values()
            ):
                result = hook(self, given, kwargs)
                if result is not None:
                    if not (isinstance(result, tuple) and len(result) == 2):
                        raise RuntimeError(
                            f"{func} must return None or a tuple of (new_args, new_kwargs), but got "
                            f"{result}."
                        )
                    given, kwargs = result
            out = func(*given, **kwargs)
            for hook in chain(
                self._optimizer_step_post_hooks.values(), _global_optimizer_post_hooks.values()
            ):
                hook(self, given, kwargs)
            return out

        return wrapper

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Calls hook(optimizer, args, kwargs) before step; a result replaces (args, kwargs)."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Calls hook(optimizer, args, kwargs) after step."""
        return _register(self._optimizer_step_post_hooks, hook)

    # ---- state_dict ----

    def state_dict(self) -> dict[str, Any]:
        """State and groups, with numbers in place of the parameters: {"state": ..., "param_groups":
        ...}.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            start = len(numbers)
            for i, p in enumerate(group["params"], start):
                numbers.setdefault(id(p), i)
            packed = {k: v for k, v in group.items() if k != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {(numbers[id(k)] if isinstance(k, Tensor) else k): v for k, v in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            if changed is not None:
                result = changed
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes state and options from a state_dict; the parameters are matched by position.

        Raises:
            ValueError: other numbers of groups or of parameters in a group.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            if changed is not None:
                state_dict = changed
        from copy import deepcopy  # not at import: loading is rare

        groups = self.param_groups
        saved = deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        params = {
            number: p
            for g, s in zip(groups, saved, strict=True)
            for number, p in zip(s["params"], g["params"], strict=True)
        }
        special = {
            number: bool(g.get("capturable") or g.get("fused"))
            for g in state_dict["param_groups"]
            for number in g["params"]
        }
        state: defaultdict = defaultdict(dict)
        for number, value in state_dict["state"].items():
            if number in params:
                state[params[number]] = _cast(params[number], value, special[number])
            else:
                state[number] = value
        for group, new in zip(groups, saved, strict=True):
            new["params"] = group["params"]
            if "param_names" in group and "param_names" not in new:
                new["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def register_state_dict_pre_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """Calls hook(optimizer) before state_dict."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """Calls hook(optimizer, state_dict) after state_dict; a result replaces it."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """Calls hook(optimizer, state_dict) before loading; a result replaces it."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """Calls hook(optimizer) after loading."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def _cast(param: Tensor, value: Any, special: bool, key: Any = None) -> Any:
    """A loaded value in the parameter's dtype; the count of steps keeps its own."""
    if isinstance(value, Tensor):
        if key == "step":
            return value.to(rushlight.float32) if special else value
        return value.to(param.dtype) if param.is_floating_point() else value
    if isinstance(value, dict):
        return {k: _cast(param, v, special, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(_cast(param, v, special) for v in value)
    return value


class _InC(Optimizer):
    """An optimizer whose step is C; _kind numbers it as rl_optim_kind in rushlight.h does."""

    _kind: int
    _numbers: tuple[str, ...] = ("step",)  # states that are one number

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if defaults.get("fused") and defaults.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        super().__init__(params, defaults)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Changes the parameters once, by their gradients.

        Args:
            closure: computes the loss again and its gradients, before the step. Default: None

        Returns:
            what the closure returns.
        """
        if (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _global_optimizer_pre_hooks
            or _global_optimizer_post_hooks
        ):
            return self._step_with_hooks(*([] if closure is None else [closure]))
        if closure is not None or self.defaults.get("differentiable"):
            return self._step(closure)
        return _C._optim_step(self._kind, self.param_groups, self.state)

    step.hooked = True  # type: ignore[attr-defined]

    def _step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with rushlight.enable_grad():
                loss = closure()
        if self.defaults.get("differentiable"):
            self._step_recorded()
        else:
            _C._optim_step(self._kind, self.param_groups, self.state)
        return loss

    def _step_recorded(self) -> None:
        from rushlight.optim._recorded import update

        with rushlight.enable_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        update(self._kind, p, self.state[p], group)

    _step_with_hooks = Optimizer.profile_hook_step(_step)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        dtype = _step_dtype()
        for values in self.state.values():  # old checkpoints count with a plain number
            for name in self._numbers:
                if name in values and not isinstance(values[name], Tensor):
                    values[name] = rushlight.tensor(float(values[name]), dtype=dtype)



def _step_dtype() -> Any:
    """Dtype of state[p]["step"]."""
    wide = rushlight.get_default_dtype() == rushlight.float64
    return rushlight.float64 if wide else rushlight.float32


def _check(name: str, value: Any, ok: bool) -> None:
    if not ok:
        raise ValueError(f"Invalid {name}: {value}")


def _check_lr(lr: Any) -> None:
    _check_lr_size(lr)
    _check("learning rate", lr, lr >= 0.0)


def _check_lr_size(lr: Any) -> None:
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")


def _scalar(x: Any) -> Any:
    """A Python number for a tensor of one element."""
    return x.item() if isinstance(x, Tensor) else x


def _check_betas(betas: Any) -> None:
    for i, beta in enumerate(betas):
        _check(f"beta parameter at index {i}", beta, 0.0 <= beta < 1.0)


def _check_adam(lr: Any, betas: Any, eps: Any, weight_decay: Any) -> None:
    """What Adam and its kin have in common."""
    _check_lr(lr)
    _check("epsilon value", eps, eps >= 0.0)
    _check_betas(betas)
    _check("weight_decay value", weight_decay, weight_decay >= 0.0)


def __getattr__(name: str) -> Any:
    """What only optimizers of other authors ask for."""
    if not name.startswith("__"):
        from rushlight.optim import _helpers

        if name in vars(_helpers):
            return getattr(_helpers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
