"""Products: csrc/ops/matmul.c."""

@op(out=True, complex=True)
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Matrix product, batched and broadcast over leading dims; vectors as PyTorch."""

@op(out=True, complex=True)
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """(n, k) times (k, m)."""

@op(out=True, complex=True)
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """(b, n, k) times (b, k, m)."""

@op(out=True, complex=True)
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """(n, k) times (k)."""

@op(out=True, complex=True)
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Sum of the products of two vectors."""

@op(out=True, complex=True)
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sums of products over the last dims."""

@op(out=True, complex=True)
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """(n) and (m) to (n, m) products."""

@op(out=True, complex=True)
def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """(n) and (m) to (n, m) products."""

@op(out=True, inplace=True, complex=True)
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * mat1 @ mat2; input broadcasts."""

@op(out=True, inplace=True, complex=True)
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * mat @ vec."""

@op(out=True, inplace=True, complex=True)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2)."""

@op(out=True, inplace=True, complex=True)
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * bmm(batch1, batch2)."""

@op(out=True, inplace=True, complex=True)
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * sum over the batch of batch1 @ batch2."""
