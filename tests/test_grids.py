"""Grids of a page: their cells are found, flat, aslant and bent; strokes of writing are no lines."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.arrays import Float64, Uint8
from lenet.grids.crops import cut_cell, make_strips
from lenet.grids.flatten import flatten_page
from lenet.grids.layout import find_grids
from lenet.grids.register import list_mappings, map_points, measure_overlap
from lenet.grids.rules import RUN, trace_rules

SIZE = (900, 1100)


def paper(width: int = SIZE[0], height: int = SIZE[1]) -> Uint8:
    """Blank paper."""
    return np.full((height, width), 245, np.uint8)


def rule(page: Uint8, edges: list[int], rows: list[int], thick: int = 2, grey: int = 60) -> None:
    """Rule a grid onto a page."""
    for y in rows:
        cv2.line(page, (edges[0], y), (edges[-1], y), grey, thick)
    for x in edges:
        cv2.line(page, (x, rows[0]), (x, rows[-1]), grey, thick)


def corners_of(edges: list[int], rows: list[int]) -> list[Float64]:
    """The corners of all cells of a grid, in reading order."""
    return [
        np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)
        for y0, y1 in pairwise(rows)
        for x0, x1 in pairwise(edges)
    ]


def test_a_grid_has_its_rows_columns_and_corners() -> None:
    """Every cell of a ruled table is found, in reading order, its corners to two pixels."""
    page, edges, rows = paper(), [100, 300, 420, 640], [90, 150, 210, 270, 330]
    rule(page, edges, rows)
    (grid,) = find_grids(page)
    assert (grid.rows, grid.columns, grid.loose) == (4, 3, False)
    for cell, wanted in zip(grid.cells, corners_of(edges, rows), strict=True):
        assert np.abs(cell.corners - wanted).max() <= 2


@given(
    st.integers(2, 9),
    st.integers(2, 7),
    st.integers(1, 4),
    st.integers(0, 130),
    st.lists(st.integers(-60, 60), min_size=8, max_size=8),
)
def test_every_cell_is_found_from_any_side(rows: int, columns: int, thick: int, grey: int, moved: list[int]) -> None:
    """Grids of any size, thickness and darkness of line are found whole when photographed aslant."""
    page = paper()
    edges, lines = [120 + 80 * x for x in range(columns + 1)], [150 + 60 * y for y in range(rows + 1)]
    rule(page, edges, lines, thick, grey)
    source = np.array([[0, 0], [900, 0], [900, 1100], [0, 1100]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, source + np.array(moved, np.float32).reshape(4, 2))
    seen = cv2.warpPerspective(page, matrix, SIZE, borderValue=(245,), flags=cv2.INTER_LINEAR).astype(np.uint8)
    (grid,) = find_grids(seen)
    assert (grid.rows, grid.columns, len(grid.cells)) == (rows, columns, rows * columns)
    for cell, wanted in zip(grid.cells, corners_of(edges, lines), strict=True):
        assert measure_overlap(cell.corners, cv2.perspectiveTransform(wanted[None], matrix)[0]) > 0.85


def test_lines_are_followed_where_paper_is_bent() -> None:
    """A table on paper that bends by half a row has all its cells, each where it is."""
    page, edges, rows = paper(), [100 + 100 * x for x in range(8)], [200 + 60 * y for y in range(10)]
    rule(page, edges, rows)
    y, x = np.mgrid[: page.shape[0], : page.shape[1]].astype(np.float32)
    seen = cv2.remap(page, x, y - 30 * np.sin(x / 280), cv2.INTER_LINEAR, borderValue=(245,)).astype(np.uint8)
    (grid,) = find_grids(seen)
    assert len(grid.cells) == 63
    for cell, wanted in zip(grid.cells, corners_of(edges, rows), strict=True):
        bent = wanted + np.stack([np.zeros(4), 30 * np.sin(wanted[:, 0] / 280)], axis=1)
        assert measure_overlap(cell.corners, bent) > 0.85


def test_a_cell_may_span_others() -> None:
    """Where a line is missing between cells they are one, which spans rows or columns."""
    page = paper()
    rule(page, [100, 250, 400, 550, 700], [100, 160, 220, 280])
    page[101:160, 245:256] = page[101:160, 395:406] = 245
    (grid,) = find_grids(page)
    spans = {(cell.row, cell.column): cell.columns for cell in grid.cells}
    assert spans[0, 0] == 3
    assert len(grid.cells) == 10


def test_strokes_of_writing_part_no_cell() -> None:
    """Ones from line to line, sevens and underlined fours leave the grid as it is."""
    page = paper()
    rule(page, [100, 250, 400, 550], [100, 160, 220, 280])
    for x, y in ((170, 100), (320, 165), (470, 222)):
        cv2.line(page, (x, y + 2), (x + 3, y + 56), 40, 5)
        cv2.line(page, (x - 30, y + 20), (x + 22, y + 19), 40, 5)
    (grid,) = find_grids(page)
    assert (grid.rows, grid.columns, len(grid.cells)) == (3, 3, 9)


def test_strokes_above_each_other_part_no_cells() -> None:
    """A stroke through two rows, and shorter ones in line with it, are no line of the grid."""
    page = paper()
    rule(page, [100, 250, 400, 550], [100 + 60 * y for y in range(10)])
    cv2.line(page, (325, 160), (325, 280), 40, 3)
    for y in (300, 360, 420, 480, 540, 600):
        cv2.line(page, (325, y), (325, y + 22), 40, 3)
    (grid,) = find_grids(page)
    assert (grid.rows, grid.columns, len(grid.cells)) == (9, 3, 27)


def test_lines_that_end_apart_make_no_side() -> None:
    """Rules of different lengths beyond the last column leave the table as it is."""
    page = paper()
    for y in range(100, 401, 60):
        cv2.line(page, (100, y), (420 + y, y), 60, 2)
    for x in (100, 280, 400):
        cv2.line(page, (x, 100), (x, 400), 60, 2)
    (grid,) = find_grids(page)
    assert (grid.rows, grid.columns) == (5, 2)


def test_boxes_strips_and_combs_are_one_grid_of_loose_cells() -> None:
    """A box alone is a cell; boxes side by side, a digit each, are one with the places of its lines; so is a comb."""
    page = paper()
    rule(page, [100, 240], [100, 160])
    rule(page, [100, 150, 200, 250, 300, 350], [300, 360])
    cv2.line(page, (100, 520), (380, 520), 60, 2)
    for x in range(100, 381, 56):
        cv2.line(page, (x, 500), (x, 520), 60, 2)
    (grid,) = find_grids(page)
    assert grid.loose
    assert [len(cell.boxes) for cell in grid.cells] == [0, 6, 6]
    assert [(cell.row, cell.column) for cell in grid.cells] == [(0, 0), (1, 0), (2, 0)]
    assert np.allclose(grid.cells[1].boxes, np.linspace(0, 1, 6), atol=0.02)


def test_a_table_without_outer_lines_ends_where_its_lines_do() -> None:
    """Inner lines that end together have cells on both of their sides."""
    page = paper()
    for y in range(100, 401, 60):
        cv2.line(page, (100, y), (640, y), 60, 2)
    for x in (280, 400, 520):
        cv2.line(page, (x, 100), (x, 400), 60, 2)
    (grid,) = find_grids(page)
    assert (grid.rows, grid.columns, len(grid.cells)) == (5, 4, 20)
    assert abs(grid.cells[0].corners[0, 0] - 100) <= 3
    assert abs(grid.cells[3].corners[1, 0] - 640) <= 3


def test_what_somebody_drew_in_a_cell_is_no_cell() -> None:
    """A square as high as half of its cell is a mark; the paper's own edge is no table."""
    page = np.full((1100, 900), 70, np.uint8)
    page[40:1060, 40:860] = 245
    rule(page, [100, 300, 500, 700], [200, 300, 400, 500])
    cv2.rectangle(page, (370, 315), (440, 385), 40, 2)
    (grid,) = find_grids(page)
    assert len(grid.cells) == 9


