"""Names of reductions, targets of another dtype: what losses take and refuse."""

import torch
import torch.nn.functional as F
from torch import nn


def attempt(function):
    try:
        print(function())
    except Exception as error:
        print(type(error).__name__, str(error).split("\n")[0])


x = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]])
y = torch.tensor([0, 1])
for target in (torch.ones(2, 3).long(), torch.ones(2, 3).int(), torch.ones(2, 3).bool(), y.float(), y.int()):
    attempt(lambda: F.cross_entropy(x, target))
attempt(lambda: F.cross_entropy(x[0], torch.ones(3).long()))
attempt(lambda: F.cross_entropy(torch.ones(2, 3, 4), torch.ones(2, 3, 4).long()))
attempt(lambda: F.nll_loss(x, y.int()))
log_probs = torch.ones(5, 1, 3).log_softmax(-1)
calls = {
    "mse_loss": (x, x + 1),
    "l1_loss": (x, x * 2),
    "smooth_l1_loss": (x, x * 2),
    "cross_entropy": (x, y),
    "nll_loss": (x, y),
    "kl_div": (x, x.softmax(1)),
    "binary_cross_entropy": (x.sigmoid(), x.sigmoid()),
    "soft_margin_loss": (x, x.sign()),
    "multi_margin_loss": (x, y),
    "hinge_embedding_loss": (x, x.sign()),
    "poisson_nll_loss": (x, x.abs()),
    "gaussian_nll_loss": (x, x, x.abs()),
    "triplet_margin_loss": (x, x + 1, x - 1),
    "ctc_loss": (log_probs, torch.tensor([[1]]), torch.tensor([5]), torch.tensor([1])),
}
for reduction in ("elementwise_mean", "x", "none"):
    for name, arguments in calls.items():
        print(reduction, name)
        attempt(lambda: getattr(F, name)(*arguments, reduction=reduction))
attempt(lambda: nn.MSELoss(reduction="elementwise_mean")(x, x + 1))
attempt(lambda: nn.Unflatten("f", (2, 2)))
attempt(lambda: torch.remainder(2, torch.tensor([1.5, -2.0, 3.0])))
attempt(lambda: torch.remainder(2.5, torch.tensor([2, 3])))
