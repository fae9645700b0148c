"""Subscripts: reading and assigning with any key, against NumPy's rules and PyTorch; gradients; errors; copies or views."""

import random

import pytest

import rushlight

SHAPE = (4, 3, 5)


def numbers(ns, *shape, dtype=None):
    n = 1
    for s in shape:
        n *= s
    return ns.arange(n, dtype=dtype or ns.float32).reshape(shape)


def draw_key(rng, shape):
    """A random key for a tensor of this shape: a list of (kind, value), so that each library builds its own tensors."""
    key, dim = [], 0
    index_shape = rng.choice([(2,), (3,), (2, 2), (1,), (0,)])
    while dim < len(shape):
        kind = rng.choice(
            [
                "int",
                "slice",
                "slice",
                "none",
                "ellipsis",
                "tensor",
                "list",
                "mask",
                "zero",
                "bool",
                "stop",
            ]
        )
        size = shape[dim]
        if kind == "stop":
            break
        if kind == "ellipsis" and any(k == "ellipsis" for k, _ in key):
            continue
        if kind == "int" or kind == "zero":
            key.append((kind, rng.randrange(-size, size)))
        elif kind == "slice":
            ends = [rng.choice([None, rng.randint(-size - 1, size + 1)]) for _ in range(2)]
            key.append((kind, slice(*ends, rng.choice([None, 1, 2, 3]))))
        elif kind == "tensor" or kind == "list":
            flat = index_shape if rng.random() < 0.8 else index_shape[-1:]
            values = draw_values(rng, flat, size)
            key.append((kind if values else "tensor", (values, rng.choice(["int64", "int32"]))))
        elif kind == "mask":
            key.append((kind, [rng.random() < 0.5 for _ in range(size)]))
        elif kind == "bool":
            key.append((kind, rng.random() < 0.8))
        else:
            key.append((kind, None))
        dim += kind not in ("none", "ellipsis", "bool")
    return key


def draw_values(rng, shape, size):
    if len(shape) == 1:
        return [rng.randrange(-size, size) for _ in range(shape[0])]
    return [draw_values(rng, shape[1:], size) for _ in range(shape[0])]


def build_key(ns, key):
    items = []
    for kind, value in key:
        if kind == "none":
            items.append(None)
        elif kind == "ellipsis":
            items.append(...)
        elif kind == "tensor":
            items.append(ns.tensor(value[0], dtype=getattr(ns, value[1])))
        elif kind == "list":
            items.append(value[0])
        elif kind == "mask" or kind == "zero":
            items.append(ns.tensor(value))
        else:
            items.append(value)
    return items[0] if len(items) == 1 else tuple(items)


def outcome(f):
    try:
        return f()
    except Exception as e:  # noqa: BLE001 - the exception is the outcome
        return type(e).__name__, str(e).split("\n")[0]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore")
def test_read_like_torch(seed):
    """Values, shapes, gradients and node names of random keys."""
    torch = pytest.importorskip("torch")

    def read(ns, key):
        x = numbers(ns, *SHAPE).requires_grad_()
        y = x[build_key(ns, key)]
        weights = numbers(ns, *y.shape) + 1
        (g,) = ns.autograd.grad(y, x, weights, create_graph=True, allow_unused=True)
        without = x.detach()[build_key(ns, key)]
        return (
            y.tolist(),
            list(y.shape),
            type(y.grad_fn).__name__,
            g.tolist(),
            without.tolist(),
            list(without.shape),
        )

    rng = random.Random(seed)
    for _ in range(120):
        key = draw_key(rng, SHAPE)
        assert outcome(lambda k=key: read(rushlight, k)) == outcome(lambda k=key: read(torch, k)), (
            key
        )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore")
