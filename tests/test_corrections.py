"""A digit above a struck one is guessed to be in its place; other lines are left as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lenet.answers.corrections import place_corrections
from lenet.answers.line import Place, PlacedLine, PlacedSymbol
from lenet.decoding.decoder import DecodedLine
from lenet.result import Box

HEIGHT = 60


def line(text: str, left: int, top: int, sure: float = 0.3, passed_over: tuple[Box, ...] = ()) -> PlacedLine:
    """A line of digits 60 high and 40 wide, 10 apart."""
    symbols = tuple(
        PlacedSymbol(sign, 0.9, ("1", 0.1), Place(at, box_at(left, top, at), np.zeros((28, 28), np.uint8)))
        for at, sign in enumerate(text)
    )
    return PlacedLine(DecodedLine(text, sure, (), ((text, sure),)), symbols, (sure,), sure, passed_over)


def box_at(left: int, top: int, at: int) -> Box:
    """The box of a digit of such a line."""
    return left + 50 * at, top, left + 50 * at + 40, top + HEIGHT


ABOVE, STRUCK = line("6", 0, 0, 0.8), box_at(0, 80, 0)


@pytest.mark.parametrize(
    ("below", "above", "text"),
    [
        (line("91", 50, 80, passed_over=(STRUCK,)), ABOVE, "691"),
        (line("91", -100, 80, passed_over=(STRUCK,)), ABOVE, "916"),
        (line("9", 50, 80, passed_over=(box_at(-200, 80, 0), STRUCK)), line("6", 0, 0), "69"),
    ],
)
def test_a_digit_above_a_struck_one_takes_its_place(below: PlacedLine, above: PlacedLine, text: str) -> None:
    """Before the number or behind it; the number is as sure as both, its digits are all there, and a step says so."""
    (found,), steps = place_corrections([above, below])
    assert found.decoded.text == text
    assert "".join(each.label for each in found.symbols) == text
    assert found.sure == (above.sure[0] * below.sure[0],)
    assert found.digits_sure == found.sure[0]
    assert found.decoded.likeliest == ((text, found.sure[0]),)
    assert found.passed_over == below.passed_over
    assert [(step.id, step.values) for step in steps] == [("corrections-placed", {"digits": 1})]


NUMBER = line("91", 50, 80, passed_over=(STRUCK,))


@pytest.mark.parametrize(
    ("above", "below"),
    [
        (ABOVE, line("91", 50, 80)),  # nothing is passed over
        (line("66", 0, 0), NUMBER),  # a number is no correction of one digit
        (line("-", 0, 0), NUMBER),
        (ABOVE, replace(NUMBER, sure=(0.9,))),  # what is passed over before an answer may be a letter
        (replace(ABOVE, symbols=()), NUMBER),  # nobody knows where it stands
        (replace(ABOVE, passed_over=(box_at(0, 0, 3),)), NUMBER),  # a word stands beside it
        (line("6", 300, 0), NUMBER),  # not above it
        (line("6", 0, -100), NUMBER),  # more than a digit's height above it
        (ABOVE, line("91", 110, 80, passed_over=(STRUCK,))),  # what is passed over is no part of the number
        (ABOVE, line("91", 125, 80, passed_over=((-80, 80, 60, 140),))),  # a word, wider than a digit
        (ABOVE, line("91", 50, 80, passed_over=((5, 80, 35, 105),))),  # a dash or a point
        (ABOVE, replace(NUMBER, decoded=replace(NUMBER.decoded, text="9 1"))),  # two numbers
    ],
)
def test_other_lines_are_left_alone(above: PlacedLine, below: PlacedLine) -> None:
    """Where it is not surely a correction two lines stay two."""
    found, steps = place_corrections([above, below])
    assert found == [above, below]
    assert not steps


def test_pages_without_lines_stay_without() -> None:
    """Of no line there is none, and of one there is that one."""
    assert place_corrections([]) == ([], ())
    assert place_corrections([NUMBER]) == ([NUMBER], ())
