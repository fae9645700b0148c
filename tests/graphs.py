"""What the tests of autograd share: leaves, and the same program on PyTorch."""

import warnings

import rushlight as rl


def both(function):
    """function(ns) gives plain data; it must be the same from PyTorch, where that is importable."""
    ours = function(rl)
    try:
        import torch
    except ImportError:
        return ours
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = function(torch)
    assert ours == theirs
    return ours


def leaf(ns, *values, dtype="float64"):
    return ns.tensor(list(values), dtype=getattr(ns, dtype), requires_grad=True)


def total(t):
    return t.sum()
