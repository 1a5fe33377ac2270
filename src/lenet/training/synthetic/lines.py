"""Lines to read as lines: what a hand writes on paper, as the strip that a network sees, and the text it should say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Int64, Uint8
from lenet.data.dataset import Digits
from lenet.decoding.letters import LIKE_DIGITS
from lenet.network.inputs import LINE_HEIGHT, standardise_line
from lenet.network.spec import LINE_LABELS, PASSED_OVER, SPACE
from lenet.training.synthetic.displays import draw_display, shows_on_display
from lenet.training.synthetic.fonts import NO_FONTS, Fonts
from lenet.training.synthetic.line_paper import LinePaper
from lenet.training.synthetic.line_picture import picture_line
from lenet.training.synthetic.line_style import LineStyle, Placed, strike_out
from lenet.training.synthetic.line_texts import LinePart, write_digit, write_line_text
from lenet.training.synthetic.line_turned import choose_turn, is_nothing_turned, turn_strip
from lenet.training.synthetic.marks import (
    Mark,
    Pens,
    chain_zeros,
    crop_digit,
    draw_in_style,
    draw_sign,
    print_text,
)
from lenet.training.synthetic.negatives import draw_negative

# A strip is at most so wide, in pixels: a line of 16 digits that are as wide as high.
WIDEST = 512
# How high pages of a line are, in pixels, drawn on a logarithmic scale.
_PAGE_HEIGHTS = (28.0, 90.0)
# Shares of the numbers and of the words that are UNIPEN's own, of words that a hand writes, letter by letter, too.
_WHOLE_NUMBERS, _WHOLE_WORDS, _WRITTEN_WORDS = 0.16, 0.35, 0.7
# Of so many printed lines one is a display's.
_DISPLAYS = 3
# What all fonts that write have; the others of the signs are drawn.
_IN_FONTS = "0123456789.,:/-+=%()$"
# A writer of UNIPEN by name, one of MNIST as rows of digits, or a font.
Hand = str | Int64 | Path
# On their own these letters may be digits or signs; these signs may always be others.
_UNSURE, _LIKE_SIGNS = f"{LIKE_DIGITS}tcC", "|_'`"


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
class LineKind:
    """A kind of line: what it says, what is fixed of its style and of its paper; the rest is drawn.

    Its strip is turned by so many quarters; None: one of some is.
    """

    write: Callable[[np.random.Generator], list[LinePart]] = write_line_text
    style: Mapping[str, Any] = field(default_factory=dict)
    paper: LinePaper | None = None
    turn: int | None = 0


ANY_KIND = LineKind(turn=None)


@dataclass(frozen=True)
class Hands:
    """Whose hands there are: UNIPEN's pens, and MNIST's digits (n) by writer (n,), of which `mine` (m,) may be used."""

    pens: Pens
    digits: Digits
    writers: Int64
    mine: Int64

    def choose_digits(self, rng: np.random.Generator) -> Int64:
        """Return the digits, by row, of one of MNIST's writers, who has the likelier come the more he wrote."""
        return self.mine[self.writers[self.mine] == self.writers[rng.choice(self.mine)]]


