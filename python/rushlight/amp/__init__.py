"""torch.amp: mixed precision serves accelerators; here it can only be switched off."""

import warnings
from typing import Any, Self

__all__ = ["GradScaler", "autocast"]


class autocast:
    """Context in which PyTorch would compute in lower precision.

    For devices that are not there it warns and changes nothing, as PyTorch does.

    Args:
        device_type (str): "cuda" or "cpu".
        dtype, cache_enabled: accepted.
        enabled (bool): Default: True

    Raises:
        NotImplementedError: enabled for the CPU.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if enabled and device_type == "cpu":
            raise NotImplementedError("autocast on the CPU is not supported; pass enabled=False")
        if enabled:
            warnings.warn(f"User provided device_type of '{device_type}', but {device_type.upper()} is not available. "
                          "Disabling", stacklevel=2)  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def __call__(self, function: Any) -> Any:
        return function


class GradScaler:
    """Loss scaling; without an accelerator it is switched off, as in PyTorch, and passes everything through."""

    def __init__(self, device: str = "cuda", *args: Any, enabled: bool = True, **kwargs: Any) -> None:
        if enabled:
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)

    def is_enabled(self) -> bool:
        """False."""
        return False

    def scale(self, outputs: Any) -> Any:
        """The outputs as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Changes nothing."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """optimizer.step()."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Changes nothing."""

    def get_scale(self) -> float:
        """1.0."""
        return 1.0

    def state_dict(self) -> dict:
        """An empty dictionary."""
        return {}

    def load_state_dict(self, state_dict: dict) -> None:
        """Changes nothing."""
