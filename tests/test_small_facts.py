"""Facts that mutation testing found nobody had stated: counts, bounds and places that a slip could move unseen."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

import lenet
from lenet.bulk import inputs, many
from lenet.bulk.inputs import list_pictures, open_pictures
from lenet.bulk.many import _part_pictures, read_pictures
from lenet.bulk.table_outputs import write_tables
from lenet.decoding.formats import accepts, parse_pattern
from lenet.decoding.graph import viterbi
from lenet.decoding.sliding_window import build_column_graph
from lenet.errors import PictureError, UsageError
from lenet.evaluation.calibration import calibration_gap
from lenet.evaluation.result import NumbersEvaluation
from lenet.grids.cells import GridCell
from lenet.network.weights import load_weights
from lenet.preprocessing import decode
from lenet.preprocessing.decode import open_page
from lenet.reader import ReadOptions, read_options
from lenet.segmentation.components import Components, _drop_frames, drop_specks
from lenet.segmentation.parameters import COMPONENT
from lenet.tables import form
from lenet.tables.form import Field, load_form
from lenet.tables.result import CELL_COLUMNS
from lenet.training.corrections import add_correction, list_latest


def test_the_share_of_wrong_numbers_is_of_all() -> None:
    """Three of twelve are a quarter; right and withheld are what is left."""
    evaluation = NumbersEvaluation("a", "b", 12, 3, (0.0, 1.0), 10, 2, 0, 0, 0, 0.0, (), (), ())
    assert (evaluation.error_rate, evaluation.answered_right, evaluation.withheld) == (0.25, 8, 2)


def test_the_gap_of_a_confidence_is_the_mean_over_all_answers() -> None:
    """Two sure answers, one of them wrong, and two that say a half, both right: (0.9 + 0.9 - 1 + |1.0 - 2|) / 4."""
    confidence, right = np.array([0.9, 0.9, 0.5, 0.5]), np.array([True, False, True, True])
    assert calibration_gap(confidence, right) == pytest.approx((0.8 + 1.0) / 4)
    assert calibration_gap(confidence[:1], right[:1]) == pytest.approx(0.1)
    assert calibration_gap(np.zeros(0), np.zeros(0, bool)) == 0
    # Both bins have the same gap, to opposite sides: it is not cancelled.
    assert calibration_gap(np.array([0.2, 0.9]), np.array([True, False])) == pytest.approx((0.8 + 0.9) / 2)


@pytest.mark.parametrize(("most", "allowed"), [(100, True), (101, False)])
def test_an_expression_repeats_a_hundred_times_at_most(most: int, allowed: bool) -> None:
    """A hundred is taken, one more is refused, as its lower or its upper bound."""
    for expression in (rf"\d{{{most}}}", rf"\d{{1,{most}}}"):
        if allowed:
            assert accepts(parse_pattern(expression), "1" * most)
            assert not accepts(parse_pattern(expression), "1" * (most + 1))
        else:
            with pytest.raises(UsageError, match="repeats more than 100 times"):
                parse_pattern(expression)
    with pytest.raises(UsageError, match="repeats"):
        parse_pattern(r"\d{0}")
    assert accepts(parse_pattern(r"1\d{0,}"), "1")


def test_pixels_are_counted_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are allowed are read, of files and of arrays; one row more is refused."""
    monkeypatch.setattr(decode, "MOST_PIXELS", 400)
    for shape, fits in (((20, 20), True), ((20, 21), False)):
        page = np.full(shape, 255, np.uint8)
        sources = [page, cv2.imencode(".png", page)[1].tobytes()]
        for source in sources:
            if fits:
                assert open_page(source).grey.shape == shape
            else:
                with pytest.raises(PictureError, match="at most 400"):
                    open_page(source)


def test_a_stack_is_told_from_a_picture_by_its_last_side() -> None:
    """Up to four values at the end are colours; of tensors the first side may be them too."""
    for shape, count in (
        ((9, 9), 1),
        ((9, 9, 3), 1),
        ((9, 9, 4), 1),
        ((9, 9, 5), 9),
        ((4, 9, 9), 4),
        ((2, 9, 9, 3), 2),
    ):
        assert len(list(_part_pictures(np.zeros(shape, np.uint8)))) == count, shape
    torch = pytest.importorskip("torch")
    for shape, count in (((4, 9, 9), 1), ((5, 9, 9), 5), ((3, 9, 9), 1)):
        assert len(list(_part_pictures(torch.zeros(shape)))) == count, shape


