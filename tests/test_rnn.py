"""Recurrent layers and packed sequences: outputs, states, gradients, second gradients, parameters, dropout and errors as
PyTorch's, over a grid of options; what holds without PyTorch."""

import copy
import itertools
import pickle
import warnings

import numpy as np
import pytest

import rushlight
from rushlight import nn

try:
    import torch
except ImportError:
    torch = None
needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed: torch==2.13.0")

LENGTHS = [2, 5, 3]
KINDS = ("LSTM", "GRU", "RNN")
# layers, bidirectional, bias, batch_first
GRID = list(itertools.product((1, 2), (False, True), (True, False), (False, True)))

FLOAT64 = {lib.nn: lib.float64 for lib in (rushlight, torch) if lib is not None}


def numpy(t):
    return t.detach().numpy()


def close(mine, theirs, tol=2e-5):
    assert tuple(mine.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(numpy(mine), numpy(theirs), rtol=tol, atol=tol)


def libraries():
    return (rushlight, torch) if torch is not None else (rushlight,)


def made(make, seed=5):
    """The same module in both libraries, with the same seed."""
    result = []
    for lib in libraries():
        lib.manual_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result.append(make(lib.nn))
    return result


def same_module(mine, theirs):
    """Text, parameters' names, order and initial values."""
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert numpy(p).tolist() == numpy(q).tolist()
    if hasattr(theirs, "all_weights"):
        assert [[tuple(w.shape) for w in ws] for ws in mine.all_weights] == [
            [tuple(w.shape) for w in ws] for ws in theirs.all_weights
        ]


def arrays(layer, shape, seed=0):
    """Input and initial states of a layer, from NumPy."""
    rng = np.random.default_rng(seed)
    packed = shape == "packed"
    x = rng.uniform(-1, 1, (5, 3, 4) if packed else shape)
    batch = 3 if packed else shape[0] if layer.batch_first else shape[1]
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    out = layer.proj_size or layer.hidden_size
    return (
        x,
        rng.uniform(-1, 1, (count, batch, out)),
        rng.uniform(-1, 1, (count, batch, layer.hidden_size)),
    )


def run(lib, layer, values, packed=False, second=False, state=True):
    """Everything a call gives: outputs, states, gradients, gradients of those."""
    dtype = str(next(layer.parameters()).dtype).removeprefix("torch.")
    x, h, c = (lib.tensor(v.tolist(), dtype=getattr(lib, dtype)).requires_grad_() for v in values)
    leaves = [x, *layer.parameters()]
    hx = None
    if state:
        lstm = isinstance(layer, lib.nn.LSTM)
        hx = (h, c) if lstm else h
        leaves += [h, c] if lstm else [h]
    given = x
    if packed:
        given = lib.nn.utils.rnn.pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    y, states = layer(given, hx)
    if packed:
        assert isinstance(y, lib.nn.utils.rnn.PackedSequence)
        y, lengths = lib.nn.utils.rnn.pad_packed_sequence(y, layer.batch_first, 0.25)
        assert lengths.tolist() == LENGTHS
    outputs = [y, *(states if isinstance(states, tuple) else (states,))]
    loss = sum((t * t).sum() * (k + 1) + t.sum() for k, t in enumerate(outputs))
    first = lib.autograd.grad(loss, leaves, create_graph=second)
    last = ()
    if second:
        last = lib.autograd.grad(sum((g * g).sum() for g in first), leaves)
    return [*outputs, *first, *last]


def compare(make, shape, packed=False, second=False, state=True, tol=2e-5, seed=5):
    mine, theirs = made(make, seed)
    same_module(mine, theirs)
    values = arrays(theirs, "packed" if packed else shape)
    results = []
    for lib, layer in ((rushlight, mine), (torch, theirs)):
        lib.manual_seed(9)
        results.append(run(lib, layer, values, packed, second, state))
    for a, e in zip(*results, strict=True):
        close(a, e, tol)
    assert results[0][0].stride() == results[1][0].stride()
    return mine, theirs


# ---- layers against PyTorch ----


@needs_torch
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("layers", "both", "bias", "first"), GRID)
def test_layer(kind, layers, both, bias, first):
    compare(
        lambda n: getattr(n, kind)(
            4, 6, num_layers=layers, bidirectional=both, bias=bias, batch_first=first
        ),
        (3, 5, 4) if first else (5, 3, 4),
    )


