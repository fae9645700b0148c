"""Every operator of the table on many elements, one thread: which are slower than PyTorch's?

    python benchmarks/sweep.py [--sizes 1e4,1e7] [--limit 1.5] [--only TEXT] [--all] [--quick]

Both libraries run the same expressions in turns, in one process; the least time counts. A row that takes more than
`limit` times PyTorch's time is measured again, longer, and printed when it still does; the exit status is 1 then.
--all prints every row. tests/test_benchmarks.py holds the list of expressions to the operator table.
"""

import argparse
import ast
import gc
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.side_by_side import least_times, libraries

# By file of csrc/table. With n elements: x from -1/2 to 1/2, y from 1/2 to 3/2, u from 0 to 1 and w from 1 to 20 are
# float32; d float64, h bfloat16, i places in x, k from 0 to 99 (both int64), s from -128 to 127 (int32), b bool; m is x
# as rows of 100, p and q y and k so; c is m as (n / 100, 10, 10), e its first square rows (at most 1000 of 100), img an
# image batch (., 8, 16, 16), seq (., 8, 64), att (., 4, 64, 32), grid (., 16, 16, 2); z complex64. F is
# torch.nn.functional, S torch.special.
EXPRESSIONS = {
    "activation": """
        F.celu(x)  F.elu(x)  F.gelu(x)  F.gelu(x,approximate='tanh')  F.hardsigmoid(x)  F.hardswish(x)  F.hardtanh(x)
        F.leaky_relu(x)  F.logsigmoid(x)  F.mish(x)  torch.prelu(x,y[:1])  torch.relu(x)  torch.selu(x)
        torch.sigmoid(x)  F.silu(x)  F.softplus(x)  F.threshold(x,0.1,0.0)  torch.sigmoid(d)  F.gelu(h)
        F.hardshrink(x)  F.softshrink(x)  F.glu(m)""",
    "attention": """
        F.scaled_dot_product_attention(att,att,att)  F.scaled_dot_product_attention(att,att,att,is_causal=True)""",
    "arith": """
        x+y  x+2.0  torch.add(x,y,alpha=3)  d+d  h+h  k+k  s+s  m+p[0]  m.t()+p.t()  m+p[:,:1]
        torch.addcdiv(x,y,w)  torch.addcmul(x,y,w)  torch.atan2(x,y)  k&i  k|i  k^i  ~k  b&b  b|b  b^b  ~b
        torch.bitwise_left_shift(k,1)  torch.bitwise_right_shift(k,1)  torch.bitwise_and(k,3)  torch.bitwise_or(k,3)
        torch.bitwise_xor(k,3)  torch.bitwise_not(k)
        torch.copysign(x,y)  x/y  x/2.0  k/7  torch.div(x,y,rounding_mode='floor')
        torch.div(x,y,rounding_mode='trunc')  torch.div(k,i+1,rounding_mode='floor')  torch.floor_divide(x,y)  k//7
        torch.true_divide(x,y)  torch.divide(x,y)
        torch.float_power(y,2.5)  torch.fmax(x,y)  torch.fmin(x,y)  torch.fmod(w,y)  torch.fmod(i,k+1)  torch.frexp(w)
        torch.gcd(i,k)  torch.lcm(k,s)  torch.heaviside(x,y)  torch.hypot(x,y)  torch.ldexp(x,s)  torch.lerp(x,y,0.3)
        torch.lerp(x,y,u)  torch.logaddexp(x,y)  torch.logaddexp2(x,y)  torch.maximum(x,y)  torch.minimum(x,y)
        torch.maximum(k,i)  x*y  x*2.0  k*3  z*z  torch.multiply(x,y)  torch.nextafter(x,y)
        y**2  y**0.5  y**3  y**-1  y**2.5  y**x  2.5**x  d**2.5  k**2  k**3  torch.pow(h,2.5)
        w%y  w%0.7  i%(k+1)  i%7  torch.remainder(w,y)  torch.rsub(x,y)  x-y  x-1.0  torch.sub(x,y,alpha=2)
        torch.subtract(x,y)  S.xlog1py(x,y)  torch.xlogy(x,y)  x.add_(1e-9)  x.mul_(1.0)""",
    "compare": """
        torch.allclose(x,x)  x==y  torch.equal(x,x)  x>=y  x>y  torch.isclose(x,y)  torch.isfinite(x)  torch.isinf(x)
        torch.isnan(x)  torch.isneginf(x)  torch.isposinf(x)  torch.isreal(x)  x<=y  torch.logical_and(b,b)
        torch.logical_not(b)  torch.logical_or(x,y)  torch.logical_xor(b,b)  x<y  x!=y  torch.signbit(x)  x<0.1  k==3
        k<i  d<0.5  torch.ge(x,y)  torch.gt(x,y)  torch.le(x,y)  torch.lt(x,y)  torch.ne(x,y)  torch.eq(x,y)""",
    "complex": """
        torch.complex(x,y)  torch.polar(y,x)  torch.view_as_complex(pair)  torch.view_as_real(z)  z.abs()  z.angle()
        z.exp()  z+z  z/(z+1)  z.conj().resolve_conj()""",
    "conv": """
        F.conv1d(seq,w1)  F.conv2d(img,w2,padding=1)  F.conv3d(img.unsqueeze(2),w3)  F.conv_transpose1d(seq,t1)
        F.conv_transpose2d(img,t2)  F.conv_transpose3d(img.unsqueeze(2),t3)""",
    "create": """
        torch.arange(n)  torch.arange(0.0,n)  m.t().clone()  x.clone()  m.t().contiguous()  x.copy_(y)  x.copy_(d)
        torch.empty(n)  torch.empty_like(x)  torch.empty_strided((n,),(1,))  torch.eye(100)  x.fill_(0.25)
        torch.full((n,),1.5)  torch.full_like(x,1.5)  torch.linspace(0,1,n)  torch.logspace(0,1,n)  torch.ones(n)
        torch.ones_like(x)  torch.range(1,n)  x.to(torch.float64)  x.to(torch.bfloat16)  x.to(torch.int64)  k.float()
        h.float()  x.bool()  b.float()  d.float()  y.clone().zero_()  torch.zeros(n)  torch.zeros_like(x)""",
    "distance": """
        torch.cdist(e,e)  torch.cdist(e,e,1.0)  torch.cdist(e,e,3.0)  torch.cosine_similarity(m,p)
        torch.linalg.cross(v3,v3)
        torch.dist(x,y)  torch.kron(m[:10],p[:10,:10])  F.linear(m,p[:100])  F.linear(m,p[:100],y[:100])
        F.pairwise_distance(m,p)  torch.pdist(e)  torch.vdot(x,y)""",
    "embedding": """ F.embedding(i%100,p[:100])  F.embedding_bag(k[:100],p[:100],k[:10]//200) """,
    "fold": """
        F.unfold(img,3,padding=1)  F.fold(F.unfold(img,3,padding=1),(16,16),3,padding=1)  F.pixel_shuffle(img,2)
        F.pixel_unshuffle(img,2)  torch.channel_shuffle(img,2)  F.native_channel_shuffle(img,2)""",
    "resample": """
        F.interpolate(img,scale_factor=2)  F.interpolate(img,scale_factor=2,mode='bilinear')
        F.interpolate(img,scale_factor=2,mode='bicubic')  F.interpolate(seq,scale_factor=2,mode='linear')
        F.grid_sample(img,grid,align_corners=False)  F.affine_grid(theta,(len(theta),1,16,16),align_corners=False)""",
    "index": """
        m.argsort(1)  b.argwhere()  x.gather(0,i)  m.gather(1,q)  x[i]  m[i[:len(m)]%len(m)]  x[b]  m[:,k[:100]]
        x.index_add(0,i,y)  m.index_add(1,k[:100],p)  x.index_copy(0,i,y)  m.index_copy(0,r,p)  x.index_fill(0,i,1.0)
        x.index_put((i,),y)  x.index_put_((i,),y)  x.index_put((i,),y,accumulate=True)
        m.index_reduce(0,r,p,'amax')  m.index_select(0,r)  m.index_select(1,k[:100])  m.kthvalue(5,1)
        x.masked_fill(b,0.0)  x.masked_scatter(b,y)  x.masked_select(b)  m.msort()  b.nonzero()
        torch.nonzero(b,as_tuple=True)  x.clone().put_(i,y)  m.renorm(2,0,1.0)
        x.scatter(0,i,y)  m.scatter(1,q,p)  x.scatter(0,i,1.0)  x.scatter_add(0,i,y)  m.scatter_add(1,q,p)
        x.scatter_reduce(0,i,y,'amax')  x.scatter_reduce(0,i,y,'sum')  x.scatter_reduce(0,i,y,'prod')
        x.scatter_reduce(0,i,y,'mean')  m.sort(1)  x.sort()  k.sort()  m.sort(0)  x.take(i)
        m.take_along_dim(q,1)  m.topk(5,1)  x.topk(10)  torch.where(b,x,y)  torch.where(b,x,0.0)  torch.where(b)
        x.argsort()  x[10:-10]  x[::2]+1  x[None]""",
    "join": """
        torch.cat([x,y])  torch.cat([m,p],1)  torch.stack([x,y])  torch.stack([x,y],1)  torch.hstack([m,p])
        torch.vstack([m,p])  torch.concat([x,y])  torch.concatenate([x,y])""",
    "loss": """
        F.binary_cross_entropy(u,u)  F.binary_cross_entropy_with_logits(x,u)  F.cross_entropy(m,q[:,0])
        F.huber_loss(x,y)  F.kl_div(x,u)  F.l1_loss(x,y)  F.mse_loss(x,y)  F.nll_loss(m,q[:,0])
        F.smooth_l1_loss(x,y)  F.mse_loss(x,y,reduction='none')
        F.ctc_loss(m[:50].log_softmax(1).view(50,1,100),k[:10]%99+1,torch.tensor([50]),torch.tensor([10]))""",
    "matmul": """
        torch.addbmm(e10,c,c)  torch.addmm(m[:100,:10],m[:100],p[:100].t()[:,:10])  torch.addmv(m[:,0],m,y[:100])
        torch.addr(m,m[:,0],y[:100])  torch.baddbmm(c,c,c)  torch.bmm(c,c)  x.dot(y)  torch.ger(m[:,0],y[:100])
        torch.inner(x,y)  m@p[:100]  m@p[0]  p[:100]@m.t()  torch.mm(m,p[:100].t())  torch.mv(m,y[:100])
        torch.outer(m[:,0],y[:100])  m.t()@m  c@c  torch.matmul(c,y[:10])  torch.einsum('bij,bjk->bik',c,c)""",
    "norm": """
        F.batch_norm(img,y[:8],y[:8],training=True)  F.batch_norm(img,y[:8],y[:8])  F.group_norm(img,4)
        F.instance_norm(img)  F.layer_norm(m,(100,))  F.layer_norm(m,(100,),y[:100],y[:100])  F.rms_norm(m,(100,))""",
    "pad": """ F.pad(img,(1,1,1,1))  F.pad(img,(1,1,1,1),mode='reflect') """,
    "places": """
        torch.block_diag(m[:10],p[:10])  torch.diagflat(y[:100])  e.clone().fill_diagonal_(1.0)
        torch.nonzero_static(b,size=n//2)  torch.rot90(m)  m.sum_to_size(100)  e.trace()  torch.tril_indices(100,100)
        torch.triu_indices(100,100)""",
    "pool": """
        F.adaptive_avg_pool1d(seq,16)  F.adaptive_avg_pool2d(img,4)  F.adaptive_avg_pool3d(img,4)
        F.adaptive_max_pool1d(seq,16)  F.adaptive_max_pool2d(img,4)  F.adaptive_max_pool3d(img,4)  F.avg_pool1d(seq,2)
        F.avg_pool2d(img,2)  F.avg_pool3d(img,2)  F.max_pool1d(seq,2)  F.max_pool1d(seq,2,return_indices=True)
        F.max_pool2d(img,2)  F.max_pool2d(img,3,2,1)  F.max_pool2d(img,2,return_indices=True)  F.max_pool3d(img,2)
        F.max_pool3d(img,2,return_indices=True)
        F.max_unpool1d(*F.max_pool1d(seq,2,return_indices=True),2)
        F.max_unpool2d(*F.max_pool2d(img,2,return_indices=True),2)
        F.max_unpool3d(*F.max_pool3d(img,2,return_indices=True),2)  F.fractional_max_pool2d(img,2,(7,7))
        F.fractional_max_pool3d(img,2,(3,7,7))""",
    "random": """
        torch.bernoulli(u)  y.clone().bernoulli_(0.5)  y.clone().bernoulli_(u)  torch.bernoulli(u,0.3)
        y.clone().cauchy_()  torch.dropout(x,0.5,True)  y.clone().exponential_()  y.clone().geometric_(0.5)
        y.clone().log_normal_()  torch.multinomial(u[:1000],100)  y.clone().normal_()  torch.normal(0.0,u)
        torch.normal(u,1.0)  torch.normal(u,u)  torch.normal(0.0,1.0,(n,))  torch.rand(n)  torch.rand_like(x)
        torch.randint(10,(n,))  torch.randint(5,10,(n,))  torch.randint_like(x,10)  torch.randint_like(x,5,10)
        torch.randn(n)  torch.randn_like(x)  y.clone().random_(3,9)  y.clone().random_()  y.clone().random_(9)
        torch.randperm(n)  y.clone().uniform_()  F.rrelu(x,training=True)  torch.feature_dropout(img,0.5,True)
        torch.alpha_dropout(x,0.5,True)  torch.feature_alpha_dropout(img,0.5,True)  torch._standard_gamma(w)
        torch._sample_dirichlet(p)  torch.poisson(w)  torch.binomial(w.round(),u)""",
    "reduce": """
        b.all()  m.amax(1)  m.amin(0)  x.amax()  torch.aminmax(x)  b.any()  x.argmax()  m.argmax(1)  m.argmin(0)
        torch.count_nonzero(x)  m.count_nonzero(1)  x.cummax(0)  m.cummin(1)  x.cumprod(0)  m.cumprod(1)  x.cumsum(0)
        m.cumsum(1)  m.cumsum(0)  m.logcumsumexp(1)  x.max()  m.max(1)  m.max(0)  torch.max(x,y)  x.mean()  m.mean(1)
        m.mean(0)  x.median()  m.median(1)  x.min()  m.min(1)  torch.min(x,y)  q.mode(1)  m.nanmean(1)  x.nanmedian()
        m.nanmedian(1)  x[:10000].nanquantile(0.3)  x.nansum()  x.norm()  m.norm(dim=1)  m.norm(1,1)  m.norm(3,1)
        x.prod()  m.prod(1)  x[:10000].quantile(0.3)  m[:100].quantile(u[:5],1)  x.std()  m.std(1)
        torch.std_mean(m,1)  x.sum()  m.sum(1)  m.sum(0)  d.sum()  h.sum()  k.sum()  b.sum()  x.var()  m.var(1)  m.var(0)
        torch.var_mean(m,1)  m.t().sum(0)  c.sum((0,2))  c.sum(1)  k.max()  s.min()  k.prod()""",
    "rnn": """
        torch.lstm(xs,(hs,hs),g4,True,1,0.0,False,False,False)  torch.gru(xs,hs,g3,True,1,0.0,False,False,False)
        torch.rnn_tanh(xs,hs,g1,True,1,0.0,False,False,False)  torch.rnn_relu(xs,hs,g1,True,1,0.0,False,False,False)
        torch.gru(xs.flatten(0,1),steps,hs,g3,True,1,0.0,False,False)
        torch.lstm_cell(xs[0],(hs[0],hs[0]),*g4)  torch.gru_cell(xs[0],hs[0],*g3)  torch.rnn_tanh_cell(xs[0],hs[0],*g1)
        torch.rnn_relu_cell(xs[0],hs[0],*g1)  torch._pack_padded_sequence(xs,lengths,False)
        torch._pad_packed_sequence(xs.flatten(0,1),steps,False,0.0,0)
        torch.nn.utils.rnn.pad_sequence([x[:n//2],x,x[:n//3]])""",
    "search": """
        torch.histc(x,50)  torch.histogram(x,50)  torch.histogram(x,u[:50].sort().values)  torch.bincount(k)
        torch.unique(k)  torch.unique(i)  torch.unique(x)  torch.unique(q[:100],dim=0)  torch.unique_consecutive(k)
        torch.unique_consecutive(k,return_inverse=True,return_counts=True)  torch.bucketize(y,y[:100].sort().values)
        torch.isin(i,k[:100])  torch.isin(k,5)  torch.searchsorted(y[:100].sort().values,y)""",
    "softmax": """
        m.log_softmax(1)  m.log_softmax(0)  m.logsumexp(1)  m.softmax(1)  m.softmax(0)  c.softmax(1)  d.softmax(0)""",
    "special": """
        torch.digamma(w)  torch.erfinv(x)  torch.i0(w)  torch.igamma(w,y)  torch.igammac(w,y)  torch.lgamma(w)
        torch.lgamma(x)  torch.mvlgamma(w,1)  torch.polygamma(1,w)  torch.polygamma(2,w)  S.airy_ai(x)  S.bessel_j0(w)
        S.bessel_j1(w)  S.bessel_y0(w)  S.bessel_y1(w)  S.chebyshev_polynomial_t(x,5)  S.chebyshev_polynomial_u(x,5)
        S.chebyshev_polynomial_v(x,5)  S.chebyshev_polynomial_w(x,5)  S.erfcx(w)  S.erfcx(x)
        S.hermite_polynomial_h(x,5)  S.hermite_polynomial_he(x,5)  S.i0e(w)  S.i1(w)  S.i1e(w)
        S.laguerre_polynomial_l(x,5)  S.legendre_polynomial_p(x,5)  S.log_ndtr(x)  S.log_ndtr(-w)  S.modified_bessel_i0(w)
        S.modified_bessel_i1(w)  S.modified_bessel_k0(w)  S.modified_bessel_k1(w)  S.ndtr(x)  S.ndtri(u)
        S.scaled_modified_bessel_k0(w)  S.scaled_modified_bessel_k1(w)  S.shifted_chebyshev_polynomial_t(u,5)
        S.shifted_chebyshev_polynomial_u(u,5)  S.shifted_chebyshev_polynomial_v(u,5)
        S.shifted_chebyshev_polynomial_w(u,5)  S.spherical_bessel_j0(w)  S.zeta(w+1,y)  torch.lgamma(d)  torch.erfinv(d)
        S.i0(x)  S.bessel_j0(x)  S.bessel_j1(x)  S.bessel_y0(y)  S.bessel_y1(y)  S.modified_bessel_k0(y)""",
    "unary": """
        x.abs()  x.absolute()  x.acos()  w.acosh()  x.angle()  x.asin()  x.asinh()  x.atan()  x.atanh()  x.ceil()
        x.clamp(-0.2,0.2)  x.clamp(x,y)  x.clamp_max(0.1)  x.clamp_min(0.1)  x.clip(0.0,1.0)  x.conj()
        x.conj_physical()  x.cos()  x.cosh()  x.deg2rad()  x.erf()  x.erfc()  w.erfc()  x.exp()  x.exp2()  x.expm1()
        x.floor()  x.frac()  z.imag+0  u.log()  u.log10()  u.log1p()  u.log2()  u.logit()  x.nan_to_num()  -x  x.neg()
        x.negative()  +x  x.positive()  torch.rad2deg(x)  z.real+0  x.reciprocal()  x.resolve_conj()  x.resolve_neg()
        x.round()  x.round(decimals=2)  y.rsqrt()  x.sgn()  x.sign()  x.sin()  torch.sinc(x)  x.sinh()
        S.entr(u)  y.sqrt()  x.square()  x.tan()  x.tanh()  x.trunc()  d.exp()  d.log()  d.sin()  d.tanh()  d.erf()
        h.exp()  k.abs()  -k  (w*100).sin()""",
    "view": """
        x.as_strided((n//2,),(2,))  x.broadcast_to(2,n)  x.chunk(4)  e.diag()  y[:100].diag()  torch.diag_embed(m[:100])
        e.diagonal()  x.expand(2,n)  x.expand_as(x)  m.flatten()  x.flip(0)  m.flip(1)  m.fliplr()  m.flipud()
        m.movedim(0,1)  m.moveaxis(0,1)  x.narrow(0,1,10)  m.permute(1,0)  torch.permute(m,(1,0))  m.ravel()
        m.t().reshape(-1)  x.repeat(2)  m.repeat(1,2)  x.repeat_interleave(2)  torch.repeat_interleave(k)
        m.repeat_interleave(2,dim=0)  x.repeat_interleave(k%3)  m.t().reshape_as(x)  x.roll(3)  m.roll(1,1)  m.select(0,1)
        x.split(n//4)  x.split([n//2,n//2])  m.squeeze()  m.unsqueeze(0).squeeze(0)  m.swapaxes(0,1)  m.swapdims(0,1)
        m.t()  x.tensor_split(3)  x.tensor_split((2,5))  x.tile(2)  m.transpose(0,1)  m.tril()  e.tril()  m.triu()
        m[:100].unbind()  x.unflatten(0,(-1,100))  x.unfold(0,3,1)  x.unsqueeze(0)  x.view(-1,10)  x.view_as(x)
        x.view(torch.int32)  m.hsplit(2)  m.hsplit((2,5))  m[:100].vsplit(2)  m.vsplit((2,5))  c.dsplit(2)  c.dsplit((2,5))
        x.split_with_sizes([n//2,n//2])""",
    "view_copy": """
        torch.alias_copy(x)  torch.as_strided_copy(x,(n//2,),(2,))  torch.detach_copy(x)  torch.diagonal_copy(e)
        torch.expand_copy(x,(2,n))  torch.narrow_copy(x,0,1,n//2)  torch.permute_copy(m,(1,0))  torch.select_copy(m,1,3)
        torch.slice_copy(x,0,2,n//2)  torch.split_copy(x,n//4)  torch.split_with_sizes_copy(x,[n//2,n//2])
        torch.squeeze_copy(m)  torch.squeeze_copy(m,(0,1))  torch.t_copy(m)  torch.transpose_copy(m,0,1)
        torch.unbind_copy(m[:100])  torch.unfold_copy(x,0,3,2)  torch.unsafe_chunk(x,4)  torch.unsafe_split(x,n//4)
        torch.unsafe_split_with_sizes(x,[n//2,n//2])  torch.unsqueeze_copy(x,0)  torch.view_copy(x,(-1,10))
        torch.view_copy(x,torch.int32)  torch.view_as_real_copy(z)  torch.view_as_complex_copy(pair)""",
    "view_scatter": """
        torch.as_strided_scatter(x,y[:100],(100,),(2,))  torch.diagonal_scatter(e,y[:len(e)])  m.select_scatter(p[0],0,1)
        x.slice_scatter(y[:n//2],0,0,n//2)""",
    "linalg": """
        torch.linalg.inv(sq)  torch.linalg.solve(sq,sq[:,:2])  torch.linalg.cholesky(spd)  torch.linalg.qr(sq)
        torch.linalg.lu_factor(sq)  torch.linalg.solve_triangular(sq,sq,upper=True)  torch.linalg.svd(sq)
        torch.linalg.svdvals(sq)  torch.linalg.eigh(spd)  torch.linalg.eigvalsh(spd)  torch.linalg.det(sq)
        torch.linalg.slogdet(sq)  torch.linalg.lstsq(sq,sq[:,:2])  torch.linalg.pinv(sq)  torch.linalg.matrix_rank(sq)
        torch.linalg.matrix_exp(sq)  torch.linalg.matrix_power(sq,3)  torch.linalg.norm(sq)  torch.linalg.norm(sq,2)
        torch.linalg.inv(st)  torch.linalg.solve(st,st[...,:2])  torch.linalg.cholesky(sspd)  torch.linalg.qr(st)
        torch.linalg.lu_factor(st)  torch.linalg.solve_triangular(st,st,upper=True)  torch.linalg.svd(st)
        torch.linalg.svdvals(st)  torch.linalg.eigh(sspd)  torch.linalg.eigvalsh(sspd)  torch.linalg.det(st)
        torch.linalg.slogdet(st)  torch.linalg.pinv(st)  torch.linalg.matrix_exp(st)  torch.linalg.matrix_power(st,3)
        torch.linalg.inv(st[0])  torch.linalg.solve(st[0],st[0])  torch.linalg.cholesky(sspd[0])  torch.linalg.qr(st[0])
        torch.linalg.lu_factor(st[0])  torch.linalg.solve_triangular(st[0],st[0],upper=True)  torch.linalg.svd(st[0])
        torch.linalg.eigh(sspd[0])  torch.linalg.det(st[0])  torch.linalg.vector_norm(x)  torch.linalg.vecdot(m,p)
        torch.linalg.multi_dot([sq,sq,sq])  torch.cholesky_solve(sq,spd)  torch.cholesky_inverse(spd)  torch.lu_solve(sq,*torch.linalg.lu_factor(sq))""",
    "fft": """
        torch.fft.fft(x)  torch.fft.rfft(x)  torch.fft.rfft(m)  torch.fft.fft(z)  torch.fft.fft2(c)  torch.fft.irfft(z)""",
}


