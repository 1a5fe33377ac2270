"""Boxes, combs and squared paper go; digits in them stay, and 1s on a line are no boxes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lenet
from lenet.arrays import Bools, Uint8
from lenet.preprocessing.binarize import find_ink
from lenet.preprocessing.decode import open_page
from lenet.preprocessing.pipeline import find_writing
from lenet.preprocessing.ruled_lines import remove_ruled_lines
from lenet.segmentation import components
from lenet.segmentation.candidates import find_candidates
from lenet.training.synthetic.styles import draw_style

from conftest import notes_of

PITCH, TOP, LOW = 70, 20, 90


def rings(count: int) -> Uint8:
    """White paper with a row of 0s."""
    page = np.full((110, PITCH * count + 20), 255, np.uint8)
    for place in range(count):
        cv2.circle(page, (10 + PITCH * place + PITCH // 2, 55), 20, 0, 5, cv2.LINE_AA)
    return page


def pieces(ink: Bools) -> int:
    """How many pieces of more than a few pixels there are."""
    count, _labels, stats, _middles = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
    return int((stats[1:count, cv2.CC_STAT_AREA] > 20).sum())


def strokes(page: Uint8) -> Bools:
    """What is left of a page's ink."""
    return remove_ruled_lines(find_ink(open_page(page))).strokes


@pytest.mark.parametrize("grey", [0, 120])
@pytest.mark.parametrize("thick", [1, 2, 4])
@pytest.mark.parametrize("teeth", [TOP, 60], ids=["boxes", "comb"])
def test_a_box_for_each_digit_goes(teeth: int, thick: int, grey: int) -> None:
    """Sides between digits too; every pixel of the digits stays, and hardly another, at corners."""
    page = rings(5)
    alone = strokes(page)
    cv2.line(page, (10, LOW), (360, LOW), grey, thick)
    for place in range(6):
        cv2.line(page, (10 + PITCH * place, teeth), (10 + PITCH * place, LOW), grey, thick)
    if teeth == TOP:
        cv2.line(page, (10, TOP), (360, TOP), grey, thick)
    left = strokes(page)
    assert left[alone].all()
    assert pieces(left) == 5
    assert (left & ~alone).sum() <= 60


def test_boxes_of_uneven_width_go() -> None:
    """Their sides lead from one line to the other."""
    page = rings(4)
    alone = strokes(page)
    for y in (TOP, LOW):
        cv2.line(page, (10, y), (290, y), 0, 2)
    for x in (10, 76, 150, 226, 290):
        cv2.line(page, (x, TOP), (x, LOW), 0, 2)
    left = strokes(page)
    assert left[alone].all()
    assert (left & ~alone).sum() < 30


def test_squares_behind_digits_go() -> None:
    """Most of the digits stays, though some of their sides lie in a line, and hardly anything else."""
    page = rings(5)
    alone = strokes(page)
    for x in range(4, page.shape[1], 30):
        cv2.line(page, (x, 0), (x, 109), 0, 2)
    for y in range(2, 110, 30):
        cv2.line(page, (0, y), (page.shape[1] - 1, y), 0, 2)
    left = strokes(page)
    assert (left & alone).sum() > 0.8 * alone.sum()
    assert (left & ~alone).sum() < 0.1 * alone.sum()


@pytest.mark.parametrize("lean", [0.0, 0.035])
@pytest.mark.parametrize(
    ("squares", "pen", "darkest"),
    [
        ((170, 190, 225), (28, 32, 60), 0.6),
        ((170, 170, 170), (30, 50, 170), 0.75),
        ((140, 140, 140), (30, 30, 30), 1.0),
    ],
    ids=["blue squares in a shadow, blue-black pen", "grey squares in a shadow, blue pen", "greyer squares, black pen"],
)
def test_squares_paler_than_the_pen_go(
    squares: tuple[int, int, int], pen: tuple[int, int, int], darkest: float, lean: float, rng: np.random.Generator
) -> None:
    """Squares have more ink than two lines of 0s, in any colour, and may lean: every 0 is left, and no more."""
    page = np.full((700, 1400, 3), 244, np.uint8)
    for place in range(-60, 1460, 95):
        cv2.line(page, (place, 0), (round(place - 700 * lean), 700), squares, 2, cv2.LINE_AA)
        cv2.line(page, (0, place), (1400, round(place + 1400 * lean)), squares, 2, cv2.LINE_AA)
    for x, y in ((170, 170), (320, 180), (470, 175), (620, 190), (770, 185), (170, 450), (320, 455), (470, 460)):
        cv2.ellipse(page, (x, y), (30, 48), 0, 0, 360, pen, 9, cv2.LINE_AA)
    shadow = np.linspace(1, darkest, 1400)[:, None]
    noisy = np.clip(page * shadow + rng.normal(0, 3, page.shape), 0, 255).astype(np.uint8)
    candidates = find_candidates(noisy)
    assert len(candidates.lattice.lines) == 2
    boxes = candidates.lattice.boxes * candidates.scale + np.tile(candidates.origin, 2)
    assert np.abs(boxes.min(axis=0) - (135, 117, 205, 223))[:2].max() < 12
    assert np.abs(boxes.max(axis=0)[2:] - (805, 513)).max() < 12


