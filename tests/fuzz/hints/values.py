"""Hints for values: limits, probabilities, targets, weights."""

from __future__ import annotations

import math

from samples import FLOATING

from ..draw import INF, X
from ..table import ALL_PARAMS
from .registry import hint

@hint("prelu")
def _(draw, values):
    shape, dtype = draw.base.shape, draw.base.dtype
    n = shape[1] if len(shape) > 1 else 1
    values["weight"] = draw.x(draw.choice(((), (1,), (n,), (n,), (3,))), dtype if draw.chance(0.95) else None)


@hint("softmax", "log_softmax")
def _(draw, values):
    values["dim"] = draw.dim()


@hint("eye")
def _(draw, values):
    if values.get("m", 0) is None:
        del values["m"]
    values["n"] = draw.int(-1, 5) if draw.chance(0.2) else draw.int(0, 5)


@hint("arange", "arange_end", "range", "linspace", "logspace")
def _(draw, values):
    def number():
        return draw.int(-6, 9) if draw.chance(0.6) else draw.choice((0.5, -1.5, 3.25, 7.0, 2.0))

    for name in ("start", "end", "step"):
        if name in values:
            values[name] = number()
    if values.get("step") and draw.chance(0.8) and "start" in values:
        values["step"] = math.copysign(values["step"], values["end"] - values["start"])
    if values.get("step") != round(values.get("step") or 0) and draw.base is not None:
        values.pop("dtype", None)  # PyTorch divides by an integer step of 0, which ends it
    if "steps" in values:
        values["steps"] = draw.int(-1, 6) if draw.chance(0.2) else draw.int(0, 6)
    if "base" in values:
        values["base"] = draw.choice((2.0, 10.0, 0.5, 3))


@hint("full")
def _(draw, values):
    values["size"] = draw.shape()


@hint("empty_strided")
def _(draw, values):
    n = draw.int(0, 3)
    values["size"] = tuple(draw.int(0, 3) for _ in range(n))
    values["stride"] = tuple(draw.int(0, 4) for _ in range(n if draw.chance(0.95) else n + 1))


@hint("randint", "randint_high", "randint_like", "randint_like_high")
def _(draw, values):
    if "low" in values:
        values["low"] = draw.int(-5, 3)
    values["high"] = draw.int(0, 9) if draw.chance(0.2) else draw.int(4, 100)
    if "size" in values:
        values["size"] = draw.shape(0, 3)


@hint("randperm")
def _(draw, values):
    values["n"] = draw.int(-1, 9) if draw.chance(0.2) else draw.int(0, 9)


@hint("normal_tensor_tensor", "normal_tensor_float", "normal_float_tensor")
def _(draw, values):
    for name in ("mean", "std"):
        if isinstance(values.get(name), X):
            values[name] = draw.x(draw.base.shape, draw.base.dtype, "unit")
        elif name in values:
            values[name] = draw.choice((0.0, 1.0, 0.5, -1.0 if name == "mean" else 2))


@hint("normal_float_float")
def _(draw, values):
    values |= {"mean": draw.choice((0.0, 1.5, -2)), "std": draw.choice((1.0, 0.5, 0, -1.0)), "size": draw.shape(1, 3)}


@hint("bernoulli", "bernoulli_fill_tensor")
def _(draw, values):
    if "p" in values:
        values["p"] = draw.x(draw.broadcastable(draw.base.shape), draw.base.dtype, "unit")
    else:
        values["input"] = draw.x(None, draw.base.dtype, "unit" if draw.chance(0.9) else None)


@hint("bernoulli_p", "bernoulli_fill", "geometric", "dropout")
def _(draw, values):
    if "p" in values:
        values["p"] = draw.choice((0.5, 0.25, 0.9, 0.0, 1.0, 1.5, -0.5))


@hint("multinomial")
def _(draw, values):
    values["input"] = draw.x(draw.shape(1, 2), draw.choice(("float32", "float64", "float16", "int64")), "unit")
    values["num_samples"] = draw.int(0, 3)


@hint("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div")
def _(draw, values):
    values["target"] = draw.x(draw.base.shape if draw.chance(0.7) else draw.broadcastable(draw.base.shape),
                              draw.base.dtype if draw.chance(0.9) else None)


@hint("binary_cross_entropy", "binary_cross_entropy_with_logits")
def _(draw, values):
    shape, dtype = draw.base.shape, draw.base.dtype
    values["input"] = draw.x(shape, dtype, "unit" if draw.chance(0.9) else "plain")
    values["target"] = draw.x(shape if draw.chance(0.95) else None, dtype if draw.chance(0.95) else None, "unit")
    for name in ("weight", "pos_weight"):
        if isinstance(values.get(name), X):
            values[name] = draw.x(draw.broadcastable(shape), dtype, "unit", grad=False)


@hint("nll_loss", "cross_entropy")
def _(draw, values):
    dtype = draw.base.dtype if draw.base.dtype in FLOATING or draw.chance(0.1) else "float32"
    classes, n = draw.int(1, 4), draw.int(0, 3)
    rest = draw.choice(((), (), (2,), (2, 3)))
    shape, target = ((classes,), ()) if draw.chance(0.15) else ((n, classes, *rest), (n, *rest))
    values["input"] = draw.x(shape, dtype, draw.choice(("plain", "plain", "special")))
    if len(ALL_PARAMS["cross_entropy"]) and "label_smoothing" in values and draw.chance(0.4):
        values["target"] = draw.x(shape, dtype, "unit")
    else:
        values["target"] = draw.index(target if draw.chance(0.95) else draw.shape(), classes)
    if isinstance(values.get("weight"), X):
        values["weight"] = draw.x((classes,) if draw.chance(0.95) else (classes + 1,), dtype, "unit", grad=False)
    if "ignore_index" in values:
        values["ignore_index"] = draw.choice((-100, 0, 1, -1))
    if "label_smoothing" in values:
        values["label_smoothing"] = draw.choice((0.0, 0.1, 0.5, 1.0, 1.5))


@hint("round")
def _(draw, values):
    if "decimals" in values:
        values["decimals"] = draw.choice((1, 2, 3, -1))


@hint("clamp", "clip")
def _(draw, values):
    limits = [values.get("min"), values.get("max")]
    if any(isinstance(v, X) for v in limits):  # PyTorch has no overload for a tensor and a number
        for name in ("min", "max"):
            if values.get(name) is not None and not isinstance(values[name], X):
                values[name] = draw.like()


@hint("lerp")
def _(draw, values):
    if isinstance(values["weight"], X):
        values["weight"] = draw.x(draw.broadcastable(draw.base.shape), draw.base.dtype)


@hint("pow")
def _(draw, values):
    if draw.chance(0.15):
        values["input"], values["exponent"] = draw.number(), draw.x()


@hint("norm", "dist", "pairwise_distance", "cdist", "pdist", "renorm")
def _(draw, values):
    if values.get("p") is not None:  # orders at which powers overflow are nobody's
        values["p"] = draw.choice((0, 1, 2, 2.0, 3, 0.5, 2.5, INF, -1.0 if draw.chance(0.1) else 1))


@hint("scaled_dot_product_attention")
def _(draw, values):
    if any(0 in v.shape for v in values.values() if isinstance(v, X)):
        values.pop("enable_gqa", None)  # PyTorch divides by no heads, which ends it
