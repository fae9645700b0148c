"""Borders: csrc/ops/pad.c."""

@op(method=False, complex=True)
def constant_pad_nd(input: Tensor, pad: Ints, value: Number = 0) -> Tensor:
    """The tensor with a border of one value: pad is (before, after) of the last dim, then of the one before it, ..."""

@op(nn=True, complex=True)
def border_pad(input: Tensor, pad: Ints, mirrored: bool) -> Tensor:
    """The tensor with a border of its elements, mirrored at the edge or the edge repeated; widths as constant_pad_nd's."""
