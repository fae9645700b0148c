"""Complex numbers: csrc/ops/complex.c."""

@op(method=False, complex=True)
def complex(real: Tensor, imag: Tensor) -> Tensor:
    """real + i imag."""

@op(method=False, complex=True)
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """abs (cos angle + i sin angle)."""

@op(method=False, complex=True)
def view_as_real(input: Tensor) -> Tensor:
    """View of complex numbers as pairs: a last dim of size 2 more."""

@op(method=False, complex=True)
def view_as_complex(input: Tensor) -> Tensor:
    """View of pairs along the last dim, of size 2, as complex numbers."""

# The operators that take complex tensors (by their Python names); the others refuse them.
