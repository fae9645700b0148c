"""What each small piece of a training loop costs per call, rushlight and PyTorch side by side on one thread.

    python benchmarks/per_call.py [--quick] [--only TEXT]

The tensors are so small that arithmetic hardly counts: this is the price of a call.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.side_by_side import least_times, libraries

Function = Callable[[], object]


def pieces(torch: ModuleType) -> dict[str, Function]:
    """Name and function of every piece."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(0)
    x, y = torch.rand(2, 20), torch.rand(2, 20)
    p = torch.rand(2, 20, requires_grad=True)
    linear, relu = nn.Linear(20, 256), nn.ReLU()
    net = nn.Sequential(linear, relu, nn.Linear(256, 10))
    target, classes = torch.rand(2, 10), torch.randint(0, 10, (2,))
    prediction = torch.rand(2, 10, requires_grad=True)
    mse, cross_entropy = nn.MSELoss(), nn.CrossEntropyLoss()
    sgd = torch.optim.SGD(net.parameters(), lr=1e-6)
    adam = torch.optim.Adam(net.parameters(), lr=1e-6)
    mse(net(x), target).backward()

    class Empty(nn.Module):
        def forward(self, x):
            return x

    empty_module = Empty()

    def five_nodes():
        z = p
        for _ in range(4):
            z = z * y
        z.sum().backward()

    def forward_five():
        z = p
        for _ in range(4):
            z = z * y
        return z.sum()

    def no_grad():
        with torch.no_grad():
            pass

    gradients = [(q, q.grad) for q in net.parameters()]

    def zero_and_refill():
        sgd.zero_grad()
        for q, g in gradients:
            q.grad = g

    def network_backward():
        mse(net(x), target).backward()

    return {
        "empty(2, 20)": lambda: torch.empty(2, 20),
        "zeros(2, 20)": lambda: torch.zeros(2, 20),
        "tensor([1.0, 2.0])": lambda: torch.tensor([1.0, 2.0]),
        "x + y": lambda: x + y,
        "p + y, records a node": lambda: p + y,
        "x * 2.0": lambda: x * 2.0,
        "x.mul_(1.0)": lambda: x.mul_(1.0),
        "x.sum()": lambda: x.sum(),
        "x.view(40)": lambda: x.view(40),
        "x[0]": lambda: x[0],
        "x.t()": lambda: x.t(),
        "x.shape": lambda: x.shape,
        "x.sum().item()": lambda: x.sum().item(),
        "no_grad block": no_grad,
        "linear.weight": lambda: linear.weight,
        "an empty Module's call": lambda: empty_module(x),
        "relu(x)": lambda: torch.relu(x),
        "nn.ReLU()(x)": lambda: relu(x),
        "F.linear(x, W, b)": lambda: F.linear(x, linear.weight, linear.bias),
        "nn.Linear(20, 256)(x)": lambda: linear(x),
        "net(x), 20-256-10": lambda: net(x),
        "MSELoss": lambda: mse(prediction, target),
        "CrossEntropyLoss": lambda: cross_entropy(prediction, classes),
        "forward of 5 nodes": forward_five,
        "forward and backward of 5": five_nodes,
        "net forward, loss, backward": network_backward,
        "zero_grad (and refill)": zero_and_refill,
        "SGD step, 4 tensors": sgd.step,
        "Adam step, 4 tensors": adam.step,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="shorter rounds")
    parser.add_argument("--only", default="", help="pieces whose name contains this")
    args = parser.parse_args()
    modules = libraries()
    tables = {name: pieces(module) for name, module in modules.items()}
    print(f"{'':34}" + "".join(f"{name:>12}" for name in modules) + f"{'ratio':>8}")
    for piece in tables["rushlight"]:
        if args.only not in piece:
            continue
        best = least_times(
            {name: table[piece] for name, table in tables.items()},
            3 if args.quick else 7,
            0.01 if args.quick else 0.05,
        )
        cells = "".join(
            f"{best[name] * 1e6:>9.3f} us" if name in best else f"{'-':>12}" for name in modules
        )
        known = "rushlight" in best and "torch" in best
        print(
            f"{piece:<34}{cells}{best['torch'] / best['rushlight']:>8.1f}"
            if known
            else f"{piece:<34}{cells}",
            flush=True,
        )


if __name__ == "__main__":
    main()
