"""Tables of pages as files: a row for each cell, or the grid itself, a sheet or a file for each table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from lenet.bulk.outputs import Rows, write_answers
from lenet.errors import MissingExtra, UsageError
from lenet.files import escape_name, replacing
from lenet.tables.result import CELL_COLUMNS, list_rows

TABLE_FORMATS = (".csv", ".xlsx", ".jsonl", ".parquet")
# How cells are coloured in a workbook, by their state.
COLOURS = {
    "read": "#ffffff",
    "empty": "#f4f4f6",
    "uncertain": "#fff2cc",
    "mark": "#f8d7da",
    "print": "#dbe7f5",
    "failed": "#e2b8b8",
}
_WHOLE = frozenset(("page", "table", "row", "column"))
# A sheet's name has so many characters at most.
_LONGEST_NAME = 31


def make_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a page's cells, in reading order; of a page that could not be read one that says so."""
    path, page = escape_name(answer["path"]), int(answer.get("page", 0))
    if "error" in answer:
        return [{"path": path, "page": page, "state": "failed"}]
    rows = [list_rows(table, path, page, number) for number, table in enumerate(answer["tables"])]
    return [row for own in rows for row in own]


def make_part_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a page for a part of a cluster's job: at least one for each page, with what failed."""
    blank = {"path": escape_name(answer["path"]), "page": int(answer.get("page", 0))}
    return [row | {"error": escape_name(answer.get("error", ""))} for row in make_rows(answer) or [blank]]


TABLE_ROWS = Rows(CELL_COLUMNS, make_rows, whole=_WHOLE)
PART_ROWS = Rows((*CELL_COLUMNS, "error"), make_part_rows, whole=_WHOLE)


def check_others(paths: list[Path], *, overwrite: bool) -> None:
    """Raise UsageError for other files that cannot be written: of another format, or there already."""
    for path in paths:
        if path.suffix not in TABLE_FORMATS:
            raise UsageError(f"--out {path}", f"ends in {path.suffix!r}", f"expected {', '.join(TABLE_FORMATS)}")
        if path.exists() and not overwrite:
            raise UsageError(f"--out {path}", "is there already", "give --overwrite, or choose another file")


def write_tables(
    path: Path, answers: Iterable[dict[str, Any]], *, wide: bool = False, others: tuple[Path, ...] = ()
) -> None:
    """Write pages to a file, whole or not at all: a row for each cell, or `wide`, the grids themselves.

    A wide .csv file of several tables is as many, numbered. The same is written to `others`. Raises OSError when
    nothing can be written.
    """
    if others:
        answers = list(answers)
        for other in others:
            write_tables(other, answers, wide=wide)
    if path.suffix == ".xlsx":
        with replacing(path) as temporary:
            _write_workbook(temporary, answers, wide=wide)
    elif wide and path.suffix == ".csv":
        _write_grids(path, answers)
    else:
        write_answers(path, answers, TABLE_ROWS)


def print_rows(file: IO[str], answer: dict[str, Any], *, header: bool) -> None:
    """Print a page's cells as CSV, with a header or without."""
    lines = csv.DictWriter(file, CELL_COLUMNS, lineterminator="\n")
    if header:
        lines.writeheader()
    lines.writerows(make_rows(answer))


def print_grids(file: IO[str], answer: dict[str, Any], *, between: bool) -> None:
    """Print a page's grids as CSV, an empty line between two, and before the first if there is one `between`."""
    for table in answer.get("tables", ()):
        if between:
            print(file=file)
        csv.writer(file, lineterminator="\n").writerows(make_grid(table))
        between = True


def make_grid(table: dict[str, Any]) -> list[list[str]]:
    """Return a table as rows of texts; what is doubtful, or no number, is blank."""
    grid = [[""] * table["columns"] for _row in range(table["rows"])]
    for cell in table["cells"]:
        grid[cell["row"]][cell["column"]] = cell["text"]
    return grid


