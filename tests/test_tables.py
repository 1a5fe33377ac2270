"""Pages become tables: sample pages are read, from any side, by forms, by patterns; the command says what it did."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.cli import main
from lenet.data import dataset
from lenet.data.labels import open_folder
from lenet.errors import DataError, LenetError, UsageError
from lenet.tables.result import Table
from lenet.tables.sight import see_page

from conftest import ROOT

PAGES = ROOT / "examples" / "pages"
LOG = [["12", "304", "8"], ["9", "287", "11"], ["15", "351", "4"], ["7", "198", "20"], ["43", "1140", "43"]]


@cache
def read(name: str, **options: Any) -> list[Table]:
    """The tables of a sample page, read once."""
    return lenet.read_table(PAGES / name, **options)


def grid(table: Table) -> list[list[str]]:
    """The best texts of a table's numbers, row by row, without its headers."""
    texts = {(cell.row, cell.column): cell.best_text for cell in table.cells if cell.state in ("read", "uncertain")}
    return [[texts.get((row, column), "") for column in range(1, table.columns)] for row in range(1, table.rows)]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; return its status, what it printed, and what it said."""
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def test_a_log_sheet_is_read_and_adds_up() -> None:
    """All numbers are right, answered, and each column's sum holds."""
    (table,) = read("log-sheet.jpg", sums="last-row")
    assert (table.rows, table.columns) == (6, 4)
    assert grid(table) == LOG
    assert [(each.line, each.holds) for each in table.sums] == [(1, True), (2, True), (3, True)]


def test_a_class_list_tells_grades_from_ticks() -> None:
    """Grades are answered; ticks and a dash are no numbers; what nobody wrote in is empty."""
    (table,) = read("class-list.jpg", pattern="[1-9]|10")
    cells = {(cell.row, cell.column): cell for cell in table.cells}
    assert [cells[row, 1].text for row in range(1, 9)] == ["7", "9", "4", "10", "", "8", "6", "5"]
    assert cells[5, 1].state == cells[3, 2].state == "empty"
    assert {cells[row, 2].state for row in (1, 2, 4, 5, 6, 7)} == {"mark"}
    assert {cells[row, 0].state for row in range(9)} == {"print"}
    assert all(cell.text == "" for cell in table.cells if cell.state != "read")


def test_what_was_given_in_a_sudoku_is_print() -> None:
    """Hand and print are told apart; both are read when print is wanted."""
    from make_pages import GIVEN, SUDOKU

    (table,) = read("sudoku.jpg", pattern="[1-9]")
    printed = [cell for cell in table.cells if cell.state == "print"]
    assert len(printed) >= 6
    assert sum(GIVEN[cell.row][cell.column] == "." for cell in printed) <= 2
    assert all(cell.text in ("", SUDOKU[cell.row][cell.column]) for cell in table.cells)
    (both,) = read("sudoku.jpg", pattern="[1-9]", printed=True)
    assert sum(cell.text == SUDOKU[cell.row][cell.column] for cell in both.cells) >= 77


def test_boxes_of_an_exam_are_one_number() -> None:
    """A strip with a box a digit is one cell with the whole number; the total stands in a box of its own."""
    tables = read("exam.jpg")
    assert [table.rows for table in tables] == [2, 1]
    assert [cell.text for cell in tables[1].cells] == ["2305814", "44"]
    assert [cell.text for cell in tables[0].cells if cell.row == 1][1:] == ["12", "8", "15", "", "9"]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_on_its_side_is_the_same_table(quarters: int) -> None:
    """Turned by 90, 180 or 270 degrees the same texts stand in the same rows, their places in the page's own pixels."""
    with Image.open(PAGES / "log-sheet.jpg") as upright:
        given = np.asarray(upright)
    turned = np.ascontiguousarray(np.rot90(given, quarters))
    (table,) = lenet.read_table(turned)
    assert grid(table) == LOG
    (straight,) = read("log-sheet.jpg")
    height, width = turned.shape[:2]
    for one, other in zip(table.cells, straight.cells, strict=True):
        x, y = np.array(other.quad).T
        placed = {1: (y, given.shape[1] - x), 2: (width - x, height - y), 3: (given.shape[0] - y, x)}[quarters]
        assert np.abs(np.array(one.quad) - np.stack(placed, axis=1)).max() <= 3


