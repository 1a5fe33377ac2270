"""Fit what finds the path through a line of characters, and how sure it is, on codes of held-out writers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lenet.arrays import Bools, Float64
from lenet.decoding.arc_scorer import scorer_gradient
from lenet.decoding.characters import (
    CHARACTER_FEATURES,
    build_character_graph,
    decode_characters,
    trust_features,
    weigh_characters,
)
from lenet.decoding.decoder import UNCERTAIN
from lenet.decoding.formats import parse_pattern
from lenet.decoding.graph import discriminative_forward, linear_acceptor
from lenet.engine import Network
from lenet.engine.tta import score_with_tta
from lenet.evaluation.calibration import fit_confidence
from lenet.network.probabilities import log_probabilities
from lenet.network.spec import PRINTABLE
from lenet.network.weights import ARC_SCORER_UNITS, CHARACTER_FEATURE_COUNT, Weights
from lenet.progress import silent
from lenet.segmentation.candidates import PageCandidates, find_candidates
from lenet.training.fit_scorer import draw_scorer, fit_scorer
from lenet.training.synthetic.characters import list_held_writers
from lenet.training.synthetic.codes import CODE_PATTERN, CodeMaker

# Codes that the scorer is fitted on, others that the confidence is, and those of other writers that are counted.
_EXAMPLES, _TRUSTED, _MEASURED = 800, 1_000, 1_000


@dataclass(frozen=True)
class CharacterExample:
    """A code as the reader saw it, the log-probabilities (m, 94) of its candidates, and what it says."""

    candidates: PageCandidates
    log_probs: Float64
    text: str


def picture_codes(
    network: Network, maker: CodeMaker, count: int, seed: int, report: Callable[[int, int], None] = silent
) -> list[CharacterExample]:
    """Draw so many codes and score their candidates; those in which no line is found, or several, are left out."""
    rng = np.random.default_rng([seed, 0xC0DE])
    found = []
    for number in range(count):
        code = maker.make_code(rng)
        candidates = find_candidates(code.page)
        if len(candidates.lattice.lines) == 1:
            log_probs = log_probabilities(score_with_tta(network, candidates.glyphs).probabilities)
            found.append(CharacterExample(candidates, log_probs, code.text))
        report(number + 1, count)
    return found


def fit_characters(weights: Weights, report: Callable[[int, int], None] = silent) -> Weights:
    """Return weights that read lines of characters, and know how surely, by codes of held-out writers.

    Half of the codes are read with their format, half without, to fit the confidence. Raises DataError.
    """
    maker = CodeMaker("train", list_held_writers())
    found = picture_codes(Network(weights), maker, _EXAMPLES, 0, report)
    nothing = np.zeros((CHARACTER_FEATURE_COUNT + 2, 1 + ARC_SCORER_UNITS))
    features = np.concatenate(
        [build_character_graph(each.candidates.lattice, 0, each.log_probs, nothing)[2] for each in found]
    )
    rng = np.random.default_rng(0)
    start = draw_scorer(features, rng, CHARACTER_FEATURES.index("label"))
    scorer, loss = fit_scorer(features, start, len(found), lambda row, scorer: _loss(found[row], scorer), rng)
    others = picture_codes(Network(weights), maker, _TRUSTED, 1, report)
    trust = fit_confidence(*read_codes(others, scorer))
    calibration = {
        **weights.card.get("calibration", {}),
        "character_scorer": scorer.tolist(),
        "character_scorer_fitted_on": f"{len(found):,} codes of held-out writers, {loss:.3f} nats each",
        "character_trust": [float(f"{each:.5g}") for each in trust],
        "character_trust_fitted_on": f"{len(others):,} codes of held-out writers",
    }
    return replace(weights, card={**weights.card, "calibration": calibration})


def measure_codes(weights: Weights) -> dict[str, dict[str, int]]:
    """Count which codes of the writers apart are read right: with their format, and without. Raises DataError."""
    maker = CodeMaker("dev")
    found = picture_codes(Network(weights), maker, _MEASURED, 2)
    scorer = weights.character_scorer
    assert scorer is not None
    told = {}
    for name, allowed in (("with the format", parse_pattern(CODE_PATTERN, PRINTABLE)), ("without", None)):
        right = answered = wrong = signs = 0
        for each in found:
            decoded, _arcs = decode_characters(each.candidates.lattice, 0, each.log_probs, scorer, allowed)
            exact = decoded.text == each.text
            sure = weigh_characters(decoded, weights.character_trust) >= UNCERTAIN
            right, answered, wrong = right + exact, answered + sure, wrong + (sure and not exact)
            signs += sum(one == other for one, other in zip(decoded.text, each.text, strict=False))
        told[name] = {"codes": _MEASURED, "exact": right, "answered": answered, "answered_wrong": wrong, "signs": signs}
    return told


def read_codes(examples: list[CharacterExample], scorer: Float64) -> tuple[Float64, Bools]:
    """Read codes, every other one with its format; return what their confidence is weighed by, (n, 3), and if right."""
    allowed = parse_pattern(CODE_PATTERN, PRINTABLE)
    features, right = [], []
    for row, each in enumerate(examples):
        asked = allowed if row % 2 else None
        decoded, _arcs = decode_characters(each.candidates.lattice, 0, each.log_probs, scorer, asked)
        if decoded.digits:
            features.append(trust_features(decoded))
            right.append(decoded.text == each.text)
    return np.array(features).reshape(-1, 3), np.array(right, bool)


def _loss(example: CharacterExample, scorer: Float64) -> tuple[float, Float64]:
    graph, _arcs, features = build_character_graph(example.candidates.lattice, 0, example.log_probs, scorer)
    wanted = linear_acceptor([PRINTABLE.index(sign) for sign in example.text], len(PRINTABLE))
    loss, grad = discriminative_forward(graph, wanted)
    return loss, scorer_gradient(features, scorer, -grad)
