"""autograd.Function, gradcheck and gradgradcheck, autograd.functional."""

import warnings

import pytest
from test_autograd import both, leaf
from test_autograd_errors import failure

import rushlight as rl


def functions(ns):
    """The Functions under test, over library ns."""

    class Cube(ns.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    class Exp(ns.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    class Affine(ns.autograd.Function):
        @staticmethod
        def forward(x, w, scale=2.0, shift=None):
            return x * w * scale, x + w

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, w, scale, _shift = inputs
            ctx.save_for_backward(x, w, None)
            ctx.scale = scale

        @staticmethod
        def backward(ctx, g, h):
            x, w, none = ctx.saved_tensors
            assert none is None
            return g * w * ctx.scale + h, g * x * ctx.scale + h, None, None

    return Cube, Exp, Affine


def test_values_and_higher_derivatives():
    def run(ns):
        cube, exp, _ = functions(ns)
        x = leaf(ns, 2.0, 3.0)
        y = (cube.apply(x) * exp.apply(x)).sum()
        (g,) = ns.autograd.grad(y, x, create_graph=True)
        (h,) = ns.autograd.grad(g.sum(), x)
        return [[round(v, 6) for v in t.tolist()] for t in (g, h)]

    both(run)


def test_setup_context_defaults_and_keywords():
    def run(ns):
        _, _, affine = functions(ns)
        x, w = leaf(ns, 2.0), leaf(ns, 3.0)
        results = []
        for y, z in (affine.apply(x, w), affine.apply(x, w, 5.0), affine.apply(x, w=w, scale=7.0)):
            results.append([g.item() for g in ns.autograd.grad(y + z * 10, (x, w))])
        return results

    both(run)


def test_context():
    def run(ns):
        seen = {}

        class F(ns.autograd.Function):
            @staticmethod
            def forward(ctx, x, n, w):
                seen["needs"] = ctx.needs_input_grad
                seen["mode"] = ns.is_grad_enabled()
                ctx.n = n
                return x * n

            @staticmethod
            def backward(ctx, g):
                seen["back"] = (
                    ctx.needs_input_grad,
                    ctx.n,
                    type(ctx).__name__,
                    ns.is_grad_enabled(),
                )
                return g * ctx.n, None, None

        x = leaf(ns, 2.0)
        y = F.apply(x, 3, ns.ones(1))
        y.sum().backward()
        node = y.grad_fn
        return [
            seen, x.grad.tolist(), type(node).__name__, node.name(), len(node.next_functions), node.next_functions[1][0],
            y.requires_grad, y.is_leaf, node.saved_tensors if False else None,
        ]  # fmt: skip

    both(run)


def test_outputs_that_are_no_tensors():
    def run(ns):
        class F(ns.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return None, "a", x * 2, [x]

            @staticmethod
            def backward(ctx, *g):
                return g[2] + (0 if g[0] is None and g[1] is None and g[3] is None else 100)

        x = leaf(ns, 2.0)
        a, b, c, d = F.apply(x)
        c.backward()
        return [a, b, len(d), x.grad.item()]

    both(run)


def test_materialize_grads():
    def run(ns):
        seen = []

        def make(materialize):
            class F(ns.autograd.Function):
                @staticmethod
                def forward(ctx, x):
                    ctx.set_materialize_grads(materialize)
                    return x * 2, x * 3

                @staticmethod
                def backward(ctx, g, h):
                    seen.append(None if h is None else h.tolist())
                    return g

            return F

        for materialize in (True, False):
            x = leaf(ns, 2.0)
            make(materialize).apply(x)[0].backward()
        return seen

    assert both(run) == [[0.0], None]


def test_non_differentiable_and_integer_outputs():
    def run(ns):
        class Sort(ns.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y, i = x.sort()
                ctx.mark_non_differentiable(i)
                ctx.save_for_backward(i)
                return y, i

            @staticmethod
            def backward(ctx, g, _):
                (i,) = ctx.saved_tensors
                return ns.zeros(3, dtype=g.dtype).scatter_(0, i, g)

        x = leaf(ns, 3.0, 1.0, 2.0)
        y, i = Sort.apply(x)
        (y * ns.tensor([1.0, 2.0, 3.0], dtype=ns.float64)).sum().backward()
        return [y.requires_grad, i.requires_grad, x.grad.tolist()]

    both(run)


def test_input_returned_as_it_is():
    def run(ns):
        class F(ns.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x

            @staticmethod
            def backward(ctx, g):
                return g * 5

        x = leaf(ns, 2.0)
        y = F.apply(x)
        y.backward()
        with ns.no_grad():
            z = F.apply(x)
        return [
            y is x,
            y._is_view(),
            x.grad.item(),
            type(y.grad_fn).__name__,
            z.requires_grad,
            failure_text(lambda: y.add_(1)),
        ]

    both(run)


def failure_text(call):
    return failure(None, lambda _: call())


def test_mark_dirty():
    def run(ns):
        class F(ns.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                x.mul_(3)
                ctx.mark_dirty(x)
                return x

            @staticmethod
            def backward(ctx, g):
                return g * 3

        x = leaf(ns, 2.0, 4.0)
        y = x * 1
        z = F.apply(y)
        first = [z is y, type(y.grad_fn).__name__]
        v = y[0:1]
        u = F.apply(v)
        (y * y).sum().backward()
        return [
            first,
            u is v,
            type(y.grad_fn).__name__,
            y.tolist(),
            x.grad.tolist(),
            failure_text(lambda: F.apply(x)),
        ]

    both(run)


def test_view_made_inside():
    def run(ns):
        class F(ns.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x[0:1]

            @staticmethod
            def backward(ctx, g):
                return ns.cat([g, g * 0])

        x = leaf(ns, 2.0, 4.0)
        y = F.apply(x * 1)
        y.backward()
        return [x.grad.tolist(), failure_text(lambda: y.add_(1))]

    both(run)


def backward_that_returns(ns, value, *more):
    class F(ns.autograd.Function):
        @staticmethod
        def forward(ctx, x, *rest):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return value(ns, g)

    F.apply(leaf(ns, 1.0, 2.0), *more).sum().backward()


def no_backward(ns):
    class F(ns.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    F.apply(leaf(ns, 1.0)).backward()


def no_forward(ns):
    class F(ns.autograd.Function):
        pass

    F.apply(leaf(ns, 1.0))


def saves_a_number(ns):
    class F(ns.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3)
            return x * 2

    F.apply(leaf(ns, 1.0))


def twice(ns):
    class F(ns.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @ns.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x

    x = leaf(ns, 1.0, 2.0)
    g = leaf(ns, 1.0, 1.0)
    (d,) = ns.autograd.grad(F.apply(x), x, g, create_graph=True)
    d.sum().backward()


def modified_saved(ns):
    cube, _, _ = functions(ns)
    x = leaf(ns, 1.0, 2.0)
    y = x * 1
    z = cube.apply(y)
    y.add_(1)
    z.sum().backward()


def raises(ns):
    def value(ns, g):
        raise KeyError("mine")

    backward_that_returns(ns, value)


ERRORS = [
    (lambda ns: backward_that_returns(ns, lambda ns, g: ns.ones(3, 3)), ("Function FBackward returned an invalid gradient "
     "at index 0 - got [3, 3] but expected shape compatible with [2]")),
    (lambda ns: backward_that_returns(ns, lambda ns, g: (g, g)),
     "function FBackward returned an incorrect number of gradients (expected 1, got 2)"),
    (lambda ns: backward_that_returns(ns, lambda ns, g: ()),
     "function FBackward returned an incorrect number of gradients (expected 1, got 0)"),
    (lambda ns: backward_that_returns(ns, lambda ns, g: 3), "expected Variable or None (got int)"),
    (lambda ns: backward_that_returns(ns, lambda ns, g: (g, g), 3), ("function FBackward returned a gradient different "
     "than None at position 2, but the corresponding forward input was not a Variable")),
    (no_backward, ("You must implement either the backward or vjp method for your custom autograd.Function to use it with "
     "backward mode AD.")),
    (no_forward, "You must implement the forward function for custom autograd.Function."),
    (saves_a_number, "save_for_backward can only save variables, but argument 0 is of type int"),
    (twice, "trying to differentiate twice a function that was marked with @once_differentiable"),
    (modified_saved, None),
    (raises, "'mine'"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_error(case):
    call, message = ERRORS[case]
    ours = failure(rl, call)
    assert ours is not None
    assert message is None or ours[1] == message


@pytest.mark.differential
@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_error_is_pytorchs(case):
    torch = pytest.importorskip("torch")
    call = ERRORS[case][0]
    assert failure(rl, call) == failure(torch, call)


def test_trailing_none_is_allowed():
    backward_that_returns(rl, lambda ns, g: (g, None, None))


def test_saved_input_is_the_same_object():
    seen = []

    class F(rl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.saved_tensors[0] is x)
            return g

    x = leaf(rl, 1.0)
    F.apply(x).backward()
    assert seen == [True]


# ---- checks --------------------------------------------------------------------------------------------------------


def test_gradcheck_accepts_right_derivatives():
    cube, exp, affine = functions(rl)
    x = leaf(rl, 1.0, -2.0, 0.5)
    w = leaf(rl, 0.3, 0.2, -1.0)
    assert rl.autograd.gradcheck(cube.apply, (x,))
    assert rl.autograd.gradgradcheck(cube.apply, (x,))
    assert rl.autograd.gradcheck(exp.apply, x)
    assert rl.autograd.gradgradcheck(exp.apply, x)
    assert rl.autograd.gradcheck(affine.apply, (x, w))
    assert rl.autograd.gradgradcheck(affine.apply, (x, w))
    assert rl.autograd.gradcheck(lambda a, b: (a * b, a.sin()), (x, w))
    assert x.tolist() == [1.0, -2.0, 0.5], "the inputs are as they were"


def wrong(ns):
    class Bad(ns.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x

    return Bad.apply


def test_gradcheck_finds_wrong_derivatives():
    def run(ns):
        x = leaf(ns, 1.0, 2.0)
        return [
            failure(ns, lambda ns: ns.autograd.gradcheck(wrong(ns), (x,))),
            ns.autograd.gradcheck(wrong(ns), (x,), raise_exception=False),
            failure(ns, lambda ns: ns.autograd.gradcheck(ns.sin, (x.detach(),))),
        ]

    assert both(run)[0][0] == "GradcheckError"


def test_gradcheck_finds_noise():
    noise = iter(range(100))

    class Noisy(rl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * (2 + 1e-9 * next(noise))

    with pytest.raises(RuntimeError, match="Backward is not reentrant"):
        rl.autograd.gradcheck(Noisy.apply, (leaf(rl, 1.0),), check_undefined_grad=False)
    assert rl.autograd.gradcheck(
        Noisy.apply, (leaf(rl, 1.0),), nondet_tol=1e-5, check_undefined_grad=False
    )


def test_functional():
    def run(ns):
        f = ns.autograd.functional
        x, y = leaf(ns, 1.0, 2.0), leaf(ns, 3.0, -1.0)
        results = [
            f.jacobian(lambda a, b: (a * b, a + b), (x, y)),
            f.jacobian(lambda a: a.exp().sum(), x),
            f.hessian(lambda a: (a**3).sum(), x),
            f.hessian(lambda a, b: (a * a * b).sum(), (x, y)),
            f.vjp(lambda a: a * a, x, y.detach()),
            f.jvp(lambda a: a**3, x, y.detach()),
            f.hvp(lambda a: (a**3).sum(), x, y.detach()),
            f.vhp(lambda a, b: (a * b * b).sum(), (x, y), (y.detach(), x.detach())),
        ]
        errors = [
            failure(ns, lambda ns: f.jacobian(lambda a: 3, (x,))),
            failure(ns, lambda ns: f.vjp(lambda a: a * a, x)),
            failure(ns, lambda ns: f.vjp(lambda a: a * a, x, ns.ones(3))),
            failure(ns, lambda ns: f.hessian(lambda a: a**3, x)),
            failure(ns, lambda ns: f.jacobian(lambda a: a.detach(), (x,), strict=True)),
        ]
        return [plain(results), errors]

    both(run)


def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return [round(v, 5) for v in value.reshape(-1).tolist()]


def test_multi_grad_hook():
    def run(ns):
        from importlib import import_module

        register = import_module(f"{ns.__name__}.autograd.graph").register_multi_grad_hook
        seen = []
        x, y = leaf(ns, 2.0), leaf(ns, 3.0)
        handle = register((x, y), lambda grads: seen.append([g.item() for g in grads]))
        (x * y).backward()
        handle.remove()
        (x * y).backward()
        return seen

    assert both(run) == [[3.0, 2.0]]


def test_function_objects_are_refused():
    class F(rl.autograd.Function):
        pass

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError):
            F()
