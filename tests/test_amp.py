"""torch.amp against PyTorch: which operators autocast lowers, whose gradients arrive, how the loss scale moves."""

import math
import warnings

import functional_calls
import numpy as np
import pytest

import rushlight


def calls(ns, dtype):
    """Calls of every kind in the lists, by name."""
    F = ns.nn.functional

    def w(*shape):
        return ns.rand(*shape).to(dtype) + 0.1

    x, v, b, image, volume, steps = w(4, 4), w(4), w(2, 4, 4), w(1, 2, 5, 5), w(1, 2, 4, 4, 4), w(1, 2, 9)
    classes, definite = ns.tensor([0, 1, 2, 3]), x @ x.T + ns.eye(4).to(dtype)
    unit = x.clamp(0, 1)
    found = {
        "matmul": lambda: x @ x, "mm": lambda: x.mm(x), "bmm": lambda: b.bmm(b), "mv": lambda: x.mv(v),
        "dot": lambda: v.dot(v), "addmm": lambda: ns.addmm(x, x, x), "addmv": lambda: ns.addmv(v, x, v),
        "baddbmm": lambda: ns.baddbmm(b, b, b), "addbmm": lambda: ns.addbmm(x, b, b),
        "einsum": lambda: ns.einsum("ij,jk->ik", x, x), "tensordot": lambda: ns.tensordot(x, x, 1),
        "multi_dot": lambda: ns.linalg.multi_dot([x, x, x]), "linear": lambda: F.linear(x, x, v),
        "bilinear": lambda: F.bilinear(x, x, w(3, 4, 4)), "conv1d": lambda: F.conv1d(steps, w(3, 2, 3)),
        "conv2d": lambda: F.conv2d(image, w(3, 2, 3, 3)), "conv3d": lambda: F.conv3d(volume, w(3, 2, 2, 2, 2)),
        "conv_transpose2d": lambda: F.conv_transpose2d(image, w(2, 3, 3, 3)),
        "attention": lambda: F.scaled_dot_product_attention(b, b, b), "layer_norm": lambda: F.layer_norm(x, (4,)),
        "batch_norm": lambda: F.batch_norm(image, ns.zeros(2), ns.ones(2), training=True),
        "cat": lambda: ns.cat([x, x.float()]), "stack": lambda: ns.stack([x, x.float()]),
        "mixed": lambda: x + x.bfloat16(), "softmax": lambda: x.softmax(0), "sum": lambda: x.sum(),
        "prod": lambda: x.prod(), "trace": lambda: x.trace(), "norm": lambda: ns.linalg.norm(x),
        "cross_entropy": lambda: F.cross_entropy(x, classes), "nll_loss": lambda: F.nll_loss(x, classes),
        "mse_loss": lambda: F.mse_loss(x, x), "l1_loss": lambda: F.l1_loss(x, x),
        "smooth_l1": lambda: F.smooth_l1_loss(x, x), "huber": lambda: F.huber_loss(x, x),
        "bce": lambda: F.binary_cross_entropy(unit, unit), "kl_div": lambda: F.kl_div(x, x, reduction="sum"),
        "bce logits": lambda: F.binary_cross_entropy_with_logits(x, x), "avg_pool2d": lambda: F.avg_pool2d(image, 2),
        "avg_pool3d": lambda: F.avg_pool3d(volume, 2), "max_pool2d": lambda: F.max_pool2d(image, 2),
        "cdist": lambda: ns.cdist(x, x), "quantile": lambda: ns.quantile(x, 0.5),
        "inv": lambda: ns.linalg.inv(definite), "cholesky": lambda: ns.linalg.cholesky(definite),
        "module": lambda: ns.nn.Sequential(ns.nn.Linear(4, 3), ns.nn.ReLU()).to(dtype)(x),
        "float64": lambda: x.double() @ x.double(),
    }  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("dtype", "lower"), [("float32", "bfloat16"), ("float32", "float16"), ("bfloat16", "bfloat16")]
)
def test_dtypes_and_values(dtype, lower):
    torch = pytest.importorskip("torch")
    results = []
    for ns in (rushlight, torch):
        ns.manual_seed(0)
        row = {}
        for name, call in calls(ns, getattr(ns, dtype)).items():
            ns.manual_seed(1)
            with ns.autocast("cpu", dtype=getattr(ns, lower)):
                try:
                    y = call()
                except RuntimeError as error:  # PyTorch has no float16 form of some
                    row[name] = type(error).__name__
                else:
                    row[name] = (str(y.dtype), y.detach().double().numpy())
        results.append(row)
    for name, theirs in results[1].items():
        ours = results[0][name]
        if isinstance(theirs, str):
            continue
        assert ours[0] == theirs[0], name
        # one rounding to eight bits of products of the same rounded factors
        np.testing.assert_allclose(ours[1], theirs[1], rtol=2**-7, atol=2**-8, err_msg=name)


def test_training_step():
    torch = pytest.importorskip("torch")
    results = []
    for ns in (rushlight, torch):
        ns.manual_seed(3)
        model = ns.nn.Sequential(ns.nn.Linear(8, 16), ns.nn.LayerNorm(16), ns.nn.GELU(), ns.nn.Linear(16, 3))
        x, target = ns.rand(5, 8), ns.tensor([0, 1, 2, 0, 1])
        with ns.autocast("cpu"):
            y = model(x)
            loss = ns.nn.functional.cross_entropy(y, target)
        loss.backward()
        grads = [p.grad for p in model.parameters()]
        assert all(str(g.dtype) == "torch.float32" for g in grads)
        results.append([str(y.dtype), str(loss.dtype), loss.item(), [g.numpy() for g in grads]])
    ours, theirs = results
    assert ours[:2] == theirs[:2]
    assert math.isclose(ours[2], theirs[2], rel_tol=2e-3)
    for a, b in zip(ours[3], theirs[3], strict=True):
        np.testing.assert_allclose(a, b, rtol=0.05, atol=2e-3)  # eight bits in every product


