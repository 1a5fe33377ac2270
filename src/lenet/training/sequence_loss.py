"""Numbers to learn as a whole: what the candidates of a number should have scored, by the loss of its right text.

This is the paper's global training (section VI): equation 17 goes back through the sums over paths, the judge and the
evidence to the network's scores of all candidates, right cuts and wrong ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from lenet.arrays import Float32, Float64, Int64, Uint8
from lenet.data.dataset import Dataset
from lenet.decoding.arc_scorer import evidence_gradient
from lenet.decoding.features import line_graph, log_gradient
from lenet.decoding.formats import SYMBOLS
from lenet.decoding.graph import discriminative_forward, exactly
from lenet.engine import Network
from lenet.engine.dispatch import cores
from lenet.errors import UsageError
from lenet.network.inputs import to_input
from lenet.network.probabilities import probabilities
from lenet.network.spec import NOT_A_DIGIT
from lenet.network.weights import Weights
from lenet.progress import silent
from lenet.segmentation.candidates import see_number
from lenet.segmentation.lattice import Lattice
from lenet.training.synthetic.augment import of_one_writer, written
from lenet.training.synthetic.compose import Writing, spaced, tiled
from lenet.training.synthetic.degrade import photographed

# Numbers have one digit to so many, all lengths alike.
LONGEST = 8
# So many parts of so many pictures are taken, this share of them hard ones.
_PARTS, _PICTURES, _HARD = 440, 64, 0.5
# Hard ones have more digits in styles that MNIST hardly has and more 0s at the end: real amounts have them.
_STYLED, _ROUNDED_OFF = 0.25, 0.2
# Candidates that are pulled less than this by the loss, in all their scores, are not shown.
_LEAST_PULL = 1e-4


@dataclass(frozen=True)
class Number:
    """A number as the reader saw it: its candidates, without the page, their glyphs (m, 28, 28), and what it says."""

    lattice: Lattice
    glyphs: Uint8
    text: str


class Lesson(NamedTuple):
    """Candidates of some numbers to learn from, beside other patterns.

    They are inputs (n, 1, 32, 32), and the probabilities (n, 11) with which cross-entropy has the gradient of the
    numbers' loss; such a target may lie outside 0 to 1. `labels` (n,) are what the network says now, and `excess` is
    how much more the sum of those cross-entropies is than the loss itself.
    """

    inputs: Float32
    labels: Uint8
    targets: Float32
    excess: float


@dataclass(frozen=True)
class Numbers:
    """Numbers to learn by the judge of weights that read them: `together` at a time, their loss taken `pull` times."""

    every: list[Number]
    judge: Weights
    together: int
    pull: float

    def lesson(self, network: Network, rng: np.random.Generator, most: int) -> Lesson:
        """Draw numbers, and return what the network should learn of those candidates that matter, at most so many."""
        chosen = [self.every[row] for row in rng.choice(len(self.every), self.together)]
        inputs = to_input(np.concatenate([number.glyphs for number in chosen]))
        scores = network.forward(inputs).astype(np.float64)
        ends = np.cumsum([len(number.glyphs) for number in chosen])[:-1]
        found = [whole(number, own, self.judge) for number, own in zip(chosen, np.split(scores, ends), strict=True)]
        slopes = np.concatenate([slope for _loss, slope in found])
        pulled = np.abs(slopes).max(axis=1)
        moved = np.flatnonzero(pulled > _LEAST_PULL)
        moved = moved[np.argsort(-pulled[moved], kind="stable")[:most]]
        chances = probabilities(scores[moved], 1.0)
        targets = (chances - self.pull * slopes[moved]).astype(np.float32)
        apparent = float(-(targets * np.log(np.maximum(chances, 1e-30))).sum())
        excess = apparent - self.pull * sum(loss for loss, _slope in found)
        return Lesson(inputs[moved], chances.argmax(axis=1).astype(np.uint8), targets, excess)


def whole(number: Number, scores: Float64, judge: Weights) -> tuple[float, Float64]:
    """Return equation 17's loss of a number, in nats, and its gradient in the scores (m, 11) of its candidates.

    The scores are as learned: the judge's weights say how far "not a digit" is lowered, and the temperature. Both are 0
    where no path says the number's text.
    """
    assert judge.path is not None
    lowered = scores.copy()
    lowered[:, NOT_A_DIGIT] -= judge.rubbish_lowered_by
    chances = probabilities(lowered, judge.temperature)
    logs = np.log(np.maximum(chances, 1e-12))
    graph, arcs, evidence = line_graph(number.lattice, 0, logs, judge.path)
    loss, slopes = discriminative_forward(graph, exactly([SYMBOLS.index(each) for each in number.text], len(SYMBOLS)))
    if not np.isfinite(loss):
        return 0.0, np.zeros_like(scores)
    # A penalty is the judge's score with its sign turned.
    by_log = log_gradient(arcs, graph.labels, logs, evidence_gradient(evidence, judge.path, -slopes))
    return loss, (by_log - chances * by_log.sum(axis=1, keepdims=True)) / judge.temperature


def as_learned(weights: Weights) -> Weights:
    """Return weights that read numbers as they were before anything was fitted to them, to learn on.

    Raises UsageError for weights that do not read numbers.
    """
    if weights.path is None:
        raise UsageError(f"init {weights.name}", "reads no numbers, so nothing judges them", "choose lenet5-reader")
    bias = weights.tensors["output.bias"].copy()
    bias[NOT_A_DIGIT] += weights.rubbish_lowered_by
    return replace(weights, tensors={**weights.tensors, "output.bias": bias}, card={**weights.card, "calibration": {}})


def pictured(glyphs: Uint8, labels: Uint8, rng: np.random.Generator, hard: float) -> tuple[Uint8, str]:
    """Return a page with one writer's digits side by side, plain or photographed, and its text.

    The share `hard` of pages is photographed, with more that MNIST hardly has.
    """
    if rng.random() < hard:
        page = photographed(written(glyphs, labels, rng, _STYLED, _ROUNDED_OFF), rng)
        return page.grey, page.text
    kind = rng.random()
    if kind < 0.15:
        return _plain(tiled(glyphs, labels))
    if kind < 0.6:
        gaps = rng.integers(-2, 5, len(glyphs) - 1).astype(np.int32)
        return _plain(spaced(glyphs, labels, gaps, np.zeros(len(glyphs), np.int32)))
    page = photographed(written(glyphs, labels, rng), rng)
    return page.grey, page.text


def _plain(writing: Writing) -> tuple[Uint8, str]:
    return (255 - np.rint(writing.ink * 255)).astype(np.uint8), writing.text


@dataclass(frozen=True)
class _Task:
    seed: int
    glyphs: Uint8
    labels: Uint8


def seen_numbers(
    data: Dataset, writers: Int64, report: Callable[[int, int], None] = silent, parts: int = _PARTS
) -> list[Number]:
    """Picture numbers by those writers (n,) who are not held out, and look at them as the reader does. Takes minutes.

    Numbers that are seen as nothing or as several lines are left out; the rest are the same for any number of
    processes.
    """
    rng = np.random.default_rng(0x6124)
    mine = np.flatnonzero(~data.held_out)
    tasks = []
    for number in range(parts):
        rows = np.concatenate([of_one_writer(rng, mine, writers, LONGEST) for _picture in range(_PICTURES)])
        tasks.append(_Task(int(rng.integers(2**31)) + number, data.train.glyphs[rows], data.train.labels[rows]))
    found: list[Number] = []
    with get_context("spawn").Pool(cores()) as pool:
        for done, more in enumerate(pool.imap(_seen, tasks, chunksize=4), 1):
            found += more
            report(done, len(tasks))
    return found


def _seen(task: _Task) -> list[Number]:
    rng = np.random.default_rng(task.seed)
    found = []
    for picture in range(_PICTURES):
        shown = slice(picture * LONGEST, picture * LONGEST + int(rng.integers(1, LONGEST + 1)))
        page, text = pictured(task.glyphs[shown], task.labels[shown], rng, _HARD)
        sight = see_number(page)
        if not sight.unreadable and len(sight.lattice.lines) == 1:
            lattice = replace(sight.lattice, pieces=np.zeros((0, 0), np.int32))  # a page has more bytes than all else
            found.append(Number(lattice, sight.glyphs, text))
    return found
