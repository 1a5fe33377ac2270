"""`lenet explain`: a figure of what the network saw and of every layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lenet.cli.read import standard_input


def explain(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture of one digit; - is standard input.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.png", help="The figure to write.")],
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Shipped weights by name, or a weights file.")
    ] = "lenet5-modern",
) -> None:
    """Draw what the network saw and every layer.

    The figure has the picture as given, as the network saw it, the maps of every layer and the answer.
    """
    from lenet import draw
    from lenet.engine import load
    from lenet.errors import PictureError
    from lenet.image import open_page
    from lenet.reader import read_digit
    from lenet.sight import see_digit

    source = standard_input() if image == "-" else image
    network = load(model)
    sight = see_digit(source)
    reading = read_digit(sight, network)
    if not reading.digits:
        raise PictureError(image, f"nothing to explain, the page is {reading.abstained}")
    glyph = reading.digits[0].glyph
    layers = {name: values[0] for name, values in network.activations(glyph).items()}
    chances = [(str(label), float(chance)) for label, chance in enumerate(network.probabilities(glyph)[0])]
    figure = draw.explained(open_page(source).grey, layers, reading.text, chances, reading.notes)
    draw.save_picture(figure, out)
    print(f"{image}\t{reading.text}\t{min(reading.confidence, 0.9999):.4f}\t{out}")
