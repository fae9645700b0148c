"""The layers, one family per file.

What almost every model uses is imported at once, the other families when one of their layers is first mentioned.
"""

# ruff: noqa: F403
from typing import TYPE_CHECKING

from rushlight._lazy import attach
from rushlight.nn.modules import activation, container, dropout, flatten, linear, loss
from rushlight.nn.modules.activation import *
from rushlight.nn.modules.container import *
from rushlight.nn.modules.dropout import *
from rushlight.nn.modules.flatten import *
from rushlight.nn.modules.linear import *
from rushlight.nn.modules.loss import *
from rushlight.nn.modules.module import Module

if TYPE_CHECKING:  # what type checkers and editors cannot see below
    from rushlight.nn.modules.adaptive import *
    from rushlight.nn.modules.attention import *
    from rushlight.nn.modules.batchnorm import *
    from rushlight.nn.modules.channelshuffle import *
    from rushlight.nn.modules.conv import *
    from rushlight.nn.modules.distance import *
    from rushlight.nn.modules.fold import *
    from rushlight.nn.modules.instancenorm import *
    from rushlight.nn.modules.likelihood import *
    from rushlight.nn.modules.margin import *
    from rushlight.nn.modules.normalization import *
    from rushlight.nn.modules.padding import *
    from rushlight.nn.modules.pixelshuffle import *
    from rushlight.nn.modules.pooling import *
    from rushlight.nn.modules.rnn import *
    from rushlight.nn.modules.sparse import *
    from rushlight.nn.modules.transformer import *
    from rushlight.nn.modules.upsampling import *

# file: the layers in it
_LAZY = {
    "adaptive": ("AdaptiveLogSoftmaxWithLoss",),
    "channelshuffle": ("ChannelShuffle",),
    "fold": (
        "Fold",
        "Unfold",
    ),
    "pixelshuffle": (
        "PixelShuffle",
        "PixelUnshuffle",
    ),
    "upsampling": (
        "Upsample",
        "UpsamplingBilinear2d",
        "UpsamplingNearest2d",
    ),
    "attention": (
        "MultiheadAttention",
    ),
    "batchnorm": (
        "BatchNorm1d",
        "BatchNorm2d",
        "BatchNorm3d",
        "LazyBatchNorm1d",
        "LazyBatchNorm2d",
        "LazyBatchNorm3d",
        "SyncBatchNorm",
    ),
    "conv": (
        "Conv1d",
        "Conv2d",
        "Conv3d",
        "ConvTranspose1d",
        "ConvTranspose2d",
        "ConvTranspose3d",
        "LazyConv1d",
        "LazyConv2d",
        "LazyConv3d",
        "LazyConvTranspose1d",
        "LazyConvTranspose2d",
        "LazyConvTranspose3d",
    ),
    "distance": ("CosineSimilarity", "PairwiseDistance"),
    "instancenorm": (
        "InstanceNorm1d",
        "InstanceNorm2d",
        "InstanceNorm3d",
        "LazyInstanceNorm1d",
        "LazyInstanceNorm2d",
        "LazyInstanceNorm3d",
    ),
    "likelihood": (
        "CTCLoss",
        "GaussianNLLLoss",
        "LinearCrossEntropyLoss",
        "LinearCrossEntropyOptions",
        "NLLLoss2d",
        "PoissonNLLLoss",
    ),
    "margin": (
        "CosineEmbeddingLoss",
        "HingeEmbeddingLoss",
        "MarginRankingLoss",
        "MultiLabelMarginLoss",
        "MultiLabelSoftMarginLoss",
        "MultiMarginLoss",
        "SoftMarginLoss",
        "TripletMarginLoss",
        "TripletMarginWithDistanceLoss",
    ),
    "normalization": (
        "CrossMapLRN2d",
        "GroupNorm",
        "LayerNorm",
        "LocalResponseNorm",
        "RMSNorm",
    ),
    "padding": (
        "CircularPad1d",
        "CircularPad2d",
        "CircularPad3d",
        "ConstantPad1d",
        "ConstantPad2d",
        "ConstantPad3d",
        "ReflectionPad1d",
        "ReflectionPad2d",
        "ReflectionPad3d",
        "ReplicationPad1d",
        "ReplicationPad2d",
        "ReplicationPad3d",
        "ZeroPad1d",
        "ZeroPad2d",
        "ZeroPad3d",
    ),
    "pooling": (
        "AdaptiveAvgPool1d",
        "AdaptiveAvgPool2d",
        "AdaptiveAvgPool3d",
        "AdaptiveMaxPool1d",
        "AdaptiveMaxPool2d",
        "AdaptiveMaxPool3d",
        "AvgPool1d",
        "AvgPool2d",
        "AvgPool3d",
        "FractionalMaxPool2d",
        "FractionalMaxPool3d",
        "LPPool1d",
        "LPPool2d",
        "LPPool3d",
        "MaxPool1d",
        "MaxPool2d",
        "MaxPool3d",
        "MaxUnpool1d",
        "MaxUnpool2d",
        "MaxUnpool3d",
    ),
    "rnn": (
        "GRU",
        "GRUCell",
        "LSTM",
        "LSTMCell",
        "RNN",
        "RNNBase",
        "RNNCell",
        "RNNCellBase",
    ),
    "sparse": ("Embedding", "EmbeddingBag"),
    "transformer": (
        "Transformer",
        "TransformerDecoder",
        "TransformerDecoderLayer",
        "TransformerEncoder",
        "TransformerEncoderLayer",
    ),
    "utils": (),
}
__getattr__, __dir__ = attach(__name__, globals(), _LAZY)

__all__ = [
    "Module",
    *activation.__all__,
    *container.__all__,
    *dropout.__all__,
    *flatten.__all__,
    *linear.__all__,
    *loss.__all__,
    *(name for names in _LAZY.values() for name in names),
]
