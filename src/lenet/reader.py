"""Read a picture: preprocessing, segmentation, scores, decoding, an answer or a guess. It alone knows both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from lenet.answers.characters import read_character_lines
from lenet.answers.corrections import place_corrections
from lenet.answers.line import Place, Readers, calibrate_line, pair_digit, place_symbols
from lenet.answers.looks import choose_turns, look_again
from lenet.answers.page import join_lines
from lenet.answers.readers import PageReaders, ScoredCandidates
from lenet.answers.whole_line import WholeLine, read_whole_lines
from lenet.arrays import Float64
from lenet.decoding.decoder import DecodedDigit, DecodedLine, decode
from lenet.decoding.formats import SYMBOLS, accept_choices, parse_pattern
from lenet.decoding.graph import Automaton
from lenet.decoding.sliding_window import build_column_graph
from lenet.engine import Network
from lenet.engine.tta import TtaScores, score_with_tta
from lenet.errors import LenetError, UsageError
from lenet.network.probabilities import best_two, log_probabilities, probabilities
from lenet.network.spec import DEFAULT, NOT_A_DIGIT, PRINTABLE
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import PageInk, find_writing, prepare_page
from lenet.preprocessing.sources import PictureSource
from lenet.result import Reading
from lenet.segmentation.candidates import (
    LineStrips,
    PageCandidates,
    outline_numbers,
    segment_digit,
    segment_numbers,
    segment_strips,
)
from lenet.steps import Step

# So likely a line must be a number to be refused by weights that read one digit.
_SEVERAL = 0.8
# A single glyph that is likelier no digit than any is none; no more texts of a line than these are listed.
_RUBBISH, _MOST_TEXTS = 0.5, 100


@dataclass(frozen=True)
class ReadOptions:
    """What to read: one `digit`, or numbers that are `allowed`; how many of the `best` texts of a line to list.

    An answer of a lower confidence than `least` is withheld; `steps` say what of that is out of reach. `sliding_window`
    slides the network along the line. Lines are read by `readers`: "cut" into digits, as a whole "line", or by "both":
    by the one that is enough, and by the other too in doubt, or always if they are to be `thorough`.
    """

    digit: bool = False
    sliding_window: bool = False
    readers: Readers = "both"
    allowed: Automaton | None = None
    best: int = 0
    least: float = 0.0
    steps: tuple[Step, ...] = ()
    thorough: bool = False


@dataclass(frozen=True)
class Explained:
    """A reading, the candidates that it is of, and the probability of each label for each candidate, (m, k).

    `whole` are the lines that were read as a whole; `again` says whether the reading is of another look.
    """

    reading: Reading
    candidates: PageCandidates
    probabilities: Float64
    whole: tuple[WholeLine, ...] = ()
    again: bool = False

    @property
    def chosen(self) -> set[int]:
        """Which candidates the digits and signs of the reading are."""
        said = [digit.arc for digit in self.reading.digits] + [sign.arc for sign in self.reading.signs]
        return {arc for arc in said if arc >= 0}


def read(source: PictureSource, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Read the numbers in any picture, or its one digit. Raises PictureError when the picture cannot be decoded.

    Weights that do not know "not a digit" read one digit.
    """
    return read_page(prepare_page(source), network, options)


