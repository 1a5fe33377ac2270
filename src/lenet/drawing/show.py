"""How results show themselves: pictures with answers drawn on them, and HTML for notebooks."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

from PIL import Image

from lenet.drawing.pictures import annotate, describe_answer, draw_layers
from lenet.engine import Network
from lenet.errors import LenetError, PictureError, UsageError
from lenet.network.summary import layer_facts
from lenet.preprocessing.decode import Page, open_page
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.preprocessing.sources import PictureSource, name_source, take_source
from lenet.reader import Explained, ReadOptions, explain_page, read_strips
from lenet.result import Reading

if TYPE_CHECKING:
    from lenet.evaluation.result import Evaluation

# A picture in a notebook is no wider than so many pixels, and shows no more than so many digits' glyphs.
_WIDEST, _MOST_GLYPHS = 640, 40
# How many of the likeliest texts a figure of a number lists.
_LISTED = 4
# Of many answers so many are drawn as bars.
_BARS = 10
_GREY = "color:#8a8a93"


def annotate_reading(reading: Reading, picture: PictureSource | None = None) -> Image.Image:
    """Return the picture that was read with boxes and answers on it. Raises UsageError if it is not known."""
    source = reading.source if picture is None else picture
    if source is None:
        raise UsageError("annotated()", "the picture is not known any more", "give it: reading.annotated(picture)")
    page = open_page(source)
    return annotate(page.grey, reading, page.scale)


def draw_reading_html(reading: Reading) -> str:
    """Return a reading as HTML: the picture with its boxes, the answer, how sure it is, each digit as it was seen."""
    shown = ""
    if reading.source is not None:
        try:
            shown = _embed(_fit(annotate_reading(reading)))
        except LenetError as error:  # the file is gone, or another one
            shown = f"<i>{escape(str(error))}</i><br>"
    said = escape(reading.text).replace("\n", "<br>")
    if not reading:
        guess = f": perhaps {escape(reading.guess)}" if reading.guess else ""
        said = f'<span style="{_GREY}">{escape(reading.state)}{guess}</span>'
    glyphs = "".join(
        f'<td style="text-align:center">{_embed(Image.fromarray(255 - digit.glyph), 42)}<br>{digit.label}<br>'
        f'<small style="{_GREY}">{min(100 * digit.confidence, 99.99):.2f} %</small></td>'
        for digit in reading.digits[:_MOST_GLYPHS]
    )
    rows = f"<table><tr>{glyphs}</tr></table>" if glyphs else ""
    notes = "".join(f"<li>{escape(step.text)}</li>" for step in reading.steps)
    told = f'<ul style="{_GREY}">{notes}</ul>' if notes else ""
    sure = f'<small style="{_GREY}">{min(100 * reading.confidence, 99.99):.2f} %</small>'
    return f"<div>{shown}<p><b>{said}</b> {sure}</p>{rows}{told}</div>"


def draw_network_html(network: Network) -> str:
    """Return a network as HTML: a row for each of its layers."""
    facts = layer_facts(network.net)
    rows = "".join(
        f"<tr><td>{escape(each.name)}</td><td>{escape(each.kind)}</td><td>{'x'.join(map(str, each.output))}</td>"
        f"<td>{each.trainable:,}</td><td>{each.connections:,}</td></tr>"
        for each in facts
    )
    head = "<tr><th>layer</th><th>kind</th><th>maps x height x width</th><th>weights</th><th>connections</th></tr>"
    return f"<div><b>{escape(repr(network))}</b><br>{escape(network.net.about)}<table>{head}{rows}</table></div>"


def draw_evaluation_html(found: Evaluation) -> str:
    """Return an evaluation as HTML: the errors, and which digits were taken for which."""
    labels = [*found.signs, "none"]
    low, high = (f"{100 * side:.2f}" for side in found.interval95)
    columns = range(len(found.confusion[0]) if found.confusion else 0)
    head = "".join(f"<th>{labels[column]}</th>" for column in columns)
    rows = "".join(
        f"<tr><th>{labels[row]}</th>{''.join(_cell(count, row == column) for column, count in enumerate(counts))}</tr>"
        for row, counts in enumerate(found.confusion)
    )
    wrong = f"{found.errors:,} errors of {found.n:,}, {100 * found.error_rate:.2f} % ({low} to {high})"
    table = f"<table><tr><th>is / read as</th>{head}</tr>{rows}</table>"
    return f"<div><b>{escape(found.model)}</b> on {escape(found.data)}: {wrong}{table}</div>"


def _cell(count: int, right: bool) -> str:
    style = _GREY if right or not count else "background:#fde8e8"
    return f'<td style="{style}">{count or ""}</td>'


def _fit(picture: Image.Image) -> Image.Image:
    if picture.width <= _WIDEST:
        return picture
    return picture.resize((_WIDEST, max(1, round(picture.height * _WIDEST / picture.width))))


def _embed(picture: Image.Image, width: int | None = None) -> str:
    """Return a picture as an element of HTML that needs no file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    size = f' width="{width}"' if width else ""
    return f'<img{size} src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def explain_picture(
    picture: PictureSource, network: Network, *, digit: bool = False, sliding_window: bool = False
) -> tuple[Image.Image, Reading]:
    """Return a figure of how a picture was read, and the reading that it shows.

    Of a number it has the picture, its ink in pieces, every candidate with its score and the best path; of one digit
    the maps of every layer; of a sliding window the line and the columns of scores along it. Raises PictureError for a
    picture that cannot be decoded, or in which there is nothing to explain.
    """
    source = take_source(picture)
    page, name = prepare_page(source), name_source(source)
    grey = open_page(source).grey
    if sliding_window:
        return _explain_strips(name, grey, page, network)
    best = 0 if digit else _LISTED
    explained = explain_page(page, network, ReadOptions(digit=digit, readers="cut", best=best))
    if explained.reading.digits or not len(explained.candidates.glyphs):
        one = len(explained.reading.digits) == 1 and not explained.reading.signs
    else:
        one = digit
    if one and not digit and network.weights.reads_texts:
        explained = explain_page(page, network, ReadOptions(digit=True, readers="cut"))
    if one or not network.weights.reads_texts:
        return _explain_digit(name, grey, explained, network), explained.reading
    return _explain_number(name, grey, explained, network), explained.reading


