"""Protocols: Python's operators, NumPy's objects, copies, pickles, formats, devices: each expression as in PyTorch."""

import copy
import math
import operator
import pickle
import warnings

import numpy as np
import pytest

import rushlight


def shown(torch, value):
    """A value as something that compares between libraries."""
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).split(".")[-1]
        values = value.detach().tolist()
        return (
            type(value).__name__,
            dtype,
            tuple(value.shape),
            value.stride(),
            value.requires_grad,
            values,
        )
    if isinstance(value, (tuple, list)):
        return [shown(torch, v) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return type(value).__name__, str(value.dtype), value.tolist()
    return str(value).replace("rushlight", "torch")


# t: two floats, s: the integer 3, f: 2.5, m: 2 x 3, a: an array of two doubles, ai: of two integers
EXPRESSIONS = """
torch.tensor(1.)+np.float32(2)
torch.tensor(1.)+np.float64(2)
t()+np.float64(2)
t()+np.int64(2)
np.float64(2)+t()
np.float32(2)+t()
np.int64(2)*t()
np.float64(2)-t()
np.float64(2)/t()
np.float64(2)**t()
np.float64(2)<t()
t()+a()
a()*t()
a()-t()
a()/t()
a()@t()
t()@a()
t()*ai()
t()<a()
a()<t()
t()==a()
a()==t()
operator.iadd(t(),np.float32(1))
operator.iadd(t(),a())
operator.imul(a(),t())
torch.add(t(),np.float32(1))
torch.add(t(),a())
t().add(np.int32(1))
t().mul(a())
torch.full((2,),np.float32(3))
torch.full((np.int64(2),),3)
torch.zeros(np.int64(2),np.int32(3))
torch.zeros((np.int64(2),3))
m().sum(np.int64(1))
m().sum(dim=np.int64(1))
m().view(np.int64(3),2)
m()[np.int64(1)]
m()[np.array([0,1])]
m()[np.array([True,False])]
m()[:,np.array([0,2])]
m()[np.array(1)]
m()[:np.int64(1)]
m()[s()-2]
torch.arange(np.int64(3))
torch.arange(np.float32(3))
torch.arange(0,1,np.float64(.5))
torch.clamp(t(),np.float32(1.5))
torch.where(t()>1,np.float32(1),t())
torch.tensor(np.float32(1))
torch.tensor([np.float32(1),np.float32(2)])
torch.tensor([np.float64(1),2])
torch.tensor([a(),a()])
torch.tensor([t()[0],t()[1]])
torch.tensor(np.int32(1))
torch.tensor(np.bool_(True))
torch.tensor(np.uint8(3))
torch.as_tensor(a())
torch.as_tensor(np.float32(2))
torch.from_numpy(a())
torch.asarray(a())
torch.asarray([1,2])
torch.asarray(t())
torch.asarray(2.)
torch.tensor(range(3))
torch.tensor((1,2.))
torch.tensor([[]])
torch.tensor(memoryview(b"abc"))
torch.tensor(bytearray(b"abc"))
np.asarray(t())
np.array(t(),dtype=np.float64)
np.sin(t())
np.add(t(),t())
np.concatenate([t(),t()])
np.stack([t(),a()])
np.maximum(t(),1.5)
np.dot(t(),t())
np.isnan(t())
np.allclose(t(),t())
np.where(t()>1,t(),0)
np.zeros(2)+t()
np.testing.assert_allclose(t(),[1,2])
list(range(10))[s()]
[1,2,3,4][s()]
range(s())
range(s())[-1]
"abcd"[s()]
hex(s())
bin(s())
operator.index(s())
operator.index(f())
operator.index(torch.tensor([1]))
operator.index(torch.tensor([1,2]))
int(f())
float(s())
complex(f())
round(f())
round(torch.tensor(2.567),1)
round(torch.tensor([2.567]),1)
abs(-t())
divmod(t(),2)
divmod(5,t())
bool(f())
bool(torch.tensor([]))
f"{f()}"
f"{f():.3f}"
f"{f():8.2e}"
f"{s():d}"
f"{s():05d}"
f"{t()}"
f"{t():.2f}"
f"{torch.tensor([1.5]):.2f}"
format(f(),'>10')
"%f" % f()
"%d" % s()
"{:.1f}".format(f())
f"{torch.tensor(True)}"
f"{f().requires_grad_()}"
str(f())
1 in t()
5 in t()
t()[0] in t()
t() in m()
"a" in t()
None in t()
[1.] in m()
torch.tensor(1.) in [torch.tensor(2.),torch.tensor(1.)]
list(t())
tuple(m())
[*t()]
sum(t())
max(t())
min(t())
sorted(t())
list(reversed(t()))
dict(zip("ab",t()))
any(t()>1)
all(t()>1)
len(f())
len(m())
t()==None
t()!=None
t()=="a"
t()=={}
t()<None
t()<"a"
t()+None
t()+"a"
t()+[1,2]
[1,2]+t()
t()*[1,2]
t()&t()
t()|1
1<<s()
s()<<1
s()>>1
~s()
~f()
-torch.tensor(True)
torch.tensor(True)-torch.tensor(True)
s()//2
7//s()
7%s()
-7%s()
-7//s()
s()**-1
2**s()
s()**2.
2.5**s()
t()//0
s()%0
s()//0
operator.iadd(s(),1.5)
operator.iadd(s(),True)
operator.itruediv(s(),2)
operator.ifloordiv(f(),2)
operator.ipow(t(),2)
operator.imatmul(m(),m().t())
operator.iand(s(),1)
operator.ilshift(s(),1)
operator.iadd(t(),"a")
operator.iadd(t(),None)
operator.iadd(t(),[1,2])
operator.imod(t(),2)
copy.copy(t())
copy.deepcopy(t())
copy.deepcopy(m().t())
copy.deepcopy(torch.ones(1).expand(3))
copy.deepcopy(m()[:,1])
copy.deepcopy(m())[0].storage_offset()
pickle.loads(pickle.dumps(m().t()))
pickle.loads(pickle.dumps(m()[:,1]))
pickle.loads(pickle.dumps(m()[1])).storage_offset()
pickle.loads(pickle.dumps(t().requires_grad_()))
pickle.loads(pickle.dumps(torch.nn.Parameter(t())))
pickle.loads(pickle.dumps(torch.float32))
pickle.loads(pickle.dumps(torch.device('cpu')))
pickle.loads(pickle.dumps(torch.Size([1,2])))
pickle.loads(pickle.dumps(torch.contiguous_format))
pickle.loads(pickle.dumps(torch.strided))
pickle.loads(pickle.dumps(torch.bfloat16))
copy.deepcopy(torch.float32) is torch.float32
copy.copy(torch.device('cpu'))
[copy.deepcopy([x,x[0]])[1] for x in [m()]]
(lambda p: (p[0].mul_(0), p[1])[1])(copy.deepcopy((lambda x:(x,x[0]))(m())))
(lambda p: p[0] is p[1])(copy.deepcopy((lambda x:(x,x))(m())))
copy.deepcopy(t().requires_grad_()*2)
copy.copy(t().requires_grad_()*2)
pickle.dumps(t().requires_grad_()*2) and 1
pickle.loads(pickle.dumps(t().requires_grad_()*2))
torch.zeros(2,device='cpu')
torch.zeros(2,device=torch.device('cpu'))
torch.zeros(2,device=torch.device('cpu',0))
torch.zeros(2,device='cpu:0')
torch.zeros(2,device=torch.device('cpu:0')).device
torch.zeros(2,device=torch.device(type='cpu',index=0)).device
torch.zeros(2,device='foo')
torch.zeros(2,layout=torch.strided)
torch.zeros_like(m(),memory_format=torch.preserve_format)
torch.empty(2,memory_format=torch.contiguous_format).shape
m().float(memory_format=torch.contiguous_format)
torch.device('cpu')==torch.device('cpu')
torch.device('cpu')=='cpu'
torch.device('cpu',0)==torch.device('cpu')
repr(torch.device('cpu')), repr(torch.device('cpu',0)), str(torch.device('cpu',0))
torch.device('cpu').type, torch.device('cpu').index, torch.device('cpu:0').index
torch.device('cpu') in {torch.device('cpu'):1}
torch.device(torch.device('cpu'))
torch.device('x')
torch.device(0)
torch.device('cuda')
torch.device('cuda',1)
torch.device('cuda:1').index
torch.device('meta')
torch.get_default_device()
torch.get_default_device()
t().to('cpu')
t().to(torch.device('cpu'),torch.float64)
t().to(device='cpu',dtype=torch.float16)
t().to('cpu',non_blocking=True,copy=True)
t().to(m().double())
t().to(torch.float64,True,False)
t().to('foo')
t().cpu(memory_format=torch.preserve_format)
t().type(torch.float64)
t().type('torch.DoubleTensor')
t().type_as(s())
t().device
t().is_cpu
t().tolist()
f().tolist()
torch.tensor([[1,2]]).tolist()
f().item()
t().item()
torch.tensor([]).item()
t().numpy()
t().requires_grad_().numpy()
t().requires_grad_().numpy(force=True)
t().__array__()
t().__array__(np.float64)
t().__array__(dtype=np.int32)
torch.tensor([1.],dtype=torch.bfloat16).numpy()
np.asarray(t().requires_grad_())
t().__array_priority__
t().__array_wrap__(a())
t().__dlpack_device__()
torch.from_dlpack(t())
torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(t()))
np.from_dlpack(t())
torch.from_dlpack(a())
type(t()), torch.Tensor.__module__, torch.Tensor.__name__
torch.float32.__reduce__()
str(torch.float32), repr(torch.int64), torch.float32.itemsize, torch.float32.is_floating_point, torch.int8.is_signed, torch.float32.is_complex
torch.Size([1,2])+(3,)
torch.Size([1,2])+torch.Size([3])
(3,)+torch.Size([1])
torch.Size([1,2])*2
torch.Size([1,2])[0:1]
torch.Size([1,2]).numel()
torch.Size((1,2))==(1,2)
repr(torch.Size([1,2]))
torch.Size([s(),2])
torch.Size([1.5])
torch.zeros(torch.Size([2]))
torch.zeros([2,s()])
torch.zeros(s())
torch.ones(2).new_tensor([1,2])
torch.ones(2).new_full((2,),np.float32(3))
torch.is_tensor(a())
torch.equal(t(),t())
t().__rsub__(1)
t().__radd__(1)
t().__rpow__(2)
t().__rmatmul__(t())
t().__contains__(1.)
t().__getitem__(0)
t().__matmul__(t())
t().__ipow__(2)
t().__idiv__(2)
t().__rdiv__(2)
t().__div__(2)
t().__invert__()
t().__rand__(1)
s().__rand__(1)
s().__ror__(1)
s().__rxor__(1)
s().__rlshift__(1)
t().__nonzero__()
f().__nonzero__()
f().__long__()
t().__complex__()
f().__complex__()
math.floor(f())
math.ceil(f())
math.sqrt(f())
math.trunc(f())
math.isnan(f())
math.floor(t())
np.float32(f())
np.int64(s())
np.array([f(),f()])
np.array([t(),t()])
np.array(f())
torch.tensor(3).__index__()
torch.ones(2,3)[torch.tensor(1)]
torch.ones(3)[torch.tensor([True,False,True])]
torch.tensor(np.array(3.5))
torch.from_numpy(a()[::-1])
torch.from_numpy(1)
torch.tensor(a()[::-1])
torch.tensor(None)
torch.tensor("a")
torch.tensor([None])
torch.tensor([[1],[2,3]])
""".strip().split("\n")


def outcome(torch, expression):
    names = {
        "torch": torch,
        "np": np,
        "copy": copy,
        "math": math,
        "operator": operator,
        "pickle": pickle,
        "t": lambda: torch.tensor([1.0, 2.0]),
        "s": lambda: torch.tensor(3),
        "f": lambda: torch.tensor(2.5),
        "m": lambda: torch.arange(6.0).view(2, 3),
        "a": lambda: np.array([1.0, 2.0]),
        "ai": lambda: np.array([1, 2]),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return shown(torch, eval(expression, names))
        except Exception as error:  # noqa: BLE001, whichever it is
            return type(error).__name__, str(error).split("\n")[0].replace("rushlight", "torch")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_in_pytorch(expression):
    torch = pytest.importorskip("torch")
    assert outcome(rushlight, expression) == outcome(torch, expression)


DTYPES = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
)
VALUES = (True, 3, 2.5)


@pytest.mark.parametrize("one", DTYPES)
def test_dtype_rules_over_all_pairs(one):
    torch = pytest.importorskip("torch")

    def rules(library):
        a = getattr(library, one)
        found = []
        for two in DTYPES:
            b = getattr(library, two)
            found.append((two, "promote", library.promote_types(a, b)))
            found.append((two, "cast", library.can_cast(a, b)))
            for x in (library.ones(2, dtype=a), library.ones((), dtype=a)):
                for y in (library.ones(2, dtype=b), library.ones((), dtype=b)):
                    found.append((two, x.dim(), y.dim(), library.result_type(x, y)))
                    found.append((two, x.dim(), y.dim(), (x * y).dtype))
                    found.append((two, "where", library.where(x > 0, x, y).dtype))
        for value in VALUES:
            for x in (library.ones(2, dtype=a), library.ones((), dtype=a)):
                found.append(
                    (
                        value,
                        x.dim(),
                        library.result_type(x, value),
                        (x * value).dtype,
                        (value * x).dtype,
                    )
                )
                found.append((value, library.result_type(value, x)))
        return str(found).replace("rushlight", "torch")

    assert rules(rushlight) == rules(torch)


@pytest.mark.parametrize("name", DTYPES)
def test_limits(name):
    torch = pytest.importorskip("torch")
    found = []
    for library in (rushlight, torch):
        dtype = getattr(library, name)
        if dtype.is_floating_point:
            info = library.finfo(dtype)
            fields = ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype")
        elif name == "bool":
            with pytest.raises(TypeError):
                library.iinfo(dtype)
            continue
        else:
            info = library.iinfo(dtype)
            fields = ("bits", "max", "min", "dtype")
            with pytest.raises(TypeError):
                library.finfo(dtype)
        found.append(
            (
                repr(info),
                str(info),
                *(getattr(info, field) for field in fields),
                info == library.finfo(dtype)
                if dtype.is_floating_point
                else info == library.iinfo(dtype),
            )
        )
    assert not found or found[0] == found[1]


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_default_dtype_decides_what_numbers_become(name):
    torch = pytest.importorskip("torch")
    found = []
    for library in (rushlight, torch):
        before = library.get_default_dtype()
        library.set_default_dtype(getattr(library, name))
        try:
            x = library.ones(2, dtype=library.int64)
            results = (
                library.tensor(1.0), library.tensor([1, 2.0]), library.zeros(2), library.ones(2), library.full((2,), 1.0),
                library.arange(3.0), library.arange(3), library.linspace(0, 1, 3), library.eye(2), library.empty(0),
                x / 2, x * 2.5, x.sqrt(), x + True, library.rand(1), library.Tensor([1, 2]), library.tensor(2),
            )  # fmt: skip
            found.append([str(r.dtype) for r in results] + [str(library.finfo().dtype)])
        finally:
            library.set_default_dtype(before)
    assert [s.replace("rushlight", "torch") for s in found[0]] == found[1]


def test_default_device_is_the_cpu():
    rushlight.set_default_device("cpu")
    assert rushlight.get_default_device() == rushlight.device("cpu")
    with rushlight.device("cpu") as device:
        assert rushlight.zeros(1).device == rushlight.device("cpu")
        assert device is None or device == rushlight.device("cpu")
    rushlight.set_default_device(None)


def test_deepcopies_of_views_share_memory_as_the_originals_do():
    class Sub(rushlight.Tensor):
        pass

    x = rushlight.arange(6.0).view(2, 3)
    y = x.t().as_subclass(Sub)
    y.note = [x]
    a, b = copy.deepcopy((x, y))
    assert type(b) is Sub and b.stride() == (1, 3) and b.note[0] is a
    a[0, 1] = 9
    assert b[1, 0].item() == 9 and x[0, 1].item() == 1
    assert a._base is None and a.is_leaf
    a.requires_grad_().sum().backward()
    c = copy.deepcopy(a)
    assert c.grad.tolist() == a.grad.tolist() and c.grad.data_ptr() != a.grad.data_ptr()


def test_pickles_keep_class_attributes_and_strides():
    p = rushlight.nn.Parameter(rushlight.arange(6.0).view(2, 3).t())
    p.tag = {"a": 1}
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        q = pickle.loads(pickle.dumps(p, protocol))
        assert type(q) is rushlight.nn.Parameter and q.requires_grad and q.tag == {"a": 1}
        assert q.tolist() == p.tolist() and q.stride() == (1, 3)
        assert type(copy.copy(p)) is rushlight.nn.Parameter
