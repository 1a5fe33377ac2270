"""Pictures that read poorly at first: turned, taken for a sheet on a table, torn across; and what stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.answers.looks import choose_turns, look_again, turn_reading
from lenet.arrays import Uint8
from lenet.errors import PictureError
from lenet.preprocessing.pipeline import find_writing, prepare_page, turn_page
from lenet.result import Digit, Line, Number, Reading, RunnerUp, note_passed_over
from lenet.steps import Step
from test_cli import run

from conftest import ROOT

EXAMPLES = ROOT / "examples"


def grey(name: str) -> Uint8:
    """An example as grey levels."""
    return np.asarray(Image.open(EXAMPLES / name).convert("L"))


@pytest.mark.parametrize(("name", "quarters"), [("lined.jpg", 1), ("lined.jpg", 3), ("touching.jpg", 2)])
def test_a_turned_picture_is_read_upright(name: str, quarters: int) -> None:
    """It says so, and boxes are where the digits are in the picture as it is."""
    upright = lenet.read(EXAMPLES / name)
    found = lenet.read(np.ascontiguousarray(np.rot90(grey(name), quarters)))
    assert found.text == upright.text
    assert f"turned to the left by {360 - 90 * quarters} degrees to be read" in found.notes
    high, wide = grey(name).shape
    wide, high = (wide, high) if quarters == 2 else (high, wide)
    for digit in found.digits:
        assert 0 <= digit.box[0] < digit.box[2] <= wide
        assert 0 <= digit.box[1] < digit.box[3] <= high


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_boxes_are_turned_back(quarters: int) -> None:
    """What is dark in the picture is in the box of what was found on the turned page."""
    page = np.full((60, 100), 255, np.uint8)
    page[10:30, 70:85] = 0
    turned = turn_page(prepare_page(page), quarters)
    rows, columns = np.nonzero(turned.grey < 128)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    reading = lenet.read(EXAMPLES / "pen.png")
    reading = turn_reading(
        reading.__class__("7", "", 1.0, False, (reading.lines[0].__class__("7", "", 1.0, False, box),)),
        quarters,
        (100, 60),
    )
    assert reading.lines[0].box == (70, 10, 85, 30)


def test_upright_pictures_are_not_turned() -> None:
    """Of the examples none is, nor is a blank page looked at again."""
    for file in [*EXAMPLES.glob("*.jpg"), *EXAMPLES.glob("*.png")]:
        assert not any("turned to" in note for note in lenet.read(file).notes), file.name


def test_one_digit_is_not_turned() -> None:
    """A 6 on its head is a 9, however poor; nor is a picture of which one digit is asked for."""
    page = np.full((120, 120), 255, np.uint8)
    cv2.putText(page, "6", (35, 95), cv2.FONT_HERSHEY_SIMPLEX, 2.6, 0, 8, cv2.LINE_AA)
    turned = np.ascontiguousarray(np.rot90(page, 2))
    assert lenet.read(turned).best_text == "9"
    for quarters in range(4):
        found = lenet.read(np.ascontiguousarray(np.rot90(grey("lined.jpg"), quarters)), digit=True)
        assert not any("turned to" in note for note in found.notes)


def say(text: str, confidence: float) -> Reading:
    """A reading of these lines, a number each, all of them so sure."""
    numbers = [
        Number(each, "", confidence, False, (0, 20 * line, 10 * len(each), 20 * line + 18), line)
        for line, each in enumerate(text.split("\n"))
    ]
    digits = [
        Digit(each, confidence, RunnerUp("", 0.0), 0, (0, 0, 9, 18), np.zeros((28, 28), np.uint8))
        for each in text
        if each.isdigit()
    ]
    lines = [Line(each.text, "", confidence, False, each.box) for each in numbers]
    return Reading(text, "", confidence, False, tuple(lines), numbers=tuple(numbers), digits=tuple(digits))


@pytest.mark.parametrize(
    ("first", "turned", "taken"),
    [
        (say("0\n0\n7", 0.98), say("9050", 0.970), True),  # more digits a line: a column may be a number on its side
        (say("0\n0\n7", 0.98), say("9050", 0.968), False),
        (say("0\n0\n7", 0.98), say("9\n0\n5", 0.999), False),  # a column, too
        (say("170", 0.8), say("9050", 0.945), False),  # hardly likelier
        (say("170", 0.8), say("9050", 0.952), True),
        (say("170", 0.95), say("9050", 0.999), False),  # sure upright
        (say("170", 0.8), say("6", 0.99), False),  # one digit
        (Reading("", "", 0.9999, "not a digit"), say("9050", 0.79), True),  # surely nothing, as a number on its side is
        (Reading("", "", 0.9999, "not a digit"), say("9050", 0.78), False),
    ],
)
def test_a_look_on_its_side_has_to_be_clearly_likelier(first: Reading, turned: Reading, taken: bool) -> None:
    """But for a column of single digits, however sure they are: 0s and 1s lie like others stand."""
    page = prepare_page(np.full((200, 60), 255, np.uint8))
    turns = choose_turns(60, 200, first, [], 1)
    found = look_again(page, first, lambda _page: turned, turns)
    assert (found.text == turned.text) is taken


def test_ink_that_is_passed_over_makes_a_sure_number_doubtful() -> None:
    """A 0 between three marks may be a number on its side; one alone, as sure, is not looked at again."""
    sure = say("0", 0.98)
    assert choose_turns(60, 200, sure, [], 1) == ()
    marks = replace(sure, steps=note_passed_over([(0, 40, 9, 58)]))
    assert choose_turns(60, 200, marks, [], 1) == (1, 3)
    assert choose_turns(200, 60, marks, [], 1) == ()


@pytest.mark.parametrize(("marks", "taken"), [(3, True), (1, False)])
def test_the_more_is_passed_over_the_likelier_a_page_is_turned(marks: int, taken: bool) -> None:
    """Three marks as large as the 0 that is read weigh more than one."""
    page = prepare_page(np.full((200, 60), 255, np.uint8))
    first = replace(say("0", 0.98), steps=note_passed_over((0, 40 * each, 9, 40 * each + 18) for each in range(marks)))
    found = look_again(page, first, lambda _page: say("9050", 0.952), (1,))
    assert (found.text == "9050") is taken


def test_a_page_of_many_numbers_counts_by_each_of_them() -> None:
    """Of ten numbers, each of them answered, hardly all are right: a turned page of them is an answer all the same."""
    page = prepare_page(np.full((200, 60), 255, np.uint8))
    turned = replace(say("90\n50", 0.98), confidence=0.4)
    assert look_again(page, say("17", 0.6), lambda _page: turned, (1,)).text == turned.text
    withheld = replace(turned, text="90\n?")
    assert look_again(page, say("17", 0.6), lambda _page: withheld, (1,)).text == "17"


@pytest.mark.parametrize("likelier", [1, 3])
def test_the_likelier_of_two_turned_looks_counts(likelier: int) -> None:
    """Whichever comes first: each has to be ahead of the upright look, not of the other by as much."""
    page = prepare_page(np.full((200, 60), 255, np.uint8))
    looks = iter([say("9066", 0.955 if likelier == 3 else 0.985), say("9906", 0.985 if likelier == 3 else 0.955)])
    found = look_again(page, say("17", 0.6), lambda _page: next(looks), (1, 3))
    assert found.text == ("9066" if likelier == 1 else "9906")


def test_a_number_on_its_side_is_not_one_digit() -> None:
    """Turned looks are asked first: what reads as two doubtful lines may be two of its digits."""
    page = prepare_page(np.full((200, 60), 255, np.uint8))
    first, turned, one = say("0\n0", 0.8), say("9066", 0.98), say("8", 0.999)
    assert look_again(page, first, lambda _page: turned, (1,), lambda: one).text == "9066"
    assert look_again(page, first, lambda _page: first, (1,), lambda: one).text == "8"


def test_an_upright_look_counts_by_how_sure_it_is_alone() -> None:
    """More digits, such as a table's grain makes, are no reason to take what was seen with it."""
    page = replace(
        prepare_page(np.full((60, 200), 255, np.uint8)), before=prepare_page(np.full((60, 200), 9, np.uint8))
    )
    for first, before, taken in (("7", 0.88, False), ("7", 0.96, True)):
        more = say("1234567", before)
        assert (look_again(page, say(first, 0.85), lambda _page, more=more: more) is more) is taken


