"""torch.version: what this build is."""

from rushlight import _version

__version__ = _version.__version__
debug = False
cuda = None
hip = None
xpu = None
git_version = None
