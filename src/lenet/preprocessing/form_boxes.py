"""The sides of boxes, the teeth of combs and the uprights of squared paper: thin straight ink that stands on a line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import cv2
import numpy as np

from lenet.arrays import Bools, Float64, Int64, Uint8, median
from lenet.native.dispatch import runs_natively
from lenet.preprocessing.morphology import EDGE
from lenet.preprocessing.parameters import RULE, UPRIGHT, WRITING

# Fewer uprights than this are even by chance.
FEWEST = 3


@dataclass(frozen=True)
class Rule:
    """The ink (rows, w) of a nearly level line, whose first row is the page's row `top`.

    A line down the page is one of the page turned over its diagonal.
    """

    top: int
    ink: Bools

    @classmethod
    def trim(cls, top: int, ink: Bools) -> Rule:
        """Return the rule of ink (rows, w) from a row on, without rows that have none."""
        inked = np.flatnonzero(ink.any(axis=1))
        return cls(top + int(inked[0]), ink[inked[0] : inked[-1] + 1])

    @property
    def rows(self) -> slice:
        """The rows of the page that it is in."""
        return slice(self.top, self.top + len(self.ink))

    @cached_property
    def first(self) -> int:
        """Its first column."""
        return int(np.argmax(self.ink.any(axis=0)))

    @cached_property
    def length(self) -> int:
        """How many columns it spans."""
        where = np.flatnonzero(self.ink.any(axis=0))
        return int(where[-1] - where[0] + 1)

    @cached_property
    def thickness(self) -> float:
        """Its mean thickness in pixels."""
        return float(self.ink.sum()) / self.length

    def widen(self, reach: int, height: int) -> Rule:
        """Return it with so many rows more above and below, as far as a page so high has them."""
        above, below = min(reach, self.top), min(reach, height - self.rows.stop)
        ink = np.zeros((above + len(self.ink) + below, self.ink.shape[1]), bool)
        ink[above : above + len(self.ink)] = self.ink
        return Rule(self.top - above, ink)

    def join(self, other: Rule) -> Rule:
        """Return both as one."""
        top, bottom = min(self.top, other.top), max(self.rows.stop, other.rows.stop)
        ink = np.zeros((bottom - top, self.ink.shape[1]), bool)
        for each in (self, other):
            ink[each.top - top : each.rows.stop - top] |= each.ink
        return Rule(top, ink)


@dataclass(frozen=True)
class LevelLine:
    """A ruled line: its slope, its height at column 0, its thickness, and its first and last column."""

    slope: float
    height: float
    thickness: float
    first: int
    last: int


@dataclass(frozen=True)
class _Side:
    """What stands on a line (`way` -1) or hangs from it (1): how far ink goes on from each of its columns.

    `columns` are the line's and a few beyond its ends; `runs` (columns,) are in pixels, up to `most`, which is not
    beyond the next line if there is one on that side: then it is `bounded`.
    """

    line: LevelLine
    way: int
    columns: Int64
    runs: Int64
    most: int
    bounded: bool


@dataclass(frozen=True)
class _Even:
    """Uprights that are as far apart as each other and about as long: their places, that distance, that length."""

    places: Float64
    pitch: float
    length: int


def find_uprights(strokes: Bools, across: list[Rule], height: float) -> list[Rule]:
    """Return what stands on or hangs from the lines `across` in strokes (h, w), and is no writing, as lines down.

    Uprights lead from one line to the next, as thin as these; or they are even, from end to end of a line, or on both
    sides of one of several that cross the page. A 1 is none of this. `height` is the height of the writing.
    """
    if not across:
        return []
    middle = strokes.shape[1] / 2
    lines = sorted((_fit_line(rule) for rule in across), key=lambda line: line.slope * middle + line.height)
    found = np.zeros(strokes.shape, np.uint8)
    for line, above, below in zip(lines, [None, *lines[:-1]], [*lines[1:], None], strict=True):
        sides = [_follow_side(strokes, line, other, way, height) for way, other in ((-1, above), (1, below))]
        _mark_uprights(found, sides, height, alone=len(lines) == 1)
    # What goes on behind a line is one.
    thickest = int(max(line.thickness for line in lines))
    joined = cv2.dilate(found, np.ones((thickest + 4, 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    uprights = []
    for label in range(1, count):
        left, width = int(stats[label, cv2.CC_STAT_LEFT]), int(stats[label, cv2.CC_STAT_WIDTH])
        part = slice(left, left + width)
        own = (labels[:, part] == label) & (found[:, part] > 0) & strokes[:, part]
        if own.any():
            uprights.append(Rule.trim(left, np.ascontiguousarray(own.T)))
    return uprights


def _mark_uprights(found: Uint8, sides: list[_Side], height: float, *, alone: bool) -> None:
    """Set to 1 where the uprights on both sides of a line are; `alone` it is the only line of the page."""
    thin = [_find_thin(side, height) for side in sides]
    evens = [_find_even(each, height) for each in thin]
    pitches = [even.pitch for even in evens if even]
    both = not alone and len(pitches) == 2 and _is_alike(*pitches)  # noqa: PLR2004
    for side, uprights, even in zip(sides, thin, evens, strict=True):
        if side.bounded and side.most <= UPRIGHT.tallest * height:
            _mark(found, side, [place for place, run in uprights if run >= side.most - 2], side.most)
        if even and (_spans_line(side, even, both=both) or (side.bounded and even.length >= side.most - 2)):
            standing = [place for place in even.places.tolist() if _stands(side, place, UPRIGHT.alike * even.length)]
            _mark(found, side, standing, even.length)


def _fit_line(rule: Rule) -> LevelLine:
    counts = rule.ink.sum(axis=0)
    columns = np.flatnonzero(counts)
    rows = np.arange(rule.top, rule.rows.stop)[:, None]
    middles = (rule.ink * rows).sum(axis=0)[columns] / counts[columns]
    slope, height = np.polyfit(columns, middles, 1)
    return LevelLine(float(slope), float(height), median(counts[columns]), int(columns[0]), int(columns[-1]))


def _follow_side(strokes: Bools, line: LevelLine, other: LevelLine | None, way: int, height: float) -> _Side:
    """Follow ink from a line up to the `other` one on that side, or to the page's end."""
    columns = np.arange(line.first - EDGE, line.last + EDGE + 1)
    most = min(2 * UPRIGHT.tallest * height, len(strokes))
    if other:
        middle = (line.first + line.last) / 2
        room = abs((other.slope - line.slope) * middle + other.height - line.height)
        most = min(most, room - (other.thickness + line.thickness) / 2 - 1)
    steps = max(1, int(most))
    return _Side(line, way, columns, follow_columns(strokes, line, way, columns, steps), steps, other is not None)


