"""torch.nn.utils: parametrizations, old normalisations, pruning, fusion, and nn.parallel."""

from importlib import import_module

from programs import fails, program, programs, uniform


def everything(t, m, x):
    """What a module prints, holds, computes, and its gradients."""
    y = m(x)
    y.square().sum().backward()
    return {
        "repr": repr(m),
        "type": type(m).__name__,
        "parameters": [n for n, _ in m.named_parameters()],
        "buffers": [n for n, _ in m.named_buffers()],
        "state": dict(m.state_dict()),
        "y": y,
        "grads": [p.grad for p in m.parameters()],
    }


# ---- parametrize ----


def symmetric(t, inverse=True):
    class Symmetric(t.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).transpose(-1, -2)

        if inverse:

            def right_inverse(self, a):
                return a.triu()

    return Symmetric()


def doubled(t):
    class Doubled(t.nn.Module):
        def forward(self, x):
            return x * 2

        def right_inverse(self, x):
            return x / 2

    return Doubled()


def product(t):
    """A matrix from two vectors."""

    class Product(t.nn.Module):
        def forward(self, x, y):
            return x.unsqueeze(-1) @ y.unsqueeze(-2)

        def right_inverse(self, z):
            return z[:, 0].clone(), z[0].clone()

    return Product()


def linear(t, *shape, cls="Linear"):
    t.manual_seed(0)
    return getattr(t.nn, cls)(*(shape or (3, 3)))


@programs(
    lambda t: [symmetric(t)],
    lambda t: [symmetric(t, False)],
    lambda t: [symmetric(t), doubled(t)],
    lambda t: [doubled(t), symmetric(t)],
    lambda t: [product(t)],
    lambda t: [product(t), doubled(t)],
)
def parametrized(t, modules):
    p = t.nn.utils.parametrize
    m = linear(t)
    before = m.weight
    for module in modules(t):
        assert p.register_parametrization(m, "weight", module) is m
    p.register_parametrization(m, "bias", doubled(t))
    x = uniform(t, 4, 3)
    result = everything(t, m, x)
    with p.cached():
        same = m.weight is m.weight
        cached = m(x)
    other = m.weight is m.weight
    facts = [
        same,
        other,
        p.is_parametrized(m),
        p.is_parametrized(m, "weight"),
        p.is_parametrized(m, "nothing"),
        p.type_before_parametrizations(m).__name__,
        isinstance(m, t.nn.Linear),
        "weight" in dir(m),
    ]
    p.remove_parametrizations(m, "weight")
    middle = repr(m)
    p.remove_parametrizations(m, "bias", leave_parametrized=False)
    last = [repr(m), type(m).__name__, dict(m.state_dict()), m.weight is before, m(x)]
    return [result, cached, facts, middle, last]


@program
def parametrized_values(t):
    """Assignment, training, copies, state_dicts, sequences."""
    import copy
    import pickle

    p = t.nn.utils.parametrize
    m = t.nn.Sequential(linear(t), t.nn.ReLU())
    p.register_parametrization(m[0], "weight", symmetric(t))
    m[0].weight = t.arange(9.0).reshape(3, 3)
    opt = t.optim.SGD(m.parameters(), lr=0.1)
    for _ in range(3):
        opt.zero_grad()
        m(t.ones(2, 3)).sum().backward()
        opt.step()
    twin = copy.deepcopy(m)
    with t.no_grad():
        twin[0].parametrizations.weight.original.zero_()
    other = t.nn.Sequential(linear(t), t.nn.ReLU())
    p.register_parametrization(other[0], "weight", symmetric(t))
    loaded = other.load_state_dict(m.state_dict())
    return [
        m[0].weight,
        twin[0].weight,
        other[0].weight,
        repr(loaded),
        repr(m),
        type(twin[0]).__name__,
        fails(lambda: pickle.dumps(m)),
        fails(lambda: setattr(p.register_parametrization(linear(t), "weight", symmetric(t, False)), "weight", t.ones(3))),
    ]


