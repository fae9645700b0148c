"""torch.mps: there is no MPS device here."""


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Changes nothing: there are no generators to seed."""


def empty_cache() -> None:
    """Changes nothing: there is no memory to give back."""
