"""Random calls of every row of the operator table, and what a library makes of them.

make_call(random, row) draws one call: shapes of rank 0 to 4 with zero sizes and broadcasting, memory layouts, all real
dtypes, for rows that take them the complex ones, and mixtures, numbers in place of tensors, nan, infinities and negative
zeros, arguments inside and slightly outside their domain, positional and keyword spellings, as function, method, in
place and with out=. What the types of the signature do not tell (which sizes a product takes, which indices exist)
stands in hints/, by row.

`random` is a random.Random or one of hypothesis (st.randoms), which then replays and shrinks. As a program this package
hunts: `python tests/fuzz [examples per row] [seed] [names of rows]` prints every call whose outcomes differ.
"""

from .call import make_call
from .compare import compare
from .outcomes import run
from .table import fuzzed_rows

__all__ = ["compare", "fuzzed_rows", "make_call", "run"]
