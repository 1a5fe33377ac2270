"""One answer for a line: of what was cut into candidates, of what was read as a whole, or of both; how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.decoding.confidence import calibrate_confidence, format_holds
from lenet.decoding.decoder import DecodedDigit, DecodedLine
from lenet.decoding.formats import SYMBOLS, accept_choices
from lenet.decoding.graph import Automaton
from lenet.decoding.lines import LineOfArcs, decode_line
from lenet.decoding.two_readers import PairedText, pair_texts
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import Network
from lenet.engine.lines import LineNetwork, load_lines
from lenet.engine.tta import score_with_tta
from lenet.line_reader import WholeLine, read_whole_lines
from lenet.network.probabilities import log_probabilities
from lenet.network.spec import NOT_A_DIGIT
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import find_writing
from lenet.result import Box
from lenet.segmentation.candidates import PageCandidates, segment_numbers

# Who reads a line: what is cut into digits, what is read as a whole, or both, whose answers are weighed.
Readers = Literal["cut", "line", "both"]
# What two readers say is weighed among so many texts of the lattice.
_WEIGHED = 10
# No reader is so sure that a digit is another that it counts for more than this, as a logarithm.
_LEAST_LOG = -14.0


@dataclass(frozen=True)
class Place:
    """Where a symbol of a decoded line is: its arc or column, its box in the picture's own pixels, and its glyph."""

    arc: int
    box: Box
    glyph: Uint8


@dataclass(frozen=True)
class PlacedLine:
    """A decoded line, and where each of its symbols is; `written` has texts with all signs that were seen in them."""

    decoded: DecodedLine
    places: list[Place]
    written: Mapping[str, str] = field(default_factory=dict)

    def list_signed(self) -> dict[str, str]:
        """Return those of the likeliest texts in which signs were seen, each with them."""
        texts = [text for text, _confidence in self.decoded.likeliest if text]
        return {text: self.written[text] for text in texts if self.written.get(text, text) != text}


@dataclass(frozen=True)
class CutLine:
    """A line that was cut into candidates, and what is needed to find texts in it."""

    candidates: PageCandidates
    number: int
    log_probs: Float64
    arc_scorer: Float64

    def decode(self, allowed: Automaton | None, best: int) -> LineOfArcs:
        """Find the likeliest text of the line."""
        return decode_line(self.candidates, self.number, self.log_probs, self.arc_scorer, allowed, best)

    def place(self, found: LineOfArcs) -> list[Place]:
        """Return where the symbols of a text of the line are."""
        return [Place(arc, self.candidates.box(arc), self.candidates.glyphs[arc]) for arc in found.arcs.tolist()]


def read_line(
    cut: CutLine,
    network: Network,
    whole: WholeLine | None,
    readers: Readers,
    allowed: Automaton | None,
    best: int,
) -> tuple[PlacedLine, list[int]]:
    """Return a line's text, by its cuts, as a whole, or by both, and the candidates that were looked at for it.

    Its digits are candidates where these say the text, and else stand where the whole line has them.
    """
    found = cut.decode(allowed, best if whole is None else max(best, _WEIGHED))
    arcs = found.arcs.tolist()
    decoded = calibrate_line(found.decoded, found.features, network)
    if whole is None:
        return PlacedLine(decoded, cut.place(found)), arcs
    paired, confidence, likeliest = _pair(decoded, whole, readers, formatted=allowed is not None)
    likeliest = likeliest[:best]
    fits = max(decoded.fits, whole.spelled.fits)
    if paired.text != decoded.text and readers == "both" and paired.text:
        found = cut.decode(accept_choices([paired.text], "text"), 0)
    if paired.text == found.decoded.text and readers == "both":
        answer = replace(found.decoded, confidence=confidence, likeliest=likeliest, fits=fits)
        return PlacedLine(answer, cut.place(found), whole.spelled.as_written()), arcs
    signs = whole.place(paired.text)
    digits = tuple(
        DecodedDigit(
            step, SYMBOLS.index(sign.label), sign.confidence, SYMBOLS.index(sign.runner_up[0]), sign.runner_up[1]
        )
        for step, sign in enumerate(signs)
    )
    places = [Place(-1, sign.box, sign.glyph) for sign in signs]
    answer = DecodedLine(paired.text, confidence, digits, likeliest, fits)
    return PlacedLine(answer, places, whole.spelled.as_written()), arcs


