"""`lenet explain`: a figure of how a picture was read, down to every layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet.cli.read import standard_input
from lenet.errors import UsageError
from lenet.network.spec import DEFAULT, SWEEP

if TYPE_CHECKING:
    from PIL.Image import Image

    from lenet.engine import Network
    from lenet.result import Reading
    from lenet.segmentation.candidates import Sight


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
            show_default=f"{DEFAULT}; {SWEEP} for a sweep",
        ),
    ] = None,
) -> None:
    """Draw how a picture was read.

    For a number the figure has the picture, its ink in pieces, every candidate with its score and the best path.
    For one digit it has what the network saw, the maps of every layer and the answer; for a sweep the upright line and
    the columns of scores along it.
    """
    from lenet.engine import load
    from lenet.reader import Asked, ask, seen_and_read

    source = standard_input() if image == "-" else image
    if method not in ("cut", "sweep"):
        raise UsageError(f"--method {method}", "expected cut or sweep")
    network = load(model or (SWEEP if method == "sweep" else DEFAULT))
    if ask(network, digit=digit, sweep=method == "sweep").sweep:
        figure, reading = _swept(source, network)
        _finish(image, figure, reading, out)
        return
    if not digit and network.weights.path is not None:
        sight, reading = seen_and_read(source, network, Asked(best=4))
        if len(reading.digits) != 1:
            figure = _number(source, sight, network, reading)
            _finish(image, figure, reading, out)
            return
    reading = seen_and_read(source, network, Asked(digit=True))[1]
    _finish(image, _digit(image, source, network, reading), reading, out)


def _number(source: str | bytes, sight: Sight, network: Network, reading: Reading) -> Image:
    from lenet.drawing.lattice import explained_number
    from lenet.engine.tta import looked
    from lenet.errors import PictureError
    from lenet.preprocessing.decode import open_page
    from lenet.reader import chosen_arcs

    if not len(sight.glyphs):
        raise PictureError(
            "-" if isinstance(source, bytes) else source, f"nothing to explain, the page is {reading.abstained}"
        )
    chances = looked(network, sight.glyphs).chances
    chosen = chosen_arcs(sight, reading)
    return explained_number(open_page(source).grey, sight.lattice, sight.glyphs, chances, chosen, reading)


def _swept(source: str | bytes, network: Network) -> tuple[Image, Reading]:
    from lenet.drawing.sliding_window import explained_sweep
    from lenet.errors import PictureError
    from lenet.network.inputs import field_greys
    from lenet.network.probabilities import probabilities
    from lenet.preprocessing.decode import open_page
    from lenet.reader import read_swept
    from lenet.segmentation.candidates import see_lines

    lines = see_lines(source)
    reading = read_swept(lines, network)
    if not lines.strips:
        raise PictureError("-" if isinstance(source, bytes) else source, "nothing to explain, the page is blank")
    scores = [network.forward(strip.field)[0, :, 0].T for strip in lines.strips]
    chances = [probabilities(each, network.weights.temperature) for each in scores]
    strips = [field_greys(strip.field)[0] for strip in lines.strips]
    return explained_sweep(open_page(source).grey, strips, chances, reading), reading


def _digit(image: str, source: str | bytes, network: Network, reading: Reading) -> Image:
    from lenet.drawing.pictures import explained
    from lenet.engine.tta import looked
    from lenet.errors import PictureError
    from lenet.preprocessing.decode import open_page

    if not reading.digits:
        raise PictureError(image, f"nothing to explain, the page is {reading.abstained}")
    glyph = reading.digits[0].glyph
    layers = {name: values[0] for name, values in network.activations(glyph).items()}
    chances = list(zip("0123456789", looked(network, glyph[None]).chances[0].tolist(), strict=False))
    return explained(open_page(source).grey, layers, reading.text, chances, reading.notes)


def _finish(image: str, figure: Image, reading: Reading, out: Path) -> None:
    from lenet.drawing.pictures import save_picture

    save_picture(figure, out)
    text = reading.text.replace("\n", " ")
    print(f"{image}\t{text}\t{min(reading.confidence, 0.9999):.4f}\t{out}")
