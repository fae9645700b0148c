"""The memory under tensors, as books show it, and tensors shared with other processes."""

import torch
import torch.multiprocessing as mp
from torch import nn

points = torch.tensor([[4.0, 1.0], [5.0, 3.0], [2.0, 1.0]])
storage = points.storage()
print(storage, len(storage), storage[0], points.storage()[1], type(storage).__name__)
storage[0] = 2.0
storage[-1] = 9.0
print(points, list(storage), storage.tolist())
second = points[1]
print(second.storage_offset(), second.size(), second.stride(), id(points.storage()) == id(second.storage()))
print(points.t().storage().data_ptr() == points.storage().data_ptr(), points.untyped_storage())
print(isinstance(storage, torch.FloatStorage), isinstance(storage, torch.LongStorage), torch.is_storage(storage))
print(torch.FloatStorage([1, 2, 3]), torch.FloatStorage(3).size(), torch.UntypedStorage(4).size())
print(torch.Tensor(torch.FloatStorage([1, 2, 3])), torch.FloatTensor(torch.FloatStorage([1, 2, 3])))
print(torch.zeros(1).set_(torch.FloatStorage([1, 2, 3])))
print(torch.empty(0).set_(storage, 1, (2, 2)), torch.empty(0).set_(points.untyped_storage(), 0, (2,), (2,)))
print(storage.clone().fill_(3).tolist(), storage.double().dtype, storage.type(), storage.long().tolist())
print(storage.pickle_storage_type(), points.storage_type(), storage.element_size(), storage.nbytes(), storage.device)
print(torch.TypedStorage(wrap_storage=points.untyped_storage(), dtype=torch.int32)[0], storage.is_shared())
for action in (lambda: storage[9], lambda: storage.__setitem__(9, 1.0)):
    try:
        action()
    except IndexError:
        print("IndexError")


def train(rank, model, counter):
    torch.manual_seed(rank)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(10):
        x = torch.randn(8, 3)
        optimizer.zero_grad()
        ((model(x) - x.sum(1, keepdim=True)) ** 2).mean().backward()
        optimizer.step()
    counter += 1


def hogwild(method):
    context = mp.get_context(method)
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    model.share_memory()
    counter = torch.zeros(1).share_memory_()
    codes = []
    for rank in range(2):  # one after the other, for the same numbers every time
        process = context.Process(target=train, args=(rank, model, counter))
        process.start()
        process.join()
        codes.append(process.exitcode)
    print(method, codes, counter, model.weight.is_shared(), torch.ones(1).is_shared(), model.weight)
    queue = context.Queue()
    queue.put(model.weight.detach())
    queue.get().fill_(7)
    print(model.weight, type(model.weight).__name__)


if __name__ == "__main__":
    hogwild("fork")
    print(torch.ones(2, 2).t().share_memory_().stride(), torch.ones(0).share_memory_())
