"""Puts the test folder on the path and gathers what several tests share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def one_thread():
    """Both libraries on one thread: small calls of two thread pools mostly wait for each other."""
    import rushlight

    libraries = [rushlight]
    try:
        import torch

        libraries.append(torch)
    except ImportError:
        pass
    before = [lib.get_num_threads() for lib in libraries]
    for lib in libraries:
        lib.set_num_threads(1)
    yield
    for lib, n in zip(libraries, before, strict=True):
        lib.set_num_threads(n)