@needs_torch
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("layers", "both", "bias"), list(itertools.product((1, 2), (False, True), (True, False)))
)
def test_packed(kind, layers, both, bias):
    compare(
        lambda n: getattr(n, kind)(4, 6, num_layers=layers, bidirectional=both, bias=bias),
        None,
        packed=True,
    )


@needs_torch
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("layers", "both", "bias", "first"), GRID)
def test_projection(layers, both, bias, first, packed):
    if packed and first:
        pytest.skip("packed input has no batch dim")
    compare(
        lambda n: n.LSTM(4, 6, layers, bias, first, 0.0, both, 2),
        (3, 5, 4) if first else (5, 3, 4),
        packed,
    )


@needs_torch
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("kind", "both"), list(itertools.product(KINDS, (False, True))))
def test_dropout(kind, both, packed):
    """The masks come from the same stream; none in eval."""
    mine, theirs = compare(
        lambda n: getattr(n, kind)(4, 6, num_layers=3, dropout=0.4, bidirectional=both),
        (5, 3, 4),
        packed,
    )
    x = np.random.default_rng(1).uniform(-1, 1, (5, 3, 4)).astype(np.float32)
    outputs = []
    for lib, layer in ((rushlight, mine), (torch, theirs)):
        lib.manual_seed(1)
        outputs.append(layer.eval()(lib.from_numpy(x))[0])
        assert lib.rand(1).item() == pytest.approx(0.7576315, abs=1e-6)  # nothing was drawn
    close(*outputs)


@needs_torch
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("kind", KINDS)
def test_lengths_and_zero_state(kind, steps):
    """Few steps take another way through the products; without states they are zeros."""
    compare(lambda n: getattr(n, kind)(4, 17), (steps, 2, 4), state=False)
    compare(lambda n: getattr(n, kind)(4, 17), (steps, 1, 4))


@needs_torch
@pytest.mark.parametrize("kind", KINDS)
def test_larger(kind):
    """Several shares of the batch, and weights of more than a few tiles; float64."""
    compare(
        lambda n: getattr(n, kind)(20, 70, 1, dtype=FLOAT64[n]),
        (6, 100, 20),
        tol=1e-9,
    )


@needs_torch
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("kind", "layers", "both"), [(k, n, n == 2) for k in KINDS for n in (1, 2)]
)
def test_second_gradients(kind, layers, both, packed):
    compare(
        lambda n: getattr(n, kind)(4, 5, num_layers=layers, bidirectional=both, dtype=FLOAT64[n]),
        (5, 3, 4),
        packed,
        second=True,
        tol=1e-9,
    )


@needs_torch
def test_second_gradients_of_projections_and_relu():
    compare(
        lambda n: n.LSTM(4, 5, proj_size=2, bidirectional=True, dtype=FLOAT64[n]),
        (5, 3, 4),
        True,
        second=True,
        tol=1e-9,
    )
    compare(
        lambda n: n.RNN(4, 5, nonlinearity="relu", dtype=FLOAT64[n]),
        (5, 3, 4),
        second=True,
        tol=1e-9,
    )


@needs_torch
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [False, True])
def test_unbatched(kind, first):
    mine, theirs = made(lambda n: getattr(n, kind)(4, 6, 2, bidirectional=True, batch_first=first))
    x = np.random.default_rng(0).uniform(-1, 1, (5, 4)).astype(np.float32)
    h = np.random.default_rng(1).uniform(-1, 1, (4, 6)).astype(np.float32)
    for state in (False, True):
        flat = []
        for lib, layer in ((rushlight, mine), (torch, theirs)):
            hx = lib.from_numpy(h)
            y, states = layer(
                lib.from_numpy(x), ((hx, hx) if kind == "LSTM" else hx) if state else None
            )
            flat.append([y, *(states if kind == "LSTM" else [states])])
        for a, e in zip(*flat, strict=True):
            close(a, e)


