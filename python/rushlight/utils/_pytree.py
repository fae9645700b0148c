"""Nested containers of values as trees: taking them apart, putting them together, mapping functions over their leaves.

tuple, list, dict, OrderedDict, defaultdict, deque, named tuples, Size and torch.return_types are nodes, and what
``register_pytree_node`` adds; everything else, None too, is a leaf. Common argument: ``is_leaf(node)`` says of a
node that it is to count as a leaf.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from types import UnionType
from typing import Any, NamedTuple

from rushlight import _C

__all__ = [
    "GetAttrKey", "LeafSpec", "MappingKey", "PyTree", "SequenceKey", "TreeSpec", "is_namedtuple", "is_namedtuple_class",
    "is_namedtuple_instance", "key_get", "keystr", "register_pytree_node", "tree_all", "tree_all_only", "tree_any",
    "tree_any_only", "tree_flatten", "tree_flatten_with_path", "tree_is_leaf", "tree_iter", "tree_leaves",
    "tree_leaves_with_path", "tree_map", "tree_map_", "tree_map_only", "tree_map_only_", "tree_map_with_path",
    "tree_structure", "tree_unflatten", "treespec_pprint",
]  # fmt: skip

PyTree = Any
_IsLeaf = Callable[[Any], bool] | None


# ---- where a leaf lies ---------------------------------------------------------------------------------


class SequenceKey(NamedTuple):
    """An index: tree[idx]."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        return sequence[self.idx]


class MappingKey(NamedTuple):
    """A key: tree[key]."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        return mapping[self.key]


class GetAttrKey(NamedTuple):
    """An attribute: tree.name."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        return getattr(obj, self.name)


def keystr(kp: tuple) -> str:
    """The way to a leaf as it is written in Python: "['a'][0]"."""
    return "".join(str(key) for key in kp)


def key_get(obj: Any, kp: tuple) -> Any:
    """What lies there."""
    for key in kp:
        obj = key.get(obj)
    return obj


# ---- kinds of nodes ------------------------------------------------------------------------------------


class NodeDef(NamedTuple):
    """How nodes of a type are taken apart, put together, and what their children's keys are."""

    type: type
    flatten_fn: Callable[[Any], tuple[list, Any]]
    unflatten_fn: Callable[[Iterable, Any], Any]
    flatten_with_keys_fn: Callable[[Any], tuple[list, Any]] | None


SUPPORTED_NODES: dict[Any, NodeDef] = {}


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[list, Any]],
    unflatten_fn: Callable[[Iterable, Any], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Any = None,
    from_dumpable_context: Any = None,
    flatten_with_keys_fn: Callable[[Any], tuple[list, Any]] | None = None,
) -> None:
    """Makes instances of cls nodes.

    Args:
        flatten_fn: instance -> (children, context); contexts of like nodes compare equal.
        unflatten_fn: (children, context) -> instance.
        flatten_with_keys_fn: instance -> ([(key, child), ...], context).
        serialized_type_name, to_dumpable_context, from_dumpable_context: for files of specs; not used.

    Raises:
        ValueError: cls is registered already.
    """
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)


_register_pytree_node = register_pytree_node


def is_namedtuple_class(cls: type) -> bool:
    """Whether it was made by collections.namedtuple or typing.NamedTuple."""
    return (
        isinstance(cls, type)
        and issubclass(cls, tuple)
        and all(type(name) is str for name in getattr(cls, "_fields", (0,)))
        and callable(getattr(cls, "_make", None))
    )


