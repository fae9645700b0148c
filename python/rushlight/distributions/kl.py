"""Kullback-Leibler divergences, by the pair of classes.

Closed forms: Gil, "On Renyi divergence measures for continuous alphabet sources", 2011, appendix A, and integrals of
log densities against moments.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import rushlight
from rushlight import inf
from rushlight._C import Tensor
from rushlight.distributions.bernoulli import Bernoulli
from rushlight.distributions.beta import Beta
from rushlight.distributions.binomial import Binomial
from rushlight.distributions.categorical import Categorical
from rushlight.distributions.cauchy import Cauchy
from rushlight.distributions.continuous_bernoulli import ContinuousBernoulli
from rushlight.distributions.dirichlet import Dirichlet
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.exponential import Exponential
from rushlight.distributions.gamma import Gamma
from rushlight.distributions.geometric import Geometric
from rushlight.distributions.gumbel import Gumbel
from rushlight.distributions.half_normal import HalfNormal
from rushlight.distributions.independent import Independent
from rushlight.distributions.laplace import Laplace
from rushlight.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal, _log_det, _mahalanobis
from rushlight.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis
from rushlight.distributions.normal import Normal
from rushlight.distributions.one_hot_categorical import OneHotCategorical
from rushlight.distributions.pareto import Pareto
from rushlight.distributions.poisson import Poisson
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.uniform import Uniform
from rushlight.distributions.utils import _sum_rightmost, euler_constant

__all__ = ["kl_divergence", "register_kl"]

_KL_REGISTRY: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}
_found: dict[tuple[type, type], Any] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """Decorator: the function computes KL(p || q) for p and q of these classes and their subclasses.

    Raises:
        TypeError: a type that is no Distribution.
    """
    for name, kind in (("type_p", type_p), ("type_q", type_q)):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {kind}")

    def decorator(function: Any) -> Any:
        _KL_REGISTRY[type_p, type_q] = function
        _found.clear()
        return function

    return decorator


def _dispatch(type_p: type, type_q: type) -> Any:
    """The function of the nearest pair of base classes; None without one."""
    pairs = [
        (p, q) for p, q in _KL_REGISTRY if issubclass(type_p, p) and issubclass(type_q, q)
    ]
    if not pairs:
        return None

    def by_p(pair: Any) -> tuple[int, int]:
        return type_p.__mro__.index(pair[0]), type_q.__mro__.index(pair[1])

    left = min(pairs, key=by_p)
    right = min(pairs, key=lambda pair: by_p(pair)[::-1])
    if _KL_REGISTRY[left] is not _KL_REGISTRY[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please "
            f"register_kl({left[0].__name__}, {right[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _KL_REGISTRY[left]


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q) = the integral of p(x) log(p(x) / q(x)), of shape batch_shape.

    Raises:
        NotImplementedError: nothing is registered for the classes.
    """
    pair = type(p), type(q)
    if pair not in _found:
        _found[pair] = _dispatch(*pair)
    function = _found[pair]
    if function is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {p.__class__.__name__} and q type "
            f"{q.__class__.__name__}"
        )
    return function(p, q)


def _infinite(shape_of: Tensor) -> Tensor:
    return rushlight.full_like(shape_of, inf)


def _outside(result: Tensor, where: Tensor) -> Tensor:
    """result, infinite where p reaches beyond the support of q."""
    return result.masked_fill(where, inf)


def _xlogx(x: Tensor) -> Tensor:
    return rushlight.special.xlogy(x, x)


def _trace_of_square(m: Tensor) -> Tensor:
    """tr(M M^T)"""
    return m.pow(2).sum((-2, -1))


