"""Variational autoencoders, a GAN, normalising flows, and what distributions print."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Normal, kl_divergence, Independent, Bernoulli
import torch.distributions as D

torch.manual_seed(0)
X = (torch.rand(128, 64) > 0.6).float()


class VAE(nn.Module):
    def __init__(self):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(64, 32)
        self.fc21 = nn.Linear(32, 4)
        self.fc22 = nn.Linear(32, 4)
        self.fc3 = nn.Linear(4, 32)
        self.fc4 = nn.Linear(32, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, lv = self.encode(x.view(-1, 64))
        z = self.reparameterize(mu, lv)
        return self.decode(z), mu, lv


def loss_function(rx, x, mu, lv):
    BCE = F.binary_cross_entropy(rx, x.view(-1, 64), reduction="sum")
    KLD = -0.5 * torch.sum(1 + lv - mu.pow(2) - lv.exp())
    return BCE + KLD


m = VAE()
op = optim.Adam(m.parameters(), lr=1e-3)
for e in range(5):
    for i in range(0, 128, 32):
        op.zero_grad()
        l = loss_function(*((lambda r, a, b: (r, X[i : i + 32], a, b))(*m(X[i : i + 32]))))
        l.backward()
        op.step()
    print("====> Epoch: {} Average loss: {:.4f}".format(e, l.item() / 32))


class V2(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 32), nn.ELU(), nn.Linear(32, 8))
        self.dec = nn.Sequential(nn.Linear(4, 32), nn.Softplus(), nn.Linear(32, 64))

    def forward(self, x):
        mu, s = self.enc(x).chunk(2, dim=-1)
        q = Normal(mu, F.softplus(s) + 1e-4)
        z = q.rsample()
        p = Independent(Bernoulli(logits=self.dec(z)), 1)
        kl = kl_divergence(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(-1)
        return (kl - p.log_prob(x)).mean(), q, p


v = V2()
op = optim.Adam(v.parameters(), lr=3e-3, amsgrad=True)
for e in range(10):
    l, q, p = v(X)
    op.zero_grad()
    l.backward()
    op.step()
    print(e, l.item())
print(q, p, q.mean.shape, q.batch_shape, q.event_shape, p.event_shape, p.base_dist)
# GAN
nz = 8
G = nn.Sequential(
    nn.ConvTranspose2d(nz, 16, 4, 1, 0, bias=False),
    nn.BatchNorm2d(16),
    nn.ReLU(True),
    nn.ConvTranspose2d(16, 1, 4, 2, 1, bias=False),
    nn.Tanh(),
)
Dn = nn.Sequential(
    nn.Conv2d(1, 16, 4, 2, 1, bias=False),
    nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(16, 1, 4, 1, 0, bias=False),
    nn.Sigmoid(),
)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


G.apply(weights_init)
Dn.apply(weights_init)
print(G)
print(Dn)
criterion = nn.BCELoss()
fixed = torch.randn(4, nz, 1, 1)
od = optim.Adam(Dn.parameters(), lr=0.0002, betas=(0.5, 0.999))
og = optim.Adam(G.parameters(), lr=0.0002, betas=(0.5, 0.999))
real = X.view(-1, 1, 8, 8) * 2 - 1
for i in range(6):
    Dn.zero_grad()
    rc = real[i * 16 : (i + 1) * 16]
    b = rc.size(0)
    label = torch.full((b,), 1.0, dtype=torch.float)
    output = Dn(rc).view(-1)
    eD = criterion(output, label)
    eD.backward()
    D_x = output.mean().item()
    noise = torch.randn(b, nz, 1, 1)
    fake = G(noise)
    label.fill_(0.0)
    output = Dn(fake.detach()).view(-1)
    eF = criterion(output, label)
    eF.backward()
    Dg1 = output.mean().item()
    od.step()
    G.zero_grad()
    label.fill_(1.0)
    output = Dn(fake).view(-1)
    eG = criterion(output, label)
    eG.backward()
    og.step()
    print(
        "[%d]\tLoss_D: %.4f\tLoss_G: %.4f\tD(x): %.4f\tD(G(z)): %.4f / %.4f"
        % (i, (eD + eF).item(), eG.item(), D_x, Dg1, output.mean().item())
    )
# WGAN-GP penalty
alpha = torch.rand(16, 1, 1, 1).expand_as(rc)
interp = (alpha * rc + (1 - alpha) * fake.detach()).requires_grad_(True)
d = Dn(interp)
grads = torch.autograd.grad(
    outputs=d,
    inputs=interp,
    grad_outputs=torch.ones(d.size()),
    create_graph=True,
    retain_graph=True,
    only_inputs=True,
)[0]
gp = ((grads.view(16, -1).norm(2, dim=1) - 1) ** 2).mean() * 10
gp.backward()
print(gp, Dn[0].weight.grad.norm())
# normalising flow
base = D.MultivariateNormal(torch.zeros(2), torch.eye(2))
t = D.TransformedDistribution(
    D.Normal(torch.zeros(2), torch.ones(2)),
    [D.AffineTransform(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 2.0])), D.TanhTransform()],
)
print(base, t)
s = t.rsample((3,))
print(s, t.log_prob(s))


class Planar(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(1, 2))
        self.u = nn.Parameter(torch.randn(1, 2))
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, z):
        a = z @ self.w.T + self.b
        psi = (1 - torch.tanh(a) ** 2) * self.w
        return z + self.u * torch.tanh(a), torch.log(torch.abs(1 + psi @ self.u.T) + 1e-8).squeeze()


fl = nn.ModuleList([Planar() for _ in range(4)])
o = optim.Adam(fl.parameters(), lr=0.01)
for e in range(8):
    z = base.sample((64,))
    lq = base.log_prob(z)
    for f in fl:
        z, ld = f(z)
        lq = lq - ld
    tgt = D.MixtureSameFamily(
        D.Categorical(torch.ones(2)),
        D.Independent(D.Normal(torch.tensor([[-2.0, 0.0], [2.0, 0.0]]), torch.ones(2, 2)), 1),
    )
    l = (lq - tgt.log_prob(z)).mean()
    o.zero_grad()
    l.backward()
    o.step()
print(l, tgt)
for dist in [
    D.Beta(2.0, 3.0),
    D.Gamma(torch.tensor([1.5]), torch.tensor([2.0])),
    D.Dirichlet(torch.ones(3)),
    D.Poisson(4.0),
    D.Laplace(0.0, 1.0),
    D.Exponential(2.0),
    D.StudentT(5.0),
    D.Uniform(0.0, 2.0),
    D.Cauchy(0.0, 1.0),
    D.LogNormal(0.0, 0.5),
    D.Geometric(0.3),
    D.Binomial(10, 0.4),
    D.OneHotCategorical(torch.tensor([0.2, 0.3, 0.5])),
    D.Gumbel(0.0, 1.0),
    D.HalfNormal(1.0),
    D.Chi2(3.0),
    D.Weibull(1.0, 2.0),
    D.Pareto(1.0, 3.0),
    D.VonMises(0.0, 2.0),
]:
    s = dist.sample()
    print(dist, s, dist.log_prob(s), dist.mean, dist.variance)
