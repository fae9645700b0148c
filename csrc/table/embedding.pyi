"""Embedding: csrc/ops/embedding.c."""

@op(method=False)
def embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor:
    """Rows of weight named by indices; row padding_idx gets no gradient."""
