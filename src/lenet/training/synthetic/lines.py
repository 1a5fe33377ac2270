"""Lines to read as lines: what a hand writes on paper, as the strip that a network sees, and the text it should say."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from lenet.arrays import Bools, Float32, Int64, Uint8
from lenet.data.dataset import Digits
from lenet.network.inputs import LINE_HEIGHT, standardise_line
from lenet.network.spec import LINE_LABELS, PASSED_OVER
from lenet.training.synthetic.line_paper import FINE, draw_rules, draw_specks, expose_line
from lenet.training.synthetic.line_texts import LinePart, write_line_text
from lenet.training.synthetic.marks import Mark, Pens, chain_zeros, crop_digit, draw_in_style, paint, print_text
from lenet.training.synthetic.negatives import draw_negative

# A strip is at most so wide, in pixels: a line of 16 digits that are as wide as high.
WIDEST = 512
# This share of the lines is cut so that no digit loses its top or foot.
_SEEN_WHOLE = 0.88
# On their own these letters may be digits; these signs may always be others.
_LIKE_DIGITS, _LIKE_SIGNS = "OoDQlIiSsZzBbgq", "|_'`"
# A mark in a line: where it stands, in digit heights.
Placed = tuple[Mark, float, float]


@dataclass(frozen=True)
class MadeLine:
    """A line as the network sees it: `strip` (32, W) uint8, by `standardise_line`, and the `text` it should say."""

    strip: Uint8
    text: str


@dataclass(frozen=True)
class LineMaker:
    """Makes lines of UNIPEN's pens and of MNIST's digits (n) by writer (n,), of which `mine` (m,) may be used.

    `fonts` are files of fonts to print with.
    """

    pens: Pens
    digits: Digits
    writers: Int64
    mine: Int64
    fonts: tuple[str, ...] = ()

    def make(self, rng: np.random.Generator) -> MadeLine:
        """Write a line, take its picture, cut its strip."""
        while True:
            line = self._make(rng)
            if line is not None:
                return line

    def _make(self, rng: np.random.Generator) -> MadeLine | None:
        parts = write_line_text(rng)
        style = _Style.draw(rng)
        marks, text, cells = self._write(parts, style, rng)
        digit = LINE_HEIGHT * style.share
        strip = _picture(marks, cells, style, digit, rng)
        if strip is None:
            return None
        # A text that has not a column for each label, and one between equal ones, cannot be said.
        needed = len(text) + sum(a == b for a, b in pairwise(text))
        if needed * 2 + 2 > strip.shape[1]:
            return None
        return MadeLine(standardise_line(strip), text)

    def _write(
        self, parts: list[LinePart], style: _Style, rng: np.random.Generator
    ) -> tuple[list[Placed], str, list[tuple[float, float]]]:
        """Place the marks of a line; return them, its text, and from where to where each number goes."""
        hand = self._choose_hand(style, rng)
        placed: list[Placed] = []
        spans: list[tuple[float, float]] = []
        said = []
        x = 0.0
        for number, part in enumerate(parts):
            if number:
                x += style.choose_space(rng)
            begin = x
            if part.kind == "word":
                marks, told = [self._write_word(hand, rng)], PASSED_OVER
                placed.append((marks[0], x, 0.0))
                x += marks[0].box[2]
            else:
                own, told = self._write_number(part.text, hand, style, rng)
                x = style.set_side_by_side(own, placed, x, rng)
                if part.kind == "struck":
                    placed.append((_strike(x - begin, rng), begin, 0.0))
                    told = PASSED_OVER
            spans.append((begin, x))
            said.append(told)
        text = ""
        for told in said:
            between = " " if text and text[-1] != PASSED_OVER and told != PASSED_OVER else ""
            text += "" if told == PASSED_OVER and text.endswith(PASSED_OVER) else between + told
        return placed, text, spans

    def _choose_hand(self, style: _Style, rng: np.random.Generator) -> str | Int64:
        """Return a writer of UNIPEN, by name, or one of MNIST, as rows of digits."""
        if style.of_pixels:
            return self.mine[self.writers[self.mine] == self.writers[rng.choice(self.mine)]]
        return str(rng.choice(self.pens.writers))

    def _write_word(self, hand: str | Int64, rng: np.random.Generator) -> Mark:
        kind = rng.random()
        if kind < 0.45:
            return self.pens.draw_whole(self.pens.words, PASSED_OVER, rng)
        if kind < 0.7:
            count = int(rng.choice([1, 1, 2, 2, 3, 4, 6]))
            unlike = _LIKE_SIGNS + (_LIKE_DIGITS if count == 1 else "")
            letters = [
                each
                for each in self.pens.rows
                if each not in LINE_LABELS and each not in unlike and (each.isalpha() or rng.random() < 0.3)
            ]
            writer = hand if isinstance(hand, str) else str(rng.choice(self.pens.writers))
            x, strokes = 0.0, []
            for _letter in range(count):
                mark = self.pens.draw(str(rng.choice(letters)), writer, rng)
                strokes += [each + np.array([x, 0], np.float32) for each in mark.strokes]
                x += mark.box[2] + float(rng.uniform(0.0, 0.2))
            return Mark(PASSED_OVER, tuple(strokes), None, (0.0, 0.0, x, 1.0))
        if self.fonts and rng.random() < 0.6:
            return print_text(_spell(rng), PASSED_OVER, str(rng.choice(self.fonts)), rng)
        negative = draw_negative(rng, str(rng.choice(("blot", "scribble", "scribble", "texture"))))
        ink = (np.clip(negative, 0, 1) * 255).astype(np.uint8)
        return Mark(PASSED_OVER, (), ink, (0.0, 0.0, float(ink.shape[1] / ink.shape[0]), 1.0))

    def _write_number(
        self, text: str, hand: str | Int64, style: _Style, rng: np.random.Generator
    ) -> tuple[list[Mark], str]:
        if not style.of_pixels and rng.random() < 0.09:
            mark = self.pens.draw_whole(self.pens.numbers, "", rng)
            return [mark], mark.label
        if style.printed and self.fonts:
            return [print_text(text, text, self.fonts[style.font % len(self.fonts)], rng)], text
        marks: list[Mark] = []
        place = 0
        while place < len(text):
            zeros = len(text[place:]) - len(text[place:].lstrip("0"))
            if zeros > 1 and rng.random() < 0.5 and style.chained:
                marks.append(chain_zeros(zeros, rng))
                place += zeros
                continue
            marks.append(self._write_mark(text[place], hand, style, rng))
            place += 1
        return style.size(marks, rng), text

    def _write_mark(self, character: str, hand: str | Int64, style: _Style, rng: np.random.Generator) -> Mark:
        if character.isdigit() and rng.random() < style.styled:
            drawn = draw_in_style(character, rng)
            if drawn is not None:
                return drawn
        if isinstance(hand, str):
            return self.pens.draw(character, hand, rng)
        if not character.isdigit():
            return self.pens.draw(character, str(rng.choice(self.pens.writers)), rng)
        own = hand[self.digits.labels[hand] == int(character)]
        if not len(own):
            own = self.mine[self.digits.labels[self.mine] == int(character)]
        return crop_digit(self.digits, int(rng.choice(own)))


@dataclass(frozen=True)
class _Style:
    """How one line is written: all lengths in digit heights; `share` of the strip's height is a digit."""

    of_pixels: bool
    share: float
    gap: float
    spread: float
    pen: float
    shear: float
    rise: float
    wobble: float
    styled: float
    ligatures: float
    uneven: bool
    hang: float
    chained: bool
    pitch: float
    printed: bool
    font: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Style:
        of_pixels = rng.random() < 0.34
        kind = rng.random()
        if kind < 0.35:
            gap, spread = rng.normal(-0.02, 0.08), 0.07
        elif kind < 0.8:
            gap, spread = rng.uniform(0.05, 0.35), rng.uniform(0.03, 0.15)
        elif kind < 0.95:
            gap, spread = rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.25)
        else:
            gap, spread = rng.uniform(0.8, 2.2), rng.uniform(0.05, 0.4)
        return cls(
            of_pixels,
            float(rng.uniform(0.5, 0.98)),
            float(gap),
            float(spread),
            float(np.exp(rng.uniform(np.log(0.035), np.log(0.17)))),
            float(np.clip(rng.normal(0.1, 0.2), -0.35, 0.75))
            if not of_pixels
            else float(np.clip(rng.normal(0.05, 0.17), -0.4, 0.5)),
            float(rng.normal(0, 0.02)) if rng.random() < 0.6 else 0.0,
            float(abs(rng.normal(0, 0.05))),
            float(rng.choice([0.0, 0.08, 0.25, 0.6])),
            float(rng.choice([0.0, 0.0, 0.25, 0.6])),
            bool(rng.random() < 0.45),
            float(rng.choice([1.0, 1.0, 0.5, 0.0])),
            bool(rng.random() < 0.6 and not of_pixels),
            float(rng.uniform(1.0, 1.6)) if rng.random() < 0.07 else 0.0,
            bool(rng.random() < 0.06),
            int(rng.integers(1000)),
        )

    def choose_space(self, rng: np.random.Generator) -> float:
        """Return how far two numbers of the line stand apart: clearly more than digits of one do."""
        return float(max(self.gap + 2.5 * self.spread, 0.25) * rng.uniform(1.6, 2.5) + rng.uniform(0.25, 1.8))

    def size(self, marks: list[Mark], rng: np.random.Generator) -> list[Mark]:
        """Return the marks of a number in their sizes: none quite as large as another, some ends larger or smaller."""
        sizes = np.exp(rng.normal(0, abs(rng.normal(0, 0.1)), len(marks)))
        if self.uneven:
            if rng.random() < 0.4:
                sizes[0] *= rng.uniform(1.15, 1.8)
            if rng.random() < 0.5 and len(marks) > 1:
                sizes[int(rng.integers(1, len(marks))) :] *= rng.uniform(0.5, 0.9)
        return [
            mark.resized(float(np.clip(size, 0.45, 1.9)), self.hang if mark.label.isdigit() else 0.6)
            for mark, size in zip(marks, sizes, strict=True)
        ]

    def set_side_by_side(self, marks: list[Mark], placed: list[Placed], x: float, rng: np.random.Generator) -> float:
        """Place the marks of a number from x on, some joined by a stroke; return where it ends."""
        drop, before = 0.0, None
        right = x
        for number, mark in enumerate(marks):
            drop = 0.7 * drop + float(rng.normal(0, self.wobble))
            if self.pitch:
                at = x + number * self.pitch + float(rng.uniform(0, max(0.05, self.pitch - 0.2 - mark.box[2])))
            else:
                gap = float(rng.normal(self.gap, self.spread)) if number else 0.0
                small = mark.label in ".,:" or (before is not None and before[0].label in ".,:")
                at = right + (max(-0.05, 0.5 * gap) if small else max(gap, -0.4 * min(mark.box[2], right - x)))
            placed.append((mark, at, drop + self.rise * at))
            if before is not None and rng.random() < self.ligatures:
                joint = _join_marks(before, placed[-1], rng)
                if joint is not None:
                    placed.append((joint, 0.0, 0.0))
            before = (mark, at, drop + self.rise * at)
            right = max(right, at + mark.box[2]) if mark.label else right
        return right if not self.pitch else max(right, x + len(marks) * self.pitch)


