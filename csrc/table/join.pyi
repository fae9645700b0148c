"""Joining: csrc/ops/join.c."""

@op(method=False, out=True, complex=True)
def cat(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim."""

@op(method=False, out=True, complex=True)
def concat(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim."""

@op(method=False, out=True, complex=True)
def concatenate(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim."""

@op(method=False, out=True, complex=True)
def stack(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors of equal size joined along a new dim."""

@op(method=False, out=True, complex=True)
def hstack(tensors: Tensors) -> Tensor:
    """Tensors joined side by side (dim 1, or 0 for vectors)."""

@op(method=False, out=True, complex=True)
def vstack(tensors: Tensors) -> Tensor:
    """Tensors joined row-wise (dim 0, vectors as rows)."""
