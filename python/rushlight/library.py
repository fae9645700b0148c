"""torch.library: operators written in Python, called by name through torch.ops.

What is registered for devices other than the CPU, for tracing (register_fake) or for vmap is accepted and never called:
there is one device, nothing is traced, and vmap calls a function once per slice.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.autograd import Function
from rushlight.autograd.grad_mode import no_grad
from rushlight.utils._pytree import tree_flatten, tree_iter

__all__ = [
    "CustomOpDef", "Library", "custom_op", "define", "fallthrough_kernel", "impl", "impl_abstract", "register_autograd",
    "register_fake", "register_kernel", "register_vmap",
]  # fmt: skip

# Dispatch keys and devices whose functions run here.
_OURS = ("", "CPU", "CompositeExplicitAutograd", "CompositeImplicitAutograd", "Autograd", "AutogradCPU", "cpu", "default")

_registry: dict[str, dict[str, _Operator]] = {}  # namespace -> name -> operator


class _Operator:
    """torch.ops.namespace.name: what runs, and the formula of its derivative."""

    def __init__(self, qualname: str) -> None:
        self._namespace, self._opname = qualname.split("::")
        self._kernel: Callable | None = None
        self._composite = False  # made of differentiable operators
        self._differentiable: type[Function] | None = None
        self.__name__ = self._opname
        self._keywords: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"{self._namespace}.{self._opname}"

    @property
    def default(self) -> _Operator:
        """The only overload."""
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._kernel is None:
            raise NotImplementedError(f"There were no tensor arguments to this function or no kernel for {self!r} on CPU")
        if self._composite:
            return self._kernel(*args, **kwargs)
        return self._recorded(args, kwargs)

    def _run(self, args: tuple, kwargs: dict) -> Any:
        """The kernel, below autograd; its results are not its arguments."""
        with no_grad():
            result = self._kernel(*args, **kwargs)
        given = {_address(t) for t in tree_iter((args, kwargs)) if isinstance(t, Tensor)}
        for t in tree_iter(result):
            if isinstance(t, Tensor) and t.numel() and _address(t) in given:
                raise RuntimeError(
                    f"{self._opname} (with implementation in {sys.modules.get(self._kernel.__module__)}): The output of "
                    "this custom operator (1) must not also be an input to this custom operator and (2) may not alias "
                    "any inputs to this custom operator or other returns. Please clone the offending output tensor."
                )
        return result

    def _recorded(self, args: tuple, kwargs: dict) -> Any:
        leaves, spec = tree_flatten(args)
        wants = _C.is_grad_enabled() and any(isinstance(t, Tensor) and t.requires_grad for t in leaves)
        if not wants:
            return self._run(args, kwargs)
        if self._differentiable is None:
            self._differentiable = _differentiable(self, None, None)
        return self._differentiable.apply(spec, kwargs, *leaves)

    def _filled(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Positional arguments with their defaults, and those that are keywords only."""
        bound = inspect.signature(self._kernel).bind(*args, **kwargs)
        bound.apply_defaults()
        named = {k: v for k, v in bound.arguments.items() if k in self._keywords}
        return tuple(v for k, v in bound.arguments.items() if k not in self._keywords), named


def _address(t: Tensor) -> int:
    return t.untyped_storage().data_ptr()


