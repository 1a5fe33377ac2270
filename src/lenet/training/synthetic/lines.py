"""Lines to read as lines: what a hand writes on paper, as the strip that a network sees, and the text it should say."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from lenet.arrays import Int64, Uint8
from lenet.data.dataset import Digits
from lenet.network.inputs import LINE_HEIGHT, standardise_line
from lenet.network.spec import LINE_LABELS, PASSED_OVER
from lenet.training.synthetic.fonts import NO_FONTS, Fonts
from lenet.training.synthetic.line_picture import picture_line
from lenet.training.synthetic.line_style import LineStyle, Placed, strike_out
from lenet.training.synthetic.line_texts import LinePart, write_line_text
from lenet.training.synthetic.marks import Mark, Pens, chain_zeros, crop_digit, draw_in_style, print_text
from lenet.training.synthetic.negatives import draw_negative

# A strip is at most so wide, in pixels: a line of 16 digits that are as wide as high.
WIDEST = 512
# How high pages of a line are, in pixels, drawn on a logarithmic scale.
_PAGE_HEIGHTS = (28.0, 90.0)
# What all fonts that write have.
_IN_FONTS = "0123456789.,:/-+=%()$"
# A writer of UNIPEN by name, one of MNIST as rows of digits, or a font.
Hand = str | Int64 | Path
# On their own these letters may be digits; these signs may always be others.
_LIKE_DIGITS, _LIKE_SIGNS = "OoDQlIiSsZzBbgq", "|_'`"


@dataclass(frozen=True)
class MadeLine:
    """A line as the network sees it: `strip` (32, W) uint8, by `standardise_line`, and the `text` it should say."""

    strip: Uint8
    text: str


@dataclass(frozen=True)
class MadePage:
    """A page with one line, `grey` (H, W) uint8, and the `text` that a line network should say of it."""

    grey: Uint8
    text: str


@dataclass(frozen=True)
class LineMaker:
    """Makes lines of UNIPEN's pens and of MNIST's digits (n) by writer (n,), of which `mine` (m,) may be used.

    `fonts` are those to print with, and those to write with.
    """

    pens: Pens
    digits: Digits
    writers: Int64
    mine: Int64
    fonts: Fonts = NO_FONTS

    def make(self, rng: np.random.Generator) -> MadeLine:
        """Write a line, take its picture, cut its strip."""
        while True:
            line = self._make(rng)
            if line is not None:
                return line

    def _make(self, rng: np.random.Generator) -> MadeLine | None:
        parts = write_line_text(rng)
        style = LineStyle.draw(rng)
        marks, text, cells = self._write(parts, style, rng)
        strip = picture_line(marks, cells, style, LINE_HEIGHT, rng)
        if strip is None:
            return None
        # A text that has not a column for each label, and one between equal ones, cannot be said.
        needed = len(text) + sum(a == b for a, b in pairwise(text))
        if needed * 2 + 2 > strip.shape[1]:
            return None
        return MadeLine(standardise_line(strip), text)

    def make_page(self, rng: np.random.Generator, parts: list[LinePart] | None = None) -> MadePage:
        """Write a line, of these parts or any, and picture it as a page of any size, dark ink on light paper."""
        while True:
            said = write_line_text(rng) if parts is None else parts
            marks, text, cells = self._write(said, style := LineStyle.draw(rng), rng)
            height = round(float(np.exp(rng.uniform(*np.log(_PAGE_HEIGHTS)))))
            shown = picture_line(marks, cells, style, height, rng)
            if shown is not None:
                return MadePage(np.ascontiguousarray(255 - shown), text)

    def _write(
        self, parts: list[LinePart], style: LineStyle, rng: np.random.Generator
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
                    placed.append((strike_out(x - begin, rng), begin, 0.0))
                    told = PASSED_OVER
            spans.append((begin, x))
            said.append(told)
        text = ""
        for told in said:
            between = " " if text and text[-1] != PASSED_OVER and told != PASSED_OVER else ""
            text += "" if told == PASSED_OVER and text.endswith(PASSED_OVER) else between + told
        return placed, text, spans

    def _choose_hand(self, style: LineStyle, rng: np.random.Generator) -> Hand:
        """Return a writer of UNIPEN, by name, one of MNIST, as rows of digits, or a font."""
        if style.of_font and self.fonts.written:
            return Path(self.fonts.written[style.font % len(self.fonts.written)])
        if style.of_pixels:
            return self.mine[self.writers[self.mine] == self.writers[rng.choice(self.mine)]]
        return str(rng.choice(self.pens.writers))

    def _write_word(self, hand: Hand, rng: np.random.Generator) -> Mark:
        kind = rng.random()
        if kind < 0.35:
            return self.pens.draw_whole(self.pens.words, PASSED_OVER, rng)
        if kind < 0.7:
            count = int(rng.choice([1, 1, 1, 1, 2, 2, 3, 4, 6]))
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
        if self.fonts.every and rng.random() < 0.6:
            return print_text(_spell(rng), PASSED_OVER, str(rng.choice(self.fonts.every)), rng)
        negative = draw_negative(rng, str(rng.choice(("blot", "scribble", "scribble", "texture"))))
        ink = (np.clip(negative, 0, 1) * 255).astype(np.uint8)
        return Mark(PASSED_OVER, (), ink, (0.0, 0.0, float(ink.shape[1] / ink.shape[0]), 1.0))

    def _write_number(
        self, text: str, hand: Hand, style: LineStyle, rng: np.random.Generator
    ) -> tuple[list[Mark], str]:
        if not style.of_pixels and rng.random() < 0.16:
            mark = self.pens.draw_whole(self.pens.numbers, "", rng)
            return [mark], mark.label
        printed = self.fonts.printed
        if style.printed and printed:
            return [print_text(text, text, printed[style.font % len(printed)], rng)], text
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

    def _write_mark(self, character: str, hand: Hand, style: LineStyle, rng: np.random.Generator) -> Mark:
        if character.isdigit() and rng.random() < style.styled:
            drawn = draw_in_style(character, rng)
            if drawn is not None:
                return drawn
        if isinstance(hand, Path) and character in _IN_FONTS:
            return print_text(character, character, str(hand), rng)
        if isinstance(hand, str):
            return self.pens.draw(character, hand, rng)
        if isinstance(hand, Path) or not character.isdigit():
            return self.pens.draw(character, str(rng.choice(self.pens.writers)), rng)
        own = hand[self.digits.labels[hand] == int(character)]
        if not len(own):
            own = self.mine[self.digits.labels[self.mine] == int(character)]
        return crop_digit(self.digits, int(rng.choice(own)))


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHJKLMNPQRTUVWXYZ"


def _spell(rng: np.random.Generator) -> str:
    """Return some letters as a label or a unit has them."""
    text = "".join(rng.choice(list(_LETTERS), int(rng.choice([1, 2, 2, 3, 4, 5, 7]))))
    return text + str(rng.choice(["", "", ":", "."]))