# ---- p and q of one family ----


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    softplus = rushlight.nn.functional.softplus
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one = _outside(one, q.probs == 0).masked_fill(p.probs == 0, 0)
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zero = _outside(zero, q.probs == 1).masked_fill(p.probs == 1, 0)
    return one + zero


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    p1, p0, q1, q0 = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    total_p, total_q = p1 + p0, q1 + q0
    return (
        (q1.lgamma() + q0.lgamma() + total_p.lgamma())
        - (p1.lgamma() + p0.lgamma() + total_q.lgamma())
        + (p1 - q1) * p1.digamma()
        + (p0 - q0) * p0.digamma()
        + (total_q - total_p) * total_p.digamma()
    )


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    same = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return _outside(p.total_count * same, p.total_count > q.total_count)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    terms = _outside(terms, (q.probs == 0).expand_as(terms))
    return terms.masked_fill((p.probs == 0).expand_as(terms), 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    return (
        p.mean * (p.logits - q.logits)
        + p._log_constant()
        + (-p.probs).log1p()
        - q._log_constant()
        - (-q.probs).log1p()
    )


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    # Chyzak and Nielsen, "A closed-form formula for the Kullback-Leibler divergence between Cauchy distributions", 2019
    square = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return square.log() - (4 * p.scale * q.scale).log()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    total_a, total_b = a.sum(-1), b.sum(-1)
    shifted = a.digamma() - total_a.digamma().unsqueeze(-1)
    return (
        (total_a.lgamma() - total_b.lgamma())
        - (a.lgamma() - b.lgamma()).sum(-1)
        + ((a - b) * shifted).sum(-1)
    )


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """The Bregman divergence of the log normalizer, its gradient by autograd."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed "
            "using Bregman divergences"
        )
    params = [x.detach().requires_grad_() for x in p._natural_params]
    normalizer = p._log_normalizer(*params)
    slopes = rushlight.autograd.grad(normalizer.sum(), params, create_graph=True)
    result = q._log_normalizer(*q._natural_params) - normalizer
    for a, b, slope in zip(params, q._natural_params, slopes, strict=True):
        result = result - _sum_rightmost((b - a) * slope, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return (
        b * (p.rate / q.rate).log()
        + (b.lgamma() - a.lgamma())
        + (a - b) * a.digamma()
        + (q.rate - p.rate) * (a / p.rate)
    )


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio = p.scale / q.scale
    shift_p, shift_q = p.loc / q.scale, q.loc / q.scale
    first = -ratio.log() - shift_q + shift_p
    moment = (shift_q + (1 + ratio).lgamma() - shift_p).exp()
    return first + ratio * euler_constant + moment - (1 + euler_constant)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be computed"
        )
    half_log_det = q._half_log_det() - p._half_log_det()
    n = p.event_shape[0]
    shape = rushlight.broadcast_shapes(
        q._unbroadcasted_scale_tril.shape[:-2], p._unbroadcasted_scale_tril.shape[:-2]
    )
    factor_q = q._unbroadcasted_scale_tril.expand((*shape, n, n))
    factor_p = p._unbroadcasted_scale_tril.expand((*shape, n, n))
    trace = _trace_of_square(rushlight.linalg.solve_triangular(factor_q, factor_p, upper=False))
    distance = _batch_mahalanobis(q._unbroadcasted_scale_tril, q.loc - p.loc)
    return half_log_det + 0.5 * (trace + distance - n)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _lowrank_lowrank(p: LowRankMultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    trace, distance, log_det_q = _trace_by_lowrank(p, q)
    factor, diagonal = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    whitened = _whitened(factor, diagonal, q._capacitance_tril)
    root = p._unbroadcasted_cov_diag.sqrt()
    log_det = log_det_q - _log_det(*p._parts(), p._capacitance_tril)
    trace = trace + (p._unbroadcasted_cov_diag / diagonal).sum(-1)
    trace = trace + _trace_of_square(p._unbroadcasted_cov_factor / diagonal.sqrt().unsqueeze(-1))
    trace = trace - _trace_of_square(whitened * root.unsqueeze(-2))
    trace = trace - _trace_of_square(whitened @ p._unbroadcasted_cov_factor)
    return 0.5 * (log_det + trace + distance - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _full_lowrank(p: MultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    trace, distance, log_det_q = _trace_by_lowrank(p, q)
    factor, diagonal = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    whitened = _whitened(factor, diagonal, q._capacitance_tril)
    trace = trace + _trace_of_square(p._unbroadcasted_scale_tril / diagonal.sqrt().unsqueeze(-1))
    trace = trace - _trace_of_square(whitened @ p._unbroadcasted_scale_tril)
    log_det = log_det_q - 2 * p._half_log_det()
    return 0.5 * (log_det + trace + distance - p.event_shape[0])


def _whitened(factor: Tensor, diagonal: Tensor, capacitance_tril: Tensor) -> Tensor:
    """A with A^T A = D^-1 W C^-1 W^T D^-1, what Woodbury's identity takes off D^-1."""
    scaled = factor.mT / diagonal.unsqueeze(-2)
    return rushlight.linalg.solve_triangular(capacitance_tril, scaled, upper=False)


def _trace_by_lowrank(p: Any, q: LowRankMultivariateNormal) -> tuple[Any, Tensor, Tensor]:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes cannot be "
            "computed"
        )
    distance = _mahalanobis(*q._parts(), q.loc - p.loc, q._capacitance_tril)
    return 0.0, distance, _log_det(*q._parts(), q._capacitance_tril)


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _lowrank_full(p: LowRankMultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes cannot be "
            "computed"
        )
    log_det = 2 * q._half_log_det() - _log_det(*p._parts(), p._capacitance_tril)
    distance = _batch_mahalanobis(q._unbroadcasted_scale_tril, q.loc - p.loc)
    n = p.event_shape[0]
    shape = rushlight.broadcast_shapes(
        q._unbroadcasted_scale_tril.shape[:-2], p._unbroadcasted_cov_factor.shape[:-2]
    )
    factor = p._unbroadcasted_cov_factor
    factor_q = q._unbroadcasted_scale_tril.expand((*shape, n, n))
    factor_p = factor.expand((*shape, n, factor.size(-1)))
    root = p._unbroadcasted_cov_diag.sqrt().diag_embed().expand((*shape, n, n))
    solve = rushlight.linalg.solve_triangular
    trace = _trace_of_square(solve(factor_q, factor_p, upper=False))
    trace = trace + _trace_of_square(solve(factor_q, root, upper=False))
    return 0.5 * (log_det + trace + distance - n)


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return _outside(result, p.support.lower_bound < q.support.lower_bound)


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return _outside(result, (q.low > p.low) | (q.high < p.high))


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


