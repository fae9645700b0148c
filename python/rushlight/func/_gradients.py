"""grad, vjp, jvp and the Jacobians, each usable inside the others.

Note: levels. Each call makes tensors of its own from the inputs: a leaf, or, where an input already
belongs to a graph outside, a view of it. A result stays in the graph only where that graph leads to
something outside the call: a tensor that requires a gradient, or an input of a call around this one. Leaves
of calls that are over lead nowhere.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.autograd import grad as autograd_grad
from rushlight.utils._pytree import tree_flatten as flatten, tree_map, tree_unflatten as unflatten

__all__ = [
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "vjp",
]


class _Level:
    """One call's own leaves, and whether the call still runs."""

    def __init__(self) -> None:
        self.active = True
        self.outer = _C.is_grad_enabled()

    def enter(self, x: Any) -> Tensor:
        """x as a tensor to differentiate with respect to."""
        if not isinstance(x, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
        if x.requires_grad and self.outer:
            return x.view_as(x)
        leaf = x.detach().requires_grad_()
        leaf._func_level = self
        return leaf

    def leads_outside(self, *tensors: Tensor) -> bool:
        """Whether the tensors' graph contains anything but leaves of this call and of calls that are over."""
        if not self.outer:
            return False
        todo = []
        for t in tensors:
            if t.requires_grad:
                if t.grad_fn is None and self._foreign(t):
                    return True
                if t.grad_fn is not None:
                    todo.append(t.grad_fn)
        seen = set(todo)
        while todo:
            node = todo.pop()
            variable = getattr(node, "variable", None)
            if isinstance(variable, Tensor) and self._foreign(variable):
                return True
            for following, _ in node.next_functions:
                if following is not None and following not in seen:
                    seen.add(following)
                    todo.append(following)
        return False

    def _foreign(self, leaf: Tensor) -> bool:
        level = getattr(leaf, "_func_level", None)
        return level is None or (level is not self and level.active)

    def leave(self, tree: Any) -> Any:
        """The tensors of a result, outside the graph unless it leads outside."""

        def one(t: Any) -> Any:
            if isinstance(t, Tensor) and t.requires_grad and not self.leads_outside(t):
                return t.detach()
            return t

        return tree_map(one, tree)


def _gradients(
    outputs: list, inputs: list, vectors: list | None, create_graph: bool
) -> list[Tensor]:
    """The vectors times the Jacobian; zeros where nothing flows.

    vectors None: the outputs are scalars, each times one.
    """
    chosen = [i for i, y in enumerate(outputs) if y.requires_grad]
    if not chosen:
        return [_C.zeros_like(x) for x in inputs]
    results = autograd_grad(
        [outputs[i] for i in chosen],
        inputs,
        None if vectors is None else [vectors[i] for i in chosen],
        create_graph=create_graph,
        retain_graph=True,
        allow_unused=True,
    )
    return [_C.zeros_like(x) if g is None else g for g, x in zip(results, inputs, strict=True)]


def _argument_numbers(argnums: Any, count: int) -> tuple[int, ...]:
    if not isinstance(argnums, (int, tuple)) or isinstance(argnums, bool):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if argnums == ():
        raise RuntimeError("argnums must be non-empty")
    numbers = []
    for number in (argnums,) if isinstance(argnums, int) else argnums:
        if not isinstance(number, int):
            raise RuntimeError(f"argnum must be int, got: {type(number)}")
        if not -count <= number < count:
            raise RuntimeError(f"Got argnum={number}, but only {count} positional inputs")
        numbers.append(number % count)
    if len(set(numbers)) != len(numbers):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(numbers)}")
    return tuple(numbers)


def _replaced(args: tuple, numbers: tuple[int, ...], new: tuple) -> tuple:
    result = list(args)
    for number, value in zip(numbers, new, strict=True):
        result[number] = value
    return tuple(result)