def follow_columns(strokes: Bools, line: LevelLine, way: int, columns: Int64, steps: int) -> Int64:
    """Return how far ink (h, w) goes on from each of a line's columns (n,) on one side of it, up to so many pixels."""
    if not runs_natively():
        return reference_follow_columns(strokes, line, way, columns, steps)
    from lenet.native import _native

    known = line.slope, line.height, line.thickness
    return _native.follow_side(np.ascontiguousarray(strokes), known, way, int(columns[0]), len(columns), steps)


def reference_follow_columns(strokes: Bools, line: LevelLine, way: int, columns: Int64, steps: int) -> Int64:
    """Say in NumPy and OpenCV what `follow_columns` does."""
    away = np.arange(1, steps + 1)
    rows, across, inside = _locate(line, way, columns.astype(np.float64), away, strokes.shape)
    # A pixel to the side, or one that is missing, is no end.
    ink = (strokes[rows, across] & inside).astype(np.uint8)
    whole = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    wide = cv2.dilate(whole, np.ones((1, 3), np.uint8)) > 0
    return np.logical_and.accumulate(wide, axis=0).sum(axis=0).astype(np.int64)


def _locate(
    line: LevelLine, way: int, columns: Float64, steps: Int64, shape: tuple[int, ...]
) -> tuple[Int64, Int64, Bools]:
    """Return the rows and columns (steps, n) at right angles to a line, and which of them are on the page."""
    away = line.thickness / 2 + steps[:, None]
    # Half a pixel is always rounded up: rounded to even, every other row would be left out.
    rows = np.floor(line.slope * columns + line.height + way * away + 0.5).astype(np.int64)
    across = np.floor(columns - way * line.slope * away + 0.5).astype(np.int64)
    inside = (rows >= 0) & (rows < shape[0]) & (across >= 0) & (across < shape[1])
    return np.clip(rows, 0, shape[0] - 1), np.clip(across, 0, shape[1] - 1), inside