def is_namedtuple(obj: Any) -> bool:
    """The same of an instance or a class."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_namedtuple_instance(obj: Any) -> bool:
    """The same of an instance."""
    return is_namedtuple_class(type(obj))


def _is_return_type(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "n_sequence_fields")


_NAMED = "a named tuple's type"  # keys of what is not found by its own type
_RETURNED = "a type of torch.return_types"


def _kind(node: Any) -> Any:
    cls = type(node)
    if cls in SUPPORTED_NODES:
        return cls
    if isinstance(node, tuple):
        return _NAMED if is_namedtuple_class(cls) else _RETURNED if _is_return_type(cls) else cls
    return cls


def _numbered(node: Any) -> tuple[list, None]:
    return [(SequenceKey(i), child) for i, child in enumerate(node)], None


def _keyed(node: Any) -> tuple[list, Any]:
    return [(MappingKey(key), child) for key, child in node.items()], None


def _add(cls: Any, flatten: Callable, unflatten: Callable, keys: Callable) -> None:
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten, unflatten, keys)


_add(list, lambda x: (x, None), lambda c, _: list(c), _numbered)
_add(tuple, lambda x: (list(x), None), lambda c, _: tuple(c), _numbered)
_add(_C.Size, lambda x: (list(x), None), lambda c, _: _C.Size(c), _numbered)
_add(deque, lambda x: (list(x), x.maxlen), lambda c, context: deque(c, maxlen=context), _numbered)
_add(dict, lambda x: (list(x.values()), list(x)), lambda c, keys: dict(zip(keys, c, strict=True)), _keyed)
_add(
    OrderedDict,
    lambda x: (list(x.values()), list(x)),
    lambda c, keys: OrderedDict(zip(keys, c, strict=True)),
    _keyed,
)
_add(
    defaultdict,
    lambda x: (list(x.values()), [x.default_factory, list(x)]),
    lambda c, context: defaultdict(context[0], zip(context[1], c, strict=True)),
    _keyed,
)
_add(
    _NAMED,
    lambda x: (list(x), type(x)),
    lambda c, cls: cls(*c),
    lambda x: ([(GetAttrKey(f), child) for f, child in zip(x._fields, x, strict=True)], None),
)
_add(_RETURNED, lambda x: (list(x), type(x)), lambda c, cls: cls(list(c)), _numbered)


def _apart(node: Any, is_leaf: _IsLeaf) -> tuple[Any, list, Any] | None:
    """(kind, children, context) of a node, None of a leaf."""
    if is_leaf is not None and is_leaf(node):
        return None
    kind = _kind(node)
    definition = SUPPORTED_NODES.get(kind)
    if definition is None:
        return None
    children, context = definition.flatten_fn(node)
    return kind, list(children), context


# ---- structures ----------------------------------------------------------------------------------------


class TreeSpec:
    """The structure of a tree: its type, what else it takes to build it (context), and its children's structures."""

    def __init__(self, type: Any, context: Any, children: list[TreeSpec]) -> None:
        self._kind, self.context, self._children = type, context, children
        self.num_leaves = sum(c.num_leaves for c in children)
        self.num_nodes = 1 + sum(c.num_nodes for c in children)

    @property
    def type(self) -> Any:
        """The type of the node, None of a leaf."""
        return self.context if self._kind in (_NAMED, _RETURNED) else self._kind

    @property
    def num_children(self) -> int:
        return len(self._children)

    def children(self) -> list[TreeSpec]:
        """The structures of the children."""
        return list(self._children)

    def child(self, index: int) -> TreeSpec:
        """That of one of them."""
        return self._children[index]

    children_specs = property(children)

    def is_leaf(self) -> bool:
        return False

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree with these leaves.

        Raises:
            ValueError: there are more or fewer than the structure has places for.
        """
        leaves = list(leaves)
        if len(leaves) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(leaves)} but the spec refers to a pytree that "
                f"holds {self.num_leaves} items ({self})."
            )
        return self._build(iter(leaves))

    def _build(self, leaves: Iterator[Any]) -> Any:
        children = [child._build(leaves) for child in self._children]
        return SUPPORTED_NODES[self._kind].unflatten_fn(children, self.context)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The subtrees of tree that lie where this structure has its leaves.

        Raises:
            ValueError: tree is of another structure above them.
        """
        subtrees: list[Any] = []
        self._collect(tree, subtrees)
        return subtrees

    def _collect(self, tree: Any, subtrees: list[Any]) -> None:
        parts = _apart(tree, None)
        if parts is None or parts[0] != self._kind:
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {type(tree)!r}.")
        _, children, context = parts
        if len(children) != len(self._children):
            raise ValueError(f"Node arity mismatch; expected {len(self._children)}, but got {len(children)}.")
        if self._kind in (dict, OrderedDict, defaultdict):  # the order of keys does not matter
            if self._kind is defaultdict and context[0] is not self.context[0]:
                raise ValueError("Node context mismatch for defaultdict: another default_factory.")
            keys = self.context[1] if self._kind is defaultdict else self.context
            missing, extra = set(keys) - set(tree), set(tree) - set(keys)
            if missing or extra:
                parts = [f"missing key(s): {missing}"] * bool(missing) + [f"extra key(s): {extra}"] * bool(extra)
                raise ValueError(f"Node keys mismatch; {'; '.join(parts)}.")
            children = [tree[key] for key in keys]
        elif context != self.context:
            raise ValueError(
                f"Node context mismatch for custom node type {self.type!r}; expected {self.context!r}, got {context!r}."
            )
        for spec, child in zip(self._children, children, strict=True):
            spec._collect(child, subtrees)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeSpec):
            return NotImplemented
        return (self._kind, self.context, self._children) == (other._kind, other.context, other._children)

    def __hash__(self) -> int:
        return hash((self._kind, str(self.context), self.num_leaves, self.num_nodes))

    def _text(self, indent: int) -> str:
        indent += 2
        children = f",\n{' ' * indent}".join(child._text(indent) for child in self._children)
        name = "namedtuple" if self._kind is _NAMED else self.type.__name__
        context = None if self._kind is _RETURNED else self.context
        return f"TreeSpec({name}, {context}, [{children}])"

    def __repr__(self) -> str:
        return self._text(0)


