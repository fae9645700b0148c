"""Ready parametrizations: orthogonal matrices, weights split in size and direction, spectral norm 1."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn.functional import normalize
from rushlight.nn.modules.module import Module
from rushlight.nn.utils import parametrize
from rushlight.nn.utils._spectral_norm import _check_iterations, _improve, _matrix, _output_dim
from rushlight.nn.utils._weight_norm import _normed

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor_of(module: Module, name: str) -> Tensor:
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor


# ---- orthogonal ----


class _OrthMaps(Enum):
    matrix_exp = auto()
    cayley = auto()
    householder = auto()


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.size(-2), q.size(-1)
    limit = 10.0 * n * rushlight.finfo(q.dtype).eps
    return rushlight.allclose(q.mH @ q, rushlight.eye(k, dtype=q.dtype), atol=limit)


def _make_orthogonal(a: Tensor) -> Tensor:
    """Q of a = QR, R with a diagonal that is not negative."""
    x, tau = rushlight.geqrf(a)
    q = rushlight.linalg.householder_product(x, tau)
    return q * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """A matrix with orthonormal columns (rows, if it is wide) from any matrix of its shape; unitary, if complex.

    Of a tall n x k matrix, by default times a fixed n x n orthogonal ``base`` in which the
    value lies when it is assigned, so that the map need only be good near the identity.
    """

    base: Tensor

    def __init__(
        self, weight: Tensor, orthogonal_map: _OrthMaps, *, use_trivialization: bool = True
    ) -> None:
        super().__init__()
        # tau must be known from the vectors alone, and complex reflections have a phase besides.
        if weight.is_complex() and orthogonal_map == _OrthMaps.householder:
            raise ValueError(
                "The householder parametrization does not support complex tensors."
            )
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.size(-2) < x.size(-1)
        x = x.mT if wide else x
        n, k = x.size(-2), x.size(-1)
        if self.orthogonal_map == _OrthMaps.householder:
            a = x.tril(-1)
            tau = 2.0 / (1.0 + (a * a).sum(dim=-2))
            signs = x.diagonal(dim1=-2, dim2=-1).int()  # 1 and -1; without a derivative
            q = rushlight.linalg.householder_product(a, tau) * signs.unsqueeze(-2)
        else:
            x = x.tril()
            if n != k:
                x = rushlight.cat([x, x.new_zeros(*x.shape[:-2], n, n - k)], dim=-1)
            a = x - x.mH
            if self.orthogonal_map == _OrthMaps.matrix_exp:
                q = rushlight.matrix_exp(a)
            else:
                one = rushlight.eye(n, dtype=a.dtype)
                q = rushlight.linalg.solve(
                    rushlight.add(one, a, alpha=-0.5), rushlight.add(one, a, alpha=0.5)
                )
            q = q[..., :k] if n != k else q
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    @rushlight.no_grad()
    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {q.shape}."
            )
        given = q
        wide = q.size(-2) < q.size(-1)
        q = q.mT if wide else q
        n, k = q.size(-2), q.size(-1)
        if not hasattr(self, "base"):
            if self.orthogonal_map != _OrthMaps.householder:
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            a, tau = rushlight.geqrf(q)
            # R's diagonal made positive: else Q and -Q were one.  tau is 0 where nothing is
            # reflected.
            diagonal = a.diagonal(dim1=-2, dim2=-1)
            diagonal.sign_()
            diagonal[tau == 0.0] *= -1
            return a.mT if wide else a
        if n == k:
            q = q.clone() if _is_orthogonal(q) else _make_orthogonal(q)
        else:
            q = rushlight.cat([q, rushlight.randn(*q.shape[:-2], n, n - k, dtype=q.dtype)], dim=-1)
            q = _make_orthogonal(q)
        self.base = q
        minus_one = rushlight.zeros_like(given)  # householder's diagonal; the others ignore it
        minus_one.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return minus_one


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keeps a matrix, or each of a batch, orthogonal.

    A value that is not orthogonal is made so by a QR decomposition.

    Args:
        module (Module): is changed.
        name (str): of the parameter. Default: "weight"
        orthogonal_map (str): "matrix_exp" or "cayley", of a skew-symmetric (complex: skew-Hermitian) matrix, or
            "householder", a product of reflections, of real matrices only. Default: matrix_exp for square and for
            complex matrices, else householder
        use_trivialization (bool): stores an orthogonal matrix that the map starts from, so that all
            maps can be assigned to. Default: True

    Returns:
        the module.
    Raises:
        ValueError: no such parameter, fewer than two dimensions, another map, reflections of a complex matrix.
    Source: Lezcano Casado, 2019.
    """
    weight = _tensor_of(module, name)
    if weight.dim() < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions."
        )
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    which = getattr(_OrthMaps, orthogonal_map, None)
    if which is None:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: '
            + orthogonal_map
        )
    new = _Orthogonal(weight, which, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, new, unsafe=True)


# ---- weight_norm ----


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return _normed(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return rushlight.norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Splits a weight w = g v / |v| in its size g (original0) and direction v (original1).

    Args:
        module (Module): is changed; takes state_dicts with <name>_g and <name>_v too.
        name (str): of the parameter. Default: "weight"
        dim (int): that a norm is computed for each index of; None: one norm. Default: 0

    Returns:
        the module.
    Source: Salimans, Kingma, 2016.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def from_old_names(state_dict: dict, prefix: str, *_: Any) -> None:
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(from_old_names)
    return module


# ---- spectral_norm ----


class _SpectralNorm(Module):
    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        n = weight.dim()
        if not -n <= dim < n:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{n}, {n - 1}] but got {dim})"
            )
        _check_iterations(n_power_iterations)
        self.dim = dim % n
        self.eps = eps
        if n > 1:
            self.n_power_iterations = n_power_iterations
            matrix = _matrix(weight.detach(), self.dim)
            u, v = (matrix.new_empty(size).normal_(0, 1) for size in matrix.shape)
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            _improve(self._u, self._v, matrix, 15, eps, v_first=False)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = _matrix(weight, self.dim)
        if self.training:
            _improve(self._u, self._v, matrix, self.n_power_iterations, self.eps, v_first=False)
        u, v = self._u.clone(), self._v.clone()  # the next reading changes them
        return weight / u.dot(matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divides a weight by its largest singular value, estimated by power iteration; a vector by its
    length.

    Args:
        module (Module): is changed.
        name (str): of the parameter. Default: "weight"
        n_power_iterations (int): each time the weight is read in training mode. Default: 1
        eps (float): least norm that is divided by. Default: 1e-12
        dim (int): the dimension of outputs. Default: 1 for transposed convolutions, else 0

    Returns:
        the module.
    Source: Miyato and others, 2018.
    """
    weight = _tensor_of(module, name)
    dim = _output_dim(module) if dim is None else dim
    new = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return parametrize.register_parametrization(module, name, new)
