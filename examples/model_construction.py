"""Building networks from blocks: four ways, from a ready-made chain to arbitrary Python.

    python examples/model_construction.py

Written like a PyTorch program; only the first import differs. With `import torch` in its place it
prints the same numbers, and `python -m rushlight` runs such a program unchanged.
"""

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F


class MLP(nn.Module):
    """Two linear layers with a ReLU in between.

    A block is a class derived from nn.Module. Whatever layers its __init__ stores as attributes
    belong to it: their parameters are its parameters.
    """

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()  # first of all: this is what makes the assignments below count
        self.hidden = nn.Linear(input_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, X):
        # Calling the block runs this. Its gradient needs no code of ours.
        return self.out(F.relu(self.hidden(X)))


class MySequential(nn.Module):
    """nn.Sequential in a few lines: runs its blocks one after the other."""

    def __init__(self, *blocks):
        super().__init__()
        for number, block in enumerate(blocks):
            self._modules[str(number)] = block  # where Module looks for its parts

    def forward(self, X):
        for block in self._modules.values():
            X = block(X)
        return X


class FixedHiddenMLP(nn.Module):
    """forward may be any Python: constants, operators, one layer used twice, loops."""

    def __init__(self):
        super().__init__()
        # A plain tensor is no parameter: training leaves it as it is.
        self.rand_weight = torch.rand((20, 20), requires_grad=False)
        self.linear = nn.Linear(20, 20)

    def forward(self, X):
        X = self.linear(X)
        X = F.relu(torch.mm(X, self.rand_weight) + 1)
        X = self.linear(X)  # the same layer again: its gradients of both uses add up
        while X.abs().sum() > 1:  # how often depends on the data
            X /= 2
        return X.sum()


class NestMLP(nn.Module):
    """A block made of a chain and a layer: blocks nest as deep as one likes."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.linear = nn.Linear(32, 16)

    def forward(self, X):
        return self.linear(self.net(X))


def main():
    torch.manual_seed(0)  # the same numbers in every run

    print("A chain of layers: 2 examples with 20 features each, 10 outputs.")
    net = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))
    X = torch.rand(2, 20)
    print(net)
    print(net(X))

    print("\nThe same as a class of our own.")
    net = MLP(input_size=20, hidden_size=256, output_size=10)
    X = torch.rand(2, 20)
    print(net(X))

    print("\nOur own chain.")
    net = MySequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))
    print(net(X))

    print("\nPython in the forward pass.")
    net = FixedHiddenMLP()
    X = torch.rand(2, 20)
    print(net(X))

    print("\nEverything together.")
    chimera = nn.Sequential(NestMLP(), nn.Linear(16, 20), FixedHiddenMLP())
    result = chimera(X)
    print(chimera)
    print(result)

    print("\nGradients of all its parameters.")
    result.backward()
    for name, parameter in chimera.named_parameters():
        shape = tuple(parameter.shape)
        print(f"{name:20} {shape!s:10} |gradient| = {parameter.grad.norm():.6f}")


if __name__ == "__main__":
    main()
