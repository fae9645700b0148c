"""Indexing, joining, reducing, einsum, constructors and comparisons."""

import torch
import numpy as np

x = torch.arange(24).reshape(2, 3, 4)
print(
    x[0],
    x[..., -1],
    x[:, 1:, ::2],
    x[None].shape,
    x[[0, 1], [1, 2]],
    x[x > 20],
    x[:, [True, False, True]],
    x[1, torch.tensor([[0, 1], [2, 0]])],
    x[-1, -1, -1],
    x[..., None].shape,
    x[(0, 1)],
    x[0:1, ..., 0],
    x[torch.tensor(1)],
    x[:, None, :, [0]].shape,
    x[np.array([0, 1])][:, 0, 0],
    x[range(1)].shape,
    x[:, torch.tensor([0, 2]), 1:3],
)
y = x.clone().float()
y[0, 0] = 0
y[:, 1] = torch.tensor([1.0, 2, 3, 4])
y[y > 15] = -1
y[1, ..., 0] += 100
y[[0, 1], [0, 1], [0, 1]] = 7
print(y)
y[:] = 5
y[..., 0] *= 2
print(y.sum())
z = torch.zeros(3, 5).scatter_(1, torch.tensor([[0], [2], [4]]), 1.0)
print(
    z,
    z.scatter_add(0, torch.tensor([[0, 1, 2, 0, 0]]), torch.ones(1, 5)),
    z.gather(1, torch.tensor([[0], [2], [1]])),
    z.index_add_(0, torch.tensor([0, 2]), torch.ones(2, 5)),
    z.index_select(1, torch.tensor([0, 4])),
    z.nonzero(),
    torch.nonzero(z, as_tuple=True),
    z.masked_fill(z == 0, float("-inf")),
    z.take(torch.tensor([0, 6])),
    torch.where(z > 1),
    z.index_fill(1, torch.tensor([1]), 9),
    z.put_(torch.tensor([1]), torch.tensor([3.0])),
)
a, b = torch.randn(2, 3, generator=torch.Generator().manual_seed(1)), torch.arange(12.0).view(3, 4)
print(
    torch.einsum("ij,jk->ik", a, b),
    torch.einsum("ii->i", b[:, :3]),
    torch.einsum("bij,bjk->bik", torch.ones(2, 2, 3), torch.ones(2, 3, 2)),
    torch.einsum("i,j->ij", a[0], b[0]),
    torch.einsum("...ij->...ji", x).shape,
    torch.einsum("bhid,bhjd->bhij", torch.ones(1, 2, 3, 4), torch.ones(1, 2, 5, 4)).shape,
    torch.tensordot(a, b, dims=1),
    torch.outer(a[0], b[0]),
    torch.kron(torch.eye(2), torch.ones(1, 2)),
    a.matmul(b),
    torch.bmm(torch.ones(1, 2, 3), torch.ones(1, 3, 2)),
    torch.chain_matmul(a, b) if False else "",
)
print(
    x.permute(2, 0, 1).shape,
    x.transpose(0, 2).stride(),
    x.movedim(0, -1).shape,
    x.swapaxes(0, 1).shape,
    x.flatten(1).shape,
    x.unflatten(2, (2, 2)).shape,
    x.unbind(0)[0].shape,
    [c.shape for c in x.chunk(2, dim=2)],
    [s.shape for s in x.split([1, 2], dim=1)],
    x.unfold(2, 2, 1).shape,
    x.narrow(2, 1, 2).shape,
    x.repeat(1, 2, 1).shape,
    x.tile(2).shape,
    torch.broadcast_to(x[0, 0], (2, 4)),
    torch.stack([x, x], -1).shape,
    torch.hstack([x, x]).shape,
    torch.vstack([x, x]).shape,
    torch.column_stack([torch.ones(2), torch.zeros(2)]),
    x.T.shape if False else "",
    x.mT.shape,
    x.squeeze().shape,
    x.is_contiguous(),
    x.t().shape if x.dim() == 2 else "",
    torch.atleast_2d(torch.tensor(1)),
)
print(
    torch.cumsum(x, 0),
    x.cumprod(-1)[0, 0],
    x.float().cummax(1),
    torch.diff(x[0, 0]),
    x.prod(),
    x.float().std(dim=(0, 1)),
    x.float().var(-1, unbiased=False),
    x.argmax(),
    x.argmin(dim=1),
    x.amax((0, 1)),
    x.max(dim=1),
    x.sort(descending=True, dim=1)[1][0],
    x.float().norm(p=1),
    x.float().logsumexp(dim=2),
    x.float().quantile(0.3),
    x.float().median(dim=2)[0],
    x.bincount() if x.dim() == 1 else "",
    torch.histc(x.float(), 4),
    x.float().mode()[0],
    x.unique(),
    x.all(),
    x.any(dim=0),
    (x % 2 == 0).sum(),
    x.fmod(3)[0, 0],
    x.remainder(-3)[0, 0],
    -x[0, 0] // 3,
    torch.div(x[0, 0], 3, rounding_mode="trunc"),
    x[0, 0] ** 2,
    2 ** x[0, 0],
    1 / x[0, 0],
    10 - x[0, 0],
    x[0, 0] / 2,
    x & 1 == 1,
    ~(x > 3)[0, 0],
    x[0, 0] << 1,
    x[0, 0] ^ 3,
    (x > 3) | (x < 1),
    torch.logical_and(x > 1, x < 3)[0, 0],
)
print(
    torch.linspace(0, 1, 5),
    torch.logspace(0, 2, 3),
    torch.eye(2, 3),
    torch.full((2,), 7),
    torch.full((2,), 1.5),
    torch.arange(1, 2, 0.3),
    torch.empty(2, 0).shape,
    torch.tril(torch.ones(3, 3)),
    torch.triu_indices(3, 3),
    torch.combinations(torch.arange(3)),
    torch.cartesian_prod(torch.arange(2), torch.arange(2)),
    torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij"),
    torch.diag(torch.ones(2)),
    torch.diagonal(b),
    torch.block_diag(torch.ones(1, 1), torch.ones(2, 2)),
    torch.ones(2).new_zeros(3),
    torch.ones(2).new_full((2,), 3.0),
    torch.ones(2).new_tensor([1, 2]),
    torch.rand_like(torch.ones(0)),
    torch.vander(torch.arange(3.0)),
    torch.bucketize(torch.tensor([1, 5]), torch.tensor([0, 3, 6])),
    torch.searchsorted(torch.tensor([1.0, 3, 5]), torch.tensor([2.0, 6])),
    torch.tensor([1, 2]).type(torch.FloatTensor),
    torch.FloatTensor([1, 2]),
    torch.LongTensor(2).shape,
    torch.Tensor([1, 2]),
    torch.Tensor(2, 3).shape,
    torch.IntTensor([1]).type(),
    torch.ones(2).type_as(torch.ones(1).double()),
    torch.promote_types(torch.int32, torch.float16),
    torch.result_type(torch.ones(1), 1),
    torch.can_cast(torch.float, torch.int),
    (torch.ones(1, dtype=torch.int32) + 1.5).dtype,
    (torch.ones(1, dtype=torch.uint8) + torch.ones(1, dtype=torch.int8)).dtype,
)
t = torch.ones(2, 3)
print(
    t.untyped_storage().nbytes(),
    t.data_ptr() == t.view(-1).data_ptr(),
    t.storage_offset(),
    t[1].storage_offset(),
    t.element_size(),
    t.nelement(),
    t._version,
    t.add_(1)._version,
    t.is_leaf,
    t.ndimension(),
    t.get_device() if False else "",
    t.dim(),
    t.nbytes,
    t.itemsize,
    t.requires_grad,
    t.grad_fn,
    t.is_cuda,
    t.is_sparse,
    t.names if False else "",
)
from torch.testing import assert_close

