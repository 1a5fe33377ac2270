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
    longest = sorted(rules, key=lambda rule: -len(rule.places))
    bends = [rule for rule in longest if len(rule.places) > _LONG * len(along)] or longest[:1]
    reach = _OFF * _measure_pitch(bends)
    lines: list[list[_Piece]] = []
    for rule in longest:
        piece = _bend_piece(rule, bends)
        own = next((line for line in lines if _belongs(piece, line, reach)), None)
        if own is None:
            lines.append([piece])
        else:
            own.append(piece)
    found = [_draw_line(line, along) for line in lines]
    return sorted(found, key=lambda line: float(np.mean(line.places)))


@dataclass(frozen=True)
class _Piece:
    """A rule, the long rule that it is nearest to, or is, and how far it is beside that, across."""

    rule: RuledLine
    bend: RuledLine
    offset: float


def _bend_piece(rule: RuledLine, bends: list[RuledLine]) -> _Piece:
    offsets = [float(np.mean(rule.places - bend.at(rule.along))) for bend in bends]
    nearest = int(np.argmin(np.abs(offsets)))
    return _Piece(rule, bends[nearest], offsets[nearest])


def _measure_pitch(rules: list[RuledLine]) -> float:
    """Return the least distance, across, between rules that are not one twice; 0 if there is one."""
    places = np.sort([float(np.mean(rule.places)) for rule in rules])
    between = np.diff(places)
    between = between[between > 2 * _DOUBLE]
    return float(between.min()) if len(between) else 0.0


def _belongs(piece: _Piece, line: list[_Piece], reach: float) -> bool:
    """Return whether a piece is of a line: beside one of its pieces, or behind, as a long rule goes."""
    rule, behind = piece.rule, []
    for other in line:
        start, end = max(rule.first, other.rule.first), min(rule.last, other.rule.last)
        if end - start > max(_FEW, _OVERLAP * min(len(rule.places), len(other.rule.places))):
            places = np.arange(start, end + 1, dtype=np.float64)
            return float(np.median(np.abs(rule.at(places) - other.rule.at(places)))) < _DOUBLE
        offset = piece.offset
        if other.bend is not piece.bend:
            offset = float(np.mean(rule.places - other.bend.at(rule.along)))
        behind.append(abs(offset - other.offset))
    return min(behind) < max(_DOUBLE, reach)


def _draw_line(line: list[_Piece], along: Float64) -> GridLine:
    """Return a line of some pieces, the longest first, at all pixels along; between them it is bent as a long rule."""
    bend = line[0].bend
    offsets, seen = np.full(len(along), np.nan), np.zeros(len(along), bool)
    for piece in reversed(line):
        rule = piece.rule
        part = slice(rule.first - int(along[0]), rule.last - int(along[0]) + 1)
        offsets[part] = rule.places - bend.at(rule.along)
        seen[part] |= rule.seen > 0
    known = ~np.isnan(offsets)
    offsets = np.interp(along, along[known], offsets[known])
    return GridLine(int(along[0]), bend.at(along) + offsets, seen, max(piece.rule.thick for piece in line))
