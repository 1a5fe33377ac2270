"""Initial weights as NumPy arrays, by the schemes that the paper, its companion and modern practice name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from lenet.arrays import Float64, Tensors
from lenet.network.spec import Convolution, Net, Subsampling
from lenet.network.summary import tensor_shapes

Draw = Literal["uniform", "normal"]


@dataclass(frozen=True)
class Scheme:
    """A way to draw weights: the distribution, its half-width or standard deviation from the fans, and more.

    The fans count weights only: the kernels that Table I leaves out are not counted. `coefficient` is the
    starting value of a trainable subsampling coefficient, which multiplies a sum of four; biases start at 0,
    or, when `biased`, are drawn like the weights.
    """

    draw: Draw
    spread: Callable[[int, int], float]
    coefficient: float
    source: str
    biased: bool = False


SCHEMES: dict[str, Scheme] = {
    "paper": Scheme("uniform", lambda fan_in, fan_out: 2.4 / fan_in, 0.6, "the 1998 paper, appendix A, to the letter"),
    "efficient-backprop": Scheme(
        "uniform",
        lambda fan_in, fan_out: sqrt(3 / fan_in),
        0.5,
        "LeCun, Bottou, Orr, Müller, Efficient BackProp (1998), section 4.6: standard deviation 1/sqrt(fan-in)",
    ),
    "lush": Scheme(
        "uniform", lambda fan_in, fan_out: 1 / sqrt(fan_in), 0.5, "the authors' own demonstration in Lush (2002)"
    ),
    "glorot": Scheme(
        "uniform",
        lambda fan_in, fan_out: sqrt(6 / (fan_in + fan_out)),
        0.25,
        "Glorot and Bengio (2010): the mean of fan-in and fan-out",
    ),
    "he": Scheme("normal", lambda fan_in, fan_out: sqrt(2 / fan_in), 0.25, "He et al. (2015), fan-in, for ReLU"),
    "he-fan-out": Scheme(
        "normal", lambda fan_in, fan_out: sqrt(2 / fan_out), 0.25, "He et al. (2015), fan-out, for ReLU"
    ),
    "torch": Scheme(
        "uniform", lambda fan_in, fan_out: 1 / sqrt(fan_in), 0.25, "PyTorch's default, biases drawn too", biased=True
    ),
}


def draw_tensors(net: Net, scheme: str, rng: np.random.Generator) -> Tensors:
    """Draw float32 tensors for every trainable parameter of `net` by a scheme of `SCHEMES`.

    Kernels outside a connection table are exactly zero. Raises ValueError for an unknown scheme.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"initialisation {scheme!r}: expected one of {', '.join(SCHEMES)}")
    chosen = SCHEMES[scheme]
    shapes = tensor_shapes(net)
    tensors: Tensors = {}
    for layer in net.layers:
        name = layer.name.lower()
        if isinstance(layer, Convolution):
            shape = shapes[f"{name}.weight"]
            mask = connection_mask(layer, shape[1])
            area = layer.kernel[0] * layer.kernel[1]
            fan_in = mask.sum(axis=1).astype(int) * area
            fan_out = max(1, round(float(mask.sum()) / shape[1])) * area
            spread = np.array([chosen.spread(int(each), fan_out) for each in fan_in])
            weight = _draw(rng, chosen.draw, shape) * spread[:, None, None, None] * mask[:, :, None, None]
            bias = _draw(rng, chosen.draw, (layer.maps,)) * spread * chosen.biased
            tensors[f"{name}.weight"] = weight.astype(np.float32)
            tensors[f"{name}.bias"] = bias.astype(np.float32)
        elif isinstance(layer, Subsampling) and layer.kind == "trainable":
            maps = shapes[f"{name}.bias"]
            tensors[f"{name}.coefficient"] = np.full(maps, chosen.coefficient, np.float32)
            tensors[f"{name}.bias"] = np.zeros(maps, np.float32)
    return tensors


def connection_mask(layer: Convolution, maps_in: int) -> Float64:
    """Return (maps, maps_in) with 1 where the table connects an output map to an input map, else 0."""
    mask = np.ones((layer.maps, maps_in))
    if layer.table is not None:
        mask[:] = 0
        for row, seen in enumerate(layer.table):
            mask[row, list(seen)] = 1
    return mask


def _draw(rng: np.random.Generator, draw: Draw, shape: tuple[int, ...]) -> Float64:
    return rng.uniform(-1, 1, shape) if draw == "uniform" else rng.standard_normal(shape)
