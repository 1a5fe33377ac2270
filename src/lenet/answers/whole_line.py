"""Read lines as a whole: a line's strips, the columns of the line network, the texts they spell, and their places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lenet.arrays import Bools, Float64, Int32, Uint8
from lenet.decoding.alignments import place_labels, score_texts
from lenet.decoding.graph import Automaton
from lenet.decoding.spacing import SPACE_FEATURES, find_spaces, measure_rooms, weigh_rooms
from lenet.decoding.whole_lines import SpelledLine, place_text, spell_line
from lenet.engine.lines import LineNetwork
from lenet.network.inputs import LINE_HEIGHT
from lenet.network.probabilities import log_odds, log_probabilities, probabilities
from lenet.network.spec import LINE_LABELS, NOT_A_DIGIT, PASSED_OVER, SPACE
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import PageInk
from lenet.result import Box
from lenet.segmentation.lattice import Lattice
from lenet.segmentation.line_strips import VIEWS, LineStrip, StripCutter, find_dividers

# A text that is likelier than this is worth another look, whatever else is said.
_LIKELY = 0.5
# How likely ruled lines are sides of a table's cells, in nats: for each of CELL_SIGNS, and without any. Fitted on
# tables, boxes and squared paper by hands that are learned from (benchmarks/fit_cell_sides.py).
CELL_SIGNS, CELL_SIDES = ("ends", "width"), np.array([0.43, 1.97, -4.41])
# Numbers that are by so many nats likelier to end there are no surer.
_MOST_ENDS = 10.0
# A page's only line, of so many signs or more of which so many, as a share, have a cell each, is one number in boxes if
# the cells are narrower, in heights of a strip: of 299 such numbers the widest cells have 1.8, of 40 rows of tables the
# narrowest 2.5.
_FEWEST_BOXES, _IN_BOXES, _WIDEST_BOX = 3, 0.7, 2.2


@dataclass(frozen=True)
class SeenSign:
    """A sign of a line read as a whole: its label, the probability of it in its column, its box.

    It stands about the pixel `middle` of a strip.
    """

    label: str
    confidence: float
    runner_up: tuple[str, float]
    box: Box
    strip: LineStrip
    middle: float

    @property
    def glyph(self) -> Uint8:
        """What is seen there as a glyph (28, 28)."""
        return self.strip.cut_glyph(self.middle)


@dataclass(frozen=True)
class WholeLine:
    """A line read as a whole: what its views spell, the views' strips and log-probabilities (w, k) by column.

    `dividers` (n,) are the columns of the first strip, in pixels, at which a ruled line parts cells. Where it is
    `boxed` there are none: its lines are the boxes of one number's digits. `network` read it.
    """

    network: LineNetwork
    spelled: SpelledLine
    strips: list[LineStrip]
    views: list[Float64]
    scale: float
    size: tuple[int, int]
    dividers: Float64
    boxed: bool = False

    def place(self, text: str) -> list[SeenSign]:
        """Return the signs of a text, without its spaces, where the first view has them; none: it has no room."""
        spans = self._find_spans(text)
        if spans is None:
            return []
        middles = self._find_middles(spans)
        sides = self._find_sides(middles)
        return [self._see(sign, *each) for sign, *each in zip(text, spans, middles, sides, strict=True)]

    def weigh_spaces(self, text: str) -> Float64:
        """Return SPACE_FEATURES (n - 1, 8) of the places between n signs without spaces; (0, 8) without room for them.

        They are where the first view has them.
        """
        spans = self._find_spans(text)
        if spans is None:
            return np.zeros((0, len(SPACE_FEATURES)))
        rooms = measure_rooms(self.strips[0].strip, self._find_middles(spans))
        return weigh_rooms(rooms, self.views[0], spans, text)

    def find_divided(self, text: str) -> Bools:
        """Return at which of the places (n - 1,) between n signs without spaces a ruled line parts cells."""
        spans = self._find_spans(text) if len(self.dividers) else None
        if spans is None:
            return np.zeros(max(0, len(text) - 1), bool)
        cells = np.searchsorted(self.dividers, self._find_middles(spans))
        return cells[1:] != cells[:-1]

    def measure_cells(self, text: str) -> float:
        """Return how far the signs of a cell are from those of the next one that has any, on average.

        Each cell's stand at their mean; in heights of a strip. 0: no line parts them.
        """
        spans, divided = self._find_spans(text), self.find_divided(text)
        if spans is None or not divided.any():
            return 0.0
        cells = np.split(self._find_middles(spans), np.flatnonzero(divided) + 1)
        return float(np.diff([cell.mean() for cell in cells]).mean() / LINE_HEIGHT)

    @cached_property
    def _spans(self) -> dict[str, Int32 | None]:
        return {}

    def _find_spans(self, text: str) -> Int32 | None:
        """Return the columns (n, 2) of the first view where signs of a text stand, found once; None without room."""
        if text not in self._spans:
            try:
                self._spans[text] = place_text(self.views[0], self._find_labels(text), text)
            except ValueError:
                self._spans[text] = None
        return self._spans[text]

    def _find_middles(self, spans: Int32) -> Float64:
        return spans.mean(axis=1) * (self.strips[0].strip.shape[1] / len(self.views[0]))

    def _find_labels(self, text: str) -> tuple[int, ...]:
        """Return the labels that say a text, or one that has the same digits and signs; spaces count nothing."""
        for known, labels in self.spelled.written.items():
            if known.replace(SPACE, "") == text.replace(SPACE, ""):
                return labels
        return tuple(map(LINE_LABELS.index, text))

    def find_passed_over(self, text: str) -> tuple[Box, ...]:
        """Return the boxes of what is passed over where the line says a text."""
        labels = self._find_labels(text)
        passed = [row for row, label in enumerate(labels) if LINE_LABELS[label] == PASSED_OVER]
        try:
            spans = place_labels(self.views[0], labels)[passed] if passed else ()
        except ValueError:
            return ()
        pixels = self.strips[0].strip.shape[1] / len(self.views[0])
        return tuple(self._find_box(*(float(side) * pixels for side in span)) for span in spans)

    def _find_box(self, left: float, right: float) -> Box:
        """Return the box in the picture of a part of the first strip, from and to these of its pixels."""
        strip = self.strips[0]
        x0, x1 = (strip.left + side * strip.scale for side in (left, right))
        y0 = strip.top + strip.rise * (x0 + x1) / 2
        corners = np.array([x0, y0, x1, y0 + LINE_HEIGHT * strip.scale]) * self.scale
        x0, y0, x1, y1 = np.clip(np.rint(corners), 0, np.tile(self.size, 2)).astype(int).tolist()
        return x0, y0, x1, y1

    @cached_property
    def turned(self) -> float:
        """How likely the likeliest text is that the first view says on its head, not counting that it says nothing."""
        turned = _score_columns(self.network, np.ascontiguousarray(self.strips[0].strip[::-1, ::-1]))
        return max((chance for text, chance in spell_line([turned]).texts.items() if text), default=0.0)

    def may_be_turned(self) -> bool:
        """Return whether the first view, on its head, spells a likelier text than it does upright, or a likely one."""
        upright = self.spelled if len(self.views) == 1 else spell_line([self.views[0]])
        return self.turned > min(upright.likeliest, _LIKELY)

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
        probs = np.exp(self.views[0][span[0] : span[1]]).max(axis=0)
        label = LINE_LABELS.index(sign)
        others = np.where(np.arange(len(probs)) == label, -1.0, probs)[:NOT_A_DIGIT]
        second = int(others.argmax())
        runner_up = (LINE_LABELS[second], float(max(0.0, others[second])))
        return SeenSign(sign, float(probs[label]), runner_up, self._find_box(*sides), self.strips[0], middle)


class SeenLines:
    """The lines of a page, each read as a whole when it is asked for, by as many views as are asked for."""

    def __init__(
        self, page: Page, writing: PageInk, lattice: Lattice, network: LineNetwork, allowed: Automaton | None = None
    ) -> None:
        self._page, self._writing, self._lattice = page, writing, lattice
        self._network, self._allowed = network, allowed

    @cached_property
    def _cutter(self) -> StripCutter:
        return StripCutter(self._page, self._writing, self._lattice)

    def read(self, line: int, known: WholeLine | None = None, views: int = len(VIEWS)) -> WholeLine | None:
        """Read a line by its first views, those `known` already taken over; None for one that is too long for that."""
        seen = [] if known is None else known.strips
        strips = [*seen, *self._cutter.cut(line, VIEWS[len(seen) : views])]
        if not strips:
            return None
        scores = [] if known is None else known.views
        scores = [*scores, *(_score_columns(self._network, strip.strip) for strip in strips[len(seen) :])]
        dividers = self._find_dividers(line, strips[0]) if known is None else known.dividers
        spelled = spell_line(scores, self._allowed)
        boxed = known is not None and known.boxed
        return WholeLine(self._network, spelled, strips, scores, self._page.scale, self._page.size, dividers, boxed)

    def _find_dividers(self, line: int, strip: LineStrip) -> Float64:
        """Return where ruled lines part the cells of a line, in pixels of a strip of it."""
        columns = find_dividers(self._writing, self._lattice, line) * self._writing.scale + self._writing.origin[0]
        return (columns / self._page.scale - strip.left) / strip.scale


def read_whole_lines(
    page: Page, writing: PageInk, lattice: Lattice, network: LineNetwork, allowed: Automaton | None = None
) -> list[WholeLine | None]:
    """Read every line of a page as a whole; None for one that is too long for that."""
    seen = SeenLines(page, writing, lattice, network, allowed)
    return join_cells([seen.read(line) for line in range(len(lattice.lines))])


def _score_columns(network: LineNetwork, strip: Uint8) -> Float64:
    """Return the log-probabilities (w, k) of a strip (32, W), column by column."""
    return log_probabilities(probabilities(network.column_scores(strip[None])[0], network.weights.temperature))


def join_cells(lines: list[WholeLine | None]) -> list[WholeLine | None]:
    """Return the lines of a page without their cells, unless its lines are likelier those of a table than squares."""
    boxed = len(lines) == 1 and lines[0] is not None and is_boxed(lines[0])
    signs = [found for line in lines if line and (found := find_cell_signs(line)) is not None]
    if signs and not boxed and np.mean(signs, axis=0) @ CELL_SIDES[:-1] + CELL_SIDES[-1] > 0:
        return lines
    return [None if line is None else replace(line, dividers=np.zeros(0), boxed=boxed) for line in lines]


def is_boxed(line: WholeLine) -> bool:
    """Return whether nearly each sign of a line has a cell of its own, as narrow as boxes for digits are."""
    text = line.spelled.text.replace(SPACE, "")
    if len(text) < _FEWEST_BOXES:
        return False
    in_boxes = float(line.find_divided(text).mean()) >= _IN_BOXES
    return in_boxes and line.measure_cells(text) < _WIDEST_BOX


def find_cell_signs(line: WholeLine) -> Float64 | None:
    """Return CELL_SIGNS (2,): whether what parts a line are sides of a table's cells; None for one that does not tell.

    By how many nats numbers are likelier to end there than elsewhere, and the heights of a strip from cell to cell.
    Cells are wide, and people leave room where they go on in another; on squared paper they write as if no lines were
    there. One sign a cell may be one number in boxes.
    """
    text = line.spelled.text.replace(SPACE, "")
    divided, features = line.find_divided(text), line.weigh_spaces(text)
    if not divided.any() or divided.all() or len(features) != len(divided):
        return None
    apart = log_odds(find_spaces(features, line.network.weights.space_weights, text))
    ends = float(np.clip(apart[divided].mean() - apart[~divided].mean(), -_MOST_ENDS, _MOST_ENDS))
    return np.array([ends, line.measure_cells(text)])
