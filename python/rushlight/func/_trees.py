"""Nested tuples, lists and dicts of values: taking them apart and putting them together again."""

from collections.abc import Callable
from typing import Any

LEAF = object()


def flatten(tree: Any) -> tuple[list, Any]:
    """(leaves, structure); structure is what unflatten needs, and equal for trees of the same shape."""
    if isinstance(tree, (tuple, list)):
        keys, children = None, tree
    elif isinstance(tree, dict):
        keys = tuple(tree)
        children = [tree[k] for k in keys]
    else:
        return [tree], LEAF
    leaves: list = []
    structures = []
    for child in children:
        more, structure = flatten(child)
        leaves += more
        structures.append(structure)
    return leaves, (type(tree), keys, tuple(structures))


def unflatten(leaves: list, structure: Any) -> Any:
    """The tree with these leaves."""
    return _build(iter(leaves), structure)


def _build(leaves: Any, structure: Any) -> Any:
    if structure is LEAF:
        return next(leaves)
    kind, keys, structures = structure
    children = [_build(leaves, s) for s in structures]
    if keys is not None:
        return kind(zip(keys, children, strict=True))
    return kind(*children) if hasattr(kind, "_fields") else kind(children)


def tree_map(function: Callable, tree: Any) -> Any:
    """The tree with function(leaf) in place of each leaf."""
    leaves, structure = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], structure)


def broadcast(prefix: Any, tree: Any) -> list | None:
    """prefix's leaves, each repeated for all leaves of tree below it; None where the shapes do not fit."""
    leaves, structure = flatten(tree)
    if structure is LEAF or not isinstance(prefix, (tuple, list, dict)):
        if isinstance(prefix, (tuple, list, dict)):
            return None
        return [prefix] * len(leaves)
    kind, keys, _ = structure
    if type(prefix) is not kind or len(prefix) != len(tree):
        return None
    if keys is not None and set(prefix) != set(tree):
        return None
    pairs = (
        [(prefix[k], tree[k]) for k in keys] if keys is not None else zip(prefix, tree, strict=True)
    )
    result: list = []
    for p, t in pairs:
        part = broadcast(p, t)
        if part is None:
            return None
        result += part
    return result
