"""Who reads the lines of a page: the reader that is enough, the other in doubt; what is asked for is scored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from lenet.answers.letters import doubt_letter
from lenet.answers.line import (
    WEIGHED,
    CutLine,
    PlacedLine,
    Readers,
    calibrate_line,
    list_texts,
    read_cut_line,
    read_line,
    read_whole_line,
)
from lenet.answers.whole_line import SeenLines, WholeLine, join_cells
from lenet.arrays import Bools, Float64
from lenet.decoding.graph import Automaton
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import Network
from lenet.engine.lines import LineNetwork
from lenet.engine.tta import score_once, score_with_tta
from lenet.network.probabilities import log_probabilities
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import PageInk, find_writing
from lenet.segmentation.candidates import PageCandidates, outline_numbers
from lenet.segmentation.glyphs import make_line_glyphs

# A page's only line may be one digit if it has at most so many pieces: its cuts are asked first, and alone if they say
# one so surely. Of 3,867 such lines two readers say another text of 14, and are right never (docs/log.md).
_FEW, _SURE_OF_ONE = 6, 0.95
# The first view of a longer line is asked alone if its likeliest text is this likely: of 1,861 such lines two
# readers say another text of 31; they are right 14 times, the first view is 19 times (docs/log.md).
_SURE_OF_LINE = 0.8
# That more than a few pieces of ink say nothing is so likely that their cuts are not asked: of 497 lines so sure of it
# two readers say something right of 6, each one digit.
_SURELY_SILENT = 0.98
# So likely a text is not looked at on its head: of 100 turned numbers 61 are read without such a look, 64 with it, 65
# if every text is looked at.
_UPRIGHT = 0.97


def is_enough(first: SpelledLine) -> bool:
    """Return whether the first view of a line is asked alone, by what it spells."""
    return first.likeliest > _SURE_OF_LINE and len(first.text) > 1


def is_one_digit(text: str, confidence: float) -> bool:
    """Return whether the cuts of a short line are asked alone, by what they say and how sure that is."""
    return len(text) == 1 and confidence > _SURE_OF_ONE


class ScoredCandidates:
    """A page's candidates, of which a line's are made into glyphs and scored when they are asked for.

    `probabilities` (m, k) of those that nobody asked for are 0, their glyphs blank; `augmented` (m,) are those that
    were looked at in several ways.
    """

    def __init__(self, candidates: PageCandidates, ink: Ink, network: Network) -> None:
        self.candidates, self._ink, self._network = candidates, ink, network
        count = len(candidates.lattice.arcs)
        self.probabilities: Float64 = np.zeros((count, network.net.outputs))
        self.augmented: Bools = np.zeros(count, bool)
        self._lines: dict[int, PageCandidates] = {}

    def look(self, line: int, *, again: bool = False) -> PageCandidates:
        """Return the candidates with those of a line scored, with the steps that this took; doubtful ones `again`."""
        if line not in self._lines or again:
            rows = self.candidates.lattice.find_arcs(line)
            glyphs, changes = make_line_glyphs(self._ink, self.candidates.lattice, rows)
            self.candidates.glyphs[rows] = glyphs
            score = score_with_tta if again else score_once
            self.probabilities[rows], self.augmented[rows] = score(self._network, glyphs)
            self._lines[line] = replace(self.candidates, steps=(*self.candidates.steps, *changes))
        return self._lines[line]

    @property
    def looked(self) -> PageCandidates:
        """The candidates with the steps of all lines that were looked at."""
        before = len(self.candidates.steps)
        changes = {step.id: step for each in self._lines.values() for step in each.steps[before:]}
        return replace(self.candidates, steps=(*self.candidates.steps, *changes.values()))


class PageReaders:
    """Reads every line of a page, by its cuts, as a whole, or by both; the second reader in doubt alone if it may."""

    def __init__(
        self,
        page: Page,
        writing: PageInk,
        scored: ScoredCandidates,
        network: Network,
        readers: Readers,
        allowed: Automaton | None = None,
        best: int = 0,
        *,
        thorough: bool = False,
    ) -> None:
        self._page, self._writing, self._scored, self._network = page, writing, scored, network
        self._readers, self._allowed, self._best, self._thorough = readers, allowed, best, thorough
        self._by_line: dict[int, WholeLine] = {}
        self.again = False

    @cached_property
    def _seen(self) -> SeenLines:
        lattice = self._scored.candidates.lattice
        return SeenLines(self._page, self._writing, lattice, self._network.lines, self._allowed)

    @property
    def whole(self) -> list[WholeLine]:
        """The lines that were read as a whole, by the views that all lines are read by."""
        return list(self._by_line.values())

    def read(self) -> list[PlacedLine]:
        """Return what every line says; notes the lines that were read as a whole."""
        lattice = self._scored.candidates.lattice
        found: dict[int, PlacedLine] = {}
        for line, (first, past) in enumerate(lattice.lines.tolist()):
            few = len(lattice.lines) == 1 and past - first <= _FEW and not self._allowed and not self._thorough
            single = self._read_single(line) if self._readers == "both" and few else None
            if single:
                found[line] = single
        others = [line for line in range(len(lattice.lines)) if line not in found]
        for line, whole in zip(others, self._read_whole(others), strict=True):
            found[line] = self._read_line(line, whole)
        said = [found[line] for line in range(len(lattice.lines))]
        may_doubt = self._readers == "both" and self._allowed is None
        if not may_doubt:
            return said
        return [doubt_letter(each, self._network, partial(self._spell, line)) for line, each in enumerate(said)]

    def _spell(self, line: int) -> SpelledLine | None:
        """Return what a line spells as a whole, by one view unless it was asked for more."""
        whole = self._by_line.get(line) or self._seen.read(line, views=1)
        return None if whole is None else whole.spelled

    def _read_single(self, line: int) -> PlacedLine | None:
        """Return what a line's cuts say, if that is surely one digit."""
        placed, _arcs = read_cut_line(self._cut(line), self._network, None, self._best)
        return placed if is_one_digit(placed.decoded.text, placed.decoded.confidence) else None

    def _read_whole(self, lines: list[int]) -> list[WholeLine | None]:
        """Return lines as they are read as a whole, by as many views as are asked of all."""
        if self._readers == "cut":
            return [None] * len(lines)
        views = 1 if self._readers == "both" and not self._thorough else 2
        whole = join_cells([self._seen.read(line, views=views) for line in lines])
        self._by_line = {line: each for line, each in zip(lines, whole, strict=True) if each}
        return whole

    def _read_line(self, line: int, whole: WholeLine | None) -> PlacedLine:
        if whole is None:
            placed, arcs = read_cut_line(self._cut(line, again=True), self._network, self._allowed, self._best)
            self.again |= bool(self._scored.augmented[arcs].any())
            return placed
        if self._readers == "line" or (not self._thorough and self._is_enough(line, whole)):
            bare = CutLine(self._scored.candidates, line, self._scored.probabilities, np.zeros(0))
            alone = read_whole_line(whole, bare, self._allowed, self._best)
            if self._readers == "line" or not alone.left_out:
                return alone
        both = self._seen.read(line, whole)
        assert both is not None
        placed, _arcs = read_line(self._cut(line), self._network, both, self._allowed, self._best)
        if not placed.symbols:  # that a line says nothing is surer by several looks
            placed, _arcs = read_line(self._cut(line, again=True), self._network, both, self._allowed, self._best)
        return placed

    def _is_enough(self, line: int, whole: WholeLine) -> bool:
        """Return whether the first view of a line is asked alone; one that may be on its head is in doubt."""
        said = whole.spelled
        if said.text:
            upright = self._allowed is not None or said.likeliest >= _UPRIGHT
            return is_enough(said) and (upright or not whole.may_be_turned())
        first, past = self._scored.candidates.lattice.lines[line].tolist()
        return past - first > _FEW and said.likeliest > _SURELY_SILENT

    def _cut(self, line: int, *, again: bool = False) -> CutLine:
        arc_scorer = self._network.weights.arc_scorer
        assert arc_scorer is not None
        candidates = self._scored.look(line, again=again)
        return CutLine(candidates, line, log_probabilities(self._scored.probabilities), arc_scorer)


@dataclass(frozen=True)
class ComparedLine:
    """What is said of a line: by its cuts, texts with their probability; by its first view as a whole; by all views."""

    cut: dict[str, float]
    first: SpelledLine
    whole: SpelledLine


def compare_readers(page: Page, network: Network, lines: LineNetwork) -> list[ComparedLine]:
    """Return what each reader says of the lines of a page; lines too long to be read as a whole are left out."""
    assert network.weights.arc_scorer is not None
    writing = find_writing(page)
    scored = ScoredCandidates(outline_numbers(writing), writing.ink, network)
    seen = SeenLines(page, writing, scored.candidates.lattice, lines)
    found = []
    for line in range(len(scored.candidates.lattice.lines)):
        first = seen.read(line, views=1)
        whole = seen.read(line, first)
        if first is None or whole is None:
            continue
        candidates = scored.look(line)
        log_probs = log_probabilities(scored.probabilities)
        cut = CutLine(candidates, line, log_probs, network.weights.arc_scorer).decode(None, WEIGHED)
        texts = list_texts(calibrate_line(cut.decoded, cut.features, network))
        found.append(ComparedLine(texts, first.spelled, whole.spelled))
    return found
