"""autocast: which operators compute in lower precision, which in float32.

The lists are those of PyTorch's "Automatic Mixed Precision package" documentation, "CPU Op-Specific Behavior". An
operator is known by its name.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, Self

import rushlight
from rushlight._C import Tensor
from rushlight.overrides import TorchFunctionMode

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

_LOWER = frozenset(
    """__matmul__ __rmatmul__ addbmm addmm affine_grid baddbmm bmm chain_matmul conv1d conv2d conv3d conv_tbc
    conv_transpose1d conv_transpose2d conv_transpose3d convolution einsum linear lstm matmul mm multi_dot
    prelu rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell scaled_dot_product_attention tensordot vecdot""".split()
)
_FLOAT32 = frozenset(
    """adaptive_avg_pool3d adaptive_max_pool3d adaptive_max_pool3d_with_indices avg_pool3d binary_cross_entropy
    binary_cross_entropy_with_logits cdist cholesky cholesky_inverse cholesky_solve cond
    cosine_embedding_loss cross_entropy cross_entropy_loss ctc_loss eig eigh eigvals eigvalsh fft fft2 fftn
    fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d
    fractional_max_pool3d_with_indices geqrf grid_sample grid_sampler grid_sampler_2d grid_sampler_3d hfft
    hinge_embedding_loss huber_loss ifft ifft2 ifftn ihfft inv inverse irfft irfft2 irfftn kl_div l1_loss
    lstsq lu_solve margin_ranking_loss matrix_power matrix_rank max_pool3d max_unpool1d max_unpool2d
    max_unpool3d mse_loss multi_margin_loss multilabel_margin_loss nanquantile nll_loss orgqr ormqr pinv
    pinverse poisson_nll_loss polar prod quantile reflection_pad1d reflection_pad2d replication_pad1d
    replication_pad2d replication_pad3d rfft rfft2 rfftn slogdet smooth_l1_loss soft_margin_loss solve stft
    svd svdvals trace triplet_margin_loss view_as_complex""".split()
)
_AS_INPUT = frozenset(("gru", "gru_cell", "lstm_cell"))
_WIDEST = frozenset(("cat", "concat", "concatenate", "stack", "index_copy"))
# In float32, depending on their arguments: what they are made of is, in PyTorch.
_SOMETIMES = {
    "pad": lambda x, pad, mode="constant", value=None: (
        mode == "replicate" or (mode == "reflect" and len(pad) < 6)
    ),
    "local_response_norm": lambda input, *args, **kwargs: input.dim() > 3,
}
_CPU_DTYPES = (rushlight.bfloat16, rushlight.float16)

# What holds now: entered contexts set it and put it back.
_state: dict[str, Any] = {"enabled": False, "dtype": rushlight.bfloat16, "cache": True}


def _cast(value: Any, dtype: Any) -> Any:
    """Floating tensors in value, and in sequences and dictionaries in it, as dtype; float64 stays."""
    if isinstance(value, Tensor):
        if value.is_floating_point() and value.dtype not in (dtype, rushlight.float64):
            return value.to(dtype)
        return value
    if type(value) in (list, tuple):
        return type(value)(_cast(v, dtype) for v in value)
    if type(value) is dict:
        return {k: _cast(v, dtype) for k, v in value.items()}
    return value


def _dtypes(value: Any) -> set[Any]:
    if isinstance(value, Tensor):
        return {value.dtype} if value.is_floating_point() else set()
    if type(value) in (list, tuple):
        return set().union(*(_dtypes(v) for v in value))
    return set()


class _Mode(TorchFunctionMode):
    """Offers every call to the lists."""

    def __torch_function__(
        self, func: Callable, types: tuple, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if not _state["enabled"]:
            return func(*args, **kwargs)
        if name in _LOWER:
            dtype = _state["dtype"]
        elif name in _FLOAT32:
            dtype = rushlight.float32
        elif name in _AS_INPUT:
            dtype = (args or tuple(kwargs.values()))[0].dtype
        elif name in _WIDEST:
            found = _dtypes(args)
            if len(found) < 2:
                return func(*args, **kwargs)
            dtype = functools.reduce(rushlight.promote_types, found)
        elif name in _SOMETIMES and _SOMETIMES[name](*args, **kwargs):
            dtype = rushlight.float32
        elif types or (inside := getattr(func, "__wrapped__", None)) is None:
            return func(*args, **kwargs)
        else:  # a function written in Python: the lists hold for what it calls
            with self:
                return inside(*args, **kwargs)
        return func(*_cast(args, dtype), **_cast(kwargs, dtype))


class autocast:
    """Context manager and decorator in which products compute in lower precision.

    Args:
        device_type (str): "cpu"; for other devices it warns and does nothing.
        dtype (dtype): bfloat16 or float16; another one warns and does nothing. Default: bfloat16
        enabled (bool): False switches an outer autocast off. Default: True
        cache_enabled (bool): accepted: weights are converted at each use.

    Raises:
        ValueError: device_type is not a string.
        RuntimeError: device_type is no device.
    """

    def __init__(
        self,
        device_type: str,
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(
                f"Expected `device_type` of type `str`, got: `{type(device_type)}`"
            )
        self.device = rushlight.device(device_type).type
        self.fast_dtype = _state["dtype"] if dtype is None else dtype
        self._enabled = enabled
        self._cache_enabled = _state["cache"] if cache_enabled is None else cache_enabled
        self._outer: list[tuple[dict[str, Any], Any]] = []
        if enabled and self.device != "cpu":
            warnings.warn(
                f"User provided device_type of '{self.device}', but {self.device.upper()} is not "
                "available. Disabling",
                stacklevel=2,
            )
            self._enabled = False
        elif enabled and self.fast_dtype not in _CPU_DTYPES:
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            self._enabled = False

    def __enter__(self) -> Self:
        mode = None
        before = _state.copy()
        if self.device == "cpu":
            _state.update(
                enabled=self._enabled, dtype=self.fast_dtype, cache=self._cache_enabled
            )
            if self._enabled and not before["enabled"]:
                mode = _Mode()
                mode.__enter__()
        self._outer.append((before, mode))
        return self

    def __exit__(self, *exception: object) -> None:
        before, mode = self._outer.pop()
        _state.update(before)
        if mode is not None:
            mode.__exit__(*exception)

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return decorated


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast does anything for the device: for "cpu"."""
    return rushlight.device(device_type).type == "cpu"


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether the present code runs under autocast for the device."""
    return device_type == "cpu" and _state["enabled"]


def get_autocast_dtype(device_type: str) -> Any:
    """The dtype that autocast lowers to on the device."""
    return _state["dtype"] if device_type == "cpu" else rushlight.float16


def is_autocast_cache_enabled() -> bool:
    """What cache_enabled was set to."""
    return _state["cache"]


def is_autocast_cpu_enabled() -> bool:
    """Whether the present code runs under autocast."""
    return _state["enabled"]


def get_autocast_cpu_dtype() -> Any:
    """The dtype that autocast lowers to."""
    return _state["dtype"]


def get_autocast_gpu_dtype() -> Any:
    """What it would be on another device: float16."""
    return rushlight.float16


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """The dtype that autocast lowers to, unless its own argument says otherwise."""
    if device_type == "cpu":
        _state["dtype"] = dtype


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Raises NotImplementedError for the CPU: autocast is a context; for other devices it does nothing."""
    if device_type == "cpu" and enabled != _state["enabled"]:
        raise NotImplementedError("set_autocast_enabled(): use torch.autocast() as a context or decorator")


def clear_autocast_cache() -> None:
    """Does nothing: weights are converted at each use."""


def custom_fwd(
    fwd: Callable | None = None, *, device_type: str, cast_inputs: Any = None
) -> Callable:
    """Decorator for forward of an autograd.Function.

    Args:
        fwd (Callable): the forward.
        device_type (str): "cpu".
        cast_inputs (dtype): floating inputs become this, and the body runs without autocast. Default: None
    """
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        ctx._dtype = get_autocast_dtype(device_type)
        active = is_autocast_enabled(device_type)
        ctx._fwd_used_autocast = active and cast_inputs is None
        if not active or cast_inputs is None:
            return fwd(ctx, *args, **kwargs)
        with autocast(device_type=device_type, enabled=False):
            return fwd(ctx, *_cast(args, cast_inputs), **_cast(kwargs, cast_inputs))

    return decorated


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Callable:
    """Decorator for backward of an autograd.Function: it runs under the autocast that forward ran under."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(ctx: Any, *args: Any) -> Any:
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(ctx, *args)

    return decorated