def _join_marks(one: Placed, other: Placed, rng: np.random.Generator) -> Mark | None:
    """Return the stroke of a pen that is not lifted between two marks; None where it would be long."""
    if not (one[0].strokes and other[0].strokes and one[0].label.isdigit() and other[0].label.isdigit()):
        return None
    start = one[0].strokes[-1][-1] + np.array(one[1:], np.float32)
    end = other[0].strokes[0][0] + np.array(other[1:], np.float32)
    length = float(np.hypot(*(end - start)))
    if not 0.02 < length < 1.1 or end[0] < start[0] - 0.2:
        return None
    bulge = np.array([0, rng.normal(0.05, 0.15)]) * length
    t = np.linspace(0, 1, 8)[:, None]
    middle = (start + end) / 2 + bulge
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    return Mark("", (points.astype(np.float32),), None, (0, 0, 0, 0))


def _strike(width: float, rng: np.random.Generator) -> Mark:
    """Return what strikes a number out: a line or two, a cross, or a scribble."""
    kind = rng.random()
    lines = []
    if kind < 0.5:
        for _line in range(int(rng.integers(1, 3))):
            lines.append([(-0.2, rng.uniform(0.3, 0.7)), (width + 0.2, rng.uniform(0.3, 0.7))])
    elif kind < 0.75:
        lines = [[(-0.1, 0.0), (width + 0.1, 1.0)], [(-0.1, 1.0), (width + 0.1, 0.0)]]
    else:
        count = max(6, int(8 * width))
        zigzag = np.stack([np.linspace(0, width, count), np.where(np.arange(count) % 2, 0.05, 0.95)], axis=1)
        lines = [(zigzag + rng.normal(0, 0.08, zigzag.shape)).tolist()]
    strokes = tuple(
        np.array(line, np.float32) + rng.normal(0, 0.03, (len(line), 2)).astype(np.float32) for line in lines
    )
    return Mark("", strokes, None, (0, 0, width, 1))


