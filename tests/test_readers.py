"""Who is asked: the reader that is enough for a line, the other in doubt alone, both if a page is read thoroughly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from lenet.answers import readers
from lenet.answers.line import CutLine
from lenet.answers.looks import choose_turns, needs_no_look
from lenet.answers.readers import PageReaders, ScoredCandidates, is_enough, is_one_digit
from lenet.answers.whole_line import SeenLines, WholeLine
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import load
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.reader import ReadOptions, read
from lenet.result import Number, Reading
from lenet.segmentation.candidates import outline_numbers

from conftest import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked while a page is read: "cut" for each line whose cuts are scored, the views of a whole line."""
    told: list[str] = []
    look, see = ScoredCandidates.look, SeenLines.read

    def note_look(self: ScoredCandidates, line: int, *, again: bool = False) -> Any:
        told.append("cut")
        return look(self, line, again=again)

    def note_see(self: SeenLines, line: int, known: WholeLine | None = None, views: int = 2) -> WholeLine | None:
        told.append("whole" if known else f"{views} of whole")
        return see(self, line, known, views)

    monkeypatch.setattr(ScoredCandidates, "look", note_look)
    monkeypatch.setattr(SeenLines, "read", note_see)
    return told


def test_a_line_that_its_first_view_is_sure_of_is_not_cut(asked: list[str]) -> None:
    """One view of the line network, and no candidate is scored; its digits stand on the ink none the less."""
    reading = read(EXAMPLES / "zip.jpg", load())
    assert reading.text == "90210"
    assert asked == ["1 of whole"]
    cut = read(EXAMPLES / "zip.jpg", load(), ReadOptions(readers="cut"))
    for one, other in zip(reading.digits, cut.digits, strict=True):
        assert np.abs(np.array(one.box) - other.box).max() <= 25


def test_one_digit_that_its_cuts_are_sure_of_is_not_read_as_a_line(asked: list[str]) -> None:
    """The network of digits is enough for it."""
    assert read(EXAMPLES / "pen.png", load()).text == "7"
    assert asked == ["cut"]


def test_what_is_read_thoroughly_is_asked_of_both(asked: list[str]) -> None:
    """Both views and the cuts, whatever is sure."""
    assert read(EXAMPLES / "zip.jpg", load(), ReadOptions(thorough=True)).text == "90210"
    assert asked == ["2 of whole", "whole", "cut"]


def test_a_line_in_doubt_is_asked_of_both(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its other view, then its cuts."""
    monkeypatch.setattr(readers, "_SURE_OF_LINE", 1.1)
    assert read(EXAMPLES / "zip.jpg", load()).text == "90210"
    assert asked == ["1 of whole", "whole", "cut"]


def test_a_line_of_which_its_first_view_leaves_ink_out_is_asked_of_both(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However sure the view is of the rest: the number may be longer."""
    monkeypatch.setattr(CutLine, "find_left_out", lambda *_: ((0, 0, 9, 9),))
    assert read(EXAMPLES / "zip.jpg", load()).text == "90210"
    assert asked == ["1 of whole", "whole", "cut"]
    asked.clear()
    read(EXAMPLES / "zip.jpg", load(), ReadOptions(readers="line"))
    assert asked == ["2 of whole"]


def test_one_reader_is_asked_alone(asked: list[str]) -> None:
    """By the method that is named."""
    assert read(EXAMPLES / "zip.jpg", load(), ReadOptions(readers="line")).text == "90210"
    assert read(EXAMPLES / "zip.jpg", load(), ReadOptions(readers="cut")).text == "90210"
    assert asked == ["2 of whole", "cut"]


def test_what_is_enough_is_a_sure_number() -> None:
    """Not one sign, nor a text that a format hardly allows."""
    sure = SpelledLine({"90": 0.9}, {"90": (9, 0)})
    assert is_enough(sure)
    assert not is_enough(replace(sure, fits=0.5))
    assert not is_enough(SpelledLine({"9": 0.99}, {"9": (9,)}))
    assert not is_enough(SpelledLine({}, {}))
    assert is_one_digit("9", 0.99)
    assert not is_one_digit("9", 0.9)
    assert not is_one_digit("90", 0.99)


def scored_page(path: Path) -> tuple[PageReaders, ScoredCandidates]:
    """The readers of a picture's page, and its candidates."""
    page, network = prepare_page(path), load()
    writing = find_writing(page)
    scored = ScoredCandidates(outline_numbers(writing), writing.ink, network)
    return PageReaders(page, writing, scored, network, "both"), scored


def test_only_the_lines_that_are_asked_for_are_scored() -> None:
    """The candidates of others have no glyph and no probability."""
    _readers, scored = scored_page(EXAMPLES / "two-lines.jpg")
    lattice = scored.candidates.lattice
    scored.look(1)
    first, second = lattice.find_arcs(0), lattice.find_arcs(1)
    assert not scored.candidates.glyphs[first].any()
    assert not scored.probabilities[first].any()
    assert scored.candidates.glyphs[second].any(axis=(1, 2)).all()
    assert scored.probabilities[second].sum(axis=1) == pytest.approx(np.ones(len(second)))


def test_a_sure_page_is_not_looked_at_on_its_head() -> None:
    """Not even by the line network: what would be asked here cannot answer."""
    reading = read(EXAMPLES / "touching.jpg", load())
    assert needs_no_look(reading)
    assert choose_turns(300, 100, reading, [cast(WholeLine, object())], 1) == ()
    guess = replace(reading, numbers=tuple(replace(each, confidence=0.5) for each in reading.numbers))
    assert not needs_no_look(guess)
    assert choose_turns(300, 100, guess, [], 1) == (2,)
    assert choose_turns(100, 300, guess, [], 1) == (1, 3)


@pytest.mark.parametrize(
    ("size", "lines", "turns"),
    [
        ((150, 100), 2, (1, 2, 3)),
        ((100, 150), 2, (1, 2, 3)),
        ((151, 100), 2, (2,)),  # wider than that
        ((100, 100), 1, (2,)),  # one line
    ],
)
def test_several_lines_about_as_wide_as_high_may_be_turned_any_way(
    size: tuple[int, int], lines: int, turns: tuple[int, ...]
) -> None:
    """If they read poorly: a sure number is upright."""
    guess = Reading("", "17", 0.4, "uncertain")
    assert choose_turns(*size, guess, [], lines) == turns
    sure = Reading("17", "", 0.99, False, numbers=(Number("17", "", 0.99, False, (0, 0, 9, 9), 0),))
    assert choose_turns(*size, sure, [], lines) == ()
