"""From ink to candidates: ruled lines go, lines of writing are found, touching digits are cut, nothing is invented."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.arrays import Uint8
from lenet.components import find_components
from lenet.cuts import seams
from lenet.image import open_page
from lenet.ink import Ink, cropped, find_ink, reduced
from lenet.lines import find_lines
from lenet.rules import without_rules
from lenet.segment import SHAPES, number
from lenet.sight import see_number


def paper(height: int, width: int) -> Uint8:
    """White paper."""
    return np.full((height, width), 255, np.uint8)


def ring(page: Uint8, x: int, y: int, radius: int = 20, thick: int = 5) -> None:
    """Draw a 0."""
    cv2.circle(page, (x, y), radius, 0, thick, cv2.LINE_AA)


def ink_of(page: Uint8) -> Ink:
    """The ink of a page."""
    return find_ink(open_page(page))


def test_a_box_around_writing_is_removed() -> None:
    """All four sides, the underline too, but for a few pixels at its end; the ring inside keeps every pixel."""
    page = paper(120, 300)
    ring(page, 150, 60)
    alone = ink_of(page).strokes
    cv2.rectangle(page, (10, 10), (290, 110), 0, 4)
    cv2.line(page, (20, 98), (280, 98), 0, 2)
    cleaned = without_rules(ink_of(page))
    assert cleaned.strokes[alone].all()
    assert (cleaned.strokes & ~alone).sum() < 10
    assert any("ruled lines removed" in note for note in cleaned.notes)


def test_strokes_that_cross_a_ruled_line_stay_whole() -> None:
    """A 1 through the middle of a line is still one piece."""
    page = paper(120, 400)
    for x in (100, 200, 300):
        cv2.line(page, (x, 20), (x, 100), 0, 6)
    cv2.line(page, (0, 70), (399, 70), 0, 3)
    found = find_components(without_rules(ink_of(page)), [])
    heights = (found.boxes[1:, 3] - found.boxes[1:, 1])[found.kept[1:]]
    assert len(heights) == 3
    assert (heights > 70).all()


@pytest.mark.parametrize("thick", [3, 8, 14])
def test_digits_are_no_ruled_lines(thick: int) -> None:
    """Ones, a seven's bar and a dash stay."""
    page = paper(100, 260)
    cv2.line(page, (30, 10), (30, 90), 0, thick)
    cv2.line(page, (70, 10), (120, 10), 0, thick)
    cv2.line(page, (120, 10), (90, 90), 0, thick)
    cv2.line(page, (160, 50), (230, 50), 0, thick)
    ink = ink_of(page)
    assert without_rules(ink) is ink


def test_lines_go_from_top_to_bottom_and_digits_from_left_to_right() -> None:
    """Three rows of rings, the second one rising: a line for each, pieces in reading order."""
    page = paper(400, 500)
    for row, (y, rise) in enumerate(((60, 0), (190, -40), (330, 0))):
        for place in range(4 - row):
            ring(page, 60 + 100 * place, y + rise * place // 4)
    lattice = number(ink_of(page))
    assert len(lattice.lines) == 3
    for first, past in lattice.lines:
        middles = [np.argwhere(lattice.pieces == piece).mean(axis=0) for piece in range(first, past)]
        assert [middle[1] for middle in middles] == sorted(middle[1] for middle in middles)
    tops = [
        np.argwhere((lattice.pieces >= first) & (lattice.pieces < past)).mean(axis=0)[0]
        for first, past in lattice.lines
    ]
    assert tops == sorted(tops)


def test_two_rings_that_touch_are_cut_where_they_touch() -> None:
    """Among the cuts is one within two pixels of where they meet, and it crosses little ink."""
    page = paper(80, 140)
    ring(page, 38, 40, thick=9)
    ring(page, 87, 40, thick=9)
    ink = ink_of(page)
    found = find_components(ink, [])
    (line,) = find_lines(found, [])
    (label,) = line.labels
    x0, y0, x1, y1 = found.boxes[label]
    cuts = seams(ink.levels[y0:y1, x0:x1], found.labels[y0:y1, x0:x1] == label, line.slant, line.height)
    best = min(cuts, key=lambda cut: abs(float(cut.columns.mean()) + x0 - 62))
    assert abs(float(best.columns.mean()) + x0 - 62) <= 2
    assert best.ink < 0.4


@given(
    st.lists(
        st.tuples(
            st.integers(10, 290), st.integers(10, 140), st.integers(10, 290), st.integers(10, 140), st.integers(1, 9)
        ),
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None)
def test_a_lattice_is_whole(strokes: list[tuple[int, int, int, int, int]]) -> None:
    """Pieces are numbered without gaps, arcs stay within lines, boxes hold exactly their pieces' pixels."""
    page = paper(150, 300)
    for x0, y0, x1, y1, thick in strokes:
        cv2.line(page, (x0, y0), (x1, y1), 0, thick)
    sight = see_number(page)
    lattice = sight.lattice
    assert lattice.shapes.shape == (len(lattice.arcs), len(SHAPES))
    assert np.isfinite(lattice.shapes).all()
    assert len(sight.glyphs) == len(lattice.arcs)
    if len(lattice.lines):
        assert lattice.lines[0, 0] == 1
        assert (lattice.lines[1:, 0] == lattice.lines[:-1, 1]).all()
        assert set(np.unique(lattice.pieces)) - {0} == set(range(1, lattice.lines[-1, 1]))
    for (first, past), (x0, y0, x1, y1) in zip(lattice.arcs, lattice.boxes, strict=True):
        y, x = np.nonzero((lattice.pieces >= first) & (lattice.pieces < past))
        assert (x.min(), y.min(), x.max() + 1, y.max() + 1) == (x0, y0, x1, y1)
        assert sum(start <= first and past <= end for start, end in lattice.lines) == 1
    for arc in range(len(lattice.arcs)):
        x0, y0, x1, y1 = sight.box(arc)
        assert 0 <= x0 < x1 <= 300
        assert 0 <= y0 < y1 <= 150


def test_cropping_keeps_ink_and_says_where_it_was() -> None:
    """The part has a rim of paper, but not where ink touches the edge of the page."""
    page = paper(100, 100)
    cv2.line(page, (0, 50), (60, 50), 0, 5)
    ink = ink_of(page)
    part, (left, top) = cropped(ink)
    assert left == 0
    assert not part.strokes[:4].any()
    assert part.strokes[:, 0].any()
    y, x = np.nonzero(part.strokes)
    assert ink.strokes[y + top, x + left].all()
    assert part.strokes.sum() == ink.strokes.sum()


def test_reducing_averages() -> None:
    """A factor of 2 halves the sides and keeps the mean."""
    page = paper(100, 100)
    cv2.rectangle(page, (20, 20), (59, 59), 0, -1)
    ink = ink_of(page)
    half = reduced(ink, 2)
    assert half.levels.shape == (50, 50)
    assert float(half.levels.mean()) == pytest.approx(float(ink.levels.mean()), abs=1)
    assert reduced(ink, 1) is ink


def test_noise_and_hatching_end_in_bounded_time() -> None:
    """A page full of specks, and one full of strokes, make no more candidates than a page of digits could."""
    rng = np.random.default_rng(0)
    specks = paper(600, 800)
    specks[rng.random(specks.shape) < 0.05] = 0
    hatched = paper(600, 800)
    for x in range(0, 800, 9):
        cv2.line(hatched, (x, 0), (x + 40, 599), 0, 2)
    for page in (specks, hatched):
        assert len(see_number(page).lattice.arcs) <= 6_000