def test_assign_like_torch(seed):
    """The tensor after x[key] = value, and the gradients of its old content and of the value."""
    torch = pytest.importorskip("torch")

    def assign(ns, key, shape, kind):
        x = numbers(ns, *SHAPE).requires_grad_()
        y = x * 2
        if kind == "number":
            y[build_key(ns, key)] = -1.5
            grads = ns.autograd.grad(y, [x], numbers(ns, *SHAPE) + 1)
        else:
            value = (-numbers(ns, *shape) - 1).requires_grad_()
            y[build_key(ns, key)] = value
            grads = ns.autograd.grad(y, [x, value], numbers(ns, *SHAPE) + 1, allow_unused=True)
        return (
            y.tolist(),
            [None if g is None else g.tolist() for g in grads],
            type(y.grad_fn).__name__,
        )

    rng = random.Random(100 + seed)
    for _ in range(120):
        key = draw_key(rng, SHAPE)
        shape = outcome(lambda k=key: list(numbers(torch, *SHAPE)[build_key(torch, k)].shape))
        if isinstance(shape, tuple):
            continue
        if has_duplicates(torch, key):
            continue  # which of several values stays is nobody's promise
        change = rng.random()
        if change < 0.3:
            shape = [1 if rng.random() < 0.4 else s for s in shape]
        elif change < 0.5:
            shape = shape[1:]
        elif change < 0.6:
            shape = [*shape, 2]
        elif change < 0.7:
            shape = [1, *shape]
        kind = rng.choice(["tensor", "tensor", "number"])
        ours, theirs = (
            outcome(lambda n=ns, k=key, s=shape, t=kind: assign(n, k, s, t))
            for ns in (rushlight, torch)
        )
        assert ours == theirs, (key, shape)


def has_duplicates(torch, key):
    picked = torch.arange(60).reshape(SHAPE)[build_key(torch, key)].flatten().tolist()
    return len(set(picked)) < len(picked)


@pytest.mark.filterwarnings("ignore")
def test_keys_of_every_kind():
    """Against plain Python, where no PyTorch is needed."""
    x = numbers(rushlight, 2, 3)
    assert x[1].tolist() == [3, 4, 5] and x[-2, -1].item() == 2
    assert x[:, 1].tolist() == [1, 4] and x[..., ::2].tolist() == [[0, 2], [3, 5]]
    assert x[None].shape == (1, 2, 3) and x[:, None, 1:].shape == (2, 1, 2)
    assert x[[1, 0]].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert x[[0, 1], [2, 0]].tolist() == [2, 3]
    assert x[x > 2].tolist() == [3, 4, 5]
    assert x[rushlight.tensor([True, False])].tolist() == [[0, 1, 2]]
    assert x[rushlight.tensor(1)].tolist() == [3, 4, 5]
    assert x[True].shape == (1, 2, 3) and x[False].shape == (0, 2, 3)
    assert x[()].tolist() == x.tolist() == x[...].tolist()
    np = pytest.importorskip("numpy")
    assert x[np.array([1])].tolist() == [[3, 4, 5]] and x[np.int64(1)].tolist() == [3, 4, 5]
    assert x[np.array([False, True])].tolist() == [[3, 4, 5]]


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (2, IndexError, "index 2 is out of bounds for dimension 0 with size 2"),
        ((0, -4), IndexError, "index -4 is out of bounds for dimension 1 with size 3"),
        ((0, 0, 0), IndexError, "too many indices for tensor of dimension 2"),
        ([2], IndexError, "index 2 is out of bounds for dimension 0 with size 2"),
        (1.0, IndexError, r"only integers, slices \(`:`\), ellipsis"),
        (slice(None, None, -1), ValueError, "step must be greater than zero"),
        (slice(None, None, 0), ValueError, "slice step cannot be zero"),
        (slice(None, "a"), TypeError, "slice indices must be integers"),
        ("a", TypeError, "new\\(\\): invalid data type 'str'"),
        (10**30, ValueError, "Overflow when unpacking long long"),
        (
            ([0, 1], [0, 1, 2]),
            IndexError,
            "indexing tensors could not be broadcast together with shapes",
        ),
        (
            [True],
            IndexError,
            r"The shape of the mask \[1\] at index 0 does not match the shape of the indexed tensor",
        ),
    ],
)
def test_bad_keys(key, error, message):
    x = numbers(rushlight, 2, 3)
    with pytest.raises(error, match=message):
        x[key]
    with pytest.raises(error, match=message):
        x[key] = 1
    assert x.tolist() == numbers(rushlight, 2, 3).tolist()


def test_nothing_is_written_when_one_index_is_bad():
    x = numbers(rushlight, 4)
    for act in (
        lambda i: x.index_put_((i,), rushlight.ones(3)),
        lambda i: x.index_add_(0, i, rushlight.ones(3)),
        lambda i: x.index_copy_(0, i, rushlight.ones(3)),
        lambda i: x.index_fill_(0, i, 7.0),
        lambda i: x.scatter_(0, i, 7.0),
        lambda i: x.scatter_add_(0, i, rushlight.ones(3)),
    ):
        with pytest.raises((IndexError, RuntimeError), match="index 9 is out of bounds"):
            act(rushlight.tensor([0, 1, 9]))
        assert x.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a", "can't assign a str to a torch.FloatTensor"),
        ([1, 2, 3], "can't assign a list to a torch.FloatTensor"),
        (None, "can't assign a NoneType to a torch.FloatTensor"),
    ],
)
def test_bad_values(value, message):
    x = rushlight.zeros(2, 3)
    with pytest.raises(TypeError, match=message):
        x[0] = value


