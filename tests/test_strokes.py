"""Strokes of UNIPEN's hands: what a file holds, what is left out, and the lines that are made of them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sign_sizes import group_strokes, measure_signs

from lenet.data.dataset import Digits
from lenet.data.strokes import StrokeSet, load_strokes
from lenet.errors import DataError, UsageError
from lenet.network.spec import LINE_LABELS, PASSED_OVER
from lenet.training.line_samples import sheet_lines
from lenet.training.line_stream import LONGEST, bucket_of, encode_text, gather_lines, load_hands
from lenet.training.synthetic import lines
from lenet.training.synthetic.displays import draw_display, shows_on_display
from lenet.training.synthetic.fonts import NO_FONTS
from lenet.training.synthetic.line_paper import LinePaper
from lenet.training.synthetic.line_sheet import KINDS, draw_sheet
from lenet.training.synthetic.line_style import LineStyle
from lenet.training.synthetic.line_texts import LinePart, _write_numbers
from lenet.training.synthetic.line_turned import is_nothing_turned, turn_strip
from lenet.training.synthetic.lines import WIDEST, Hands, LineKind, LineMaker
from lenet.training.synthetic.marks import find_sign_place, gather_pens, join_label


def strokes(labels: str, writers: int = 2, each: int = 2) -> StrokeSet:
    """A sample for each writer and label: a zigzag that is as high as it is wide, in one stroke or two."""
    points, bounds, samples, texts, who = [], [0], [0], [], []
    for writer in range(writers):
        for number, label in enumerate(labels):
            one = np.array([[0, 0], [100 + number, 50], [0, 100]], np.float32)
            for stroke in (one, one[:2] + 1)[:each]:
                points.append(stroke)
                bounds.append(bounds[-1] + len(stroke))
            samples.append(len(bounds) - 1)
            texts.append(label)
            who.append(f"w{writer}")
    return StrokeSet(
        np.concatenate(points),
        np.array(bounds, np.int32),
        np.array(samples, np.int32),
        np.array(texts),
        np.array(who),
    )


@pytest.fixture(scope="module")
def maker() -> LineMaker:
    """A maker of lines of two hands in zigzags and of random glyphs by three writers."""
    rng = np.random.default_rng(0)
    glyphs = np.zeros((60, 28, 28), np.uint8)
    glyphs[:, 4:24, 9:19] = rng.integers(0, 255, (60, 20, 10))
    digits = Digits(glyphs, (np.arange(60) % 10).astype(np.uint8))
    signs = strokes("0123456789abXY.,:/-+=%()$#*")
    pens = gather_pens([signs], strokes("1"), strokes("w"), LINE_LABELS)
    return LineMaker(Hands(pens, digits, np.arange(60) // 20, np.arange(60)))


def test_a_sign_of_which_strokes_are_missing_is_left_out() -> None:
    """A colon of one stroke is half of one, unless there is no other; a point is whole."""
    numbers, words = strokes("1"), strokes("w")
    both = gather_pens([strokes("0:.$"), strokes(":.", each=1)], numbers, words, LINE_LABELS)
    assert {sign: sum(map(len, by_writer.values())) for sign, by_writer in both.rows.items()} == {
        "0": 2,
        ":": 2,
        ".": 4,
        "$": 2,
    }
    for rows in both.rows[":"].values():
        assert all(len(both.characters.sample(row)) == 2 for row in rows)
    alone = gather_pens([strokes("0"), strokes(":", each=1)], numbers, words, LINE_LABELS)
    assert sum(map(len, alone.rows[":"].values())) == 2


def test_a_sample_is_its_strokes() -> None:
    """Each with its own points, whichever samples are kept."""
    every = strokes("12")
    assert [len(stroke) for stroke in every.sample(1)] == [3, 2]
    some = every.where(np.array([False, True, False, True]))
    assert some.labels.tolist() == ["2", "2"]
    assert (some.sample(0)[0] == every.sample(1)[0]).all()
    assert some.sizes.tolist() == every.sizes[[1, 3]].tolist()


def test_stairs_are_smoothed() -> None:
    """Strokes of less than 60 units are, ends kept; larger ones are as they were."""
    stairs = np.array([[0, 0], [0, 10], [10, 10], [10, 20]], np.float32)
    for times, changed in ((1, True), (10, False)):
        bounds = (np.array([0, 4], np.int32), np.array([0, 1], np.int32))
        (stroke,) = StrokeSet(stairs * times, *bounds, np.array(["1"]), np.array(["w"])).sample(0)
        assert (stroke[[0, -1]] == stairs[[0, -1]] * times).all()
        assert bool((stroke != stairs * times).any()) is changed


def test_missing_strokes_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is not there, and a file that is none, have one line each."""
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    with pytest.raises(DataError, match="no strokes of UNIPEN; lenet data fetch unipen, or set LENET_DATA"):
        load_strokes("train", "digits")
    (tmp_path / "unipen").mkdir()
    (tmp_path / "unipen" / "train-digits.npz").write_bytes(b"none")
    with pytest.raises(DataError, match=r"train-digits\.npz: no strokes"):
        load_strokes("train", "digits")


