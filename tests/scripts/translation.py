"""A sequence-to-sequence model with attention, masks, MultiheadAttention, Transformer."""

import random
import torch
from torch import nn
import torch.nn.functional as F

random.seed(5)
torch.manual_seed(5)
SOS, EOS, PAD = 0, 1, 2
V = 10
MAXL = 7
device = torch.device("cpu")


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size, dropout_p=0.1):
        super(EncoderRNN, self).__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(input_size, hidden_size, padding_idx=PAD)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(dropout_p)

    def forward(self, input):
        return self.gru(self.dropout(self.embedding(input)))


class BahdanauAttention(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.Wa = nn.Linear(h, h)
        self.Ua = nn.Linear(h, h)
        self.Va = nn.Linear(h, 1)

    def forward(self, query, keys, mask=None):
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2).unsqueeze(1)
        if mask is not None:
            scores = scores.masked_fill(mask.unsqueeze(1), float("-inf"))
        weights = F.softmax(scores, dim=-1)
        return torch.bmm(weights, keys), weights


class AttnDecoderRNN(nn.Module):
    def __init__(self, h, out, p=0.1):
        super().__init__()
        self.embedding = nn.Embedding(out, h)
        self.attention = BahdanauAttention(h)
        self.gru = nn.GRU(2 * h, h, batch_first=True)
        self.out = nn.Linear(h, out)
        self.dropout = nn.Dropout(p)

    def forward(self, enc_o, enc_h, target=None, mask=None):
        B = enc_o.size(0)
        inp = torch.empty(B, 1, dtype=torch.long, device=device).fill_(SOS)
        h = enc_h
        outs = []
        att = []
        for i in range(MAXL):
            o, h, a = self.step(inp, h, enc_o, mask)
            outs.append(o)
            att.append(a)
            if target is not None:
                inp = target[:, i].unsqueeze(1)
            else:
                _, topi = o.topk(1)
                inp = topi.squeeze(-1).detach()
        return F.log_softmax(torch.cat(outs, dim=1), dim=-1), h, torch.cat(att, dim=1)

    def step(self, inp, h, enc, mask):
        e = self.dropout(self.embedding(inp))
        c, a = self.attention(h.permute(1, 0, 2), enc, mask)
        o, h = self.gru(torch.cat((e, c), dim=2), h)
        return self.out(o), h, a


def batch(n):
    src = torch.full((n, MAXL), PAD)
    tgt = torch.full((n, MAXL), PAD, dtype=torch.long)
    for i in range(n):
        L = random.randint(2, MAXL - 1)
        s = torch.randint(3, V, (L,))
        src[i, :L] = s
        src[i, L] = EOS
        tgt[i, :L] = s.flip(0)
        tgt[i, L] = EOS
    return src, tgt


enc, dec = EncoderRNN(V, 32), AttnDecoderRNN(32, V)
print(enc, dec)
eo, do = torch.optim.Adam(enc.parameters(), lr=0.01), torch.optim.Adam(dec.parameters(), lr=0.01)
crit = nn.NLLLoss(ignore_index=PAD)
for it in range(25):
    s, t = batch(16)
    eo.zero_grad()
    do.zero_grad()
    o, h = enc(s)
    d, _, a = dec(o, h, t, s == PAD)
    l = crit(d.view(-1, d.size(-1)), t.view(-1))
    l.backward()
    eo.step()
    do.step()
    if it % 5 == 0:
        print("%d %.4f" % (it, l.item()))
enc.eval()
dec.eval()
with torch.no_grad():
    s, t = batch(3)
    o, h = enc(s)
    d, _, a = dec(o, h, mask=s == PAD)
    print(s, d.topk(1)[1].squeeze())
    torch.set_printoptions(precision=3, sci_mode=False)
    print(a[0])
    torch.set_printoptions(profile="default")


def sequence_mask(X, valid_len, value=0):
    maxlen = X.size(1)
    mask = (
        torch.arange((maxlen), dtype=torch.float32, device=X.device)[None, :] < valid_len[:, None]
    )
    X[~mask] = value
    return X


print(
    sequence_mask(torch.tensor([[1, 2, 3], [4, 5, 6]]), torch.tensor([1, 2])),
    sequence_mask(torch.ones(2, 3, 4), torch.tensor([1, 2]), value=-1),
)
print(
    torch.repeat_interleave(torch.tensor([1, 2]), repeats=3, dim=0),
    torch.repeat_interleave(torch.tensor([[1, 2], [3, 4]]), torch.tensor([1, 2]), dim=0),
)
mha = nn.MultiheadAttention(32, 4, dropout=0.0, batch_first=True)
q = torch.randn(2, 5, 32)
o, w = mha(q, q, q, key_padding_mask=torch.tensor([[0] * 5, [0, 0, 0, 1, 1]]).bool())
print(mha, o[1, 0, :5], w)
m = nn.Transformer(
    d_model=16, nhead=2, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=32, dropout=0.0
)
o = m(
    torch.rand(5, 2, 16),
    torch.rand(4, 2, 16),
    tgt_mask=nn.Transformer.generate_square_subsequent_mask(4),
)
print(o.shape, o[0, 0], m)
