"""Lines read as a whole beside lines that are cut: strips, places, one answer of both, what is too long, options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lenet
from lenet.answers import whole_line
from lenet.answers.line import _space_out, pair_digit
from lenet.answers.readers import compare_readers
from lenet.answers.whole_line import SeenLines, WholeLine, join_cells, read_whole_lines
from lenet.decoding.two_readers import PAIR_FEATURES, pair_texts
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import load
from lenet.engine.lines import load_lines
from lenet.errors import UsageError
from lenet.network.inputs import PAPER_GREY, PEN_GREY
from lenet.network.spec import LINE_LABELS
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.reader import ReadOptions, read_page
from lenet.segmentation.candidates import segment_digit, segment_numbers
from lenet.segmentation.line_strips import VIEWS, StripCutter, find_line_box, is_pen_bright

from conftest import ROOT

EXAMPLES = ROOT / "examples"
PLAIN = np.array([1.0, 0.4, 0.5])


def spelled(**texts: float) -> SpelledLine:
    """A line that says `_90` as "90", with each text written as it is said."""
    said = {text.removeprefix("_"): chance for text, chance in texts.items()}
    return SpelledLine(said, {text: tuple(map(LINE_LABELS.index, text)) for text in said})


def test_where_both_agree_it_is_sure() -> None:
    """The text of both is the answer, likelier than either has it."""
    paired = pair_texts({"90": 0.8, "96": 0.1}, spelled(_90=0.8, _96=0.1), PLAIN)
    assert paired.text == "90"
    assert paired.likeliest[0][1] > 0.95
    assert paired.features.shape == (len(PAIR_FEATURES),)
    assert paired.features[PAIR_FEATURES.index("agree")] == 1


def test_the_surer_reader_is_right() -> None:
    """Where they do not agree, the text with the larger product of probabilities is the answer."""
    assert pair_texts({"90": 0.99, "96": 0.005}, spelled(_96=0.5, _90=0.4), PLAIN).text == "90"
    assert pair_texts({"90": 0.5, "96": 0.4}, spelled(_96=0.99, _90=0.005), PLAIN).text == "96"


def test_a_line_with_signs_counts_the_lattice_less() -> None:
    """A slash is cut as a 1: the lattice is asked less where the whole line has signs."""
    whole = SpelledLine({"920": 0.6}, {"920": tuple(map(LINE_LABELS.index, "9/20"))})
    cut = {"9120": 1 - 1e-9}
    assert pair_texts(cut, whole, PLAIN).text == "920"
    assert pair_texts(cut, whole, np.array([3.0, 3.0, 3.0])).text == "9120"


def test_a_line_that_says_nothing_has_an_empty_text() -> None:
    """Neither reader, or one that is sure of it."""
    assert pair_texts({}, SpelledLine({}, {}, 0.0), PLAIN).text == ""
    assert pair_texts({"": 0.99}, spelled(_7=0.001), PLAIN).text == "7"
    assert pair_texts({"": 0.99}, SpelledLine({"": 0.9, "7": 0.05}, {"": (), "7": (7,)}), PLAIN).text == ""


@pytest.mark.parametrize("readers", ["cut", "line", "both"])
def test_every_reader_reads_the_examples(readers: str) -> None:
    """The same text, whoever reads; digits stand from left to right in boxes on the picture."""
    for name, text in (("zip.jpg", "90210"), ("touching.jpg", "8053"), ("two-lines.jpg", "1998\n2026")):
        reading = lenet.read(EXAMPLES / name, readers=readers)
        assert reading.text == text
        assert "".join(digit.label for digit in reading.digits) == text.replace("\n", "")
        for line in range(len(reading.lines)):
            lefts = [digit.box[0] for digit in reading.digits if digit.line == line]
            assert lefts == sorted(lefts)
        assert all(x0 < x1 and y0 < y1 for x0, y0, x1, y1 in (digit.box for digit in reading.digits))
        assert all(digit.glyph.shape == (28, 28) and digit.glyph.max() > 100 for digit in reading.digits)


def test_a_digit_is_where_either_reader_has_it() -> None:
    """The boxes of a line that is read as a whole lie over those of its cuts."""
    cut, whole = (lenet.read(EXAMPLES / "zip.jpg", readers=each) for each in ("cut", "line"))
    for one, other in zip(cut.digits, whole.digits, strict=True):
        middle = (other.box[0] + other.box[2]) / 2
        assert one.box[0] - 8 <= middle <= one.box[2] + 8


def test_strips_show_the_line_bright_on_dark(tmp_path: Path) -> None:
    """Every view is 32 high; the pen is brighter than the paper whichever was in the picture, and as high as asked."""
    for picture in (EXAMPLES / "zip.jpg", 255 - prepare_page(EXAMPLES / "zip.jpg").grey):
        page = prepare_page(picture)
        writing = find_writing(page)
        lattice = segment_numbers(writing).lattice
        strips = StripCutter(page, writing, lattice).cut(0)
        assert len(strips) == len(VIEWS)
        box, _rise = find_line_box(lattice, 0)
        for strip, share in zip(strips, VIEWS, strict=True):
            assert strip.strip.shape[0] == 32
            assert abs(int(np.median(strip.strip)) - PAPER_GREY) < 12
            assert int(strip.strip.max()) >= PEN_GREY
            rows = np.flatnonzero(strip.strip.max(axis=1) > (PAPER_GREY + PEN_GREY) / 2)
            assert abs((rows[-1] - rows[0] + 1) / 32 - share) < 0.13
            pixels = (box[3] - box[1]) * writing.scale / page.scale
            assert strip.scale == pytest.approx(pixels / (share * 32))


def test_the_pen_is_bright_on_a_blackboard() -> None:
    """And dark on paper."""
    for name, bright in (("chalk.jpg", True), ("zip.jpg", False)):
        page = prepare_page(EXAMPLES / name)
        assert is_pen_bright(page, find_writing(page)) is bright


def test_a_line_that_is_too_long_is_cut_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line a hundred times as long as high has no strips: its answer is that of the lattice. Here thrice is long."""
    monkeypatch.setattr("lenet.segmentation.line_strips._WIDEST", 3 * 32)
    page = prepare_page(EXAMPLES / "zip.jpg")
    writing = find_writing(page)
    candidates = segment_numbers(writing)
    assert StripCutter(page, writing, candidates.lattice).cut(0) == []
    assert read_whole_lines(page, writing, candidates.lattice, load_lines()) == [None]
    network = load()
    both, cut = (read_page(page, network, ReadOptions(readers=each)) for each in ("both", "cut"))
    assert (both.best_text, both.confidence) == (cut.best_text, cut.confidence)
    assert compare_readers(page, network, load_lines()) == []


