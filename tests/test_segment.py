"""From ink to candidates: ruled lines go, lines of writing are found, touching digits are cut, nothing is invented."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.arrays import Uint8
from lenet.preprocessing.binarize import Ink, crop_ink, find_ink, reduce_ink
from lenet.preprocessing.decode import open_page
from lenet.preprocessing.dropout import drop_print
from lenet.preprocessing.ruled_lines import remove_ruled_lines
from lenet.segmentation import text_lines
from lenet.segmentation.candidates import find_candidates
from lenet.segmentation.components import find_components
from lenet.segmentation.lattice import SHAPES, propose_numbers
from lenet.segmentation.parameters import LATTICE
from lenet.segmentation.seams import find_seams
from lenet.segmentation.text_lines import find_text_lines
from lenet.steps import Step

from conftest import notes_of


def paper(height: int, width: int) -> Uint8:
    """White paper."""
    return np.full((height, width), 255, np.uint8)


def ring(page: Uint8, x: int, y: int, radius: int = 20, thick: int = 5) -> None:
    """Draw a 0."""
    cv2.circle(page, (x, y), radius, 0, thick, cv2.LINE_AA)


def ink_of(page: Uint8) -> Ink:
    """The ink of a page."""
    return find_ink(open_page(page))


def test_a_box_around_writing_is_removed() -> None:
    """All four sides, the underline too, but for a few pixels at its end; the ring inside keeps every pixel."""
    page = paper(120, 300)
    ring(page, 150, 60)
    alone = ink_of(page).strokes
    cv2.rectangle(page, (10, 10), (290, 110), 0, 4)
    cv2.line(page, (20, 98), (280, 98), 0, 2)
    cleaned = remove_ruled_lines(ink_of(page))
    assert cleaned.strokes[alone].all()
    assert (cleaned.strokes & ~alone).sum() < 10
    assert any("ruled lines removed" in note for note in notes_of(cleaned))


def test_strokes_that_cross_a_ruled_line_stay_whole() -> None:
    """A 1 through the middle of a line is still one piece."""
    page = paper(120, 400)
    for x in (100, 200, 300):
        cv2.line(page, (x, 20), (x, 100), 0, 6)
    cv2.line(page, (0, 70), (399, 70), 0, 3)
    found = find_components(remove_ruled_lines(ink_of(page)), [])
    heights = (found.boxes[1:, 3] - found.boxes[1:, 1])[found.kept[1:]]
    assert len(heights) == 3
    assert (heights > 70).all()


@pytest.mark.parametrize("grey", [0, 130])
def test_rings_that_stand_in_a_ruled_line_stay_whole(grey: int) -> None:
    """A line through their feet goes, whatever its grey and though it leans; every ring stays closed."""
    page = paper(120, 500)
    cv2.line(page, (0, 84), (499, 90), grey, 3, cv2.LINE_AA)
    for x in (80, 200, 320, 440):
        ring(page, x, 66)
    cleaned = remove_ruled_lines(ink_of(page))
    assert notes_of(cleaned)[-1] == "1 ruled line removed"
    count, _labels, stats, _middles = cv2.connectedComponentsWithStats(cleaned.strokes.astype(np.uint8))
    assert count == 5
    assert (stats[1:, cv2.CC_STAT_WIDTH] < 56).all()
    holes = cv2.connectedComponents((~cleaned.strokes).astype(np.uint8), connectivity=4)[0] - 2
    assert holes == 4


def test_a_pale_line_leaves_the_dark_base_that_lies_in_it() -> None:
    """Every pixel of a bar as thick as the line stays, and none of the line."""
    page = paper(120, 400)
    cv2.line(page, (0, 90), (399, 90), 150, 5)
    for x in (80, 220):
        cv2.line(page, (x, 30), (x, 90), 0, 7)
        cv2.line(page, (x, 90), (x + 60, 90), 0, 5)
    cleaned = remove_ruled_lines(ink_of(page))
    assert cleaned.strokes[90, 80:140].all()
    assert cleaned.strokes[90, 220:280].all()
    assert not cleaned.strokes[90, [*range(70), *range(150, 210), *range(290, 400)]].any()


def test_two_lines_that_bold_writing_hangs_together_are_both_removed() -> None:
    """Bold bars from one to the other, wider than the shortest run of a line."""
    page = paper(140, 300)
    for x in (60, 150, 230):
        cv2.rectangle(page, (x, 30), (x + 24, 110), 0, -1)
    for y in (28, 112):
        cv2.line(page, (0, y), (299, y), 0, 3)
    cleaned = remove_ruled_lines(ink_of(page))
    assert notes_of(cleaned)[-1] == "2 ruled lines removed"
    assert not cleaned.strokes[:, :55].any()
    assert cleaned.strokes[35:105, 62:82].all()


def test_hatching_is_no_ruled_paper() -> None:
    """Lines as far apart as they are thick stay; the same lines four times as far apart go."""
    for pitch, hatched in ((10, True), (40, False)):
        page = paper(240, 300)
        cv2.line(page, (150, 20), (170, 220), 0, 5)
        for y in range(10, 230, pitch):
            cv2.line(page, (0, y), (299, y), 0, 4)
        ink = ink_of(page)
        assert (remove_ruled_lines(ink) is ink) == hatched


def test_a_line_that_stands_alone_need_not_span_the_writing() -> None:
    """One under four rings goes though it ends before the last; one that a stem stands on stays: it may be a base."""
    page = paper(120, 400)
    for x in (60, 150, 240, 350):
        ring(page, x, 50)
    alone = ink_of(page).strokes
    cv2.line(page, (10, 108), (300, 108), 0, 4)
    cleaned = remove_ruled_lines(ink_of(page))
    assert cleaned.strokes[alone].all()
    assert (cleaned.strokes & ~alone).sum() < 10
    assert notes_of(cleaned)[-1] == "1 ruled line removed"
    cv2.rectangle(page, (225, 70), (255, 108), 0, -1)
    ink = ink_of(page)
    assert remove_ruled_lines(ink) is ink


def test_a_1_at_the_end_of_a_line_is_no_side_of_a_box() -> None:
    """It stands on the line as a side would, but is hardly higher than the rings; one twice as high is a side."""
    for top, left in ((30, 3), (2, 2)):
        page = paper(92, 300)
        ring(page, 60, 58, 24)
        ring(page, 150, 58, 24)
        cv2.line(page, (264, top), (264, 88), 0, 5)
        cv2.line(page, (5, 89), (272, 89), 0, 3)
        found = find_components(remove_ruled_lines(ink_of(page)), [])
        assert sum((found.boxes[1:, 3] - found.boxes[1:, 1])[found.kept[1:]] > 30) == left


@pytest.mark.parametrize("thick", [3, 8, 14])
def test_digits_are_no_ruled_lines(thick: int) -> None:
    """Ones, a seven's bar and a dash stay."""
    page = paper(100, 260)
    cv2.line(page, (30, 10), (30, 90), 0, thick)
    cv2.line(page, (70, 10), (120, 10), 0, thick)
    cv2.line(page, (120, 10), (90, 90), 0, thick)
    cv2.line(page, (160, 50), (230, 50), 0, thick)
    ink = ink_of(page)
    assert remove_ruled_lines(ink) is ink