def test_a_made_line_can_be_said(maker: LineMaker) -> None:
    """Its strip is 32 high, no wider than is learned from, and has a column for each label of its text."""
    rng = np.random.default_rng(1)
    made = [maker.make(rng) for _line in range(150)]
    for line in made:
        assert line.strip.shape[0] == 32
        assert line.strip.shape[1] % 4 == 0
        assert 32 <= line.strip.shape[1] <= WIDEST
        assert line.strip.dtype == np.uint8
        assert set(line.text) <= set(LINE_LABELS)
        assert len(line.text) <= line.strip.shape[1] // 2
        assert PASSED_OVER * 2 not in line.text
    assert any(PASSED_OVER in line.text for line in made)
    assert any(" " in line.text for line in made)
    assert any(set(line.text) & set(".,/-") for line in made)


def test_numbers_on_a_comb_stand_further_apart_than_its_digits() -> None:
    """The room between two numbers is wider than what the pitch leaves beside a narrow digit."""
    rng = np.random.default_rng(7)
    for _line in range(200):
        style = replace(LineStyle.draw(rng), pitch=1.6, gap=0.1, spread=0.05)
        assert style.choose_space(rng) > 1.6 - 0.4


def test_several_numbers_are_seldom_single_digits_alone() -> None:
    """Of a thousand lists a few are; one number may be one digit."""
    rng = np.random.default_rng(8)
    lists = [_write_numbers(rng, 3) for _list in range(1000)]
    assert all(len(each) == 3 for each in lists)
    assert sum(max(map(len, each)) == 1 for each in lists) < 10
    assert any(len(_write_numbers(rng, 1)[0]) == 1 for _number in range(100))


def test_a_space_is_said_wherever_there_is_room(maker: LineMaker) -> None:
    """Before and behind words, between two of them, and behind what is struck out; not before a unit."""
    rng, number, unit = np.random.default_rng(3), LinePart("number", "7"), LinePart("unit", "kg")
    word, struck = LinePart("word", ""), LinePart("struck", "12")
    for parts, text in (
        ([word, number, word], "~ 7 ~"),
        ([word, word], "~ ~"),
        ([number, struck, number, unit], "7 ~ 7~"),
        ([number, struck, unit], "7 ~"),
    ):
        style = replace(LineStyle.draw(rng), of_pixels=True)
        assert maker.write(parts, style, rng)[1] == text


@pytest.mark.parametrize(
    ("text", "turn", "nothing"),
    [
        *(("347", 2, True), ("7", 2, True), ("10.74", 2, True), ("1069", 2, False), ("25", 2, False)),
        *(("1063", 2, False), ("-", 2, False), (f"3{PASSED_OVER}", 2, False), ("", 2, False)),
        *(("4", 1, True), ("9", 3, True), ("0", 1, False), ("8", 3, False), ("44", 1, False)),
    ],
)
def test_what_is_no_number_when_it_is_turned(text: str, turn: int, nothing: bool) -> None:
    """On its head a third of its digits are 3s, 4s or 7s; on its side it is one digit, neither 0 nor 1 nor 8."""
    assert is_nothing_turned(text, turn) is nothing


def test_a_strip_is_turned_as_a_whole() -> None:
    """On its head it keeps its size; on its side it is as high as before, and its first column is its last row."""
    strip = np.arange(32 * 40, dtype=np.float64).reshape(32, 40) % 251
    head = turn_strip(strip.astype(np.uint8), 2)
    assert head.shape == (32, 40)
    assert head[0, 0] == strip[-1, -1]
    marked = np.zeros((32, 64), np.uint8)
    marked[:, :8] = 255
    side = turn_strip(marked, 1)
    assert side.shape == (32, 32)
    assert side[-4:].min() == 255
    assert side[:-4].max() == 0