def test_an_exif_tag_that_lies_changes_nothing(tmp_path: Path) -> None:
    """A page that is upright in its pixels is, whatever its tag says; places are those of the page as it is shown."""
    with Image.open(PAGES / "log-sheet.jpg") as upright:
        exif = upright.getexif()
        exif[0x0112] = 6
        upright.save(tmp_path / "lies.jpg", quality=92, exif=exif)
    (table,) = lenet.read_table(tmp_path / "lies.jpg")
    assert grid(table) == LOG
    assert see_page(tmp_path / "lies.jpg").quarters == 1


def test_light_lines_on_a_dark_page_are_lines_too() -> None:
    """A negative has the same table."""
    with Image.open(PAGES / "log-sheet.jpg") as page:
        (table,) = lenet.read_table(255 - np.asarray(page))
    assert (table.rows, table.columns) == (6, 4)


def test_what_the_picture_cuts_off_is_no_answer() -> None:
    """A table that goes on beyond the picture has its other cells; of those that are cut nothing is answered."""
    with Image.open(PAGES / "log-sheet.jpg") as page:
        given = np.asarray(page)[:, :560]
    (table,) = lenet.read_table(given)
    cells = {(cell.row, cell.column): cell for cell in table.cells}
    assert [cells[row, 1].best_text for row in range(1, 6)] == [texts[0] for texts in LOG]
    cut = [cell for cell in table.cells if cell.box[2] >= 558]
    assert len(cut) >= 5
    assert all(cell.text == "" for cell in cut)


