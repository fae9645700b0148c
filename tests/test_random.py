"""The generator and its draws: PyTorch's numbers, states that can be exchanged, errors."""

import copy
import json
import math
import os
import pickle
import subprocess
import sys

import pytest
import streams

import rushlight
from rushlight import Generator

GOLDEN = json.loads(streams.GOLDEN.read_text())
ULP = {rushlight.float32: 2.0**-23, rushlight.float64: 2.0**-52}
FLOATS = [rushlight.float32, rushlight.float64, rushlight.float16, rushlight.bfloat16]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


# ---- the same numbers as PyTorch ----


@pytest.mark.parametrize("expression", streams.EXACT)
def test_draws_are_pytorchs_to_the_bit(expression):
    assert streams.digest(rushlight, expression) == GOLDEN[expression]


@pytest.mark.parametrize("expression", streams.CLOSE)
def test_normal_draws_are_pytorchs_to_the_last_digits(expression):
    result = streams.evaluate(rushlight, expression)
    expected = [float.fromhex(v) for v in GOLDEN[expression]]
    assert result.numel() == len(expected)
    for ours, theirs in zip(result.double().flatten().tolist(), expected, strict=True):
        assert abs(ours - theirs) <= 4 * ULP[result.dtype] * max(abs(theirs), 2.0**-20)


@pytest.mark.parametrize("isa", ["portable", "avx2", "avx512"])
def test_every_instruction_set_draws_the_same_bits(isa):
    environment = os.environ | {"RUSHLIGHT_ISA": isa}
    command = [sys.executable, streams.__file__, "digests"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if "RUSHLIGHT_ISA" in run.stderr:
        pytest.skip(f"this machine has no {isa}")
    assert run.returncode == 0, run.stderr
    lines = [f"{streams.digest(rushlight, e)} {e}" for e in streams.EXACT]
    lines += [f"{streams.values(rushlight, e)} {e}" for e in streams.CLOSE]
    assert run.stdout.splitlines() == lines


@pytest.mark.parametrize("seed", [0, 1, 42, -1, 2**31, 2**32 + 5, -(2**63), 2**64 - 1])
def test_seeds(torch, seed):
    assert rushlight.manual_seed(seed).initial_seed() == torch.manual_seed(seed).initial_seed()
    assert rushlight.rand(5).tolist() == torch.rand(5).tolist()
    assert rushlight.initial_seed() == torch.initial_seed()


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 31, 32, 33, 511, 512, 513, 528, 529, 640, 1041])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_sizes_around_every_block(torch, n, dtype):
    for name in ("uniform_", "normal_"):
        results = []
        for library in (rushlight, torch):
            library.manual_seed(n)
            first = getattr(library.empty(n, dtype=getattr(library, dtype)), name)()
            results.append((first.double().tolist(), library.rand(3).tolist()))
        ours, theirs = results
        assert ours[1] == theirs[1], "the generators must be in the same place"
        limit = 4 * ULP[rushlight.float64] if dtype == "float64" else 2.0**-22
        for a, b in zip(ours[0], theirs[0], strict=True):
            assert abs(a - b) <= limit * max(abs(b), 2.0**-20)


def test_draws_mix_as_pytorchs(torch):
    """One long sequence of different draws: each must leave the generator where PyTorch does."""
    results = []
    for library in (rushlight, torch):
        library.manual_seed(7)
        values = []
        for i in range(60):
            values += library.randn(i % 5).tolist()
            values += library.rand(i % 3, dtype=library.float64).tolist()
            values += library.randint(0, 5 + 2**i, (i % 4,)).tolist()
            values += library.randn(17 + i).tolist()
            values += library.randperm(i).tolist()
        results.append(values)
    assert results[0] == pytest.approx(results[1], rel=1e-6)


# ---- generators and states ----


def test_generators_are_independent():
    rushlight.manual_seed(1)
    expected = rushlight.rand(4).tolist()
    rushlight.manual_seed(1)
    own = Generator().manual_seed(1)
    assert rushlight.rand(4, generator=own).tolist() == expected
    assert rushlight.rand(4).tolist() == expected
    assert own.device == rushlight.device("cpu")
    assert Generator(device="cpu").initial_seed() == 67280421310721


