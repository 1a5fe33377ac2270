"""Corrections: a digit that stands above a struck one is guessed to be in its place."""

from __future__ import annotations

from dataclasses import replace

from lenet.answers.line import PlacedLine
from lenet.decoding.decoder import withhold
from lenet.network.spec import SPACE
from lenet.result import Box
from lenet.steps import Step

# What is struck out is at most so many times as high, as wide, as low or as narrow as the digit above it is high.
_MOST = 2.0


def place_corrections(lines: list[PlacedLine]) -> tuple[list[PlacedLine], tuple[Step, ...]]:
    """Return lines with each digit that is alone above something passed over in a number put there, and what was done.

    Only a number that is withheld is such a one, and it stays a guess: what was passed over may be a letter as well.
    """
    found: list[PlacedLine] = []
    placed = 0
    for line in lines:
        corrected = _correct(found[-1], line) if found else None
        if corrected:
            found[-1] = corrected
            placed += 1
        else:
            found.append(line)
    return found, (Step("corrections-placed", {"digits": placed}),) if placed else ()


def _correct(above: PlacedLine, line: PlacedLine) -> PlacedLine | None:
    """Return a line with the digit of that above it where something in it was passed over; None: there is no such."""
    digit, text = above.decoded.text, line.decoded.text
    if (
        not (len(digit) == len(above.symbols) == 1 and digit.isdigit())
        or above.passed_over
        or not text
        or SPACE in text
        or not withhold(line.sure[0])
    ):
        return None
    boxes = [symbol.place.box for symbol in line.symbols]
    corrected = above.symbols[0].place.box
    if len(boxes) != len(text) or not any(_is_corrected(corrected, each, boxes) for each in line.passed_over):
        return None
    x0, _y0, x1, _y1 = corrected
    at = sum(left + right < x0 + x1 for left, _top, right, _bottom in boxes)
    symbols = (*line.symbols[:at], above.symbols[0], *line.symbols[at:])
    sure = above.sure[0] * line.sure[0]
    joined = text[:at] + digit + text[at:]
    decoded = replace(line.decoded, text=joined, confidence=sure, likeliest=((joined, sure),))
    digits_sure = above.digits_sure * line.digits_sure
    return replace(line, decoded=decoded, symbols=symbols, sure=(sure,), digits_sure=digits_sure)


def _is_corrected(digit: Box, struck: Box, others: list[Box]) -> bool:
    """Return whether a digit's box stands right above another, of about its size, beside a number's digits."""
    x0, y0, x1, y1 = struck
    height = digit[3] - digit[1]
    if not x0 < (digit[0] + digit[2]) / 2 < x1 or not 0 <= y0 - digit[3] <= height:
        return False
    if not all(height / _MOST <= side <= _MOST * height for side in (x1 - x0, y1 - y0)):
        return False
    return min(max(left - x1, x0 - right) for left, _top, right, _bottom in others) <= height
