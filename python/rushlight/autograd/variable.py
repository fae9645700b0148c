"""Variable: what tensors with gradients were called before PyTorch 0.4; today another name for Tensor."""

from typing import Any

from rushlight._C import Tensor


class _VariableMeta(type):
    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, Tensor)


class Variable(metaclass=_VariableMeta):
    """Variable(data, requires_grad=False): a tensor of data's memory outside data's graph."""

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Tensor:
        from rushlight import _C

        tensor = _C.empty(0) if data is None else data.detach()
        return tensor.requires_grad_(requires_grad) if requires_grad else tensor
