"""Paper, pen, pieces and glyphs: polarity and light are found, MNIST is left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lenet.data.dataset import Dataset
from lenet.preprocessing.binarize import find_ink
from lenet.preprocessing.decode import Page
from lenet.segmentation.candidates import find_digit
from lenet.segmentation.glyphs import measure_stroke_width, place_glyph
from lenet.segmentation.lattice import take_one_digit

from conftest import notes_of


def page(grey: np.ndarray) -> Page:
    """Wrap grey values as a page."""
    return Page(np.clip(np.rint(grey), 0, 255).astype(np.uint8), (grey.shape[1], grey.shape[0]), 1.0, ())


def ring(size: int = 120, thick: int = 8) -> np.ndarray:
    """A ring in the middle of a field: 1 for ink, 0 for paper, (size, size)."""
    canvas = np.zeros((size, size), np.uint8)
    cv2.circle(canvas, (size // 2, size // 2), size // 4, 255, thick, cv2.LINE_AA)
    return canvas / 255.0


@given(
    paper=st.integers(0, 255),
    contrast=st.integers(60, 255),
    dark=st.booleans(),
    sigma=st.floats(0, 8),
    slope=st.floats(0, 60),
    angle=st.floats(0, 6.3),
)
def test_ink_is_found_at_any_polarity_contrast_noise_and_gradient(
    paper: int, contrast: int, dark: bool, sigma: float, slope: float, angle: float
) -> None:
    """Contrast of 60 or more, noise to 8, a gradient to 60: the ring is found where it is, and nothing else."""
    shape = ring()
    y, x = np.mgrid[:120, :120] / 119
    along = x * np.cos(angle) + y * np.sin(angle)
    light = slope * (along - along.min()) / (along.max() - along.min())
    low = 0 if not dark else contrast
    high = 255 - 60 - (0 if dark else contrast)
    base = float(np.clip(paper, low, max(low, high)))
    contrast = min(contrast, int(base) if dark else int(255 - 60 - base))
    if contrast < 60:
        return
    grey = base + light + shape * (-contrast if dark else contrast)
    found = find_ink(page(grey + np.random.default_rng(0).normal(0, sigma, grey.shape)))
    sure = shape > 0.9
    assert found.strokes[sure].mean() > 0.97
    far = cv2.dilate((shape > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    assert found.strokes[far].mean() < 1e-3
    assert ("light ink on dark paper" in notes_of(found)) == (not dark)


@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize("sigma", [0, 3, 8])
def test_an_empty_page_has_no_ink(grey: int, sigma: float, rng: np.random.Generator) -> None:
    """Noise alone is not ink, at any size of page."""
    for shape in ((40, 40), (300, 500)):
        found = find_digit(page(grey + rng.normal(0, sigma, shape)).grey)
        assert len(found.glyphs) == 0


@pytest.mark.parametrize("sigma", [0, 0.8, 1.5, 4])
def test_dust_is_not_a_digit(sigma: float, rng: np.random.Generator) -> None:
    """A few dark pixels on an empty page, noisy or not: blank."""
    for _page in range(10):
        grey = np.clip(np.rint(225 + rng.normal(0, sigma, (200, 300))), 0, 255).astype(np.uint8)
        for y, x in rng.integers(5, 195, (3, 2)):
            grey[y, x] = 0
        assert len(find_digit(grey).glyphs) == 0


def test_a_shadow_is_not_ink() -> None:
    """Half the page in shadow of 60 grey levels with a soft edge: only the ring is ink."""
    shape = ring(240)
    x = np.arange(240)
    grey = 220 - 60 / (1 + np.exp(-(x - 150) / 8))[None, :] - 120 * shape
    found = find_ink(page(grey))
    lattice = take_one_digit(found)
    assert lattice.boxes[0] == pytest.approx([56, 56, 185, 185], abs=3)


def test_specks_and_frames_are_dropped_with_a_note() -> None:
    """A dark edge along the page and dust do not become part of the digit."""
    grey = 230 - 200 * ring(200)
    grey[:4] = 20
    grey[20, 30] = grey[180:182, 20] = 10
    lattice = take_one_digit(find_ink(page(grey)))
    assert lattice.boxes[0] == pytest.approx([46, 46, 155, 155], abs=3)
    assert notes_of(lattice) == ("1 frame or paper edge dropped", "2 specks dropped")


def test_a_detached_bar_stays() -> None:
    """The bar of a 5, apart from its body, is part of the digit."""
    grey = np.full((100, 80), 240.0)
    grey[40:80, 30:36] = 20
    grey[28:33, 36:60] = 20
    assert take_one_digit(find_ink(page(grey))).boxes[0].tolist() == [30, 28, 60, 80]


def test_place_leaves_mnist_alone(mnist: Dataset) -> None:
    """Cut to its ink and placed again, every one of 2,000 training digits comes back bit for bit."""
    for glyph in mnist.train.glyphs[:2000]:
        rows, columns = np.flatnonzero(glyph.any(axis=1)), np.flatnonzero(glyph.any(axis=0))
        cut = glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert (place_glyph((cut / 255).astype(np.float32)) == glyph).all()


def test_the_glyph_step_leaves_mnist_alone(mnist: Dataset) -> None:
    """With scaling and stroke width, at most 4 in 10,000 change: those whose box is not 20 pixels."""
    from lenet.preprocessing.binarize import Ink
    from lenet.segmentation.glyphs import make_glyphs
    from lenet.segmentation.lattice import SHAPES, Lattice

    changed = 0
    for glyph in mnist.train.glyphs[:10_000]:
        strokes = glyph > 0
        rows, columns = np.flatnonzero(strokes.any(axis=1)), np.flatnonzero(strokes.any(axis=0))
        box = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], np.int32)
        one = np.array([[1, 2]], np.int32)
        lattice = Lattice(strokes.astype(np.int32), one, one, box, np.zeros((1, len(SHAPES)), np.float32), ())
        made, _notes = make_glyphs(Ink(glyph, strokes, 0.0, ()), lattice)
        changed += bool((made[0] != glyph).any())
    assert changed <= 4


@pytest.mark.parametrize("thick", [3, 8, 15])
def test_stroke_width_is_the_pens(thick: int) -> None:
    """For a ring, its area over its length."""
    ink = ring(200, thick)
    assert measure_stroke_width(ink.astype(np.float32)) == pytest.approx(ink.sum() / (2 * np.pi * 50), rel=0.1)


@pytest.mark.parametrize("thick", [1, 4, 12, 40])
def test_strokes_come_near_mnists_width(thick: int) -> None:
    """A hair or a marker: in the glyph strokes are 1.4 to 5 pixels wide and fully dark somewhere."""
    canvas = np.full((400, 400), 255, np.uint8)
    cv2.circle(canvas, (200, 200), 120, 0, thick, cv2.LINE_AA)
    glyph = find_digit(canvas).glyphs[0]
    assert 1.4 <= measure_stroke_width((glyph / 255).astype(np.float32)) <= 5
    assert glyph.max() >= 190
    inside = glyph[14, 14]
    assert inside < 60  # the hole of a 0 stays open


@given(
    height=st.integers(20, 200),
    width=st.integers(8, 200),
    x=st.integers(0, 90),
    y=st.integers(0, 90),
    dark=st.booleans(),
)
def test_a_glyph_does_not_depend_on_place_or_polarity(height: int, width: int, x: int, y: int, dark: bool) -> None:
    """The same ink anywhere on the page, on either paper, gives the same glyph, 20 pixels at its longer side.

    Ink much wider than high is no digit: along the edge of a page it may be taken for a ruled line.
    """
    assume(width <= 2 * height)
    shape = np.zeros((300, 300), np.uint8)
    cv2.ellipse(shape, (x + width // 2 + 2, y + height // 2 + 2), (width // 2, height // 2), 0, 0, 300, 255, 3)
    reference = np.zeros((340, 360), np.uint8)
    reference[30:330, 40:340] = shape
    first, second = find_digit(255 - shape if dark else shape), find_digit(reference)
    assert (first.glyphs == second.glyphs).all()
    glyph = first.glyphs[0]
    rows, columns = np.flatnonzero(glyph.any(axis=1)), np.flatnonzero(glyph.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20


def test_boxes_are_in_the_pictures_own_pixels() -> None:
    """A page that was reduced reports where the digit is in the picture as given."""
    picture = np.full((3000, 3000), 255, np.uint8)
    picture[1000:2000, 1400:1500] = 0
    assert find_digit(picture).box(0) == pytest.approx((1400, 1000, 1500, 2000), abs=3)