@needs_torch
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", ["LSTMCell", "GRUCell", "RNNCell", "relu"])
def test_cells(cell, bias):
    make = (
        (lambda n: n.RNNCell(4, 6, bias, "relu"))
        if cell == "relu"
        else (lambda n: getattr(n, cell)(4, 6, bias))
    )
    mine, theirs = made(make)
    same_module(mine, theirs)
    rng = np.random.default_rng(0)
    for shape, state in (((3, 4), (3, 6)), ((4,), (6,)), ((3, 4), None)):
        x = rng.uniform(-1, 1, shape).astype(np.float32)
        h = rng.uniform(-1, 1, state or 1).astype(np.float32)
        flat = []
        for lib, layer in ((rushlight, mine), (torch, theirs)):
            x1, h1 = (lib.from_numpy(a.copy()).requires_grad_() for a in (x, h))
            hx = None if state is None else (h1, h1) if cell == "LSTMCell" else h1
            outputs = layer(x1, hx)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            leaves = [x1, *layer.parameters()] + ([h1] if state else [])
            grads = lib.autograd.grad(sum((t * t).sum() for t in outputs), leaves)
            flat.append([*outputs, *grads])
        for a, e in zip(*flat, strict=True):
            close(a, e)


def failing_calls(lib):
    """Name: a call that must fail."""
    nn_, r = lib.nn, lib.rand
    lstm, gru, rnn = nn_.LSTM(4, 6), nn_.GRU(4, 6), nn_.RNN(4, 6)
    cell, lstm_cell, gru_cell = nn_.RNNCell(4, 6), nn_.LSTMCell(4, 6), nn_.GRUCell(4, 6)
    pack, pad = nn_.utils.rnn.pack_padded_sequence, nn_.utils.rnn.pad_packed_sequence
    h, hb, h2 = r(1, 3, 6), r(1, 2, 6), r(3, 6)
    calls = {
        "dims lstm": lambda: lstm(r(4)),
        "dims gru": lambda: gru(r(2, 3, 4, 5)),
        "dims rnn": lambda: rnn(r(4)),
        "size lstm": lambda: lstm(r(5, 3, 5)),
        "size gru": lambda: gru(r(5, 3, 5)),
        "dtype": lambda: gru(r(5, 3, 4).double()),
        "state lstm": lambda: lstm(r(5, 3, 4), (hb, h)),
        "cell lstm": lambda: lstm(r(5, 3, 4), (h, hb)),
        "state gru": lambda: gru(r(5, 3, 4), hb),
        "state dims lstm": lambda: lstm(r(5, 3, 4), (h2, h2)),
        "state dims gru": lambda: gru(r(5, 3, 4), h2),
        "state dims lstm flat": lambda: lstm(r(5, 4), (h, h)),
        "state dims gru flat": lambda: gru(r(5, 4), h),
        "packed state": lambda: gru(pack(r(5, 3, 4), [5, 3, 1]), hb),
        "unsorted": lambda: pack(r(5, 3, 4), [3, 5, 1]),
        "no length": lambda: pack(r(5, 3, 4), [5, 3, 0]),
        "lengths": lambda: pack(r(5, 3, 4), [5, 3]),
        "total": lambda: pad(pack(r(5, 3, 4), [5, 3, 1]), total_length=4),
        "pad nothing": lambda: nn_.utils.rnn.pad_sequence([]),
        "pad side": lambda: nn_.utils.rnn.pad_sequence([r(2), r(3)], padding_side="top"),
        "pad kind": lambda: nn_.utils.rnn.pad_sequence(3),
        "cell dims": lambda: cell(r(2, 3, 4)),
        "cell state dims": lambda: gru_cell(r(3, 4), r(1, 3, 6)),
        "lstm cell dims": lambda: lstm_cell(r(3, 4), (r(3, 6), r(1, 3, 6))),
        "cell size": lambda: cell(r(3, 5)),
        "cell batch": lambda: gru_cell(r(3, 4), r(2, 6)),
        "bad nonlinearity": lambda: nn_.RNN(4, 6, nonlinearity="gelu"),
        "proj gru": lambda: nn_.GRU(4, 6, proj_size=2),
        "proj large": lambda: nn_.LSTM(4, 6, proj_size=6),
        "proj negative": lambda: nn_.LSTM(4, 6, proj_size=-1),
        "dropout": lambda: nn_.LSTM(4, 6, 2, dropout=1.5),
        "dropout bool": lambda: nn_.LSTM(4, 6, 2, dropout=True),
        "layers": lambda: nn_.GRU(4, 6, 0),
        "hidden": lambda: nn_.GRU(4, 0),
        "input": lambda: nn_.GRU(0, 4),
        "hidden kind": lambda: nn_.GRU(4, 2.5),
        "input kind": lambda: nn_.GRU("4", 2),
        "bias kind": lambda: nn_.GRU(4, 2, 1, 1),
        "first kind": lambda: nn_.GRU(4, 2, 1, True, 1),
        "mode": lambda: nn_.RNNBase("MLP", 4, 2),
        "packed data": lambda: nn_.utils.rnn.PackedSequence(r(3)),
    }
    return calls


