"""The old arguments size_average and reduce of losses, as a reduction."""

from __future__ import annotations

import warnings

__all__ = ["checked", "legacy_get_string"]


def checked(reduction: str) -> str:
    """The reduction, "mean" under its name before PyTorch 1.0, too.

    Raises:
        ValueError: there is no such reduction.
    """
    if reduction == "elementwise_mean":
        return "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


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
