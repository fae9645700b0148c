"""Probability distributions: sampling, densities, entropies, divergences; gradients where a sample has them.

One family per file, imported when first mentioned. Samples of the same seed are PyTorch's.
"""

# ruff: noqa: F401, F403
from typing import TYPE_CHECKING

from rushlight._lazy import attach

if TYPE_CHECKING:  # what type checkers and editors cannot see below
    from rushlight.distributions.bernoulli import *
    from rushlight.distributions.beta import *
    from rushlight.distributions.binomial import *
    from rushlight.distributions.categorical import *
    from rushlight.distributions.cauchy import *
    from rushlight.distributions.chi2 import *
    from rushlight.distributions.constraint_registry import *
    from rushlight.distributions.continuous_bernoulli import *
    from rushlight.distributions.dirichlet import *
    from rushlight.distributions.distribution import *
    from rushlight.distributions.exp_family import *
    from rushlight.distributions.exponential import *
    from rushlight.distributions.fishersnedecor import *
    from rushlight.distributions.gamma import *
    from rushlight.distributions.generalized_pareto import *
    from rushlight.distributions.geometric import *
    from rushlight.distributions.gumbel import *
    from rushlight.distributions.half_cauchy import *
    from rushlight.distributions.half_normal import *
    from rushlight.distributions.independent import *
    from rushlight.distributions.inverse_gamma import *
    from rushlight.distributions.kl import *
    from rushlight.distributions.kumaraswamy import *
    from rushlight.distributions.laplace import *
    from rushlight.distributions.lkj_cholesky import *
    from rushlight.distributions.log_normal import *
    from rushlight.distributions.logistic_normal import *
    from rushlight.distributions.lowrank_multivariate_normal import *
    from rushlight.distributions.mixture_same_family import *
    from rushlight.distributions.multinomial import *
    from rushlight.distributions.multivariate_normal import *
    from rushlight.distributions.negative_binomial import *
    from rushlight.distributions.normal import *
    from rushlight.distributions.one_hot_categorical import *
    from rushlight.distributions.pareto import *
    from rushlight.distributions.poisson import *
    from rushlight.distributions.relaxed_bernoulli import *
    from rushlight.distributions.relaxed_categorical import *
    from rushlight.distributions.studentT import *
    from rushlight.distributions.transformed_distribution import *
    from rushlight.distributions.transforms import *
    from rushlight.distributions.uniform import *
    from rushlight.distributions.von_mises import *
    from rushlight.distributions.weibull import *
    from rushlight.distributions.wishart import *

_LAZY = {
    "bernoulli": ("Bernoulli",),
    "beta": ("Beta",),
    "binomial": ("Binomial",),
    "categorical": ("Categorical",),
    "cauchy": ("Cauchy",),
    "chi2": ("Chi2",),
    "constraint_registry": ("biject_to", "transform_to"),
    "constraints": (),
    "continuous_bernoulli": ("ContinuousBernoulli",),
    "dirichlet": ("Dirichlet",),
    "distribution": ("Distribution",),
    "exp_family": ("ExponentialFamily",),
    "exponential": ("Exponential",),
    "fishersnedecor": ("FisherSnedecor",),
    "gamma": ("Gamma",),
    "generalized_pareto": ("GeneralizedPareto",),
    "geometric": ("Geometric",),
    "gumbel": ("Gumbel",),
    "half_cauchy": ("HalfCauchy",),
    "half_normal": ("HalfNormal",),
    "independent": ("Independent",),
    "inverse_gamma": ("InverseGamma",),
    "kl": ("kl_divergence", "register_kl"),
    "kumaraswamy": ("Kumaraswamy",),
    "laplace": ("Laplace",),
    "lkj_cholesky": ("LKJCholesky",),
    "log_normal": ("LogNormal",),
    "logistic_normal": ("LogisticNormal",),
    "lowrank_multivariate_normal": ("LowRankMultivariateNormal",),
    "mixture_same_family": ("MixtureSameFamily",),
    "multinomial": ("Multinomial",),
    "multivariate_normal": ("MultivariateNormal",),
    "negative_binomial": ("NegativeBinomial",),
    "normal": ("Normal",),
    "one_hot_categorical": ("OneHotCategorical", "OneHotCategoricalStraightThrough"),
    "pareto": ("Pareto",),
    "poisson": ("Poisson",),
    "relaxed_bernoulli": ("RelaxedBernoulli",),
    "relaxed_categorical": ("RelaxedOneHotCategorical",),
    "studentT": ("StudentT",),
    "transformed_distribution": ("TransformedDistribution",),
    "transforms": (
        "AbsTransform",
        "AffineTransform",
        "CatTransform",
        "ComposeTransform",
        "CorrCholeskyTransform",
        "CumulativeDistributionTransform",
        "ExpTransform",
        "IndependentTransform",
        "LowerCholeskyTransform",
        "PositiveDefiniteTransform",
        "PowerTransform",
        "ReshapeTransform",
        "SigmoidTransform",
        "SoftmaxTransform",
        "SoftplusTransform",
        "StackTransform",
        "StickBreakingTransform",
        "TanhTransform",
        "Transform",
        "identity_transform",
    ),
    "uniform": ("Uniform",),
    "utils": (),
    "von_mises": ("VonMises",),
    "weibull": ("Weibull",),
    "wishart": ("Wishart",),
}
__getattr__, __dir__ = attach(__name__, globals(), _LAZY)

__all__ = [*(name for names in _LAZY.values() for name in names)]
