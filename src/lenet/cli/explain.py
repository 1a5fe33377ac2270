"""`lenet explain`: a figure of how a picture was read, down to every layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet.cli.read import standard_input
from lenet.errors import PictureError, UsageError
from lenet.network.spec import DEFAULT, SLIDING_DEFAULT

if TYPE_CHECKING:
    from PIL.Image import Image

    from lenet.engine import Network
    from lenet.preprocessing.decode import Page
    from lenet.reader import Explained
    from lenet.result import Reading


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
    the columns of scores along it.
    """
    from lenet.bulk.outputs import describe_withheld, format_confidence
    from lenet.drawing.pictures import save_picture
    from lenet.engine import load
    from lenet.preprocessing.pipeline import prepare_page
    from lenet.reader import ReadOptions, explain_page, read_options

    source = standard_input() if image == "-" else image
    if method not in ("cut", "sweep"):
        raise UsageError(f"--method {method}", "expected cut or sweep")
    network = load(model or (SLIDING_DEFAULT if method == "sweep" else DEFAULT))
    sliding = read_options(network, digit=digit, sliding_window=method == "sweep").sliding_window
    page = prepare_page(source)
    if sliding:
        figure, reading = _explain_strips(image, source, page, network)
    else:
        explained = explain_page(page, network, ReadOptions(digit=digit, readers="cut", best=0 if digit else 4))
        if explained.reading.digits or not len(explained.candidates.glyphs):
            one = len(explained.reading.digits) == 1 and not explained.reading.signs
        else:
            one = digit
        if one and not digit and network.weights.reads_numbers:
            explained = explain_page(page, network, ReadOptions(digit=True, readers="cut"))
        draw = _explain_digit if one or not network.weights.reads_numbers else _explain_number
        figure, reading = draw(image, source, explained, network), explained.reading
    save_picture(figure, out)
    line = (image, reading.text.replace("\n", " "), format_confidence(reading.confidence), str(out))
    print("\t".join((*line, *describe_withheld(reading.as_json()))))


def _explain_number(image: str, source: str | bytes, explained: Explained, _network: Network) -> Image:
    from lenet.drawing.lattice import draw_number
    from lenet.preprocessing.decode import open_page

    candidates, reading = explained.candidates, explained.reading
    if not len(candidates.glyphs):
        raise PictureError(image, f"nothing to explain, the page is {reading.state}")
    shown = candidates.lattice, candidates.glyphs, explained.probabilities, explained.chosen
    return draw_number(open_page(source).grey, *shown, reading)


def _explain_strips(image: str, source: str | bytes, page: Page, network: Network) -> tuple[Image, Reading]:
    from lenet.drawing.sliding_window import draw_strips
    from lenet.network.inputs import field_greys
    from lenet.network.probabilities import probabilities
    from lenet.preprocessing.decode import open_page
    from lenet.preprocessing.pipeline import find_writing
    from lenet.reader import read_strips
    from lenet.segmentation.candidates import segment_strips

    lines = segment_strips(find_writing(page))
    reading = read_strips(lines, network)
    if not lines.strips:
        raise PictureError(image, "nothing to explain, the page is blank")
    scores = [network.forward(strip.field)[0, :, 0].T for strip in lines.strips]
    probs = [probabilities(each, network.weights.temperature) for each in scores]
    strips = [field_greys(strip.field)[0] for strip in lines.strips]
    return draw_strips(open_page(source).grey, strips, probs, reading), reading


def _explain_digit(image: str, source: str | bytes, explained: Explained, network: Network) -> Image:
    from lenet.drawing.pictures import describe_answer, draw_layers
    from lenet.preprocessing.decode import open_page

    reading = explained.reading
    if not reading.digits:
        raise PictureError(image, f"nothing to explain, the page is {reading.state}")
    layers = {name: values[0] for name, values in network.activations(reading.digits[0].glyph).items()}
    probs = list(zip("0123456789", explained.probabilities[0].tolist(), strict=False))
    return draw_layers(open_page(source).grey, layers, describe_answer(reading), probs, reading.notes)
