"""The default random number generator: seeding, saving, restoring.

The numbers are those of PyTorch's CPU generator: equal seeds give equal numbers, and states can be
exchanged with PyTorch.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rushlight._C import Generator, Tensor, default_generator

__all__ = [
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


def manual_seed(seed: int) -> Generator:
    """Starts the default generator's sequence that belongs to ``seed``; returns the generator.

    Args:
        seed (int): from -2**63 to 2**64 - 1; negative numbers mean ``2**64 + seed``. Of the 64
            bits the lower 32 choose the sequence.

    Raises:
        ValueError: a seed outside of that range.
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Starts the default generator from 64 unpredictable bits of the system; returns them."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed from which the default generator was started."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state: 5056 bytes (uint8) in PyTorch's layout."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Puts the default generator into a state from :func:`get_rng_state`.

    Raises:
        TypeError: not a uint8 tensor.
        RuntimeError: not 5056 bytes, or no state of this generator.
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: object = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """Inside of ``with fork_rng():`` draws go on as usual; after it the state is as before.

    Args:
        devices, device_type: accepted for PyTorch's sake; there is only the CPU.
        enabled (bool): False makes it do nothing.
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
