"""What stands in pictures beside digits, drawn here kind by kind: signs, numbers apart, letters, tables, circles."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import lenet
from lenet.answers.line import CutLine
from lenet.arrays import Uint8
from lenet.decoding.spacing import find_spaces, is_bound, measure_rooms, part_numbers, trust_spaces
from lenet.drawing.pictures import load_font
from lenet.errors import LenetError
from lenet.network.inputs import PAPER_GREY, PEN_GREY
from lenet.preprocessing.binarize import Ink
from lenet.result import Box
from lenet.segmentation.components import find_components
from lenet.segmentation.line_strips import find_dividers
from lenet.steps import Step

EXAMPLES = Path(__file__).parents[1] / "examples"


def page(*texts: tuple[str, int, int], size: tuple[int, int] = (420, 110), high: int = 56) -> Uint8:
    """Texts in Pillow's own font, each with the left and the middle of its place, black on white."""
    picture = Image.new("L", size, 255)
    for text, left, middle in texts:
        ImageDraw.Draw(picture).text((left, middle), text, 0, load_font(high), anchor="lm")
    return np.asarray(picture)


@pytest.mark.parametrize("text", ["9/20", "-979.38", "12:34", "3,50", "54%", "(408)", "12+5=17", "$4,590"])
def test_signs_are_answered_as_they_are_written(text: str) -> None:
    """With their boxes, from left to right between the digits; a comma is no point."""
    found = lenet.read(page((text, 40, 55)))
    assert found.text == text
    marks = sorted([*found.digits, *found.signs], key=lambda each: each.box[0] + each.box[2])
    assert "".join(mark.label for mark in marks) == text


@pytest.mark.parametrize("gap", [60, 120, 240])
def test_numbers_apart_are_apart(gap: int) -> None:
    """Each with its box, its confidence and its line; the picture's is that all are right."""
    found = lenet.read(page(("628", 30, 55), ("47", 130 + gap, 55), size=(560, 110)))
    assert found.text == "628 47"
    assert [(number.text, number.line) for number in found.numbers] == [("628", 0), ("47", 0)]
    first, second = (number.box for number in found.numbers)
    assert first[2] < second[0]
    assert found.confidence == pytest.approx(np.prod([number.confidence for number in found.numbers]))
    assert found.confidence <= found.lines[0].confidence + 1e-9


def test_a_pattern_holds_for_each_number() -> None:
    """Two of three digits are both answered; where one does not fit, nothing is sure."""
    picture = page(("628", 30, 55), ("475", 250, 55), size=(460, 110))
    assert lenet.read(picture, pattern="digits:3").text == "628 475"
    assert lenet.read(picture, pattern="digits:2").text == ""


@pytest.mark.parametrize(("before", "behind"), [("", "kg"), ("", "cm"), ("Total", "")])
def test_letters_beside_a_number_are_passed_over(before: str, behind: str) -> None:
    """A step says so, with the place; the number is the answer."""
    found = lenet.read(page((before, 20, 55), ("345", 200, 55), (behind, 330, 55)))
    assert found.text == "345"
    (step,) = (step for step in found.steps if step.id == "letters-passed-over")
    (box,) = str(step.values["boxes"]).split(";")[:1]
    x0, _y0, x1, _y1 = map(int, box.split("/"))
    assert x1 <= 230 if before else x0 >= 280


def test_ink_that_the_line_says_nothing_of_is_said_to_be_passed_over() -> None:
    """The letters of a code, of which its answer has the digits alone: one place, before the first digit."""
    found = lenet.read(EXAMPLES / "code.png")
    assert found.text == "7204"
    ((left, top, right, foot),) = found.passed_over
    assert left < 80
    assert 150 < right < found.digits[0].box[0]
    assert foot - top > 80


@pytest.mark.parametrize("name", ["amount.jpg", "boxes.png", "form.png", "lined.jpg", "touching.jpg", "zip.jpg"])
def test_what_is_read_is_not_passed_over(name: str) -> None:
    """Nor are commas, boxes, ruled lines and strokes that touch, which stand beside digits."""
    found = lenet.read(EXAMPLES / name)
    assert found.text
    assert found.passed_over == ()


