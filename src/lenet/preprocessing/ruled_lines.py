"""Ruled lines and boxes are no writing: long straight thin ink is taken out, the strokes that cross it stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from lenet.arrays import Bools, Float64, Int32, Int64, Uint8
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.form_boxes import find_uprights
from lenet.preprocessing.morphology import EDGE, find_runs_across, make_disc

# A rule is at least so many times as long as it is thick, which no stroke of a digit is, and rises at most this much;
# the side of a box, which meets a rule at its end, may be thicker.
_SLIMMEST, _SLIM_SIDE, _STEEPEST = 14, 7, 0.1
# It runs along at least this share of the page, with gaps of at most this share each and that share in all.
_LEAST_SHARE, _GAP, _MOST_GAPS = 0.6, 0.02, 0.15
# A line across is so many times as long as the writing is high, and spans all of it but for this share of its height
# at either end; a short one, which might be the joined bases of two 2s, sticks out by this share of it, or runs from
# edge to edge. One that is not short and stands alone need not span the writing. One down is so long too and runs from
# edge to edge, or it is the side of a box: it meets a line across within this share of that one's length, and so many
# pixels, from its end, and is so long too, or it meets two of them: a 1 may stand near the end of a line.
_TIMES_HEIGHT, _SHORT, _SHORT_LINE, _OUT, _CORNER, _NEAR = 1.4, 0.25, 3.0, 0.08, 0.04, 4
# No pixel of a rule strays further from a straight line than this, in pixels or as a share of its thickness.
_STRAY, _STRAY_SHARE = 1.5, 0.75
# Where writing lies in a rule it is so many times as thick as elsewhere. A pixel so far from it is its own ragged edge.
_THICKER, _RAGGED = 1.5, 1.0
# A line is looked for through at most this many of its pixels, and at most so many in one piece of ink; no more than so
# many pixels either side of its middle tell how thick it is.
_SAMPLES, _ROUNDS, _THICKEST = 1000, 6, 64
# How often it is fitted anew to the ink that the last line found.
_FITS = 2
# A rule is printed in another grey than the writing if it is paler than this share of it. What one piece of ink lacks
# in a rule is shorter than this many times the height of the writing.
_PALER, _CLOSED = 0.8, 0.8
# A line that stands apart, as one down that is no side of a box must, has at most this share of its own ink hanging on.
_HANGS_ON = 0.04
# So many lines, less than so many times their thickness apart, are hatching.
_HATCHES, _CLOSE = 4, 3.5
# Runs of ink shorter than this, in pixels or as a share of the page, are no part of a rule.
_RUN, _RUN_SHARE = 12, 0.06
# Writing is what is left in pieces of at least this share of the tallest one's height; fewer pixels are a speck.
_TALL, _SPECK = 0.4, 4


def remove_ruled_lines(ink: Ink) -> Ink:
    """Take out ruled lines, boxes and grids, with a note; the strokes that cross them or lie in them are left whole.

    A line is clearly longer than the writing that would be left, and what stands on one is even or leads to the next: a
    1 is neither.
    """
    strokes = ink.strokes.astype(np.uint8)
    across = _find_rules(strokes, _SLIMMEST)
    down = [rule.T for rule in _find_rules(np.ascontiguousarray(strokes.T), _SLIM_SIDE)]
    if not across and not down:
        return ink
    corners = _mark_ends(across, strokes.shape)
    down = [rule for rule in down if _count_met(rule, corners) or _runs_through(rule, ink.strokes)]
    rest = ink.strokes.copy()
    for rule in (*across, *down):
        rest &= ~rule
    height, first, last = _measure_writing(rest)
    lines = (*across, *(rule.T for rule in down))
    if height <= _THICKER * max((rule.sum() / _measure_length(rule) for rule in lines), default=0.0):
        return ink  # nothing is left but ragged ends of lines
    least = _TIMES_HEIGHT * height
    long_enough = [rule for rule in across if _measure_length(rule) >= least]
    across = [
        rule
        for rule in long_enough
        if _spans_writing(rule, height, first, last) or _stands_alone(rule, ink.strokes, height)
    ]
    if _is_hatched(across):
        return ink
    if not across:
        corners[:] = 0
    long_down = [rule for rule in down if _measure_length(rule.T) >= least or _count_met(rule, corners) > 1]
    down = [rule for rule in long_down if _count_met(rule, corners) or _runs_through(rule, ink.strokes)]
    down = _merge_lines(find_uprights(ink.strokes, across, height), down)
    count = len(across) + len(down)
    if not count:
        return ink
    rest = ink.strokes.copy()
    for rule in (*across, *down):
        rest &= ~rule
    kept = rest.copy()
    level = [(rule, rest, kept, ink.levels) for rule in across]
    level += [(rule.T, rest.T, kept.T, ink.levels.T) for rule in down]
    gaps = [(rule, ours) for rule, others, ours, levels in level if not _restore_crossings(rule, others, ours, levels)]
    for rule, ours in gaps:
        _close_gaps(rule, ours, height)
    near = cv2.dilate(kept.astype(np.uint8), make_disc(EDGE)) > 0
    levels = np.where(near & (kept | ~ink.strokes), ink.levels, 0).astype(np.uint8)
    note = f"{count} ruled line{'s' if count > 1 else ''} removed"
    return replace(ink, levels=levels, strokes=kept, notes=(*ink.notes, note))


def _find_rules(strokes: Uint8, slimmest: int) -> list[Bools]:
    """Find long thin nearly horizontal lines in (h, w) strokes of 0 and 1; return the pixels of each."""
    height, width = strokes.shape
    if width < 24 or height < 8:
        return []
    runs = find_runs_across(strokes, max(_RUN, round(_RUN_SHARE * width)))
    found: list[Bools] = []
    # Writing may hang lines together: look again without those that were found.
    for _round in range(_ROUNDS):
        more = [
            rule for own in _find_long_runs(runs) if (rule := _fit_straight(own, strokes > 0, slimmest)) is not None
        ]
        if not more:
            break
        found += more
        for rule in more:
            runs[cv2.dilate(rule.astype(np.uint8), np.ones((3, 1), np.uint8)) > 0] = 0
    return found


def _find_long_runs(runs: Uint8) -> Iterator[Bools]:
    """Yield the pixels of all runs that hang together over enough of the page, with hardly a gap.

    The steps of a line that leans, and the parts of a broken one, do when they are made a little longer.
    """
    width = runs.shape[1]
    joined = cv2.dilate(runs, np.ones((3, 3 + 2 * round(_GAP * width / 2)), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_WIDTH] >= _LEAST_SHARE * width:
            own = (labels == label) & (runs > 0)
            columns = np.flatnonzero(own.any(axis=0))
            if len(columns) >= (1 - _MOST_GAPS) * (columns[-1] + 1 - columns[0]):
                yield own


def _fit_straight(own: Bools, strokes: Bools, slimmest: int) -> Bools | None:
    """Return the ink (h, w) along the straight line that most of a rule's `own` pixels lie on; None for no line.

    Writing that stands on a line or lies in it makes it thicker there, and only there.
    """
    rows, columns = np.nonzero(own)
    first, last = int(columns.min()), int(columns.max())
    line = _fit_most(rows, columns)
    across = np.arange(first, last + 1)
    most = min(len(across) // slimmest + 2, _THICKEST)
    for _fit in range(_FITS):
        middles, thickness = _measure_across(strokes, across, line[0] * across + line[1], most)
        inked = thickness > 0
        if inked.sum() < _LEAST_SHARE * len(across):
            return None
        usual = float(np.median(thickness[inked]))
        bare = inked & (thickness <= _THICKER * usual)
        line = np.polyfit(across[bare], middles[bare], 1)
        if abs(line[0]) > _STEEPEST:
            return None
    astray = np.abs(middles[bare] - np.polyval(line, across[bare])) > max(_STRAY, _STRAY_SHARE * usual)
    if astray.any() or inked.sum() < max((1 - _MOST_GAPS) * len(across), slimmest * usual):
        return None
    middles, reach = line[0] * across + line[1], usual / 2 + _RAGGED
    rows = np.arange(max(0, int(middles.min() - reach)), min(len(own), int(middles.max() + reach) + 2))
    near = np.abs(rows[:, None] - middles) <= reach
    rule = np.zeros(strokes.shape, bool)
    rule[rows, first : last + 1] = near & strokes[rows, first : last + 1]
    return rule


def _fit_most(rows: Int64, columns: Int64) -> Float64:
    """Return the slope and the height at column 0 of the nearly level line that goes through most pixels (Hough)."""
    some = slice(None, None, max(1, len(rows) // _SAMPLES))
    rows, columns = rows[some], columns[some]
    # Between two slopes the ends of the line move by two pixels.
    slopes = 3 + int(_STEEPEST * (columns.max() - columns.min()) / 2) // 2 * 2
    best, most = np.zeros(2), 0
    for slope in np.linspace(-_STEEPEST, _STEEPEST, slopes):
        heights = np.rint(rows - slope * columns).astype(np.int64)
        lowest = int(heights.min())
        counts = np.bincount(heights - lowest)
        if counts.max() > most:
            best, most = np.array([slope, int(counts.argmax()) + lowest]), int(counts.max())
    return best


def _measure_across(strokes: Bools, columns: Int64, middles: Float64, reach: int) -> tuple[Float64, Int64]:
    """Return the middle and thickness (0: none) of the ink at a line's height in each column, `reach` off at most."""
    height = len(strokes)
    rows = np.rint(middles).astype(np.int64)[None, :] + np.arange(-reach, reach + 1)[:, None]
    inked = strokes[np.clip(rows, 0, height - 1), columns] & (rows >= 0) & (rows < height)
    up = np.logical_and.accumulate(inked[reach::-1], axis=0).sum(axis=0)
    down = np.logical_and.accumulate(inked[reach:], axis=0).sum(axis=0)
    return rows[reach] + (down - up) / 2, np.where(up > 0, up + down - 1, 0)


