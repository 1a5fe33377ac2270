"""The readable truth of training: losses, gradients and the Gauss-Newton diagonal in NumPy, a function per layer.

First derivatives and the diagonal of appendix C are one recursion: the second has every weight, input and slope
squared (equations 23 to 27). The native engine has the same steps in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lenet.arrays import Float32, Floats, Tensors, Uint8
from lenet.engine.reference import apply, squares
from lenet.network.initialisation import connection_mask
from lenet.network.spec import SQUASH_AMPLITUDE, SQUASH_SLOPE, Activation, Codes, Layer, Net, Subsampling, code

LossKind = Literal["cross-entropy", "mean squared error", "distance", "discriminative"]


@dataclass(frozen=True)
class Loss:
    """The loss of one pattern, on scores s (k,) with the right label d.

    "cross-entropy": of the softmax of s with targets smoothed by `smoothing`. "mean squared error": over the k
    scores, targets -1 and +1. "distance": equation 8, -s[d]. "discriminative": equation 9, -s[d] +
    log(exp(-junk) + sum exp(s)); `junk` is its j, the penalty of the "rubbish" class. `unit` multiplies the scores
    first: 1/2 makes squared distances half squares, as in the authors' later code.
    """

    kind: LossKind = "cross-entropy"
    smoothing: float = 0.0
    junk: float = 0.0
    unit: float = 1.0


def loss_and_gradient(loss: Loss, scores: Floats, labels: Uint8, wanted: Floats | None = None) -> tuple[Floats, Floats]:
    """Return each pattern's loss (n,) and the gradient of its scores (n, k).

    Cross-entropy is with the probabilities `wanted` (n, k), or without them with the labels.
    """
    n, k = scores.shape
    scores = scores * loss.unit
    own = np.eye(k, dtype=scores.dtype)[labels]
    if loss.kind == "distance":
        return -(own * scores).sum(axis=1), -own * loss.unit
    if loss.kind == "mean squared error":
        off = scores - (2 * own - 1)
        return (off**2).mean(axis=1), 2 * off / k * loss.unit
    junk = np.full((n, 1), -loss.junk if loss.kind == "discriminative" else -np.inf, scores.dtype)
    largest = np.maximum(scores.max(axis=1, keepdims=True), junk)
    exponentials = np.exp(scores - largest)
    total = exponentials.sum(axis=1, keepdims=True) + np.exp(junk - largest)
    smoothing = loss.smoothing if loss.kind == "cross-entropy" else 0.0
    targets = (1 - smoothing) * own + smoothing / k if wanted is None else wanted
    log_total = largest + np.log(total)
    return (targets * (log_total - scores)).sum(axis=1), (exponentials / total - targets) * loss.unit


def score_curvature(loss: Loss, scores: Floats) -> Floats:
    """Return the diagonal of the loss's second derivatives in a linear output's scores: (n, k) -> (n, k)."""
    if loss.kind == "mean squared error":
        return np.full_like(scores, 2 / scores.shape[1] * loss.unit**2)
    exponentials = np.exp(loss.unit * (scores - scores.max(axis=1, keepdims=True)))
    p = exponentials / exponentials.sum(axis=1, keepdims=True)
    return p * (1 - p) * loss.unit**2


def slope(y: Floats, activation: Activation) -> Floats:
    """Return the derivative of an activation from its output; shape in, same shape out."""
    match activation:
        case "squash":
            return SQUASH_SLOPE * SQUASH_AMPLITUDE - SQUASH_SLOPE / SQUASH_AMPLITUDE * y**2
        case "relu":
            return (y > 0).astype(y.dtype)
        case "sigmoid":
            return y - y**2
        case "none":
            return np.ones_like(y)


def convolution_back(
    x: Floats, weight: Floats, d_sums: Floats, power: int, padding: tuple[int, int] = (0, 0)
) -> tuple[Floats, Floats, Floats]:
    """Return the gradients of a convolution's input, weights and biases from that of its sums (n, k, h, w)."""
    sides, size = tuple((edge, edge) for edge in padding), weight.shape[2:]
    windows = sliding_window_view(np.pad(x, ((0, 0), (0, 0), *sides)), size, axis=(2, 3)) ** power
    d_weight = np.tensordot(d_sums, windows, axes=((0, 2, 3), (0, 2, 3)))
    around = tuple((side - 1 - edge, side - 1 - edge) for side, edge in zip(size, padding, strict=True))
    framed = np.pad(d_sums, ((0, 0), (0, 0), *around))
    turned = (weight**power)[:, :, ::-1, ::-1]
    spread = np.tensordot(sliding_window_view(framed, size, axis=(2, 3)), turned, axes=((1, 4, 5), (0, 2, 3)))
    return spread.transpose(0, 3, 1, 2), d_weight, d_sums.sum(axis=(0, 2, 3))