@needs_torch
def test_errors():
    """Types and texts."""
    theirs = failing_calls(torch)
    for name, call in failing_calls(rushlight).items():
        with pytest.raises(Exception) as mine:  # noqa: PT011
            call()
        with pytest.raises(Exception) as expected:  # noqa: PT011
            theirs[name]()
        assert mine.type is expected.type, (name, mine.value, expected.value)
        text = str(expected.value).replace("<class 'torch.", "<class 'rushlight.")
        assert str(mine.value) == text, name


@needs_torch
@pytest.mark.parametrize("first", [False, True])
def test_packing(first):
    """Packing, padding and back, and PackedSequence's text and conversions."""
    values = np.random.default_rng(0).integers(-9, 9, (3, 5, 2) if first else (5, 3, 2))
    texts = []
    for lib in (rushlight, torch):
        u = lib.nn.utils.rnn
        x = lib.tensor(values.tolist())
        p = u.pack_padded_sequence(x, lib.tensor(LENGTHS), first, False)
        out = [
            p,
            p.to(lib.float64),
            p.float(),
            p.long() is p,
            p.is_cuda,
            u.pad_packed_sequence(p, first, -1, 7),
        ]
        out += [u.unpack_sequence(p), u.pack_sequence([t[0] for t in x.unbind(2)], False)]
        ragged = [lib.arange(k * 2).reshape(k, 2) for k in (3, 1, 2)]
        for side in ("left", "right"):
            out.append(u.pad_sequence(ragged, first, 7, side))
        padded = u.pad_sequence(ragged, True)
        out.append(u.unpad_sequence(padded, lib.tensor([3, 1, 2]), True))
        out += [
            u.pack_sequence(ragged, False),
            u.invert_permutation(lib.tensor([2, 0, 1])),
            u.invert_permutation(None),
        ]
        texts.append(repr(out))
    assert texts[0] == texts[1]


@needs_torch
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_half(kind, dtype):
    """Rounded once: as near to float32's results as PyTorch's, or nearer."""
    mine, theirs = (
        getattr(lib.nn, kind)(4, 6, 2).to(getattr(lib, dtype)) for lib in (rushlight, torch)
    )
    mine.load_state_dict(
        {
            k: rushlight.tensor(v.tolist(), dtype=getattr(rushlight, dtype))
            for k, v in theirs.state_dict().items()
        }
    )
    x = np.random.default_rng(0).uniform(-1, 1, (5, 3, 4)).tolist()
    a, b = (
        layer(lib.tensor(x, dtype=getattr(lib, dtype)))[0]
        for lib, layer in ((rushlight, mine), (torch, theirs))
    )
    assert str(a.dtype) == str(b.dtype)
    close(a.float(), b.float(), 0.02 if dtype == "bfloat16" else 0.003)
    a.sum().backward()
    assert str(mine.weight_hh_l1.grad.dtype) == f"torch.{dtype}"