def test_tables_stand_in_reading_order_and_far_lines_make_none() -> None:
    """Two tables come from above to below; ruled paper and plain paper have none."""
    page = paper()
    rule(page, [100, 250, 400], [700, 760, 820])
    rule(page, [300, 450, 600, 750], [100, 160, 220])
    assert [grid.columns for grid in find_grids(page)] == [3, 2]
    lined = paper()
    for y in range(80, 1050, 40):
        cv2.line(lined, (0, y), (900, y), 120, 2)
    assert find_grids(lined) == []
    assert find_grids(paper()) == []
    assert find_grids(np.zeros((3, 3), np.uint8)) == []
    assert find_grids(np.zeros((20, 30_000), np.uint8)) == []


def test_squared_paper_is_no_table() -> None:
    """What has as many squares as squared paper is left out: they are no cells."""
    page = paper()
    page[::12] = page[:, ::12] = 120
    assert sum(len(grid.cells) for grid in find_grids(page)) <= 1


def test_a_dark_header_bounds_the_row_below_it() -> None:
    """The edge of a dark band is a line, above and below."""
    page = paper()
    rule(page, [100, 250, 400, 550], [160, 220, 280])
    page[100:160, 100:551] = 90
    (grid,) = find_grids(page)
    assert {(cell.row, cell.column) for cell in grid.cells} >= {
        (row, column) for row in (grid.rows - 1, grid.rows - 2) for column in range(3)
    }


