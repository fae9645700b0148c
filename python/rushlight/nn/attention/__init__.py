"""Which ways of computing scaled_dot_product_attention are allowed.

One kernel serves all here: the choice changes no result, but what PyTorch refuses on the CPU is refused.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager

from rushlight import _C

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "sdpa_kernel"]

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.IntEnum):
    """The ways that PyTorch knows; on the CPU, MATH and FLASH_ATTENTION."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    __str__ = enum.Enum.__str__


@contextmanager
def sdpa_kernel(
    backends: list[SDPBackend] | SDPBackend, set_priority: bool = False
) -> Iterator[dict[str, object]]:
    """Inside, scaled_dot_product_attention may only use these backends; also a decorator.

    Args:
        backends (SDPBackend or list of them): where neither MATH nor, for operands that suit it,
            FLASH_ATTENTION is among them, scaled_dot_product_attention raises RuntimeError.
        set_priority (bool): accepted. Default: False

    Raises:
        AssertionError: backends is something else.
    """
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, "
            f"got {type(backends).__name__}"
        )
    allowed = backends if isinstance(backends, list) else [backends]
    before = _C._set_attention_backends(sum(1 << b for b in set(allowed) if b >= 0))
    try:
        yield {}
    finally:
        _C._set_attention_backends(before)