def test_a_cell_that_fails_is_failed_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in reading one cell is that cell's state."""
    from lenet.tables import read_cells

    whole, calls = read_cells.read_twice, []

    def fail_once(*given: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError
        return whole(*given, **more)

    monkeypatch.setattr(read_cells, "read_twice", fail_once)
    (table,) = lenet.read_table(PAGES / "log-sheet.jpg")
    assert sum(cell.state == "failed" for cell in table.cells) == 1
    assert sum(cell.state == "read" for cell in table.cells) >= 10


def test_columns_have_patterns_of_their_own() -> None:
    """A column's pattern holds for its cells alone."""
    (table,) = read("log-sheet.jpg")
    (asked,) = lenet.read_table(PAGES / "log-sheet.jpg", columns={2: r"[3-9]\d\d"})
    for cell, plain in zip(asked.cells, table.cells, strict=True):
        if cell.column != 2:
            assert cell.text == plain.text
        elif cell.text:
            assert cell.text[0] in "3456789"


def test_fields_of_a_form_are_found_on_a_scan_and_a_photograph(tmp_path: Path) -> None:
    """The same form gives the same fields and texts from both; a field's own pattern holds."""
    form = tmp_path / "form.json"
    shutil.copy(PAGES / "exam-empty.png", tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["form", str(tmp_path / "exam-empty.png"), "-o", str(form)])
    assert not left.value.code
    told = json.loads(form.read_text())
    assert told["imagePath"] == "exam-empty.png"
    assert (told["imageWidth"], told["imageHeight"]) == (1000, 520)
    assert len(told["shapes"]) == 7
    assert all(shape["shape_type"] == "polygon" and len(shape["points"]) == 4 for shape in told["shapes"])
    strip = next(shape for shape in told["shapes"] if shape["description"])
    strip["label"] = "student:digits:7"
    form.write_text(json.dumps(told))
    found = [lenet.read_table(PAGES / name, fields=form)[0] for name in ("exam.jpg", "exam-photo.jpg")]
    texts = [{cell.field: cell.text for cell in table.cells} for table in found]
    assert texts[0] == texts[1]
    assert texts[0]["student"] == "2305814"
    assert sorted(filter(None, texts[0].values())) == ["12", "15", "2305814", "44", "8", "9"]


def test_another_page_has_not_this_form(tmp_path: Path) -> None:
    """A page without the form is one line, and so is a form whose picture is gone."""
    shutil.copy(PAGES / "exam-empty.png", tmp_path)
    form = tmp_path / "form.json"
    with pytest.raises(SystemExit):
        main(["form", str(tmp_path / "exam-empty.png"), "-o", str(form)])
    with pytest.raises(LenetError, match="the form is not found on it"):
        lenet.read_table(PAGES / "sudoku.jpg", fields=form)
    (tmp_path / "exam-empty.png").unlink()
    with pytest.raises(LenetError, match="the form's picture is not where imagePath says"):
        lenet.read_table(PAGES / "exam.jpg", fields=form)


def test_a_picture_without_a_table_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    """No table is no failure: a line on stderr, an object with none, status 0; a bad page is status 1."""
    pen, blank = str(ROOT / "examples" / "pen.png"), str(ROOT / "examples" / "blank.jpg")
    status, out, err = run(capsys, "table", "--json", pen, blank)
    assert status == 0
    assert [json.loads(line)["tables"] for line in out.splitlines()] == [[], []]
    assert err == f"{pen}: no table found\n{blank}: no table found\n"
    status, out, err = run(capsys, "table", "nowhere.png", pen)
    assert status == 1
    assert out.splitlines()[1] == "nowhere.png,0,,,,,,,failed,,"
    assert err.splitlines()[0] == "nowhere.png: no such file"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--column", "x=date"], "--column x=date: expected N=PATTERN, N from 0 on; as in --column 2=date"),
        (["--column", "1=("], "pattern '('"),
        (["--column", "1=date", "--column", "1=time"], "column 1 has a pattern already"),
        (["--sum", "middle"], "sum 'middle': expected last-row, last-column"),
        (["--out", "x.txt"], "ends in '.txt'; expected .csv, .xlsx, .jsonl, .parquet"),
        (["--resume"], "--resume: goes on with a job of --out; give --out"),
        (["--model", "lenet5"], "table with lenet5: these weights read one digit; choose others"),
        (["--fields", "f.json", "--column", "1=date"], "column and fields: both given"),
        (["--pattern", "date", "--choices", str(PAGES / "none.txt")], "cannot be read"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be meant ends with one line, before any page is read."""
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "table", str(PAGES / "exam.jpg"), *arguments)
    assert status in (1, 2)
    assert out == ""
    assert line in err
    assert err.count("\n") == 1


def test_the_python_interface_refuses_what_the_command_does() -> None:
    """A negative column and an unknown sum are UsageError; a form that is not there is DataError."""
    with pytest.raises(UsageError, match="counted from 0"):
        lenet.read_table(PAGES / "exam.jpg", columns={-1: "date"})
    with pytest.raises(UsageError, match="expected last-row, last-column"):
        lenet.read_table(PAGES / "exam.jpg", sums="here")  # type: ignore[arg-type]
    with pytest.raises(DataError):
        lenet.read_table(PAGES / "exam.jpg", fields="nowhere.json")


def write_pdf(path: Path, pages: int) -> None:
    """Write a PDF of so many log sheets."""
    with Image.open(PAGES / "log-sheet.jpg") as page:
        sheet = page.convert("RGB")
    sheet.save(path, save_all=True, append_images=[sheet] * (pages - 1), resolution=200)


def test_a_pdf_of_pages_is_one_table_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every page of a PDF has its cells, pages in order, in CSV and in a workbook with a sheet each."""
    pytest.importorskip("pypdfium2")
    openpyxl = pytest.importorskip("openpyxl")
    pdf, out, book = tmp_path / "scans.pdf", tmp_path / "out.csv", tmp_path / "out.xlsx"
    write_pdf(pdf, 3)
    assert run(capsys, "table", str(pdf), "--out", str(out))[0] == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["page"]) for row in rows] == sorted([0, 1, 2] * 24)
    for page in range(3):
        texts = [row["text"] for row in rows if row["page"] == str(page) and row["row"] == "5"]
        assert [text or right for text, right in zip(texts[1:], LOG[-1], strict=True)] == LOG[-1]
    assert run(capsys, "table", str(pdf), "--out", str(book), "--wide")[0] == 0
    sheets = openpyxl.load_workbook(book).worksheets
    assert [sheet["B6"].value for sheet in sheets] == [43] * 3


