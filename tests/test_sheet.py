"""The sheet of paper on a table: what lies around it is laid over, and no other page is touched."""

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
from lenet.preprocessing.paper import remove_table

from conftest import ROOT

EXAMPLES = ROOT / "examples"
NOTE = "table around the paper laid over"


def on_table(table: int, turned: float, seed: int, name: str = "touching.jpg") -> Uint8:
    """A picture that lies on a table of wood, turned by some degrees, its light falling off to one side."""
    rng = np.random.default_rng(seed)
    paper = np.asarray(Image.open(EXAMPLES / name).convert("L"))
    height, width = paper.shape
    page = np.clip(rng.normal(table, 6, (height + 300, width + 300)), 0, 255).astype(np.float32)
    page += 8 * np.sin(np.arange(page.shape[0]) / 9)[:, None]
    move = cv2.getRotationMatrix2D((width / 2, height / 2), turned, 1.0)
    move[:, 2] += 150
    size = (page.shape[1], page.shape[0])
    laid = cv2.warpAffine(paper.astype(np.float32), move, size)
    there = cv2.warpAffine(np.ones(paper.shape, np.float32), move, size)
    page = page * (1 - there) + laid * there
    page *= np.linspace(1.0, 0.85, page.shape[1])[None, :]
    return page.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("table", [30, 90, 140])
@pytest.mark.parametrize("turned", [-5.0, 0.0, 4.0])
@pytest.mark.engine
def test_a_number_on_a_table_is_read(table: int, turned: float) -> None:
    """Dark or brown, straight or turned: the paper's edge is no ink, and a note says what was done."""
    found = lenet.read(on_table(table, turned, seed=table))
    assert (found.text, found.abstained) == ("8053", False)
    assert NOTE in found.notes


@pytest.mark.engine
def test_colours_around_the_paper_are_laid_over_too() -> None:
    """A brown table is no coloured pen."""
    grey = on_table(90, 3.0, seed=1)
    tint = np.where(grey[..., None] < 130, np.array([1.0, 0.75, 0.5]), 1.0)
    found = lenet.read((grey[..., None] * tint).astype(np.uint8))
    assert found.text == "8053"
    assert NOTE in found.notes


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.suffix not in ("", ".py")))
def test_pages_without_a_table_are_as_they_were(name: str) -> None:
    """Shadows, boards, boxes, notes and digits that fill the picture are no sheet on a table."""
    page = open_page(EXAMPLES / name)
    assert remove_table(page) is page


@pytest.mark.parametrize("shape", ["nothing written", "round", "two sides", "small"])
def test_what_is_no_sheet_is_left_alone(shape: str) -> None:
    """An empty one, a plate, paper that reaches the picture's edge, and a picture of few pixels."""
    page = np.full((400, 500), 40, np.uint8)
    if shape == "round":
        cv2.circle(page, (250, 200), 150, 230, -1)
    else:
        page[80:320, 90 : 500 if shape == "two sides" else 410] = 230
    if shape != "nothing written":
        cv2.line(page, (200, 150), (260, 250), 30, 8)
    if shape == "small":
        page = page[::5, ::5]
    there = open_page(page)
    assert remove_table(there) is there


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 300), st.integers(2, 256))
@settings(max_examples=60, deadline=None)
def test_any_page_stays_a_page(seed: int, height: int, width: int, greys: int) -> None:
    """Of the same size, whatever is on it; noise and evenness are no sheet."""
    rng = np.random.default_rng(seed)
    page = open_page(rng.integers(0, greys, (height, width)).astype(np.uint8))
    assert remove_table(page) is page
    assert remove_table(open_page(np.full((height, width), greys - 1, np.uint8))).grey.shape == (height, width)
