"""Attention with its projections as a function: what MultiheadAttention computes."""

from __future__ import annotations

import math
import warnings
from typing import Any

import rushlight
from rushlight import _C
from rushlight._C import Tensor, _nn
from rushlight.nn.functional.activation import dropout

__all__ = ["multi_head_attention_forward"]


def _check(condition: bool, text: str) -> None:
    if not condition:
        raise AssertionError(text)


def _check_shapes(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Whether there is a batch dim; numbers of dims that do not fit are an AssertionError."""
    dims = query.dim()
    _check(
        dims in (2, 3),
        f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor",
    )
    what = f"For {'batched' if dims == 3 else 'unbatched'} ({dims}-D) `query`, expected "
    _check(
        key.dim() == dims and value.dim() == dims,
        f"{what}`key` and `value` to be {dims}-D but found {key.dim()}-D and {value.dim()}-D "
        "tensors respectively",
    )
    if key_padding_mask is not None:
        _check(
            key_padding_mask.dim() == dims - 1,
            f"{what}`key_padding_mask` to be `None` or {dims - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor instead",
        )
    if attn_mask is not None:
        _check(
            attn_mask.dim() in (2, 3),
            f"{what}`attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor "
            "instead",
        )
        if dims == 2 and attn_mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            _check(
                attn_mask.shape == expected,
                f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}",
            )
    return dims == 3


def _none_or_dtype(input: Tensor | None) -> Any:
    """A mask's dtype, or None."""
    return None if input is None else input.dtype


def _canonical_mask(
    mask: Tensor | None,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Tensor | None:
    """A mask of bools (True: not attended to) as numbers to be added: 0 and -inf; others as given."""
    if mask is None:
        return None
    floating = mask.is_floating_point()
    _check(
        floating or mask.dtype == rushlight.bool,
        f"only bool and floating types of {mask_name} are supported",
    )
    if check_other and other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. "
            "Use same type for both instead.",
            stacklevel=2,
        )
    if floating:
        return mask
    return rushlight.zeros_like(mask, dtype=target_type).masked_fill_(mask, -math.inf)


def _project_packed(
    q: Tensor, k: Tensor, v: Tensor, weight: Tensor, bias: Tensor | None
) -> tuple[Tensor, ...]:
    """The three projections by one weight (3 E, E); one product where the inputs are the same."""
    if q is k and k is v:
        return _nn.linear(q, weight, bias).chunk(3, -1)
    size = q.size(-1)
    if k is v:
        weights = weight.split([size, 2 * size])
        biases = (None, None) if bias is None else bias.split([size, 2 * size])
        return (
            _nn.linear(q, weights[0], biases[0]),
            *_nn.linear(k, weights[1], biases[1]).chunk(2, -1),
        )
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return tuple(
        _nn.linear(x, w, b) for x, w, b in zip((q, k, v), weight.chunk(3), biases, strict=True)
    )


def _project_separately(
    inputs: tuple[Tensor, ...], weights: tuple[Tensor | None, ...], bias: Tensor | None
) -> tuple[Tensor, ...]:
    """The three projections, each by its weight (E, size of its input)."""
    size = inputs[0].size(-1)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    for name, x, w in zip("qkv", inputs, weights, strict=True):
        _check(w is not None, f"use_separate_proj_weight is True but {name}_proj_weight is None")
        long = {"q": "query", "k": "key", "v": "value"}[name]
        expected = (size, x.size(-1))
        _check(
            w.shape == expected,
            f"expecting {long} weights shape of {expected}, but got {w.shape}",
        )
    return tuple(_nn.linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True))


