"""Helpers on parameters and gradients, imported when first mentioned."""

from rushlight._lazy import attach as _attach

# file: the names in it
_LAZY = {
    "_spectral_norm": ("remove_spectral_norm", "spectral_norm"),
    "_weight_norm": ("remove_weight_norm", "weight_norm"),
    "clip_grad": (
        "clip_grad_norm",
        "clip_grad_norm_",
        "clip_grad_value_",
        "clip_grads_with_norm_",
        "get_total_norm",
    ),
    "convert_parameters": ("parameters_to_vector", "vector_to_parameters"),
    "fusion": (
        "fuse_conv_bn_eval",
        "fuse_conv_bn_weights",
        "fuse_linear_bn_eval",
        "fuse_linear_bn_weights",
    ),
    "init": ("skip_init",),
    "memory_format": (
        "convert_conv2d_weight_memory_format",
        "convert_conv3d_weight_memory_format",
    ),
    "parametrizations": (),
    "parametrize": (),
    "prune": (),
    "rnn": (),
    "stateless": (),
}
__getattr__, __dir__ = _attach(__name__, globals(), _LAZY)
__all__ = [name for names in _LAZY.values() for name in names]
__all__ += [file for file, names in _LAZY.items() if not names]
