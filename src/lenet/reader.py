"""Read a picture: see it, score what is seen once, decode the scores. The only module that knows both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.decoding.confidence import calibrate_confidence, confidence_features, format_holds
from lenet.decoding.decoder import DecodedDigit, DecodedLine, decode, withhold
from lenet.decoding.features import build_line_graph
from lenet.decoding.formats import SYMBOLS, accept_choices
from lenet.decoding.formats import parse_pattern as allowed_texts
from lenet.decoding.graph import Automaton
from lenet.decoding.sliding_window import build_column_graph
from lenet.engine import Network
from lenet.engine.tta import score_with_tta
from lenet.errors import UsageError
from lenet.network.probabilities import best_two, probabilities
from lenet.network.spec import NOT_A_DIGIT
from lenet.preprocessing.decode import PictureSource
from lenet.result import Abstained, Box, Digit, Line, Reading, RunnerUp
from lenet.segmentation.candidates import LineStrips, PageCandidates, find_candidates, find_digit, find_strips

_AGAIN = "doubtful: turned, slanted and scaled looks count too"
_UNFIT = "what is written hardly fits the format"
# Less of what a line may say than this is hardly what was meant.
_HARDLY = 0.01


@dataclass(frozen=True)
class ReadOptions:
    """What to read: one `digit`, or numbers that are `parse_pattern`; how many of the `best` texts of a line to list.

    An answer of a lower confidence than `least` is withheld; `notes` say what of that is out of reach. `sliding_window`
    slides the network along the line.
    """

    digit: bool = False
    sliding_window: bool = False
    allowed: Automaton | None = None
    best: int = 0
    least: float = 0.0
    notes: tuple[str, ...] = ()


def read(source: PictureSource, network: Network, asked: ReadOptions = ReadOptions()) -> Reading:
    """Read the numbers in any picture, or its one digit. Raises PictureError when the picture cannot be decoded.

    Weights that do not know "not a digit" read one digit.
    """
    if asked.sliding_window:
        return read_strips(find_strips(source), network, asked)
    return find_and_read(source, network, asked)[1]


def find_and_read(source: PictureSource, network: Network, asked: ReadOptions) -> tuple[PageCandidates, Reading]:
    """Return what was seen of a picture, and the reading of it.

    Where light and dark might be exchanged, as on a digit that was cut out tightly, what reads better is right.
    """
    one = asked.digit or not network.weights.reads_numbers
    see, say = (find_digit, read_digit) if one else (find_candidates, read_number)
    candidates = see(source)
    reading = say(candidates, network, asked)
    if candidates.ambiguous_polarity:
        inverted = see(source, inverted=True)
        again = say(inverted, network, asked)
        if again.text and (not reading.text or again.confidence > reading.confidence):
            return inverted, again
    return candidates, reading


def find_chosen_arcs(candidates: PageCandidates, reading: Reading) -> set[int]:
    """Return which of a sight's candidates the digits of its reading are."""
    said = {(digit.box, digit.glyph.tobytes()) for digit in reading.digits}
    return {arc for arc, glyph in enumerate(candidates.glyphs) if (candidates.box(arc), glyph.tobytes()) in said}


def read_digit(candidates: PageCandidates, network: Network, asked: ReadOptions = ReadOptions()) -> Reading:
    """Say which digit a sight of one glyph is."""
    if candidates.unreadable:
        return Reading("", 0.0, candidates.unreadable, (), (), candidates.notes)
    looks = score_with_tta(network, candidates.glyphs)
    found = looks.probabilities[0]
    notes = (*candidates.notes, *([_AGAIN] if looks.augmented[0] else []), *asked.notes)
    first, second = best_two(found[:NOT_A_DIGIT])
    runner_up = RunnerUp(str(second), float(found[second]))
    digit = Digit(str(first), float(found[first]), runner_up, 0, candidates.box(0), candidates.glyphs[0])
    if len(found) > NOT_A_DIGIT and found[NOT_A_DIGIT] > 0.5:
        return Reading("", float(found[NOT_A_DIGIT]), "not a digit", (), (), notes)
    abstained = _abstain(digit.confidence, asked)
    ranked = sorted(enumerate(map(float, found[:NOT_A_DIGIT])), key=lambda each: -each[1])[: asked.best]
    line = Line(digit.label, digit.confidence, abstained, digit.box, tuple((str(each), p) for each, p in ranked))
    return Reading(line.text, line.confidence, abstained, (line,), (digit,), notes)


def read_number(candidates: PageCandidates, network: Network, asked: ReadOptions = ReadOptions()) -> Reading:
    """Score all of a sight's glyphs, doubtful ones by several looks, and find the likeliest text of each line."""
    if candidates.unreadable:
        return Reading("", 0.0, candidates.unreadable, (), (), candidates.notes)
    assert network.weights.arc_scorer is not None
    log_probs: Float64 = np.log(np.maximum(score_with_tta(network, candidates.glyphs).probabilities, 1e-12))
    found = []
    for line in range(len(candidates.lattice.lines)):
        separators = asked.allowed is not None
        graph, arcs, _evidence = build_line_graph(
            candidates.lattice, line, log_probs, network.weights.arc_scorer, separators=separators
        )
        decoded = decode(graph, np.stack([graph.sources, graph.targets], axis=1), asked.allowed, asked.best)
        said = np.array([arcs[each.step] for each in decoded.digits], np.int32)
        decoded = _calibrate(
            decoded, confidence_features(decoded, candidates, said, log_probs) if decoded.digits else None, network
        )
        places = [(candidates.box(int(arcs[each.step])), candidates.glyphs[arcs[each.step]]) for each in decoded.digits]
        found.append((decoded, places))
    return _reading(found, asked, candidates.notes)


