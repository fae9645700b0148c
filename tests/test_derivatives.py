"""Derivatives that PyTorch 2.13 has wrong or not at all, against numerical ones."""

import pytest

import rushlight as rl
from rushlight.autograd import gradcheck, gradgradcheck


def leaf(*shape):
    return rl.linspace(0.3, 2.1, rl.Size(shape).numel(), dtype=rl.float64).reshape(shape).requires_grad_()


@pytest.mark.parametrize(
    "fn, shapes",
    [
        (lambda x, s: rl.as_strided_scatter(x, s, (2, 2), (1, 2)), [(3, 4), (2, 2)]),
        (lambda x, s: rl.as_strided_scatter(x, s, (3, 2), (4, 1), 1), [(12,), (3, 2)]),
        (lambda x, s: rl.as_strided_scatter(x[1:], s, (3,), (2,), 2), [(9,), (3,)]),
        (lambda x: rl.vander(x), [(3,)]),
        (lambda x: rl.vander(x, 4, True), [(3,)]),
        (lambda x: x.narrow_copy(1, -2, 2), [(3, 4)]),
    ],
)
def test_gradient(fn, shapes):
    inputs = [leaf(*s) for s in shapes]
    assert gradcheck(fn, inputs)
    assert gradgradcheck(fn, inputs)
