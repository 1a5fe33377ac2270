"""Propose what might be a digit: pieces of ink, and arcs, which are runs of neighbouring pieces. Never scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from lenet.arrays import Float32, Int32, Int64
from lenet.native.dispatch import runs_natively
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.parameters import WRITING
from lenet.result import Abstained, Box
from lenet.segmentation.components import Components, drop_specks, find_components
from lenet.segmentation.parameters import LATTICE
from lenet.segmentation.seams import find_seams
from lenet.segmentation.text_lines import TextLine, find_text_lines, note_left_out
from lenet.steps import Step

# No more pieces than this are looked at: a page has up to 1,000 digits, and a long scribble may be cut anywhere.
_MOST_ON_A_PAGE = 4_000
# What `shapes` says of each arc, all lengths as shares of the line's height.
SHAPES = (
    "height",
    "width",
    "offset",
    "ink",
    "cut left",
    "cut right",
    "cut inside",
    "gap inside",
    "pieces",
)


@dataclass(frozen=True)
class Lattice:
    """Candidates on one page: `pieces` (H, W) int32 numbers the pieces of ink from 1, 0 elsewhere.

    Pieces are numbered line after line, left to right; `lines` (l, 2) are the first and one past the last of each
    line. Each arc (m, 2) is a run of pieces of one line, first and one past the last; `boxes` (m, 4) are x0, y0, x1,
    y1 in page pixels, right and bottom exclusive; `shapes` (m, 9) is what `SHAPES` names. One digit is a
    lattice of one piece and one arc; a page without any has a reason, the `why` of it.
    """

    pieces: Int32
    lines: Int32
    arcs: Int32
    boxes: Int32
    shapes: Float32
    steps: tuple[Step, ...]
    why: Abstained = False

    def find_arcs(self, line: int) -> Int64:
        """Return which arcs (n,) are of a line."""
        first, past = self.lines[line]
        return np.flatnonzero((self.arcs[:, 0] >= first) & (self.arcs[:, 1] <= past))


def take_one_digit(ink: Ink) -> Lattice:
    """Take the whole page for one digit: its ink without specks and frames is one piece, with one arc."""
    steps: list[Step] = []
    found = find_components(ink, steps)
    pieces = drop_specks(found, steps)[found.labels].astype(np.int32)
    rows, columns = np.flatnonzero(pieces.any(axis=1)), np.flatnonzero(pieces.any(axis=0))
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) + 1 < WRITING.least_side:
        why: Abstained = "too small" if len(rows) else "blank"
        pieces[:] = 0
        return _build_lattice(pieces, [], [], [], [], steps, why)
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    shape = (1.0, (box[2] - box[0]) / (box[3] - box[1]), *[0.0] * 6, 1.0)
    return _build_lattice(pieces, [(1, 2)], [(1, 2)], [box], [shape], steps)


def propose_numbers(ink: Ink) -> Lattice:
    """Take the page for lines of digits: every piece of ink, cut where it may be two, and every run of pieces."""
    steps: list[Step] = []
    components = find_components(ink, steps)
    pieces = np.zeros(components.labels.shape, np.int32)
    lines: list[tuple[int, int]] = []
    found = [_Runs(0, np.zeros((0, 2), np.int32), np.zeros((0, 4), np.int32), np.zeros((0, len(SHAPES)), np.float32))]
    for line in find_text_lines(components, steps):
        last = lines[-1][1] if lines else 1
        runs = cut_line(line, ink, components, pieces, last, 1 + _MOST_ON_A_PAGE - last)
        found.append(runs)
        if len(runs.arcs):
            lines.append((last, int(runs.arcs[-1, 1])))
    last, every = lines[-1][1] if lines else 1, sum(runs.pieces for runs in found)
    note_left_out(every - last + 1, every, steps)
    boxes = np.concatenate([runs.boxes for runs in found])
    if len(boxes) and (boxes[:, 2:] - boxes[:, :2]).max() < WRITING.least_side:
        return _build_lattice(np.zeros_like(pieces), [], [], [], [], steps, "too small")
    # Ink that was kept but stands in no line is stains.
    nothing: Abstained = "not a digit" if components.kept.any() else "blank"
    return Lattice(
        pieces,
        np.array(lines, np.int32).reshape(-1, 2),
        np.concatenate([runs.arcs for runs in found]),
        boxes,
        np.concatenate([runs.shapes for runs in found]),
        tuple(steps),
        False if len(boxes) else nothing,
    )


@dataclass(frozen=True)
class _Runs:
    """How many pieces a line has; runs of them: arcs (m, 2), boxes (m, 4) and shapes (m, 9), as of a lattice."""

    pieces: int
    arcs: Int32
    boxes: Int32
    shapes: Float32


def cut_line(line: TextLine, ink: Ink, components: Components, pieces: Int32, first: int, most: int) -> _Runs:
    """Cut a line's components into pieces, and number these from `first` on into the map (H, W), in place.

    Returns the runs of the first `most` of the pieces that may be digits.
    """
    if not runs_natively():
        return reference_cut_line(line, ink, components, pieces, first, most)
    from lenet.native import _native

    boxes = components.boxes[line.labels]
    known = line.height, line.slant, line.middle, line.rise
    return _Runs(
        *_native.cut_line(ink.levels, components.labels, line.labels, boxes, known, first, max(0, most), pieces)
    )


def reference_cut_line(line: TextLine, ink: Ink, components: Components, pieces: Int32, first: int, most: int) -> _Runs:
    """Say in NumPy and OpenCV what `cut_line` does."""
    every = _cut_pieces(line, ink, components, pieces, first)
    found = every[: max(0, most)]
    pieces[pieces >= first + len(found)] = 0
    wholes = _find_whole(found)
    runs = [
        (first + begin, *run) for begin in range(len(found)) for run in _propose_runs(found, begin, wholes[begin], line)
    ]
    return _Runs(
        len(every),
        np.array([(begin, first + past) for begin, past, _box, _shape in runs], np.int32).reshape(-1, 2),
        np.array([box for _begin, _past, box, _shape in runs], np.int32).reshape(-1, 4),
        np.array([shape for *_run, shape in runs], np.float32).reshape(-1, len(SHAPES)),
    )


@dataclass(frozen=True)
class _Piece:
    """A piece: its box, its columns when upright (left, right), its ink in pixels, and what its right cut costs.

    `component` is the place in the line of the component that it is cut from.
    """

    box: Box
    left: float
    right: float
    ink: int
    cut: float
    component: int


def _cut_pieces(line: TextLine, ink: Ink, components: Components, pieces: Int32, first: int) -> list[_Piece]:
    """Cut a line's components, number the pieces from left to right into the map; return them in that order."""
    parts: list[tuple[float, tuple[Int32, Int32], float, int]] = []
    boxes = components.boxes[line.labels]
    levels = [ink.levels[y0:y1, x0:x1] for x0, y0, x1, y1 in boxes]
    owns = [
        components.labels[y0:y1, x0:x1] == label for label, (x0, y0, x1, y1) in zip(line.labels, boxes, strict=True)
    ]
    every = find_seams(list(zip(levels, owns, strict=True)), line.slant, line.height)
    for component, (own, cuts, (x0, y0, x1, _y1)) in enumerate(zip(owns, every, boxes, strict=True)):
        numbers = np.zeros(own.shape, np.int32)
        for seam in cuts:
            numbers += np.arange(0.5, x1 - x0)[None, :] > seam.columns[:, None]
        for number in range(len(cuts) + 1):
            y, x = np.nonzero(own & (numbers == number))
            if len(y):
                place = (y.astype(np.int32) + y0, x.astype(np.int32) + x0)
                middle = float(place[1].mean() + line.slant * (place[0].mean() - line.middle))
                parts.append((middle, place, cuts[number].cost if number < len(cuts) else 0.0, component))
    parts.sort(key=lambda part: part[0])
    found = []
    for order, (_middle, (rows, columns), cut, component) in enumerate(parts):
        pieces[rows, columns] = first + order
        upright = columns + 0.5 + line.slant * (rows + 0.5 - line.middle)
        box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        left, right = float(upright.min()) - 0.5, float(upright.max()) + 0.5
        found.append(_Piece(box, left, right, len(rows), cut, component))
    return found


