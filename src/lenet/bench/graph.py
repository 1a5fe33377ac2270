"""A network as an ONNX graph, so that ONNX Runtime can be measured on the same work."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lenet.arrays import Tensors
from lenet.spec import INPUT_SIZE, SQUASH_AMPLITUDE, SQUASH_SLOPE, Activation, Codes, Convolution, Net

_OPSET = 17
_IR = 10


class _Graph:
    """Nodes and constants in order; `last` is the name of the latest value."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.last = "input"

    def constant(self, values: np.ndarray | float) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def add(self, kind: str, *others: str, **attributes: Any) -> None:
        output = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [self.last, *others], [output], **attributes))
        self.last = output

    def activate(self, activation: Activation) -> None:
        if activation == "squash":
            self.add("Mul", self.constant(SQUASH_SLOPE))
            self.add("Tanh")
            self.add("Mul", self.constant(SQUASH_AMPLITUDE))
        elif activation != "none":
            self.add({"relu": "Relu", "sigmoid": "Sigmoid"}[activation])


def onnx_model(net: Net, tensors: Tensors) -> bytes:
    """Return the serialised graph of a network on 32x32 inputs: "input" (n, 1, 32, 32) -> (n, k) scores.

    A convolution that covers its whole input becomes a Gemm, as an exporter of such networks would have it.
    Raises ValueError for a network with a margin, with codes or with copies of maps, which no peer has.
    """
    if net.margin or any(isinstance(layer, Codes) or getattr(layer, "copies", 1) > 1 for layer in net.layers):
        raise ValueError(f"{net.name}: no plain graph")
    graph, size, flat = _Graph(), INPUT_SIZE, False
    for layer in net.layers:
        name = layer.name.lower()
        if isinstance(layer, Convolution):
            weight, bias = tensors[f"{name}.weight"], graph.constant(tensors[f"{name}.bias"])
            if layer.size == size:
                if not flat:
                    graph.add("Flatten", axis=1)
                    flat = True
                graph.add("Gemm", graph.constant(weight.reshape(layer.maps, -1)), bias, transB=1)
            else:
                graph.add("Conv", graph.constant(weight), bias, kernel_shape=[layer.size, layer.size])
            size -= layer.size - 1
        else:
            kind = "MaxPool" if getattr(layer, "kind", "") == "max" else "AveragePool"
            graph.add(kind, kernel_shape=[2, 2], strides=[2, 2])
            if getattr(layer, "kind", "") == "trainable":
                shape = (-1, 1, 1)
                graph.add("Mul", graph.constant(4 * tensors[f"{name}.coefficient"].reshape(shape)))
                graph.add("Add", graph.constant(tensors[f"{name}.bias"].reshape(shape)))
            size //= 2
        if not isinstance(layer, Codes):
            graph.activate(layer.activation)
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 1, INPUT_SIZE, INPUT_SIZE])
    answer = helper.make_tensor_value_info(graph.last, TensorProto.FLOAT, ["n", net.outputs])
    described = helper.make_graph(graph.nodes, net.name, [given], [answer], graph.constants)
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(model)
    return model.SerializeToString()
