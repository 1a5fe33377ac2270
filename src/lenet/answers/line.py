"""One answer for a line: of what was cut into candidates, of what was read as a whole, or of both; how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import starmap
from typing import Literal

import numpy as np

from lenet.answers.whole_line import SeenSign, WholeLine
from lenet.arrays import Bools, Float64, Int32, Int64, Uint8
from lenet.decoding.confidence import calibrate_confidence, format_holds
from lenet.decoding.decoder import DecodedDigit, DecodedLine
from lenet.decoding.formats import SYMBOLS, accept_choices
from lenet.decoding.graph import Automaton
from lenet.decoding.lines import LineOfArcs, decode_line
from lenet.decoding.spacing import find_spaces, part_numbers, trust_spaces
from lenet.decoding.two_readers import PairedText, keep_digits, pair_texts, share_confidence
from lenet.engine import Network
from lenet.network.spec import NOT_A_DIGIT, SPACE
from lenet.network.weights import Weights
from lenet.preprocessing.parameters import RULE
from lenet.result import Box
from lenet.segmentation.candidates import PageCandidates

# Who reads a line: what is cut into digits, what is read as a whole, or both, whose answers are weighed.
Readers = Literal["cut", "line", "both"]
# What two readers say is weighed among so many texts of the lattice.
WEIGHED = 10
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
    """A decoded line: its symbols, how sure each of its numbers is, and the boxes of what was passed over.

    The first of these, so many as are `left_out`, are of ink that nothing was said of. What is no answer because it may
    be a letter is `like` that one. The digits alone are right with the probability `digits_sure`.
    """

    decoded: DecodedLine
    symbols: tuple[PlacedSymbol, ...]
    sure: tuple[float, ...]
    digits_sure: float
    passed_over: tuple[Box, ...] = ()
    left_out: int = 0
    like: str = ""


def place_symbols(decoded: DecodedLine, places: list[Place], signs: str = SYMBOLS) -> PlacedLine:
    """Return a decoded line of one number with the places of its symbols, which are numbers of `signs`."""
    symbols = tuple(_place_symbol(*each, signs) for each in zip(decoded.digits, places, strict=True))
    return PlacedLine(decoded, symbols, (decoded.confidence,), decoded.confidence)


def _place_symbol(found: DecodedDigit, place: Place, signs: str = SYMBOLS) -> PlacedSymbol:
    runner_up = signs[found.runner_up], found.runner_up_confidence
    return PlacedSymbol(signs[found.symbol], found.confidence, runner_up, place)


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

    def find_symbols(self, text: str, found: LineOfArcs, *, formatted: bool) -> list[PlacedSymbol]:
        """Return the symbols of a text, or its digits alone without a format, as they are cut; none if they are not.

        `found` is what the line was decoded to already.
        """
        said = text if formatted else keep_digits(text)
        if said and said != found.decoded.text and SPACE not in said:
            found = self.decode(accept_choices([said], "text"), 0)
        if said != found.decoded.text:
            return []
        return list(starmap(_place_symbol, zip(found.decoded.digits, self.place(found), strict=True)))

    def fit_boxes(self, signs: list[SeenSign]) -> list[SeenSign]:
        """Return signs of the line with the boxes of the pieces of ink that stand in their columns, if any do."""
        boxes = self._box_pieces()
        return [_fit_box(sign, boxes[_find_inside(boxes, sign.box)]) for sign in signs]

    def find_left_out(self, said: tuple[Box, ...]) -> tuple[Box, ...]:
        """Return the boxes of ink that is as high as writing and stands beside all that the line says.

        Pieces are one if nothing between them is said. What reaches into the columns of a sign is a part of it.
        """
        pieces = self._box_pieces()
        taken = np.any([np.zeros(len(pieces), bool), *(_find_inside(pieces, box) for box in said)], axis=0)
        between = np.flatnonzero(taken[1:] != taken[:-1]) + 1
        parts = zip(np.split(pieces, between), np.split(taken, between), strict=True)
        around = [(*part[:, :2].min(axis=0), *part[:, 2:].max(axis=0)) for part, own in parts if not own.all()]
        high = RULE.tall * max((foot - top for _left, top, _right, foot in said), default=np.inf)
        boxes = [(int(left), int(top), int(right), int(foot)) for left, top, right, foot in around]
        return tuple(
            box
            for box in boxes
            if box[3] - box[1] >= high and all(box[2] <= own[0] or own[2] <= box[0] for own in said)
        )

    def _box_pieces(self) -> Int64:
        """Return the boxes (n, 4) of the pieces of ink between the line's cuts, from left to right."""
        lattice = self.candidates.lattice
        rows = lattice.find_arcs(self.number)
        return self.candidates.boxes(rows[np.diff(lattice.arcs[rows], axis=1)[:, 0] == 1])


def read_cut_line(cut: CutLine, network: Network, allowed: Automaton | None, best: int) -> tuple[PlacedLine, Int32]:
    """Return a line's text by its cuts, and the candidates that say it."""
    found = cut.decode(allowed, best)
    return place_symbols(calibrate_line(found.decoded, found.features, network), cut.place(found)), found.arcs


def read_whole_line(whole: WholeLine, cut: CutLine, allowed: Automaton | None, best: int) -> PlacedLine:
    """Return a line's text as it is read as a whole, its digits where the line's ink is; nothing of it is scored."""
    weights = whole.network.weights
    paired = pair_texts({}, whole.spelled, weights.lattice_shares, formatted=allowed is not None)
    said = _weigh(paired, weights.alone_weights, whole.spelled.fits)
    return _place_text(whole, cut, said, [], allowed, best)