def _differentiable(op: _Operator, backward: Callable | None, setup_context: Callable | None) -> type[Function]:
    """The Function behind a call that asks for gradients."""

    def forward(ctx: Any, spec: Any, kwargs: dict, *leaves: Any) -> Any:
        args = spec.unflatten(leaves)
        output = op._run(args, kwargs)
        ctx._spec = spec
        if setup_context is not None:
            inputs, named = op._filled(args, kwargs)
            extra = {"keyword_only_inputs": named} if op._keywords else {}
            setup_context(ctx=ctx, inputs=inputs, output=output, **extra)
        return output

    def back(ctx: Any, *grads: Any) -> tuple:
        if backward is None:
            raise RuntimeError(
                f"Trying to backward through {op!r}.default but no autograd formula was registered. Please use "
                "register_autograd to add one."
            )
        result = backward(_Context(ctx), *grads)
        result = list(result) if isinstance(result, tuple) else [result]
        while len(result) > ctx._spec.num_children and result[-1] is None:
            result.pop()  # of arguments that were left to their defaults
        given = tree_flatten(tuple(result), is_leaf=lambda x: x is None)[0]
        try:
            places = ctx._spec.flatten_up_to(tuple(result))
        except ValueError:
            raise RuntimeError(
                "Expected the return from backward to be of the same structure as the inputs. Got: "
                f"{tree_flatten(tuple(result))[1]} (return from backward), {ctx._spec} (inputs)"
            ) from None
        return (None, None, *(places if len(places) == len(given) else given))

    name = f"GeneratedBackwardFor_{op._namespace}_{op._opname}_default"
    return type(name, (Function,), {"forward": staticmethod(forward), "backward": staticmethod(back)})


class _Context:
    """The Function's ctx without the two arguments that only it has."""

    def __init__(self, ctx: Any) -> None:
        object.__setattr__(self, "_ctx", ctx)

    def __getattr__(self, name: str) -> Any:
        if name == "needs_input_grad":
            return self._ctx._spec.unflatten(self._ctx.needs_input_grad[2:])
        return getattr(self._ctx, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._ctx, name, value)


def _set_kernel(op: _Operator, function: Callable, composite: bool = False) -> None:
    op._kernel, op._composite = function, composite
    parameters = inspect.signature(function).parameters.values()
    op._keywords = frozenset(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)


def _find(op: Any) -> _Operator:
    if isinstance(op, CustomOpDef):
        return op._op
    if isinstance(op, _Operator):
        return op
    namespace, _, name = str(op).removesuffix(".default").partition("::")
    found = _registry.get(namespace, {}).get(name)
    if found is None:
        raise RuntimeError(f"operator {op} does not exist: define it with torch.library.custom_op or define")
    return found


def _new(qualname: str) -> _Operator:
    if qualname.count("::") != 1:
        raise ValueError(
            f'Expected op name to be of the form "namespace::name", got {qualname!r}: for example "my_library::my_op"'
        )
    op = _Operator(qualname)
    _registry.setdefault(op._namespace, {})[op._opname] = op
    return op


# ---- custom_op -------------------------------------------------------------------------------------------


class CustomOpDef:
    """An operator made by custom_op: call it, and register what goes with it."""

    def __init__(self, op: _Operator, function: Callable) -> None:
        self._op, self._init_fn = op, function
        self._name, self._qualname = op._opname, f"{op._namespace}::{op._opname}"
        functools.update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._op(*args, **kwargs)

    def register_autograd(
        self, backward: Callable, /, *, setup_context: Callable | None = None
    ) -> None:
        """The derivative: see torch.library.register_autograd."""
        register_autograd(self, backward, setup_context=setup_context)

    def register_kernel(self, device_types: str | Sequence[str] | None, fn: Callable | None = None, /) -> Callable:
        """What runs on the devices: see torch.library.register_kernel."""
        return register_kernel(self, device_types, fn)

    def register_fake(self, fn: Callable, /) -> Callable:
        """fn: nothing is traced here."""
        return fn

    def register_vmap(self, func: Callable | None = None) -> Callable:
        """func: vmap calls the operator once per slice."""
        return func if func is not None else (lambda f: f)


