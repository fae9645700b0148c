"""Views: they share memory and history. Chains of views against PyTorch, writes through views, and what they refuse."""

import random

import pytest
import samples

import rushlight


def numbers(ns, *shape):
    n = 1
    for s in shape:
        n *= s
    return ns.arange(n, dtype=ns.float32).reshape(shape)


def draw_step(rng, x):
    """A random operator on a tensor like x (a PyTorch or rushlight tensor), as (name, args); None where none fits."""
    n, shape = x.dim(), list(x.shape)
    dim = rng.randrange(-n, n) if n else 0
    kind = rng.choice(
        [
            "transpose",
            "permute",
            "unsqueeze",
            "squeeze",
            "select",
            "narrow",
            "expand",
            "reshape",
            "flip",
            "unfold",
            "diagonal",
            "flatten",
            "movedim",
            "step",
            "t",
            "chunk",
            "unbind",
            "roll",
            "clone",
            "tril",
        ]
    )
    if kind == "unsqueeze":
        return kind, (rng.randint(-n - 1, n),)
    if kind in ("reshape", "clone"):
        sizes = [s for s in shape if s != 1]
        rng.shuffle(sizes)
        return ("reshape", (sizes,)) if kind == "reshape" else ("clone", ())
    if n == 0:
        return None
    if kind == "transpose":
        return kind, (dim, rng.randrange(-n, n))
    if kind == "permute":
        return kind, (rng.sample(range(n), n),)
    if kind == "squeeze":
        return kind, rng.choice([(), (dim,), ((dim,),)])
    if kind == "movedim":
        return kind, (dim, rng.randrange(n))
    if kind == "flatten":
        a, b = sorted((rng.randrange(n), rng.randrange(n)))
        return kind, (a, b)
    if kind == "flip" or kind == "roll":
        return (kind, ([dim],)) if kind == "flip" else (kind, (rng.randint(-3, 3), dim))
    size = shape[dim]
    if kind == "narrow" and size:
        start = rng.randrange(size)
        return kind, (dim, start, rng.randint(0, size - start))
    if kind == "unfold" and size:
        return kind, (dim, rng.randint(1, min(3, size)), rng.randint(1, 2))
    if kind == "select" and size:
        return kind, (dim, rng.randrange(-size, size))
    if kind == "step":
        return "__getitem__", ((..., slice(rng.choice([None, 1]), None, 2)),)
    if kind in ("chunk", "unbind") and size:
        return (kind, (2, dim)) if kind == "chunk" else (kind, (dim,))
    if n == 2 and kind == "t":
        return kind, ()
    if n >= 2 and kind == "diagonal" and dim % n != (dim + 1) % n:
        return kind, (rng.randint(-1, 1), dim, (dim + 1) % n)
    if n >= 2 and kind == "tril":
        return kind, (rng.randint(-1, 1),)
    if n < 4 and kind == "expand":
        return kind, ([2, *[3 if s == 1 and rng.random() < 0.5 else -1 for s in shape]],)
    return None


def apply(x, step):
    name, args = step
    y = getattr(x, name)(*args)
    return y if not isinstance(y, (list, tuple)) else y[len(y) // 2]


@pytest.mark.parametrize("seed", range(5))
def test_chains_like_torch(seed):
    """Values, strides, offsets, node names, gradients and second gradients of chains of random views."""
    torch = pytest.importorskip("torch")
    rng = random.Random(seed)
    for _ in range(60):
        shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 3))]
        theirs = [numbers(torch, *shape).requires_grad_()]
        ours = [numbers(rushlight, *shape).requires_grad_()]
        steps = []
        for _ in range(rng.randint(1, 5)):
            step = draw_step(rng, theirs[-1])
            if step is None or theirs[-1].numel() > 2000:
                continue
            steps.append(step)
            theirs.append(apply(theirs[-1], step))
            ours.append(apply(ours[-1], step))
            a, b = ours[-1], theirs[-1]
            assert (a.shape, a.stride(), a.storage_offset()) == (
                tuple(b.shape),
                b.stride(),
                b.storage_offset(),
            ), steps
            assert a.tolist() == b.tolist(), steps
            assert type(a.grad_fn).__name__ == type(b.grad_fn).__name__, steps
        if not steps:
            continue
        results = []
        for ns, chain in ((rushlight, ours), (torch, theirs)):
            g = (numbers(ns, *chain[-1].shape) + 1).requires_grad_()
            (dx,) = ns.autograd.grad(chain[-1], chain[0], g, create_graph=True)
            if not dx.requires_grad:
                results.append((dx.tolist(), None))
                continue
            (dg,) = ns.autograd.grad(dx, g, numbers(ns, *dx.shape) - 2, allow_unused=True)
            results.append((dx.tolist(), None if dg is None else dg.tolist()))
        assert results[0] == results[1], steps


