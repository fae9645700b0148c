"""Tensors in files, eigenvalues of large matrices, settings: functions that no table of cases reaches."""

import pytest

import rushlight as rl


def test_from_file(tmp_path):
    """Shared memory is written to the file; private memory is not; files too short or missing are errors."""
    path = str(tmp_path / "numbers")
    with pytest.raises(RuntimeError, match="unable to open file"):
        rl.from_file(path, False, 4)
    shared = rl.from_file(path, True, 4)
    assert shared.tolist() == [0.0] * 4
    shared.fill_(3)
    private = rl.from_file(path, size=4)
    assert private.tolist() == [3.0] * 4
    private.zero_()
    assert shared.tolist() == [3.0] * 4
    assert rl.from_file(path, True, 6).tolist() == [3.0] * 4 + [0.0] * 2
    with pytest.raises(RuntimeError, match="is smaller than the required mapping size"):
        rl.from_file(path, size=7)
    assert rl.from_file(path, size=2, dtype=rl.int64).dtype == rl.int64
    assert rl.from_file(path).shape == (0,)
    assert rl.from_file(path, size=2, requires_grad=True).requires_grad


def test_lobpcg():
    """Eigenpairs of known matrices, with and without B; gradients flow."""
    pytest.importorskip("numpy")
    A = rl.diag(rl.arange(9.0)).requires_grad_()
    values, vectors = rl.lobpcg(A, 2)
    rl.testing.assert_close(values, rl.tensor([8.0, 7.0]))
    rl.testing.assert_close(vectors.abs()[-2:].flip(0).detach(), rl.eye(2))
    values.sum().backward()
    rl.testing.assert_close(A.grad, rl.diag(rl.tensor([0.0] * 7 + [1.0, 1.0])))
    values, vectors = rl.lobpcg(A.detach(), 2, B=2 * rl.eye(9), largest=False)
    rl.testing.assert_close(values, rl.tensor([0.0, 0.5]))
    rl.testing.assert_close(vectors.mT @ (2 * rl.eye(9)) @ vectors, rl.eye(2))
    with pytest.raises(ValueError, match="LOBPCG algorithm is not applicable"):
        rl.lobpcg(A, 4)


def test_deterministic_debug_mode():
    """Numbers and names of the mode, and what use_deterministic_algorithms has to do with them."""
    try:
        rl.set_deterministic_debug_mode("warn")
        assert rl.get_deterministic_debug_mode() == 1
        rl.set_deterministic_debug_mode(2)
        assert rl.are_deterministic_algorithms_enabled() and rl.get_deterministic_debug_mode() == 2
        for wrong, error in (("x", RuntimeError), (5, RuntimeError), (0.5, TypeError)):
            with pytest.raises(error, match="debug_mode"):
                rl.set_deterministic_debug_mode(wrong)
    finally:
        rl.use_deterministic_algorithms(False)
    assert issubclass(rl.OutOfMemoryError, RuntimeError)
