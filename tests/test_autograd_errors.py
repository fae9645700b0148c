"""What autograd refuses, in PyTorch's words."""

import warnings

import pytest

import rushlight as rl

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)
HINT = (
    "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
    "torch.autograd.set_detect_anomaly(True, check_nan=False)."
)
VERSION = "one of the variables needed for gradient computation has been modified by an inplace operation: "
LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
MULTI = (
    "Output 0 of {} is a view and is being modified inplace. This view is the output of a function that returns multiple "
    "views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation "
    "by an out-of-place one."
)
CLARIFY = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the "
    "view and the inplace either both inside the {0} block (if you don't want the inplace to be tracked) or both outside "
    "(if you want the inplace to be tracked)."
)


def w(ns):
    return ns.ones(2, 3, requires_grad=True)


def modified_result(ns):
    x = w(ns)
    y = x + 1
    z = y * y
    y.add_(1)
    z.sum().backward()


def modified_output(ns):
    y = w(ns).exp()
    y.add_(1)
    y.sum().backward()


def modified_constant(ns):
    a = ns.ones(2, 3)
    z = w(ns) * a
    a.add_(1)
    z.sum().backward()


def modified_leaf(ns):
    a = w(ns)
    b = a * a
    with ns.no_grad():
        a.add_(1)
    b.sum().backward()


def modified_through_view(ns):
    b = w(ns) * 1
    b[0].mul_(2)
    c = b * b
    b.add_(1)
    c.sum().backward()


def second_backward(ns):
    x = w(ns)
    z = (x * x).sum()
    z.backward()
    z.backward()


def view_from_no_grad(ns):
    x = w(ns) * 1
    with ns.no_grad():
        v = x[0]
    v.add_(1)


def base_of_view_from_no_grad(ns):
    x = w(ns) * 1
    with ns.no_grad():
        v = x[0]
    x.add_(1)
    return v.grad_fn


def view_from_inference(ns):
    x = w(ns) * 1
    with ns.inference_mode():
        v = x[:1]
    v.add_(1)


def inference_tensor(ns):
    with ns.inference_mode():
        return ns.ones(2)


def tensor_hook_result(ns, result):
    y = w(ns) * 1

    def hook(grad):
        return result(grad)

    y.register_hook(hook)
    y.sum().backward()


def own_grad(x):
    x.grad = x


