"""Bilinear products and one-hot rows as functions."""

from __future__ import annotations

import rushlight
from rushlight._C import Tensor

__all__ = [
    "bilinear",
    "normalize",
    "one_hot",
]

def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1^T W[k] x2 + b[k]: inputs (*, in1) and (*, in2), weight (out, in1, in2), output (*, out)."""
    out, in1, in2 = weight.shape
    if input1.dim() != input2.dim():
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}"
        )
    for i, (a, b) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if a != b:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {i}: got {a} and {b}"
            )
    if input1.size(-1) != in1 or input2.size(-1) != in2:
        which, got, want = (1, input1, in1) if input1.size(-1) != in1 else (2, input2, in2)
        raise RuntimeError(
            f"bilinear(): input{which} size does not match weight size: got {got.size(-1)} but "
            f"expected {want}"
        )
    if bias is not None and bias.size(0) != out:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.size(0)} but expected {out}"
        )
    left = input1.matmul(weight.permute(1, 0, 2).reshape(in1, out * in2))
    result = (left.unflatten(-1, (out, in2)) * input2.unsqueeze(-2)).sum(-1)
    return result if bias is None else result + bias


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """x / max(||x||_p, eps), the norm along dim."""
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / norm if out is None else rushlight.div(input, norm, out=out)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Integers (*) as rows of zeros with a one: (*, num_classes), int64.

    Args:
        tensor (Tensor): classes, int64.
        num_classes (int): how many; -1 for one more than the largest. Default: -1

    Raises:
        RuntimeError: another dtype, a negative class or one not below num_classes.
    """
    if tensor.dtype != rushlight.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return rushlight.zeros((*tensor.shape, num_classes), dtype=rushlight.int64)
    if tensor.min().item() < 0:
        raise RuntimeError("Class values must be non-negative.")
    largest = tensor.max().item()
    if num_classes == -1:
        num_classes = largest + 1
    elif largest >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    result = rushlight.zeros((*tensor.shape, num_classes), dtype=rushlight.int64)
    return result.scatter_(-1, tensor.unsqueeze(-1), 1)
