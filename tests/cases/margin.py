"""Losses with margins and negative log-likelihoods: options, reductions, shapes, errors; distances as modules."""

from samples import T, case, error


def namespace(name):
    """The spelling of the torch namespace, which nn.functional's would hide: a number for the reduction."""
    return lambda ns, *args, **kwargs: getattr(ns, name)(*args, **kwargs)


def functional(name):
    return lambda ns, *args, **kwargs: getattr(ns.nn.functional, name)(*args, **kwargs)


SIGNS = T(values=(1, -1, 1, -1, 1, -1))
CLASSES = T(values=(0, 2, 3, 2, 0, 1), dtype="int64")
LABELS = T(values=((0, 2, -1, 1), (3, 3, 1, -1), (-1, 0, 0, 0), (0, 1, 2, 3)), dtype="int64")
X, Y, Z = T(6, 4), T(6, 4), T(6, 4)
W = T(4, low=0.2, high=2, grad=False)
COUNTS = T(values=(0, 1, 2, 3, 7, 1), dtype="float32", grad=False)

for reduction in ("none", "mean", "sum"):
    r = {"reduction": reduction}
    for margin in (0.0, 0.5):
        case("margin_ranking_loss", T(6), T(6), SIGNS, margin, fn=functional("margin_ranking_loss"), **r)
        case("cosine_embedding_loss", X, Y, SIGNS, margin, fn=functional("cosine_embedding_loss"), **r)
    for margin in (1.0, 0.3):
        case("hinge_embedding_loss", T(6, low=0), SIGNS, margin, fn=functional("hinge_embedding_loss"), **r)
        case("triplet_margin_loss", X, Y, Z, margin, fn=functional("triplet_margin_loss"), **r)
    case("triplet_margin_loss", X, Y, Z, p=1, swap=True, fn=functional("triplet_margin_loss"), **r)
    case("triplet_margin_loss", X, Y, Z, p=3.0, eps=0.1, fn=functional("triplet_margin_loss"), **r)
    case("triplet_margin_loss", T(4), T(4), T(4), fn=functional("triplet_margin_loss"), **r)
    case("triplet_margin_with_distance_loss", X, Y, Z, **r)
    case("triplet_margin_with_distance_loss", X, Y, Z, margin=2.0, swap=True, fn=lambda ns, *a, **k: ns.nn.functional.triplet_margin_with_distance_loss(*a, distance_function=lambda x, y: (x - y).square().sum(-1), **k), **r)
    case("soft_margin_loss", X, T(6, 1, low=-1, high=1, grad=False), node=False, fn=functional("soft_margin_loss"), **r)
    for p in (1, 2):
        case("multi_margin_loss", X, CLASSES, p, node=False, **r)
        case("multi_margin_loss", X, CLASSES, p, 0.3, W, node=False, **r)
    case("multi_margin_loss", T(4), T(values=2, dtype="int64"), node=False, **r)
    case("multi_margin_loss", T(4), T(values=(2,), dtype="int64"), node=False, **r)
    case("multilabel_margin_loss", T(4, 4), LABELS, node=False, **r)
    case("multilabel_margin_loss", T(4), T(values=(1, 3, -1, 0), dtype="int64"), node=False, **r)
    case("multilabel_soft_margin_loss", X, T(6, 4, low=0, high=1), **r)
    case("multilabel_soft_margin_loss", X, T(6, 4, low=0, high=1), W, **r)
    case("multilabel_soft_margin_loss", T(4), T(4, low=0, high=1), **r)
    case("poisson_nll_loss", T(6, high=0), COUNTS, fn=functional("poisson_nll_loss"), **r)
    case("poisson_nll_loss", T(6), COUNTS, full=True, node=False, fn=functional("poisson_nll_loss"), **r)
    case("poisson_nll_loss", T(6, low=0.1), COUNTS, False, True, eps=1e-3, fn=functional("poisson_nll_loss"), node=False, **r)
    for var in (T(6, 4, low=0.1), T(6, 1, low=0.1), T(6, low=0.1)):
        case("gaussian_nll_loss", X, Y, var, **r)
    case("gaussian_nll_loss", X, Y, 0.7, full=True, eps=1e-3, **r)
    number = ("none", "mean", "sum").index(reduction)
    case("hinge_embedding_loss", T(6, low=0), SIGNS, 0.7, number, fn=namespace("hinge_embedding_loss"))
    case("margin_ranking_loss", T(6), T(6), SIGNS, 0.7, number, fn=namespace("margin_ranking_loss"))
    case("cosine_embedding_loss", X, Y, SIGNS, 0.2, number, fn=namespace("cosine_embedding_loss"))
    case("triplet_margin_loss", X, Y, Z, 0.0, reduction=number, fn=namespace("triplet_margin_loss"))
    case("poisson_nll_loss", T(6), COUNTS, True, True, 1e-6, number, fn=namespace("poisson_nll_loss"), node=False)
    case("kl_div", X, T(6, 4, low=0.1, high=1), number, fn=namespace("kl_div"), node=False)
    case("kl_div", X, Y, number, log_target=True, fn=namespace("kl_div"), node=False)
    for shape in ((4,), (6, 1), (1, 1), (), (2, 6, 4)):
        case("kl_div", T(6, 4), T(*shape, low=0.1, high=1), number, fn=namespace("kl_div"), ulp=8)
        case("kl_div", T(*shape), T(6, 4), number, log_target=True, fn=namespace("kl_div"), ulp=8)
    case("kl_div", T(6, 1), T(1, 4, low=0.1, high=1), number, fn=namespace("kl_div"))
    case("binary_cross_entropy_with_logits", X, T(6, 4, low=0, high=1), W, W, number, fn=namespace("binary_cross_entropy_with_logits"), node=False)
    for x, target in ((T(5, 3), T(values=(0, 1, 3, 1, 2), dtype="int64")), (T(3), T(values=2, dtype="int64")), (T(5, 3), T(5, 4, low=0, high=1))):
        case("linear_cross_entropy", x, T(4, 3), target, linear_bias=T(4), weight=W, node=False, **r)
    case("linear_cross_entropy", T(5, 3), T(4, 2, 3), T(5, 2, dtype="int64", low=0, high=3), linear_bias=T(4, 2), label_smoothing=0.1, node=False, **r)
    case("linear_cross_entropy", T(5, 3), T(4, 3), T(values=(0, 1, 3, 1, 2), dtype="int64"), ignore_index=1, node=False, **r)
    case("mse_loss", X, Y, weight=T(6, 4, low=0, high=1, grad=False), node=False, **r)
    case("l1_loss", X, Y, weight=T(6, 4, low=0, high=1, grad=False), node=False, **r)
    case("huber_loss", X, Y, weight=T(6, 4, low=0, high=1, grad=False), node=False, **r)

