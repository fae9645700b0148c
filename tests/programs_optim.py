"""Optimizers, averages of weights, steps that autograd records."""

from programs import fails, program, programs, uniform

# ---- optimizers ----


@programs(
    {},
    {"max_iter": 4, "lr": 0.5},
    {"lr": 0.1, "history_size": 2},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 5, "lr": 3.0},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 0.05, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_eval": 3, "lr": 30.0},
)
def lbfgs(t, options):
    """Rosenbrock's valley, steep and curved, in double precision."""
    x = t.nn.Parameter(t.tensor([-1.2, 1.0], dtype=t.float64))
    y = t.nn.Parameter(t.tensor([[0.7], [-0.4]], dtype=t.float64))
    unused = t.nn.Parameter(t.ones(2, dtype=t.float64))
    opt = t.optim.LBFGS([x, y, unused], **options)

    def closure():
        opt.zero_grad()
        loss = 10 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + ((y - x.view(2, 1)) ** 4).sum()
        loss.backward()
        return loss

    losses = [opt.step(closure) for _ in range(3)]
    state = opt.state_dict()["state"][0]
    counts = [state["func_evals"], state["n_iter"], len(state["old_dirs"]), list(state)]
    return [repr(opt), losses, x, y, unused, counts, state["d"], state["ro"]]


ALL = [
    "ASGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
]


@programs(*ALL)
def groups(t, name):
    """Named parameters in groups with their own options, a tensor as lr, parameters without gradient, hooks."""
    t.manual_seed(0)
    params = [t.nn.Parameter(uniform(t, *s)) for s in ((3,), (2, 4), (), (5,))]
    groups = [
        {"params": [("a", params[0]), ("b", params[1])], "lr": 0.2},
        {"params": [("c", params[2])], "weight_decay": 0.1},
    ]
    opt = getattr(t.optim, name)(groups, lr=t.tensor(0.1))
    opt.add_param_group({"params": [("d", params[3])], "lr": 0.05, "maximize": True})
    log = []
    opt.register_step_pre_hook(lambda o, args, kwargs: log.append([type(o).__name__, len(args), len(kwargs)]))
    opt.register_step_post_hook(lambda o, args, kwargs: log.append("post"))
    opt.register_state_dict_post_hook(lambda o, d: d | {"extra": 1})
    opt.register_load_state_dict_pre_hook(lambda o, d: log.append(sorted(d)))
    for i in range(4):
        for p in params:
            p.grad = uniform(t, *p.shape)
        if i < 2:
            params[1].grad = None
        opt.param_groups[1]["lr"].mul_(0.5)
        opt.step()
    saved = opt.state_dict()
    keys = {k: list(v) for k, v in saved["state"].items()}
    twin = getattr(t.optim, name)([{"params": g["params"]} for g in opt.param_groups], lr=0.3)
    twin.load_state_dict(saved)
    opt.load_state_dict(saved)
    shapes = {k: [str(v.dtype) + str(tuple(v.shape)) for v in s.values()] for k, s in saved["state"].items()}
    return [repr(opt), repr(twin), params, keys, shapes, log, saved["param_groups"], list(saved)]


@programs(*ALL)
def closures(t, name):
    """A step with a closure under no_grad; zero_grad; an empty gradient; float64."""
    t.manual_seed(0)
    p = t.nn.Parameter(uniform(t, 4).double())
    empty = t.nn.Parameter(t.empty(0, 3).double())
    opt = getattr(t.optim, name)([p] if name == "Adafactor" else [p, empty])

    def closure():
        opt.zero_grad()
        loss = (p**2).sum() + empty.sum()
        loss.backward()
        return loss

    with t.no_grad():
        losses = [opt.step(closure) for _ in range(3)]
    opt.zero_grad(set_to_none=False)
    zeros = p.grad
    opt.zero_grad()
    return [losses, p, zeros, p.grad, {k: str(v.dtype) for k, v in opt.state[p].items()}]


@program
def lbfgs_bad_search(t):
    x = t.nn.Parameter(t.ones(2))
    opt = t.optim.LBFGS([x], line_search_fn="other")

    def closure():
        opt.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    return fails(lambda: opt.step(closure))


