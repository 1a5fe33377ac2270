"""Pictures for people, drawn with Pillow: sheets of glyphs, layers' maps, and boxes on the picture itself."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lenet.arrays import Float32, Uint8
from lenet.errors import LenetError, reason
from lenet.evaluation.result import Mistake, NumbersEvaluation
from lenet.files import replacing
from lenet.network.spec import DIGITS
from lenet.result import Digit, Reading, Sign

WHITE, INK, GREY, ACCENT, _CUT = "#ffffff", "#1b1b1f", "#6b6b76", "#c2410c", "#0e7490"
_SIGN, _PASSED = "#6d28d9", "#a16207"
# What a colour means on a picture that was read.
_MEANINGS = {ACCENT: "digit", _SIGN: "sign", GREY: "guess", _PASSED: "passed over", _CUT: "cut"}
_GAP, _LEGEND = 6, 22
# The height of a layer's name, size and range beside its maps.
_LABEL = 44
# A small picture is enlarged until its digits have so many pixels, but not beyond this many a side.
_READABLE, _LARGEST = 26, 2400


def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's built-in font at a size in pixels."""
    return ImageFont.load_default(size)


def draw_text(text: str, size: int, field: int) -> Uint8:
    """Write text in Pillow's built-in font in the middle of a (field, field) uint8 square, 255 for ink."""
    picture = Image.new("L", (field, field))
    ImageDraw.Draw(picture).text((field / 2, field / 2), text, 255, load_font(size), anchor="mm")
    return np.asarray(picture)


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a picture, whole or not at all, in the format of its ending. Raises LenetError."""
    if not path.suffix:
        raise LenetError(path, "has no ending", "use a name that ends in .png")
    try:
        with replacing(path) as temporary:
            picture.save(temporary)
    except (OSError, ValueError, KeyError) as error:  # KeyError: an ending that Pillow reads but does not write
        raise LenetError(path, f"cannot be written ({reason(error)})", "use a name that ends in .png") from error


def save_glyph(glyph: Uint8, path: Path) -> None:
    """Write a glyph (28, 28) as dark ink on white paper."""
    save_picture(Image.fromarray(255 - glyph), path)


def draw_ink(values: Float32, low: float, high: float) -> Image.Image:
    """Draw (h, w) values as grey: `low` white, `height` black."""
    share = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    return Image.fromarray(np.rint(255 * (1 - share)).astype(np.uint8))


def _enlarge(picture: Image.Image, times: int) -> Image.Image:
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def draw_mistakes(mistakes: tuple[Mistake, ...], title: str, signs: str = DIGITS) -> Image.Image:
    """Draw wrong answers, at most 200 of them, ten in a row, each with its truth, its answer and its probability.

    Truths and answers are places in `signs`; an answer behind their end is none of them.
    """
    shown = mistakes[:200]
    columns, cell, caption, head = 10, 84, 34, 40
    rows = max(1, -(-len(shown) // columns))
    sheet = Image.new("RGB", (columns * (cell + _GAP) + _GAP, head + rows * (cell + caption + _GAP)), WHITE)
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP, 10), title, INK, load_font(18))
    for index, mistake in enumerate(shown):
        x = _GAP + index % columns * (cell + _GAP)
        y = head + index // columns * (cell + caption + _GAP)
        sheet.paste(_enlarge(Image.fromarray(255 - mistake.glyph), 3), (x, y))
        pen.rectangle((x, y, x + cell - 1, y + cell - 1), outline="#d5d5dc")
        names = [*signs, "nothing"]
        said = f"{names[mistake.label]} read as {names[mistake.answer]}"
        pen.text((x + 2, y + cell + 1), said, INK, load_font(12))
        pen.text((x + 2, y + cell + 16), f"{100 * mistake.confidence:.1f} %  #{mistake.row}", GREY, load_font(11))
    return sheet


def draw_misread(found: NumbersEvaluation, folder: Path) -> Image.Image:
    """Draw numbers that were read wrong, at most 100, three in a row, each with its truth, answer and probability."""
    shown = found.mistakes[:100]
    columns, width, tall, caption, head = 3, 320, 96, 22, 40
    rows = max(1, -(-len(shown) // columns))
    sheet = Image.new("RGB", (columns * (width + _GAP) + _GAP, head + rows * (tall + caption + _GAP)), WHITE)
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP, 10), f"{found.model}: {found.string_errors} of {found.strings:,} numbers wrong", INK, load_font(18))
    for index, mistake in enumerate(shown):
        x = _GAP + index % columns * (width + _GAP)
        y = head + index // columns * (tall + caption + _GAP)
        with Image.open(folder / mistake.path) as picture:
            given = picture.convert("RGB")
        scale = min(width / given.width, tall / given.height)
        sheet.paste(given.resize((max(1, round(given.width * scale)), max(1, round(given.height * scale)))), (x, y))
        answer = mistake.best_text.replace("\n", " ") or mistake.state
        pen.text((x, y + tall + 2), f"{mistake.label} read as {answer}", INK, load_font(12))
        pen.text((x + width - 60, y + tall + 2), f"{100 * mistake.confidence:.1f} %", GREY, load_font(11))
    return sheet


def describe_answer(reading: Reading) -> str:
    """Return what a figure says large: the lines' answers, a guess with a question mark, or the state."""
    return "  ".join(line.text or f"{line.guess}?" for line in reading.lines) or reading.state


