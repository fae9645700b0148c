"""The forms of nn.functional, nn.init and nn.utils that no layer calls: in-place, with indices, deprecated; against PyTorch."""

import warnings

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")


def both(call, *, shape=(3, 5), grad=True):
    """call(library, x): results and the gradient of their weighted sum, from the same x, agree."""
    rows = []
    for ns in (rushlight, torch):
        ns.manual_seed(2)
        x = (ns.rand(*shape) * 4 - 2).requires_grad_(grad)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = call(ns, x * 1)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        if grad:
            y = results[0]
            (y * ns.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
            results.append(x.grad)
        rows.append(([r.detach().numpy() for r in results], sorted({w.category.__name__ for w in caught})))
    (ours, our_warnings), (theirs, their_warnings) = rows
    assert our_warnings == their_warnings
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["softmin", "softsign", "tanhshrink", "relu6", "logsigmoid"])
def test_activations(name):
    both(lambda ns, x: getattr(ns.nn.functional, name)(x, **({"dim": 1} if name == "softmin" else {})))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("celu_", (1.3,)), ("elu_", (0.7,)), ("selu_", ()), ("hardtanh_", (-0.5, 0.8)), ("leaky_relu_", (0.2,)),
        ("threshold_", (0.1, -3.0)), ("relu_", ()), ("rrelu_", (0.1, 0.4)),
    ],
)  # fmt: skip
def test_in_place_forms(name, args):
    def call(ns, x):
        y = getattr(ns.nn.functional, name)(x, *args)
        assert y is x
        return y

    both(call)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_pooling_with_indices(n):
    shape = (2, 3, *(6, 5, 7)[:n])
    both(lambda ns, x: getattr(ns.nn.functional, f"adaptive_max_pool{n}d_with_indices")(x, 3), shape=shape)
    both(lambda ns, x: getattr(ns.nn.functional, f"max_pool{n}d_with_indices")(x, 2), shape=shape)
    both(lambda ns, x: getattr(ns.nn.functional, f"lp_pool{n}d")(x.abs() + 0.1, 2.0, 2), shape=shape)
    if n > 1:
        both(
            lambda ns, x: getattr(ns.nn.functional, f"fractional_max_pool{n}d_with_indices")(x, 2, output_size=3),
            shape=shape,
        )


@pytest.mark.parametrize("name", ["kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform", "dirac",
                                  "orthogonal", "sparse", "uniform", "normal", "constant", "eye"])  # fmt: skip
def test_deprecated_initialisers(name):
    args = {"sparse": (0.5,), "constant": (0.3,)}.get(name, ())
    shape = (4, 3, 3) if name == "dirac" else (4, 6)
    both(lambda ns, x: getattr(ns.nn.init, name)(x, *args), shape=shape, grad=False)


def test_fused_weights_are_those_of_both_layers():
    """The fused layer computes what the two did in eval mode: a definition that needs no reference."""
    rushlight.manual_seed(0)
    nn = rushlight.nn
    for layer, norm, x, fuse in (
        (nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), rushlight.rand(2, 2, 6, 6), nn.utils.fusion.fuse_conv_bn_weights),
        (nn.Linear(4, 3), nn.BatchNorm1d(3), rushlight.rand(5, 4), nn.utils.fusion.fuse_linear_bn_weights),
    ):
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        norm.weight.data.uniform_(0.5, 2)
        norm.eval()
        expected = norm(layer(x))
        weight, bias = fuse(
            layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
        layer.weight, layer.bias = weight, bias
        np.testing.assert_allclose(layer(x).detach().numpy(), expected.detach().numpy(), rtol=2e-5, atol=1e-5)


def test_old_norms_can_be_removed():
    for ns in (rushlight, torch):
        ns.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for add, remove in (("weight_norm", "remove_weight_norm"), ("spectral_norm", "remove_spectral_norm")):
                layer = getattr(ns.nn.utils, add)(ns.nn.Linear(4, 3))
                before = layer.eval()(ns.ones(2, 4))
                getattr(ns.nn.utils, remove)(layer)
                assert sorted(layer.state_dict()) == ["bias", "weight"]
                np.testing.assert_allclose(layer(ns.ones(2, 4)).detach().numpy(), before.detach().numpy(), rtol=1e-5)
                with pytest.raises(ValueError, match="not found"):
                    getattr(ns.nn.utils, remove)(layer)


@pytest.mark.parametrize("norm_first", [False, True])
def test_transformer_decoder(norm_first):
    rows = []
    for ns in (rushlight, torch):
        ns.manual_seed(4)
        layer = ns.nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0, norm_first=norm_first, batch_first=True)
        decoder = ns.nn.TransformerDecoder(layer, 2, norm=ns.nn.LayerNorm(8))
        target, memory = ns.rand(2, 5, 8, requires_grad=True), ns.rand(2, 3, 8)
        y = decoder(target, memory, tgt_mask=ns.nn.Transformer.generate_square_subsequent_mask(5), tgt_is_causal=True)
        (y * ns.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
        grads = [p.grad.numpy() for p in decoder.parameters()]
        rows.append([repr(decoder), list(decoder.state_dict()), y.detach().numpy(), target.grad.numpy(), *grads])
    ours, theirs = rows
    assert ours[:2] == theirs[:2]
    for a, b in zip(ours[2:], theirs[2:], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
