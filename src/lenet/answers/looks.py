"""Second looks at a picture that reads poorly: without a doubtful step, and turned; the clearly likelier one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from lenet.network.probabilities import log_odds
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import turn_page
from lenet.result import Box, Reading

# A picture that is read as surely as this needs no second look.
_ENOUGH = 0.9
# Another look counts from this confidence on if it is by so much surer, in nats; a turned one is rarer than an upright.
_SURE, _CLEARLY, _CLEARLY_TURNED = 0.5, 1.0, 3.0
_SURE_TURNED = 0.9


def look_again(page: Page, first: Reading, read: Callable[[Page], Reading]) -> Reading:
    """Return the reading that counts of a page: the first, or that of another look which is clearly likelier.

    `read` reads a page. A blank one needs no second look.
    """
    if (first.text and first.confidence >= _ENOUGH and "?" not in first.text) or first.state == "blank":
        return first
    best, most = first, _weigh(first)
    for other, sure, ahead in _list_looks(page, first, read):
        found = _weigh(other)
        if other.text and "?" not in other.text and other.confidence >= sure and found >= most + ahead:
            best, most = other, found
    return best


def _list_looks(page: Page, first: Reading, read: Callable[[Page], Reading]) -> Iterator[tuple[Reading, float, float]]:
    """Yield other readings of a page, how sure each must be, and by how much surer than another.

    What is higher than wide may lie on its side, what is wider than high may stand on its head.
    """
    if page.before is not None:
        yield read(page.before), _SURE, _CLEARLY
    width, height = page.size
    if first.lines:
        x0, y0, x1, y1 = zip(*(line.box for line in first.lines), strict=True)
        width, height = max(x1) - min(x0), max(y1) - min(y0)
    for quarters in (1, 3) if height > width else (2,):
        turned = read(turn_page(page, quarters))
        yield turn_reading(turned, quarters, page.size), _SURE_TURNED, _CLEARLY_TURNED


def _weigh(reading: Reading) -> float:
    """Return how likely a reading is, in nats; one that says nothing, or withholds a part, is as unlikely as it was."""
    if not reading.best_text:
        return float("-inf")
    sure = 1.0
    for number in reading.numbers:
        sure *= number.confidence
    return float(log_odds(np.array(sure)))


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

    return replace(
        reading,
        lines=tuple(replace(each, box=turn(each.box)) for each in reading.lines),
        numbers=tuple(replace(each, box=turn(each.box)) for each in reading.numbers),
        digits=tuple(replace(each, box=turn(each.box)) for each in reading.digits),
        signs=tuple(replace(each, box=turn(each.box)) for each in reading.signs),
    )