def tensors(torch: ModuleType, n: int) -> dict[str, Any]:
    """The names that expressions use; n elements where nothing else is said above."""
    torch.manual_seed(0)
    x, y, u = torch.rand(n) - 0.5, torch.rand(n) + 0.5, torch.rand(n)
    k, i, s = torch.randint(0, 100, (n,)), torch.randint(0, n, (n,)), torch.randint(-128, 128, (n,)).int()
    m, side = x.view(-1, 100), min(n // 100, 1000)
    sq, st = torch.rand(100, 100) + 10 * torch.eye(100), torch.rand(n // 16, 4, 4)[:6250] + 2 * torch.eye(4)
    batch = max(n // 1024, 1)  # of sequences of 16 steps
    gates = {
        f"g{k}": [torch.rand(64 * k, 64) - 0.5 for _ in "xh"] + [torch.rand(64 * k) for _ in "xh"] for k in (1, 3, 4)
    }
    return gates | {
        "xs": torch.rand(16, batch, 64), "hs": torch.rand(1, batch, 64), "steps": torch.full((16,), batch),
        "lengths": torch.full((batch,), 16),
        "torch": torch, "F": torch.nn.functional, "S": torch.special, "n": n, "x": x, "y": y, "u": u,
        "w": 19 * u + 1, "d": x.double(), "h": x.bfloat16(), "i": i, "k": k, "s": s, "b": x > 0, "m": m,
        "p": y.view(-1, 100), "q": k.view(-1, 100), "c": m.view(-1, 10, 10), "e": m[:side], "e10": torch.rand(10, 10),
        "r": torch.randperm(n // 100), "z": torch.complex(x, y), "pair": torch.rand(n // 2, 2),
        "v3": torch.rand(n // 3, 3), "img": torch.rand(max(n // 2048, 1), 8, 16, 16),
        "seq": torch.rand(n // 512, 8, 64), "w1": torch.rand(8, 8, 3), "w2": torch.rand(8, 8, 3, 3),
        "att": torch.rand(max(n // 32768, 1), 4, 64, 32), "grid": 2 * torch.rand(max(n // 2048, 1), 16, 16, 2) - 1,
        "theta": torch.rand(max(n // 512, 1), 2, 3), "w3": torch.rand(8, 8, 1, 3, 3), "t1": torch.rand(8, 8, 3), "t2": torch.rand(8, 8, 3, 3),
        "t3": torch.rand(8, 8, 1, 3, 3), "sq": sq, "spd": sq @ sq.T, "st": st, "sspd": st @ st.mT,
    }  # fmt: skip


def expressions() -> list[tuple[str, str]]:
    """(family, expression) of every row."""
    rows = []
    for family, text in EXPRESSIONS.items():
        words = [part.strip() for line in text.splitlines() for part in line.split("  ")]
        rows += [(family, word) for word in words if word]
    return rows


def names_used(expression: str) -> set[str]:
    """What an expression calls: functions, methods and, for operators, their names."""
    spelled = {
        ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.Mod: "remainder",
        ast.FloorDiv: "floor_divide", ast.MatMult: "matmul", ast.Subscript: "index", ast.Slice: "slice",
    }  # fmt: skip
    nodes = list(ast.walk(ast.parse(expression)))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return names | {spelled[type(node)] for node in nodes if type(node) in spelled}


def measure(tables: dict[str, dict], expression: str, rounds: int, seconds: float) -> dict[str, float]:
    code = compile(f"lambda: {expression}", expression, "eval")
    functions = {name: eval(code, table) for name, table in tables.items()}  # noqa: S307 - our own list above
    return least_times(functions, rounds, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="1e4,1e7", help="numbers of elements (1e4,1e7)")
    parser.add_argument("--limit", type=float, default=1.5, help="times PyTorch's time (1.5)")
    parser.add_argument("--only", default="", help="rows whose family or expression contains this")
    parser.add_argument("--all", action="store_true", help="print every row")
    parser.add_argument("--quick", action="store_true", help="shorter rounds")
    args = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of NumPy and SciPy, before they are imported
    modules = libraries()
    if "torch" not in modules:
        raise SystemExit("sweep: PyTorch is not installed, there is nothing to compare with")
    gc.disable()
    slow = 0
    for n in (int(float(size)) for size in args.sizes.split(",")):
        tables = {name: tensors(module, n) for name, module in modules.items()}
        rows = [row for row in expressions() if args.only in " ".join(row)]
        print(f"{n:.0e} elements{'':50}{'rushlight':>11}{'PyTorch':>11}{'times':>7}", flush=True)
        many = n >= 1e6
        rounds, seconds = (2, 0.0) if many else (2 if args.quick else 4, 0.004)
        worse = []
        start = time.perf_counter()
        for family, expression in rows:
            best = measure(tables, expression, rounds, seconds)
            if set(best) != set(tables):
                why = ", ".join(set(tables) - set(best))
                print(f"  {family}: {expression}: fails in {why}", flush=True)
                slow += "torch" in best
                continue
            for _ in range(3):  # a slow second of the machine?
                if best["rushlight"] <= args.limit * best["torch"]:
                    break
                again = measure(tables, expression, rounds + 1, 8 * seconds)
                best = {name: min(took, again[name]) for name, took in best.items()}
            times = best["rushlight"] / best["torch"]
            worse.append(times > args.limit)
            if args.all or worse[-1]:
                us = [f"{best[name] * 1e6:>8.1f} us" for name in tables]
                print(f"  {family + ': ' + expression:<62}{us[0]}{us[1]}{times:>7.2f}", flush=True)
        slow += sum(worse)
        took = time.perf_counter() - start
        print(f"{sum(worse)} of {len(worse)} rows above {args.limit:g} times PyTorch's time ({took:.0f} s)")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