case("pairwise_distance", T(4), T(3, 4), 1.0, 0.1, True, fn=lambda ns, x, y, *a: ns.nn.PairwiseDistance(*a)(x, y), node=False)
case("cosine_similarity", T(2, 4, 3), T(4, 1), 1, 0.1, fn=lambda ns, x, y, *a: ns.nn.CosineSimilarity(*a)(x, y), node=False)

error("margin_ranking_loss", X, T(4), X, fn=functional("margin_ranking_loss"))
error("cosine_embedding_loss", X, Y, T(values=1))
error("cosine_embedding_loss", X, Y, T(6, 1))
error("cosine_embedding_loss", X, T(4), SIGNS)
error("triplet_margin_loss", X, T(4), Z)
error("triplet_margin_loss", X, Y, Z, margin=0, fn=functional("triplet_margin_loss"))
error("triplet_margin_with_distance_loss", X, Y, Z, margin=-1.0)
error("triplet_margin_with_distance_loss", X, Y, Z, reduction="x")
error("soft_margin_loss", X, T(5))
error("multi_margin_loss", X, T(values=(0, 1), dtype="int64"))
error("multi_margin_loss", T(2, 3), T(values=(0, 3), dtype="int64"))
error("multi_margin_loss", T(2, 3), T(values=(0, -1), dtype="int64"))
error("multi_margin_loss", T(2, 3), T(2))
error("multi_margin_loss", T(2, 3, 4), T(values=(0, 1), dtype="int64"))
error("multi_margin_loss", T(2, 3), T(values=(0, 1), dtype="int64"), weight=T(2))
error("multi_margin_loss", T(2, 3), T(values=(0, 1), dtype="int64"), weight=T(1, 3))
error("multi_margin_loss", T(2, 3), T(values=(0, 1), dtype="int64"), 3)
error("multilabel_margin_loss", T(3), T(values=(0, 1), dtype="int64"))
error("multilabel_margin_loss", T(2), T(values=(0, 2), dtype="int64"))
error("multilabel_margin_loss", T(2), T(values=(0, -2), dtype="int64"))
error("multilabel_margin_loss", T(2), T(2))
error("multilabel_margin_loss", T(2, dtype="int64"), T(2, dtype="int64"))
error("multi_margin_loss", T(2, 3, dtype="int64"), T(values=(0, 1), dtype="int64"))
error("soft_margin_loss", T(2, dtype="int64"), T(2))
error("binary_cross_entropy", T(values=(0, 1), dtype="int64"), T(values=(0, 1), dtype="int64"))
error("binary_cross_entropy_with_logits", T(2, dtype="int64"), T(2), fn=functional("binary_cross_entropy_with_logits"))
error("prelu", T(2, 3), T(3, dtype="float64"))
case("soft_margin_loss", T(6, dtype="float16"), SIGNS, fn=functional("soft_margin_loss"), grad=False)
error("multilabel_soft_margin_loss", X, Y, reduction="x")
error("poisson_nll_loss", X, Y, reduction="x", fn=functional("poisson_nll_loss"))
error("gaussian_nll_loss", X, Y, -0.5)
error("gaussian_nll_loss", X, Y, T(6, 4))
error("gaussian_nll_loss", X, Y, T(3, low=0.1))
error("gaussian_nll_loss", X, Y, T(6, low=0.1), reduction="x")
error("linear_cross_entropy", T(2, 5, 3), T(4, 3), T(5, dtype="int64", low=0, high=4))
error("linear_cross_entropy", T(5, 3), T(4), T(5, dtype="int64", low=0, high=4))
error("linear_cross_entropy", T(5, 3), T(4, 2), T(5, dtype="int64", low=0, high=4))
error("linear_cross_entropy", T(5, 3), T(4, 3), T(5, dtype="int64", low=0, high=4), linear_bias=T(3))
error("linear_cross_entropy", T(3), T(4, 2, 3), T(2, dtype="int64", low=0, high=4))
error("linear_cross_entropy", T(5, 3), T(4, 3), T(5, 4), ignore_index=1)