def test_strips_that_are_turned_say_nothing(maker: LineMaker) -> None:
    """Each is passed over, whatever is written."""
    rng = np.random.default_rng(4)
    say = lambda _rng: [LinePart("number", "347")]  # noqa: E731
    for turn, text in ((0, "347"), (2, PASSED_OVER)):
        kind = LineKind(say, {"printed": False, "of_font": False}, turn=turn)
        assert text in {maker.make(rng, kind).text for _line in range(4)}
    assert {maker.make(rng, LineKind(turn=2)).text for _line in range(5)} == {PASSED_OVER}


def test_what_may_be_another_number_is_not_turned(maker: LineMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another line is written in its place."""
    asked: list[str] = []

    def refuse_twice(text: str, _turn: int) -> bool:
        asked.append(text)
        return len(asked) > 2

    monkeypatch.setattr(lines, "is_nothing_turned", refuse_twice)
    maker.make(np.random.default_rng(5), LineKind(turn=2))
    assert len(asked) > 2


def test_a_unit_is_passed_over_near_its_number(maker: LineMaker) -> None:
    """It stands nearer than another number would; letters that no hand has written are any word."""
    rng = np.random.default_rng(2)
    style: dict[str, Any] = {"pitch": 0.0, "gap": 0.1, "spread": 0.03, "of_pixels": True}
    rooms = []
    for kind in ("unit", "number"):
        for _line in range(30):
            line = LineStyle.draw(rng)
            parts = [LinePart("number", "11"), LinePart(kind, "kg" if kind == "unit" else "22")]
            _marks, text, ((_begin, end), (other, _end)) = maker.write(parts, replace(line, **style), rng)
            rooms.append((kind, other - end))
            assert text.endswith(PASSED_OVER) is (kind == "unit")
    units, numbers = ([room for of, room in rooms if of == kind] for kind in ("unit", "number"))
    assert 0 < np.median(units) < min(numbers)


def test_the_same_seed_makes_the_same_lines(maker: LineMaker) -> None:
    """A line depends on nothing but its generator."""
    one, other = (maker.make(np.random.default_rng(5)) for _time in range(2))
    assert one.text == other.text
    assert (one.strip == other.strip).all()


def test_lines_are_gathered_by_width(maker: LineMaker) -> None:
    """With paper behind them, their own widths and texts beside; what is too long is left out."""
    rng = np.random.default_rng(2)
    made = [maker.make(rng) for _line in range(40)]
    batches = gather_lines(made)
    assert sum(len(batch.counts) for batch in batches.values()) == sum(len(line.text) <= LONGEST for line in made)
    for width, batch in batches.items():
        assert batch.strips.shape[1:] == (32, width)
        assert all(bucket_of(own) == width for own in batch.widths.tolist())
    line = made[0]
    batch = batches[bucket_of(line.strip.shape[1])]
    assert (batch.strips[0, :, : line.strip.shape[1]] == line.strip).all()
    assert batch.labels[0, : batch.counts[0]].tolist() == encode_text(line.text).tolist()


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("4 1 8 0 9 - 3 5 2 7", "41809-3527"),
        ("$ 100", "$100"),
        ("100 %", "100%"),
        ("1 1", "11"),
        ("577 7358", "577 7358"),
    ],
)
def test_labels_say_what_was_written(label: str, text: str) -> None:
    """Spaces between single characters, or before a sign, are the label's own."""
    assert join_label(label) == text


def test_a_sheet_has_a_row_for_every_kind(maker: LineMaker) -> None:
    """Each row has a name and a strip, whose text can be said."""
    sheet = draw_sheet(maker, samples=1)
    rows = np.split(sheet, len(KINDS))
    assert all(row[:, :170].min() < 200 for row in rows)
    assert all(row[:, 170:].min() < 200 for row in rows)


def test_a_kind_keeps_what_it_fixes(maker: LineMaker) -> None:
    """Its text, and its paper: a ruled line has more ink than the same on a plain one."""
    kinds = [LineKind(lambda _rng: [LinePart("number", "11")], {}, LinePaper(ruled=ruled)) for ruled in (False, True)]
    lines = [[maker.make(np.random.default_rng(seed), kind) for seed in range(30)] for kind in kinds]
    assert {line.text for each in lines for line in each} == {"11", "1"}  # a whole number of UNIPEN is what it is
    long = [np.mean([(line.strip > 150).mean(axis=1).max() for line in each]) for each in lines]
    assert long[1] > long[0] + 0.1


def test_a_sheet_that_cannot_be_made_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fonts nobody writes; a name that is none of a picture's cannot be written."""
    monkeypatch.setattr("lenet.training.line_samples.find_fonts", lambda: NO_FONTS)
    with pytest.raises(UsageError, match="--hands none: needs fonts that write; install fonts-breip and others, or"):
        sheet_lines(tmp_path / "a.png", "none")
    monkeypatch.setattr("lenet.training.line_samples.load_hands", lambda _part: None)
    monkeypatch.setattr("lenet.training.line_samples.write_sheet", lambda *_given: False)
    with pytest.raises(UsageError, match="a.none: cannot be written; give a folder that is there"):
        sheet_lines(tmp_path / "a.none", "dev")


def test_held_out_hands_write_no_line_to_learn_from() -> None:
    """Neither UNIPEN's writers of the part dev, nor MNIST's held-out ones."""
    if not (Path(os.environ.get("LENET_DATA", ".")) / "unipen").is_dir():
        pytest.skip("needs the strokes of UNIPEN in LENET_DATA")
    train, dev = load_hands("train"), load_hands("dev")
    for one, other in ((train.pens.characters, dev.pens.characters), (train.pens.numbers, dev.pens.numbers)):
        assert not set(one.writers) & set(other.writers)
    assert not set(train.writers[train.mine]) & set(dev.writers[dev.mine])
    assert (len(train.pens.writers), len(dev.pens.writers)) == (170, 24)


def test_signs_are_made_as_large_as_hands_write_them(rng: np.random.Generator) -> None:
    """The median height and middle of UNIPEN's signs in numbers are among those of made ones."""
    if not (Path(os.environ.get("LENET_DATA", ".")) / "unipen").is_dir():
        pytest.skip("needs the strokes of UNIPEN in LENET_DATA")
    written = measure_signs("train")
    for sign in "/,:().$-":
        high, wide, middle = np.median(written[sign], axis=0)
        sizes, middles, lying = zip(*(find_sign_place(sign, rng) for _sign in range(200)), strict=True)
        assert min(sizes) <= (wide if lying[0] else high) <= max(sizes), sign
        assert min(middles) <= middle <= max(middles), sign


def test_strokes_are_grouped_into_signs() -> None:
    """Two strokes of a 4 are one sign, a dash over the next digit is its own where there is room for it."""
    four = [np.array([[0, 0], [0, 50], [40, 50]], np.float32), np.array([[30, 0], [30, 100]], np.float32)]
    one = np.array([[60, 0], [62, 100]], np.float32)
    boxes = group_strokes([*four, one], 2)
    assert [each.tolist() for each in boxes] == [[0, 0, 40, 100], [60, 0, 62, 100]]
    assert len(group_strokes([*four, one], 1)) == 2


def test_a_display_shows_each_digit_by_its_own_segments() -> None:
    """Ten digits of one display are ten pictures; an 8 has all the ink of any of them; all are one digit high."""
    shown = [draw_display(digit, np.random.default_rng(3)) for digit in "0123456789"]
    assert all(mark.box[1] == 0 and mark.box[3] == pytest.approx(1, abs=0.1) for mark in shown)
    inks = [int((mark.raster > 128).sum()) for mark in shown if mark.raster is not None]
    assert len({(mark.raster.shape, mark.raster.tobytes()) for mark in shown if mark.raster is not None}) == 10
    assert max(inks) == inks[8]
    assert min(inks) == inks[1]


def test_a_display_has_no_slash_and_takes_one_number_of_chance() -> None:
    """So that lines that follow are the same as after print."""
    assert shows_on_display("-12:30.5,0")
    assert not any(map(shows_on_display, ("1/2", "5%", "(3", "a")))
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    draw_display("10", rng)
    other.uniform(0.85, 1.15)
    assert rng.random() == other.random()
