"""Recurrent layers and cells, packed sequences. Node names are rushlight's own: one node does a whole layer."""

from samples import T, case, error

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def parameters(gates, inputs, hidden, layers=1, directions=1, bias=True, projection=0, **kind):
    """T's for all parameters, in PyTorch's order."""
    result, out, rows = [], projection or hidden, gates * hidden
    for layer in range(layers):
        for _ in range(directions):
            result += [T(rows, out * directions if layer else inputs, low=-0.7, high=0.7, **kind)]
            result += [T(rows, out, low=-0.7, high=0.7, **kind)]
            result += [T(rows, low=-0.7, high=0.7, **kind) for _ in range(2 * bias)]
            if projection:
                result.append(T(projection, hidden, **kind))
    return result


def state(name, layers, batch, hidden, projection=0, **kind):
    """hx: one T, or two for lstm."""
    h = T(layers, batch, projection or hidden, **kind)
    return (h, T(layers, batch, hidden, **kind)) if name == "lstm" else h


SIZES = T(values=(3, 2, 2, 1), dtype="int64")
for name, gates in GATES.items():
    small = {"inputs": 2, "hidden": 2, "bias": False}
    # small enough for second derivatives by differences; two steps, then enough to lay the weights out anew
    for steps in (2, 4):
        case(name, T(steps, 1, 2), state(name, 1, 1, 2), parameters(gates, **small), False, 1, 0.0, True, False, False,
             ulp=32, node=False)
    case(name, T(5, 2), T(values=(3, 2), dtype="int64"), state(name, 1, 3, 2), parameters(gates, **small), False, 1,
         0.0, True, False, ulp=32, node=False)
    for layers, directions, first in ((1, 1, True), (2, 2, False)):
        case(name, T(5, 3, 4), state(name, layers * directions, 5 if first else 3, 3),
             parameters(gates, 4, 3, layers, directions), True, layers, 0.0, True, directions == 2, first,
             ulp=64, node=False)
        case(name, T(8, 4), SIZES, state(name, layers * directions, 3, 3),
             parameters(gates, 4, 3, layers, directions), True, layers, 0.0, False, directions == 2, ulp=64, node=False)
    case(name, T(5, 1, 2, dtype="float64"), state(name, 1, 1, 9, dtype="float64"),
         parameters(gates, 2, 9, dtype="float64"), True, 1, 0.0, True, False, False, ulp=64, node=False)
    case(name, T(4, 2, 3), state(name, 2, 2, 3), parameters(gates, 3, 3, 2), True, 2, 0.5, True, False, False,
         seed=5, ulp=64, node=False)
    case(name, T(3, 0, 4), state(name, 1, 0, 6), parameters(gates, 4, 6), True, 1, 0.0, True, False, False, grad=False)
    case(name, T(3, 2, 4, layout="t"), state(name, 1, 2, 6, layout="t"), [T(gates * 6, 4, low=-0.7, high=0.7, layout="t"), *parameters(gates, 4, 6)[1:]], True, 1, 0.0,
         True, False, False, ulp=64, node=False)
    for dtype, ulp in (("float16", 8), ("bfloat16", 8)):
        case(name, T(3, 2, 4, dtype=dtype), state(name, 1, 2, 6, dtype=dtype), parameters(gates, 4, 6, dtype=dtype), True,
             1, 0.0, True, False, False, ulp=ulp, gradgrad=False, node=False)

    wide = {"dtype": "float64"}
    x, h, p = T(5, 3, 4, **wide), state(name, 1, 3, 6, **wide), parameters(gates, 4, 6, **wide)
    options = (True, 1, 0.0, True, False, False)
    error(name, x, h, p[:3], *options)
    error(name, x, h, p, True, 2, 0.0, True, False, False)
    error(name, x, h, p, True, 1, 0.0, True, True, False)
    error(name, x, h, p, False, 1, 0.0, True, False, False)
    error(name, x, state(name, 2, 3, 6, **wide), p, *options)
    error(name, x, state(name, 1, 2, 6, **wide), p, *options)
    error(name, x, state(name, 1, 3, 5, **wide), p, *options)
    error(name, T(5, 3, 7, **wide), h, p, *options)
    error(name, T(5, 3, 4), h, p, *options)
    error(name, T(0, 3, 4, **wide), h, p, *options)
    if name != "rnn_relu":  # PyTorch's takes integers
        error(name, T(5, 3, 4, dtype="int64"), state(name, 1, 3, 6, dtype="int64"), [T(*t.shape, dtype="int64") for t in parameters(gates, 4, 6)], *options)
    packed = (True, 1, 0.0, True, False)
    error(name, T(8, 4, **wide), T(values=(3, 3, 3), dtype="int64"), h, p, *packed)
    error(name, T(8, 4, **wide), T(values=(2, 3, 3), dtype="int64"), h, p, *packed)
    error(name, T(8, 4, **wide), T(values=(3, 3, 2), dtype="int32"), h, p, *packed)