def _picture(
    marks: list[Placed], spans: list[tuple[float, float]], style: _Style, digit: float, rng: np.random.Generator
) -> Uint8 | None:
    """Return the grey strip (32, W), bright for ink, of marks whose digits are so many pixels high; None: too wide."""
    # Most lines are cut so that their digits are seen from top to foot, some of which stand higher or are larger.
    digits = [(y + mark.box[1], y + mark.box[3]) for mark, _x, y in marks if any(map(str.isdigit, mark.label))]
    high, low = (min(top for top, _foot in digits), max(foot for _top, foot in digits)) if digits else (0.0, 1.0)
    if rng.random() < _SEEN_WHOLE:
        digit = min(digit, LINE_HEIGHT * float(rng.uniform(0.85, 1.02)) / max(1.0, low - high))
    unit = digit * FINE
    lean = abs(style.shear) + 0.1
    left = float(rng.uniform(0.02, 0.9)) + lean
    right = max((x + mark.box[2] for mark, x, _y in marks), default=float(rng.uniform(0.5, 4)))
    width = round((left + right + float(rng.uniform(0.02, 0.9)) + lean) * digit)
    width = max(LINE_HEIGHT, width + -width % 4)
    if width > WIDEST:
        return None
    slack = LINE_HEIGHT - digit * (low - high)
    top = slack * float(rng.uniform(0.05, 0.95)) if slack > 0 and rng.random() < 0.8 else slack / 2
    top -= high * digit
    origin = (left * unit, top * FINE)
    ink = np.zeros((LINE_HEIGHT * FINE, width * FINE), np.float32)
    paint(marks, ink, unit, origin, style.pen, style.shear, rng)
    ink, cut = _cut_sides(ink, unit, rng)
    origin = (origin[0] - cut, origin[1])
    foot = top * FINE + unit
    if style.pitch and spans:
        ink = np.maximum(ink, _draw_cells(ink.shape, style, spans, origin, unit, rng))
    elif rng.random() < 0.05 and spans:
        ink = np.maximum(ink, _draw_frame(ink.shape, spans, origin, unit, rng))
    if rng.random() < 0.3:
        ink = draw_rules(ink, foot, unit, rng)
    if rng.random() < 0.12:
        ink = draw_specks(ink, unit, rng)
    return expose_line(ink, rng)


