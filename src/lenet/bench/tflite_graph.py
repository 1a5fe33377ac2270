"""A network as a TFLite model, for LiteRT as a contender: float32, channels last, as its converter would write it."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tfl

from lenet.network.spec import (
    INPUT_SIZE,
    SQUASH_AMPLITUDE,
    SQUASH_SLOPE,
    Activation,
    Codes,
    Convolution,
    Subsampling,
    code,
)
from lenet.network.summary import layer_facts
from lenet.network.weights import Weights

_VERSION = 3
# What Python's part of TFLite calls its operators, by the names in its schema.
_OPERATOR, _OPTIONS = tfl.BuiltinOperator, tfl.BuiltinOptions


class _Model:
    """Tensors and operators in order; `last` is the number of the latest tensor, of `shape` (n, h, w, c) or (n, k)."""

    def __init__(self, images: int) -> None:
        self.model, self.graph = tfl.ModelT(), tfl.SubGraphT()
        self.model.version, self.model.subgraphs = _VERSION, [self.graph]
        self.model.buffers, self.model.operatorCodes = [tfl.BufferT()], []
        self.graph.tensors, self.graph.operators = [], []
        self.shape: tuple[int, ...] = (images, INPUT_SIZE, INPUT_SIZE, 1)
        self.last = self.tensor(self.shape)
        self.graph.inputs = [self.last]

    def tensor(self, shape: tuple[int, ...], values: Any = None) -> int:
        """Add a tensor, of values if it has any; return its number."""
        found = tfl.TensorT()
        found.shape, found.type, found.buffer = list(shape), tfl.TensorType.FLOAT32, 0
        if values is not None:
            array = np.ascontiguousarray(values)
            found.type = tfl.TensorType.INT32 if array.dtype == np.int32 else tfl.TensorType.FLOAT32
            buffer = tfl.BufferT()
            buffer.data = np.frombuffer(array.tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            found.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(found)
        return len(self.graph.tensors) - 1

    def constant(self, values: Any) -> int:
        """Add a constant of float32, or of int32 as it is."""
        array = np.asarray(values)
        array = array if array.dtype == np.int32 else array.astype(np.float32)
        return self.tensor(array.shape, array)

    def add(self, operator: int, shape: tuple[int, ...], *others: int, options: Any = None, kind: int = 0) -> None:
        """Add an operator that takes the latest tensor and others; its result becomes the latest."""
        known = [each.builtinCode for each in self.model.operatorCodes]
        if operator not in known:
            code_ = tfl.OperatorCodeT()
            code_.builtinCode, code_.deprecatedBuiltinCode, code_.version = operator, min(operator, 127), 1
            self.model.operatorCodes.append(code_)
            known.append(operator)
        done = tfl.OperatorT()
        done.opcodeIndex, done.inputs = known.index(operator), [self.last, *others]
        done.builtinOptions, done.builtinOptionsType = options, kind
        self.last, self.shape = self.tensor(shape), shape
        done.outputs = [self.last]
        self.graph.operators.append(done)

    def activate(self, activation: Activation) -> None:
        """Add an activation."""
        if activation == "squash":
            self.multiply(SQUASH_SLOPE)
            self.add(_OPERATOR.TANH, self.shape)
            self.multiply(SQUASH_AMPLITUDE)
        elif activation != "none":
            self.add({"relu": _OPERATOR.RELU, "sigmoid": _OPERATOR.LOGISTIC}[activation], self.shape)

    def multiply(self, by: Any) -> None:
        """Multiply by constants, (c,) or one."""
        self.add(_OPERATOR.MUL, self.shape, self.constant(by), options=tfl.MulOptionsT(), kind=_OPTIONS.MulOptions)

    def convolve(self, layer: Convolution, weight: Any, bias: Any, *, single: bool) -> None:
        """Add a convolution; a `single` one covers its input and becomes a matrix."""
        images = self.shape[0]
        last = np.moveaxis(weight, 1, 3)  # (maps, h, w, c)
        if single:
            flat = (images, int(np.prod(self.shape[1:])))
            if len(self.shape) > 2:  # noqa: PLR2004
                self.add(_OPERATOR.RESHAPE, flat, self.constant(np.array(flat, np.int32)))
            options = tfl.FullyConnectedOptionsT()
            matrix = self.constant(last.reshape(layer.maps, -1))
            shape: tuple[int, ...] = (images, layer.maps)
            kind, operator = _OPTIONS.FullyConnectedOptions, _OPERATOR.FULLY_CONNECTED
        else:
            options = tfl.Conv2DOptionsT()
            options.padding, options.strideH, options.strideW = tfl.Padding.VALID, 1, 1
            options.dilationHFactor = options.dilationWFactor = 1
            matrix = self.constant(last)
            shape = (images, *(side - layer.size + 1 for side in self.shape[1:3]), layer.maps)
            kind, operator = _OPTIONS.Conv2DOptions, _OPERATOR.CONV_2D
        self.add(operator, shape, matrix, self.constant(bias), options=options, kind=kind)
        self.activate(layer.activation)

    def subsample(self, layer: Subsampling, weights: Weights) -> None:
        """Add a subsampling of squares of two."""
        if layer.copies > 1:
            raise ValueError(f"{weights.net.name}: copies of maps are not written")
        options = tfl.Pool2DOptionsT()
        options.padding = tfl.Padding.VALID
        options.strideH = options.strideW = options.filterHeight = options.filterWidth = 2
        operator = _OPERATOR.MAX_POOL_2D if layer.kind == "max" else _OPERATOR.AVERAGE_POOL_2D
        shape = (self.shape[0], self.shape[1] // 2, self.shape[2] // 2, self.shape[3])
        self.add(operator, shape, options=options, kind=_OPTIONS.Pool2DOptions)
        if layer.kind == "trainable":
            name = layer.name.lower()
            self.multiply(4 * weights.tensors[f"{name}.coefficient"])
            bias = self.constant(weights.tensors[f"{name}.bias"])
            self.add(_OPERATOR.ADD, self.shape, bias, options=tfl.AddOptionsT(), kind=_OPTIONS.AddOptions)
        self.activate(layer.activation)

    def measure_distances(self, layer: Codes) -> None:
        """Add minus the squared distances to the codes."""
        codes = np.array([code(ord(character)) for character in layer.characters], np.float32)
        images, units = self.shape
        beside = (images, 1, units)
        self.add(_OPERATOR.RESHAPE, beside, self.constant(np.array(beside, np.int32)))
        self.add(_OPERATOR.SQUARED_DIFFERENCE, (images, *codes.shape), self.constant(codes))
        over = self.constant(np.array([2], np.int32))
        options = tfl.ReducerOptionsT()
        self.add(_OPERATOR.SUM, (images, len(codes)), over, options=options, kind=_OPTIONS.ReducerOptions)
        self.add(_OPERATOR.NEG, self.shape)

    def pack(self) -> bytes:
        """Return the whole as the file that an interpreter takes."""
        self.graph.outputs = [self.last]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def write_tflite(weights: Weights, images: int) -> bytes:
    """Return the model from network input (n, 32, 32, 1) to scores (n, k), for so many images at once."""
    model = _Model(images)
    for layer, facts in zip(weights.net.layers, layer_facts(weights.net), strict=True):
        name = layer.name.lower()
        if isinstance(layer, Convolution):
            weight, bias = weights.tensors[f"{name}.weight"], weights.tensors[f"{name}.bias"]
            model.convolve(layer, weight, bias, single=facts.output[1:] == (1, 1))
        elif isinstance(layer, Subsampling):
            model.subsample(layer, weights)
        else:
            assert isinstance(layer, Codes)
            model.measure_distances(layer)
    return model.pack()