def ctc(ns, x, targets, *args, **kwargs):
    """Of log_softmax, whose gradient it is that PyTorch computes."""
    return ns.nn.functional.ctc_loss(x.log_softmax(-1), targets, *args, **kwargs)


PADDED = T(values=((1, 2, 2, 4), (3, 3, 0, 0), (4, 1, 3, 1)), dtype="int64")
JOINED = T(values=(1, 2, 2, 4, 3, 3, 4), dtype="int64")
STEPS, LENGTHS = T(values=(9, 6, 8), dtype="int64"), T(values=(4, 2, 1), dtype="int64")
for reduction in ("none", "mean", "sum"):
    r = {"reduction": reduction, "fn": ctc, "gradgrad": False, "ulp": 16}  # PyTorch adds up in float32
    case("ctc_loss", T(9, 3, 5), PADDED, STEPS, LENGTHS, **r)
    case("ctc_loss", T(9, 3, 5), JOINED, STEPS, LENGTHS, **r)
    case("ctc_loss", T(9, 3, 5), JOINED, (9, 9, 9), (4, 2, 1), **r)
    case("ctc_loss", T(9, 3, 5), PADDED, (9, 2, 0), (4, 2, 0), zero_infinity=True, **r)
    case("ctc_loss", T(9, 3, 5, dtype="float64"), T(values=((1, 2, 2), (0, 3, 0), (0, 1, 3)), dtype="int32"), STEPS, T(values=(3, 3, 3), dtype="int32"), blank=4, **r)
    case("ctc_loss", T(9, 5), T(values=(1, 1, 3), dtype="int64"), T(values=9, dtype="int64"), T(values=3, dtype="int64"), **r)
    case("ctc_loss", T(9, 5), T(values=(1, 1), dtype="int64"), (9,), (2,), **r)
    case("ctc_loss", T(9, 3, 5), T(0, dtype="int64"), (9, 3, 1), (0, 0, 0), **r)
