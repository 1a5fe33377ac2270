"""A digit that stands alone may be a letter: a network of all printable signs is asked, and its line as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lenet.answers.line import PlacedLine
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.decoder import withhold
from lenet.decoding.letters import letter_features, likeliest_letter, may_be_letter
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import Network


def doubt_letter(placed: PlacedLine, network: Network, spell: Callable[[], SpelledLine | None]) -> PlacedLine:
    """Return a line that says one digit and would be answered, as sure as that is beside all letters, if it is less.

    What it says as a whole, by `spell`, is asked where it may be a letter at all. What is no answer any more says which
    letter it may be. Other lines stay as they are, and so do all where the weights that read lines as a whole were not
    fitted for it.
    """
    text, confidence = placed.decoded.text, placed.decoded.confidence
    weights = network.lines.weights.letter_weights
    if weights is None or not (len(text) == len(placed.symbols) == 1 and text.isdigit()) or withhold(confidence):
        return placed
    likely = network.characters.probabilities(placed.symbols[0].place.glyph[None])[0]
    if not may_be_letter(likely):
        return placed
    sure = min(confidence, calibrate_confidence(letter_features(text, confidence, likely, spell()), weights))
    others = tuple((other, min(chance, sure, 1 - sure)) for other, chance in placed.decoded.likeliest if other != text)
    listed = ((text, sure), *others) if placed.decoded.likeliest else ()
    letter = likeliest_letter(likely) if withhold(sure) else ""
    decoded = replace(placed.decoded, confidence=sure, likeliest=listed)
    return replace(placed, decoded=decoded, sure=(sure,), digits_sure=min(sure, placed.digits_sure), like=letter)
