"""The steps of csrc/ops/optim.c as expressions that autograd records: for differentiable=True.

Each function takes parameter, gradient, state and options of the group, puts the new state in, and
returns the new value of the parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.optim.optimizer import _scalar, _step_dtype

State = dict[str, Any]


def update(kind: int, p: Tensor, state: State, group: dict[str, Any]) -> None:
    """One step of p, in place; complex numbers are pairs of reals."""
    pairs, kept = p.is_complex(), state
    grad, old = p.grad, p
    if pairs:
        grad, old = rushlight.view_as_real(grad), rushlight.view_as_real(p)
        kept = {k: rushlight.view_as_real(v) if v.is_complex() else v for k, v in state.items()}
    grad = -grad if group["maximize"] else grad
    decay = group.get("weight_decay", 0)
    new = old
    if decay != 0:
        if group.get("decoupled_weight_decay"):
            # A copy: lr may want a gradient, and p is written to before backward.
            new = old.clone() * (1 - group["lr"] * decay)
        else:
            grad = grad + decay * old
    if kind != 0 and "step" not in kept:
        kept["step"] = rushlight.tensor(0.0, dtype=_step_dtype())
    if kind != 0:
        kept["step"] += 1
    new = _STEPS[kind](new, grad, kept, group)
    if pairs:
        new = rushlight.view_as_complex(new)
        for k, v in kept.items():
            state[k] = rushlight.view_as_complex(v) if v.dim() > p.dim() else v
    p.copy_(new)


def _kept(state: State, name: str, like: Tensor) -> Tensor:
    return state[name] if name in state else rushlight.zeros_like(like).detach()


def _mean(state: State, name: str, value: Tensor, beta: Any) -> Tensor:
    """The running mean of value."""
    old = _kept(state, name, value)
    state[name] = old + (1 - beta) * (value - old)
    return state[name]


def _sgd(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    momentum = o["momentum"]
    if momentum != 0:
        old = state.get("momentum_buffer")
        state["momentum_buffer"] = (
            g.detach().clone() if old is None else momentum * old + (1 - o["dampening"]) * g
        )
        g = g + momentum * state["momentum_buffer"] if o["nesterov"] else state["momentum_buffer"]
    return p - o["lr"] * g


def _adam(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    t, (beta1, beta2) = _scalar(state["step"]), o["betas"]
    m, v = _mean(state, "exp_avg", g, beta1), _mean(state, "exp_avg_sq", g * g, beta2)
    if o["amsgrad"]:
        v = state["max_exp_avg_sq"] = _kept(state, "max_exp_avg_sq", p).maximum(v)
    return p - o["lr"] / (1 - beta1**t) * m / ((v / (1 - beta2**t)).sqrt() + o["eps"])


def _rmsprop(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    v = _mean(state, "square_avg", g * g, o["alpha"])
    if o["momentum"] > 0:
        state["momentum_buffer"] = _kept(state, "momentum_buffer", p)
    if o["centered"]:
        v = v - _mean(state, "grad_avg", g, o["alpha"]).square()
    g = g / (v.sqrt() + o["eps"])
    if o["momentum"] > 0:
        g = state["momentum_buffer"] = o["momentum"] * state["momentum_buffer"] + g
    return p - o["lr"] * g


def _adagrad(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    state["sum"] = _kept(state, "sum", p) + g * g
    lr = o["lr"] / (1 + (_scalar(state["step"]) - 1) * o["lr_decay"])
    return p - lr * g / (state["sum"].sqrt() + o["eps"])


def _adadelta(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    v, u = _mean(state, "square_avg", g * g, o["rho"]), _kept(state, "acc_delta", p)
    change = (u + o["eps"]).sqrt() / (v + o["eps"]).sqrt() * g
    _mean(state, "acc_delta", change * change, o["rho"])
    return p - o["lr"] * change


def _adamax(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    beta1, beta2 = o["betas"]
    m = _mean(state, "exp_avg", g, beta1)
    state["exp_inf"] = (_kept(state, "exp_inf", p) * beta2).maximum(g.abs() + o["eps"])
    return p - o["lr"] / (1 - beta1 ** _scalar(state["step"])) * m / state["exp_inf"]


def _nadam(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    t, (beta1, beta2) = _scalar(state["step"]), o["betas"]
    mu, after = (
        beta1 * (1 - 0.5 * 0.96 ** (i * o["momentum_decay"])) for i in (t, t + 1)
    )
    if "mu_product" not in state:
        state["mu_product"] = rushlight.tensor(1.0, dtype=_step_dtype())
    state["mu_product"] = state["mu_product"] * mu
    product = _scalar(state["mu_product"])
    m, v = _mean(state, "exp_avg", g, beta1), _mean(state, "exp_avg_sq", g * g, beta2)
    root = (v / (1 - beta2**t)).sqrt() + o["eps"]
    ahead = after / (1 - product * after) * m
    return p - o["lr"] * ((1 - mu) / (1 - product) * g + ahead) / root


def _radam(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    t, (beta1, beta2) = _scalar(state["step"]), o["betas"]
    m, v = _mean(state, "exp_avg", g, beta1), _mean(state, "exp_avg_sq", g * g, beta2)
    correction = 1 - beta2**t
    limit = 2 / (1 - beta2) - 1
    rho = limit - 2 * t * beta2**t / correction
    m = m / (1 - beta1**t)
    if rho > 5:
        share = (rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)
        m = m * (share * correction) ** 0.5 / (v.sqrt() + o["eps"])
    return p - o["lr"] * m


def _asgd(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    number = {"dtype": _step_dtype()}
    lr, t = _scalar(o["lr"]), _scalar(state["step"])
    if "eta" not in state:
        state["eta"], state["mu"] = rushlight.tensor(lr, **number), rushlight.tensor(1.0, **number)
    eta, mu, mean = _scalar(state["eta"]), _scalar(state["mu"]), _kept(state, "ax", p)
    p = (1 - o["lambd"] * eta) * p - eta * g
    state["ax"] = p.clone() if mu == 1 else mean + mu * (p - mean)
    state["eta"] = rushlight.tensor(lr / (1 + o["lambd"] * lr * t) ** o["alpha"], **number)
    state["mu"] = rushlight.tensor(1 / max(1.0, t - o["t0"]), **number)
    return p


def _rprop(p: Tensor, g: Tensor, state: State, o: dict[str, Any]) -> Tensor:
    minus, plus = o["etas"]
    turn = g * _kept(state, "prev", p)
    size = state.get("step_size")
    if size is None:
        size = rushlight.full_like(g, _scalar(o["lr"])).detach()
    size = rushlight.where(turn > 0, plus * size, rushlight.where(turn < 0, minus * size, size))
    state["prev"] = rushlight.where(turn < 0, rushlight.zeros_like(g), g)
    state["step_size"] = size.clamp(*o["step_sizes"])
    return p - state["prev"].sign() * state["step_size"]


# by rl_optim_kind
_STEPS: tuple[Callable, ...] = (
    _sgd,
    _adam,
    _rmsprop,
    _adagrad,
    _adadelta,
    _adamax,
    _nadam,
    _radam,
    _asgd,
    _rprop,
)
