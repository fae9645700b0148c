"""Attention and Transformer layers beside PyTorch's: results, weights, gradients, state, printing, warnings, errors."""

import copy
import itertools
import warnings

import numpy as np
import pytest

import rushlight
from rushlight import nn
from rushlight.nn import functional as F

try:
    import torch
    import torch.nn.attention
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed: torch==2.13.0")


def array(x):
    return x.detach().float().numpy() if str(x.dtype).endswith("bfloat16") else x.detach().numpy()


def assert_close(got, want, tol=2e-5, what=""):
    assert (got is None) == (want is None), what
    if got is not None:
        assert tuple(got.shape) == tuple(want.shape), what
        np.testing.assert_allclose(array(got), array(want), rtol=tol, atol=tol, err_msg=str(what))


def twins(make, *shapes, dtype="float32"):
    """The layer in both libraries, of one seed, and inputs that require gradients, of one seed."""
    result = []
    for lib in (rushlight, torch):
        lib.manual_seed(7)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layer = make(lib.nn)
        inputs = [lib.rand(*s, dtype=getattr(lib, dtype)) - 0.5 for s in shapes]
        result.append((layer, [x.requires_grad_() for x in inputs]))
    return result


def mask(lib, kind, *shape):
    """"bool" or "float" masks, of one seed; at least one key stays in each row."""
    rng = np.random.default_rng(3)
    hidden = rng.random(shape) < 0.4
    hidden[..., 0] = False
    if kind == "causal":
        return lib.nn.Transformer.generate_square_subsequent_mask(shape[0])
    return lib.tensor((hidden if kind == "bool" else np.where(hidden, -np.inf, rng.random(shape))).tolist())


def compare(a, b, call, tol=2e-5, second=False):
    """call(lib, layer, inputs) of both, then all gradients of a weighted sum of every result."""
    results = []
    for lib, (layer, inputs) in ((rushlight, a), (torch, b)):
        lib.manual_seed(11)
        kinds = lib.nn.attention.SDPBackend
        allowed = [kinds.MATH] if second else [kinds.MATH, kinds.FLASH_ATTENTION]  # PyTorch's can do that
        with warnings.catch_warnings(), lib.nn.attention.sdpa_kernel(allowed):
            warnings.simplefilter("ignore")
            out = call(lib, layer, inputs)
        out = [o for o in (out if isinstance(out, tuple) else (out,)) if o is not None]
        weights = [lib.tensor(np.cos(np.arange(o.numel())).reshape(tuple(o.shape)).tolist(), dtype=o.dtype) for o in out]
        total = sum((w * o).sum() for w, o in zip(weights, out, strict=True))
        leaves = [*inputs, *layer.parameters()]
        names = [*(f"input {i}" for i in range(len(inputs))), *(n for n, _ in layer.named_parameters())]
        grads = lib.autograd.grad(total, leaves, create_graph=second, allow_unused=True)
        seconds = []
        if second:
            square = sum((g * g).sum() for g in grads if g is not None)
            seconds = lib.autograd.grad(square, leaves, allow_unused=True)
        results.append((out, grads, seconds, names))
    (out, grads, seconds, names), (want, want_grads, want_seconds, want_names) = results
    assert names == want_names and len(out) == len(want)
    for i, (x, y) in enumerate(zip(out, want, strict=True)):
        assert_close(x, y, tol, f"result {i}")
    for name, x, y in zip(names, grads, want_grads, strict=True):
        assert_close(x, y, tol, f"gradient of {name}")
    for name, x, y in zip(names, seconds, want_seconds, strict=False):
        assert_close(x, y, 10 * tol, f"second gradient of {name}")


def same_module(a, b):
    assert repr(a) == repr(b)
    state, want = a.state_dict(), b.state_dict()
    assert list(state) == list(want)
    for name in state:
        assert state[name].dtype == getattr(rushlight, str(want[name].dtype)[6:])
        np.testing.assert_array_equal(array(state[name]), array(want[name]), err_msg=name)


# ---- scaled_dot_product_attention ----

