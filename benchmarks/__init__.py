"""Timings of rushlight against PyTorch: `python -m benchmarks`, or `python benchmarks/run.py`."""
