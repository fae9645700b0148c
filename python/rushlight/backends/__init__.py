"""torch.backends: none of these libraries is used; their switches can be set and change nothing."""

from rushlight.backends import cpu, cuda, cudnn, mha, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mha", "mkl", "mkldnn", "mps", "openmp"]
