"""A network as an ONNX graph: nodes and tensors named as the layers, from grey levels to scores and probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lenet.network.spec import (
    BACKGROUND,
    FOREGROUND,
    GLYPH_SIZE,
    INPUT_SIZE,
    SQUASH_AMPLITUDE,
    SQUASH_SLOPE,
    Activation,
    Codes,
    Convolution,
    Layer,
    Subsampling,
    code,
)
from lenet.network.summary import layer_facts
from lenet.network.weights import Weights

_OPSET = 17
_IR = 10


class _Graph:
    """Nodes and constants in order; `last` is the name of the latest value."""

    def __init__(self, first: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.last = first

    def constant(self, name: str, values: Any) -> str:
        """Keep values under a name; numbers become float32."""
        array = np.asarray(values)
        array = array if array.dtype == np.int64 else array.astype(np.float32)
        if all(each.name != name for each in self.constants):
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, output: str, *others: str, first: str | None = None, **attributes: Any) -> None:
        """Add a node that takes the latest value (or `first`) and others, under the name of its output."""
        self.nodes.append(helper.make_node(kind, [first or self.last, *others], [output], name=output, **attributes))
        self.last = output

    def activate(self, activation: Activation, output: str) -> None:
        """Add an activation whose result has the layer's own name."""
        if activation == "squash":
            self.add("Mul", f"{output}.sloped", self.constant("squash.slope", SQUASH_SLOPE))
            self.add("Tanh", f"{output}.tanh")
            self.add("Mul", output, self.constant("squash.amplitude", SQUASH_AMPLITUDE))
        elif activation != "none":
            self.add({"relu": "Relu", "sigmoid": "Sigmoid"}[activation], output)

    def model(self, name: str, given: onnx.ValueInfoProto, *answers: onnx.ValueInfoProto) -> bytes:
        """Return the whole, checked and serialised."""
        described = helper.make_graph(self.nodes, name, [given], list(answers), self.constants)
        made = helper.make_model(described, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        made.producer_name = "lenet"
        onnx.checker.check_model(made, full_check=True)
        return bytes(made.SerializeToString())


def glyph_model(weights: Weights) -> bytes:
    """Return the graph from "glyphs" (n, 28, 28) uint8 to "scores" (n, k) and calibrated "probabilities" (n, k)."""
    graph = _Graph("glyphs")
    around = (INPUT_SIZE - GLYPH_SIZE) // 2 - weights.net.margin
    graph.add("Cast", "greys", to=TensorProto.FLOAT)
    graph.add("Unsqueeze", "maps", graph.constant("channel", np.array([1], np.int64)))
    _ranged(graph, "ranged")
    if around:
        pads = np.array([0, 0, around, around, 0, 0, around, around], np.int64)
        graph.add("Pad", "input", graph.constant("pads", pads), graph.constant("background", BACKGROUND))
    flat = _through(graph, weights, whole=False)
    _renamed(graph, "scores", flat=not flat)
    graph.add("Mul", "tempered", graph.constant("temperature", 1 / weights.temperature), first="scores")
    graph.add("Softmax", "probabilities", axis=1)
    given = helper.make_tensor_value_info("glyphs", TensorProto.UINT8, ["n", GLYPH_SIZE, GLYPH_SIZE])
    sizes: list[str | int | None] = ["n", weights.net.outputs]
    answers = (helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes) for name in ("scores", "probabilities"))
    return graph.model(weights.net.name, given, *answers)


def wide_model(weights: Weights) -> bytes:
    """Return the graph from "greys" (n, H, W) uint8, a line of writing, to "scores" (n, k, h, w), 4 pixels apart."""
    graph, margin = _Graph("greys"), weights.net.margin
    graph.add("Cast", "floats", to=TensorProto.FLOAT)
    graph.add("Unsqueeze", "maps", graph.constant("channel", np.array([1], np.int64)))
    _ranged(graph, "input")
    if margin:
        starts, ends = (
            graph.constant(name, np.array([by, by], np.int64)) for name, by in (("m0", margin), ("m1", -margin))
        )
        graph.add("Slice", "seen", starts, ends, graph.constant("axes", np.array([2, 3], np.int64)))
    _through(graph, weights, whole=True)
    _renamed(graph, "scores", flat=False)
    given = helper.make_tensor_value_info("greys", TensorProto.UINT8, ["n", "height", "width"])
    return graph.model(
        f"{weights.net.name}-wide",
        given,
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", weights.net.outputs, "rows", "columns"]),
    )


