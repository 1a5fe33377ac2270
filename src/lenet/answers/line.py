"""One answer for a line: of what was cut into candidates, of what was read as a whole, or of both; how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import starmap
from typing import Literal

import numpy as np

from lenet.answers.whole_line import SeenSign, WholeLine, read_whole_lines
from lenet.arrays import Float64, Uint8
from lenet.decoding.confidence import calibrate_confidence, format_holds
from lenet.decoding.decoder import DecodedDigit, DecodedLine
from lenet.decoding.formats import SYMBOLS, accept_choices
from lenet.decoding.graph import Automaton
from lenet.decoding.lines import LineOfArcs, decode_line
from lenet.decoding.spacing import find_spaces, part_numbers, trust_spaces
from lenet.decoding.two_readers import PairedText, keep_digits, pair_texts, share_confidence
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import Network
from lenet.engine.lines import LineNetwork, load_lines
from lenet.network.probabilities import log_probabilities
from lenet.network.spec import NOT_A_DIGIT, SPACE
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
class PlacedSymbol:
    """A digit or a sign of a line, with its probability and the second best digit's, and where it is.

    `number` says of which of the line's numbers it is, from 0 on.
    """

    label: str
    confidence: float
    runner_up: tuple[str, float]
    place: Place
    number: int = 0


@dataclass(frozen=True)
class PlacedLine:
    """A decoded line: its symbols, how sure each of its numbers is, and the boxes of what was passed over."""

    decoded: DecodedLine
    symbols: tuple[PlacedSymbol, ...]
    sure: tuple[float, ...]
    passed_over: tuple[Box, ...] = ()


def place_symbols(decoded: DecodedLine, places: list[Place]) -> PlacedLine:
    """Return a decoded line of one number with the places of its symbols."""
    symbols = tuple(starmap(_place_symbol, zip(decoded.digits, places, strict=True)))
    return PlacedLine(decoded, symbols, (decoded.confidence,))


def _place_symbol(found: DecodedDigit, place: Place) -> PlacedSymbol:
    runner_up = SYMBOLS[found.runner_up], found.runner_up_confidence
    return PlacedSymbol(SYMBOLS[found.symbol], found.confidence, runner_up, place)


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
        return place_symbols(decoded, cut.place(found)), arcs
    formatted = allowed is not None
    paired, confidence, likeliest = _pair(decoded, whole, readers, formatted=formatted)
    said = paired.text if formatted else keep_digits(paired.text)
    if readers == "both" and said and said != decoded.text and SPACE not in said:
        found = cut.decode(accept_choices([said], "text"), 0)
    by_cut: list[PlacedSymbol] = []
    if readers == "both" and said == found.decoded.text:
        by_cut = list(starmap(_place_symbol, zip(found.decoded.digits, cut.place(found), strict=True)))
    text, certain = paired.text, np.zeros(0)
    if not formatted and text:
        text, certain, likeliest = _space_out(whole, paired.text, likeliest)
    symbols = _number_symbols(text, by_cut, whole.place(text.replace(SPACE, "")))
    sure = _share(text, confidence, likeliest, certain)
    likeliest = ((text, float(np.prod(sure))), *likeliest[1:])
    answer = DecodedLine(text, likeliest[0][1], (), likeliest[:best], max(decoded.fits, whole.spelled.fits))
    return PlacedLine(answer, symbols, tuple(sure), whole.find_passed_over(paired.text)), arcs


def _space_out(
    whole: WholeLine, text: str, likeliest: tuple[tuple[str, float], ...]
) -> tuple[str, Float64, tuple[tuple[str, float], ...]]:
    """Return a text, and others of as many signs, with spaces between numbers; and how certain each place is.

    Places are those between the text's signs, (n - 1,); where something is passed over numbers are apart for certain.
    """
    signs = text.replace(SPACE, "")
    ends = np.cumsum([len(part) for part in text.split(SPACE)])[:-1] - 1
    likely = np.zeros(max(0, len(signs) - 1))
    features = whole.weigh_spaces(signs)
    if len(features) == len(likely):
        likely = find_spaces(features, load_lines().weights.space_weights, signs)
    likely[ends] = 1.0
    likely[whole.find_divided(signs)] = 1.0
    spaced = part_numbers(signs, likely)
    certain = np.maximum(likely, 1 - likely)
    others = tuple(
        (part_numbers(other, likely) if len(other) == len(signs) else other, chance) for other, chance in likeliest[1:]
    )
    return spaced, certain, (likeliest[0], *others)


def _share(text: str, confidence: float, likeliest: tuple[tuple[str, float], ...], certain: Float64) -> list[float]:
    """Return how sure each number of a text is, with the least certain of the places in it and beside it, if any are.

    Places of one line are doubtful together: their product would make long numbers doubtful.
    """
    sure = share_confidence(text, confidence, ((text, likeliest[0][1]), *likeliest[1:]))
    first = 0
    for row, part in enumerate(text.split(SPACE)):
        past = first + len(part)
        sure[row] *= trust_spaces(certain[max(0, first - 1) : past], load_lines().weights.space_trust)
        first = past
    return sure


def _number_symbols(text: str, by_cut: list[PlacedSymbol], whole: list[SeenSign]) -> tuple[PlacedSymbol, ...]:
    """Return the symbols of a text, each with its number: as they were cut, if they were, else where the line has them.

    `by_cut` are those that were cut, all of them or the digits alone; `whole` are all, or none without room for them.
    """
    cut, found = list(reversed(by_cut)), []
    seen: list[SeenSign | None] = list(whole) if whole else [None] * len(text)
    numbers = [(sign, number) for number, part in enumerate(text.split(SPACE)) for sign in part]
    for (sign, number), where in zip(numbers, seen, strict=False):
        if cut and cut[-1].label == sign:
            found.append(replace(cut.pop(), number=number))
        elif where is not None:
            place = Place(-1, where.box, where.glyph)
            found.append(PlacedSymbol(sign, where.confidence, where.runner_up, place, number))
    return tuple(found)


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
    log_probs = log_probabilities(network.probabilities(candidates.glyphs))
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
