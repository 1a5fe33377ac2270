"""Fit what finds the path through a number: what scores its arcs, and the confidence of the answer.

The loss is the paper's discriminative forward one (equation 17) on pictures of numbers by held-out writers, whose
digits the network never saw: minus the log-probability of the right text, all its segmentations together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lenet.arrays import Bools, Float64, Int64, Uint8
from lenet.data.dataset import Dataset, Digits, number_writers
from lenet.decoding.arc_scorer import scorer_gradient
from lenet.decoding.confidence import CONFIDENCE_FEATURES, calibrate_confidence
from lenet.decoding.features import ARC_FEATURES, build_line_graph
from lenet.decoding.formats import SYMBOLS
from lenet.decoding.graph import discriminative_forward, linear_acceptor
from lenet.decoding.lines import decode_line
from lenet.engine import Network
from lenet.engine.tta import score_with_tta
from lenet.evaluation.calibration import expected_calibration_error, fit_confidence, fit_temperature
from lenet.network.probabilities import log_probabilities, probabilities
from lenet.network.spec import NOT_A_DIGIT
from lenet.network.weights import ARC_FEATURE_COUNT, ARC_SCORER_UNITS, Weights, rename_keys
from lenet.progress import silent
from lenet.segmentation.candidates import PageCandidates, find_candidates
from lenet.training.fit_scorer import draw_scorer, fit_scorer
from lenet.training.sequence_loss import LONGEST, picture_number
from lenet.training.synthetic.compose import Writing
from lenet.training.synthetic.degrade import degrade
from lenet.training.synthetic.hand_glyphs import draw_hand_glyphs
from lenet.training.synthetic.negatives import draw_negative

# This share of the numbers is one digit.
_SINGLE = 0.2
# Numbers that the arc scorer is fitted on, and others that the curve of errors is counted on.
_EXAMPLES, _TRUSTED = 8_000, 5_000
# The share of pictures without a number among those that the confidence is fitted on, and of hard numbers
# among the arc scorer's.
_SCRAPS, _HARD = 0.15, 0.4
# At most this share of the held-out digits may be taken for rubbish.
_LOST = 0.0005
# So many digits and letters of UNIPEN's held-out hands join MNIST's where the network learned from UNIPEN; and the
# share of letters among pictures without a number.
_HAND_DIGITS, _HAND_LETTERS, _LETTERS = 2_400, 1_200, 0.5
# Confidences at which the curve of errors is kept.
_CURVE = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995)


@dataclass(frozen=True)
class HeldOut:
    """What hands wrote that taught the network nothing: digits (n) by writer (n,), and letters (m, 28, 28) or none."""

    digits: Digits
    writers: Int64
    letters: Uint8


def gather_held_out(data: Dataset, *, hands: bool) -> HeldOut:
    """Return the held-out digits of a set of MNIST's writers; with UNIPEN's digits and letters if asked.

    Raises DataError where UNIPEN is asked for and is not there.
    """
    digits, writers = data.train.where(data.held_out), number_writers(data)[data.held_out]
    if not hands:
        return HeldOut(digits, writers, np.zeros((0, *digits.glyphs.shape[1:]), np.uint8))
    more = draw_hand_glyphs(_HAND_DIGITS, _HAND_LETTERS, part="dev")
    glyphs = np.concatenate([digits.glyphs, more.digits.glyphs])
    labels = np.concatenate([digits.labels, more.digits.labels])
    whose = np.concatenate([writers, int(writers.max(initial=-1)) + 1 + more.writers])
    return HeldOut(Digits(glyphs, labels), whose, more.letters)


@dataclass(frozen=True)
class Example:
    """A number as the reader saw it, log-probabilities (m, 11) of its candidates, and what it says."""

    candidates: PageCandidates
    log_probs: Float64
    text: str


def fit_decoder(weights: Weights, held: HeldOut, report: Callable[[int, int], None] = silent) -> Weights:
    """Return weights that find paths through numbers, and how sure they are, by held-out writers' digits.

    The share of rubbish among what a network learned from is not that of the world: the rubbish output is lowered
    until it takes one in 2,000 of the held-out digits, and the temperature is fitted anew.
    """
    lowered, by = _lower_rubbish(weights, held.digits)
    scores = Network(lowered).scores(held.digits.glyphs)
    lowered = replace(lowered, temperature=fit_temperature(scores, held.digits.labels))
    found = picture_examples(Network(lowered), held, _EXAMPLES, 0, report, hard=_HARD)
    arc_scorer, loss = fit_arc_scorer(found)
    calibration = {
        **weights.card["calibration"],
        "expected_calibration_error": expected_calibration_error(
            probabilities(scores, lowered.temperature), held.digits.labels
        ),
        "fitted_on": f"{len(held.digits):,} held-out digits",
        "rubbish_lowered_by": by,
        "digits_lost_to_rubbish": _LOST,
        "arc_scorer": arc_scorer.tolist(),
        "arc_scorer_fitted_on": f"{len(found):,} numbers of held-out writers, {loss:.3f} nats each",
    }
    return fit_answers(replace(lowered, card={**weights.card, "calibration": calibration}), held, report)


def fit_answers(weights: Weights, held: HeldOut, report: Callable[[int, int], None] = silent) -> Weights:
    """Return weights that find paths already, with the confidence of answers and the curve of errors fitted anew."""
    assert weights.arc_scorer is not None
    examples = picture_examples(Network(weights), held, _TRUSTED, 1, report, scraps=_SCRAPS)
    features, right = read_examples(examples, weights.arc_scorer)
    confidence_weights = fit_confidence(features, right)
    honest = np.array([calibrate_confidence(each, confidence_weights) for each in features])
    calibration = {
        **rename_keys(weights.card["calibration"]),
        "confidence_weights": confidence_weights.tolist(),
        "confidence_fitted_on": f"{len(right):,} answers to {len(examples):,} pictures, some without a number",
        "error_curve": count_error_curve(honest, right),
    }
    return replace(weights, card={**weights.card, "calibration": calibration})


def _lower_rubbish(weights: Weights, held: Digits) -> tuple[Weights, float]:
    scores = Network(weights).scores(held.glyphs).astype(np.float64)
    ahead = scores[:, NOT_A_DIGIT] - scores[:, :NOT_A_DIGIT].max(axis=1)
    by = max(0.0, float(np.quantile(ahead, 1 - _LOST)))
    bias = weights.tensors["output.bias"].copy()
    bias[NOT_A_DIGIT] -= by
    return replace(weights, tensors={**weights.tensors, "output.bias": bias}), by


def picture_examples(
    network: Network,
    held: HeldOut,
    count: int,
    seed: int,
    report: Callable[[int, int], None] = silent,
    scraps: float = 0.0,
    hard: float = 0.0,
) -> list[Example]:
    """Picture `count` numbers of 1 to 8 digits, each by one writer, plain or photographed, and score the candidates.

    The share `scraps` of them is letters, blots and the like, which say nothing; the share `hard` of the numbers is
    photographed, with more in it that MNIST hardly has.
    """
    rng = np.random.default_rng([seed, 0xF17])
    digits, writers = held.digits, held.writers
    found = []
    for number in range(count):
        rows = np.flatnonzero(writers == writers[rng.integers(len(writers))])
        rows = rng.choice(rows, 1 if rng.random() < _SINGLE else int(rng.integers(1, LONGEST + 1)))
        if scraps and rng.random() < scraps:
            ink = draw_negative(rng)
            if len(held.letters) and rng.random() < _LETTERS:
                ink = held.letters[rng.integers(len(held.letters))].astype(np.float32) / np.float32(255)
            page, text = degrade(Writing(ink, np.zeros(ink.shape, np.int32), ""), rng).grey, ""
        else:
            page, text = picture_number(digits.glyphs[rows], digits.labels[rows], rng, hard)
        candidates = find_candidates(page)
        log_probs = log_probabilities(score_with_tta(network, candidates.glyphs).probabilities)
        found.append(Example(candidates, log_probs, text))
        report(number + 1, count)
    return found


def fit_arc_scorer(found: list[Example]) -> tuple[Float64, float]:
    """Return the arc scorer that makes the right texts likeliest, and the loss: nats for a number.

    Numbers whose text no path says are left out.
    """
    found = [example for example in found if len(example.candidates.lattice.lines) == 1]
    rng = np.random.default_rng(0)
    nothing = np.zeros((ARC_FEATURE_COUNT + 2, 1 + ARC_SCORER_UNITS))
    features = np.concatenate(
        [build_line_graph(each.candidates.lattice, 0, each.log_probs, nothing)[2] for each in found]
    )
    start = draw_scorer(features, rng, ARC_FEATURES.index("label"), ARC_FEATURES.index("nothing"))
    return fit_scorer(features, start, len(found), lambda row, scorer: _loss(found[row], scorer), rng)


def _loss(example: Example, arc_scorer: Float64) -> tuple[float, Float64]:
    graph, _arcs, features = build_line_graph(example.candidates.lattice, 0, example.log_probs, arc_scorer)
    wanted = linear_acceptor([SYMBOLS.index(character) for character in example.text], len(SYMBOLS))
    loss, grad = discriminative_forward(graph, wanted)
    return loss, scorer_gradient(features, arc_scorer, -grad)


def read_examples(found: list[Example], arc_scorer: Float64) -> tuple[Float64, Bools]:
    """Read the examples; return the confidence features of every line that says something, and which were right (n,).

    The features are (n, CONFIDENCE_FEATURES). A line is right if it is all that the picture says.
    """
    every, right = [], []
    for example in found:
        for number in range(len(example.candidates.lattice.lines)):
            line = decode_line(example.candidates, number, example.log_probs, arc_scorer)
            if line.features is not None:
                every.append(line.features)
                right.append(line.decoded.text == example.text)
    return np.array(every).reshape(-1, len(CONFIDENCE_FEATURES)), np.array(right, bool)


def count_error_curve(confidence: Float64, right: Bools) -> list[tuple[float, float, float]]:
    """Return the curve of errors: (least confidence, share of wrong answers above it, share of numbers answered).

    Half a wrong answer is counted besides: a few right ones do not promise that all will be.
    """
    curve = []
    for least in _CURVE:
        kept = right[confidence >= least]
        if len(kept):
            curve.append((least, float((~kept).sum() + 0.5) / (len(kept) + 1), len(kept) / len(right)))
    return curve
