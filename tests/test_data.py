"""utils.data: datasets, samplers, collation, the DataLoader's order and its worker processes."""

import collections
import os
import time

import pytest

import rushlight
from rushlight.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    get_worker_info,
    random_split,
    worker,
)


class Numbers(Dataset):
    """0 to n - 1."""

    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return index


class Stream(IterableDataset):
    """0 to n - 1, dealt to the workers in turn."""

    def __init__(self, n=7):
        self.n = n

    def __iter__(self):
        info = get_worker_info()
        return iter(range(info.id if info else 0, self.n, info.num_workers if info else 1))


class Seen(Dataset):
    """Where an example was loaded, and a random number drawn there."""

    def __len__(self):
        return 11

    def __getitem__(self, index):
        info = get_worker_info()
        return index, info.id if info else -1, rushlight.randint(0, 1000, (1,))


class Broken(Numbers):
    def __getitem__(self, index):
        if index == 3:
            raise ValueError("no such example")
        if index == 5:
            os._exit(1)
        if index == 7:
            time.sleep(30)
        return index


def lists(loader):
    return [batch.tolist() for batch in loader]


# ---- datasets ----


def test_tensor_dataset():
    data = TensorDataset(rushlight.arange(3), rushlight.ones(3, 2))
    assert len(data) == 3
    x, y = data[1]
    assert x.item() == 1 and y.tolist() == [1, 1]
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        TensorDataset(rushlight.ones(3), rushlight.ones(2))