def test_deleting_is_refused():
    x = rushlight.zeros(2)
    with pytest.raises(TypeError, match="Tensor does not support deleting items"):
        del x[0]


def test_slices_are_views_and_index_tensors_copies():
    x = numbers(rushlight, 3, 4)
    view = x[1:, ::2]
    view[0, 1] = -1
    assert x[1, 2].item() == -1 and view.data_ptr() == x[1].data_ptr()
    copy = x[[1, 2]]
    copy[0] = 5
    assert x[1, 0].item() == 4
    assert x[...] is not x and x[...].data_ptr() == x.data_ptr()


def test_assignment_converts_the_dtype_of_values_but_not_through_index_tensors():
    x = rushlight.zeros(3, dtype=rushlight.int64)
    x[0] = 2.9
    x[1:] = rushlight.tensor([1.5, -1.5])
    assert x.tolist() == [2, 1, -1]
    with pytest.raises(
        RuntimeError, match="Index put requires the source and destination dtypes match"
    ):
        x[[0]] = rushlight.tensor(1.0)
    x[[0]] = 7.9
    assert x.tolist() == [7, 1, -1]


def test_assignment_to_a_leaf_is_refused():
    w = rushlight.ones(3, requires_grad=True)
    with pytest.raises(
        RuntimeError,
        match="a view of a leaf Variable that requires grad is being used in an in-place",
    ):
        w[0] = 1
    with pytest.raises(
        RuntimeError,
        match="a leaf Variable that requires grad is being used in an in-place operation",
    ):
        w[...] = 1
    with rushlight.no_grad():
        w[0] = 5
    assert w.tolist() == [5, 1, 1]


def test_assignment_to_a_plain_tensor_takes_the_history_of_the_value():
    w = rushlight.ones(3, requires_grad=True)
    x = rushlight.zeros(2, 3)
    row = x[1]
    x[1] = w * 2
    assert type(x.grad_fn).__name__ == "CopySlices" and row.requires_grad
    x.sum().backward()
    assert w.grad.tolist() == [2, 2, 2]


def test_accumulation_adds_in_order():
    """index_put_ with accumulate and its like add from the first index to the last: the bits are those of a plain loop."""
    n = 1000
    values = rushlight.linspace(-1.0, 1.0, n) ** 3
    index = rushlight.zeros(n, dtype=rushlight.int64)
    total = rushlight.zeros(())
    for v in values:
        total = total + v
    zeros = rushlight.zeros(1)
    assert zeros.index_put((index,), values, accumulate=True).item() == total.item()
    assert zeros.index_add(0, index, values).item() == total.item()
    assert zeros.scatter_add(0, index, values).item() == total.item()


def test_overlapping_values_are_read_first():
    x = numbers(rushlight, 5)
    x[rushlight.tensor([1, 2, 3, 4])] = x[:4]
    assert x.tolist() == [0, 0, 1, 2, 3]
    m = rushlight.tensor([True, False, True])
    m.masked_fill_(m, False)
    assert m.tolist() == [False, False, False]


@pytest.mark.parametrize(
    "dtype",
    ["float32", "float64", "float16", "bfloat16", "int8", "uint8", "int16", "int32", "int64"],
)
def test_sort_every_dtype(dtype):
    rng = random.Random(3)
    for n in (0, 1, 2, 17, 400, 3000):
        values = [rng.randrange(0, 100) - (0 if dtype == "uint8" else 50) for _ in range(n)]
        x = rushlight.tensor(values, dtype=getattr(rushlight, dtype))
        for descending in (False, True):
            got, where = x.sort(descending=descending)
            order = sorted(range(n), key=lambda i: -values[i] if descending else values[i])
            assert where.tolist() == order and got.tolist() == [values[i] for i in order]


def test_topk_of_large_rows():
    x = (rushlight.arange(5000) * 7919 % 5003).reshape(5, 1000)
    for k in (1, 3, 100, 1000):
        values, where = x.topk(k)
        for row, v, w in zip(x.tolist(), values.tolist(), where.tolist(), strict=True):
            assert v == sorted(row, reverse=True)[:k] and [row[i] for i in w] == v
        smallest = x.topk(k, largest=False).values
        assert smallest[0].tolist() == sorted(x[0].tolist())[:k]
