"""One random call of a row of the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from samples import COMPLEX, FLOATING

from .draw import Draw, Named, X, plain_value
from .hints import HINTS
from .table import NN_HIDDEN, NN_NAMES, ROWS, forms_of

@dataclass
class Call:
    """One call of a row."""

    row: Any
    form: str  # function, method, inplace, out
    values: dict[str, Any]  # by parameter name, without those left to their defaults
    n_keywords: int  # how many of the last arguments are given by keyword
    out: list[X] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)  # keywords of constructors

    def __repr__(self) -> str:
        return f"{self.row.c_name} {self.form} {self.values} keywords={self.n_keywords} {self.out or ''} {self.extra or ''}"

    def tensors(self) -> list[X]:
        """Its tensors, in order."""
        return [x for v in self.values.values() for x in (v if isinstance(v, (list, tuple)) else [v]) if isinstance(x, X)]

    def build(self, ns: Any, grad: bool = False) -> dict[str, Any]:
        """The arguments in library ns."""

        def convert(value):
            if isinstance(value, X):
                tensor = value.tensor(ns)
                return tensor.requires_grad_() if grad and value.grad and value.dtype in FLOATING | COMPLEX else tensor
            if isinstance(value, Named):
                return getattr(ns, value.name)
            if isinstance(value, (list, tuple)):
                return type(value)(convert(v) for v in value)
            return value

        return {k: convert(v) for k, v in self.values.items()}

    def invoke(self, ns: Any, values: dict[str, Any]) -> Any:
        """Calls the operator in library ns."""
        row = self.row
        names = list(values)
        first = None
        if self.form in ("method", "inplace"):
            first = values[row.params[row.self_index].name]
            names.remove(row.params[row.self_index].name)
        positional = [n for n in names if not self._keyword_only(n)]
        while positional and self.n_keywords and len(positional) > 0:
            keywords = min(self.n_keywords, len(positional))
            positional = positional[: len(positional) - keywords]
            break
        args = []
        for name in positional:
            if row.params[self._position(name)].varargs and self.form != "keyword":
                args += list(values[name])
            else:
                args.append(values[name])
        keywords = {n: values[n] for n in names if n not in positional}
        keywords |= {k: getattr(ns, v.name) if isinstance(v, Named) else v for k, v in self.extra.items()}
        if self.form == "out":
            outs = [x.tensor(ns) for x in self.out]
            keywords["out"] = tuple(outs) if len(outs) > 1 else outs[0]
        if self.form in ("method", "inplace"):
            # PyTorch's dropped keyword: from_ is from
            return getattr(first, row.name + ("_" if self.form == "inplace" else ""))(*args, **keywords)
        home = ns.nn.functional if row.nn else ns
        name = NN_NAMES.get(row.name, row.name)
        if not hasattr(home, name):
            home = ns._C._nn
        return getattr(home, name)(*args, **keywords)

    def _position(self, name: str) -> int:
        return next(i for i, p in enumerate(self.row.params) if p.name == name)

    def _keyword_only(self, name: str) -> bool:
        param = self.row.params[self._position(name)]
        return param.keyword_only or (self.row.nn and "Tensor" not in param.type) or (self.row.nn and name == "pos_weight") or self.row.c_name == "rsub" and name == "alpha"


def make_call(random: Random, name: str) -> Call:
    """Draws one call of the row."""
    row = ROWS[name]
    draw = Draw(random, row.complex)
    form = draw.choice(forms_of(row))
    values: dict[str, Any] = {}
    for param in row.params:
        if param.type == "Any" or param.type.startswith("Generator") or row.nn and param.name in NN_HIDDEN:
            continue
        if param.default is not None and draw.chance(0.4):
            continue
        values[param.name] = plain_value(draw, row, param)
    draw.base = draw.base or X((2, 3))
    if name in HINTS:
        HINTS[name](draw, values)
    # An argument left out makes the later ones keywords: keep the order of the signature.
    values = {p.name: values[p.name] for p in row.params if p.name in values}
    positional = [p.name for p in row.params if not p.keyword_only and p.type != "Any"]
    given = [p for p in positional if p in values]
    gap = next((i for i, p in enumerate(given) if p != positional[i]), len(given))
    n_keywords = len(given) - gap
    movable = len(given) - (1 if row.params and row.params[0].varargs else 0) - 1
    if draw.chance(0.25) and movable > n_keywords:
        n_keywords = draw.int(n_keywords, movable)
    if any(p.varargs for p in row.params) or name in ("split", "split_sizes"):
        n_keywords = 0
    call = Call(row, form, values, n_keywords)
    if form == "out":
        call.out = [draw.x((0,) if row.factory else draw.choice(((0,), (0,), (2, 3))), dtype=None if draw.chance(0.3) else "int64" if i else draw.base.dtype,
                           kind="ties", grad=False) for i in range(row.n_results)]
        call.out = [X(x.shape, x.dtype, "", x.kind, x.seed) for x in call.out]
    if row.factory and form == "function" and draw.chance(0.3):
        call.extra = {"requires_grad": draw.chance(0.5)}
    return call
