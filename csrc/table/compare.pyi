"""Comparison and logic: csrc/ops/compare.c."""

@op(inplace=True, out=True, complex=True)
def eq(input: Tensor, other: TensorLike) -> Tensor:
    """input == other, element by element."""

@op(inplace=True, out=True, aliases=("not_equal",), complex=True)
def ne(input: Tensor, other: TensorLike) -> Tensor:
    """input != other, element by element."""

@op(inplace=True, out=True, aliases=("less",))
def lt(input: Tensor, other: TensorLike) -> Tensor:
    """input < other, element by element."""

@op(inplace=True, out=True, aliases=("less_equal",))
def le(input: Tensor, other: TensorLike) -> Tensor:
    """input <= other, element by element."""

@op(inplace=True, out=True, aliases=("greater",))
def gt(input: Tensor, other: TensorLike) -> Tensor:
    """input > other, element by element."""

@op(inplace=True, out=True, aliases=("greater_equal",))
def ge(input: Tensor, other: TensorLike) -> Tensor:
    """input >= other, element by element."""

@op(inplace=True, out=True, complex=True)
def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Whether both are non-zero."""

@op(inplace=True, out=True, complex=True)
def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Whether either is non-zero."""

@op(inplace=True, out=True, complex=True)
def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Whether exactly one is non-zero."""

@op(inplace=True, out=True, complex=True)
def logical_not(input: Tensor) -> Tensor:
    """Whether the element is zero."""

@op(complex=True)
def isnan(input: Tensor) -> Tensor:
    """Whether the element is nan."""

@op(complex=True)
def isinf(input: Tensor) -> Tensor:
    """Whether the element is plus or minus infinity."""

@op(complex=True)
def isfinite(input: Tensor) -> Tensor:
    """Whether the element is neither infinite nor nan."""

@op(out=True)
def isposinf(input: Tensor) -> Tensor:
    """Whether the element is infinity."""

@op(out=True)
def isneginf(input: Tensor) -> Tensor:
    """Whether the element is minus infinity."""

@op(complex=True)
def isreal(input: Tensor) -> Tensor:
    """Whether the element is real: always, here."""

@op(out=True)
def signbit(input: Tensor) -> Tensor:
    """Whether the element has a minus sign, -0.0 included."""

@op(complex=True)
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether |input - other| <= atol + rtol * |other|, element by element."""

@op(complex=True)
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, see isclose."""

@op(complex=True)
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether size and all elements are the same."""
