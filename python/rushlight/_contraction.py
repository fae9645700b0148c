"""Sums of products over named dims: einsum, tensordot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum of products over dims of a and b.

    Args:
        dims (int or two lists of ints): the last `dims` dims of a with the first of b, or the dims listed.
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        dims = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    left, right = ([d] if isinstance(d, int) else list(d) for d in dims)
    if len(left) != len(right):
        raise RuntimeError(
            "both dimension lists should have same length"
        )
    left, right = [d % a.ndim for d in left], [d % b.ndim for d in right]
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} "
                f"and second has size {b.shape[j]} in dim {j}"
            )
    free_a = [d for d in range(a.ndim) if d not in left]
    free_b = [d for d in range(b.ndim) if d not in right]
    inner = 1
    for d in left:
        inner *= a.shape[d]
    x = a.permute(free_a + left).reshape(math.prod(a.shape[d] for d in free_a), inner)
    y = b.permute(right + free_b).reshape(inner, math.prod(b.shape[d] for d in free_b))
    return (x @ y).reshape([a.shape[d] for d in free_a] + [b.shape[d] for d in free_b])


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sum of products in Einstein's notation: "ik,kj->ij" is a matrix product.

    Operands are multiplied from left to right, two at a time, as batched matrix products.

    Args:
        equation (str): letters for the dims of each operand, separated by commas; after "->" those of
            the result (without it: all letters that occur once, in alphabetical order). "..." stands
            for dims that broadcast. Or the list form: operand, dims, operand, dims, ..., [result dims].
        operands: tensors.

    Raises:
        RuntimeError: an equation that does not fit the operands.
    """
    if not isinstance(equation, str):
        equation, operands = _from_lists(equation, operands)
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        more = "fewer" if len(terms) > len(operands) else "more"
        raise RuntimeError(
            f"einsum(): {more} operands were provided than specified in the equation"
        )
    ellipsis = 0  # dims that "..." stands for
    labels = []
    for i, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        _check_dots(term, f"operand {i}")
        letters = term.replace("...", "")
        if not all(c.isascii() and c.isalpha() for c in letters):
            bad = next(c for c in letters if not (c.isascii() and c.isalpha()))
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {equation.index(bad)} in the equation "
                "string, subscripts must be in [a-zA-Z]"
            )
        spare = operand.ndim - len(letters)
        if spare < 0 or (spare and "..." not in term):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(letters)}) "
                f"{'does not match' if '...' not in term else 'is more than'} the number of dimensions "
                f"({operand.ndim}) for operand {i}{' and no ellipsis was given' if '...' not in term else ''}"
            )
        ellipsis = max(ellipsis, spare)
        labels.append((term, spare))

    def expand(term: str, spare: int) -> list:
        head, dots, tail = term.partition("...")
        middle = list(range(ellipsis - spare, ellipsis)) if dots else []
        return [*head, *middle, *tail]

    inputs = [expand(term, spare) for term, spare in labels]
    seen = [c for term in inputs for c in term]
    if arrow:
        _check_dots(right, "output")
        bad = next((c for c in right.replace("...", "") if not (c.isascii() and c.isalpha())), None)
        if bad is not None:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {equation.rindex(bad)} in the equation string, subscripts "
                "must be in [a-zA-Z]"
            )
        output = expand(right, ellipsis)
        for c in output:
            if isinstance(c, str) and c not in seen:
                raise RuntimeError(
                    f"einsum(): output subscript {c} does not appear in the equation for any input operand"
                )
            if output.count(c) > 1:
                raise RuntimeError(
                    f"einsum(): output subscript {c} appears more than once in the output"
                )
    else:
        output = list(range(ellipsis)) + sorted(
            {c for c in seen if isinstance(c, str) and seen.count(c) == 1}
        )
    sizes: dict = {}
    for i, (term, operand) in enumerate(zip(inputs, operands, strict=True)):
        for c, n in zip(term, operand.shape, strict=True):
            known = sizes.setdefault(c, n)
            if known == 1:
                sizes[c] = n
            elif n not in (1, known):
                raise RuntimeError(
                    f"einsum(): subscript {c} has size {n} for operand {i} which does not broadcast "
                    f"with previously seen size {known}"
                )
    result, term = _diagonals(operands[0], inputs[0])
    for k in range(1, len(operands)):
        later = {c for t in inputs[k + 1 :] for c in t} | set(output)
        result, term = _product(result, term, *_diagonals(operands[k], inputs[k]), later, output)
    gone = [d for d, c in enumerate(term) if c not in output]
    if gone:
        result = result.sum(gone)
        term = [c for c in term if c in output]
    return result.permute([term.index(c) for c in output])