@needs_torch
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"])
def test_autocast(kind):
    """The results' dtypes, whatever the input's."""
    shape = (3, 4) if kind.endswith("Cell") else (5, 3, 4)
    for dtype in ("float32", "bfloat16"):
        texts = []
        for lib, layer in zip(
            (rushlight, torch), made(lambda n: getattr(n, kind)(4, 6)), strict=True
        ):
            with lib.autocast("cpu", dtype=lib.bfloat16):
                result = layer(lib.zeros(shape, dtype=getattr(lib, dtype)))
            flat = [result] if isinstance(result, lib.Tensor) else result
            texts.append(
                [str(t.dtype) for r in flat for t in (r if isinstance(r, tuple) else (r,))]
            )
        assert texts[0] == texts[1]


@needs_torch
def test_states_go_both_ways():
    mine, theirs = made(lambda n: n.LSTM(4, 6, 2, bidirectional=True, proj_size=3))
    for p in mine.parameters():
        with rushlight.no_grad():
            p.mul_(0.5)
    theirs.load_state_dict(
        {k: torch.from_numpy(numpy(v).copy()) for k, v in mine.state_dict().items()}
    )
    x = np.random.default_rng(0).uniform(-1, 1, (5, 3, 4)).astype(np.float32)
    close(mine(rushlight.from_numpy(x))[0], theirs(torch.from_numpy(x))[0])


# ---- what holds without PyTorch ----


def gradients(layer, x, **options):
    y, _ = layer(x)
    return rushlight.autograd.grad(y.square().sum(), list(layer.parameters()), **options)


@pytest.mark.parametrize("kind", KINDS)
def test_backward_twice(kind):
    """Kept for a second backward when asked; else the second one is refused."""
    rushlight.manual_seed(0)
    layer, x = getattr(nn, kind)(4, 6, 2), rushlight.rand(5, 3, 4)
    loss = layer(x)[0].square().sum()
    ps = list(layer.parameters())
    first = rushlight.autograd.grad(loss, ps, retain_graph=True)
    second = rushlight.autograd.grad(loss, ps)
    composed = gradients(layer, x, create_graph=True)
    for a, b, c in zip(first, second, composed, strict=True):
        assert a.tolist() == b.tolist()
        close(a, c)
    with pytest.raises(RuntimeError, match="second time"):
        rushlight.autograd.grad(loss, ps)


@pytest.mark.parametrize("kind", KINDS)
def test_no_grad_gives_the_same_bits(kind):
    """Without a graph only two steps' gates are in memory."""
    rushlight.manual_seed(0)
    layer, x = getattr(nn, kind)(4, 6, 2, bidirectional=True), rushlight.rand(9, 3, 4)
    packed = nn.utils.rnn.pack_padded_sequence(x, [9, 4, 4])
    for given in (x, packed):
        outcomes = []
        for recording in (True, False):
            with rushlight.set_grad_enabled(recording):
                y, h = layer(given)
            y = y.data if given is packed else y
            outcomes.append([t.tolist() for t in (y, *(h if kind == "LSTM" else [h]))])
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("kind", KINDS)
def test_sequence_is_its_cells(kind):
    """A layer is its cell, step by step."""
    rushlight.manual_seed(0)
    layer, cell = getattr(nn, kind)(4, 6), getattr(nn, kind + "Cell")(4, 6)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x, state = rushlight.rand(7, 3, 4), None
    y, _ = layer(x)
    for t in range(7):
        state = cell(x[t], state)
        close(state[0] if kind == "LSTM" else state, y[t], 1e-6)


def test_padding_does_not_matter():
    """Each packed sequence has the result that it has alone."""
    rushlight.manual_seed(0)
    layer = nn.GRU(4, 6, 2, bidirectional=True)
    sequences = [rushlight.rand(n, 4) for n in (5, 2, 7)]
    packed, h = layer(nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False))
    for k, (alone, y) in enumerate(
        zip(sequences, nn.utils.rnn.unpack_sequence(packed), strict=True)
    ):
        expected, state = layer(alone)
        close(y, expected, 1e-6)
        close(h[:, k], state, 1e-6)


