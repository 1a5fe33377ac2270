"""Second looks at a picture that reads poorly: without a doubtful step, turned, as one digit; a likelier one counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from lenet.answers.whole_line import WholeLine
from lenet.arrays import Float64
from lenet.network.probabilities import log_odds
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import turn_page
from lenet.result import PASSED_STEP, WITHHELD, Box, Reading, note_passed_over

# A picture of whose numbers more than half are as sure as this needs no second look.
_ENOUGH = 0.9
# Pages of more digits are not turned: each way costs as much as the first look.
_MOST_TURNED = 60
# A page of several lines whose longer side is at most so many times the shorter may be turned by any quarter
# (benchmarks/fit_looks.py has such blocks of numbers; docs/log.md).
SQUARE = 1.5
# An upright look counts if its numbers are by so much surer, in nats: chosen on pictures after public reports.
_CLEARLY = 1.0
# What weighs LOOK_FEATURES, and what a turned look has to be ahead by, in nats. They were fitted on numbers that lie or
# stand on their head, and on upright ones, columns, labels and letters (benchmarks/fit_looks.py). The fit says 1.2
# where a quarter of the pages are turned, which is more than anybody has; with 2.0 no upright page of these is lost.
LOOK_FEATURES = ("odds", "silent", "odds of silence", "digits a line", "passed over")
LOOK_WEIGHTS, TURNED = np.array([1.0, -0.57, 0.29, 1.77, -0.72]), 2.0
# Beyond these, in nats, a number or a page that says nothing is no surer.
_MOST_ODDS = 8.0


def choose_turns(width: int, height: int, first: Reading, whole: Sequence[WholeLine], lines: int) -> tuple[int, ...]:
    """Return by how many quarters to the left writing of so many pixels may be turned, that reads so, to read upright.

    Several `lines` of ink about as wide as high, that read poorly, may be turned any way.

    What is higher than wide may lie on its side, a column of single digits however sure they are: 0s and 1s look alike
    on theirs; so may what is sure beside ink that is passed over. What is wider than high may stand on its head, if no
    line of it that was read as a whole says less there.
    """
    lies = height > width
    doubtful = not needs_no_look(first) or is_column(first) or (lies and bool(first.passed_over))
    if len(first.digits) > _MOST_TURNED or not doubtful:
        return ()
    if lines > 1 and max(width, height) <= SQUARE * min(width, height) and not needs_no_look(first):
        return 1, 2, 3
    if lies:
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


def may_be_one(first: Reading) -> bool:
    """Return whether a page that reads so may show one digit: a torn one reads as two lines, a thick one as stains."""
    if needs_no_look(first):
        return False
    stained = not first.lines and any(step.id == "stains-dropped" for step in first.steps)
    return stained or (is_column(first) and len(first.lines) == 2)  # noqa: PLR2004


def look_again(
    page: Page,
    first: Reading,
    read: Callable[[Page], Reading],
    turns: tuple[int, ...] = (),
    read_one: Callable[[], Reading] | None = None,
) -> Reading:
    """Return the reading that counts of a page: the first, or that of another look which is clearly likelier.

    `read` reads a page; `turns` are the quarters by which it may be turned; `read_one` takes all of it for one digit,
    if nothing else counts: two lines may be digits of a number that lies on its side.
    """
    best = first
    if page.before is not None and not needs_no_look(first):
        best = _choose_clearer(first, read(page.before))
    most = weigh_look(best)
    for quarters in turns:
        other = read(turn_page(page, quarters))
        found = weigh_look(other) - TURNED
        if is_answer(other) and may_lie(other) and found >= most:
            best, most = turn_reading(other, quarters, page.size), found
    if best is not first or read_one is None or not may_be_one(first):
        return best
    one = read_one()
    # A blot looks a little like a 0.
    return _choose_clearer(first, one) if first.lines or needs_no_look(one) else first


def _choose_clearer(first: Reading, other: Reading) -> Reading:
    """Return another upright look if it answers, and its numbers are clearly surer; else the first."""
    return other if is_answer(other) and _weigh_odds(other) >= _weigh_odds(first) + _CLEARLY else first


def is_answer(reading: Reading) -> bool:
    """Return whether all of a reading's numbers are answered."""
    return bool(reading.text) and WITHHELD not in reading.text


def may_lie(reading: Reading) -> bool:
    """Return whether a number that was turned may read so: one digit is as likely another, as is a column of them."""
    return len(reading.digits) > 1 and not is_column(reading)


def weigh_look(reading: Reading) -> float:
    """Return how likely a reading is what a page says, in nats; minus infinity where there is nothing to read."""
    return float(look_features(reading) @ LOOK_WEIGHTS) if _says_something(reading) else float("-inf")


def _weigh_odds(reading: Reading) -> float:
    """Return the same by how sure the numbers are alone: of a page that is not turned, fewer digits are as likely."""
    return float(look_features(reading)[:3] @ LOOK_WEIGHTS[:3]) if _says_something(reading) else float("-inf")


def _says_something(reading: Reading) -> bool:
    return bool(reading.numbers) or reading.state == "not a number"


def look_features(reading: Reading) -> Float64:
    """Return LOOK_FEATURES (5,) of a reading: a number on its side is a column of signs that look like few digits.

    The mean log-odds of its numbers; whether it has none, and the log-odds of that; the logarithm of how many digits a
    line has on average; and how much of the area of all that is said and passed over is passed over.
    """
    silent = not reading.numbers
    sure = [reading.confidence] if silent else [number.confidence for number in reading.numbers]
    odds = float(np.clip(log_odds(np.array(sure)), -_MOST_ODDS, _MOST_ODDS).mean())
    length = float(np.log(max(1, len(reading.digits)) / max(1, len(reading.lines))))
    said = sum(_measure_area(each.box) for each in reading.digits) + sum(
        _measure_area(each.box) for each in reading.signs
    )
    passed = sum(map(_measure_area, reading.passed_over))
    share = passed / (passed + said) if said and passed else 0.0
    return np.array([0.0 if silent else odds, float(silent), odds if silent else 0.0, length, share])


def _measure_area(box: Box) -> float:
    x0, y0, x1, y1 = box
    return float((x1 - x0) * (y1 - y0))


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