case("lstm", T(3, 2, 2), state("lstm", 1, 2, 3, 2), parameters(4, 2, 3, bias=False, projection=2), False, 1, 0.0, True,
     False, False, ulp=64, node=False)
for layers, directions in ((1, 1), (2, 2)):
    case("lstm", T(5, 3, 4), state("lstm", layers * directions, 3, 3, 2),
         parameters(4, 4, 3, layers, directions, projection=2), True, layers, 0.0, True, directions == 2, False,
         ulp=64, node=False)
    case("lstm", T(8, 4), SIZES, state("lstm", layers * directions, 3, 3, 2),
         parameters(4, 4, 3, layers, directions, projection=2), True, layers, 0.0, True, directions == 2, ulp=64, node=False)
error("lstm", T(5, 3, 4), (T(1, 3, 6),), parameters(4, 4, 6), True, 1, 0.0, True, False, False)

for name, gates in GATES.items():
    cell = f"{name}_cell"
    h = (T(3, 6), T(3, 6)) if name == "lstm" else T(3, 6)
    case(cell, T(3, 4), h, *parameters(gates, 4, 6), ulp=64, node=False)
    case(cell, T(3, 4), h, *parameters(gates, 4, 6, bias=False), ulp=64, node=False)
    tiny = (T(2, 2), T(2, 2)) if name == "lstm" else T(2, 2)
    case(cell, T(2, 2), tiny, *parameters(gates, 2, 2), ulp=32, node=False)
    error(cell, T(3, 5), h, *parameters(gates, 4, 6))
    error(cell, T(4), h, *parameters(gates, 4, 6))
    error(cell, T(2, 4), h, *parameters(gates, 4, 6))
    error(cell, T(3, 4), (T(3, 5), T(3, 6)) if name == "lstm" else T(3, 5), *parameters(gates, 4, 6))
    error(cell, T(3, 4, dtype="float64"), h, *parameters(gates, 4, 6))
error("lstm_cell", T(3, 4), (T(3, 6),), *parameters(4, 4, 6))
error("lstm_cell", T(3, 4), (T(3, 6), T(3, 5)), *parameters(4, 4, 6))


LENGTHS = T(values=(5, 3, 1), dtype="int64")
STEPS = T(values=(3, 2, 2, 1, 1), dtype="int64")
case("_pack_padded_sequence", T(5, 3, 4), LENGTHS, False, node=False)
case("_pack_padded_sequence", T(3, 5, 2, 2), LENGTHS, True, node=False)
case("_pack_padded_sequence", T(3, 5, dtype="int64"), LENGTHS, True)
case("_pack_padded_sequence", T(5, 3, 4), T(values=(4, 2, 1), dtype="int64"), False, node=False)
for wrong in ((3, 5, 1), (3, 1, 0), (5, 1)):
    error("_pack_padded_sequence", T(5, 3, 4), T(values=wrong, dtype="int64"), False)
error("_pack_padded_sequence", T(5, 3, 4), T(values=(5, 1, 1), dtype="int32"), False)
error("_pack_padded_sequence", T(5, 0, 4), T(0, dtype="int64"), False)
error("_pack_padded_sequence", T(5), LENGTHS, False)
case("_pad_packed_sequence", T(9, 4), STEPS, False, 0.0, 5, node=False)
case("_pad_packed_sequence", T(9, 2, 2), STEPS, True, -1.5, 7, node=False)
case("_pad_packed_sequence", T(9, dtype="int64"), STEPS, True, 3, 0)
error("_pad_packed_sequence", T(9, 4), STEPS, False, 0.0, 3)

for side in ("right", "left"):
    for first in (False, True):
        case("pad_sequence", [T(3, 2), T(1, 2), T(4, 2)], first, 0.5, side, node=False,
             fn=lambda ns, *args: ns.nn.utils.rnn.pad_sequence(*args))
error("pad_sequence", [T(3, 2), T(2, 3)], fn=lambda ns, *args: ns.nn.utils.rnn.pad_sequence(*args))
error("pad_sequence", [T(3, 2)], False, 0.0, "middle", fn=lambda ns, *args: ns.nn.utils.rnn.pad_sequence(*args))
error("pad_sequence", [], fn=lambda ns, *args: ns.nn.utils.rnn.pad_sequence(*args))
