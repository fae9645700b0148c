"""Softmax regression from scratch, and a multilayer perceptron with dropout."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable

torch.manual_seed(42)
print(torch.__version__.split(".")[0])
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
device2 = (
    torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
)
print(
    f"Using {device} device", device2, torch.backends.mps.is_available(), torch.cuda.device_count()
)
N, D, C = 600, 20, 4
centers = torch.randn(C, D) * 1.2
y = torch.randint(0, C, (N,))
X = centers[y] + torch.randn(N, D)
print(X.mean().item(), X.std().item(), y.bincount())


def softmax(X):
    X_exp = X.exp()
    partition = X_exp.sum(dim=1, keepdim=True)
    return X_exp / partition


W = torch.normal(0, 0.01, size=(D, C), requires_grad=True)
b = torch.zeros(C, requires_grad=True)


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y])


def accuracy(y_hat, y):
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    cmp = y_hat.type(y.dtype) == y
    return float(cmp.type(y.dtype).sum())


for ep in range(5):
    perm = torch.randperm(N)
    for i in range(0, N, 50):
        idx = perm[i : i + 50]
        l = cross_entropy(softmax(X[idx] @ W + b), y[idx]).mean()
        l.backward()
        with torch.no_grad():
            W -= 0.1 * W.grad
            b -= 0.1 * b.grad
            W.grad.zero_()
            b.grad = None
    print(ep, f"{l.item():.4f}", accuracy(X @ W + b, y) / N)


class Net(nn.Module):
    def __init__(self, p=0.5):
        super(Net, self).__init__()
        self.fc1 = nn.Linear(D, 64)
        self.fc2 = nn.Linear(64, 32)
        self.out = nn.Linear(32, C)
        self.drop = nn.Dropout(p)
        self.act = nn.LeakyReLU(0.1)

    def forward(self, x):
        x = self.drop(F.relu(self.fc1(x)))
        x = self.drop(self.act(self.fc2(x)))
        return F.log_softmax(self.out(x), dim=1)


def init_weights(m):
    if type(m) == nn.Linear:
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


net = Net().to(device)
net.apply(init_weights)
print(net)
opt = torch.optim.SGD(
    [
        {"params": [p for n, p in net.named_parameters() if "weight" in n], "weight_decay": 1e-2},
        {"params": [p for n, p in net.named_parameters() if "bias" in n]},
    ],
    lr=0.05,
    momentum=0.9,
    nesterov=True,
)
print(opt)
crit = nn.NLLLoss()
for ep in range(5):
    net.train()
    tot = 0.0
    correct = 0
    for i in range(0, N, 64):
        xb, yb = Variable(X[i : i + 64]), Variable(y[i : i + 64])
        opt.zero_grad()
        o = net(xb)
        l = crit(o, yb)
        l.backward()
        opt.step()
        tot += l.item() * xb.size(0)
        pred = o.data.max(1, keepdim=True)[1]
        correct += pred.eq(yb.data.view_as(pred)).cpu().sum()
    net.eval()
    with torch.no_grad():
        o = net(X)
        acc = (o.argmax(1) == y).type(torch.float).sum().item() / N
    print(
        "Train Epoch: {} [{}/{} ({:.0f}%)]\tLoss: {:.6f}\tacc {:.3f}".format(
            ep, correct, N, 100.0 * correct / N, tot / N, acc
        )
    )
print(sum(p.numel() for p in net.parameters() if p.requires_grad))
for name, param in net.named_parameters():
    print(f"Layer: {name} | Size: {param.size()} | Values : {param[:2]} \n")
values, indices = torch.max(net(X[:5]), 1)
print(values, indices, torch.max(X), torch.min(X, dim=0).values[:3])
print(net(X[:3]).exp().sum(1))
print(net.state_dict().keys())
y0 = nn.Sigmoid()(torch.linspace(-3, 3, 7))
print(
    y0,
    nn.Tanh()(y0),
    nn.Softmax(dim=0)(y0),
    torch.sigmoid(y0),
    F.sigmoid(y0),
    F.tanh(y0),
    torch.relu(y0 - 0.5),
)
print(
    nn.BCELoss()(y0, torch.ones(7)),
    F.binary_cross_entropy(y0, torch.zeros(7)),
    nn.BCEWithLogitsLoss()(y0, torch.ones(7)),
    nn.L1Loss()(y0, torch.ones(7)),
    F.binary_cross_entropy_with_logits(y0, torch.ones(7), reduction="none"),
)
print(str(net(X[:2]).grad_fn)[:20], l.requires_grad)
conf = torch.zeros(C, C, dtype=torch.int64)
for t, p in zip(y, net(X).argmax(1)):
    conf[t.long(), p.long()] += 1
print(conf, conf.diag() / conf.sum(1))
