"""From decoded lines to a reading: which numbers are answers and which are guesses, what stands where."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lenet.answers.line import PlacedLine, PlacedSymbol
from lenet.decoding.decoder import withhold
from lenet.network.spec import SPACE
from lenet.result import Abstained, Box, Digit, Line, Number, Reading, RunnerUp, Sign, join_texts, note_passed_over
from lenet.steps import Step

# Less of what a line may say than this is hardly what was meant.
_HARDLY = 0.01


def join_lines(
    found: list[PlacedLine], steps: tuple[Step, ...], asked: tuple[Step, ...], least: float, share_read: float = 1.0
) -> Reading:
    """Put decoded lines together; one that says nothing is left out.

    A number that is less sure than `least` is withheld. Of ink of which only a share is read, nothing is answered: what
    is left out may belong to any number. Behind the `steps` stand those that were `asked` for.
    """
    said = [each for each in found if each.symbols]
    steps = (*steps, *note_passed_over(box for each in found for box in each.passed_over))
    if not said:
        silent = min([1.0, *(each.decoded.confidence for each in found)])
        return Reading("", "", silent, "not a digit", steps=(*steps, *asked))
    steps = (*steps, *_note_doubts(said))
    by_line = [_part_numbers(each, row, least, share_read) for row, each in enumerate(said)]
    lines = [_join_numbers(own, each, share_read) for own, each in zip(by_line, said, strict=True)]
    numbers = [number for own in by_line for number in own]
    digits, signs = _make_symbols(said, by_line)
    text = join_texts(line.text for line in lines)
    return Reading(
        text,
        "" if text else "\n".join(line.guess for line in lines),
        float(np.prod([each.confidence for each in numbers if each.text or not text])),
        False if text else "uncertain",
        tuple(lines),
        tuple(numbers),
        tuple(digits),
        tuple(signs),
        (*steps, *asked),
    )


def _note_doubts(said: list[PlacedLine]) -> list[Step]:
    """Return the steps that say why lines are in doubt: what may be a letter, and what hardly fits a format."""
    letters = ", ".join(each.like for each in said if each.like)
    steps = [Step("like-letters", {"letters": letters})] if letters else []
    return [*steps, Step("format-unlikely")] if any(each.decoded.fits < _HARDLY for each in said) else steps


def _part_numbers(found: PlacedLine, line: int, least: float, share_read: float) -> list[Number]:
    """Return the numbers of a line, each an answer or a guess, and how sure each is."""
    numbers = []
    for row, (text, sure) in enumerate(zip(found.decoded.text.split(SPACE), found.sure, strict=True)):
        confidence = sure * share_read
        withheld = share_read < 1 or confidence < least
        abstained: Abstained = "uncertain" if withheld else withhold(confidence)
        own = [each.place.box for each in found.symbols if each.number == row]
        box = _surround(own or [each.place.box for each in found.symbols])
        numbers.append(Number("" if abstained else text, text if abstained else "", confidence, abstained, box, line))
    return numbers


def _join_numbers(numbers: list[Number], found: PlacedLine, share_read: float) -> Line:
    """Return the line of some numbers: what is answered of them, or what may be."""
    likeliest, digits = found.decoded.likeliest, found.digits_sure * share_read
    text = join_texts((number.text for number in numbers), SPACE)
    confidence = float(np.prod([number.confidence for number in numbers if number.text or not text]))
    guess = "" if text else SPACE.join(number.guess for number in numbers)
    box = _surround(number.box for number in numbers)
    return Line(text, guess, confidence, False if text else "uncertain", box, likeliest, digits)


def _make_symbols(said: list[PlacedLine], by_line: list[list[Number]]) -> tuple[list[Digit], list[Sign]]:
    """Return the digits and the signs of lines, each answered as its number is."""
    digits, signs = [], []
    for row, each in enumerate(said):
        for symbol in each.symbols:
            answered = not by_line[row][symbol.number].abstained
            if symbol.label.isdigit():
                digits.append(_make_digit(symbol, row, answered))
            else:
                signs.append(_make_sign(symbol, row, answered))
    return digits, signs


def _make_digit(found: PlacedSymbol, line: int, answered: bool) -> Digit:
    place = found.place
    runner_up = RunnerUp(*found.runner_up)
    return Digit(found.label, found.confidence, runner_up, line, place.box, place.glyph, answered, place.arc)


def _make_sign(found: PlacedSymbol, line: int, answered: bool) -> Sign:
    return Sign(found.label, found.confidence, line, found.place.box, answered, found.place.arc)


def _surround(boxes: Iterable[Box]) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
