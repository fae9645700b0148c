"""Indexing, assignment, gather and scatter, sorting."""

from samples import T, case, error

X = T(3, 4, 5)
M = T(4, 5)


def I(*values):  # an index tensor
    return T(values=values, dtype="int64")


for key in (
    1, -1, slice(1, 3), slice(None, None, 2), None, Ellipsis, (0, 1), (0, Ellipsis, 2), (slice(None), 1), (Ellipsis, None),
    (slice(None), None, slice(1, 3)), True, False, [0, 2], [True, False, True], (slice(None), [0, 2]), ([0, 1], [1, 2]),
    ([0, 1], slice(None), [1, 2]), ([[0, 1], [1, 2]],), (1, slice(None), [0, 3]), slice(5, 2), slice(-2, None),
):
    case("__getitem__", X, fn=lambda ns, x, key=key: x[key])
for key in (3, (0, 4), (0, 0, 0, 0), [3], "a", 1.0, slice(None, None, -1), slice(None, None, 0)):
    error("__getitem__", X, fn=lambda ns, x, key=key: x[key])
case("index", X, I(0, 2, 1), fn=lambda ns, x, i: x[i])
case("index", X, I(0, -1), fn=lambda ns, x, i: x[:, i])
case("index", X, I((0, 1), (2, 0)), I(1, 3), fn=lambda ns, x, i, j: x[i, :, j])
case("index", X, I((0, 1), (2, 0)), I(1, 3), fn=lambda ns, x, i, j: x[i, j])
case("index", X, T(3, 4, dtype="bool"), fn=lambda ns, x, m: x[m])
case("index", X, T(values=(True, False, True), dtype="bool"), fn=lambda ns, x, m: x[m, 1])
case("index", M, I(0, 0, 0), fn=lambda ns, x, i: x[i])
case("index", M, T(2, 0, dtype="int64"), fn=lambda ns, x, i: x[i])
case("index", M, T(values=2, dtype="int64"), fn=lambda ns, x, i: x[i])
case("index", M, T(4, 5), fn=lambda ns, x, y: x[x > 0] * 2)
error("index", M, I(0, 4), fn=lambda ns, x, i: x[i])
error("index", M, T(5, dtype="bool"), fn=lambda ns, x, m: x[m])
error("index", M, I(0, 1), I(0, 1, 2), fn=lambda ns, x, i, j: x[i, j])
error("index", M, T(2), fn=lambda ns, x, i: x[i])


def assign(key):
    def fn(ns, x, v):
        y = x * 1
        y[key] = v
        return y

    return fn


for key, value in (
    (1, T(4, 5)), (slice(1, 3), T(4, 5)), ((slice(None), 1), T(5)), (Ellipsis, T()), ((0, 1, 2), 7.0), (None, T(3, 4, 5)),
    ([0, 2], T(4, 5)), ((slice(None), [0, 3]), T(5)), ((slice(None, None, 2), Ellipsis, 1), 2), (([0, 1], [1, 2]), T(2, 5)),
):
    # Places written twice: which value stays is not defined, and PyTorch hands the gradient to all of them.
    case("__setitem__", X, value, fn=assign(key), gradgrad="[0, 0]" not in str(key))
case("__setitem__", T(3, 4, dtype="int64"), 2.9, fn=lambda ns, x, v: assign(1)(ns, x, v))
for key, value in ((3, 1.0), ((0, 0, 9), 1.0), (1, T(3)), ([5], 1.0)):
    error("__setitem__", X, value, fn=lambda ns, x, v, key=key: x.__setitem__(key, v))
