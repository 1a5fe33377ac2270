"""`lenet explain`: a figure of how a picture was read, down to every layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lenet.cli.reading_job import standard_input
from lenet.errors import UsageError
from lenet.network.spec import DEFAULT, SLIDING_DEFAULT


def explain(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture; - is standard input.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.png", help="The figure to write.")],
    digit: Annotated[bool, typer.Option("--digit", help="Take the whole picture for one digit.")] = False,
    method: Annotated[
        str, typer.Option(metavar="cut|sweep", help="Cut the line into digits, or slide the network along it.")
    ] = "cut",
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Shipped weights by name, or a weights file.",
            show_default=f"{DEFAULT}; {SLIDING_DEFAULT} for a sweep",
        ),
    ] = None,
) -> None:
    """Draw how a picture was read.

    For a number the figure has the picture, its ink in pieces, every candidate with its score and the best path.
    For one digit it has what the network saw, the maps of every layer and the answer; for a sweep the upright line and
    the columns of scores along it. The answer is that of the reader which cuts a line into digits; `lenet read` asks a
    second one too, and may be surer, or less sure.

    \b
    Example:
      lenet explain number.jpg -o how.png
    """
    from lenet.bulk.outputs import describe_withheld, format_confidence
    from lenet.drawing.pictures import save_picture
    from lenet.drawing.show import explain_picture
    from lenet.engine import load
    from lenet.reader import read_options

    if method not in ("cut", "sweep"):
        raise UsageError(f"--method {method}", "expected cut or sweep")
    network = load(model or (SLIDING_DEFAULT if method == "sweep" else DEFAULT))
    sliding = read_options(network, digit=digit, sliding_window=method == "sweep").sliding_window
    source = standard_input() if image == "-" else image
    figure, reading = explain_picture(source, network, digit=digit, sliding_window=sliding)
    save_picture(figure, out)
    line = (image, reading.text.replace("\n", " "), format_confidence(reading.confidence), str(out))
    print("\t".join((*line, *describe_withheld(reading.as_json()))))