LENGTHS = [(5, 7, 8, 8), (64, 128, 16, 16), (130, 300, 8, 12), (1, 1, 4, 4), (200, 70, 5, 5)]


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}, {"dropout_p": 0.3}])
def test_sizes(lengths, options, dtype):
    """Tiles that are full, short, cut by causality, and one alone."""
    if dtype in ("bfloat16", "float16") and (lengths[0] > 64 or "dropout_p" in options):
        pytest.skip("rounding of results adds up; PyTorch draws other coins for narrow floats")
    n, m, size, out = lengths
    shapes = [(2, 3, n, size), (2, 3, m, size), (2, 3, m, out)]
    results = []
    for lib in (rushlight, torch):
        lib.manual_seed(1)
        x = [(lib.rand(*s) - 0.5).to(getattr(lib, dtype)).requires_grad_() for s in shapes]
        g = lib.rand(2, 3, n, out).to(getattr(lib, dtype))
        y = lib.nn.functional.scaled_dot_product_attention(*x, **options)
        after = lib.rand(1)
        results.append([y, *lib.autograd.grad(y, x, g), after])
    tol = {"float32": 1e-5, "float64": 1e-12}.get(dtype, 2e-2)
    for got, want in zip(*results, strict=True):
        assert_close(got, want, tol)


MASKS = [(70, 150), (1, 150), (70, 1), (3, 70, 150), (2, 1, 70, 150), (2, 3, 1, 150), (2, 1, 1, 1)]


@needs_torch
@pytest.mark.parametrize("shape", MASKS)
@pytest.mark.parametrize("kind", ["bool", "float", "learnt"])
def test_masks(kind, shape):
    """Every way of broadcasting, and the gradient of the mask itself."""
    rng = np.random.default_rng(0)
    values = rng.random(shape) > 0.4 if kind == "bool" else rng.random(shape).astype("f")
    results = []
    for lib in (rushlight, torch):
        lib.manual_seed(1)
        x = [(lib.rand(2, 3, n, 8) - 0.5).requires_grad_() for n in (70, 150, 150)]
        m = lib.tensor(values.tolist())
        if kind == "learnt":
            x.append(m.requires_grad_())
        y = lib.nn.functional.scaled_dot_product_attention(*x[:3], m)
        results.append([y, *lib.autograd.grad((y * y).sum(), x)])
    for got, want in zip(*results, strict=True):
        assert_close(got, want, 1e-5)


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"dropout_p": 0.4}, {"enable_gqa": True}])
def test_composed_gradient_is_the_fused_one(options):
    """create_graph goes another way to the same numbers."""
    rushlight.manual_seed(0)
    heads = 4 if options.get("enable_gqa") else 2
    shapes = [(2, heads, 70, 8), (2, 2, 140, 8), (2, 2, 140, 5)]
    x = [rushlight.randn(*s, dtype=rushlight.float64, requires_grad=True) for s in shapes]
    y = F.scaled_dot_product_attention(*x, **options)
    fused = rushlight.autograd.grad(y.square().sum(), x, retain_graph=True)
    composed = rushlight.autograd.grad(y.square().sum(), x, create_graph=True)
    for a, b in zip(fused, composed, strict=True):
        assert_close(a, b, 1e-11)


def test_plain_formula():
    """Against softmax and products, without PyTorch; a row without keys gives zeros."""
    rushlight.manual_seed(0)
    q, k, v = (rushlight.randn(2, n, 6, requires_grad=True) for n in (80, 200, 200))
    keep = rushlight.rand(80, 200) > 0.5
    keep[3] = False
    p = (q @ k.mT / 6**0.5).masked_fill(~keep, -np.inf).softmax(-1)
    want = p.masked_fill(~keep.any(1, keepdim=True), 0) @ v
    y = F.scaled_dot_product_attention(q, k, v, keep)
    assert y[:, 3].abs().sum() == 0
    assert_close(y, want, 1e-5)
    gradient = rushlight.autograd.grad(y.sum(), q)[0]
    assert gradient[:, 3].abs().sum() == 0 and gradient.isfinite().all()


def test_memory_is_linear():
    """Neither pass makes anything as large as the scores."""
    q = rushlight.randn(1, 1, 3000, 4, requires_grad=True)
    for options in ({"is_causal": True}, {"dropout_p": 0.1}):
        rushlight.cpu.reset_peak_memory_stats()
        before = rushlight.cpu.memory_stats()["in_use"]
        rushlight.autograd.grad(F.scaled_dot_product_attention(q, q, q, **options).sum(), q)
        assert rushlight.cpu.memory_stats()["peak"] - before < 3000 * 3000


