"""Normalisation: csrc/ops/norm.c."""

@op(method=False)
def layer_norm(input: Tensor, normalized_shape: Ints, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05, cudnn_enable: bool = True) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over the last dims, times weight plus bias."""

@op(method=False)
def group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05, cudnn_enabled: bool = True) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over groups of channels (dim 1) of each sample, times weight plus bias."""

@op(method=False)
def rms_norm(input: Tensor, normalized_shape: Ints, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """x / sqrt(mean(x^2) + eps) over the last dims, times weight."""

@op(method=False)
def batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor:
    """(x - mean) / sqrt(variance + eps) by channel (dim 1), times weight plus bias; training: of x, else the running ones."""

@op(method=False)
def instance_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor:
    """batch_norm of every sample by itself; the running statistics move by the mean over the samples."""
