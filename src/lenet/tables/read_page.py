"""A page becomes tables: its cells are found, told apart, read by their patterns, and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from lenet.engine import Network
from lenet.errors import UsageError
from lenet.preprocessing.decode import PictureSource
from lenet.reader import ReadOptions, read_options
from lenet.tables.read_cells import read_cell
from lenet.tables.result import PageTables, Table
from lenet.tables.sight import SeenGrid, SeenPage, see_page
from lenet.tables.sums import SumPlace, check_sums

# Of each cell so many texts are kept, to be added up.
_SUMMED = 10


@dataclass(frozen=True)
class TableOptions:
    """How cells are read: all alike by `cells`, those of some `columns` (from 0) otherwise; whether print is read too.

    `sums` says where sums stand, if there are any.
    """

    cells: ReadOptions = field(default_factory=ReadOptions)
    columns: Mapping[int, ReadOptions] = field(default_factory=dict)
    sums: SumPlace | None = None
    printed: bool = False


def read_tables(source: PictureSource, network: Network, options: TableOptions = TableOptions()) -> PageTables:
    """Return the tables of a page, in reading order. Raises PictureError when the picture cannot be decoded."""
    page = see_page(source)
    grids = enumerate(page.grids)
    return PageTables(tuple(_read_grid(page, grid, number, network, options) for number, grid in grids))


def _read_grid(page: SeenPage, grid: SeenGrid, number: int, network: Network, options: TableOptions) -> Table:
    cells = []
    for seen in grid.cells:
        asked = options.columns.get(seen.place.column, options.cells)
        if options.sums:
            asked = replace(asked, best=max(asked.best, _SUMMED))
        thick = grid.grid.thick
        cells.append(read_cell(page, seen, thick, network, asked, printed=options.printed))
    table = Table(grid.grid.rows, grid.grid.columns, tuple(cells), table=number)
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
    best: int = 0,
    max_error: float | None = None,
) -> TableOptions:
    """Return what is asked of a page, as `lenet.read_table` and `lenet table` take it.

    Raises UsageError for what does not go together or is out of range.
    """
    if sums is not None and sums not in get_args(SumPlace):
        raise UsageError(f"sum {sums!r}", f"expected {', '.join(get_args(SumPlace))}")
    if not network.weights.reads_numbers:
        raise UsageError(f"table with {network.weights.name}", "these weights read one digit", "choose others")
    more: dict[str, Any] = {"best": best, "max_error": max_error}
    own = {}
    for column, each in (columns or {}).items():
        if column < 0:
            raise UsageError(f"column {column}", "columns are counted from 0")
        own[column] = read_options(network, pattern=each, **more)
    cells = read_options(network, pattern=pattern, choices=choices, **more)
    return TableOptions(cells, own, sums, printed)  # type: ignore[arg-type]
