"""Read a picture: preprocessing, segmentation, scores, decoding, an answer or a guess. It alone knows both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.decoding.confidence import calibrate_confidence, format_holds
from lenet.decoding.decoder import DecodedDigit, DecodedLine, decode, withhold
from lenet.decoding.formats import SYMBOLS, accept_choices, parse_pattern
from lenet.decoding.graph import Automaton
from lenet.decoding.lines import LineOfArcs, decode_line
from lenet.decoding.sliding_window import build_column_graph
from lenet.decoding.two_readers import PairedText, pair_texts
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import Network
from lenet.engine.lines import load_lines
from lenet.engine.tta import TtaScores, score_with_tta
from lenet.errors import UsageError
from lenet.line_reader import WholeLine, read_whole_lines
from lenet.network.probabilities import best_two, log_probabilities, probabilities
from lenet.network.spec import NOT_A_DIGIT
from lenet.network.weights import Weights
from lenet.preprocessing.decode import Page, PictureSource
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.result import Abstained, Box, Digit, Line, Number, Reading, RunnerUp, Sign, join_texts
from lenet.segmentation.candidates import (
    LineStrips,
    PageCandidates,
    segment_digit,
    segment_numbers,
    segment_strips,
)
from lenet.steps import Step

# Less of what a line may say than this is hardly what was meant.
_HARDLY = 0.01
# What stands behind the answer is weighed among so many texts of the lattice.
_WEIGHED = 10
# A single glyph that is likelier no digit than any is none; no more texts of a line than these are listed.
_RUBBISH, _MOST_TEXTS = 0.5, 100


# Who reads a line: what is cut into digits, what is read as a whole, or both, whose answers are weighed.
Readers = Literal["cut", "line", "both"]


@dataclass(frozen=True)
class ReadOptions:
    """What to read: one `digit`, or numbers that are `allowed`; how many of the `best` texts of a line to list.

    An answer of a lower confidence than `least` is withheld; `steps` say what of that is out of reach. `sliding_window`
    slides the network along the line. Lines are read by `readers`: "cut" into digits, as a whole "line", or by "both".
    """

    digit: bool = False
    sliding_window: bool = False
    readers: Readers = "both"
    allowed: Automaton | None = None
    best: int = 0
    least: float = 0.0
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Explained:
    """A reading, the candidates that it is of, and the probability of each label for each candidate, (m, k)."""

    reading: Reading
    candidates: PageCandidates
    probabilities: Float64

    @property
    def chosen(self) -> set[int]:
        """Which candidates the digits and signs of the reading are."""
        said = [digit.arc for digit in self.reading.digits] + [sign.arc for sign in self.reading.signs]
        return {arc for arc in said if arc >= 0}


@dataclass(frozen=True)
class _Place:
    """Where a symbol of a decoded line is: its arc or column, its box in the picture's own pixels, and its glyph."""

    arc: int
    box: Box
    glyph: Uint8


@dataclass(frozen=True)
class _PlacedLine:
    """A decoded line, and where each of its symbols is."""

    decoded: DecodedLine
    places: list[_Place]


