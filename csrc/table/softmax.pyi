"""Softmax: csrc/ops/softmax.c."""

@op()
def softmax(input: Tensor, dim: int, dtype: dtype | None = None) -> Tensor:
    """exp(x) over the sum of exp(x) along dim."""

@op()
def log_softmax(input: Tensor, dim: int, dtype: dtype | None = None) -> Tensor:
    """log(softmax(x)) along dim, stable."""

@op(out=True, complex=True, aliases=("special_logsumexp",))
def logsumexp(input: Tensor, dim: Ints, keepdim: bool = False) -> Tensor:
    """log of the sum of exp over dim, stable."""