case("index_put", X, I(0, 1, 0), I(1, 1, 1), T(3, 5), fn=lambda ns, x, i, j, v: x.clone().index_put_((i, j), v, accumulate=True))
case("index_put", M, T(4, 5, dtype="bool"), T(), fn=lambda ns, x, m, v: x.clone().index_put_((m,), v))
case("index_put", M, (I(0, 1, 2), I(1, 1, 1)), T(3))
case("index_put", M, (I(0, 1, 0),), T(5), accumulate=True)
error("index_put", M, (I(0, 7),), T())
error("index_put", M, (I(0, 1),), T(3, 5))
error("index_put", M, (I(0),), T(dtype="float64"))
case("__setitem__", M, T(4, 5, dtype="bool"), fn=lambda ns, x, m: assign(m)(ns, x, 0.0))
case("index_select", X, 1, I(0, 3, 3))
case("index_select", X, -1, I(4))
error("index_select", X, 1, I(4))
error("index_select", X, 1, T(2))
case("index_add", M, 0, I(0, 2, 0), T(3, 5))
case("index_add", M, 1, I(1, 1), T(4, 2), alpha=2)
error("index_add", M, 0, I(0, 4), T(2, 5))
error("index_add", M, 0, I(0, 1), T(3, 5))
case("index_copy", M, 0, I(3, 1), T(2, 5))
case("index_fill", M, 1, I(0, 2), -1.5)
case("gather", M, 0, T(2, 5, dtype="int64", low=0, high=4))
case("gather", M, 1, T(4, 3, dtype="int64", low=0, high=5))
case("gather", X, -1, T(3, 2, 2, dtype="int64", low=0, high=5))
error("gather", M, 1, T(4, 3, dtype="int64", low=5, high=6))
error("gather", M, 1, T(5, 3, dtype="int64", low=0, high=5))
error("gather", M, 1, T(4, 3))
case("scatter", M, 1, I((0, 2), (1, 3)), T(2, 2))
case("scatter", M, 0, I((0, 2, 1)), 1.5)
case("scatter", M, 1, I((0, 2), (1, 3)), T(2, 2), reduce="add", grad=False)
case("scatter", M, 1, I((0, 2), (1, 3)), 2.0, reduce="multiply", grad=False)
error("scatter", M, 1, I((0, 5), (1, 3)), T(2, 2))
error("scatter", M, 1, I((0, 1), (1, 3)), T(1, 2))
case("scatter_add", M, 0, T(3, 5, dtype="int64", low=0, high=4), T(3, 5))
case("scatter_add", M, 1, I((0, 0), (1, 1)), T(4, 5))
case("take", M, I(0, 19, -1, 3))
error("take", M, I(20))
case("take_along_dim", T(3, 4), T(values=((-1, 0), (-4, 3), (2, -2)), dtype="int64"), 1)
case("take_along_dim", T(2, 3), T(values=((-9, 4, 2), (5, -4, 1)), dtype="int64"), 0)
error("take_along_dim", T(6), T(values=(-1,), dtype="int64"))
case("take_along_dim", M, T(4, 2, dtype="int64", low=0, high=5), 1)
case("take_along_dim", M, I(3, 0))
case("masked_select", M, T(4, 5, dtype="bool"))
case("masked_select", M, T(5, dtype="bool"))
case("masked_fill", M, T(4, 5, dtype="bool"), -7.5)
case("masked_fill", M, T(5, dtype="bool"), T())
case("masked_fill", T(4, 5, dtype="int64"), T(5, dtype="bool"), 3)
error("masked_fill", M, T(4, 5), 1.0)
error("masked_fill", M, T(3, dtype="bool"), 1.0)
case("masked_scatter", M, T(4, 5, dtype="bool"), T(20))
case("nonzero", T(3, 4, dtype="int64", low=0, high=2))
case("nonzero", T(), fn=lambda ns, x: ns.nonzero(x), grad=False)
case("nonzero_tuple", T(3, 4, dtype="int64", low=0, high=2), fn=lambda ns, x: ns.nonzero(x, as_tuple=True))
case("where", T(3, 4, dtype="bool"), T(3, 4), T(4))
case("where", T(3, 4, dtype="bool"), T(3, 4), 0.0)
case("where", T(3, 4, dtype="bool"), 1, T(3, 4, dtype="int64"))
case("where", T(3, 1, dtype="bool"), T(4, dtype="int64"), T(3, 4))
case("where", T(3, 4, dtype="bool"))
error("where", T(3, dtype="bool"), T(4), T(3))
case("topk", T(3, 8), 3)
case("topk", T(8, 3), 2, 0, False)
case("topk", T(5), 0)
error("topk", T(5), 6)
case("sort", T(3, 8))
case("sort", T(8, 3), 0, True)
case("sort", T(3, 40, dtype="int64", low=0, high=4), stable=True)
case("sort", T(values=(2.0, float("nan"), 1.0, float("inf"))), gradgrad=False)
case("sort", T())
case("argsort", T(3, 8))
case("argsort", T(3, 8), 0, True)
case("argwhere", T(3, 4, dtype="int64", low=0, high=2))
case("msort", T(5, 3))
case("kthvalue", T(3, 8), 2)
case("kthvalue", T(8, 3), 8, 0, True)
case("kthvalue", T(values=(2.0, float("nan"), 1.0)), 3, gradgrad=False)
case("kthvalue", T(), 1)
error("kthvalue", T(5), 6)
error("kthvalue", T(5), 0)
