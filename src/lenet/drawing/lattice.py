"""How a number was read, drawn: the page, its ink in pieces, every candidate with its score, and the best path."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from lenet.arrays import Float64, Int32, Uint8
from lenet.drawing.pictures import ACCENT, GREY, INK, WHITE, describe_answer, load_font
from lenet.result import Reading
from lenet.segmentation.lattice import Lattice

_WIDTH, _TILE, _GAP = 1120, 42, 8
# Pieces beside each other get colours that differ; pieces that are passed over are pale.
_COLOURS = ("#1d4ed8", "#15803d", "#b91c1c", "#7e22ce", "#a16207", "#0f766e")


def draw_number(
    page: Uint8, lattice: Lattice, glyphs: Uint8, probs: Float64, chosen: set[int], reading: Reading, signs: str
) -> Image.Image:
    """Draw a reading: `probs` (m, k) are the candidates' of each of `signs`, `chosen` the arcs of the best path."""
    given = Image.fromarray(page).convert("RGB")
    given.thumbnail((_WIDTH // 2 - 24, 300))
    seen = _draw_pieces(lattice, chosen)
    graphs = [_draw_graph(lattice, line, glyphs, probs, chosen, signs) for line in range(len(lattice.lines))]
    top = 48 + max(given.height, seen.height) + 84 + 16 * (len(reading.notes) // 2 + 1)
    height = top + sum(graph.height + 28 for graph in graphs) + _GAP
    figure = Image.new("RGB", (_WIDTH, height), WHITE)
    pen = ImageDraw.Draw(figure)
    pen.text((16, 10), "as given", GREY, load_font(14))
    figure.paste(given, (16, 34))
    pen.text((_WIDTH // 2 + 8, 10), "its ink, in pieces; pale: passed over", GREY, load_font(14))
    figure.paste(seen, (_WIDTH // 2 + 8, 34))
    y = 44 + max(given.height, seen.height)
    answer = describe_answer(reading)
    pen.text((16, y), answer, INK, load_font(42))
    sure = f"{min(100 * reading.confidence, 99.99):.2f} %"
    rest = [f"{text} {100 * chance:.2f} %" for line in reading.lines for text, chance in line.likeliest[1:4]]
    pen.text((16, y + 52), "  ·  ".join([f"right with {sure}", *rest]), GREY, load_font(14))
    for row, note in enumerate(reading.notes):
        pen.text((16 + 560 * (row % 2), y + 74 + 16 * (row // 2)), f"· {note}", GREY, load_font(12))
    for graph in graphs:
        pen.text(
            (16, top), "candidates: each column begins at a piece, each row is one piece longer", GREY, load_font(13)
        )
        figure.paste(graph, (16, top + 22))
        top += graph.height + 28
    return figure


def _draw_pieces(lattice: Lattice, chosen: set[int]) -> Image.Image:
    """Draw the pieces of ink in colours."""
    used = np.zeros(int(lattice.pieces.max()) + 1, bool)
    for arc in chosen:
        used[lattice.arcs[arc, 0] : lattice.arcs[arc, 1]] = True
    palette = np.full((len(used), 3), 255, np.uint8)
    for piece in range(1, len(used)):
        colour = np.array([int(_COLOURS[piece % len(_COLOURS)][at : at + 2], 16) for at in (1, 3, 5)])
        palette[piece] = colour if used[piece] else (colour + 3 * 220) // 4
    picture = Image.fromarray(palette[lattice.pieces])
    room = (_WIDTH // 2 - 24, 300)
    scale = min(room[0] / picture.width, room[1] / picture.height, 6)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX)


def _draw_graph(
    lattice: Lattice, line: int, glyphs: Uint8, probs: Float64, chosen: set[int], signs: str
) -> Image.Image:
    """Draw a line's candidates: columns by first piece, rows by the number of pieces, the best path framed.

    Columns that have no room go on below.
    """
    first, past = (int(each) for each in lattice.lines[line])
    arcs: Int32 = np.flatnonzero((lattice.arcs[:, 0] >= first) & (lattice.arcs[:, 1] <= past)).astype(np.int32)
    rows = int((lattice.arcs[arcs, 1] - lattice.arcs[arcs, 0]).max())
    step, width = _TILE + _GAP, (_WIDTH - 32) // (_TILE + _GAP)
    height = rows * (_TILE + 18) + 2 * _GAP
    picture = Image.new("RGB", (_WIDTH - 32, -(-(past - first) // width) * height), WHITE)
    pen = ImageDraw.Draw(picture)
    for arc in arcs:
        start, end = (int(each) for each in lattice.arcs[arc])
        band, column = divmod(start - first, width)
        x, y = column * step + 2, band * height + (end - start - 1) * (_TILE + 18) + 2
        drawn = Image.fromarray(255 - glyphs[arc]).resize((_TILE, _TILE), Image.Resampling.BOX)
        picture.paste(drawn.convert("RGB"), (x, y))
        best = int(probs[arc].argmax())
        words = f"{signs[best] if best < len(signs) else 'no'}  {100 * probs[arc, best]:.0f}"
        framed = int(arc) in chosen
        pen.rectangle((x - 1, y - 1, x + _TILE, y + _TILE), outline=ACCENT if framed else "#d5d5dc", width=1 + framed)
        pen.text((x, y + _TILE + 1), words, ACCENT if framed else GREY, load_font(11))
    return picture