def dirty_freed(ns):
    class F(ns.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g

    y = F.apply(w(ns))
    y.sum().backward()
    return y.grad_fn.saved_tensors


CASES = [
    (modified_result, RuntimeError, VERSION + "[torch.FloatTensor [2, 3]], which is output 0 of Add, is at version 1; "
     "expected version 0 instead. " + HINT),
    (modified_output, RuntimeError, VERSION + "[torch.FloatTensor [2, 3]], which is output 0 of Exp, is at version 1; "
     "expected version 0 instead. " + HINT),
    (modified_constant, RuntimeError, VERSION + "[torch.FloatTensor [2, 3]] is at version 1; expected version 0 instead. "
     + HINT),
    (modified_leaf, RuntimeError, VERSION + "[torch.FloatTensor [2, 3]] is at version 1; expected version 0 instead. "
     + HINT),
    (modified_through_view, RuntimeError, None),
    (second_backward, RuntimeError, FREED),
    (dirty_freed, RuntimeError, FREED),
    (lambda ns: w(ns).add_(1), RuntimeError, LEAF),
    (lambda ns: w(ns).zero_(), RuntimeError, LEAF),
    (lambda ns: w(ns).__setitem__(0, 1.0), RuntimeError, None),
    (lambda ns: w(ns).exp_(), RuntimeError, LEAF),
    (lambda ns: w(ns)[0].add_(1), RuntimeError, LEAF.replace("a leaf", "a view of a leaf")),
    (view_from_no_grad, RuntimeError, "A view was created in no_grad mode and is being modified inplace with grad mode "
     "enabled. " + CLARIFY.format("no_grad")),
    (base_of_view_from_no_grad, RuntimeError, "A view was created in no_grad mode and its base or another view of its "
     "base has been modified inplace with grad mode enabled. " + CLARIFY.format("no_grad")),
    (view_from_inference, RuntimeError, "A view was created in inference mode and is being modified inplace in normal "
     "mode. " + CLARIFY.format("inference_mode")),
    (lambda ns: (w(ns) * 1).unbind(0)[0].add_(1), RuntimeError, MULTI.format("Unbind")),
    (lambda ns: (w(ns) * 1).split(1)[0].mul_(2), RuntimeError, MULTI.format("Split")),
    (lambda ns: (w(ns) * 1).chunk(2)[0].mul_(2), RuntimeError, MULTI.format("Split")),
    (lambda ns: inference_tensor(ns).add_(1), RuntimeError, ("Inplace update to inference tensor outside InferenceMode is "
     "not allowed.You can make a clone to get a normal tensor before doing inplace update.See "
     "https://github.com/pytorch/rfcs/pull/17 for more details.")),
    (lambda ns: w(ns)[0, :2].mul(inference_tensor(ns)), RuntimeError, ("Inference tensors cannot be saved for backward. "
     "Please do not use Tensors created in inference mode in computation tracked by autograd. To work around this, you can "
     "make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of "
     "`torch.inference_mode()`.")),
    (lambda ns: inference_tensor(ns).requires_grad_(), RuntimeError,
     "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."),
    (lambda ns: inference_tensor(ns)._version, RuntimeError, "Inference tensors do not track version counter."),
    (lambda ns: ns.ones(1).expand(3).add_(1), RuntimeError, ("unsupported operation: more than one element of the "
     "written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.")),
    (lambda ns: ns.arange(3).requires_grad_(), RuntimeError, "only Tensors of floating point dtype can require gradients"),
    (lambda ns: (w(ns) * 1).requires_grad_(False), RuntimeError, ("you can only change requires_grad flags of leaf "
     "variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad "
     "= var.detach().")),
    (lambda ns: setattr(w(ns) * 1, "requires_grad", False), RuntimeError, None),
    (lambda ns: (w(ns) * 1).backward(), RuntimeError, "grad can be implicitly created only for scalar outputs"),
    (lambda ns: ns.ones(1).backward(), RuntimeError,
     "element 0 of tensors does not require grad and does not have a grad_fn"),
    (lambda ns: (w(ns) * 1).backward(ns.ones(2, 2)), RuntimeError, ("Mismatch in shape: grad_output[0] has a shape of "
     "torch.Size([2, 2]) and output[0] has a shape of torch.Size([2, 3]).")),
    (lambda ns: ns.autograd.grad((w(ns) * 1).sum(), w(ns)), RuntimeError, ("The differentiated Tensor at index 0 appears "
     "to not have been used in the graph. Set allow_unused=True if this is the desired behavior.")),
    (lambda ns: ns.autograd.grad(w(ns).sum(), ns.ones(2)), RuntimeError,
     "One of the differentiated Tensors does not require grad"),
    (lambda ns: ns.autograd.grad(w(ns).sum(), []), RuntimeError, "`inputs` argument to `grad()` cannot be empty."),
    (lambda ns: w(ns).sum().backward(inputs=[]), RuntimeError, "`inputs` argument to `backward()` cannot be empty."),
    (lambda ns: ns.autograd.backward([w(ns).sum(), w(ns).sum()], [None]), RuntimeError, "got 2 tensors and 1 gradients"),
    (lambda ns: ns.autograd.backward([3]), AssertionError, "Expected output to be a torch.Tensor"),
    (lambda ns: setattr(w(ns), "grad", ns.ones(2, 2)), RuntimeError, ("attempting to assign a gradient of size '[2, 2]' to "
     "a tensor of size '[2, 3]'. Please ensure that the gradient and the tensor are the same size")),
    (lambda ns: setattr(w(ns), "grad", ns.ones(2, 3, dtype=ns.float64)), RuntimeError, None),
    (lambda ns: setattr(ns.ones(3, dtype=ns.int64), "grad", ns.ones(3)), RuntimeError, None),
    (lambda ns: setattr(w(ns), "grad", 3), TypeError,
     "assigned grad expected to be a Tensor or None but got grad of type int"),
    (lambda ns: own_grad(w(ns)), RuntimeError, "can't assign Variable as its own grad"),
    (lambda ns: (w(ns) * 1)[0].detach_(), RuntimeError, None),
    (lambda ns: ns.ones(2).register_hook(print), RuntimeError,
     "cannot register a hook on a tensor that doesn't require gradient"),
    (lambda ns: ns.ones(2).retain_grad(), RuntimeError, "can't retain_grad on Tensor that has requires_grad=False"),
    (lambda ns: (w(ns) * 1).register_post_accumulate_grad_hook(print), RuntimeError,
     "post accumulate grad hooks cannot be registered on non-leaf tensors"),
    (lambda ns: ns.add(w(ns), 1, out=ns.ones(2, 3)), RuntimeError, ("add(): functions with out=... arguments don't support "
     "automatic differentiation, but one of the arguments requires grad.")),
    (lambda ns: tensor_hook_result(ns, lambda g: ns.ones(3)), RuntimeError, "hook 'hook' has changed the size of value"),
    (lambda ns: tensor_hook_result(ns, lambda g: 3), TypeError, "expected Variable, but hook returned 'int'"),
    (lambda ns: (w(ns) * 1).add_(ns.ones(3, 2, 3)), RuntimeError,
     "output with shape [2, 3] doesn't match the broadcast shape [3, 2, 3]"),
    (lambda ns: ns.ones(2, dtype=ns.int64).add_(1.5), RuntimeError,
     "result type Float can't be cast to the desired output type Long"),
    (lambda ns: ns.inference_mode("x").__enter__() if False else w(ns).numpy(), RuntimeError, None),
]  # fmt: skip


def failure(ns, case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            case(ns)
        except Exception as e:  # noqa: BLE001 - which one is the subject
            return type(e).__name__, str(e)
    return None


@pytest.mark.parametrize("case", range(len(CASES)))
def test_error(case):
    call, kind, message = CASES[case]
    ours = failure(rl, call)
    if message is not None:
        assert ours == (kind.__name__, message)
    else:
        assert ours is not None
        assert ours[0] == kind.__name__


@pytest.mark.differential
@pytest.mark.parametrize("case", range(len(CASES)))
def test_error_is_pytorchs(case):
    torch = pytest.importorskip("torch")
    call = CASES[case][0]
    assert failure(rl, call) == failure(torch, call)


def test_nothing_changes_on_failure():
    x = rl.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError):
        x.add_(1)
    assert x.tolist() == [[1.0] * 3] * 2
    assert x._version == 0


def test_grad_of_a_result_warns():
    y = rl.ones(2, requires_grad=True) * 2
    with pytest.warns(
        UserWarning,
        match="The .grad attribute of a Tensor that is not a leaf Tensor is being accessed",
    ):
        assert y.grad is None
