"""Recurrent layers over sequences, and their single steps."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn import init
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter
from rushlight.nn.utils.rnn import PackedSequence

__all__ = [
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "RNN",
    "RNNBase",
    "RNNCell",
    "RNNCellBase",
]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What LSTM, GRU and RNN share: parameters, checks, and the call.

    Args:
        mode (str): "LSTM", "GRU", "RNN_TANH" or "RNN_RELU".
        input_size (int): size of an element of the sequence.
        hidden_size (int): size of the state.
        num_layers (int): layers on top of each other. Default: 1
        bias (bool): whether there are biases. Default: True
        batch_first (bool): input and output are (batch, steps, size). Default: False
        dropout (float): of what each layer but the last hands on, in training. Default: 0
        bidirectional (bool): a second set of layers goes backwards. Default: False
        proj_size (int): LSTM: h is projected to this size; 0: it is not. Default: 0
        device: cpu or None.
        dtype (dtype): of the parameters. Default: the default dtype.

    Initial values: uniform within 1 / sqrt(hidden_size) of 0.
    """

    __constants__ = [
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ]

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_options(dropout)
        directions = 2 if bidirectional else 1
        rows = _GATES[mode] * hidden_size
        out = proj_size or hidden_size
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            columns = out * directions if layer else input_size
            shapes = {"weight_ih": (rows, columns), "weight_hh": (rows, out)}
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for suffix in ("", "_reverse")[:directions]:
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    setattr(
                        self, name, Parameter(rushlight.empty(shape, device=device, dtype=dtype))
                    )
                self._all_weights.append(names)
                self._flat_weights_names += names
        self.reset_parameters()

    def _check_options(self, dropout: Any) -> None:
        if (
            not isinstance(dropout, numbers.Number)
            or not 0 <= dropout <= 1
            or isinstance(dropout, bool)
        ):
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                "element being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name, kind in {
            "bias": bool,
            "batch_first": bool,
            "input_size": int,
            "hidden_size": int,
        }.items():
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(
                    f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
                )
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if self.proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + self.mode)

    @property
    def _flat_weights(self) -> list[Tensor | None]:
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @_flat_weights.setter
    def _flat_weights(self, weights: list[Tensor | None]) -> None:
        for name, weight in zip(self._flat_weights_names, weights, strict=True):
            if getattr(self, name, None) is not weight:
                setattr(self, name, weight)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing: parameters have no faster layout here."""

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raises ValueError for a wrong dtype, RuntimeError for a wrong shape."""
        dtype = self._flat_weights[0].dtype
        if input.dtype != dtype and not rushlight.is_autocast_enabled("cpu"):
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert "
                f"input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        expected = 3 if batch_sizes is None else 2
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, "
                f"got {input.size(-1)}"
            )

    def _state_size(self, input: Tensor, batch_sizes: Tensor | None, size: int) -> tuple:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, size

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple:
        """(layers times directions, batch, size of h)."""
        return self._state_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple, msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raises RuntimeError with this message when hx has another shape."""
        if hx.size() != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises when input or hidden do not fit the layer."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states with their sequences in this order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def _no_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        shape = self.get_expected_hidden_size(input, batch_sizes)
        return rushlight.zeros(shape, dtype=input.dtype)

    def _batched_state(self, hx: Any, is_batched: bool) -> Any:
        """hx with a batch dim, which it must have where the input has one."""
        if hx.dim() != (3 if is_batched else 2):
            wanted = (
                "batched 3-D input, hx should also be 3-D"
                if is_batched
                else ("unbatched 2-D input, hx should also be 2-D")
            )
            raise RuntimeError(f"For {wanted} but got {hx.dim()}-D tensor")
        return hx if is_batched else hx.unsqueeze(1)

    def _without_batch(self, hidden: Any) -> Any:
        return hidden.squeeze(1)

    def _run(self, *inputs: Any) -> tuple:
        """The operator's call: (output, final state)."""
        return getattr(rushlight, self.mode.lower())(*inputs)

    def forward(self, input: Any, hx: Any = None) -> tuple:
        """(output, final state), packed and unbatched as the input is."""
        options = (self._flat_weights, self.bias, self.num_layers, self.dropout, self.training)
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
            if hx is None:
                hx = self._no_state(data, sizes)
            else:
                hx = self.permute_hidden(hx, order)
            self.check_forward_args(data, hx, sizes)
            output, hidden = self._run(data, sizes, hx, *options, self.bidirectional)
            return PackedSequence(output, sizes, order, back), self.permute_hidden(hidden, back)
        if input.dim() not in (2, 3):
            name = "RNN" if self.mode.startswith("RNN") else self.mode
            raise ValueError(
                f"{name}: Expected input to be 2D or 3D, got {input.dim()}D "
                + ("tensor instead" if name == "RNN" else "instead")
            )
        is_batched = input.dim() == 3
        batch_dim = 0 if self.batch_first else 1
        if not is_batched:
            input = input.unsqueeze(batch_dim)
        if hx is None:
            hx = self._no_state(input, None)
        else:
            hx = self._batched_state(hx, is_batched)
        self.check_forward_args(input, hx, None)
        output, hidden = self._run(input, hx, *options, self.bidirectional, self.batch_first)
        if is_batched:
            return output, hidden
        return output.squeeze(batch_dim), self._without_batch(hidden)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        for name, value in usual.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(RNNBase):
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu, for each element of a sequence.

    Args:
        nonlinearity (str): "tanh" or "relu", after num_layers. Default: "tanh"; the others are
            RNNBase's, without mode and proj_size.

    Shape: input (steps, batch, input_size), (batch, steps, input_size) with batch_first,
        (steps, input_size), or a PackedSequence; output the same with directions * hidden_size;
        hx and the final state (layers * directions, batch, hidden_size). hx defaults to zeros.
    Source: Elman, 1990.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            kind, args = args[3], args[:3] + args[4:]
        else:
            kind = kwargs.pop("nonlinearity", "tanh")
        if kind not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{kind}'. Select from 'tanh' or 'relu'.")
        super().__init__("RNN_" + kind.upper(), *args, **kwargs)
        self.nonlinearity = kind