def test_a_member_that_is_too_large_takes_nothing_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused by itself; what an archive may unpack to is counted of those that are unpacked."""
    monkeypatch.setattr(inputs, "MOST_BYTES", 1_000)
    monkeypatch.setattr(inputs, "_LEAST_UNPACKED", 1_500)
    monkeypatch.setattr(inputs, "_MOST_RATIO", 0)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, size in (("a.png", 1_400), ("b.png", 1_000), ("c.png", 500)):
            archive.writestr(name, bytes(size))
    found = [source for _name, source in open_pictures(list_pictures([str(path)]))]
    assert str(found[0]).endswith("1,400 bytes; at most 1,000 are read")
    assert [len(each) for each in found[1:]] == [1_000, 500]


def test_pictures_are_read_on_all_cores_if_they_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By this process alone if they are too few; by as many as are asked for, but by none that has no picture."""
    begun: list[int] = []

    def read_here(*_given: object) -> list[object]:
        begun.append(1)
        return []

    def read_elsewhere(processes: int, *_given: object, timeout: float | None) -> list[object]:
        begun.append(processes)
        return []

    monkeypatch.setattr(many, "count_cores", lambda: 5)
    monkeypatch.setattr(many, "read_one_by_one", read_here)
    monkeypatch.setattr(many, "read_in_processes", read_elsewhere)
    network, enough = lenet.load("lenet5"), many._LOOKED_FOR
    for count, workers in ((enough - 1, None), (enough, None), (enough + 1, None), (enough, 3), (2, 3), (0, 3)):
        assert list(read_pictures(np.zeros((count, 9, 9), np.uint8), network, ReadOptions(), workers=workers)) == []
    assert begun == [1, 5, 5, 3, 2, 1]


def test_a_workbook_has_the_numbers_of_a_cell_as_numbers(tmp_path: Path) -> None:
    """Its page, table, row, column and confidence; a text that looks like a number stays a text there."""
    openpyxl = pytest.importorskip("openpyxl")
    cell = {"row": 3, "column": 4, "field": "", "text": "12", "confidence": 0.75, "state": "read", "guess": ""}
    table = {"rows": 4, "columns": 5, "cells": [{**cell, "box": [1, 2, 30, 40]}]}
    write_tables(tmp_path / "out.xlsx", [{"path": "scan.png", "page": 2, "tables": [table]}])
    _header, row = openpyxl.load_workbook(tmp_path / "out.xlsx")["cells"].iter_rows(values_only=True)
    assert dict(zip(CELL_COLUMNS, row, strict=True)) == {
        **dict.fromkeys(CELL_COLUMNS),
        **{name: value for name, value in cell.items() if value != ""},
        "path": "scan.png",
        "page": 2,
        "table": 0,
        "box": "1/2/30/40",
    }


def test_the_last_corrections_are_the_last_ones(tmp_path: Path) -> None:
    """The newest first, as many as are asked for, each with the glyph that was sent."""
    for number in range(5):
        add_correction(tmp_path, np.full((28, 28), number, np.uint8), str(number))
    found = list_latest(tmp_path, most=3)
    assert [(name, label) for name, label, _glyph in found] == [
        ("000005-4.png", "4"),
        ("000004-3.png", "3"),
        ("000003-2.png", "2"),
    ]
    assert [int(glyph[0, 0]) for _name, _label, glyph in found] == [4, 3, 2]
    with (tmp_path / "labels.csv").open(newline="") as file:
        assert [row["confidence"] for row in csv.DictReader(file)] == ["1.0000"] * 5


def test_corners_of_a_form_go_round_from_the_upper_left(tmp_path: Path) -> None:
    """However they are written down: four in any order, or two of a rectangle."""
    upright = [[10, 20], [110, 22], [108, 60], [12, 58]]
    shapes = [{"label": f"a{turn}", "points": upright[turn:] + upright[:turn]} for turn in range(4)]
    shapes += [{"label": "back", "points": upright[::-1]}, {"label": "two", "points": [[110, 60], [10, 20]]}]
    file = tmp_path / "form.json"
    file.write_text(f'{{"shapes": {shapes}}}'.replace("'", '"'))
    fields = load_form(file).fields
    assert [field.corners.tolist() for field in fields[:5]] == [upright] * 5
    assert fields[5].corners.tolist() == [[10, 20], [110, 20], [110, 60], [10, 60]]


def test_a_field_is_the_cell_that_it_lies_on() -> None:
    """Its corners become the cell's where they share more than SAME; a field beside all cells stays where it is."""
    square = np.array([[0, 0], [40, 0], [40, 20], [0, 20]], float)
    cells = [GridCell(0, 0, 1, 1, square + np.array(by), 0.0, ()) for by in ((100, 0), (2, 1))]
    fields = (Field("on", None, square, ()), Field("off", None, square + np.array((0, 300)), ()))
    share, places = form._snap(fields, np.eye(3), cells)
    assert places[0].corners.tolist() == cells[1].corners.tolist()
    assert places[1].corners.tolist() == fields[1].corners.tolist()
    overlap = 38 * 19 / (2 * 800 - 38 * 19)
    assert share == pytest.approx(overlap / 2, abs=0.02)
    assert form._snap(fields, np.eye(3), [])[0] == 0.0


