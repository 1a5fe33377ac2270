"""Pages with numbers in known places: tables, forms and squares, filled in by a hand, photographed or scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lenet.arrays import Float32, Float64, Uint8
from lenet.drawing.pictures import draw_text
from lenet.training.synthetic.fonts import NO_FONTS, Fonts
from lenet.training.synthetic.line_style import LineStyle, Placed, strike_out
from lenet.training.synthetic.line_texts import LinePart
from lenet.training.synthetic.lines import Hands, LineMaker
from lenet.training.synthetic.marks import Mark, mark_strokes, paint, print_text
from lenet.training.synthetic.negatives import draw_negative
from lenet.training.synthetic.page_photo import photograph
from lenet.training.synthetic.page_plan import PAGE_HEIGHT, PAGE_WIDTH, CellKind, PagePlan, PlannedCell, plan_page

# This share of the pages is printed in the font that is built in, where there are others.
_BUILT_IN = 0.1
# A number is so high beside its cell; it may stand over the cell's lines by this share of its height, this often.
_SHARES, _OVER, _OVER_OFTEN = (0.42, 0.85), 0.25, 0.12
# Signs of UNIPEN's hands that are marks when they stand alone in a cell, and how many drawn marks there are to one.
_SIGNS, _DRAWN = "???*#!=", 0.62
# This share of the question marks have a point.
_POINTED = 0.8
# What is printed on a sheet's back shows through on this share of the pages, so dark at most; and this share of the
# papers is rough, by so much of its grey.
_SHOWN, _THROUGH, _ROUGH, _GRAIN = 0.15, 0.16, 0.3, 0.06


@dataclass(frozen=True)
class MadeCell:
    """A cell of a made page: its corners (4, 2) in the picture, clockwise from upper left, and what is in it."""

    table: int
    row: int
    column: int
    corners: Float64
    kind: CellKind
    text: str
    boxes: int

    def shift_corners(self, share: float, rng: np.random.Generator) -> Float64:
        """Return its corners (4, 2), each off by about this share of its side."""
        side = float(np.sqrt(abs(cv2.contourArea(self.corners.astype(np.float32)))))
        return self.corners + rng.normal(0, share, (4, 2)) * side


@dataclass(frozen=True)
class FilledPage:
    """A picture (h, w, 3) uint8, blue first, of a page that was filled in, and its cells."""

    picture: Uint8
    cells: tuple[MadeCell, ...]

    @property
    def grey(self) -> Uint8:
        """The picture in greys, (h, w) uint8."""
        return cv2.cvtColor(self.picture, cv2.COLOR_BGR2GRAY).astype(np.uint8)


@dataclass(frozen=True)
class PageMaker:
    """Makes pages filled in by hands, and printed in fonts; without any in one that is built in."""

    hands: Hands
    fonts: Fonts = NO_FONTS

    def make(self, rng: np.random.Generator, plan: PagePlan | None = None) -> FilledPage:
        """Plan a page, unless it is given, rule and print it, fill it in, take its picture."""
        plan = plan or plan_page(rng)
        built_in = not self.fonts.printed or rng.random() < _BUILT_IN
        font = None if built_in else str(rng.choice(self.fonts.printed))
        printed = _print_page(plan, font, rng)
        written = np.zeros((PAGE_HEIGHT, PAGE_WIDTH), np.float32)
        writer = _Writer(LineMaker(self.hands, replace(self.fonts, printed=())), _draw_style(rng), rng)
        texts = []
        for cell in plan.cells:
            if cell.kind == "printed":
                _print_cell(cell, printed, font, rng)
            texts.append(writer.fill(cell, written) if cell.kind not in ("printed", "empty") else cell.text)
        photo = photograph(_lay_ink(printed, written, rng), rng)
        cells = [
            MadeCell(cell.table, cell.row, cell.column, photo.find(_find_corners(cell)), cell.kind, text, cell.boxes)
            for cell, text in zip(plan.cells, texts, strict=True)
        ]
        return FilledPage(photo.picture, tuple(cells))


def _find_corners(cell: PlannedCell) -> Float64:
    x0, y0, x1, y1 = cell.box
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def _draw_style(rng: np.random.Generator) -> LineStyle:
    """Return how the page's hand writes: no boxes of its own, no print."""
    style = LineStyle.draw(rng)
    return replace(style, pitch=0.0, printed=False, gap=float(np.clip(style.gap, -0.05, 0.3)), spread=0.05)


