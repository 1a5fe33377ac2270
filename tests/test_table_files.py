"""Tables of pages as files: rows, grids, workbooks, a page to look at; sums; what a form's file may hold."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.bulk.outputs import open_output
from lenet.bulk.table_outputs import (
    PART_ROWS,
    TABLE_FORMATS,
    make_grid,
    make_rows,
    print_grids,
    print_rows,
    write_tables,
)
from lenet.errors import DataError, LenetError, UsageError
from lenet.tables.form import load_form
from lenet.tables.result import CELL_COLUMNS, Cell, CellState, PageTables, Table
from lenet.tables.sums import check_sums

BOX = (0, 0, 10, 10)
QUAD = ((0, 0), (10, 0), (10, 10), (0, 10))


def cell(row: int, column: int, text: str, state: CellState = "read", confidence: float = 0.99, **more: Any) -> Cell:
    """A cell; its text is a guess if it is uncertain."""
    answer, guess = (text, "") if state == "read" else ("", text)
    return Cell(row, column, answer, confidence, state, guess, BOX, QUAD, **more)


def column(*texts: str, **last: Any) -> Table:
    """A table of one column."""
    cells = [cell(row, 0, text) for row, text in enumerate(texts)]
    return Table(len(cells), 1, (*cells[:-1], replace(cells[-1], **last)))


PAGE = {
    "path": "scan.png",
    "page": 0,
    **PageTables(
        (
            Table(1, 3, (cell(0, 0, "12"), cell(0, 1, "", "empty"), cell(0, 2, "7", "uncertain", 0.3))),
            Table(1, 1, (cell(0, 0, "007"),)),
        )
    ).as_json(),
}
BROKEN = {"path": "bad.png", "page": 0, "error": "bad.png: is empty"}


def test_a_row_stands_for_each_cell_in_reading_order() -> None:
    """The rows have the columns that are promised, the text only where it is an answer, and a guess where it is not."""
    rows = make_rows(PAGE)
    assert [tuple(row) for row in rows] == [CELL_COLUMNS] * 4
    assert [row["text"] for row in rows] == ["12", "", "", "007"]
    assert [row["guess"] for row in rows] == ["", "", "7", ""]
    assert [(row["table"], row["row"], row["column"]) for row in rows] == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (1, 0, 0)]
    assert rows[0]["box"] == "0/0/10/10"
    assert make_rows(BROKEN) == [{"path": "bad.png", "page": 0, "state": "failed"}]


def test_a_page_without_a_table_has_no_row_but_in_a_clusters_part() -> None:
    """A part has every page at least once, so that none is missing unseen."""
    nothing = {"path": "a.png", "tables": []}
    assert make_rows(nothing) == []
    assert PART_ROWS.make(nothing) == [{"path": "a.png", "page": 0, "error": ""}]
    assert PART_ROWS.make(BROKEN)[0]["error"] == "bad.png: is empty"


def test_printed_rows_have_one_header() -> None:
    """Pages printed one after the other are one table."""
    out = io.StringIO()
    print_rows(out, PAGE, header=True)
    print_rows(out, PAGE, header=False)
    lines = out.getvalue().splitlines()
    assert lines[0] == "path,page,table,row,column,field,text,confidence,state,guess,box"
    assert len(lines) == 9
    assert lines[1] == "scan.png,0,0,0,0,,12,0.99,read,,0/0/10/10"


def test_a_wide_table_is_the_grid_and_leaves_doubt_blank() -> None:
    """What is a guess stands nowhere; an empty line parts tables."""
    assert make_grid(PAGE["tables"][0]) == [["12", "", ""]]
    out = io.StringIO()
    print_grids(out, PAGE, between=False)
    assert out.getvalue() == "12,,\n\n007\n"


def test_files_of_tables_hold_the_same_rows(tmp_path: Path) -> None:
    """CSV, Parquet and the workbook have the same cells; JSON lines have the pages themselves."""
    parquet = pytest.importorskip("pyarrow.parquet")
    openpyxl = pytest.importorskip("openpyxl")
    for suffix in TABLE_FORMATS:
        write_tables(tmp_path / f"out{suffix}", [PAGE, BROKEN])
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["12", "", "", "007", ""]
    assert rows[-1]["state"] == "failed"
    found = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["text"] for row in found] == ["12", "", "", "007", None]
    assert [row["row"] for row in found] == [0, 0, 0, 0, None]
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [PAGE, BROKEN]
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["cells"]
    assert [each.value for each in sheet[1]] == list(CELL_COLUMNS)
    assert [sheet.cell(row, 7).value for row in range(2, 7)] == ["12", None, None, "007", None]


def test_a_wide_workbook_has_a_sheet_a_table_with_guesses_as_comments(tmp_path: Path) -> None:
    """Numbers are numbers, but for those with leading zeros; each state has its colour."""
    openpyxl = pytest.importorskip("openpyxl")
    write_tables(tmp_path / "out.xlsx", [PAGE], wide=True)
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["1 scan", "2 scan"]
    first, second = book.worksheets
    assert first["A1"].value == 12
    assert first["C1"].value is None
    assert "perhaps 7" in first["C1"].comment.text
    assert second["A1"].value == "007"
    colours = {each.fill.start_color.rgb for each in first[1]}
    assert len(colours) == 3


def test_wide_csv_is_a_file_a_table(tmp_path: Path) -> None:
    """One table is the file itself; of several the file lists those that hold them."""
    write_tables(tmp_path / "one.csv", [{**PAGE, "tables": PAGE["tables"][:1]}], wide=True)
    assert (tmp_path / "one.csv").read_text() == "12,,\n"
    write_tables(tmp_path / "two.csv", [PAGE], wide=True)
    assert (tmp_path / "two-0001.csv").read_text() == "12,,\n"
    assert (tmp_path / "two-0002.csv").read_text() == "007\n"
    assert (tmp_path / "two.csv").read_text() == "file\ntwo-0001.csv\ntwo-0002.csv\n"
    write_tables(tmp_path / "none.csv", [BROKEN], wide=True)
    assert (tmp_path / "none.csv").read_text() == ""


def test_a_job_of_tables_goes_on_where_it_was(tmp_path: Path) -> None:
    """What an interrupt leaves is kept: each page is once in the file, in order."""
    out, names = tmp_path / "out.csv", ["scan.png", "bad.png"]

    def stop_after_one() -> None:
        with open_output(out, {"a": 1}, names, resume=False, write=write_tables, formats=TABLE_FORMATS) as (put, _done):
            put(PAGE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_after_one()
    with open_output(out, {"a": 1}, names, resume=True, write=write_tables, formats=TABLE_FORMATS) as (put, done):
        assert done == 1
        put(BROKEN)
    assert [row.split(",")[0] for row in out.read_text().splitlines()[1:]] == ["scan.png"] * 4 + ["bad.png"]
    with (
        pytest.raises(UsageError, match="expected .csv, .xlsx, .jsonl, .parquet"),
        open_output(tmp_path / "out.txt", {}, [], resume=False, write=write_tables, formats=TABLE_FORMATS),
    ):
        pass


def test_a_sum_holds_or_does_not() -> None:
    """A column whose last number is the sum of those above holds; another says what was expected and found."""
    (found,) = check_sums(column("12", "30", "42"), "last-row").sums
    assert (found.line, found.holds, found.expected, found.found) == (0, True, "42", "42")
    (found,) = check_sums(column("12", "30", "43"), "last-row").sums
    assert (found.holds, found.expected, found.found) == (False, "42", "43")
    across = Table(1, 3, (cell(0, 0, "1.5"), cell(0, 1, "2,25"), cell(0, 2, "3.75")))
    (found,) = check_sums(across, "last-column").sums
    assert (found.line, found.holds) == (0, True)


def test_what_adds_up_decides_between_likely_texts() -> None:
    """A guess whose second text makes the sum right is that text, and is answered."""
    parts = [
        cell(0, 0, "12"),
        cell(1, 0, "31", "uncertain", 0.4, likeliest=(("31", 0.4), ("37", 0.35))),
        cell(2, 0, "49"),
    ]
    table = check_sums(Table(3, 1, tuple(parts)), "last-row")
    assert [each.text for each in table.cells] == ["12", "37", "49"]
    assert table.cells[1].state == "read"
    assert table.sums[0].holds is True


def test_a_sum_that_a_doubt_leaves_open_says_so() -> None:
    """Where no likely texts add up, and one is only a guess, nobody knows; the guess stays one."""
    parts = [cell(0, 0, "12"), cell(1, 0, "31", "uncertain", 0.4, likeliest=(("31", 0.4),)), cell(2, 0, "49")]
    table = check_sums(Table(3, 1, tuple(parts)), "last-row")
    assert table.sums[0].holds is None
    assert table.cells[1].text == ""


def test_marks_print_and_what_is_empty_are_not_added() -> None:
    """Headers and dashes stand in columns that are added up; a column without numbers has no sum."""
    cells = (
        cell(0, 0, "", "print"),
        cell(1, 0, "5"),
        cell(2, 0, "", "mark"),
        cell(3, 0, "", "empty"),
        cell(4, 0, "6"),
        cell(5, 0, "11"),
        cell(0, 1, "", "print"),
        cell(5, 1, "", "empty"),
    )
    assert [(each.line, each.holds) for each in check_sums(Table(6, 2, cells), "last-row").sums] == [(0, True)]


@given(st.lists(st.integers(0, 9999), min_size=1, max_size=12))
def test_every_column_that_adds_up_holds(numbers: list[int]) -> None:
    """Whatever the numbers are, their sum below them holds, and one more does not."""
    texts = list(map(str, numbers))
    assert check_sums(column(*texts, str(sum(numbers))), "last-row").sums[0].holds is True
    assert check_sums(column(*texts, str(sum(numbers) + 1)), "last-row").sums[0].holds is False


def test_a_table_shows_itself() -> None:
    """In a notebook guesses are grey with a question mark, spans are kept, and nothing is taken for markup."""
    table = Table(1, 2, (cell(0, 0, "1<2", rows=1, columns=2), cell(0, 1, "7", "uncertain")))
    shown = table._repr_html_()
    assert "1&lt;2" in shown
    assert 'colspan="2"' in shown
    assert "7?" in shown
    assert repr(table) == "Table(1 rows, 2 columns: 1 read, 1 uncertain)"
    assert [row["text"] for row in table.to_rows()] == ["1<2", ""]


def shape(label: str = "a", points: Any = ((0, 0), (9, 0), (9, 9), (0, 9))) -> dict[str, Any]:
    """A shape as LabelMe writes it."""
    return {"label": label, "points": points, "shape_type": "polygon"}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("[]", "has no shapes; expected LabelMe's format, as lenet form writes it"),
        ("{", "is no form that can be read"),
        ('{"shapes": [7]}', "shape 0: has no label"),
        (json.dumps({"shapes": [shape(), shape()]}), "shape 1: label 'a'; give each field a name of its own"),
        (json.dumps({"shapes": [shape("a:(")]}), "shape 0: label 'a:('"),
        (json.dumps({"shapes": [shape(points=[[0, 0]])]}), "points of shape (1, 2); expected four of x, y"),
        (json.dumps({"shapes": [shape(points="no")]}), "has no points"),
        (json.dumps({"shapes": [shape(points=[[0, 0], [1, float("nan")]])]}), "points of shape"),
    ],
)
def test_a_form_that_is_none_is_said_in_one_line(tmp_path: Path, told: str, line: str) -> None:
    """Whatever a form's file holds, what is wrong with it is one clear line."""
    file = tmp_path / "form.json"
    file.write_text(told)
    with pytest.raises(DataError) as error:
        load_form(file)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_form_that_is_not_there_is_said() -> None:
    """A missing file is one line too."""
    with pytest.raises(LenetError, match="is no form that can be read"):
        load_form(Path("nowhere.json"))


def test_corners_of_a_form_come_in_any_order(tmp_path: Path) -> None:
    """Points of a polygon in any order, or two of a rectangle, are corners clockwise from upper left."""
    file = tmp_path / "form.json"
    points = [[[9, 9], [0, 9], [9, 0], [0, 0]], [[9, 9], [0, 0]]]
    file.write_text(json.dumps({"shapes": [shape("a", points[0]), shape("b:\\d+", points[1])]}))
    form = load_form(file)
    assert [field.corners.tolist() for field in form.fields] == [[[0, 0], [9, 0], [9, 9], [0, 9]]] * 2
    assert [field.pattern for field in form.fields] == [None, "\\d+"]
