"""Recurrent layers and cells, packed sequences: csrc/ops/rnn.c, csrc/ops/rnn_pack.c."""

@op(method=False)
def lstm(input: Tensor, hx: Tensors, params: Tensors, has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory over (steps, batch, input): the last layer's h of every step, the final h and c of all."""

@op(method=False, name="lstm")
def lstm_packed(data: Tensor, batch_sizes: Tensor, hx: Tensors, params: Tensors, has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool) -> tuple[Tensor, Tensor, Tensor]:
    """lstm over packed sequences: batch_sizes[t] rows of data belong to step t."""

@op(method=False)
def gru(input: Tensor, hx: Tensor, params: Tensors, has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> tuple[Tensor, Tensor]:
    """Gated recurrent units over (steps, batch, input): the last layer's h of every step, the final h of all."""

@op(method=False, name="gru")
def gru_packed(data: Tensor, batch_sizes: Tensor, hx: Tensor, params: Tensors, has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool) -> tuple[Tensor, Tensor]:
    """gru over packed sequences."""

@op(method=False)
def rnn_tanh(input: Tensor, hx: Tensor, params: Tensors, has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> tuple[Tensor, Tensor]:
    """h = tanh(W x + b + V h + d) over (steps, batch, input): the last layer's h of every step, the final h of all."""

@op(method=False, name="rnn_tanh")
def rnn_tanh_packed(data: Tensor, batch_sizes: Tensor, hx: Tensor, params: Tensors, has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool) -> tuple[Tensor, Tensor]:
    """rnn_tanh over packed sequences."""

@op(method=False)
def rnn_relu(input: Tensor, hx: Tensor, params: Tensors, has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> tuple[Tensor, Tensor]:
    """rnn_tanh with max(_, 0) in place of the tangent."""

@op(method=False, name="rnn_relu")
def rnn_relu_packed(data: Tensor, batch_sizes: Tensor, hx: Tensor, params: Tensors, has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool) -> tuple[Tensor, Tensor]:
    """rnn_relu over packed sequences."""

@op(method=False)
def lstm_cell(input: Tensor, hx: Tensors, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """One step of lstm: input (batch, input), hx (h, c); the next h and c."""

@op(method=False)
def gru_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None) -> Tensor:
    """One step of gru."""

@op(method=False)
def rnn_tanh_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None) -> Tensor:
    """One step of rnn_tanh."""

@op(method=False)
def rnn_relu_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None) -> Tensor:
    """One step of rnn_relu."""

@op(method=False)
def _pack_padded_sequence(input: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Tensor, Tensor]:
    """The elements that count of padded sequences, step after step, and how many each step has."""

@op(method=False)
def _pad_packed_sequence(data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: Number, total_length: int) -> tuple[Tensor, Tensor]:
    """The way back: padded sequences and their lengths."""

@op(nn=True)
def pad_sequence(sequences: Tensors, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right") -> Tensor:
    """Tensors of different length in dim 0, stacked and filled up."""
