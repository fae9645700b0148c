"""Reads the operator table, csrc/ops.pyi and the files it names in csrc/table/, and says where a row is wrong.

Only the standard library. The table's own docstring says what its words mean.
"""

import ast
import keyword
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "csrc/ops.pyi"

# annotation -> (parser's type, C type, field of the slot, name in messages, type in stubs)
TYPES = {
    "Tensor": ("TENSOR", "rl_tensor *", "t", "Tensor", "Tensor"),
    "Tensor | None": ("OPT_TENSOR", "rl_tensor *", "t", "Tensor", "Tensor | None"),
    "TensorLike": ("TENSOR_LIKE", "rl_tensor *", "t", "Tensor", "Tensor | Number"),
    "NumberLike": ("NUMBER_LIKE", "rl_tensor *", "t", "Number", "Number | complex"),
    "Number": ("NUMBER", "rl_scalar ", "s", "Number", "Number"),
    "Number | None": ("OPT_NUMBER", "rl_scalar ", "s", "Number", "Number | None"),
    "int": ("INT", "int64_t ", "i", "int", "_int"),
    "int | None": ("OPT_INT", "rl_opt_int ", "oi", "int", "_int | None"),
    "float": ("FLOAT", "double ", "f", "float", "_float"),
    "float | None": ("OPT_FLOAT", "rl_opt_float ", "of", "float", "_float | None"),
    "bool": ("BOOL", "bool ", "b", "bool", "_bool"),
    "dtype": ("DTYPE", "rl_dtype ", "d", "torch.dtype", "_dtype"),
    "dtype | None": ("OPT_DTYPE", "rl_dtype ", "d", "torch.dtype", "_dtype | None"),
    "Ints": ("INTS", "rl_ints ", "ints", "tuple of ints", "_int | Sequence[_int]"),
    "Ints | None": ("OPT_INTS", "rl_ints ", "ints", "tuple of ints", "_int | Sequence[_int] | None"),
    "Tensors": ("TENSORS", "rl_tensors ", "ts", "tuple of Tensors", "Sequence[Tensor]"),
    "Generator | None": ("GENERATOR", "rl_generator *", "g", "torch.Generator", "Generator | None"),
    "str": ("STR", "const char *", "str", "str", "str"),
    "str | None": ("OPT_STR", "const char *", "str", "str", "str | None"),
    "TensorLike | None": ("OPT_TENSOR_LIKE", "rl_tensor *", "t", "Tensor", "Tensor | Number | None"),
    "OptionalTensors": ("OPT_TENSORS", "rl_tensors ", "ts", "tuple of Tensors", "Sequence[Tensor | None]"),
    "memory_format | None": ("OPT_FORMAT", "", "", "torch.memory_format", "memory_format | None"),
    "memory_format": ("FORMAT", "", "", "torch.memory_format", "memory_format"),  # the binding sees to it
}
# result -> (kind for the binding, extra C parameter or None for a maker, type in stubs)
RESULTS = {
    "Tensor": ("TENSOR", None, "Tensor"),
    "list[Tensor]": ("LIST", "rl_list *out", "tuple[Tensor, ...]"),
    "bool": ("BOOL", "bool *out", "_bool"),
    "int": ("INT", "int64_t *out", "_int"),
    "Number": ("NUMBER", "rl_scalar *out", "Number"),
    "dtype": ("DTYPE", "rl_dtype *out", "_dtype"),
    "None": ("NONE", "", "None"),
}
C_WORDS = {"auto", "bool", "char", "default", "double", "float", "int", "long", "register", "short", "signed", "static",
           "struct", "switch", "union", "unsigned", "void", "volatile", "out"}
SEQUENCES = {"size", "sizes", "shape", "stride", "dims"}


@dataclass
class Param:
    name: str
    type: str  # key of TYPES
    default: ast.expr | None
    keyword_only: bool = False
    varargs: bool = False

    @property
    def c_name(self) -> str:
        return self.name + "_" if self.name in C_WORDS else self.name

    @property
    def sequence(self) -> bool:
        """Whether one int alone is no list of ints: sizes and strides, but not the dims of a reduction, nor
        what has an int as its default."""
        one = isinstance(self.default, ast.Constant)
        return self.varargs or self.type == "Ints" and self.name in SEQUENCES and not one

    @property
    def in_c(self) -> bool:
        return not self.type.startswith("memory_format")

    @property
    def c_decl(self) -> str:
        return f"{TYPES[self.type][1]}{self.c_name}"

    def text(self) -> str:
        """As PyTorch prints a parameter in its error messages: "int dim = None"."""
        default = "" if self.default is None else f" = {ast.unparse(self.default)}"
        return f"{TYPES[self.type][3]} {self.name}{default}"

    def stub(self) -> str:
        default = "" if self.default is None else f" = {ast.unparse(self.default)}"
        name = self.name + "_" if keyword.iskeyword(self.name) else self.name
        return f"{name}: {TYPES[self.type][4]}{default}"


