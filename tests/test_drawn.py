"""How a number was read, drawn: `lenet explain`, the sweep, and boxes on the picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.segmentation.candidates import find_candidates
from test_cli import run

from conftest import ROOT

pytestmark = pytest.mark.engine

EXAMPLES = ROOT / "examples"


def test_explain_draws_a_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The page, its pieces, every candidate and the path; one digit gets the layers."""
    out = tmp_path / "number.png"
    status, line, _err = run(capsys, "explain", str(EXAMPLES / "zip.jpg"), "-o", str(out))
    assert status == 0
    assert line.split("\t")[1] == "90210"
    with Image.open(out) as drawn:
        assert drawn.width == 1120
    candidates = len(find_candidates(EXAMPLES / "zip.jpg").lattice.arcs)
    assert candidates >= 5


def test_explain_leaves_out_no_candidate_of_a_long_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every digit of the answer is framed, twelve of them too, whose columns do not stand side by side."""
    page = np.hstack([np.asarray(Image.open(EXAMPLES / "touching.jpg").convert("L"))] * 3)
    Image.fromarray(page).save(tmp_path / "long.png")
    out = tmp_path / "seen.png"
    _status, line, _err = run(capsys, "explain", str(tmp_path / "long.png"), "-o", str(out))
    assert "\t805380538053\t" in line
    framed = (np.asarray(Image.open(out).convert("RGB")) == (0xC2, 0x41, 0x0C)).all(axis=2).astype(np.uint8)
    _count, _labels, boxes, _ = cv2.connectedComponentsWithStats(framed)
    assert int((boxes[1:, :4:2].max(axis=1) >= 40).sum()) == 12


def test_explain_draws_the_sweep(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The upright line above its columns of scores, as wide as the line; weights without a blank are refused."""
    out = tmp_path / "sweep.png"
    status, line, _err = run(capsys, "explain", str(EXAMPLES / "touching.jpg"), "--method", "sweep", "-o", str(out))
    assert status == 0
    assert line.split("\t")[1] == "8053"
    with Image.open(out) as drawn:
        assert drawn.width > 4 * 4 * 20
    words = ["explain", str(EXAMPLES / "touching.jpg"), "--method", "sweep", "--model", "lenet5", "-o", str(out)]
    assert run(capsys, *words)[0] == 2


def test_annotate_has_a_confidence_for_narrow_digits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A small picture is enlarged; a label stands above each box, and its confidence below."""
    page = np.pad(np.asarray(Image.open(EXAMPLES / "touching.jpg").convert("L")), 60, constant_values=240)
    Image.fromarray(page[::6, ::6]).save(tmp_path / "small.png")
    out = tmp_path / "seen.png"
    assert run(capsys, "read", str(tmp_path / "small.png"), "--annotate", str(out))[0] == 0
    drawn = np.asarray(Image.open(out).convert("RGB")).astype(int)
    accent = drawn[..., 0] > drawn[..., 2] + 60
    rows = np.flatnonzero(accent.any(axis=1))
    width = np.flatnonzero((drawn == (0xC2, 0x41, 0x0C)).all(axis=2).sum(axis=1) > 40)  # the boxes' tops and bottoms
    assert rows[0] < width[0] - 8
    assert rows[-1] > width[-1] + 6


def test_annotate_marks_boxes_and_cuts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Touching digits are cut between them: a cut lies between the boxes' middles, in its own colour."""
    out = tmp_path / "marked.png"
    assert run(capsys, "read", str(EXAMPLES / "touching.jpg"), "--annotate", str(out))[0] == 0
    candidates, reading = find_candidates(EXAMPLES / "touching.jpg"), lenet.read(EXAMPLES / "touching.jpg")
    first, last = reading.digits[0].box, reading.digits[-1].box
    assert any((first[0] + first[2]) / 2 < x < (last[0] + last[2]) / 2 for x, _y in candidates.cuts())
    with Image.open(out) as drawn:
        colours = {colour for _count, colour in drawn.convert("RGB").getcolors(1 << 24) or ()}
    assert {(0xC2, 0x41, 0x0C), (0x0E, 0x74, 0x90)} <= colours
