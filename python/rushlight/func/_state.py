"""Modules as functions of their parameters and buffers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rushlight import _C
from rushlight._C import Tensor

__all__ = ["functional_call", "replace_all_batch_norm_modules_", "stack_module_state"]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """module(*args, **kwargs) with these tensors in place of its parameters and buffers for the time of the call.

    Args:
        parameter_and_buffer_dicts: name -> tensor, by the names of named_parameters() and named_buffers(); or several
            such dicts without names in common.
        args: the arguments; one that is no tuple stands for itself.
        tie_weights: a tensor given for one of several tied names replaces all of them.
        strict: missing and unexpected names are errors.

    Raises:
        ValueError: not dicts, a name in two of them, or different tensors for tied names.
        RuntimeError: strict, and the names do not match.
    """
    if isinstance(parameter_and_buffer_dicts, dict):
        given = dict(parameter_and_buffer_dicts)
    elif isinstance(parameter_and_buffer_dicts, (tuple, list)):
        if not all(isinstance(d, dict) for d in parameter_and_buffer_dicts):
            raise ValueError(
                "Expected all elements of parameter_and_buffer_dicts to be dictionaries"
            )
        names = [k for d in parameter_and_buffer_dicts for k in d]
        repeated = [k for k in dict.fromkeys(names) if names.count(k) > 1]
        if repeated:
            raise ValueError(
                f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous"
            )
        given = {k: v for d in parameter_and_buffer_dicts for k, v in d.items()}
    else:
        raise ValueError(  # noqa: TRY004, as PyTorch
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(parameter_and_buffer_dicts)}"
        )
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _tensors(module: Any) -> dict[str, Tensor]:
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _with_ties(own: dict[str, Tensor], given: dict[str, Tensor]) -> dict[str, Tensor]:
    """given, completed by the names tied to those in it."""
    groups: dict[int, list[str]] = {}
    for name, tensor in own.items():
        groups.setdefault(id(tensor), []).append(name)
    result = dict(given)
    for names in groups.values():
        values = [given[name] for name in names if name in given]
        if len({id(v) for v in values}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(n for n in names if n in given)}, which are "
                "tied. Consider using tie_weights=False"
            )
        for name in names if values else ():
            result[name] = values[0]
    return result


@contextmanager
def _replaced(
    module: Any, given: dict[str, Tensor], tie_weights: bool, strict: bool
) -> Iterator[None]:
    own = _tensors(module)
    if strict:
        complete = _with_ties(own, given) if tie_weights else given
        unexpected = sorted(k for k in given if k not in own)
        missing = sorted(k for k in own if k not in complete)
        problems = []
        if unexpected:
            problems.append("Unexpected key(s): " + ", ".join(map(repr, unexpected)) + ".")
        if missing:
            problems.append("Missing key(s): " + ", ".join(map(repr, missing)) + ".")
        if problems:
            raise RuntimeError(
                f"Error(s) in reparametrizing for {type(module).__name__}:\n\t"
                + "\n\t".join(problems)
            )
    if tie_weights:
        given = _with_ties(own, given)
    places = []
    for name, tensor in given.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{tensor} is not an instance of torch.Tensor")
        path, _, last = name.rpartition(".")
        owner = module.get_submodule(path)
        registry = next((r for r in (owner._parameters, owner._buffers) if last in r), None)
        if registry is None:
            raise AttributeError(f"{owner._get_name()} has no attribute `{last}`")
        places.append((registry, last, registry[last], name))
    try:
        for registry, last, _, name in places:
            registry[last] = given[name]
        yield
    finally:
        for registry, last, before, _ in places:
            registry[last] = before


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(parameters, buffers) of several modules of one class, each name's tensors stacked along a new dim 0.

    The stacked parameters are leaves that require gradients where the modules' did.
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({bool(m.training) for m in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def stacked(all_of_them: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        result = {}
        for name in all_of_them[0]:
            tensors = [tensors[name] for tensors in all_of_them]
            wants = {t.requires_grad for t in tensors}
            if len(wants) > 1:
                raise RuntimeError(
                    f"Expected {name} from each model to have the same .requires_grad"
                )
            y = _C.stack([t.detach() for t in tensors])
            result[name] = y.requires_grad_(wants.pop())
        return result

    return (
        stacked([dict(m.named_parameters()) for m in models]),
        stacked([dict(m.named_buffers()) for m in models]),
    )


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Makes every batch norm below root forget its running statistics, in place; returns root."""
    for module in root.modules():
        if hasattr(module, "track_running_stats") and hasattr(module, "running_mean"):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