def _cut_sides(ink: Float32, unit: float, rng: np.random.Generator) -> tuple[Float32, int]:
    """Cut what is beside the ink (H, W) down to a margin that may be none; return it and what went on the left."""
    columns = np.flatnonzero(ink.max(axis=0) > 0.3)
    if not len(columns):
        return ink, 0
    # A tight cut is as usual as a wide one.
    before, behind = (rng.uniform(-0.04, 0.9) if rng.random() < 0.6 else rng.uniform(-0.04, 0.15) for _side in range(2))
    first = max(0, round(columns[0] - before * unit))
    past = min(ink.shape[1], round(columns[-1] + 1 + behind * unit))
    width = max(LINE_HEIGHT * FINE, past - first)
    width += -width % (4 * FINE)
    kept = ink[:, first : first + width]
    return np.pad(kept, ((0, 0), (0, width - kept.shape[1]))), first


def _draw_cells(
    shape: tuple[int, ...],
    style: _Style,
    spans: list[tuple[float, float]],
    origin: tuple[float, float],
    unit: float,
    rng: np.random.Generator,
) -> Float32:
    """Draw a box, or the tooth of a comb, for each digit."""
    drawn = np.zeros(shape, np.uint8)
    thick, dark = max(1, round(unit * rng.uniform(0.015, 0.1))), int(255 * rng.uniform(0.3, 1))
    top, foot = origin[1] - unit * rng.uniform(0.1, 0.3), origin[1] + unit * rng.uniform(1.08, 1.3)
    comb, joined = rng.random() < 0.3, rng.random() < 0.7
    for begin, end in spans:
        for cell in range(round((end - begin) / style.pitch) + 1):
            x = origin[0] + (begin - 0.1 + cell * style.pitch) * unit
            low = foot - unit * (0.5 if comb else 1.5) if comb else top
            cv2.line(drawn, (round(x), round(low)), (round(x), round(foot)), dark, thick, cv2.LINE_AA)
            if not joined and cell:
                other = x - unit * 0.12
                cv2.line(drawn, (round(other), round(low)), (round(other), round(foot)), dark, thick, cv2.LINE_AA)
        ends = (
            round(origin[0] + (begin - 0.1) * unit),
            round(origin[0] + (begin - 0.1 + round((end - begin) / style.pitch) * style.pitch) * unit),
        )
        for y in (foot,) if comb else (top, foot):
            cv2.line(drawn, (ends[0], round(y)), (ends[1], round(y)), dark, thick, cv2.LINE_AA)
    return (drawn / np.float32(255)).astype(np.float32)