def read_strips(lines: LineStrips, network: Network, asked: ReadOptions = ReadOptions()) -> Reading:
    """Slide the network along each line of a picture and find the likeliest text of its columns."""
    if not lines.strips:
        return Reading("", 0.0, "blank", (), (), lines.notes)
    found = []
    for number, strip in enumerate(lines.strips):
        scores = network.forward(strip.field)[0, :, 0].T
        log_probs = np.log(np.maximum(probabilities(scores, network.weights.temperature), 1e-12))
        graph, columns = build_column_graph(log_probs)
        spans = np.stack([columns - 1, columns + 2], axis=1).astype(np.int32)
        decoded = _calibrate(decode(graph, spans, asked.allowed, asked.best), None, network)
        places = [lines.place(number, int(columns[each.step])) for each in decoded.digits]
        found.append((decoded, places))
    return _reading(found, asked, lines.notes)


def _reading(
    found: list[tuple[DecodedLine, list[tuple[Box, Uint8]]]], asked: ReadOptions, notes: tuple[str, ...]
) -> Reading:
    """Put decoded lines, each with the boxes and the glyphs of its digits, together."""
    lines: list[Line] = []
    digits: list[Digit] = []
    silent = 1.0
    for decoded, places in found:
        if not decoded.digits:
            silent = min(silent, decoded.confidence)
            continue
        own = [_digit(each, len(lines), box, glyph) for each, (box, glyph) in zip(decoded.digits, places, strict=True)]
        abstained = _abstain(decoded.confidence, asked)
        lines.append(Line(decoded.text, decoded.confidence, abstained, _around(own), decoded.likeliest))
        digits.extend(own)
    if not lines:
        return Reading("", silent, "not a digit", (), (), notes)
    confidence = float(np.prod([line.confidence for line in lines]))
    if any(decoded.digits and decoded.fits < _HARDLY for decoded, _places in found):
        notes = (*notes, _UNFIT)
    text = "\n".join(line.text for line in lines)
    abstained = _abstain(confidence, asked)
    return Reading(text, confidence, abstained, tuple(lines), tuple(digits), (*notes, *asked.notes))


def read_options(
    network: Network,
    *,
    digit: bool = False,
    sliding_window: bool = False,
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
    if not 0 <= best <= 100:
        raise UsageError(f"best {best}", "expected 0 to 100")
    if sliding_window and network.net.outputs <= NOT_A_DIGIT:
        raise UsageError(f"sweep with {network.weights.name}", "these weights have no blank", "choose lenet5-sweep")
    if formats and not sliding_window and not network.weights.reads_numbers:
        raise UsageError(f"{formats[0]} with {network.weights.name}", "these weights read one digit", "choose others")
    allowed = None if pattern is None else allowed_texts(pattern)
    if choices is not None:
        if isinstance(choices, str):
            raise UsageError(f"choices {choices!r}", "one text", "give a list of texts")
        allowed = accept_choices(list(choices), "choices")
    least, notes = (0.0, ()) if max_error is None else _least_confidence(network, max_error)
    return ReadOptions(digit, sliding_window, allowed, best, least, notes)


def _least_confidence(network: Network, most_error: float) -> tuple[float, tuple[str, ...]]:
    """Return from which confidence at most this share of answers is wrong, by the weights' own calibration.

    If there is none, all answers are to be withheld, and a note says so.
    """
    if not 0 < most_error < 1:
        raise UsageError(f"max_error {most_error:g}", "expected a share above 0 and below 1")
    curve = network.weights.error_curve
    if curve is None:
        raise UsageError("max_error", f"{network.weights.name} has no curve of errors", "choose lenet5-reader")
    enough = [confidence for confidence, error, _coverage in curve if error <= most_error]
    if enough:
        return min(enough), ()
    reached = 100 * min(error for _confidence, error, _coverage in curve)
    return 1.0, (f"withheld: even the surest answers of {network.weights.name} are wrong in {reached:.2f} %",)


def _calibrate(decoded: DecodedLine, found: Float64 | None, network: Network) -> DecodedLine:
    """Return the line with the confidence that such answers deserve, by the weights' own calibration of its signs.

    That the format holds which was asked for is part of it. Other texts stay behind the answer in the same order, as
    likely beside each other as before, and all add up to 1 at most.
    """
    trust, share = network.weights.confidence_weights, decoded.confidence
    confidence = share if trust is None or found is None else calibrate_confidence(found, trust)
    confidence *= format_holds(decoded.fits)
    others = min(confidence / share, (1 - confidence) / (1 - share)) if 0 < share < 1 else confidence
    likeliest = tuple(
        (text, confidence if text == decoded.text else others * chance) for text, chance in decoded.likeliest
    )
    return replace(decoded, confidence=confidence, likeliest=likeliest)


def _digit(found: DecodedDigit, line: int, box: Box, glyph: Uint8) -> Digit:
    runner_up = RunnerUp(SYMBOLS[found.runner_up], found.runner_up_confidence)
    return Digit(SYMBOLS[found.symbol], found.confidence, runner_up, line, box, glyph)


def _around(digits: list[Digit]) -> Box:
    x0, y0, x1, y1 = zip(*(digit.box for digit in digits), strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _abstain(confidence: float, asked: ReadOptions) -> Abstained:
    return "uncertain" if confidence < asked.least else withhold(confidence)
