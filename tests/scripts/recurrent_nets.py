"""A character RNN from scratch, RNN, GRU and LSTM, packed sequences and cells."""

import math
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import (
    pack_padded_sequence,
    pad_packed_sequence,
    pad_sequence,
)

torch.manual_seed(3)
text = (
    "the time traveller for so it will be convenient to speak of him was expounding a recondite matter to us "
    * 4
)
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
corpus = torch.tensor([stoi[c] for c in text])
V = len(chars)
print(V, corpus[:10])


def get_params(V, H):
    def normal(s):
        return torch.randn(size=s) * 0.01
    ps = [normal((V, H)), normal((H, H)), torch.zeros(H), normal((H, V)), torch.zeros(V)]
    for p in ps:
        p.requires_grad_(True)
    return ps


def rnn(inputs, state, params):
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outs = []
    for X in inputs:
        H = torch.tanh(torch.mm(X, W_xh) + torch.mm(H, W_hh) + b_h)
        outs.append(torch.mm(H, W_hq) + b_q)
    return torch.cat(outs, dim=0), (H,)


def grad_clipping(params, theta):
    norm = torch.sqrt(sum(torch.sum((p.grad**2)) for p in params))
    if norm > theta:
        for p in params:
            p.grad[:] *= theta / norm


params = get_params(V, 32)
state = (torch.zeros(4, 32),)
T = 8
for step in range(12):
    off = step * 8
    idx = torch.stack([corpus[off + 20 * k : off + 20 * k + T + 1] for k in range(4)])
    X, Y = idx[:, :-1], idx[:, 1:]
    state = tuple(s.detach_() for s in state)
    out, state = rnn(F.one_hot(X.T, V).type(torch.float32), state, params)
    l = F.cross_entropy(out, Y.T.reshape(-1).long()).mean()
    for p in params:
        if p.grad is not None:
            p.grad.zero_()
    l.backward()
    grad_clipping(params, 1)
    with torch.no_grad():
        for p in params:
            p -= 1.0 * p.grad
    print(step, round(math.exp(l.item()), 4))


class RNNModel(nn.Module):
    def __init__(self, kind, V, E, H, L=2):
        super().__init__()
        self.emb = nn.Embedding(V, E)
        self.rnn = getattr(nn, kind)(E, H, L, batch_first=True, dropout=0.2)
        self.fc = nn.Linear(H, V)

    def forward(self, x, s=None):
        o, s = self.rnn(self.emb(x), s)
        return self.fc(o), s


for kind in ("RNN", "GRU", "LSTM"):
    m = RNNModel(kind, V, 16, 24)
    print(m)
    opt = torch.optim.Adam(m.parameters(), lr=5e-3)
    for step in range(6):
        i = torch.randint(0, len(corpus) - 21, (8,))
        x = torch.stack([corpus[k : k + 20] for k in i])
        y = torch.stack([corpus[k + 1 : k + 21] for k in i])
        o, _ = m(x)
        l = F.cross_entropy(o.reshape(-1, V), y.view(-1))
        opt.zero_grad()
        l.backward()
        gn = nn.utils.clip_grad_norm_(m.parameters(), 0.5)
        opt.step()
        print(kind, step, l.item(), gn)
    m.eval()
    x = corpus[:5][None]
    s = None
    outs = []
    with torch.no_grad():
        for _ in range(30):
            o, s = m(x, s)
            p = F.softmax(o[:, -1] / 0.8, dim=-1)
            x = torch.multinomial(p, 1)
            outs.append(chars[x.item()])
    print(repr("".join(outs)))
seqs = [torch.randn(n, 3) for n in (5, 2, 4)]
pad = pad_sequence(seqs, batch_first=True)
print(pad.shape, pad[1])
lens = torch.tensor([len(s) for s in seqs])
pk = pack_padded_sequence(pad, lens, batch_first=True, enforce_sorted=False)
print(pk)
bi = nn.LSTM(3, 4, bidirectional=True, batch_first=True)
o, (h, c) = bi(pk)
un, l2 = pad_packed_sequence(o, batch_first=True)
print(un, l2, h.shape, c.sum())
try:
    nn.GRU(3, 4)(torch.randn(2, 2, 5))
except RuntimeError as e:
    print(e)
try:
    pack_padded_sequence(pad, lens, batch_first=True)
except RuntimeError as e:
    print(e)
cell = nn.LSTMCell(3, 4)
hx = torch.zeros(2, 4), torch.zeros(2, 4)
for t in range(3):
    hx = cell(torch.ones(2, 3) * t, hx)
print(hx, cell, nn.GRUCell(3, 4)(torch.ones(2, 3)))
for n, p in bi.named_parameters():
    print(n, tuple(p.shape))
print(bi.weight_ih_l0.shape, bi.all_weights[0][1].shape, bi.flatten_parameters())
