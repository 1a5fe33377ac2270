"""Second looks at a picture that reads poorly: without a doubtful step, and turned; the clearly likelier one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from lenet.answers.whole_line import WholeLine
from lenet.decoding.decoder import withhold
from lenet.network.probabilities import log_odds
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import turn_page
from lenet.result import PASSED_STEP, WITHHELD, Box, Reading, note_passed_over

# A picture of whose numbers more than half are as sure as this needs no second look.
_ENOUGH = 0.9
# Pages of more digits are not turned: each way costs as much as the first look.
_MOST_TURNED = 60
# Another look counts if it is by so much surer, in nats, a turned one, which is rarer than an upright one, by so much;
# and by so much less, a page that says nothing holds against what is read on it when it is turned, and never more than
# an answer that is as likely as not, since a number on its head says nothing for sure: chosen on turned numbers,
# letters and columns by hands that are learned from, and on upright ones (docs/log.md).
_CLEARLY, _CLEARLY_TURNED, _SILENT = 1.0, 2.0, 3.0


def choose_turns(width: int, height: int, first: Reading, whole: Sequence[WholeLine]) -> tuple[int, ...]:
    """Return by how many quarters to the left writing of so many pixels may be turned, that reads so, to read upright.

    What is higher than wide may lie on its side, a column of single digits however sure they are: 0s and 1s look alike
    on theirs. What is wider than high may stand on its head, if no line of it that was read as a whole says less there.
    """
    if len(first.digits) > _MOST_TURNED or (needs_no_look(first) and not is_column(first)):
        return ()
    if height > width:
        return 1, 3
    return (2,) if all(line.may_be_turned() for line in whole) else ()


def is_column(reading: Reading) -> bool:
    """Return whether a reading has several lines, each of one digit at most."""
    lines = reading.best_text.split("\n")
    return len(lines) > 1 and all(sum(map(str.isdigit, line)) <= 1 for line in lines)


def needs_no_look(first: Reading) -> bool:
    """Return whether more than half of a reading's numbers are sure, or its page is blank."""
    sure = sum(number.confidence >= _ENOUGH for number in first.numbers)
    return 2 * sure > len(first.numbers) or first.state == "blank"


def look_again(page: Page, first: Reading, read: Callable[[Page], Reading], turns: tuple[int, ...]) -> Reading:
    """Return the reading that counts of a page: the first, or that of another look which is clearly likelier.

    `read` reads a page; `turns` are the quarters by which it may be turned. A column of single digits counts less: a
    number that lies on its side looks like one.
    """
    before = None if needs_no_look(first) else page.before
    best, most = first, _weigh(first) - (_CLEARLY_TURNED if is_column(first) else 0.0)
    for other, ahead in _list_looks(page, before, read, turns):
        found, whole = _weigh(other), other.text and WITHHELD not in other.text and not withhold(other.confidence)
        if whole and found >= most + ahead:
            best, most = other, found
    return best


def _list_looks(
    page: Page, before: Page | None, read: Callable[[Page], Reading], turns: tuple[int, ...]
) -> Iterator[tuple[Reading, float]]:
    """Yield readings of what a page was `before`, and of itself turned, and by how much surer each must be, in nats."""
    if before is not None:
        yield read(before), _CLEARLY
    for quarters in turns:
        found = read(turn_page(page, quarters))
        # One digit on its head is as likely another, and a column of them a number on its side.
        if len(found.digits) > 1 and not is_column(found):
            yield turn_reading(found, quarters, page.size), _CLEARLY_TURNED


def _weigh(reading: Reading) -> float:
    """Return how likely the numbers of a reading are, in nats: the mean of theirs; or that there are none."""
    if not reading.numbers:
        silent = reading.state == "not a number"
        return min(0.0, float(log_odds(np.array(reading.confidence))) - _SILENT) if silent else float("-inf")
    return float(log_odds(np.array([number.confidence for number in reading.numbers])).mean())


def turn_reading(reading: Reading, quarters: int, size: tuple[int, int]) -> Reading:
    """Return the reading of a page that was turned to the left, with boxes where they are in the picture as it is.

    `size` is that picture's width and height.
    """
    width, height = size

    def turn(box: Box) -> Box:
        x0, y0, x1, y1 = box
        if quarters == 1:
            return width - y1, x0, width - y0, x1
        if quarters == 2:  # noqa: PLR2004
            return width - x1, height - y1, width - x0, height - y0
        return y0, height - x1, y1, height - x0

    others = tuple(step for step in reading.steps if step.id != PASSED_STEP)
    return replace(
        reading,
        steps=(*others, *note_passed_over(map(turn, reading.passed_over))),
        lines=tuple(replace(each, box=turn(each.box)) for each in reading.lines),
        numbers=tuple(replace(each, box=turn(each.box)) for each in reading.numbers),
        digits=tuple(replace(each, box=turn(each.box)) for each in reading.digits),
        signs=tuple(replace(each, box=turn(each.box)) for each in reading.signs),
    )