def custom_op(
    name: str,
    fn: Callable | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: str | Sequence[str] | None = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Makes a function an operator, torch.ops.namespace.name, which autograd does not look into.

    Args:
        name (str): "namespace::name".
        mutates_args: names of the arguments that it writes to; nothing depends on it here.
        device_types: where fn runs; if the CPU is not among them, register_kernel gives what does.
        schema: types of the arguments, where they are not annotated.

    Raises:
        ValueError: another form of name; parameters without annotations and no schema.
    """

    def decorate(function: Callable) -> CustomOpDef:
        signature = inspect.signature(function)
        for p in signature.parameters.values() if schema is None else ():
            if p.annotation is p.empty:
                raise ValueError(
                    f"infer_schema(func): Parameter {p.name} must have a type annotation. Got func with signature "
                    f"{signature})"
                )
        op = _new(name)
        devices = (device_types,) if device_types is None or isinstance(device_types, str) else device_types
        if None in devices or "cpu" in devices:
            _set_kernel(op, function)
        return CustomOpDef(op, function)

    return decorate if fn is None else decorate(fn)


def register_autograd(
    op: Any, backward: Callable, /, *, setup_context: Callable | None = None, lib: Any = None
) -> None:
    """The derivative of an operator.

    Args:
        op: the operator or its name.
        backward: (ctx, *gradients of the results) -> gradients of the inputs, None where there is none.
        setup_context: (ctx, inputs, output), and keyword_only_inputs where there are such, keeps what backward needs.
    """
    found = _find(op)
    found._differentiable = _differentiable(found, backward, setup_context)


def register_kernel(op: Any, device_types: Any, func: Callable | None = None, /, *, lib: Any = None) -> Any:
    """What runs on the devices ("cpu", None: on all); a decorator without func."""

    def register(function: Callable) -> Callable:
        kinds = (device_types,) if device_types is None or isinstance(device_types, str) else device_types
        found = _find(op)
        if None in kinds or any(kind in _OURS for kind in kinds):
            _set_kernel(found, function)
        return function

    return register if func is None else register(func)


def _accepted(op: Any, func: Callable | None = None, /, **options: Any) -> Any:
    """func: nothing calls it here."""
    _find(op)
    return (lambda f: f) if func is None else func


register_fake = impl_abstract = register_vmap = _accepted


# ---- define and impl ---------------------------------------------------------------------------------------


def fallthrough_kernel(*args: Any, **kwargs: Any) -> None:
    """Stands for "no function of its own" in impl; it is never called."""
    raise NotImplementedError("fallthrough_kernel() should never be called.")


def define(qualname: str, schema: Any = None, *, lib: Any = None, tags: Any = ()) -> Any:
    """Names an operator, "namespace::name", which impl gives its function."""
    if callable(schema) or schema is None:
        raise NotImplementedError("torch.library.define() needs a schema: what infers it is custom_op")
    _new(qualname)


def impl(qualname: Any, types: Any, func: Any = None, *, lib: Any = None) -> Any:
    """Gives an operator its function: impl("namespace::name", "cpu") or impl(library, "name", key), as a decorator."""
    if isinstance(qualname, Library):
        library, name, key = qualname, types, func or ""
        return lambda function: library.impl(name, function, key)

    def register(function: Callable) -> Callable:
        kinds = (types,) if isinstance(types, str) else types
        if any(kind in _OURS for kind in kinds):
            _set_kernel(_find(qualname), function)
        return function

    return register if func is None else register(func)


class Library:
    """A namespace of operators.

    Args:
        ns (str): the namespace.
        kind (str): "DEF", "IMPL" or "FRAGMENT": treated alike.
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError("Unsupported kind: ", kind)
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key

    def __repr__(self) -> str:
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Names an operator by its schema, "name(Tensor x) -> Tensor"."""
        name = schema.partition("(")[0].strip()
        _new(f"{self.ns}::{name}")
        return name

    def impl(self, op_name: Any, fn: Callable, dispatch_key: str = "", **options: Any) -> Callable:
        """Gives an operator its function for a dispatch key; those of other devices are never called."""
        key = dispatch_key or self.dispatch_key
        name = str(op_name).rpartition("::")[2]
        if key in _OURS:
            op = _find(f"{self.ns}::{name}")
            if not (op._composite and key == "CPU"):
                _set_kernel(op, fn, composite=key not in ("CPU", "CompositeExplicitAutograd"))
        return fn