class GRU(RNNBase):
    """Gated recurrent units: h = n + z (h - n), n = tanh(W_in x + b_in + r (W_hn h + b_hn)).

    r and z are the sigmoids of their own W x + b + W h + b; parameters hold r, z, n in this order.

    Args: RNNBase's, without mode and proj_size.
    Shape: as RNN.
    Source: Cho et al., 2014.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory: c = f c + i g, h = o tanh(c), with proj_size W_hr times that.

    i, f and o are sigmoids, g the tangent of their own W x + b + W h + b; parameters hold
    i, f, g, o in this order.

    Args: RNNBase's, without mode.
    Shape: as RNN; the state is a pair, h (layers * directions, batch, proj_size or hidden_size)
        and c (layers * directions, batch, hidden_size).
    Source: Hochreiter and Schmidhuber, 1997; projections: Sak et al., 2014.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple:
        """(layers times directions, batch, size of c)."""
        return self._state_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        for k, size in enumerate((self.get_expected_hidden_size, self.get_expected_cell_size)):
            message = f"Expected hidden[{k}] size {{}}, got {{}}"
            self.check_hidden_size(hidden[k], size(input, batch_sizes), message)

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        return hx if permutation is None else tuple(t.index_select(1, permutation) for t in hx)

    def _no_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        shape = self.get_expected_cell_size(input, batch_sizes)
        return super()._no_state(input, batch_sizes), rushlight.zeros(shape, dtype=input.dtype)

    def _batched_state(self, hx: Any, is_batched: bool) -> Any:
        h, c = hx[0].dim(), hx[1].dim()
        wanted = 3 if is_batched else 2
        if h != wanted or c != wanted:
            kind = "batched 3-D" if is_batched else "unbatched 2-D"
            raise RuntimeError(
                f"For {kind} input, hx and cx should also be {wanted}-D but got "
                f"({h}-D, {c}-D) tensors"
            )
        return hx if is_batched else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))

    def _without_batch(self, hidden: Any) -> Any:
        return hidden[0].squeeze(1), hidden[1].squeeze(1)

    def _run(self, *inputs: Any) -> tuple:
        output, *state = rushlight.lstm(*inputs)
        return output, tuple(state)


class RNNCellBase(Module):
    """Parameters of a single step, and its call.

    Args:
        input_size (int): size of an element.
        hidden_size (int): size of the state.
        bias (bool): whether there are biases.
        num_chunks (int): gates.
        device: cpu or None.
        dtype (dtype): of the parameters. Default: the default dtype.
    """

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
        for name, shape in (shapes | {"bias_ih": (rows,), "bias_hh": (rows,)}).items():
            wanted = bias or name in shapes
            value = rushlight.empty(shape, device=device, dtype=dtype) if wanted else None
            self.register_parameter(name, Parameter(value) if wanted else None)
        self.reset_parameters()

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def reset_parameters(self) -> None:
        """Draws all parameters anew, uniform within 1 / sqrt(hidden_size) of 0."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _check(self, t: Tensor, what: str) -> None:
        if t.dim() not in (1, 2):
            raise ValueError(
                f"{type(self)._NAME}: Expected {what} to be 1D or 2D, got {t.dim()}D instead"
            )

    def _step(self, function: Any, input: Tensor, hx: Tensor | None) -> Tensor:
        """The function on input and hx, with a batch dim for the time being."""
        self._check(input, "input")
        if hx is not None:
            self._check(hx, "hidden")
        is_batched = input.dim() == 2
        if not is_batched:
            input = input.unsqueeze(0)
        if hx is None:
            hx = rushlight.zeros(input.size(0), self.hidden_size, dtype=input.dtype)
        elif not is_batched:
            hx = hx.unsqueeze(0)
        result = function(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return result if is_batched else result.squeeze(0)


class RNNCell(RNNCellBase):
    """One step of RNN: h' from x and h.

    Args:
        input_size (int): size of x.
        hidden_size (int): size of h.
        bias (bool): Default: True
        nonlinearity (str): "tanh" or "relu". Default: "tanh"
        device: cpu or None.
        dtype (dtype): of the parameters. Default: the default dtype.

    Shape: input (batch, input_size) or (input_size), hx and output (batch, hidden_size) or
        (hidden_size); hx defaults to zeros.
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]
    _NAME = "RNNCell"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        functions = {"tanh": rushlight.rnn_tanh_cell, "relu": rushlight.rnn_relu_cell}
        if self.nonlinearity not in functions:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(functions[self.nonlinearity], input, hx)


class LSTMCell(RNNCellBase):
    """One step of LSTM: (h', c') from x and (h, c).

    Args, shape: as RNNCell, without nonlinearity.
    """

    _NAME = "LSTMCell"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Tensor]:
        self._check(input, "input")
        for k, state in enumerate(hx or ()):
            self._check(state, f"hx[{k}]")
        is_batched = input.dim() == 2
        if not is_batched:
            input = input.unsqueeze(0)
        if hx is None:
            zeros = rushlight.zeros(input.size(0), self.hidden_size, dtype=input.dtype)
            hx = zeros, zeros
        elif not is_batched:
            hx = hx[0].unsqueeze(0), hx[1].unsqueeze(0)
        h, c = rushlight.lstm_cell(
            input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )
        return (h, c) if is_batched else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of GRU: h' from x and h.

    Args, shape: as RNNCell, without nonlinearity.
    """

    _NAME = "GRUCell"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(rushlight.gru_cell, input, hx)
