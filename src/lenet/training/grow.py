"""Larger networks from smaller ones: what was learned is kept, and what is new says nothing yet."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Tensors
from lenet.errors import UsageError
from lenet.network.initialisation import draw_tensors
from lenet.network.spec import Convolution, Net
from lenet.network.weights import Weights


def grow_tensors(given: Weights, net: Net, rng: np.random.Generator) -> Tensors:
    """Return tensors for a network with more maps or more layers that scores everything as the given weights do.

    New maps are drawn as for a new network, and what follows does not listen to them yet; a new layer hands on what it
    gets, so it has to follow a rectified one of as many maps. Raises UsageError where a layer is smaller, or missing.
    """
    tensors = draw_tensors(net, "he", rng)
    names = {layer.name for layer in net.layers}
    missing = [layer.name for layer in given.net.layers if layer.name not in names]
    if missing:
        raise UsageError(f"init {given.name}", f"{given.net.name} has {', '.join(missing)}", f"{net.name} has not")
    for layer in net.layers:
        if not isinstance(layer, Convolution):
            continue
        name = layer.name.lower()
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        if f"{name}.weight" in given.tensors:
            kept = given.tensors[f"{name}.weight"]
            if kept.shape[2:] != weight.shape[2:] or any(a > b for a, b in zip(kept.shape, weight.shape, strict=True)):
                raise UsageError(
                    f"init {given.name}", f"its {layer.name} is {kept.shape}", f"{net.name} has {weight.shape}"
                )
            maps, maps_in = kept.shape[:2]
            weight[:maps] = 0
            weight[:maps, :maps_in] = kept
            bias[:maps] = given.tensors[f"{name}.bias"]
        else:
            maps, maps_in, height, width = weight.shape
            if maps != maps_in:
                raise UsageError(f"init {given.name}", f"{net.name} has {layer.name} of {maps} maps after {maps_in}")
            weight[:] = 0
            weight[range(maps), range(maps), height // 2, width // 2] = 1
            bias[:] = 0
    return tensors
