"""The first thing to run: an MLP is built, trained for a few steps, saved into a state_dict; in under a second."""

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F


def test_train_an_mlp():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 4))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    x = torch.randn(32, 20)
    target = torch.arange(32) % 4
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    with torch.no_grad():
        assert (net(x).argmax(1) == target).float().mean() > 0.7
    state = net.state_dict()
    other = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 4))
    other.load_state_dict(state)
    assert torch.equal(other(x), net(x))


def test_a_module_in_python():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(3, 5)
            self.out = nn.Linear(5, 1)

        def forward(self, x):
            return self.out(F.relu(self.hidden(x)))

    net = Net()
    x = torch.ones(2, 3, requires_grad=True)
    y = net(x).sum()
    y.backward()
    assert x.grad.shape == (2, 3) and net.hidden.weight.grad.shape == (5, 3)
    assert "hidden" in repr(net) and "grad_fn" in repr(y)