def _is_hatched(across: list[Bools]) -> bool:
    """Return whether lines are so near each other that nobody writes on them."""
    if len(across) < _HATCHES:
        return False
    middles = sorted(float(np.nonzero(rule)[0].mean()) for rule in across)
    thickness = np.median([rule.sum() / _measure_length(rule) for rule in across])
    return bool(np.median(np.diff(middles)) < _CLOSE * thickness)


def _merge_lines(sides: list[Bools], others: list[Bools]) -> list[Bools]:
    """Return all lines, those that were found twice once."""
    if not others:
        return sides
    merged = list(sides)
    which = np.zeros(others[0].shape, np.int32)
    for place, side in enumerate(sides, 1):
        which[side] = place
    for other in others:
        same = int(which[other].max(initial=0))
        if same:
            merged[same - 1] = merged[same - 1] | other
        else:
            merged.append(other)
    return merged


def _restore_crossings(rule: Bools, rest: Bools, kept: Bools, levels: Uint8) -> bool:
    """Add to the `kept` ink, in place, what is written in a horizontal rule, by the `rest` that is no rule's.

    It is darker than a rule that is printed in another grey, for which True is returned; or else a stroke of the rest
    goes on above or below.
    """
    thickness = int(np.ceil(np.median(rule.sum(axis=0)[rule.any(axis=0)])))
    part = _select_rows(rule, 2 * thickness + 8)
    rule, rest, levels = rule[part], rest[part], levels[part]
    beside = cv2.dilate(rest.astype(np.uint8), np.ones((2 * thickness + 5, 5), np.uint8)) > 0
    alone, pen = levels[rule & ~beside], levels[rest]
    if alone.size and pen.size:
        grey, black = float(np.median(alone)), float(np.median(pen))
        if grey < _PALER * black:
            kept[part] |= rule & (levels > (grey + black) / 2)
            return True
    # What is only the ragged edge of the line goes on nowhere.
    upright = np.ones((3, 1), np.uint8)
    met = cv2.morphologyEx(rest.astype(np.uint8), cv2.MORPH_OPEN, upright) > 0
    for _row in range(thickness + 2):
        met = (cv2.dilate(met.astype(np.uint8), upright) > 0) & (rule | rest)
    kept[part] |= met & rule
    return False


