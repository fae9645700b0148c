"""rushlight: a small, fast neural-network library with PyTorch's interface on the CPU.

    import rushlight as torch
    from rushlight import nn

Names, defaults, results and error messages are those of PyTorch 2.13. What PyTorch has and rushlight
does not raises an AttributeError or NotImplementedError when it is used. Parts that a program may not
need are imported when they are first mentioned, so that `import rushlight` takes milliseconds.
"""

# ruff: noqa: F401, F403, F405
import importlib as _importlib
import math as _math
import sys as _sys

from rushlight import _C
from rushlight import _tensor as _tensor  # completes the class Tensor
from rushlight._C import *
from rushlight._version import __version__

uint8 = _C.uint8
bool = _C.bool
float = _C.float32
int = _C.int32

inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
newaxis = None
norm = _C._overridable(_tensor.norm_function, __name__)

# ---- parts imported on first use ---------------------------------------------------------------------

_SUBMODULES = frozenset(
    (
        "accelerator", "amp", "autograd", "backends", "cpu", "cuda", "distributions", "fft", "func", "functional",
        "jit", "linalg", "mps", "mtia", "multiprocessing", "nn", "onnx", "optim", "overrides",
        "profiler", "random", "return_types", "serialization", "signal", "special", "testing", "types", "utils",
        "version", "xpu", "compiler", "distributed", "sparse", "library", "_dynamo", "_inductor",
        "storage", "_utils", "__config__",
    )
)  # fmt: skip

# name here -> module that defines it
_LAZY = {
    **dict.fromkeys(
        ("no_grad", "enable_grad", "inference_mode", "set_grad_enabled"), "rushlight.autograd.grad_mode"
    ),
    **dict.fromkeys(
        ("manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state"), "rushlight.random"
    ),
    **dict.fromkeys(("save", "load"), "rushlight.serialization"),
    **dict.fromkeys(("set_printoptions", "get_printoptions"), "rushlight._tensor_str"),
    **dict.fromkeys(("finfo", "iinfo"), "rushlight._type_info"),
    **dict.fromkeys(
        (
            "FloatTensor", "DoubleTensor", "HalfTensor", "BFloat16Tensor", "ByteTensor", "CharTensor",
            "ShortTensor", "IntTensor", "LongTensor", "BoolTensor", "set_default_tensor_type",
        ),
        "rushlight._legacy",
    ),
    **dict.fromkeys(
        (
            "addmv_", "adjoint", "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes",
            "broadcast_tensors", "cartesian_prod", "column_stack", "combinations", "dstack", "histogram", "histogramdd",
            "meshgrid", "resize_as_", "row_stack", "unique", "unique_consecutive", "unravel_index",
            "vander", "detach_", "fill", "fill_", "gcd_", "get_device", "index_put_", "is_conj", "is_neg", "lcm_", "round_",
            "empty_permuted", "spmm",
        ),
        "rushlight.functional",
    ),
    **dict.fromkeys(
        (
            "are_deterministic_algorithms_enabled", "compile", "get_default_device",
            "get_float32_matmul_precision", "get_num_interop_threads", "is_storage", "is_warn_always_enabled",
            "is_deterministic_algorithms_warn_only_enabled", "set_default_device",
            "set_float32_matmul_precision", "set_flush_denormal", "set_num_interop_threads",
            "set_warn_always", "typename", "use_deterministic_algorithms", "get_deterministic_debug_mode",
            "set_deterministic_debug_mode", "OutOfMemoryError",
        ),
        "rushlight._settings",
    ),
    **dict.fromkeys(
        (
            "chain_matmul", "cholesky", "cholesky_inverse", "cholesky_solve", "det", "eig", "frobenius_norm", "geqrf",
            "inverse", "logdet", "lstsq", "lu", "lu_solve", "lu_unpack", "matrix_exp", "matrix_power", "matrix_rank",
            "norm_except_dim", "nuclear_norm", "orgqr", "ormqr", "pca_lowrank", "pinverse", "qr", "slogdet", "solve",
            "svd", "svd_lowrank", "symeig", "triangular_solve",
        ),
        "rushlight.linalg._spellings",
    ),
    **dict.fromkeys(
        ("corrcoef", "cov", "cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"), "rushlight._calculus"
    ),
    **dict.fromkeys(
        (
            "binary_cross_entropy_with_logits", "cosine_embedding_loss", "ctc_loss", "hinge_embedding_loss",
            "kl_div", "margin_ranking_loss", "poisson_nll_loss", "triplet_margin_loss",
        ),
        "rushlight._losses",
    ),
    **dict.fromkeys(
        (
            "bartlett_window", "blackman_window", "hamming_window", "hann_window", "istft", "kaiser_window", "stft",
        ),
        "rushlight.signal._spectrum",
    ),
    **dict.fromkeys(("conv_tbc", "convolution"), "rushlight.nn.functional.convolution"),
    **dict.fromkeys(("einsum", "tensordot"), "rushlight._contraction"),
    "from_file": "rushlight._files",
    "lobpcg": "rushlight.linalg._lobpcg",
    "bilinear": "rushlight.nn.functional",
    "embedding_renorm_": "rushlight.nn.functional.sparse",
    "set_anomaly_enabled": "rushlight.autograd.anomaly_mode",
    "autocast": "rushlight.amp",
    "GradScaler": "rushlight.amp",
    **dict.fromkeys(
        (
            "is_autocast_enabled", "get_autocast_dtype", "is_autocast_cache_enabled", "is_autocast_cpu_enabled",
            "get_autocast_cpu_dtype", "get_autocast_gpu_dtype", "set_autocast_enabled", "set_autocast_dtype",
            "clear_autocast_cache",
        ),
        "rushlight.amp.autocast_mode",
    ),
    "_assert": "rushlight._settings",
    "vmap": "rushlight.func",
    **dict.fromkeys(
        (
            "FloatStorage", "DoubleStorage", "HalfStorage", "BFloat16Storage", "ByteStorage", "CharStorage",
            "ShortStorage", "IntStorage", "LongStorage", "BoolStorage", "ComplexFloatStorage", "ComplexDoubleStorage",
        ),
        "rushlight.storage",
    ),
    "ops": "rushlight._ops",
    "_standard_gamma": "rushlight._C",
    "_standard_gamma_grad": "rushlight._C",
    "_sample_dirichlet": "rushlight._C",
    "_dirichlet_grad": "rushlight._C",
    "_pack_padded_sequence": "rushlight._C",
    "_pad_packed_sequence": "rushlight._C",
    "install_as_torch": "rushlight._as_torch",
}  # fmt: skip

