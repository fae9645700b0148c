"""The binding of the operators: spellings, argument errors, construction, the number protocol, small types."""

import copy
import gc
import math
import pickle
import weakref

import numpy as np
import pytest
import rushlight as rl

torch = pytest.importorskip("torch")


def outcome(call, ns):
    """Value or (exception type, message) of a call with the library ns."""
    try:
        value = call(ns)
    except Exception as error:  # noqa: BLE001 - which exception it is, is the subject
        return type(error).__name__, str(error)
    return plain(value)


def plain(value):
    """A result without the library's types."""
    if isinstance(value, (rl.Tensor, torch.Tensor)):
        return str(value.dtype), tuple(value.shape), value.tolist()
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, (int, float, bool, str, type(None))):
        return value
    return repr(value)


def grid(ns):
    return ns.arange(6, dtype=ns.float32).reshape(2, 3)


SPELLINGS = {
    "positional": lambda ns: ns.sum(grid(ns), 0),
    "keyword": lambda ns: ns.sum(input=grid(ns), dim=0, keepdim=True),
    "numpy names": lambda ns: ns.sum(grid(ns), axis=1, keepdims=True),
    "built keyword": lambda ns: ns.sum(grid(ns), **{f"{chr(100)}im": 1}),
    "method": lambda ns: grid(ns).sum(1, True),
    "negative dim": lambda ns: grid(ns).sum(-1),
    "dims": lambda ns: grid(ns).sum((0, 1)),
    "list of dims": lambda ns: grid(ns).sum([0, 1]),
    "dtype": lambda ns: grid(ns).sum(dtype=ns.float64),
    "view varargs": lambda ns: grid(ns).view(3, 2),
    "view tuple": lambda ns: grid(ns).view((3, 2)),
    "view list": lambda ns: grid(ns).view([3, -1]),
    "view size": lambda ns: grid(ns).view(ns.Size([6])),
    "view keyword": lambda ns: grid(ns).view(size=(3, 2)),
    "view dtype": lambda ns: grid(ns).view(ns.int32),
    "reshape function": lambda ns: ns.reshape(grid(ns), (6,)),
    "permute varargs": lambda ns: grid(ns).permute(1, 0),
    "permute function": lambda ns: ns.permute(grid(ns), (1, 0)),
    "expand": lambda ns: ns.ones(1, 3).expand(2, -1),
    "repeat": lambda ns: ns.ones(1, 3).repeat(2, 2),
    "flip varargs": lambda ns: grid(ns).flip(0, 1),
    "zeros varargs": lambda ns: ns.zeros(2, 3),
    "zeros tuple": lambda ns: ns.zeros((2, 3)),
    "zeros keyword": lambda ns: ns.zeros(size=[2, 3], dtype=ns.int16),
    "zeros empty": lambda ns: ns.zeros(()),
    "zeros device": lambda ns: ns.zeros(2, device="cpu", requires_grad=True).requires_grad,
    "zeros layout": lambda ns: ns.zeros(2, layout=ns.strided, pin_memory=False),
    "ones like": lambda ns: ns.ones_like(grid(ns), dtype=ns.int64),
    "full": lambda ns: ns.full((2,), 7),
    "full bool": lambda ns: ns.full((2,), True),
    "arange one": lambda ns: ns.arange(4),
    "arange three": lambda ns: ns.arange(1, 10, 3),
    "arange float": lambda ns: ns.arange(0, 1, 0.25),
    "arange keyword": lambda ns: ns.arange(start=1, end=4),
    "max all": lambda ns: ns.max(grid(ns)),
    "max dim": lambda ns: ns.max(grid(ns), 1),
    "max keyword": lambda ns: grid(ns).max(dim=1, keepdim=True),
    "max other": lambda ns: ns.max(grid(ns), grid(ns).flip(0)),
    "max values": lambda ns: grid(ns).max(0).values,
    "max indices": lambda ns: grid(ns).max(0)[1],
    "split size": lambda ns: grid(ns).split(2, 1),
    "split sizes": lambda ns: grid(ns).split([1, 2], dim=1),
    "chunk": lambda ns: ns.chunk(grid(ns), 2),
    "unbind": lambda ns: grid(ns).unbind(),
    "cat": lambda ns: ns.cat([grid(ns), grid(ns)], 1),
    "cat tuple": lambda ns: ns.cat((grid(ns), grid(ns)), dim=0),
    "cat axis": lambda ns: ns.cat((grid(ns), grid(ns)), axis=1),
    "stack": lambda ns: ns.stack([grid(ns), grid(ns)], -1),
    "alpha": lambda ns: ns.add(grid(ns), grid(ns), alpha=2),
    "number other": lambda ns: grid(ns).add(2.5),
    "number alpha": lambda ns: grid(ns).sub(1, alpha=3),
    "clamp keyword": lambda ns: grid(ns).clamp(max=2),
    "clamp both": lambda ns: grid(ns).clamp(1, 4),
    "clamp tensor": lambda ns: grid(ns).clamp(min=ns.tensor([1.0, 2.0, 3.0])),
    "pow number tensor": lambda ns: ns.pow(2, grid(ns)),
    "rounding mode": lambda ns: grid(ns).div(2, rounding_mode="floor"),
    "where": lambda ns: ns.where(grid(ns) > 2, grid(ns), 0.0),
    "where method": lambda ns: grid(ns).where(grid(ns) > 2, ns.tensor(9.0)),
    "where indices": lambda ns: ns.where(grid(ns) > 2),
    "nonzero": lambda ns: grid(ns).nonzero(),
    "nonzero tuple": lambda ns: ns.nonzero(grid(ns), as_tuple=True),
    "masked fill": lambda ns: grid(ns).masked_fill(grid(ns) > 2, -1),
    "transpose": lambda ns: ns.transpose(grid(ns), 0, 1),
    "index tensor as int": lambda ns: ns.zeros(ns.tensor(2), ns.tensor(3)),
    "dim tensor": lambda ns: grid(ns).sum(ns.tensor(1)),
    "equal": lambda ns: ns.equal(grid(ns), grid(ns)),
    "allclose": lambda ns: ns.allclose(grid(ns), grid(ns) + 1e-9),
    "out": lambda ns: ns.add(grid(ns), 1, out=ns.empty(2, 3)),
    "out tuple": lambda ns: ns.max(grid(ns), 1, out=(ns.empty(2), ns.empty(2, dtype=ns.long))),
    "std": lambda ns: grid(ns).std(1, unbiased=False),
    "var correction": lambda ns: grid(ns).var(dim=1, correction=0),
    "prod": lambda ns: grid(ns).prod(1),
    "topk": lambda ns: grid(ns).topk(2),
    "new zeros": lambda ns: grid(ns).new_zeros(2),
    "new full": lambda ns: grid(ns).new_full((2,), 3),
    "new tensor": lambda ns: grid(ns).new_tensor([1, 2]),
    "new ones dtype": lambda ns: grid(ns).new_ones((2, 1), dtype=ns.int64),
    "einsum": lambda ns: ns.einsum("ik,jk->ij", grid(ns), grid(ns)),
    "einsum implicit": lambda ns: ns.einsum("ii", ns.ones(3, 3)),
    "einsum batch": lambda ns: ns.einsum("bij,bjk->bik", ns.ones(2, 3, 4), ns.ones(2, 4, 2)),
    "einsum ellipsis": lambda ns: ns.einsum("...i,...i->...", grid(ns), grid(ns)),
    "einsum outer": lambda ns: ns.einsum("i,j", ns.tensor([1.0, 2.0]), ns.tensor([3.0, 4.0])),
    "einsum three": lambda ns: ns.einsum("ij,jk,kl->il", grid(ns), grid(ns).t(), grid(ns)),
    "meshgrid": lambda ns: ns.meshgrid(ns.arange(2), ns.arange(3), indexing="xy"),
    "tensordot": lambda ns: ns.tensordot(grid(ns), grid(ns), dims=([0, 1], [0, 1])),
    "atleast": lambda ns: ns.atleast_3d(grid(ns)),
    "broadcast": lambda ns: ns.broadcast_shapes((2, 1), (3,)),
    "cartesian": lambda ns: ns.cartesian_prod(ns.tensor([1, 2]), ns.tensor([3, 4])),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(name):
    assert outcome(SPELLINGS[name], rl) == outcome(SPELLINGS[name], torch)


ERRORS = {
    "missing": lambda ns: ns.exp(),
    "wrong type": lambda ns: ns.exp("a"),
    "too many": lambda ns: ns.exp(grid(ns), 3),
    "unknown keyword": lambda ns: ns.exp(grid(ns), foo=3),
    "given twice": lambda ns: ns.exp(grid(ns), input=grid(ns)),
    "method with argument": lambda ns: grid(ns).exp(1),
    "other": lambda ns: ns.add(grid(ns), "s"),
    "too many of two": lambda ns: ns.add(grid(ns), 1, 2, 3),
    "method keyword": lambda ns: grid(ns).add(grid(ns), foo=2),
    "element of dims": lambda ns: grid(ns).sum(dim=[0, "a"]),
    "matrix": lambda ns: grid(ns).mm("a"),
    "matrix function": lambda ns: ns.mm(grid(ns), 1),
    "dim": lambda ns: grid(ns).softmax("a"),
    "size string": lambda ns: ns.zeros("a"),
    "size float": lambda ns: ns.zeros(2.0),
    "second size float": lambda ns: ns.zeros(2, 3.0),
    "dtype": lambda ns: ns.zeros(2, dtype=3),
    "no size": lambda ns: ns.zeros(),
    "reshape": lambda ns: grid(ns).reshape(2, "a"),
    "one dim missing": lambda ns: grid(ns).transpose(0),
    "float dim": lambda ns: grid(ns).transpose(0, 1.0),
    "tensor as list": lambda ns: ns.cat(grid(ns)),
    "list with int": lambda ns: ns.cat([grid(ns), 1]),
    "int as list": lambda ns: ns.cat(1),
    "list of ints": lambda ns: ns.stack([1, 2]),
    "fill value": lambda ns: ns.full((2,), "a"),
    "alpha": lambda ns: ns.ones(2).add(1, alpha="a"),
    "size of": lambda ns: grid(ns).size("a"),
    "relu": lambda ns: ns.relu(1),
    "integer requires grad": lambda ns: ns.full((2,), 1, requires_grad=True),
    "cuda": lambda ns: ns.zeros(2, device="cuda"),
    "unknown device": lambda ns: ns.zeros(2, device="foo"),
    "ragged": lambda ns: ns.tensor([[1, 2], [1, 2, 3]]),
    "number for row": lambda ns: ns.tensor([[1, 2], 3]),
    "string": lambda ns: ns.tensor("a"),
    "string in list": lambda ns: ns.tensor([1, "a"]),
    "none": lambda ns: ns.tensor(None),
    "int64 overflow": lambda ns: ns.tensor([1 << 70]),
    "uint8 overflow": lambda ns: ns.tensor(300, dtype=ns.uint8),
    "no data": lambda ns: ns.tensor(),
    "two data": lambda ns: ns.tensor(1, 2),
    "bool of many": lambda ns: bool(grid(ns)),
    "bool of none": lambda ns: bool(ns.zeros(0)),
    "item of many": lambda ns: grid(ns).item(),
    "float of many": lambda ns: float(grid(ns)),
    "index of float": lambda ns: [1, 2][ns.tensor(1.0)],
    "len of number": lambda ns: len(ns.tensor(1)),
    "iteration over number": lambda ns: list(ns.tensor(1)),
    "mT of vector": lambda ns: ns.ones(3).mT,
    "dim out of range": lambda ns: grid(ns).size(2),
    "out with grad": lambda ns: ns.add(ns.ones(2, requires_grad=True), 1, out=ns.empty(2)),
    "negative size": lambda ns: ns.zeros(-1),
    "format": lambda ns: format(grid(ns), ".2f"),
    "default dtype": lambda ns: ns.set_default_dtype(ns.int32),
    "size items": lambda ns: ns.Size([1.5]),
    "finfo": lambda ns: ns.finfo(ns.int32),
    "iinfo": lambda ns: ns.iinfo(ns.float32),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_match(name):
    """Same exception and same message as PyTorch."""
    ours, theirs = outcome(ERRORS[name], rl), outcome(ERRORS[name], torch)
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]


@pytest.mark.parametrize(
    "call",
    [
        lambda ns: ns.max(grid(ns), "s"),
        lambda ns: ns.max(),
        lambda ns: grid(ns).max(foo=1),
        lambda ns: grid(ns).view(),
        lambda ns: ns.arange(1, 2, 3, 4),
        lambda ns: grid(ns).sum(1.5),
        lambda ns: ns.mm(grid(ns)),
        lambda ns: grid(ns).squeeze(1.0),
        lambda ns: grid(ns).eq("a"),
    ],
)
def test_errors_of_overloads(call):
    """Same exception; the first line of the message names the operator."""
    ours, theirs = outcome(call, rl), outcome(call, torch)
    assert ours[0] == theirs[0]
    assert ours[1].split("(")[0] == theirs[1].split("(")[0]


NUMBERS = {
    "add": lambda ns, x: x + 2,
    "radd": lambda ns, x: 2 + x,
    "sub": lambda ns, x: x - 0.5,
    "rsub": lambda ns, x: 3 - x,
    "mul": lambda ns, x: x * x,
    "rmul": lambda ns, x: 2.5 * x,
    "div": lambda ns, x: x / 4,
    "rdiv": lambda ns, x: 7 / (x + 1),
    "floordiv": lambda ns, x: x // 2,
    "rfloordiv": lambda ns, x: 7 // (x + 1),
    "mod": lambda ns, x: x % 4,
    "rmod": lambda ns, x: 7 % (x + 1),
    "pow": lambda ns, x: x**2,
    "rpow": lambda ns, x: 2**x,
    "matmul": lambda ns, x: x @ x.t(),
    "neg": lambda ns, x: -x,
    "pos": lambda ns, x: +x,
    "abs": lambda ns, x: abs(-x),
    "and": lambda ns, x: (x > 1) & (x < 4),
    "or": lambda ns, x: (x < 1) | (x > 4),
    "xor": lambda ns, x: (x < 3) ^ (x > 1),
    "invert": lambda ns, x: ~(x > 1),
    "shift": lambda ns, x: x.long() << 2,
    "rshift": lambda ns, x: x.long() >> 1,
    "int and": lambda ns, x: x.long() & 3,
    "eq": lambda ns, x: x == 2,
    "ne": lambda ns, x: x != 2,
    "lt": lambda ns, x: x < 2,
    "le": lambda ns, x: x <= 2,
    "gt": lambda ns, x: x > 2,
    "ge": lambda ns, x: x >= x.flip(0),
    "eq none": lambda ns, x: x == None,
    "ne string": lambda ns, x: x != "a",
    "rlt": lambda ns, x: 2 < x,
    "int promotes": lambda ns, x: x.long() + 1.5,
    "bool number": lambda ns, x: x + True,
    "float": lambda ns, x: float(x[1, 2]),
    "int": lambda ns, x: int(x[1, 2]),
    "bool": lambda ns, x: bool(x[0, 0]),
    "index": lambda ns, x: list(range(10))[x.long()[1, 2]],
    "len": lambda ns, x: len(x),
    "iter": lambda ns, x: [r.tolist() for r in x],
    "in": lambda ns, x: (3 in x, 9 in x, x[0, 1] in x),
    "reversed": lambda ns, x: [r.tolist() for r in reversed(x)],
    "format": lambda ns, x: f"{x[1, 2]:.2f}",
    "foreign": lambda ns, x: x + object(),
    "foreign compare": lambda ns, x: x < "a",
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    call = NUMBERS[name]
    assert outcome(lambda ns: call(ns, grid(ns)), rl) == outcome(lambda ns: call(ns, grid(ns)), torch)


INPLACE = {
    "iadd": lambda x: x.__iadd__(2),
    "isub": lambda x: x.__isub__(x.clone()),
    "imul": lambda x: x.__imul__(1.5),
    "itruediv": lambda x: x.__itruediv__(4),
    "ifloordiv": lambda x: x.__ifloordiv__(2),
    "imod": lambda x: x.__imod__(4),
    "ipow": lambda x: x.__ipow__(2),
    "add_": lambda x: x.add_(2, alpha=3),
    "neg_": lambda x: x.neg_(),
    "clamp_": lambda x: x.clamp_(1, 3),
    "zero_": lambda x: x.zero_(),
    "fill_": lambda x: x.fill_(2),
    "copy_": lambda x: x.copy_(x.flip(0)),
    "tril_": lambda x: x.tril_(),
    "masked_fill_": lambda x: x.masked_fill_(x > 2, 0),
}


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_gives_the_object_itself(name):
    ours, theirs = grid(rl), grid(torch)
    assert INPLACE[name](ours) is ours
    INPLACE[name](theirs)
    assert plain(ours) == plain(theirs)


@pytest.mark.parametrize(
    "data",
    [1, 1.5, True, [], [[]], [1, 2.5], [True, 2], [[1, 2], [3, 4]], ((1.0,), (2,)), range(3), [[[1]]], -1.0, [math.inf]],
    ids=repr,
)
def test_tensor_of_data(data):
    assert plain(rl.tensor(data)) == plain(torch.tensor(data))
    for dtype in ("float16", "bfloat16", "float64", "int32", "uint8", "bool"):
        if data in ([math.inf], -1.0) and dtype in ("int32", "uint8"):
            continue
        ours, theirs = (ns.tensor(data, dtype=getattr(ns, dtype)) for ns in (rl, torch))
        assert plain(ours) == plain(theirs)


def test_tensor_of_tensors_and_arrays():
    np = pytest.importorskip("numpy")
    for data in (np.float32(2.5), np.int16(3), np.arange(3), [np.float64(1.5), 2], np.ones((2, 2), np.float32), np.bool_(True)):
        assert plain(rl.tensor(data)) == plain(torch.tensor(data))
    assert plain(rl.tensor([rl.tensor(1.0), rl.tensor(2.0)])) == plain(torch.tensor([torch.tensor(1.0), torch.tensor(2.0)]))
    assert plain(rl.ones(2) * np.float64(2)) == plain(torch.ones(2) * np.float64(2))
    assert plain(np.float64(2) * rl.ones(2)) == plain(np.float64(2) * torch.ones(2))
    assert plain(rl.zeros(np.int64(2), 3)) == plain(torch.zeros(np.int64(2), 3))


@pytest.mark.parametrize(
    "call",
    [
        lambda ns: ns.tensor([ns.tensor([1.0]), ns.tensor([[2.0]])]),
        lambda ns: ns.tensor([ns.tensor([1]), 2.5]),
        lambda ns: ns.tensor([[1.0, 2.0], ns.ones(2)]),
        lambda ns: ns.Tensor([[ns.ones(1)]]),
        lambda ns: ns.as_tensor([ns.tensor([1]), ns.tensor([2])]),
        lambda ns: ns.tensor([ns.ones(2)]),
        lambda ns: ns.tensor([ns.ones(0), 2]),
        lambda ns: ns.tensor(["a"]),
        lambda ns: ns.tensor("a"),
    ],
)
def test_tensors_in_sequences_are_numbers(call):
    assert outcome(call, rl) == outcome(call, torch)


def test_copy_of_a_tensor_warns():
    with pytest.warns(UserWarning, match="To copy construct from a tensor"):
        rl.tensor(rl.ones(2))


@pytest.mark.parametrize(
    "call",
    [
        lambda ns: ns.Tensor(2, 3).shape,
        lambda ns: ns.Tensor([1, 2]),
        lambda ns: ns.Tensor([[1.5]]),
        lambda ns: ns.Tensor().shape,
        lambda ns: ns.Tensor(ns.Size([2])).shape,
        lambda ns: ns.LongTensor([1, 2]),
        lambda ns: ns.FloatTensor(2, 3).shape,
        lambda ns: ns.BoolTensor([True, False]),
        lambda ns: isinstance(ns.ones(2), ns.FloatTensor),
        lambda ns: isinstance(ns.ones(2), ns.LongTensor),
        lambda ns: ns.ones(2).type(),
        lambda ns: ns.ones(2).type(ns.float64),
        lambda ns: ns.ones(2).type("torch.LongTensor"),
        lambda ns: ns.ones(2).type(ns.IntTensor),
        lambda ns: ns.ones(2).type_as(ns.ones(1, dtype=ns.int8)),
        lambda ns: ns.LongTensor(np.ones((2, 2), np.int32)),
        lambda ns: ns.FloatTensor(np.ones(2)),
        lambda ns: ns.Tensor(np.arange(3)),
        lambda ns: ns.Tensor(np.int64(3)).shape,
        lambda ns: ns.Tensor(np.array(2)).shape,
        lambda ns: ns.FloatTensor([np.ones(2), np.zeros(2)]),
    ],
)
def test_legacy_types(call):
    assert outcome(call, rl) == outcome(call, torch)


def test_to():
    x = rl.ones(2)
    assert x.to(rl.float32) is x and x.to("cpu") is x and x.to(rl.device("cpu"), rl.float32) is x
    assert x.to(rl.float32, copy=True) is not x
    assert x.to("cpu", rl.float64).dtype is rl.float64
    assert x.to(rl.ones(1, dtype=rl.int8)).dtype is rl.int8
    assert x.to(dtype=rl.int64, non_blocking=True).dtype is rl.int64
    assert x.double().float().half().bfloat16().long().int().short().char().byte().bool().dtype is rl.bool
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        x.cuda()
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        x.to("cuda:0")


@pytest.mark.parametrize(
    "call",
    [
        lambda ns: ns.Size([2, 3]),
        lambda ns: ns.Size([2, 3]).numel(),
        lambda ns: ns.Size([2, 3])[1:],
        lambda ns: ns.Size([2, 3]) + (4,),
        lambda ns: ns.Size([2, 3]) * 2,
        lambda ns: ns.Size([]),
        lambda ns: ns.Size([2, 3]) == (2, 3),
        lambda ns: hash(ns.Size([2])) == hash((2,)),
        lambda ns: str(ns.float32) + repr(ns.int64) + str(ns.double) + str(ns.half),
        lambda ns: (ns.float32.itemsize, ns.float32.is_floating_point, ns.int8.is_signed, ns.uint8.is_signed),
        lambda ns: repr(ns.device("cpu")) + str(ns.device("cuda", 1)) + repr(ns.device("cuda:1")),
        lambda ns: ns.device("cpu") == ns.device("cpu") != ns.device("cuda"),
        lambda ns: (ns.device("cuda:3").index, ns.device("cpu").index, ns.device("cpu").type),
        lambda ns: ns.device("cuda:x"),
        lambda ns: repr(ns.strided) + repr(ns.channels_last) + repr(ns.contiguous_format),
        lambda ns: repr(ns.finfo(ns.float32)) + repr(ns.finfo(ns.bfloat16)) + repr(ns.iinfo(ns.int8)),
        lambda ns: (ns.finfo(ns.float64).max, ns.finfo(ns.float16).tiny, ns.finfo().eps, ns.iinfo(ns.int64).min),
        lambda ns: ns.result_type(ns.ones(1, dtype=ns.int8), 1.5),
        lambda ns: ns.promote_types(ns.int8, ns.uint8),
        lambda ns: ns.can_cast(ns.float32, ns.int32),
        lambda ns: (ns.inf, ns.pi, ns.e, ns.newaxis),
        lambda ns: ns.is_tensor(ns.ones(1)) and not ns.is_tensor(1),
        lambda ns: (ns.numel(grid(ns)), ns.is_floating_point(grid(ns)), grid(ns).nbytes, grid(ns).itemsize),
        lambda ns: (grid(ns).stride(), grid(ns).stride(0), grid(ns).t().is_contiguous(), grid(ns)[1].storage_offset()),
        lambda ns: (grid(ns).T, grid(ns).mT, grid(ns).H, grid(ns).ndim, grid(ns).layout, grid(ns).is_cuda),
        lambda ns: ns.ones(2, 3, 4, 5).is_contiguous(memory_format=ns.channels_last),
        lambda ns: ns.ones(2, 4, 5, 3).permute(0, 3, 1, 2).is_contiguous(memory_format=ns.channels_last),
        lambda ns: repr(ns.ones(2, 2).max(0)),
        lambda ns: type(ns.ones(2, 2).max(0)).__name__,
    ],
)
def test_small_types(call):
    assert outcome(call, rl) == outcome(call, torch)


def test_pickle_and_copy():
    for value in (rl.Size([2, 3]), rl.float16, rl.device("cuda:1"), rl.channels_last):
        assert pickle.loads(pickle.dumps(value)) == value
    assert pickle.loads(pickle.dumps(rl.float32)) is rl.float32
    x = grid(rl).t().requires_grad_()
    x.note = "kept"
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert y.tolist() == x.tolist() and y.requires_grad and y.note == "kept" and y is not x
        assert y.data_ptr() != x.data_ptr()
    assert copy.copy(x).tolist() == x.tolist()
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(x + 1)


def test_one_object_per_tensor():
    x = rl.ones(2, requires_grad=True)
    x.sum().backward()
    assert x.grad is x.grad
    y = x.clone()
    assert y.add_(1) is y


def test_attributes_weak_references_and_cycles():
    class Sub(rl.Tensor):
        pass

    x = rl.ones(2)
    x.note = [x]
    with pytest.raises(AttributeError):
        x.missing  # noqa: B018 - the look-up is the subject
    dead = weakref.ref(x)
    del x
    gc.collect()
    assert dead() is None
    s = Sub([1, 2])
    assert isinstance(s, Sub) and s.tolist() == [1, 2]
    assert hash(s) == hash(s) and s in {s}
    seen = weakref.ref(s)
    del s
    gc.collect()
    assert seen() is None


def test_no_leak_of_blocks():
    """Calls, also failing ones, give back what they took."""

    def work():
        x = grid(rl)
        for call in list(SPELLINGS.values())[:40] + list(ERRORS.values()):
            outcome(call, rl)
        y = x * 2 + 1
        y += x
        return (y > 2).tolist()

    work()
    gc.collect()
    before = rl._C._alloc_live()
    for _ in range(3):
        work()
    gc.collect()
    assert rl._C._alloc_live() <= before + 2


def test_every_allocation_may_fail():
    """Whatever request for memory fails: an exception, no crash, the operand as it was, and the next call works."""
    x = grid(rl)
    before = x.tolist()
    total = [sum(row) for row in before]
    for call, expected in (
        (lambda: (x + 1.5).tolist(), [[v + 1.5 for v in row] for row in before]),
        (lambda: x.sum(1).tolist(), total),
        (lambda: rl.cat([x, x]).tolist(), before + before),
        (lambda: x.max(1).values.tolist(), [max(row) for row in before]),
        (lambda: rl.tensor([[1, 2]]).tolist(), [[1, 2]]),
    ):
        failures = 0
        for n in range(1, 30):
            rl._C._alloc_fail_after(n)
            try:
                result = call()
            except RuntimeError as error:
                assert "memory" in str(error)
                failures += 1
                continue
            finally:
                rl._C._alloc_fail_after(0)
            assert result == expected
            break
        else:
            pytest.fail("still failing after 30 requests")
        assert failures > 0, "no request was made to fail"
        assert x.tolist() == before
        assert call() == expected


def test_threads_and_default_dtype():
    n = rl.get_num_threads()
    try:
        rl.set_num_threads(2)
        assert rl.get_num_threads() == 2
        with pytest.raises(RuntimeError, match="positive"):
            rl.set_num_threads(0)
    finally:
        rl.set_num_threads(n)
    try:
        rl.set_default_dtype(rl.float64)
        assert rl.ones(1).dtype is rl.float64 and rl.tensor(1.5).dtype is rl.float64
        assert rl.Tensor([1]).dtype is rl.float64
    finally:
        rl.set_default_dtype(rl.float32)
