"""torch.backends.cpu: the instruction set in use."""

from rushlight import _C


def get_cpu_capability() -> str:
    """ "AVX512", "AVX2" or "DEFAULT", as PyTorch names them."""
    return {"avx512": "AVX512", "avx2": "AVX2"}.get(_C._isa(), "DEFAULT")