class LeafSpec(TreeSpec):
    """The structure of a single value."""

    def __init__(self) -> None:
        super().__init__(None, None, [])
        self.num_leaves = 1

    def is_leaf(self) -> bool:
        return True

    def _build(self, leaves: Iterator[Any]) -> Any:
        return next(leaves)

    def _collect(self, tree: Any, subtrees: list[Any]) -> None:
        subtrees.append(tree)

    def _text(self, indent: int) -> str:
        return "*"


_LEAF = LeafSpec()


def treespec_pprint(treespec: TreeSpec) -> str:
    """The structure with * in place of each leaf."""
    star = type("_Star", (), {"__repr__": lambda self: "*"})()
    return repr(treespec.unflatten([star] * treespec.num_leaves))


# ---- apart and together --------------------------------------------------------------------------------


def _collect(tree: Any, is_leaf: _IsLeaf, leaves: list[Any]) -> TreeSpec:
    parts = _apart(tree, is_leaf)
    if parts is None:
        leaves.append(tree)
        return _LEAF
    kind, children, context = parts
    return TreeSpec(kind, context, [_collect(child, is_leaf, leaves) for child in children])


def tree_flatten(tree: Any, is_leaf: _IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """(leaves from left to right, structure)."""
    leaves: list[Any] = []
    return leaves, _collect(tree, is_leaf, leaves)


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """The tree of that structure with these leaves.

    Raises:
        TypeError: treespec is no TreeSpec.
        ValueError: there are more or fewer leaves than it has places for.
    """
    if not isinstance(treespec, TreeSpec):
        raise TypeError(
            f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}."
        )
    return treespec.unflatten(leaves)


def tree_iter(tree: Any, is_leaf: _IsLeaf = None) -> Iterator[Any]:
    """The leaves, one by one."""
    parts = _apart(tree, is_leaf)
    if parts is None:
        yield tree
    else:
        for child in parts[1]:
            yield from tree_iter(child, is_leaf)


def tree_leaves(tree: Any, is_leaf: _IsLeaf = None) -> list[Any]:
    """The leaves."""
    return list(tree_iter(tree, is_leaf))


def tree_structure(tree: Any, is_leaf: _IsLeaf = None) -> TreeSpec:
    """The structure."""
    return tree_flatten(tree, is_leaf)[1]


def tree_is_leaf(tree: Any, is_leaf: _IsLeaf = None) -> bool:
    """Whether the tree is a single leaf."""
    return _apart(tree, is_leaf) is None


