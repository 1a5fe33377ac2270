"""`lenet explain`: a figure of how a picture was read, down to every layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet.cli.read import standard_input
from lenet.errors import UsageError
from lenet.network.spec import DEFAULT, SLIDING_DEFAULT

if TYPE_CHECKING:
    from PIL.Image import Image

    from lenet.engine import Network
    from lenet.result import Reading
    from lenet.segmentation.candidates import PageCandidates


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
    from lenet.engine import load
    from lenet.reader import ReadOptions, find_and_read, read_options

    source = standard_input() if image == "-" else image
    if method not in ("cut", "sweep"):
        raise UsageError(f"--method {method}", "expected cut or sweep")
    network = load(model or (SLIDING_DEFAULT if method == "sweep" else DEFAULT))
    if read_options(network, digit=digit, sliding_window=method == "sweep").sliding_window:
        figure, reading = _explain_strips(source, network)
        _finish(image, figure, reading, out)
        return
    if not digit and network.weights.reads_numbers:
        candidates, reading = find_and_read(source, network, ReadOptions(best=4))
        if len(reading.digits) != 1:
            figure = _explain_number(source, candidates, network, reading)
            _finish(image, figure, reading, out)
            return
    reading = find_and_read(source, network, ReadOptions(digit=True))[1]
    _finish(image, _explain_digit(image, source, network, reading), reading, out)


def _explain_number(source: str | bytes, candidates: PageCandidates, network: Network, reading: Reading) -> Image:
    from lenet.drawing.lattice import draw_number
    from lenet.engine.tta import score_with_tta
    from lenet.errors import PictureError
    from lenet.preprocessing.decode import open_page
    from lenet.reader import find_chosen_arcs

    if not len(candidates.glyphs):
        raise PictureError(
            "-" if isinstance(source, bytes) else source, f"nothing to explain, the page is {reading.abstained}"
        )
    probs = score_with_tta(network, candidates.glyphs).probabilities
    chosen = find_chosen_arcs(candidates, reading)
    return draw_number(open_page(source).grey, candidates.lattice, candidates.glyphs, probs, chosen, reading)


def _explain_strips(source: str | bytes, network: Network) -> tuple[Image, Reading]:
    from lenet.drawing.sliding_window import draw_strips
    from lenet.errors import PictureError
    from lenet.network.inputs import field_greys
    from lenet.network.probabilities import probabilities
    from lenet.preprocessing.decode import open_page
    from lenet.reader import read_strips
    from lenet.segmentation.candidates import find_strips

    lines = find_strips(source)
    reading = read_strips(lines, network)
    if not lines.strips:
        raise PictureError("-" if isinstance(source, bytes) else source, "nothing to explain, the page is blank")
    scores = [network.forward(strip.field)[0, :, 0].T for strip in lines.strips]
    probs = [probabilities(each, network.weights.temperature) for each in scores]
    strips = [field_greys(strip.field)[0] for strip in lines.strips]
    return draw_strips(open_page(source).grey, strips, probs, reading), reading


def _explain_digit(image: str, source: str | bytes, network: Network, reading: Reading) -> Image:
    from lenet.drawing.pictures import draw_layers
    from lenet.engine.tta import score_with_tta
    from lenet.errors import PictureError
    from lenet.preprocessing.decode import open_page

    if not reading.digits:
        raise PictureError(image, f"nothing to explain, the page is {reading.abstained}")
    glyph = reading.digits[0].glyph
    layers = {name: values[0] for name, values in network.activations(glyph).items()}
    probs = list(zip("0123456789", score_with_tta(network, glyph[None]).probabilities[0].tolist(), strict=False))
    return draw_layers(open_page(source).grey, layers, reading.text, probs, reading.notes)


def _finish(image: str, figure: Image, reading: Reading, out: Path) -> None:
    from lenet.drawing.pictures import save_picture

    save_picture(figure, out)
    text = reading.text.replace("\n", " ")
    print(f"{image}\t{text}\t{min(reading.confidence, 0.9999):.4f}\t{out}")
