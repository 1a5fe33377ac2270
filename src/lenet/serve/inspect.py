"""What the network saw, as data for a page: candidates, every layer's values, and where a value comes from."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any

import numpy as np

from lenet.arrays import Float32, Uint8
from lenet.data.dataset import Digits
from lenet.engine import Network
from lenet.engine.reference import activate
from lenet.errors import UsageError
from lenet.network.probabilities import probabilities
from lenet.network.spec import Codes, Convolution, Layer, Net, code
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.preprocessing.sources import PictureSource
from lenet.reader import ReadOptions, explain_page, read_strips, refuse_numbers
from lenet.result import Reading
from lenet.segmentation.candidates import segment_strips


def list_labels(network: Network) -> list[str]:
    """Return what each output of a network stands for; of one more, nothing of it."""
    return [*network.net.signs, "not a digit"]


# So many mistakes are told.
_MISTAKES = 24


def pack(values: Uint8 | Float32) -> str:
    """Return bytes, or numbers as little-endian float16, in base64."""
    plain = values if values.dtype == np.uint8 else np.clip(values, -65504, 65504).astype("<f2")
    return b64encode(np.ascontiguousarray(plain).tobytes()).decode()


def explain_candidates(picture: PictureSource, network: Network, options: ReadOptions) -> dict[str, Any]:
    """Return the reading of a picture with every candidate that was scored, and the places of the cuts.

    Raises LenetError for a number that is given to weights which read one digit.
    """
    page = prepare_page(picture)
    if not options.digit and not network.weights.reads_texts:
        refuse_numbers(page, find_writing(page), network)
    explained = explain_page(page, network, replace(options, thorough=True))
    candidates, chosen = explained.candidates, explained.chosen
    found = []
    for arc, (glyph, probs) in enumerate(zip(candidates.glyphs, explained.probabilities, strict=True)):
        best = int(probs.argmax())
        first, past = (int(side) for side in candidates.lattice.arcs[arc])
        found.append(
            {
                "box": list(candidates.box(arc)),
                "pieces": [first, past],
                "label": list_labels(network)[best],
                "confidence": float(probs[best]),
                "chosen": arc in chosen,
                "glyph": pack(glyph),
            }
        )
    cuts = [[round(x, 1), round(y, 1)] for x, y in candidates.cuts()]
    size = list(candidates.size)
    return {**_with_glyphs(explained.reading), "size": size, "candidates": found, "cuts": cuts}


def explain_columns(picture: PictureSource, network: Network, options: ReadOptions) -> dict[str, Any]:
    """Return the reading of a picture by sliding along its lines, with the probabilities of every column."""
    lines = segment_strips(find_writing(prepare_page(picture)))
    reading = read_strips(lines, network, options)
    columns = []
    for strip in lines.strips:
        scores = network.forward(strip.field)[0, :, 0].T
        columns.append(np.round(probabilities(scores, network.weights.temperature), 4).tolist())
    return {**_with_glyphs(reading), "size": list(lines.size), "candidates": [], "cuts": [], "columns": columns}


def _with_glyphs(reading: Reading) -> dict[str, Any]:
    """Return a reading as JSON, each digit with the glyph that the network saw."""
    told = reading.as_json()
    for digit, shown in zip(reading.digits, told["digits"], strict=True):
        shown["glyph"] = pack(digit.glyph)
    return told


def explain_layers(network: Network, glyph: Uint8) -> dict[str, Any]:
    """Return every layer's values (maps, h, w) for a glyph, the probabilities, and the codes if the net has them."""
    layers = []
    for name, values in network.activations(glyph[None]).items():
        maps = values[0]
        low, high = float(maps.min()), float(maps.max())
        layers.append({"name": name, "shape": list(maps.shape), "low": low, "high": high, "values": pack(maps)})
    last = network.net.layers[-1]
    codes = [list(code(ord(each))) for each in last.characters] if isinstance(last, Codes) else []
    probs = network.probabilities(glyph[None])[0]
    return {
        "model": network.weights.name,
        "net": network.net.name,
        "layers": layers,
        "labels": list_labels(network)[: len(probs)],
        "probabilities": [float(each) for each in probs],
        "codes": codes,
    }


def explain_unit(network: Network, glyph: Uint8, layer: str, place: tuple[int, int, int]) -> dict[str, Any]:
    """Return where one value of a layer, at (map, row, column), comes from: its field in the 32x32 input, and its sum.

    Raises UsageError for a layer or a place that the network does not have.
    """
    names = [each.name for each in network.net.layers]
    if layer not in names:
        raise UsageError(f"layer {layer!r}", f"expected one of {', '.join(names)}")
    number = names.index(layer)
    inside = network.activations(glyph[None])
    shape = inside[layer].shape[1:]
    if any(not 0 <= at < size for at, size in zip(place, shape, strict=True)):
        raise UsageError(f"place {place}", f"{layer} has {shape[0]} maps of {shape[1]}x{shape[2]}")
    before = inside[names[number - 1]] if number else _crop_margin(network.net, inside["input"])
    which, row, column = place
    record = network.net.layers[number]
    (y0, y1), (x0, x1) = (_find_window(record, before.shape[2], at) for at in (row, column))
    patch = before[0, :, y0:y1, x0:x1].astype(np.float64)
    told = _sum(network, record, which, patch)
    told["value"] = float(inside[layer][0, which, row, column])
    return {
        "layer": layer,
        "place": list(place),
        "field": _field(network.net, number, row, column),
        "before": names[number - 1] if number else "input",
        "window": [x0, y0, x1, y1],
        **told,
    }