def test_a_digit_on_the_side_of_its_box_stays_whole() -> None:
    """A ring over a side between two boxes is still closed."""
    page = rings(3)
    cv2.circle(page, (10 + PITCH, 55), 20, 0, 5, cv2.LINE_AA)
    for y in (TOP, LOW):
        cv2.line(page, (10, y), (220, y), 0, 2)
    for place in range(4):
        cv2.line(page, (10 + PITCH * place, TOP), (10 + PITCH * place, LOW), 0, 2)
    left = strokes(page)
    row = left[55]
    assert row[10 + PITCH - 22 : 10 + PITCH - 18].all()
    assert row[10 + PITCH + 18 : 10 + PITCH + 22].all()
    assert not left[TOP : TOP + 8, 10 + PITCH].any()


@pytest.mark.parametrize("low", [86, 104])
def test_ones_on_a_line_are_no_uprights(low: int) -> None:
    """Even, as high as each other, as thin as the line, on it or through it: every one stays."""
    page = np.full((120, 420), 255, np.uint8)
    for x in (90, 170, 250, 330):
        cv2.line(page, (x, 30), (x, low), 0, 4)
    cv2.line(page, (0, 88), (419, 88), 0, 4)
    left = strokes(page)
    assert left[32:84, [90, 170, 250, 330]].all()
    assert not left[88, 100:160].any()


def test_a_tall_leaning_one_near_the_end_of_a_line_stays() -> None:
    """The sides of boxes are upright on their line; what leans like a stroke is a stroke."""
    page = np.full((180, 440), 255, np.uint8)
    for x in (110, 210, 310):
        cv2.circle(page, (x, 105), 34, 0, 6, cv2.LINE_AA)
    cv2.line(page, (4, 20), (24, 144), 0, 5, cv2.LINE_AA)
    cv2.line(page, (0, 148), (439, 148), 0, 4)
    left = strokes(page)
    assert left[22:138].any(axis=1).all()
    assert not left[148, 150:170].any()
    assert pieces(left) == 4


@pytest.mark.parametrize("size", [(60, 90), (100, 200), (200, 100), (150, 150)])
@pytest.mark.parametrize("thick", [1, 3, 8])
@pytest.mark.engine
def test_an_empty_box_is_blank(size: tuple[int, int], thick: int) -> None:
    """It is no 0, whatever its shape and its pen."""
    page = np.full((260, 300), 245, np.uint8)
    cv2.rectangle(page, (40, 40), (40 + size[0], 40 + size[1]), 40, thick)
    found = lenet.read(page)
    assert (found.text, found.abstained) == ("", "blank")
    assert "1 empty box dropped" in found.notes


@pytest.mark.parametrize("name", ["0 with a tail", "0 after another"])
@pytest.mark.engine
def test_a_zero_is_no_box(name: str) -> None:
    """However it is drawn, thick or thin, large or small."""
    for seed in range(12):
        glyph = draw_style(name, np.random.default_rng(seed))[0]
        for times in (1, 3, 8):
            page = np.full((30 * times + 40, 30 * times + 40), 245, np.uint8)
            page[20 : 20 + 28 * times, 20 : 20 + 28 * times] -= np.kron(glyph, np.ones((times, times), np.uint8)) // 2
            assert not any("box" in note for note in lenet.read(page).notes)


@pytest.mark.parametrize("thick", [3, 6, 10])
@pytest.mark.parametrize("long", [60, 160, 250])
def test_a_dash_alone_is_no_number(long: int, thick: int) -> None:
    """The ragged end that a line leaves, when it is taken out, is no 1."""
    page = np.full((200, 320), 245, np.uint8)
    cv2.line(page, (35, 100), (35 + long, 100), 40, thick, cv2.LINE_AA)
    assert lenet.read(page).text == ""


def squares(pitch: int, grey: int, thick: int, size: tuple[int, int] = (400, 600)) -> Uint8:
    """Light squared paper."""
    page = np.full(size, 235, np.uint8)
    for at in range(0, max(size), pitch):
        page[:, at : at + thick] = grey
        page[at : at + thick] = grey
    return page


@pytest.mark.parametrize("pitch", [25, 40])
def test_squares_under_writing_leave_nothing_beside_it(pitch: int) -> None:
    """Blurred lines are darker in their middle than at their edges, and are no pen for that: all of them goes."""
    page = squares(pitch, 110, 2)
    for x in (200, 270, 340):
        cv2.circle(page, (x, 200), 24, 60, 6, cv2.LINE_AA)
    noisy = np.clip(page + np.random.default_rng(0).normal(0, 3, page.shape), 0, 255).astype(np.uint8)
    cleaned = remove_ruled_lines(find_ink(open_page(noisy)))
    assert "ruled lines removed" in notes_of(cleaned)[-1]
    assert cleaned.strokes[:, 165:375].any()
    assert not cleaned.strokes[:, :160].any()
    assert not cleaned.strokes[:, 380:].any()


