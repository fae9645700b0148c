"""Where the outcomes may differ, and why. docs/differences.md says the same to users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import samples

UNINITIALISED = {"empty", "empty_like", "empty_strided"}
# Which of several equal elements is meant is not defined: only the values are compared.
OTHER_NODES = {"linear"} | {c.name for c in samples.load() if not c.node}
# Which of several equal elements is meant is not defined.
ONE_OF_EQUALS = {"topk", "kthvalue", "msort"}
# f_ of a comparison writes bools over numbers: PyTorch hands the gradient through some of them, rushlight through none.
NO_HISTORY = {"eq", "ne", "lt", "le", "gt", "ge", "greater", "greater_equal", "less", "less_equal", "not_equal",
              "logical_and", "logical_or", "logical_xor", "logical_not"}
# Sums whose terms may cancel: the last digit that counts is that of the terms.
SUMS = {"logaddexp", "logaddexp2", "var_mean", "std_mean", "nll_loss", "sum", "nansum", "mean", "nanmean", "trace", "cumsum", "logcumsumexp"}


def kind(name: str) -> Callable[[Any], bool]:
    """Whether a call has a tensor of this kind (draw.X)."""
    return lambda call: any(x.kind == name for x in call.tensors())


def nothing(call: Any) -> bool:
    """Whether a tensor of the call has no elements."""
    return any(0 in x.shape for x in call.tensors())


def wraps(call: Any) -> bool:
    """Whether a number of the call is beyond int32."""
    return any(isinstance(v, (int, float)) and not abs(v) < 2**31 for v in call.values.values())


def half(call: Any) -> bool:
    """Whether a tensor of the call has 16 bits per element."""
    return any(x.dtype in ("float16", "bfloat16") for x in call.tensors())


@dataclass(frozen=True)
class Known:
    """A difference that is there on purpose: in these rows, what the difference's text begins with, the reason, and
    in which calls."""

    rows: tuple[str, ...]
    begins: tuple[str, ...]
    why: str
    when: Callable[[Any], bool] = lambda call: True


VARIANCES = ("var", "var_dim_unbiased", "std", "std_dim_unbiased", "var_mean", "std_mean")
KNOWN = [
    Known(("hardsigmoid", "cdist"), ("second",), "PyTorch has no second derivative"),
    Known(("mish",), ("second",), "PyTorch's second derivative overflows"),
    Known(("binary_cross_entropy",), ("second",), "PyTorch adds 1e-12 to the denominators"),
    Known(("clamp", "clip"), ("gradient: no error",), "PyTorch's derivative fails where a limit has more dims"),
    Known(("narrow_copy",), ("gradient: no error",), "PyTorch's derivative is wrong"),
    Known(("addmv",), ("gradient: no error", "output"), "PyTorch forgets the shape of an empty product"),
    Known(("nanmedian_dim",), ("output",), "PyTorch reads beyond expanded inputs"),
    Known(("conj",), ("output 0: stride",), "a conjugate is a copy"),
    Known(("conj_physical",), ("node",), "nothing happens to real numbers"),
    Known(("complex",), ("NotImplementedError",), "there is no complex32"),
    Known(VARIANCES, ("grads", "second"), "PyTorch's derivative for dim=() counts one element",
          lambda call: call.values.get("dim") in ((), [])),
    Known(("var_mean", "std_mean"), ("output 1: element",), "PyTorch's running mean makes nan of infinities",
          kind("special")),
    Known(("softshrink", "hardshrink"), ("grads",), "PyTorch's gradient at nan depends on the layout",
          kind("special")),
    Known(("prelu", "pow"), ("second",), "at the kink", kind("ties")),
    Known(("atan2", "arctan2"), ("second",), "at the origin", kind("ties")),
    Known(("linspace", "logspace"), ("NotImplementedError",), "PyTorch takes any dtype for one step"),
    Known(("binary_cross_entropy_with_logits",), ("node",), "a target of another dtype: converted at the end"),
    Known(("kl_div",), ("grads 1", "second 1", "second 2"), "PyTorch's derivative for targets of 0 is nan"),
    Known(("median", "nanmedian"), ("output",), "the median of no integers is the least one", lambda call: nothing(call)),
    Known(("median_dim",), ("output",), "PyTorch reads beyond expanded inputs"),
    Known(("quantile", "nanquantile"), ("grads", "second"), "which of several equal elements is meant",
          lambda call: any(x.layout == "expand" or x.kind == "ties" for x in call.tensors())),
    Known(("ldexp",), ("grads", "second"), "PyTorch's derivative is 0 for negative integer exponents"),
    Known(("ldexp",), ("output 0: stride", "no error"), "a product of powers of two"),
    Known(("lcm",), ("output",), "which sign an overflow has", kind("large")),
    Known(("huber_loss", "polar", "adaptive_max_pool1d", "randn_like", "constant_pad_nd"), ("output 0: stride", "output 1: stride"),
          "row-major"),
    Known(("take_along_dim",), ("no error",), "int32 indices serve too"),
    Known(("multinomial",), ("output",), "which of several equal elements is meant", half),
    Known(("float_power",), ("second",), "at the kink", kind("ties")),
    Known(("cdist",), ("NotImplementedError",), "PyTorch has some kernels for half precision", half),
    Known(("embedding",), ("NotImplementedError",), "no sparse tensors"),
    Known(("atan2", "arctan2"), ("gradient: no error",), "PyTorch's derivative fails for bools"),
    Known(("floor", "ceil", "trunc", "round", "fix"), ("no error",), "nothing happens to integers"),
    Known(("cumsum", "cumprod"), ("no error",), "the in-place forms convert"),
    Known(("batch_norm", "addr"), ("node", "output 0: stride"), "one formula for all sizes"),
    Known(("sum", "prod_dim", "prod"), ("RuntimeError",), "out= of another dtype", lambda call: call.form == "out"),
    Known(("sum",), ("gradient",), "PyTorch's derivative fails for complex dtypes"),
    Known(("nll_loss", "cross_entropy"), ("second 1", "gradient"), "PyTorch's second derivative is nan for ignored targets"),
    Known(("normal_tensor_tensor", "normal_tensor_float", "normal_float_tensor"), ("NotImplementedError",), "means are not integers"),
    Known(("kthvalue",), ("NotImplementedError",), "PyTorch takes bools without dims"),
    Known(("fmod", "remainder", "histc"), ("no error",), "a number that wraps around to 0", lambda call: True),
    Known(("addcdiv", "huber_loss"), ("second",), "at the kink", kind("ties")),
    Known(("unsafe_chunk", "unsafe_split"), ("node",), "one node for both"),
    Known(("narrow_copy",), ("grads", "second"), "PyTorch's derivative is wrong"),
    Known(("as_strided_scatter",), ("gradient",), "PyTorch's derivative fails"),
    Known(("index_fill",), ("gradient",), "PyTorch's derivative fails for negative indices"),
    Known(("topk",), ("output",), "unsorted", lambda call: call.values.get("sorted") is False),
    Known(("isin",), ("output",), "elements are not unique", lambda call: call.values.get("assume_unique", False)),
    Known(("norm",), ("second",), "powers overflow"),
    Known(("norm_named",), ("_LinAlgError",), "PyTorch answers nan", kind("special")),
    Known(("cumprod",), ("second",), "computed in another dtype", lambda call: "dtype" in call.values),
    Known(("complex",), ("output 0: stride",), "row-major"),
    Known(("scatter_value",), ("RuntimeError", "TypeError"), "no complex numbers"),
    Known(("var_unbiased", "std_unbiased", "var", "std"), ("output 0: element",), "rounded",
          lambda call: kind("special")(call) or kind("ties")(call) or any(x.layout == "expand" for x in call.tensors())),
    Known(("smooth_l1_loss", "huber_loss", "mse_loss"), ("gradient", "second"), "bools cannot be subtracted",
          lambda call: any(x.dtype == "bool" for x in call.tensors())),
    Known(("angle", "rand_like"), ("output 0: stride",), "row-major or not"),
    Known(("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "exp2", "expm1"), ("output", "grads", "second"), "overflow in one part",
          lambda call: kind("large")(call) and any(x.dtype.startswith("complex") for x in call.tensors())),
    Known(("float_power", "pow"), ("output", "grads"), "zero to a complex power",
          lambda call: any(x.dtype.startswith("complex") and x.kind in ("ties", "special", "large") for x in call.tensors())),
    Known(("grid_sampler",), ("second gradient",), "PyTorch's derivative fails without channels"),
    Known(("binomial", "rms_norm", "binary_cross_entropy_with_logits"), ("output 0: stride",), "row-major"),
    Known(("hardtanh", "gelu", "cdist"), ("grads", "output"), "of nan and infinities", kind("special")),
    Known(("nll_loss", "nan_to_num"), ("node",), "one node for all shapes"),
    Known(("copy",), ("RuntimeError",), "a number must fit"),
    Known(("fmod", "remainder"), ("output",), "rounded once", half),
    Known(("pow", "softplus", "sgn", "addcdiv", "celu"), ("second",), "at a pole"),
    Known(("addcmul", "addcdiv"), ("grads", "second"), "a number beyond the integers", wraps),
    Known(("scaled_dot_product_attention",), ("output", "grads", "second"), "large scores", kind("large")),
    Known(("broadcast_to", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "pad_sequence"), ("RuntimeError",), "checked arguments"),
    Known(("pixel_shuffle", "pixel_unshuffle"), ("gradient", "output 0: s"), "PyTorch forgets the shape of nothing", nothing),
    Known(("addbmm",), ("RuntimeError",), "PyTorch's in-place form resizes", lambda call: call.form == "inplace"),
    Known(("view_copy",), ("RuntimeError",), "PyTorch copies first"),
    Known(("as_strided_scatter",), ("grads", "second"), "PyTorch's derivative is wrong"),
    Known(("index_put", "max_pool1d", "smooth_l1_loss"), ("no error",), "arguments that are checked less"),
    Known(("renorm",), ("second",), "at the limit"),
    Known(("poisson",), ("output",), "infinite rates", kind("special")),
    Known(("channel_shuffle", "adaptive_max_pool1d"), ("gradient",), "PyTorch's derivative fails where there is nothing"),
    Known(("celu",), ("grads", "second"), "1 / alpha in float32"),
    Known(("silu", "prod"), ("output", "grads", "second"), "overflow and underflow", kind("large")),
    Known(("hardshrink", "softshrink"), ("grads",), "a limit that is no number", lambda call: call.values.get("lambd") != call.values.get("lambd")),
    Known(VARIANCES + ("var_unbiased", "std_unbiased"), ("grads", "second", "output 0: element"), "of equal numbers: rounded",
          lambda call: any(x.layout == "expand" for x in call.tensors())),
    Known(("linear", "im2col", "index_add"), ("no error",), "arguments that are checked less"),
    Known(("view_as_complex_copy",), ("RuntimeError",), "PyTorch copies first"),
    Known(("kl_div", "pow"), ("output 0: stride",), "row-major or not"),
    Known(("mul", "div", "add", "sub"), ("output 0: dtype",), "there is no complex32", half),
    Known(("addmm", "addbmm", "baddbmm", "addmv"), ("output",), "infinities times 0",
          lambda call: kind("special")(call) or wraps(call)),
    Known(("mode", "nanquantile", "nanquantile_tensor", "quantile_tensor"), ("output", "grads", "second"), "of several nan",
          lambda call: kind("special")(call) or kind("ties")(call)),
    Known(("norm",), ("no error",), "the Frobenius norm over any dims"),
    Known(("normal_tensor_tensor", "normal_tensor_float", "normal_float_tensor"), ("output",), "drawn in the dtype of the result",
          lambda call: call.form == "out"),
    Known(("std", "var"), ("output 0: element",), "nan has an imaginary part", lambda call: call.form == "out"),
    Known(("index_put",), ("output",), "bytes are masks", lambda call: any(x.dtype == "uint8" for x in call.tensors())),
    Known(("squeeze_copy_dims",), ("node",), "one dim in a tuple is one dim"),
    Known(("index_copy",), ("RuntimeError",), "PyTorch's in-place form writes several elements into one"),
    Known(("normal_tensor_float", "normal_float_tensor", "normal_tensor_tensor"), ("no error", "output 0: s"),
          "PyTorch does not resize out="),
    Known(("adaptive_avg_pool2d", "adaptive_max_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool3d"), ("no error", "gradient"),
          "one size serves for all dims"),
]


def explained(call: Any, difference: str) -> bool:
    """Whether this difference in this call is known."""
    return any(call.row.c_name in k.rows and difference.startswith(k.begins) and k.when(call) for k in KNOWN)


# Texts of errors of PyTorch about derivatives that it lacks, for no mathematical reason.
NO_DERIVATIVE = ("is not implemented", "Autograd not support dtype", "can't be cast to the desired output type",
                 "invalid combination", "only Tensors of floating point dtype can require gradients",
                 "Expected a proper Tensor but got None",
                 "Found dtype", "does not support automatic differentiation", "Expected isFloatingType(grad")
# Texts of errors of PyTorch that say that no overload fits. Where rushlight has one signature for several overloads it
# takes the union of their arguments.
NO_OVERLOAD = ("missing", "positional arguments", "must be Tensor, not", "is not a valid value", "invalid combination",
               "unexpected keyword", "multiple values")
OVERLAPS = "unsupported operation: more than one element of the written-to tensor"
# PyTorch's operator does not cope with the layout of its input.
LAYOUT = "view size is not compatible with input tensor's size and stride"
NO_COMPLEX_FACTOR = "must be Number, not complex"
FAULTS = {"RuntimeError", "NotImplementedError", "IndexError", "ValueError"}
