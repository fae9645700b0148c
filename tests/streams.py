"""Long draws from the generator, boiled down to digests that are compared with PyTorch's.

    python tests/streams.py           needs torch==2.13.0; writes tests/streams.json
    python tests/streams.py digests   prints those of rushlight

EXACT draws agree with PyTorch to the bit, and so does the generator's state after them. The float32
normals among them do so with PyTorch on x86 processors with AVX2; float64 ones and the state after
them (which may hold one) agree within a few units in the last place: CLOSE.
"""

import hashlib
import json
import sys
from pathlib import Path

GOLDEN = Path(__file__).with_suffix(".json")
SEED = 20260101

EXACT = """
torch.rand(2000)
torch.rand(625, dtype=torch.float64)
torch.rand(3000, dtype=torch.float16)
torch.rand(3000, dtype=torch.bfloat16)
torch.rand(7, 9).t().uniform_(-0.3, 0.7)
torch.zeros(4, 5, 6).permute(2, 0, 1).uniform_(2, 3)
torch.zeros(40, 30)[::2, ::3].uniform_()
torch.empty(2000).uniform_(1e8, 1e8 + 80)
torch.empty(2000, dtype=torch.bfloat16).uniform_(2, 3)
torch.randn(16)
torch.randn(4000)
torch.randn(4001)
torch.empty(527).normal_(1.7, 0.3)
torch.randn(100, dtype=torch.float16)
torch.randn(113, dtype=torch.bfloat16)
torch.randint(10, (1000,))
torch.randint(-5, 2**28 - 6, (1000,))
torch.randint(0, 2**28, (1000,))
torch.randint(-2**62, 2**62, (1000,))
torch.randint(0, 2, (100,), dtype=torch.bool)
torch.randint(2**24 - 3, 2**24 + 50, (100,), dtype=torch.float32)
torch.randperm(1)
torch.randperm(5000)
torch.randperm(100, dtype=torch.float32)
torch.empty(700, dtype=torch.int64).random_()
torch.empty(700, dtype=torch.int64).random_(-2**63, None)
torch.empty(700, dtype=torch.int8).random_()
torch.empty(700, dtype=torch.uint8).random_(3, None)
torch.empty(700, dtype=torch.bool).random_()
torch.empty(700).random_()
torch.empty(700, dtype=torch.float64).random_()
torch.empty(700, dtype=torch.float16).random_()
torch.bernoulli(torch.rand(700))
torch.bernoulli(torch.rand(700, dtype=torch.float64))
torch.zeros(30, 20).t().bernoulli_(torch.linspace(0, 1, 30))
torch.empty(1000).exponential_(2.5)
torch.empty(1000, dtype=torch.float16).exponential_()
torch.empty(1000).geometric_(0.3)
torch.empty(1000, dtype=torch.int64).geometric_(0.01)
torch.empty(1000).cauchy_(0.5, 2.0)
torch.multinomial(torch.arange(1.0, 50.0), 20)
torch.multinomial(torch.arange(1.0, 50.0).reshape(7, 7), 1)
torch.multinomial(torch.arange(1.0, 50.0), 500, True)
torch.multinomial(torch.arange(1.0, 50.0, dtype=torch.float64).reshape(7, 7), 30, True)
torch.multinomial(torch.arange(1.0, 50.0).half(), 20, True)
torch.empty(2000).bernoulli_(0.3)
torch.empty(700, dtype=torch.float64).bernoulli_(0.5)
torch.empty(700, dtype=torch.bool).bernoulli_(0.01)
torch.nn.functional.dropout(torch.ones(1000), 0.4)
torch.nn.functional.dropout(torch.ones(30, 40, dtype=torch.float64).t(), 0.9)
torch.empty(300, dtype=torch.float16).random_(-5000, 60001)
torch.empty(300, dtype=torch.bfloat16).random_(1, 65504)
torch.empty(300).random_(-2**63, None)
torch.empty(300, dtype=torch.float64).random_(2**31 + 1, 2**63 - 1)
torch.empty(300, dtype=torch.float64).random_(2**53 - 7, 2**53 + 99)
""".strip().split("\n")

CLOSE = """
torch.randn(3)
torch.cat([torch.randn(1), torch.randn(1), torch.randn(15)])
torch.randn(100, dtype=torch.float64)
torch.randn(15, dtype=torch.float64)
torch.zeros(200)[::2].normal_()
torch.empty(300).log_normal_(0.2, 0.6)
torch.empty(300, dtype=torch.float64).exponential_(0.1)
torch.empty(300, dtype=torch.float64).log_normal_()
torch.normal(torch.linspace(-1, 1, 30), torch.linspace(0.1, 2, 30))
torch.normal(torch.linspace(-1, 1, 30), 0.5)
torch.normal(1.5, torch.linspace(0.1, 2, 30))
""".strip().split("\n")


def evaluate(torch, expression: str):
    """The expression's tensor after seeding."""
    torch.manual_seed(SEED)
    return eval(expression, {"torch": torch})


def digest(torch, expression: str) -> str:
    """Of the values and of the generator's state after them."""
    values = evaluate(torch, expression).flatten().tolist()
    state = bytes(torch.get_rng_state().tolist())
    return hashlib.sha256(repr(values).encode() + state).hexdigest()[:32]


def values(torch, expression: str) -> list[str]:
    """The values as hexadecimal floats."""
    return [v.hex() for v in evaluate(torch, expression).double().flatten().tolist()]


def main() -> None:
    if sys.argv[1:] == ["digests"]:
        import rushlight

        for expression in EXACT:
            print(digest(rushlight, expression), expression)
        for expression in CLOSE:
            print(values(rushlight, expression), expression)
        return
    import torch

    if not torch.__version__.startswith("2.13.0"):
        raise SystemExit(f"golden values come from PyTorch 2.13.0, this is {torch.__version__}")
    content = {"torch": "2.13.0"}
    content |= {expression: digest(torch, expression) for expression in EXACT}
    content |= {expression: values(torch, expression) for expression in CLOSE}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