def _close_gaps(rule: Bools, kept: Bools, height: float) -> None:
    """Put back stretches of a rule, shorter than writing is high, that lie between parts of one piece of `kept` ink.

    Such is the base of a 0 that stands on the line.
    """
    part = _select_rows(rule, 2 * int(height))
    rule, kept = rule[part], kept[part]
    _count, pieces = cv2.connectedComponents(kept.astype(np.uint8), connectivity=8)
    inside = (pieces * rule).max(axis=0)
    for left, right in pairwise(np.flatnonzero(inside)):
        if 1 < right - left <= _CLOSED * height and inside[left] == inside[right]:
            kept[:, left:right] |= rule[:, left:right]


def _select_rows(rule: Bools, reach: int) -> slice:
    """Return the rows of a rule and so many above and below."""
    rows = np.flatnonzero(rule.any(axis=1))
    return slice(max(0, int(rows[0]) - reach), int(rows[-1]) + 1 + reach)


def _measure_writing(rest: Bools) -> tuple[float, int, int]:
    """Return the median height of the taller pieces of ink (0: there is none), and the columns from first to last."""
    _count, _labels, stats, _ = cv2.connectedComponentsWithStats(rest.astype(np.uint8), connectivity=8)
    stats = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= _SPECK]
    if not len(stats):
        return 0.0, 0, 0
    heights = stats[:, cv2.CC_STAT_HEIGHT]
    height = float(np.median(heights[heights >= _TALL * heights.max()]))
    tall = stats[heights >= _TALL * height]
    left = tall[:, cv2.CC_STAT_LEFT]
    return height, int(left.min()), int((left + tall[:, cv2.CC_STAT_WIDTH]).max())


