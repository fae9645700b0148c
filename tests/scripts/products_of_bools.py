"""Products of bool tensors: refused, but for those in which nothing is summed."""

import torch
import torch.nn.functional as F


def ones(*shape):
    return torch.ones(shape, dtype=torch.bool)


def attempt(function):
    try:
        print(function())
    except Exception as error:
        print(type(error).__name__, str(error).split("\n")[0])


for n, k, m in ((2, 3, 4), (0, 3, 4), (2, 0, 4), (2, 3, 0)):
    print(n, k, m)
    attempt(lambda: torch.mm(ones(n, k), ones(k, m)))
    attempt(lambda: torch.bmm(ones(2, n, k), ones(2, k, m)))
    attempt(lambda: torch.matmul(ones(2, n, k), ones(k, m)))
    attempt(lambda: torch.mv(ones(n, k), ones(k)))
    attempt(lambda: torch.dot(ones(k), ones(k)))
    attempt(lambda: torch.addmm(ones(n, m), ones(n, k), ones(k, m)))
    attempt(lambda: torch.baddbmm(ones(2, n, m), ones(2, n, k), ones(2, k, m)))
    attempt(lambda: torch.addbmm(ones(n, m), ones(2, n, k), ones(2, k, m)))
    attempt(lambda: torch.addmv(ones(n), ones(n, k), ones(k)))
    attempt(lambda: ones(n, k) @ ones(k))
    attempt(lambda: F.linear(ones(n, k), ones(m, k)))
    attempt(lambda: torch.inner(ones(n, k), ones(m, k)))
    attempt(lambda: torch.tensordot(ones(n, k), ones(k, m), 1))
    attempt(lambda: torch.outer(ones(n), ones(m)))
attempt(lambda: torch.bmm(ones(0, 2, 3), ones(0, 3, 4)).shape)
attempt(lambda: torch.bmm(ones(2, 20, 30), ones(2, 30, 40)))