@pytest.mark.parametrize("seed", range(4))
def test_writes_through_views_like_torch(seed):
    """In-place operators on views of views: the base, other views and all gradients."""
    torch = pytest.importorskip("torch")

    def run(ns, rng):
        w = (numbers(ns, 3, 4) + 1).requires_grad_()
        base = w * 2
        views = [base]
        log = []
        for _ in range(4):
            x = rng.choice(views)
            step = draw_step(rng, x)
            while step is None or step[0] in (
                "reshape",
                "clone",
                "flip",
                "roll",
                "tril",
                "expand",
                "unfold",
                "chunk",
                "unbind",
                "flatten",
            ):
                step = draw_step(rng, x)
            x = apply(x, step)
            views.append(x)
            log.append(step)
            change = rng.choice(["mul_", "add_", "fill_", "zero_", "copy_", "setitem"])
            if x.numel() == 0:
                continue
            if change == "copy_":
                x.copy_(w.sum())
            elif change == "setitem":
                x[...] = 3.0
            else:
                getattr(x, change)(*[] if change == "zero_" else [3.0])
            log.append(change)
        (g,) = ns.autograd.grad(base, w, numbers(ns, 3, 4) + 1)
        names = [type(v.grad_fn).__name__ for v in views]
        return log, base.tolist(), [v.tolist() for v in views], g.tolist(), names

    for i in range(40):
        a, b = (run(ns, random.Random(1000 * seed + i)) for ns in (rushlight, torch))
        assert a == b, a[0]


def test_views_share_memory():
    x = rushlight.rand(2, 6)
    for y in (
        x.view(3, 4),
        x.reshape(12),
        x.t(),
        x.unsqueeze(0),
        x.expand(2, 2, 6),
        x.flatten(),
        x.unfold(1, 2, 1),
        x.as_strided((2,), (7,)),
        x.diagonal(),
        *x.split(2),
        *x.unbind(1),
        *x.chunk(3, 1),
        x.movedim(0, 1),
    ):
        assert y._base is x and y.storage_offset() * 4 == y.data_ptr() - x.data_ptr()
    copy = x.t().reshape(12)
    assert copy._base is None and copy.data_ptr() != x.data_ptr()


def test_flatten_of_one_dim_is_the_tensor_itself():
    x = rushlight.ones(3)
    assert x.flatten() is x and x.contiguous() is x


def test_several_views_of_one_node_refuse_writes():
    for split in (lambda x: x.split(2), lambda x: x.unbind()):
        views = split(numbers(rushlight, 4).requires_grad_() * 1)
        with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
            views[0].add_(1)


