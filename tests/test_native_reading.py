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
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.segmentation import glyphs
from lenet.segmentation.components import find_components
from lenet.segmentation.lattice import cut_line, propose_numbers, reference_cut_line, take_one_digit
from lenet.segmentation.text_lines import find_text_lines

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


def drawn_ink(seed: int) -> Ink:
    """The ink of a number drawn in a font at some size, with soft edges and noise."""
    rng = np.random.default_rng(seed)
    size, field = (int(side) for side in rng.integers((8, 20), (90, 260)))
    page: Uint8 = 255 - draw_text(str(rng.integers(1, 10 ** int(rng.integers(1, 7)))), size, field)
    noisy = page * rng.uniform(0.4, 1) + rng.normal(0, rng.uniform(0, 6), page.shape)
    return find_writing(prepare_page(np.clip(noisy, 0, 255).astype(np.uint8))).ink


def count_apart(ink: Ink, broader: float) -> tuple[int, int]:
    """How many glyphs of all that may be a digit differ by more than two levels from the twin's, and how many are."""
    apart = every = 0
    for propose in (propose_numbers, take_one_digit):
        lattice = propose(ink)
        pixels = np.full(len(lattice.arcs), broader)
        ours = glyphs.place_glyphs(ink, lattice, np.arange(len(pixels)), pixels).astype(int)
        twins = glyphs.reference_place_glyphs(ink, lattice, np.arange(len(pixels)), pixels)
        apart += int((np.abs(ours - twins).max(axis=(1, 2), initial=0) > 2).sum())
        every += len(ours)
    return apart, every


@EVERY_EXAMPLE
@pytest.mark.parametrize("broader", [0.0, 1.5, -1.5])
def test_glyphs_of_the_examples_are_their_twins(path: Path, broader: float) -> None:
    """Within two of 255 levels, strokes made broader, narrower or left: OpenCV and we round apart."""
    apart, every = count_apart(ink_of(path), broader)
    assert apart <= 0.005 * every


@given(st.integers(0, 2**32 - 1), st.floats(-6, 6))
@settings(max_examples=30, deadline=None)
def test_glyphs_of_drawn_numbers_are_their_twins(seed: int, broader: float) -> None:
    """One glyph in a drawn number may stand a pixel beside its twin, where its centre is between two pixels."""
    apart, every = count_apart(drawn_ink(seed), broader)
    assert apart <= max(1, 0.02 * every)


def test_a_digit_two_pixels_wide_stands_in_the_middle() -> None:
    """It was placed three rows too low: OpenCV's moments take an array (n, 2) for points."""
    glyph = glyphs.place_glyph(np.ones((20, 2), np.float32))
    rows, columns = np.nonzero(glyph)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 23, 14, 15)


def check_lines(ink: Ink) -> None:
    """Every line is cut as its twin cuts it: the same pieces, runs and boxes, and shapes to a thousandth."""
    components = find_components(ink, [])
    for line in find_text_lines(components, []):
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
    check_lines(drawn_ink(seed))
