"""What the types of a signature do not tell, by row."""

from . import places, products, shapes, values  # noqa: F401 - they register their hints
from .registry import HINTS

__all__ = ["HINTS"]
