"""MAML, torch.func, custom functions, hooks, checkpoints and modes."""

import torch
import math
import torch.nn as nn
import torch.nn.functional as F
from torch.func import (
    functional_call,
    grad,
    vmap,
    grad_and_value,
    jacrev,
    jacfwd,
    hessian,
    stack_module_state,
    vjp,
    jvp,
)
import copy

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))
params = {k: v.detach().clone().requires_grad_() for k, v in net.named_parameters()}


def task():
    a = torch.rand(1) * 4 + 0.1
    p = torch.rand(1) * math.pi
    return lambda x: a * torch.sin(x + p)


opt = torch.optim.Adam(params.values(), lr=1e-2)
for it in range(6):
    opt.zero_grad()
    tot = 0.0
    for _ in range(3):
        f = task()
        xs = torch.rand(10, 1) * 10 - 5
        xq = torch.rand(10, 1) * 10 - 5
        l = F.mse_loss(functional_call(net, params, (xs,)), f(xs))
        g = torch.autograd.grad(l, tuple(params.values()), create_graph=True)
        fast = {k: v - 0.01 * gg for (k, v), gg in zip(params.items(), g)}
        tot = tot + F.mse_loss(functional_call(net, fast, xq), f(xq))
    tot.backward()
    opt.step()
    print(it, tot.item())


def loss_fn(p, x, y):
    return F.mse_loss(functional_call(net, p, (x.unsqueeze(0),)), y.unsqueeze(0))


x, y = torch.randn(4, 1), torch.randn(4, 1)
d = {k: v.detach() for k, v in params.items()}
ps = vmap(grad(loss_fn), in_dims=(None, 0, 0))(d, x, y)
print({k: v.shape for k, v in ps.items()}, ps["2.bias"])
g, v = grad_and_value(loss_fn)(d, x[0], y[0])
print(v, g["2.bias"])
print(
    jacrev(torch.sin)(torch.arange(3.0)),
    jacfwd(lambda x: x**2)(torch.arange(3.0)),
    hessian(lambda x: (x**3).sum())(torch.arange(3.0)),
)
o, vf = vjp(torch.sin, torch.ones(2))
print(o, vf(torch.ones(2)))
print(jvp(torch.sin, (torch.ones(2),), (torch.ones(2),)))
models = [nn.Linear(2, 3) for _ in range(4)]
p, b = stack_module_state(models)
base = copy.deepcopy(models[0]).to("meta") if False else copy.deepcopy(models[0])
print(
    vmap(lambda p, b, x: functional_call(base, (p, b), (x,)), in_dims=(0, 0, None))(
        p, b, torch.ones(5, 2)
    ).shape
)
print(
    vmap(torch.dot)(torch.ones(3, 4), torch.arange(12.0).view(3, 4)),
    torch.vmap(lambda x, y: x * y, in_dims=(0, None), out_dims=1)(
        torch.arange(3.0), torch.arange(2.0)
    ),
)


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


class Exp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, i, scale=1.0):
        result = (i * scale).exp()
        ctx.save_for_backward(result)
        ctx.scale = scale
        return result

    @staticmethod
    def backward(ctx, g):
        (r,) = ctx.saved_tensors
        return (g * r * ctx.scale if ctx.needs_input_grad[0] else None), None


class STE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return (x > 0).float()

    @staticmethod
    def backward(ctx, g):
        return F.hardtanh(g)


class LinF(torch.autograd.Function):
    @staticmethod
    def forward(input, weight, bias):
        return input.mm(weight.t()) + bias

    @staticmethod
    def setup_context(ctx, inputs, output):
        input, weight, bias = inputs
        ctx.save_for_backward(input, weight)

    @staticmethod
    def backward(ctx, g):
        i, w = ctx.saved_tensors
        return g.mm(w), g.t().mm(i), g.sum(0)


x = torch.randn(5, requires_grad=True)
out = MyReLU.apply(x)
print(out)
out.sum().backward()
print(x.grad)
e = Exp.apply(x, 2.0)
print(e.grad_fn.name(), type(e.grad_fn).__name__)
e.sum().backward()
print(x.grad, STE.apply(x))
i = torch.randn(3, 2, dtype=torch.double, requires_grad=True)
w = torch.randn(4, 2, dtype=torch.double, requires_grad=True)
b = torch.randn(4, dtype=torch.double, requires_grad=True)
print(torch.autograd.gradcheck(LinF.apply, (i, w, b), eps=1e-6, atol=1e-4))


class Dbl(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        x.mul_(2)
        return x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return g * 2


x = torch.ones(2, requires_grad=True)
y = x.clone()
z = Dbl.apply(y)
z.sum().backward()
print(y, z, x.grad)
# hooks
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
acts = {}


def get_activation(name):
    def hook(model, input, output):
        acts[name] = output.detach()

    return hook


h = net[1].register_forward_hook(get_activation("relu"))
hb = net[0].register_full_backward_hook(
    lambda m, gi, go: print(
        "bw", [None if g is None else tuple(g.shape) for g in gi], [tuple(g.shape) for g in go]
    )
)
hp = net.register_forward_pre_hook(lambda m, a: (a[0] * 2,))
x = torch.ones(2, 3, requires_grad=True)
y = net(x)
y.register_hook(lambda g: g * 3)
y.retain_grad()
y.sum().backward()
print(acts["relu"], y.grad, x.grad)
h.remove()
hb.remove()
hp.remove()
print(
    len(net[1]._forward_hooks),
    net[0].weight.register_hook(lambda g: torch.zeros_like(g)) is not None,
)
net(x).sum().backward()
print(net[0].weight.grad)
hk = torch.nn.modules.module.register_module_forward_hook(
    lambda m, i, o: print(type(m).__name__, o.shape)
)
net(x)
hk.remove()
p = nn.Parameter(torch.ones(2))
p.register_post_accumulate_grad_hook(lambda p: print("acc", p.grad))
(p * 3).sum().backward()
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

z = torch.ones(2, 3, requires_grad=True)
o = checkpoint(net, z, use_reentrant=False)
o.sum().backward()
print(z.grad)
o = checkpoint_sequential(net, 2, z, use_reentrant=False)
print(o)
with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 1, lambda t: t):
    (z**2).sum().backward()
print(z.grad)
try:
    with torch.autograd.detect_anomaly(check_nan=True):
        a = torch.tensor([0.0], requires_grad=True)
        (torch.sqrt(a) * 0).sum().backward()
except RuntimeError as ex:
    print(str(ex).split("\n")[0])
with torch.set_grad_enabled(False):
    print((z * 2).requires_grad, torch.is_grad_enabled())
with torch.enable_grad():
    print((z * 2).requires_grad)
