"""What would change the answer: a glyph shifted, turned or covered with noise, and the patches that it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lenet.arrays import Float32, Float64, Uint8
from lenet.engine import Network
from lenet.engine.transforms import flip_pixels, place_affine, sample_affine, thicken
from lenet.errors import UsageError
from lenet.network.inputs import field_greys, to_input
from lenet.network.probabilities import best_two, probabilities
from lenet.serve.inspect import list_labels, pack

_POINTS = 25
# The side of a patch whose loss is looked at everywhere, and the largest that is tried to change the answer.
_PATCH, _LARGEST = 3, 12
_PAPER, _PEN = 0, 255


@dataclass(frozen=True)
class Range:
    """A kind of change: its unit, its least and greatest amount, and the one that changes nothing."""

    unit: str
    low: float
    high: float
    unchanged: float = 0.0


CHANGES: dict[str, Range] = {
    "right": Range("pixels", -12, 12),
    "down": Range("pixels", -12, 12),
    "size": Range("times", 0.4, 1.6, 1.0),
    "turn": Range("degrees clockwise", -60, 60),
    "squeeze": Range("times as wide", 0.5, 2.0, 1.0),
    "slant": Range("degrees to the right", -45, 45),
    "strokes": Range("pixels added on every side", -2, 3),
    "noise": Range("per cent of the pixels inverted", 0, 40),
}


def _change(glyph: Uint8, amounts: dict[str, float]) -> Float32:
    """Return a glyph as network input (1, 1, 32, 32) after all changes: strokes, noise, then its place and shape."""
    full = {name: amounts.get(name, each.unchanged) for name, each in CHANGES.items()}
    inked = flip_pixels(thicken(glyph[None], full["strokes"]), full["noise"])
    return sample_affine(
        inked, place_affine(*(full[name] for name in ("right", "down", "size", "turn", "squeeze", "slant")))
    )


def vary(network: Network, glyph: Uint8, amounts: dict[str, float], along: str | None) -> dict[str, Any]:
    """Return a changed glyph as the network sees it, its probabilities, and how they go along one kind of change.

    With `along` None the curves along every kind are told. Raises UsageError for an unknown kind or amount.
    """
    for name, amount in amounts.items():
        if name not in CHANGES:
            raise UsageError(f"change {name!r}", f"expected one of {', '.join(CHANGES)}")
        if not CHANGES[name].low <= amount <= CHANGES[name].high:
            raise UsageError(f"{name} {amount:g}", f"expected {CHANGES[name].low:g} to {CHANGES[name].high:g}")
    if along is not None and along not in CHANGES:
        raise UsageError(f"along {along!r}", f"expected one of {', '.join(CHANGES)}")
    here = _change(glyph, amounts)
    curves: dict[str, Any] = {}
    for name in CHANGES if along is None else (along,):
        steps = np.linspace(CHANGES[name].low, CHANGES[name].high, _POINTS)
        inputs = np.concatenate([_change(glyph, {**amounts, name: float(step)}) for step in steps])
        curves[name] = {"amounts": np.round(steps, 4).tolist(), "probabilities": _chances(network, inputs)}
    return {
        "model": network.weights.name,
        "labels": list_labels(network)[: network.net.outputs],
        "field": pack(field_greys(here)[0]),
        "probabilities": _chances(network, here)[0],
        "curves": curves,
    }


def find_runner_up(network: Network, glyph: Uint8) -> dict[str, Any]:
    """Return how much each 3x3 patch, set to paper or to pen, brings the runner-up nearer, and what flips the answer.

    Maps are (26, 26): the change of the log-odds of the answer against the runner-up. The smallest square patch
    that changes the answer is told with its box x0, y0, x1, y1 in the glyph; None if none up to 12 pixels does.
    """
    first, second = best_two(network.probabilities(glyph[None])[0])
    margin = _margin(network, glyph[None], first, second)[0]
    maps = {}
    for what, value in (("paper", _PAPER), ("pen", _PEN)):
        changed = _cover_patches(glyph, _PATCH, value)
        side = glyph.shape[0] - _PATCH + 1
        maps[what] = pack((_margin(network, changed, first, second) - margin).reshape(side, side).astype(np.float32))
    return {
        "model": network.weights.name,
        "answer": list_labels(network)[first],
        "runner_up": list_labels(network)[second],
        "margin": float(margin),
        "patch": _PATCH,
        "maps": maps,
        "flips": _measure_flips(network, glyph, first),
    }


def _measure_flips(network: Network, glyph: Uint8, answer: int) -> dict[str, Any] | None:
    """Return the smallest patch of paper or pen that changes the answer most surely."""
    for size in range(1, _LARGEST + 1):
        found = []
        for what, value in (("paper", _PAPER), ("pen", _PEN)):
            probs = network.probabilities(_cover_patches(glyph, size, value))
            others = probs.copy()
            others[:, answer] = 0
            gains = others.max(axis=1) - probs[:, answer]
            found.append((float(gains.max()), what, int(gains.argmax()), int(others[gains.argmax()].argmax())))
        gain, what, place, label = max(found)
        if gain > 0:
            y, x = divmod(place, glyph.shape[0] - size + 1)
            return {"set_to": what, "box": [x, y, x + size, y + size], "becomes": list_labels(network)[label]}
    return None


def _cover_patches(glyph: Uint8, size: int, value: int) -> Uint8:
    """Return the glyph (28, 28) once for every place of a square patch that is set to a value, (n, 28, 28)."""
    side = glyph.shape[0] - size + 1
    changed = np.repeat(glyph[None], side * side, axis=0)
    for place in range(side * side):
        y, x = divmod(place, side)
        changed[place, y : y + size, x : x + size] = value
    return changed


def _margin(network: Network, glyphs: Uint8, first: int, second: int) -> Float64:
    scores = network.forward(to_input(glyphs)).astype(np.float64) / network.weights.temperature
    return scores[:, first] - scores[:, second]


def _chances(network: Network, inputs: Float32) -> list[list[float]]:
    return np.round(probabilities(network.forward(inputs), network.weights.temperature), 4).tolist()