@dataclass
class Op:
    c_name: str
    name: str
    params: list[Param]
    result: str
    doc: str
    where: str
    n_results: int = 1
    returns: tuple[str, ...] = ()
    method: bool = True
    function: bool = True
    inplace: bool | str = False
    out: bool = False
    factory: bool = False
    nn: bool = False
    alias_of: str = ""  # the name whose row this other name was made from
    complex: bool = False  # takes complex tensors
    self_index: int = -1  # the parameter that is the method's object
    positional: int = 0

    @property
    def space(self) -> str:
        """Where its function lives: rushlight, rushlight._C._nn or rushlight._C._special."""
        return "nn" if self.nn else "special" if self.name.startswith("special_") else "op"

    @property
    def kind(self) -> str:
        return "TUPLE" if self.result == "tuple" else RESULTS[self.result][0]

    def prototype(self, suffix: str = "") -> str:
        params = [p.c_decl for p in self.params if p.in_c]
        returns = "rl_tensor *"
        if self.result != "Tensor":
            returns = "rl_status "
            extra = "rl_tensor **out" if self.result == "tuple" else RESULTS[self.result][1]
            params += [extra] if extra else []
        return f"{returns}rl_{self.c_name}{suffix}({', '.join(params) or 'void'})"

    def text(self) -> str:
        """The signature as PyTorch prints it in "expected one of"."""
        parts = [p.text() for p in self.params[: self.positional]]
        extra = [p.text() for p in self.params[self.positional :]]
        if self.out:
            extra.append("Tensor out = None" if self.result == "Tensor" else "tuple of Tensors out = None")
        if self.factory:
            if not any(p.name == "dtype" for p in self.params):
                extra.append("torch.dtype dtype = None")
            extra += ["torch.layout layout = None", "torch.device device = None", "bool pin_memory = False",
                      "bool requires_grad = False"]
        return "(" + ", ".join(parts + (["*", *extra] if extra else [])) + ")"


class TableError(Exception):
    pass


def read_table(table: Path = TABLE) -> list[Op]:
    """The operators of every file that the table imports, in that order."""
    ops = []
    families = [name.name for node in ast.parse(table.read_text()).body if isinstance(node, ast.ImportFrom)
                for name in node.names]
    for family in families:
        path = table.parent / "table" / f"{family}.pyi"
        for node in ast.parse(path.read_text()).body:
            where = f"csrc/table/{family}.pyi:{node.lineno}"
            if isinstance(node, ast.FunctionDef):
                op, aliases = read_op(node, where)
                ops.append(op)
                ops += [alias(op, name) for name in aliases]
            elif not isinstance(node, ast.Expr):
                raise TableError(f"{where}: only operators are expected here")
    unread = {p.stem for p in (table.parent / "table").glob("*.pyi")} - set(families)
    if unread:
        raise TableError(f"csrc/ops.pyi does not import {', '.join(sorted(unread))}")
    seen: dict[str, Op] = {}
    for op in ops:
        if op.alias_of:
            continue
        if op.c_name in seen:
            raise TableError(f"{op.where}: {op.c_name} is defined a second time")
        seen[op.c_name] = op
    return ops


def alias(op: Op, name: str) -> Op:
    """The same operator under another name; one of the special namespace is a function only."""
    changed = {"name": name, "alias_of": op.name, "doc": f"Alias of {op.name}()."}
    if name.startswith("special_"):
        changed |= {"method": False, "function": True, "inplace": False}
    return Op(**{**op.__dict__, **changed})


def read_op(node: ast.FunctionDef, where: str) -> tuple[Op, tuple[str, ...]]:
    """The operator and its other names."""

    def fail(why: str) -> TableError:
        return TableError(f"{where}: {node.name}: {why}")

    options = {}
    for decorator in node.decorator_list:
        if not (isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "op"):
            if ast.unparse(decorator) == "op":
                continue
            raise fail(f"unknown decorator {ast.unparse(decorator)}")
        if decorator.args:
            raise fail("op() takes keyword arguments only")
        options = {k.arg: ast.literal_eval(k.value) for k in decorator.keywords}
    known = {"method", "function", "inplace", "out", "name", "returns", "factory", "nn", "complex", "aliases"}
    if set(options) - known:
        raise fail(f"unknown option {', '.join(sorted(set(options) - known))}")

    aliases = options.pop("aliases", ())

    args = node.args
    positional = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults)) + args.defaults
    params = [read_param(a, d, fail) for a, d in zip(positional, defaults, strict=True)]
    if args.vararg:
        if ast.unparse(args.vararg.annotation) != "int":
            raise fail("only *name: int is known")
        params.append(Param(args.vararg.arg, "Ints", None, varargs=True))
    n_positional = len(params)
    for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        params.append(read_param(a, d, fail))
        params[-1].keyword_only = True

    result = ast.unparse(node.returns) if node.returns else "None"
    n_results = 1
    if result.startswith("tuple["):
        n_results = len([r for r in result[6:-1].split(",") if r.strip()])
        if "..." in result:
            raise fail("a tuple of any length is written list[Tensor]")
        result = "tuple"
    elif result not in RESULTS:
        raise fail(f"unknown result {result}")
    doc = ast.get_docstring(node) or ""
    op = Op(node.name, options.pop("name", node.name), params, result, " ".join(doc.split()), where,
            n_results=n_results, positional=n_positional, **options)
    if op.returns and len(op.returns) != n_results:
        raise fail(f"returns names {len(op.returns)} of {n_results} results")
    tensors = [i for i, p in enumerate(params) if p.type in ("Tensor", "TensorLike") and i < n_positional]
    named = [i for i in tensors if params[i].name == "input"]
    if op.nn:
        op.method = False
    if op.method or op.inplace:
        if not tensors:
            raise fail("a method needs a Tensor argument")
        op.self_index = named[0] if named else tensors[0]
    if op.inplace and op.result != "Tensor":
        raise fail("in-place forms exist for operators with one result")
    return op, aliases


def read_param(arg: ast.arg, default: ast.expr | None, fail) -> Param:
    kind = ast.unparse(arg.annotation) if arg.annotation else ""
    if kind not in TYPES:
        raise fail(f"argument {arg.arg}: unknown type '{kind}'")
    return Param(arg.arg.rstrip("_"), kind, default)
