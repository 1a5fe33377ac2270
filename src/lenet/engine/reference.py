"""The readable truth: every network in NumPy, a line per layer. Fast engines are tested against this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lenet.arrays import Floats, Tensors, require_finite
from lenet.network.spec import (
    INPUT_SIZE,
    SQUASH_AMPLITUDE,
    SQUASH_SLOPE,
    Activation,
    Codes,
    Convolution,
    Layer,
    Net,
    code,
)

# A convolution unfolds its input 25 times: this many images at a time stay inside the cache.
_IMAGES_AT_ONCE = 64


def activate(x: Floats, activation: Activation) -> Floats:
    """Apply the activation of equation 6, or a modern one, to each value; shape in, same shape out."""
    match activation:
        case "squash":
            return SQUASH_AMPLITUDE * np.tanh(SQUASH_SLOPE * x)
        case "relu":
            return np.maximum(x, 0)
        case "sigmoid":
            return 0.5 + 0.5 * np.tanh(0.5 * x)  # 1 / (1 + exp(-x)) without overflow
        case "none":
            return x


def convolve(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """(n, m, h, w) with weights (k, m, s, t) and biases (k,) -> (n, k, h - s + 1, w - t + 1)."""
    maps = weight.shape[0]
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    rows, columns = windows.shape[2:4]
    unfolded = windows.transpose(0, 2, 3, 1, 4, 5).reshape(len(x) * rows * columns, weight[0].size)
    sums = unfolded @ weight.reshape(maps, -1).T + bias
    return sums.reshape(len(x), rows, columns, maps).transpose(0, 3, 1, 2)


def squares(x: Floats, window: tuple[int, int] = (2, 2)) -> Floats:
    """(n, m, h, w) -> (n, m, h // 2, w // 2, 4): the 2x2 squares that subsampling looks at, or other windows."""
    n, maps = x.shape[:2]
    rows, columns = window
    height, width = x.shape[2] // rows, x.shape[3] // columns
    split = x[:, :, : height * rows, : width * columns].reshape(n, maps, height, rows, width, columns)
    return split.transpose(0, 1, 2, 4, 3, 5).reshape(n, maps, height, width, rows * columns)


def squared_distances(x: Floats, codes: Floats) -> Floats:
    """(n, m, h, w) with codes (k, m) -> (n, k, h, w): equation 7."""
    return ((x[:, None] - codes[None, :, :, None, None]) ** 2).sum(axis=2)


def apply(layer: Layer, tensors: Tensors, x: Floats) -> Floats:
    """Run one layer; `tensors` are the whole network's, in the type to compute in."""
    name = layer.name.lower()
    if isinstance(layer, Codes):
        codes = np.array([code(ord(character)) for character in layer.characters], x.dtype)
        return -squared_distances(x, codes)
    if isinstance(layer, Convolution):
        if any(layer.padding):
            x = np.pad(x, ((0, 0), (0, 0), *((edge, edge) for edge in layer.padding)))
        sums = convolve(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
    elif layer.kind == "trainable":
        coefficient, bias = tensors[f"{name}.coefficient"], tensors[f"{name}.bias"]
        four = np.tile(squares(x, layer.window).sum(axis=-1), (1, layer.copies, 1, 1))
        sums = four * coefficient[:, None, None] + bias[:, None, None]
    elif layer.kind == "average":
        sums = np.tile(squares(x, layer.window).mean(axis=-1), (1, layer.copies, 1, 1))
    else:
        sums = np.tile(squares(x, layer.window).max(axis=-1), (1, layer.copies, 1, 1))
    return activate(sums, layer.activation)


def layer_outputs(net: Net, tensors: Tensors, inputs: Floats) -> Iterator[tuple[str, Floats]]:
    """Yield (name, output) for each layer in order; outputs are (n, maps, h, w)."""
    margin = net.margin
    x = inputs[:, :, margin : inputs.shape[2] - margin, margin : inputs.shape[3] - margin]
    for layer in net.layers:
        x = apply(layer, tensors, x)
        yield layer.name, x


def check_inputs(inputs: Floats) -> None:
    """Raise ValueError unless `inputs` are floats of shape (n, 1, h, w), 32x32 or larger."""
    shape = inputs.shape
    if len(shape) != 4 or shape[1] != 1 or shape[2] < INPUT_SIZE or shape[3] < INPUT_SIZE:  # noqa: PLR2004
        raise ValueError(f"inputs of shape {shape}: expected (n, 1, h, w) with h and w at least 32")
    if inputs.dtype.kind != "f":
        raise ValueError(f"inputs of type {inputs.dtype}: expected floats, as lenet.network.inputs.to_input makes them")


def forward(net: Net, tensors: Tensors, inputs: Floats) -> Floats:
    """Score network inputs (n, 1, 32, 32) -> (n, k), or wider ones (n, 1, H, W) -> (n, k, h, w).

    The map of scores equals sliding the 32x32 network at a step of 4 pixels: (H, W) = (32, 64) gives
    (h, w) = (1, 9). Scores are higher for a better match. Raises ValueError for a wrong shape or type, or NaN.
    """
    check_inputs(inputs)
    require_finite(inputs, "inputs")
    scores = [_last(net, tensors, inputs[i : i + _IMAGES_AT_ONCE]) for i in range(0, len(inputs), _IMAGES_AT_ONCE)]
    if not scores:
        scores = [_last(net, tensors, inputs)]
    joined = np.concatenate(scores)
    return joined[:, :, 0, 0] if inputs.shape[2:] == (INPUT_SIZE, INPUT_SIZE) else joined


def score_lines(net: Net, tensors: Tensors, inputs: Floats) -> Floats:
    """Score a line network's inputs (n, 1, 32, W) -> (n, k, 1, W // 4). Raises ValueError as `forward` does."""
    check_inputs(inputs)
    require_finite(inputs, "inputs")
    return np.concatenate([_last(net, tensors, each[None]) for each in inputs] or [_last(net, tensors, inputs)])


def _last(net: Net, tensors: Tensors, inputs: Floats) -> Floats:
    *_, (_name, scores) = layer_outputs(net, tensors, inputs)
    return scores


def activations(net: Net, tensors: Tensors, inputs: Floats) -> dict[str, Floats]:
    """Return {"input": ..., "C1": ..., ...}: the input and every layer's output, each (n, maps, h, w)."""
    check_inputs(inputs)
    require_finite(inputs, "inputs")
    return {"input": inputs, **dict(layer_outputs(net, tensors, inputs))}
