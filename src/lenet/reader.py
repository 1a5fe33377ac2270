"""Read a picture: see it, score what is seen once, decode the scores. The only module that knows both ends."""

from __future__ import annotations

from lenet.decode import best_two, probabilities, withheld
from lenet.engine import Network
from lenet.image import Source
from lenet.result import Digit, Line, Reading, RunnerUp
from lenet.sight import Sight, see


def read(source: Source, network: Network) -> Reading:
    """Read the digit in any picture. Raises PictureError when the picture cannot be decoded."""
    return decode_sight(see(source), network)


def decode_sight(sight: Sight, network: Network) -> Reading:
    """Score all of a sight's glyphs in one forward pass and say what they are."""
    if not len(sight.lattice.arcs):
        return Reading("", 0.0, "blank", (), (), sight.notes)
    probability = probabilities(network.scores(sight.glyphs), network.weights.temperature)
    digits = []
    for arc, row in enumerate(probability):
        first, second = best_two(row)
        runner_up = RunnerUp(str(second), float(row[second]))
        digits.append(Digit(str(first), float(row[first]), runner_up, 0, sight.box(arc), sight.glyphs[arc]))
    (digit,) = digits  # one digit is a lattice of one arc
    abstained = withheld(digit.confidence)
    line = Line(digit.label, digit.confidence, abstained, digit.box)
    return Reading(line.text, line.confidence, abstained, (line,), (digit,), sight.notes)