def spread_squares(shares: Floats, shape: tuple[int, ...], window: tuple[int, int] = (2, 2)) -> Floats:
    """(n, m, h, w, 4), what each value of each window gets, 2x2 or another -> (n, m, H, W); an odd edge gets none."""
    n, maps, height, width, _all = shares.shape
    rows, columns = window
    out = np.zeros(shape, shares.dtype)
    pixels = shares.reshape(n, maps, height, width, rows, columns).transpose(0, 1, 2, 4, 3, 5)
    out[:, :, : rows * height, : columns * width] = pixels.reshape(n, maps, rows * height, columns * width)
    return out


def subsampling_back(
    layer: Subsampling, tensors: Tensors, x: Floats, d_sums: Floats, power: int
) -> tuple[Floats, Tensors]:
    """Return the gradient of a subsampling's input, and those of its coefficient and bias, if it has them."""
    maps, x = x.shape[1], np.tile(x, (1, layer.copies, 1, 1))
    back, found = _each_copy_back(layer, tensors, x, d_sums, power)
    return back.reshape(len(x), layer.copies, maps, *x.shape[2:]).sum(axis=1), found


def _each_copy_back(
    layer: Subsampling, tensors: Tensors, x: Floats, d_sums: Floats, power: int
) -> tuple[Floats, Tensors]:
    four = squares(x, layer.window)
    if layer.kind == "max":  # the first of equal ones takes it all
        first = np.eye(four.shape[-1], dtype=x.dtype)[four.argmax(axis=-1)]
        return spread_squares(d_sums[..., None] * first, x.shape, layer.window), {}
    name = layer.name.lower()
    shares: Floats = np.full((x.shape[1], 1, 1, 1), 0.25**power, x.dtype)
    found: Tensors = {}
    if layer.kind == "trainable":
        shares = tensors[f"{name}.coefficient"][:, None, None, None] ** power
        found[f"{name}.coefficient"] = (d_sums * four.sum(axis=-1) ** power).sum(axis=(0, 2, 3))
        found[f"{name}.bias"] = d_sums.sum(axis=(0, 2, 3))
    return spread_squares(d_sums[..., None] * shares * np.ones(4, x.dtype), x.shape), found


def outputs(net: Net, tensors: Tensors, inputs: Floats, kept: Mapping[str, Floats]) -> list[Floats]:
    """Return the input (n, 1, h, w) without margin and every layer's output; `kept` has dropout's masks."""
    edge = net.margin
    values = [inputs[:, :, edge : inputs.shape[2] - edge, edge : inputs.shape[3] - edge]]
    for layer in net.layers:
        values.append(apply(layer, tensors, values[-1]) * kept.get(layer.name, 1))
    return values


