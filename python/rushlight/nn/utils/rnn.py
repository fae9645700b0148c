"""Sequences of different lengths in one batch: padded, packed, and as lists.

Packed means: step after step, the elements of all sequences that are long enough, longest
sequence first. Recurrent layers take packed input and spend no work on padding.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import rushlight
from rushlight._C import Tensor, _nn, _pack_padded_sequence, _pad_packed_sequence

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence_(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """Packed sequences, as pack_padded_sequence and pack_sequence make them.

    Args:
        data (Tensor): (rows, *), step after step.
        batch_sizes (Tensor): int64, how many rows each step has; never growing.
        sorted_indices (Tensor): int64, the original number of each sequence, or None: as they were.
        unsorted_indices (Tensor): its inverse; found from it when None.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:  # data holds both
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """data.to(...); self when that changes nothing."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def pin_memory(self) -> PackedSequence:
        """As data.pin_memory()."""
        return type(self)(self.data.pin_memory(), *self[1:])

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Refused, as data.cuda()."""
        return type(self)(self.data.cuda(*args, **kwargs), *self[1:])

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """self: the CPU is the only device."""
        return self

    def double(self) -> PackedSequence:
        """data as float64; the methods below likewise."""
        return self.to(dtype=rushlight.float64)

    def float(self) -> PackedSequence:
        return self.to(dtype=rushlight.float32)

    def half(self) -> PackedSequence:
        return self.to(dtype=rushlight.float16)

    def long(self) -> PackedSequence:
        return self.to(dtype=rushlight.int64)

    def int(self) -> PackedSequence:
        return self.to(dtype=rushlight.int32)

    def short(self) -> PackedSequence:
        return self.to(dtype=rushlight.int16)

    def char(self) -> PackedSequence:
        return self.to(dtype=rushlight.int8)

    def byte(self) -> PackedSequence:
        return self.to(dtype=rushlight.uint8)

    @property
    def is_cuda(self) -> bool:
        """False."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """As data.is_pinned()."""
        return self.data.is_pinned()


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Where each number stands in a permutation (int64, 1-dim); None for None."""
    if permutation is None:
        return None
    places = rushlight.arange(permutation.numel(), dtype=permutation.dtype)
    return rushlight.empty_like(permutation).scatter_(0, permutation, places)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | list[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """The elements of padded sequences that count, step after step.

    Args:
        input (Tensor): (steps, batch, *), or (batch, steps, *) with batch_first.
        lengths (Tensor or list): of the sequences, at least 1.
        batch_first (bool): Default: False
        enforce_sorted (bool): the sequences come longest first; False: sort them. Default: True

    Raises: RuntimeError for lengths that do not fit input, or are not sorted as promised.
    """
    lengths = rushlight.as_tensor(lengths, dtype=rushlight.int64)
    order = None
    if not enforce_sorted:
        lengths, order = rushlight.sort(lengths, descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    data, batch_sizes = _pack_padded_sequence(input, lengths, batch_first)
    return PackedSequence(data, batch_sizes, order)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The padded sequences, in their original order, and their lengths (int64).

    Args:
        sequence (PackedSequence): what pack_padded_sequence made.
        batch_first (bool): the result is (batch, steps, *). Default: False, (steps, batch, *)
        padding_value (float): Default: 0.0
        total_length (int): steps of the result. Default: those of the longest sequence

    Raises: ValueError when total_length is less than that.
    """
    longest = sequence.batch_sizes.size(0)
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, "
            f"but got total_length={total_length} and max sequence length being {longest}"
        )
    padded, lengths = _pad_packed_sequence(
        sequence.data, sequence.batch_sizes, batch_first, padding_value, total_length or longest
    )
    order = sequence.unsorted_indices
    if order is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, order), lengths[order]


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Tensors (length, *) of different length, filled up and stacked.

    Args:
        sequences (iterable of Tensor): alike but for dim 0.
        batch_first (bool): the result is (batch, steps, *). Default: False, (steps, batch, *)
        padding_value (float): Default: 0.0
        padding_side (str): "right", behind, or "left", before. Default: "right"
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    return _nn.pad_sequence(tuple(sequences), batch_first, padding_value, padding_side)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The list of sequences (length, *) in a padded tensor."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    place = rushlight.arange(rows.shape[1])
    return [row[place < length] for row, length in zip(rows, lengths, strict=True)]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs a list of tensors (length, *); see pack_padded_sequence."""
    lengths = [sequence.size(0) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The list of tensors that pack_sequence was given."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), True)