def _find_thin(side: _Side, height: float) -> list[tuple[float, int]]:
    """Return the middle column and the length of each thin upright."""
    long = np.flatnonzero(side.runs >= max(WRITING.least_side, RULE.beyond * height))
    if not len(long):
        return []
    starts = np.flatnonzero(np.diff(long, prepend=-2) > 1)
    runs = side.runs[long]
    longest = np.maximum.reduceat(runs, starts)
    of_own = runs / np.repeat(longest, np.diff(starts, append=len(long)))
    widths = np.add.reduceat((of_own >= 0.5).astype(np.int64), starts) - 2  # noqa: PLR2004
    top = (of_own >= 0.9).astype(np.int64)  # noqa: PLR2004
    middles = side.columns[0] + np.add.reduceat(top * long, starts) / np.add.reduceat(top, starts)
    thin = widths <= RULE.thicker * side.line.thickness + RULE.stray
    return list(zip(middles[thin].tolist(), longest[thin].tolist(), strict=True))


def _find_even(thin: list[tuple[float, int]], height: float) -> _Even | None:
    """Return the most uprights that are evenly far apart and alike, where they were found or are to be expected."""
    at, runs = np.array([place for place, _run in thin]), np.array([run for _place, run in thin])
    best: _Even | None = None
    for begin, other in combinations(at[: UPRIGHT.most_uprights].tolist(), 2):
        pitch = other - begin
        count = int((thin[-1][0] - begin) / pitch + 0.2) + 1
        if pitch < RULE.beyond * height or count < FEWEST or (best and count <= len(best.places)):
            continue
        places = begin + pitch * np.arange(count)
        off = np.abs(at - places[:, None])
        met = off.min(axis=1) <= RULE.corner * pitch + 1
        if met.sum() < max(FEWEST, UPRIGHT.alike * len(places)):
            continue
        nearest = off.argmin(axis=1)[met]
        length = int(median(runs[nearest]))
        if (np.abs(runs[nearest] - length) <= (1 - UPRIGHT.alike) * length + 1).mean() >= UPRIGHT.alike:
            places[met] = at[nearest]
            best = _Even(places, pitch, length)
    return best


def _is_alike(one: float, other: float) -> bool:
    return abs(one - other) <= RULE.corner * other + 1


def _spans_line(side: _Side, even: _Even, *, both: bool) -> bool:
    """Return whether uprights begin and end with their line or, where they are on `both` its sides, with the page."""
    before, behind = even.places[0] - side.line.first, side.line.last - even.places[-1]
    if both:
        return bool(max(before, behind) <= (1 + 2 * RULE.corner) * even.pitch)
    return bool(max(abs(before), abs(behind)) <= 2 * RULE.corner * even.pitch + EDGE)


def _stands(side: _Side, place: float, least: float) -> bool:
    """Return whether ink goes on for so long at a column, or beside it."""
    column = round(place) - int(side.columns[0])
    return bool(side.runs[max(0, column - 1) : column + 2].max(initial=0) >= least)


def _mark(found: Uint8, side: _Side, places: list[float], length: int) -> None:
    """Set to 1 where the uprights at these columns are, ink or not."""
    half = int(np.ceil((RULE.thicker * side.line.thickness + RULE.stray) / 2))
    columns = (np.array(places, np.float64)[:, None] + np.arange(-half, half + 1)).ravel().astype(np.float64)
    rows, across, inside = _locate(side.line, side.way, columns, np.arange(length + 2), found.shape)
    found[rows[inside], across[inside]] = 1
