"""torch.utils.data: DistributedSampler, and collate with functions of one's own."""

from importlib import import_module

from programs import fails, program, programs


@programs(
    {},
    {"shuffle": False},
    {"drop_last": True},
    {"shuffle": False, "drop_last": True},
    {"seed": 7},
)
def distributed_sampler(t, options):
    results = []
    for n, replicas in ((10, 3), (9, 3), (1, 4), (7, 1), (2, 5)):
        for rank in range(replicas):
            sampler = t.utils.data.DistributedSampler(range(n), replicas, rank, **options)
            first = list(sampler)
            sampler.set_epoch(2)
            results.append([len(sampler), first, list(sampler), sampler.total_size])
    return results


@programs((3, 3), (3, -1))
def distributed_sampler_errors(t, option):
    return fails(lambda: t.utils.data.DistributedSampler(range(4), *option))


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class Names(list):
    pass


@program
def collate_with_functions(t):
    home = import_module(f"{t.__name__}.utils.data._utils.collate")

    def points(batch, *, collate_fn_map=None):
        return home.collate([[p.x, p.y] for p in batch], collate_fn_map=collate_fn_map)

    ours = {Point: points, **home.default_collate_fn_map}
    batch = [{"p": Point(i, 2.0 * i), "t": (i, "s"), "n": Names([i, i])} for i in range(3)]
    plain = home.collate(batch, collate_fn_map=ours)
    home.default_collate_fn_map[Point] = points
    try:
        default = t.utils.data.default_collate(batch)
    finally:
        del home.default_collate_fn_map[Point]
    sums = {(int, float): lambda batch, *, collate_fn_map=None: sum(batch)}
    return [
        plain,
        default,
        type(plain["n"]).__name__,
        home.collate([(1, 2.0), (3, 4.0)], collate_fn_map=sums),
        fails(lambda: t.utils.data.default_collate(batch)),
        fails(lambda: home.collate([1, 2])),
        fails(lambda: home.collate([[1], [2, 3]], collate_fn_map=sums)),
        home.default_collate([t.ones(2), t.zeros(2)]),
        fails(lambda: home.default_collate([t.ones(2), t.zeros(3)])),
    ]
