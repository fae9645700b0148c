"""torch.backends.cuda: not available; its switches of attention are those of nn.attention."""

from collections.abc import Callable

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
