"""DataLoader: batches from a dataset."""

import itertools
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

import rushlight
from rushlight import Generator
from rushlight.utils.data.collate import CollateFunction, default_collate, default_convert
from rushlight.utils.data.dataset import Dataset, IterableDataset
from rushlight.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
)
from rushlight.utils.data.worker import WorkerPool, get_worker_info

T_co = TypeVar("T_co", covariant=True)

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches; each ``for`` loop is one epoch.

    Args:
        dataset (Dataset): what to load from: ``__getitem__`` and ``__len__``, or an
            IterableDataset.
        batch_size (int): examples per batch; None hands single examples out. Default: 1
        shuffle (bool): a new random order every epoch. Default: False
        sampler: yields indices, instead of shuffle.
        batch_sampler: yields lists of indices, instead of batch_size, shuffle, sampler, drop_last.
        num_workers (int): processes that load batches ahead; 0 loads in this one. Default: 0
        collate_fn: makes a batch from a list of examples. Default: default_collate
        pin_memory (bool): accepted; there is no device whose transfers it would speed up.
        drop_last (bool): leave a last, smaller batch out. Default: False
        timeout (float): seconds to wait for a worker; 0 waits for ever. Default: 0
        worker_init_fn: called with its number in every worker first.
        multiprocessing_context: start method of workers, or a context. Default: the system's
        generator (Generator): source of the order and of the workers' seeds. Default: the
            default generator
        prefetch_factor (int): batches that each worker loads ahead. Default: 2
        persistent_workers (bool): keep the workers for the next epoch. Default: False

    Raises:
        ValueError: arguments that contradict each other or lie out of range.
    """

    _initialized = False
    _fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset",
              "persistent_workers")  # fmt: skip

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler | Iterable | None = None,
        batch_sampler: Sampler[list] | Iterable[list] | None = None,
        num_workers: int = 0,
        collate_fn: CollateFunction | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if isinstance(dataset, IterableDataset):
            _check_iterable(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, "
                    "sampler, and drop_last"
                )
            batch_size = None
            drop_last = False
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None:
            if isinstance(dataset, IterableDataset):
                sampler = _Endless()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2

        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.multiprocessing_context = multiprocessing_context
        self._pool: WorkerPool | None = None
        self._initialized = True
        self.check_worker_number_rationality()

    def __setattr__(self, name: str, value: object) -> None:
        if self._initialized and name in self._fixed:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading "
                    f"(num_workers > 0), but got num_workers={self.num_workers}"
                )
            methods = multiprocessing.get_all_start_methods()
            if isinstance(context, str) and context not in methods:
                raise ValueError(
                    "multiprocessing_context option should specify a valid start method in "
                    f"{methods!r}, but got multiprocessing_context={context!r}"
                )
        self._multiprocessing_context = context

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Iterable:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator:
        return _LoaderIterator(self)

    def __len__(self) -> int:
        """Batches per epoch; for an IterableDataset as many as its length promises."""
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        length = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warns when there are more workers than processors."""
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        processors = processors or os.cpu_count()
        if processors is not None and self.num_workers > processors:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our "
                f"suggested max number of worker in current system is {processors}, which is "
                "smaller than what this DataLoader is going to create. Please be aware that "
                "excessive worker creation might get DataLoader running slow or even freeze, "
                "lower the worker number to avoid potential slowness/freeze if necessary.",
                stacklevel=3,
            )


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_iterable(shuffle: bool | None, sampler: object, batch_sampler: object) -> None:
    options = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, "
                f"but got {name}={value}"
            )


class _Endless(Sampler[None]):
    """The sampler of an IterableDataset: asks for the next example, for ever."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class _LoaderIterator:
    """One epoch."""

    def __init__(self, loader: DataLoader) -> None:
        self._loader = loader
        sampler = iter(loader._index_sampler)
        # Drawn for every epoch, with workers or without, before the sampler draws its order.
        seed = rushlight.empty((), dtype=rushlight.int64).random_(generator=loader.generator)
        make_fetcher = partial(
            _fetcher, loader._auto_collation, loader.collate_fn, loader.drop_last
        )
        if loader.num_workers == 0:
            self._batches = map(make_fetcher(loader.dataset), sampler)
        else:
            self._batches = _with_workers(loader, make_fetcher, seed.item(), sampler)

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        return next(self._batches)

    def __len__(self) -> int:
        return len(self._loader)


def _with_workers(
    loader: DataLoader, make_fetcher: Callable, seed: int, sampler: Iterator
) -> Iterator:
    # Workers of an IterableDataset are at its end after an epoch, so they always start anew.
    keep = loader.persistent_workers and not isinstance(loader.dataset, IterableDataset)
    pool = loader._pool or WorkerPool(loader, make_fetcher, seed)
    loader._pool = None  # a second loop over the same loader at the same time gets its own
    done = False
    try:
        yield from pool.batches(sampler)
        done = True
    finally:
        if keep and done and loader._pool is None:
            loader._pool = pool
        else:
            pool.close()


def _fetcher(
    batched: bool, collate: CollateFunction, drop_last: bool, dataset: Any
) -> Callable[[Any], Any]:
    """A function from what the sampler yields to a batch."""
    if isinstance(dataset, IterableDataset):
        return _iterable_fetcher(batched, collate, drop_last, iter(dataset))

    def fetch(indices: Any) -> Any:
        if not batched:
            return collate(dataset[indices])
        if hasattr(dataset, "__getitems__") and dataset.__getitems__:
            return collate(dataset.__getitems__(indices))
        return collate([dataset[i] for i in indices])

    return fetch


def _iterable_fetcher(
    batched: bool, collate: CollateFunction, drop_last: bool, examples: Iterator
) -> Callable[[Any], Any]:
    def fetch(places: Any) -> Any:
        if not batched:
            return collate(next(examples))
        batch = list(itertools.islice(examples, len(places)))
        if not batch or (drop_last and len(batch) < len(places)):
            raise StopIteration
        return collate(batch)

    return fetch
