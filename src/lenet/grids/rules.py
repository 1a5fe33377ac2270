"""Ruled lines of a flat page, each followed along its length: what runs across or down, thin, for long enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lenet.arrays import Float32, Float64, Int64, Uint8
from lenet.preprocessing.morphology import find_runs_across

# Ink is darker by this share than what is so many pixels around it.
_DARKER, _AROUND = 0.06, 41
# The darkest paper that shares are taken of, in grey levels: in a black corner everything is noise.
_DARKEST = 20
# A rule runs straight for so many pixels, which is the least length of the side of a cell.
RUN = 18
# What is thicker than this is a band; its edges, so many pixels of them, are rules.
_BAND, _EDGE = 22, 3
# Breaks of so many pixels within a rule are none. A rule goes on behind a gap of so many, and of that share of its two
# pieces, if it is met so closely there.
_BREAK, _GAP, _GAP_SHARE, _MEETS = 9, 30, 0.3, 3.0
# The slope at the end of a rule is taken over so many pixels; its way is smoothed over so many.
_SLOPE, _SMOOTH = 40, 31
# Columns in which a rule is thicker than this many times its thickness, writing touches it there, do not place it.
_TOUCHED = 1.7
# What is thicker than this share of its length is no rule.
_STOUT = 0.5


@dataclass(frozen=True)
class RuledLine:
    """A line from `first` to `last`, in pixels along it, at `places` (n,) across it; `seen` (n,) where there is ink."""

    first: int
    places: Float64
    seen: Float64
    thick: float

    @property
    def last(self) -> int:
        """The last pixel along it."""
        return self.first + len(self.places) - 1

    @property
    def along(self) -> Float64:
        """The pixels (n,) along it."""
        return np.arange(self.first, self.last + 1, dtype=np.float64)

    def at(self, along: float | Float64) -> Float64:
        """Return where it is across, at pixels along; beyond its ends it goes on level."""
        return np.asarray(np.interp(along, self.along, self.places), np.float64)


def trace_rules(grey: Uint8) -> tuple[list[RuledLine], list[RuledLine]]:
    """Return the rules that run across a flat page (h, w) and those that run down; y along those is across these."""
    ink = _find_ink(grey)
    return _trace_across(ink), _trace_across(np.ascontiguousarray(ink.T))


def _find_ink(grey: Uint8) -> Uint8:
    """Return what is darker than around it, (h, w) of 0 and 1: at the edges of large dark areas, a rim."""
    smooth = cv2.GaussianBlur(grey, (3, 3), 0).astype(np.uint8)
    levels: Float32 = smooth.astype(np.float32)
    # Beside dark writing the mean is dark, and a pale line no darker; at the edge of a band the median is the band's.
    mean: Float32 = cv2.blur(levels, (_AROUND, _AROUND)).astype(np.float32)
    median: Float32 = cv2.medianBlur(smooth, _AROUND).astype(np.float32)
    around = np.maximum(mean, median)
    return (around - levels > _DARKER * np.maximum(around, _DARKEST)).astype(np.uint8)


def _trace_across(ink: Uint8) -> list[RuledLine]:
    runs = find_runs_across(ink, RUN)
    bands = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((_BAND, 1), np.uint8)) > 0
    inside = cv2.erode(bands.astype(np.uint8), np.ones((2 * _EDGE + 1, 1), np.uint8)) > 0
    runs = find_runs_across(np.where(bands & inside, 0, runs).astype(np.uint8), RUN)
    whole = cv2.dilate(runs, np.ones((3, 1), np.uint8))
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((1, _BREAK), np.uint8))
    _count, labels = cv2.connectedComponents(whole, connectivity=8)
    y, x = np.nonzero(runs)
    owners = labels[y, x]
    order = np.argsort(owners, kind="stable")
    cuts = np.flatnonzero(np.diff(owners[order])) + 1
    found = [_follow(*each) for each in zip(np.split(y[order], cuts), np.split(x[order], cuts), strict=True)]
    return _join_rules([rule for rule in found if rule is not None])


def _follow(y: Int64, x: Int64) -> RuledLine | None:
    """Return the rule of a piece of ink, the pixels (n,) y and x; None: it is none."""
    if not len(x) or np.ptp(x) < RUN:
        return None
    first, length = int(x.min()), int(np.ptp(x)) + 1
    counts = np.bincount(x - first, minlength=length)
    thick = float(np.median(counts[counts > 0]))
    sure = (counts > 0) & (counts <= _TOUCHED * thick + 1)
    if thick > _STOUT * length or thick > _BAND or sure.sum() < RUN / 2:
        return None
    middles = np.bincount(x - first, weights=y, minlength=length) / np.maximum(counts, 1)
    along = np.arange(length)
    places = np.interp(along, along[sure], middles[sure])
    window = min(_SMOOTH, length // 2 * 2 - 1)
    padded = np.pad(places, window // 2, mode="edge")
    return RuledLine(first, np.median(sliding_window_view(padded, window), axis=1), np.ones(length), thick)


def _join_rules(rules: list[RuledLine]) -> list[RuledLine]:
    """Join rules that go on behind a gap."""
    joined: list[RuledLine] = []
    for rule in sorted(rules, key=lambda each: each.first):
        near = [row for row, other in enumerate(joined) if -RUN < rule.first - other.last <= _GAP]
        near = [row for row in near if rule.last > joined[row].last and _is_close(joined[row], rule)]
        misses = [_miss(joined[row], rule) for row in near]
        if misses and min(misses) < _MEETS:
            row = near[int(np.argmin(misses))]
            joined[row] = _append(joined[row], rule)
        else:
            joined.append(rule)
    return joined


def _is_close(rule: RuledLine, next_: RuledLine) -> bool:
    return next_.first - rule.last <= _GAP_SHARE * (len(rule.places) + len(next_.places))


def _miss(rule: RuledLine, next_: RuledLine) -> float:
    """Return by how many pixels a rule that goes on straight misses the next one."""
    before, behind = min(_SLOPE, len(rule.places) - 1), min(_SLOPE, len(next_.places) - 1)
    slopes = (
        (rule.places[-1] - rule.places[-1 - before]) / max(1, before),
        (next_.places[behind] - next_.places[0]) / max(1, behind),
    )
    return abs(float(rule.places[-1] + sum(slopes) / 2 * (next_.first - rule.last) - next_.places[0]))


def _append(rule: RuledLine, next_: RuledLine) -> RuledLine:
    """Return two rules as one, with what is between them filled in, unseen."""
    overlap = max(0, rule.last - next_.first + 1)
    places = next_.places[overlap:]
    gap = max(0, next_.first - rule.last - 1)
    between = np.linspace(rule.places[-1], next_.places[0], gap + 2)[1:-1]
    return replace(
        rule,
        places=np.concatenate([rule.places, between, places]),
        seen=np.concatenate([rule.seen, np.zeros(gap), next_.seen[overlap:]]),
        thick=max(rule.thick, next_.thick),
    )
