"""Random operators: the same values for the same seed."""

from samples import T, case, error

# Normal numbers pass through log and cos, where PyTorch's own builds differ in the last digits.
NORMAL = {"ulp": 16}


def fill(name):
    return lambda ns, x, *args: getattr(x.clone(), name)(*args)


for shape in ((5,), (3, 7), (16,), (33,), (2, 500), ()):
    case("rand", *shape, seed=1) if shape else case("rand", (), seed=1)
    case("randn", *shape, seed=1, **NORMAL) if shape else case("randn", (), seed=1, **NORMAL)
    case("rand", shape, seed=2, dtype="torch.float64")
    case("randn", shape, seed=2, dtype="torch.float64", **NORMAL)
case("rand", 20, seed=3, dtype="torch.float16")
case("rand", 20, seed=3, dtype="torch.bfloat16")
case("randn", 20, seed=3, dtype="torch.bfloat16", **NORMAL)
error("rand", -1)
error("rand", 2, dtype="torch.int64")
case("rand_like", T(3, 4), seed=4)
case("rand_like", T(3, 4, layout="t"), seed=4)
case("randn_like", T(3, 4), seed=4, **NORMAL)
case("randint", 10, (20,), seed=5)
case("randint", -5, 5, (20,), seed=5)
case("randint", 0, 2**40, (8,), seed=5)
case("randint", 3, (4,), seed=5, dtype="torch.float32")
case("randint", 0, 100, (8,), seed=5, dtype="torch.int8")
error("randint", 5, 5, (2,))
case("randint_like", T(3, 4), 7, seed=6)
case("randint_like", T(3, 4, dtype="int64"), 2, 7, seed=6)
for n in (0, 1, 10, 1000, 40000):
    case("randperm", n, seed=7)
case("randperm", 12, seed=7, dtype="torch.int32")
error("randperm", -1)
case("normal", T(20), T(20, low=0.1, high=2, grad=False), seed=8, grad=False, **NORMAL)
case("normal", T(5), 2.0, seed=8, grad=False, **NORMAL)
case("normal", 1.0, T(5, low=0.1, high=2), seed=8, grad=False, **NORMAL)
case("normal", 1.0, 2.0, (3, 4), seed=8, **NORMAL)
error("normal", 0.0, -1.0, (3,))
case("normal_", T(40), 1.0, 0.5, seed=9, fn=fill("normal_"), grad=False, **NORMAL)
case("uniform_", T(40), -3.0, 5.0, seed=9, fn=fill("uniform_"), grad=False)
case("uniform_", T(4, 5, layout="t"), seed=9, fn=fill("uniform_"), grad=False)
error("uniform_", T(4), 2.0, 1.0, fn=lambda ns, x, a, b: x.uniform_(a, b))
case("random_", T(10, dtype="int64"), seed=10, fn=fill("random_"))
case("random_", T(10, dtype="uint8"), seed=10, fn=fill("random_"))
case("random_", T(10), seed=10, fn=fill("random_"), grad=False)
case("random_", T(10, dtype="int64"), 7, seed=10, fn=fill("random_"))
case("random_", T(10, dtype="int32"), -3, 7, seed=10, fn=fill("random_"))
case("bernoulli", T(30, low=0, high=1), seed=11, grad=False)
case("bernoulli", T(30), 0.3, seed=11, grad=False)
case("bernoulli_", T(30), 0.3, seed=11, fn=fill("bernoulli_"), grad=False)
case("bernoulli_", T(30), T(30, low=0, high=1), seed=11, fn=fill("bernoulli_"), grad=False)
error("bernoulli", T(3, low=1.5, high=2))
case("exponential_", T(30), seed=12, fn=fill("exponential_"), grad=False, **NORMAL)
case("geometric_", T(30), 0.3, seed=12, fn=fill("geometric_"), grad=False)
case("log_normal_", T(30), seed=12, fn=fill("log_normal_"), grad=False, ulp=32)
case("cauchy_", T(30), seed=12, fn=fill("cauchy_"), grad=False, ulp=32)
case("multinomial", T(5, low=0.1, high=1), 3, seed=13, grad=False)
case("multinomial", T(4, 5, low=0.1, high=1), 8, True, seed=13, grad=False)
case("multinomial", T(4, 5, low=0.1, high=1, layout="t"), 3, seed=13, grad=False)
case("multinomial", T(4, 5, low=0.1, high=1, layout="t"), 1, seed=13, grad=False)
error("multinomial", T(5, low=0.1, high=1), 6)
case("dropout", T(6, 5), 0.4, True, seed=14)
case("dropout", T(6, 5), 0.4, False)
case("dropout", T(6, 5), 0.0, True, seed=14)
case("dropout", T(6, 5), 1.0, True, seed=14)
error("dropout", T(3), 1.5, True)

