"""Codes of capitals and digits, each by one hand, on paper: to fit and to measure lines of characters on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Float32, Uint8
from lenet.data.strokes import Part, StrokeKind, load_strokes
from lenet.network.spec import PRINTABLE
from lenet.training.synthetic.characters import Hand, list_hands
from lenet.training.synthetic.marks import draw_stroke

# A code: A stands for any capital, 9 for any digit; and the same as a pattern.
CODE, CODE_PATTERN = "AA9999", r"[A-Z]{2}\d{4}"
# The height of a line in pixels; the space between two signs, the pen, and by how much a sign stands higher or is
# larger (deviations), in heights of the line.
_HEIGHTS, _GAPS, _PENS, _RAISED, _LARGER = (28, 64), (0.12, 0.45), (0.05, 0.13), 0.04, 0.06
# Paper and ink, greys; the deviation of their noise; and the paper around a line, in heights of it.
_PAPER, _INK, _NOISE, _AROUND = (205, 250), (20, 90), 3.0, 0.6


@dataclass(frozen=True)
class Code:
    """A picture of a line, grey (h, w), and what it says."""

    page: Uint8
    text: str


class CodeMaker:
    """Draws lines of the characters that UNIPEN's writers wrote one by one: each line by one of the `writers`."""

    def __init__(self, part: Part, writers: set[str] | None = None) -> None:
        kinds: tuple[StrokeKind, ...] = ("digits", "upper")
        self._sets = {kind: load_strokes(part, kind) for kind in kinds}
        self._hands: dict[str, dict[str, dict[int, list[Hand]]]] = {}
        for hand in list_hands(part):
            if hand.kind in kinds and (writers is None or hand.writer in writers):
                of_writer = self._hands.setdefault(hand.writer, {kind: {} for kind in kinds})
                of_writer[hand.kind].setdefault(hand.label, []).append(hand)
        wrote_both = {who: own for who, own in self._hands.items() if own["digits"] and own["upper"]}
        self.writers = sorted(wrote_both)

    def make_code(self, rng: np.random.Generator, form: str = CODE) -> Code:
        """Draw a code of a form, in which A is any capital and 9 any digit, by any writer: all are as likely."""
        own = self._hands[self.writers[int(rng.integers(len(self.writers)))]]
        kinds: list[StrokeKind] = ["digits" if place == "9" else "upper" for place in form]
        return self._draw([_choose(own[kind], int(rng.choice(sorted(own[kind]))), rng) for kind in kinds], rng)

    def make_word(self, word: str, rng: np.random.Generator) -> Code | None:
        """Draw a word of capitals by any of those who wrote them all; None: nobody did."""
        labels = [PRINTABLE.index(sign) for sign in word]
        able = [who for who in self.writers if set(labels) <= set(self._hands[who]["upper"])]
        if not able:
            return None
        own = self._hands[able[int(rng.integers(len(able)))]]["upper"]
        return self._draw([_choose(own, label, rng) for label in labels], rng)

    def _draw(self, hands: list[Hand], rng: np.random.Generator) -> Code:
        height = float(rng.uniform(*_HEIGHTS))
        wide = max(1, round(height * float(np.exp(rng.uniform(*np.log(_PENS))))))
        around, at = _AROUND * height, _AROUND * height
        placed: list[Float32] = []
        text = ""
        for hand in hands:
            strokes = self._sets[hand.kind].sample(hand.row)
            every = np.concatenate(strokes)
            size = np.maximum(np.ptp(every, axis=0), 1e-3)
            scale = height * float(np.exp(rng.normal(0, _LARGER))) / max(float(size[1]), 0.5 * float(size[0]))
            foot = around + height * (1 + float(rng.normal(0, _RAISED)))
            corner = np.array([at, foot - scale * float(size[1])])
            placed += [((each - every.min(axis=0)) * scale + corner).astype(np.float32) for each in strokes]
            at += scale * float(size[0]) + wide + height * float(rng.uniform(*_GAPS))
            text += str(self._sets[hand.kind].labels[hand.row])
        ink = np.zeros((round(height + 2 * around), round(at + around)), np.uint8)
        for stroke in placed:
            draw_stroke(ink, stroke, wide)
        blurred = cv2.GaussianBlur(ink, (0, 0), max(0.3, 0.012 * height)).astype(np.float32)
        paper, pen = float(rng.uniform(*_PAPER)), float(rng.uniform(*_INK))
        page = paper + (pen - paper) * blurred / 255 + rng.normal(0, _NOISE, ink.shape)
        return Code(np.clip(page, 0, 255).astype(np.uint8), text)


def _choose(of_kind: dict[int, list[Hand]], label: int, rng: np.random.Generator) -> Hand:
    return of_kind[label][int(rng.integers(len(of_kind[label])))]