@program
def parametrized_buffer(t):
    p = t.nn.utils.parametrize
    m = t.nn.Module()
    m.register_buffer("b", t.arange(3.0))
    p.register_parametrization(m, "b", doubled(t))
    first = [m.b, repr(m), list(m.state_dict()), type(m).__name__]
    m.b = t.ones(3)
    m.eval()
    return [first, m.b, m.parametrizations.b.original, p.remove_parametrizations(m, "b").b]


@program
def parametrized_transfer(t):
    p = t.nn.utils.parametrize
    a, b = linear(t), t.nn.Module()
    p.register_parametrization(a, "weight", product(t))
    p.register_parametrization(a, "bias", doubled(t))
    p.transfer_parametrizations_and_params(a, b)
    c = p.transfer_parametrizations_and_params(a, linear(t), "bias")
    return [repr(b), b.weight, b.bias, repr(c), list(c.state_dict()), p.transfer_parametrizations_and_params(b, c).weight]


def module(t, forward, inverse=None):
    members = {"forward": lambda self, *x: forward(*x)}
    if inverse:
        members["right_inverse"] = lambda self, x: inverse(x)
    return type("Made", (t.nn.Module,), members)()


@programs(
    lambda t, p, m: p(m, "nothing", doubled(t)),
    lambda t, p, m: p(m, "weight", module(t, lambda x: x[0])),
    lambda t, p, m: p(m, "weight", module(t, lambda x: x.double())),
    lambda t, p, m: p(m, "weight", module(t, lambda x: 3)),
    lambda t, p, m: p(m, "weight", module(t, lambda x: x, lambda x: 3)),
    lambda t, p, m: p(m, "weight", module(t, lambda x: x, lambda x: x.double())),
    lambda t, p, m: p(m, "weight", module(t, lambda x: x, lambda x: [3])),
    lambda t, p, m: p(m, "weight", module(t, lambda x: x[0], None), unsafe=True).weight.shape,
    lambda t, p, m: p(p(m, "weight", doubled(t)), "weight", module(t, lambda x: x[0])),
    lambda t, p, m: p(p(m, "weight", doubled(t)), "weight", module(t, lambda x: x.double())),
    lambda t, p, m: p(p(m, "weight", doubled(t)), "weight", module(t, lambda x: [x])),
    lambda t, p, m: p(p(m, "weight", doubled(t)), "weight", module(t, lambda x: x, lambda x: x[0])),
    lambda t, p, m: p(p(m, "weight", doubled(t)), "weight", module(t, lambda x: x, lambda x: 1)),
    lambda t, p, m: t.nn.utils.parametrize.remove_parametrizations(m, "weight"),
    lambda t, p, m: t.nn.utils.parametrize.remove_parametrizations(
        p(m, "weight", product(t)), "weight", leave_parametrized=False
    ),
    lambda t, p, m: t.nn.utils.parametrize.ParametrizationList([], m.weight),
)
def parametrized_errors(t, call):
    return fails(lambda: call(t, t.nn.utils.parametrize.register_parametrization, linear(t)))


# ---- parametrizations ----


