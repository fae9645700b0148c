"""torch.backends.mkl: not available."""


def is_available() -> bool:
    """False."""
    return False