@dataclass(frozen=True)
class LineMaker:
    """Makes lines of hands; of none, lines that fonts write.

    `fonts` are those to print with, and those to write with.
    """

    hands: Hands | None
    fonts: Fonts = NO_FONTS

    def make(self, rng: np.random.Generator, kind: LineKind = ANY_KIND) -> MadeLine:
        """Write a line of a kind, take its picture, cut its strip."""
        turn = choose_turn(rng) if kind.turn is None else kind.turn
        kind = (
            replace(kind, turn=turn, write=write_digit) if kind.turn is None and turn % 2 else replace(kind, turn=turn)
        )
        while True:
            line = self._make(kind, rng)
            if line is not None:
                return line

    def _make(self, kind: LineKind, rng: np.random.Generator) -> MadeLine | None:
        parts = kind.write(rng)
        style = replace(LineStyle.draw(rng), **kind.style)
        paper = kind.paper or LinePaper.draw(rng)
        marks, text, cells = self.write(parts, style, rng)
        if kind.turn and not is_nothing_turned(text, kind.turn):
            return None
        strip = picture_line(marks, cells, style, paper, LINE_HEIGHT, rng)
        if strip is None:
            return None
        if kind.turn:
            strip, text = turn_strip(strip, kind.turn), PASSED_OVER
        # A text that has not a column for each label, and one between equal ones, cannot be said.
        needed = len(text) + sum(a == b for a, b in pairwise(text))
        if needed * 2 + 2 > strip.shape[1]:
            return None
        return MadeLine(standardise_line(strip), text)

    def make_page(self, rng: np.random.Generator, parts: list[LinePart] | None = None) -> MadePage:
        """Write a line, of these parts or any, and picture it as a page of any size, dark ink on light paper."""
        while True:
            said = write_line_text(rng) if parts is None else parts
            marks, text, cells = self.write(said, style := LineStyle.draw(rng), rng)
            height = round(float(np.exp(rng.uniform(*np.log(_PAGE_HEIGHTS)))))
            shown = picture_line(marks, cells, style, LinePaper.draw(rng), height, rng)
            if shown is not None:
                return MadePage(np.ascontiguousarray(255 - shown), text)

    def write(
        self, parts: list[LinePart], style: LineStyle, rng: np.random.Generator
    ) -> tuple[list[Placed], str, list[tuple[float, float]]]:
        """Place the marks of a line; return them, its text, and from where to where each number goes.

        Some numbers are a hand's own as a whole: they say something else than was asked for.
        """
        hand = self._choose_hand(style, rng)
        placed: list[Placed] = []
        spans: list[tuple[float, float]] = []
        said = []
        x = 0.0
        for number, part in enumerate(parts):
            if number:
                x += style.choose_room(rng) if part.kind == "unit" else style.choose_space(rng)
            begin = x
            if part.kind in ("word", "unit"):
                word = self._write_unit(part.text, hand, rng) if part.text else self._write_word(hand, rng)
                marks, told = [word], PASSED_OVER
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
        return placed, _join_parts(parts, said), spans

    def _choose_hand(self, style: LineStyle, rng: np.random.Generator) -> Hand:
        """Return a writer of UNIPEN, by name, one of MNIST, as rows of digits, or a font."""
        if self.fonts.written and (style.of_font or self.hands is None):
            return Path(self.fonts.written[style.font % len(self.fonts.written)])
        if self.hands is None:
            raise ValueError("no hands and no fonts to write with")
        if style.of_pixels:
            return self.hands.choose_digits(rng)
        return str(rng.choice(self.hands.pens.writers))

    def _write_word(self, hand: Hand, rng: np.random.Generator) -> Mark:
        kind = rng.random()
        if self.hands is None:
            font = str(hand) if kind < _WRITTEN_WORDS else str(rng.choice(self.fonts.every))
            return print_text(_spell(rng), PASSED_OVER, font, rng)
        pens = self.hands.pens
        if kind < _WHOLE_WORDS:
            return pens.draw_whole(pens.words, PASSED_OVER, rng)
        if kind < _WRITTEN_WORDS:
            count = int(rng.choice([1, 1, 1, 1, 2, 2, 3, 4, 6]))
            unlike = _LIKE_SIGNS + (_UNSURE if count == 1 else "")
            known = [
                each
                for each in pens.rows
                if each not in LINE_LABELS and each not in unlike and (each.isalpha() or rng.random() < 0.3)
            ]
            return self._spell_out([str(rng.choice(known)) for _letter in range(count)], hand, rng)
        if self.fonts.every and rng.random() < 0.6:
            return print_text(_spell(rng), PASSED_OVER, str(rng.choice(self.fonts.every)), rng)
        negative = draw_negative(rng, str(rng.choice(("blot", "scribble", "scribble", "texture"))))
        ink = (np.clip(negative, 0, 1) * 255).astype(np.uint8)
        return Mark(PASSED_OVER, (), ink, (0.0, 0.0, float(ink.shape[1] / ink.shape[0]), 1.0))

    def _write_unit(self, letters: str, hand: Hand, rng: np.random.Generator) -> Mark:
        if isinstance(hand, Path):
            return print_text(letters, PASSED_OVER, str(hand), rng)
        known = self.hands is not None and all(letter in self.hands.pens.rows for letter in letters)
        return self._spell_out(list(letters), hand, rng) if known else self._write_word(hand, rng)

    def _spell_out(self, letters: list[str], hand: Hand, rng: np.random.Generator) -> Mark:
        """Return a word of single letters, by this hand if it has a pen's strokes."""
        assert self.hands is not None
        pens = self.hands.pens
        writer = hand if isinstance(hand, str) else str(rng.choice(pens.writers))
        x, strokes = 0.0, []
        for letter in letters:
            mark = pens.draw(letter, writer, rng)
            strokes += [each + np.array([x, 0], np.float32) for each in mark.strokes]
            x += mark.box[2] + float(rng.uniform(0.0, 0.2))
        return Mark(PASSED_OVER, tuple(strokes), None, (0.0, 0.0, x, 1.0))

    def _write_number(
        self, text: str, hand: Hand, style: LineStyle, rng: np.random.Generator
    ) -> tuple[list[Mark], str]:
        if self.hands and not style.of_pixels and rng.random() < _WHOLE_NUMBERS:
            mark = self.hands.pens.draw_whole(self.hands.pens.numbers, "", rng)
            return [mark], mark.label
        printed = self.fonts.printed
        if style.printed and style.font % _DISPLAYS == 0 and shows_on_display(text):
            return [draw_display(text, rng)], text
        if style.printed and printed:
            return [print_text(text, text, printed[style.font % len(printed)], rng)], text
        marks: list[Mark] = []
        place = 0
        while place < len(text):
            zeros = len(text[place:]) - len(text[place:].lstrip("0"))
            if zeros > 1 and rng.random() < 0.6 and style.chained:
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
        if self.hands is None:
            return draw_sign(character, rng)
        pens, digits = self.hands.pens, self.hands.digits
        if isinstance(hand, str):
            return pens.draw(character, hand, rng)
        if isinstance(hand, Path) or not character.isdigit():
            return pens.draw(character, str(rng.choice(pens.writers)), rng)
        own = hand[digits.labels[hand] == int(character)]
        if not len(own):
            own = self.hands.mine[digits.labels[self.hands.mine] == int(character)]
        return crop_digit(digits, int(rng.choice(own)))


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHJKLMNPQRTUVWXYZ"


def _join_parts(parts: list[LinePart], said: list[str]) -> str:
    """Return what a line says: a space wherever there is room, whatever stands behind it, but before a unit.

    So each sign of it can be told where it stands: in a wide room a network does not see what comes.
    """
    text = ""
    for part, told in zip(parts, said, strict=True):
        close = not text or part.kind == "unit"
        if not (close and text.endswith(PASSED_OVER)):
            text += told if close else SPACE + told
    return text


def _spell(rng: np.random.Generator) -> str:
    """Return some letters as a label or a unit has them."""
    text = "".join(rng.choice(list(_LETTERS), int(rng.choice([1, 2, 2, 3, 4, 5, 7]))))
    return text + str(rng.choice(["", "", ":", "."]))
