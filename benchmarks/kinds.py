"""Pictures of what stands beside digits, by kind, each with its right answer: signs, spaces, marks, boxes, turns.

Digits are one of MNIST's writers', signs and letters UNIPEN's, print is Pillow's own font: no line is learned from it.
Held-out writers by default; those that are learned from are what one develops on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np

from lenet.arrays import Float32, Uint8
from lenet.decoding.letters import LIKE_DIGITS
from lenet.drawing.pictures import draw_text
from lenet.training.synthetic.displays import draw_display
from lenet.training.synthetic.line_style import Placed, strike_out
from lenet.training.synthetic.lines import Hands
from lenet.training.synthetic.marks import Mark, crop_digit, paint

# A page and its label, as the field's labels are: a space parts numbers, a newline lines.
Picture = tuple[Uint8, str]
# Signs may be left out of the answers of these kinds if a step says what was passed over.
LOOSE = frozenset(("percent and currency", "brackets and /-"))
ONE_DIGIT = frozenset(("digit in a circle",))
# What has less than this share of a digit's ink is a speck.
_SPECK = 0.12
_LABELS = ("Total:", "No.", "Sum", "Score:", "Name:", "Date")


def is_clean(glyph: Uint8) -> bool:
    """Whether a glyph (28, 28) has no specks beside its digit: in a line they are points and colons."""
    dark = (glyph > 40).astype(np.uint8)
    _count, _labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    return bool((stats[1:, cv2.CC_STAT_AREA] >= _SPECK * dark.sum()).all())


@dataclass
class Pen:
    """Draws texts by hands, one after the other."""

    rng: np.random.Generator
    all: Hands
    rows: dict[str, list[int]] = field(default_factory=dict)
    writer: str = ""

    def choose_writer(self) -> None:
        """Take one of MNIST's writers who wrote every digit often enough, and one of UNIPEN's."""
        while True:
            own = self.all.choose_digits(self.rng)
            labels = self.all.digits.labels[own]
            self.rows = {
                str(digit): [row for row in own[labels == digit].tolist() if is_clean(self.all.digits.glyphs[row])]
                for digit in range(10)
            }
            if all(self.rows.values()):
                break
        self.writer = str(self.rng.choice(self.all.pens.writers))

    def mark(self, character: str) -> Mark:
        """Return a digit of the writer's, or a sign or a letter of another hand."""
        if character.isdigit():
            return crop_digit(self.all.digits, int(self.rng.choice(self.rows[character])))
        return self.all.pens.draw(character, self.writer, self.rng)

    def write(self, text: str, x: float = 0.0, y: float = 0.0, space: float = 2.0) -> tuple[list[Placed], float]:
        """Place a text from x on, its digits' top at y, in digit heights; return it and where it ends."""
        placed: list[Placed] = []
        gap = float(self.rng.uniform(0.08, 0.3))
        for character in text:
            if character == " ":
                x += space - gap
                continue
            mark = self.mark(character)
            placed.append((mark, x, y + float(self.rng.normal(0, 0.03))))
            x += mark.box[2] + gap + float(self.rng.normal(0, 0.03))
        return placed, x - gap

    def number(self, least: int = 1, most: int = 5) -> str:
        """Return so many digits."""
        return "".join(map(str, self.rng.integers(0, 10, int(self.rng.integers(least, most + 1)))))

    def page(self, placed: list[Placed], unit: float = 0.0, beside: float = 1.0) -> Float32:
        """Return ink (H, W), 0 to 1, with so many pixels a digit and so many digit heights of paper beside it."""
        unit = unit or float(np.exp(self.rng.uniform(np.log(24), np.log(70))))
        width = max(x + mark.box[2] for mark, x, _y in placed)
        height = max(y + max(mark.box[3], 1.0) for mark, _x, y in placed)
        ink = np.zeros((round(unit * (height + 2 * beside)), round(unit * (width + 2 * beside))), np.float32)
        thick = float(self.rng.uniform(0.08, 0.13))
        paint(placed, ink, unit, (unit * beside, unit * beside), thick, 0.0, self.rng)
        return ink

    def expose(self, ink: Float32) -> Uint8:
        """Return ink on light paper, a little noisy."""
        paper, pen = self.rng.uniform(215, 255), self.rng.uniform(20, 80)
        grey = paper - (paper - pen) * ink + self.rng.normal(0, self.rng.uniform(0, 3), ink.shape)
        return np.clip(np.rint(grey), 0, 255).astype(np.uint8)

    def picture(self, text: str, space: float = 2.0) -> Picture:
        """Return a page with a text."""
        return self.expose(self.page(self.write(text, space=space)[0])), text