def test_result_runs_in_memory_as_the_query():
    """Heads that were split off by transpose join again without a copy."""
    x = rushlight.randn(2, 5, 3, 3, 4)
    q, k, v = x.unbind(2)
    y = F.scaled_dot_product_attention(*(t.transpose(1, 2) for t in (q, k, v)))
    joined = y.transpose(1, 2).reshape(2, 5, 12)
    assert joined.data_ptr() == y.data_ptr()


def test_backends():
    """What PyTorch refuses on the CPU is refused; the rest changes nothing."""
    from rushlight.nn.attention import SDPBackend, sdpa_kernel

    x = rushlight.randn(1, 2, 3, 4)
    want = F.scaled_dot_product_attention(x, x, x).tolist()
    for allowed in (SDPBackend.MATH, [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]):
        with sdpa_kernel(allowed):
            assert F.scaled_dot_product_attention(x, x, x).tolist() == want
    with sdpa_kernel(SDPBackend.CUDNN_ATTENTION), pytest.raises(RuntimeError, match="No viable backend"):
        F.scaled_dot_product_attention(x, x, x)
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION), pytest.raises(RuntimeError, match="No available kernel"):
        F.scaled_dot_product_attention(x[0], x[0], x[0])
    with pytest.raises(AssertionError, match="got str"), sdpa_kernel("math"):
        pass
    assert rushlight.backends.cuda.math_sdp_enabled()
    rushlight.backends.cuda.enable_math_sdp(False)
    assert not rushlight.backends.cuda.math_sdp_enabled()
    rushlight.backends.cuda.enable_math_sdp(True)
    assert F.scaled_dot_product_attention(x, x, x).tolist() == want
    assert str(SDPBackend.MATH) == "SDPBackend.MATH" and repr(SDPBackend.MATH) == "<SDPBackend.MATH: 0>"


@pytest.mark.parametrize("sizes", [(4, 4), (3, 5), (5, 3)])
def test_causal_bias(sizes):
    """Named masks are those that they print as; PyTorch's where it is at hand."""
    from rushlight.nn.attention import bias

    q, k = rushlight.randn(1, 2, sizes[0], 4), rushlight.randn(1, 2, sizes[1], 4)
    for name in ("causal_upper_left", "causal_lower_right"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            named = getattr(bias, name)(*sizes)
            theirs = getattr(pytest.importorskip("torch.nn.attention.bias"), name)(*sizes)
        assert repr(named) == repr(theirs)
        want = F.scaled_dot_product_attention(q, k, k, named._materialize())
        assert_close(F.scaled_dot_product_attention(q, k, k, named), want, 1e-6)
        with pytest.raises(ValueError, match="causal=True"):
            F.scaled_dot_product_attention(q, k, k, named, is_causal=True)
        with pytest.raises(NotImplementedError, match="only supports scaled_dot_product"):
            named + 1


def test_old_switch_warns():
    x = rushlight.randn(1, 2, 3, 4)
    with pytest.warns(FutureWarning, match="sdp_kernel"), rushlight.backends.cuda.sdp_kernel(enable_flash=False):
        F.scaled_dot_product_attention(x, x, x)
        assert not rushlight.backends.cuda.flash_sdp_enabled()


# ---- MultiheadAttention ----

LAYERS = [
    {},
    {"bias": False},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 6, "vdim": 10},
    {"kdim": 6, "vdim": 10, "bias": False, "add_bias_kv": True},
    {"batch_first": True},
]


@needs_torch
@pytest.mark.parametrize("options", LAYERS, ids=str)
def test_multihead_module(options):
    """State, its order, initial values, printing, attributes."""
    (a, _), (b, _) = twins(lambda n: n.MultiheadAttention(8, 2, **options))
    same_module(a, b)
    same_module(copy.deepcopy(a), b)
    assert {k: v for k, v in vars(a).items() if isinstance(v, (int, float))}.items() >= {
        k: v for k, v in vars(b).items() if isinstance(v, (int, float)) and not k.startswith("_") and k != "training"
    }.items()