for name in ("alpha_dropout", "feature_dropout", "feature_alpha_dropout"):
    for shape in ((6, 5), (3, 4, 5), (2, 3, 2, 4)):
        case(name, T(*shape), 0.4, True, seed=15, strides=name != "feature_dropout" or len(shape) > 2)
    case(name, T(6, 5), 0.4, False)
    case(name, T(6, 5), 1.0, True, seed=15)
    case(name, T(6, 5, dtype="float64"), 0.25, True, seed=15)
    error(name, T(3, 3), -0.5, True)
    error(name, T(3, 3, dtype="int64"), 0.5, True)
error("feature_dropout", T(3), 0.5, True)
case("alpha_dropout", T(5, 6, layout="t"), 0.3, True, seed=16)
for hard in (False, True):
    case("gumbel_softmax", T(4, 5), 0.7, hard, seed=17, ulp=16)
    case("gumbel_softmax", T(4, 5), 2.0, hard, dim=0, seed=17, ulp=16)
for name, shape in (("dropout1d", (4, 5)), ("dropout1d", (3, 4, 5)), ("dropout2d", (2, 3, 4)), ("dropout2d", (2, 3, 4, 2)), ("dropout3d", (2, 3, 2, 2)), ("dropout3d", (2, 3, 2, 2, 2))):
    case(name, T(*shape), 0.4, seed=18)
    case(name, T(*shape), 0.4, False)
    case(name, T(*shape), 0.4, True, True, seed=18, grad=False)
    error(name, T(*shape), 1.5)
error("dropout1d", T(2, 3, 4, 5))

# Draws of gamma numbers decide by logarithms and roots, whose last digit PyTorch's builds share in float32.
for dtype in ("float32", "float64"):
    case("_standard_gamma", T(40, low=0.05, high=6, dtype=dtype), seed=19, grad=False, ulp=512 if dtype == "float64" else 1)
    case("_sample_dirichlet", T(5, 8, low=0.05, high=6, dtype=dtype), seed=20, grad=False, ulp=512 if dtype == "float64" else 1)
case("_standard_gamma", T(4, 5, low=0.5, high=60, layout="t"), seed=19, grad=False)
error("_standard_gamma", T(3, dtype="int64"))
error("_standard_gamma", T(3, dtype="float16"))
error("_sample_dirichlet", T(3, dtype="int64"))
error("_dirichlet_grad", T(3, low=0.1, high=0.9), T(3, low=1, high=2, dtype="float64"), T(3, low=3, high=4))
# Slopes where PyTorch uses series too; elsewhere it approximates to four digits (see tests/test_distributions.py)
case("_standard_gamma_grad", T(6, low=0.5, high=3), T(6, low=0.01, high=0.5), grad=False, ulp=64)
case("_dirichlet_grad", T(6, low=0.01, high=0.1), T(6, low=0.5, high=1.5), T(6, low=2, high=3), grad=False, ulp=64)
RATES = T(values=(0.0, 0.5, 3.0, 9.99, 10.0, 30.0, 1000.0, 12.0, 100.0))
for x in (RATES, T(40, low=0, high=30), T(5, 4, low=0, high=20, layout="t"), T(30, low=0, high=40, dtype="float64"), T(9, low=0, high=20, dtype="bfloat16"), T(0)):
    case("poisson", x, seed=19)
error("poisson", T(values=(1.0, -1.0)))
error("poisson", T(3, dtype="int64"))
TRIALS = (4.0, 10.0, 100.0, 1000.0, 0.0, -3.0, 50.0, 50.0, 200.0, 1e6, 77.0, 12.0)
CHANCES = (0.5, 0.1, 0.3, 0.7, 0.5, 0.5, 0.0, 1.0, float("nan"), 0.4, 0.9, 0.3)
for dtype in ("float32", "float64"):
    case("binomial", T(values=TRIALS, dtype=dtype), T(values=CHANCES, dtype=dtype), seed=20, grad=False)
    case("binomial", T(3, 5, low=1, high=100, dtype=dtype), T(5, low=0, high=1, dtype=dtype), seed=20, grad=False)
case("binomial", T(values=(3.0, 4.0), dtype="float32"), T(2, low=0, high=1), seed=20)
error("binomial", T(3), T(3, dtype="float64"))
error("binomial", T(3, dtype="int64"), T(3))
error("binomial", T(3, dtype="float16"), T(3, dtype="float16"))
error("binomial", T(3), 0.5)
