"""Ruled lines and boxes are no writing: long straight thin ink is taken out, the strokes that cross it stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from lenet.arrays import Bools, Float64, Int32, Int64, Uint8, median
from lenet.native.dispatch import runs_natively
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.form_boxes import FEWEST, Rule, find_uprights
from lenet.preprocessing.morphology import EDGE, find_runs_across, make_disc
from lenet.preprocessing.parameters import INK, RULE
from lenet.steps import Step


def remove_ruled_lines(ink: Ink) -> Ink:
    """Take out ruled lines, boxes and grids, and say so; the strokes that cross them or lie in them are left whole.

    A line is clearly longer than the writing that would be left, and what stands on one is even or leads to the next: a
    1 is neither.
    """
    strokes = ink.strokes
    across, down = find_rules(strokes, 2 * RULE.slim_side), find_rules(strokes.T, RULE.slim_side)
    if not across and not down:
        return ink
    ends = _mark_ends(across, strokes.shape)
    down = _keep_sides(down, ends, strokes)
    writing = _measure_writing(_take_out(strokes, across, down))
    if writing.height <= RULE.thicker * max((rule.thickness for rule in (*across, *down)), default=0.0):
        return ink  # nothing is left but ragged ends of lines
    across = _keep_across(across, writing, strokes)
    if _is_hatched(across):
        return ink
    if not across:
        ends[:] = 0
    least = RULE.times_height * writing.height
    down = [rule for rule in down if rule.length >= least or _count_met(rule, ends) > 1]
    down = _merge_lines(find_uprights(strokes, across, writing.height), _keep_sides(down, ends, strokes), strokes.shape)
    if not across and not down:
        return ink
    kept = _restore_writing(ink, across, down, writing.height)
    near = cv2.dilate(kept.astype(np.uint8), make_disc(EDGE)) > 0
    levels = np.where(near & (kept | ~strokes), ink.levels, 0).astype(np.uint8)
    step = Step("ruled-lines-removed", {"lines": len(across) + len(down)})
    return replace(ink, levels=levels, strokes=kept, steps=(*ink.steps, step))


@dataclass(frozen=True)
class _Writing:
    """What is left without lines: the median height of its taller pieces (0: nothing), its first and last column."""

    height: float
    first: int
    last: int


def _keep_sides(down: list[Rule], ends: Int32, strokes: Bools) -> list[Rule]:
    """Return the lines down that are sides of a box, meeting a line across at its end, or run through the page."""
    return [rule for rule in down if _count_met(rule, ends) or _runs_through(rule, strokes.T)]


def _keep_across(across: list[Rule], writing: _Writing, strokes: Bools) -> list[Rule]:
    """Return the lines across that are longer than the writing is high, and span it or stand alone."""
    return [
        rule
        for rule in across
        if rule.length >= RULE.times_height * writing.height
        and (_spans_writing(rule, writing) or _stands_alone(rule, strokes, writing.height))
    ]


def _take_out(strokes: Bools, across: list[Rule], down: list[Rule]) -> Bools:
    """Return strokes (h, w) without lines."""
    rest = strokes.copy()
    for own, rules in ((rest, across), (rest.T, down)):
        for rule in rules:
            own[rule.rows] &= ~rule.ink
    return rest


def _restore_writing(ink: Ink, across: list[Rule], down: list[Rule], height: float) -> Bools:
    """Return the strokes (h, w) of a page without its lines, but with what is written in them."""
    rest = _take_out(ink.strokes, across, down)
    kept = rest.copy()
    pages = [(rule, rest, kept, ink.levels) for rule in across]
    pages += [(rule, rest.T, kept.T, ink.levels.T) for rule in down]
    gaps = [(rule, ours) for rule, others, ours, levels in pages if not _restore_crossings(rule, others, ours, levels)]
    for rule, ours in gaps:
        _close_gaps(rule, ours, height)
    return kept


def find_rules(strokes: Bools, slimmest: int) -> list[Rule]:
    """Find long thin nearly horizontal lines in (h, w) strokes, at least `slimmest` times as long as thick."""
    if not runs_natively():
        return reference_find_rules(strokes, slimmest)
    from lenet.native import _native

    return [Rule(top, ink.view(bool)) for top, ink in _native.find_rules(np.ascontiguousarray(strokes), slimmest)]


def reference_find_rules(strokes: Bools, slimmest: int) -> list[Rule]:
    """Say in NumPy and OpenCV what `find_rules` does."""
    height, width = strokes.shape
    if width < 2 * RULE.run:
        return []
    strokes = np.ascontiguousarray(strokes)
    runs = find_runs_across(strokes.astype(np.uint8), max(RULE.run, round(RULE.run_share * width)))
    found: list[Rule] = []
    # Writing may hang lines together: look again without those that were found.
    for _round in range(RULE.rounds):
        more = [rule for own in _find_long_runs(runs) if (rule := _fit_straight(own, strokes, slimmest)) is not None]
        if not more:
            break
        found += more
        for rule in more:
            around = rule.widen(1, height)
            runs[around.rows][cv2.dilate(around.ink.astype(np.uint8), np.ones((3, 1), np.uint8)) > 0] = 0
    return found


def _find_long_runs(runs: Uint8) -> Iterator[Rule]:
    """Yield the pixels of all runs that hang together over enough of the page, with hardly a gap.

    The steps of a line that leans, and the parts of a broken one, do when they are made a little longer.
    """
    width = runs.shape[1]
    joined = cv2.dilate(runs, np.ones((3, 3 + 2 * round(RULE.gap * width / 2)), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_WIDTH] >= RULE.least_share * width:
            top = int(stats[label, cv2.CC_STAT_TOP])
            rows = slice(top, top + int(stats[label, cv2.CC_STAT_HEIGHT]))
            own = (labels[rows] == label) & (runs[rows] > 0)
            columns = np.flatnonzero(own.any(axis=0))
            if len(columns) >= (1 - RULE.most_gaps) * (columns[-1] + 1 - columns[0]):
                yield Rule(top, own)


def _fit_straight(own: Rule, strokes: Bools, slimmest: int) -> Rule | None:
    """Return the ink of (h, w) strokes along the straight line that most of a rule's `own` pixels lie on, or None.

    Writing that stands on a line or lies in it makes it thicker there, and only there.
    """
    rows, columns = np.nonzero(own.ink)
    rows = rows + own.top
    first, last = int(columns.min()), int(columns.max())
    line = _fit_most(rows, columns)
    across = np.arange(first, last + 1)
    most = min(len(across) // slimmest + 2, RULE.thickest)
    for _fit in range(INK.rounds):
        middles, thickness = _measure_across(strokes, across, line[0] * across + line[1], most)
        inked = thickness > 0
        if inked.sum() < RULE.least_share * len(across):
            return None
        usual = median(thickness[inked])
        bare = inked & (thickness <= RULE.thicker * usual)
        line = np.polyfit(across[bare], middles[bare], 1)
        if abs(line[0]) > RULE.steepest:
            return None
    astray = np.abs(middles[bare] - np.polyval(line, across[bare])) > max(RULE.stray, RULE.stray_share * usual)
    if astray.any() or inked.sum() < max((1 - RULE.most_gaps) * len(across), slimmest * usual):
        return None
    middles, reach = line[0] * across + line[1], usual / 2 + RULE.ragged
    rows = np.arange(max(0, int(middles.min() - reach)), min(len(strokes), int(middles.max() + reach) + 2))
    ink = np.zeros((len(rows), strokes.shape[1]), bool)
    ink[:, first : last + 1] = (np.abs(rows[:, None] - middles) <= reach) & strokes[rows, first : last + 1]
    return Rule.trim(int(rows[0]), ink)


def _fit_most(rows: Int64, columns: Int64) -> Float64:
    """Return the slope and the height at column 0 of the nearly level line that goes through most pixels (Hough)."""
    some = slice(None, None, max(1, len(rows) // RULE.samples))
    rows, columns = rows[some], columns[some]
    # Between two slopes the ends of the line move by two pixels.
    slopes = 3 + int(RULE.steepest * (columns.max() - columns.min()) / 2) // 2 * 2
    best, most = np.zeros(2), 0
    for slope in np.linspace(-RULE.steepest, RULE.steepest, slopes):
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


def _is_hatched(across: list[Rule]) -> bool:
    """Return whether lines are so near each other that nobody writes on them."""
    if len(across) <= FEWEST:
        return False
    middles = sorted(float(np.nonzero(rule.ink)[0].mean()) + rule.top for rule in across)
    thickness = median(np.array([rule.thickness for rule in across]))
    return bool(median(np.diff(middles)) < RULE.short_line * thickness)


def _merge_lines(sides: list[Rule], others: list[Rule], shape: tuple[int, ...]) -> list[Rule]:
    """Return all lines down a page (h, w), those that were found twice once."""
    if not others:
        return sides
    merged = list(sides)
    which = np.zeros(shape, np.int32).T
    for place, side in enumerate(sides, 1):
        which[side.rows][side.ink] = place
    for other in others:
        same = int(which[other.rows][other.ink].max(initial=0))
        if same:
            merged[same - 1] = merged[same - 1].join(other)
        else:
            merged.append(other)
    return merged


def _restore_crossings(rule: Rule, rest: Bools, kept: Bools, levels: Uint8) -> bool:
    """Add to the `kept` ink, in place, what is written in a horizontal rule, by the `rest` that is no rule's.

    It is darker than a rule that is printed in another grey, for which True is returned; or else a stroke of the rest
    goes on above or below.
    """
    thickness = int(np.ceil(median(rule.ink.sum(axis=0)[rule.ink.any(axis=0)])))
    around = rule.widen(2 * thickness + 8, len(rest))
    part, ink = around.rows, around.ink
    rest, levels = rest[part], levels[part]
    beside = cv2.dilate(rest.astype(np.uint8), np.ones((2 * thickness + 5, 5), np.uint8)) > 0
    alone, pen = ink & ~beside, levels[rest]
    bare = alone.any(axis=0)
    if bare.any() and pen.size:
        # A thin line is darkest in its middle: its edges say nothing of what it is printed with.
        grey, black = median(np.where(alone, levels, 0).max(axis=0)[bare]), median(pen)
        if grey < RULE.paler * black:
            kept[part] |= ink & (levels > (grey + black) / 2)
            return True
    # What is only the ragged edge of the line goes on nowhere.
    upright = np.ones((3, 1), np.uint8)
    met = cv2.morphologyEx(rest.astype(np.uint8), cv2.MORPH_OPEN, upright) > 0
    for _row in range(thickness + 2):
        met = (cv2.dilate(met.astype(np.uint8), upright) > 0) & (ink | rest)
    kept[part] |= met & ink
    return False


def _close_gaps(rule: Rule, kept: Bools, height: float) -> None:
    """Put back stretches of a rule, shorter than writing is high, that lie between parts of one piece of `kept` ink.

    Such is the base of a 0 that stands on the line.
    """
    around = rule.widen(2 * int(height), len(kept))
    kept, ink = kept[around.rows], around.ink
    _count, pieces = cv2.connectedComponents(kept.astype(np.uint8), connectivity=8)
    inside = (pieces * ink).max(axis=0)
    for left, right in pairwise(np.flatnonzero(inside)):
        if 1 < right - left <= RULE.closed * height and inside[left] == inside[right]:
            kept[:, left:right] |= ink[:, left:right]


def _measure_writing(rest: Bools) -> _Writing:
    """Measure what is left of a page (h, w) without its lines."""
    _count, _labels, stats, _ = cv2.connectedComponentsWithStats(rest.astype(np.uint8), connectivity=8)
    stats = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= RULE.speck]
    if not len(stats):
        return _Writing(0.0, 0, 0)
    heights = stats[:, cv2.CC_STAT_HEIGHT]
    height = median(heights[heights >= RULE.tall * heights.max()])
    tall = stats[heights >= RULE.tall * height]
    left = tall[:, cv2.CC_STAT_LEFT]
    return _Writing(height, int(left.min()), int((left + tall[:, cv2.CC_STAT_WIDTH]).max()))


def _mark_ends(across: list[Rule], shape: tuple[int, ...]) -> Int32:
    """Return which line across ends at or near a pixel (h, w): 1 for the first, 0 for none."""
    ends = np.zeros(shape, np.int32)
    for number, rule in enumerate(across, 1):
        rows, columns = np.nonzero(rule.ink)
        rows = rows + rule.top
        near = 3 + round(RULE.corner * (columns.max() + 1 - columns.min()))
        for end in (columns <= columns.min() + near, columns >= columns.max() - near):
            top, left = rows[end].min() - EDGE, columns[end].min() - EDGE
            below, behind = rows[end].max() + EDGE + 1, columns[end].max() + EDGE + 1
            ends[max(0, top) : below, max(0, left) : behind] = number
    return ends


def _count_met(rule: Rule, ends: Int32) -> int:
    """Return how many lines across, by their `ends` (h, w), a line down meets at one of their ends."""
    return int(np.count_nonzero(np.bincount(ends.T[rule.rows][rule.ink])[1:]))


def _runs_through(rule: Rule, strokes: Bools) -> bool:
    """Return whether a line runs from edge to edge of a page, with hardly any ink hanging on to it."""
    return _touches_both_edges(rule) and _stands_apart(rule, strokes)


def _spans_writing(rule: Rule, writing: _Writing) -> bool:
    """Return whether a rule across begins before the writing and ends behind it."""
    begin, end = rule.first, rule.first + rule.length
    if _touches_both_edges(rule) or end - begin >= RULE.short_line * writing.height:
        reach = RULE.beyond * writing.height
        return bool(begin <= writing.first + reach and end >= writing.last - reach)
    return bool(begin < writing.first and end > writing.last)


def _touches_both_edges(rule: Rule) -> bool:
    """Return whether a line reaches the page's first and last columns."""
    return bool(rule.ink[:, :2].any() and rule.ink[:, -2:].any())


def _stands_alone(rule: Rule, strokes: Bools, height: float) -> bool:
    """Return whether a line across is no short one, and touches no writing."""
    return rule.length >= RULE.short_line * height and _stands_apart(rule, strokes)


def _stands_apart(rule: Rule, strokes: Bools) -> bool:
    """Return whether hardly any ink hangs on a line: the stem of a 7 has a bar."""
    around = rule.widen(2, len(strokes))
    beside = cv2.dilate(around.ink.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return bool((beside & strokes[around.rows] & ~around.ink).sum() <= RULE.corner * rule.ink.sum())