@pytest.mark.engine
@pytest.mark.parametrize("pitch", range(20, 41))
def test_squares_at_any_pitch_are_not_taken_for_the_paper(pitch: int) -> None:
    """What is sampled of a page lies on no lattice of its own: pale squares stay paper with dark ink."""
    page = squares(pitch, 190, 1, (1000, 1000))
    cv2.circle(page, (500, 500), 60, 60, 12, cv2.LINE_AA)
    found = find_ink(open_page(page))
    assert not any("light ink" in note for note in notes_of(found))
    assert found.strokes[500, 435:446].any()


@pytest.mark.parametrize(("pitch", "radius"), [(24, 24), (40, 24), (40, 60), (60, 90)])
def test_squared_paper_is_cut_to_what_is_written_on_it(pitch: int, radius: int) -> None:
    """Most of a large page of squares is not looked at closely, and what is found stands where it was written."""
    page = squares(pitch, 120, 2, (2000, 2000))
    for x in (700, 700 + 3 * radius, 700 + 6 * radius):
        cv2.circle(page, (x, 1300), radius, 30, 7, cv2.LINE_AA)
    found = find_writing(open_page(page))
    assert found.ink.strokes.size * found.scale**2 < page.size / 2
    count, labels, stats, _middles = cv2.connectedComponentsWithStats(found.ink.strokes.astype(np.uint8))
    assert pieces(found.ink.strokes) == 3
    rows, columns = np.nonzero(np.isin(labels, [each for each in range(1, count) if stats[each][-1] > 20]))
    (left, top), reach = found.origin, radius + 3
    assert left + columns.min() * found.scale == pytest.approx(700 - reach, abs=4)
    assert left + columns.max() * found.scale == pytest.approx(700 + 6 * radius + reach, abs=4)
    assert top + rows.min() * found.scale == pytest.approx(1300 - reach, abs=4)
    assert top + rows.max() * found.scale == pytest.approx(1300 + reach, abs=4)


def test_small_squares_are_told_apart_at_a_nearer_glance() -> None:
    """Where four pixels are one at a glance all of this page is ink; two are one then."""
    page = squares(16, 120, 2, (1400, 1400))
    cv2.circle(page, (700, 700), 24, 30, 7, cv2.LINE_AA)
    found = find_writing(open_page(page))
    assert found.ink.strokes.size * found.scale**2 < page.size / 8


def test_a_shadow_is_no_squared_paper() -> None:
    """It is as long as lines are, both ways; the page is not cut to what is written beside it."""
    page = np.full((800, 1000), 235, np.uint8)
    page[:500, 600:] = 90
    cv2.circle(page, (300, 600), 40, 30, 9, cv2.LINE_AA)
    cv2.circle(page, (800, 200), 40, 10, 9, cv2.LINE_AA)
    found = find_writing(open_page(page))
    assert found.origin[0] + found.ink.strokes.shape[1] * found.scale > 990


def test_what_is_too_low_to_hold_anything_is_not_compared_with_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a picture of one row, and of one full of specks, none is asked whether it is a ring; what is around one is."""
    asked: list[int] = []
    monkeypatch.setattr(components, "_is_ring", lambda _labels, label, _box, _inside: bool(asked.append(label)))
    find_candidates(np.random.default_rng(0).integers(0, 256, (1, 10_000)).astype(np.uint8))
    specks = np.full((300, 300), 255, np.uint8)
    for y, x in np.random.default_rng(0).integers(5, 290, (300, 2)):
        specks[y : y + 3, x : x + 3] = 0
    find_candidates(specks)
    assert asked == []
    page = np.full((100, 200), 255, np.uint8)
    for x in (50, 140):
        cv2.circle(page, (x, 50), 30, 0, 6)
    page[40:62, 47:53] = 0
    find_candidates(page)
    assert len(asked) == 1


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_what_is_around_others_is_found_as_by_comparing_all_with_all(seed: int, count: int) -> None:
    """Boxes strictly around others that are half as large as all within have to be, with the boxes within each."""
    rng = np.random.default_rng(seed)
    corner, size = rng.integers(0, 60, (count + 1, 2)), rng.integers(1, 50, (count + 1, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.int32)
    labels = np.flatnonzero(rng.random(count + 1) < 0.8)
    expected = {
        int(one): [
            int(other)
            for other in labels
            if (boxes[other, :2] > boxes[one, :2]).all()
            and (boxes[other, 2:] < boxes[one, 2:]).all()
            and size[other].max() >= components.COMPONENT.enclosed * size[one, 1] / 2
        ]
        for one in labels
    }
    found = components._find_around(boxes, labels)
    assert {one: sorted(others.tolist()) for one, others in found.items()} == {k: v for k, v in expected.items() if v}
