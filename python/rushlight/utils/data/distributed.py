"""DistributedSampler."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from itertools import cycle, islice

import rushlight
from rushlight.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every num_replicas-th index of an order that all processes share, from rank on.

    Without drop_last, the order is lengthened from its beginning until all have equally many.

    Args:
        dataset: with a length.
        num_replicas (int): how many share the dataset; there is no torch.distributed to ask.
        rank (int): this one's number, from 0.
        shuffle (bool): in random order. Default: True
        seed (int): the order's, to which set_epoch's number is added. Default: 0
        drop_last (bool): leaves out what does not go round. Default: False

    Raises:
        RuntimeError: num_replicas or rank is not given.
        ValueError: rank is not in [0, num_replicas).
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError("Requires distributed package to be available")
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        n = len(dataset)
        self.num_samples = n // num_replicas if drop_last else -(-n // num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        order = list(range(n))
        if self.shuffle:
            generator = rushlight.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = rushlight.randperm(n, generator=generator).tolist()
        return islice(cycle(order), self.rank, self.total_size, self.num_replicas)

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Another order for each epoch; call it before iterating."""
        self.epoch = epoch
