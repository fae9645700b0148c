"""Normalisation and embedding: options, layouts, half precision, errors."""

from samples import T, case, error

W = T(5, low=0.3)
C = T(4, low=0.3)
INDEX = T(values=((1, 2, 1), (0, 5, 1)), dtype="int64")

for x in (T(3, 5), T(2, 3, 5), T(5, 3, layout="t"), T(130, 5)):
    case("layer_norm", x, (x.shape[-1],), ulp=64)  # gradients: terms of both signs cancel
    case("layer_norm", x, (x.shape[-1],), T(x.shape[-1], low=0.3), T(x.shape[-1]), ulp=64)
case("layer_norm", T(2, 3, 5), (3, 5), T(3, 5), T(3, 5), 0.01, ulp=64)
case("layer_norm", T(3, 5), (5,), W)
case("layer_norm", T(3, 5), (5,), None, T(5))
case("layer_norm", T(3, 5, dtype="float64"), (5,), T(5, dtype="float64"), T(5, dtype="float64"))
case("layer_norm", T(0, 5), (5,), W, T(5))
error("layer_norm", T(3, 5), (4,))
error("layer_norm", T(3, 5), (2, 5))
error("layer_norm", T(3, 5), ())
error("layer_norm", T(3, 5), (5,), T(4))
error("layer_norm", T(3, 5), (5,), T(5), T(4))
error("layer_norm", T(3, 5, dtype="int64"), (5,))
error("layer_norm", T(3, 5), (5,), T(5, dtype="float64"))

case("rms_norm", T(3, 5), (5,))
case("rms_norm", T(2, 3, 5), (3, 5), T(3, 5), 0.01)
case("rms_norm", T(3, 5), (5,), W, node=False)
error("rms_norm", T(3, 5), (4,))
error("rms_norm", T(3, 5), (5,), T(4))
error("rms_norm", T(3, 5, dtype="int64"), (5,))

for shape in ((2, 4, 5), (2, 4, 3, 2)):
    for groups in (1, 2):
        case("group_norm", T(*shape), groups, ulp=64)
        case("group_norm", T(*shape), groups, C, T(4), 0.01, ulp=64)
case("group_norm", T(3, 4), 1, C, T(4), ulp=64)
error("group_norm", T(3, 4), 3)
error("group_norm", T(3, 4), 2, T(3))
error("group_norm", T(3, 4), 2, T(4), T(3))
error("group_norm", T(3, 4, dtype="int64"), 2)

MEAN, VAR = T(4, grad=False), T(4, low=0.3, grad=False)


def batch_norm(ns, x, weight, bias, mean, var, training, momentum=0.1, eps=1e-5):
    """The result; the running statistics are tested elsewhere."""
    mean, var = (None if t is None else t.clone() for t in (mean, var))
    return ns.batch_norm(x, weight, bias, mean, var, training, momentum, eps, False)


for shape in ((6, 4), (2, 4, 5), (2, 4, 3, 2)):
    case("batch_norm", T(*shape), C, T(4), MEAN, VAR, True, fn=batch_norm, ulp=64)
    case("batch_norm", T(*shape), C, T(4), MEAN, VAR, False, fn=batch_norm, ulp=64)
    case("batch_norm", T(*shape), None, None, None, None, True, fn=batch_norm, ulp=64)
error("batch_norm", T(3, 4), None, None, None, None, False, 0.1, 1e-5, False)
error("batch_norm", T(3, 4), None, None, T(3), T(4), False, 0.1, 1e-5, False)
error("batch_norm", T(3, 4), T(3), None, T(4), T(4), False, 0.1, 1e-5, False)
error("batch_norm", T(3, 4, dtype="int64"), None, None, None, None, True, 0.1, 1e-5, False)

case("instance_norm", T(2, 4, 5), C, T(4), None, None, True, 0.1, 1e-5, False, ulp=64)
case("instance_norm", T(2, 4, 3, 2), None, None, None, None, True, 0.1, 1e-5, False, ulp=64)
case("instance_norm", T(2, 4, 5), C, T(4), MEAN, VAR, False, 0.1, 1e-5, False, ulp=64)
error("instance_norm", T(2, 4, 5), None, None, None, None, False, 0.1, 1e-5, False)

case("embedding", T(6, 3), INDEX)
case("embedding", T(6, 3), T(values=2, dtype="int64"))
case("embedding", T(6, 3), T(values=(1, 1, 4), dtype="int32"))
error("embedding", T(6, 3), T(values=(1, 6), dtype="int64"))
error("embedding", T(6, 3), T(values=(-1, 2), dtype="int64"))
error("embedding", T(6), T(values=(1, 2), dtype="int64"))
error("embedding", T(6, 3), T(2))
