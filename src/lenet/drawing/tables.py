"""Pictures of pages with their tables drawn on them: cells coloured by state, answers and guesses, a legend."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from lenet.drawing.answers import Drawings
from lenet.drawing.pictures import INK, WHITE, load_font, save_picture
from lenet.preprocessing.decode import open_page
from lenet.preprocessing.sources import PictureSource
from lenet.tables.result import Cell, CellState, PageTables

# The colour of a cell's outline, by its state, in the order of the legend.
STATE_COLOURS: dict[CellState, str] = {
    "read": "#15803d",
    "uncertain": "#6b6b76",
    "mark": "#c2410c",
    "print": "#6d28d9",
    "empty": "#0e7490",
    "failed": "#b91c1c",
}
# A page is drawn with so many pixels on its longer side, or more if its cells are small; the legend is so high.
_SIDE, _LARGEST, _CELL, _LEGEND = 1600, 4000, 34, 30


def annotate_tables(grey: Any, found: PageTables, scale: float) -> Image.Image:
    """Draw the cells of a page, (H, W) uint8, a pixel of which stands for `scale` of the picture's own."""
    cells = [cell for table in found.tables for cell in table.cells]
    picture = Image.fromarray(grey)
    heights = sorted(cell.box[3] - cell.box[1] for cell in cells) or [_CELL]
    wanted = max(_SIDE / max(picture.size), _CELL * scale / max(1, heights[len(heights) // 4]))
    times = min(wanted, _LARGEST / max(picture.size))
    size = tuple(max(1, round(side * times)) for side in picture.size)
    drawn = Image.new("RGB", (size[0], size[1] + _LEGEND), WHITE)
    drawn.paste(picture.resize((size[0], size[1]), Image.Resampling.BOX if times < 1 else Image.Resampling.BICUBIC))
    pen = ImageDraw.Draw(drawn)
    for cell in cells:
        _draw_cell(pen, cell, times / scale)
    _draw_legend(pen, size[1], [state for state in STATE_COLOURS if any(cell.state == state for cell in cells)])
    return drawn


def _draw_cell(pen: ImageDraw.ImageDraw, cell: Cell, times: float) -> None:
    """Draw a cell's outline in its state's colour, and its answer, or its guess in grey, in its upper left corner."""
    corners = [(x * times, y * times) for x, y in cell.quad]
    colour = STATE_COLOURS[cell.state]
    pen.line([*corners, corners[0]], fill=colour, width=2)
    label = cell.text or (f"{cell.guess}?" if cell.guess else "")
    if not label:
        return
    x, y = corners[0]
    font = load_font(14)
    left, top, right, bottom = pen.textbbox((x + 3, y + 1), label, font)
    pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=WHITE)
    pen.text((x + 3, y + 1), label, colour, font)


def _draw_legend(pen: ImageDraw.ImageDraw, top: int, states: list[CellState]) -> None:
    x, y, font = 8.0, top + _LEGEND / 2, load_font(14)
    for state in states:
        pen.rectangle((x, y - 6, x + 12, y + 6), outline=STATE_COLOURS[state], width=2)
        label = "guess" if state == "uncertain" else state
        pen.text((x + 18, y), label, INK, font, anchor="lm")
        x += 18 + pen.textlength(label, font) + 20


class TableDrawings(Drawings):
    """Where the drawings of a job's pages go, as `Drawings`."""

    def __call__(
        self, number: int, path: str, source: PictureSource, reading: Any, cuts: tuple[tuple[float, float], ...]
    ) -> None:
        """Draw the tables of a page on it. Raises LenetError."""
        assert not cuts
        page = open_page(source)
        save_picture(annotate_tables(page.grey, reading, page.scale), self.find_file(number, path))
