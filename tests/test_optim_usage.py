"""What programs do with optimizers, with each of them in turn: the same as PyTorch does."""

from __future__ import annotations

import copy
import inspect
import io
import math
import pickle
import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch", reason="PyTorch is not installed: torch==2.13.0")

NAMES = ["ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "RAdam",
         "RMSprop", "Rprop", "SGD"]  # fmt: skip


# ---- results of both, side by side ----


def plain(x: Any) -> Any:
    """Tensors as (dtype, shape, numbers), in lists and dicts."""
    if isinstance(x, torch.Tensor | rushlight.Tensor):
        return str(x.dtype).split(".")[1], tuple(x.shape), x.detach().reshape(-1).tolist()
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [plain(v) for v in x]
    return x


def check(got: Any, expected: Any, close: float, at: str = "") -> None:
    """Raises where they differ."""
    if isinstance(expected, dict):
        assert list(got) == list(expected), at
        for k, v in expected.items():
            check(got[k], v, close, f"{at}/{k}")
    elif isinstance(expected, list | tuple):
        assert isinstance(got, list | tuple) and len(got) == len(expected), (at, got, expected)
        for i, v in enumerate(expected):
            check(got[i], v, close, f"{at}/{i}")
    elif isinstance(expected, float) and isinstance(got, float | int):
        same = math.isnan(got) if math.isnan(expected) else got == pytest.approx(expected, rel=close, abs=close)
        assert same, (at, got, expected)
    elif isinstance(expected, complex):
        assert got == pytest.approx(expected, rel=close, abs=close), at
    elif isinstance(expected, str):
        assert got.replace("rushlight", "torch") == expected, at
    else:
        assert got == expected, at


def compare(name: str, program: Any, close: float = 1e-4) -> None:
    """program(ns) gives the same, or fails the same way."""
    results = []
    for ns in (rushlight, torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                results.append(plain(program(ns)))
            except Exception as error:  # its kind and text are the result
                results.append([type(error).__name__, str(error)])
    check(*results, close=max(close, 0.03 if name == "Muon" else 0))  # bfloat16 inside


# ---- programs ----


def made(ns: Any, name: str, dtype: str = "float32", **options: Any) -> tuple[list, Any]:
    shapes = [(3, 4), (5, 2)] if name == "Muon" else [(3, 4), (5,), ()]
    if name == "LBFGS":  # divides by small differences of gradients
        dtype = "float64"
    params = []
    for s in shapes:
        start = ns.arange(math.prod(s)).reshape(s).double() * 0.37 - 1
        params.append(ns.nn.Parameter(start.to(getattr(ns, dtype))))
    return params, getattr(ns.optim, name)(params, **options)


def walk(params: list, opt: Any, steps: int = 3) -> list:
    """The losses of some steps with a closure; few of LBFGS, which would arrive."""
    if type(opt).__name__ == "LBFGS":
        opt.param_groups[0]["max_iter"], steps = 3, 1

    def closure() -> Any:
        opt.zero_grad()
        loss = sum(((p * (1 + i)) ** 2).sum() + p.sum() for i, p in enumerate(params))
        loss.backward()
        return loss

    return [opt.step(closure) for _ in range(steps)]


def outcome(params: list, opt: Any, *more: Any) -> list:
    return [params, opt.state_dict(), repr(opt), *more]


def after_steps(ns: Any, name: str, **options: Any) -> list:
    params, opt = made(ns, name, **options)
    return outcome(params, opt, walk(params, opt))


OPTIONS = [
    {},
    {"dtype": "float64"},
    {"lr": 1},
    {"lr": np.float32(0.05)},
    {"weight_decay": 0.1},
    {"maximize": True},
    {"foreach": False},
    {"foreach": True},
    {"fused": False},
    {"differentiable": False},
    {"capturable": False},
    {"amsgrad": True},
    {"nesterov": True, "momentum": 0.9},
    {"centered": True},
    {"decoupled_weight_decay": True, "weight_decay": 0.1},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_options(name, options):
    """Those that an optimizer does not have are the same error."""
    compare(name, lambda ns: after_steps(ns, name, **options))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "LBFGS"])
