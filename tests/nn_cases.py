"""Cases of modules and optimizers, and what PyTorch makes of them: tests/nn.json.

    python tests/nn_cases.py            writes tests/nn.json; needs torch==2.13.0

The inputs are uniform random numbers, which are the same bits in both libraries for a seed, as are initial parameters.
"""

import json
import warnings
from collections import OrderedDict
from pathlib import Path

GOLDEN = Path(__file__).parent / "nn.json"


def outcome(call, t):
    """repr of the result, or the exception's type and text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return repr(call(t)).replace("rushlight", "torch")
        except Exception as e:
            return f"{type(e).__name__}: {e}".replace("rushlight", "torch")


# ---- layers and losses ----

LAYERS = [
    (lambda n: n.Linear(5, 3), [(4, 5)]),
    (lambda n: n.Linear(5, 3, bias=False), [(2, 4, 5)]),
    (lambda n: n.Linear(5, 3), [(5,)]),
    (lambda n: n.Bilinear(4, 3, 2), [(5, 4), (5, 3)]),
    (lambda n: n.Bilinear(4, 3, 2, bias=False), [(5, 2, 4), (5, 2, 3)]),
    (lambda n: n.Identity(3, a=4), [(4, 5)]),
    (lambda n: n.Flatten(), [(2, 3, 4)]),
    (lambda n: n.Flatten(0, 1), [(2, 3, 4)]),
    (lambda n: n.Unflatten(1, (2, 3)), [(2, 6)]),
    (lambda n: n.ReLU(), [(4, 5)]),
    (lambda n: n.LeakyReLU(), [(4, 5)]),
    (lambda n: n.LeakyReLU(0.3), [(4, 5)]),
    (lambda n: n.PReLU(), [(4, 5)]),
    (lambda n: n.PReLU(5), [(4, 5)]),
    (lambda n: n.ELU(0.7), [(4, 5)]),
    (lambda n: n.CELU(0.7), [(4, 5)]),
    (lambda n: n.SELU(), [(4, 5)]),
    (lambda n: n.GELU(), [(4, 5)]),
    (lambda n: n.GELU("tanh"), [(4, 5)]),
    (lambda n: n.GLU(), [(4, 6)]),
    (lambda n: n.SiLU(), [(4, 5)]),
    (lambda n: n.Mish(), [(4, 5)]),
    (lambda n: n.Sigmoid(), [(4, 5)]),
    (lambda n: n.Tanh(), [(4, 5)]),
    (lambda n: n.Softplus(2, 1), [(4, 5)]),
    (lambda n: n.LogSigmoid(), [(4, 5)]),
    (lambda n: n.Softsign(), [(4, 5)]),
    (lambda n: n.Tanhshrink(), [(4, 5)]),
    (lambda n: n.Hardtanh(-0.5, 0.7), [(4, 5)]),
    (lambda n: n.ReLU6(), [(4, 5)]),
    (lambda n: n.Hardsigmoid(), [(4, 5)]),
    (lambda n: n.Hardswish(), [(4, 5)]),
    (lambda n: n.Threshold(0.1, 20.0), [(4, 5)]),
    (lambda n: n.Softmax(1), [(4, 5)]),
    (lambda n: n.Softmin(0), [(4, 5)]),
    (lambda n: n.LogSoftmax(-1), [(4, 5)]),
    (lambda n: n.Softmax2d(), [(2, 3, 4, 5)]),
    (lambda n: n.Dropout(0.5).eval(), [(4, 5)]),
    (lambda n: n.Sequential(n.Linear(5, 4), n.ReLU(), n.Linear(4, 2), n.Sigmoid()), [(3, 5)]),
    (lambda n: n.Sequential(n.Sequential(n.Linear(5, 4), n.Tanh()), n.Sequential()), [(3, 5)]),
]


LOSSES = [
    ("L1Loss", {}),
    ("L1Loss", {"reduction": "sum"}),
    ("MSELoss", {}),
    ("MSELoss", {"reduction": "none"}),
    ("SmoothL1Loss", {"beta": 0.5}),
    ("HuberLoss", {"delta": 0.5}),
    ("BCEWithLogitsLoss", {}),
    ("KLDivLoss", {"reduction": "batchmean"}),
    ("KLDivLoss", {"log_target": True, "reduction": "sum"}),
]


CLASS_LOSSES = [
    ("CrossEntropyLoss", {}),
    ("CrossEntropyLoss", {"reduction": "sum", "ignore_index": 2}),
    ("CrossEntropyLoss", {"label_smoothing": 0.2}),
    ("CrossEntropyLoss", {"weight": [0.1, 0.2, 0.3, 0.4, 0.5], "reduction": "none"}),
    ("CrossEntropyLoss", {"weight": [0.1, 0.2, 0.3, 0.4, 0.5], "label_smoothing": 0.1}),
    ("NLLLoss", {}),
    ("NLLLoss", {"weight": [0.1, 0.2, 0.3, 0.4, 0.5], "ignore_index": 1}),
]


SIGNS = [1.0, -1.0, 1.0, -1.0]
CLASSES = [0, 2, 1, 2]

# Class, arguments, inputs: a shape for random ones, or values.
VALUED = [
    ("MarginRankingLoss", {"margin": 0.3}, [(4,), (4,), SIGNS]),
    ("HingeEmbeddingLoss", {"margin": 0.3}, [(4,), SIGNS]),
    ("CosineEmbeddingLoss", {"margin": 0.1}, [(4, 3), (4, 3), SIGNS]),
    ("TripletMarginLoss", {"margin": 0.7, "p": 1.0, "swap": True}, [(4, 3), (4, 3), (4, 3)]),
    ("TripletMarginWithDistanceLoss", {"margin": 0.7}, [(4, 3), (4, 3), (4, 3)]),
    ("SoftMarginLoss", {}, [(4,), SIGNS]),
    ("MultiMarginLoss", {"p": 2, "margin": 0.4}, [(4, 3), CLASSES]),
    ("MultiMarginLoss", {"weight": (0.2, 0.3, 0.4)}, [(4, 3), CLASSES]),
    ("MultiLabelMarginLoss", {}, [(2, 3), [[0, 2, -1], [1, -1, 0]]]),
    ("MultiLabelSoftMarginLoss", {"weight": (0.2, 0.3, 0.4)}, [(4, 3), (4, 3)]),
    ("PoissonNLLLoss", {"full": True}, [(4,), [0.0, 1.0, 2.0, 5.0]]),
    ("PoissonNLLLoss", {"log_input": False, "eps": 1e-3}, [(4,), [0.0, 1.0, 2.0, 5.0]]),
    ("GaussianNLLLoss", {"full": True, "eps": 1e-2}, [(4, 3), (4, 3), (4, 1)]),
    ("NLLLoss2d", {}, [(2, 3, 2, 1), [[[0], [1]], [[2], [0]]]]),
    ("LinearCrossEntropyLoss", {"in_features": 3, "num_classes": 5, "bias": True}, [(4, 3), CLASSES]),
    ("LinearCrossEntropyLoss", {"in_features": 3, "num_classes": 3, "weight": (0.2, 0.3, 0.4), "ignore_index": 1}, [(4, 3), CLASSES]),
    ("LinearCrossEntropyLoss", {"in_features": 3, "num_classes": 3, "out_features": (2,)}, [(2, 3), [[0, 2], [1, 0]]]),
    ("CosineSimilarity", {"dim": 0, "eps": 0.1}, [(4, 3), (4, 3)]),
    ("PairwiseDistance", {"p": 1.0, "keepdim": True}, [(4, 3), (4, 3)]),
]  # fmt: skip

# Modules that draw random numbers in training.
SEEDED = [
    lambda n: n.Hardshrink(),
    lambda n: n.Hardshrink(0.2),
    lambda n: n.Softshrink(),
    lambda n: n.Softshrink(0.2),
    lambda n: n.RReLU(),
    lambda n: n.RReLU(0.1, 0.5, inplace=True),
    lambda n: n.Dropout(0.3),
    lambda n: n.Dropout1d(0.3),
    lambda n: n.Dropout2d(0.3),
    lambda n: n.Dropout3d(0.3, inplace=True),
    lambda n: n.AlphaDropout(0.3),
    lambda n: n.FeatureAlphaDropout(0.3),
]


# ---- structure and errors ----

STRUCTURE = [
    lambda t: t.nn.Module(),
    lambda t: t.nn.ModuleList([t.nn.Linear(2, 3) for _ in range(3)] + [t.nn.ReLU()]),
    lambda t: t.nn.ModuleList(),
    lambda t: t.nn.ModuleDict({"a": t.nn.ReLU(), "b": t.nn.ModuleList([t.nn.Linear(1, 1)])}),
    lambda t: t.nn.ParameterList([t.zeros(2, 3), 5]),
    lambda t: t.nn.ParameterDict({"x": t.zeros(2, 3), "y": 5}),
    lambda t: t.nn.Sequential(OrderedDict(a=t.nn.Linear(1, 2), b=t.nn.ReLU())),
    lambda t: [n for n, _ in net(t).named_modules()],
    lambda t: [n for n, _ in net(t).named_modules(prefix="x")],
    lambda t: [n for n, _ in net(t).named_children()],
    lambda t: [n for n, _ in net(t).named_parameters()],
    lambda t: [n for n, _ in net(t).named_parameters(prefix="x", recurse=False)],
    lambda t: [n for n, _ in net(t).named_parameters(remove_duplicate=False)],
    lambda t: [n for n, _ in net(t).named_buffers()],
    lambda t: list(net(t).state_dict()),
    lambda t: net(t).state_dict()._metadata,
    lambda t: list(net(t).state_dict(prefix="p.")),
    lambda t: len(list(net(t).modules())),
    lambda t: net(t),
    lambda t: net(t).get_submodule("body.0"),
    lambda t: net(t).get_parameter("body.0.weight").shape,
    lambda t: net(t).get_buffer("mean"),
    lambda t: net(t).body[1],
    lambda t: net(t).body[-1],
    lambda t: net(t).body[:1],
    lambda t: net(t).body + t.nn.Sequential(t.nn.Tanh()),
    lambda t: net(t).body * 2,
    lambda t: net(t).body.insert(1, t.nn.Tanh()),
    lambda t: net(t).body.append(t.nn.Tanh()).extend([t.nn.ReLU()]),
    lambda t: net(t).body.pop(0),
    lambda t: edited(net(t).body),
    lambda t: edited(t.nn.ModuleList([t.nn.Linear(1, i) for i in range(1, 5)])),
    lambda t: net(t).double().body[0].weight.dtype,
    lambda t: net(t).to(t.float16).count.dtype,
    lambda t: net(t).to("cpu", t.float64).mean.dtype,
    lambda t: net(t).half().float().body[0].bias.dtype,
    lambda t: net(t).requires_grad_(False).body[0].weight.requires_grad,
    lambda t: [m.training for m in net(t).eval().modules()],
    lambda t: net(t).load_state_dict(net(t).state_dict()),
    lambda t: t.nn.Parameter(t.tensor([1.0, 2.0])),
    lambda t: t.nn.Parameter(t.tensor([1, 2]), requires_grad=False),
    lambda t: isinstance(t.nn.Buffer(t.ones(1)), t.nn.Buffer),
    lambda t: [k for k in vars(t.nn.Linear(1, 1))],
]


def net(t):
    """A module with everything: submodules, a shared one, parameters, buffers, None."""

    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = t.nn.Sequential(t.nn.Linear(2, 3), t.nn.ReLU())
            self.head = self.body[0]
            self.scale = t.nn.Parameter(t.ones(1))
            self.tied = self.scale
            self.register_parameter("none", None)
            self.register_buffer("mean", t.zeros(2))
            self.register_buffer("count", t.zeros((), dtype=t.int64))
            self.register_buffer("cache", t.zeros(1), persistent=False)
            self.extra = t.nn.Buffer(t.zeros(1))

    return Net()


def edited(modules):
    del modules[0]
    modules[0] = type(modules[-1])() if len(modules) < 2 else modules[-1]
    return modules


def assign(t, name, value):
    m = net(t)
    setattr(m, name, value)
    return m


def unmade(t, value):
    class M(t.nn.Module):
        def __init__(self):
            self.x = value(t)

    return M()


ERRORS = [
    lambda t: net(t).foo,
    lambda t: assign(t, "scale", 3),
    lambda t: assign(t, "scale", t.ones(1)),
    lambda t: assign(t, "body", 3),
    lambda t: assign(t, "mean", 3),
    lambda t: unmade(t, lambda t: t.nn.ReLU()),
    lambda t: unmade(t, lambda t: t.nn.Parameter(t.ones(1))),
    lambda t: t.nn.Module()(1),
    lambda t: t.nn.Module(1),
    lambda t: t.nn.Module(x=1),
    lambda t: net(t).register_parameter("a.b", None),
    lambda t: net(t).register_parameter("", None),
    lambda t: net(t).register_parameter(3, None),
    lambda t: net(t).register_parameter("x", 3),
    lambda t: net(t).register_parameter("body", None),
    lambda t: net(t).register_parameter("x", t.nn.Parameter(t.ones(1)) * 2),
    lambda t: net(t).register_buffer("a.b", None),
    lambda t: net(t).register_buffer("x", 3),
    lambda t: net(t).register_buffer("scale", None),
    lambda t: net(t).add_module("a.b", None),
    lambda t: net(t).add_module("", None),
    lambda t: net(t).add_module("x", 3),
    lambda t: net(t).add_module("scale", t.nn.ReLU()),
    lambda t: net(t).get_submodule("body.7"),
    lambda t: net(t).get_submodule("scale"),
    lambda t: net(t).get_parameter("body"),
    lambda t: net(t).get_buffer("scale"),
    lambda t: net(t).set_submodule("", t.nn.ReLU()),
    lambda t: net(t).set_submodule("body.9", t.nn.ReLU(), strict=True),
    lambda t: net(t).set_submodule("scale", t.nn.ReLU()),
    lambda t: net(t).train(1),
    lambda t: net(t).to(t.int32),
    lambda t: net(t).body[5],
    lambda t: net(t).body.insert(9, t.nn.ReLU()),
    lambda t: net(t).body + 3,
    lambda t: net(t).body * 0,
    lambda t: t.nn.ModuleList(3),
    lambda t: t.nn.ModuleList([1]),
    lambda t: t.nn.ModuleDict(3),
    lambda t: t.nn.ParameterList([1])("x"),
    lambda t: t.nn.Linear(2, 3).load_state_dict(3),
    lambda t: t.nn.Linear(2, 3).load_state_dict({}),
    lambda t: t.nn.Linear(2, 3).load_state_dict({"weight": 3, "bias": t.ones(3)}),
    lambda t: t.nn.Linear(2, 3).load_state_dict({"weight": t.ones(2, 2), "x.y": 1, "z": 2}),
    lambda t: t.nn.Linear(2, 3).load_state_dict({"weight": t.ones(2, 2)}, strict=False),
    lambda t: t.nn.Linear(2, 3).load_state_dict({"z": t.ones(2, 2)}, strict=False),
    lambda t: net(t).load_state_dict(t.nn.Linear(1, 1).state_dict()),
    lambda t: t.nn.Linear(2, 3)(3),
    lambda t: t.nn.Linear(2, 3)(t.ones(4)),
    lambda t: t.nn.Linear(2, 3)(t.ones(2, 2, dtype=t.int64)),
    lambda t: t.nn.Linear(2, 3)(),
    lambda t: t.nn.Linear(2, 3)(t.ones(2), t.ones(2)),
    lambda t: t.nn.Linear(2, 3)(x=t.ones(2)),
    lambda t: t.nn.ReLU()(3),
    lambda t: t.nn.Dropout(2),
    lambda t: t.nn.Hardtanh(1, 0),
    lambda t: t.nn.functional.dropout(t.ones(1), 2),
    lambda t: t.nn.functional.mse_loss(t.ones(1), t.ones(1), reduction="x"),
    lambda t: t.nn.functional.binary_cross_entropy(t.ones(1), t.ones(2)),
    lambda t: t.nn.functional.binary_cross_entropy_with_logits(t.ones(1), t.ones(2)),
    lambda t: t.nn.Parameter(t.tensor([1, 2])),
    lambda t: t.nn.CrossEntropyLoss()(t.ones(2, 3), t.ones(2)),
    lambda t: t.nn.functional.nll_loss(t.ones(2, 3), t.ones(2, dtype=t.int32)),
    lambda t: t.nn.functional.bilinear(t.ones(2, 3), t.ones(3, 2), t.ones(1, 3, 2)),
    lambda t: t.nn.functional.bilinear(t.ones(3), t.ones(1, 2), t.ones(1, 3, 2)),
    lambda t: t.nn.ParameterDict()[3],
]


# ---- optimizers and schedules ----

SHAPES = [(3,), (4, 5), (), (17, 3)]

# Class, options: every option that changes the formula, alone and with others.
CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "foreach": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "fused": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.4, 0.9), "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "maximize": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.02, "centered": True, "maximize": True}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.4, "alpha": 0.7}),
    ("Adagrad", {}),
    (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.2},
    ),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.5, 0.8), "weight_decay": 0.1}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 4, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.1, "t0": 0, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 2.0), "step_sizes": (0.05, 0.2), "maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.3, "beta2_decay": -0.3, "eps": (1e-2, 0.1), "d": 1.5}),
    ("Adafactor", {"weight_decay": 0.1, "maximize": True}),
]
BAD = [
    lambda t: t.optim.SGD([], lr=0.1),
    lambda t: t.optim.SGD(t.nn.Parameter(t.ones(2)), lr=0.1),
    lambda t: t.optim.SGD([1], lr=0.1),
    lambda t: t.optim.SGD([t.nn.Parameter(t.ones(2))], lr=-1),
    lambda t: t.optim.SGD([t.nn.Parameter(t.ones(2))], momentum=-1),
    lambda t: t.optim.SGD([t.nn.Parameter(t.ones(2))], nesterov=True),
    lambda t: t.optim.SGD([t.nn.Parameter(t.ones(2))], lr=t.ones(2)),
    lambda t: t.optim.SGD([t.nn.Parameter(t.ones(2))], fused=True, foreach=True),
    lambda t: t.optim.Adam([t.nn.Parameter(t.ones(2))], betas=(1.0, 0.9)),
    lambda t: t.optim.Adam([t.nn.Parameter(t.ones(2))], eps=-1),
    lambda t: t.optim.SGD({t.nn.Parameter(t.ones(2))}),
    lambda t: t.optim.SGD([{"params": {t.nn.Parameter(t.ones(2))}}]),
    lambda t: t.optim.SGD([t.nn.Parameter(t.ones(2)) * 2]),
    lambda t: (lambda p: t.optim.SGD([{"params": [p]}, {"params": [p]}]))(
        t.nn.Parameter(t.ones(2))
    ),
    lambda t: t.optim.SGD([t.nn.Parameter(t.ones(2))]).add_param_group(3),
    lambda t: t.optim.SGD([t.nn.Parameter(t.ones(2))]).load_state_dict(
        {"state": {}, "param_groups": []}
    ),
    lambda t: t.optim.Optimizer([t.nn.Parameter(t.ones(2))], {}).step(),
    lambda t: t.optim.lr_scheduler.StepLR(3, 1),
    lambda t: t.optim.ASGD([t.nn.Parameter(t.ones(2))], lr=-1),
    lambda t: t.optim.ASGD([t.nn.Parameter(t.ones(2))], weight_decay=-1),
    lambda t: t.optim.Rprop([t.nn.Parameter(t.ones(2))], etas=(1.1, 2)),
    lambda t: t.optim.Adafactor([t.nn.Parameter(t.ones(2))], lr=-1),
    lambda t: t.optim.Adafactor([t.nn.Parameter(t.ones(2))], beta2_decay=1),
    lambda t: t.optim.Adafactor([t.nn.Parameter(t.ones(2))], eps=(-1, 1)),
    lambda t: t.optim.Adafactor([t.nn.Parameter(t.ones(2))], eps=(1, -1)),
    lambda t: t.optim.Adafactor([t.nn.Parameter(t.ones(2))], d=0.5),
    lambda t: t.optim.Adafactor([t.nn.Parameter(t.ones(2))], weight_decay=-1),
    lambda t: t.optim.Muon([t.nn.Parameter(t.ones(2))]),
    lambda t: t.optim.Muon([t.nn.Parameter(t.ones(2, 2))], lr=-1),
    lambda t: t.optim.Muon([t.nn.Parameter(t.ones(2, 2))], momentum=-1),
    lambda t: t.optim.Muon([t.nn.Parameter(t.ones(2, 2))], weight_decay=-1),
    lambda t: t.optim.Muon([t.nn.Parameter(t.ones(2, 2))], adjust_lr_fn="x"),
    lambda t: t.optim.LBFGS([t.nn.Parameter(t.ones(2))], lr=-1),
    lambda t: t.optim.LBFGS([t.nn.Parameter(t.ones(2))], lr=t.ones(2)),
    lambda t: t.optim.LBFGS([{"params": [t.nn.Parameter(t.ones(2))]} for _ in range(2)]),
    lambda t: t.optim.LBFGS([t.nn.Parameter(t.ones(2))]).step(),
    lambda t: t.optim.swa_utils.get_ema_avg_fn(2),
    lambda t: t.optim.swa_utils.AveragedModel(t.nn.ReLU(), avg_fn=1, multi_avg_fn=1),
    lambda t: t.optim.swa_utils.SWALR(
        t.optim.SGD([t.nn.Parameter(t.ones(2))]), 0.1, anneal_strategy="x"
    ),
    lambda t: t.optim.swa_utils.SWALR(t.optim.SGD([t.nn.Parameter(t.ones(2))]), 0.1, -1),
    lambda t: t.optim.swa_utils.SWALR(t.optim.SGD([t.nn.Parameter(t.ones(2))]), [0.1, 0.1]),
]


SCHEDULES = [
    lambda s, o: s.StepLR(o, 3, 0.5),
    lambda s, o: s.MultiStepLR(o, [2, 5, 5], 0.3),
    lambda s, o: s.ConstantLR(o, 0.3, 4),
    lambda s, o: s.LinearLR(o, 0.2, 0.9, 6),
    lambda s, o: s.ExponentialLR(o, 0.9),
    lambda s, o: s.PolynomialLR(o, 7, 2.0),
    lambda s, o: s.CosineAnnealingLR(o, 5, 0.01),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    lambda s, o: s.LambdaLR(o, lambda e: 0.9**e),
    lambda s, o: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (e + 1)]),
    lambda s, o: s.MultiplicativeLR(o, lambda e: 0.95),
    lambda s, o: s.CyclicLR(o, 0.01, 0.2, 3, 4, "triangular2"),
    lambda s, o: s.CyclicLR(o, 0.01, 0.2, 3, mode="exp_range", gamma=0.9),
    lambda s, o: s.OneCycleLR(o, 0.3, total_steps=20),
    lambda s, o: s.OneCycleLR(
        o, [0.3, 0.2], epochs=4, steps_per_epoch=5, anneal_strategy="linear", three_phase=True
    ),
    lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)], [4]),
    lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)], o),
]


# ---- what a library makes of them ----


def numbers(t):
    return t.detach().reshape(-1).tolist()


def uniform(t, *shape):
    """In [-2, 2)."""
    return (t.rand(shape) - 0.5) * 4


def run_layer(t, i):
    make, shapes = LAYERS[i]
    t.manual_seed(i)
    module = make(t.nn)
    inputs = [uniform(t, *s).requires_grad_() for s in shapes]
    y = module(*inputs)
    y.square().sum().backward()
    grads = [numbers(p.grad) for p in [*inputs, *module.parameters()]]
    return {
        "repr": repr(module),
        "keys": list(module.state_dict()),
        "y": numbers(y),
        "grads": grads,
    }


def run_loss(t, i):
    name, options = LOSSES[i]
    t.manual_seed(i)
    loss = getattr(t.nn, name)(**options)
    x, target = uniform(t, 4, 5).requires_grad_(), t.rand(4, 5)
    y = loss(x, target)
    y.sum().backward()
    return {"repr": repr(loss), "y": numbers(y), "grads": [numbers(x.grad)]}


def run_class_loss(t, i):
    name, options = CLASS_LOSSES[i]
    t.manual_seed(i)
    given = {k: t.tensor(v) if k == "weight" else v for k, v in options.items()}
    loss = getattr(t.nn, name)(**given)
    x = uniform(t, 6, 5).requires_grad_()
    y = loss(x, t.tensor([0, 1, 2, 3, 4, 2]))
    y.sum().backward()
    return {"keys": list(loss.state_dict()), "y": numbers(y), "grads": [numbers(x.grad)]}


def run_optimizer(t, i):
    name, options = CASES[i]
    t.manual_seed(i)
    params = [t.nn.Parameter(uniform(t, *s)) for s in SHAPES]
    opt = getattr(t.optim, name)(params, **options)
    for _ in range(20):
        for p in params:
            p.grad = uniform(t, *p.shape)
        opt.step()
    state = {k: numbers(v) for k, v in opt.state.get(params[1], {}).items()}
    return {"repr": repr(opt), "params": [numbers(p) for p in params], "state": state}


def run_schedule(t, i):
    params = [t.nn.Parameter(t.ones(1)) for _ in range(2)]
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.3}]
    opt = t.optim.SGD(groups, lr=0.1, momentum=0.9)
    schedule = SCHEDULES[i](t.optim.lr_scheduler, opt)
    rates = []
    for _ in range(15):
        opt.step()
        schedule.step()
        rates.append([[g["lr"], g["momentum"]] for g in opt.param_groups])
    return rates


def run_valued(t, i):
    name, options, shapes = VALUED[i]
    t.manual_seed(i)
    given = {k: t.tensor(v) if k == "weight" else v for k, v in options.items()}
    module = getattr(t.nn, name)(**given)
    inputs = [t.tensor(s) if isinstance(s, list) else t.rand(s).requires_grad_() for s in shapes]
    y = module(*inputs)
    y.sum().backward()
    wanted = [x for x in [*inputs, *module.parameters()] if x.requires_grad]
    return {
        "repr": repr(module),
        "keys": list(module.state_dict()),
        "y": numbers(y),
        "grads": [numbers(x.grad) for x in wanted],
    }


def run_seeded(t, i):
    t.manual_seed(i)
    module = SEEDED[i](t.nn)
    x = (t.rand((3, 4, 5) if "1d" in repr(module) else (2, 3, 4, 5)) * 4 - 2).requires_grad_()
    y = module(x * 1)
    (y * t.rand(y.shape)).sum().backward()
    z = module.eval()(x * 1)
    return {"repr": repr(module), "y": numbers(y), "grads": [numbers(x.grad)], "eval": numbers(z)}


RUNS = {
    "layer": (run_layer, LAYERS),
    "loss": (run_loss, LOSSES),
    "class_loss": (run_class_loss, CLASS_LOSSES),
    "structure": (lambda t, i: outcome(STRUCTURE[i], t), STRUCTURE),
    "error": (lambda t, i: outcome(ERRORS[i], t), ERRORS),
    "optimizer": (run_optimizer, CASES),
    "optimizer_error": (lambda t, i: outcome(BAD[i], t), BAD),
    "schedule": (run_schedule, SCHEDULES),
    "valued": (run_valued, VALUED),
    "seeded": (run_seeded, SEEDED),
}
KEYS = [(kind, i) for kind, (_, cases) in RUNS.items() for i in range(len(cases))]


def run(t, kind, i):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return json.loads(json.dumps(RUNS[kind][0](t, i)))


def main():
    import torch

    if not torch.__version__.startswith("2.13.0"):
        raise SystemExit(f"golden values come from PyTorch 2.13.0, this is {torch.__version__}")
    torch.set_num_threads(1)
    lines = [f'"{kind} {i}": {json.dumps(run(torch, kind, i))}' for kind, i in KEYS]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
