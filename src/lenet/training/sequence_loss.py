"""Numbers to learn as a whole: what the candidates of a number should have scored, by the loss of its right text.

This is the paper's global training (section VI): equation 17 goes back through the sums over paths, the arc scorer
and its features to the network's scores of all candidates, right cuts and wrong ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from lenet.arrays import Float32, Float64, Int64, Uint8
from lenet.data.dataset import Dataset
from lenet.decoding.arc_scorer import feature_gradient
from lenet.decoding.features import build_line_graph, log_prob_gradient
from lenet.decoding.formats import SYMBOLS
from lenet.decoding.graph import discriminative_forward, linear_acceptor
from lenet.engine import Network
from lenet.errors import UsageError
from lenet.native.dispatch import count_cores
from lenet.network.inputs import to_input
from lenet.network.probabilities import log_probabilities, probabilities
from lenet.network.spec import NOT_A_DIGIT
from lenet.network.weights import Weights
from lenet.progress import silent
from lenet.segmentation.candidates import find_candidates
from lenet.segmentation.lattice import Lattice
from lenet.training.synthetic.augment import choose_of_one_writer, write_number
from lenet.training.synthetic.compose import Writing, space_out, tile
from lenet.training.synthetic.degrade import degrade

# Numbers have one digit to so many, all lengths alike.
LONGEST = 8
# So many parts of so many pictures are taken, this share of them hard ones.
_PARTS, _PICTURES, _HARD = 440, 64, 0.5
# Hard ones have more digits in styles that MNIST hardly has and more 0s at the end: real amounts have them.
_STYLED, _ROUNDED_OFF = 0.25, 0.2
# Candidates that are pulled less than this by the loss, in all their scores, are not shown.
_LEAST_PULL = 1e-4


@dataclass(frozen=True)
class SeenNumber:
    """A number as the reader saw it: its candidates, without the page, their glyphs (m, 28, 28), and what it says."""

    lattice: Lattice
    glyphs: Uint8
    text: str


class NumberTargets(NamedTuple):
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
class SequenceTraining:
    """Numbers to learn `together`, so many at a time, by the weights that read them, their loss taken `pull` times."""

    every: list[SeenNumber]
    weights: Weights
    together: int
    pull: float

    def lesson(self, network: Network, rng: np.random.Generator, most: int) -> NumberTargets:
        """Draw numbers, and return what the network should learn of those candidates that matter, at most so many."""
        chosen = [self.every[row] for row in rng.choice(len(self.every), self.together)]
        inputs = to_input(np.concatenate([number.glyphs for number in chosen]))
        scores = network.forward(inputs).astype(np.float64)
        ends = np.cumsum([len(number.glyphs) for number in chosen])[:-1]
        found = [
            differentiate_number(number, own, self.weights)
            for number, own in zip(chosen, np.split(scores, ends), strict=True)
        ]
        grad = np.concatenate([one_grad for _loss, one_grad in found])
        pulled = np.abs(grad).max(axis=1)
        moved = np.flatnonzero(pulled > _LEAST_PULL)
        moved = moved[np.argsort(-pulled[moved], kind="stable")[:most]]
        probs = probabilities(scores[moved], 1.0)
        targets = (probs - self.pull * grad[moved]).astype(np.float32)
        apparent = float(-(targets * np.log(np.maximum(probs, 1e-30))).sum())
        excess = apparent - self.pull * sum(loss for loss, _slope in found)
        return NumberTargets(inputs[moved], probs.argmax(axis=1).astype(np.uint8), targets, excess)


def differentiate_number(number: SeenNumber, scores: Float64, weights: Weights) -> tuple[float, Float64]:
    """Return equation 17's loss of a number, in nats, and its gradient in the scores (m, 11) of its candidates.

    The scores are as learned: the reader's weights say how far "not a digit" is lowered, and the temperature. Both are
    0 where no path says the number's text.
    """
    assert weights.arc_scorer is not None
    lowered = scores.copy()
    lowered[:, NOT_A_DIGIT] -= weights.rubbish_lowered_by
    probs = probabilities(lowered, weights.temperature)
    log_probs = log_probabilities(probs)
    graph, arcs, features = build_line_graph(number.lattice, 0, log_probs, weights.arc_scorer)
    loss, grad = discriminative_forward(
        graph, linear_acceptor([SYMBOLS.index(each) for each in number.text], len(SYMBOLS))
    )
    if not np.isfinite(loss):
        return 0.0, np.zeros_like(scores)
    # A penalty is the arc's score with its sign turned.
    by_log = log_prob_gradient(arcs, graph.labels, log_probs, feature_gradient(features, weights.arc_scorer, -grad))
    return loss, (by_log - probs * by_log.sum(axis=1, keepdims=True)) / weights.temperature


def undo_calibration(weights: Weights) -> Weights:
    """Return weights that read numbers as they were before anything was fitted to them, to learn on.

    Raises UsageError for weights that do not read numbers.
    """
    if not weights.reads_numbers:
        raise UsageError(
            f"init {weights.name}", "reads no numbers, so nothing scores their arcs", "choose lenet5-reader"
        )
    bias = weights.tensors["output.bias"].copy()
    bias[NOT_A_DIGIT] += weights.rubbish_lowered_by
    return replace(weights, tensors={**weights.tensors, "output.bias": bias}, card={**weights.card, "calibration": {}})


def picture_number(glyphs: Uint8, labels: Uint8, rng: np.random.Generator, hard: float) -> tuple[Uint8, str]:
    """Return a page with one writer's digits side by side, plain or photographed, and its text.

    The share `hard` of pages is photographed, with more that MNIST hardly has.
    """
    if rng.random() < hard:
        page = degrade(write_number(glyphs, labels, rng, _STYLED, _ROUNDED_OFF), rng)
        return page.grey, page.text
    kind = rng.random()
    if kind < 0.15:
        return _as_page(tile(glyphs, labels))
    if kind < 0.6:
        gaps = rng.integers(-2, 5, len(glyphs) - 1).astype(np.int32)
        return _as_page(space_out(glyphs, labels, gaps, np.zeros(len(glyphs), np.int32)))
    page = degrade(write_number(glyphs, labels, rng), rng)
    return page.grey, page.text


def _as_page(writing: Writing) -> tuple[Uint8, str]:
    return (255 - np.rint(writing.ink * 255)).astype(np.uint8), writing.text


@dataclass(frozen=True)
class _Task:
    seed: int
    glyphs: Uint8
    labels: Uint8


def picture_numbers(
    data: Dataset, writers: Int64, report: Callable[[int, int], None] = silent, parts: int = _PARTS
) -> list[SeenNumber]:
    """Picture numbers by those writers (n,) who are not held out, and look at them as the reader does. Takes minutes.

    Numbers that are seen as nothing or as several lines are left out; the rest are the same for any number of
    processes.
    """
    rng = np.random.default_rng(0x6124)
    mine = np.flatnonzero(~data.held_out)
    tasks = []
    for number in range(parts):
        rows = np.concatenate([choose_of_one_writer(rng, mine, writers, LONGEST) for _picture in range(_PICTURES)])
        tasks.append(_Task(int(rng.integers(2**31)) + number, data.train.glyphs[rows], data.train.labels[rows]))
    found: list[SeenNumber] = []
    with get_context("spawn").Pool(count_cores()) as pool:
        for done, more in enumerate(pool.imap(_picture_task, tasks, chunksize=4), 1):
            found += more
            report(done, len(tasks))
    return found


def _picture_task(task: _Task) -> list[SeenNumber]:
    rng = np.random.default_rng(task.seed)
    found = []
    for picture in range(_PICTURES):
        shown = slice(picture * LONGEST, picture * LONGEST + int(rng.integers(1, LONGEST + 1)))
        page, text = picture_number(task.glyphs[shown], task.labels[shown], rng, _HARD)
        candidates = find_candidates(page)
        if not candidates.unreadable and len(candidates.lattice.lines) == 1:
            lattice = replace(
                candidates.lattice, pieces=np.zeros((0, 0), np.int32)
            )  # a page has more bytes than all else
            found.append(SeenNumber(lattice, candidates.glyphs, text))
    return found