def test_half_precision(name, dtype):
    """PyTorch rounds after each operation: a few units of the last of seven or ten bits."""
    compare(name, lambda ns: after_steps(ns, name, dtype=dtype), close=0.05 if dtype == "bfloat16" else 0.01)


@pytest.mark.parametrize("name", NAMES)
def test_complex_parameters(name):
    """Beside real ones; some optimizers refuse them."""

    def program(ns):
        pairs = ns.nn.Parameter(ns.tensor([[1 + 2j, 3 - 1j], [-0.5j, 0]]))
        params = [pairs, ns.nn.Parameter(ns.ones(2, 1))]
        opt = getattr(ns.optim, name)(params)
        for i in range(3):
            for p in params:
                p.grad = p.detach() * (1 + i) + 0.5
            opt.step(lambda: ns.tensor(1.0))
        return outcome(params, opt)

    compare(name, program)


@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("name", NAMES)
def test_lr_as_tensor(name, shape):
    compare(name, lambda ns: after_steps(ns, name, lr=ns.full(shape, 0.05)))


SCHEDULES = [
    lambda s, opt: s.StepLR(opt, 1, 0.5),
    lambda s, opt: s.CosineAnnealingLR(opt, 5),
    lambda s, opt: s.OneCycleLR(opt, 0.3, total_steps=10),
    lambda s, opt: s.LambdaLR(opt, lambda n: 1 / (1 + n)),
    lambda s, opt: s.CyclicLR(opt, 0.01, 0.1, cycle_momentum=False),
    lambda s, opt: s.SequentialLR(opt, [s.ConstantLR(opt), s.ExponentialLR(opt, 0.5)], [2]),
]


@pytest.mark.parametrize("tensor", [False, True])
@pytest.mark.parametrize("make", SCHEDULES, ids=range(len(SCHEDULES)))
@pytest.mark.parametrize("name", NAMES)
def test_schedules(name, make, tensor):
    def program(ns):
        params, opt = made(ns, name, lr=ns.tensor(0.1) if tensor else 0.1)
        schedule, log = make(ns.optim.lr_scheduler, opt), []
        for _ in range(3):
            log.append(walk(params, opt, 1))
            schedule.step()
            log.append(schedule.get_last_lr())
        return outcome(params, opt, log)

    compare(name, program)


@pytest.mark.parametrize("name", NAMES)
def test_zero_grad(name):
    def program(ns):
        params, opt = made(ns, name)
        walk(params, opt, 1)
        opt.zero_grad(set_to_none=False)
        zeros = [plain(p.grad) for p in params]
        opt.step(lambda: ns.tensor(1.0))  # zeros are gradients
        log = plain(outcome(params, opt))
        opt.zero_grad()
        return [zeros, log, [p.grad is None for p in params]]

    compare(name, program)


@pytest.mark.parametrize("name", NAMES)
def test_groups(name):
    def program(ns):
        params, opt = made(ns, name)
        more = ns.nn.Parameter(ns.ones(2, 2))
        opt.add_param_group({"params": more, "lr": 0.5})
        return outcome([*params, more], opt, walk([*params, more], opt, 2))

    compare(name, program)
    if name != "LBFGS":  # a group without parameters
        compare(name, lambda ns: repr(getattr(ns.optim, name)([{"params": []}, {"params": [ns.ones(2, 2)]}])))


@pytest.mark.parametrize("name", NAMES)
def test_named_parameters(name):
    def program(ns):
        layer = ns.nn.Linear(4, 4, bias=False)
        opt = getattr(ns.optim, name)(layer.named_parameters())
        return [opt.state_dict(), repr(opt)]

    compare(name, program)