def test_state_goes_back_and_is_copied():
    generator = Generator().manual_seed(3)
    rushlight.randn(3, generator=generator)  # leaves a normal number waiting
    state = generator.get_state()
    assert state.dtype == rushlight.uint8 and state.shape == (5056,)
    others = [generator.clone_state(), pickle.loads(pickle.dumps(generator)),
              copy.deepcopy(generator), Generator().set_state(state)]  # fmt: skip
    expected = rushlight.randn(9, generator=generator).tolist()
    for other in others:
        assert rushlight.randn(9, generator=other).tolist() == expected
        assert other.initial_seed() == 3
    generator.set_state(state)
    assert rushlight.randn(9, generator=generator).tolist() == expected


def test_states_are_exchanged_with_pytorch(torch):
    rushlight.manual_seed(5)
    rushlight.randn(3)
    torch.set_rng_state(torch.tensor(rushlight.get_rng_state().tolist(), dtype=torch.uint8))
    assert torch.randn(40).tolist() == pytest.approx(rushlight.randn(40).tolist(), rel=1e-6)
    assert torch.rand(700).tolist() == rushlight.rand(700).tolist()
    torch.randn(5)
    rushlight.set_rng_state(rushlight.tensor(torch.get_rng_state().tolist(), dtype=rushlight.uint8))
    assert torch.randn(40).tolist() == pytest.approx(rushlight.randn(40).tolist(), rel=1e-6)
    assert torch.rand(700).tolist() == rushlight.rand(700).tolist()


def test_fork_rng():
    rushlight.manual_seed(1)
    before = rushlight.get_rng_state()
    with rushlight.random.fork_rng():
        rushlight.rand(10)
    assert rushlight.get_rng_state().tolist() == before.tolist()
    with rushlight.random.fork_rng(enabled=False):
        rushlight.rand(10)
    assert rushlight.get_rng_state().tolist() != before.tolist()


def test_seed_is_unpredictable():
    generator = Generator()
    seeds = {generator.seed() for _ in range(20)}
    assert len(seeds) == 20 and generator.initial_seed() in seeds
    assert rushlight.seed() == rushlight.initial_seed()


# ---- distributions: against closed forms ----


def test_moments():
    """Mean and variance of a million draws, within five standard errors."""
    n = 1_000_000
    rushlight.manual_seed(0)
    draws = {
        "uniform": (rushlight.rand(n), 1 / 2, 1 / 12),
        "normal": (rushlight.randn(n), 0, 1),
        "exponential": (rushlight.empty(n).exponential_(2.0), 1 / 2, 1 / 4),
        "geometric": (rushlight.empty(n).geometric_(0.25), 4, 12),
        "coin": (rushlight.empty(n).bernoulli_(0.3), 0.3, 0.21),
        "dice": (rushlight.randint(1, 7, (n,)).double(), 3.5, 35 / 12),
        "log-normal": (rushlight.empty(n).log_normal_(0, 0.25).log(), 0, 0.0625),
    }
    for name, (x, mean, variance) in draws.items():
        error = math.sqrt(variance / n)
        assert abs(x.double().mean().item() - mean) < 5 * error, name
        kurtosis = 9 if name in ("exponential", "geometric") else 3
        spread = variance * math.sqrt((kurtosis - 1) / n)
        assert abs(x.double().var().item() - variance) < 5 * spread, name


def test_cauchy_quartiles():
    rushlight.manual_seed(0)
    x = rushlight.empty(200_000).cauchy_(3.0, 2.0)
    for limit, share in ((1.0, 1 / 4), (3.0, 1 / 2), (5.0, 3 / 4)):
        assert (x < limit).float().mean().item() == pytest.approx(share, abs=0.006)


def test_permutation_is_one():
    for n in (0, 1, 2, 1000):
        assert sorted(rushlight.randperm(n).tolist()) == list(range(n))


def test_dropout():
    x = rushlight.ones(4000, requires_grad=True)
    y = rushlight.nn.functional.dropout(x, 0.25)
    kept = (y != 0).sum().item()
    assert set(y.tolist()) == {0.0, rushlight.tensor(1 / 0.75).item()}
    assert abs(kept - 3000) < 5 * math.sqrt(4000 * 0.25 * 0.75)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    assert rushlight.dropout(x, 0.5, False) is x
    assert rushlight.dropout(x, 1.0, True).sum().item() == 0