def test_a_reader_that_is_not_there_is_refused() -> None:
    """With the three that are."""
    with pytest.raises(UsageError, match="readers 'all': expected cut, line, both"):
        lenet.read(EXAMPLES / "zip.jpg", readers="all")  # type: ignore[arg-type]


def test_a_bound_on_errors_is_that_of_both() -> None:
    """The curve of errors is the line network's where lines are read as a whole."""
    curve = load_lines().weights.error_curve
    assert curve is not None
    least = float(curve[:, 1].min())
    told = lenet.read(EXAMPLES / "zip.jpg", max_error=least / 2)
    assert told.text == ""
    assert any("lenet-line" in note for note in told.notes)
    assert lenet.read(EXAMPLES / "zip.jpg", max_error=0.5).text == "90210"


def test_one_digit_is_the_mean_of_two_readers(rng: np.random.Generator) -> None:
    """Their logarithms' mean, made to add up; what is no digit stays as the lattice's network has it."""
    page = prepare_page(EXAMPLES / "pen.png")
    writing = find_writing(page, tall=True)
    (whole,) = read_whole_lines(page, writing, segment_digit(writing).lattice, load_lines())
    assert whole is not None
    said = whole.score_digits()
    assert int(said.argmax()) == 7
    cut = rng.dirichlet(np.ones(11))
    paired = pair_digit(cut, whole, "both")
    assert paired.sum() == pytest.approx(1)
    assert paired[10] == cut[10]
    gap = (said[7] - max(said[3], -14.0) + np.log(cut[7] / cut[3])) / 2
    assert np.log(paired[7] / paired[3]) == pytest.approx(gap)
    alone = pair_digit(cut, whole, "line")
    assert np.log(alone[7] / alone[3]) == pytest.approx(said[7] - max(said[3], -14.0))


def test_a_network_that_reads_one_digit_reads_it_alone() -> None:
    """Weights of 1998 answer by themselves: no second network stands behind them."""
    for name in ("lenet5-1998", "lenet5-modern"):
        both, cut = (lenet.read(EXAMPLES / "pen.png", model=name, digit=True, readers=each) for each in ("both", "cut"))
        assert both.confidence == cut.confidence
    reader = [lenet.read(EXAMPLES / "pen.png", digit=True, readers=each).confidence for each in ("line", "cut")]
    assert reader[0] != reader[1]


@pytest.mark.parametrize(
    ("text", "divided", "wide", "boxed"),
    [
        ("3448", [1, 1, 1], 1.5, True),
        ("34487", [1, 1, 1, 0], 1.5, True),  # an 8 that looked like two signs
        ("3448", [1, 1, 1], 2.5, False),  # a row of a table
        ("3448", [1, 0, 1], 1.5, False),  # a cell of two signs
        ("34", [1], 1.5, False),  # two cells
    ],
)
def test_signs_with_a_narrow_cell_each_are_one_number_in_boxes(
    monkeypatch: pytest.MonkeyPatch, text: str, divided: list[int], wide: float, boxed: bool
) -> None:
    """If they are the page's only line."""
    page = prepare_page(EXAMPLES / "zip.jpg")
    writing = find_writing(page)
    (read,) = read_whole_lines(page, writing, segment_numbers(writing).lattice, load_lines())
    assert read is not None
    said = replace(read, spelled=SpelledLine({text: 1.0}, {}))
    monkeypatch.setattr(WholeLine, "find_divided", lambda *_: np.array(divided, bool))
    monkeypatch.setattr(WholeLine, "measure_cells", lambda *_: wide)
    monkeypatch.setattr(whole_line, "find_cell_signs", lambda _line: None)
    (found,) = join_cells([said])
    assert found is not None
    assert found.boxed is boxed
    assert [each is not None and each.boxed for each in join_cells([said, said])] == [False, False]


@pytest.mark.parametrize("boxed", [False, True])
def test_no_space_parts_digits_in_boxes(monkeypatch: pytest.MonkeyPatch, boxed: bool) -> None:
    """However far apart they stand; and a line that is looked at once more is in boxes still."""
    page = prepare_page(EXAMPLES / "zip.jpg")
    writing = find_writing(page)
    seen = SeenLines(page, writing, segment_numbers(writing).lattice, load_lines())
    first = seen.read(0, views=1)
    assert first is not None
    again = seen.read(0, replace(first, boxed=boxed))
    assert again is not None
    assert again.boxed is boxed
    monkeypatch.setattr("lenet.answers.line.find_spaces", lambda features, *_: np.ones(len(features)))
    spaced, _certain, _others = _space_out(again, "90210", (("90210", 0.9),))
    assert spaced == ("90210" if boxed else "9 0 2 1 0")