@pytest.mark.parametrize(
    ("pieces", "said", "expected"),
    [
        ([(0, 0, 10, 40), (12, 5, 30, 50), (40, 0, 60, 50)], [(40, 0, 60, 50)], [(0, 0, 30, 50)]),
        ([(0, 0, 10, 40), (40, 0, 60, 50), (70, 0, 90, 50)], [(40, 0, 60, 50)], [(0, 0, 10, 40), (70, 0, 90, 50)]),
        ([(0, 0, 10, 19), (40, 0, 60, 50), (70, 20, 90, 40)], [(40, 0, 60, 50)], [(70, 20, 90, 40)]),
        ([(0, 0, 45, 50), (40, 0, 60, 50)], [(40, 0, 60, 50)], []),
        ([(40, 0, 60, 50)], [(40, 0, 60, 50)], []),
    ],
    ids=["pieces are one", "two places", "lower than two fifths", "part of a sign", "nothing"],
)
def test_what_a_line_leaves_out(pieces: list[Box], said: list[Box], expected: list[Box]) -> None:
    """Ink as high as writing whose columns no sign has; what no sign stands between is one place."""
    arcs = np.array([(row, row + 1) for row in range(len(pieces))] + [(0, 2)])
    boxes = np.array([*pieces, (0, 0, 99, 99)])
    lattice = SimpleNamespace(arcs=arcs, find_arcs=lambda _line: np.arange(len(arcs)))
    candidates = SimpleNamespace(lattice=lattice, boxes=lambda rows: boxes[rows])
    line = CutLine(candidates, 0, np.zeros((0, 11)), np.zeros(0))  # type: ignore[arg-type]
    assert list(line.find_left_out(tuple(said))) == expected


@pytest.mark.parametrize("pitch", [46, 52, 60])
def test_squares_part_no_number(pitch: int) -> None:
    """What is written across squared paper, here and there two digits in a square, is one number."""
    picture = page(("50973", 40, 90), size=(400, 180)).copy()
    for at in range(10, 400, pitch):
        picture[:, at : at + 2] = np.minimum(picture[:, at : at + 2], 120)
        picture[at : at + 2] = np.minimum(picture[at : at + 2], 120)
    assert lenet.read(picture).text == "50973"


def test_full_cells_of_a_table_are_apart() -> None:
    """Also where as little room is left beside the line as between the digits of a number."""
    picture = page(("527", 20, 55), ("944", 124, 55), size=(260, 110)).copy()
    for x in (14, 118, 222):
        picture[5:105, x : x + 2] = 0
    for y in (5, 103):
        picture[y : y + 2, 14:224] = 0
    assert lenet.read(picture).text == "527 944"


def test_a_ruled_line_that_writing_crosses_still_parts_cells() -> None:
    """Half of it is enough where it goes on above and below; alone it is not, nor is less of it."""
    ruled = np.zeros((90, 100), bool)
    lattice = SimpleNamespace(
        lines=np.array([[1, 3]]), arcs=np.array([[1, 2], [2, 3]]), boxes=np.array([[10, 30, 40, 60], [60, 30, 90, 60]])
    )
    for beyond, missing, found in ((True, 0, [50.0]), (True, 15, [50.0]), (False, 15, []), (True, 25, [])):
        ruled[:, 50] = beyond
        ruled[30:60, 50] = np.arange(30) >= missing
        assert find_dividers(SimpleNamespace(ruled=ruled), lattice, 0).tolist() == pytest.approx(found, abs=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("thick", [1, 2, 4])
def test_lines_of_a_table_part_its_numbers(thick: int) -> None:
    """A space for each line between them, a newline for each row."""
    rows = (("27", "3", "145"), ("8", "61", "90"))
    picture = page(
        *((text, 40 + 160 * x, 60 + 100 * y) for y, own in enumerate(rows) for x, text in enumerate(own)),
        size=(520, 220),
    ).copy()
    for x in range(4):
        picture[10:210, 20 + 160 * x : 20 + 160 * x + thick] = 0
    for y in range(3):
        picture[10 + 100 * y : 10 + 100 * y + thick, 20 : 500 + thick] = 0
    assert lenet.read(picture).text == "27 3 145\n8 61 90"


@pytest.mark.parametrize("thick", [1, 3])
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.8])
def test_a_box_for_each_digit_is_one_number(thick: int, scale: float) -> None:
    """At any resolution and thickness: cells of one digit are no table."""
    picture = page(*((text, 38 + 70 * x, 60) for x, text in enumerate("30561")), size=(400, 120)).copy()
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for x in range(6):
        column = round(scale * (20 + 70 * x))
        picture[round(scale * 20) : round(scale * 100), column : column + thick] = 0
    for y in (20, 100):
        row = round(scale * y)
        picture[row : row + thick, round(scale * 20) : round(scale * 370) + thick] = 0
    assert lenet.read(picture).text == "30561"


@pytest.mark.parametrize("digit", [True, False])
@pytest.mark.parametrize("thick", [2, 5])
def test_a_circle_around_a_digit_is_dropped(digit: bool, thick: int) -> None:
    """And said; a 0 around nothing is a 0."""
    picture = page(("4", 84, 105), size=(200, 200), high=80).copy()
    cv2.circle(picture, (105, 100), 80, 0, thick, cv2.LINE_AA)
    found = lenet.read(picture, digit=digit)
    assert found.text == "4"
    assert "1 circle around writing dropped" in found.notes
    assert lenet.read(page(("0", 84, 105), size=(200, 200), high=80), digit=digit).text == "0"


