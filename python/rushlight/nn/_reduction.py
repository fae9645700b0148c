"""The old arguments size_average and reduce of losses, as a reduction."""

from __future__ import annotations

import warnings

__all__ = ["legacy_get_string"]


def legacy_get_string(
    size_average: bool | None, reduce: bool | None, emit_warning: bool = True
) -> str:
    """The reduction that size_average and reduce stand for."""
    if reduce is not None and not reduce:
        result = "none"
    else:
        result = "mean" if size_average is None or size_average else "sum"
    if emit_warning:
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{result}' instead.",
            stacklevel=2,
        )
    return result