def _explain_number(name: str, grey: Any, explained: Explained, network: Network) -> Image.Image:
    from lenet.drawing.lattice import draw_number

    candidates, reading = explained.candidates, explained.reading
    if not len(candidates.glyphs):
        raise PictureError(name, f"nothing to explain, the page is {reading.state}")
    shown = candidates.lattice, candidates.glyphs, explained.probabilities, explained.chosen
    return draw_number(grey, *shown, reading, network.net.signs)


def _explain_strips(name: str, grey: Any, page: Page, network: Network) -> tuple[Image.Image, Reading]:
    from lenet.drawing.sliding_window import draw_strips
    from lenet.network.inputs import field_greys
    from lenet.network.probabilities import probabilities
    from lenet.segmentation.candidates import segment_strips

    lines = segment_strips(find_writing(page))
    reading = read_strips(lines, network)
    if not lines.strips:
        raise PictureError(name, "nothing to explain, the page is blank")
    scores = [network.forward(strip.field)[0, :, 0].T for strip in lines.strips]
    probs = [probabilities(each, network.weights.temperature) for each in scores]
    strips = [field_greys(strip.field)[0] for strip in lines.strips]
    return draw_strips(grey, strips, probs, reading), reading


def _explain_digit(name: str, grey: Any, explained: Explained, network: Network) -> Image.Image:
    reading = explained.reading
    if not (reading.digits or reading.signs):
        raise PictureError(name, f"nothing to explain, the page is {reading.state}")
    layers = {layer: values[0] for layer, values in network.activations(explained.candidates.glyphs[0]).items()}
    probs = list(zip(network.net.signs, explained.probabilities[0].tolist(), strict=False))
    if network.net.says_characters:
        probs = sorted(probs, key=lambda each: -each[1])[:_BARS]
    return draw_layers(grey, layers, describe_answer(reading), probs, reading.notes)