GRID = list(
    itertools.product(
        LAYERS,
        ["self", "pair", "triple"],
        [None, "bool", "float", "3d", "causal"],
        [None, "bool", "float"],
        [True, False],
    )
)


@needs_torch
@pytest.mark.parametrize("i", range(0, len(GRID), 5))
def test_multihead(i):
    """A fifth of the grid, another one for every layer: results, weights and all gradients."""
    options, inputs, attn, padding, weights = GRID[i]
    run_multihead(options, inputs, attn, padding, weights)


def run_multihead(options, inputs, attn, padding, weights, **keywords):
    first, batch, size = options.get("batch_first"), 3, 8
    sizes = [(4, size), (6, options.get("kdim", size)), (6, options.get("vdim", size))]
    if inputs == "self":
        if "kdim" in options:
            return
        sizes = sizes[:1]
    elif inputs == "pair" and "kdim" not in options:
        sizes = sizes[:2]
    elif inputs == "pair":
        return
    shapes = [(batch, n, s) if first else (n, batch, s) for n, s in sizes]
    keys = 4 if inputs == "self" else 6
    a, b = twins(lambda n: n.MultiheadAttention(size, 2, **options), *shapes)

    def call(lib, layer, x):
        x = [*x, *(x[-1],) * (3 - len(x))]
        shape = (batch * 2, 4, keys) if attn == "3d" else (4, keys)
        if attn == "causal":
            shape = (4, 4)
        extra = {
            "attn_mask": None if attn is None or (attn == "causal" and keys != 4) else mask(lib, "bool" if attn == "3d" else attn, *shape),
            "key_padding_mask": None if padding is None else mask(lib, padding, batch, keys),
        }
        return layer(*x, need_weights=weights, **extra, **keywords)

    compare(a, b, call, second=inputs == "triple" and not weights and attn is None)


@needs_torch
@pytest.mark.parametrize("keywords", [{"average_attn_weights": False}, {"need_weights": False}])
@pytest.mark.parametrize("train", [True, False])
def test_multihead_dropout_and_eval(train, keywords):
    """Dropped weights are PyTorch's; eval mode drops nothing, with gradients or without."""
    make = twins(lambda n: n.MultiheadAttention(8, 2, 0.4, batch_first=True).train(train), (3, 5, 8))
    compare(*make, lambda lib, layer, x: layer(x[0], x[0], x[0], **keywords))
    (a, (x,)), (b, (y,)) = make
    a.eval(), b.eval()
    for grad in (True, False):
        with rushlight.set_grad_enabled(grad), torch.set_grad_enabled(grad):
            got, want = a(x, x, x, **keywords), b(y, y, y, **keywords)
        assert_close(got[0], want[0])
        assert_close(got[1], want[1])


@needs_torch
def test_multihead_unbatched_and_causal():
    make = twins(lambda n: n.MultiheadAttention(8, 2, batch_first=True), (5, 8))
    compare(*make, lambda lib, layer, x: layer(x[0], x[0], x[0]))
    compare(*make, lambda lib, layer, x: layer(x[0], x[0], x[0], key_padding_mask=mask(lib, "bool", 5)))
    compare(*make, lambda lib, layer, x: layer(x[0], x[0], x[0], attn_mask=mask(lib, "bool", 2, 5, 5)))
    for weights in (True, False):
        causal = {"need_weights": weights, "is_causal": True}
        compare(*make, lambda lib, layer, x: layer(x[0], x[0], x[0], attn_mask=mask(lib, "causal", 5), **causal))


@needs_torch
def test_multihead_forward_static():
    """static_k and static_v take the place of the projections."""
    make = twins(lambda n: n.MultiheadAttention(8, 2), (4, 3, 8), (6, 7, 4))

    def call(lib, layer, x):
        return lib.nn.functional.multi_head_attention_forward(
            x[0], x[0], x[0], 8, 2, layer.in_proj_weight, layer.in_proj_bias, None, None, False, 0.0,
            layer.out_proj.weight, layer.out_proj.bias, static_k=x[1], static_v=x[1],
        )  # fmt: skip

    compare(*make, call)


