"""A network in 8 bits: weights with a scale for each channel, values with a scale for each layer, integers alone.

A value v stands for scale * (v - zero). Sums are 32 bits wide; a layer brings them to its own scale by a multiplier and
a shift, or looks its activation up in a table. `run` is the truth that the exported C is held to, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import frexp
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from lenet.arrays import Int32, Int64, Uint8
from lenet.engine import Network
from lenet.engine.reference import activate, squares
from lenet.network.spec import (
    BACKGROUND,
    FOREGROUND,
    INPUT_SIZE,
    SQUASH_AMPLITUDE,
    SQUASH_SLOPE,
    Activation,
    Codes,
    Convolution,
    Layer,
    code,
)
from lenet.network.summary import layer_facts

Int8 = npt.NDArray[np.int8]
# An input value is a grey level less 128; -0.1 is grey 0, and 0 is grey 20.
INPUT_SCALE = (FOREGROUND - BACKGROUND) / 255
INPUT_ZERO = round(-BACKGROUND / INPUT_SCALE) - 128
# Tables have so many entries over a layer's sums, at most from -_SATURATED to _SATURATED, where a squash is flat.
TABLE = 2048
_SATURATED = 6.0
# Scores are whole numbers of these parts; those of codes are squares of the 64th parts that F6 is told in.
SCORE_SCALE = 1 / 4096
_CODE_STEPS = 64
# A sum times a multiplier of so many bits fits in 63.
_MULTIPLIER_BITS = 30


@dataclass(frozen=True)
class QuantisedLayer:
    """One layer. `weights` is (maps, maps in, size, size), or (maps,) for subsampling, or (k, 84) codes.

    `bias` has the zero of the values before it worked in. A sum times `multipliers` shifted right by `shifts`, rounded,
    is the next value less `zero`, or an index of the `table`, or a score. `shape` is the output's.
    """

    record: Layer
    shape: tuple[int, int, int]
    before: tuple[int, int, int]
    scale: float
    zero: int
    weights: npt.NDArray[Any] | None = None
    bias: Int32 | None = None
    multipliers: Int32 | None = None
    shifts: Int32 | None = None
    table: npt.NDArray[Any] | None = None


@dataclass(frozen=True)
class Quantised:
    """A whole network in 8 bits."""

    network: Network
    layers: tuple[QuantisedLayer, ...]


def quantise(network: Network, glyphs: Uint8) -> Quantised:
    """Bring a network to 8 bits; the ranges of its values are those of training glyphs (n, 28, 28)."""
    inside = network.activations(glyphs)
    found: list[QuantisedLayer] = []
    scale, zero = INPUT_SCALE, INPUT_ZERO
    side = INPUT_SIZE - 2 * network.net.margin
    shape = (1, side, side)
    facts = layer_facts(network.net)
    for number, (record, fact) in enumerate(zip(network.net.layers, facts, strict=True)):
        last = number == len(facts) - 1
        coded = not last and isinstance(network.net.layers[number + 1], Codes)
        made = _layer(network, record, fact.output, shape, (scale, zero), inside[record.name], last=last, coded=coded)
        found.append(made)
        scale, zero, shape = made.scale, made.zero, made.shape
    return Quantised(network, tuple(found))


def _layer(
    network: Network,
    record: Layer,
    shape: tuple[int, int, int],
    before: tuple[int, int, int],
    given: tuple[float, int],
    values: npt.NDArray[Any],
    *,
    last: bool,
    coded: bool,
) -> QuantisedLayer:
    tensors, name, (scale, zero) = network.weights.tensors, record.name.lower(), given
    if isinstance(record, Codes):
        codes = np.array([code(ord(each)) for each in record.characters], np.int8)
        return QuantisedLayer(record, shape, before, scale**2, 0, codes)
    if isinstance(record, Convolution):
        exact, bias = tensors[f"{name}.weight"].astype(np.float64), tensors[f"{name}.bias"].astype(np.float64)
    elif record.kind == "trainable":
        exact, bias = (tensors[f"{name}.{part}"].astype(np.float64) for part in ("coefficient", "bias"))
    else:
        return QuantisedLayer(record, shape, before, scale, zero)
    flat = exact.reshape(len(exact), -1)
    steps = np.maximum(np.abs(flat).max(axis=1), 1e-12) / 127
    weights = np.rint(flat / steps[:, None]).astype(np.int8)
    summed = weights.astype(np.int64).sum(axis=1) * (1 if isinstance(record, Convolution) else 4)
    biases = np.rint(bias / (steps * scale)).astype(np.int64) - zero * summed
    out_scale, out_zero, table, reach = _range(record.activation, values, last=last, coded=coded)
    multipliers, shifts = _fixed_point(steps * scale / reach)
    return QuantisedLayer(
        *(record, shape, before, out_scale, out_zero),
        weights.reshape(exact.shape),
        biases.astype(np.int32),
        *(multipliers, shifts, table),
    )


def _range(
    activation: Activation, values: npt.NDArray[Any], *, last: bool, coded: bool
) -> tuple[float, int, npt.NDArray[Any] | None, float]:
    """Return a layer's scale and zero, its table if it has one, and what a sum must be brought to the parts of."""
    if activation == "none":
        return SCORE_SCALE, 0, None, SCORE_SCALE
    if activation == "relu":
        scale = max(float(np.percentile(values, 99.99)), 1e-6) / 255
        return scale, -128, None, scale
    reached, saturated = 1.0, _SATURATED
    if activation == "squash" and not (last or coded):
        # Values that stay near 0 get a scale and a table of their own: what lies beyond is as good as the largest.
        most = float(np.percentile(np.abs(values), 99.99)) / SQUASH_AMPLITUDE
        reached = float(np.clip(most, 1e-6, np.tanh(SQUASH_SLOPE * _SATURATED)))
        saturated = float(np.arctanh(reached)) / SQUASH_SLOPE
    part = 2 * saturated / TABLE
    exact = activate((np.arange(TABLE) - TABLE // 2) * part, activation)
    if last:
        return SCORE_SCALE / 4, 0, np.rint(exact / (SCORE_SCALE / 4)).astype(np.int16), part
    scale, zero = (1 / 255, -128) if activation == "sigmoid" else (reached * SQUASH_AMPLITUDE / 127, 0)
    if coded:
        scale, zero = 1 / _CODE_STEPS, 0
    return scale, zero, np.clip(np.rint(exact / scale) + zero, -128, 127).astype(np.int8), part


def _fixed_point(factors: npt.NDArray[np.float64]) -> tuple[Int32, Int32]:
    """Return multipliers below 2^30 and right shifts that stand for positive factors."""
    multipliers, shifts = [], []
    for factor in factors.tolist():
        power = frexp(factor)[1]
        shift = min(_MULTIPLIER_BITS - power, 62)
        multipliers.append(round(factor * 2.0**shift))
        shifts.append(shift)
    return np.array(multipliers, np.int32), np.array(shifts, np.int32)


def run(model: Quantised, glyphs: Uint8) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield (name, values) of the input and of every layer, (n, maps, h, w); the last are the scores, int32."""
    margin = 2 - model.network.net.margin
    padded = np.pad(glyphs, ((0, 0), (margin, margin), (margin, margin)))
    x: npt.NDArray[Any] = (padded.astype(np.int16) - 128).astype(np.int8)[:, None]
    yield "input", x
    for layer in model.layers:
        x = _apply(layer, x)
        yield layer.record.name, x


def scores(model: Quantised, glyphs: Uint8) -> Int32:
    """Return the scores (n, k) of glyphs (n, 28, 28)."""
    *_, (_name, found) = run(model, glyphs)
    return found[:, :, 0, 0].astype(np.int32)


def _apply(layer: QuantisedLayer, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    record, wide = layer.record, x.astype(np.int64)
    if isinstance(record, Codes):
        assert layer.weights is not None
        apart = wide[:, None] - _CODE_STEPS * layer.weights.astype(np.int64)[None, :, :, None, None]
        return -(apart**2).sum(axis=2).astype(np.int32)
    if isinstance(record, Convolution):
        assert layer.weights is not None
        size = record.size
        windows = sliding_window_view(wide, (size, size), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
        flat = windows.reshape(*windows.shape[:3], -1).astype(np.float64)
        kernels = layer.weights.reshape(record.maps, -1).astype(np.float64)
        return _brought(layer, np.rint(flat @ kernels.T).astype(np.int64).transpose(0, 3, 1, 2))
    four = np.tile(squares(wide.astype(np.float64)).astype(np.int64), (1, record.copies, 1, 1, 1))
    if record.kind == "max":
        return four.max(axis=-1).astype(np.int8)
    if record.kind == "average":
        return (((four.sum(axis=-1) + 512 + 2) >> 2) - 128).astype(np.int8)
    assert layer.weights is not None
    return _brought(layer, four.sum(axis=-1) * layer.weights.astype(np.int64)[None, :, None, None])


def _brought(layer: QuantisedLayer, sums: Int64) -> npt.NDArray[Any]:
    """Bring sums without their biases to the layer's own scale."""
    assert layer.bias is not None
    assert layer.multipliers is not None
    assert layer.shifts is not None
    along = (None, slice(None), None, None)
    total = (sums + layer.bias.astype(np.int64)[along]) * layer.multipliers.astype(np.int64)[along]
    shifts = layer.shifts.astype(np.int64)[along]
    rounded = np.sign(total) * ((np.abs(total) + (np.int64(1) << (shifts - 1))) >> shifts)
    if layer.table is not None:
        index = np.clip(rounded, -TABLE // 2, TABLE // 2 - 1) + TABLE // 2
        found = layer.table[index]
        return found if found.dtype == np.int8 else found.astype(np.int32)
    if isinstance(layer.record, Convolution) and layer.record.activation == "none":
        return rounded.astype(np.int32)
    return (np.clip(rounded, 0, 255) - 128).astype(np.int8)