case("ctc_loss", T(9, 3, 5), PADDED, (9, 2, 0), (4, 2, 1), reduction="none", grad=False, fn=ctc, ulp=16)
case("ctc_loss", T(40, 2, 30), T(2, 17, dtype="int64", low=1, high=30), (40, 37), (17, 15), fn=ctc, ulp=64, gradgrad=False)
case("ctc_loss", T(9, 3, 5), JOINED, (9, 9, 9), (4, 2, 1), 0, 2, True, fn=lambda ns, x, *a: ns.ctc_loss(x.log_softmax(-1), *a), ulp=16, gradgrad=False)
error("ctc_loss", T(9, 3, 5), T(values=(1, 2), dtype="int64"), (9, 9, 9), (4, 2, 1), fn=ctc)
error("ctc_loss", T(9, 3, 5), JOINED, (10, 9, 9), (4, 2, 1), fn=ctc)
error("ctc_loss", T(9, 3, 5), JOINED, (9, 9, 9), (4, 2, 2), fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, (9, 9, 9), (5, 2, 1), fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, (9, 9, 9), (-1, 2, 1), fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, (9, -1, 9), (1, 2, 1), fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, (9, 9), (4, 2, 1), fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, (9, 9, 9), (4, 2), fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, (9, 9, 9), (4, 2, 1), blank=5, fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, (9, 9, 9), (4, 2, 1), blank=-1, fn=ctc)
error("ctc_loss", T(9, 3, 5), T(1, 3, 4, dtype="int64"), (9, 9, 9), (4, 2, 1), fn=ctc)
error("ctc_loss", T(9, 4, 5), PADDED, (9, 9, 9, 9), (4, 2, 1, 1), fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, T(3), LENGTHS, fn=ctc)
error("ctc_loss", T(9, 3, 5, dtype="float16"), PADDED, STEPS, LENGTHS, fn=ctc)
error("ctc_loss", T(5), PADDED, STEPS, LENGTHS, fn=ctc)
error("ctc_loss", T(0, 3, 5), PADDED, STEPS, LENGTHS, fn=ctc)
error("ctc_loss", T(9, 3, 5), PADDED, STEPS, LENGTHS, reduction="x", fn=ctc)
for name in ("cross_entropy", "nll_loss"):
    case(name, T(6, 4), T(6, dtype="uint8", low=0, high=4), ulp=16)
    error(name, T(2, 3, 4), T(2, 4, dtype="uint8", low=0, high=3))
error("binary_cross_entropy", T(4, low=0, high=1), T(4, low=0, high=1, dtype="float64"))
error("binary_cross_entropy", T(4, low=0, high=1), T(4, low=0, high=2, dtype="int64"))