def read_page(page: Page, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Read the numbers on a prepared page, or its one digit."""
    if options.sliding_window:
        return read_strips(segment_strips(find_writing(page)), network, options)
    return look_page(page, network, options).reading


def look_page(page: Page, network: Network, options: ReadOptions) -> Explained:
    """Read a prepared page, and look at it again, without a doubtful step or turned, if it reads poorly.

    The candidates are always those of the first look; `again` says whether the reading is of another. Raises LenetError
    for a number that is given to weights which read one digit.
    """
    if not options.digit and not network.weights.reads_texts:
        refuse_numbers(page, find_writing(page), network)
    first = explain_page(page, network, options)
    lattice = first.candidates.lattice
    height, width = lattice.pieces.shape
    # With a format, what stands on its head would be bent until it fits; and a 6 on its head is a 9.
    upright = options.allowed or options.digit or network.weights.reads_characters
    turns = () if upright else choose_turns(width, height, first.reading, first.whole, len(lattice.lines))
    one = replace(options, digit=True)
    best = look_again(
        page,
        first.reading,
        lambda other: explain_page(other, network, options).reading,
        turns,
        None if upright else lambda: explain_page(page, network, one).reading,
    )
    return first if best is first.reading else replace(first, reading=best, again=True)


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
    one = options.digit or not network.weights.reads_texts
    writing = find_writing(page, tall=one, inverted=inverted)
    if one:
        return _explain_digit(page, writing, network, options)
    scored = ScoredCandidates(outline_numbers(writing), writing.ink, network)
    candidates = scored.candidates
    if candidates.unreadable:
        reading = Reading("", "", 0.0, candidates.unreadable, steps=candidates.steps)
        return Explained(reading, candidates, scored.probabilities)
    if network.weights.reads_characters:
        lines = read_character_lines(scored, network, options.allowed, options.best)
        candidates = scored.looked
        reading = join_lines(lines, candidates.steps, options.steps, options.least, candidates.share_read)
        return Explained(reading, candidates, scored.probabilities)
    asked = options.readers, options.allowed, options.best
    readers = PageReaders(page, writing, scored, network, *asked, thorough=options.thorough)
    found = readers.read()
    lines, corrected = (found, ()) if options.allowed else place_corrections(found)
    candidates = scored.looked
    steps = (*candidates.steps, *([Step("augmented")] if readers.again else []), *corrected)
    reading = join_lines(lines, steps, options.steps, options.least, candidates.share_read)
    return Explained(reading, candidates, scored.probabilities, tuple(readers.whole))


def _explain_digit(page: Page, writing: PageInk, network: Network, options: ReadOptions) -> Explained:
    candidates = segment_digit(writing)
    scores = score_with_tta(network, candidates.glyphs)
    whole = None
    # What the first look is sure of needs no other reader.
    asked = options.readers == "line" or options.thorough or scores.augmented.any()
    if options.readers != "cut" and network.weights.reads_numbers and len(candidates.glyphs) and asked:
        (whole,) = read_whole_lines(page, writing, candidates.lattice, network.lines)
    return Explained(_read_digit(candidates, scores, network, options, whole), candidates, scores.probabilities)


def refuse_numbers(page: Page, writing: PageInk, network: Network) -> None:
    """Raise LenetError for a number that is given to weights which read one digit: they would say any."""
    lines = read_whole_lines(page, writing, segment_numbers(writing).lattice, network.lines)
    for line in filter(None, lines):
        text, chance = next(iter(line.spelled.texts.items()), ("", 0.0))
        if chance > _SEVERAL and sum(map(str.isdigit, text)) > 1:
            remedy = f"choose {DEFAULT}, lenet5-reader or lenet5-wide, or give --digit"
            raise LenetError(network.weights.name, f"several digits, and {network.weights.name} reads one", remedy)


def read_digit(candidates: PageCandidates, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Say which digit the one candidate of a page is."""
    return _read_digit(candidates, score_with_tta(network, candidates.glyphs), network, options)


def _read_digit(
    candidates: PageCandidates,
    scores: TtaScores,
    network: Network,
    options: ReadOptions,
    whole: WholeLine | None = None,
) -> Reading:
    if candidates.unreadable:
        return Reading("", "", 0.0, candidates.unreadable, steps=candidates.steps)
    probs = scores.probabilities[0]
    if whole:
        probs = pair_digit(probs, whole, options.readers)
    steps = (*candidates.steps, *([Step("augmented")] if scores.augmented[0] else []), *options.steps)
    signs = network.net.signs
    if network.net.knows_none and probs[NOT_A_DIGIT] > _RUBBISH:
        return Reading("", "", float(probs[NOT_A_DIGIT]), "not a digit", steps=steps)
    first, second = best_two(probs[: len(signs)])
    ranked = sorted(enumerate(map(float, probs[: len(signs)])), key=lambda each: -each[1])[: options.best]
    likeliest = tuple((signs[label], p) for label, p in ranked)
    decoded = DecodedLine(
        signs[first],
        float(probs[first]),
        (DecodedDigit(0, first, float(probs[first]), second, float(probs[second])),),
        likeliest,
    )
    line = place_symbols(decoded, [Place(0, candidates.box(0), candidates.glyphs[0])], signs)
    return join_lines([line], steps, (), options.least)


def read_strips(lines: LineStrips, network: Network, options: ReadOptions = ReadOptions()) -> Reading:
    """Slide the network along each line of a picture and find the likeliest text of its columns."""
    if not lines.strips:
        return Reading("", "", 0.0, "blank", steps=lines.steps)
    found = []
    for number, strip in enumerate(lines.strips):
        scores = network.forward(strip.field)[0, :, 0].T
        graph, columns = build_column_graph(log_probabilities(probabilities(scores, network.weights.temperature)))
        spans = np.stack([columns - 1, columns + 2], axis=1).astype(np.int32)
        decoded = calibrate_line(decode(graph, spans, options.allowed, options.best), None, network)
        said = [int(columns[each.step]) for each in decoded.digits]
        found.append(place_symbols(decoded, [Place(column, *lines.place(number, column)) for column in said]))
    return join_lines(found, lines.steps, options.steps, options.least, lines.share_read)


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
    thorough: bool = False,
) -> ReadOptions:
    """Return what is asked of a network, as `lenet.read` and `lenet read` take it.

    Raises UsageError for what does not go together, is out of range, or is more than these weights can do.
    """
    formats = [name for name, each in (("pattern", pattern), ("choices", choices)) if each is not None]
    if len(formats) > 1 or (digit and sliding_window):
        raise UsageError(" and ".join(formats if len(formats) > 1 else ["digit", "sweep"]), "both given", "give one")
    if digit and formats:
        raise UsageError("digit", "reads one digit", f"leave out {formats[0]}")
    if not isinstance(best, int) or not 0 <= best <= _MOST_TEXTS:
        raise UsageError(f"best {best}", f"expected 0 to {_MOST_TEXTS}")
    _check_ability(network, formats, readers, sliding_window=sliding_window)
    allowed = _find_allowed(pattern, choices, network)
    of_lines = readers != "cut" and not digit and not sliding_window
    least, steps = (0.0, ()) if max_error is None else _least_confidence(network, of_lines, max_error)
    return ReadOptions(digit, sliding_window, readers, allowed, best, least, steps, thorough)


