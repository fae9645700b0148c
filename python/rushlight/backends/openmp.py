"""torch.backends.openmp: not available."""


def is_available() -> bool:
    """False."""
    return False
