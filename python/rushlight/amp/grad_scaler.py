"""GradScaler: a loss multiplied by a large number, its gradients divided by it again before the step."""

from __future__ import annotations

import warnings
from typing import Any

import rushlight
from rushlight._C import Tensor

__all__ = ["GradScaler"]


class GradScaler:
    """Scales losses so that float16 gradients do not vanish; skips steps whose gradients overflowed.

    Args:
        device (str): "cpu"; for "cuda", the default, it warns and passes everything through.
        init_scale (float): first scale. Default: 65536
        growth_factor, backoff_factor (float): factors after growth_interval good steps, and after an overflow.
            Default: 2, 0.5
        growth_interval (int): good steps before the scale grows. Default: 2000
        enabled (bool): False passes everything through. Default: True
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device != "cpu":
            warnings.warn(
                f"torch.{device}.amp.GradScaler is enabled, but {device.upper()} is not available.  "
                "Disabling.",
                stacklevel=2,
            )
            self._enabled = False
        if growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = init_scale
        self._scale: Tensor | None = None
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._init_growth_tracker = 0
        self._good_steps = 0
        self._overflowed: dict[int, bool] = {}  # by optimizer, since the last update
        self._stage: dict[int, str] = {}  # "unscaled" or "stepped"

    def _scale_now(self, function: str) -> Tensor:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {function} but _scale is None.  This may indicate your script did not "
                "use scaler.scale(loss or outputs) earlier in the iteration."
            )
        return self._scale

    def scale(self, outputs: Any) -> Any:
        """The tensor, or iterable of tensors, times the scale."""
        if not self._enabled:
            return outputs
        if self._scale is None:
            self._scale = rushlight.tensor(float(self._init_scale), dtype=rushlight.float32)
            self._good_steps = self._init_growth_tracker
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(x) for x in outputs)
        if hasattr(outputs, "__iter__"):
            return map(self.scale, outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of the optimizer's parameters by the scale, in place; for clipping before step().

        Raises:
            RuntimeError: called twice between updates, or after step().
            ValueError: a float16 gradient.
        """
        if not self._enabled:
            return
        scale = self._scale_now("unscale_")
        stage = self._stage.get(id(optimizer))
        if stage == "unscaled":
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if stage == "stepped":
            raise RuntimeError("unscale_() is being called after step().")
        inverse = scale.double().reciprocal().float()
        found = False
        with rushlight.no_grad():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    if p.grad.dtype == rushlight.float16:
                        raise ValueError("Attempting to unscale FP16 gradients.")
                    found = found or not bool(p.grad.isfinite().all())
                    p.grad.mul_(inverse)
        self._overflowed[id(optimizer)] = found
        self._stage[id(optimizer)] = "unscaled"

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """optimizer.step(*args, **kwargs), unless a gradient was infinite or nan; what it returns.

        Raises:
            RuntimeError: a closure, or a second call before update().
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._scale_now("step")
        if self._stage.get(id(optimizer)) == "stepped":
            raise RuntimeError("step() has already been called since the last update().")
        if self._stage.get(id(optimizer)) != "unscaled":
            self.unscale_(optimizer)
        result = None
        if not self._overflowed[id(optimizer)]:
            result = optimizer.step(*args, **kwargs)
        self._stage[id(optimizer)] = "stepped"
        return result

    def update(self, new_scale: Any = None) -> None:
        """Adapts the scale after a step, or sets it to new_scale.

        Raises:
            AssertionError: no step since the last update.
        """
        if not self._enabled:
            return
        scale = self._scale_now("update")
        if new_scale is not None:
            scale.fill_(float(new_scale))
        else:
            if not self._overflowed:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(self._overflowed.values()):
                scale.mul_(self._backoff_factor)
                self._good_steps = 0
            else:
                self._good_steps += 1
                if self._good_steps == self._growth_interval:
                    grown = scale * self._growth_factor
                    if grown.isfinite():
                        scale.copy_(grown)
                    self._good_steps = 0
        self._overflowed.clear()
        self._stage.clear()

    def get_scale(self) -> float:
        """The scale; 1.0 when disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self) -> float:
        """Factor by which the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets it."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Factor by which the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets it."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Good steps before the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets it."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether anything is scaled."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The state, to be saved; empty when disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._init_growth_tracker if self._scale is None else self._good_steps,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a state.

        Raises:
            RuntimeError: an empty one, from a disabled scaler.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = self._good_steps = state_dict["_growth_tracker"]