def _check_dots(term: str, where: str) -> None:
    """Raises RuntimeError for dots that make no "..." or more than one."""
    rest = term.replace("...", "", 1)
    if "." in rest:
        if "..." not in term:
            dots = "" if where != "output" else " (...)"
            raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis{dots}")
        tail = "for which an ellipsis" if where != "output" else "but an ellipsis (...)"
        raise RuntimeError(f"einsum(): found '.' for {where} {tail} was already found")


def _from_lists(first: Any, rest: tuple) -> tuple[str, tuple]:
    """einsum(op1, dims1, op2, dims2, ..., [dims of the result]) in the notation of strings."""
    items = [first, *rest]

    def letters(dims: Sequence) -> str:
        return "".join(
            "..." if d is Ellipsis else chr(ord("A") + d if d < 26 else ord("a") + d - 26) for d in dims
        )

    result = letters(items.pop()) if len(items) % 2 else None
    text = ",".join(letters(d) for d in items[1::2])
    return (text if result is None else f"{text}->{result}"), tuple(items[::2])


def _diagonals(x: Tensor, term: list) -> tuple[Tensor, list]:
    """Takes the diagonal of dims that share a letter."""
    term = list(term)
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            i = term.index(c)
            j = term.index(c, i + 1)
            x = x.diagonal(0, i, j)
            del term[j], term[i]
            term.append(c)
    return x, term


def _product(x: Tensor, a: list, y: Tensor, b: list, later: set, output: list) -> tuple[Tensor, list]:
    """Product of two operands, summed over the letters that nobody needs later."""
    for c in [c for c in a if c in b]:  # size 1 on one side broadcasts: the letter is the other side's alone
        i, j = a.index(c), b.index(c)
        if x.shape[i] == 1 != y.shape[j]:
            x, a = x.squeeze(i), a[:i] + a[i + 1 :]
        elif y.shape[j] == 1 != x.shape[i]:
            y, b = y.squeeze(j), b[:j] + b[j + 1 :]
    for c in [c for c in a if c not in b and c not in later]:
        x = x.sum(a.index(c))
        a = [d for d in a if d != c]
    for c in [c for c in b if c not in a and c not in later]:
        y = y.sum(b.index(c))
        b = [d for d in b if d != c]
    shared = [c for c in a if c in b]
    summed = [c for c in shared if c not in later]
    batch = [c for c in shared if c in later]
    rows = [c for c in a if c not in b]
    columns = [c for c in b if c not in a]
    if not summed:  # element by element
        order = sorted(dict.fromkeys(a + b), key=lambda c: _place([c], output))
        return _aligned(x, a, order) * _aligned(y, b, order), order
    if rows and columns and _place(columns, output) < _place(rows, output):  # the result's order needs no transposing
        x, a, rows, y, b, columns = y, b, columns, x, a, rows
    x = x.permute([a.index(c) for c in batch + rows + summed])
    y = y.permute([b.index(c) for c in batch + summed + columns])
    n = len(batch)
    size_x, size_y = list(x.shape), list(y.shape)
    shape = size_x[:n]
    m, k = len(rows), len(summed)

    def count(sizes: list) -> int:
        total = 1
        for s in sizes:
            total *= s
        return total

    inner = count(size_x[n + m :])
    left = x.expand(shape + size_x[n:]).reshape(count(shape), count(size_x[n : n + m]), inner)
    right = y.expand(shape + size_y[n:]).reshape(count(shape), inner, count(size_y[n + k :]))
    z = _C.bmm(left, right) if n else _C.mm(left[0], right[0])
    return z.reshape(shape + size_x[n : n + m] + size_y[n + k :]), batch + rows + columns


def _aligned(x: Tensor, term: list, order: list) -> Tensor:
    """x with its dims in this order, and of size 1 where it has none."""
    x = x.permute([term.index(c) for c in order if c in term])
    for d, c in enumerate(order):
        if c not in term:
            x = x.unsqueeze(d)
    return x


def _place(letters: list, output: list) -> int:
    """Where the first of the letters stands in the result; behind it where none does."""
    return min((output.index(c) for c in letters if c in output), default=len(output))
