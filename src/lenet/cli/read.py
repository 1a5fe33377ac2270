"""`lenet read`: a line per picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet.cli.progress import bar
from lenet.spec import DEFAULT, SWEEP

if TYPE_CHECKING:
    from lenet.jobs import Answer


def read(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Pictures, folders of pictures, globs; - is standard input.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per picture.")] = False,
    digit: Annotated[bool, typer.Option("--digit", help="Take each whole picture for one digit.")] = False,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Shipped weights by name, or a weights file.",
            show_default=f"{DEFAULT}; {SWEEP} for a sweep",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="cut|sweep", help="Cut the ink into digits, or slide the network along it.")
    ] = "cut",
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="P", help="What a number may be: zip, amount, time, date, digits:N, luhn, or a regular expression."
        ),
    ] = None,
    choices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list of what a number may be, one to a line.")
    ] = None,
    best: Annotated[int, typer.Option(metavar="N", help="List the N likeliest texts of each line (in JSON).")] = 0,
    max_error: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Withhold answers so that at most this share of the rest is wrong."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the answers to a .csv, .jsonl or .parquet file.")
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

    A line is path, text, confidence and the decisions taken, separated by tabs; several lines of writing are joined
    by a space there.

    Any format, size, colour, polarity and place. Several pictures are read on all cores. A picture that cannot be read
    gives one line on stderr and exit status 1; the others are still read.
    """
    from lenet import jobs
    from lenet.corrections import kept
    from lenet.engine import load
    from lenet.errors import UsageError
    from lenet.reader import ask
    from lenet.table import written

    if method not in ("cut", "sweep"):
        raise UsageError(f"--method {method}", "expected cut or sweep")
    model = model or (SWEEP if method == "sweep" else DEFAULT)
    asked = ask(
        load(model),
        digit=digit,
        sweep=method == "sweep",
        pattern=pattern,
        choices=_listed(choices) if choices else None,
        best=best,
        max_error=max_error,
    )
    found = jobs.pictures(paths)
    drawing = _prepared(annotate, len(found))
    with ExitStack() as open_files:
        put = open_files.enter_context(written(out)) if out else None
        keep = open_files.enter_context(kept(save_glyphs)) if save_glyphs else None
        move = open_files.enter_context(bar("reading", "pictures"))
        failed = False
        given = standard_input() if "-" in found else b""
        answers = jobs.read_all(found, model, asked, lambda path: given if path == "-" else path)
        for number, answer in enumerate(answers):
            failed |= not _told(answer, as_json, put)
            if answer.reading and drawing:
                _annotate(answer, given, _out(drawing, answer.path, number, len(found)))
            if answer.reading and keep:
                keep(answer)
            if len(found) > 20:
                move(number + 1, len(found))
    if failed:
        raise typer.Exit(1)


def _listed(choices: Path) -> list[str]:
    """Return the words of a file of choices. Raises DataError when it cannot be read."""
    from lenet.errors import DataError, reason

    try:
        return choices.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(choices, f"cannot be read ({reason(error)})") from error


def _told(answer: Answer, as_json: bool, put: Callable[[dict[str, Any]], None] | None) -> bool:
    """Print an answer and put it into the file; return whether there was one."""
    if answer.reading is None:
        print(answer.error, file=sys.stderr)
        found: dict[str, Any] = {"path": answer.path, "error": answer.error}
    else:
        found = {"path": answer.path, **answer.reading.as_json()}
    if put:
        put(found)
    if as_json:
        print(json.dumps(found))
    elif answer.reading is not None and not put:
        print(_line(found))
    return answer.reading is not None


def _prepared(annotate: Path | None, count: int) -> Path | None:
    from lenet.errors import LenetError, reason

    if annotate is not None and count > 1:
        try:
            annotate.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LenetError(annotate, f"cannot be a folder of pictures ({reason(error)})") from error
    return annotate


def _annotate(answer: Answer, given: bytes, out: Path) -> None:
    from lenet import draw  # Pillow's drawing, only when it is asked for
    from lenet.image import open_page
    from lenet.sight import see_number

    assert answer.reading is not None
    source = given if answer.path == "-" else answer.path
    page = open_page(source)
    cuts = see_number(source).cuts() if len(answer.reading.digits) > 1 else ()
    draw.save_picture(draw.annotated(page.grey, answer.reading.digits, page.scale, cuts), out)


def _out(annotate: Path, path: str, number: int, count: int) -> Path:
    if count == 1:
        return annotate
    stem = Path(path).stem if path != "-" else "stdin"
    return annotate / f"{number + 1:04d}-{stem}.png"


def _line(found: dict[str, Any]) -> str:
    """Return path, text, confidence, and the abstention with the notes, separated by tabs."""
    remarks = [*([found["abstained"]] if found["abstained"] else []), *found["notes"]]
    path = str(found["path"]).replace("\t", "\\t").replace("\n", "\\n")
    text = str(found["text"]).replace("\n", " ")
    confidence = min(found["confidence"], 0.9999)  # nothing is certain, whatever four digits say
    return f"{path}\t{text}\t{confidence:.4f}\t{'; '.join(remarks)}".rstrip("\t")


def standard_input() -> bytes:
    """Return the bytes of standard input; empty when it is closed."""
    return sys.stdin.buffer.read() if sys.stdin else b""