try:
    assert_close(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]))
except AssertionError as e:
    print(e)
try:
    assert_close(torch.ones(2), torch.ones(3))
except AssertionError as e:
    print(e)
try:
    assert_close(torch.ones(2), torch.ones(2).double())
except AssertionError as e:
    print(e)
print(
    torch.allclose(t, t + 1e-9),
    torch.equal(t, t),
    torch.isclose(t, t).all(),
    t.eq(2).all().item(),
    torch.isnan(torch.tensor([float("nan")])),
    torch.isfinite(t).all(),
    torch.nan_to_num(torch.tensor([float("inf")])),
    torch.sign(torch.tensor([-2.0, 0])),
    torch.clamp(torch.arange(5), 1, 3),
    torch.lerp(torch.zeros(2), torch.ones(2), 0.3),
    torch.round(torch.tensor([0.5, 1.5, 2.345]), decimals=1),
    torch.trunc(torch.tensor(-1.5)),
    torch.frac(torch.tensor(1.25)),
    torch.hypot(torch.tensor(3.0), torch.tensor(4.0)),
    torch.deg2rad(torch.tensor(180.0)),
    torch.log1p(torch.tensor(0.5)),
    torch.expm1(torch.tensor(0.5)),
    torch.rsqrt(torch.tensor(4.0)),
    torch.erf(torch.tensor(0.5)),
    torch.lgamma(torch.tensor(3.5)),
    torch.heaviside(torch.tensor([-1.0, 0, 1]), torch.tensor(0.5)),
    torch.fft.fft(torch.arange(4.0)),
    torch.complex(torch.ones(1), torch.ones(1)).abs(),
    torch.spmm(torch.eye(2), torch.ones(2, 2)),
    torch.acos(torch.tensor(0.5)),
    torch.inf,
    torch.e,
    torch.nan,
)
