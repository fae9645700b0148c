"""torch.utils.data.DistributedSampler."""

from programs import fails, programs


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
