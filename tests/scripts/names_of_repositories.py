"""Names that repositories import from the corners of torch."""

import io

import torch
from torch import _assert
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors
from torch.nn.common_types import _size_2_t, _size_any_t
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import _IncompatibleKeys
from torch.nn.modules.utils import _ntuple, _pair


def show(name, *args, **kwargs):
    values = [torch.tensor([1.0, 3.0]), torch.tensor([[2.0, -3.0, 0.5]])]
    arguments = [values if a == "values" else a for a in args]
    try:
        result = getattr(torch, name)(values, *arguments, **kwargs)
    except RuntimeError as error:
        result = type(error).__name__
    if name.endswith("_"):
        print(name, values)
    else:
        print(name, type(result).__name__, list(result))


for name in ("abs", "exp", "neg", "sqrt", "sigmoid", "round", "zero_", "reciprocal_", "trunc", "log1p_", "clone"):
    show(f"_foreach_{name}")
for name in ("add", "sub", "mul", "div", "maximum", "minimum", "clamp_max", "clamp_min", "pow"):
    for inplace in ("", "_"):
        show(f"_foreach_{name}{inplace}", 2.0)
        show(f"_foreach_{name}{inplace}", "values")
        show(f"_foreach_{name}{inplace}", [3.0, 1.0])
show("_foreach_add", "values", alpha=2)
show("_foreach_mul_", torch.tensor(3.0))
show("_foreach_lerp_", "values", 0.25)
show("_foreach_copy_", "values")
show("_foreach_norm")
show("_foreach_norm", 1)
show("_foreach_max")
show("_foreach_addcmul", "values", "values", 2.0)
show("_foreach_addcdiv_", "values", "values", 0.5)
show("_foreach_addcmul_", "values", "values", [1.0, 2.0])
print(torch._foreach_pow(2.0, [torch.ones(2), torch.zeros(1)]))

flat = _flatten_dense_tensors([torch.ones(2, 2), torch.zeros(3)])
print(flat, _unflatten_dense_tensors(flat, [torch.ones(2, 2), torch.zeros(3)]))
print(_size_2_t, _size_any_t, _pair(3), _ntuple(3)((1, 2, 3)), issubclass(torch.nn.BatchNorm2d, _BatchNorm))
print(_IncompatibleKeys([], ["a"]), isinstance(torch.nn.Linear(1, 1), torch.jit.ScriptModule))
print(torch.is_autocast_cpu_enabled(), torch.get_autocast_cpu_dtype(), torch.get_autocast_gpu_dtype())
_assert(True, "never")
try:
    _assert(False, "said so")
except AssertionError as error:
    print(error)

buffer = io.BytesIO()
torch.save({"w": torch.ones(2)}, buffer)
buffer.seek(0)
print(torch.load(buffer, map_location=lambda s, _: torch.serialization.default_restore_location(s, "cpu")))
