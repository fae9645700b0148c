"""Trains small models and prints a digest of every parameter's bytes: the subject of test_same_bits.py.

    RUSHLIGHT_ISA=avx2 RUSHLIGHT_NUM_THREADS=2 python tests/train_bytes.py
"""

import hashlib

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F


def digest(model: nn.Module) -> str:
    """SHA-256 of all parameters, in order."""
    h = hashlib.sha256()
    for p in model.parameters():
        h.update(bytes(memoryview(p.detach().contiguous())))
    return h.hexdigest()[:16]


class FixedHiddenMLP(nn.Module):
    """A model whose forward pass loops: constant weights, one layer used twice."""

    def __init__(self):
        super().__init__()
        self.rand_weight = torch.rand((20, 20), requires_grad=False)
        self.linear = nn.Linear(20, 20)

    def forward(self, X):
        X = self.linear(X)
        X = F.relu(torch.mm(X, self.rand_weight) + 1)
        X = self.linear(X)
        while X.abs().sum() > 1:
            X /= 2
        return X.sum()


def document() -> str:
    """The nested models of the construction chapter, trained with momentum."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16))
    model = nn.Sequential(body, nn.Linear(16, 20), FixedHiddenMLP())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-3, nesterov=True)
    for _ in range(10):
        optimizer.zero_grad()
        model(torch.rand(2, 20)).backward()
        optimizer.step()
    return digest(model)


def digits() -> str:
    """An MLP on scikit-learn's digits, with Adam and cross-entropy."""
    from sklearn.datasets import load_digits

    data = load_digits()
    X = torch.tensor(data.data, dtype=torch.float32) / 16
    y = torch.tensor(data.target)
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(2):
        order = torch.randperm(len(X))
        for k in range(0, len(X), 100):
            batch = order[k : k + 100]
            optimizer.zero_grad()
            F.cross_entropy(model(X[batch]), y[batch]).backward()
            optimizer.step()
    return digest(model)


def wide() -> str:
    """Layers large enough that the work is split over threads; other activations, softmax, norms, mse."""
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(300, 400), nn.Tanh(), nn.Linear(400, 200), nn.GELU(), nn.Linear(200, 30))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    X, target = torch.randn(300, 300), torch.rand(300, 30)
    for _ in range(2):
        optimizer.zero_grad()
        out = model(X)
        loss = F.mse_loss(out.softmax(1), target) + out.std() + out.log_softmax(0).mean() + X.exp().sum() * 1e-9
        loss.backward()
        optimizer.step()
    return digest(model)


def layers() -> str:
    """Losses of alignments and margins, bags of rows, layers that draw random numbers."""
    torch.manual_seed(3)
    x, table = torch.rand(37, 5, 13).requires_grad_(), nn.EmbeddingBag(50, 67, mode="sum")
    labels = torch.randint(1, 13, (5, 9))
    loss = F.ctc_loss(x.log_softmax(-1), labels, (37, 30, 20, 37, 5), (9, 3, 0, 7, 2))
    for mode in ("sum", "mean", "max"):
        bags = F.embedding_bag(torch.randint(0, 50, (11, 7)), table.weight, mode=mode)
        loss = loss + F.triplet_margin_loss(bags, bags.flip(0), bags.roll(1, 0))
    for layer in (nn.AlphaDropout(), nn.Dropout2d(), nn.RReLU(), nn.GLU(), nn.Softshrink()):
        loss = loss + layer(torch.rand(3, 4, 6, 6) - 0.5).square().sum()
    loss.backward()
    table.results = nn.ParameterList([x.grad, table.weight.grad, loss.detach()])
    return digest(table)


def recurrent() -> str:
    """An LSTM with projections and a GRU on packed sequences, with enough of a batch for several threads."""
    torch.manual_seed(3)
    lstm, gru = nn.LSTM(30, 64, 2, dropout=0.2, proj_size=20), nn.GRU(20, 40, bidirectional=True)
    model = nn.ModuleList([lstm, gru])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, lengths = torch.rand(12, 70, 30), torch.arange(70).flip(0) // 6 + 1
    for _ in range(2):
        optimizer.zero_grad()
        packed = nn.utils.rnn.pack_padded_sequence(lstm(x)[0], lengths)
        gru(packed)[0].data.square().sum().backward()
        optimizer.step()
    return digest(model)


def attention() -> str:
    """Attention over several tiles and heads: masks, causality, dropout, shared heads; a transformer."""
    torch.manual_seed(4)
    results = nn.ParameterList()
    for options in (
        {"is_causal": True},
        {"attn_mask": torch.rand(150, 140) > 0.3},
        {"attn_mask": torch.randn(1, 140), "dropout_p": 0.2},
        {"dropout_p": 0.1, "scale": -0.4, "enable_gqa": True},
    ):
        few = (6, 1) if "enable_gqa" in options else (6, 2)
        shapes = ((6, 2, 150, 3), (*few, 140, 3), (*few, 140, 5))
        q, k, v = (torch.randn(*shape).requires_grad_() for shape in shapes)
        F.scaled_dot_product_attention(q, k, v, **options).square().sum().backward()
        results.extend([q.grad, k.grad, v.grad])
    q = torch.randn(2, 2, 9, 4).bfloat16().requires_grad_()
    F.scaled_dot_product_attention(q, q, q).sum().backward()
    results.append(q.grad.float())
    model = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    causal = model.generate_square_subsequent_mask(11)
    model(torch.rand(3, 9, 8), torch.rand(3, 11, 8), tgt_mask=causal).square().sum().backward()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.grad)
    model.results = results
    return digest(model)