@programs(
    ("weight_norm", {}, "Linear", (4, 3), (5, 4)),
    ("weight_norm", {"dim": 1}, "Linear", (4, 3), (5, 4)),
    ("weight_norm", {"dim": None}, "Linear", (4, 3), (5, 4)),
    ("weight_norm", {"name": "bias"}, "Linear", (4, 3), (5, 4)),
    ("weight_norm", {}, "Conv2d", (2, 3, 3), (1, 2, 5, 5)),
    ("spectral_norm", {}, "Linear", (4, 3), (5, 4)),
    ("spectral_norm", {"n_power_iterations": 3, "dim": 1}, "Linear", (4, 3), (5, 4)),
    ("spectral_norm", {"name": "bias"}, "Linear", (4, 3), (5, 4)),
    ("spectral_norm", {}, "Conv2d", (2, 3, 3), (1, 2, 5, 5)),
    ("spectral_norm", {}, "ConvTranspose2d", (2, 3, 3), (1, 2, 5, 5)),
    ("orthogonal", {}, "Linear", (4, 4), (5, 4)),
    ("orthogonal", {}, "Linear", (4, 3), (5, 4)),
    ("orthogonal", {}, "Linear", (3, 4), (5, 3)),
    ("orthogonal", {"orthogonal_map": "cayley"}, "Linear", (4, 4), (5, 4)),
    ("orthogonal", {"orthogonal_map": "cayley"}, "Linear", (3, 4), (5, 3)),
    ("orthogonal", {"orthogonal_map": "matrix_exp"}, "Linear", (4, 3), (5, 4)),
    ("orthogonal", {"orthogonal_map": "matrix_exp", "use_trivialization": False}, "Linear", (4, 4), (5, 4)),
    ("orthogonal", {"orthogonal_map": "cayley", "use_trivialization": False}, "Linear", (4, 3), (5, 4)),
    ("orthogonal", {"orthogonal_map": "householder", "use_trivialization": False}, "Linear", (4, 3), (5, 4)),
    ("orthogonal", {"orthogonal_map": "householder", "use_trivialization": False}, "Linear", (3, 3), (5, 3)),
)
def parametrization(t, option):
    name, options, cls, shape, x = option
    m = linear(t, *shape, cls=cls)
    t.manual_seed(1)
    x = uniform(t, *x)
    if name == "orthogonal":  # LAPACK's digits
        m, x = m.double(), x.double()
    assert getattr(t.nn.utils.parametrizations, name)(m, **options) is m
    result = everything(t, m, x)
    m.eval()
    final = [m(x), dict(m.state_dict())]
    which = options.get("name", "weight")
    t.nn.utils.parametrize.remove_parametrizations(m, which)
    return [result, final, m.weight, repr(m)]


