"""torch.return_types: the named tuples that operators return."""

from operator import itemgetter

from rushlight import _C

globals().update(_C._return_types)


class _NamedTuple(tuple):
    """Base of the named tuples of functions that are written in Python; made from one sequence, as PyTorch's."""

    __slots__ = ()
    _fields: tuple = ()

    def __repr__(self) -> str:
        fields = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{fields})"

    __str__ = __repr__

    def __reduce__(self) -> tuple:
        return type(self), (tuple(self),)


def _define(name: str, *fields: str) -> None:
    members = {field: property(itemgetter(i)) for i, field in enumerate(fields)}
    n = {"n_fields": len(fields), "n_sequence_fields": len(fields), "n_unnamed_fields": 0}
    module = {"__module__": "rushlight.return_types", "__slots__": (), "_fields": fields, "__match_args__": fields}
    globals()[name] = type(name, (_NamedTuple,), {**module, **members, **n})


_define("linalg_cholesky_ex", "L", "info")
_define("linalg_eig", "eigenvalues", "eigenvectors")
_define("linalg_eigh", "eigenvalues", "eigenvectors")
_define("linalg_inv_ex", "inverse", "info")
_define("linalg_ldl_factor", "LD", "pivots")
_define("linalg_ldl_factor_ex", "LD", "pivots", "info")
_define("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
_define("linalg_lu", "P", "L", "U")
_define("linalg_lu_factor", "LU", "pivots")
_define("linalg_lu_factor_ex", "LU", "pivots", "info")
_define("linalg_qr", "Q", "R")
_define("linalg_slogdet", "sign", "logabsdet")
_define("linalg_solve_ex", "result", "info")
_define("linalg_svd", "U", "S", "Vh")
_define("geqrf", "a", "tau")
_define("_lu_with_info", "LU", "pivots", "info")
_define("lu_unpack", "P", "L", "U")
_define("qr", "Q", "R")
_define("slogdet", "sign", "logabsdet")
_define("svd", "U", "S", "V")
_define("triangular_solve", "solution", "cloned_coefficient")
