"""A digit that stands alone may be a letter: before it is answered, a network of all printable signs is asked."""

from __future__ import annotations

from dataclasses import replace

from lenet.answers.line import PlacedLine
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.decoder import withhold
from lenet.decoding.letters import letter_features, likeliest_letter
from lenet.engine import Network


def doubt_letter(placed: PlacedLine, network: Network) -> PlacedLine:
    """Return a line that says one digit and would be answered, as sure as that is beside all letters, if it is less.

    What is no answer any more says which letter it may be. Other lines stay as they are, and so do all where the
    weights that read lines as a whole were not fitted for it.
    """
    text, confidence = placed.decoded.text, placed.decoded.confidence
    weights = network.lines.weights.letter_weights
    if weights is None or not (len(text) == len(placed.symbols) == 1 and text.isdigit()) or withhold(confidence):
        return placed
    likely = network.characters.probabilities(placed.symbols[0].place.glyph[None])[0]
    sure = min(confidence, calibrate_confidence(letter_features(text, confidence, likely), weights))
    others = tuple((other, min(chance, sure, 1 - sure)) for other, chance in placed.decoded.likeliest if other != text)
    listed = ((text, sure), *others) if placed.decoded.likeliest else ()
    letter = likeliest_letter(likely) if withhold(sure) else ""
    decoded = replace(placed.decoded, confidence=sure, likeliest=listed)
    return replace(placed, decoded=decoded, sure=(sure,), digits_sure=min(sure, placed.digits_sure), like=letter)