def _split_heads(x: Tensor, num_heads: int) -> Tensor:
    """(length, batch, embedding) as (batch, heads, length, embedding / heads), a view."""
    return x.unflatten(-1, (num_heads, x.size(-1) // num_heads)).permute(1, 2, 0, 3)


def _static(x: Tensor, name: str, batch: int, num_heads: int, head_dim: int) -> Tensor:
    """Keys or values that come ready, (batch * heads, length, size), as (batch, heads, ...)."""
    for dim, size in ((0, batch * num_heads), (2, head_dim)):
        _check(
            x.size(dim) == size, f"expecting {name}.size({dim}) of {size}, but got {x.size(dim)}"
        )
    return x.unflatten(0, (batch, num_heads))


def _one_more(x: Tensor | None) -> Tensor | None:
    """A mask with a key more, which is attended to."""
    return None if x is None else rushlight.nn.functional.pad(x, (0, 1))


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Projects query, key and value, attends in each head, projects the heads' results.

    Args:
        query (Tensor): (L, N, E) or (L, E); key and value (S, N, their size) or (S, their size).
        embed_dim_to_check (int): E.
        num_heads (int): into which E is cut.
        in_proj_weight, in_proj_bias (Tensor): (3 E, E) and (3 E), for query, key and value in turn.
        bias_k, bias_v (Tensor): (1, 1, E), one key and value more.
        add_zero_attn (bool): one key and value of zeros more.
        dropout_p (float): probability of dropping an attention weight, in training.
        out_proj_weight, out_proj_bias (Tensor): (E, E) and (E).
        key_padding_mask (Tensor): (N, S) or (S); True, or a number to add to the scores.
        need_weights (bool): whether the attention weights are returned too. Default: True
        attn_mask (Tensor): (L, S) or (N heads, L, S), as key_padding_mask.
        use_separate_proj_weight (bool): q_proj_weight, k_proj_weight and v_proj_weight take the place
            of in_proj_weight. Default: False
        static_k, static_v (Tensor): (N heads, S, E / heads), in place of projected ones.
        average_attn_weights (bool): weights averaged over the heads. Default: True
        is_causal (bool): says that attn_mask is the causal one. Default: False

    Returns:
        (L, N, E) or (L, E), and the weights, (N, L, S) or, for each head, (N, heads, L, S), without
        N where there is none; None without need_weights.
    Raises:
        AssertionError: dims or sizes that do not fit.
        RuntimeError: a mask of another shape; is_causal without attn_mask.
    Source: Vaswani and others, 2017.
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same_key, same_value = key is query, value is key
        query = query.unsqueeze(1)
        key = query if same_key else key.unsqueeze(1)
        value = key if same_value else value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, embed_dim = query.shape
    keys = key.shape[0]
    key_padding_mask = _canonical_mask(
        key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", query.dtype
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. "
            "You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the kernel needs no mask for that
    else:
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        if key_padding_mask is not None:
            is_causal = False

    _check(
        embed_dim == embed_dim_to_check,
        f"was expecting embedding dimension of {embed_dim_to_check}, but got {embed_dim}",
    )
    head_dim = embed_dim // num_heads
    _check(
        head_dim * num_heads == embed_dim,
        f"embed_dim {embed_dim} not divisible by num_heads {num_heads}",
    )
    if use_separate_proj_weight:
        _check(
            key.shape[:2] == value.shape[:2],
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}",
        )
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        q, k, v = _project_separately((query, key, value), weights, in_proj_bias)
    else:
        _check(
            key.shape == value.shape, f"key shape {key.shape} does not match value shape {value.shape}"
        )
        _check(
            in_proj_weight is not None, "use_separate_proj_weight is False but in_proj_weight is None"
        )
        q, k, v = _project_packed(query, key, value, in_proj_weight, in_proj_bias)

    if attn_mask is not None:
        lead = () if attn_mask.dim() == 2 else (batch * num_heads,)
        if attn_mask.shape != (*lead, length, keys):
            raise RuntimeError(
                f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, but should be "
                f"{(*lead, length, keys)}."
            )
        attn_mask = attn_mask.unflatten(0, (batch, num_heads)) if lead else attn_mask[None, None]

    if bias_k is not None and bias_v is not None:
        _check(static_k is None, "bias cannot be added to static key.")
        _check(static_v is None, "bias cannot be added to static value.")
        k = rushlight.cat([k, bias_k.repeat(1, batch, 1)])
        v = rushlight.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    else:
        _check(bias_k is None, "bias_k is set but bias_v is None")
        _check(bias_v is None, "bias_v is set but bias_k is None")
    size = (batch, num_heads, head_dim)
    q = _split_heads(q, num_heads)
    k = _split_heads(k, num_heads) if static_k is None else _static(static_k, "static_k", *size)
    v = _split_heads(v, num_heads) if static_v is None else _static(static_v, "static_v", *size)
    if add_zero_attn:
        zero = rushlight.zeros(batch, num_heads, 1, head_dim, dtype=k.dtype)
        k, v = rushlight.cat([k, zero], 2), rushlight.cat([v, zero], 2)
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    keys = k.size(2)
    if key_padding_mask is not None:
        for dim, n in enumerate((batch, keys)):
            got = key_padding_mask.shape[dim]
            _check(got == n, f"Expected key_padded_mask.shape[{dim}] to be {n}, but got {got}")
        key_padding_mask = key_padding_mask.view(batch, 1, 1, keys)
        attn_mask = key_padding_mask if attn_mask is None else attn_mask + key_padding_mask
    if not training:
        dropout_p = 0.0

    weights = None
    if need_weights:
        _check(
            not (is_causal and attn_mask is None),
            "is_causal without attn_mask is not implemented for need_weights",
        )
        scores = (q * math.sqrt(1.0 / head_dim)).matmul(k.transpose(-2, -1))
        weights = _C.softmax(scores if attn_mask is None else scores + attn_mask, -1)
        if dropout_p > 0.0:
            weights = dropout(weights, dropout_p)
        result = weights.matmul(v)
        if average_attn_weights:
            weights = weights.mean(1)
    else:
        if attn_mask is not None and attn_mask.size(2) != length:
            attn_mask = attn_mask.expand(-1, -1, length, -1)
        result = _nn.scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
    result = result.permute(2, 0, 1, 3).reshape(length, batch, embed_dim)
    result = _nn.linear(result, out_proj_weight, out_proj_bias)
    if not batched:
        result = result.squeeze(1)
        weights = None if weights is None else weights.squeeze(0)
    return result, weights