@programs(
    {},
    {"nesterov": False, "momentum": 0.5, "lr": 0.1},
    {"adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.3},
    {"ns_steps": 2, "ns_coefficients": (2.0, -1.5, 0.5), "lr": 0.1},
)
def muon(t, options):
    """bfloat16 inside: digits to two places."""
    t.manual_seed(0)
    params = [t.nn.Parameter(uniform(t, *s)) for s in ((4, 6), (7, 3), (5, 5))]
    opt = t.optim.Muon(params, **options)
    for _ in range(3):
        for p in params:
            p.grad = uniform(t, *p.shape)
        opt.step()
    return [repr(opt), params, [list(s) for s in opt.state.values()]]


@program
def swapped_in(t):
    """Another model's parameters and state in an optimizer, for one step."""
    import copy

    t.manual_seed(0)
    model = t.nn.Linear(3, 2)
    opt = t.optim.Adam(model.parameters(), lr=0.1)
    model(t.ones(3)).sum().backward()
    opt.step()
    others = {n: t.nn.Parameter(uniform(t, *p.shape)) for n, p in model.named_parameters()}
    state = copy.deepcopy(opt.state_dict())
    state["param_groups"][0]["lr"] = 0.5
    before = {k: v.clone() for k, v in model.state_dict().items()}
    for p in others.values():
        p.grad = t.ones(p.shape)
    swap = t.optim.swap_in_optimizer_params_and_state
    with swap(opt, others, state):
        inside = repr(opt)
        opt.step()
    same = all(bool((before[k] == v).all()) for k, v in model.state_dict().items())

    def attempt(parameters=None, fresh=False, **changes):
        with swap(
            t.optim.SGD(model.parameters()) if fresh else opt,
            others if parameters is None else parameters,
            {**copy.deepcopy(opt.state_dict()), **changes},
        ):
            pass

    groups = opt.state_dict()["param_groups"]
    errors = [
        fails(lambda: attempt(fresh=True)),
        fails(lambda: attempt(state=3)),
        fails(lambda: attempt(state={0: 3})),
        fails(lambda: attempt(state={7: {}})),
        fails(lambda: attempt(state={t.ones(1): {}})),
        fails(lambda: attempt(param_groups=3)),
        fails(lambda: attempt(param_groups=[])),
        fails(lambda: attempt(param_groups=[3])),
        fails(lambda: attempt(param_groups=[{}])),
        fails(lambda: attempt(param_groups=[{**groups[0], "params": [0]}])),
        fails(lambda: attempt(param_groups=[{**groups[0], "x": 1}])),
        fails(lambda: attempt(parameters={})),
    ]
    return [inside, repr(opt), same, others, state["state"], opt.state_dict()["state"], errors]


# ---- averages of weights ----


@programs(
    lambda s: {},
    lambda s: {"use_buffers": True},
    lambda s: {"avg_fn": s.get_swa_avg_fn()},
    lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn(), "use_buffers": True},
    lambda s: {"avg_fn": s.get_ema_avg_fn(0.9)},
    lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.8), "use_buffers": True},
    lambda s: {"avg_fn": lambda a, p, n: 0.3 * a + 0.7 * p},
)
def averaged_model(t, options):
    t.manual_seed(0)
    model = t.nn.Sequential(t.nn.Linear(3, 2), t.nn.BatchNorm1d(2))
    model[1].num_batches_tracked = None  # PyTorch cannot average integers
    average = t.optim.swa_utils.AveragedModel(model, **options(t.optim.swa_utils))
    x = uniform(t, 5, 3)
    for _ in range(4):
        model(uniform(t, 6, 3))
        with t.no_grad():
            for p in model.parameters():
                p.add_(uniform(t, *p.shape))
        average.update_parameters(model)
    return [repr(average), average.state_dict(), average.eval()(x)]


@program
def update_bn(t):
    t.manual_seed(0)
    model = t.nn.Sequential(t.nn.Linear(3, 2), t.nn.BatchNorm1d(2), t.nn.ReLU()).eval()
    t.optim.swa_utils.update_bn([[uniform(t, 4, 3)], [uniform(t, 5, 3)]], model)
    t.optim.swa_utils.update_bn([1], t.nn.ReLU())
    return [model.state_dict(), model.training, model[1].momentum]


@programs({}, {"anneal_strategy": "linear", "anneal_epochs": 4}, {"anneal_epochs": 0})
def swalr(t, options):
    params = [t.nn.Parameter(t.ones(1)) for _ in range(2)]
    opt = t.optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 0.3}], lr=0.1)
    schedule = t.optim.swa_utils.SWALR(opt, [0.05, 0.5], **options)
    rates = [schedule.get_last_lr()]
    for _ in range(13):
        opt.step()
        schedule.step()
        rates.append(schedule.get_last_lr())
    other = t.optim.swa_utils.SWALR(opt, 0.05)
    other.load_state_dict(schedule.state_dict())
    return [rates, other.get_last_lr(), sorted(set(other.state_dict()) - {"_is_initial"})]


# ---- steps that autograd records ----


@programs(
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.5}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
    ("Adadelta", {"rho": 0.5}),
    ("NAdam", {"lr": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": (0.5, 0.6)}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "t0": 1}),
)
def differentiable(t, option):
    """The gradient of the parameters after three steps; PyTorch's fails with the other optimizers and options."""
    name, options = option
    t.manual_seed(0)
    start = uniform(t, 4).double().requires_grad_()
    grads = [uniform(t, 4).double().requires_grad_() for _ in range(3)]
    p = start.clone()
    opt = getattr(t.optim, name)([p], differentiable=True, **options)
    for g in grads:
        p.grad = g
        opt.step()
    p.square().sum().backward()
    return [p, start.grad, [g.grad for g in grads], list(opt.state[p])]


@programs(("SGD", {}), ("Adam", {"lr": 0.3}), ("AdamW", {"lr": 0.2}), ("RAdam", {}))
def gradient_of_the_rate(t, option):
    name, options = option
    t.manual_seed(0)
    start = t.rand(4, dtype=t.float64).requires_grad_()
    lr = t.tensor(0.1, dtype=t.float64, requires_grad=True)
    p = start.clone()
    opt = getattr(t.optim, name)([p], differentiable=True, **{**options, "lr": lr})
    for _ in range(2):
        p.grad = t.rand(4, dtype=t.float64)
        opt.step()
    p.sum().backward()
    return [p, lr.grad, start.grad]
