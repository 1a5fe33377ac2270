"""`lenet explain`: a figure of how a picture was read, down to every layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet.cli.read import standard_input
from lenet.spec import DEFAULT

if TYPE_CHECKING:
    from PIL.Image import Image

    from lenet.engine import Network
    from lenet.result import Reading
    from lenet.sight import Sight


def explain(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture; - is standard input.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.png", help="The figure to write.")],
    digit: Annotated[bool, typer.Option("--digit", help="Take the whole picture for one digit.")] = False,
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Shipped weights by name, or a weights file.")
    ] = DEFAULT,
) -> None:
    """Draw how a picture was read.

    For a number the figure has the picture, its ink in pieces, every candidate with its score and the best path.
    For one digit it has what the network saw, the maps of every layer and the answer.
    """
    from lenet.engine import load
    from lenet.reader import Asked, seen_and_read

    source = standard_input() if image == "-" else image
    network = load(model)
    if not digit and network.weights.path is not None:
        sight, reading = seen_and_read(source, network, Asked(best=4))
        if len(reading.digits) != 1:
            figure = _number(source, sight, network, reading)
            _finish(image, figure, reading, out)
            return
    reading = seen_and_read(source, network, Asked(digit=True))[1]
    _finish(image, _digit(image, source, network, reading), reading, out)


def _number(source: str | bytes, sight: Sight, network: Network, reading: Reading) -> Image:
    from lenet.draw_number import explained_number
    from lenet.errors import PictureError
    from lenet.image import open_page

    if not len(sight.glyphs):
        raise PictureError(
            "-" if isinstance(source, bytes) else source, f"nothing to explain, the page is {reading.abstained}"
        )
    chances = network.probabilities(sight.glyphs)
    said = {(digit.box, digit.glyph.tobytes()) for digit in reading.digits}
    chosen = {arc for arc, glyph in enumerate(sight.glyphs) if (sight.box(arc), glyph.tobytes()) in said}
    return explained_number(open_page(source).grey, sight.lattice, sight.glyphs, chances, chosen, reading)


def _digit(image: str, source: str | bytes, network: Network, reading: Reading) -> Image:
    from lenet.draw import explained
    from lenet.errors import PictureError
    from lenet.image import open_page

    if not reading.digits:
        raise PictureError(image, f"nothing to explain, the page is {reading.abstained}")
    glyph = reading.digits[0].glyph
    layers = {name: values[0] for name, values in network.activations(glyph).items()}
    chances = [(str(label), float(chance)) for label, chance in enumerate(network.probabilities(glyph)[0][:10])]
    return explained(open_page(source).grey, layers, reading.text, chances, reading.notes)


def _finish(image: str, figure: Image, reading: Reading, out: Path) -> None:
    from lenet.draw import save_picture

    save_picture(figure, out)
    text = reading.text.replace("\n", " ")
    print(f"{image}\t{text}\t{min(reading.confidence, 0.9999):.4f}\t{out}")