def _split_aux(output: Any, has_aux: bool, api: str) -> tuple[Any, Any]:
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(
            f"{api}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return output


def _check_outputs(leaves: list, api: str) -> None:
    if not leaves or leaves == [None]:
        raise RuntimeError(
            f"{api}: Expected f to be a function that has non-empty output (got output = {leaves})"
        )
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(  # noqa: TRY004, as PyTorch
                f"{api}: expected f(*primals) to return only tensors, got unsupported type {type(leaf)}"
            )


def grad_and_value(func: Callable, argnums: Any = 0, has_aux: bool = False) -> Callable:
    """A function that returns (gradient, value) of func, whose result is a 0-dim tensor.

    Args:
        func: returns a scalar tensor, or (scalar tensor, anything) with has_aux.
        argnums: which positional arguments to differentiate by: an int, or a tuple for a tuple of gradients.
            The arguments may be nested tuples, lists and dicts of tensors.
        has_aux: the second thing func returns is handed on: (gradient, (value, aux)).

    Raises:
        RuntimeError: func returns no scalar tensor, or an argument number does not exist.
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> tuple:
        level = _Level()
        numbers = _argument_numbers(argnums, len(args))
        with _C.enable_grad():
            leaves, structure = flatten(tuple(args[i] for i in numbers))
            own = [level.enter(x) for x in leaves]
            output = func(*_replaced(args, numbers, unflatten(own, structure)), **kwargs)
            output, aux = _split_aux(output, has_aux, "grad_and_value(f)(*args)")
            if not isinstance(output, Tensor):
                raise RuntimeError(  # noqa: TRY004, as PyTorch
                    f"grad_and_value(f)(*args): Expected f(*args) to return tensor, got type {type(output)}"
                )
            if output.dim() != 0:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got tensor with "
                    f"{output.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            grads = _gradients([output], own, None, level.leads_outside(output))
            result = unflatten(grads, structure)
            result, output, aux = level.leave((result, output, aux))
        level.active = False
        result = result[0] if isinstance(argnums, int) else result
        return (result, (output, aux)) if has_aux else (result, output)

    return wrapper


def grad(func: Callable, argnums: Any = 0, has_aux: bool = False) -> Callable:
    """A function that returns the gradient of func; arguments as of grad_and_value()."""
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = both(*args, **kwargs)
        return (result[0], result[1][1]) if has_aux else result[0]

    return wrapper


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """(func(*primals), product): product(v) is v times the Jacobian, one tree per primal.

    v has the structure and shapes of func's result. With one primal its tree comes alone in a tuple of one.
    """
    return _vjp(func, primals, has_aux)[:-1]


def _vjp(func: Callable, primals: tuple, has_aux: bool) -> tuple:
    """What vjp returns, and the level, which ends with the call."""
    level = _Level()
    with _C.enable_grad():
        leaves, structure = flatten(primals)
        own = [level.enter(x) for x in leaves]
        output, aux = _split_aux(func(*unflatten(own, structure)), has_aux, "vjp(f, *primals)")
        ys, shape = flatten(output)
        _check_outputs(ys, "vjp(f, *primals)")
        for y in ys:
            if not y.is_floating_point():
                raise RuntimeError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor "
                    f"with dtype {y.dtype}"
                )
        outside = level.leads_outside(*ys)
        output, aux = level.leave((output, aux))

    def product(
        cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None
    ) -> tuple:
        vectors, given = flatten(cotangents)
        if given != shape:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {given}, primal output: {shape}"
            )
        create = outside or any(v.requires_grad for v in vectors)
        with _C.enable_grad():
            return level.leave(unflatten(_gradients(ys, own, vectors, create), structure))

    level.active = False
    return (output, product, aux, level) if has_aux else (output, product, level)


class _Linear:
    """A function at a point as a linear map: the product of its Jacobian with a tangent."""

    def __init__(self, func: Callable, primals: tuple, has_aux: bool, api: str) -> None:
        self.level = level = _Level()
        with _C.enable_grad():
            leaves, self.structure = flatten(primals)
            self.own = [level.enter(x) for x in leaves]
            output, aux = _split_aux(func(*unflatten(self.own, self.structure)), has_aux, api)
            self.ys, self.shape = flatten(output)
            _check_outputs(self.ys, api)
            self.outside = level.leads_outside(*self.ys)
            self.probes = [
                _C.zeros_like(y).requires_grad_() if y.is_floating_point() else _C.zeros_like(y)
                for y in self.ys
            ]
            for probe in self.probes:
                probe._func_level = level
            # v -> v J is linear in v: its Jacobian with respect to v is J, transposed.
            self.products = _gradients(self.ys, self.own, self.probes, True)
            self.output, self.aux = level.leave((output, aux))

    def times(self, tangents: list) -> Any:
        """J times the tangents, in the structure of the result."""
        create = self.outside or any(t.requires_grad for t in tangents)
        floating = [p for p in self.probes if p.requires_grad]
        with _C.enable_grad():
            columns = iter(_gradients(self.products, floating, tangents, create))
            parts = [next(columns) if p.requires_grad else _C.zeros_like(p) for p in self.probes]
            return self.level.leave(unflatten(parts, self.shape))


def jvp(
    func: Callable, primals: tuple, tangents: tuple, *, strict: bool = False, has_aux: bool = False
) -> tuple:
    """(func(*primals), the Jacobian times the tangents): tangents have the primals' structure and shapes.

    strict: an output that does not depend on the inputs is an error.
    """
    api = "jvp(f, primals, tangents)"
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, tuple):
            raise RuntimeError(
                f"{api}: Expected {name} to be a tuple. E.g. it should be valid to call f(*primals)."
            )
    vectors, structure = flatten(tangents)
    leaves, expected = flatten(primals)
    if structure != expected:
        raise RuntimeError(
            f"{api}: Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Got primals with structure {expected} and tangents with "
            f"structure {structure}"
        )
    for p, t in zip(leaves, vectors, strict=True):
        if isinstance(p, Tensor) and isinstance(t, Tensor) and p.shape != t.shape:
            raise RuntimeError(
                f"{api}: Expected tangents to have the shapes of the primals, got {tuple(t.shape)} for {tuple(p.shape)}"
            )
    linear = _Linear(func, primals, has_aux, api)
    if strict and not all(y.requires_grad for y in linear.ys):
        linear.level.active = False
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. "
            "This is not allowed with strict=True."
        )
    result = linear.times(vectors)
    linear.level.active = False
    return (linear.output, result, linear.aux) if has_aux else (linear.output, result)


def linearize(func: Callable, *primals: Any) -> tuple:
    """(func(*primals), product): product(*tangents) is the Jacobian at primals times the tangents."""
    linear = _Linear(func, primals, False, "linearize")
    linear.level.active = False

    def product(*tangents: Any) -> Any:
        vectors, structure = flatten(tangents)
        if structure != linear.structure:
            raise RuntimeError(
                "Expected the tangents to have the structure of the primals: "
                f"{linear.structure}, got {structure}"
            )
        return linear.times(vectors)

    return linear.output, product


def _block(rows: list, y: Tensor, x: Tensor) -> Tensor:
    """Rows, one per element of y and each of x's shape, as a tensor of shape y.shape + x.shape."""
    shape = tuple(y.shape) + tuple(x.shape)
    return _C.stack(rows).reshape(shape) if rows else x.new_zeros(shape)


def jacrev(
    func: Callable,
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable:
    """A function that returns the Jacobian of func, one row per element of the result.

    Each block has the shape result.shape + argument.shape; blocks are nested as the result is, and within as
    the argument is. chunk_size is accepted: rows are computed one by one.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers = _argument_numbers(argnums, len(args))

        def chosen(*new: Any) -> Any:
            return func(*_replaced(args, numbers, new), **kwargs)

        level = _Level()
        with _C.enable_grad():
            leaves, structure = flatten(tuple(args[i] for i in numbers))
            own = [level.enter(x) for x in leaves]
            output, aux = _split_aux(chosen(*unflatten(own, structure)), has_aux, "jacrev")
            ys, shape = flatten(output)
            _check_outputs(ys, "jacrev")
            create = level.leads_outside(*ys)
            blocks = []
            for y in ys:
                flat = y.reshape(-1)
                rows = [_gradients([flat[k]], own, None, create) for k in range(flat.numel())]
                parts = [_block([row[i] for row in rows], y, x) for i, x in enumerate(own)]
                tree = unflatten(parts, structure)
                blocks.append(tree[0] if isinstance(argnums, int) else tree)
            result, aux = level.leave((unflatten(blocks, shape), aux))
        level.active = False
        return (result, aux) if has_aux else result

    return wrapper


def jacfwd(
    func: Callable, argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable:
    """A function that returns the Jacobian of func, one column per element of the argument; blocks as of jacrev()."""

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers = _argument_numbers(argnums, len(args))

        def chosen(*new: Any) -> Any:
            return func(*_replaced(args, numbers, new), **kwargs)

        linear = _Linear(chosen, tuple(args[i] for i in numbers), has_aux, "jacfwd")
        zeros = [_C.zeros_like(x) for x in linear.own]
        columns: list[list[list]] = [[[] for _ in linear.own] for _ in linear.ys]
        for i, x in enumerate(linear.own):
            for k in range(x.numel()):
                unit = _C.zeros(x.numel(), dtype=x.dtype)
                unit[k] = 1
                tangents = [*zeros[:i], unit.reshape(x.shape), *zeros[i + 1 :]]
                for j, part in enumerate(flatten(linear.times(tangents))[0]):
                    columns[j][i].append(part)
        blocks = []
        for j, y in enumerate(linear.ys):
            parts = []
            for i, x in enumerate(linear.own):
                block = _C.stack(columns[j][i], -1) if columns[j][i] else y.new_zeros((*y.shape, 0))
                parts.append(block.reshape(tuple(y.shape) + tuple(x.shape)))
            tree = unflatten(parts, linear.structure)
            blocks.append(tree[0] if isinstance(argnums, int) else tree)
        linear.level.active = False
        result = unflatten(blocks, linear.shape)
        return (result, linear.aux) if has_aux else result

    return wrapper


def hessian(func: Callable, argnums: Any = 0) -> Callable:
    """A function that returns the second derivatives of func: the Jacobian of its Jacobian."""
    return jacfwd(jacrev(func, argnums), argnums)


def functionalize(func: Callable, *, remove: str = "mutations") -> Callable:
    """func itself: writing in place is as good as not, where nothing traces."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}. Valid options are:\n"
            "     remove='mutations': all inplace and out= operators will be removed from the program, and replaced "
            "with their out-of-place equivalents.\n"
            "     remove='mutations_and_views': In addition to the above, all aliasing operators {view} will be "
            "replaced with their non-aliasing counterparts, {view}_copy.\n"
        )
    return func
