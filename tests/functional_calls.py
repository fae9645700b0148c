"""A call of every public function of nn.functional, for tests of what happens around calls."""

IMAGE, VOLUME, LINE, ROWS = (2, 4, 6, 6), (1, 2, 4, 4, 4), (2, 4, 6), (3, 5)


def _classes(torch, n=3):
    return torch.tensor([1, 0, 4])[:n]


def _fixed(torch, x):
    """A target of x's shape and dtype, in (0, 1)."""
    return torch.full_like(x.detach(), 0.25)


def _pooled(torch, x, n):
    F = torch.nn.functional
    return getattr(F, f"max_pool{n}d")(x, 2, return_indices=True)


def _like(*shape):
    return lambda torch, x: torch.linspace(-1, 1, _count(shape), dtype=x.dtype).reshape(shape)


def _count(shape):
    n = 1
    for size in shape:
        n *= size
    return n


def _attention(torch, x):
    w = _like(18, 6)(torch, x)
    out = _like(6, 6)(torch, x)
    bias, small = _like(18)(torch, x), _like(6)(torch, x)
    return (x, x, x, 6, 2, w, bias, None, None, False, 0.0, out, small)


# name -> (shape of x, call(F function, torch, x))
CALLS = {
    "adaptive_avg_pool1d": (LINE, lambda f, torch, x: f(x, 3)),
    "adaptive_avg_pool2d": (IMAGE, lambda f, torch, x: f(x, 3)),
    "adaptive_avg_pool3d": (VOLUME, lambda f, torch, x: f(x, 2)),
    "adaptive_max_pool1d": (LINE, lambda f, torch, x: f(x, 3)),
    "adaptive_max_pool1d_with_indices": (LINE, lambda f, torch, x: f(x, 3)),
    "adaptive_max_pool2d": (IMAGE, lambda f, torch, x: f(x, 3)),
    "adaptive_max_pool2d_with_indices": (IMAGE, lambda f, torch, x: f(x, 3)),
    "adaptive_max_pool3d": (VOLUME, lambda f, torch, x: f(x, 2)),
    "adaptive_max_pool3d_with_indices": (VOLUME, lambda f, torch, x: f(x, 2)),
    "affine_grid": ((2, 2, 3), lambda f, torch, x: f(x, [2, 4, 3, 3], align_corners=False)),
    "alpha_dropout": (ROWS, lambda f, torch, x: f(x, 0.5, True)),
    "avg_pool1d": (LINE, lambda f, torch, x: f(x, 2)),
    "avg_pool2d": (IMAGE, lambda f, torch, x: f(x, 2)),
    "avg_pool3d": (VOLUME, lambda f, torch, x: f(x, 2)),
    "batch_norm": (IMAGE, lambda f, torch, x: f(x, None, None, training=True)),
    "bilinear": (ROWS, lambda f, torch, x: f(x, x, _like(2, 5, 5)(torch, x))),
    "binary_cross_entropy": (ROWS, lambda f, torch, x: f(x.sigmoid(), _fixed(torch, x))),
    "binary_cross_entropy_with_logits": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x))),
    "celu": (ROWS, lambda f, torch, x: f(x)),
    "celu_": (ROWS, lambda f, torch, x: f(x.clone())),
    "channel_shuffle": (IMAGE, lambda f, torch, x: f(x, 2)),
    "conv1d": (LINE, lambda f, torch, x: f(x, _like(3, 4, 3)(torch, x))),
    "conv2d": (IMAGE, lambda f, torch, x: f(x, _like(3, 4, 3, 3)(torch, x))),
    "conv3d": (VOLUME, lambda f, torch, x: f(x, _like(3, 2, 3, 3, 3)(torch, x))),
    "conv_tbc": (LINE, lambda f, torch, x: f(x, _like(2, 6, 3)(torch, x), _like(3)(torch, x), 1)),
    "conv_transpose1d": (LINE, lambda f, torch, x: f(x, _like(4, 3, 3)(torch, x))),
    "conv_transpose2d": (IMAGE, lambda f, torch, x: f(x, _like(4, 3, 3, 3)(torch, x))),
    "conv_transpose3d": (VOLUME, lambda f, torch, x: f(x, _like(2, 3, 3, 3, 3)(torch, x))),
    "cosine_embedding_loss": (ROWS, lambda f, torch, x: f(x, x, torch.tensor([1, -1, 1]))),
    "cosine_similarity": (ROWS, lambda f, torch, x: f(x, x)),
    "cross_entropy": (ROWS, lambda f, torch, x: f(x, _classes(torch))),
    "ctc_loss": ((4, 2, 5), lambda f, torch, x: f(
        x.log_softmax(-1), torch.tensor([[1, 2], [3, 4]]), torch.tensor([4, 4]), torch.tensor([2, 2]))),
    "dropout": (ROWS, lambda f, torch, x: f(x)),
    "dropout1d": (LINE, lambda f, torch, x: f(x)),
    "dropout2d": (IMAGE, lambda f, torch, x: f(x)),
    "dropout3d": (VOLUME, lambda f, torch, x: f(x)),
    "elu": (ROWS, lambda f, torch, x: f(x)),
    "elu_": (ROWS, lambda f, torch, x: f(x.clone())),
    "embedding": ((5, 3), lambda f, torch, x: f(_classes(torch), x)),
    "embedding_bag": ((5, 3), lambda f, torch, x: f(_classes(torch)[None], x)),
    "feature_alpha_dropout": (IMAGE, lambda f, torch, x: f(x, 0.5, True)),
    "fold": ((1, 8, 4), lambda f, torch, x: f(x, (3, 3), (2, 2))),
    "fractional_max_pool2d": (IMAGE, lambda f, torch, x: f(x, 2, output_size=3)),
    "fractional_max_pool2d_with_indices": (IMAGE, lambda f, torch, x: f(x, 2, output_size=3)),
    "fractional_max_pool3d": (VOLUME, lambda f, torch, x: f(x, 2, output_size=2)),
    "fractional_max_pool3d_with_indices": (VOLUME, lambda f, torch, x: f(x, 2, output_size=2)),
    "gaussian_nll_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x), _fixed(torch, x))),
    "gelu": (ROWS, lambda f, torch, x: f(x)),
    "glu": (LINE, lambda f, torch, x: f(x)),
    "grid_sample": (IMAGE, lambda f, torch, x: f(x, _like(2, 3, 3, 2)(torch, x), align_corners=False)),
    "group_norm": (IMAGE, lambda f, torch, x: f(x, 2)),
    "gumbel_softmax": (ROWS, lambda f, torch, x: f(x)),
    "hardshrink": (ROWS, lambda f, torch, x: f(x)),
    "hardsigmoid": (ROWS, lambda f, torch, x: f(x)),
    "hardswish": (ROWS, lambda f, torch, x: f(x)),
    "hardtanh": (ROWS, lambda f, torch, x: f(x)),
    "hardtanh_": (ROWS, lambda f, torch, x: f(x.clone())),
    "hinge_embedding_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x).sign())),
    "huber_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x))),
    "instance_norm": (IMAGE, lambda f, torch, x: f(x)),
    "interpolate": (IMAGE, lambda f, torch, x: f(x, scale_factor=2)),
    "kl_div": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x), reduction="batchmean")),
    "l1_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x))),
    "layer_norm": (ROWS, lambda f, torch, x: f(x, (5,))),
    "leaky_relu": (ROWS, lambda f, torch, x: f(x)),
    "leaky_relu_": (ROWS, lambda f, torch, x: f(x.clone())),
    "linear": (ROWS, lambda f, torch, x: f(x, _like(2, 5)(torch, x))),
    "linear_cross_entropy": (ROWS, lambda f, torch, x: f(x, _like(4, 5)(torch, x), torch.tensor([1, 0, 3]))),
    "local_response_norm": (IMAGE, lambda f, torch, x: f(x, 2)),
    "log_softmax": (ROWS, lambda f, torch, x: f(x, 1)),
    "logsigmoid": (ROWS, lambda f, torch, x: f(x)),
    "lp_pool1d": (LINE, lambda f, torch, x: f(x, 2, 2)),
    "lp_pool2d": (IMAGE, lambda f, torch, x: f(x, 2, 2)),
    "lp_pool3d": (VOLUME, lambda f, torch, x: f(x, 2, 2)),
    "margin_ranking_loss": (ROWS, lambda f, torch, x: f(x, x + 1, _fixed(torch, x).sign())),
    "max_pool1d": (LINE, lambda f, torch, x: f(x, 2)),
    "max_pool1d_with_indices": (LINE, lambda f, torch, x: f(x, 2)),
    "max_pool2d": (IMAGE, lambda f, torch, x: f(x, 2)),
    "max_pool2d_with_indices": (IMAGE, lambda f, torch, x: f(x, 2)),
    "max_pool3d": (VOLUME, lambda f, torch, x: f(x, 2)),
    "max_pool3d_with_indices": (VOLUME, lambda f, torch, x: f(x, 2)),
    "max_unpool1d": (LINE, lambda f, torch, x: f(*_pooled(torch, x, 1), 2)),
    "max_unpool2d": (IMAGE, lambda f, torch, x: f(*_pooled(torch, x, 2), 2)),
    "max_unpool3d": (VOLUME, lambda f, torch, x: f(*_pooled(torch, x, 3), 2)),
    "mish": (ROWS, lambda f, torch, x: f(x)),
    "mse_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x))),
    "multi_head_attention_forward": (LINE, lambda f, torch, x: f(*_attention(torch, x))),
    "multi_margin_loss": (ROWS, lambda f, torch, x: f(x, _classes(torch))),
    "multilabel_margin_loss": (ROWS, lambda f, torch, x: f(x, torch.tensor([[1, -1, 0, 0, 0]] * 3))),
    "multilabel_soft_margin_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x))),
    "native_channel_shuffle": (IMAGE, lambda f, torch, x: f(x, 2)),
    "nll_loss": (ROWS, lambda f, torch, x: f(x, _classes(torch))),
    "normalize": (ROWS, lambda f, torch, x: f(x)),
    "one_hot": (ROWS, lambda f, torch, x: f(x.long().abs())),
    "pad": (IMAGE, lambda f, torch, x: f(x, (1, 1, 1, 1), "reflect")),
    "pairwise_distance": (ROWS, lambda f, torch, x: f(x, x + 1)),
    "pdist": (ROWS, lambda f, torch, x: f(x)),
    "pixel_shuffle": (IMAGE, lambda f, torch, x: f(x, 2)),
    "pixel_unshuffle": (IMAGE, lambda f, torch, x: f(x, 2)),
    "poisson_nll_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x))),
    "prelu": (ROWS, lambda f, torch, x: f(x, _like(5)(torch, x))),
    "relu": (ROWS, lambda f, torch, x: f(x)),
    "relu6": (ROWS, lambda f, torch, x: f(x)),
    "relu_": (ROWS, lambda f, torch, x: f(x.clone())),
    "rms_norm": (ROWS, lambda f, torch, x: f(x, (5,))),
    "rrelu": (ROWS, lambda f, torch, x: f(x)),
    "rrelu_": (ROWS, lambda f, torch, x: f(x.clone())),
    "scaled_dot_product_attention": (LINE, lambda f, torch, x: f(x, x, x)),
    "selu": (ROWS, lambda f, torch, x: f(x)),
    "selu_": (ROWS, lambda f, torch, x: f(x.clone())),
    "sigmoid": (ROWS, lambda f, torch, x: f(x)),
    "silu": (ROWS, lambda f, torch, x: f(x)),
    "smooth_l1_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x))),
    "soft_margin_loss": (ROWS, lambda f, torch, x: f(x, _fixed(torch, x).sign())),
    "softmax": (ROWS, lambda f, torch, x: f(x, 1)),
    "softmin": (ROWS, lambda f, torch, x: f(x, 1)),
    "softplus": (ROWS, lambda f, torch, x: f(x)),
    "softshrink": (ROWS, lambda f, torch, x: f(x)),
    "softsign": (ROWS, lambda f, torch, x: f(x)),
    "tanh": (ROWS, lambda f, torch, x: f(x)),
    "tanhshrink": (ROWS, lambda f, torch, x: f(x)),
    "threshold": (ROWS, lambda f, torch, x: f(x, 0.1, 20.0)),
    "threshold_": (ROWS, lambda f, torch, x: f(x.clone(), 0.1, 20.0)),
    "triplet_margin_loss": (ROWS, lambda f, torch, x: f(x, x + 1, x - 1)),
    "triplet_margin_with_distance_loss": (ROWS, lambda f, torch, x: f(x, x + 1, x - 1)),
    "unfold": (IMAGE, lambda f, torch, x: f(x, 2)),
    "upsample": (IMAGE, lambda f, torch, x: f(x, scale_factor=2)),
    "upsample_bilinear": (IMAGE, lambda f, torch, x: f(x, scale_factor=2)),
    "upsample_nearest": (IMAGE, lambda f, torch, x: f(x, scale_factor=2)),
}  # fmt: skip


def names(functional):
    """Its public functions."""
    return {
        name
        for name in dir(functional)
        if not name.startswith("_")
        and callable(getattr(functional, name))
        and not isinstance(getattr(functional, name), type)
    }


def argument(torch, name, dtype):
    shape, _ = CALLS[name]
    return torch.linspace(-2, 2, _count(shape)).reshape(shape).sin().to(dtype)


def call(torch, name, x):
    return CALLS[name][1](getattr(torch.nn.functional, name), torch, x)
