"""A page becomes tables: its cells are found, told apart, read by their patterns, and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import get_args

from lenet.engine import Network
from lenet.engine.lines import load_lines
from lenet.errors import UsageError
from lenet.network.spec import CELL_DEFAULT
from lenet.preprocessing.sources import PictureSource
from lenet.reader import ReadOptions, read_options
from lenet.tables.form import Form, load_form, place_form
from lenet.tables.read_cells import read_cell
from lenet.tables.result import PageTables, Table
from lenet.tables.sight import SeenGrid, SeenPage, see_page
from lenet.tables.sums import SumPlace, check_sums

# Of each cell so many texts are kept, to be added up.
_SUMMED = 10


@dataclass(frozen=True)
class TableOptions:
    """How cells are read: all alike by `cells`, those of some `columns` (from 0) otherwise; whether print is read too.

    `sums` says where sums stand, if there are any. Of a `form` its fields are read, each by its own pattern if it has
    one: those of `fields`, by name.
    """

    cells: ReadOptions = field(default_factory=ReadOptions)
    columns: Mapping[int, ReadOptions] = field(default_factory=dict)
    sums: SumPlace | None = None
    printed: bool = False
    form: Form | None = None
    fields: Mapping[str, ReadOptions] = field(default_factory=dict)


def read_tables(source: PictureSource, network: Network, options: TableOptions = TableOptions()) -> PageTables:
    """Return the tables of a page, in reading order. Raises PictureError when the picture cannot be decoded."""
    page, path = see_page(source), str(source) if isinstance(source, str | PathLike) else ""
    if options.form is not None:
        grid, fields = place_form(options.form, page)
        tables = [_read_grid(page, grid, network, options, tuple(each.name for each in fields))]
    else:
        tables = [_read_grid(page, grid, network, options) for grid in page.grids]
    return PageTables(tuple(replace(table, path=path, table=number) for number, table in enumerate(tables)))


def _read_grid(
    page: SeenPage,
    grid: SeenGrid,
    network: Network,
    options: TableOptions,
    names: tuple[str, ...] = (),
) -> Table:
    """Read all cells of a grid; of a form their fields have `names`."""
    cells = []
    for row, seen in enumerate(grid.cells):
        name = names[row] if names else ""
        asked = options.fields.get(name) or options.columns.get(seen.place.column, options.cells)
        if options.sums:
            asked = replace(asked, best=max(asked.best, _SUMMED))
        thick = grid.grid.thick
        cell = read_cell(page, seen, thick, network, asked, printed=options.printed)
        cells.append(replace(cell, field=name))
    table = Table(grid.grid.rows, grid.grid.columns, tuple(cells))
    if options.sums:
        table = check_sums(table, options.sums)
        kept = options.cells.best
        table = replace(table, cells=tuple(replace(cell, likeliest=cell.likeliest[:kept]) for cell in table.cells))
    return table


def table_options(
    network: Network,
    *,
    pattern: str | None = None,
    columns: Mapping[int, str] | None = None,
    choices: Sequence[str] | None = None,
    sums: str | None = None,
    printed: bool = False,
    fields: str | Path | None = None,
    best: int = 0,
    max_error: float | None = None,
) -> TableOptions:
    """Return what is asked of a page, as `lenet.read_table` and `lenet table` take it.

    Raises UsageError for what does not go together or is out of range, and DataError for a form that is none.
    """
    if fields is not None and columns:
        raise UsageError("column and fields", "both given", "write a field's pattern behind its name: name:pattern")
    if sums is not None and sums not in get_args(SumPlace):
        raise UsageError(f"sum {sums!r}", f"expected {', '.join(get_args(SumPlace))}")
    if not network.weights.reads_numbers:
        reads = "characters" if network.net.says_characters else "one digit"
        raise UsageError(f"table with {network.weights.name}", f"these weights read {reads}", "choose others")
    least = 0.0 if max_error is None else _find_least(max_error)

    def ask(pattern: str | None, choices: Sequence[str] | None = None) -> ReadOptions:
        return replace(read_options(network, pattern=pattern, choices=choices, best=best), least=least)

    own = {}
    for column, each in (columns or {}).items():
        if column < 0:
            raise UsageError(f"column {column}", "columns are counted from 0")
        own[column] = ask(each)
    cells = ask(pattern, choices)
    form = None if fields is None else load_form(Path(fields))
    named = {each.name: each.pattern for each in form.fields if each.pattern is not None} if form else {}
    by_name = {name: ask(each) for name, each in named.items()}
    return TableOptions(cells, own, sums, printed, form, by_name)  # type: ignore[arg-type]


def _find_least(max_error: float) -> float:
    """Return from which confidence on at most this share of the cells that are answered is wrong, on made pages.

    1 if there is none.
    """
    if not 0 < max_error < 1:
        raise UsageError(f"max_error {max_error:g}", "expected a share above 0 and below 1")
    curve = load_lines(CELL_DEFAULT).weights.error_curve
    enough = [confidence for confidence, error, _answered in ([] if curve is None else curve) if error <= max_error]
    return float(min(enough, default=1.0))
