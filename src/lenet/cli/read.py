"""`lenet read`: a line per picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lenet.cli.reading_job import TIMEOUT, read_pictures
from lenet.network.spec import DEFAULT, SLIDING_DEFAULT


def read(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Pictures, folders, globs, .zip, .tar, .parquet; - is stdin."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per picture.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell every step that was taken on the way.")] = False,
    digit: Annotated[bool, typer.Option("--digit", help="Take each whole picture for one digit.")] = False,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Shipped weights by name, or a weights file.",
            show_default=f"{DEFAULT}; {SLIDING_DEFAULT} for a sweep",
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="cut|line|both|sweep",
            help="Cut the ink into digits, read lines as a whole, both in doubt, or slide the network along.",
        ),
    ] = "both",
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="P", help="What a number may be: zip, amount, time, date, digits:N, luhn, or a regular expression."
        ),
    ] = None,
    choices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list of what a number may be, one to a line.")
    ] = None,
    best: Annotated[int, typer.Option(metavar="N", help="List the N likeliest texts of each line.")] = 0,
    max_error: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Withhold answers so that at most this share of the rest is wrong."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the answers to a .csv, .jsonl or .parquet file."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted job of the same --out.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the --out file that is there, once all is read.")
    ] = False,
    column: Annotated[
        str | None, typer.Option(metavar="NAME", help="The column of pictures in .parquet files, if there are several.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="CPU seconds after which a picture is given up; 0 for never.")
    ] = TIMEOUT,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="local|ADDRESS",
            help="Read on a Ray cluster, of this machine's cores or at an address; --out is a folder of Parquet parts.",
        ),
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw boxes and answers on the picture; a folder if there are several."),
    ] = None,
    save_glyphs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write each digit as it was seen, and labels.csv to correct and train on."),
    ] = None,
) -> None:
    """Read handwritten numbers in pictures, a line for each.

    A line is path, text, confidence and what a person should know, separated by tabs; several lines of writing are
    joined by a space there. The text is an answer: where it is empty, the remark says why, and what it may be.

    Any format, size, colour, polarity and place. Several pictures are read on all cores. A picture that cannot be read
    gives one line on stderr and exit status 1; the others are still read.

    \b
    Examples:
      lenet read scans/ --out numbers.csv
      lenet read zip.jpg --pattern zip --json
    """
    done = read_pictures(
        paths,
        as_json=as_json,
        verbose=verbose,
        digit=digit,
        model=model,
        method=method,
        pattern=pattern,
        choices=choices,
        best=best,
        max_error=max_error,
        out=out,
        resume=resume,
        overwrite=overwrite,
        column=column,
        timeout=timeout,
        cluster=cluster,
        annotate=annotate,
        save_glyphs=save_glyphs,
    )
    if not done:
        raise typer.Exit(1)
