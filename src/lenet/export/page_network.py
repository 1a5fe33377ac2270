"""A network as the page has it: in words and numbers, as records that the page's machine runs, its floats packed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lenet.arrays import Float32, Uint8
from lenet.errors import LenetError
from lenet.network.spec import Codes, Convolution, Layer, code
from lenet.network.summary import LayerFacts, layer_facts
from lenet.network.weights import Weights

# As `engine.c` counts them.
KINDS = ("convolution", "trainable", "average", "max", "codes")
ACTIVATIONS = ("none", "relu", "squash", "sigmoid")


@dataclass(frozen=True)
class Record:
    """A layer as `engine.c` takes it, a whole number each, in this order; places are in floats, `mask` in bytes."""

    kind: int
    maps_in: int
    high: int
    wide: int
    maps: int
    size: int
    activation: int
    weights: int
    bias: int
    into: int
    out: int
    mask: int


@dataclass(frozen=True)
class PageNetwork:
    """A network for the page: a description that JSON takes, and its parameters (n,) in the order of the records.

    Codes stand among the parameters, behind all that is learned. `masks` says which maps feed which, for all layers
    that have a table.
    """

    description: dict[str, Any]
    records: tuple[Record, ...]
    parameters: Float32
    masks: Uint8
    values: int

    @property
    def flat_records(self) -> list[int]:
        """The records as one list of whole numbers."""
        return [number for record in self.records for number in asdict(record).values()]


def describe_network(weights: Weights) -> PageNetwork:
    """Return shipped or trained weights as the page has them. Raises LenetError for a network that reads lines."""
    net = weights.net
    if net.reads_lines or any(isinstance(layer, Convolution) and layer.padding != (0, 0) for layer in net.layers):
        raise LenetError("--format html", f"{weights.name} reads lines", "choose a network of digits")
    built = _Builder(weights)
    for layer, facts in zip(net.layers, layer_facts(net), strict=True):
        built.add(layer, facts)
    last = net.layers[-1]
    description = {
        "name": weights.name or net.name,
        "net": net.name,
        "about": net.about,
        "errors": weights.test_errors,
        "tested_on": _tell_tested(weights),
        "temperature": weights.temperature,
        "margin": net.margin,
        "labels": [*net.signs, "none"][: net.outputs],
        "characters": last.characters if isinstance(last, Codes) else "",
        "layers": built.layers,
        "trainable": sum(layer["trainable"] for layer in built.layers),
        "connections": sum(layer["connections"] for layer in built.layers),
        "learned": built.learned,
    }
    parameters = np.concatenate(built.parts).astype(np.float32)
    masks = np.concatenate([np.zeros(0, np.uint8), *built.masks])
    return PageNetwork(description, tuple(built.records), parameters, masks, built.out)


def _tell_tested(weights: Weights) -> str:
    """Return in words what the errors were counted on."""
    if not weights.net.says_characters:
        return "MNIST's 10,000 test digits"
    return f"{weights.tested_on or 0:,} characters of writers that it never saw"


class _Builder:
    """What was told of a network's layers so far: records, descriptions, parameters, tables, where values end."""

    def __init__(self, weights: Weights) -> None:
        side = 32 - 2 * weights.net.margin
        self._weights = weights
        self._before: tuple[int, int, int] = (1, side, side)
        self._into, self.out, self.learned = 0, side * side, 0
        self.records: list[Record] = []
        self.layers: list[dict[str, Any]] = []
        self.parts: list[Float32] = []
        self.masks: list[Uint8] = []

    def add(self, layer: Layer, facts: LayerFacts) -> None:
        """Tell of the next layer."""
        given = _list_parameters(layer, self._weights)
        ends = np.cumsum([sum(map(len, self.parts)), *map(len, given)]).tolist()
        record = self._record(layer, facts, ends)
        self.records.append(record)
        self.layers.append(_tell_layer(layer, facts, record, ends, self._before))
        self.parts += given
        self.learned = self.learned if isinstance(layer, Codes) else ends[-1]
        self._into, self._before = record.out, facts.output
        self.out += int(np.prod(facts.output))

    def _record(self, layer: Layer, facts: LayerFacts, ends: list[int]) -> Record:
        mask = -1
        if isinstance(layer, Convolution) and layer.table is not None:
            mask = sum(map(len, self.masks))
            self.masks.append(_tell_table(layer, self._before[0]))
        return Record(
            KINDS.index(_name_kind(layer)),
            *self._before,
            facts.output[0],
            layer.size if isinstance(layer, Convolution) else 2,
            ACTIVATIONS.index("none" if isinstance(layer, Codes) else layer.activation),
            ends[0],
            ends[1] if len(ends) > 1 else 0,
            self._into,
            self.out,
            mask,
        )


def _name_kind(layer: Layer) -> str:
    if isinstance(layer, Convolution):
        return "convolution"
    return "codes" if isinstance(layer, Codes) else layer.kind


def _tell_layer(
    layer: Layer, facts: LayerFacts, record: Record, ends: list[int], before: tuple[int, int, int]
) -> dict[str, Any]:
    """Return a layer in words and numbers; its parameters stand between `ends`, codes or weights first, then biases."""
    table = layer.table if isinstance(layer, Convolution) else None
    told: dict[str, Any] = {
        "name": layer.name,
        "kind": KINDS[record.kind],
        "size": record.size,
        "activation": ACTIVATIONS[record.activation],
        "before": list(before),
        "shape": list(facts.output),
        "trainable": facts.trainable,
        "connections": facts.connections,
        "table": None if table is None else list(table),
    }
    if isinstance(layer, Codes):
        told["codes"] = ends[:2]
    elif len(ends) > 1:
        seen = record.maps_in if table is None else max(map(len, table))
        fan_in = seen * record.size**2 if isinstance(layer, Convolution) else 4
        told |= {"weights": ends[:2], "biases": ends[1:3], "fan_in": fan_in}
    return told


def _list_parameters(layer: Layer, weights: Weights) -> list[Float32]:
    """Return a layer's weights and biases, or its codes, each flat; none if it has none."""
    name = layer.name.lower()
    if isinstance(layer, Codes):
        return [np.array([code(ord(each)) for each in layer.characters], np.float32).ravel()]
    if not isinstance(layer, Convolution) and layer.kind != "trainable":
        return []
    first = "weight" if isinstance(layer, Convolution) else "coefficient"
    return [np.ascontiguousarray(weights.tensors[f"{name}.{part}"], np.float32).ravel() for part in (first, "bias")]


def _tell_table(layer: Convolution, maps_in: int) -> Uint8:
    """Return 1 for each map (maps, maps_in) that feeds another, 0 for one that does not, flat."""
    assert layer.table is not None
    found = np.zeros((layer.maps, maps_in), np.uint8)
    for which, seen in enumerate(layer.table):
        found[which, list(seen)] = 1
    return found.ravel()
