"""The steps as functions of lists: torch.optim.adam.adam and its like."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

from rushlight import _C

_ADAM = """params grads exp_avgs exp_avg_sqs max_exp_avg_sqs state_steps foreach=None capturable=False
    differentiable=False fused=None grad_scale=None found_inf=None has_complex=False"""
_ADAM_OPTIONS = "* amsgrad beta1 beta2 lr weight_decay eps maximize"
_MEANS = {"step": "state_steps", "exp_avg": "exp_avgs", "exp_avg_sq": "exp_avg_sqs"}
_MOST = {**_MEANS, "max_exp_avg_sq": "max_exp_avg_sqs"}
# name: (rl_optim_kind, parameters, which lists hold which states)
_FORMS: dict[str, tuple[int, str, dict[str, str]]] = {
    "sgd": (
        0,
        """params d_p_list momentum_buffer_list has_sparse_grad=False foreach=None fused=None
        grad_scale=None found_inf=None * weight_decay momentum lr dampening nesterov maximize""",
        {"momentum_buffer": "momentum_buffer_list"},
    ),
    "adam": (1, f"{_ADAM} decoupled_weight_decay=False {_ADAM_OPTIONS}", _MOST),
    "adamw": (1, f"{_ADAM} {_ADAM_OPTIONS}", _MOST),
    "rmsprop": (
        2,
        """params grads square_avgs grad_avgs momentum_buffer_list state_steps foreach=None maximize=False
        differentiable=False capturable=False has_complex=False * lr alpha eps weight_decay momentum
        centered""",
        {
            "step": "state_steps",
            "square_avg": "square_avgs",
            "grad_avg": "grad_avgs",
            "momentum_buffer": "momentum_buffer_list",
        },
    ),
    "adagrad": (
        3,
        """params grads state_sums state_steps fused=None grad_scale=None found_inf=None
        has_sparse_grad=False foreach=None differentiable=False has_complex=False * lr weight_decay
        lr_decay eps maximize""",
        {"step": "state_steps", "sum": "state_sums"},
    ),
    "adadelta": (
        4,
        """params grads square_avgs acc_deltas state_steps capturable=False foreach=None
        differentiable=False has_complex=False * lr rho eps weight_decay maximize""",
        {"step": "state_steps", "square_avg": "square_avgs", "acc_delta": "acc_deltas"},
    ),
    "adamax": (
        5,
        """params grads exp_avgs exp_infs state_steps foreach=None maximize=False differentiable=False
        capturable=False has_complex=False * eps beta1 beta2 lr weight_decay""",
        {"step": "state_steps", "exp_avg": "exp_avgs", "exp_inf": "exp_infs"},
    ),
    "nadam": (
        6,
        """params grads exp_avgs exp_avg_sqs mu_products state_steps decoupled_weight_decay=False
        foreach=None capturable=False differentiable=False has_complex=False maximize=False * beta1
        beta2 lr weight_decay momentum_decay eps""",
        {**_MEANS, "mu_product": "mu_products"},
    ),
    "radam": (
        7,
        """params grads exp_avgs exp_avg_sqs state_steps decoupled_weight_decay=False foreach=None
        differentiable=False capturable=False has_complex=False maximize=False * beta1 beta2 lr
        weight_decay eps""",
        _MEANS,
    ),
    "asgd": (
        8,
        """params grads axs mus etas state_steps foreach=None maximize=False differentiable=False
        capturable=False has_complex=False * lambd lr t0 alpha weight_decay""",
        {"step": "state_steps", "ax": "axs", "mu": "mus", "eta": "etas"},
    ),
    "rprop": (
        9,
        """params grads prevs step_sizes state_steps foreach=None capturable=False maximize=False
        differentiable=False has_complex=False * step_size_min step_size_max etaminus etaplus""",
        {"step": "state_steps", "prev": "prevs", "step_size": "step_sizes"},
    ),
    "adafactor": (
        10,
        """params grads row_vars col_vars variances state_steps foreach=None grad_scale=None
        found_inf=None has_complex=False * d lr beta2_decay weight_decay eps1 eps2 maximize""",
        {
            "step": "state_steps",
            "row_var": "row_vars",
            "col_var": "col_vars",
            "variance": "variances",
        },
    ),
    "muon": (
        11,
        """params grads muon_momentum_bufs * foreach=None lr weight_decay momentum nesterov
        ns_coefficients ns_steps eps adjust_lr_fn has_complex""",
        {"momentum_buffer": "muon_momentum_bufs"},
    ),
}
# options of a group that are pairs of arguments
_PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("etaminus", "etaplus"),
    "step_sizes": ("step_size_min", "step_size_max"),
    "eps": ("eps1", "eps2"),
}


def _signature(text: str) -> Signature:
    parameters, kind = [], Parameter.POSITIONAL_OR_KEYWORD
    for word in text.split():
        if word == "*":
            kind = Parameter.KEYWORD_ONLY
            continue
        name, given, default = word.partition("=")
        value = {"None": None, "False": False}[default] if given else Parameter.empty
        parameters.append(Parameter(name, kind, default=value))
    return Signature(parameters)


def _step(kind: int, told: dict[str, Any], lists: dict[str, str]) -> None:
    for name in ("differentiable", "grad_scale", "found_inf"):
        if told.get(name):
            raise NotImplementedError(f"{name}: not supported by the functions of optimizers")
    params, grads = list(told.pop("params")), list(told.pop("grads", told.get("d_p_list", ())))
    group = {"maximize": False, "lr": 0.0, **told, "params": params}
    for name, pair in _PAIRS.items():
        if pair[0] in told:
            group[name] = tuple(told[k] for k in pair)
    states: dict[str, list] = {name: told[key] for name, key in lists.items()}
    state = {
        p: {name: v[i] for name, v in states.items() if v and v[i] is not None}
        for i, p in enumerate(params)
    }
    _C._optim_step(kind, [group], state, grads)
    for name, values in states.items():  # what the step has made
        for i, p in enumerate(params):
            if values and values[i] is None:
                values[i] = state[p].get(name)


def _made(name: str) -> Callable[..., None]:
    kind, text, lists = _FORMS[name]
    signature = _signature(text)

    def function(*args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        told = dict(bound.arguments)
        if name == "adamw":
            told["decoupled_weight_decay"] = True
        _step(kind, told, lists)

    function.__name__ = function.__qualname__ = name
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__doc__ = f"""One step of the optimizer {name}, into the parameters and states given.

    Raises:
        NotImplementedError: differentiable, grad_scale or found_inf.
    """
    return function


globals().update({name: _made(name) for name in _FORMS})
