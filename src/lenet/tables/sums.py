"""Sums of a table: whether its columns or rows add up, and which of their likely texts do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Literal

import numpy as np

from lenet.decoding.decoder import UNCERTAIN
from lenet.tables.result import Cell, Sum, Table

# Where a table's sums stand.
SumPlace = Literal["last-row", "last-column"]
# The share of sums that are right on paper; one of 24 that were looked at was not.
_RIGHT_ON_PAPER = 0.96
# A cell may be one of so many texts, if it is so likely; so many partial sums are followed at most.
_TEXTS, _LEAST, _FOLLOWED = 10, 1e-4, 20_000


@dataclass(frozen=True)
class _Way:
    """One way to read the numbers of a line: how likely it is, and which text of each cell it takes."""

    chance: float
    texts: tuple[str, ...]


def check_sums(table: Table, place: SumPlace) -> Table:
    """Return a table with the check of each line that has a sum, and with those texts that add up where some do.

    Of a column the cells above the last row are added, without print, marks and what is empty; of a row those before
    the last column.
    """
    cells = table.cells if place == "last-row" else tuple(map(_turn, table.cells))
    lines, last = (table.columns, table.rows - 1) if place == "last-row" else (table.rows, table.columns - 1)
    sums, changed = [], {(cell.row, cell.column): cell for cell in cells}
    for line in range(lines):
        own = [cell for cell in cells if cell.column == line and cell.state in ("read", "uncertain")]
        parts, total = ([cell for cell in own if (cell.row == last) == is_sum] for is_sum in (False, True))
        if parts and len(total) == 1:
            found, instead = _check_line(line, parts, total[0])
            sums.append(found)
            changed |= {(cell.row, cell.column): cell for cell in instead}
    after = [changed[cell.row, cell.column] for cell in cells]
    return replace(table, cells=tuple(after if place == "last-row" else map(_turn, after)), sums=tuple(sums))


def _turn(cell: Cell) -> Cell:
    """Return a cell with its row and column exchanged."""
    return replace(cell, row=cell.column, column=cell.row)


def _check_line(line: int, parts: list[Cell], total: Cell) -> tuple[Sum, list[Cell]]:
    """Return the check of a line, and its cells as they are if some of their likely texts add up."""
    every = [*parts, total]
    best, share = _find_adding(parts, total)
    if best is not None and share >= UNCERTAIN:
        changed = [_take_text(cell, text, share) for cell, text in zip(every, best.texts, strict=True)]
        expected = sum((_read_value(text) or Decimal(0) for text in best.texts[:-1]), Decimal(0))
        return Sum(line, True, _write_value(expected), best.texts[-1]), changed
    values = [_read_value(cell.best_text) for cell in every]
    known = [value for value in values[:-1] if value is not None]
    expected = sum(known, Decimal(0))
    if any(value is None for value in values) or any(cell.state != "read" for cell in every):
        return Sum(line, None, _write_value(expected), total.best_text), every
    return Sum(line, expected == values[-1], _write_value(expected), total.text), every


def _find_adding(parts: list[Cell], total: Cell) -> tuple[_Way | None, float]:
    """Return the likeliest way to read a line so that it adds up, and how likely that way is."""
    ways: dict[Decimal, list[_Way]] = {Decimal(0): [_Way(1.0, ())]}
    for cell in parts:
        texts = _list_values(cell)
        longer: dict[Decimal, list[_Way]] = {}
        for value, own in ways.items():
            for text, added, chance in texts:
                longer.setdefault(value + added, []).extend(
                    _Way(way.chance * chance, (*way.texts, text)) for way in own
                )
        ways = {value: _merge(own) for value, own in longer.items()}
        if len(ways) > _FOLLOWED:
            kept = sorted(ways, key=lambda value: -ways[value][0].chance)[:_FOLLOWED]
            ways = {value: ways[value] for value in kept}
    adding = [
        _Way(way.chance * chance, (*way.texts, text))
        for text, value, chance in _list_values(total)
        for way in ways.get(value, [])
    ]
    if not adding:
        return None, 0.0
    best = max(adding, key=lambda way: way.chance)
    every = sum(way.chance for way in adding)
    return best, _RIGHT_ON_PAPER * best.chance / (_RIGHT_ON_PAPER * every + (1 - _RIGHT_ON_PAPER) * (1 - every))


def _merge(ways: list[_Way]) -> list[_Way]:
    """Return the two likeliest ways to one sum: the second says how doubtful the first is."""
    return sorted(ways, key=lambda way: -way.chance)[:2]


def _list_values(cell: Cell) -> list[tuple[str, Decimal, float]]:
    """Return the texts that a cell may say and that are numbers, each with its value and how likely it is."""
    others = sum(chance for text, chance in cell.likeliest if text != cell.best_text)
    left = max(0.0, 1 - cell.confidence)
    found = [(cell.best_text, cell.confidence)]
    found += [
        (text, left * chance / others) for text, chance in cell.likeliest if text != cell.best_text and others > 0
    ]
    values = [(text, _read_value(text), chance) for text, chance in found[:_TEXTS]]
    return [(text, value, chance) for text, value, chance in values if value is not None and chance > _LEAST]


def _take_text(cell: Cell, text: str, share: float) -> Cell:
    """Return a cell that says a text because its line adds up so."""
    sure = max(share, cell.confidence) if text == cell.best_text else share
    return replace(cell, text=text, guess="", state="read", confidence=float(np.clip(sure, 0, 1)))


def _read_value(text: str) -> Decimal | None:
    """Return the value of a number as it is written: a point or comma is a decimal's unless three digits follow it."""
    plain = text.strip("$€£%+= ").replace(" ", "")
    signs = [sign for sign in plain if sign in ".,"]
    if len(signs) == 1 and len(plain) - plain.index(signs[0]) - 1 != 3:  # noqa: PLR2004 - a group of thousands
        plain = plain.replace(",", ".")
    else:
        plain = plain.replace(",", "").replace(".", "")
    try:
        return Decimal(plain) if plain.strip("-") else None
    except InvalidOperation:
        return None


def _write_value(value: Decimal) -> str:
    return format(value, "f")