def images() -> str:
    """Convolutions of both layouts and of strides, all poolings, norms over positions, other sizes and points."""
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(3, 18, 5, padding=2), nn.BatchNorm2d(18), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(18, 24, 3, stride=2, groups=3), nn.GroupNorm(4, 24), nn.Tanh(), nn.AvgPool2d(2, 1, 1),
        nn.Upsample(scale_factor=1.7, mode="bicubic"), nn.ConvTranspose2d(24, 4, 3), nn.InstanceNorm2d(4, affine=True),
        nn.LPPool2d(2, 2), nn.Conv2d(4, 8, 1), nn.AdaptiveMaxPool2d(4), nn.PixelUnshuffle(2), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.LayerNorm(32), nn.Linear(32, 10),
    )  # fmt: skip
    volume = nn.Conv3d(2, 5, 3, padding=1)
    row = nn.Conv1d(5, 4, 7, dilation=2)
    optimizer = torch.optim.SGD([*model.parameters(), *volume.parameters(), *row.parameters()], lr=0.01, momentum=0.9)
    X, target = torch.rand(9, 3, 30, 28), torch.randint(0, 10, (9,))
    grid = torch.rand(9, 20, 26, 2) * 2.4 - 1.2
    for _ in range(3):
        optimizer.zero_grad()
        sampled = F.grid_sample(X, grid, align_corners=False)
        small = F.interpolate(sampled, size=(25, 40), mode="bilinear", antialias=True)
        block = F.avg_pool3d(volume(X[:, :2, None, :12, :12].expand(9, 2, 4, 12, 12)), 2).flatten(2)
        loss = F.cross_entropy(model(X) + model(small), target) + row(block).square().mean()
        loss.backward()
        optimizer.step()
    return digest(nn.ModuleList([model, volume, row]))


def convolutions() -> str:
    """Gradients of convolutions whose lanes hold pixels on one machine and channels on another; infinite weights
    meet the border."""
    torch.manual_seed(5)
    results = nn.ParameterList()
    for x, w, options in (
        ((9, 1, 28, 28), (6, 1, 5, 5), {"padding": 2}),  # few channels
        ((5, 6, 14, 14), (16, 6, 5, 5), {"padding": 3}),
        ((3, 8, 17, 15), (8, 1, 3, 3), {"padding": 1, "groups": 8}),  # depthwise
        ((3, 8, 17, 15), (16, 1, 3, 4), {"padding": (0, 2), "groups": 8, "stride": (1, 2)}),
        ((2, 3, 30, 41), (20, 3, 7, 7), {"padding": 3, "stride": 3}),
        ((2, 40, 7, 9), (36, 40, 3, 3), {"padding": 2, "dilation": 2}),
        ((2, 2, 70, 40), (3, 2, 4, 2), {"stride": (2, 3), "padding": 1}),  # several blocks
        ((2, 4, 5, 6, 19), (5, 4, 3, 3, 3), {"padding": (1, 0, 1)}),
        ((4, 2, 3000), (5, 2, 9), {"stride": 4, "padding": 4}),
    ):
        convolve = getattr(F, f"conv{len(x) - 2}d")
        inputs = [torch.randn(*shape).requires_grad_() for shape in (x, w, w[:1])]
        y = convolve(*inputs, **options)
        results.extend(torch.autograd.grad(y.tanh().sum(), inputs))
        results.append(y.detach())
        with torch.no_grad():
            inputs[1][0, 0, 0] = torch.inf
            results.append(convolve(*inputs, **options).isnan().float())
    holder = nn.Module()
    holder.results = results
    return digest(holder)


def optimizers() -> str:
    """Steps with sums and products in them, of parameters large enough for several threads."""
    torch.manual_seed(5)
    shapes = ((400, 420), (700, 800), (300_000,), (40, 30, 3, 3), (7, 5000))
    params = nn.ParameterList([nn.Parameter(torch.randn(*s)) for s in shapes])
    for name, few, options in (("Adafactor", 5, {}), ("Muon", 1, {"ns_steps": 2})):
        for p in params:
            p.grad = torch.randn(*p.shape)
        getattr(torch.optim, name)(list(params)[:few], **options).step()
    opt = torch.optim.LBFGS(params, max_iter=4, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = sum((p * p).sum() + (p**4).sum() for p in params)
        loss.backward()
        return loss

    opt.step(closure)
    return digest(params)


if __name__ == "__main__":
    print(document(), digits(), wide(), recurrent(), layers(), attention(), images(), convolutions(), optimizers())