def _mark_ends(across: list[Bools], shape: tuple[int, ...]) -> Int32:
    """Return which line across ends at or near a pixel (h, w): 1 for the first, 0 for none."""
    corners = np.zeros(shape, np.int32)
    for number, rule in enumerate(across, 1):
        rows, columns = np.nonzero(rule)
        near = 3 + round(_CORNER * (columns.max() + 1 - columns.min()))
        for end in (columns <= columns.min() + near, columns >= columns.max() - near):
            top, left = rows[end].min() - _NEAR, columns[end].min() - _NEAR
            below, behind = rows[end].max() + _NEAR + 1, columns[end].max() + _NEAR + 1
            corners[max(0, top) : below, max(0, left) : behind] = number
    return corners


def _count_met(rule: Bools, corners: Int32) -> int:
    """Return how many lines across, by their `corners`, a line down meets at one of their ends."""
    return int(np.count_nonzero(np.unique(corners[rule])))


def _runs_through(rule: Bools, strokes: Bools) -> bool:
    """Return whether a line down runs from edge to edge, with hardly any ink hanging on to it."""
    return _touches_both_edges(rule) and _stands_apart(rule, strokes)


def _spans_writing(rule: Bools, height: float, first: int, last: int) -> bool:
    """Return whether a rule across begins before the writing, from column `first` to `last`, and ends behind it."""
    columns = np.flatnonzero(rule.any(axis=0))
    begin, end = int(columns[0]), int(columns[-1]) + 1
    if _touches_both_edges(rule.T) or end - begin >= _SHORT_LINE * height:
        return bool(begin <= first + _SHORT * height and end >= last - _SHORT * height)
    return bool(begin <= first - _OUT * height and end >= last + _OUT * height)


def _touches_both_edges(rule: Bools) -> bool:
    """Return whether ink reaches the first and the last rows."""
    return bool(rule[:2].any() and rule[-2:].any())


def _stands_alone(rule: Bools, strokes: Bools, height: float) -> bool:
    """Return whether a line across is no short one, and touches no writing."""
    return _measure_length(rule) >= _SHORT_LINE * height and _stands_apart(rule, strokes)


def _stands_apart(rule: Bools, strokes: Bools) -> bool:
    """Return whether hardly any ink hangs on a line: the stem of a 7 has a bar."""
    beside = cv2.dilate(rule.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return bool((beside & strokes & ~rule).sum() <= _HANGS_ON * rule.sum())


def _measure_length(rule: Bools) -> int:
    """Return how many columns a rule spans."""
    where = np.flatnonzero(rule.any(axis=0))
    return int(where[-1] - where[0] + 1)
