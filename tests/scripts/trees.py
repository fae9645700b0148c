"""torch.utils._pytree: nested containers taken apart, put together and mapped."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import torch
import torch.utils._pytree as pytree

Point = namedtuple("Point", "x y")


class Pair:
    def __init__(self, a, b):
        self.a, self.b = a, b


def attempt(function):
    try:
        print(function())
    except Exception as error:
        print(type(error).__name__, error)


tree = {
    "b": [1, (2, 3)],
    "a": None,
    "c": Point(4, OrderedDict(z=5, q=deque([6, 7], maxlen=4))),
    "d": torch.max(torch.ones(2, 2), 0),
    "e": defaultdict(list, {3: 9}),
}
leaves, spec = pytree.tree_flatten(tree)
print(leaves)
print(spec)
print(pytree.tree_unflatten(leaves, spec))
print(spec == pytree.tree_structure(tree), spec.num_leaves, spec.num_nodes, spec.num_children)
print(pytree.tree_map(lambda x: (x,), [1, {"a": 2}]))
print(pytree.tree_map(lambda a, b: (a, b), {"a": 1, "b": [2]}, {"b": [3], "a": [4, 5]}))
attempt(lambda: pytree.tree_map(lambda a, b: a, [1, 2], [1]))
attempt(lambda: pytree.tree_map(lambda a, b: a, [1, 2], (1, 2)))
attempt(lambda: pytree.tree_map(lambda a, b: a, {"a": 1}, {"b": 1}))
attempt(lambda: pytree.tree_unflatten([1], spec))
attempt(lambda: pytree.tree_unflatten([1], 3))
attempt(lambda: pytree.register_pytree_node(list, 1, 2))
attempt(lambda: pytree.tree_map_only(3, abs, [1]))
print([pytree.keystr(path) for path, _ in pytree.tree_flatten_with_path(tree)[0]])
print(pytree.tree_map_only(int, lambda x: -x, tree["b"]), pytree.tree_map_only((int, float), lambda x: -x, [1, 2.0, "a"]))
print(pytree.tree_any(lambda x: x == 2, [1, 2]), pytree.tree_all_only(int, lambda x: x > 0, [1, "a"]))
print(pytree.treespec_pprint(pytree.tree_structure([1, (2, {"a": 3})])))
print(pytree.tree_leaves([1, [2, 3]], is_leaf=lambda x: isinstance(x, list) and len(x) == 2 and x[1] == 3))

pytree.register_pytree_node(Pair, lambda x: ([x.a, x.b], None), lambda children, context: Pair(*children))
pair = pytree.tree_map(lambda x: x + 1, Pair(1, [2]))
print(pair.a, pair.b)
print(torch.func.grad(lambda p: p.a.sum() * 2)(Pair(torch.ones(2), torch.ones(1))).a)
add = torch.func.vmap(lambda d: d["a"] + d["b"][0], in_dims=({"a": 0, "b": None},))
print(add({"a": torch.ones(3, 2), "b": [torch.ones(2)]}))
attempt(lambda: torch.func.vmap(lambda d: d["a"], in_dims=({"a": 0},))({"a": torch.ones(3, 2), "b": [torch.ones(2)]}))
