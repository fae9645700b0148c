"""Matrix products called from Python: GFLOP/s and share of the core's peak, one thread, float32.

    python benchmarks/gemm.py [--quick] [--only TEXT]

x @ W.T is what a linear layer computes forward, g @ W its gradient for the input, g.T @ x that for the weight.
"""

import argparse
import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import Meter
from benchmarks.side_by_side import least_times, libraries

# (batch, inputs, outputs) of linear layers
LAYERS = [
    (1, 20, 256),
    (2, 20, 256),
    (2, 256, 10),
    (32, 64, 128),
    (32, 784, 256),
    (64, 256, 10),
    (256, 784, 256),
]
CUBES = [16, 32, 64, 128, 256, 512, 1024, 2048]


def products(torch: ModuleType, quick: bool):
    """(name, multiply-adds, function) of every product."""
    torch.manual_seed(0)
    for batch, n_in, n_out in LAYERS:
        x, w, g = torch.rand(batch, n_in), torch.rand(n_out, n_in), torch.rand(batch, n_out)
        work = batch * n_in * n_out
        shape = f"{batch} x {n_in} x {n_out}"
        yield f"x @ W.T  {shape}", work, lambda x=x, w=w: torch.nn.functional.linear(x, w)
        yield f"g @ W    {shape}", work, lambda g=g, w=w: torch.mm(g, w)
        yield f"g.T @ x  {shape}", work, lambda g=g, x=x: torch.mm(g.t(), x)
    for n in CUBES:
        if quick and n > 512:
            break
        a, b = torch.rand(n, n), torch.rand(n, n)
        yield f"a @ b    {n} x {n} x {n}", n**3, lambda a=a, b=b: torch.mm(a, b)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="shorter rounds, no cubes above 512")
    parser.add_argument("--only", default="", help="products whose name contains this")
    args = parser.parse_args()
    modules = libraries()
    meter = Meter([1], [])
    meter.measure()
    peak = meter.limits[1].get("fma", float("nan"))
    print(f"peak of one core: {peak:.1f} GFLOP/s")
    print(f"{'':30}" + "".join(f"{name:>16}" for name in modules))
    tables = [list(products(module, args.quick)) for module in modules.values()]
    for cases in zip(*tables, strict=True):
        name, work, _ = cases[0]
        if args.only not in name:
            continue
        best = least_times(
            {m: case[2] for m, case in zip(modules, cases, strict=True)},
            3 if args.quick else 7,
            0.01 if args.quick else 0.05,
        )
        cells = [
            f"{2e-9 * work / best[m]:>8.1f} ({200e-9 * work / best[m] / peak:3.0f} %)"
            if m in best
            else f"{'-':>16}"
            for m in modules
        ]
        print(f"{name:<30}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
