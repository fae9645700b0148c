"""An n-gram model, skip-grams, matrix factorisation and a text classifier."""

import torch
import random
from torch import nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(1)
random.seed(1)
CONTEXT_SIZE = 2
EMBEDDING_DIM = 10
test_sentence = """When forty winters shall besiege thy brow, And dig deep trenches in thy beauty's field, Thy youth's proud livery so gazed on now, Will be a totter'd weed of small worth held""".split()
ngrams = [
    ([test_sentence[i - j - 1] for j in range(CONTEXT_SIZE)], test_sentence[i])
    for i in range(CONTEXT_SIZE, len(test_sentence))
]
vocab = sorted(set(test_sentence))
w2i = {w: i for i, w in enumerate(vocab)}


class NGramLanguageModeler(nn.Module):
    def __init__(self, vocab_size, embedding_dim, context_size):
        super().__init__()
        self.embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.linear1 = nn.Linear(context_size * embedding_dim, 128)
        self.linear2 = nn.Linear(128, vocab_size)

    def forward(self, inputs):
        return F.log_softmax(
            self.linear2(F.relu(self.linear1(self.embeddings(inputs).view((1, -1))))), dim=1
        )


losses = []
model = NGramLanguageModeler(len(vocab), EMBEDDING_DIM, CONTEXT_SIZE)
optimizer = optim.SGD(model.parameters(), lr=0.001)
lf = nn.NLLLoss()
for epoch in range(3):
    total_loss = 0
    for context, target in ngrams:
        model.zero_grad()
        lp = model(torch.tensor([w2i[w] for w in context], dtype=torch.long))
        loss = lf(lp, torch.tensor([w2i[target]], dtype=torch.long))
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
    losses.append(total_loss)
print(losses)
print(model.embeddings.weight[w2i["thy"]])


class SkipGram(nn.Module):
    def __init__(self, V, D):
        super().__init__()
        self.u = nn.Embedding(V, D, sparse=False)
        self.v = nn.Embedding(V, D, sparse=False)
        r = 0.5 / D
        self.u.weight.data.uniform_(-r, r)
        self.v.weight.data.uniform_(-0, 0)

    def forward(self, pos_u, pos_v, neg_v):
        eu, ev, nv = self.u(pos_u), self.v(pos_v), self.v(neg_v)
        score = F.logsigmoid(torch.sum(torch.mul(eu, ev), dim=1).squeeze())
        neg = F.logsigmoid(-1 * torch.bmm(nv, eu.unsqueeze(2)).squeeze())
        return -1 * (torch.sum(score) + torch.sum(neg))


V = len(vocab)
freq = torch.tensor([test_sentence.count(w) for w in vocab], dtype=torch.float) ** 0.75
sg = SkipGram(V, 8)
op = optim.Adagrad(sg.parameters(), lr=0.1)
ids = torch.LongTensor([w2i[w] for w in test_sentence])
for ep in range(5):
    neg = torch.multinomial(freq, (len(ids) - 1) * 4, replacement=True).view(-1, 4)
    l = sg(ids[:-1], ids[1:], neg)
    op.zero_grad()
    l.backward()
    op.step()
    print(ep, l.item())
W = F.normalize(sg.u.weight.detach(), dim=1)
sim = W @ W.t()
vals, idx = sim.topk(3, dim=1)
print(vals[:3], idx[:3])
print(F.cosine_similarity(W[0], W[1], dim=0), torch.cdist(W[:2], W[2:4]))


# matrix factorisation and EmbeddingBag
class MF(nn.Module):
    def __init__(self, U, I, K):
        super().__init__()
        self.P = nn.Embedding(U, K)
        self.Q = nn.Embedding(I, K)
        self.ub = nn.Embedding(U, 1)
        self.ib = nn.Embedding(I, 1)

    def forward(self, u, i):
        return (self.P(u) * self.Q(i)).sum(1) + self.ub(u).squeeze() + self.ib(i).squeeze()


mf = MF(20, 30, 4)
u = torch.randint(20, (200,))
i = torch.randint(30, (200,))
r = torch.randint(1, 6, (200,)).float()
o = optim.Adam(mf.parameters(), lr=0.02, weight_decay=1e-5)
for e in range(10):
    p = mf(u, i)
    l = F.mse_loss(p, r)
    o.zero_grad()
    l.backward()
    o.step()
print(l, torch.sqrt(l).item(), mf.P.weight.grad.abs().sum())


class TextClassificationModel(nn.Module):
    def __init__(self, V, E, C):
        super().__init__()
        self.embedding = nn.EmbeddingBag(V, E, sparse=False, mode="mean")
        self.fc = nn.Linear(E, C)
        self.init_weights()

    def init_weights(self):
        self.embedding.weight.data.uniform_(-0.5, 0.5)
        self.fc.weight.data.uniform_(-0.5, 0.5)
        self.fc.bias.data.zero_()

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


def collate_batch(batch):
    ll, tl, offs = [], [], [0]
    for _t, _l in batch:
        ll.append(_l)
        t = torch.tensor(_t, dtype=torch.int64)
        tl.append(t)
        offs.append(t.size(0))
    return torch.tensor(ll, dtype=torch.int64), torch.cat(tl), torch.tensor(offs[:-1]).cumsum(dim=0)


ds = [
    ([random.randrange(30) for _ in range(random.randrange(1, 8))], random.randrange(3))
    for _ in range(50)
]
dl = torch.utils.data.DataLoader(ds, batch_size=8, shuffle=True, collate_fn=collate_batch)
tm = TextClassificationModel(30, 8, 3)
print(tm)
o = optim.SGD(tm.parameters(), lr=5.0)
from torch.utils.data.dataset import random_split

tr, va = random_split(ds, [40, 10])
print(len(tr), va.indices)
for ep in range(3):
    acc = cnt = 0
    for idx, (lab, tx, off) in enumerate(dl):
        o.zero_grad()
        pr = tm(tx, off)
        l = F.cross_entropy(pr, lab)
        l.backward()
        nn.utils.clip_grad_norm_(tm.parameters(), 0.1)
        o.step()
        acc += (pr.argmax(1) == lab).sum().item()
        cnt += lab.size(0)
    print(f"| epoch {ep:3d} | {idx:5d}/{len(dl):5d} batches | accuracy {acc / cnt:8.3f} {l:.5f}")
