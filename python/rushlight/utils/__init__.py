"""Helpers around training: ``rushlight.utils.data`` feeds it with batches."""

from rushlight.utils import data

__all__ = ["data"]
