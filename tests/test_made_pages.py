"""Made pages, and how a cell's two readings are weighed: what is written is where it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.data.dataset import Digits
from lenet.data.strokes import StrokeSet
from lenet.decoding.formats import accept_choices, accepts, parse_pattern
from lenet.engine.lines import load_lines
from lenet.network.inputs import measure_contrast, standardise_line
from lenet.network.spec import CELL_DEFAULT, CELL_LABELS, LINE_NETS
from lenet.network.weights import load_weights
from lenet.result import Line, Number, Reading
from lenet.tables.read_cells import CELL_FEATURES, group_chances, weigh_readings
from lenet.tables.sight import tell_cells
from lenet.training.cell_samples import LABEL_OF, cut_samples
from lenet.training.synthetic.lines import Hands
from lenet.training.synthetic.marks import gather_pens
from lenet.training.synthetic.page_plan import PAGE_HEIGHT, PAGE_WIDTH, PagePlan, PlannedCell, plan_page
from lenet.training.synthetic.pages import PageMaker

BOX = (0, 0, 10, 10)


def strokes_of(labels: str) -> StrokeSet:
    """A zigzag for each label, by one writer."""
    points = np.tile(np.array([[0, 0], [60, 40], [10, 90], [50, 100]], np.int16), (len(labels), 1))
    ends = np.arange(len(labels) + 1, dtype=np.int32)
    return StrokeSet(points, 4 * ends, ends, np.array(list(labels)), np.array(["a"] * len(labels)))


@pytest.fixture(scope="module")
def maker() -> PageMaker:
    """Makes pages by a hand that writes nothing but zigzags, and digits that are squares."""
    glyphs = np.zeros((40, 28, 28), np.uint8)
    glyphs[:, 5:23, 8:20] = 255
    digits = Digits(glyphs, np.arange(40, dtype=np.uint8) % 10)
    pens = gather_pens([strokes_of("0123456789ab.,:/-+=%()$?*#!")], strokes_of("1"), strokes_of("a"), "0123456789")
    return PageMaker(Hands(pens, digits, np.zeros(40, np.int64), np.arange(40)))


@given(st.integers(0, 2**32 - 1))
def test_a_plan_has_its_cells_on_the_page(seed: int) -> None:
    """Cells lie on the page, none over another of its table; what is empty or a mark says nothing."""
    plan = plan_page(np.random.default_rng(seed))
    for cell in plan.cells:
        x0, y0, x1, y1 = cell.box
        assert 0 <= x0 < x1 <= PAGE_WIDTH
        assert 0 <= y0 < y1 <= PAGE_HEIGHT
        assert (cell.text == "") == (cell.kind in ("empty", "mark"))
        assert cell.boxes in (1, len(cell.text)) or cell.kind == "empty"
    places = [(cell.table, cell.row, cell.column) for cell in plan.cells]
    assert len(set(places)) == len(places)


def test_a_page_is_made_again_by_its_seed(maker: PageMaker) -> None:
    """The same seed makes the same picture and cells, whose corners are in the picture."""
    one, other = (maker.make(np.random.default_rng(7)) for _time in range(2))
    assert np.array_equal(one.picture, other.picture)
    height, width = one.grey.shape
    for cell, same in zip(one.cells, other.cells, strict=True):
        assert np.array_equal(cell.corners, same.corners)
        assert cell.text == same.text
        low, high = cell.corners.min(axis=0), cell.corners.max(axis=0)
        assert (low > -40).all()
        assert (high < (width + 40, height + 40)).all()


def test_what_is_planned_is_written_and_ruled_where_it_is_said(maker: PageMaker) -> None:
    """Inside its corners a written cell is dark somewhere, an empty one nowhere."""
    plan = PagePlan(tables=1)
    for row in range(6):
        for column in range(4):
            box = (200.0 + 200 * column, 200.0 + 120 * row, 400.0 + 200 * column, 320.0 + 120 * row)
            kind = "hand" if (row + column) % 2 else "empty"
            plan.cells.append(PlannedCell(0, row, column, box, kind, "42" if kind == "hand" else ""))  # type: ignore[arg-type]
    page = maker.make(np.random.default_rng(3), plan)
    dark = []
    for cell in page.cells:
        (x0, y0), (x1, y1) = cell.corners.min(axis=0) + 12, cell.corners.max(axis=0) - 12
        dark.append(measure_contrast(page.grey[round(y0) : round(y1), round(x0) : round(x1)]))
    written = [value for value, cell in zip(dark, page.cells, strict=True) if cell.kind == "hand"]
    empty = [value for value, cell in zip(dark, page.cells, strict=True) if cell.kind == "empty"]
    assert min(written) > 2 * max(empty)


def test_samples_have_every_box_and_some_are_turned(maker: PageMaker) -> None:
    """Each cell is a strip 32 high with a label of the network; each box of a strip one of its own."""
    found = [cut_samples(maker, seed) for seed in range(6)]
    labels = np.concatenate([each.labels for each in found])
    assert all(strip.shape[0] == 32 and strip.shape[1] % 4 == 0 for each in found for strip in each.strips)
    assert CELL_LABELS.index("turned") in labels
    assert CELL_LABELS.index("empty") in labels
    assert set(LABEL_OF.values()) | {"turned"} == set(CELL_LABELS)


def test_the_cell_network_says_what_it_learned_from() -> None:
    """Its weights fit the network of the table, and its card names data, seed, commit and errors."""
    weights = load_weights(CELL_DEFAULT)
    assert weights.net.name == LINE_NETS["lenet-cell"].name
    assert weights.net.outputs == len(CELL_LABELS)
    assert {"recipe", "data", "fonts", "seed", "commit", "held_out", "calibration"} <= set(weights.card)
    assert not weights.card["commit"].endswith("+")
    assert weights.card["held_out"]["errors"] / weights.card["held_out"]["n"] < 0.09
    assert weights.cell_weights.shape == (len(CELL_FEATURES) + 1,)


def test_cells_are_told_apart_whatever_others_are_beside_them() -> None:
    """Blank cells are empty; probabilities add up; cells of any size are told in their order."""
    blank = [np.full((high, wide), 240, np.uint8) for high, wide in ((30, 90), (60, 60), (20, 200))]
    told = tell_cells(blank)
    assert told.shape == (3, len(CELL_LABELS))
    assert np.allclose(told.sum(axis=1), 1)
    assert (told.argmax(axis=1) == CELL_LABELS.index("empty")).all()
    assert tell_cells([]).shape == (0, len(CELL_LABELS))
    assert load_lines(CELL_DEFAULT).mean_scores(np.full((2, 32, 64), 64, np.uint8)).shape == (2, len(CELL_LABELS))


def test_a_strip_keeps_what_is_faint_faint() -> None:
    """The least contrast bounds how far greys are stretched."""
    greys = np.full((32, 64), 10, np.uint8)
    greys[10:20, 30:40] = 40
    assert standardise_line(greys).max() > standardise_line(greys, 90.0).max()
    assert measure_contrast(255 - greys) == pytest.approx(30)


def said(*likeliest: tuple[str, float]) -> Reading:
    """A reading of one line with these texts."""
    text, sure = likeliest[0]
    line = Line(text, "", sure, False, BOX, likeliest)
    return Reading(text, "", sure, False, (line,), (Number(text, "", sure, False, BOX, 0),))


def test_two_readings_that_agree_say_so() -> None:
    """The text with the largest share of both is the cell's; its features tell whether both say it."""
    found = weigh_readings([said(("42", 0.9), ("12", 0.1)), said(("42", 0.8), ("47", 0.2))], 0.9)
    assert found.text == "42"
    assert found.likeliest[0] == ("42", pytest.approx(0.85))
    assert dict(zip(CELL_FEATURES, found.features, strict=True))["agree"] == 1
    other = weigh_readings([said(("42", 0.9)), said(("47", 0.95))], 0.9)
    assert other.text == "47"
    features = dict(zip(CELL_FEATURES, other.features, strict=True))
    assert features["agree"] == 0
    assert features["log-odds close"] == -8