# ---- p reaches where q cannot ----


_infinity = (
    ((Beta,), (Pareto,), "concentration1"),
    ((ContinuousBernoulli,), (Pareto,), "probs"),
    ((Exponential,), (Beta, ContinuousBernoulli, Pareto, Uniform), "rate"),
    ((Gamma,), (Beta, ContinuousBernoulli, Pareto, Uniform), "concentration"),
    ((Gumbel, Laplace, Normal), (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform), "loc"),
    ((Pareto,), (Beta, ContinuousBernoulli, Uniform), "scale"),
    ((Poisson,), (Bernoulli, Binomial), "rate"),
)
for _kinds, _others, _parameter in _infinity:
    for _kind in _kinds:
        for _other in _others:
            register_kl(_kind, _other)(
                lambda p, q, _parameter=_parameter: _infinite(getattr(p, _parameter))
            )


# ---- p and q of different families ----


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Beta, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_constant()


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
def _to_exponential(p: Any, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p: Beta, q: Gamma) -> Tensor:
    mean_log = p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    a = q.concentration
    return -p.entropy() + a.lgamma() - a * q.rate.log() - (a - 1) * mean_log + q.rate * p.mean


def _to_normal(p: Any, q: Normal) -> Tensor:
    """From p's entropy, mean and variance."""
    square = (p.mean - q.loc).pow(2) + p.variance
    return -p.entropy() + 0.5 * (2 * math.pi * q.scale.pow(2)).log() + 0.5 * square / q.scale.pow(2)


for _kind in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Uniform):
    register_kl(_kind, Normal)(_to_normal)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Pareto, q: Normal) -> Tensor:
    return _outside(_to_normal(p, q), p.alpha <= 2)