def _crop_margin(net: Net, inputs: Float32) -> Float32:
    """Return the part of the input that a network sees."""
    return inputs[:, :, net.margin : inputs.shape[2] - net.margin, net.margin : inputs.shape[3] - net.margin]


def _find_window(layer: Layer, size: int, at: int) -> tuple[int, int]:
    """Return the rows (or columns), first and one past the last, that a layer's row (or column) looks at."""
    if isinstance(layer, Codes):
        return 0, size
    return (at, at + layer.size) if isinstance(layer, Convolution) else (2 * at, 2 * at + 2)


def _field(net: Net, number: int, row: int, column: int) -> list[int]:
    """Return the part x0, y0, x1, y1 of the 32x32 input that a value of layer `number` can be changed by."""
    sides = []
    for at in (column, row):
        first, past = at, at + 1
        for layer in reversed(net.layers[: number + 1]):
            if isinstance(layer, Convolution):
                past += layer.size - 1
            elif not isinstance(layer, Codes):
                first, past = 2 * first, 2 * past
        sides.append((first + net.margin, past + net.margin))
    (x0, x1), (y0, y1) = sides
    return [x0, y0, x1, y1]


def _sum(network: Network, layer: Layer, which: int, patch: Any) -> dict[str, Any]:
    """Say what is added up: for each map of the layer before, its values, their weights and what they come to."""
    tensors, name = network.weights.tensors, layer.name.lower()
    if isinstance(layer, Codes):
        wanted = np.array(code(ord(layer.characters[which])), np.float64)
        apart = (patch[:, 0, 0] - wanted) ** 2
        terms = [_term(each, patch[each], wanted[each].reshape(1, 1), -apart[each]) for each in range(len(wanted))]
        return {
            "kind": "minus the squared distance to the code",
            "bias": 0.0,
            "sum": -float(apart.sum()),
            "terms": terms,
        }
    if isinstance(layer, Convolution):
        maps = range(len(patch)) if layer.table is None else layer.table[which]
        kernels, bias = tensors[f"{name}.weight"][which].astype(np.float64), float(tensors[f"{name}.bias"][which])
        terms = [_term(each, patch[each], kernels[each], float((patch[each] * kernels[each]).sum())) for each in maps]
        kind, total = "weighted sum", bias + sum(term["comes_to"] for term in terms)
    else:
        each = which % len(patch)
        four = patch[each]
        if layer.kind == "trainable":
            weight, bias = (float(tensors[f"{name}.{part}"][which]) for part in ("coefficient", "bias"))
            kind, total = "sum of four, times a coefficient", bias + weight * float(four.sum())
        else:
            weight, bias = (0.25 if layer.kind == "average" else 1.0), 0.0
            kind = f"{layer.kind} of four"
            total = float(four.mean() if layer.kind == "average" else four.max())
        terms = [_term(each, four, np.full(four.shape, weight), total - bias)]
    found = {"kind": kind, "bias": bias, "sum": total, "terms": terms}
    return found | {"activation": layer.activation, "activated": float(activate(np.array(total), layer.activation))}


def _term(which: int, values: Any, weights: Any, comes_to: float) -> dict[str, Any]:
    return {
        "map": which,
        "values": np.round(values, 5).tolist(),
        "weights": np.round(weights, 5).tolist(),
        "comes_to": float(comes_to),
    }


def list_mistakes(network: Network, digits: Digits) -> dict[str, Any]:
    """Return how many digits a network gets wrong, and the surest of its mistakes with their glyphs."""
    at_once = 1_000
    parts = [network.scores(digits.glyphs[first : first + at_once]) for first in range(0, len(digits.labels), at_once)]
    chances = probabilities(np.concatenate(parts), network.weights.temperature)
    answers = chances.argmax(axis=1)
    wrong = np.flatnonzero(answers != digits.labels)
    order = wrong[np.argsort(-chances[wrong, answers[wrong]], kind="stable")]
    told = [
        {
            "glyph": pack(digits.glyphs[place]),
            "label": str(digits.labels[place]),
            "answer": list_labels(network)[answers[place]],
            "probability": round(float(chances[place, answers[place]]), 4),
            "number": int(place),
        }
        for place in order[:_MISTAKES]
    ]
    return {"of": len(digits.labels), "errors": len(wrong), "mistakes": told}
