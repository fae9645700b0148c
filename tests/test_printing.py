"""What print shows: PyTorch's text to the letter, committed for some hundred tensors and live where PyTorch is."""

import json
import random

import printing
import pytest

import rushlight

CASES = json.loads(printing.GOLDEN.read_text())


@pytest.fixture(autouse=True)
def default_options():
    yield
    rushlight.set_printoptions(profile="default")


def test_golden():
    wrong = [(c["text"], got) for c in CASES if (got := printing.text(rushlight, c)) != c["text"]]
    assert not wrong, (
        f"{len(wrong)} of {len(CASES)} differ; expected\n{wrong[0][0]}\ngot\n{wrong[0][1]}"
    )


@pytest.mark.parametrize("seed", range(4))
def test_like_torch(seed):
    torch = pytest.importorskip("torch")
    rng = random.Random(seed)
    for _ in range(150):
        case = printing.draw(rng)
        assert printing.text(rushlight, case) == printing.text(torch, case), case["options"]


def test_summary_of_a_large_tensor():
    x = rushlight.arange(2000).reshape(2, 1000)
    assert repr(x) == (
        "tensor([[   0,    1,    2,  ...,  997,  998,  999],\n        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])"
    )


def test_suffixes_go_to_a_new_line_where_there_is_no_room():
    x = rushlight.arange(12.0).reshape(2, 6)
    x.requires_grad_()
    assert repr(x) == (
        "tensor([[ 0.,  1.,  2.,  3.,  4.,  5.],\n        [ 6.,  7.,  8.,  9., 10., 11.]], requires_grad=True)"
    )
    y = rushlight.full((1, 8), 0.123456).requires_grad_().view(1, 8)
    assert repr(y) == (
        "tensor([[0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235]],\n       grad_fn=<ViewBackward0>)"
    )


def test_str_is_repr():
    x = rushlight.tensor([1.5])
    assert str(x) == repr(x) == "tensor([1.5000])"


def test_format():
    assert f"{rushlight.tensor(2.5):.3f}" == "2.500"
    assert f"{rushlight.tensor(7):>4}" == "   7"
    assert f"{rushlight.tensor(1.5)}" == "1.5"
    assert f"{rushlight.tensor([1.5])}" == "tensor([1.5000])"
    with pytest.raises(TypeError, match="unsupported format string"):
        format(rushlight.tensor([1.0]), ".3f")


def test_parameter():
    p = rushlight.nn.Parameter(rushlight.zeros(2))
    assert repr(p) == "Parameter containing:\ntensor([0., 0.], requires_grad=True)"


def test_subclass_stands_under_its_own_name():
    class Mine(rushlight.Tensor):
        pass

    assert repr(Mine([1.0, 2.0])) == "Mine([1., 2.])"


def test_default_dtype_needs_no_suffix():
    rushlight.set_default_dtype(rushlight.float64)
    try:
        assert repr(rushlight.tensor([1.0])) == "tensor([1.])"
        assert (
            repr(rushlight.tensor([1.0], dtype=rushlight.float32))
            == "tensor([1.], dtype=torch.float32)"
        )
    finally:
        rushlight.set_default_dtype(rushlight.float32)


def test_subclass_of_parameter():
    class Marked(rushlight.nn.Parameter):
        pass

    text = "Parameter containing:\nParameter(Marked([1., 1.], requires_grad=True))"
    assert repr(Marked(rushlight.ones(2))) == text