def _lay_ink(printed: Float32, written: Float32, rng: np.random.Generator) -> Uint8:
    """Return print and writing (h, w) on paper, (h, w, 3): print is black or dark, the pen has any colour."""
    paper = rng.uniform(225, 255) - rng.uniform(0, 12, 3) - _roughen(printed, rng)[..., None]
    pens = ((20, 20, 20), (150, 50, 25), (40, 30, 170), (90, 90, 90), (170, 90, 20), (60, 60, 60))
    pen = np.array(pens[int(rng.integers(len(pens)))]) + rng.uniform(-10, 30, 3)
    print_ = np.full(3, rng.uniform(0, 90)) + (rng.uniform(0, 90, 3) if rng.random() < 0.2 else 0)
    page = paper + (print_ - paper) * printed[..., None]
    page = page + (pen - page) * (written * rng.uniform(0.75, 1))[..., None]
    return np.clip(np.rint(page), 0, 255).astype(np.uint8)


def _roughen(printed: Float32, rng: np.random.Generator) -> Float32:
    """Return by how much paper (h, w) is darker: what shows through from its back, and the grain of rough paper."""
    added = np.zeros(printed.shape, np.float32)
    if rng.random() < _SHOWN:
        back = cv2.GaussianBlur(np.roll(printed[:, ::-1], rng.integers(-200, 200, 2), (0, 1)), (0, 0), 2.0)
        added += (255 * float(rng.uniform(0.03, _THROUGH)) * back).astype(np.float32)
    if rng.random() < _ROUGH:
        few = rng.normal(
            0, 1, (printed.shape[0] // int(rng.integers(3, 12)), printed.shape[1] // int(rng.integers(4, 40)))
        )
        grain = cv2.resize(few.astype(np.float32), printed.shape[::-1], interpolation=cv2.INTER_LINEAR)
        added += (255 * float(rng.uniform(0, _GRAIN)) * grain).astype(np.float32)
    return added


def _print_page(plan: PagePlan, font: str | None, rng: np.random.Generator) -> Float32:
    """Return the rules, bands and words of a page as ink (h, w), 0 to 1."""
    ink = np.zeros((PAGE_HEIGHT, PAGE_WIDTH), np.float32)
    for x0, y0, x1, y1 in plan.bands:
        ink[round(y0) : round(y1), round(x0) : round(x1)] = rng.uniform(0.3, 0.9)
    for text, x, foot, size in plan.print_:
        _print_word(ink, text, x, foot, size, font, rng)
    drawn = np.zeros(ink.shape, np.uint8)
    for rule in plan.rules:
        x0, y0, x1, y1 = (round(end) for end in rule.ends)
        lower = rule.thick // 2
        cv2.rectangle(
            drawn,
            (x0 - lower, y0 - lower),
            (x1 - lower + rule.thick - 1, y1 - lower + rule.thick - 1),
            round(255 * rule.dark),
            -1,
        )
    return np.maximum(ink, (drawn / np.float32(255)).astype(np.float32))


def _print_word(
    ink: Float32, text: str, x: float, foot: float, size: float, font: str | None, rng: np.random.Generator
) -> None:
    """Print a text, its digits so many pixels high, into ink (H, W), its left foot at x, foot."""
    if not text:
        return
    mark = print_text(text, "", font, rng) if font else _print_built_in(text)
    part = (
        slice(max(0, round(foot - 2 * size)), round(foot + size)),
        slice(round(x), round(x + size * mark.box[2] + 9)),
    )
    view = ink[part]
    if view.size:
        paint([(mark, 0.0, 0.0)], view, size, (0.0, foot - size - part[0].start), 0.1, 0.0, rng)


def _print_built_in(text: str) -> Mark:
    """Return a text in Pillow's own font as a mark."""
    drawn = draw_text(text, 44, 44 * (len(text) + 2))
    rows, columns = np.flatnonzero(drawn.max(axis=1)), np.flatnonzero(drawn.max(axis=0))
    ink = drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Mark("", (), ink, (0.0, 0.0, ink.shape[1] / ink.shape[0], 1.0))


def _print_cell(cell: PlannedCell, ink: Float32, font: str | None, rng: np.random.Generator) -> None:
    """Print a cell's text on ink (H, W); in a dark band it is light."""
    x0, y0, x1, y1 = cell.box
    size = (y1 - y0) * float(rng.uniform(0.3, 0.6))
    size = min(size, (x1 - x0 - 8) / max(1, 0.75 * len(cell.text)))
    left = x0 + 4 + float(rng.uniform(0, 1)) * max(0.0, x1 - x0 - 8 - 0.75 * size * len(cell.text))
    dark = float(ink[round((y0 + y1) / 2), round(x0) + 6]) > 0
    on = np.zeros_like(ink) if dark else ink
    _print_word(on, cell.text, left, (y0 + y1 + size) / 2, size, font, rng)
    if dark:
        np.multiply(ink, 1 - on, out=ink)


@dataclass(frozen=True)
class _Writer:
    """A hand that fills in cells, always in one style."""

    lines: LineMaker
    style: LineStyle
    rng: np.random.Generator

    def fill(self, cell: PlannedCell, ink: Float32) -> str:
        """Write into a cell on ink (H, W); return the text that stands there, "" for what is no number."""
        if cell.boxes > 1:
            x0, y0, x1, y1 = cell.box
            edges = np.linspace(x0, x1, cell.boxes + 1)
            for digit, left, right in zip(cell.text, edges[:-1], edges[1:], strict=True):
                placed, _text = self._write(digit)
                self._place(placed, (float(left), y0, float(right), y1), ink)
            return cell.text
        if cell.kind == "mark":
            self._place(self._mark(), cell.box, ink)
            return ""
        placed, text = self._write(cell.text)
        if cell.kind == "struck":
            placed.append((strike_out(max(x + mark.box[2] for mark, x, _y in placed), self.rng), 0.0, 0.0))
            text = ""
        if cell.kind == "overwritten":
            placed += self._write(cell.text[::-1] if len(set(cell.text)) > 1 else f"{9 - int(cell.text[0])}")[0]
        self._place(placed, cell.box, ink)
        return text

    def _write(self, text: str) -> tuple[list[Placed], str]:
        while True:  # some of UNIPEN's numbers are taken as a whole: they say something else
            marks, said, _spans = self.lines.write([LinePart("number", text)], self.style, self.rng)
            if said == text:
                return marks, said

    def _mark(self) -> list[Placed]:
        """Return what is written and no number: a tick, a cross, strokes, a square, a sign, a word."""
        rng = self.rng
        kind = rng.random()
        if kind < _DRAWN:
            drawn = _draw_mark(rng)
            return [
                (mark_strokes("", drawn, float(rng.uniform(0.5, 1.1)), float(rng.uniform(0.4, 0.6)), False), 0.0, 0.0)
            ]
        if kind < 0.8:
            pens = self.lines.hands
            assert pens is not None
            signs = [sign for sign in _SIGNS if sign in pens.pens.rows]
            return [(pens.pens.draw(str(rng.choice(signs)), str(rng.choice(pens.pens.writers)), rng), 0.0, 0.0)]
        if kind < 0.93:
            return self.lines.write([LinePart("word", "")], self.style, rng)[0]
        negative = (np.clip(draw_negative(rng, "scribble"), 0, 1) * 255).astype(np.uint8)
        return [(Mark("", (), negative, (0.0, 0.0, float(negative.shape[1] / negative.shape[0]), 1.0)), 0.0, 0.0)]

    def _place(self, placed: list[Placed], box: tuple[float, float, float, float], ink: Float32) -> None:
        """Paint what is written into a box of the page, a little over its lines at times."""
        rng, (x0, y0, x1, y1) = self.rng, box
        lean = abs(self.style.shear)
        wide = max(0.2, *(x + mark.box[2] for mark, x, _y in placed)) + lean
        high = min(y + mark.box[1] for mark, _x, y in placed)
        low = max(y + mark.box[3] for mark, _x, y in placed)
        unit = (y1 - y0) * float(rng.uniform(*_SHARES)) / max(1.0, low - high)
        over = _OVER * unit if rng.random() < _OVER_OFTEN else 0.0
        unit = min(unit, (x1 - x0 - 6 + over) / wide)
        left = x0 + 3 + float(rng.uniform(0, 1)) * max(0.0, x1 - x0 - 6 - wide * unit + over) + lean * unit / 2
        slack = y1 - y0 - (low - high) * unit
        top = float(np.clip(y0 + rng.normal(0.5, 0.2) * slack, y0 + 2 - over, y0 + slack - 2 + over)) - high * unit
        around = round(1.2 * unit)
        part = (
            slice(max(0, round(y0) - around), round(y1) + around),
            slice(max(0, round(x0) - around), round(x1) + around),
        )
        origin = (left - part[1].start, top - part[0].start)
        pen = float(np.clip(self.style.pen, 0.05, 0.13))
        paint(placed, ink[part], unit, origin, pen, self.style.shear, rng)


def _draw_mark(rng: np.random.Generator) -> list[Float64]:
    """Return the strokes of a mark that people leave in a cell: a tick, a cross, dashes, strokes, a square, a ring."""

    def wobble(points: Sequence[tuple[float, float]]) -> Float64:
        fine = np.linspace(0, len(points) - 1, 6 * (len(points) - 1) + 1)
        known = np.array(points)
        line = np.stack([np.interp(fine, np.arange(len(points)), known[:, each]) for each in (0, 1)], axis=1)
        return (
            line + rng.normal(0, 0.04, (len(points), 2))[np.rint(fine).astype(int)] + rng.normal(0, 0.008, line.shape)
        )

    foot, end, high = float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.45, 1.5)), float(rng.uniform(0.35, 0.75))
    upright, level, pitch = range(int(rng.integers(3, 6))), range(int(rng.integers(2, 5))), float(rng.uniform(0.2, 0.6))
    question = _draw_question(rng)
    marks = (
        [[(0, high), (foot, 1), (end, 0)]],  # a tick
        [[(0, high), (foot, 1), (end, 0)]],
        [[(0, 0), (1, 1)], [(1, 0), (0, 1)]],  # a cross
        [[(0, 0.05), (0.8, 0), (1.6, 0.05)]],  # a dash
        [[(pitch * place, 0), (pitch * place, 1)] for place in upright],
        [[(0, 0.4 * place), (1.2, 0.4 * place)] for place in level],
        [[(0, 0), (1.1, 0), (1.1, 1), (0, 1), (0, 0)]],  # a square
        question,
        question,
        [[(0, 0), (0.7, 1)], [(0.35, 0), (1.05, 1)]],
        [[(0, 1), (1, 0)]],
    )
    return [wobble(line) for line in marks[int(rng.integers(len(marks)))]]


def _draw_question(rng: np.random.Generator) -> list[list[tuple[float, float]]]:
    """Return the strokes of a question mark: a bow, a stem, and mostly a point."""
    wide, bow, start = float(rng.uniform(0.35, 0.7)), float(rng.uniform(0.3, 0.5)), float(rng.uniform(-1.1, -0.7))
    turns = np.linspace(start * np.pi, float(rng.uniform(0.15, 0.4)) * np.pi, 9)
    points = [(wide / 2 * (1 + np.cos(turn)), bow / 2 * (1 + np.sin(turn))) for turn in turns]
    stem = (wide * float(rng.uniform(0.35, 0.55)), bow + float(rng.uniform(0.02, 0.15)))
    points += [stem, (stem[0] + float(rng.normal(0, 0.03)), float(rng.uniform(0.65, 0.85)))]
    dot = (stem[0] + float(rng.normal(0, 0.05)), float(rng.uniform(0.92, 1.02)))
    strokes = [[(float(x), float(y)) for x, y in points]]
    return [*strokes, [dot, (dot[0] + 0.02, dot[1] + 0.01)]] if rng.random() < _POINTED else strokes
