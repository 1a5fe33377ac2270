"""Facts of preprocessing and segmentation that a slip could move unseen: bounds, reaches and what is taken for ink."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.arrays import Bools
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.dropout import _measure_height
from lenet.preprocessing.form_boxes import LevelLine, Rule, _Even, _Side, _spans_line
from lenet.preprocessing.illumination import _measure_hard_shadow
from lenet.preprocessing.paper import _find_sheet
from lenet.preprocessing.ruled_lines import _find_long_runs, _mark_ends, _measure_across
from lenet.segmentation import lattice
from lenet.segmentation.components import Components, find_components
from lenet.segmentation.lattice import propose_numbers
from lenet.segmentation.text_lines import find_text_lines


def ink_of(strokes: Bools) -> Ink:
    """Ink as dark as it can be wherever there are strokes."""
    return Ink(strokes.astype(np.uint8) * np.uint8(255), strokes, 0.0, ())


def components_of(strokes: Bools) -> Components:
    """The components of strokes, and which may be writing."""
    return find_components(ink_of(strokes), [])


def paint(shape: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Bools:
    """Strokes that fill boxes x0, y0, x1, y1 of a page."""
    strokes = np.zeros(shape, bool)
    for x0, y0, x1, y1 in boxes:
        strokes[y0:y1, x0:x1] = True
    return strokes


def test_a_one_is_writing_and_a_dash_is_a_rule() -> None:
    """Of slim ink within the page what stands upright tells how high the writing is, and what lies level does not."""
    upright, level = (100, 80, 103, 120), (40, 30, 58, 32)
    assert _measure_height(paint((200, 200), upright)) == 40
    assert _measure_height(paint((200, 200), level)) == 0
    assert _measure_height(paint((200, 200), upright, level)) == 40


def test_a_slim_upright_at_the_rim_is_a_rule() -> None:
    """Beside the page's edge it is a side of a box, not a 1, and does not say how high the writing is."""
    digit = (90, 80, 110, 110)
    for x in (3, 194):
        assert _measure_height(paint((200, 200), digit, (x, 70, x + 3, 120))) == 30


@pytest.mark.parametrize(("gap", "spans"), [(54, True), (55, False)])
def test_uprights_on_both_sides_of_a_line_begin_within_their_distance_of_its_end(gap: int, spans: bool) -> None:
    """By two twenty-fifths of that distance more, no further: beyond there would be room for another."""
    line = LevelLine(0.0, 50.0, 2.0, 100, 400)
    columns = np.arange(97, 404)
    side = _Side(line, -1, columns, np.zeros(len(columns), np.int64), 40, bounded=False)
    for first in (100 + gap, 400 - gap - 200):
        assert _spans_line(side, _Even(first + 50.0 * np.arange(5), 50.0, 30), both=True) is spans


def test_the_thickness_of_a_line_is_measured_as_far_as_it_is_looked_for() -> None:
    """Ink that goes on by the reach, above or below, is of the line with its last pixel; what is beyond is not."""
    strokes = np.zeros((40, 4), bool)
    strokes[20:25, 0] = strokes[16:21, 1] = strokes[10:31, 2] = True
    middles, thickness = _measure_across(strokes, np.arange(4), np.full(4, 20.0), 4)
    assert thickness.tolist() == [5, 5, 9, 0]
    assert middles[:3].tolist() == [22, 18, 20]


def test_the_ends_of_a_line_are_marked_around_it() -> None:
    """Three pixels and a twenty-fifth of its length at each end, the last of them too, and two more all around."""
    for length, near in ((12, 3), (13, 4), (37, 4), (38, 5)):
        ends = _mark_ends([Rule(30, paint((2, 100), (20, 0, 20 + length, 2)))], (60, 100))
        rows, columns = np.flatnonzero(ends.any(axis=1)), np.flatnonzero(ends.any(axis=0))
        left = np.arange(20 - 2, 20 + near + 2 + 1)
        right = np.arange(20 + length - 1 - near - 2, 20 + length + 2)
        assert rows.tolist() == list(range(30 - 2, 32 + 2))
        assert columns.tolist() == np.union1d(left, right).tolist(), length
        assert set(ends.ravel().tolist()) == {0, 1}


@pytest.mark.parametrize(("missing", "found"), [(15, 1), (16, 0)])
def test_a_line_has_fifteen_per_cent_of_gaps_at_most(missing: int, found: int) -> None:
    """Of a hundred columns 85 are inked, and they hang together; with one fewer they are no line."""
    runs = np.ones((9, 100), np.uint8)
    runs[:4] = runs[6:] = 0
    for gap in range(5):
        runs[:, 10 + 20 * gap : 13 + 20 * gap + (gap < missing - 15)] = 0
    assert len(list(_find_long_runs(runs))) == found


