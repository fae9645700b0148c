"""Causal masks by name: scaled_dot_product_attention need not read one to know what it hides."""

from __future__ import annotations

import enum
import warnings
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn.functional import scaled_dot_product_attention

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """With which corner of the scores the triangle of what is attended to is aligned."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2

    __str__ = enum.Enum.__str__


class CausalBias(Tensor):
    """A mask for scaled_dot_product_attention, and for nothing else.

    Args:
        variant (CausalVariant): which corner.
        seq_len_q, seq_len_kv (int): numbers of queries and keys.

    Raises:
        AssertionError: variant is something else.
        NotImplementedError: used in another function.
    """

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> CausalBias:
        return rushlight.empty(0, dtype=rushlight.bool).as_subclass(cls)

    def __init__(self, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> None:
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        self.variant = variant
        self.seq_len_q = seq_len_q
        self.seq_len_kv = seq_len_kv
        if seq_len_q > seq_len_kv and variant == CausalVariant.LOWER_RIGHT:
            warnings.warn(
                "Lower right causal bias will produce NaNs in the output when seq_len_q > "
                "seq_len_kv!",
                stacklevel=3,
            )

    def _materialize(self, device: Any = None) -> Tensor:
        """(seq_len_q, seq_len_kv), bool: True where attended to."""
        lower = self.variant == CausalVariant.LOWER_RIGHT
        ones = rushlight.ones(self.seq_len_q, self.seq_len_kv, dtype=rushlight.bool)
        return ones.tril(self.seq_len_kv - self.seq_len_q if lower else 0)

    def __repr__(self) -> str:
        return repr(self._materialize())

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is not scaled_dot_product_attention:
            raise NotImplementedError("CausalBias only supports scaled_dot_product_attention")
        return _attend(*args, **(kwargs or {}))


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: CausalBias,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    if is_causal:
        raise ValueError("CausalBias should not be used with causal=True")
    lower = attn_mask.variant == CausalVariant.LOWER_RIGHT
    lower = lower and attn_mask.seq_len_q != attn_mask.seq_len_kv
    mask = attn_mask._materialize() if lower else None
    return scaled_dot_product_attention(
        query, key, value, mask, dropout_p, not lower, scale=scale, enable_gqa=enable_gqa
    )


def causal_upper_left(*size: int) -> CausalBias:
    """Query i attends to keys 0 ... i; size: numbers of queries and keys."""
    if len(size) != 2:
        raise AssertionError("causal_upper_left only supports 2D tensors")
    return CausalBias(CausalVariant.UPPER_LEFT, *size)


def causal_lower_right(*size: int) -> CausalBias:
    """The last query attends to all keys, each one before it to one less; size: queries, keys."""
    if len(size) != 2:
        raise AssertionError("causal_lower_right only supports 2D tensors")
    return CausalBias(CausalVariant.LOWER_RIGHT, *size)