@pytest.mark.parametrize("name", NAMES)
def test_frozen_parameters(name):
    def program(ns):
        params, opt = made(ns, name)
        params[0].requires_grad_(False)
        return outcome(params, opt, walk(params[1:], opt, 2))

    compare(name, program)


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded(name):
    def program(ns):
        params, opt = made(ns, name)
        walk(params, opt, 2)
        file = io.BytesIO()
        ns.save(opt.state_dict(), file)
        file.seek(0)
        params, opt = made(ns, name, lr=0.7)
        opt.load_state_dict(ns.load(file))
        return outcome(params, opt, walk(params, opt, 2))

    compare(name, program)
    compare(name, lambda ns: made(ns, name)[1].load_state_dict({"state": {}, "param_groups": []}))


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda opt: pickle.loads(pickle.dumps(opt))], ids=["copy", "pickle"])
@pytest.mark.parametrize("name", NAMES)
def test_copied(name, twin):
    def program(ns):
        params, opt = made(ns, name)
        walk(params, opt, 1)
        opt = twin(opt) if ns is rushlight or name != "LBFGS" else opt  # a copy of PyTorch's LBFGS fails
        params = opt.param_groups[0]["params"]
        return outcome(params, opt, walk(params, opt, 2))

    compare(name, program)


@pytest.mark.parametrize("name", NAMES)
def test_hooks(name):
    def program(ns):
        params, opt = made(ns, name)
        log = []
        opt.register_step_pre_hook(lambda o, args, kwargs: log.append(["pre", len(args), len(kwargs)]))
        opt.register_step_post_hook(lambda o, args, kwargs: log.append(["post", len(args), len(kwargs)]))
        log.append(walk(params, opt, 2))
        return outcome(params, opt, log)

    compare(name, program)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, 1e-30])
@pytest.mark.parametrize("name", NAMES)
def test_unusual_gradients(name, value):
    def program(ns):
        params, opt = made(ns, name)
        for p in params:
            p.grad = ns.full_like(p, value)
        opt.step(lambda: ns.tensor(1.0))
        return outcome(params, opt)

    compare(name, program)


@pytest.mark.parametrize("name", NAMES)
def test_no_gradients(name):
    compare(name, lambda ns: outcome(*(lambda params, opt: (params, opt, opt.step(lambda: ns.tensor(1.0))))(*made(ns, name))))


@pytest.mark.parametrize("name", NAMES)
def test_signatures(name):
    def program(ns):
        parameters = inspect.signature(getattr(ns.optim, name)).parameters.values()
        return [[p.name, str(p.kind), repr(p.default)] for p in parameters]

    compare(name, program)
    members = lambda ns: sorted(k for k in dir(getattr(ns.optim, name)) if not k.startswith("_"))  # noqa: E731
    assert set(members(torch)) <= set(members(rushlight))


def test_names_for_other_authors():
    """An optimizer as others write them, with the names of torch.optim.optimizer that they import."""

    def program(ns):
        o = import_module(f"{ns.__name__}.optim.optimizer")

        class Walk(ns.optim.Optimizer):
            __doc__ = f"Args: {o._params_doc} {o._maximize_doc} {o._foreach_doc}"

            def __init__(self, params: o.ParamsT, lr: Any = 0.1) -> None:
                super().__init__(params, {"lr": lr, "differentiable": False, "foreach": None, "maximize": False})

            @o._use_grad_for_differentiable
            def step(self, closure=None):
                for group in self.param_groups:
                    params = [p for p in group["params"] if p.grad is not None]
                    for p in params:
                        state = self.state[p]
                        if not state:
                            state["step"] = ns.tensor(0.0, dtype=o._get_scalar_dtype())
                            state["mean"] = ns.zeros_like(p)
                        state["step"] += 1
                    update(params, [self.state[p] for p in params], group)

        @o._disable_dynamo_if_unsupported()
        def update(params, states, group):
            fused, foreach = o._default_to_fused_or_foreach(params, group["differentiable"], use_fused=False)
            assert not fused and not foreach
            grads, means = [p.grad for p in params], [s["mean"] for s in states]
            own = list(params)
            o._view_as_real(own, grads, means)
            for p, g, m, s in zip(own, grads, means, states, strict=True):
                m.lerp_(g, 0.5)
                p.add_(m, alpha=-o._get_value(o._to_scalar(group["lr"])) / o._get_value(s["step"]))

        params, _ = made(ns, "SGD")
        params.append(ns.nn.Parameter(ns.tensor([1 + 2j])))
        opt = Walk(params, lr=ns.tensor([0.1]))
        for _ in range(3):
            for p in params:
                p.grad = p.detach() * 2
            opt.step()
        checks = []
        for p in (ns.ones(1), ns.ones(1, dtype=ns.int64)):
            fused = o._default_to_fused_or_foreach([p, None], False, use_fused=True)
            checks.append([list(fused), list(o._default_to_fused_or_foreach([p], True)), str(o._get_scalar_dtype(True))])
        return outcome(params, opt, o._stack_if_compiling([1, 2]), checks)

    compare("", program)
    with pytest.raises(RuntimeError, match="floating point Tensors of supported devices"):
        rushlight.optim.optimizer._device_dtype_check_for_fused(rushlight.ones(1, dtype=rushlight.int64))
    with pytest.raises(AttributeError, match="no attribute '_missing'"):
        rushlight.optim.optimizer._missing  # noqa: B018


