"""Where PyTorch keeps collate and worker: programs that extend default_collate import them from here."""

import sys

from rushlight.utils.data import collate, worker

__all__ = ["collate", "worker"]
sys.modules[f"{__name__}.collate"] = collate
sys.modules[f"{__name__}.worker"] = worker
