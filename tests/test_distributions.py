"""Distributions against PyTorch's: samples of the same seed, densities, moments, divergences, gradients, text."""

import math
import warnings

import numpy as np
import pytest
import scipy.stats

import rushlight

# name: arguments (nested lists become tensors, numbers stay), a value inside the support
CASES = {
    "Bernoulli": [((), {"probs": [0.2, 0.7]}, [1.0, 0.0]), ((), {"logits": [[0.3, -2.0]]}, [[0.0, 1.0]])],
    "Beta": [(([0.5, 2.0], [3.0, 0.7]), {}, [0.2, 0.6]), ((1.5, 2.5), {}, 0.3)],
    "Binomial": [
        ((5,), {"probs": [0.2, 0.7]}, [1.0, 5.0]),
        ((), {"total_count": [[3.0], [3.0]], "logits": [0.1, -1.0]}, [[0.0, 2.0], [3.0, 1.0]]),
    ],
    "Categorical": [
        ((), {"probs": [0.2, 0.3, 0.5]}, 1.0),
        ((), {"logits": [[0.1, 2.0], [-1.0, 0.4]]}, [0.0, 1.0]),
    ],
    "Cauchy": [(([0.0, 1.0], [1.0, 3.0]), {}, [0.5, -2.0])],
    "Chi2": [(([1.0, 3.5],), {}, [0.5, 2.0])],
    "ContinuousBernoulli": [
        ((), {"probs": [0.2, 0.5, 0.9]}, [0.3, 0.1, 0.8]),
        ((), {"logits": [0.2, -1.5]}, [0.3, 0.1]),
    ],
    "Dirichlet": [(([0.5, 1.0, 2.0],), {}, [0.2, 0.3, 0.5]), (([[1.0, 3.0], [0.4, 0.3]],), {}, [0.25, 0.75])],
    "Exponential": [(([0.5, 2.0],), {}, [0.4, 3.0])],
    "FisherSnedecor": [(([5.0, 3.0], [6.0, 9.0]), {}, [0.4, 3.0])],
    "Gamma": [(([0.5, 3.0], [1.0, 2.0]), {}, [0.4, 3.0]), ((2.0, 3.0), {}, 0.5)],
    "GeneralizedPareto": [(([0.0, 1.0, 0.5], [1.0, 2.0, 1.0], [0.3, 0.0, -0.2]), {}, [0.5, 3.0, 1.0])],
    "Geometric": [((), {"probs": [0.3, 1.0]}, [2.0, 0.0]), ((), {"logits": [0.4]}, [3.0])],
    "Gumbel": [(([0.0, 1.0], [1.0, 2.0]), {}, [0.3, -1.0]), ((0.0, 1.0), {}, 0.2)],
    "HalfCauchy": [(([1.0, 2.0],), {}, [0.3, 4.0])],
    "HalfNormal": [(([1.0, 2.0],), {}, [0.3, 4.0]), ((1.5,), {}, 0.2)],
    "InverseGamma": [(([1.5, 3.0], [1.0, 2.0]), {}, [0.4, 3.0])],
    "Kumaraswamy": [(([0.5, 2.0], [3.0, 0.7]), {}, [0.2, 0.6])],
    "LKJCholesky": [((3, 0.5), {}, [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]])],
    "Laplace": [(([0.0, 1.0], [1.0, 2.0]), {}, [0.3, -1.0])],
    "LogNormal": [(([0.0, 1.0], [1.0, 0.5]), {}, [0.3, 2.0])],
    "LogisticNormal": [(([0.0, 1.0], [1.0, 0.5]), {}, [0.2, 0.3, 0.5])],
    "LowRankMultivariateNormal": [
        (([0.0, 1.0, 2.0], [[1.0], [0.5], [0.2]], [1.0, 2.0, 0.5]), {}, [0.3, 1.0, -1.0])
    ],
    "Multinomial": [((4,), {"probs": [0.2, 0.3, 0.5]}, [1.0, 1.0, 2.0])],
    "MultivariateNormal": [
        (([0.0, 1.0],), {"covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]}, [0.3, 1.0]),
        (([0.0, 1.0],), {"precision_matrix": [[2.0, 0.5], [0.5, 1.0]]}, [0.3, 1.0]),
        (([[0.0, 1.0], [3.0, 1.0]],), {"scale_tril": [[2.0, 0.0], [0.5, 1.0]]}, [0.3, 1.0]),
    ],
    "NegativeBinomial": [((3.0,), {"probs": [0.2, 0.7]}, [1.0, 5.0]), ((2.5,), {"logits": [0.3]}, [4.0])],
    "Normal": [(([0.0, 1.0], [1.0, 2.0]), {}, [0.3, -1.0]), ((0.0, 1.0), {}, 0.2), ((0, 1), {}, 0.2)],
    "OneHotCategorical": [((), {"probs": [0.2, 0.3, 0.5]}, [0.0, 1.0, 0.0])],
    "OneHotCategoricalStraightThrough": [((), {"logits": [0.2, 0.3, 0.5]}, [0.0, 1.0, 0.0])],
    "Pareto": [(([1.0, 2.0], [3.0, 1.5]), {}, [1.5, 4.0])],
    "Poisson": [(([0.5, 4.0, 30.0],), {}, [0.0, 3.0, 28.0])],
    "RelaxedBernoulli": [(([0.7],), {"probs": [0.2, 0.7]}, [0.4, 0.8])],
    "RelaxedOneHotCategorical": [(([0.7],), {"logits": [0.2, 0.7, 1.0]}, [0.2, 0.3, 0.5])],
    "StudentT": [(([1.5, 4.0], [0.0, 1.0], [1.0, 2.0]), {}, [0.3, -1.0])],
    "Uniform": [(([0.0, -1.0], [1.0, 3.0]), {}, [0.3, 2.0]), ((0.0, 2.0), {}, 1.0)],
    "VonMises": [(([0.0, 2.0], [1.0, 20.0]), {}, [0.3, 2.1])],
    "Weibull": [(([1.0, 2.0], [1.5, 0.7]), {}, [0.3, 2.0])],
    "Wishart": [((4.0,), {"covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]}, [[3.0, 0.4], [0.4, 2.0]])],
}
LIST = [pytest.param(name, i, id=f"{name}-{i}") for name, cases in CASES.items() for i in range(len(cases))]
ROUNDING = {"rtol": 2e-5, "atol": 2e-6}  # float32, a dozen operations
GRADIENT = {"rtol": 2e-3, "atol": 1e-4}  # PyTorch approximates a gamma draw's slope to about three digits


def build(ns, name, i, requires_grad=False):
    """The distribution of a case in a library, and its tensor parameters."""
    args, kwargs, value = CASES[name][i]
    params = []

    def convert(x):
        if not isinstance(x, list):
            return x
        t = ns.tensor(x, requires_grad=requires_grad)
        params.append(t)
        return t

    args = [convert(a) for a in args]
    kwargs = {k: convert(v) for k, v in kwargs.items()}
    return getattr(ns.distributions, name)(*args, **kwargs), params, ns.tensor(value)


def same(ours, theirs, **tolerance):
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), **(tolerance or ROUNDING)
    )


def both(f, name, i, **kwargs):
    """f(library, distribution, parameters, value) in both; the exception's type where it raises."""
    torch = pytest.importorskip("torch")
    results = []
    for ns in (rushlight, torch):
        ns.manual_seed(7)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                results.append(f(ns, *build(ns, name, i, **kwargs)))
            except (NotImplementedError, ValueError, RuntimeError, AttributeError) as error:
                results.append(type(error))
    if isinstance(results[0], type) or isinstance(results[1], type):
        ours, theirs = (getattr(r, "__name__", r) for r in results)
        assert ours == theirs
        return None
    return results


@pytest.mark.parametrize(("name", "i"), LIST)
def test_samples_of_the_same_seed(name, i):
    for shape in ((), (3,), (2, 50)):
        got = both(lambda ns, d, p, v, shape=shape: d.sample(shape), name, i)
        # a correlation matrix's last diagonal is the root of what is left of 1, down to 1e-4 here
        same(*got, **({"rtol": 2e-5, "atol": 2e-5} if name == "LKJCholesky" else ROUNDING))


@pytest.mark.parametrize(("name", "i"), LIST)
def test_reparametrised_samples_and_their_gradients(name, i):
    def run(ns, d, params, value):
        x = d.rsample((20,))
        if x.requires_grad:
            (x * ns.linspace(-1, 1, x.numel()).reshape(x.shape)).sum().backward()
        return [x, *(p.grad for p in params)]

    if name == "Wishart":  # PyTorch cannot: it writes into what the gradient needs
        d, params, _ = build(rushlight, name, i, requires_grad=True)
        d.rsample((20,)).sum().backward()
        assert all(p.grad.isfinite().all() for p in params)
        return
    got = both(run, name, i, requires_grad=True)
    if got:
        same(got[0][0], got[1][0])
        for ours, theirs in zip(got[0][1:], got[1][1:], strict=True):
            assert (ours is None) == (theirs is None)
            if ours is not None:
                same(ours, theirs, **GRADIENT)


@pytest.mark.parametrize(("name", "i"), LIST)
def test_log_prob_and_its_gradients(name, i):
    def run(ns, d, params, value):
        value.requires_grad_()
        y = d.log_prob(value)
        if y.requires_grad:
            y.sum().backward()
        return [y, value.grad, *(p.grad for p in params)]

    got = both(run, name, i, requires_grad=True)
    for ours, theirs in zip(*got, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            same(ours, theirs, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("what", ["mean", "mode", "variance", "stddev", "entropy", "perplexity", "enumerate_support"])
@pytest.mark.parametrize(("name", "i"), LIST)
def test_properties(name, i, what):
    def run(ns, d, params, value):
        x = getattr(d, what)
        return x() if callable(x) else x

    got = both(run, name, i)
    if got:
        same(*got, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "i"), LIST)
def test_cumulative_functions(name, i):
    got = both(lambda ns, d, p, v: d.cdf(v), name, i)
    if got:
        same(*got)
    got = both(lambda ns, d, p, v: d.icdf(ns.full(d.batch_shape, 0.3)), name, i)
    if got:
        same(*got)


@pytest.mark.parametrize(("name", "i"), LIST)
def test_text_shapes_and_support(name, i):
    def run(ns, d, params, value):
        big = d.expand((2, *d.batch_shape))
        support = d.support
        return [
            repr(d), tuple(d.batch_shape), tuple(d.event_shape), tuple(big.batch_shape), tuple(big.event_shape),
            d.has_rsample, d.has_enumerate_support, repr(support).replace("rushlight", "torch"),
            support.is_discrete, support.event_dim, sorted(d.arg_constraints), str(d.arg_constraints),
            support.check(value).tolist(), repr(big), big.sample().tolist(),
        ]  # fmt: skip

    ours, theirs = both(run, name, i)
    assert ours[:-1] == theirs[:-1]
    np.testing.assert_allclose(ours[-1], theirs[-1], **ROUNDING)


@pytest.mark.parametrize("name", CASES)
def test_bad_parameters_and_values(name):
    def parameters(ns, d, params, value):
        args, kwargs, _ = CASES[name][0]
        bad = {k: ns.full_like(p, math.nan) for k, p in zip("abc", params, strict=False)}
        tensors = iter(bad.values())
        change = [next(tensors) if isinstance(a, list) else a for a in args]
        keywords = {k: next(tensors) if isinstance(a, list) else a for k, a in kwargs.items()}
        getattr(ns.distributions, name)(*change, **keywords)

    def values(ns, d, params, value):
        d.log_prob(ns.full_like(value, math.nan))

    both(parameters, name, 0)
    both(values, name, 0)


def _pairs():
    torch = pytest.importorskip("torch")
    kl = torch.distributions.kl
    done = set()
    for p in CASES:
        for q in CASES:
            kinds = [getattr(torch.distributions, n) for n in (p, q)]
            if kl._dispatch_kl(*kinds) is not NotImplemented:
                done.add((p, q))
    return sorted(done)


def test_divergences_of_all_pairs():
    """Every pair of classes that PyTorch knows; the value, or the exception's type."""
    torch = pytest.importorskip("torch")
    compared = 0
    for p, q in _pairs():
        for i in range(len(CASES[p])):
            for j in range(len(CASES[q])):
                if p == q == "Bernoulli" and i != j:
                    continue  # PyTorch cannot broadcast p to q here (IndexError)
                results = []
                for ns in (rushlight, torch):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        try:
                            pair = build(ns, p, i)[0], build(ns, q, j)[0]
                            results.append(ns.distributions.kl_divergence(*pair))
                        except (NotImplementedError, ValueError, RuntimeError, AttributeError) as error:
                            results.append(type(error))
                if isinstance(results[0], type) or isinstance(results[1], type):
                    assert results[0] == results[1], (p, q, results)
                else:
                    compared += 1
                    np.testing.assert_allclose(
                        *(r.detach().numpy() for r in results), rtol=1e-4, atol=1e-5, err_msg=f"{p} {q}"
                    )
    assert compared > 100
    for ns in (rushlight, torch):
        with pytest.raises(NotImplementedError):
            ns.distributions.kl_divergence(build(ns, "VonMises", 0)[0], build(ns, "Normal", 0)[0])


TRANSFORMS = {
    "exp": lambda t, ns: t.ExpTransform(),
    "power": lambda t, ns: t.ComposeTransform([t.ExpTransform(), t.PowerTransform(ns.tensor(1.7))]),
    "sigmoid": lambda t, ns: t.SigmoidTransform(),
    "softplus": lambda t, ns: t.SoftplusTransform(),
    "tanh": lambda t, ns: t.TanhTransform(),
    "abs": lambda t, ns: t.AbsTransform(),
    "affine": lambda t, ns: t.AffineTransform(ns.tensor(1.0), ns.tensor([2.0, -3.0, 0.5])),
    "affine event": lambda t, ns: t.AffineTransform(1.0, -3.0, event_dim=1),
    "softmax": lambda t, ns: t.SoftmaxTransform(),
    "stick": lambda t, ns: t.StickBreakingTransform(),
    "corr": lambda t, ns: t.CorrCholeskyTransform(),
    "reshape": lambda t, ns: t.ReshapeTransform((3,), (1, 3)),
    "independent": lambda t, ns: t.IndependentTransform(t.ExpTransform(), 1),
    "compose": lambda t, ns: t.ComposeTransform([t.TanhTransform(), t.AffineTransform(0.0, 2.0), t.ExpTransform()]),
    "inverse": lambda t, ns: t.ComposeTransform([t.SigmoidTransform(), t.ExpTransform().inv]),
    "cat": lambda t, ns: t.CatTransform([t.ExpTransform(), t.TanhTransform()], -1, [1, 2]),
    "stack": lambda t, ns: t.StackTransform([t.ExpTransform(), t.TanhTransform(), t.identity_transform], -1),
    "cdf": lambda t, ns: t.CumulativeDistributionTransform(ns.distributions.Normal(0.0, 1.0)),
    "lower": lambda t, ns: t.ComposeTransform([t.ReshapeTransform((3,), (3, 1)), t.LowerCholeskyTransform()]),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    torch = pytest.importorskip("torch")
    results = []
    for ns in (rushlight, torch):
        x = ns.tensor([[0.3, -0.2, 0.5], [1.1, 0.4, -0.7]])
        t = TRANSFORMS[name](ns.distributions.transforms, ns)
        y = t(x)
        row = [repr(t), t.bijective, y.numpy(), tuple(t.forward_shape(x.shape)), tuple(t.inverse_shape(y.shape))]
        row.append(t.inv(y).numpy())
        for get in (lambda t=t: t.sign, lambda t=t: t.domain, lambda t=t: t.codomain):
            try:
                row.append(str(get()))
            except NotImplementedError:
                row.append("not implemented")
        try:
            row.append(t.log_abs_det_jacobian(x, y).numpy())
        except NotImplementedError:
            row.append("not implemented")
        row += [t == TRANSFORMS[name](ns.distributions.transforms, ns), t == t.inv, t.inv.inv is t]
        results.append(row)
    for ours, theirs in zip(*results, strict=True):
        if isinstance(theirs, np.ndarray):
            np.testing.assert_allclose(ours, theirs, **ROUNDING)
        else:
            assert ours == theirs


def test_registries_and_constraints():
    torch = pytest.importorskip("torch")

    def kinds(ns):
        c = ns.distributions.constraints
        return [
            c.real, c.positive, c.nonnegative, c.greater_than(2.0), c.greater_than_eq(1.0), c.less_than(3.0),
            c.unit_interval, c.interval(-1.0, 2.0), c.half_open_interval(0.0, 2.0), c.simplex, c.real_vector,
            c.independent(c.positive, 1), c.lower_cholesky, c.corr_cholesky, c.positive_definite, c.boolean,
            c.cat([c.real, c.positive], -1, [1, 2]), c.stack([c.real, c.positive, c.unit_interval], -1),
            c.integer_interval(0, 2), c.one_hot, c.nonnegative_integer, c.positive_integer, c.lower_triangular,
            c.square, c.symmetric, c.positive_semidefinite, c.multinomial(3), c.dependent,
        ]  # fmt: skip

    rows = []
    for ns in (rushlight, torch):
        row = []
        for c in kinds(ns):
            for registry in (ns.distributions.biject_to, ns.distributions.transform_to):
                try:
                    row.append(repr(registry(c)))
                except NotImplementedError as error:
                    row.append(str(error))
            for value in ([0.0, 1.0, 2.0], [[1.0, 0.0, 0.0], [0.5, 1.0, 0.0], [0.0, 0.2, 2.0]], [0.2, 0.3, 0.5]):
                try:
                    row.append(c.check(ns.tensor(value)).tolist())
                except (ValueError, RuntimeError, IndexError) as error:
                    row.append(type(error))
        rows.append(row)
    assert rows[0] == rows[1]


def test_mixtures_and_independent():
    torch = pytest.importorskip("torch")
    results = []
    for ns in (rushlight, torch):
        d = ns.distributions
        ns.manual_seed(3)
        weights = d.Categorical(ns.tensor([0.3, 0.7]))
        plain = d.MixtureSameFamily(weights, d.Normal(ns.tensor([0.0, 3.0]), ns.tensor([1.0, 0.5])))
        vectors = d.MixtureSameFamily(
            weights, d.Independent(d.Normal(ns.tensor([[0.0, 1.0], [3.0, 2.0]]), ns.ones(2, 2)), 1)
        )
        flow = d.TransformedDistribution(
            d.Normal(ns.zeros(3), ns.ones(3)), [d.AffineTransform(ns.tensor([1.0, 2.0, 3.0]), 2.0), d.SigmoidTransform()]
        )
        sphere = d.Independent(d.Laplace(ns.zeros(2, 3), ns.ones(2, 3)), 1)
        row = [repr(plain), repr(vectors), repr(flow), repr(sphere)]
        for dist in (plain, vectors, flow, sphere):
            x = dist.sample((4,))
            row += [x.numpy(), dist.log_prob(x).numpy(), str(dist.support)]
        row += [plain.mean.numpy(), plain.variance.numpy(), plain.cdf(ns.tensor(1.0)).numpy()]
        row += [vectors.mean.numpy(), vectors.variance.numpy(), flow.cdf(ns.tensor([0.5] * 3)).numpy()]
        row += [flow.icdf(ns.tensor([0.5] * 3)).numpy(), sphere.entropy().numpy()]
        results.append(row)
    for ours, theirs in zip(*results, strict=True):
        if isinstance(theirs, str):
            assert ours == theirs
        else:
            np.testing.assert_allclose(ours, theirs, **ROUNDING)


# ---- without PyTorch ----

SCIPY = {
    "Normal": ((1.0, 2.0), scipy.stats.norm(1, 2)),
    "Gamma": ((2.5, 3.0), scipy.stats.gamma(2.5, scale=1 / 3)),
    "Beta": ((2.0, 0.7), scipy.stats.beta(2, 0.7)),
    "StudentT": ((4.0, 1.0, 2.0), scipy.stats.t(4, 1, 2)),
    "Laplace": ((1.0, 2.0), scipy.stats.laplace(1, 2)),
    "Cauchy": ((1.0, 2.0), scipy.stats.cauchy(1, 2)),
    "Gumbel": ((1.0, 2.0), scipy.stats.gumbel_r(1, 2)),
    "Weibull": ((2.0, 1.5), scipy.stats.weibull_min(1.5, scale=2)),
    "Pareto": ((2.0, 3.0), scipy.stats.pareto(3, scale=2)),
    "LogNormal": ((0.5, 0.7), scipy.stats.lognorm(0.7, scale=math.exp(0.5))),
    "HalfNormal": ((2.0,), scipy.stats.halfnorm(scale=2)),
    "FisherSnedecor": ((5.0, 7.0), scipy.stats.f(5, 7)),
    "InverseGamma": ((3.0, 2.0), scipy.stats.invgamma(3, scale=2)),
    "VonMises": ((0.5, 2.0), scipy.stats.vonmises(2, 0.5)),
    "Exponential": ((2.0,), scipy.stats.expon(scale=0.5)),
    "Chi2": ((3.0,), scipy.stats.chi2(3)),
    "GeneralizedPareto": ((1.0, 2.0, 0.3), scipy.stats.genpareto(0.3, 1, 2)),
}


@pytest.mark.parametrize("name", SCIPY)
def test_densities_and_samples_against_scipy(name):
    args, reference = SCIPY[name]
    d = getattr(rushlight.distributions, name)(*args)
    x = reference.ppf([0.05, 0.3, 0.5, 0.8, 0.99])
    np.testing.assert_allclose(
        d.log_prob(rushlight.tensor(x, dtype=rushlight.float32)).numpy(), reference.logpdf(x), rtol=2e-4, atol=2e-5
    )
    rushlight.manual_seed(1)
    drawn = d.sample((4000,)).numpy()
    assert scipy.stats.kstest(drawn, reference.cdf).pvalue > 1e-3


@pytest.mark.parametrize("a", [0.02, 0.3, 1.0, 4.0, 60.0, 2000.0])
def test_slope_of_gamma_quantiles(a):
    """dx/da at a fixed probability, against a difference quotient of SciPy's quantiles."""
    p = np.array([0.02, 0.3, 0.6, 0.95])
    h = 1e-5 * a
    slope = (scipy.stats.gamma.ppf(p, a + h) - scipy.stats.gamma.ppf(p, a - h)) / (2 * h)
    x = rushlight.tensor(scipy.stats.gamma.ppf(p, a))
    got = rushlight._standard_gamma_grad(rushlight.full_like(x, a), x)
    np.testing.assert_allclose(got.numpy(), slope, rtol=1e-5)


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.5), (2.0, 3.0), (40.0, 0.7), (0.6, 30.0), (200.0, 300.0)])
def test_slope_of_beta_quantiles(a, b):
    p = np.array([0.02, 0.3, 0.6, 0.95])
    h = 1e-5 * a
    slope = (scipy.stats.beta.ppf(p, a + h, b) - scipy.stats.beta.ppf(p, a - h, b)) / (2 * h)
    x = rushlight.tensor(scipy.stats.beta.ppf(p, a, b))
    got = rushlight._dirichlet_grad(x, rushlight.full_like(x, a), rushlight.full_like(x, a + b))
    np.testing.assert_allclose((got * (1 - x)).numpy(), slope, rtol=2e-5)


def test_validation_can_be_switched_off():
    normal = rushlight.distributions.Normal
    with pytest.raises(ValueError, match="scale.*GreaterThan.lower_bound=0.0"):
        normal(0.0, -1.0)
    assert normal(0.0, -1.0, validate_args=False).scale.item() == -1
    with pytest.raises(ValueError, match="support"):
        rushlight.distributions.Bernoulli(0.5).log_prob(rushlight.tensor(0.4))
    normal.set_default_validate_args(False)
    try:
        normal(0.0, -1.0)
    finally:
        normal.set_default_validate_args(True)
