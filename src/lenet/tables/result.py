"""What reading a page of numbers gives, as data, as rows, as JSON and as HTML: tables, cells, sums."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from html import escape
from typing import Any, Literal

from lenet.arrays import Uint8
from lenet.result import Box

# What a cell is: its number is answered; nothing is written in it; what is written is only guessed; it is a mark that
# is no number, or a number that was struck out; it is machine print; reading it failed.
CellState = Literal["read", "empty", "uncertain", "mark", "print", "failed"]
# No row is surer than this: nothing is certain, whatever four digits say.
_SUREST = 0.9999
# The columns of a table of cells, a row for each.
CELL_COLUMNS = (*("path", "page", "table", "row", "column", "field", "text", "confidence", "state", "guess", "box"),)


@dataclass(frozen=True)
class Cell:
    """A cell of a table, its first `row` and `column` counted from 0, and how many `rows` and `columns` it spans.

    `text` is an answer, or empty: then `guess` is the likeliest text of what is written, if it may be a number.
    `confidence` is the probability that its text is right, or its guess, or that it is empty, a mark or print. `box`
    x0, y0, x1, y1 and the corners `quad`, clockwise from upper left, are in the page's own pixels. `likeliest` are the
    texts that it may say, best first. `glyphs` (28, 28) uint8 are its digits as they were seen, one for each, or none.
    """

    row: int
    column: int
    text: str
    confidence: float
    state: CellState
    guess: str
    box: Box
    quad: tuple[tuple[int, int], ...]
    field: str = ""
    rows: int = 1
    columns: int = 1
    likeliest: tuple[tuple[str, float], ...] = ()
    glyphs: tuple[Uint8, ...] = dataclass_field(default=(), repr=False, compare=False)

    @property
    def best_text(self) -> str:
        """The likeliest text, answered or not."""
        return self.text or self.guess

    def as_json(self) -> dict[str, Any]:
        """Return the cell as `lenet table --json` has it."""
        span = {"rows": self.rows, "columns": self.columns} if self.rows * self.columns > 1 else {}
        likeliest = [{"text": text, "confidence": sure} for text, sure in self.likeliest]
        return {
            "row": self.row,
            "column": self.column,
            **span,
            "field": self.field,
            "text": self.text,
            "confidence": self.confidence,
            "state": self.state,
            "guess": self.guess,
            "box": list(self.box),
            "quad": [list(corner) for corner in self.quad],
            **({"likeliest": likeliest} if likeliest else {}),
        }


@dataclass(frozen=True)
class Sum:
    """The check of one line, a column or a row by its number: its numbers add up to `expected`, its sum is `found`.

    `holds` is None where a number of it is not known.
    """

    line: int
    holds: bool | None
    expected: str
    found: str

    def as_json(self) -> dict[str, Any]:
        """Return the sum as `lenet table --json` has it."""
        return {"line": self.line, "holds": self.holds, "expected": self.expected, "found": self.found}


@dataclass(frozen=True)
class Table:
    """A table of a page: how many `rows` and `columns` it has, its cells in reading order, and its sums, if asked for.

    Boxes that stand alone on a page are together one table.
    """

    rows: int
    columns: int
    cells: tuple[Cell, ...]
    sums: tuple[Sum, ...] = ()
    path: str = dataclass_field(default="", compare=False)
    page: int = 0
    table: int = 0

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a record for each cell, in reading order: what `pandas.DataFrame` and `polars.DataFrame` take."""
        return list_rows(self.as_json(), self.path, self.page, self.table)

    def as_json(self) -> dict[str, Any]:
        """Return the table as `lenet table --json` has it."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "cells": [cell.as_json() for cell in self.cells],
            "sums": [each.as_json() for each in self.sums],
        }

    def __repr__(self) -> str:
        states: dict[str, int] = {}
        for cell in self.cells:
            states[cell.state] = states.get(cell.state, 0) + 1
        told = ", ".join(f"{count} {state}" for state, count in states.items())
        return f"Table({self.rows} rows, {self.columns} columns: {told})"

    def _repr_html_(self) -> str:
        """Show the table in a notebook: guesses in grey with a question mark."""
        rows = "".join(f"<tr>{''.join(map(_show_cell, own))}</tr>" for own in self._list_by_row())
        return f'<table class="lenet-table">{rows}</table>'

    def _list_by_row(self) -> list[list[Cell]]:
        return [[cell for cell in self.cells if cell.row == row] for row in range(self.rows)]


@dataclass(frozen=True)
class PageTables:
    """All tables of a page, none if there are no lines that make one."""

    tables: tuple[Table, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the page as `lenet table --json` has it, without the path."""
        return {"tables": [table.as_json() for table in self.tables]}


def list_rows(table: dict[str, Any], path: str, page: int, number: int) -> list[dict[str, Any]]:
    """Return a record of CELL_COLUMNS for each cell of a table that is given as JSON has it."""
    found = []
    for cell in table["cells"]:
        row = {"path": path, "page": page, "table": number} | {name: cell[name] for name in CELL_COLUMNS[3:-1]}
        sure = round(min(cell["confidence"], _SUREST), 4)
        found.append(row | {"confidence": sure, "box": "/".join(map(str, cell["box"]))})
    return found


def _show_cell(cell: Cell) -> str:
    span = f' rowspan="{cell.rows}" colspan="{cell.columns}"' if cell.rows * cell.columns > 1 else ""
    told = f"{cell.state}, {100 * cell.confidence:.0f} %"
    if cell.text:
        return f'<td{span} title="{told}">{escape(cell.text)}</td>'
    guess = f"{escape(cell.guess)}?" if cell.guess else {"empty": ""}.get(cell.state, f"<i>{cell.state}</i>")
    return f'<td{span} title="{told}" style="color:#8a8a93">{guess}</td>'