@register_kl(Beta, Uniform)
def _beta_uniform(p: Beta, q: Uniform) -> Tensor:
    result = -p.entropy() + (q.high - q.low).log()
    return _outside(result, (q.low > p.support.lower_bound) | (q.high < p.support.upper_bound))


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: ContinuousBernoulli, q: Uniform) -> Tensor:
    result = -p.entropy() + (q.high - q.low).log()  # infinite for equal bounds too, as in PyTorch
    return _outside(result, (q.low >= p.support.lower_bound) | (q.high <= p.support.upper_bound))


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Exponential, q: Gamma) -> Tensor:
    a, ratio = q.concentration, q.rate / p.rate
    return -a * ratio.log() + ratio + a.lgamma() + a * euler_constant - (1 + euler_constant)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    product, shift = p.rate * q.scale, q.loc / q.scale
    moment = (shift + product.reciprocal().log1p().neg()).exp()
    return product.log() - 1 + product.reciprocal() - shift + moment


@register_kl(Gamma, Exponential)
def _gamma_exponential(p: Gamma, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    product, shift, a = p.rate * q.scale, q.loc / q.scale, p.concentration
    return (
        (a - 1) * a.digamma()
        - a.lgamma()
        - a
        + product.log()
        + a / product
        - shift
        + shift.exp() * (1 + product.reciprocal()).pow(-a)
    )


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Normal, q: Gumbel) -> Tensor:
    mean, ratio, shift = p.loc / q.scale, (p.scale / q.scale).pow(2), q.loc / q.scale
    moment = (-mean + 0.5 * ratio + shift).exp()
    return -p.entropy() + q.scale.log() + (mean - shift) + moment


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    diff = p.loc - q.loc
    z = diff / p.scale
    mean_distance = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z.pow(2)).exp()
    mean_distance = mean_distance + diff * (math.sqrt(0.5) * z).erf()
    return -p.entropy() + (2 * q.scale).log() + mean_distance / q.scale


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Pareto, q: Exponential) -> Tensor:
    product = p.scale * q.rate
    result = (p.alpha / product).log() - 1 / p.alpha + p.alpha * product / (p.alpha - 1) - 1
    return _outside(result, p.alpha <= 1)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Pareto, q: Gamma) -> Tensor:
    a, mean_log = q.concentration, p.scale.log() + p.alpha.reciprocal()
    result = (
        p.alpha.log()
        - p.scale.log()
        - (1 + p.alpha.reciprocal())
        + a.lgamma()
        - a * q.rate.log()
        + (1 - a) * mean_log
        + q.rate * p.alpha * p.scale / (p.alpha - 1)
    )
    return _outside(result, p.alpha <= 1)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    width = p.high - p.low
    a, b = q.concentration1, q.concentration0
    log_x = (_xlogx(p.high) - _xlogx(p.low) - width) / width
    log_rest = (_xlogx(1 - p.high) - _xlogx(1 - p.low) + width) / width
    normalizer = a.lgamma() + b.lgamma() - (a + b).lgamma()
    result = (b - 1) * log_rest - (a - 1) * log_x + normalizer - width.log()
    return _outside(result, (p.high > q.support.upper_bound) | (p.low < q.support.lower_bound))


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    result = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_constant()
    beyond = (p.high >= q.support.upper_bound) | (p.low <= q.support.lower_bound)
    return _outside(result, beyond)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    result = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log()
    return _outside(result, p.low < q.support.lower_bound)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    width, a = p.high - p.low, q.concentration
    log_x = (_xlogx(p.high) - _xlogx(p.low) - width) / width
    result = (
        -width.log()
        + a.lgamma()
        - a * q.rate.log()
        + (1 - a) * log_x
        + q.rate * (p.high + p.low) / 2
    )
    return _outside(result, p.low < q.support.lower_bound)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    width = q.scale / (p.high - p.low)
    high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return width.log() + 0.5 * (high + low) - width * ((-high).exp() - (-low).exp())


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    width = p.high - p.low
    log_x = (_xlogx(p.high) - _xlogx(p.low) - width) / width
    power = q.alpha * q.scale.pow(q.alpha) * width
    return _outside(log_x * (q.alpha + 1) - power.log(), p.low < q.support.lower_bound)
