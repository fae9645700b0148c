"""torch.backends.mkldnn: not available."""


def is_available() -> bool:
    """False."""
    return False
