"""Derivatives and batching as functions of functions: grad, vjp, jvp, jacrev, jacfwd, hessian, vmap.

Derivatives are taken by reverse mode: jvp and jacfwd differentiate the vector-Jacobian product, which is
linear in its vector, once more. vmap calls the function once per slice and stacks the results: right for
every function, without the speed of batched operators.
"""

from rushlight.func._gradients import (
    functionalize,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    vjp,
)
from rushlight.func._rearrange import rearrange
from rushlight.func._state import (
    functional_call,
    replace_all_batch_norm_modules_,
    stack_module_state,
)
from rushlight.func._vmap import vmap

__all__ = [
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]