def test_module_life():
    """deepcopy, pickle, new parameters, conversion, functional_call."""
    rushlight.manual_seed(0)
    layer, x = nn.LSTM(4, 6, 2), rushlight.rand(5, 3, 4)
    expected = layer(x)[0].tolist()
    layer.flatten_parameters()
    assert copy.deepcopy(layer)(x)[0].tolist() == expected
    assert pickle.loads(pickle.dumps(layer))(x)[0].tolist() == expected
    layer.weight_ih_l0 = nn.Parameter(layer.weight_ih_l0.detach() * 2)
    assert layer(x)[0].tolist() != expected
    assert layer._flat_weights[0] is layer.weight_ih_l0
    assert layer.double()(x.double())[0].dtype == rushlight.float64
    other = {k: v.detach() * 0 for k, v in layer.state_dict().items()}
    assert rushlight.func.functional_call(layer, other, (x.double(),))[0].abs().max() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_output_changed_in_place(kind):
    """As in PyTorch in float32: an LSTM's backward reads its output, and says so; the others' do not."""
    rushlight.manual_seed(0)
    layer, x = getattr(nn, kind)(4, 6), rushlight.rand(5, 3, 4)
    expected = rushlight.autograd.grad(layer(x)[0].relu().sum(), layer.weight_hh_l0)[0]
    y = layer(x)[0].relu_().sum()
    if kind == "LSTM":
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()
    else:
        y.backward()
        assert layer.weight_hh_l0.grad.tolist() == expected.tolist()


def test_replaced_weights():
    """A parameter replaced by a tensor made from another one, as weight dropping does."""
    rushlight.manual_seed(0)
    layer, x = nn.LSTM(4, 6), rushlight.rand(5, 3, 4)
    raw = nn.Parameter(layer.weight_hh_l0.detach())
    del layer._parameters["weight_hh_l0"]
    layer.weight_hh_l0 = nn.functional.dropout(raw, 0.5)
    layer._flat_weights = [getattr(layer, name, None) for name in layer._flat_weights_names]
    layer(x)[0].sum().backward()
    assert ((raw.grad == 0) == (layer.weight_hh_l0 == 0)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_hooks_and_checkpoints(kind):
    """What hooks keep of a layer is left alone; a checkpoint computes it anew."""
    from rushlight.autograd.graph import saved_tensors_hooks
    from rushlight.utils.checkpoint import checkpoint

    rushlight.manual_seed(0)
    layer, x = getattr(nn, kind)(4, 6), rushlight.rand(5, 3, 4)
    expected, ps = gradients(layer, x), list(layer.parameters())
    kept = []

    def pack(t):
        kept.append((t, t.tolist()))
        return len(kept) - 1

    with saved_tensors_hooks(pack, lambda k: kept[k][0]):
        y, _ = layer(x)
    found = rushlight.autograd.grad(y.square().sum(), ps)
    assert all(t.tolist() == values for t, values in kept)
    y = checkpoint(lambda t: layer(t)[0], x, use_reentrant=False)
    again = rushlight.autograd.grad(y.square().sum(), ps)
    for a, b, c in zip(expected, found, again, strict=True):
        assert a.tolist() == b.tolist() == c.tolist()


def test_inputs_that_need_no_gradient():
    """Only some of the inputs are leaves."""
    rushlight.manual_seed(0)
    layer, x = nn.LSTM(4, 6, bidirectional=True), rushlight.rand(5, 3, 4)
    full = gradients(layer, x)
    for wanted in range(len(full)):
        for k, p in enumerate(layer.parameters()):
            p.requires_grad_(k == wanted)
        y, (h, c) = layer(x)
        p = list(layer.parameters())[wanted]
        assert rushlight.autograd.grad(y.square().sum(), p)[0].tolist() == full[wanted].tolist()
        assert h.requires_grad and c.requires_grad


def test_warns_of_useless_dropout():
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        nn.GRU(4, 6, dropout=0.5)
