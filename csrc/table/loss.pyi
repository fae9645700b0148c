"""Losses: csrc/ops/loss.c, ctc.c."""

# reduction: "none", "mean" or "sum".

@op(nn=True)
def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)^2."""

@op(nn=True, complex=True)
def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """|input - target|."""

@op(nn=True)
def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """0.5 d^2 / beta where |d| < beta, |d| - 0.5 beta elsewhere; d = input - target."""

@op(nn=True)
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """0.5 d^2 where |d| <= delta, delta (|d| - 0.5 delta) elsewhere; d = input - target."""

@op(nn=True)
def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """-weight[c] * input[c] at each target class c; input (C), (N, C) or (N, C, d1, ...) of log-probabilities."""

@op(nn=True)
def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0) -> Tensor:
    """nll_loss of log_softmax(input) in one node; target classes or probabilities."""

@op(nn=True)
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """-(t log x + (1 - t) log(1 - x)), the logs not below -100."""

@op(nn=True)
def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """binary_cross_entropy(sigmoid(input), target), stable."""

@op(nn=True)
def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """target (log target - input), input being log-probabilities."""

@op(nn=True)
def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Ints, target_lengths: Ints, blank: int = 0, zero_infinity: bool = False) -> Tensor:
    """-log of the probability (N) that the classes of each step, repeats merged and blanks dropped, spell the targets; log_probs (T, N, C)."""
