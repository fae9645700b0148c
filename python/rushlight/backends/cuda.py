"""torch.backends.cuda: not available."""


class matmul:
    """Switches of CUDA's matrix products; they change nothing."""

    allow_tf32 = False


def is_built() -> bool:
    """False."""
    return False
