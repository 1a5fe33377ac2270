"""What of reading a picture runs in C++ does as its readable twin does, on drawn pictures and on the examples."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.arrays import Uint8
from lenet.drawing.pictures import draw_text
from lenet.preprocessing.binarize import Ink, find_ink, reference_find_ink
from lenet.preprocessing.decode import Page
from lenet.preprocessing.form_boxes import LevelLine, follow_columns, reference_follow_columns
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.preprocessing.ruled_lines import find_rules, reference_find_rules
from lenet.segmentation import glyphs
from lenet.segmentation.components import find_components
from lenet.segmentation.lattice import cut_line, propose_numbers, reference_cut_line, take_one_digit
from lenet.segmentation.text_lines import estimate_slant, find_text_lines, reference_estimate_slant

from conftest import ROOT

pytestmark = pytest.mark.engine
EXAMPLES = sorted(
    path for path in (ROOT / "examples").iterdir() if path.suffix in {".png", ".jpg", ".tif", ".webp", ".bmp"}
)
EVERY_EXAMPLE = pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])


@cache
def ink_of(path: Path) -> Ink:
    """The ink of an example's writing."""
    return find_writing(prepare_page(path)).ink


def draw_page(seed: int) -> Page:
    """A number drawn in a font at some size, with enough noise that no two places are equally good."""
    rng = np.random.default_rng(seed)
    size, field = (int(side) for side in rng.integers((8, 20), (90, 260)))
    page: Uint8 = 255 - draw_text(str(rng.integers(1, 10 ** int(rng.integers(1, 7)))), size, field)
    light = rng.uniform(0.4, 1) + rng.uniform(-0.3, 0.3) * np.linspace(0, 1, field)
    noisy = page * light + rng.normal(0, rng.uniform(2, 6), page.shape)
    return prepare_page(np.clip(noisy, 0, 255).astype(np.uint8))


def is_apart(one: Uint8, other: Uint8) -> bool:
    """Whether two glyphs differ by more than two levels on average, wherever one of them is moved by a pixel."""
    ways = [np.roll(one, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    return min(float(np.abs(each.astype(int) - other).mean()) for each in ways) > 2


def count_apart(ink: Ink, broader: float) -> tuple[int, int, int]:
    """How many glyphs of all that may be a digit differ by more than two levels somewhere, how many are apart, of all.

    A centre between two pixels, or a trace of ink that is just enough, moves a glyph and its twin's by a little.
    """
    other = apart = every = 0
    for propose in (propose_numbers, take_one_digit):
        lattice = propose(ink)
        rows, pixels = np.arange(len(lattice.arcs)), np.full(len(lattice.arcs), broader)
        ours = glyphs.place_glyphs(ink, lattice, rows, pixels)
        twins = glyphs.reference_place_glyphs(ink, lattice, rows, pixels)
        other += int((np.abs(ours.astype(int) - twins).max(axis=(1, 2), initial=0) > 2).sum())
        apart += sum(map(is_apart, ours, twins))
        every += len(ours)
    return other, apart, every


@EVERY_EXAMPLE
@pytest.mark.parametrize("broader", [0.0, 1.5, -1.5])
def test_glyphs_of_the_examples_are_their_twins(path: Path, broader: float) -> None:
    """Within two of 255 levels, strokes made broader, narrower or left: OpenCV and we round apart."""
    other, apart, every = count_apart(ink_of(path), broader)
    assert other <= 0.005 * every
    assert not apart


@given(st.integers(0, 2**32 - 1), st.floats(-6, 6))
@settings(max_examples=30, deadline=None)
def test_glyphs_of_drawn_numbers_are_their_twins(seed: int, broader: float) -> None:
    """Strokes made broader or narrower by any number of pixels."""
    _other, apart, _every = count_apart(find_writing(draw_page(seed)).ink, broader)
    assert not apart


def test_a_digit_two_pixels_wide_stands_in_the_middle() -> None:
    """It was placed three rows too low: OpenCV's moments take an array (n, 2) for points."""
    glyph = glyphs.place_glyph(np.ones((20, 2), np.float32))
    rows, columns = np.nonzero(glyph)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 23, 14, 15)


def check_lines(ink: Ink) -> None:
    """Every line is cut as its twin cuts it: the same pieces, runs and boxes, and shapes to a thousandth."""
    components = find_components(ink, [])
    for line in find_text_lines(components, []):
        slants = [estimate(components, line.labels) for estimate in (estimate_slant, reference_estimate_slant)]
        assert slants[0] == slants[1]
        for most in (4_000, 3):
            maps = np.zeros((2, *components.labels.shape), np.int32)
            ours = cut_line(line, ink, components, maps[0], 5, most)
            twins = reference_cut_line(line, ink, components, maps[1], 5, most)
            assert ours.pieces == twins.pieces
            np.testing.assert_array_equal(maps[0], maps[1])
            np.testing.assert_array_equal(ours.arcs, twins.arcs)
            np.testing.assert_array_equal(ours.boxes, twins.boxes)
            np.testing.assert_allclose(ours.shapes, twins.shapes, atol=1e-3)


@EVERY_EXAMPLE
def test_lines_of_the_examples_are_cut_as_their_twins(path: Path) -> None:
    """All pieces of ink, with a bound on how many there may be and without."""
    check_lines(ink_of(path))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_lines_of_drawn_numbers_are_cut_as_their_twins(seed: int) -> None:
    """All pieces of ink of a number drawn in a font."""
    check_lines(find_writing(draw_page(seed)).ink)


def check_ink(page: Page) -> None:
    """The ink of a page is its twin's, the pen as likely and as unlikely: levels to one, strokes to a few pixels."""
    for inverted in (False, True):
        ours, twins = find_ink(page, inverted=inverted), reference_find_ink(page, inverted=inverted)
        assert int((ours.strokes != twins.strokes).sum()) <= 0.002 * twins.strokes.sum()
        assert (np.abs(ours.levels.astype(int) - twins.levels) > 1).sum() <= 0.002 * twins.strokes.sum()
        assert (ours.steps, ours.ambiguous_polarity) == (twins.steps, twins.ambiguous_polarity)
        assert (ours.noise, ours.edge) == pytest.approx((twins.noise, twins.edge), rel=1e-3)


@EVERY_EXAMPLE
def test_ink_of_the_examples_is_their_twins(path: Path) -> None:
    """Drawings, scans and photographs, taken for dark ink and for light."""
    check_ink(prepare_page(path))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_ink_of_drawn_numbers_is_their_twins(seed: int) -> None:
    """Under light that changes from one side to the other."""
    check_ink(draw_page(seed))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (3, 5), (70, 2), (200, 300)])
