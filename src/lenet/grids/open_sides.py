"""Tables without outer lines: where inner lines end together, beyond the last one that crosses them, the table ends."""

from __future__ import annotations

import numpy as np

from lenet.grids.grid_lines import GridLine
from lenet.grids.rules import RUN

# This share of a grid's lines ends within so many pixels of where a side without a line is.
_TOGETHER, _NEAR = 0.6, 12.0
# It is at least so far beyond the last line, as a share of the distance between the lines that end there.
_BEYOND = 0.6


def add_sides(lines: list[GridLine], ending: list[GridLine]) -> list[GridLine]:
    """Return the lines of one direction of a grid, and at its ends sides at which the lines of the other are ended."""
    if not lines or len(ending) < 2:  # noqa: PLR2004
        return lines
    middles = [float(np.mean(line.places)) for line in ending]
    pitch = float(np.median(np.diff(middles)))
    starts, ends = zip(*(_find_ends(line) for line in ending), strict=True)
    across = [float(np.mean(line.places)) for line in (lines[0], lines[-1])]
    beyond = max(RUN, _BEYOND * pitch)
    before = _draw_side(np.array(starts), lines[0]) if across[0] - np.median(starts) > beyond else None
    behind = _draw_side(np.array(ends), lines[-1]) if np.median(ends) - across[1] > beyond else None
    return [*([before] if before else []), *lines, *([behind] if behind else [])]


def _find_ends(line: GridLine) -> tuple[int, int]:
    """Return the first and the last pixel along at which a line is seen."""
    seen = np.flatnonzero(line.seen) + line.first
    return int(seen[0]), int(seen[-1])


def _draw_side(ends: np.ndarray[tuple[int], np.dtype[np.int64]], nearest: GridLine) -> GridLine | None:
    """Return a line where lines (n,) end together, as bent as the nearest; None: they do not."""
    place = float(np.median(ends))
    if (np.abs(ends - place) <= _NEAR).mean() < _TOGETHER:
        return None
    places = nearest.places - np.mean(nearest.places) + place
    return GridLine(nearest.first, places, np.ones(len(places), bool), nearest.thick)
