"""`lenet read`: a line per picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet.cli.progress import bar

if TYPE_CHECKING:
    from lenet.engine import Network


def read(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Pictures to read; - is standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per picture.")] = False,
    _digit: Annotated[
        bool, typer.Option("--digit", help="Take each whole picture for one digit (for now always so).")
    ] = False,
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Shipped weights by name, or a weights file.")
    ] = "lenet5-modern",
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw box and answer on the picture; a folder if there are several."),
    ] = None,
) -> None:
    """Read handwritten digits in pictures, a line for each.

    A line is path, text, confidence and the decisions taken, separated by tabs.

    Any format, size, colour, polarity and place. A picture that cannot be read gives one line on stderr and
    exit status 1; the others are still read.
    """
    from lenet.engine import load
    from lenet.errors import LenetError, reason

    network = load(model)
    if annotate is not None and len(paths) > 1:
        try:
            annotate.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LenetError(annotate, f"cannot be a folder of pictures ({reason(error)})") from error
    failed = False
    with bar("reading", "pictures") as move:
        for number, path in enumerate(paths):
            try:
                found = _read_one(path, network, _out(annotate, path, number, len(paths)))
            except LenetError as error:
                failed = True
                line = f"{path}: {error.problem}"
                print(line, file=sys.stderr)
                if as_json:
                    print(json.dumps({"path": path, "error": line}))
                continue
            print(json.dumps(found) if as_json else _line(found))
            if len(paths) > 20:
                move(number + 1, len(paths))
    if failed:
        raise typer.Exit(1)


def _read_one(path: str, network: Network, out: Path | None) -> dict[str, Any]:
    from lenet import reader

    source = standard_input() if path == "-" else path
    reading = reader.read(source, network)
    if out is not None:
        from lenet import draw  # Pillow's drawing, only when it is asked for
        from lenet.image import open_page

        page = open_page(source)
        draw.save_picture(draw.annotated(page.grey, reading.digits, page.scale), out)
    return {"path": path, **reading.as_json()}


def _out(annotate: Path | None, path: str, number: int, count: int) -> Path | None:
    if annotate is None or count == 1:
        return annotate
    stem = Path(path).stem if path != "-" else "stdin"
    return annotate / f"{number + 1:04d}-{stem}.png"


def _line(found: dict[str, Any]) -> str:
    """Return path, text, confidence, and the abstention with the notes, separated by tabs."""
    remarks = [*([found["abstained"]] if found["abstained"] else []), *found["notes"]]
    path = str(found["path"]).replace("\t", "\\t").replace("\n", "\\n")
    confidence = min(found["confidence"], 0.9999)  # nothing is certain, whatever four digits say
    return f"{path}\t{found['text']}\t{confidence:.4f}\t{'; '.join(remarks)}".rstrip("\t")


def standard_input() -> bytes:
    """Return the bytes of standard input; empty when it is closed."""
    return sys.stdin.buffer.read() if sys.stdin else b""