def test_ink_of_a_page_of_any_shape_is_its_twins(shape: tuple[int, int], rng: np.random.Generator) -> None:
    """Noise, and one grey; nothing is read beyond the page."""
    for page in (rng.integers(0, 256, shape).astype(np.uint8), np.full(shape, 200, np.uint8)):
        check_ink(Page(page, (shape[1], shape[0]), 1.0, ()))


def check_rules(strokes: np.ndarray) -> None:
    """The lines of a page, across and down, are its twin's to the pixel."""
    for page, slimmest in ((strokes, 14), (strokes.T, 7)):
        ours, twins = find_rules(page, slimmest), reference_find_rules(page, slimmest)
        found = [sorted((rule.top, rule.first, rule.ink.tobytes()) for rule in each) for each in (ours, twins)]
        assert found[0] == found[1]


@EVERY_EXAMPLE
def test_rules_of_the_examples_are_their_twins(path: Path) -> None:
    """Lined paper, forms and boxes among them."""
    check_rules(find_ink(prepare_page(path)).strokes)


@st.composite
def ruled_pages(draw: st.DrawFn) -> np.ndarray:
    """Strokes with lines that lean, break off and are as thick as a pen, and some writing over them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.integers(8, 120)), draw(st.integers(24, 200))
    strokes = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.02, 0.2]))
    columns = np.arange(width)
    for _line in range(draw(st.integers(0, 5))):
        begin, slope, thick = rng.integers(0, height), rng.uniform(-0.12, 0.12), rng.integers(1, 6)
        for row in range(thick):
            rows = np.rint(begin + row + slope * columns).astype(int)
            seen = (rows >= 0) & (rows < height) & (rng.random(width) < rng.choice([1.0, 0.95, 0.8]))
            strokes[rows[seen], columns[seen]] = True
    return strokes


@given(ruled_pages())
@settings(max_examples=60, deadline=None)
def test_rules_of_drawn_pages_are_their_twins(strokes: np.ndarray) -> None:
    """Whatever the lines are like."""
    check_rules(strokes)


@given(ruled_pages(), st.floats(-0.3, 0.3), st.floats(-5, 130), st.floats(0, 9), st.sampled_from([-1, 1]))
@settings(max_examples=60, deadline=None)
def test_ink_is_followed_from_a_line_as_its_twin_follows_it(
    strokes: np.ndarray, slope: float, height: float, thickness: float, way: int
) -> None:
    """Above and below, beyond the page too."""
    line, columns = LevelLine(slope, height, thickness, 0, 50), np.arange(-3, 54)
    for steps in (1, 2, 40):
        ours = follow_columns(strokes, line, way, columns, steps)
        np.testing.assert_array_equal(ours, reference_follow_columns(strokes, line, way, columns, steps))


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_short_run_at_the_edge_of_the_page_is_part_of_a_line(mirrored: bool) -> None:
    """Ink may go on beyond the page: eight pixels that touch its edge are no speck."""
    strokes = np.zeros((20, 100), bool)
    strokes[10, :89] = strokes[10, 92:] = True
    page = np.ascontiguousarray(strokes[:, ::-1]) if mirrored else strokes
    (rule,) = find_rules(page, 14)
    assert (rule.first, rule.length) == (0, 100)
    check_rules(page)