def test_a_cell_is_one_number() -> None:
    """Spaces are left out and counted as a doubt; of several lines the largest is the cell's."""
    found = weigh_readings([said(("1 23", 0.9), ("123", 0.05)), said(("1 23", 0.9))], 0.9)
    assert found.text == "123"
    assert dict(zip(CELL_FEATURES, found.features, strict=True))["spaces"] == 1
    small = Line("1", "", 0.9, False, (0, 0, 2, 2), (("1", 0.9),))
    large = Line("57", "", 0.9, False, (0, 0, 20, 20), (("57", 0.9),))
    both = Reading("1\n57", "", 0.8, False, (small, large))
    assert weigh_readings([both, both], 0.9).text == "57"


def test_readings_that_say_nothing_have_no_text() -> None:
    """What both pass over is no number."""
    nothing = Reading("", "", 0.9, "not a digit")
    assert weigh_readings([nothing, nothing], 0.5).text == ""


def test_chances_of_states_leave_turns_out() -> None:
    """Marks and struck numbers are marks; print is a number if it is asked for; what is turned counts nothing."""
    chances = np.array([0.1, 0.2, 0.1, 0.1, 0.2, 0.1, 0.2])
    plain = group_chances(chances, printed=False)
    assert plain == pytest.approx({"read": 0.25, "empty": 0.125, "mark": 0.25, "print": 0.25, "uncertain": 0.125})
    assert group_chances(chances, printed=True)["read"] == pytest.approx(0.5)


@given(st.from_regex(r"\A[0-9.,:/-]{0,8}\Z"))
def test_a_pattern_accepts_what_its_expression_does(text: str) -> None:
    """`accepts` is membership."""
    import re

    expression = r"\d{1,3}([.,]\d\d)?|\d+:\d\d"
    assert accepts(parse_pattern(expression), text) == bool(re.fullmatch(expression, text))
    assert accepts(accept_choices(["12", "7"], "choices"), text) == (text in ("12", "7"))
    assert not accepts(parse_pattern(r"\d"), "x")
