"""Each candidate's own ink as MNIST would have made it: a 20x20 box in a 28x28 field, centred by mass."""

from __future__ import annotations

import cv2
import numpy as np

from lenet.arrays import Bools, Float32, Float64, Int32, Int64, Uint8
from lenet.native.dispatch import REFERENCE, chosen_engine
from lenet.network.spec import CENTRE_INDEX, DIGIT_BOX, GLYPH_SIZE
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.morphology import EDGE, make_disc
from lenet.preprocessing.parameters import INK
from lenet.segmentation.lattice import Lattice
from lenet.segmentation.parameters import GLYPH
from lenet.steps import Step, Values


def make_glyphs(ink: Ink, lattice: Lattice) -> tuple[Uint8, tuple[Step, ...]]:
    """Return the arcs' glyphs (m, 28, 28) uint8, 0 for paper and 255 for pen, and a step for each change of stroke."""
    glyphs = np.zeros((len(lattice.arcs), GLYPH_SIZE, GLYPH_SIZE), np.uint8)
    steps: dict[str, Step] = {}
    for line in range(len(lattice.lines)):
        rows = lattice.find_arcs(line)
        glyphs[rows], changes = make_line_glyphs(ink, lattice, rows)
        for step in changes:
            steps.setdefault(step.id, step)
    return glyphs, tuple(steps.values())


def make_line_glyphs(ink: Ink, lattice: Lattice, rows: Int64) -> tuple[Uint8, tuple[Step, ...]]:
    """Return the glyphs (n, 28, 28) of the arcs (n,) of a line, and a step if its strokes were changed.

    A line is written with one pen: its width is measured on the whole line.
    """
    corners = lattice.boxes[rows]
    whole = np.concatenate([corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)])
    sides = corners[:, 2:] - corners[:, :2]
    height = int(sides.max() if len(rows) == 1 else sides[:, 1].max())
    first, past = int(lattice.arcs[rows, 0].min()), int(lattice.arcs[rows, 1].max())
    width = measure_stroke_width(_crop(ink, lattice.pieces, first, past, whole), height)
    steps: dict[str, Step] = {}
    broader = np.full(len(rows), _choose_broadening(width, height, steps))
    return place_glyphs(ink, lattice, rows, broader), tuple(steps.values())


def place_glyphs(ink: Ink, lattice: Lattice, rows: Int64, broader: Float64) -> Uint8:
    """Return the glyphs (n, 28, 28) of arcs (n,), each with strokes broader by so many pixels of its ink (n,)."""
    engine = chosen_engine()
    if engine == REFERENCE:
        return reference_place_glyphs(ink, lattice, rows, broader)
    from lenet.native import _native

    clear = INK.scale_sigmas * ink.noise
    arcs, boxes = lattice.arcs[rows], lattice.boxes[rows]
    return _native.make_glyphs(engine, ink.levels, lattice.pieces, clear, arcs, boxes, broader)


def reference_place_glyphs(ink: Ink, lattice: Lattice, rows: Int64, broader: Float64) -> Uint8:
    """Say in NumPy and OpenCV what is done in C++."""
    glyphs = np.zeros((len(rows), GLYPH_SIZE, GLYPH_SIZE), np.uint8)
    for place, row in enumerate(rows.tolist()):
        begin, end = lattice.arcs[row].tolist()
        cut = _crop(ink, lattice.pieces, begin, end, lattice.boxes[row])
        glyphs[place] = place_glyph(_fit_box(cut, float(broader[place])))
    return glyphs


def _crop(ink: Ink, pieces: Int32, first: int, past: int, box: Int32) -> Float32:
    """Cut out the ink of pieces first to past - 1, 0 to 1, with its soft edge and without its neighbours' ink."""
    x0, y0, x1, y1 = box.tolist()
    area = (slice(max(0, y0 - EDGE), y1 + EDGE), slice(max(0, x0 - EDGE), x1 + EDGE))
    own, levels = cv2.inRange(pieces[area], first, past - 1), ink.levels[area]
    paper, clear = _mask(pieces[area] == 0), _mask(levels > INK.scale_sigmas * ink.noise)
    reached = cv2.bitwise_and(cv2.dilate(own, make_disc(EDGE)), cv2.bitwise_or(own, paper))
    inked = cv2.bitwise_and(levels, reached)
    sure = cv2.bitwise_and(inked, cv2.bitwise_or(own, clear))
    left, top, width, height = cv2.boundingRect(sure)
    if not width:  # so faint that it rounds to paper
        return np.zeros((1, 1), np.float32)
    return np.divide(inked[top : top + height, left : left + width], np.float32(255), dtype=np.float32)


def _mask(where: Bools) -> Uint8:
    return where.view(np.uint8) * np.uint8(255)