def backward(
    net: Net,
    tensors: Tensors,
    values: list[Floats],
    d_scores: Floats,
    kept: Mapping[str, Floats],
    power: int = 1,
) -> Tensors:
    """Return the gradient of every tensor, summed over the patterns, from that of the scores (n, k) or (n, k, h, w).

    `values` and `kept` are those of `outputs`. With `power` 2 it is the Gauss-Newton diagonal instead.
    """
    gradients: Tensors = {}
    d: Floats = d_scores if d_scores.ndim > 2 else d_scores[:, :, None, None]  # noqa: PLR2004
    for layer, x, y in reversed(list(zip(net.layers, values[:-1], values[1:], strict=True))):
        d, found = _layer_back(layer, tensors, x, y, d, kept.get(layer.name), power)
        gradients.update(found)
    return {name: gradients[name] for name in tensors}


def _layer_back(
    layer: Layer, tensors: Tensors, x: Floats, y: Floats, d: Floats, kept: Floats | None, power: int
) -> tuple[Floats, Tensors]:
    name = layer.name.lower()
    if isinstance(layer, Codes):
        if power == 2:  # of equation 8, for both losses: 2 times the slope in a distance, whichever class is right  # noqa: PLR2004
            return np.broadcast_to(2 * d[:, :1], x.shape), {}
        codes = np.array([code(ord(character)) for character in layer.characters], x.dtype)
        return 2 * (d[:, :, None] * (codes[None, :, :, None, None] - x[:, None])).sum(axis=1), {}
    if kept is not None:
        y, d = np.divide(y, kept, out=np.zeros_like(y), where=kept > 0), d * kept
    d = d * slope(y, layer.activation) ** power
    if isinstance(layer, Subsampling):
        return subsampling_back(layer, tensors, x, d, power)
    weight = tensors[f"{name}.weight"]
    d, d_weight, d_bias = convolution_back(x, weight, d, power, layer.padding)
    if layer.table is not None:
        d_weight *= connection_mask(layer, x.shape[1])[:, :, None, None]
    return d, {f"{name}.weight": d_weight, f"{name}.bias": d_bias}


def gradient(net: Net, tensors: Tensors, inputs: Floats, labels: Uint8, loss: Loss) -> Tensors:
    """Return the gradient of every tensor of the mean loss over n patterns."""
    values = outputs(net, tensors, inputs, {})
    _losses, d_scores = loss_and_gradient(loss, values[-1][:, :, 0, 0], labels)
    return backward(net, tensors, values, d_scores / len(labels), {})


def curvature(net: Net, tensors: Tensors, inputs: Floats, loss: Loss) -> Tensors:
    """Return h of equation 24 for every parameter: the mean over n patterns of the Gauss-Newton diagonal."""
    values = outputs(net, tensors, inputs, {})
    scores = values[-1][:, :, 0, 0]
    codes = isinstance(net.layers[-1], Codes)
    top = np.full_like(scores, loss.unit) if codes else score_curvature(loss, scores)
    summed = backward(net, tensors, values, top, {}, power=2)
    return {name: h / len(inputs) for name, h in summed.items()}


def dropout_mask(noise: int, first: int, n: int, units: tuple[int, int], share: float) -> Float32:
    """Return 0 or 1 / (1 - share) for each of n presentations and each unit `units[0]` to `units[1]` - 1: (n, units).

    A hash of the seed, the presentation's place in the pass and the unit: no order of work changes it.
    """
    with np.errstate(over="ignore"):
        place = (np.arange(first, first + n) + noise).astype(np.uint32)[:, None]
        unit = np.arange(*units).astype(np.uint32)[None]
        h = place * np.uint32(0x9E3779B1)
        h = h ^ (unit * np.uint32(0x85EBCA77) + np.uint32(noise >> 32 & 0xFFFFFFFF))
        h ^= h >> 15
        h *= np.uint32(0x2C1B3C6D)
        h ^= h >> 12
        h *= np.uint32(0x297A2D39)
        h ^= h >> 15
    uniform = (h >> 8).astype(np.float32) * np.float32(1 / 16777216)
    return np.where(uniform < np.float32(share), np.float32(0), np.float32(1) / np.float32(1 - share))
