"""Activations: functions of one input, element by element or along a dimension."""

from __future__ import annotations

import warnings
from typing import Any

import rushlight
from rushlight import _C
from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn import init
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


def _inplace_repr(module: Any, before: str = "") -> str:
    """extra_repr of a layer with inplace=, which is shown only when set."""
    return ", ".join(x for x in (before, "inplace=True" if module.inplace else "") if x)


class _InPlace(Module):
    """What activations share that can write into their input and have no other option."""

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return _inplace_repr(self)


class ReLU(_C.ReLU, _InPlace):
    """max(x, 0).

    Args:
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    """


class LeakyReLU(Module):
    """x where x >= 0, negative_slope * x elsewhere.

    Args:
        negative_slope (float): slope for x < 0. Default: 0.01
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Source: Maas, Hannun, Ng, 2013.
    """

    __constants__ = ["inplace", "negative_slope"]

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return _inplace_repr(self, f"negative_slope={self.negative_slope}")


class PReLU(Module):
    """x where x >= 0, weight * x elsewhere, with a learnt weight.

    Args:
        num_parameters (int): 1, or the number of channels (dimension 1). Default: 1
        init (float): initial weight. Default: 0.25
        device: cpu or None.
        dtype (dtype): of the weight. Default: the default dtype.

    Shape: input (*), output (*); weight (num_parameters).
    Source: He, Zhang, Ren, Sun, 2015.
    """

    __constants__ = ["num_parameters"]

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(rushlight.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the initial weight anew."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class _Exponential(Module):
    """What ELU and CELU share."""

    __constants__ = ["alpha", "inplace"]

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def extra_repr(self) -> str:
        return _inplace_repr(self, f"alpha={self.alpha}")


class ELU(_Exponential):
    """x where x > 0, alpha * (exp(x) - 1) elsewhere.

    Args:
        alpha (float): limit towards minus infinity is -alpha. Default: 1.0
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Source: Clevert, Unterthiner, Hochreiter, 2015.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)


class CELU(_Exponential):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).

    Args:
        alpha (float): limit towards minus infinity is -alpha. Default: 1.0
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Source: Barron, 2017.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


class SELU(_InPlace):
    """ELU with the scale and alpha that keep mean 0 and variance 1 from layer to layer.

    Args:
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Source: Klambauer, Unterthiner, Mayr, Hochreiter, 2017.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class GELU(Module):
    """x * Phi(x), Phi the normal distribution function.

    Args:
        approximate (str): "none", or "tanh" for the approximation by a tanh. Default: "none"

    Shape: input (*), output (*), any number of dimensions.
    Source: Hendrycks, Gimpel, 2016.
    """

    __constants__ = ["approximate"]

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class GLU(Module):
    """a * sigmoid(b), a and b the halves of the input along dim.

    Args:
        dim (int): the dimension that is halved. Default: -1

    Shape: input (*, 2 n, *), output (*, n, *).
    Source: Dauphin, Fan, Auli, Grangier, 2016.
    """

    __constants__ = ["dim"]

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class SiLU(_InPlace):
    """x * sigmoid(x), also known as swish.

    Args:
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Source: Hendrycks, Gimpel, 2016; Elfwing, Uchibe, Doya, 2017.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """x * tanh(softplus(x)).

    Args:
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Source: Misra, 2019.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    Shape: input (*), output (*), any number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.sigmoid()


class Tanh(Module):
    """Hyperbolic tangent.

    Shape: input (*), output (*), any number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.tanh()


class Softplus(Module):
    """log(1 + exp(beta x)) / beta; x itself where beta x > threshold.

    Args:
        beta (float): sharpness. Default: 1.0
        threshold (float): where the identity begins. Default: 20.0

    Shape: input (*), output (*), any number of dimensions.
    """

    __constants__ = ["beta", "threshold"]

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """log(sigmoid(x)), stable.

    Shape: input (*), output (*), any number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Softsign(Module):
    """x / (1 + |x|).

    Shape: input (*), output (*), any number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x).

    Shape: input (*), output (*), any number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Hardtanh(Module):
    """Elements limited to [min_val, max_val].

    Args:
        min_val (float): lower limit. Default: -1.0
        max_val (float): upper limit. Default: 1.0
        inplace (bool): write into the input. Default: False
        min_value, max_value: old names of the limits.

    Shape: input (*), output (*), any number of dimensions.
    """

    __constants__ = ["inplace", "max_val", "min_val"]

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        for old, value in (("min", min_value), ("max", max_value)):
            if value is not None:
                warnings.warn(
                    f"keyword argument `{old}_value` is deprecated and rename to `{old}_val`",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise AssertionError(
                f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"
            )

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return _inplace_repr(self, f"min_val={self.min_val}, max_val={self.max_val}")


class ReLU6(Hardtanh):
    """min(max(0, x), 6).

    Args:
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return _inplace_repr(self)


class Hardsigmoid(_InPlace):
    """relu6(x + 3) / 6.

    Args:
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    extra_repr = Module.extra_repr  # PyTorch shows no inplace here


class Hardswish(_InPlace):
    """x * relu6(x + 3) / 6.

    Args:
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Source: Howard and others, 2019.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    extra_repr = Module.extra_repr  # PyTorch shows no inplace here


class _Shrink(Module):
    """What Hardshrink and Softshrink share."""

    __constants__ = ["lambd"]

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Hardshrink(_Shrink):
    """x where |x| > lambd, 0 elsewhere.

    Args:
        lambd (float): Default: 0.5

    Shape: input (*), output (*), any number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """x moved by lambd toward 0, and 0 where |x| <= lambd.

    Args:
        lambd (float): not negative. Default: 0.5

    Shape: input (*), output (*), any number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class RReLU(Module):
    """x where x > 0, r x elsewhere: r uniform in [lower, upper] in training, else their mean.

    Args:
        lower (float): Default: 1/8
        upper (float): Default: 1/3
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Source: Xu and others, 2015.
    """

    __constants__ = ["lower", "upper", "inplace"]

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return _inplace_repr(self, f"lower={self.lower}, upper={self.upper}")


class Threshold(Module):
    """x where x > threshold, value elsewhere.

    Args:
        threshold (float): where x begins to count.
        value (float): what stands for the rest.
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    """

    __constants__ = ["inplace", "threshold", "value"]

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return _inplace_repr(self, f"threshold={self.threshold}, value={self.value}")


class _AlongDim(Module):
    """What Softmax and its kin share."""

    __constants__ = ["dim"]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """exp(x) / sum(exp(x)) along dim: positive, with sum 1.

    Args:
        dim (int): the dimension.

    Shape: input (*), output (*).
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmin(_AlongDim):
    """softmax(-x) along dim.

    Args:
        dim (int): the dimension.

    Shape: input (*), output (*).
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)


class LogSoftmax(_AlongDim):
    """log(softmax(x)) along dim, stable.

    Args:
        dim (int): the dimension.

    Shape: input (*), output (*).
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """Softmax over the channels.

    Shape: input (N, C, H, W) or (C, H, W), output the same.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3, _stacklevel=5)


def __getattr__(name: str) -> Any:
    if name == "MultiheadAttention":  # at home here in PyTorch
        from rushlight.nn.modules.attention import MultiheadAttention

        return MultiheadAttention
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
