"""Containers, Flatten and Bilinear beside PyTorch's: every method, what it returns or raises."""

import copy
import warnings

import pytest

import rushlight

torch = pytest.importorskip("torch", reason="PyTorch is not installed: torch==2.13.0")


def outcome(call, t):
    """repr of the result, or the exception's type and text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return repr(call(t)).replace("rushlight", "torch")
        except Exception as e:
            return f"{type(e).__name__}: {e}".replace("rushlight", "torch")


def parameter(t, *shape):
    return t.nn.Parameter(t.zeros(shape))


def parameters(t):
    return t.nn.ParameterList([parameter(t, 2), parameter(t, 3), t.ones(1)])


def named_parameters(t):
    return t.nn.ParameterDict({"a": parameter(t, 2), "b": t.ones(3), "c": 5})


def modules(t):
    return t.nn.ModuleList([t.nn.ReLU(), t.nn.Tanh(), t.nn.Linear(2, 3)])


def named_modules(t):
    return t.nn.ModuleDict({"a": t.nn.ReLU(), "b": t.nn.Linear(2, 3)})


def after(container, change):
    change(container)
    return container


CALLS = [
    lambda t: parameters(t),
    lambda t: parameters(t)[1:],
    lambda t: parameters(t)[-1].shape,
    lambda t: parameters(t)[5],
    lambda t: parameters(t)[t.tensor(1)].shape,
    lambda t: len(parameters(t)),
    lambda t: parameters(t).append(t.ones(2)),
    lambda t: parameters(t).extend([t.ones(2), "x"]),
    lambda t: parameters(t).extend(3),
    lambda t: parameters(t) + [t.ones(2)],
    lambda t: after(parameters(t), lambda x: x.__iadd__([t.ones(2)])),
    lambda t: after(parameters(t), lambda x: x.__setitem__(0, t.ones(4))),
    lambda t: after(parameters(t), lambda x: x.__setitem__(slice(0, 1), [t.ones(4)])),
    lambda t: after(parameters(t), lambda x: x.__delitem__(0)),
    lambda t: parameters(t).insert(0, 1),
    lambda t: parameters(t).pop(),
    lambda t: list(parameters(t).state_dict()),
    lambda t: [type(x).__name__ for x in parameters(t)],
    lambda t: t.nn.ParameterList(3),
    lambda t: t.nn.ParameterList(parameter(t, 2, 2)),
    lambda t: t.nn.ParameterList([1, "a", t.nn.ReLU()]),
    lambda t: t.nn.ParameterList(),
    lambda t: copy.deepcopy(parameters(t)),
    lambda t: t.nn.ParameterList([parameter(t, 2)])(1),
    lambda t: 1 in parameters(t),
    lambda t: parameters(t) + 3,
    lambda t: parameters(t) * 2,
    lambda t: named_parameters(t),
    lambda t: named_parameters(t)["a"].shape,
    lambda t: named_parameters(t)["z"],
    lambda t: "a" in named_parameters(t),
    lambda t: len(named_parameters(t)),
    lambda t: list(named_parameters(t)),
    lambda t: list(reversed(named_parameters(t))),
    lambda t: list(named_parameters(t).keys()),
    lambda t: list(named_parameters(t).items()),
    lambda t: list(named_parameters(t).values()),
    lambda t: named_parameters(t).pop("a"),
    lambda t: named_parameters(t).pop("z"),
    lambda t: named_parameters(t).popitem(),
    lambda t: named_parameters(t).get("z"),
    lambda t: named_parameters(t).get("z", 4),
    lambda t: named_parameters(t).get("c"),
    lambda t: named_parameters(t).setdefault("z", t.ones(1)),
    lambda t: named_parameters(t).setdefault("c", 7),
    lambda t: named_parameters(t).setdefault("q"),
    lambda t: named_parameters(t).fromkeys(["x", "y"], 3),
    lambda t: named_parameters(t).fromkeys(["x"]),
    lambda t: named_parameters(t).copy(),
    lambda t: after(named_parameters(t), lambda x: x.clear()),
    lambda t: named_parameters(t) | named_parameters(t),
    lambda t: named_parameters(t) | t.nn.ParameterDict({"z": 1}),
    lambda t: after(named_parameters(t), lambda x: x.__ior__(t.nn.ParameterDict({"z": 1}))),
    lambda t: named_parameters(t) | {"z": 1},
    lambda t: {"z": 1} | named_parameters(t),
    lambda t: after(named_parameters(t), lambda x: x.update({"d": 1, "a": t.ones(9)})),
    lambda t: after(named_parameters(t), lambda x: x.update([("d", 1)])),
    lambda t: after(named_parameters(t), lambda x: x.update(3)),
    lambda t: after(named_parameters(t), lambda x: x.update([(1, 2, 3)])),
    lambda t: after(named_parameters(t), lambda x: x.__setitem__(3, 4)),
    lambda t: after(named_parameters(t), lambda x: x.__delitem__("a")),
    lambda t: after(named_parameters(t), lambda x: x.__delitem__("zz")),
    lambda t: list(named_parameters(t).state_dict()),
    lambda t: named_parameters(t)(),
    lambda t: t.nn.ParameterDict([("b", 1), ("a", 2)]),
    lambda t: t.nn.ParameterDict({"b.c": 1}),
    lambda t: t.nn.ParameterDict({"b.c": t.ones(1)}),
    lambda t: t.nn.ParameterDict({"keys": t.ones(1)}),
    lambda t: t.nn.ParameterDict({"training": t.ones(1)}),
    lambda t: modules(t),
    lambda t: modules(t)[1:],
    lambda t: modules(t)[-1],
    lambda t: modules(t)[7],
    lambda t: modules(t) + modules(t),
    lambda t: modules(t) + [t.nn.ReLU()],
    lambda t: after(modules(t), lambda x: x.__iadd__([t.nn.ReLU()])),
    lambda t: modules(t).append(t.nn.ReLU()),
    lambda t: modules(t).append(3),
    lambda t: modules(t).extend([3]),
    lambda t: modules(t).extend(3),
    lambda t: after(modules(t), lambda x: x.insert(1, t.nn.ELU())),
    lambda t: modules(t).pop(),
    lambda t: modules(t).pop(0),
    lambda t: modules(t).pop(slice(0, 2)),
    lambda t: after(modules(t), lambda x: x.__delitem__(slice(0, 2))),
    lambda t: after(modules(t), lambda x: x.__delitem__(-1)),
    lambda t: after(modules(t), lambda x: x.__setitem__(-1, t.nn.ELU())),
    lambda t: after(modules(t), lambda x: x.__setitem__(9, t.nn.ELU())),
    lambda t: modules(t)(1),
    lambda t: [*modules(t)],
    lambda t: t.nn.ModuleList(t.nn.ReLU()),
    lambda t: named_modules(t),
    lambda t: named_modules(t)["a"],
    lambda t: named_modules(t)["z"],
    lambda t: after(named_modules(t), lambda x: x.pop("a")),
    lambda t: named_modules(t).pop("z"),
    lambda t: list(named_modules(t).items()),
    lambda t: after(named_modules(t), lambda x: x.update({"c": t.nn.ELU()})),
    lambda t: after(named_modules(t), lambda x: x.update([["c", t.nn.ELU()]])),
    lambda t: after(named_modules(t), lambda x: x.update([["c"]])),
    lambda t: after(named_modules(t), lambda x: x.update(3)),
    lambda t: after(named_modules(t), lambda x: x.update(named_modules(t))),
    lambda t: after(named_modules(t), lambda x: x.clear()),
    lambda t: "a" in named_modules(t),
    lambda t: len(named_modules(t)),
    lambda t: after(named_modules(t), lambda x: x.__setitem__("q", 3)),
    lambda t: after(named_modules(t), lambda x: x.__setitem__(1, t.nn.ReLU())),
    lambda t: after(named_modules(t), lambda x: x.__setitem__("a.b", t.nn.ReLU())),
    lambda t: t.nn.ModuleDict({"keys": t.nn.ReLU()}),
    lambda t: named_modules(t) | named_modules(t),
    lambda t: named_modules(t).get("a"),
    lambda t: named_modules(t)(1),
    lambda t: list(reversed(named_modules(t))),
    lambda t: t.nn.Flatten(1, 5)(t.ones(2, 3)),
    lambda t: t.nn.Unflatten(1, (2, -1))(t.ones(2, 6)).shape,
    lambda t: t.nn.Unflatten(1, 3),
    lambda t: t.nn.Unflatten(1, (2, "a")),
    lambda t: t.nn.Unflatten(1, (("a", 2),)),
    lambda t: t.nn.Unflatten(1, (4, 2))(t.ones(2, 6)),
    lambda t: t.nn.Bilinear(0, 2, 3),
    lambda t: t.nn.Bilinear(2, 2, 3),
    lambda t: t.nn.Identity(1, a=2),
]


@pytest.mark.parametrize("i", range(len(CALLS)))
def test_call(i):
    assert outcome(CALLS[i], rushlight) == outcome(CALLS[i], torch)
