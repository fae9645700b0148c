"""Constructors: csrc/ops/create.c."""

@op(method=False, factory=True, out=True, complex=True)
def empty(*size: int, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Uninitialised tensor of the given size."""

@op(method=False, factory=True, out=True, complex=True)
def zeros(*size: int, dtype: dtype | None = None) -> Tensor:
    """Tensor of zeros."""

@op(method=False, factory=True, out=True, complex=True)
def ones(*size: int, dtype: dtype | None = None) -> Tensor:
    """Tensor of ones."""

@op(method=False, function=False, complex=True)
def full(size: Ints, fill_value: Number, *, dtype: dtype | None = None) -> Tensor:
    """Tensor filled with one real value."""

@op(method=False, factory=True, out=True, name="full", complex=True)
def full_value(size: Ints, fill_value: NumberLike, *, dtype: dtype | None = None) -> Tensor:
    """Tensor filled with one value; the dtype follows the value unless given."""

@op(method=False, factory=True, complex=True)
def empty_like(input: Tensor, *, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Uninitialised tensor of input's size, and of its dtype unless given."""

@op(method=False, factory=True, complex=True)
def zeros_like(input: Tensor, *, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Zeros of input's size, and of its dtype unless given."""

@op(method=False, factory=True, complex=True)
def ones_like(input: Tensor, *, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Ones of input's size, and of its dtype unless given."""

@op(method=False, function=False, complex=True)
def full_like(input: Tensor, fill_value: Number, *, dtype: dtype | None = None) -> Tensor:
    """Tensor of the size of input filled with one real value."""

@op(method=False, factory=True, name="full_like", complex=True)
def full_like_value(input: Tensor, fill_value: NumberLike, *, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Tensor of input's size filled with one value, of input's dtype unless given."""

@op(method=False, factory=True, complex=True)
def empty_strided(size: Ints, stride: Ints, *, dtype: dtype | None = None) -> Tensor:
    """Uninitialised tensor of the given size and strides (in elements)."""

@op(method=False, factory=True, out=True, name="arange")
def arange_end(end: Number, *, dtype: dtype | None = None) -> Tensor:
    """0, 1, ... below end."""

@op(method=False, factory=True, out=True)
def arange(start: Number, end: Number, step: Number = 1, *, dtype: dtype | None = None) -> Tensor:
    """start, start + step, ... below end (above, for negative steps)."""

@op(method=False, factory=True, out=True)
def range(start: Number, end: Number, step: Number = 1, *, dtype: dtype | None = None) -> Tensor:
    """start, start + step, ... up to and with end; deprecated in favour of arange."""

@op(method=False, function=False)
def linspace(start: Number, end: Number, steps: int, *, dtype: dtype | None = None) -> Tensor:
    """steps real values evenly spaced from start to end, both included."""

@op(method=False, factory=True, out=True, name="linspace", complex=True)
def linspace_value(start: NumberLike, end: NumberLike, steps: int, *, dtype: dtype | None = None) -> Tensor:
    """steps values evenly spaced from start to end, both included."""

@op(method=False, function=False)
def logspace(start: Number, end: Number, steps: int, base: float = 10.0, *, dtype: dtype | None = None) -> Tensor:
    """base to the powers of real linspace(start, end, steps)."""

@op(method=False, factory=True, out=True, name="logspace", complex=True)
def logspace_value(start: NumberLike, end: NumberLike, steps: int, base: float = 10.0, *, dtype: dtype | None = None) -> Tensor:
    """base to the powers of linspace(start, end, steps)."""

@op(method=False, factory=True, out=True, complex=True)
def eye(n: int, m: int | None = None, *, dtype: dtype | None = None) -> Tensor:
    """Identity matrix (n, m), m = n unless given."""

@op(function=True, complex=True)
def clone(input: Tensor, *, memory_format: memory_format | None = None) -> Tensor:
    """Copy that takes part in autograd."""

@op(function=False, complex=True)
def contiguous(input: Tensor, *, memory_format: memory_format = None) -> Tensor:
    """The tensor itself when row-major, else a row-major copy."""

@op(method=False, function=False)
def to_dtype(input: Tensor, dtype: dtype, copy: bool = False) -> Tensor:
    """The tensor in another dtype; itself when it has it already and copy is false."""

@op(function=False, inplace="only", complex=True)
def copy(input: Tensor, other: TensorLike, non_blocking: bool = False) -> Tensor:
    """Copies src, broadcast and converted, into the tensor."""

@op(function=False, inplace="only", complex=True)
def fill(input: Tensor, value: TensorLike) -> Tensor:
    """Fills the tensor with one value."""

@op(inplace="only", complex=True)
def zero(input: Tensor) -> Tensor:
    """Fills the tensor with zeros."""