def _find_whole(found: list[_Piece]) -> list[int]:
    """Return where the run of pieces that begins with each one ends if it is a whole component, or 0."""
    ends = [0] * len(found)
    counts = Counter(piece.component for piece in found)
    for _component, run in groupby(enumerate(found), lambda placed: placed[1].component):
        own = list(run)
        (first, piece), past = own[0], own[-1][0] + 1
        if past - first == counts[piece.component]:
            ends[first] = past
    return ends


def _propose_runs(
    found: list[_Piece], first: int, whole: int, line: TextLine
) -> Iterator[tuple[int, Box, tuple[float, ...]]]:
    """Yield the runs of a line's pieces that begin with one and may be a digit: their ends, boxes and shapes.

    Up to `whole` it is a component that is whole, which is one at any width; 0 if there is none.
    """
    x0, y0, x1, y1 = found[first].box
    left, right = found[first].left, found[first].right
    ink, cut_inside, gap, narrow = 0, 0.0, 0.0, True
    most = first + LATTICE.most_pieces
    for past, piece in enumerate(found[first : max(whole, most)], first + 1):
        x0, y0, x1, y1 = min(x0, piece.box[0]), min(y0, piece.box[1]), max(x1, piece.box[2]), max(y1, piece.box[3])
        gap = max(gap, piece.left - right)
        left, right = min(left, piece.left), max(right, piece.right)
        if past > first + 1:
            cut_inside += found[past - 2].cut
            widest = LATTICE.widest if gap <= LATTICE.gap * line.height else LATTICE.widest_with_gap
            narrow = narrow and right - left <= widest * line.height
        ink += piece.ink
        if past != whole and not (narrow and past <= most):
            if past > whole:
                return
            continue
        shape = (
            (y1 - y0) / line.height,
            (right - left) / line.height,
            ((y0 + y1) / 2 - line.middle_at((left + right) / 2)) / line.height,
            ink / line.height**2,
            found[first - 1].cut if first else 0.0,
            piece.cut,
            cut_inside,
            gap / line.height,
            float(past - first),
        )
        yield past, (x0, y0, x1, y1), shape


def _build_lattice(
    pieces: Int32,
    lines: list[tuple[int, int]],
    arcs: list[tuple[int, int]],
    boxes: list[Box],
    shapes: list[tuple[float, ...]],
    steps: list[Step],
    why: Abstained = False,
) -> Lattice:
    return Lattice(
        pieces,
        np.array(lines, np.int32).reshape(-1, 2),
        np.array(arcs, np.int32).reshape(-1, 2),
        np.array(boxes, np.int32).reshape(-1, 4),
        np.array(shapes, np.float32).reshape(-1, len(SHAPES)),
        tuple(steps),
        why,
    )
