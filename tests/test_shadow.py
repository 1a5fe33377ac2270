"""A shadow with a hard edge, or a table beside the paper, is taken out; no other page is touched."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import lenet
from lenet.arrays import Uint8
from lenet.preprocessing.decode import open_page
from lenet.preprocessing.illumination import remove_shadow

from conftest import ROOT, notes_of

EXAMPLES = ROOT / "examples"


def paper(name: str = "touching.jpg", rim: int = 60) -> Uint8:
    """An example with more paper around it."""
    page = np.asarray(Image.open(EXAMPLES / name).convert("L"))
    return np.pad(page, rim, constant_values=int(np.median(page)))


def shaded(page: Uint8, depth: float, soft: float, shape: str, seed: int = 0) -> Uint8:
    """A page over which a shadow lies that takes this share of the light, with an edge so soft, in pixels."""
    rng = np.random.default_rng(seed)
    height, width = page.shape
    shadow = np.zeros(page.shape, np.float32)
    if shape == "head":
        cv2.ellipse(shadow, (width // 2, height), (width // 3, height // 2), 0, 0, 360, 1.0, -1)
    elif shape == "phone":
        cv2.rectangle(shadow, (width // 2, height // 2), (width, height), 1.0, -1)
    else:
        y, x = np.mgrid[:height, :width]
        shadow[(x - width * 0.55) * 0.9 + (y - height / 2) * 0.4 > 0] = 1
    light = 1 - depth * cv2.GaussianBlur(shadow, (0, 0), soft)
    return np.clip(page * light + rng.normal(0, 2, page.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", ["hand", "head", "phone"])
@pytest.mark.parametrize("soft", [0.5, 3.0, 8.0])
@pytest.mark.parametrize("depth", [0.2, 0.35, 0.5, 0.65])
@pytest.mark.engine
def test_a_number_half_in_a_shadow_is_read(depth: float, soft: float, shape: str) -> None:
    """Whatever the shadow's shape, depth and edge: the edge is no ink."""
    found = lenet.read(shaded(paper(), depth, soft, shape))
    assert (found.text, found.abstained) == ("8053", False)


def test_a_shadow_is_noted_and_gone() -> None:
    """The paper is as bright in the shadow as beside it, up to what is left of the edge."""
    lit = remove_shadow(open_page(shaded(paper(), 0.5, 0.5, "hand")))
    assert notes_of(lit)[-1] == "shadow taken out"
    beside, within = lit.grey[5:40, 5:100], lit.grey[5:40, -100:-5]
    assert abs(float(np.median(beside)) - float(np.median(within))) < 6
    assert lit.grey[5:40].min() > np.median(beside) - 35


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize("dark", [25, 90])
@pytest.mark.engine
def test_a_table_beside_the_paper_is_no_ink(side: str, dark: int) -> None:
    """Paper that reaches the picture's edge elsewhere; black wood and brown."""
    page = paper()
    rng = np.random.default_rng(dark)
    share = {"left": np.s_[:, :90], "right": np.s_[:, -90:], "top": np.s_[:40], "bottom": np.s_[-40:]}[side]
    page[share] = np.clip(rng.normal(dark, 5, page[share].shape), 0, 255)
    found = lenet.read(page)
    assert (found.text, found.abstained) == ("8053", False)


@pytest.mark.engine
def test_colours_are_lit_as_well() -> None:
    """A blue pen stays blue, and a brown table goes."""
    grey = shaded(paper(), 0.4, 2.0, "hand")
    colours = np.stack([grey, grey, np.minimum(grey.astype(int) + 90, 250)], axis=2).astype(np.uint8)
    colours[:, :80] = (90, 60, 30)
    found = lenet.read(colours)
    assert found.text == "8053"
    assert "table around the paper laid over" in notes_of(found)


@pytest.mark.parametrize("board", [30, 80])
def test_a_board_beside_a_bright_wall_is_no_shadow(board: int) -> None:
    """Light writing on a dark ground says so."""
    page = 255 - paper().astype(int)
    page = np.clip(board + page - int(np.median(page)), 0, 255)
    there = open_page(np.hstack([np.full((len(page), 120), 235), page]).astype(np.uint8))
    assert remove_shadow(there) is there


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.suffix not in ("", ".py")))
def test_pages_without_a_hard_shadow_are_as_they_were(name: str) -> None:
    """Soft shadows, boards, boxes, notes and bold digits are left to what follows."""
    page = open_page(EXAMPLES / name)
    assert remove_shadow(page) is page


@pytest.mark.parametrize("pen", [30, 250])
@pytest.mark.parametrize("thick", [12, 40])
def test_writing_in_uneven_light_is_no_shadow(pen: int, thick: int) -> None:
    """Dark or light, thin or so bold that it is as wide as shadows are."""
    page = np.linspace(90, 160, 260)[None, :].repeat(200, axis=0)
    cv2.line(page, (150, 40), (110, 160), float(pen), thick)
    there = open_page(page.astype(np.uint8))
    assert remove_shadow(there) is there


def test_print_that_the_edge_cuts_off_is_no_shadow() -> None:
    """It is dark along the edge, but not wide."""
    page = paper()
    page[:12] = 0
    there = open_page(page)
    assert remove_shadow(there) is there


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 300), st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_any_page_stays_a_page(seed: int, height: int, width: int, one: int, other: int) -> None:
    """Of the same size, whatever two greys meet on it, with noise or without."""
    rng = np.random.default_rng(seed)
    page = np.full((height, width), one, np.uint8)
    page[:, rng.integers(width) :] = other
    if seed % 2:
        page = np.clip(page + rng.normal(0, 20, page.shape), 0, 255).astype(np.uint8)
    lit = remove_shadow(open_page(page))
    assert (lit.grey.shape, lit.grey.dtype) == ((height, width), np.uint8)
