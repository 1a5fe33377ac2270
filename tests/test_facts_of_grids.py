"""Facts of ruled lines, combs, strips and pages at their bounds, with rules made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.grids.cells import Grid, GridCell
from lenet.grids.combs import find_combs
from lenet.grids.flatten import FlatPage
from lenet.grids.grid_lines import find_grid_lines
from lenet.grids.layout import _is_negative, _join_strip, _place_grid
from lenet.grids.register import _shrink
from lenet.grids.rules import RuledLine, _join_rules


def make_rule(first: int, last: int, place: float, *, lean: float = 0.0, thick: float = 2.0) -> RuledLine:
    """A rule that ends at `place` across, and was `lean` pixels more for each pixel before."""
    length = last - first + 1
    return RuledLine(first, place + lean * np.arange(length)[::-1], np.ones(length), thick)


def make_cell(left: float, right: float) -> GridCell:
    """A cell of one row, 40 high."""
    return GridCell(0, 0, 1, 1, np.array([[left, 0], [right, 0], [right, 40], [left, 40]], float), 1.0)


@pytest.mark.parametrize(("away", "found"), [(10, 1), (11, 0), (-10, 1), (-11, 0)])
def test_a_tooth_ends_within_seven_pixels_of_its_line_and_the_thickness_of_that(away: int, found: int) -> None:
    """With a line three pixels thick it may end ten above or below, not eleven."""
    line = make_rule(0, 100, 100.0, thick=3.0)
    teeth = [make_rule(60, 100 + away, x) for x in (10.0, 30.0, 50.0, 70.0)]
    assert len(find_combs([line], teeth, [])) == found


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize(("feet", "standing"), [((0, 16, 36, 56, 76), 4), ((0, 16, 35.8, 54, 72), 5)])
def test_teeth_are_measured_at_their_feet(lean: float, feet: tuple[float, ...], standing: int) -> None:
    """A quarter more than the distance before parts a comb, a little less does not; however much its teeth lean."""
    teeth = [make_rule(80, 100, foot, lean=lean) for foot in feet]
    (comb,) = find_combs([make_rule(0, 100, 100.0)], teeth, [])
    (cell,) = comb.cells
    assert cell.corners[3:1:-1].tolist() == [[feet[-standing], 100], [feet[-1], 100]]
    assert len(cell.boxes) == standing


@pytest.mark.parametrize(("length", "lines"), [(60, 3), (61, 2)])
def test_a_rule_along_more_than_six_tenths_of_a_grid_says_how_far_lines_are_apart(length: int, lines: int) -> None:
    """Forty pixels apart, what is ten beside a line's end is of that line; not if the second rule says nothing."""
    rules = [make_rule(0, 99, 0.0), make_rule(0, length - 1, 40.0), make_rule(70, 99, 50.0)]
    assert len(find_grid_lines(rules)) == lines


def test_a_line_that_is_ruled_twice_does_not_say_how_far_lines_are_apart() -> None:
    """Two rules five pixels apart are one line; the next is 35 behind, and what is ten beside its end is of it."""
    rules = [make_rule(0, 99, 0.0), make_rule(0, 99, 5.0), make_rule(0, 69, 40.0), make_rule(72, 99, 50.0)]
    found = find_grid_lines(rules)
    assert len(found) == 2
    assert (found[1].at(0), found[1].at(99), found[1].length) == (40.0, 50.0, 98)


def test_a_rule_is_joined_only_if_it_goes_on_behind_and_near_enough() -> None:
    """One that lies within another stays by itself, as do two short ones with a gap longer than they warrant."""
    long, within, behind = make_rule(0, 99, 0.0), make_rule(85, 99, 0.0), make_rule(105, 149, 0.0)
    assert [(rule.first, rule.last) for rule in _join_rules([long, within])] == [(0, 99), (85, 99)]
    assert [(rule.first, rule.last) for rule in _join_rules([long, behind])] == [(0, 149)]
    for gap, count in ((12, 1), (13, 2)):  # 0.3 of forty pixels
        assert len(_join_rules([make_rule(0, 19, 0.0), make_rule(19 + gap, 38 + gap, 0.0)])) == count


@pytest.mark.parametrize(("light", "negative"), [(19, True), (20, False)])
def test_a_page_is_dark_if_less_than_a_fifth_of_it_is_light(light: int, negative: bool) -> None:
    """Of a hundred pixels nineteen are too few, twenty are a page on a dark table."""
    page = np.zeros(100, np.uint8)
    page[:light] = 255
    assert _is_negative(page.reshape(10, 10)) is negative


@pytest.mark.parametrize(("width", "joined"), [(49, True), (50, False)])
def test_boxes_of_a_strip_differ_by_less_than_a_quarter(width: int, joined: bool) -> None:
    """Beside three of forty pixels one of fifty makes a table of them."""
    cells = (make_cell(0, 40), make_cell(40, 80), make_cell(80, 120), make_cell(120, 120 + width))
    strip = _join_strip(Grid(1, 4, cells, 2.0))
    assert (strip is not None) is joined
    if strip:
        assert strip.corners[:, 0].tolist() == [0, 169, 169, 0]


def test_a_grid_of_a_shrunk_page_is_as_large_and_thick_on_the_page_itself() -> None:
    """On a page seen at half its size lines are twice as thick as they look, and cells twice as wide."""
    flat = FlatPage(np.full((100, 100), 255, np.uint8), np.diag([0.5, 0.5, 1.0]), 0.5)
    placed = _place_grid(Grid(1, 1, (make_cell(10, 50),), 3.0), flat)
    assert placed.thick == 6.0
    assert placed.cells[0].corners.tolist() == [[20, 0], [100, 0], [100, 80], [20, 80]]


def test_a_page_that_is_small_enough_is_looked_at_as_it_is() -> None:
    """It is not even copied; one that is larger has 1,400 pixels along its longer side."""
    page = np.zeros((1400, 3), np.uint8)
    same, scale = _shrink(page)
    assert same is page
    assert scale == 1
    small, scale = _shrink(np.zeros((2800, 6), np.uint8))
    assert small.shape == (1400, 3)
    assert scale == 0.5
