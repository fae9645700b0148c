"""Timing of statements: Timer measures, Compare puts measurements side by side."""

from rushlight.utils.benchmark.compare import Compare
from rushlight.utils.benchmark.timer import Measurement, Timer, select_unit, timer

__all__ = ["Compare", "Measurement", "Timer", "select_unit", "timer"]
