"""L-BFGS with an optional line search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import rushlight
from rushlight import _C
from rushlight._C import Tensor
from rushlight.optim.optimizer import Optimizer, _check_lr

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Newton's method with the inverse Hessian estimated from the last history_size steps.

    step calls the closure several times; there is one group of parameters.

    Args:
        params: parameters.
        lr (float): step length, or where the line search begins. Default: 1
        max_iter (int): iterations per step. Default: 20
        max_eval (int): calls of the closure per step. Default: 1.25 max_iter
        tolerance_grad (float): ends when no element of the gradient is greater. Default: 1e-7
        tolerance_change (float): ends when loss or parameters change by less. Default: 1e-9
        history_size (int): Default: 100
        line_search_fn (str): None or "strong_wolfe". Default: None

    Raises:
        ValueError: lr out of its range, or several groups.
    Source: Nocedal, Wright, Numerical Optimization, 2006, chapters 3 and 7; Schmidt's minFunc.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        _check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # ---- all parameters as one vector ----

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def _gradient(self) -> Tensor:
        return _C._lbfgs_gradient(self._params)

    def _move(self, length: float | Tensor, direction: Tensor) -> None:
        _C._lbfgs_move(self._params, direction, length)

    @rushlight.no_grad()
    def step(self, closure: Callable[[], float]) -> float:
        """Up to max_iter iterations.

        Args:
            closure: clears the gradients, computes the loss and its gradients, returns the loss.

        Returns:
            what the closure returned first.
        """
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        closure = rushlight.enable_grad()(closure)
        group = self.param_groups[0]
        lr, search = group["lr"], group["line_search_fn"]
        if isinstance(lr, Tensor):
            lr = lr.squeeze()  # stays a tensor, and is kept as t
        # Of all parameters together, kept with the first.
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first_loss = closure()
        loss = float(first_loss)
        calls = 1
        state["func_evals"] += 1
        g = self._gradient()
        flat = g.abs().max() <= group["tolerance_grad"]
        if flat:
            return first_loss
        now = _Memory({name: state.get(name) for name in _Memory.names})

        for i in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                now.begin(g)
            else:
                now.learn(g, group["history_size"])
                if "al" not in state:
                    state["al"] = [None] * group["history_size"]
                now.turn(g, state["al"])
            d = now.d
            if now.prev_flat_grad is None:
                now.prev_flat_grad = g.clone()
            else:
                now.prev_flat_grad.copy_(g)
            now.prev_loss = loss

            now.t = lr
            if state["n_iter"] == 1:
                now.t = min(1.0, 1.0 / g.abs().sum()) * lr
            slope = g.dot(d)
            if slope > -group["tolerance_change"]:
                break
            used = 0
            if search is not None:
                if search != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = _C._lbfgs_values(self._params)

                def at(t: float | Tensor, start: Tensor = start, d: Tensor = d) -> tuple:
                    self._move(t, d)
                    value = float(closure()), self._gradient()
                    _C._lbfgs_move(self._params, start)
                    return value

                budget = group["max_eval"] - calls
                loss, g, now.t, used = _strong_wolfe(at, now.t, d, loss, g, slope, max_steps=budget)
                self._move(now.t, d)
                flat = g.abs().max() <= group["tolerance_grad"]
            else:
                self._move(now.t, d)
                if i != group["max_iter"]:  # nobody asks for the loss after the last one
                    loss = float(closure())
                    g = self._gradient()
                    flat = g.abs().max() <= group["tolerance_grad"]
                    used = 1
            calls += used
            state["func_evals"] += used
            if (
                calls >= group["max_eval"]
                or flat
                or d.mul(now.t).abs().max() <= group["tolerance_change"]
                or abs(loss - now.prev_loss) < group["tolerance_change"]
            ):
                break
        state.update({name: getattr(now, name) for name in _Memory.names})
        return first_loss


class _Memory:
    """What one iteration leaves to the next, under the names of PyTorch's state_dict.

    d: direction; t: length of the step along it; old_dirs: changes of the gradient; old_stps: steps;
    ro: 1 / (change . step); H_diag: scale of the first guess of the inverse Hessian.
    """

    names = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def begin(self, g: Tensor) -> None:
        self.d = g.neg()
        self.old_dirs, self.old_stps, self.ro = [], [], []
        self.H_diag = 1

    def learn(self, g: Tensor, size: int) -> None:
        """Remembers the last step, if the function curved upwards along it."""
        y = g.sub(self.prev_flat_grad)
        s = self.d.mul(self.t)
        ys = y.dot(s)
        if ys > 1e-10:
            if len(self.old_dirs) == size:
                for old in (self.old_dirs, self.old_stps, self.ro):
                    old.pop(0)
            self.old_dirs.append(y)
            self.old_stps.append(s)
            self.ro.append(1.0 / ys)
            self.H_diag = ys / y.dot(y)

    def turn(self, g: Tensor, al: list) -> None:
        """Makes d minus the inverse Hessian times g; al holds the coefficients on the way."""
        self.d, found = _C._lbfgs_direction(g, self.old_dirs, self.old_stps, self.ro, self.H_diag)
        al[: len(found)] = found


def _cubic_minimum(x1: Any, f1: Any, g1: Any, x2: Any, f2: Any, g2: Any, bounds: Any = None) -> Any:
    """Where the cubic with values f and slopes g at x1 and x2 is least, within bounds (or x1..x2).

    Source: Nocedal, Wright, equation 3.59.
    """
    low, high = (min(x1, x2), max(x1, x2)) if bounds is None else bounds
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    if square < 0 or square != square:
        return (low + high) / 2.0
    d2 = square.sqrt()
    if x1 <= x2:
        best = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        best = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(best, low), high)


class _Point(NamedTuple):
    """A place t on the line with the loss f, its gradient g, and the slope along the line."""

    t: Any
    f: float
    g: Tensor
    slope: Any


def _strong_wolfe(
    at: Callable[[Any], tuple[float, Tensor]],
    t: Any,
    d: Tensor,
    f: float,
    g: Tensor,
    slope: Tensor,
    max_steps: int,
) -> tuple[float, Tensor, Any, int]:
    """A step length t that lowers the loss enough and leaves a slope that is flat enough.

    Args:
        at: loss and gradient at a length.
        t: the first length.
        d: direction.
        f, g, slope: loss, gradient, slope at 0.
        max_steps: lengths to try after the first.

    Returns:
        (loss, gradient, length, number of evaluations)
    Source: Nocedal, Wright, algorithms 3.5 and 3.6.
    """
    enough, flat, least = 1e-4, 0.9, 1e-9

    def point(t: Any) -> _Point:
        f, g = at(t)
        return _Point(t, f, g, g.dot(d))

    def too_high(p: _Point) -> bool:
        return p.f > f + enough * p.t * slope

    def flat_enough(p: _Point) -> bool:
        return abs(p.slope) <= -flat * slope

    start = before = _Point(0, f, g, slope)
    now = point(t)
    tried = 0
    done = False
    while tried < max_steps:  # lengthen the step until a minimum is passed
        if too_high(now) or (tried > 1 and now.f >= before.f):
            ends = [before, now]
            break
        if flat_enough(now):
            ends = [now]
            done = True
            break
        if now.slope >= 0:
            ends = [before, now]
            break
        bounds = now.t + 0.01 * (now.t - before.t), now.t * 10
        t = _cubic_minimum(
            before.t, before.f, before.slope, now.t, now.f, now.slope, bounds=bounds
        )
        before, now = now, point(t)
        tried += 1
    else:
        ends = [start, now]

    low, high = (0, 1) if ends[0].f <= ends[-1].f else (1, 0)
    slow = False  # the last interpolation stayed near an end
    widest = d.abs().max()
    while not done and tried < max_steps:  # narrow the interval down
        if abs(ends[1].t - ends[0].t) * widest < least:
            break
        (x1, f1, _, g1), (x2, f2, _, g2) = ends
        t = _cubic_minimum(x1, f1, g1, x2, f2, g2)
        left, right = min(x1, x2), max(x1, x2)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if slow or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        now = point(t)
        tried += 1
        if too_high(now) or now.f >= ends[low].f:
            ends[high] = now
            low, high = (0, 1) if ends[0].f <= ends[1].f else (1, 0)
        else:
            if flat_enough(now):
                done = True
            elif now.slope * (ends[high].t - ends[low].t) >= 0:
                ends[high] = ends[low]
            ends[low] = now
    best = ends[low]
    return best.f, best.g, best.t, tried + 1