def _paths(tree: Any, is_leaf: _IsLeaf, path: tuple) -> Iterator[tuple[tuple, Any]]:
    if _apart(tree, is_leaf) is None:
        yield path, tree
        return
    definition = SUPPORTED_NODES[_kind(tree)]
    if definition.flatten_with_keys_fn is None:
        raise ValueError(
            f"Did not find a flatten_with_keys_fn for type: {type(tree)}. Please pass a flatten_with_keys_fn argument to "
            "register_pytree_node."
        )
    for key, child in definition.flatten_with_keys_fn(tree)[0]:
        yield from _paths(child, is_leaf, (*path, key))


def tree_leaves_with_path(tree: Any, is_leaf: _IsLeaf = None) -> list[tuple[tuple, Any]]:
    """(where it lies, leaf) of each leaf."""
    return list(_paths(tree, is_leaf, ()))


def tree_flatten_with_path(tree: Any, is_leaf: _IsLeaf = None) -> tuple[list[tuple[tuple, Any]], TreeSpec]:
    """(tree_leaves_with_path, structure)."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def _broadcast_to_and_flatten(tree: Any, treespec: TreeSpec, is_leaf: _IsLeaf = None) -> list[Any] | None:
    """The tree's leaves, each repeated for all leaves of the structure below it; None where they do not fit."""
    parts = _apart(tree, is_leaf)
    if parts is None:
        return [tree] * treespec.num_leaves
    kind, children, context = parts
    if treespec.is_leaf() or (kind, context, len(children)) != (
        treespec._kind,
        treespec.context,
        treespec.num_children,
    ):
        return None
    result: list[Any] = []
    for child, spec in zip(children, treespec._children, strict=True):
        part = _broadcast_to_and_flatten(child, spec, is_leaf)
        if part is None:
            return None
        result += part
    return result


# ---- maps and questions --------------------------------------------------------------------------------


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: _IsLeaf = None) -> Any:
    """The tree with func(leaf, what lies there in each of rests) in place of each leaf.

    Raises:
        ValueError: one of rests is of another structure.
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [spec.flatten_up_to(rest) for rest in rests]
    return spec.unflatten(map(func, leaves, *others))


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: _IsLeaf = None) -> Any:
    """Calls func as tree_map does, for what it does; returns the tree."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_with_path(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: _IsLeaf = None) -> Any:
    """tree_map with func(where the leaf lies, leaf, ...)."""
    found, spec = tree_flatten_with_path(tree, is_leaf)
    others = [spec.flatten_up_to(rest) for rest in rests]
    return spec.unflatten(func(path, leaf, *more) for (path, leaf), *more in zip(found, *others, strict=True))


def _chosen(which: Any) -> Callable[[Any], bool]:
    """A predicate from a type, a tuple or union of types, or a predicate."""
    if isinstance(which, (type, tuple, UnionType)):
        return lambda x: isinstance(x, which)
    if callable(which):
        return which
    raise TypeError("Argument must be a type, a tuple of types, or a callable.")


def tree_map_only(which: Any, /, func: Callable, tree: Any, is_leaf: _IsLeaf = None) -> Any:
    """tree_map over the leaves of a type, of one of several types, or that a predicate chooses; others stay."""
    chosen = _chosen(which)
    return tree_map(lambda x: func(x) if chosen(x) else x, tree, is_leaf=is_leaf)


def tree_map_only_(which: Any, /, func: Callable, tree: Any, is_leaf: _IsLeaf = None) -> Any:
    """tree_map_only for what func does; returns the tree."""
    tree_map_only(which, func, tree, is_leaf)
    return tree


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: _IsLeaf = None) -> bool:
    """Whether pred holds of all leaves."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: _IsLeaf = None) -> bool:
    """Whether pred holds of a leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(which: Any, /, pred: Callable[[Any], bool], tree: Any, is_leaf: _IsLeaf = None) -> bool:
    """tree_all over the leaves of a type or of several."""
    chosen = _chosen(which)
    return all(pred(x) for x in tree_iter(tree, is_leaf) if chosen(x))


def tree_any_only(which: Any, /, pred: Callable[[Any], bool], tree: Any, is_leaf: _IsLeaf = None) -> bool:
    """tree_any over the leaves of a type or of several."""
    chosen = _chosen(which)
    return any(pred(x) for x in tree_iter(tree, is_leaf) if chosen(x))
