"""Random: csrc/ops/random.c."""

@op(method=False, factory=True, out=True, complex=True)
def rand(*size: int, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Uniform on [0, 1)."""

@op(method=False, factory=True, out=True, complex=True)
def randn(*size: int, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Normal with mean 0 and variance 1."""

@op(method=False, factory=True, complex=True)
def rand_like(input: Tensor, *, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Uniform on [0, 1), of input's size."""

@op(method=False, factory=True, complex=True)
def randn_like(input: Tensor, *, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Normal, of input's size."""

@op(method=False, factory=True, out=True, name="randint")
def randint_high(high: int, size: Ints, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Uniform integers 0 to high - 1."""

@op(method=False, factory=True, out=True, name="randint")
def randint(low: int, high: int, size: Ints, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Uniform integers low to high - 1."""

@op(method=False, factory=True, name="randint_like")
def randint_like_high(input: Tensor, high: int, *, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Uniform integers 0 to high - 1, of input's size."""

@op(method=False, factory=True, name="randint_like")
def randint_like(input: Tensor, low: int, high: int, *, dtype: dtype | None = None, memory_format: memory_format | None = None) -> Tensor:
    """Uniform integers low to high - 1, of input's size."""

@op(method=False, factory=True, out=True)
def randperm(n: int, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """0 to n - 1 in random order."""

@op(method=False, out=True, name="normal")
def normal_tensor_tensor(mean: Tensor, std: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Normal with these means and standard deviations."""

@op(method=False, out=True, name="normal")
def normal_tensor_float(mean: Tensor, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Normal with these means and one standard deviation."""

@op(method=False, out=True, name="normal")
def normal_float_tensor(mean: float, std: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Normal with one mean and these standard deviations."""

@op(method=False, out=True, factory=True, name="normal")
def normal_float_float(mean: float, std: float, size: Ints, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Normal with one mean and standard deviation, of the given size."""

@op(function=False, inplace="only", complex=True)
def normal(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with normal numbers."""

# "from" is a Python keyword: the generator maps a trailing underscore in names of arguments to none.
@op(function=False, inplace="only", complex=True)
def uniform(input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with uniform numbers on [from, to)."""

@op(function=False, inplace="only", name="random")
def random_full(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Fills with integers over the whole range of the dtype (or of its exact integers)."""

@op(function=False, inplace="only", name="random")
def random_to(input: Tensor, to: int, *, generator: Generator | None = None) -> Tensor:
    """Fills with integers 0 to to - 1."""

@op(function=False, inplace="only", name="random")
def random_from_to(input: Tensor, from_: int, to: int | None, *, generator: Generator | None = None) -> Tensor:
    """Fills with integers from to to - 1."""

@op(out=True, name="bernoulli")
def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that the element gives, else 0."""

@op(name="bernoulli")
def bernoulli_p(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """1 with probability p, else 0."""

@op(function=False, inplace="only", name="bernoulli")
def bernoulli_fill_tensor(input: Tensor, p: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Fills with 1 with the probabilities p, else 0."""

@op(function=False, inplace="only", name="bernoulli")
def bernoulli_fill(input: Tensor, p: float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fills with 1 with probability p, else 0."""

@op(function=False, inplace="only")
def exponential(input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with exponential numbers of rate lambd."""

@op(function=False, inplace="only")
def geometric(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fills with the numbers of trials up to the first success."""

@op(function=False, inplace="only")
def log_normal(input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with exp of normal numbers."""

@op(function=False, inplace="only")
def cauchy(input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with Cauchy numbers."""

@op(out=True)
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """Indices drawn with the probabilities (rows of) input."""

@op(method=False, inplace=True)
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Elements zeroed with probability p, the rest divided by 1 - p; input itself when not training."""

@op(method=False, inplace=True)
def rrelu(input: Tensor, lower: float = 0.125, upper: float = 0.3333333333333333, training: bool = False, generator: Generator | None = None) -> Tensor:
    """x where x > 0, elsewhere r x: r uniform in [lower, upper] for each element when training, else their mean."""

@op(method=False, inplace=True)
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """dropout of whole channels: input (N, C, ...)."""

@op(method=False, inplace=True)
def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Elements set to selu's lower limit with probability p, then scaled and shifted to keep mean 0 and variance 1."""

@op(method=False, inplace=True)
def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """alpha_dropout of whole channels: input (N, C, ...)."""
@op(method=False, name="_standard_gamma")
def standard_gamma(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Draws from the gamma distributions of shapes input and scale 1; differentiable in the shape."""

@op(method=False, name="_standard_gamma_grad")
def standard_gamma_grad(input: Tensor, output: Tensor) -> Tensor:
    """The derivative of draws `output` of shapes input with respect to the shape."""

@op(method=False, name="_sample_dirichlet")
def sample_dirichlet(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Draws from the Dirichlet distributions whose concentrations are the rows of input."""

@op(method=False, name="_dirichlet_grad")
def dirichlet_grad(x: Tensor, alpha: Tensor, total: Tensor) -> Tensor:
    """The derivative of components x of Dirichlet draws with respect to their own concentrations alpha."""

@op(method=False)
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Poisson numbers whose rates are the elements of input."""

@op(method=False)
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Numbers of hits in count trials of probability prob."""
