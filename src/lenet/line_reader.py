"""Read lines as a whole: a line's strips, the columns of the line network, the texts they spell, and their places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64, Int32, Uint8
from lenet.decoding.alignments import score_texts
from lenet.decoding.graph import Automaton
from lenet.decoding.whole_lines import SpelledLine, place_text, spell_line
from lenet.engine.lines import LineNetwork
from lenet.network.inputs import LINE_HEIGHT
from lenet.network.probabilities import log_probabilities, probabilities
from lenet.network.spec import LINE_LABELS
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import PageInk
from lenet.result import Box
from lenet.segmentation.lattice import Lattice
from lenet.segmentation.line_strips import LineStrip, cut_line_strips


@dataclass(frozen=True)
class SeenSign:
    """A sign of a line read as a whole: its label, the probability of it in its column, its box, its glyph (28, 28)."""

    label: str
    confidence: float
    runner_up: tuple[str, float]
    box: Box
    glyph: Uint8


@dataclass(frozen=True)
class WholeLine:
    """A line read as a whole: what its views spell, the views' strips and log-probabilities (w, k) by column."""

    spelled: SpelledLine
    strips: list[LineStrip]
    views: list[Float64]
    scale: float
    size: tuple[int, int]

    def place(self, text: str) -> list[SeenSign]:
        """Return the signs of a text of this line, where the first view has them; none: it has no room for them."""
        labels = self.spelled.written.get(text) or tuple(map(LINE_LABELS.index, text))
        try:
            spans = place_text(self.views[0], labels, text)
        except ValueError:
            return []
        strip = self.strips[0]
        pixels = strip.strip.shape[1] / len(self.views[0])
        middles = spans.mean(axis=1) * pixels
        sides = self._find_sides(middles)
        return [self._see(sign, *each) for sign, *each in zip(text, spans, middles, sides, strict=True)]

    def score_digits(self) -> Float64:
        """Return the log-probability (10,) that the line is this one digit, the mean of its views."""
        return np.mean([score_texts(view, [(digit,) for digit in range(10)]) for view in self.views], axis=0)

    def _find_sides(self, middles: Float64) -> Float64:
        """Return from where to where (n, 2) signs with these middles reach: half the way to the next, at most."""
        half = LINE_HEIGHT / 2
        between = (middles[1:] + middles[:-1]) / 2
        left = np.maximum(middles - half, np.concatenate([[-np.inf], between]))
        right = np.minimum(middles + half, np.concatenate([between, [np.inf]]))
        return np.stack([left, right], axis=1)

    def _see(self, sign: str, span: Int32, middle: float, sides: Float64) -> SeenSign:
        strip = self.strips[0]
        probs = np.exp(self.views[0][span[0] : span[1]]).max(axis=0)
        label = LINE_LABELS.index(sign)
        others = np.where(np.arange(len(probs)) == label, -1.0, probs)[:10]
        second = int(others.argmax())
        x0, x1 = (strip.left + side * strip.scale for side in sides)
        y0 = strip.top + strip.rise * (x0 + x1) / 2
        corners = np.array([x0, y0, x1, y0 + LINE_HEIGHT * strip.scale]) * self.scale
        box = np.clip(np.rint(corners), 0, np.tile(self.size, 2)).astype(int).tolist()
        runner_up = (LINE_LABELS[second], float(max(0.0, others[second])))
        return SeenSign(sign, float(probs[label]), runner_up, (box[0], box[1], box[2], box[3]), strip.cut_glyph(middle))


def read_whole_lines(
    page: Page, writing: PageInk, lattice: Lattice, network: LineNetwork, allowed: Automaton | None = None
) -> list[WholeLine | None]:
    """Read every line of a page as a whole; None for one that is too long for that."""
    found: list[WholeLine | None] = []
    for strips in cut_line_strips(page, writing, lattice):
        if not strips:
            found.append(None)
            continue
        scores = [network.column_scores(strip.strip[None])[0] for strip in strips]
        views = [log_probabilities(probabilities(each, network.weights.temperature)) for each in scores]
        found.append(WholeLine(spell_line(views, allowed), strips, views, page.scale, page.size))
    return found