def test_with_a_format_nothing_is_turned() -> None:
    """What stands on its head is bent until it fits: it is told as it is."""
    turned = np.ascontiguousarray(np.rot90(grey("touching.jpg"), 2))
    assert not any("turned to" in note for note in lenet.read(turned, pattern="digits:4").notes)


def test_white_digits_that_fill_a_black_canvas_are_no_sheet_of_paper() -> None:
    """Without the table that was laid over the digit is there."""
    canvas = np.zeros((290, 260), np.uint8)
    cv2.putText(canvas, "2", (20, 250), cv2.FONT_HERSHEY_SIMPLEX, 9.5, 255, 62, cv2.LINE_AA)
    assert lenet.read(canvas).text == "2"


def test_black_all_around_is_the_ground_of_a_white_blot() -> None:
    """However much of the page is white: black fills no page that is written on. A black frame is ink all the same."""
    canvas = np.zeros((100, 100), np.uint8)
    cv2.circle(canvas, (50, 50), 44, 255, -1, cv2.LINE_AA)
    found = find_writing(prepare_page(canvas))
    assert "light-ink" in [step.id for step in found.steps]
    assert found.ink.strokes[50, 50]
    framed = np.full((100, 100), 255, np.uint8)
    cv2.rectangle(framed, (0, 0), (99, 99), 0, 24)
    assert "light-ink" not in [step.id for step in find_writing(prepare_page(framed)).steps]


