"""The lines of a grid: rules in pieces that belong to one line, in order, each known along the whole grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Bools, Float64
from lenet.grids.rules import RuledLine

# A rule is long if it goes along this share of the grid: it tells how others are bent.
_LONG = 0.6
# Pieces side by side are of one line if they are within so many pixels: it is ruled twice.
_DOUBLE = 7.0
# Pieces one behind the other are of one line within this share of the least distance between long lines.
_OFF = 0.35
# What overlaps by less than this share of the shorter, or so many pixels, is behind, not beside.
_OVERLAP, _FEW = 0.2, 12


@dataclass(frozen=True, eq=False)
class GridLine:
    """One line of a grid, known at each of its pixels along: `places` (n,) across, `seen` (n,) where there is a rule.

    `first` is the first pixel along; `thick` is how thick it is.
    """

    first: int
    places: Float64
    seen: Bools
    thick: float

    @property
    def length(self) -> int:
        """How many pixels of it are seen."""
        return int(self.seen.sum())

    def at(self, along: float) -> float:
        """Return where it is across, at a pixel along."""
        return float(np.interp(along, np.arange(self.first, self.first + len(self.places)), self.places))

    def support(self, start: float, end: float) -> float:
        """Return what share of it is seen from one pixel along to another."""
        low, high = round(start) - self.first, round(end) - self.first + 1
        seen = self.seen[max(0, low) : max(1, high)]
        return float(seen.mean()) if len(seen) else 0.0


def find_grid_lines(rules: list[RuledLine]) -> list[GridLine]:
    """Put the rules of one direction of a grid together to lines, in order across."""
    first, last = min(rule.first for rule in rules), max(rule.last for rule in rules)
    along = np.arange(first, last + 1, dtype=np.float64)
    lines: list[list[RuledLine]] = []
    longest = sorted(rules, key=lambda rule: -len(rule.places))
    bends = [rule for rule in longest if len(rule.places) > _LONG * len(along)] or longest[:1]
    reach = _OFF * _measure_pitch(bends)
    for rule in longest:
        own = next((line for line in lines if _belongs(rule, line, bends, reach)), None)
        if own is None:
            lines.append([rule])
        else:
            own.append(rule)
    found = [_draw_line(line, bends, along) for line in lines]
    return sorted(found, key=lambda line: float(np.mean(line.places)))


def _measure_pitch(rules: list[RuledLine]) -> float:
    """Return the least distance, across, between rules that are not one twice; 0 if there is one."""
    places = np.sort([float(np.mean(rule.places)) for rule in rules])
    between = np.diff(places)
    between = between[between > 2 * _DOUBLE]
    return float(between.min()) if len(between) else 0.0


def _belongs(rule: RuledLine, line: list[RuledLine], bends: list[RuledLine], reach: float) -> bool:
    """Return whether a rule is a piece of a line: beside one of its pieces, or behind, as a long rule goes."""
    behind = []
    for piece in line:
        start, end = max(rule.first, piece.first), min(rule.last, piece.last)
        if end - start > max(_FEW, _OVERLAP * min(len(rule.places), len(piece.places))):
            places = np.arange(start, end + 1, dtype=np.float64)
            return float(np.median(np.abs(rule.at(places) - piece.at(places)))) < _DOUBLE
        bend = _choose_bend(piece, bends)
        behind.append(abs(_measure_offset(rule, bend) - _measure_offset(piece, bend)))
    return min(behind) < max(_DOUBLE, reach)


def _choose_bend(rule: RuledLine, bends: list[RuledLine]) -> RuledLine:
    """Return the long rule that is nearest to a rule, or is that rule."""
    return min(bends, key=lambda bend: abs(_measure_offset(rule, bend)))


def _measure_offset(rule: RuledLine, bend: RuledLine) -> float:
    """Return how far a rule is beside another, across."""
    return float(np.mean(rule.places - bend.at(rule.along)))


def _draw_line(line: list[RuledLine], bends: list[RuledLine], along: Float64) -> GridLine:
    """Return a line of some pieces, the longest first, at all pixels along; between them it is bent as a long rule."""
    bend = _choose_bend(line[0], bends)
    offsets, seen = np.full(len(along), np.nan), np.zeros(len(along), bool)
    for piece in reversed(line):
        part = slice(piece.first - int(along[0]), piece.last - int(along[0]) + 1)
        offsets[part] = piece.places - bend.at(piece.along)
        seen[part] |= piece.seen > 0
    known = ~np.isnan(offsets)
    offsets = np.interp(along, along[known], offsets[known])
    return GridLine(int(along[0]), bend.at(along) + offsets, seen, max(piece.thick for piece in line))
