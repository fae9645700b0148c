"""torch.linalg and distances against PyTorch on random shapes, broadcast and empty stacks: values, dtypes, shapes,
gradients, exceptions. Values that are unique only, in float64."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight

torch = pytest.importorskip("torch", reason="PyTorch is not installed: differential tests need torch==2.13.0")

pytestmark = pytest.mark.differential
INF = float("inf")

# name -> (function, shapes of its arguments: b a stack, c a stack that broadcasts with it, then m, n, k)
SQUARE, RECTANGLE = "b n n", "b m n"
FUNCTIONS = {
    "solve": (lambda ns, a, b: ns.linalg.solve(a, b), SQUARE, "c n k"),
    "solve from the right": (lambda ns, a, b: ns.linalg.solve(a, b, left=False), SQUARE, "c k n"),
    "solve, a vector": (lambda ns, a, b: ns.linalg.solve(a, b), SQUARE, "n"),
    "solve_triangular": (lambda ns, a, b: ns.linalg.solve_triangular(a, b, upper=True), SQUARE, "c n k"),
    "det": (lambda ns, a: ns.linalg.det(a), SQUARE),
    "inv": (lambda ns, a: ns.linalg.inv(a), SQUARE),
    "slogdet": (lambda ns, a: ns.linalg.slogdet(a), SQUARE),
    "logdet": (lambda ns, a: ns.logdet(a @ a.mT + 1), SQUARE),
    "matrix_exp": (lambda ns, a: ns.linalg.matrix_exp(a), SQUARE),
    "matrix_power": (lambda ns, a: ns.linalg.matrix_power(a, 5), SQUARE),
    "cholesky": (lambda ns, a: ns.linalg.cholesky(a @ a.mT + ns.eye(a.shape[-1], dtype=a.dtype)), SQUARE),
    "eigenvalues": (lambda ns, a: ns.linalg.eigh(a + a.mT).eigenvalues, SQUARE),
    "lu": (lambda ns, a: ns.linalg.lu(a), RECTANGLE),
    "lu_factor": (lambda ns, a: ns.linalg.lu_factor(a), RECTANGLE),
    "qr": (lambda ns, a: ns.linalg.qr(a), RECTANGLE),
    "svdvals": (lambda ns, a: ns.linalg.svdvals(a), RECTANGLE),
    "pinv": (lambda ns, a: ns.linalg.pinv(a), RECTANGLE),
    "matrix_rank": (lambda ns, a: ns.linalg.matrix_rank(a), RECTANGLE),
    **{
        f"matrix_norm {p}": (lambda ns, a, p=p: ns.linalg.matrix_norm(a, p), RECTANGLE)
        for p in ("fro", "nuc", 1, 2, INF, -1, -2, -INF)
    },
    "vector_norm": (lambda ns, a: ns.linalg.vector_norm(a, 3, dim=-1), RECTANGLE),
    "kron": (lambda ns, a, b: ns.kron(a, b), RECTANGLE, "c n k"),
    **{
        f"cdist {p}": (lambda ns, a, b, p=p: ns.cdist(a, b, p), RECTANGLE, "c k n")
        for p in (0.0, 1.0, 2.0, 3.0, INF)
    },
    "cosine_similarity": (lambda ns, a, b: ns.cosine_similarity(a, b, dim=-1), RECTANGLE, "n"),
    "pairwise_distance": (lambda ns, a, b: ns.pairwise_distance(a, b), RECTANGLE, "n"),
    "vecdot": (lambda ns, a, b: ns.linalg.vecdot(a, b), RECTANGLE, "n"),
    "einsum": (lambda ns, a, b: ns.einsum("...ij,...kj->...ik", a, b), RECTANGLE, "c k n"),
}


def outcome(ns, function, arrays):
    """Results and gradients as arrays, or the exception's type."""
    inputs = [ns.tensor(a.tolist(), dtype=ns.float64).reshape(a.shape).requires_grad_() for a in arrays]
    try:
        results = function(ns, *inputs)
    except Exception as error:  # noqa: BLE001 - which exception it is, is the subject
        return type(error).__name__
    results = results if isinstance(results, tuple) else (results,)
    wanted = [t for t in results if t.requires_grad]
    if not wanted:
        return [t.detach().numpy() for t in results], []
    total = sum((t * t.detach().cos()).sum() for t in wanted)
    gradients = ns.autograd.grad(total, inputs, allow_unused=True)
    return [t.detach().numpy() for t in results], [None if g is None else g.numpy() for g in gradients]


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_function(name, data):
    """The same call in both libraries."""
    function, *shapes = FUNCTIONS[name]
    size = {letter: data.draw(st.integers(0, 4), letter) for letter in "mnk"}
    stack = data.draw(st.lists(st.integers(1, 3), max_size=2), "stack")
    other = [data.draw(st.sampled_from([s, 1])) for s in stack][data.draw(st.integers(0, len(stack))) :]
    rng = np.random.default_rng(zlib.crc32(f"{name}{size}{stack}".encode()))
    arrays = []
    for letters in shapes:
        lead = {"b": stack, "c": other}.get(letters[0], [])
        arrays.append(rng.normal(size=(*lead, *(size[c] for c in letters.split() if c in size))))
    expected, actual = outcome(torch, function, arrays), outcome(rushlight, function, arrays)
    if isinstance(expected, str) or isinstance(actual, str):
        assert actual == expected
        return
    for a, e in zip(actual[0], expected[0], strict=True):
        assert a.dtype == e.dtype and a.shape == e.shape
        np.testing.assert_allclose(a, e, rtol=1e-7, atol=1e-9)
    for a, e in zip(actual[1], expected[1], strict=True):
        assert (a is None) == (e is None)
        if e is not None:
            np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-7)
