"""The rows of the operator table, as far as random calls of them make sense."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))
import op_table

ROWS = {row.c_name: row for row in op_table.read_table()}
# Rows reached through other names only, whose callers have random tests of their own: subscripts (test_indexing.py).


# Rows reached through other names only, whose callers have random tests of their own: subscripts (test_indexing.py).
INTERNAL = {"border_pad", "resample", "_unique2", "index", "slice", "to_dtype", "nonzero", "nonzero_tuple"}


# Rows that can end PyTorch itself: the gradient of pdist of an empty tensor, recurrent layers with lists that do not fit.
FATAL = {"pdist", "lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_packed", "gru_packed", "rnn_tanh_packed", "rnn_relu_packed"}
# Parameters of functions in nn.functional that only the C side has.
NN_HIDDEN = {"scale", "input_scale"}
NN_NAMES = {"log_sigmoid": "logsigmoid"}


ALL_PARAMS = {name: [p.name for p in row.params] for name, row in ROWS.items()}


def forms_of(row: Any) -> list[str]:
    """The spellings the table gives the row."""
    forms = []
    only = row.inplace == "only"
    if (row.function or row.nn) and not only:
        forms += ["function"] * 3
    if row.method and not only:
        forms += ["method"] * 2
    if row.inplace and not row.nn:
        forms += ["inplace"] * 2 if row.method or only else []
    if row.out:
        forms += ["out"]
    return forms


def fuzzed_rows() -> list[str]:
    return [name for name, row in ROWS.items() if name not in INTERNAL | FATAL and row.name[0] != "_" and forms_of(row)]