@pytest.mark.parametrize("digit", [True, False])
@pytest.mark.parametrize("shape", ["square", "round"])
def test_a_small_sheet_on_a_dark_table_is_no_light_ink(shape: str, digit: bool) -> None:
    """It is a rectangle, or has no dents and is written on: what is written on it is read."""
    table = np.full((96, 96), 30, np.uint8)
    if shape == "square":
        table[12:84, 12:84] = 230
    else:
        cv2.circle(table, (48, 48), 44, 230, -1, cv2.LINE_AA)
    cv2.putText(table, "5", (32, 66), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 30, 5, cv2.LINE_AA)
    assert lenet.read(table, digit=digit).text == "5"


STAINS = Reading("", "", 0.0, "not a digit", steps=(Step("stains-dropped", {"stains": 1}),))


@pytest.mark.parametrize(
    ("first", "one", "taken"),
    [
        (say("9\n0", 0.8), say("6", 0.95), True),  # a 6 in two pieces
        (say("9\n0", 0.8), say("6", 0.9), False),
        (say("9\n0", 0.95), say("6", 0.999), False),  # two sure numbers
        (say("9\n0\n5", 0.6), say("6", 0.999), False),  # three lines
        (say("90", 0.6), say("6", 0.999), False),
        (STAINS, say("8", 0.91), True),
        (STAINS, say("0", 0.89), False),  # a blot
        (Reading("", "", 0.9, "not a digit"), say("4", 0.999), False),  # a letter
    ],
)
def test_what_may_be_one_digit_is_looked_at_as_one(first: Reading, one: Reading, taken: bool) -> None:
    """Two doubtful lines of a digit each, or nothing but stains, are one digit if that is clearly likelier."""
    page = prepare_page(np.full((100, 100), 255, np.uint8))
    assert (look_again(page, first, lambda _page: first, read_one=lambda: one) is one) is taken


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_a_digit_torn_across_is_one_digit(gap: int) -> None:
    """A gap thinner than the pen; two digits, one below the other, stay two."""
    page = np.full((160, 120), 255, np.uint8)
    cv2.putText(page, "8", (30, 120), cv2.FONT_HERSHEY_SIMPLEX, 3.4, 0, 11, cv2.LINE_AA)
    page[92 : 92 + gap] = 255
    assert lenet.read(page).best_text == "8"
    two = np.full((240, 120), 255, np.uint8)
    for row, text in enumerate("56"):
        cv2.putText(two, text, (30, 100 + 110 * row), cv2.FONT_HERSHEY_SIMPLEX, 3, 0, 10, cv2.LINE_AA)
    assert lenet.read(two).text == "5\n6"


def test_every_frame_is_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a TIFF and of a GIF, in order, with its page; a file of one page keeps its name."""
    frames = [Image.open(EXAMPLES / name).convert("L").resize((300, 200)) for name in ("pen.png", "marker.png")]
    for ending in ("tif", "gif"):
        frames[0].save(tmp_path / f"two.{ending}", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "one.tif")
    status, out, err = run(capsys, "read", str(tmp_path), "--json")
    assert (status, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    names = [Path(row["path"]).name for row in rows]
    assert names == ["one.tif", "two.gif::1", "two.gif::2", "two.tif::1", "two.tif::2"]
    assert [row.get("page") for row in rows] == [None, 0, 1, 0, 1]
    assert [row["text"] for row in rows] == ["7", "7", "2", "7", "2"]


def test_what_a_folder_passes_over_has_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not labels, and nothing that is hidden; the pictures are read."""
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "labels.csv").write_text("path,label\n")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (tmp_path / "7.png").write_bytes((EXAMPLES / "pen.png").read_bytes())
    status, out, err = run(capsys, "read", str(tmp_path))
    assert (status, out.count("\n")) == (0, 1)
    lines = err.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'broken.pdf'}: passed over (is no PDF that can be read")
    assert lines[1:] == [f"{tmp_path / 'notes.txt'}: passed over (not a picture in a known format)"]


def test_every_page_of_a_pdf_is_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In order; a page that is not there is none."""
    pytest.importorskip("pypdfium2")
    pages = [Image.open(EXAMPLES / name).convert("RGB") for name in ("pen.png", "marker.png", "zip.jpg")]
    pages[0].save(tmp_path / "scan.pdf", save_all=True, append_images=pages[1:], resolution=100)
    status, out, err = run(capsys, "read", str(tmp_path / "scan.pdf"))
    assert (status, err) == (0, "")
    assert [line.split("\t")[1] for line in out.splitlines()] == ["7", "2", "90210"]
    assert out.startswith(f"{tmp_path / 'scan.pdf'}::1\t")


def test_a_heic_photograph_is_read(tmp_path: Path) -> None:
    """Where its library is; one that is cut off has its line."""
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    Image.open(EXAMPLES / "zip.jpg").convert("RGB").save(tmp_path / "zip.heic", quality=80)
    assert lenet.read(tmp_path / "zip.heic").text == "90210"
    cut = (tmp_path / "zip.heic").read_bytes()[:300]
    with pytest.raises(PictureError, match="cannot be decoded"):
        lenet.read(cut)
