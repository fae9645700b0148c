"""vmap: a function of single examples made a function of batches, by calling it once per example."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.utils._pytree import LeafSpec, _broadcast_to_and_flatten, tree_flatten as flatten, tree_unflatten as unflatten

__all__ = ["vmap"]


def _name(func: Callable) -> str:
    if isinstance(func, partial):
        return f"functools.partial({_name(func.func)}, ...)"
    return getattr(func, "__name__", None) or repr(func)


def _check_in_dims(func: Callable, in_dims: Any, args: tuple) -> tuple[int, list]:
    """(size of the batch, one in_dim per leaf of args, none negative)."""
    where = f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(  # noqa: TRY004, as PyTorch
            f"{where}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({_name(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap "
            "over a function with no inputs. The latter is unsupported."
        )
    leaves, structure = flatten(args)
    dims = _broadcast_to_and_flatten(tuple(in_dims) if isinstance(in_dims, list) else in_dims, structure)
    if dims is None:
        raise ValueError(
            f"{where}in_dims is not compatible with the structure of `inputs`. in_dims has structure "
            f"{flatten(in_dims)[1]} but inputs has structure {structure}."
        )
    sizes = []
    for i, (x, d) in enumerate(zip(leaves, dims, strict=True)):
        if d is not None and not isinstance(d, int):
            raise ValueError(
                f"{where}Got in_dim={d} for an input but in_dim must be either an integer dimension or None."
            )
        if d is None:
            continue
        if not isinstance(x, Tensor):
            raise ValueError(  # noqa: TRY004, as PyTorch
                f"{where}Got in_dim={d} for an input but the input is of type {type(x)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -x.dim() <= d < x.dim():
            raise ValueError(
                f"{where}Got in_dim={d} for some input, but that input is a Tensor of dimensionality {x.dim()} so "
                f"expected in_dim to satisfy -{x.dim()} <= in_dim < {x.dim()}."
            )
        dims[i] = d % x.dim()
        sizes.append(x.shape[dims[i]])
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0], dims


def _check_output(func: Callable, leaf: Any, dim: Any) -> None:
    if dim is None or isinstance(leaf, Tensor):
        return
    raise ValueError(
        f"vmap({_name(func)}, ...): `{_name(func)}` must only return Tensors, got type {type(leaf)}. Did you mean to "
        "set out_dims= to None for output?"
    )


def _stack(parts: list, dim: int, empty: bool) -> Tensor:
    ndim = parts[0].dim() + 1
    if not -ndim <= dim < ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})"
        )
    y = _C.stack(parts, dim)
    return y.narrow(dim, 0, 0) if empty else y


def vmap(
    func: Callable,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable:
    """A function that calls func for each slice of its arguments and stacks the results.

    Args:
        func: takes tensors, or nested tuples, lists and dicts of them, and returns such.
        in_dims: the dim of each argument along which it is sliced; None: handed over whole. An int for all,
            or nested as the arguments are. Keyword arguments are handed over whole.
        out_dims: where the batch is in the results; None: the result of the first slice is the result.
        randomness: "error": func may draw no random numbers; "different": each slice draws its own;
            "same": all slices draw the same.
        chunk_size: accepted: slices are taken one by one in any case.

    Raises:
        ValueError: in_dims or out_dims do not fit, sizes differ, or a result is no tensor.
        RuntimeError: random numbers were drawn with randomness="error".
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
        )
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        size, dims = _check_in_dims(func, in_dims, args)
        leaves, structure = flatten(args)
        results = []
        structure_out: Any = LeafSpec()
        generator = _C.default_generator
        for k in range(max(size, 1)):
            state = (
                generator.get_state()
                if randomness == "error" or (randomness == "same" and k == 0)
                else None
            )
            if randomness == "same":
                if k == 0:
                    first_state = state
                else:
                    generator.set_state(first_state)
            one = [_slice(x, d, k, size) for x, d in zip(leaves, dims, strict=True)]
            output = func(*unflatten(one, structure), **kwargs)
            if randomness == "error" and not _C.equal(state, generator.get_state()):
                generator.set_state(state)
                raise RuntimeError(
                    "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
                    "'different' randomness flags on vmap or perform the randomness operation out of vmap"
                )
            parts, structure_out = flatten(output)
            results.append(parts)
        where = _broadcast_to_and_flatten(out_dims, structure_out)
        if where is None:
            raise ValueError(
                f"vmap({_name(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the "
                f"structure of `outputs`. out_dims has structure {flatten(out_dims)[1]} but outputs has structure "
                f"{structure_out}."
            )
        stacked = []
        for i, dim in enumerate(where):
            parts = [result[i] for result in results]
            _check_output(func, parts[0], dim)
            stacked.append(parts[0] if dim is None else _stack(parts, dim, size == 0))
        return unflatten(stacked, structure_out)

    return wrapped


def _slice(x: Any, dim: int | None, k: int, size: int) -> Any:
    """Slice k of x; of an empty batch a slice of zeros, which tells the results' shapes."""
    if dim is None:
        return x
    if size:
        return x.select(dim, k)
    shape = list(x.shape)
    del shape[dim]
    return x.new_zeros(shape)