@pytest.mark.parametrize(
    ("strokes", "dropped"),
    [
        ([((60, 80), (100, 86))], True),
        ([((56, 80), (74, 84)), ((86, 84), (104, 80))], True),
        ([((78, 80), (86, 80))], False),
        ([((60, 80), (60, 80)), ((100, 80), (100, 80))], False),
    ],
    ids=["a digit that lies", "one in two pieces", "a dot", "two specks far apart"],
)
def test_what_a_circle_is_around_is_one_digit(
    strokes: list[tuple[tuple[int, int], tuple[int, int]]], dropped: bool
) -> None:
    """However low it is, and in however many pieces; what is too small for one leaves a 0 a 0."""
    drawn = np.zeros((160, 160), np.uint8)
    cv2.circle(drawn, (80, 80), 60, 255, 4)
    for start, end in strokes:
        cv2.line(drawn, start, end, 255, 4)
    steps: list[Step] = []
    kept = find_components(Ink(drawn, drawn > 0, 0.0, ()), steps).kept
    assert ([step.id for step in steps] == ["rings-dropped"]) is dropped
    assert np.count_nonzero(kept) == len(strokes) + (not dropped)


def test_a_mark_beside_a_circle_keeps_no_circle() -> None:
    """It stands in the corner of the circle's box, and is as large as a part of a digit: what is within counts."""
    drawn = np.zeros((130, 330), np.uint8)
    cv2.ellipse(drawn, (165, 65), (150, 50), 0, 0, 360, 255, 3)
    cv2.line(drawn, (150, 40), (170, 90), 255, 5)
    cv2.line(drawn, (22, 20), (46, 20), 255, 4)
    steps: list[Step] = []
    kept = find_components(Ink(drawn, drawn > 0, 0.0, ()), steps).kept
    assert "rings-dropped" in [step.id for step in steps]
    assert np.count_nonzero(kept) == 2


def test_weights_of_one_digit_refuse_a_number() -> None:
    """One line that names those that read numbers; a digit is read, and what --digit asks for."""
    number, one = page(("628", 40, 55)), page(("6", 40, 55), size=(120, 110))
    with pytest.raises(LenetError, match="several digits, and lenet5 reads one; choose lenet5-hands, lenet5-reader or"):
        lenet.read(number, model="lenet5")
    assert len(lenet.read(one, model="lenet5").best_text) == 1
    assert len(lenet.read(number, model="lenet5", digit=True).best_text) == 1


def test_a_comma_that_hangs_below_begins_no_line() -> None:
    """As long as half a digit and more."""
    picture = page(("93", 40, 50), ("31", 150, 50)).copy()
    cv2.line(picture, (124, 66), (117, 86), 0, 7, cv2.LINE_AA)
    found = lenet.read(picture)
    assert len(found.lines) == 1
    assert "".join(digit.label for digit in found.digits) == "9331"


def test_rooms_are_measured_between_signs() -> None:
    """In heights of the strip; ink between them is none."""
    strip = np.full((32, 100), PAPER_GREY, np.uint8)
    strip[4:28, 10:20] = strip[4:28, 36:50] = strip[4:28, 52:60] = PEN_GREY
    assert measure_rooms(strip, np.array([15.0, 43.0, 56.0])) == pytest.approx([16 / 32, 2 / 32])


@given(st.text("0123456789.,-/", min_size=1, max_size=12), st.data())
def test_parting_a_text_keeps_its_signs(text: str, data: st.DataObject) -> None:
    """Only spaces are put in, never beside each other; every part has a digit if the text has any."""
    likely = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(text) - 1, max_size=len(text) - 1)))
    parted = part_numbers(text, likely)
    assert parted.replace(" ", "") == text
    parts = parted.split(" ")
    assert all(parts)
    if any(map(str.isdigit, text)):
        assert all(any(map(str.isdigit, part)) for part in parts)
    assert part_numbers(text, np.zeros(len(text) - 1)) == text


def test_a_sign_that_belongs_to_a_digit_is_not_parted_from_it() -> None:
    """A minus from the number behind it, a per cent from that before."""
    features = np.tile([8.0, 3.0, 2.0, 2.0, 0.0, 0.0], (3, 1))
    weights = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    assert find_spaces(features, weights, "-54%").round().tolist() == [0, 1, 0]
    assert is_bound("$5", 0)
    assert not is_bound("55", 0)


def test_spaces_are_as_sure_as_the_least_certain() -> None:
    """What is certain changes nothing; trust weighs the others."""
    assert trust_spaces(np.array([1.0, 1.0]), np.array([2.0, 1.0])) == 1.0
    assert trust_spaces(np.zeros(0), np.array([2.0, 1.0])) == 1.0
    assert trust_spaces(np.array([0.9, 0.99]), np.array([1.0, 0.0])) == pytest.approx(0.9)
    assert trust_spaces(np.array([0.9, 0.99]), np.array([2.0, 0.0])) == pytest.approx(81 / 82)
