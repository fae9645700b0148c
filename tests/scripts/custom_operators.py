"""Operators of torch.library, in Python, with derivatives of their own."""

import numpy as np
import torch
from torch import Tensor


@torch.library.custom_op("mylib::numpy_sin", mutates_args=())
def numpy_sin(x: Tensor) -> Tensor:
    return torch.from_numpy(np.sin(x.detach().numpy()))


def attempt(function):
    try:
        print(function())
    except Exception as error:
        print(type(error).__name__, str(error)[:100])


x = torch.tensor([1.0, 2.0], requires_grad=True)
y = numpy_sin(x)
print(numpy_sin, y.requires_grad, y.detach())
attempt(lambda: y.sum().backward())
print(torch.ops.mylib.numpy_sin(torch.zeros(2)), torch.ops.mylib.numpy_sin.default(torch.zeros(2)))


@numpy_sin.register_fake
def _(x):
    return torch.empty_like(x)


def keep(ctx, inputs, output):
    ctx.save_for_backward(*inputs)


def cosine(ctx, grad):
    (x,) = ctx.saved_tensors
    print("needs", ctx.needs_input_grad)
    return grad * x.cos()


numpy_sin.register_autograd(cosine, setup_context=keep)
y = numpy_sin(x)
print(y)
y.sum().backward()
print(x.grad)


@torch.library.custom_op("mylib::scale", mutates_args=())
def scale(x: Tensor, ys: list[Tensor], k: float = 2.0, *, n: int | None = None) -> tuple[Tensor, Tensor]:
    return x * k, sum(ys) * 1


def keep_factor(ctx, inputs, keyword_only_inputs, output):
    print(len(inputs), keyword_only_inputs, len(output))
    ctx.k, ctx.n = inputs[2], len(inputs[1])


def scale_backward(ctx, g1, g2):
    print(ctx.needs_input_grad)
    return g1 * ctx.k, [g2] * ctx.n, None


torch.library.register_autograd("mylib::scale", scale_backward, setup_context=keep_factor)
a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
first, second = scale(a, [b, b], 3.0)
print(first, second)
(first.sum() + second.sum() * 3).backward()
print(a.grad, b.grad)


@torch.library.custom_op("mylib::add_one_", mutates_args={"x"})
def add_one_(x: Tensor) -> None:
    x.add_(1)


z = torch.zeros(2)
print(add_one_(z), z, z._version > 0)


@torch.library.custom_op("mylib::same", mutates_args=())
def same(x: Tensor) -> Tensor:
    return x


def bare(x):
    return x


attempt(lambda: torch.library.custom_op("mylib::bare", bare, mutates_args=()))
attempt(lambda: torch.ops.mylib.nothing)
try:
    same(torch.ones(2))
except RuntimeError as error:
    print("The output of this custom operator (1) must not also be an input" in str(error))

library = torch.library.Library("mylib2", "DEF")
library.define("times(Tensor x, float k=2.0) -> Tensor")


@torch.library.impl(library, "times", "CompositeExplicitAutograd")
def times(x, k=2.0):
    return x * k


print(torch.ops.mylib2.times(torch.ones(2)), torch.ops.mylib2.times(torch.ones(2), 3.0))
torch.library.define("mylib3::neg", "(Tensor x) -> Tensor")


@torch.library.impl("mylib3::neg", "cpu")
def neg(x):
    return -x


print(torch.ops.mylib3.neg(torch.ones(2)), torch.ops.mylib.numpy_sin, torch.ops.mylib)

torch._dynamo.reset()
torch._dynamo.config.suppress_errors = True


@torch._dynamo.disable
def plus(x):
    return x + 1


print(plus(1), torch._dynamo.is_compiling())