# Functions of these modules ask __torch_function__ before they run.
_OFFERED = frozenset(
    (
        "rushlight.functional", "rushlight._calculus", "rushlight._contraction", "rushlight._losses",
        "rushlight.linalg._lobpcg", "rushlight.linalg._spellings",
    )
)  # fmt: skip


def __getattr__(name: str):
    """Imports what is not here yet."""
    if name.startswith("_foreach_"):
        value = getattr(_importlib.import_module("rushlight._foreach"), name, None)
        if value is None:
            raise _missing(name)
        return value
    if name in _LAZY:
        try:
            value = getattr(_importlib.import_module(_LAZY[name]), name)
        except (ModuleNotFoundError, AttributeError) as error:
            if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("rushlight"):
                raise
            raise _missing(name) from None
        if _LAZY[name] in _OFFERED and type(value) is type(__getattr__):
            value = _C._overridable(value, __name__)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        try:
            return _importlib.import_module(f"rushlight.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"rushlight.{name}":
                raise
            raise _missing(name) from None
    raise _missing(name)


def _missing(name: str) -> AttributeError:
    if name.startswith("__"):
        return AttributeError(f"module 'rushlight' has no attribute '{name}'", name=name)
    return AttributeError(
        f"module 'rushlight' has no attribute '{name}'. If PyTorch has it: rushlight does not implement it",
        name=name,
        obj=_sys.modules[__name__],
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_SUBMODULES} - {"_LAZY", "_OFFERED", "_SUBMODULES"})