FUNCTIONS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "adagrad": "Adagrad", "adadelta": "Adadelta",
             "adamax": "Adamax", "nadam": "NAdam", "radam": "RAdam", "asgd": "ASGD", "rprop": "Rprop",
             "adafactor": "Adafactor", "muon": "Muon"}  # fmt: skip


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_lists(name, more):
    """torch.optim.adam.adam and its like, from a state that the class has left."""
    from rushlight.optim._functional import _FORMS, _PAIRS

    options = {"SGD": {"momentum": 0.9}, "RMSprop": {"momentum": 0.5, "centered": True}, "Adam": {"amsgrad": True}}
    options = options.get(FUNCTIONS[name], {}) if more else {}
    states = {key: state for state, key in _FORMS[name][2].items()}

    def program(ns):
        params, opt = made(ns, FUNCTIONS[name], lr=0.1, **options)
        file = f"_{name}" if name in ("adafactor", "muon") else name
        function = getattr(import_module(f"{ns.__name__}.optim.{file}"), name)
        told = {"maximize": False, **opt.param_groups[0], "has_complex": False, "foreach": False}
        told.pop("fused", None)
        for option, pair in _PAIRS.items():
            if isinstance(told.get(option), tuple):
                told.update(zip(pair, told[option], strict=True))
        if not (more and name == "sgd"):  # whose buffers are made by the first step
            walk(params, opt, 2)
        lists, wanted = {}, inspect.signature(function).parameters
        for key in wanted:
            if key in states:
                lists[key] = [opt.state[p].get(states[key]) for p in params]
                if name in ("adam", "adamw", "rmsprop") and None in lists[key]:
                    lists[key] = []
            elif key in ("grads", "d_p_list"):
                lists[key] = [p.detach() * 0.3 - 0.1 for p in params]
        with ns.no_grad():
            function(params, **lists, **{k: v for k, v in told.items() if k in wanted and k not in ("params", *lists)})
        parameters = [[p.name, str(p.kind), repr(p.default)] for p in wanted.values()]
        return [params, {k: v for k, v in lists.items() if k in states}, parameters]

    compare("Muon" if name == "muon" else "", program)


def test_functions_of_lists_say_what_they_lack():
    from rushlight.optim.adadelta import adadelta
    from rushlight.optim.adam import adam
    from rushlight.optim.sgd import sgd

    p, options = rushlight.ones(2), {"lr": 0.1, "weight_decay": 0, "maximize": False}
    more = {"momentum": 0, "dampening": 0, "nesterov": False}
    with pytest.raises(TypeError, match="required argument: 'momentum'"):
        sgd([p], [p], [None], **options)
    with pytest.raises(NotImplementedError, match="grad_scale"):
        sgd([p], [p], [None], grad_scale=rushlight.ones(()), **options, **more)
    with pytest.raises(TypeError, match="a gradient for each parameter"):
        sgd([p, p.clone()], [p.clone()], [None, None], **options, **more)
    with pytest.raises(NotImplementedError, match="differentiable"):
        adadelta([p], [p], [p], [p], [p], differentiable=True, rho=0.9, eps=0.1, **options)
    assert p.tolist() == [1, 1] and "exp_avgs" in inspect.signature(adam).parameters
