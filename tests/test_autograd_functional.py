"""autograd.functional with all its arguments: each expression as in PyTorch, values and errors."""

import warnings

import pytest

import rushlight


def shown(torch, value):
    if isinstance(value, torch.Tensor):
        return (
            tuple(value.shape),
            value.requires_grad,
            [round(v, 4) for v in value.detach().reshape(-1).tolist()],
        )
    return [shown(torch, v) for v in value]


# x, y: two floats each, s: one; functions: one number, of two inputs, of elements, two results, without b, a constant
EXPRESSIONS = """
F.jacobian(vec,x,create_graph=True)
F.jacobian(vec,x,vectorize=True)
F.jacobian(multi,(x,y),strict=True)
F.jacobian(indep,(x,y),strict=True)
F.jacobian(const,x,strict=True)
F.jacobian(const,x)
F.jacobian(vec,x,vectorize=True,strategy="forward-mode")
F.jacobian(multi,(x,y),vectorize=True,strategy="forward-mode")
F.jacobian(vec,x,strategy="forward-mode")
F.jacobian(vec,x,vectorize=True,strategy="forward-mode",create_graph=True)
F.jacobian(vec,x,strategy="x")
F.jacobian(vec,x,vectorize=True,strict=True)
F.jacobian(lambda a:1,x)
F.jacobian(vec,1)
F.hessian(one,x)
F.hessian(two,(x,y))
F.hessian(two,(x,y),vectorize=True)
F.hessian(two,(x,y),create_graph=True)
F.hessian(two,(x,y),strict=True)
F.hessian(indep,(x,y),strict=True)
F.hessian(one,x,outer_jacobian_strategy="forward-mode")
F.hessian(vec,x)
F.hessian(lambda a:(a.sum(),a.sum()),x)
F.hessian(lambda a:a.sum(),x)
F.hessian(lambda a:a.sum(),x,strict=True)
F.vjp(vec,x,y)
F.vjp(vec,x)
F.vjp(one,x)
F.vjp(multi,(x,y),(x,s))
F.vjp(vec,x,s)
F.vjp(indep,(x,y),strict=True)
F.vjp(const,x,y)
F.vjp(const,x,y,strict=True)
F.vjp(vec,x,y,create_graph=True)
F.vjp(vec,x,(y,y))
F.jvp(vec,x,y)
F.jvp(vec,x)
F.jvp(vec,s)
F.jvp(multi,(x,y),(y,x))
F.jvp(indep,(x,y),(x,y))
F.jvp(indep,(x,y),(x,y),strict=True)
F.jvp(const,x,y)
F.jvp(const,x,y,strict=True)
F.jvp(vec,x,y,create_graph=True)
F.jvp(lambda a:a,x,y,strict=True)
F.vhp(one,x,y)
F.vhp(two,(x,y),(y,x))
F.vhp(two,(x,y),(y,x),create_graph=True)
F.vhp(indep,(x,y),(y,x),strict=True)
F.vhp(vec,x,y)
F.vhp(lambda a:a.sum(),x,y)
F.vhp(lambda a:a.sum(),x,y,strict=True)
F.hvp(one,x,y)
F.hvp(two,(x,y),(y,x))
F.hvp(two,(x,y),(y,x),create_graph=True)
F.hvp(indep,(x,y),(y,x))
F.hvp(indep,(x,y),(y,x),strict=True)
F.hvp(lambda a:a.sum(),x,y,strict=True)
F.hvp(one,x)
F.hvp(one,s)
""".strip().split("\n")


def outcome(torch, expression):
    names = {
        "torch": torch,
        "F": torch.autograd.functional,
        "x": torch.tensor([1.0, 2.0]),
        "y": torch.tensor([3.0, 4.0]),
        "s": torch.tensor(1.5),
        "one": lambda a: (a**3).sum(),
        "two": lambda a, b: (a * b**2).sum(),
        "vec": lambda a: a**2,
        "multi": lambda a, b: (a * b, b.sum()),
        "indep": lambda a, b: (a**2).sum(),
        "const": lambda a: torch.ones(2),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return shown(torch, eval(expression, names))
        except Exception as error:  # noqa: BLE001, whichever it is
            return type(error).__name__, str(error).replace("rushlight", "torch")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_in_pytorch(expression):
    torch = pytest.importorskip("torch")
    assert outcome(rushlight, expression) == outcome(torch, expression)
