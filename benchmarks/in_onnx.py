"""The forward cases in onnxruntime: a small ONNX model each, made here. It does not train."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import rushlight
from onnx import TensorProto, helper, numpy_helper

from benchmarks import in_torch

Array = Any
Timed = Callable[[], Any]

threads = 1  # of the sessions to come; the worker sets it


def session(nodes: list[Any], inputs: dict[str, Array], constants: dict[str, Array]) -> Timed:
    """Runs the nodes, whose last output is "out", on these inputs."""
    graph = helper.make_graph(
        nodes,
        "case",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape) for name, x in inputs.items()],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ascontiguousarray(x), name) for name, x in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    made = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return lambda: made.run(None, inputs)[0]


def mlp_forward(sizes: tuple[int, ...], batch: int) -> Timed:
    net, x, _ = in_torch.mlp_data(rushlight, sizes, batch)
    constants = {name: p.detach().numpy() for name, p in net.named_parameters()}
    nodes, value = [], "x"
    for i in range(0, len(net), 2):
        nodes.append(helper.make_node("Gemm", [value, f"{i}.weight", f"{i}.bias"], [f"{i}.out"], transB=1))
        nodes.append(helper.make_node("Relu", [f"{i}.out"], [value := f"{i}.relu"]))
    nodes = nodes[:-1]
    nodes[-1].output[0] = "out"
    return session(nodes, {"x": x.numpy()}, constants)


# How ONNX orders PyTorch's gates: LSTM i f g o as i o f c, GRU r z n as z r h.
GATES = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}


def recurrent(kind: str, backward: bool) -> Timed | None:
    if backward:
        return None
    layer, x = in_torch.recurrent_data(rushlight, kind)
    gates = GATES[kind]
    w, r, bw, br = (
        p.detach().numpy().reshape(len(gates), 128, -1)[gates].reshape(p.shape) for p in layer.parameters()
    )
    constants = {"w": w[None], "r": r[None], "b": np.concatenate([bw, br])[None], "axis": np.array([1])}
    options = {"hidden_size": 128} | ({"linear_before_reset": 1} if kind == "GRU" else {})
    nodes = [
        helper.make_node(kind, ["x", "w", "r", "b"], ["y"], **options),
        helper.make_node("Squeeze", ["y", "axis"], ["out"]),  # of the directions
    ]
    return session(nodes, {"x": x.numpy()}, constants)


def attention(length: int, causal: bool, dropout: float, backward: bool) -> Timed | None:
    if dropout or backward:
        return None
    inputs = dict(zip("qkv", (t.numpy() for t in in_torch.attention_data(rushlight, length)), strict=False))
    return session([helper.make_node("Attention", list("qkv"), ["out"], is_causal=int(causal))], inputs, {})


# ONNX operator, inputs and attributes
OPERATORS: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "x + y": ("Add", ["x", "y"], {}),
    "x * 2.0": ("Mul", ["x", "two"], {}),
    "exp": ("Exp", ["x"], {}),
    "tanh": ("Tanh", ["x"], {}),
    "relu": ("Relu", ["x"], {}),
    "gelu": ("Gelu", ["x"], {}),
    "sum": ("ReduceSum", ["x"], {"keepdims": 0}),
    "softmax": ("Softmax", ["x"], {}),
    "log_softmax": ("LogSoftmax", ["x"], {}),
    "layer norm": ("LayerNormalization", ["x", "ones"], {}),
}


def operator(name: str, n: int) -> Timed:
    kind, names, attributes = OPERATORS[name]
    x, y = (t.numpy() for t in in_torch.operator_data(rushlight, name, n))
    known = {"x": x, "y": y}
    constants = {"two": np.float32(2), "ones": np.ones(x.shape[-1], np.float32)}
    return session(
        [helper.make_node(kind, names, ["out"], **attributes)],
        {k: known[k] for k in names if k in known},
        {k: np.asarray(constants[k]) for k in names if k in constants},
    )


def product(m: int, k: int, n: int) -> Timed:
    a, b = (t.numpy() for t in in_torch.product_data(rushlight, m, k, n))
    return session([helper.make_node("MatMul", ["a", "b"], ["out"])], {"a": a, "b": b}, {})