def test_a_killed_job_of_pages_goes_on(tmp_path: Path) -> None:
    """Ctrl-C in the middle keeps what is read; with --resume every cell is in the file once, in order."""
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(6):
        shutil.copy(PAGES / "log-sheet.jpg", pages / f"{number}.jpg")
    out = tmp_path / "out.csv"
    command = [sys.executable, "-c", "from lenet.cli import main; main()", "table", str(pages), "--out", str(out)]
    part = out.with_name("out.csv.part")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as job:
        while job.poll() is None and not (part.exists() and len(part.read_text().splitlines()) > 2):
            time.sleep(0.02)
        job.send_signal(signal.SIGINT)
        _out, err = job.communicate()
    if job.returncode == 130:  # else it was done before it heard
        assert "--resume" in err
        assert subprocess.run([*command, "--resume"], check=False).returncode == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["path"]).stem for row in rows] == sorted([str(number) for number in range(6)] * 24)


def test_cells_are_drawn_on_their_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--annotate writes the page with its cells, in the colours of their states, and a legend below it."""
    drawn = tmp_path / "drawn.png"
    assert run(capsys, "table", str(PAGES / "exam.jpg"), "--annotate", str(drawn), "--json")[0] == 0
    with Image.open(drawn) as picture:
        colours = {colour for _count, colour in picture.convert("RGB").getcolors(1 << 24) or []}
    assert {(0x15, 0x80, 0x3D), (0x0E, 0x74, 0x90), (0x6D, 0x28, 0xD9)} <= colours
    status, _out, err = run(capsys, "table", str(PAGES / "exam.jpg"), "--annotate", str(PAGES / "exam.jpg"))
    assert status == 1
    assert "is the picture itself" in err


def test_a_review_leaves_no_parts_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--review writes one file; what it was made of is gone."""
    review = tmp_path / "look.html"
    assert run(capsys, "table", str(PAGES / "exam.jpg"), "--review", str(review), "--json")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["look.html"]
    page = review.read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/png;base64,") >= 15


def test_archives_of_labelled_digits_are_unpacked(tmp_path: Path, blob_folder: Path) -> None:
    """A .zip is taken as the folder in it; one that is damaged, or would fill the disk, is one line."""
    folder = tmp_path / "digits"
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(np.full((40, 40), 255, np.uint8)).save(folder / str(digit) / f"{number}.png")
    archive = Path(shutil.make_archive(str(tmp_path / "digits"), "zip", folder))
    data = dataset.load(archive)
    assert len(data.train) + len(data.test) == 30
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(DataError, match="its archive cannot be read"):
        dataset.load(archive)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as store:
        store.writestr("labels.csv", "path,label\n")
    data_of = bytearray(bomb.read_bytes())
    place = data_of.rfind(b"PK\x01\x02")
    data_of[place + 24 : place + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    bomb.write_bytes(bytes(data_of))
    with pytest.raises(DataError, match="are unpacked"), open_folder(bomb):
        pass


def test_printed_rows_are_those_of_to_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what `to_rows` has of the same page, under its path."""
    status, out, _err = run(capsys, "table", str(PAGES / "log-sheet.jpg"))
    assert status == 0
    printed = list(csv.DictReader(io.StringIO(out)))
    rows = [row for table in read("log-sheet.jpg") for row in table.to_rows()]
    assert [row["path"] for row in printed] == [row["path"] for row in rows]
    assert [row["text"] for row in printed] == [row["text"] for row in rows]
    assert [row["box"] for row in printed] == [row["box"] for row in rows]