MISTAKES = [
    lambda n, t: n.MultiheadAttention(0, 2),
    lambda n, t: n.MultiheadAttention(8, 3),
    lambda n, t: n.MultiheadAttention(8, 2)(t.ones(8), t.ones(8), t.ones(8)),
    lambda n, t: n.MultiheadAttention(8, 2)(t.ones(3, 2, 8), t.ones(3, 8), t.ones(3, 2, 8)),
    lambda n, t: n.MultiheadAttention(8, 2)(t.ones(3, 8), t.ones(3, 2, 8), t.ones(3, 8)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 6)] * 3),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 2, t.ones(4, 2, 8)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, attn_mask=t.ones(3, 4)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, attn_mask=t.ones(2, 3, 3)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, attn_mask=t.ones(3)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, attn_mask=t.ones(3, 3, dtype=t.int64)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, key_padding_mask=t.ones(3)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, key_padding_mask=t.ones(2, 4)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, key_padding_mask=t.ones(3, 3)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 8)] * 3, attn_mask=t.ones(3, 3, 3)),
    lambda n, t: n.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, is_causal=True),
    lambda n, t: n.MultiheadAttention(8, 2, kdim=6)(t.ones(3, 2, 8), t.ones(3, 2, 8), t.ones(3, 2, 8)),
    lambda n, t: n.MultiheadAttention(8, 2, kdim=6)(t.ones(3, 2, 8), t.ones(4, 2, 6), t.ones(3, 2, 8)),
    lambda n, t: n.TransformerEncoderLayer(8, 2, activation="tanh"),
    lambda n, t: n.Transformer(8, 2, 1, 1, 8)(t.ones(3, 2, 8), t.ones(3, 3, 8)),
    lambda n, t: n.Transformer(8, 2, 1, 1, 8)(t.ones(3, 2, 6), t.ones(3, 2, 8)),
]


@needs_torch
@pytest.mark.parametrize("i", range(len(MISTAKES)))
def test_errors(i):
    texts = []
    for lib in (rushlight, torch):
        with warnings.catch_warnings(), pytest.raises(Exception) as info:
            warnings.simplefilter("ignore")
            MISTAKES[i](lib.nn, lib)
        texts.append((info.type, str(info.value)))
    assert texts[0] == texts[1]


# ---- Transformer ----

VARIANTS = [
    {},
    {"norm_first": True},
    {"activation": "gelu"},
    {"activation": "tanh"},
    {"batch_first": True},
    {"batch_first": True, "norm_first": True, "bias": False},
    {"layer_norm_eps": 1e-3},
]


def options_of(lib, options):
    options = dict(options)
    if options.get("activation") == "tanh":
        options["activation"] = lib.tanh if hasattr(lib, "tanh") else None
    return options


def layer(kind, options, dropout=0.0):
    def make(n):
        lib = torch if torch is not None and n is torch.nn else rushlight
        return getattr(n, kind)(8, 2, dim_feedforward=12, dropout=dropout, **options_of(lib, options))

    return make


@needs_torch
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("options", VARIANTS, ids=str)
@pytest.mark.parametrize("masked", [False, True])
def test_encoder_layer(options, dropout, masked):
    shape = (2, 5, 8) if options.get("batch_first") else (5, 2, 8)
    make = twins(layer("TransformerEncoderLayer", options, dropout), shape)
    same_module(make[0][0], make[1][0])

    def call(lib, layer, x):
        if not masked:
            return layer(x[0])
        return layer(x[0], mask(lib, "causal", 5), mask(lib, "float", 2, 5))

    compare(*make, call)
    for module, _ in make:
        module.eval()
    compare(*make, call)
    if masked:
        return  # PyTorch's short way makes nan of two float masks
    with rushlight.no_grad(), torch.no_grad():
        assert_close(call(rushlight, *make[0]), call(torch, *make[1]))


@needs_torch
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_decoder_layer(options, dropout):
    first = options.get("batch_first")
    shapes = [(2, 5, 8), (2, 7, 8)] if first else [(5, 2, 8), (7, 2, 8)]
    make = twins(layer("TransformerDecoderLayer", options, dropout), *shapes)
    same_module(make[0][0], make[1][0])
    compare(*make, lambda lib, layer, x: layer(*x))
    compare(
        *make,
        lambda lib, layer, x: layer(
            *x, mask(lib, "causal", 5), mask(lib, "bool", 5, 7), None, mask(lib, "bool", 2, 7), tgt_is_causal=True
        ),
    )


