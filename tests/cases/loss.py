"""Losses: every reduction, weights, ignored targets, label smoothing."""

from samples import T, case, error

CLASSES = T(values=(0, 2, 1, 2, 0, 1), dtype="int64")
IGNORED = T(values=(0, 2, -100, 2, 0, 1), dtype="int64")
IMAGE = T(2, 4, 5, dtype="int64", low=0, high=3)
X = T(6, 3)


def functional(name):
    """The spelling of nn.functional: rushlight.name is another function, or none."""
    return lambda ns, *args, **kwargs: getattr(ns.nn.functional, name)(*args, **kwargs)


UNIT = {"low": 0.05, "high": 0.95}

for reduction in ("none", "mean", "sum"):
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        case(name, T(4, 3), T(4, 3), reduction=reduction)
    case("smooth_l1_loss", T(4, 3), T(4, 3), reduction=reduction, beta=0.5)
    case("huber_loss", T(4, 3), T(4, 3), reduction=reduction, delta=0.5)
    for name in ("nll_loss", "cross_entropy"):
        case(name, X, CLASSES, reduction=reduction)
        case(name, X, IGNORED, reduction=reduction)
        case(name, X, CLASSES, T(3, low=0.2, high=2, grad=False), reduction=reduction)
        case(name, X, CLASSES, T(3, low=0.2, high=2, grad=False), 0, reduction=reduction, fn=lambda ns, x, t, w, i, reduction, name=name: getattr(ns.nn.functional, name)(x, t, w, ignore_index=i, reduction=reduction))
        case(name, T(2, 3, 4, 5), IMAGE, reduction=reduction, ulp=32)  # nll_loss: terms of both signs cancel
        case(name, T(3), T(values=1, dtype="int64"), reduction=reduction)
    case("cross_entropy", X, CLASSES, reduction=reduction, label_smoothing=0.1, node=False)
    case("cross_entropy", X, IGNORED, T(3, low=0.2, high=2, grad=False), reduction=reduction, label_smoothing=0.3)
    case("cross_entropy", X, T(6, 3, low=0, high=1), reduction=reduction, node=False)
    case("cross_entropy", X, T(6, 3, low=0, high=1), T(3, low=0.2, high=2, grad=False), reduction=reduction, label_smoothing=0.2, node=False)
    case("binary_cross_entropy", T(4, 3, **UNIT), T(4, 3, low=0, high=1), reduction=reduction)
    case("binary_cross_entropy", T(4, 3, **UNIT), T(4, 3, low=0, high=1, grad=False), T(3, low=0.2, grad=False), reduction=reduction)
    case("binary_cross_entropy_with_logits", T(4, 3), T(4, 3, low=0, high=1), reduction=reduction, fn=functional("binary_cross_entropy_with_logits"))
    case("binary_cross_entropy_with_logits", T(4, 3), T(4, 3, low=0, high=1, grad=False), weight=T(3, low=0.2, grad=False), pos_weight=T(3, low=0.2, grad=False), reduction=reduction, fn=functional("binary_cross_entropy_with_logits"))
    case("kl_div", T(4, 3), T(4, 3, **UNIT), reduction=reduction, fn=functional("kl_div"))
    case("kl_div", T(4, 3), T(4, 3), reduction=reduction, log_target=True, fn=functional("kl_div"))
case("cross_entropy", T(32, 70, low=-20, high=20), T(32, dtype="int64", low=0, high=70))
case("cross_entropy", T(6, 3, dtype="float64"), CLASSES)
error("cross_entropy", X, T(5, dtype="int64", low=0, high=3))
error("cross_entropy", X, T(6, dtype="int64", low=3, high=4))
error("cross_entropy", X, T(6, 4))
error("cross_entropy", X, CLASSES, reduction="other")
error("nll_loss", X, T(6))
error("nll_loss", X, T(6, dtype="int64", low=3, high=4))
error("mse_loss", T(4, 3), T(5, 3))
error("mse_loss", T(4, 3), T(4, 3), reduction="other")
error("binary_cross_entropy", T(4, low=1.5, high=2), T(4, low=0, high=1))
