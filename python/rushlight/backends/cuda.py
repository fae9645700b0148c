"""torch.backends.cuda: not available; its switches of attention are those of nn.attention."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rushlight import _C


class matmul:
    """Switches of CUDA's matrix products; they change nothing."""

    allow_tf32 = False


def is_built() -> bool:
    """False."""
    return False


def _switch(backend: int, name: str) -> tuple[Callable[[], bool], Callable[[bool], None]]:
    """The functions that ask for and set whether attention may use a backend (nn.attention)."""

    def enabled() -> bool:
        return bool(_C._attention_backends() >> backend & 1)

    def enable(enabled: bool) -> None:
        bit, others = 1 << backend, _C._attention_backends() & ~(1 << backend)
        _C._set_attention_backends(others | bit if enabled else others)

    enabled.__doc__ = f"Whether scaled_dot_product_attention may use {name}."
    enable.__doc__ = f"Sets whether scaled_dot_product_attention may use {name}."
    return enabled, enable


math_sdp_enabled, enable_math_sdp = _switch(0, "the plain formula")
flash_sdp_enabled, enable_flash_sdp = _switch(1, "the fused kernel")
mem_efficient_sdp_enabled, enable_mem_efficient_sdp = _switch(2, "a kernel that only GPUs have")
cudnn_sdp_enabled, enable_cudnn_sdp = _switch(3, "a kernel that only GPUs have")


@contextmanager
def sdp_kernel(
    enable_flash: bool = True,
    enable_math: bool = True,
    enable_mem_efficient: bool = True,
    enable_cudnn: bool = True,
) -> Iterator[dict[str, object]]:
    """nn.attention.sdpa_kernel with switches; deprecated."""
    from rushlight.nn.attention import SDPBackend, sdpa_kernel

    warnings.warn(
        "`torch.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will "
        "be removed. Please see `torch.nn.attention.sdpa_kernel()` for the new context manager, with "
        "updated signature.",
        FutureWarning,
        stacklevel=3,
    )
    switches = (enable_math, enable_flash, enable_mem_efficient, enable_cudnn)
    with sdpa_kernel([SDPBackend(i) for i, on in enumerate(switches) if on]) as context:
        yield context