def test_lines_go_from_top_to_bottom_and_digits_from_left_to_right() -> None:
    """Three rows of rings, the second one rising: a line for each, pieces in reading order."""
    page = paper(400, 500)
    for row, (y, rise) in enumerate(((60, 0), (190, -40), (330, 0))):
        for place in range(4 - row):
            ring(page, 60 + 100 * place, y + rise * place // 4)
    lattice = propose_numbers(ink_of(page))
    assert len(lattice.lines) == 3
    for first, past in lattice.lines:
        middles = [np.argwhere(lattice.pieces == piece).mean(axis=0) for piece in range(first, past)]
        assert [middle[1] for middle in middles] == sorted(middle[1] for middle in middles)
    tops = [
        np.argwhere((lattice.pieces >= first) & (lattice.pieces < past)).mean(axis=0)[0]
        for first, past in lattice.lines
    ]
    assert tops == sorted(tops)


def seams_of(page: Uint8) -> list[tuple[float, float]]:
    """The cuts of the only piece of ink on a page: the mean column of each, and what it costs."""
    ink = ink_of(page)
    found = find_components(ink, [])
    (line,) = find_text_lines(found, [])
    (label,) = line.labels
    x0, y0, x1, y1 = found.boxes[label]
    part = ink.levels[y0:y1, x0:x1], found.labels[y0:y1, x0:x1] == label
    (cuts,) = find_seams([part], line.slant, line.height)
    return [(float(cut.columns.mean()) + x0, cut.cost) for cut in cuts]


def test_two_rings_that_touch_are_cut_where_they_touch() -> None:
    """Among the cuts is one within two pixels of where they meet, and it crosses little ink."""
    page = paper(80, 140)
    ring(page, 38, 40, thick=9)
    ring(page, 87, 40, thick=9)
    column, cost = min(seams_of(page), key=lambda cut: abs(cut[0] - 62))
    assert abs(column - 62) <= 2
    assert cost < 0.4


def test_a_cut_between_two_rings_is_cheaper_than_one_through_a_ring() -> None:
    """Though it crosses more ink: paper that ink encloses costs too."""
    page = paper(80, 140)
    ring(page, 38, 40, thick=5)
    ring(page, 84, 40, thick=5)
    cuts = seams_of(page)
    column, cost = min(cuts, key=lambda cut: abs(cut[0] - 61))
    through = [each for column, each in cuts if 25 < column < 51 or 71 < column < 97]
    assert abs(column - 61) <= 2
    assert through
    assert cost < min(through)


@given(
    st.lists(
        st.tuples(
            st.integers(10, 290), st.integers(10, 140), st.integers(10, 290), st.integers(10, 140), st.integers(1, 9)
        ),
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None)
def test_a_lattice_is_whole(strokes: list[tuple[int, int, int, int, int]]) -> None:
    """Pieces are numbered without gaps, arcs stay within lines, boxes hold exactly their pieces' pixels."""
    page = paper(150, 300)
    for x0, y0, x1, y1, thick in strokes:
        cv2.line(page, (x0, y0), (x1, y1), 0, thick)
    candidates = find_candidates(page)
    lattice = candidates.lattice
    assert lattice.shapes.shape == (len(lattice.arcs), len(SHAPES))
    assert np.isfinite(lattice.shapes).all()
    assert len(candidates.glyphs) == len(lattice.arcs)
    if len(lattice.lines):
        assert lattice.lines[0, 0] == 1
        assert (lattice.lines[1:, 0] == lattice.lines[:-1, 1]).all()
        assert set(np.unique(lattice.pieces)) - {0} == set(range(1, lattice.lines[-1, 1]))
    for (first, past), (x0, y0, x1, y1) in zip(lattice.arcs, lattice.boxes, strict=True):
        y, x = np.nonzero((lattice.pieces >= first) & (lattice.pieces < past))
        assert (x.min(), y.min(), x.max() + 1, y.max() + 1) == (x0, y0, x1, y1)
        assert sum(start <= first and past <= end for start, end in lattice.lines) == 1
    for arc in range(len(lattice.arcs)):
        x0, y0, x1, y1 = candidates.box(arc)
        assert 0 <= x0 < x1 <= 300
        assert 0 <= y0 < y1 <= 150


def test_cropping_keeps_ink_and_says_where_it_was() -> None:
    """The part has a rim of paper, but not where ink touches the edge of the page."""
    page = paper(100, 100)
    cv2.line(page, (0, 50), (60, 50), 0, 5)
    ink = ink_of(page)
    part, (left, top) = crop_ink(ink)
    assert left == 0
    assert not part.strokes[:4].any()
    assert part.strokes[:, 0].any()
    y, x = np.nonzero(part.strokes)
    assert ink.strokes[y + top, x + left].all()
    assert part.strokes.sum() == ink.strokes.sum()


def test_reducing_averages() -> None:
    """A factor of 2 halves the sides and keeps the mean."""
    page = paper(100, 100)
    cv2.rectangle(page, (20, 20), (59, 59), 0, -1)
    ink = ink_of(page)
    half = reduce_ink(ink, 2)
    assert half.levels.shape == (50, 50)
    assert float(half.levels.mean()) == pytest.approx(float(ink.levels.mean()), abs=1)
    assert reduce_ink(ink, 1) is ink


def test_noise_and_hatching_end_in_bounded_time() -> None:
    """A page full of specks, and one full of strokes, make no more candidates than a page of digits could."""
    rng = np.random.default_rng(0)
    specks = paper(360, 480)
    specks[rng.random(specks.shape) < 0.05] = 0
    hatched = paper(360, 480)
    for x in range(0, 480, 9):
        cv2.line(hatched, (x, 0), (x + 24, 359), 0, 2)
    for page in (specks, hatched):
        assert len(find_candidates(page).lattice.arcs) <= 6_000


def two(page: Uint8, x: int, y: int) -> None:
    """Draw a 2 of 60 pixels whose base is a straight stroke."""
    cv2.ellipse(page, (x + 22, y + 16), (20, 16), 0, -170, 40, 0, 5, cv2.LINE_AA)
    cv2.line(page, (x + 38, y + 26), (x + 2, y + 58), 0, 5, cv2.LINE_AA)
    cv2.line(page, (x + 2, y + 58), (x + 46, y + 58), 0, 3)


def test_joined_bases_are_no_ruled_line() -> None:
    """Two 2s that touch keep their bases; the same stroke, longer at both ends, is a line."""
    page = paper(120, 200)
    two(page, 50, 30)
    two(page, 94, 30)
    assert not any("ruled" in note for note in notes_of(remove_ruled_lines(ink_of(page))))
    cv2.line(page, (30, 88), (166, 88), 0, 3)
    assert any("1 ruled line removed" in note for note in notes_of(remove_ruled_lines(ink_of(page))))


def test_a_digit_in_two_pieces_stays_in_its_line() -> None:
    """A broken 3 on the left, its lower half first: one line with the rings beside it."""
    page = paper(140, 300)
    cv2.ellipse(page, (50, 92), (34, 18), 0, -80, 150, 0, 5, cv2.LINE_AA)
    cv2.ellipse(page, (56, 52), (18, 16), 0, -150, 60, 0, 5, cv2.LINE_AA)
    for x in (130, 190, 250):
        cv2.ellipse(page, (x, 75), (20, 38), 0, 0, 360, 0, 5, cv2.LINE_AA)
    steps: list[Step] = []
    (line,) = find_text_lines(find_components(ink_of(page), steps), steps)
    assert len(line.labels) == 5


def test_pieces_with_paper_between_are_one_digit_only_if_narrow() -> None:
    """A ring with a bar on its right is a candidate, nearly as wide as high; with the next ring too it is none."""
    page = paper(120, 160)
    cv2.ellipse(page, (50, 60), (16, 28), 0, 0, 360, 0, 5, cv2.LINE_AA)
    cv2.line(page, (78, 40), (84, 40), 0, 5)
    ring(page, 130, 60, radius=28)
    lattice = find_candidates(page).lattice
    width, gap = lattice.shapes[:, SHAPES.index("width")], lattice.shapes[:, SHAPES.index("gap inside")]
    apart = gap > 0.05
    assert apart.any()
    assert 0.9 < width[apart].max() <= 1


@pytest.mark.engine
def test_ink_that_hangs_together_may_be_one_sign_whatever_its_cuts() -> None:
    """A wide ring is cut into more than seven pieces, and a T is wider than a digit: both are candidates."""
    page = paper(140, 420)
    cv2.ellipse(page, (80, 70), (52, 34), 0, 0, 360, 0, 6, cv2.LINE_AA)
    cv2.ellipse(page, (190, 70), (20, 34), 0, 0, 360, 0, 6, cv2.LINE_AA)
    cv2.line(page, (260, 36), (390, 36), 0, 6)
    cv2.line(page, (325, 36), (325, 104), 0, 6)
    candidates = find_candidates(page)
    boxes = candidates.boxes(np.arange(len(candidates.lattice.arcs)))
    for (x0, x1), name, most in (((25, 136), "pieces", LATTICE.most_pieces), ((257, 394), "width", LATTICE.widest)):
        (whole,) = np.flatnonzero(np.abs(boxes[:, [0, 2]] - (x0, x1)).max(axis=1) <= 4)
        assert candidates.lattice.shapes[whole, SHAPES.index(name)] > most


def test_a_stain_is_no_writing() -> None:
    """A blot among rings is dropped with a note; the boldest ring is not."""
    page = paper(120, 400)
    ring(page, 60, 60)
    ring(page, 130, 60, radius=18, thick=14)
    cv2.circle(page, (230, 60), 19, 0, -1, cv2.LINE_AA)
    steps: list[Step] = []
    (line,) = find_text_lines(find_components(ink_of(page), steps), steps)
    assert len(line.labels) == 2
    assert [step.text for step in steps] == ["1 stain dropped"]


def test_a_digit_that_was_cut_out_tightly_is_no_frame() -> None:
    """A 0 that touches all four edges is kept, with a dot inside or without; a box around a dot and a ring is not."""
    page = paper(62, 44)
    cv2.ellipse(page, (21, 30), (19, 27), 0, 0, 360, 0, 5, cv2.LINE_AA)
    page[26:34, 18:26] = 0
    assert find_components(ink_of(page), []).kept.sum() == 2
    box = paper(100, 100)
    cv2.rectangle(box, (0, 0), (99, 99), 0, 5)
    ring(box, 50, 50)
    found = find_components(ink_of(box), [])
    assert found.kept.sum() == 1
    assert (found.boxes[found.kept][0] > 20).all()


@pytest.mark.parametrize("light", [False, True])
def test_a_tight_crop_is_seen_in_both_polarities(light: bool) -> None:
    """A ring that fills its picture: which of its two greys is the pen is doubtful, and `inverted` is the other."""
    rng = np.random.default_rng(1)
    page = paper(40, 30)
    cv2.ellipse(page, (15, 20), (12, 17), 0, 0, 360, 60, 4, cv2.LINE_AA)
    noisy = np.clip((255 - page if light else page) * 0.6 + 40 + rng.normal(0, 4, page.shape), 0, 255).astype(np.uint8)
    seen, inverted = (find_ink(open_page(noisy), inverted=each) for each in (False, True))
    assert seen.ambiguous_polarity
    assert inverted.ambiguous_polarity
    assert ("light ink on dark paper" in notes_of(seen)) != ("light ink on dark paper" in notes_of(inverted))
    dark = inverted if "light ink on dark paper" in notes_of(seen) else seen
    pen = (seen if dark is inverted else inverted) if light else dark
    stroke = page < 128
    assert (pen.strokes & stroke).sum() > 0.8 * stroke.sum()


def test_a_glance_at_a_large_page_changes_nothing_but_time() -> None:
    """Writing of 300 pixels on a page of a million is looked at smaller, and its boxes are in the page's own pixels."""
    page = paper(1000, 1000)
    for x in (250, 650):
        cv2.ellipse(page, (x, 500), (100, 150), 0, 0, 360, 0, 30, cv2.LINE_AA)
    candidates = find_candidates(page)
    assert candidates.scale >= 4
    boxes = sorted({candidates.box(arc) for arc in range(len(candidates.lattice.arcs))})
    assert any(np.abs(np.array(box) - (135, 335, 366, 666)).max() <= 10 for box in boxes)


@pytest.mark.parametrize(("form", "pen"), [((20, 20, 20), (40, 60, 190)), ((200, 60, 60), (25, 25, 25))])
def test_the_pen_is_told_from_the_print_by_its_colour(form: tuple[int, int, int], pen: tuple[int, int, int]) -> None:
    """A blue pen over a black form, and a black one over a red form: the box and the small print go, with a note."""
    page = np.full((160, 420, 3), 250, np.uint8)
    cv2.rectangle(page, (20, 20), (400, 140), form, 3)
    cv2.putText(page, "No. 0123456789", (30, 42), cv2.FONT_HERSHEY_SIMPLEX, 0.6, form, 2, cv2.LINE_AA)
    before = drop_print(open_page(page))
    assert notes_of(before) == ()
    for x in (90, 190, 290):
        cv2.ellipse(page, (x, 92), (24, 36), 0, 0, 360, pen, 6, cv2.LINE_AA)
    candidates = find_candidates(page)
    assert any("print passed over" in note for note in notes_of(candidates))
    boxes = candidates.lattice.boxes * candidates.scale + np.tile(candidates.origin, 2)
    assert boxes[:, 0].min() > 50
    assert boxes[:, 2].max() < 330
    assert boxes[:, 1].min() > 40


def test_two_inks_of_one_size_both_stay() -> None:
    """A black ring beside a red one: nobody knows which is the pen."""
    page = np.full((120, 200, 3), 250, np.uint8)
    cv2.circle(page, (60, 60), 30, (20, 20, 20), 6, cv2.LINE_AA)
    cv2.circle(page, (140, 60), 30, (200, 30, 30), 6, cv2.LINE_AA)
    candidates = find_candidates(page)
    assert len(candidates.lattice.lines) == 1
    assert candidates.lattice.pieces.max() >= 2
    assert not any("print" in note for note in notes_of(candidates))


@pytest.mark.parametrize(("top", "high", "lines"), [(40, 60, 1), (55, 60, 1), (40, 63, 2), (61, 40, 2)])
def test_a_comma_that_hangs_is_no_line_of_its_own(top: int, high: int, lines: int) -> None:
    """Between digits 60 high, if it begins in their lower half and is no higher than they are."""
    boxes = np.array([(0, 0, 40, 60), (50, 0, 90, 60), (100, top, 115, top + high), (125, 0, 165, 60)], np.int32)
    assert len(text_lines._merge(boxes, text_lines._chain(boxes, np.arange(4, dtype=np.int32)))) == lines
