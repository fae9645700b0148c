"""The operators of neural networks as functions, one family per file.

Most are the operators themselves; a function in the files adapts a signature: inplace=, training=, the
old arguments of losses.
"""

# ruff: noqa: F403
from types import FunctionType as _FunctionType
from typing import TYPE_CHECKING

from rushlight import _C
from rushlight._C import _nn
from rushlight._lazy import attach as _attach
from rushlight.nn.functional.activation import *
from rushlight.nn.functional.products import *
from rushlight.nn.functional.loss import *
from rushlight.nn.functional.normalization import *
from rushlight.nn.functional.spatial import *

if TYPE_CHECKING:  # what type checkers and editors cannot see below
    from rushlight.nn.functional.attention import *
    from rushlight.nn.functional.convolution import *
    from rushlight.nn.functional.likelihood import *
    from rushlight.nn.functional.margin import *
    from rushlight.nn.functional.noise import *
    from rushlight.nn.functional.pooling import *
    from rushlight.nn.functional.sparse import *
    from rushlight.nn.functional.vision import *

# Files imported when one of their names is first mentioned.
_LAZY: dict[str, tuple[str, ...]] = {
    "attention": (
        "multi_head_attention_forward",
    ),
    "convolution": ("conv_tbc",),
    "likelihood": (
        "ctc_loss",
        "gaussian_nll_loss",
        "linear_cross_entropy",
        "poisson_nll_loss",
    ),
    "margin": (
        "cosine_embedding_loss",
        "hinge_embedding_loss",
        "margin_ranking_loss",
        "multi_margin_loss",
        "multilabel_margin_loss",
        "multilabel_soft_margin_loss",
        "soft_margin_loss",
        "triplet_margin_loss",
        "triplet_margin_with_distance_loss",
    ),
    "noise": (
        "alpha_dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "feature_alpha_dropout",
        "gumbel_softmax",
        "rrelu",
    ),
    "pooling": (
        "adaptive_avg_pool1d",
        "adaptive_avg_pool2d",
        "adaptive_avg_pool3d",
        "adaptive_max_pool1d",
        "adaptive_max_pool1d_with_indices",
        "adaptive_max_pool2d",
        "adaptive_max_pool2d_with_indices",
        "adaptive_max_pool3d",
        "adaptive_max_pool3d_with_indices",
        "avg_pool1d",
        "avg_pool2d",
        "avg_pool3d",
        "fractional_max_pool2d",
        "fractional_max_pool2d_with_indices",
        "fractional_max_pool3d",
        "fractional_max_pool3d_with_indices",
        "lp_pool1d",
        "lp_pool2d",
        "lp_pool3d",
        "max_pool1d",
        "max_pool1d_with_indices",
        "max_pool2d",
        "max_pool2d_with_indices",
        "max_pool3d",
        "max_pool3d_with_indices",
        "max_unpool1d",
        "max_unpool2d",
        "max_unpool3d",
    ),
    "vision": (
        "affine_grid",
        "channel_shuffle",
        "fold",
        "grid_sample",
        "interpolate",
        "native_channel_shuffle",
        "pixel_shuffle",
        "pixel_unshuffle",
        "unfold",
        "upsample",
        "upsample_bilinear",
        "upsample_nearest",
    ),
    "sparse": ("embedding", "embedding_bag"),
}

# Functions that PyTorch does not offer to __torch_function__, but what they call.
_BARE = frozenset(
    (
        "hardsigmoid", "hardswish", "max_pool1d", "max_pool2d", "max_pool3d", "sigmoid", "tanh", "upsample",
        "upsample_bilinear", "upsample_nearest",
    )
)  # fmt: skip


def _offered(value: object) -> object:
    """A function of the files as one that asks __torch_function__ first; inside the files it stays bare."""
    bare = type(value) is not _FunctionType or value.__name__ in _BARE
    return value if bare else _C._overridable(value, __name__)


for _name, _value in list(globals().items()):
    if not _name.startswith("_"):
        globals()[_name] = _offered(_value)
__getattr__, __dir__ = _attach(__name__, globals(), _LAZY, _offered)

linear = _nn.linear
relu = _C._relu  # with inplace=, in C: it is everywhere
gelu = _nn.gelu
hardshrink = _C.hardshrink
softplus = _nn.softplus
softshrink = _nn.softshrink
scaled_dot_product_attention = _nn.scaled_dot_product_attention
logsigmoid = _nn.log_sigmoid
prelu = _C.prelu
cosine_similarity = _C.cosine_similarity
pairwise_distance = _C.pairwise_distance
pdist = _C.pdist
conv1d = _C.conv1d
conv2d = _C.conv2d
conv3d = _C.conv3d
conv_transpose1d = _C.conv_transpose1d
conv_transpose2d = _C.conv_transpose2d
conv_transpose3d = _C.conv_transpose3d

relu_ = _C.relu_
rrelu_ = _C.rrelu_
leaky_relu_ = _nn.leaky_relu_
elu_ = _nn.elu_
selu_ = _C.selu_
celu_ = _C.celu_
hardtanh_ = _nn.hardtanh_
threshold_ = _C.threshold_
