"""`lenet table`: a row for each cell of a page of numbers."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lenet.cli.progress import bar
from lenet.cli.reading_job import (
    check_job,
    explain_stop,
    give_up_job,
    prepare_drawings,
    read_choices,
    read_on_cluster,
    standard_input,
)
from lenet.network.spec import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from lenet.bulk.jobs import Answer, Draw


def table(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="SCAN", help="Pictures, folders, globs, .zip, .tar, .pdf, .tif; - is stdin."),
    ],
    fields: Annotated[
        Path | None, typer.Option(metavar="FORM.json", help="Read the fields of a form, as lenet form finds them.")
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="P", help="What a number may be: zip, amount, time, date, digits:N, luhn, or a regular expression."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="N=P", help="What the numbers of a column may be; columns are counted from 0."),
    ] = None,
    choices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list of what a number may be, one to a line.")
    ] = None,
    sums: Annotated[
        str | None,
        typer.Option("--sum", metavar="last-row|last-column", help="Check that the numbers before it add up to it."),
    ] = None,
    printed: Annotated[bool, typer.Option("--print", help="Read machine print too.")] = False,
    wide: Annotated[
        bool, typer.Option("--wide", help="Write the grids themselves, a sheet or a file each; doubtful cells blank.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per page.")] = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write a .csv, .xlsx, .jsonl or .parquet file; give it again for another.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted job of the same --out.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the --out file that is there, once all is read.")
    ] = False,
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw the cells on the page; a folder if there are several."),
    ] = None,
    review: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write a page to look at doubtful cells and to type over their texts."),
    ] = None,
    best: Annotated[int, typer.Option(metavar="N", help="List the N likeliest texts of each cell (--json).")] = 0,
    max_error: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Withhold answers so that at most this share of the rest is wrong."),
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME|FILE", help="Shipped weights by name, or a file.")] = DEFAULT,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="CPU seconds after which a page is given up; 0 for never.")
    ] = 600.0,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="local|ADDRESS",
            help="Read on a Ray cluster, of this machine's cores or at an address; --out is a folder of Parquet parts.",
        ),
    ] = None,
) -> None:
    """Read the tables of pages, a row for each cell.

    A row is path, page, table, row, column, field, text, confidence, state, guess and box. The text is an answer; where
    it is empty, the state says why: empty, uncertain (with a guess), mark, print or failed. Tables, rows and columns
    are counted from 0; boxes that stand alone are together one table, the last of their page.

    \b
    Examples:
      lenet table page.jpg -o page.xlsx
      lenet table list.pdf --column 2=digits:3 --sum last-row
    """
    from lenet.bulk import jobs
    from lenet.bulk.inputs import list_pictures, open_pictures
    from lenet.bulk.outputs import open_output
    from lenet.bulk.table_outputs import TABLE_FORMATS, check_others, write_tables
    from lenet.engine import load
    from lenet.tables.read_page import table_options

    first, others_out = (out[0], out[1:]) if out else (None, [])
    check_job(timeout, first, resume, overwrite)
    check_others(others_out, overwrite=overwrite)
    words = read_choices(choices, pattern) if choices else None
    options: dict[str, Any] = {"pattern": pattern, "columns": _parse_columns(column or []), "choices": words}
    options |= {
        "sums": sums,
        "printed": printed,
        "fields": None if fields is None else str(fields),
        "best": best,
        "max_error": max_error,
    }
    asked = table_options(load(model), **options)
    found = list_pictures(paths, None, lambda line: print(line, file=sys.stderr))
    job = {"table": True, "model": model, **options}
    if cluster is not None:
        extras = bool(as_json or annotate or review or overwrite or wide or others_out)
        job |= {"column": None}
        _end(done=read_on_cluster(cluster, first, job, found, asked, resume, timeout or None, "pages", extras))
        return
    prepare_drawings(annotate, found)
    with explain_stop(first), ExitStack() as open_files, ExitStack() as others:
        put, done = None, 0
        if first:
            write = partial(write_tables, wide=wide, others=tuple(others_out))
            more: dict[str, Any] = {"resume": resume, "overwrite": overwrite, "write": write, "formats": TABLE_FORMATS}
            put, done = open_files.enter_context(open_output(first, job, found, **more))
        move = others.enter_context(bar("reading", "pages"))
        tell = _Teller(as_json, wide, put)
        draw = _make_drawings(annotate, review, done)

        def give_up(answer: Answer) -> NoReturn:
            others.close()
            give_up_job(lambda: tell(answer), first)

        left = found[done:]
        pictures = open_pictures(left, None, standard_input() if "-" in found else b"")
        failed = False
        limits: dict[str, Any] = {"timeout": timeout or None, "give_up": give_up, "draw": draw}
        with closing(jobs.read_all(pictures, len(left), model, asked, **limits)) as answers:
            for number, answer in enumerate(answers, done):
                failed |= not tell(answer)
                if answer.undrawn:
                    raise answer.undrawn
                if len(found) > 1:
                    move(number + 1, len(found))
        if review:
            _finish_review(review, found)
    _end(done=not failed)


def _end(*, done: bool) -> None:
    """End the command with status 1 unless all was done."""
    if not done:
        raise typer.Exit(1)


def _parse_columns(given: list[str]) -> dict[int, str]:
    """Return the pattern of each column that has one. Raises UsageError for what is no N=PATTERN."""
    from lenet.errors import UsageError

    columns = {}
    for each in given:
        number, equals, pattern = each.partition("=")
        if not equals or not number.isdecimal() or not number.isascii():
            raise UsageError(f"--column {each}", "expected N=PATTERN, N from 0 on", "as in --column 2=date")
        if int(number) in columns:
            raise UsageError(f"--column {each}", f"column {number} has a pattern already", "give one for each")
        columns[int(number)] = pattern
    return columns


def _make_drawings(annotate: Path | None, review: Path | None, done: int) -> Draw | None:
    """Return what draws each page, and keeps its cells to be looked at; None: neither is asked for."""
    draws: list[Draw] = []
    if annotate is not None:
        from lenet.drawing.tables import TableDrawings  # Pillow's drawing, only when it is asked for

        draws.append(TableDrawings(annotate, done))
    if review is not None:
        from lenet.drawing.review import ReviewParts, open_parts

        draws.append(ReviewParts(open_parts(review, fresh=not done), done))
    return _DrawAll(tuple(draws)) if draws else None


def _finish_review(review: Path, found: list[str]) -> None:
    """Write the page of all cells that were kept, and delete what they were kept in."""
    from lenet.bulk.inputs import find_page
    from lenet.drawing.review import close_parts, write_review

    write_review(review, [(find_page(name) or 1) - 1 for name in found])
    close_parts(review)


@dataclass(frozen=True)
class _DrawAll:
    """Draws a page in several ways, one after the other; processes import it."""

    draws: tuple[Draw, ...]

    def __call__(self, *given: Any) -> None:
        for draw in self.draws:
            draw(*given)


class _Teller:
    """Prints answers and puts them into the file; returns whether there was one."""

    def __init__(self, as_json: bool, wide: bool, put: Callable[[dict[str, Any]], None] | None) -> None:
        self.as_json, self.wide, self.put, self.first = as_json, wide, put, True

    def __call__(self, answer: Answer) -> bool:
        from lenet.bulk.table_outputs import print_grids, print_rows

        given = answer.as_json()
        found = {"path": given["path"], "page": given.get("page", 0), **given}
        if answer.error:
            print(answer.error, file=sys.stderr)
        elif not found["tables"]:
            print(f"{answer.path}: no table found", file=sys.stderr)
        if self.put:
            self.put(found)
        if self.as_json:
            print(json.dumps(found))
        elif not self.put and self.wide:
            print_grids(sys.stdout, found, between=not self.first)
            self.first &= not found.get("tables")
        elif not self.put:
            print_rows(sys.stdout, found, header=self.first)
            self.first = False
        return not answer.error
