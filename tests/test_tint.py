"""Ink that is as light as its paper is read by its colour, and no other page is touched."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import lenet
from lenet.arrays import Uint8
from lenet.preprocessing.colour import use_colour_contrast
from lenet.preprocessing.decode import open_page

from conftest import ROOT

EXAMPLES = ROOT / "examples"
NOTE = "ink told from paper by its colour"
# Paper and pen of one luminance.
PAIRS = [((120, 160, 120), (190, 128, 120)), ((200, 90, 120), (60, 160, 130)), ((150, 150, 240), (190, 150, 135))]


def written(paper: tuple[int, int, int], pen: tuple[int, int, int], noise: float = 0.0) -> Uint8:
    """An example in other colours."""
    page = np.asarray(Image.open(EXAMPLES / "touching.jpg").convert("L")).astype(float)
    ink = np.clip((np.median(page) - page) / (np.median(page) - page.min()), 0, 1)[..., None]
    colours = np.array(paper) * (1 - ink) + np.array(pen) * ink
    return np.clip(colours + np.random.default_rng(0).normal(0, noise, colours.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colours", PAIRS)
@pytest.mark.parametrize("noise", [0.0, 4.0])
@pytest.mark.engine
def test_ink_of_another_colour_is_read(colours: tuple[tuple[int, int, int], ...], noise: float) -> None:
    """Either way round, with noise and without; its grey alone shows nothing."""
    for paper, pen in (colours, colours[::-1]):
        page = written(paper, pen, noise)
        found = lenet.read(page)
        assert (found.text, found.abstained) == ("8053", False)
        assert NOTE in found.notes
        assert lenet.read(np.asarray(Image.fromarray(page).convert("L"))).text != "8053"


@pytest.mark.engine
def test_a_jpegs_coarse_colours_are_enough() -> None:
    """A JPEG keeps colours at half the size."""
    out = io.BytesIO()
    Image.fromarray(written(*PAIRS[0], 2.0)).save(out, "JPEG", quality=80)
    assert lenet.read(out.getvalue()).text == "8053"


WHITE, YELLOW, DARK = (245, 243, 238), (255, 225, 150), (20, 20, 90)
SEEN = [(WHITE, pen) for pen in ((40, 60, 190), (200, 40, 40), (20, 120, 60), (30, 30, 30))]
SEEN += [(YELLOW, pen) for pen in ((40, 60, 190), (200, 40, 40), (30, 30, 30))]
SEEN += [(DARK, pen) for pen in ((240, 240, 230), (255, 225, 150))]


@pytest.mark.parametrize(("paper", "pen"), SEEN)
def test_ink_that_is_darker_or_lighter_is_left_to_its_grey(
    paper: tuple[int, int, int], pen: tuple[int, int, int]
) -> None:
    """Blue, red, green and black pens on white and yellow paper, and white and yellow ones on dark blue."""
    page = open_page(written(paper, pen))
    assert use_colour_contrast(page) is page


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.suffix not in ("", ".py")))
def test_examples_are_left_to_their_grey(name: str) -> None:
    """Blue pens on black forms, red forms, shadows and boards."""
    page = open_page(EXAMPLES / name)
    assert use_colour_contrast(page) is page


@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(1, 80), st.floats(0, 60))
@settings(max_examples=60, deadline=None)
def test_any_page_stays_a_page(seed: int, height: int, width: int, spread: float) -> None:
    """Of the same size, whatever its colours are."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, 3) + rng.normal(0, spread, (height, width, 3))
    page = use_colour_contrast(open_page(np.clip(colours, 0, 255).astype(np.uint8)))
    assert (page.grey.shape, page.grey.dtype) == ((height, width), np.uint8)
