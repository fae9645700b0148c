"""LeNet, lazy layers, residual, inception and dense blocks, and a kernel learnt by hand."""

import torch
from torch import nn, optim
import torch.nn.functional as F

torch.manual_seed(1)
torch.backends.cudnn.deterministic = True
torch.backends.cudnn.benchmark = False
torch.cuda.manual_seed_all(1)


class Reshape(nn.Module):
    def forward(self, x):
        return x.view(-1, 1, 28, 28)


net = nn.Sequential(
    Reshape(),
    nn.Conv2d(1, 6, kernel_size=5, padding=2),
    nn.Sigmoid(),
    nn.AvgPool2d(2, stride=2),
    nn.Conv2d(6, 16, kernel_size=5),
    nn.Sigmoid(),
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Flatten(),
    nn.Linear(16 * 5 * 5, 120),
    nn.Sigmoid(),
    nn.Linear(120, 84),
    nn.Sigmoid(),
    nn.Linear(84, 10),
)
X = torch.rand(size=(1, 1, 28, 28), dtype=torch.float32)
for layer in net:
    X = layer(X)
    print(layer.__class__.__name__, "output shape: \t", X.shape)
lazy = nn.Sequential(
    nn.LazyConv2d(8, 3),
    nn.LazyBatchNorm2d(),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.LazyLinear(10),
)
print(lazy)
try:
    print(lazy[0].weight.shape)
except Exception as e:
    print(type(e).__name__, e)
print(lazy(torch.rand(4, 1, 12, 12)).shape)
print(lazy, lazy[0].weight.shape)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(320, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = x.view(-1, 320)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, training=self.training)
        x = self.fc2(x)
        return F.log_softmax(x, -1)


model = LeNet()
print(model)
imgs = torch.rand(64, 1, 28, 28)
tgt = torch.randint(0, 10, (64,))
opt = optim.Adam(model.parameters(), lr=1e-3)
sched = optim.lr_scheduler.StepLR(opt, 2, gamma=0.5)
for e in range(6):
    opt.zero_grad()
    out = model(imgs)
    loss = F.nll_loss(out, tgt)
    loss.backward()
    opt.step()
    sched.step()
    print(
        e, loss.item(), sched.get_last_lr(), sum(p.grad.norm().item() for p in model.parameters())
    )
model.eval()
test_loss = 0
with torch.inference_mode():
    out = model(imgs)
    test_loss += F.nll_loss(out, tgt, reduction="sum").item()
    pred = out.argmax(dim=1, keepdim=True)
    print(test_loss, pred.eq(tgt.view_as(pred)).sum().item())


class Residual(nn.Module):
    def __init__(self, i, c, use_1x1conv=False, strides=1):
        super().__init__()
        self.conv1 = nn.Conv2d(i, c, kernel_size=3, padding=1, stride=strides)
        self.conv2 = nn.Conv2d(c, c, kernel_size=3, padding=1)
        self.conv3 = nn.Conv2d(i, c, kernel_size=1, stride=strides) if use_1x1conv else None
        self.bn1 = nn.BatchNorm2d(c)
        self.bn2 = nn.BatchNorm2d(c)

    def forward(self, X):
        Y = F.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        if self.conv3:
            X = self.conv3(X)
        Y += X
        return F.relu(Y)


class Inception(nn.Module):
    def __init__(self, i, c1, c2, c3, c4, **kw):
        super().__init__(**kw)
        self.p1_1 = nn.Conv2d(i, c1, 1)
        self.p2_1 = nn.Conv2d(i, c2[0], 1)
        self.p2_2 = nn.Conv2d(c2[0], c2[1], 3, padding=1)
        self.p3_1 = nn.Conv2d(i, c3[0], 1)
        self.p3_2 = nn.Conv2d(c3[0], c3[1], 5, padding=2)
        self.p4_1 = nn.MaxPool2d(3, stride=1, padding=1)
        self.p4_2 = nn.Conv2d(i, c4, 1)

    def forward(self, x):
        return torch.cat(
            (
                F.relu(self.p1_1(x)),
                F.relu(self.p2_2(F.relu(self.p2_1(x)))),
                F.relu(self.p3_2(F.relu(self.p3_1(x)))),
                F.relu(self.p4_2(self.p4_1(x))),
            ),
            dim=1,
        )


class DenseBlock(nn.Module):
    def __init__(self, n, i, c):
        super().__init__()
        self.net = nn.Sequential(
            *[
                nn.Sequential(
                    nn.BatchNorm2d(c * k + i),
                    nn.ReLU(inplace=True),
                    nn.Conv2d(c * k + i, c, 3, padding=1),
                )
                for k in range(n)
            ]
        )

    def forward(self, X):
        for blk in self.net:
            X = torch.cat((X, blk(X.clone())), dim=1)
        return X


big = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1, bias=False),
    Residual(8, 16, True, 2),
    Inception(16, 4, (4, 8), (2, 4), 4),
    DenseBlock(2, 20, 4),
    nn.AdaptiveAvgPool2d((1, 1)),
    nn.Flatten(),
    nn.Linear(28, 5),
)
print(big)


def init_cnn(m):
    if isinstance(m, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")


big.apply(init_cnn)
opt = optim.SGD(big.parameters(), lr=1e-2, momentum=0.9)
x = torch.randn(8, 3, 16, 16)
t = torch.arange(8) % 5
ce = nn.CrossEntropyLoss(label_smoothing=0.1)
for e in range(4):
    opt.zero_grad(set_to_none=True)
    l = ce(big(x), t)
    l.backward()
    opt.step()
    print(f"{l:.5f}")
print(big[1].bn1.running_mean, big[1].bn1.num_batches_tracked)
big.eval()
print(big(x)[:2])
for n, m in big.named_modules():
    if isinstance(m, nn.BatchNorm2d):
        print(n, m.running_var.mean())
for name, b in big.named_buffers():
    print(name, b.shape, b.dtype)
up = nn.ConvTranspose2d(4, 2, 4, 2, 1)
print(up, up(torch.ones(1, 4, 3, 3)).shape)
print(
    F.avg_pool2d(torch.arange(16.0).view(1, 1, 4, 4), 2),
    nn.MaxPool2d(3, padding=1, stride=2)(torch.arange(16.0).view(1, 1, 4, 4)),
)


def corr2d(X, K):
    h, w = K.shape
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


X = torch.ones((6, 8))
X[:, 2:6] = 0
K = torch.tensor([[1.0, -1.0]])
Y = corr2d(X, K)
print(Y)
conv2d = nn.Conv2d(1, 1, kernel_size=(1, 2), bias=False)
X = X.reshape((1, 1, 6, 8))
Y = Y.reshape((1, 1, 6, 7))
for i in range(6):
    l = (conv2d(X) - Y) ** 2
    conv2d.zero_grad()
    l.sum().backward()
    conv2d.weight.data[:] -= 3e-2 * conv2d.weight.grad
    print(f"batch {i + 1}, loss {l.sum():.3f}")
print(conv2d.weight.data.reshape((1, 2)))
