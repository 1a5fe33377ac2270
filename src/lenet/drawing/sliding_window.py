"""How a number was read by sliding the network along it, drawn: each upright line above its columns of scores."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from lenet.arrays import Float64, Uint8
from lenet.drawing.pictures import ACCENT, GREY, INK, WHITE, describe_answer, load_font
from lenet.network.spec import INPUT_SIZE
from lenet.result import Reading
from lenet.segmentation.strip import STEP

_ZOOM, _ROW, _NAMES = 4, 15, 64


def draw_strips(page: Uint8, strips: list[Uint8], probs: list[Float64], reading: Reading) -> Image.Image:
    """Draw a reading: for each line what the network slid along (32, W), and the probabilities (w, 11) of its columns.

    A column stands under the middle of what it saw; the darker a cell, the likelier its label.
    """
    given = Image.fromarray(page).convert("RGB")
    given.thumbnail((720, 240))
    lines = [_draw_strip(strip, each) for strip, each in zip(strips, probs, strict=True)]
    width = max(given.width + 32, *(line.width + 32 for line in lines), 480)
    top = 44 + given.height + 84
    figure = Image.new("RGB", (width, top + sum(line.height + 36 for line in lines)), WHITE)
    pen = ImageDraw.Draw(figure)
    pen.text((16, 10), "as given", GREY, load_font(14))
    figure.paste(given, (16, 34))
    pen.text((16, 44 + given.height), describe_answer(reading), INK, load_font(42))
    pen.text((16, 96 + given.height), f"right with {min(100 * reading.confidence, 99.99):.2f} %", GREY, load_font(14))
    for line in lines:
        pen.text((16, top), "the line, upright, and a column of scores for every four pixels", GREY, load_font(13))
        figure.paste(line, (16, top + 22))
        top += line.height + 36
    return figure


def _draw_strip(strip: Uint8, probs: Float64) -> Image.Image:
    """Draw a line above its columns; the likeliest label of each is framed, unless it is nothing."""
    height = INPUT_SIZE * _ZOOM
    labels = [*map(str, range(probs.shape[1] - 1)), "nothing"]
    picture = Image.new("RGB", (_NAMES + strip.shape[1] * _ZOOM, height + 8 + _ROW * len(labels)), WHITE)
    shown = Image.fromarray(255 - strip).resize((strip.shape[1] * _ZOOM, height), Image.Resampling.NEAREST)
    picture.paste(shown.convert("RGB"), (_NAMES, 0))
    pen = ImageDraw.Draw(picture)
    for row, label in enumerate(labels):
        pen.text((0, height + 8 + _ROW * row), label, GREY, load_font(12))
    cell = STEP * _ZOOM
    for column, chance in enumerate(probs):
        x = _NAMES + (column * STEP + INPUT_SIZE // 2) * _ZOOM - cell // 2
        for row, each in enumerate(chance):
            grey = round(255 * (1 - float(each)))
            framed = row == int(np.argmax(chance)) and row < len(labels) - 1
            place = (x, height + 8 + _ROW * row, x + cell - 2, height + 6 + _ROW * (row + 1))
            pen.rectangle(place, fill=(grey, grey, grey), outline=ACCENT if framed else "#e4e4ea")
    return picture