def _pair(
    decoded: DecodedLine, whole: WholeLine, readers: Readers, *, formatted: bool
) -> tuple[PairedText, float, tuple[tuple[str, float], ...]]:
    """Return what two readers say of a line, how sure that is, and the likeliest texts."""
    weights = load_lines().weights
    paired = pair_texts(
        _list_texts(decoded) if readers == "both" else {}, whole.spelled, weights.lattice_shares, formatted=formatted
    )
    share = paired.likeliest[0][1]
    confidence = share
    if weights.pair_weights is not None and paired.text:
        confidence = calibrate_confidence(paired.features, weights.pair_weights) * paired.signs
    confidence *= format_holds(max(decoded.fits, whole.spelled.fits))
    rest = min(confidence / share, (1 - confidence) / (1 - share)) if 0 < share < 1 else 0.0
    others = tuple((text, rest * chance) for text, chance in paired.likeliest[1:])
    return paired, confidence, ((paired.text, confidence), *others)


def pair_digit(cut: Float64, whole: WholeLine, readers: Readers) -> Float64:
    """Return the probabilities (k,) of one digit by two readers: the mean of their logarithms, made to add up again.

    What is no digit, the eleventh of `cut` (k,), stays as it is.
    """
    digits = np.maximum(whole.score_digits(), _LEAST_LOG)
    if readers == "both":
        digits = (digits + np.log(np.maximum(cut[:NOT_A_DIGIT], np.exp(_LEAST_LOG)))) / 2
    shares = np.exp(digits - digits.max())
    paired = cut.copy()
    paired[:NOT_A_DIGIT] = shares / shares.sum() * cut[:NOT_A_DIGIT].sum()
    return paired


def _list_texts(decoded: DecodedLine) -> dict[str, float]:
    """Return what the lattice says of a line: texts with their probability, "" for a line that says nothing."""
    if not decoded.digits:
        return {"": decoded.confidence}
    return {**dict(decoded.likeliest), decoded.text: decoded.confidence}


def compare_readers(page: Page, network: Network, lines: LineNetwork) -> list[tuple[dict[str, float], SpelledLine]]:
    """Return for each line of a page what the lattice says of it, each text with its probability, and the whole line.

    It is what the answer of both is weighed of. Lines that are too long to be read as a whole are left out.
    """
    assert network.weights.arc_scorer is not None
    writing = find_writing(page)
    candidates = segment_numbers(writing)
    log_probs = log_probabilities(score_with_tta(network, candidates.glyphs).probabilities)
    found = []
    for number, whole in enumerate(read_whole_lines(page, writing, candidates.lattice, lines)):
        if whole is None:
            continue
        line = decode_line(candidates, number, log_probs, network.weights.arc_scorer, None, _WEIGHED)
        found.append((_list_texts(calibrate_line(line.decoded, line.features, network)), whole.spelled))
    return found


def calibrate_line(decoded: DecodedLine, features: Float64 | None, network: Network) -> DecodedLine:
    """Return the line with the confidence that such answers deserve, by the weights' own calibration of its features.

    That the format holds which was asked for is part of it. Other texts stay behind the answer in the same order, as
    likely beside each other as before, and all add up to 1 at most.
    """
    weights, share = network.weights.confidence_weights, decoded.confidence
    confidence = share if weights is None or features is None else calibrate_confidence(features, weights)
    confidence *= format_holds(decoded.fits)
    others = min(confidence / share, (1 - confidence) / (1 - share)) if 0 < share < 1 else confidence
    likeliest = tuple(
        (text, confidence if text == decoded.text else others * chance) for text, chance in decoded.likeliest
    )
    return replace(decoded, confidence=confidence, likeliest=likeliest)