def test_view_of_another_dtype():
    x = rushlight.tensor([1.0, -1.0])
    assert x.view(rushlight.int32).tolist() == [0x3F800000, 0xBF800000 - 2**32]
    assert x.view(rushlight.uint8).shape == (8,) and x.view(rushlight.float64).shape == (1,)
    with pytest.raises(RuntimeError, match="must be divisible by 2 to view Float as Double"):
        rushlight.zeros(3).view(rushlight.float64)
    with pytest.raises(RuntimeError, match=r"self.stride\(-1\) must be 1 to view Float as Half"):
        rushlight.zeros(2, 3).t().view(rushlight.float16)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda x: x.view(5), RuntimeError, r"shape '\[5\]' is invalid for input of size 12"),
        (
            lambda x: x.t().view(12),
            RuntimeError,
            r"view size is not compatible .* Use .reshape\(...\) instead.",
        ),
        (
            lambda x: x.transpose(0, 2),
            IndexError,
            r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2",
        ),
        (lambda x: x.permute(0, 0), RuntimeError, r"permute\(\): duplicate dims are not allowed."),
        (
            lambda x: x.select(0, 3),
            IndexError,
            r"select\(\): index 3 out of range for tensor of size \[3, 4\] at dimension 0",
        ),
        (
            lambda x: x.narrow(0, 2, 2),
            RuntimeError,
            r"start \(2\) \+ length \(2\) exceeds dimension size \(3\).",
        ),
        (
            lambda x: x.expand(2, 2),
            RuntimeError,
            r"The expanded size of the tensor \(2\) must match the existing size \(4\)",
        ),
        (
            lambda x: x.expand(4),
            RuntimeError,
            r"expand\(torch.FloatTensor\{\[3, 4\]\}, size=\[4\]\): the number of sizes",
        ),
        (
            lambda x: x.as_strided((5, 5), (5, 5)),
            RuntimeError,
            "are out of bounds for storage of size 48",
        ),
        (lambda x: x.as_strided((2**40, 2**40), (1, 1)), RuntimeError, "."),
        (lambda x: x.as_strided((2,), (2**62,)), RuntimeError, "out of bounds for storage"),
        (
            lambda x: x.unfold(0, 5, 1),
            RuntimeError,
            "maximum size for tensor at dimension 0 is 3 but size is 5",
        ),
        (
            lambda x: x.repeat(2),
            RuntimeError,
            "Number of dimensions of repeat dims can not be smaller",
        ),
        (lambda x: x.repeat(2**40, 2**40), RuntimeError, "."),
        (
            lambda x: x.split([1, 1]),
            RuntimeError,
            "split_with_sizes expects split_sizes to sum exactly to 3",
        ),
        (lambda x: x.reshape(2**33, 2**33), RuntimeError, "is invalid for input of size 12"),
        (
            lambda x: x.unflatten(0, (2, 2)),
            RuntimeError,
            r"Provided sizes \[2, 2\] don't multiply up to the size of dim 0",
        ),
        (
            lambda x: rushlight.cat([x, x[0]]),
            RuntimeError,
            "Tensors must have same number of dimensions: got 2 and 1",
        ),
        (
            lambda x: rushlight.stack([x, x[0]]),
            RuntimeError,
            r"stack expects each tensor to be equal size, but got \[3, 4\]",
        ),
    ],
)
def test_refusals(act, error, message):
    with pytest.raises(error, match=message):
        act(numbers(rushlight, 3, 4))


def test_failed_allocations_leave_no_trace():
    """Every request for memory fails once: an error each time, no leak, no change."""
    base = numbers(rushlight, 2, 3)
    w = numbers(rushlight, 2, 3).requires_grad_()

    def work(x):
        y = rushlight.cat([x.t().reshape(6), x[:, [0, 2]].flatten(), *x.split([1, 1])[0]])
        y = rushlight.stack(y.unbind())[y > 1].sort()[0]
        return y.repeat(2).gather(0, rushlight.zeros(3, dtype=rushlight.int64))

    for x in (base, w):
        expected = work(x).tolist()
        failures = 0
        for n in range(1, 400):
            rushlight._C._alloc_fail_after(n)
            try:
                result = work(x)
            except (RuntimeError, MemoryError):
                failures += 1
            else:
                rushlight._C._alloc_fail_after(0)
                assert result.tolist() == expected
                break
            finally:
                rushlight._C._alloc_fail_after(0)
        assert failures > 10
    assert base.tolist() == [[0, 1, 2], [3, 4, 5]]


# Complex sums are views of sums of their parts; stft ends with view_as_real, in PyTorch too.
CASES = [c for c in samples.load() if not c.error and not c.name.startswith(("complex ", "stft"))]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
@pytest.mark.filterwarnings("ignore")
def test_results_can_be_written(case):
    """What an operator makes of its own takes part in in-place operations, as `y = bn(x); y += x` does."""
    args, kwargs = case.build(rushlight, requires_grad=case.grad)
    for result in samples.tensors_of(case.call(rushlight, args, kwargs)):
        if result._base is not None and result.grad_fn is not None:
            inputs = {t.untyped_storage().data_ptr() for t in samples.tensors_of([args, kwargs])}
            if result.untyped_storage().data_ptr() not in inputs:
                result.zero_()