# ---- history of what was overwritten ----


def test_gradients_of_random_results_are_zero(torch):
    for library in (rushlight, torch):
        x = library.ones(3, requires_grad=True)
        y = (x * 2).normal_()
        assert type(y.grad_fn).__name__ == "NormalBackward0"
        y.sum().backward()
        assert x.grad is None or x.grad.tolist() == [0, 0, 0]
    names = {
        "uniform_": "UniformBackward0", "exponential_": "ExponentialBackward0",
        "log_normal_": "LogNormalBackward0", "cauchy_": "CauchyBackward0",
        "random_": "RandomBackward2", "bernoulli_": "BernoulliBackward2",
    }  # fmt: skip
    for name, node in names.items():
        y = rushlight.ones(3, requires_grad=True) * 2
        assert type(getattr(y, name)().grad_fn).__name__ == node


# ---- errors: nothing changes, and the text says what is wrong ----

ERRORS = [
    ("torch.empty(3).normal_(0, -1)", RuntimeError, "normal expects std >= 0.0, but found std -1"),
    ("torch.randn(3, dtype=torch.int64)", NotImplementedError,
     "\"normal_kernel_cpu\" not implemented for 'Long'"),
    ("torch.rand(3, dtype=torch.bool)", NotImplementedError,
     "\"check_uniform_bounds\" not implemented for 'Bool'"),
    ("torch.rand(2, -1)", RuntimeError,
     "Trying to create tensor with negative dimension -1: [2, -1]"),
    ("torch.empty(3).uniform_(1, 0)", RuntimeError,
     "uniform_ expects to return a [from, to) range, but found from=1 > to=0"),
    ("torch.empty(3).uniform_(0, 1e39)", RuntimeError, "to is out of bounds for float"),
    ("torch.randint(5, 3, (2,))", RuntimeError,
     "random_ expects 'from' to be less than 'to', but got from=5 >= to=3"),
    ("torch.randint(0, 300, (2,), dtype=torch.uint8)", RuntimeError,
     "to - 1 is out of bounds for unsigned char"),
    ("torch.randint(0, 2**15 + 1, (2,), dtype=torch.int16)", RuntimeError,
     "to - 1 is out of bounds for short int"),
    ("torch.empty(3, dtype=torch.float16).random_(2048, None)", RuntimeError,
     "'to_inc' casted to dtype, but got from=2048 > to_inc=2048"),
    ("torch.empty(3, dtype=torch.int8).random_(-2**63, None)", RuntimeError,
     "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16"),
    ("torch.empty(3, dtype=torch.int16).cauchy_()", RuntimeError,
     "dtype must be a floating point but you specified short int"),
    ("torch.randint(-3, 200, (2,), dtype=torch.uint8)", RuntimeError,
     "from is out of bounds for unsigned char"),
    ("torch.randperm(-1)", RuntimeError,
     "Trying to create tensor with negative dimension -1: [-1]"),
    ("torch.randperm(300, dtype=torch.uint8)", RuntimeError,
     "value cannot be converted to type uint8_t without overflow"),
    ("torch.randperm(3000, dtype=torch.float16)", RuntimeError,
     "n cannot be greater than 2049 for Half type."),
    ("torch.randperm(2, dtype=torch.bool)", NotImplementedError,
     "\"randperm\" not implemented for 'Bool'"),
    ("torch.empty(3).bernoulli_(1.5)", RuntimeError,
     "bernoulli_ expects p to be in [0, 1], but got p=1.5"),
    ("torch.bernoulli(torch.ones(3) * 2)", RuntimeError,
     "Expected p_in >= 0 && p_in <= 1 to be true, but got false"),
    ("torch.bernoulli(torch.ones(3, dtype=torch.int64))", NotImplementedError,
     "\"bernoulli_tensor_cpu_p_\" not implemented for 'Long'"),
    ("torch.empty(3).bernoulli_(torch.rand(2, 3))", RuntimeError,
     "the number of sizes provided (1) must be greater or equal to the number of dimensions"),
    ("torch.empty(3).exponential_(0)", RuntimeError,
     "exponential_ expects lambda > 0.0, but found lambda=0"),
    ("torch.empty(3).geometric_(1)", RuntimeError,
     "geometric_ expects p to be in (0, 1), but got p=1"),
    ("torch.empty(3).log_normal_(0, 0)", RuntimeError,
     "log_normal_ expects std > 0.0, but found std=0"),
    ("torch.empty(3).cauchy_(0, -1)", RuntimeError,
     "cauchy_ expects sigma > 0.0, but found sigma=-1"),
    ("torch.multinomial(torch.zeros(3), 1)", RuntimeError,
     "invalid multinomial distribution (sum of probabilities <= 0)"),
    ("torch.multinomial(-torch.ones(3), 1)", RuntimeError,
     "probability tensor contains either `inf`, `nan` or element < 0"),
    ("torch.multinomial(-torch.ones(3), 2, True)", RuntimeError,
     "invalid multinomial distribution (encountering probability entry < 0)"),
    ("torch.multinomial(torch.ones(3), 4)", RuntimeError,
     "cannot sample n_sample > prob_dist.size(-1) samples without replacement"),
    ("torch.multinomial(torch.ones(3), 0)", RuntimeError, "cannot sample n_sample <= 0 samples"),
    ("torch.multinomial(torch.ones(1, 1, 1), 1)", RuntimeError, "prob_dist must be 1 or 2 dim"),
    ("torch.normal(torch.zeros(2), torch.zeros(3))", RuntimeError,
     "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0"),
    ("torch.dropout(torch.zeros(3), 1.5, True)", RuntimeError,
     "dropout probability has to be between 0 and 1, but got 1.5"),
    ("torch.zeros(1).expand(3).normal_()", RuntimeError,
     "more than one element of the written-to tensor refers to a single memory location"),
    ("torch.zeros(3, requires_grad=True).uniform_()", RuntimeError,
     "a leaf Variable that requires grad is being used in an in-place operation."),
    ("torch.manual_seed(2**64)", ValueError, "Overflow when unpacking long long"),
    ("torch.manual_seed('a')", ValueError, "invalid literal for int() with base 10: 'a'"),
    ("torch.Generator().manual_seed(2.5)", RuntimeError,
     "manual_seed expected a long, but got float"),
    ("torch.Generator(device='cuda')", RuntimeError, ""),
    ("torch.Generator().set_state(torch.zeros(3, dtype=torch.uint8))", RuntimeError,
     "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 3"),
    ("torch.Generator().set_state(torch.zeros(5056))", TypeError,
     "RNG state must be a torch.ByteTensor"),
    ("torch.Generator().set_state(torch.zeros(5056, dtype=torch.uint8))", RuntimeError,
     "Invalid mt19937 state"),
    ("torch.Generator().set_state(3)", TypeError, "expected a torch.ByteTensor, but got int"),
    ("torch.Generator().get_offset()", RuntimeError, "CPU Generator does not use offset"),
    ("torch.rand(3, generator=3)", TypeError,
     "rand()"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "kind", "text"), ERRORS, ids=[e[0] for e in ERRORS])
def test_errors(expression, kind, text):
    rushlight.manual_seed(1)
    before = rushlight.get_rng_state().tolist()
    with pytest.raises(kind) as caught:
        eval(expression, {"torch": rushlight})
    assert text in str(caught.value)
    if "torch.rand(2" not in expression:
        assert rushlight.get_rng_state().tolist() == before


@pytest.mark.parametrize(("expression", "kind", "text"), ERRORS, ids=[e[0] for e in ERRORS])
def test_errors_are_pytorchs(torch, expression, kind, text):
    with pytest.raises(kind) as caught:
        eval(expression, {"torch": torch})
    assert text in str(caught.value)


def test_a_broken_state_cannot_make_draws_leave_the_state():
    state = Generator().get_state()
    for left, following in ((0, 0), (625, 0), (2, 624), (624, 2), (1, 625)):
        broken = state.clone()
        broken[8:12] = rushlight.tensor(list(left.to_bytes(4, "little")), dtype=rushlight.uint8)
        broken[16:24] = rushlight.tensor(
            list(following.to_bytes(8, "little")), dtype=rushlight.uint8
        )
        with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
            Generator().set_state(broken)