def test_a_photograph_is_flat_again() -> None:
    """What was square on paper is square on the flat page, whose pixels are found again on the page."""
    page = paper()
    rule(page, [100, 300, 500, 700], [200, 400, 600, 800])
    source = np.array([[0, 0], [900, 0], [900, 1100], [0, 1100]], np.float32)
    target = np.array([[90, 40], [860, 120], [820, 1060], [30, 980]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    flat = flatten_page(cv2.warpPerspective(page, matrix, SIZE, borderValue=(245,)).astype(np.uint8))
    across, down = trace_rules(flat.grey)
    for rules in (across, down):
        long = [each for each in rules if len(each.places) > 300]
        assert len(long) == 4
        assert max(float(np.ptp(each.places)) for each in long) < 6
    points = np.array([[10.0, 20.0], [300.0, 400.0]])
    there = cv2.perspectiveTransform(flat.find_on_page(points)[None], flat.matrix)[0]
    assert np.allclose(there, points, atol=1e-6)


def test_short_strokes_are_no_rules() -> None:
    """What is shorter than a cell's side is not followed."""
    page = paper()
    cv2.line(page, (100, 100), (100 + RUN - 4, 100), 40, 2)
    assert trace_rules(page) == ([], [])


def test_a_cut_cell_has_no_lines_and_is_upright() -> None:
    """The inside of a cell that leans is seen from straight above, without the lines around it."""
    page = paper()
    corners = np.array([[200, 300], [420, 330], [410, 420], [190, 390]], float)
    cv2.polylines(page, [corners.astype(np.int32)], True, 30, 4)
    middle = corners.mean(axis=0)
    cv2.circle(page, (round(middle[0]), round(middle[1])), 12, 20, -1)
    cut = cut_cell(page, corners, 4.0, 0.05)
    dark = np.argwhere(cut < 120)
    assert np.abs(dark.mean(axis=0) - (np.array(cut.shape) - 1) / 2).max() < 2
    assert min(cut[0].min(), cut[-1].min(), cut[:, 0].min(), cut[:, -1].min()) > 200
    assert cut_cell(np.repeat(page[..., None], 3, 2), corners, 4.0, 0.05).shape == (*cut.shape, 3)


def test_faint_marks_stay_faint_beside_ink() -> None:
    """Noise of an empty cell is not stretched to ink where other cells of the page have ink."""
    rng = np.random.default_rng(0)
    empty = np.clip(235 + rng.normal(0, 4, (40, 90)), 0, 255).astype(np.uint8)
    written = empty.copy()
    written[8:32, 40:46] = 30
    alone, beside = make_strips([empty])[0], make_strips([empty, *[written] * 9])[0]
    assert np.ptp(beside.astype(int)) < np.ptp(alone.astype(int)) / 2
    assert beside.shape == (32, 72)
    assert make_strips([]) == []


def test_a_form_is_found_on_a_page_of_it() -> None:
    """An empty form is brought onto a photograph of it, by its grid alone where nothing is printed."""
    form, edges, rows = paper(), [100, 260, 420, 580], [200, 280, 360]
    rule(form, edges, rows)
    source = np.array([[0, 0], [900, 0], [900, 1100], [0, 1100]], np.float32)
    target = np.array([[60, 30], [850, 90], [830, 1050], [20, 1000]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    page = cv2.warpPerspective(form, matrix, SIZE, borderValue=(245,)).astype(np.uint8)
    mappings = list_mappings(form, page, find_grids(form), find_grids(page))
    wanted = cv2.perspectiveTransform(corners_of(edges, rows)[4][None], matrix)[0]
    best = max(measure_overlap(map_points(each, corners_of(edges, rows)[4]), wanted) for each in mappings)
    assert best > 0.9


@pytest.mark.parametrize("moved", [0.0, 0.25, 1.0])
def test_overlap_is_what_two_cells_share(moved: float) -> None:
    """Two squares side by side have in common what geometry says."""
    one = np.array([[0, 0], [100, 0], [100, 100], [0, 100]], float)
    common = 1 - moved
    assert measure_overlap(one, one + np.array([100 * moved, 0])) == pytest.approx(common / (2 - common), abs=1e-6)
