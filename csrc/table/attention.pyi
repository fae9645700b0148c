"""Attention: csrc/ops/attention.c."""

@op(nn=True)
def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0, is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False) -> Tensor:
    """softmax(scale Q K' + mask) V: query (..., L, E), key (..., S, E), value (..., S, Ev); result (..., L, Ev)."""