def _draw_frame(
    shape: tuple[int, ...],
    spans: list[tuple[float, float]],
    origin: tuple[float, float],
    unit: float,
    rng: np.random.Generator,
) -> Float32:
    """Draw a frame or a circle around a part of the line."""
    drawn = np.zeros(shape, np.uint8)
    begin, end = spans[int(rng.integers(len(spans)))]
    thick, dark = max(1, round(unit * rng.uniform(0.02, 0.1))), int(255 * rng.uniform(0.4, 1))
    x0, x1 = origin[0] + (begin - 0.25) * unit, origin[0] + (end + 0.25) * unit
    y0, y1 = origin[1] - 0.2 * unit, origin[1] + 1.2 * unit
    if rng.random() < 0.6:
        cv2.rectangle(drawn, (round(x0), round(y0)), (round(x1), round(y1)), dark, thick, cv2.LINE_AA)
    else:
        centre, axes = (round((x0 + x1) / 2), round((y0 + y1) / 2)), (round((x1 - x0) * 0.62), round((y1 - y0) * 0.6))
        cv2.ellipse(drawn, centre, axes, 0, 0, 360, dark, thick, cv2.LINE_AA)
    return (drawn / np.float32(255)).astype(np.float32)


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHJKLMNPQRTUVWXYZ"


def _spell(rng: np.random.Generator) -> str:
    """Return some letters as a label or a unit has them."""
    text = "".join(rng.choice(list(_LETTERS), int(rng.choice([1, 2, 2, 3, 4, 5, 7]))))
    return text + str(rng.choice(["", "", ":", "."]))


def choose_mine(held_out: Bools) -> Int64:
    """Return the rows of those digits whose writers may be learned from."""
    return np.flatnonzero(~held_out)