def numbers_apart(pen: Pen) -> Picture:
    """Draw two or three numbers in a row, 1.2 to 8 digit heights apart."""
    several = int(pen.rng.integers(2, 4))
    return pen.picture(" ".join(pen.number(1, 4) for _number in range(several)), float(pen.rng.uniform(1.2, 8)))


def of_pattern(patterns: tuple[str, ...], pen: Pen) -> Picture:
    """Draw a text in which each # is a digit."""
    text = str(pen.rng.choice(patterns))
    while "#" in text:
        text = text.replace("#", pen.number(1, 1), 1)
    return pen.picture(text)


def unit_behind(pen: Pen) -> Picture:
    """Draw a number and a unit in letters: the number is right."""
    number = pen.number(2, 4)
    placed, x = pen.write(number)
    unit, _end = pen.write(str(pen.rng.choice(["kg", "cm", "m", "h", "mm", "km"])), x + float(pen.rng.uniform(0.3, 1)))
    return pen.expose(pen.page(placed + unit)), number


def label_before(pen: Pen) -> Picture:
    """Draw a printed word and a number: the number is right."""
    word = draw_text(str(pen.rng.choice(_LABELS)), 56, 300)
    rows, columns = np.flatnonzero(word.max(axis=1)), np.flatnonzero(word.max(axis=0))
    word = word[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    mark = Mark("", (), word, (0.0, 0.3, 0.7 * word.shape[1] / word.shape[0], 1.0))
    number = pen.number(2, 4)
    placed, _x = pen.write(number, mark.box[2] + float(pen.rng.uniform(0.6, 1.5)))
    return pen.expose(pen.page([(mark, 0.0, 0.0), *placed])), number


def struck_out(pen: Pen) -> Picture:
    """Draw a number struck out by a line, a cross or a scribble, and its correction beside it, which is right."""
    wrong, x = pen.write(pen.number(2, 3))
    right = pen.number(2, 3)
    placed, _x = pen.write(right, x + float(pen.rng.uniform(0.8, 2)))
    return pen.expose(pen.page([*wrong, (strike_out(x, pen.rng), 0.0, 0.0), *placed])), right


def in_boxes(pen: Pen) -> Picture:
    """Draw a box a digit, joined, with lines of 1 pixel and more as dark as the pen, at 100 to 300 dots an inch."""
    text = pen.number(3, 8)
    pitch, unit = 1.7, float(pen.rng.choice([100, 120, 150, 180, 200, 240, 300])) / 5
    placed = [(mark, pitch * place + (pitch - mark.box[2]) / 2, 0.0) for place, mark in enumerate(map(pen.mark, text))]
    ink = pen.page(placed, unit)
    thick = int(pen.rng.integers(1, max(2, round(unit / 10)) + 1))
    left, top, right, foot = (round(unit * side) for side in (1.0, 0.7, 1 + pitch * len(text), 2.3))
    for x in range(len(text) + 1):
        column = round(left + x * pitch * unit)
        ink[top : foot + thick, column : column + thick] = 1
    ink[top : top + thick, left : right + thick] = ink[foot : foot + thick, left : right + thick] = 1
    return pen.expose(ink), text


def in_a_table(pen: Pen) -> Picture:
    """Draw rows and columns of numbers with lines between them: a space parts columns."""
    rows, columns = int(pen.rng.integers(2, 4)), int(pen.rng.integers(2, 4))
    texts = [[pen.number(1, 3) for _column in range(columns)] for _row in range(rows)]
    wide, high = 3.4, 2.0
    placed = []
    for row, own in enumerate(texts):
        for column, text in enumerate(own):
            marks, x = pen.write(text)
            placed += [(mark, at + column * wide + (wide - x) / 2, y + row * high) for mark, at, y in marks]
    unit = float(pen.rng.uniform(28, 60))
    ink = pen.page(placed, unit, beside=1.2)
    thick = int(pen.rng.integers(1, 4))
    x0, y0 = 1.2 * unit, 0.7 * unit
    for row in range(rows + 1):
        at = round(y0 + row * high * unit)
        ink[at : at + thick, round(x0) : round(x0 + columns * wide * unit)] = 1
    for column in range(columns + 1):
        at = round(x0 + column * wide * unit)
        ink[round(y0) : round(y0 + rows * high * unit), at : at + thick] = 1
    return pen.expose(ink), "\n".join(" ".join(own) for own in texts)


def underlined(pen: Pen) -> Picture:
    """Draw a number with a line below it, as dark as the pen."""
    text = pen.number(2, 6)
    ink = pen.page(pen.write(text)[0], unit := float(pen.rng.uniform(24, 70)))
    foot = round(unit * float(pen.rng.uniform(2.02, 2.3)))
    ink[foot : foot + int(pen.rng.integers(1, 5)), round(unit * 0.7) : round(ink.shape[1] - unit * 0.7)] = 1
    return pen.expose(ink), text


def in_a_circle(pen: Pen) -> Picture:
    """Draw one digit in a circle."""
    text = pen.number(1, 1)
    ink = pen.page(pen.write(text)[0], unit := float(pen.rng.uniform(40, 80)), beside=1.3)
    high, wide = ink.shape
    radius = round(unit * float(pen.rng.uniform(0.95, 1.2)))
    shown = (ink * 255).astype(np.uint8)
    cv2.ellipse(
        shown, (wide // 2, high // 2), (radius, radius), 0, 0, 360, 255, int(pen.rng.integers(2, 6)), cv2.LINE_AA
    )
    return pen.expose((shown / np.float32(255)).astype(np.float32)), text


def torn(pen: Pen) -> Picture:
    """Draw one digit with a gap of 1 or 2 pixels right across, thinner than its stroke."""
    text = str(pen.rng.choice(list("02356789")))
    ink = pen.page(pen.write(text)[0], unit := float(pen.rng.uniform(40, 80)))
    row = round(unit * float(pen.rng.uniform(1.35, 1.65)))
    ink[row : row + int(pen.rng.integers(1, 3))] = 0
    return pen.expose(ink), text


def white_on_black(pen: Pen) -> Picture:
    """Draw one thick white digit that fills a black canvas."""
    text = pen.number(1, 1)
    ink = pen.page(pen.write(text)[0], unit := 90.0, beside=0.25)
    thick = round(unit * float(pen.rng.uniform(0.02, 0.16)))
    ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thick + 1,) * 2)).astype(np.float32)
    return (ink * 255).astype(np.uint8), text