def _check_ability(network: Network, formats: list[str], readers: Readers, *, sliding_window: bool) -> None:
    """Raise UsageError for what these weights cannot do."""
    weights = network.weights
    if sliding_window and not network.net.knows_none:
        raise UsageError(f"sweep with {weights.name}", "these weights have no blank", "choose lenet5-sweep")
    if formats and not sliding_window and not weights.reads_texts:
        raise UsageError(f"{formats[0]} with {weights.name}", "these weights read one digit", "choose others")
    if readers not in get_args(Readers):
        raise UsageError(f"readers {readers!r}", f"expected {', '.join(get_args(Readers))}")
    if readers == "line" and network.net.says_characters:
        raise UsageError(f"readers 'line' with {weights.name}", "cuts lines into characters", "leave it out")


def list_symbols(network: Network) -> str:
    """Return all signs that a format may be of, for this network."""
    return PRINTABLE if network.net.says_characters else SYMBOLS


def _find_allowed(pattern: str | None, choices: Sequence[str] | None, network: Network) -> Automaton | None:
    """Return what a number may be; None: anything."""
    if isinstance(choices, str):
        raise UsageError(f"choices {choices!r}", "one text", "give a list of texts")
    if choices is not None:
        return accept_choices(list(choices), "choices", list_symbols(network))
    if pattern is not None and not isinstance(pattern, str):
        raise UsageError(f"pattern {pattern!r}", "no text", f"give a text, such as {str(pattern)!r}")
    return None if pattern is None else parse_pattern(pattern, list_symbols(network))


def _least_confidence(network: Network, of_lines: bool, most_error: float) -> tuple[float, tuple[Step, ...]]:
    """Return from which confidence at most this share of answers is wrong, by the weights' own calibration.

    Of lines that are read as a whole it is the line network's. If there is none, all answers are to be withheld, and a
    step says so.
    """
    if not 0 < most_error < 1:
        raise UsageError(f"max_error {most_error:g}", "expected a share above 0 and below 1")
    weights = network.lines.weights if of_lines and network.weights.reads_numbers else network.weights
    curve = weights.error_curve
    if curve is None:
        raise UsageError("max_error", f"{weights.name} has no curve of errors", "choose lenet5-reader")
    enough = [confidence for confidence, error, _coverage in curve if error <= most_error]
    if enough:
        return min(enough), ()
    reached = 100 * float(min(error for _confidence, error, _coverage in curve))
    return 1.0, (Step("error-out-of-reach", {"weights": weights.name, "percent_wrong": reached}),)
