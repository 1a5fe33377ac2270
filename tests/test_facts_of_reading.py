"""Facts of who reads a line, of formats with anchors, of lessons and of confidences that nobody had stated."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import lenet
from lenet.answers import whole_line
from lenet.answers.readers import PageReaders, ScoredCandidates, compare_readers, is_one_digit
from lenet.answers.whole_line import SeenLines
from lenet.decoding.formats import accepts, parse_pattern
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine.learner import AdamW, LineLesson
from lenet.engine.lines import load_lines
from lenet.engine.twins import TwinLineLearner
from lenet.evaluation.calibration import fit_confidence
from lenet.network.spec import LINE_NETS
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.segmentation.candidates import outline_numbers

from conftest import ROOT


def test_one_digit_is_sure_above_nineteen_of_twenty() -> None:
    """A digit of just that confidence is in doubt, as are two digits however sure."""
    assert [is_one_digit("7", confidence) for confidence in (0.95, 0.9501)] == [False, True]
    assert not is_one_digit("71", 1.0)
    assert not is_one_digit("", 1.0)


@pytest.mark.parametrize(("strokes", "silent", "enough"), [(7, 0.99, True), (7, 0.98, False), (6, 0.99, False)])
def test_a_line_is_silent_if_it_has_many_pieces_and_surely_says_nothing(
    strokes: int, silent: float, enough: bool
) -> None:
    """Seven pieces that say nothing by more than 98 of 100 are not cut; fewer pieces are, and what is less sure."""
    picture = np.full((80, 40 + 40 * strokes), 255, np.uint8)
    for stroke in range(strokes):
        cv2.line(picture, (40 + 40 * stroke, 20), (40 + 40 * stroke, 60), 0, 5)
    page, network = prepare_page(picture), lenet.load("lenet5-reader")
    writing = find_writing(page)
    scored = ScoredCandidates(outline_numbers(writing), writing.ink, network)
    assert np.diff(scored.candidates.lattice.lines).tolist() == [[strokes]]
    whole = SeenLines(page, writing, scored.candidates.lattice, load_lines()).read(0, views=1)
    assert whole is not None
    nothing = replace(whole, spelled=SpelledLine({"": silent}, {"": ()}))
    assert PageReaders(page, writing, scored, network, "both")._is_enough(0, nothing) is enough


@pytest.mark.parametrize(
    ("texts", "turned", "may_be"),
    [({"": 0.99, "6": 0.01}, 0.01, False), ({"": 0.4, "0": 0.35, "6": 0.25}, 0.35, False), ({"01206": 0.6}, 0.6, True)],
)
def test_a_line_that_says_nothing_on_its_head_stands_upright(
    monkeypatch: pytest.MonkeyPatch, texts: dict[str, float], turned: float, may_be: bool
) -> None:
    """How likely it is that nothing stands there does not count, only the likeliest text."""
    page = prepare_page(ROOT / "examples" / "zip.jpg")
    writing = find_writing(page)
    whole = SeenLines(page, writing, outline_numbers(writing).lattice, load_lines()).read(0, views=1)
    assert whole is not None
    monkeypatch.setattr(whole_line, "spell_line", lambda _views: SpelledLine(texts, dict.fromkeys(texts, ())))
    assert (whole.turned, whole.may_be_turned()) == (turned, may_be)


def test_readers_are_compared_on_every_line_that_is_not_too_long() -> None:
    """Of a page of two lines both are there, with what cuts, the first view and all views say of each."""
    page = prepare_page(ROOT / "examples" / "two-lines.jpg")
    compared = compare_readers(page, lenet.load("lenet5-reader"), load_lines())
    for line, text in zip(compared, ("1998", "2026"), strict=True):
        assert (line.first.text, line.whole.text) == (text, text)
        assert max(line.cut, key=lambda said: line.cut[said]) == text


def test_anchors_around_a_format_say_nothing() -> None:
    """The whole number is meant anyway; an escaped dollar at the end is the sign, as is one without ^ before it."""
    for expression in ("12", "^12", "^12$"):
        assert accepts(parse_pattern(expression), "12")
        assert not accepts(parse_pattern(expression), "1")
        assert not accepts(parse_pattern(expression), "12$")
    for expression in (r"^12\$", r"12\$", "12$"):
        assert accepts(parse_pattern(expression), "12$")
        assert not accepts(parse_pattern(expression), "12")


def test_a_lesson_has_a_text_and_a_length_for_each_line() -> None:
    """One length too few, or one text, is refused, and nothing is learned."""
    learner = TwinLineLearner(LINE_NETS["lenet-line"], AdamW())
    before = learner.get("parameters")
    inputs, ones = np.zeros((2, 1, 32, 32), np.float32), np.ones(2, np.int32)
    texts = np.ones((2, 1), np.int32)
    for lesson in (LineLesson(inputs, ones, texts, ones[:1]), LineLesson(inputs, ones, texts[:1], ones)):
        with pytest.raises(ValueError, match="argument"):
            learner.step(lesson, 1e-3)
    assert learner.steps == 0
    assert (learner.get("parameters") == before).all()


def test_one_answer_moves_a_confidence_to_where_its_pull_and_the_ridge_are_equal() -> None:
    """After one right answer at even odds the offset is what the confidence lacks of 1; a wrong one moves as far."""
    even = np.zeros((1, 1))
    weight, offset = fit_confidence(even, np.array([True]))
    assert weight == 1.0
    assert offset == pytest.approx(1 - 1 / (1 + np.exp(-offset)), abs=1e-6)
    assert offset == pytest.approx(0.401, abs=1e-3)
    assert fit_confidence(even, np.array([False])) == pytest.approx([1.0, -offset], abs=1e-6)