def test_contexts_nest_and_decorate():
    x = rushlight.rand(3, 3)
    with rushlight.autocast("cpu"):
        assert rushlight.is_autocast_enabled("cpu")
        assert (x @ x).dtype == rushlight.bfloat16
        with rushlight.autocast("cpu", enabled=False):
            assert not rushlight.is_autocast_enabled("cpu")
            assert (x @ x).dtype == rushlight.float32
        with rushlight.autocast("cpu", dtype=rushlight.float16):
            assert (x @ x).dtype == rushlight.float16
            assert rushlight.get_autocast_dtype("cpu") == rushlight.float16
        assert (x @ x).dtype == rushlight.bfloat16
    assert (x @ x).dtype == rushlight.float32

    @rushlight.autocast("cpu")
    def product(a):
        return a @ a

    assert product(x).dtype == rushlight.bfloat16
    with pytest.raises(ZeroDivisionError), rushlight.autocast("cpu"):
        1 / 0  # noqa: B018
    assert not rushlight.is_autocast_enabled("cpu")


def test_bad_arguments():
    for ns in (rushlight, pytest.importorskip("torch")):
        with pytest.raises(ValueError, match="device_type"):
            ns.autocast(5)
        with pytest.raises(RuntimeError, match="device string: foo"):
            ns.autocast("foo")
        with pytest.warns(UserWarning, match="target dtype is not supported"):
            ns.autocast("cpu", dtype=ns.float32)
        with pytest.warns(UserWarning, match="not available"):
            ns.autocast("cuda")


def test_custom_functions():
    torch = pytest.importorskip("torch")
    for ns in (rushlight, torch):
        seen = []

        class Product(ns.autograd.Function):
            @staticmethod
            @ns.amp.custom_fwd(device_type="cpu")
            def forward(ctx, a, b, seen=seen):
                ctx.save_for_backward(a, b)
                seen.append(str((a @ b).dtype))
                return a @ b

            @staticmethod
            @ns.amp.custom_bwd(device_type="cpu")
            def backward(ctx, g, seen=seen):
                a, b = ctx.saved_tensors
                seen.append(str((g @ b.T).dtype))
                return g @ b.T, a.T @ g

        class Exact(Product):
            forward = staticmethod(
                ns.amp.custom_fwd(lambda ctx, a, seen=seen: seen.append(str((a @ a).dtype)) or a * 1,
                                  device_type="cpu", cast_inputs=ns.float32)
            )  # fmt: skip

        a = ns.rand(2, 2, requires_grad=True)
        with ns.autocast("cpu"):
            y = Product.apply(a, a)
            Exact.apply(a.bfloat16())
        y.sum().backward()
        assert seen == ["torch.bfloat16", "torch.float32", "torch.bfloat16"]


def test_grad_scaler():
    torch = pytest.importorskip("torch")
    rows = []
    for ns in (rushlight, torch):
        ns.manual_seed(0)
        model = ns.nn.Linear(2, 1)
        optimizer = ns.optim.SGD(model.parameters(), lr=0.1)
        scaler = ns.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
        row = [scaler.state_dict(), scaler.is_enabled()]
        for step in range(5):
            optimizer.zero_grad()
            loss = scaler.scale(model(ns.ones(3, 2)).sum())
            loss.backward()
            if step == 3:
                model.weight.grad[0, 0] = math.inf
            if step == 1:
                scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            row += [scaler.get_scale(), scaler.state_dict(), model.weight.detach().numpy().round(5).tolist()]
        for bad in (
            lambda s=scaler: s.update(),
            lambda s=scaler, o=optimizer: (s.unscale_(o), s.unscale_(o)),
            lambda s=scaler, o=optimizer: s.step(o, closure=lambda: 0),
            lambda s=scaler: s.load_state_dict({}),
            lambda ns=ns: ns.amp.GradScaler("cpu").step(None),
        ):
            try:
                bad()
                row.append("passed")
            except (RuntimeError, AssertionError) as error:
                row.append((type(error).__name__, str(error)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            row.append(ns.amp.GradScaler().is_enabled())
        row.append(len(caught))
        rows.append(row)
    assert rows[0] == rows[1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", functional_calls.CALLS)
def test_functions_of_nn(name, dtype):
    """Every function of nn.functional computes in the dtype that PyTorch's autocast chooses."""
    torch = pytest.importorskip("torch")
    found = []
    for ns in (rushlight, torch):
        x = functional_calls.argument(ns, name, getattr(ns, dtype))
        ns.manual_seed(0)
        try:
            with ns.autocast("cpu"):
                result = functional_calls.call(ns, name, x)
        except NotImplementedError:  # no kernel for bfloat16
            found.append(None)
            continue
        results = result if isinstance(result, tuple) else (result,)
        found.append([r if r is None else (str(r.dtype).split(".")[1], r.double().numpy()) for r in results])
    if found[1] is None:
        assert found[0] is None
        return
    for ours, theirs in zip(*found, strict=True):
        assert (ours and ours[0]) == (theirs and theirs[0])
        if ours and "dropout" not in name:
            np.testing.assert_allclose(ours[1], theirs[1], rtol=0.03, atol=0.03)