def read_line(
    cut: CutLine, network: Network, whole: WholeLine, allowed: Automaton | None, best: int
) -> tuple[PlacedLine, Int32]:
    """Return a line's text by its cuts and as a whole, and the candidates that were looked at for it.

    Its digits are candidates where these say the text, and else stand where the whole line has them.
    """
    found = cut.decode(allowed, max(best, WEIGHED))
    arcs, formatted, weights = found.arcs, allowed is not None, whole.network.weights
    decoded = calibrate_line(found.decoded, found.features, network)
    paired = pair_texts(list_texts(decoded), whole.spelled, weights.lattice_shares, formatted=formatted)
    said = _weigh(paired, weights.pair_weights, max(decoded.fits, whole.spelled.fits))
    return _place_text(whole, cut, said, cut.find_symbols(paired.text, found, formatted=formatted), allowed, best), arcs


def _find_inside(pieces: Int64, box: Box) -> Bools:
    """Return which of pieces (n, 4) have their middle in the columns of a box."""
    middles = (pieces[:, 0] + pieces[:, 2]) / 2
    found: Bools = (middles >= box[0]) & (middles < box[2])
    return found


def _fit_box(sign: SeenSign, inside: Int64) -> SeenSign:
    """Return a sign with the box around boxes (n, 4); ink that goes on beyond the sign's columns is other signs'."""
    if not len(inside):
        return sign
    x0, _y0, x1, _y1 = sign.box
    left, top = inside[:, :2].min(axis=0).tolist()
    right, foot = inside[:, 2:].max(axis=0).tolist()
    return replace(sign, box=(max(x0, left), top, min(x1, right), foot))


@dataclass(frozen=True)
class _Said:
    """What is said of a line: a text, how sure that and its digits are, the likeliest texts, how a format fits it."""

    text: str
    confidence: float
    digits: float
    likeliest: tuple[tuple[str, float], ...]
    fits: float


def _weigh(paired: PairedText, weights: Float64 | None, fits: float) -> _Said:
    """Return the text of one reader or two, as sure as such texts are by the weights (None: as it is likely)."""
    share = paired.likeliest[0][1]
    digits, signs = share, 1.0
    if weights is not None and paired.text:
        digits, signs = calibrate_confidence(paired.features, weights), paired.signs
    digits *= format_holds(fits)
    confidence = digits * signs
    rest = min(confidence / share, (1 - confidence) / (1 - share)) if 0 < share < 1 else 0.0
    others = tuple((text, rest * chance) for text, chance in paired.likeliest[1:])
    return _Said(paired.text, confidence, digits, ((paired.text, confidence), *others), fits)


def _place_text(
    whole: WholeLine, cut: CutLine, said: _Said, by_cut: list[PlacedSymbol], allowed: Automaton | None, best: int
) -> PlacedLine:
    """Return what is said of a line with its numbers parted and its symbols where they are."""
    text, certain, likeliest = said.text, np.zeros(0), said.likeliest
    if allowed is None and text:
        text, certain, likeliest = _space_out(whole, said.text, likeliest)
    symbols = _number_symbols(text, by_cut, cut.fit_boxes(whole.place(text.replace(SPACE, ""))))
    sure = _share(text, said.confidence, likeliest, certain, whole.network.weights)
    likeliest = ((text, float(np.prod(sure))), *likeliest[1:])
    answer = DecodedLine(text, likeliest[0][1], (), likeliest[:best], said.fits)
    left_out = cut.find_left_out(tuple(each.place.box for each in symbols))
    passed = np.array(whole.find_passed_over(said.text), int).reshape(-1, 4)
    for box in left_out:
        passed = passed[~_find_inside(passed, box)]
    boxes = (*left_out, *((x0, y0, x1, y1) for x0, y0, x1, y1 in passed.tolist()))
    return PlacedLine(answer, symbols, tuple(sure), said.digits, boxes, len(left_out))


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
    if len(features) == len(likely) and not whole.boxed:
        likely = find_spaces(features, whole.network.weights.space_weights, signs)
    likely[ends] = 1.0
    likely[whole.find_divided(signs)] = 1.0
    spaced = part_numbers(signs, likely)
    certain = np.maximum(likely, 1 - likely)
    others = tuple(
        (part_numbers(other, likely) if len(other) == len(signs) else other, chance) for other, chance in likeliest[1:]
    )
    return spaced, certain, (likeliest[0], *others)


def _share(
    text: str, confidence: float, likeliest: tuple[tuple[str, float], ...], certain: Float64, weights: Weights
) -> list[float]:
    """Return how sure each number of a text is, with the least certain of the places in it and beside it, if any are.

    Places of one line are doubtful together: their product would make long numbers doubtful.
    """
    sure = share_confidence(text, confidence, ((text, likeliest[0][1]), *likeliest[1:]))
    first = 0
    for row, part in enumerate(text.split(SPACE)):
        past = first + len(part)
        sure[row] *= trust_spaces(certain[max(0, first - 1) : past], weights.space_trust)
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


def list_texts(decoded: DecodedLine) -> dict[str, float]:
    """Return what the lattice says of a line: texts with their probability, "" for a line that says nothing."""
    if not decoded.digits:
        return {"": decoded.confidence}
    return {**dict(decoded.likeliest), decoded.text: decoded.confidence}


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
