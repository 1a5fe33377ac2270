"""A network and its tensors as the native engine takes them: layer records as tuples, tensors in one line."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.arrays import Float32, Tensors
from lenet.network.initialisation import connection_mask
from lenet.network.spec import Codes, Convolution, Net, Subsampling, code
from lenet.network.summary import tensor_shapes


def describe_layers(net: Net) -> list[tuple[Any, ...]]:
    """Return the layer records for `_native.Network`."""
    records: list[tuple[Any, ...]] = []
    maps = 1
    for layer in net.layers:
        if isinstance(layer, Convolution):
            table = [] if layer.table is None else connection_mask(layer, maps).astype(int).ravel().tolist()
            records.append(("convolution", layer.maps, layer.size, layer.activation, table))
            maps = layer.maps
        elif isinstance(layer, Codes):
            values = [float(value) for character in layer.characters for value in code(ord(character))]
            records.append(("codes", len(layer.characters), values))
        else:
            records.append(("subsampling", layer.kind, layer.activation, layer.copies))
            maps *= layer.copies
    return records


def describe_line_layers(net: Net) -> list[tuple[Any, ...]]:
    """Return the layer records of a line network for `_native.LineModel`. Raises ValueError for what it cannot run."""
    records: list[tuple[Any, ...]] = []
    for layer in net.layers:
        if isinstance(layer, Convolution) and layer.table is None:
            records.append(("convolution", layer.maps, *layer.kernel, *layer.padding, layer.activation))
        elif isinstance(layer, Subsampling) and layer.kind == "max" and layer.copies == 1:
            records.append(("maximum", *layer.window))
        else:
            raise ValueError(f"{net.name}, layer {layer.name}: not a layer of a line network")
    return records


def pack_tensors(net: Net, tensors: Tensors) -> Float32:
    """Return all tensors as one array (parameters,), in the order of the layers."""
    return np.concatenate([tensors[name].ravel() for name in tensor_shapes(net)]).astype(np.float32)


def unpack_tensors(net: Net, flat: Float32) -> Tensors:
    """Return the tensors of a flat array (parameters,) by name, as views of it."""
    tensors: Tensors = {}
    begin = 0
    for name, shape in tensor_shapes(net).items():
        end = begin + int(np.prod(shape))
        tensors[name] = flat[begin:end].reshape(shape)
        begin = end
    return tensors