def test_concatenation():
    data = Numbers(3) + Numbers(4)
    assert isinstance(data, ConcatDataset)
    assert data.cumulative_sizes == [3, 7]
    assert [data[i] for i in range(7)] == [0, 1, 2, 0, 1, 2, 3]
    assert data[-1] == 3 and data[-7] == 0
    with pytest.raises(ValueError, match="absolute value of index should not exceed"):
        data[-8]
    with pytest.raises(AssertionError, match="should not be an empty iterable"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        ConcatDataset([Stream()])


def test_chain():
    chain = Stream(3) + Stream(2)
    assert isinstance(chain, ChainDataset)
    assert list(chain) == [0, 1, 2, 0, 1]
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(ChainDataset([Numbers()]))


def test_stack_and_subset():
    assert StackDataset(Numbers(3), Numbers(3))[1] == (1, 1)
    assert StackDataset(a=Numbers(3), b=Numbers(3))[1] == {"a": 1, "b": 1}
    with pytest.raises(ValueError, match="Size mismatch between datasets"):
        StackDataset(Numbers(3), Numbers(4))
    subset = Subset(Numbers(), [4, 5, 7])
    assert len(subset) == 3 and subset[1] == 5 and subset.__getitems__([0, 2]) == [4, 7]


def test_dataset_is_abstract():
    with pytest.raises(NotImplementedError, match="should implement __getitem__"):
        Dataset()[0]
    with pytest.raises(TypeError):
        len(Dataset())
    with pytest.raises(TypeError, match="abstract"):
        IterableDataset()


def test_random_split():
    rushlight.manual_seed(0)
    parts = random_split(Numbers(), [3, 7])
    assert [list(part.indices) for part in parts] == [[4, 1, 7], [5, 3, 9, 0, 8, 6, 2]]
    generator = rushlight.Generator().manual_seed(0)
    again = random_split(Numbers(), [3, 7], generator=generator)
    assert [part.indices for part in again] == [part.indices for part in parts]
    assert [len(part) for part in random_split(Numbers(11), [0.3, 0.3, 0.4])] == [4, 3, 4]
    for lengths in ([3, 8], [0.3, 0.8]):
        with pytest.raises(ValueError, match="does not equal the length of the input dataset"):
            random_split(Numbers(), lengths)
    with pytest.raises(ValueError, match="Fraction at index 0 is not between 0 and 1"):
        random_split(Numbers(), [-0.1, 1.1])


# ---- samplers: golden values from PyTorch 2.13 after manual_seed(0) ----


def test_samplers():
    expected = {
        RandomSampler(Numbers(), num_samples=25): [
            6, 9, 0, 7, 3, 5, 4, 2, 1, 8, 1, 8, 5, 4, 9, 2, 0, 7, 3, 6, 0, 7, 9, 3, 8],
        RandomSampler(Numbers(), True, num_samples=40): [
            6, 0, 4, 3, 9, 5, 7, 8, 9, 1, 8, 5, 6, 9, 0, 0, 8, 3, 0, 0, 1, 9, 0, 7, 8, 3, 9, 7, 2,
            2, 2, 9, 4, 6, 8, 8, 8, 7, 3, 9],
        SubsetRandomSampler([5, 6, 7]): [7, 5, 6],
        WeightedRandomSampler([0.1, 0.2, 0.7], 5): [2, 2, 2, 2, 2],
        WeightedRandomSampler([0.1, 0.2, 0.7], 3, False): [2, 1, 0],
        SequentialSampler(Numbers(4)): [0, 1, 2, 3],
    }  # fmt: skip
    for sampler, indices in expected.items():
        rushlight.manual_seed(0)
        assert list(sampler) == indices, type(sampler).__name__
        assert len(sampler) == len(indices)
        assert isinstance(sampler, Sampler)


def test_batch_sampler():
    assert list(BatchSampler(range(7), 3, False)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(BatchSampler(range(7), 3, True)) == [[0, 1, 2], [3, 4, 5]]
    assert len(BatchSampler(range(7), 3, False)) == 3
    assert len(BatchSampler(range(7), 3, True)) == 2


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: RandomSampler(Numbers(), num_samples=0), ValueError, "num_samples=0"),
        (lambda: RandomSampler(Numbers(0)), ValueError, "num_samples=0"),
        (lambda: RandomSampler(Numbers(), 1), TypeError, "replacement=1"),
        (lambda: WeightedRandomSampler([1.0], 2.5), ValueError, "num_samples=2.5"),
        (lambda: WeightedRandomSampler([1.0], 1, 1), ValueError, "replacement=1"),
        (lambda: WeightedRandomSampler(rushlight.ones(2, 2), 1), ValueError, "shape (2, 2)"),
        (lambda: BatchSampler([1], 0, True), ValueError, "batch_size=0"),
        (lambda: BatchSampler([1], 2, 1), ValueError, "drop_last=1"),
    ],
)
def test_sampler_errors(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert text in str(caught.value)


# ---- collation ----


def test_collate():
    assert default_collate([1, 2]).dtype == rushlight.int64
    assert default_collate([True, False]).dtype == rushlight.bool
    assert default_collate([1.5, 2]).dtype == rushlight.float64
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([rushlight.ones(2), rushlight.zeros(2)]).tolist() == [[1, 1], [0, 0]]
    batch = default_collate([{"a": 1, "b": (2, 3.0)}, {"a": 4, "b": (5, 6.0)}])
    assert batch["a"].tolist() == [1, 4]
    assert [part.tolist() for part in batch["b"]] == [[2, 5], [3, 6]]
    point = collections.namedtuple("point", "x y")
    batch = default_collate([point(1, 2), point(3, 4)])
    assert type(batch) is point and batch.y.tolist() == [2, 4]
    with pytest.raises(RuntimeError, match="each element in list of batch should be of equal size"):
        default_collate([[1, 2], [3]])
    with pytest.raises(TypeError, match="found <class 'NoneType'>"):
        default_collate([None])
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        default_collate([rushlight.ones(2), rushlight.ones(3)])


def test_collate_numpy():
    numpy = pytest.importorskip("numpy")
    assert default_collate([numpy.ones(2), numpy.ones(2)]).dtype == rushlight.float64
    assert default_collate([numpy.float32(2), numpy.float32(3)]).dtype == rushlight.float32
    assert default_collate([numpy.array(3), numpy.array(4)]).tolist() == [3, 4]
    with pytest.raises(TypeError, match="found <U1"):
        default_collate([numpy.array(["a"])])
    converted = default_convert([1, numpy.ones(2), "a", {"b": numpy.float64(2)}])
    assert converted[0] == 1 and converted[2] == "a"
    assert converted[1].tolist() == [1, 1] and converted[3]["b"].item() == 2


# ---- DataLoader ----


def test_order_is_pytorchs():
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader as TorchLoader

    for arguments in (
        {"batch_size": 3},
        {"batch_size": 3, "shuffle": True},
        {"batch_size": 4, "shuffle": True, "drop_last": True},
        {"batch_size": None},
        {"batch_size": None, "shuffle": True},
    ):
        results = []
        for library, loader in ((rushlight, DataLoader), (torch, TorchLoader)):
            library.manual_seed(3)
            values = []
            for _ in range(3):  # epochs
                for batch in loader(Numbers(), **arguments):
                    values.append(batch if isinstance(batch, int) else batch.tolist())
            results.append((values, library.rand(1).item()))
        assert results[0] == results[1]


def test_order_with_a_generator_is_pytorchs():
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader as TorchLoader

    results = []
    for library, make in ((rushlight, DataLoader), (torch, TorchLoader)):
        generator = library.Generator().manual_seed(9)
        loader = make(Numbers(), batch_size=3, shuffle=True, generator=generator)
        values = [batch.tolist() for _ in range(2) for batch in loader]
        results.append((values, library.rand(1, generator=generator).item()))
    assert results[0] == results[1]


def test_shuffled_golden():
    rushlight.manual_seed(1)
    loader = DataLoader(Numbers(), batch_size=3, shuffle=True)
    assert lists(loader) == [[4, 2, 0], [6, 8, 7], [9, 1, 5], [3]]
    assert len(loader) == 4
    assert isinstance(loader.sampler, RandomSampler)


def test_batches():
    assert lists(DataLoader(Numbers(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert lists(DataLoader(Numbers(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert lists(DataLoader(Numbers(5), batch_sampler=[[1, 2], [3]])) == [[1, 2], [3]]
    assert lists(DataLoader(Numbers(5), sampler=[4, 2])) == [[4], [2]]
    assert list(DataLoader(Numbers(3), batch_size=None)) == [0, 1, 2]
    assert list(DataLoader(Numbers(4), batch_size=2, collate_fn=tuple)) == [(0, 1), (2, 3)]
    assert lists(DataLoader(Stream(), batch_size=3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert lists(DataLoader(Stream(), batch_size=3, drop_last=True)) == [[0, 1, 2], [3, 4, 5]]
    assert list(DataLoader(Stream(), batch_size=None)) == list(range(7))
    assert lists(DataLoader([1, 2, 3], batch_size=2)) == [[1, 2], [3]]
    assert lists(DataLoader(Numbers(2), pin_memory=True)) == [[0], [1]]


def test_loop_twice_at_the_same_time():
    loader = DataLoader(Numbers(4), batch_size=2)
    pairs = [(a.tolist(), b.tolist()) for a in loader for b in loader]
    assert len(pairs) == 4


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"num_workers": -1}, "num_workers option should be non-negative"),
        ({"timeout": -1}, "timeout option should be non-negative"),
        ({"prefetch_factor": 2}, "prefetch_factor option could only be specified"),
        ({"persistent_workers": True}, "persistent_workers option needs num_workers > 0"),
        ({"shuffle": True, "sampler": [1]}, "sampler option is mutually exclusive with shuffle"),
        ({"batch_size": 2, "batch_sampler": [[1]]}, "batch_sampler option is mutually exclusive"),
        ({"shuffle": True, "batch_sampler": [[1]]}, "batch_sampler option is mutually exclusive"),
        ({"batch_size": None, "drop_last": True}, "batch_size=None option disables"),
        ({"batch_size": 0}, "batch_size should be a positive integer value"),
        ({"multiprocessing_context": "fork"}, "multiprocessing_context can only be used"),
    ],
)
def test_contradictory_arguments(arguments, text):
    with pytest.raises(ValueError, match=text.replace("(", r"\(")):
        DataLoader(Numbers(), **arguments)


def test_iterable_takes_no_order():
    for arguments in ({"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}):
        with pytest.raises(ValueError, match="DataLoader with IterableDataset: expected"):
            DataLoader(Stream(), **arguments)


def test_attributes_are_fixed():
    loader = DataLoader(Numbers())
    with pytest.raises(ValueError, match="batch_size attribute should not be set after"):
        loader.batch_size = 3
    loader.note = 1


# ---- worker processes ----


def test_workers_give_the_same_batches_in_the_same_order():
    rushlight.manual_seed(1)
    expected = lists(DataLoader(Numbers(), batch_size=3, shuffle=True))
    rushlight.manual_seed(1)
    loader = DataLoader(Numbers(), batch_size=3, shuffle=True, num_workers=2)
    assert lists(loader) == expected


def test_workers_draw_what_pytorchs_do():
    """PyTorch 2.13 after manual_seed(0): worker i is seeded with a base seed plus i."""
    rushlight.manual_seed(0)
    batches = list(DataLoader(Seen(), batch_size=3, shuffle=True, num_workers=2))
    assert [index.tolist() for index, _, _ in batches] == [[10, 4, 2], [9, 5, 8], [1, 6, 0], [3, 7]]
    assert [who.tolist() for _, who, _ in batches] == [[0] * 3, [1] * 3, [0] * 3, [1] * 2]
    drawn = [numbers.flatten().tolist() for _, _, numbers in batches]
    assert drawn == [[906, 10, 804], [724, 2, 724], [13, 369, 35], [613, 894]]


def test_workers_share_a_stream():
    for batch_size in (1, 2, 100):
        batches = lists(DataLoader(Stream(9), batch_size=batch_size, num_workers=2))
        assert sorted(value for batch in batches for value in batch) == list(range(9))


def test_workers_errors_arrive():
    with pytest.raises(ValueError, match="Caught ValueError in DataLoader worker process 0"):
        list(DataLoader(Broken(4), num_workers=1))


def test_a_dead_worker_is_noticed(monkeypatch):
    monkeypatch.setattr(worker, "_POLL", 0.2)
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited"):
        list(DataLoader(Broken(), sampler=[5], num_workers=1))


def test_a_slow_worker_is_noticed(monkeypatch):
    monkeypatch.setattr(worker, "_POLL", 0.2)
    with pytest.raises(RuntimeError, match="DataLoader timed out after 0.3 seconds"):
        list(DataLoader(Broken(), sampler=[7], num_workers=1, timeout=0.3))


def test_persistent_workers_and_an_abandoned_loop():
    loader = DataLoader(Seen(), batch_size=4, num_workers=2, persistent_workers=True)
    assert len(list(loader)) == 3
    first = [process.pid for process in loader._pool.processes]
    assert len(list(loader)) == 3
    assert [process.pid for process in loader._pool.processes] == first
    for _ in loader:  # left in the middle
        break
    assert len(list(loader)) == 3


def test_worker_init_and_info():
    assert get_worker_info() is None
    loader = DataLoader(Numbers(2), num_workers=1, worker_init_fn=_fail_in_worker)
    with pytest.raises(RuntimeError, match="worker 0 of 1"):
        list(loader)


def _fail_in_worker(number):
    info = get_worker_info()
    raise RuntimeError(f"worker {number} of {info.num_workers}, {type(info.dataset).__name__}")


class _WithoutKey(Numbers):
    def __getitem__(self, i):
        raise KeyError("absent")


def test_worker_key_error():
    """A KeyError stays one, and shows the worker's traceback in lines."""
    with pytest.raises(KeyError) as caught:
        list(DataLoader(_WithoutKey(2), num_workers=1))
    assert str(caught.value).startswith("Caught KeyError in DataLoader worker process 0.\nOriginal Traceback")