def test_fields_of_a_row_stand_from_left_to_right() -> None:
    """A field that is less than half its height lower is of the same row; one that is more begins another."""
    square = np.array([[0, 0], [40, 0], [40, 20], [0, 20]], float)
    places = [(90, 9), (0, 0), (50, -8), (0, 11), (60, 18)]
    fields = tuple(Field(str(number), None, square + place, ()) for number, place in enumerate(places))
    assert form._sort_by_row(fields) == [[1, 2], [3, 4, 0]]


def test_a_component_that_frames_the_picture_is_no_ink() -> None:
    """A bar along a whole side is left out; one as long that touches no side stays, as the digit does."""
    ink = np.zeros((80, 200), np.uint8)
    cv2.line(ink, (90, 20), (90, 60), 255, 6)
    for side in (np.s_[:3, :], np.s_[-3:, :], np.s_[:, :3], np.s_[:, -3:]):
        framed = ink.copy()
        framed[side] = 255
        assert sorted(_drop(framed)) == [False, True]
    inner = ink.copy()
    inner[8:11, 10:190] = 255
    assert _drop(inner) == [True, True]


def _drop(ink: np.ndarray) -> list[bool]:
    """Which components are kept, the paper left out."""
    count, labels, stats, _middles = cv2.connectedComponentsWithStats(ink, connectivity=8)
    x, y, wide, high, area = stats.T
    boxes = np.stack([x, y, x + wide, y + high], axis=1).astype(np.int32)
    return _drop_frames(labels, boxes, area.astype(np.int32), [])[1:count].tolist()


def test_columns_that_spell_a_text_cost_what_they_say() -> None:
    """The end costs nothing and belongs to the last column; the sum over all paths of sure columns is theirs."""
    columns = np.full((3, 11), np.log(1e-9))
    for column, label in enumerate((4, 4, 10)):
        columns[column, label] = np.log(0.5)
    graph, places = build_column_graph(columns)
    penalty, path = viterbi(graph)
    assert penalty == pytest.approx(3 * np.log(2))
    assert [int(graph.labels[arc]) for arc in path] == [4, -1, -1, -1]  # said once, though two columns say it
    assert [int(places[arc]) for arc in path] == [0, 1, 2, 2]
    assert len(places) == len(graph.labels) == 11 + 2 * 121 + 11


def test_what_does_not_go_together_is_named() -> None:
    """Two formats by their names; a digit and sliding by theirs."""
    network = lenet.load("lenet5-reader")
    with pytest.raises(UsageError, match="^pattern and choices: both given"):
        read_options(network, pattern="zip", choices=["1"])
    with pytest.raises(UsageError, match="^digit and sweep: both given"):
        read_options(network, digit=True, sliding_window=True)
    with pytest.raises(UsageError, match="^digit: reads one digit; leave out choices"):
        read_options(network, digit=True, choices=["1"])


@pytest.mark.parametrize("side", ["left", "right", "above", "below"])
def test_a_speck_near_the_digit_may_be_smaller(side: str) -> None:
    """Within a share of the digit's longer side, on any of its four sides; beyond that it must be larger."""
    digit, side_of = (100, 100, 160, 220), COMPONENT.near * 120
    for gap, near in ((side_of - 1, True), (side_of + 1, False)):
        x = {"left": 100 - gap - 5, "right": 160 + gap}.get(side, 120)
        y = {"above": 100 - gap - 5, "below": 220 + gap}.get(side, 150)
        boxes = np.array([(0, 0, 400, 400), digit, (x, y, x + 5, y + 5), (380, 380, 385, 385)], np.int32)
        for share, kept in ((COMPONENT.near_speck * 1.1, near), (COMPONENT.speck * 1.1, True), (0.002, False)):
            dark = np.array([0, 10_000, round(10_000 * share), 1_000], np.int32)
            found = Components(np.zeros((1, 1), np.int32), boxes, dark, np.array([False, True, True, True]))
            assert drop_specks(found, []).tolist() == [False, True, kept, True], (gap, share)


def test_weights_that_were_not_fitted_say_what_counts_until_they_are() -> None:
    """The lattice's share by kind of line; spaces by what the columns say; cells by the mean of two log-odds."""
    weights = load_weights("lenet5")
    assert weights.lattice_shares.tolist() == [1.0, 0.4, 0.5]
    assert weights.space_weights.tolist() == [1.0, *[0.0] * 8]
    assert weights.space_trust.tolist() == [1.0, 0.0]
    assert weights.cell_weights.tolist() == [0.5, 0.5, *[0.0] * 9]
    assert (weights.arc_scorer, weights.confidence_weights, weights.pair_weights, weights.error_curve) == (None,) * 4
    fitted = load_weights("lenet-line")
    assert fitted.lattice_shares.tolist() == fitted.card["calibration"]["lattice_shares"]