def annotate(page: Uint8, reading: Reading, scale: float, cuts: tuple[tuple[float, float], ...] = ()) -> Image.Image:
    """Draw what was read on a grey page: digits, signs, guesses with "?", what was passed over, cuts; and a legend.

    `scale` is picture pixels per page pixel; `cuts` are the picture's pixels (x, y) where touching ink was cut apart.
    """
    digits: tuple[Digit | Sign, ...] = (*reading.digits, *reading.signs)
    times = max(1, 480 // max(page.shape))
    if digits:
        typical = statistics.median(digit.box[2] - digit.box[0] for digit in digits) / scale
        times = max(times, min(math.ceil(_READABLE / max(1.0, typical)), _LARGEST // max(page.shape)))
    picture = _enlarge(Image.fromarray(page), times).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for x, y in cuts:
        left, top = x / scale * times, y / scale * times
        pen.rectangle((left, top, left + max(1, times - 1), top + max(1, times - 1)), fill=_CUT)
    for box in reading.passed_over:
        x0, y0, x1, y1 = (side / scale * times for side in box)
        pen.rectangle((x0, y0, x1, y1), outline=_PASSED, width=2)
    boxes = [tuple(side / scale * times for side in digit.box) for digit in digits]
    colours = [_colour(digit) for digit in digits]
    labels = [digit.label if digit.answered else f"{digit.label}?" for digit in digits]
    told = [f"{label}  {min(100 * digit.confidence, 99.99):.2f} %" for label, digit in zip(labels, digits, strict=True)]
    room = all(
        pen.textlength(text, load_font(16)) <= x1 - x0 + 8 for text, (x0, _, x1, _) in zip(told, boxes, strict=True)
    )
    for digit, label, text, colour, (x0, y0, x1, y1) in zip(digits, labels, told, colours, boxes, strict=True):
        pen.rectangle((x0 - 2, y0 - 2, x1 + 1, y1 + 1), outline=colour, width=2)
        if room or len(digits) == 1:
            _tag(pen, picture.size, (x0, y0, y1), text, 16)
        else:  # the label above, the confidence below
            _tag(pen, picture.size, (x0, y0, y1), label, 16)
            _tag(pen, picture.size, (x0, y0, y1), f"{min(int(100 * digit.confidence), 99)}%", 11, above=False)
    seen = [*colours, *([_PASSED] if reading.passed_over else []), *([_CUT] if cuts else [])]
    return _add_legend(picture, list(dict.fromkeys(seen)))


def _colour(mark: Digit | Sign) -> str:
    if not mark.answered:
        return GREY
    return ACCENT if isinstance(mark, Digit) else _SIGN


def _add_legend(picture: Image.Image, colours: list[str]) -> Image.Image:
    """Return a picture with what its colours mean below it, as far as there is room; digits alone need none."""
    if not set(colours) - {ACCENT}:
        return picture
    higher = Image.new("RGB", (picture.width, picture.height + _LEGEND), WHITE)
    higher.paste(picture)
    pen, x, font = ImageDraw.Draw(higher), _GAP, load_font(13)
    for colour in colours:
        y = picture.height + _LEGEND // 2
        pen.rectangle((x, y - 5, x + 10, y + 5), outline=colour, width=2)
        pen.text((x + 15, y), _MEANINGS[colour], INK, font, anchor="lm")
        x += 15 + round(pen.textlength(_MEANINGS[colour], font)) + 3 * _GAP
    return higher


def _tag(
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    at: tuple[float, float, float],
    text: str,
    height: int,
    *,
    above: bool = True,
) -> None:
    """Write on white `above` what has this left, top and bottom in pixels; else, or without room, below it."""
    x0, y0, y1 = at
    left, top, right, bottom = pen.textbbox((0, 0), text, load_font(height))
    y = y0 - bottom - 6 if above and y0 > bottom + 6 else min(y1 + 2, size[1] - bottom - 2)
    x = max(0, min(x0, size[0] - right - 4))
    pen.rectangle((x + left - 2, y + top - 2, x + right + 2, y + bottom + 2), fill=WHITE)
    pen.text((x, y), text, ACCENT, load_font(height))


def draw_layers(
    page: Uint8, layers: dict[str, Float32], answer: str, probs: list[tuple[str, float]], notes: tuple[str, ...]
) -> Image.Image:
    """Draw the picture as given, as the network saw it, and every layer's maps (name -> (maps, h, w)).

    Each layer has one shared scale, white for its lowest value and black for its highest. `probabilities` are labels
    with their probabilities.
    """
    width = 1120
    strips = [(name, _tile_maps(values, width - 150)) for name, values in layers.items() if name != "input"]
    top = 300
    height = top + sum(max(strip.height, _LABEL) + 2 * _GAP for _name, strip in strips) + _GAP
    figure = Image.new("RGB", (width, height), WHITE)
    pen = ImageDraw.Draw(figure)
    given = Image.fromarray(page)
    given.thumbnail((224, 224))
    shown = _enlarge(draw_ink(layers["input"][0], -0.1, 1.175), 7)
    pen.text((16, 8), "as given", GREY, load_font(14))
    figure.paste(given, (16, 32))
    pen.text((264, 8), "as the network saw it", GREY, load_font(14))
    figure.paste(shown, (264, 32))
    pen.rectangle((263, 31, 264 + shown.width, 32 + shown.height), outline="#d5d5dc")
    pen.text((512, 8), "answer", GREY, load_font(14))
    pen.text((512, 24), answer, INK, load_font(52))
    for row, (label, chance) in enumerate(probs):
        y = 92 + 19 * row
        pen.text((600, y - 60), label, INK, load_font(14))
        pen.rectangle((620, y - 56, 620 + round(300 * chance), y - 46), fill=ACCENT)
        pen.text((930, y - 60), f"{min(100 * chance, 99.99):.2f} %", GREY, load_font(13))
    for row, note in enumerate(notes):
        pen.text((16 + 560 * (row % 2), 262 + 16 * (row // 2)), f"· {note}", GREY, load_font(12))
    y = top
    for name, strip in strips:
        values = layers[name]
        pen.text((16, y), name, INK, load_font(15))
        size = f"{values.shape[0]} @ {values.shape[1]}x{values.shape[2]}"
        pen.text((16, y + 17), size, GREY, load_font(11))
        pen.text((16, y + 30), f"{values.min():.2f} to {values.max():.2f}", GREY, load_font(11))
        figure.paste(strip, (140, y))
        y += max(strip.height, _LABEL) + 2 * _GAP
    return figure.crop((0, 0, width, y))


def _tile_maps(values: Float32, most_width: int) -> Image.Image:
    """Draw (maps, h, w) side by side, wrapped to a most_width, at one shared scale."""
    maps, height, width = values.shape
    times = max(2, min(12, (most_width // max(1, min(maps, 16)) - 4) // width)) if width > 1 else 10
    step_x, step_y = width * times + 4, height * times + 4
    columns = max(1, min(maps, most_width // step_x))
    strip = Image.new("RGB", (columns * step_x, -(-maps // columns) * step_y), "#e7e7ee")
    for index in range(maps):
        drawn = _enlarge(draw_ink(values[index], float(values.min()), float(values.max())), times)
        strip.paste(drawn, (index % columns * step_x + 2, index // columns * step_y + 2))
    return strip