def turned(pen: Pen) -> Picture:
    """Draw a number of four digits and more, turned by 90, 180 or 270 degrees."""
    page, text = pen.picture(pen.number(4, 6))
    return np.ascontiguousarray(np.rot90(page, int(pen.rng.integers(1, 4)))), text


def on_a_display(pen: Pen) -> Picture:
    """Draw a number of two digits and more as a display of seven segments shows it, dark or bright."""
    text = pen.number(2, 6)
    if pen.rng.random() < 0.3:
        point = int(pen.rng.integers(1, len(text)))
        text = f"{text[:point]}.{text[point:]}"
    page = pen.expose(pen.page([(draw_display(text, pen.rng), 0.0, 0.0)]))
    return page if pen.rng.random() < 0.5 else 255 - page, text


def letters(pen: Pen) -> Picture:
    """Draw a letter, or some: nothing is right."""
    known = [each for each in pen.all.pens.rows if each.isalpha() and each not in LIKE_DIGITS]
    text = "".join(pen.rng.choice(known, int(pen.rng.integers(1, 6))))
    return pen.expose(pen.page(pen.write(text)[0])), ""


KINDS: dict[str, Callable[[Pen], Picture]] = {
    "numbers apart": numbers_apart,
    "table": in_a_table,
    "slash": partial(of_pattern, ("#/##", "##/##", "##/###", "##/##/####", "##/##/##")),
    "minus and point": partial(of_pattern, ("-###.##", "-#.#", "##.##", "-##", "#.###", "-####.#")),
    "comma and colon": partial(of_pattern, ("#,##", "##,##", "#,###", "##:##", "#:##", "##:##:##")),
    "brackets and /-": partial(of_pattern, ("###/-", "##,###/-", "(###)###-####", "(##)", "###-####")),
    "percent and currency": partial(of_pattern, ("##%", "#.#%", "$###", "€##", "##€", "$#,###")),
    "unit behind": unit_behind,
    "label before": label_before,
    "struck out": struck_out,
    "boxes, all resolutions": in_boxes,
    "underlined": underlined,
    "digit in a circle": in_a_circle,
    "digit torn across": torn,
    "white fills black": white_on_black,
    "turned": turned,
    "letters": letters,
    "display": on_a_display,
}
