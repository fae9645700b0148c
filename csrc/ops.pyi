"""The operator table: every operator once, a file per family in csrc/table/, read by tools/gen_ops.py in the order
of the import below and never imported.

    @op(method=True, function=True, inplace=False, out=False, name=None, returns=None, factory=False, nn=False, complex=False, aliases=())

method, function   the spellings: Tensor.f and rushlight.f
inplace            True: f_ made from f by copying; "native": csrc/ops writes rl_f_ itself; "only": there is no f, only
                   the method f_ and rl_f_ (x.copy_, x.fill_, x.normal_), written in csrc/ops
out                accepts the keyword out=
name               the Python name, where several rows (overloads, tried in this order) share it
returns            field names of a tuple result
factory            adds dtype-independent keywords of constructors: layout, device, pin_memory, requires_grad
aliases            other names of the same operator, in the same forms
complex            takes complex tensors too; any other operator refuses them
nn                 lives in rushlight._C._nn for nn.functional instead of the rushlight namespace

Names that begin with special_ live in rushlight._C._special, for rushlight.special.

Types: Tensor; TensorLike, a tensor or a number (C: rl_tensor *); NumberLike, a number that may be complex (C:
rl_tensor *); Number (rl_scalar); Ints, an int or several: dims or sizes (rl_ints); Tensors, a sequence (rl_tensors);
OptionalTensors, a sequence with None among them (rl_tensors with NULLs); Any, accepted and not handed on to C.  A
trailing underscore in an argument's name is dropped in Python (from_).
"""

from table import (
    create,
    arith,
    compare,
    unary,
    special,
    activation,
    norm,
    embedding,
    softmax,
    attention,
    reduce,
    matmul,
    distance,
    view,
    view_copy,
    view_scatter,
    places,
    join,
    index,
    search,
    random,
    loss,
    conv,
    pad,
    fold,
    resample,
    complex,
    pool,
    rnn,
)
