"""Deep Q-learning with replay memory, and actor-critic, on a toy environment."""

import random
import math
from collections import namedtuple, deque
from itertools import count
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
import torch.nn.functional as F
from torch.distributions import Categorical

random.seed(0)
torch.manual_seed(0)
np.random.seed(0)


class Env:
    def reset(self, seed=None):
        self.s = np.array([0.0, 0.1], dtype=np.float32)
        self.t = 0
        return self.s, {}

    def step(self, a):
        self.t += 1
        self.s = (self.s + np.array([0.1 * (a - 0.5), 0.05 * math.sin(self.t)])).astype(np.float32)
        return self.s, float(1 - abs(self.s[0])), bool(abs(self.s[0]) > 0.5), self.t >= 30, {}


Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class ReplayMemory(object):
    def __init__(self, capacity):
        self.memory = deque([], maxlen=capacity)

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, n):
        return random.sample(self.memory, n)

    def __len__(self):
        return len(self.memory)


class DQN(nn.Module):
    def __init__(self, n_obs, n_act):
        super(DQN, self).__init__()
        self.layer1 = nn.Linear(n_obs, 32)
        self.layer2 = nn.Linear(32, 32)
        self.layer3 = nn.Linear(32, n_act)

    def forward(self, x):
        return self.layer3(F.relu(self.layer2(F.relu(self.layer1(x)))))


device = torch.device(
    "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
)
env = Env()
policy, target = DQN(2, 2).to(device), DQN(2, 2).to(device)
target.load_state_dict(policy.state_dict())
opt = optim.AdamW(policy.parameters(), lr=1e-3, amsgrad=True)
mem = ReplayMemory(1000)
steps = 0


def select(state):
    global steps
    eps = 0.05 + 0.85 * math.exp(-1.0 * steps / 200)
    steps += 1
    if random.random() > eps:
        with torch.no_grad():
            return policy(state).max(1).indices.view(1, 1)
    return torch.tensor([[random.randrange(2)]], device=device, dtype=torch.long)


def optimize():
    if len(mem) < 32:
        return
    batch = Transition(*zip(*mem.sample(32)))
    mask = torch.tensor(
        tuple(map(lambda s: s is not None, batch.next_state)), device=device, dtype=torch.bool
    )
    nfs = torch.cat([s for s in batch.next_state if s is not None])
    sb = torch.cat(batch.state)
    ab = torch.cat(batch.action)
    rb = torch.cat(batch.reward)
    q = policy(sb).gather(1, ab)
    nv = torch.zeros(32, device=device)
    with torch.no_grad():
        nv[mask] = target(nfs).max(1).values
    crit = nn.SmoothL1Loss()
    loss = crit(q, ((nv * 0.99) + rb).unsqueeze(1))
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy.parameters(), 100)
    opt.step()
    return loss


for ep in range(8):
    s, _ = env.reset()
    s = torch.tensor(s, dtype=torch.float32, device=device).unsqueeze(0)
    tot = 0
    for t in count():
        a = select(s)
        o, r, term, trunc, _ = env.step(a.item())
        rew = torch.tensor([r], device=device)
        tot += r
        ns = None if term else torch.tensor(o, dtype=torch.float32, device=device).unsqueeze(0)
        mem.push(s, a, ns, rew)
        s = ns
        l = optimize()
        tsd, psd = target.state_dict(), policy.state_dict()
        for k in psd:
            tsd[k] = psd[k] * 0.05 + tsd[k] * 0.95
        target.load_state_dict(tsd)
        if term or trunc:
            break
    print(ep, t, round(tot, 4), None if l is None else f"{l.item():.5f}")


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(2, 32)
        self.dropout = nn.Dropout(p=0.6)
        self.action_head = nn.Linear(32, 2)
        self.value_head = nn.Linear(32, 1)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


pol = Policy()
op = optim.Adam(pol.parameters(), lr=1e-2)
eps = np.finfo(np.float32).eps.item()
for ep in range(6):
    s, _ = env.reset()
    lps, vals, rews, ents = [], [], [], []
    for t in range(1, 40):
        st = torch.from_numpy(s).float().unsqueeze(0)
        probs, v = pol(st)
        m = Categorical(probs)
        a = m.sample()
        lps.append(m.log_prob(a))
        ents.append(m.entropy())
        vals.append(v)
        s, r, d, tr, _ = env.step(a.item())
        rews.append(r)
        if d or tr:
            break
    R = 0
    rets = deque()
    for r in rews[::-1]:
        R = r + 0.99 * R
        rets.appendleft(R)
    rets = torch.tensor(rets)
    rets = (rets - rets.mean()) / (rets.std() + eps)
    pl = []
    vl = []
    for lp, v, R in zip(lps, vals, rets):
        adv = R - v.item()
        pl.append(-lp * adv)
        vl.append(F.smooth_l1_loss(v, torch.tensor([[R]])))
    loss = torch.cat(pl).sum() + torch.stack(vl).sum() - 0.01 * torch.cat(ents).mean()
    op.zero_grad()
    loss.backward()
    op.step()
    print("Episode {}\tLast reward: {:.2f}\tlength {}\tloss {:.4f}".format(ep, r, t, loss))
print(m, m.probs, F.one_hot(torch.tensor([0, 2, 1]), 4), torch.eye(3)[torch.tensor([2, 0])])
# PPO-like clip
lp_old = torch.stack(lps).detach().squeeze()
ratio = torch.exp(torch.stack(lps).squeeze() - lp_old)
adv = torch.linspace(-1, 1, len(lps))
print(-torch.min(ratio * adv, torch.clamp(ratio, 0.8, 1.2) * adv).mean())
