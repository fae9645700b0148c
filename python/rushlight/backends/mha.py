"""torch.backends.mha: the switch of PyTorch's short way through MultiheadAttention.

There is none here: eval mode computes what training mode does, without dropout.
"""

_enabled = True


def get_fastpath_enabled() -> bool:
    """What set_fastpath_enabled was told; True at first."""
    return _enabled


def set_fastpath_enabled(value: bool) -> None:
    """Changes nothing but get_fastpath_enabled."""
    global _enabled
    _enabled = value
