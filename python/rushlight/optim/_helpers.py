"""Names of torch.optim.optimizer that optimizers written outside of PyTorch import.

One device, one implementation, no compiler: most have little to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn.parameter import Parameter
from rushlight.optim.optimizer import _step_dtype

# for annotations
Args = tuple[Any, ...]
Kwargs = dict[str, Any]
StateDict = dict[str, Any]
DeviceDict = dict[Any, Tensor]
DeviceDtypeDict = dict[tuple[Any, Any], Tensor]
TensorListList = list[list[Tensor]]
Indices = list[int]
GlobalOptimizerPreHook = Callable[..., Any]
GlobalOptimizerPostHook = Callable[..., None]

_foreach_supported_types = [Tensor, Parameter]

# lines for docstrings
_params_doc = "params (iterable): parameters, pairs (name, parameter), or dicts of groups."
_foreach_doc = "foreach (bool): accepted; there is one implementation. Default: None"
_fused_doc = "fused (bool): accepted; there is one implementation. Default: None"
_capturable_doc = "capturable (bool): accepted; there are no graphs to capture. Default: False"
_differentiable_doc = "differentiable (bool): autograd records the step. Default: False"
_maximize_doc = "maximize (bool): go up the gradient. Default: False"


def _get_value(x: Any) -> Any:
    """The number of a tensor of one element; anything else as it is."""
    return x.item() if isinstance(x, Tensor) else x


def _to_scalar(x: Any) -> Any:
    """A tensor of one element without dims; anything else as it is."""
    return x.squeeze() if isinstance(x, Tensor) and x.dim() != 0 else x


def _stack_if_compiling(x: Any) -> Any:
    return x


def _get_scalar_dtype(is_fused: bool | None = None) -> Any:
    """Dtype of state[p]["step"]."""
    return rushlight.float32 if is_fused else _step_dtype()


def _view_as_real(params: list[Tensor], *state_and_grads: list[Tensor]) -> None:
    """Replaces complex parameters and what belongs to them by pairs of reals, in the lists."""
    for i, p in enumerate(params):
        if p.is_complex():
            for tensors in (params, *state_and_grads):
                tensors[i] = rushlight.view_as_real(tensors[i])


def _get_capturable_supported_devices(supports_xla: bool = True) -> list[str]:
    return []


def _get_foreach_kernels_supported_devices() -> list[str]:
    return []


def _get_fused_kernels_supported_devices() -> list[str]:
    return ["cpu"]


def _default_to_fused_or_foreach(
    params: list[Tensor], differentiable: bool, use_fused: bool = False
) -> tuple[bool, bool]:
    """(fused, foreach): whether an optimizer that was not told should choose them."""
    fused = (
        use_fused
        and not differentiable
        and all(
            p is None or (type(p) in _foreach_supported_types and p.is_floating_point())
            for p in params
        )
    )
    return fused, not fused and not differentiable and all(p is None for p in params)


def _device_dtype_check_for_fused(p: Tensor, cuda_unsupported: bool = False) -> None:
    """Raises RuntimeError where p is not floating."""
    if not p.is_floating_point():
        raise RuntimeError(
            "`fused=True` requires all the params to be floating point Tensors of supported devices: "
            f"{_get_fused_kernels_supported_devices()} but {p.dtype} and {p.device.type}"
        )


def _disable_dynamo_if_unsupported(single_tensor_fn: Callable | None = None) -> Callable:
    """A decorator that changes nothing."""
    return lambda func: func
