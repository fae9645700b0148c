"""Functions that are methods under another spelling, and small ones of the namespace."""

import pytest

import rushlight


def test_in_place_spellings():
    x = rushlight.tensor([1.5, 2.5])
    assert rushlight.fill_(x, 3) is x
    assert x.tolist() == [3, 3]
    assert rushlight.round_(rushlight.tensor([1.4, 1.6])).tolist() == [1, 2]
    assert rushlight.gcd_(rushlight.tensor([12, 7]), rushlight.tensor([18, 7])).tolist() == [6, 7]
    assert rushlight.lcm_(rushlight.tensor([4, 7]), rushlight.tensor([6, 7])).tolist() == [12, 7]
    y = rushlight.zeros(3)
    rushlight.index_put_(y, (rushlight.tensor([1]),), rushlight.tensor(5.0))
    assert y.tolist() == [0, 5, 0]
    z = rushlight.ones(2, requires_grad=True) * 2
    assert not rushlight.detach_(z).requires_grad


def test_fill_keeps_its_input():
    x, v = rushlight.zeros(2), rushlight.tensor(2.0, requires_grad=True)
    y = rushlight.fill(x, v)
    assert (x.tolist(), y.tolist()) == ([0, 0], [2, 2])
    y.sum().backward()
    assert v.grad.item() == 2


def test_where_things_are():
    x = rushlight.ones(2)
    assert rushlight.get_device(x) == -1
    assert rushlight.is_neg(x) is False


def test_empty_permuted():
    x = rushlight.empty_permuted((2, 3, 5), (0, 2, 1), dtype=rushlight.int32)
    assert (tuple(x.shape), x.stride(), x.dtype) == ((2, 3, 5), (15, 1, 3), rushlight.int32)
    with pytest.raises(RuntimeError, match="permutation"):
        rushlight.empty_permuted((2, 3), (0, 0))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "int32", "bool"])
@pytest.mark.parametrize("shape", [(100003,), (3, 5, 4099), (70, 9, 41)])
def test_reductions_convert_in_blocks(dtype, shape):
    """Dtypes that are added up in a wider one, rows longer and shorter than a block: exact, as the sums are small."""
    np = pytest.importorskip("numpy")
    x = np.random.default_rng(3).integers(-1, 2, shape)
    x = (x != 0) if dtype == "bool" else x
    t = rushlight.tensor(x).to(getattr(rushlight, dtype))
    for dim in ((), -1, 0):
        got = t.sum(dim, dtype=rushlight.float64)
        np.testing.assert_array_equal(
            got.numpy(), x.sum(None if dim == () else dim, dtype=np.float64)
        )
    assert t.sum(dtype=rushlight.int64 if dtype == "bool" else rushlight.float32).item() == x.sum()


@pytest.mark.parametrize("n", [2, 255, 256, 512, 513, 1000, 70001])
def test_linspace_and_range_in_blocks(n):
    """From both ends in float32, whose multiples of the step are exact in float64; range in float64."""
    np = pytest.importorskip("numpy")
    step, k = np.float64(np.float32(1) / np.float32(n - 1)), np.arange(n)
    expected = np.where(k < n // 2, step * k, 1 - step * (n - 1 - k)).astype(np.float32)
    np.testing.assert_array_equal(rushlight.linspace(0, 1, n).numpy(), expected)
    np.testing.assert_array_equal(
        rushlight.range(1, n, 0.25).numpy(), np.arange(1, n + 0.1, 0.25, dtype=np.float32)
    )


@pytest.mark.parametrize("n", [1, 2, 3, 1001])
def test_complex_products_in_pairs(n):
    """Part by part in float32, rounded after each operation, an odd element left over or not; in place too."""
    np = pytest.importorskip("numpy")
    parts = np.random.default_rng(4).standard_normal((4, n)).astype(np.float32)
    a, b, c, d = parts
    x, y = (
        rushlight.complex(rushlight.tensor(re), rushlight.tensor(im)) for re, im in ((a, b), (c, d))
    )
    for z in (x * y, x.mul_(y)):
        np.testing.assert_array_equal(z.real.numpy(), a * c - b * d)
        np.testing.assert_array_equal(z.imag.numpy(), a * d + b * c)


@pytest.mark.parametrize(
    ("m", "k", "n"), [(1024, 70, 300), (1024, 200, 64), (130, 1024, 1024), (300, 520, 1000)]
)
def test_products_of_matrices_that_clash_in_the_cache(m, k, n):
    """Any order of both operands, with rows 4096 bytes apart and not: whole numbers, whose product is exact."""
    np = pytest.importorskip("numpy")
    draw = np.random.default_rng(5).integers
    a, b = (draw(-8, 9, shape).astype(np.float32) for shape in ((m, k), (k, n)))
    left, right = rushlight.tensor(a), rushlight.tensor(b)
    lefts, rights = (left, left.t().contiguous().t()), (right, right.t().contiguous().t())
    for x in lefts:
        for y in rights:
            np.testing.assert_array_equal((x @ y).numpy(), a @ b)
