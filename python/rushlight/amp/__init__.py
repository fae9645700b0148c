"""Mixed precision: autocast computes products in bfloat16 on the CPU; GradScaler keeps small gradients from vanishing."""

from rushlight.amp.autocast_mode import (
    autocast,
    custom_bwd,
    custom_fwd,
    is_autocast_available,
)
from rushlight.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