def input_model(weights: Weights) -> bytes:
    """Return the graph from network input "input" (n, 1, 32, 32) to "scores" (n, k), as peers are measured on it."""
    graph, margin = _Graph("input"), weights.net.margin
    if margin:
        raise ValueError(f"{weights.net.name}: sees a part of its input")
    flat = _through(graph, weights, whole=False)
    _renamed(graph, "scores", flat=not flat)
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 1, INPUT_SIZE, INPUT_SIZE])
    answer = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", weights.net.outputs])
    return graph.model(weights.net.name, given, answer)


def _ranged(graph: _Graph, output: str) -> None:
    """Map grey levels 0 to 255 to the range of network input."""
    graph.add("Mul", f"{output}.scaled", graph.constant("grey level", (FOREGROUND - BACKGROUND) / 255))
    graph.add("Add", output, graph.constant("background", BACKGROUND))


def _renamed(graph: _Graph, output: str, *, flat: bool) -> None:
    if flat:
        graph.add("Flatten", output, axis=1)
    else:
        graph.add("Identity", output)


def _through(graph: _Graph, weights: Weights, *, whole: bool) -> bool:
    """Add all layers; return whether values are flat, (n, k), at the end.

    Unless the `whole` of a wide field is seen, a convolution that covers its input becomes a Gemm, as an exporter of
    such networks would have it.
    """
    flat = False
    for layer, facts in zip(weights.net.layers, layer_facts(weights.net), strict=True):
        single = facts.output[1:] == (1, 1) and not whole
        if isinstance(layer, Convolution):
            flat = _convolution(graph, layer, weights, single, flat)
        elif isinstance(layer, Subsampling):
            _subsampling(graph, layer, weights)
        else:
            _codes(graph, layer, flat)
    return flat


def _convolution(graph: _Graph, layer: Convolution, weights: Weights, single: bool, flat: bool) -> bool:
    name = layer.name.lower()
    output = layer.name if layer.activation == "none" else f"{layer.name}.sums"
    weight, bias = weights.tensors[f"{name}.weight"], graph.constant(f"{name}.bias", weights.tensors[f"{name}.bias"])
    if single:
        if not flat:
            graph.add("Flatten", f"{layer.name}.flat", axis=1)
        matrix = graph.constant(f"{name}.weight", weight.reshape(layer.maps, -1))
        graph.add("Gemm", output, matrix, bias, transB=1)
    else:
        kernels = graph.constant(f"{name}.weight", weight)
        graph.add("Conv", output, kernels, bias, kernel_shape=[layer.size, layer.size])
    graph.activate(layer.activation, layer.name)
    return single


def _subsampling(graph: _Graph, layer: Subsampling, weights: Weights) -> None:
    name, tensors = layer.name.lower(), weights.tensors
    plain = layer.copies == 1 and layer.kind != "trainable" and layer.activation == "none"
    pooled = layer.name if plain else f"{layer.name}.pooled"
    kind = "MaxPool" if layer.kind == "max" else "AveragePool"
    graph.add(kind, pooled, kernel_shape=[2, 2], strides=[2, 2])
    if layer.copies > 1:
        graph.add("Concat", f"{layer.name}.copies", *[pooled] * (layer.copies - 1), axis=1)
    if layer.kind == "trainable":
        shape = (-1, 1, 1)
        four = graph.constant(f"{name}.coefficient of the mean", 4 * tensors[f"{name}.coefficient"].reshape(shape))
        graph.add("Mul", f"{layer.name}.weighed", four)
        output = layer.name if layer.activation == "none" else f"{layer.name}.sums"
        graph.add("Add", output, graph.constant(f"{name}.bias", tensors[f"{name}.bias"].reshape(shape)))
    graph.activate(layer.activation, layer.name)


def _codes(graph: _Graph, layer: Layer, flat: bool) -> None:
    """Add minus the squared distances to the codes: (n, 84) or (n, 84, h, w) beside (k, 84)."""
    assert isinstance(layer, Codes)
    codes = np.array([code(ord(character)) for character in layer.characters], np.float32)
    shape = codes.shape if flat else (*codes.shape, 1, 1)
    graph.add("Unsqueeze", f"{layer.name}.beside", graph.constant("channel", np.array([1], np.int64)))
    graph.add("Sub", f"{layer.name}.apart", graph.constant("codes", codes.reshape(shape)))
    graph.add("Mul", f"{layer.name}.squares", f"{layer.name}.apart")
    graph.add("ReduceSum", f"{layer.name}.distances", graph.constant("over F6", np.array([2], np.int64)), keepdims=0)
    graph.add("Neg", layer.name)
