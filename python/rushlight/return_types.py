"""torch.return_types: the named tuples that operators return."""

from rushlight import _C

globals().update(_C._return_types)