@needs_torch
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_transformer(options):
    """Initial values, printing, the way through with and without masks, unbatched, second gradients."""
    first = options.get("batch_first")
    shapes = [(2, 6, 8), (2, 5, 8)] if first else [(6, 2, 8), (5, 2, 8)]

    def make(n):
        lib = torch if torch is not None and n is torch.nn else rushlight
        return n.Transformer(8, 2, 2, 1, 12, 0.1, **options_of(lib, options))

    both = twins(make, *shapes)
    same_module(both[0][0], both[1][0])
    compare(*both, lambda lib, layer, x: layer(*x))
    compare(
        *both,
        lambda lib, layer, x: layer(
            *x,
            src_mask=mask(lib, "causal", 6),
            tgt_mask=mask(lib, "causal", 5),
            src_key_padding_mask=mask(lib, "float", 2, 6),
            memory_key_padding_mask=mask(lib, "float", 2, 6),
        ),
    )
    for module, _ in both:
        module.eval()
    compare(*both, lambda lib, layer, x: layer(x[0].flatten(0, 1)[:4], x[1].flatten(0, 1)[:3]))


@needs_torch
def test_encoder_with_padding_in_eval():
    """At the positions that count the results are PyTorch's short way's; the others are computed too."""
    both = twins(lambda n: n.TransformerEncoder(n.TransformerEncoderLayer(8, 2, 12, batch_first=True), 2), (2, 5, 8))
    results = []
    for lib, (module, (x,)) in zip((rushlight, torch), both, strict=True):
        padding = lib.tensor([[False] * 5, [False] * 3 + [True] * 2])
        module.eval()
        with lib.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(module(x, src_key_padding_mask=padding))
    assert_close(results[0][0], results[1][0])
    assert_close(results[0][1, :3], results[1][1, :3])
    assert results[0].shape == (2, 5, 8)


def test_eval_is_training_without_dropout():
    """The same bits."""
    rushlight.manual_seed(0)
    module = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True), 2)
    x = rushlight.randn(2, 5, 8)
    padding = rushlight.tensor([[False] * 5, [False] * 3 + [True] * 2])
    want = module(x, src_key_padding_mask=padding).tolist()
    with rushlight.no_grad():
        assert module.eval()(x, src_key_padding_mask=padding).tolist() == want


@needs_torch
@pytest.mark.parametrize(
    "make",
    [
        lambda n: n.TransformerEncoderLayer(8, 2, 12),
        lambda n: n.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True),
        lambda n: n.TransformerEncoderLayer(8, 2, 12, batch_first=True, bias=False),
        lambda n: n.TransformerEncoderLayer(9, 3, 12, batch_first=True),
        lambda n: n.TransformerEncoderLayer(8, 2, 12, batch_first=True, activation=n.functional.silu),
        lambda n: n.TransformerDecoderLayer(8, 2, 12),
        lambda n: n.TransformerEncoderLayer(8, 2, 12, batch_first=True),
    ],
)
def test_encoder_warnings(make):
    said = []
    for lib in (rushlight, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            encoder = lib.nn.TransformerEncoder(make(lib.nn), 1)
        said.append(([(w.category, str(w.message)) for w in caught], encoder.use_nested_tensor))
    assert said[0] == said[1]


def test_mismatched_masks_warn():
    x = rushlight.ones(3, 2, 8)
    with pytest.warns(UserWarning, match="Support for mismatched key_padding_mask and attn_mask is deprecated"):
        nn.MultiheadAttention(8, 2)(
            x, x, x, attn_mask=rushlight.zeros(3, 3), key_padding_mask=rushlight.zeros(2, 3, dtype=rushlight.bool)
        )


def test_names():
    """Where PyTorch's programs look for them."""
    assert nn.modules.activation.MultiheadAttention is nn.MultiheadAttention
    assert nn.modules.transformer.Transformer is nn.Transformer
    assert nn.attention.SDPBackend.FLASH_ATTENTION == 1
    causal = nn.Transformer.generate_square_subsequent_mask(3)
    inf = float("inf")
    assert causal.tolist() == [[0, -inf, -inf], [0, 0, -inf], [0, 0, 0]]
    assert rushlight.backends.mha.get_fastpath_enabled()