def read(source: PictureSource, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Read the numbers in any picture, or its one digit. Raises PictureError when the picture cannot be decoded.

    Weights that do not know "not a digit" read one digit.
    """
    return read_page(prepare_page(source), network, options)


def read_page(page: Page, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Read the numbers on a prepared page, or its one digit."""
    if options.sliding_window:
        return read_strips(segment_strips(find_writing(page)), network, options)
    return explain_page(page, network, options).reading


def explain_page(page: Page, network: Network, options: ReadOptions) -> Explained:
    """Read a prepared page, and tell all candidates that were scored.

    Where light and dark might be exchanged, as on a digit that was cut out tightly, what reads better is right.
    """
    first = _explain(page, network, options, inverted=False)
    if not first.candidates.ambiguous_polarity:
        return first
    second = _explain(page, network, options, inverted=True)
    if not second.reading.best_text:
        return first
    better = not first.reading.best_text or second.reading.confidence > first.reading.confidence
    return second if better else first


def _explain(page: Page, network: Network, options: ReadOptions, *, inverted: bool) -> Explained:
    one = options.digit or not network.weights.reads_numbers
    writing = find_writing(page, tall=one, inverted=inverted)
    candidates = segment_digit(writing) if one else segment_numbers(writing)
    scores = score_with_tta(network, candidates.glyphs)
    if one:
        return Explained(_read_digit(candidates, scores, options), candidates, scores.probabilities)
    whole = None
    if options.readers != "cut":
        whole = read_whole_lines(page, writing, candidates.lattice, load_lines(), options.allowed)
    reading = _read_numbers(candidates, scores, network, options, whole)
    return Explained(reading, candidates, scores.probabilities)


def read_digit(candidates: PageCandidates, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Say which digit the one candidate of a page is."""
    return _read_digit(candidates, score_with_tta(network, candidates.glyphs), options)


def _read_digit(candidates: PageCandidates, scores: TtaScores, options: ReadOptions) -> Reading:
    if candidates.unreadable:
        return Reading("", "", 0.0, candidates.unreadable, steps=candidates.steps)
    probs = scores.probabilities[0]
    steps = (*candidates.steps, *([Step("augmented")] if scores.augmented[0] else []), *options.steps)
    if len(probs) > NOT_A_DIGIT and probs[NOT_A_DIGIT] > _RUBBISH:
        return Reading("", "", float(probs[NOT_A_DIGIT]), "not a digit", steps=steps)
    first, second = best_two(probs[:NOT_A_DIGIT])
    ranked = sorted(enumerate(map(float, probs[:NOT_A_DIGIT])), key=lambda each: -each[1])[: options.best]
    likeliest = tuple((str(label), p) for label, p in ranked)
    decoded = DecodedLine(
        str(first),
        float(probs[first]),
        (DecodedDigit(0, first, float(probs[first]), second, float(probs[second])),),
        likeliest,
    )
    line = _PlacedLine(decoded, [_Place(0, candidates.box(0), candidates.glyphs[0])])
    return _join_lines([line], options, steps)


def read_numbers(candidates: PageCandidates, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Score all candidates of a page, those of low confidence augmented, and find the likeliest text of each line."""
    return _read_numbers(candidates, score_with_tta(network, candidates.glyphs), network, options)


def _read_numbers(
    candidates: PageCandidates,
    scores: TtaScores,
    network: Network,
    options: ReadOptions,
    whole: list[WholeLine] | None = None,
) -> Reading:
    if candidates.unreadable:
        return Reading("", "", 0.0, candidates.unreadable, steps=candidates.steps)
    arc_scorer = network.weights.arc_scorer
    assert arc_scorer is not None
    log_probs = log_probabilities(scores.probabilities)
    lines, said = [], []
    for number in range(len(candidates.lattice.lines)):
        cut = _CutLine(candidates, number, log_probs, arc_scorer)
        line, arcs = _read_line(cut, network, options, None if whole is None else whole[number])
        lines.append(line)
        said += arcs
    steps = (*candidates.steps, *([Step("augmented")] if scores.augmented[said].any() else []))
    return _join_lines(lines, options, steps, candidates.share_read)


@dataclass(frozen=True)
class _CutLine:
    """A line that was cut into candidates, and what is needed to find texts in it."""

    candidates: PageCandidates
    number: int
    log_probs: Float64
    arc_scorer: Float64

    def decode(self, allowed: Automaton | None, best: int) -> LineOfArcs:
        """Find the likeliest text of the line."""
        return decode_line(self.candidates, self.number, self.log_probs, self.arc_scorer, allowed, best)

    def place(self, found: LineOfArcs) -> list[_Place]:
        """Return where the symbols of a text of the line are."""
        return [_Place(arc, self.candidates.box(arc), self.candidates.glyphs[arc]) for arc in found.arcs.tolist()]


def _read_line(
    cut: _CutLine, network: Network, options: ReadOptions, whole: WholeLine | None
) -> tuple[_PlacedLine, list[int]]:
    """Return a line's text, by its cuts, as a whole, or by both, and the candidates that were looked at for it.

    Its digits are candidates where these say the text, and else stand where the whole line has them.
    """
    found = cut.decode(options.allowed, options.best if whole is None else max(options.best, _WEIGHED))
    arcs = found.arcs.tolist()
    decoded = _calibrate(found.decoded, found.features, network)
    if whole is None:
        return _PlacedLine(decoded, cut.place(found)), arcs
    paired, confidence, likeliest = _pair(decoded, whole, options)
    fits = max(decoded.fits, whole.spelled.fits)
    if paired.text != decoded.text and options.readers == "both" and paired.text:
        found = cut.decode(accept_choices([paired.text], "text"), 0)
    if paired.text == found.decoded.text and options.readers == "both":
        answer = replace(found.decoded, confidence=confidence, likeliest=likeliest, fits=fits)
        return _PlacedLine(answer, cut.place(found)), arcs
    signs = whole.place(paired.text)
    digits = tuple(
        DecodedDigit(
            step, SYMBOLS.index(sign.label), sign.confidence, SYMBOLS.index(sign.runner_up[0]), sign.runner_up[1]
        )
        for step, sign in enumerate(signs)
    )
    places = [_Place(-1, sign.box, sign.glyph) for sign in signs]
    return _PlacedLine(DecodedLine(paired.text, confidence, digits, likeliest, fits), places), arcs


def _pair(
    decoded: DecodedLine, whole: WholeLine, options: ReadOptions
) -> tuple[PairedText, float, tuple[tuple[str, float], ...]]:
    """Return what two readers say of a line, how sure that is, and the likeliest texts that were asked for."""
    weights = load_lines().weights
    paired = pair_texts(
        _list_texts(decoded) if options.readers == "both" else {}, whole.spelled, weights.lattice_shares
    )
    share = paired.likeliest[0][1]
    confidence = share
    if weights.pair_weights is not None:
        confidence = calibrate_confidence(paired.features, weights.pair_weights)
    confidence *= format_holds(max(decoded.fits, whole.spelled.fits))
    rest = min(1.0, (1 - confidence) / max(1e-9, 1 - share))
    others = tuple((text, rest * chance) for text, chance in paired.likeliest[1:])
    return paired, confidence, ((paired.text, confidence), *others)[: options.best]


def _list_texts(decoded: DecodedLine) -> dict[str, float]:
    """Return what the lattice says of a line: texts with their probability, "" for a line that says nothing."""
    if not decoded.digits:
        return {"": decoded.confidence}
    return {**dict(decoded.likeliest), decoded.text: decoded.confidence}


def compare_readers(page: Page, network: Network) -> list[tuple[dict[str, float], SpelledLine]]:
    """Return for each line of a page what the lattice says of it, each text with its probability, and the whole line.

    It is what the answer of both is weighed of, to learn how.
    """
    assert network.weights.arc_scorer is not None
    writing = find_writing(page)
    candidates = segment_numbers(writing)
    log_probs = log_probabilities(score_with_tta(network, candidates.glyphs).probabilities)
    found = []
    for number, whole in enumerate(read_whole_lines(page, writing, candidates.lattice, load_lines())):
        line = decode_line(candidates, number, log_probs, network.weights.arc_scorer, None, _WEIGHED)
        found.append((_list_texts(_calibrate(line.decoded, line.features, network)), whole.spelled))
    return found


def read_strips(lines: LineStrips, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Slide the network along each line of a picture and find the likeliest text of its columns."""
    if not lines.strips:
        return Reading("", "", 0.0, "blank", steps=lines.steps)
    found = []
    for number, strip in enumerate(lines.strips):
        scores = network.forward(strip.field)[0, :, 0].T
        graph, columns = build_column_graph(log_probabilities(probabilities(scores, network.weights.temperature)))
        spans = np.stack([columns - 1, columns + 2], axis=1).astype(np.int32)
        decoded = _calibrate(decode(graph, spans, options.allowed, options.best), None, network)
        said = [int(columns[each.step]) for each in decoded.digits]
        found.append(_PlacedLine(decoded, [_Place(column, *lines.place(number, column)) for column in said]))
    return _join_lines(found, options, lines.steps, lines.share_read)


def _join_lines(
    found: list[_PlacedLine], options: ReadOptions, steps: tuple[Step, ...], share_read: float = 1.0
) -> Reading:
    """Put decoded lines together; one that says nothing is left out.

    Of ink of which only a share is read, nothing is answered: what is left out may belong to any number.
    """
    lines: list[Line] = []
    numbers: list[Number] = []
    digits: list[Digit] = []
    signs: list[Sign] = []
    silent = 1.0
    for each in found:
        decoded = each.decoded
        if not decoded.digits:
            silent = min(silent, decoded.confidence)
            continue
        confidence = decoded.confidence * share_read
        abstained: Abstained = "uncertain" if share_read < 1 else _abstain(confidence, options)
        text, guess = ("", decoded.text) if abstained else (decoded.text, "")
        box, line = _surround(each.places), len(lines)
        lines.append(Line(text, guess, confidence, abstained, box, decoded.likeliest))
        numbers.append(Number(text, guess, confidence, abstained, box, line))
        for symbol, place in zip(decoded.digits, each.places, strict=True):
            if symbol.symbol < NOT_A_DIGIT:
                digits.append(_make_digit(symbol, place, line, answered=not abstained))
            else:
                sign = SYMBOLS[symbol.symbol], symbol.confidence, line, place.box
                signs.append(Sign(*sign, answered=not abstained, arc=place.arc))
    if not lines:
        return Reading("", "", silent, "not a digit", steps=(*steps, *options.steps))
    if any(each.decoded.digits and each.decoded.fits < _HARDLY for each in found):
        steps = (*steps, Step("format-unlikely"))
    text = join_texts(line.text for line in lines)
    return Reading(
        text,
        "" if text else "\n".join(line.guess for line in lines),
        float(np.prod([line.confidence for line in lines if line.text or not text])),
        False if text else "uncertain",
        tuple(lines),
        tuple(numbers),
        tuple(digits),
        tuple(signs),
        (*steps, *options.steps),
    )


def read_options(
    network: Network,
    *,
    digit: bool = False,
    sliding_window: bool = False,
    readers: Readers = "both",
    pattern: str | None = None,
    choices: Sequence[str] | None = None,
    best: int = 0,
    max_error: float | None = None,
) -> ReadOptions:
    """Return what is asked of a network, as `lenet.read` and `lenet read` take it.

    Raises UsageError for what does not go together, is out of range, or is more than these weights can do.
    """
    formats = [name for name, each in (("pattern", pattern), ("choices", choices)) if each is not None]
    if len(formats) > 1 or (digit and sliding_window):
        raise UsageError(" and ".join(formats if len(formats) > 1 else ["digit", "sweep"]), "both given", "give one")
    if digit and formats:
        raise UsageError("digit", "reads one digit", f"leave out {formats[0]}")
    if not 0 <= best <= _MOST_TEXTS:
        raise UsageError(f"best {best}", f"expected 0 to {_MOST_TEXTS}")
    if sliding_window and network.net.outputs <= NOT_A_DIGIT:
        raise UsageError(f"sweep with {network.weights.name}", "these weights have no blank", "choose lenet5-sweep")
    if formats and not sliding_window and not network.weights.reads_numbers:
        raise UsageError(f"{formats[0]} with {network.weights.name}", "these weights read one digit", "choose others")
    allowed = None if pattern is None else parse_pattern(pattern)
    if choices is not None:
        if isinstance(choices, str):
            raise UsageError(f"choices {choices!r}", "one text", "give a list of texts")
        allowed = accept_choices(list(choices), "choices")
    of_lines = not digit and not sliding_window and readers != "cut" and network.weights.reads_numbers
    weights = load_lines().weights if of_lines else network.weights
    least, steps = (0.0, ()) if max_error is None else _least_confidence(weights, max_error)
    return ReadOptions(digit, sliding_window, readers, allowed, best, least, steps)


def _least_confidence(weights: Weights, most_error: float) -> tuple[float, tuple[Step, ...]]:
    """Return from which confidence at most this share of answers is wrong, by the weights' own calibration.

    If there is none, all answers are to be withheld, and a step says so.
    """
    if not 0 < most_error < 1:
        raise UsageError(f"max_error {most_error:g}", "expected a share above 0 and below 1")
    curve = weights.error_curve
    if curve is None:
        raise UsageError("max_error", f"{weights.name} has no curve of errors", "choose lenet5-reader")
    enough = [confidence for confidence, error, _coverage in curve if error <= most_error]
    if enough:
        return min(enough), ()
    reached = 100 * float(min(error for _confidence, error, _coverage in curve))
    return 1.0, (Step("error-out-of-reach", {"weights": weights.name, "percent_wrong": reached}),)


def _calibrate(decoded: DecodedLine, features: Float64 | None, network: Network) -> DecodedLine:
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


def _make_digit(found: DecodedDigit, place: _Place, line: int, *, answered: bool) -> Digit:
    runner_up = RunnerUp(SYMBOLS[found.runner_up], found.runner_up_confidence)
    label = SYMBOLS[found.symbol]
    return Digit(label, found.confidence, runner_up, line, place.box, place.glyph, answered, place.arc)


def _surround(places: list[_Place]) -> Box:
    x0, y0, x1, y1 = zip(*(place.box for place in places), strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _abstain(confidence: float, options: ReadOptions) -> Abstained:
    return "uncertain" if confidence < options.least else withhold(confidence)