@program
def orthogonal_assignment(t):
    results = []
    for kind in ("matrix_exp", "cayley", "householder"):
        m = t.nn.utils.parametrizations.orthogonal(linear(t, 3, 3), orthogonal_map=kind)
        m.weight = t.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
        opt = t.optim.SGD(m.parameters(), lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            (m.weight * t.arange(9.0).view(3, 3)).sum().backward()
            opt.step()
        results.append([m.weight, m.weight @ m.weight.T])
    return results


@programs(
    lambda t, p, m: p.orthogonal(m, "bias"),
    lambda t, p, m: p.orthogonal(m, "nothing"),
    lambda t, p, m: p.orthogonal(m, orthogonal_map="x"),
    lambda t, p, m: setattr(p.orthogonal(m), "weight", t.ones(2)),
    lambda t, p, m: setattr(
        p.orthogonal(m, orthogonal_map="cayley", use_trivialization=False), "weight", t.eye(3)
    ),
    lambda t, p, m: p.spectral_norm(m, "nothing"),
    lambda t, p, m: p.spectral_norm(m, dim=7),
    lambda t, p, m: p.spectral_norm(m, n_power_iterations=0),
    lambda t, p, m: p.weight_norm(m, "nothing"),
)
def parametrization_errors(t, call):
    return fails(lambda: call(t, t.nn.utils.parametrizations, linear(t)))


@program
def weight_norm_from_the_old_one(t):
    old = t.nn.utils.weight_norm(linear(t, 4, 3))
    new = t.nn.utils.parametrizations.weight_norm(t.nn.Linear(4, 3))
    return [repr(new.load_state_dict(old.state_dict())), new(t.ones(4)), old(t.ones(4))]


# ---- the old normalisations ----


@programs(
    ("weight_norm", {}, "Linear", (4, 3), (5, 4)),
    ("weight_norm", {"dim": None}, "Linear", (4, 3), (5, 4)),
    ("weight_norm", {"dim": 1}, "Conv1d", (2, 3, 2), (1, 2, 5)),
    ("spectral_norm", {}, "Linear", (4, 3), (5, 4)),
    ("spectral_norm", {"n_power_iterations": 2, "dim": 1}, "Linear", (4, 3), (5, 4)),
    ("spectral_norm", {}, "ConvTranspose1d", (2, 3, 2), (1, 2, 5)),
)
def old_normalisation(t, option):
    name, options, cls, shape, x = option
    m = linear(t, *shape, cls=cls)
    t.manual_seed(1)
    make, unmake = getattr(t.nn.utils, name), getattr(t.nn.utils, "remove_" + name)
    assert make(m, **options) is m
    x = uniform(t, *x)
    result = everything(t, m, x)
    metadata = {k: dict(v) for k, v in m.state_dict()._metadata.items()}
    again = fails(lambda: make(m, **options))
    m.eval()
    final = m(x)
    assert unmake(m) is m
    return [result, metadata, again, final, m(x), list(m.state_dict()), repr(m), fails(lambda: unmake(m))]


# ---- prune ----


def pruning(t):
    """PyTorch imports it only when asked to."""
    return import_module(f"{t.__name__}.nn.utils.prune")


def two_layers(t):
    t.manual_seed(0)
    return t.nn.Sequential(t.nn.Linear(4, 5), t.nn.Tanh(), t.nn.Linear(5, 3))


@programs(
    lambda t, p, m: p.identity(m, "weight"),
    lambda t, p, m: p.random_unstructured(m, "weight", 0.3),
    lambda t, p, m: p.random_unstructured(m, "weight", 3),
    lambda t, p, m: p.l1_unstructured(m, "weight", amount=0.4),
    lambda t, p, m: p.l1_unstructured(m, "bias", 2),
    lambda t, p, m: p.l1_unstructured(m, "weight", 4, importance_scores=t.arange(20.0).view(5, 4)),
    lambda t, p, m: p.random_structured(m, "weight", 2, 0),
    lambda t, p, m: p.random_structured(m, "weight", 0.5, dim=1),
    lambda t, p, m: p.ln_structured(m, "weight", 2, 2, 0),
    lambda t, p, m: p.ln_structured(m, "weight", 0.25, float("inf"), -1),
    lambda t, p, m: p.ln_structured(m, "weight", 0.25, 1, 1, t.arange(20.0).view(5, 4)),
    lambda t, p, m: p.ln_structured(m, "weight", 0, 1, 1),
    lambda t, p, m: p.custom_from_mask(m, "bias", t.tensor([1, 0, 1, 0, 1])),
    lambda t, p, m: p.l1_unstructured(p.random_unstructured(m, "weight", 5), "weight", 0.5),
    lambda t, p, m: p.ln_structured(p.l1_unstructured(m, "weight", 6), "weight", 1, 2, 0),
    lambda t, p, m: p.l1_unstructured(p.random_structured(p.identity(m, "weight"), "weight", 2, 0), "weight", 0.5),
    lambda t, p, m: p.custom_from_mask(p.l1_unstructured(m, "bias", 2), "bias", t.tensor([1, 1, 1, 0, 0])),
    lambda t, p, m: p.RandomStructured.apply(m, "weight", 1) and m,
)
def pruned(t, prune):
    p = pruning(t)
    m = t.nn.Linear(4, 5)
    t.manual_seed(0)
    m.reset_parameters()
    assert prune(t, p, m) is m
    x = uniform(t, 3, 4)
    result = everything(t, m, x)
    hooks = [
        [type(h).__name__, *(type(inner).__name__ for inner in h)] if isinstance(h, p.PruningContainer) else type(h).__name__
        for h in m._forward_pre_hooks.values()
    ]
    facts = [p.is_pruned(m), hooks]
    name = next(iter(m._buffers)).removesuffix("_mask")
    p.remove(m, name)
    return [result, facts, p.is_pruned(m), dict(m.state_dict()), fails(lambda: p.remove(m, name))]


@programs(
    lambda p: (p.L1Unstructured, {"amount": 0.3}),
    lambda p: (p.RandomUnstructured, {"amount": 11}),
)
def globally_pruned(t, method):
    p = pruning(t)
    m = two_layers(t)
    pairs = [(m[0], "weight"), (m[2], "weight"), (m[2], "bias")]
    p.l1_unstructured(m[2], "weight", 2)
    cls, options = method(p)
    p.global_unstructured(pairs, pruning_method=cls, **options)
    scores = {(m[0], "weight"): t.ones(5, 4)}
    p.global_unstructured(pairs, cls, importance_scores=scores, **options)
    return [dict(m.state_dict()), p.is_pruned(m), m(t.ones(4))]


@program
def prune_a_tensor(t):
    p = pruning(t)
    x = t.tensor([3.0, -1.0, 2.0, -5.0])
    method = p.L1Unstructured(amount=2)
    container = p.PruningContainer()
    container._tensor_name = method._tensor_name = "x"
    container.add_pruning_method(method)
    return [
        method.prune(x),
        method.prune(x, importance_scores=-x),
        method.prune(x, default_mask=t.tensor([1.0, 1.0, 1.0, 0.0])),
        len(container),
        container[0] is method,
        container.compute_mask(x, t.ones(4)),
        method.PRUNING_TYPE,
    ]


@programs(
    lambda t, p, m: p.l1_unstructured(m, "weight", -1),
    lambda t, p, m: p.l1_unstructured(m, "weight", 1.5),
    lambda t, p, m: p.l1_unstructured(m, "weight", "x"),
    lambda t, p, m: p.l1_unstructured(m, "weight", 100),
    lambda t, p, m: p.l1_unstructured(m, "nothing", 1),
    lambda t, p, m: p.random_structured(m, "bias", 1, 0),
    lambda t, p, m: p.ln_structured(m, "weight", 1, 2, 5),
    lambda t, p, m: p.l1_unstructured(m, "weight", 1, t.ones(2)),
    lambda t, p, m: p.custom_from_mask(m, "weight", t.ones(2)),
    lambda t, p, m: p.remove(m, "weight"),
    lambda t, p, m: p.global_unstructured(3, p.L1Unstructured, amount=1),
    lambda t, p, m: p.global_unstructured([(m, "weight")], p.L1Unstructured, [1], amount=1),
    lambda t, p, m: p.global_unstructured([(m, "weight")], p.RandomStructured, amount=1),
    lambda t, p, m: p.L1Unstructured(1).prune(t.ones(3), importance_scores=t.ones(2)),
    lambda t, p, m: p.PruningContainer().add_pruning_method(3),
)
def prune_errors(t, call):
    m = linear(t)
    return [fails(lambda: call(t, pruning(t), m)), list(m.state_dict())]


# ---- fusion ----


@programs(
    ("Conv2d", (2, 3, 2), (1, 2, 4, 4), "BatchNorm2d", {}, False),
    ("Conv2d", (2, 3, 2), (1, 2, 4, 4), "BatchNorm2d", {"affine": False, "eps": 0.1}, False),
    ("ConvTranspose1d", (2, 3, 2), (1, 2, 4), "BatchNorm1d", {}, True),
)
def fused_conv(t, option):
    cls, shape, x, norm, options, transpose = option
    conv = linear(t, *shape, cls=cls)
    bn = getattr(t.nn, norm)(3, **options)
    for _ in range(3):
        bn(conv(uniform(t, 3, *x[1:])))
    conv.eval(), bn.eval()
    x = uniform(t, *x)
    fused = t.nn.utils.fuse_conv_bn_eval(conv, bn, transpose)
    return [repr(fused), fused(x), bn(conv(x)), dict(fused.state_dict())]


@programs({}, {"bias": False})
def fused_linear(t, options):
    t.manual_seed(0)
    layer = t.nn.Linear(4, 3, **options)
    bn = t.nn.BatchNorm1d(3)
    for _ in range(3):
        bn(layer(uniform(t, 5, 4)))
    errors = [fails(lambda: t.nn.utils.fuse_linear_bn_eval(layer, bn))]
    layer.eval(), bn.eval()
    errors.append(fails(lambda: t.nn.utils.fuse_linear_bn_eval(t.nn.Linear(2, 2).eval(), bn)))
    fused = t.nn.utils.fuse_linear_bn_eval(layer, bn)
    x = uniform(t, 5, 4)
    return [repr(fused), fused(x), bn(layer(x)), errors, [p.requires_grad for p in fused.parameters()]]


# ---- the rest ----


@program
def clipping(t):
    u = t.nn.utils
    results = []
    for norm in (2.0, 1, float("inf"), 0.5):
        t.manual_seed(0)
        ps = [t.nn.Parameter(t.zeros(s)) for s in ((3,), (2, 2), ())]
        for p in ps[:2]:
            p.grad = uniform(t, *p.shape)
        total = u.clip_grad_norm_(iter(ps), 1.0, norm)
        results.append([total, [p.grad for p in ps[:2]], u.get_total_norm([p.grad for p in ps[:2]], norm)])
        u.clip_grads_with_norm_(ps, 0.5, total)
        u.clip_grad_value_(ps, 0.2)
        results.append([p.grad for p in ps[:2]])
        results.append(u.clip_grad_norm(ps[0], 0.1))
    nan = t.nn.Parameter(t.ones(1))
    nan.grad = t.tensor([float("nan")])
    results.append(fails(lambda: u.clip_grad_norm_([nan], 1.0, error_if_nonfinite=True)))
    return [*results, u.get_total_norm([]), u.clip_grad_norm_([], 1.0)]


@program
def vectors_and_stateless(t):
    u = t.nn.utils
    m = two_layers(t)
    vector = u.parameters_to_vector(m.parameters())
    u.vector_to_parameters(t.arange(float(vector.numel())), m.parameters())
    call = u.stateless.functional_call(m, {"0.weight": t.zeros(5, 4)}, t.ones(4))
    return [
        vector,
        dict(m.state_dict()),
        call,
        fails(lambda: u.vector_to_parameters(3, m.parameters())),
        fails(lambda: u.stateless.functional_call(m, {"x": t.ones(1)}, t.ones(4), strict=True)),
    ]


@program
def skipped_init(t):
    t.manual_seed(0)
    m = t.nn.utils.skip_init(t.nn.Linear, 3, 4, bias=False)
    after = t.rand(2)
    return [repr(m), m.weight.shape, m.weight.requires_grad, after, fails(lambda: t.nn.utils.skip_init(t.nn.ReLU))]


@program
def memory_formats(t):
    m = t.nn.Sequential(linear(t, 2, 3, 2, cls="Conv2d"), linear(t, 2, 3, 2, cls="Conv3d"))
    a = t.nn.utils.convert_conv2d_weight_memory_format(m, t.channels_last)
    b = t.nn.utils.convert_conv3d_weight_memory_format(m, t.channels_last_3d)
    strides = [m[0].weight.stride(), m[1].weight.stride()]
    return [a is m, b is m, strides, dict(m.state_dict())]


@program
def data_parallel(t):
    m = t.nn.DataParallel(two_layers(t))
    x = t.ones(2, 4)
    names = dict(m.state_dict())
    t.nn.modules.utils.consume_prefix_in_state_dict_if_present(names, "module.")
    saved = m.state_dict()
    t.nn.modules.utils.consume_prefix_in_state_dict_if_present(saved, "module.")
    plain = two_layers(t)
    facts = [list(names), repr(plain.load_state_dict(saved)), saved._metadata]
    facts += [t.nn.modules.utils._pair(3), t.nn.modules.utils._triple((1, 2, 3)), t.nn.modules.loss.CTCLoss()]
    return [facts, everything(t, m, x), m.device_ids, isinstance(m.module, t.nn.Sequential), m.module(x)]


@programs(
    (1, (2, 4, 9), (6, 2, 3), {"groups": 2, "stride": 2}),
    (2, (1, 2, 6, 7), (3, 2, 3, 2), {"padding": 1, "dilation": 2}),
    (3, (1, 2, 4, 4, 4), (2, 2, 2, 2, 2), {}),
)
def convolution_gradients(t, option):
    n, x, w, options = option
    t.manual_seed(0)
    x, w = uniform(t, *x).requires_grad_(), uniform(t, *w).requires_grad_()
    y = getattr(t.nn.functional, f"conv{n}d")(x, w, **options)
    g = uniform(t, *y.shape).requires_grad_()
    of_x = getattr(t.nn.grad, f"conv{n}d_input")(x.shape, w, g, **options)
    of_w = getattr(t.nn.grad, f"conv{n}d_weight")(x, w.shape, g, **options)
    (of_x.square().sum() + of_w.square().sum()).backward()
    return [of_x, of_w, x.grad, w.grad, g.grad]