def _list_tables(answers: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for answer in answers:
        for table in answer.get("tables", ()):
            yield answer, table


def _write_grids(path: Path, answers: Iterable[dict[str, Any]]) -> None:
    """Write each table to a file: PATH if it is the only one, else PATH's name with a number."""
    tables = _list_tables(answers)
    first, second = next(tables, None), next(tables, None)
    several = [each for each in (first, second) if each is not None]
    for number, (_answer, table) in enumerate((*several, *tables), 1):
        place = path if second is None else path.with_stem(f"{path.stem}-{number:04d}")
        _write_grid(place, make_grid(table))
    if first is None or second is not None:  # what was asked for is there all the same, and says what else is
        rows = [] if first is None else [["file"], *([f"{path.stem}-{row + 1:04d}.csv"] for row in range(number))]
        _write_grid(path, rows)


def _write_grid(path: Path, rows: list[list[str]]) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _write_workbook(path: Path, answers: Iterable[dict[str, Any]], *, wide: bool) -> None:
    """Write a workbook: one sheet with a row for each cell, or a sheet for each table, coloured by state."""
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtra("--out .xlsx", "XlsxWriter", "xlsx") from error
    with xlsxwriter.Workbook(str(path), {"in_memory": False, "strings_to_formulas": False}) as book:
        formats = {state: book.add_format({"bg_color": colour, "border": 1}) for state, colour in COLOURS.items()}
        if wide:
            for number, (answer, table) in enumerate(_list_tables(answers), 1):
                sheet = book.add_worksheet(_name_sheet(number, answer))
                for cell in table["cells"]:
                    _put_cell(sheet, cell["row"], cell["column"], cell, formats)
            return
        sheet, line = book.add_worksheet("cells"), 1
        sheet.write_row(0, 0, CELL_COLUMNS)
        sheet.freeze_panes(1, 0)
        for answer in answers:
            for row in make_rows(answer):
                for column, name in enumerate(CELL_COLUMNS):
                    _put_value(sheet, line, column, name, row, formats)
                line += 1


def _name_sheet(number: int, answer: dict[str, Any]) -> str:
    """Return the name of a sheet: its number, and as much of the page's name as there is room for."""
    name = "".join(sign if sign.isalnum() or sign in " ._-" else "_" for sign in Path(answer["path"]).stem)
    return f"{number} {name}"[:_LONGEST_NAME].strip(" '")


def _put_cell(sheet: Any, row: int, column: int, cell: dict[str, Any], formats: dict[str, Any]) -> None:
    """Write a cell of a grid: its text, as a number if it is one; its guess as a comment."""
    style = formats[cell["state"]]
    value = _find_number(cell["text"])
    if not cell["text"]:
        sheet.write_blank(row, column, None, style)
    elif value is None:
        sheet.write_string(row, column, cell["text"], style)
    else:
        sheet.write_number(row, column, value, style)
    if cell["guess"]:
        sheet.write_comment(row, column, f"perhaps {cell['guess']} ({100 * cell['confidence']:.0f} %)")
    elif cell["state"] not in ("read", "empty"):
        sheet.write_comment(row, column, cell["state"])


def _put_value(sheet: Any, line: int, column: int, name: str, row: dict[str, Any], formats: dict[str, Any]) -> None:
    value = row.get(name)
    if name in _WHOLE or name == "confidence":
        if value is not None:
            sheet.write_number(line, column, value)
    elif value not in (None, ""):
        sheet.write_string(line, column, str(value), formats[row["state"]])


def _find_number(text: str) -> float | None:
    """Return the number that a text is, if writing it as one loses nothing: no leading zero, few enough digits."""
    plain = text.removeprefix("-")
    whole, _point, behind = plain.partition(".")
    digits = (whole + behind).isdecimal() and text.isascii()
    if not digits or not whole or (whole != "0" and whole.startswith("0")) or len(plain) > 15:  # noqa: PLR2004
        return None
    return float(text)