@pytest.mark.parametrize(("length", "shaded"), [(29, True), (28, False)])
def test_two_per_cent_of_a_page_are_near_a_hard_edge(length: int, shaded: bool) -> None:
    """A shadow in a corner of 100 by 100 pixels, ten wide and 29 long, has such an edge; a pixel shorter it has not."""
    page = np.full((100, 100), 200, np.uint8)
    page[:length, :10] = 150
    assert (_measure_hard_shadow(page) > 0) is shaded


@pytest.mark.parametrize(("dots", "written"), [(10, True), (9, False)])
def test_a_sheet_has_a_pixel_of_ink_in_a_thousand_at_least(dots: int, written: bool) -> None:
    """Of a hundred by a hundred pixels within its rim ten are dark, or it is no sheet that is written on."""
    page = np.full((126, 126), 40, np.uint8)
    page[10:116, 10:116] = 220
    page[60, 40 : 40 + 3 * dots : 3] = 100
    inside = _find_sheet(page)
    assert (inside is not None) is written
    if inside is not None:
        assert inside.sum() == 10_000
        assert inside[13:113, 13:113].all()


@pytest.mark.parametrize("turned", range(4))
def test_a_bar_along_one_side_of_a_page_is_a_frame(turned: int) -> None:
    """Nearly from end to end, though no thinner than the paper's edge may be; a pixel further in it is writing."""
    digit = (90, 90, 130, 130)
    for x, framed in ((0, True), (1, False)):
        page = np.rot90(paint((200, 200), digit, (x, 5, x + 10, 195)), turned)
        assert components_of(page).kept.sum() == (1 if framed else 2), x


def test_a_bar_as_thick_as_half_a_digit_is_writing_unless_it_touches_three_sides() -> None:
    """Something broad at one side of the page stays; between two other sides it is a frame."""
    digit = (90, 100, 110, 140)
    for bar, kept in (((0, 5, 19, 195), 1), ((0, 5, 20, 195), 2), ((0, 0, 20, 200), 1)):
        assert components_of(paint((200, 200), digit, bar)).kept.sum() == kept, bar


@pytest.mark.parametrize("turned", range(4))
def test_two_rows_along_an_edge_are_the_papers_and_three_are_not(turned: int) -> None:
    """Beside low writing; and eight pixels long, four times as long as thick, no shorter."""
    digit = (50, 50, 70, 70)
    for wide, high, kept in ((8, 2, 1), (7, 2, 2), (12, 3, 2)):
        page = np.rot90(paint((100, 100), digit, (20, 0, 20 + wide, high)), turned)
        assert components_of(page).kept.sum() == kept, (wide, high)


def test_the_line_of_a_ring_has_a_share_of_its_side() -> None:
    """Thick by 0.15 of its side on average, it is dropped around a digit; with one pixel of ink more it stays."""
    ring = paint((80, 80), (20, 20, 60, 60))
    ring[30:50, 24:56] = False
    assert ring.sum() == 0.15 * 40 * 2 * (40 + 40)
    ring[33:48, 38:42] = True
    assert components_of(ring).kept.tolist() == [False, False, True]
    ring[30, 24] = True
    assert components_of(ring).kept.tolist() == [False, True, True]


@pytest.mark.engine
def test_as_many_pieces_are_looked_at_as_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all lines of a page, from its upper left on; those that are left out are counted and not numbered."""
    monkeypatch.setattr(lattice, "_MOST_ON_A_PAGE", 5)
    boxes = [(x, y, x + 6, y + 30) for y in (20, 90) for x in (20, 50, 80)]
    found = propose_numbers(ink_of(paint((150, 120), *boxes)))
    assert [int(found.pieces[y0 + 15, x0 + 3]) for x0, y0, _x1, _y1 in boxes] == [1, 2, 3, 4, 5, 0]
    assert found.lines.tolist() == [[1, 4], [4, 6]]
    assert [step.values for step in found.steps if step.id == "ink-left-out"] == [{"parts": 1, "all_parts": 6}]


def test_a_line_that_is_too_low_is_dust_beside_one_that_can_be_read() -> None:
    """Five pixels are high enough: then three are dust. Where no line is so high, none is."""
    low = [(x, 60, x + 1, 63) for x in (20, 24, 28)]
    for high, lines in ((5, 1), (4, 2)):
        strokes = paint((80, 80), *[(x, 20, x + 1, 20 + high) for x in (20, 24, 28)], *low)
        assert len(find_text_lines(components_of(strokes), [])) == lines, high
