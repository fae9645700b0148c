"""rearrange: reshaping and permuting by a pattern such as "b c (h s) -> b h (s c)"."""

from math import prod
from typing import Any

from rushlight import _C
from rushlight._C import Tensor

__all__ = ["rearrange"]


def _side(text: str, pattern: str) -> list[list[str]]:
    """One side of a pattern as dims, each the list of the axes it is made of; "1" and "()" have none."""
    dims: list[list[str]] = []
    group: list[str] | None = None
    for word in text.replace("(", " ( ").replace(")", " ) ").replace("...", " ... ").split():
        if word == "(" and group is None:
            group = []
        elif word == ")" and group is not None:
            dims.append(group)
            group = None
        elif word in "()":
            raise ValueError(f"Invalid pattern '{pattern}': brackets are not balanced or nested")
        elif word != "..." and word != "1" and not word.isidentifier():
            raise ValueError(f"Invalid axis identifier: {word} in '{pattern}'")
        else:
            axes = [] if word == "1" else [word]
            if group is None:
                dims.append(axes)
            else:
                group += axes
    if group is not None:
        raise ValueError(f"Invalid pattern '{pattern}': brackets are not balanced")
    axes = [axis for dim in dims for axis in dim]
    if len(set(axes)) != len(axes):
        raise ValueError(f"Invalid pattern '{pattern}': an axis appears twice")
    return dims


def rearrange(
    tensor: Tensor | list[Tensor] | tuple[Tensor, ...], pattern: str, **axes_lengths: int
) -> Tensor:
    """The tensor's axes split, permuted and merged as the pattern says.

    Args:
        tensor: a tensor, or several of one shape, which are stacked first.
        pattern: axes of the input, "->", axes of the result. Axes in brackets are one dim; "..." stands for any
            number of dims, "1" or "()" for a dim of size 1.
        axes_lengths: sizes of axes that the input's shape does not tell.

    Raises:
        ValueError: the pattern is not well formed, or does not fit the shape.
    """
    if isinstance(tensor, (list, tuple)):
        tensor = _C.stack(tuple(tensor))
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"Invalid pattern '{pattern}': expected one '->'")
    left, right = (_side(side, pattern) for side in sides)
    before, after = ({a for dim in side for a in dim} for side in (left, right))
    if before != after:
        raise ValueError(
            f"Identifiers only on one side of '{pattern}' (should be on both): {before ^ after}"
        )
    if ["..."] not in left and "..." in before:
        raise ValueError(f"Invalid pattern '{pattern}': an ellipsis in brackets on the left")
    unknown = set(axes_lengths) - before
    if unknown:
        raise ValueError(
            f"Lengths given for axes that '{pattern}' does not name: {sorted(unknown)}"
        )
    rest = tensor.dim() - len(left) + (["..."] in left)
    if rest < 0 or (["..."] not in left and tensor.dim() != len(left)):
        raise ValueError(
            f"Number of dimensions in pattern '{pattern}' and tensor must be equal (expected {len(left)}, got {tensor.dim()})"
        )
    sizes: dict[str, Any] = dict(axes_lengths)
    shape = list(tensor.shape)
    place = 0
    for dim in left:
        if dim == ["..."]:
            sizes["..."] = shape[place : place + rest]
            place += rest
            continue
        open_axes = [axis for axis in dim if axis not in sizes]
        known = prod(sizes[axis] for axis in dim if axis in sizes)
        if len(open_axes) > 1:
            raise ValueError(f"Sizes of {open_axes} in '{pattern}' cannot be told")
        if open_axes:
            if known == 0 or shape[place] % known:
                raise ValueError(f"Size {shape[place]} is not a multiple of {known} in '{pattern}'")
            sizes[open_axes[0]] = shape[place] // known
        elif known != shape[place]:
            raise ValueError(f"Expected a dim of size {known}, got {shape[place]} in '{pattern}'")
        place += 1
    order: dict[str, list[int]] = {}
    split: list[int] = []
    for axis in (axis for dim in left for axis in dim):
        lengths = sizes[axis] if axis == "..." else [sizes[axis]]
        order[axis] = list(range(len(split), len(split) + len(lengths)))
        split += lengths
    result: list[int] = []
    for dim in right:
        lengths = [split[i] for axis in dim for i in order[axis]]
        result += lengths if dim == ["..."] else [prod(lengths)]
    permuted = [i for dim in right for axis in dim for i in order[axis]]
    return tensor.reshape(split).permute(permuted).reshape(result)
