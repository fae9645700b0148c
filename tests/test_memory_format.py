"""memory_format=: strides, values, gradients and errors as PyTorch's."""

import pytest

import rushlight

torch = pytest.importorskip("torch")

# ns: a library; x: (2, 3, 4, 5), v: (1, 3, 1, 2, 2), cl: x channels-last, m: a transposed matrix
CASES = """
x.clone(memory_format=ns.channels_last)
cl.clone()
cl.clone(memory_format=ns.contiguous_format)
cl.clone(memory_format=ns.preserve_format)
m.clone()
m.clone(memory_format=ns.contiguous_format)
v.clone(memory_format=ns.channels_last_3d)
x.contiguous(memory_format=ns.channels_last)
cl.contiguous(memory_format=ns.channels_last)
cl.contiguous()
x[:0].contiguous(memory_format=ns.channels_last)
x[:, :1].contiguous(memory_format=ns.channels_last)
x[:, :1].clone(memory_format=ns.channels_last)
x.to(memory_format=ns.channels_last)
x.to(ns.float64, memory_format=ns.channels_last)
x.to(ns.float64, memory_format=None)
cl.to(memory_format=ns.contiguous_format)
cl.to(ns.float16)
cl.to(ns.float16, memory_format=ns.contiguous_format)
m.to(memory_format=ns.contiguous_format)
x.float(memory_format=ns.channels_last)
x.double(memory_format=ns.channels_last)
x.cpu(memory_format=ns.channels_last)
cl.half(memory_format=ns.contiguous_format)
ns.zeros_like(cl)
ns.zeros_like(cl, memory_format=ns.contiguous_format)
ns.ones_like(m, memory_format=ns.contiguous_format)
ns.full_like(x, 2.0, memory_format=ns.channels_last)
ns.full_like(x, 2, dtype=ns.int64, memory_format=ns.channels_last)
ns.empty(2, 3, 4, 5, memory_format=ns.channels_last).fill_(1)
ns.empty((1, 3, 1, 2, 2), memory_format=ns.channels_last_3d).fill_(1)
ns.empty_like(x, memory_format=ns.channels_last).fill_(1)
cl * 2
cl + x
cl.relu()
ns.nn.Conv2d(3, 4, 3).to(memory_format=ns.channels_last).weight.detach().zero_()
ns.nn.Conv2d(3, 4, 3).to(ns.float64, memory_format=ns.channels_last).weight.detach().zero_()
ns.nn.Linear(3, 4).to(memory_format=ns.channels_last).weight.detach().zero_()
ns.nn.Linear(3, 4).to(ns.complex64).weight.detach().zero_()
x.clone(memory_format=ns.channels_last_3d)
x[0].to(memory_format=ns.channels_last)
x[0].double(memory_format=ns.channels_last)
x.clone(memory_format="channels_last")
x.contiguous(memory_format=1)
x.float("channels_last")
x.float(format=ns.channels_last)
ns.nn.Linear(3, 4).to(memory_format="channels_last")
""".strip().splitlines()


def run(ns, expression):
    x = ns.arange(120.0).reshape(2, 3, 4, 5)
    names = {
        "ns": ns,
        "x": x,
        "v": ns.arange(12.0).reshape(1, 3, 1, 2, 2),
        "cl": x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
        "m": ns.arange(6.0).reshape(2, 3).t(),
    }
    try:
        y = eval(expression, names)
    except (TypeError, RuntimeError) as e:
        return type(e).__name__
    formats = (ns.contiguous_format, ns.channels_last, ns.channels_last_3d)
    lies = [y.is_contiguous(memory_format=f) for f in formats]
    return str(y.dtype), y.shape, y.stride(), lies, y.tolist()


@pytest.mark.filterwarnings("ignore:Complex modules")
@pytest.mark.parametrize("expression", CASES)
def test_format(expression):
    assert run(rushlight, expression) == run(torch, expression)


@pytest.mark.parametrize("method", ["clone", "contiguous", "to"])
def test_gradient(method):
    def gradient(ns):
        x = ns.arange(24.0).reshape(1, 2, 3, 4).requires_grad_()
        y = getattr(x, method)(memory_format=ns.channels_last)
        (y * ns.arange(24.0).reshape(1, 2, 3, 4)).sum().backward()
        return y.requires_grad, x.grad.tolist(), x.stride()

    assert gradient(rushlight) == gradient(torch)


def test_convolution_in_any_format():
    """Values and gradients do not depend on the format of input and weight."""
    for weight, input in [("contiguous_format", "channels_last"), ("channels_last",) * 2]:
        results = []
        for ns in (rushlight, torch):
            ns.manual_seed(0)
            net = ns.nn.Sequential(ns.nn.Conv2d(3, 4, 3), ns.nn.BatchNorm2d(4), ns.nn.ReLU())
            net = net.to(memory_format=getattr(ns, weight))
            x = ns.randn(2, 3, 6, 6).to(memory_format=getattr(ns, input)).requires_grad_()
            opt = ns.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
            net(x).square().sum().backward()
            opt.step()
            results.append([p.detach().numpy() for p in (x.grad, *net.parameters())])
        for a, b in zip(*results, strict=True):
            assert abs(a - b).max() < 1e-4
