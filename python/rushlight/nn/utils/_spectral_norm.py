"""Spectral normalisation by hooks, PyTorch's old way; the new one is in parametrizations."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn.functional import normalize
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter, UninitializedParameter

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


def _check_iterations(n: int) -> None:
    if n <= 0:
        raise ValueError(
            f"Expected n_power_iterations to be positive, but got n_power_iterations={n}"
        )


def _matrix(weight: Tensor, dim: int) -> Tensor:
    """weight as a matrix with a row for each index of dim."""
    return weight.movedim(dim, 0).flatten(1)


def _improve(u: Tensor, v: Tensor, matrix: Tensor, n: int, eps: float, v_first: bool) -> None:
    """n power iterations towards the first pair of singular vectors, in place."""
    with rushlight.no_grad():
        for _ in range(n):
            if v_first:
                v.copy_(normalize(matrix.t().mv(u), dim=0, eps=eps))
            u.copy_(normalize(matrix.mv(v), dim=0, eps=eps))
            if not v_first:
                v.copy_(normalize(matrix.t().mv(u), dim=0, eps=eps))


def _output_dim(module: Module) -> int:
    from rushlight.nn.modules.conv import _Transposed

    return 1 if isinstance(module, _Transposed) else 0


class SpectralNorm:
    """Hook that divides the weight by an estimate of its largest singular value before each call."""

    _version = 1

    def __init__(
        self,
        name: str = "weight",
        n_power_iterations: int = 1,
        dim: int = 0,
        eps: float = 1e-12,
    ) -> None:
        _check_iterations(n_power_iterations)
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        return _matrix(weight, self.dim)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        weight, u, v = (getattr(module, self.name + s) for s in ("_orig", "_u", "_v"))
        matrix = _matrix(weight, self.dim)
        if do_power_iteration:
            _improve(u, v, matrix, self.n_power_iterations, self.eps, v_first=True)
            u, v = u.clone(), v.clone()  # the next call changes them before this one's backward
        return weight / u.dot(matrix.mv(v))

    @staticmethod
    def apply(
        module: Module, name: str, n_power_iterations: int, dim: int, eps: float
    ) -> SpectralNorm:
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two spectral_norm hooks on the same parameter {name}"
                )
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if isinstance(weight, UninitializedParameter):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure "
                "to run the dummy forward before applying spectral normalization"
            )
        with rushlight.no_grad():
            u, v = (
                normalize(weight.new_empty(n).normal_(0, 1), dim=0, eps=eps)
                for n in _matrix(weight, dim).shape
            )
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)  # no parameter, but there: initialisers look for it
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(hook)
        module._register_state_dict_hook(hook._note_version)
        return hook

    def _note_version(
        self, module: Module, state_dict: Any, prefix: str, local_metadata: dict
    ) -> None:
        local_metadata.setdefault("spectral_norm", {})[f"{self.name}.version"] = self._version

    def remove(self, module: Module) -> None:
        with rushlight.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divides a parameter by an estimate of its largest singular value, before each call.

    Args:
        module (Module): is changed.
        name (str): of the parameter. Default: "weight"
        n_power_iterations (int): per call in training mode. Default: 1
        eps (float): least norm that is divided by. Default: 1e-12
        dim (int): the dimension of outputs. Default: 1 for transposed convolutions, else 0

    Returns:
        the module.
    Source: Miyato and others, 2018.
    """
    dim = _output_dim(module) if dim is None else dim
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Makes the divided parameter a parameter again.

    Raises:
        ValueError: it has no spectral_norm.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            break
    else:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    for key, hook in module._state_dict_hooks.items():
        owner = getattr(hook, "__self__", None)
        if isinstance(owner, SpectralNorm) and owner.name == name:
            del module._state_dict_hooks[key]
            break
    return module
