"""Read a picture: see it, score what is seen once, decode the scores. The only module that knows both ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64
from lenet.decode import DecodedDigit, best_two, decode_line, probabilities, withheld
from lenet.engine import Network
from lenet.errors import UsageError
from lenet.graph import Automaton
from lenet.image import Source
from lenet.pattern import SYMBOLS
from lenet.result import Abstained, Box, Digit, Line, Reading, RunnerUp
from lenet.sight import Sight, see_digit, see_number

_NOT_A_DIGIT = 10


@dataclass(frozen=True)
class Asked:
    """What to read: one `digit`, or numbers that are `allowed`; how many of the `best` texts of a line to list.

    An answer of a lower confidence than `least` is withheld.
    """

    digit: bool = False
    allowed: Automaton | None = None
    best: int = 0
    least: float = 0.0


def read(source: Source, network: Network, asked: Asked = Asked()) -> Reading:
    """Read the numbers in any picture, or its one digit. Raises PictureError when the picture cannot be decoded.

    Weights that do not know "not a digit" read one digit.
    """
    if asked.digit or network.weights.path is None:
        return read_digit(see_digit(source), network, asked)
    return read_number(see_number(source), network, asked)


def read_digit(sight: Sight, network: Network, asked: Asked = Asked()) -> Reading:
    """Say which digit a sight of one glyph is."""
    if not len(sight.lattice.arcs):
        return Reading("", 0.0, "too small" if sight.lattice.small else "blank", (), (), sight.notes)
    chances = probabilities(network.scores(sight.glyphs), network.weights.temperature)[0]
    first, second = best_two(chances[:_NOT_A_DIGIT])
    runner_up = RunnerUp(str(second), float(chances[second]))
    digit = Digit(str(first), float(chances[first]), runner_up, 0, sight.box(0), sight.glyphs[0])
    if len(chances) > _NOT_A_DIGIT and chances[_NOT_A_DIGIT] > 0.5:
        return Reading("", float(chances[_NOT_A_DIGIT]), "not a digit", (), (), sight.notes)
    abstained = _withheld(digit.confidence, asked)
    line = Line(digit.label, digit.confidence, abstained, digit.box)
    return Reading(line.text, line.confidence, abstained, (line,), (digit,), sight.notes)


def read_number(sight: Sight, network: Network, asked: Asked = Asked()) -> Reading:
    """Score all of a sight's glyphs in one forward pass and find the likeliest text of each line."""
    if not len(sight.lattice.arcs):
        return Reading("", 0.0, "too small" if sight.lattice.small else "blank", (), (), sight.notes)
    assert network.weights.path is not None
    chances = probabilities(network.scores(sight.glyphs), network.weights.temperature)
    logs: Float64 = np.log(np.maximum(chances, 1e-12))
    lines: list[Line] = []
    digits: list[Digit] = []
    notes = list(sight.notes)
    silent = 1.0
    for number in range(len(sight.lattice.lines)):
        found = decode_line(sight.lattice, number, logs, network.weights.path, asked.allowed, asked.best)
        if not found.digits:
            silent = min(silent, found.confidence)
            continue
        own = [_digit(each, sight, len(lines)) for each in found.digits]
        abstained = _withheld(found.confidence, asked)
        lines.append(Line(found.text, found.confidence, abstained, _around(own), found.likeliest))
        digits.extend(own)
    if not lines:
        return Reading("", silent, "not a digit", (), (), tuple(notes))
    confidence = float(np.prod([line.confidence for line in lines]))
    unsure: Abstained = "uncertain" if any(line.abstained for line in lines) else False
    text = "\n".join(line.text for line in lines)
    return Reading(text, confidence, unsure, tuple(lines), tuple(digits), tuple(notes))


def least_confidence(network: Network, most_error: float) -> float:
    """Return the confidence from which answers are wrong in at most this share, by the weights' own calibration.

    Raises UsageError for a share that is not between 0 and 1, and for weights without such a curve.
    """
    if not 0 < most_error < 1:
        raise UsageError(f"--max-error {most_error:g}", "expected a share above 0 and below 1")
    curve = network.weights.card.get("calibration", {}).get("risk")
    if not curve:
        raise UsageError("--max-error", f"{network.weights.name} has no curve of errors", "choose lenet5-reader")
    return min((confidence for confidence, error, _coverage in curve if error <= most_error), default=1.0)


def _digit(found: DecodedDigit, sight: Sight, line: int) -> Digit:
    runner_up = RunnerUp(SYMBOLS[found.runner_up], found.runner_up_confidence)
    label = SYMBOLS[found.symbol]
    return Digit(label, found.confidence, runner_up, line, sight.box(found.arc), sight.glyphs[found.arc])


def _around(digits: list[Digit]) -> Box:
    x0, y0, x1, y1 = zip(*(digit.box for digit in digits), strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _withheld(confidence: float, asked: Asked) -> Abstained:
    return "uncertain" if confidence < asked.least else withheld(confidence)