def measure_stroke_width(ink: Float32, height: int | None = None) -> float:
    """Return the mean width of the strokes of (h, w) ink in 0 to 1, in pixels of that ink.

    Across a stroke of width w the distance to its edge is w / 4 on average. Ink of small digits, `height` pixels (by
    default its longer side), is enlarged first, to measure to a fraction of a pixel; noise moves the result by a few
    hundredths.
    """
    enlarged = max(
        1.0, min(GLYPH.fine * DIGIT_BOX / (height or max(ink.shape)), (GLYPH.most_enlarged / ink.size) ** 0.5)
    )
    if enlarged > 1:
        ink = cv2.resize(ink, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    inside = cv2.copyMakeBorder((ink > GLYPH.half).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    if not inside.any():
        return 0.0
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[inside > 0]
    # A pixel at the edge is at distance 1, not a half.
    return 4 * (float(distance.mean()) - 0.5) / enlarged


def _choose_broadening(width: float, height: int, steps: dict[str, Step]) -> float:
    """Return by how many of its pixels to broaden ink so high, if MNIST's strokes are hardly so thin or so thick."""
    scale = DIGIT_BOX / height
    if GLYPH.thinnest <= width * scale <= GLYPH.thickest:
        return 0.0
    target, done = (
        (GLYPH.thin_target, "thickened") if width * scale < GLYPH.thinnest else (GLYPH.thick_target, "thinned")
    )
    values: Values = {"from_pixels": round(width * scale, 2), "to_pixels": target}
    steps.setdefault(done, Step(f"strokes-{done}", values))
    return target / scale - width


def _fit_box(ink: Float32, broader: float) -> Float32:
    """Scale (h, w) ink so that its longer side is 20, aspect kept, with strokes made broader by so many of its pixels.

    Ink that fits the box already was made for it, and is left as it is.
    """
    return ink if max(ink.shape) == DIGIT_BOX else _darken(_scale(ink, broader))


def _scale(ink: Float32, broader: float) -> Float32:
    """Scale (h, w) ink to a longer side of 20; strokes are made broader or narrower at 8 times that size."""
    scale = DIGIT_BOX / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    if not broader or min(size) < 3:  # noqa: PLR2004
        return _resize(ink, size)
    fine = (_resize(ink, (size[0] * GLYPH.fine, size[1] * GLYPH.fine)) * 255 + 0.5).astype(np.uint8)
    reach = max(1, min(GLYPH.fine * DIGIT_BOX // 4, round(abs(broader) * scale / 2 * GLYPH.fine)))
    if broader > 0:
        fine = cv2.dilate(np.pad(fine, reach), make_disc(reach)).astype(np.uint8)
    else:
        fine = cv2.erode(fine, make_disc(reach), borderType=cv2.BORDER_CONSTANT, borderValue=0.0).astype(np.uint8)
    traced = fine > int(GLYPH.trace * 255)
    rows, columns = np.flatnonzero(traced.any(axis=1)), np.flatnonzero(traced.any(axis=0))
    if not len(rows):
        return _resize(ink, size)
    changed = fine[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / np.float32(255)
    scale = DIGIT_BOX / max(changed.shape)
    return _resize(changed, (max(1, round(changed.shape[1] * scale)), max(1, round(changed.shape[0] * scale))))


def _resize(ink: Float32, size: tuple[int, int]) -> Float32:
    """Resize to (width, height): averaged when it shrinks, bicubic when it grows, the same when it fits."""
    if (ink.shape[1], ink.shape[0]) == size:
        return ink
    if size[0] * size[1] < ink.size:
        return cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    return np.clip(cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC), 0, 1).astype(np.float32, copy=False)


def _darken(ink: Float32) -> Float32:
    """Scale the levels of ink that is paler than any in MNIST, as thin strokes become when they shrink."""
    inked = ink[ink > GLYPH.trace * float(ink.max())]
    upper = int(INK.full / 100 * (inked.size - 1))
    level = float(np.partition(inked, upper)[upper]) if inked.size else 1.0
    return ink if level >= GLYPH.palest else np.clip(ink / level, 0, 1).astype(np.float32)


def place_glyph(ink: Float32) -> Uint8:
    """Put (h, w) ink, at most 28 a side, into a 28x28 field with its centre of mass nearest to index 14."""
    height, width = ink.shape
    down, across = ink.sum(axis=1, dtype=np.float64), ink.sum(axis=0, dtype=np.float64)
    mass = float(down.sum()) or 1.0
    top = min(max(round(CENTRE_INDEX - float(down @ np.arange(height)) / mass), 0), GLYPH_SIZE - height)
    left = min(max(round(CENTRE_INDEX - float(across @ np.arange(width)) / mass), 0), GLYPH_SIZE - width)
    glyph = np.zeros((GLYPH_SIZE, GLYPH_SIZE), np.uint8)
    glyph[top : top + height, left : left + width] = np.rint(ink * 255).astype(np.uint8)
    return glyph
