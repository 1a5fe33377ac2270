"""From scores to answers: the one place where probabilities are made and answers are withheld."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lenet.arrays import Float64, Int32
from lenet.decoding.formats import SYMBOLS
from lenet.decoding.graph import (
    EPSILON,
    Automaton,
    Graph,
    compose,
    forward,
    linear_acceptor,
    posteriors,
    rank_texts,
    text_penalty,
    viterbi,
)
from lenet.network.spec import NOT_A_DIGIT
from lenet.result import Abstained

# Below this probability an answer is only a guess.
UNCERTAIN = 0.5
# Texts less likely than this beside the best one of their length so far are not followed, nor more than so many.
_UNLIKELY, _FOLLOWED = 8.0, 6
# The path of another text than the best path's is looked for up to so many arcs times symbols, about 200 digits.
_MOST_COMPOSED = 2_000_000


@dataclass(frozen=True)
class DecodedDigit:
    """One digit of a line: the graph's arc that says it, its symbol and the next best, with their probabilities."""

    step: int
    symbol: int
    confidence: float
    runner_up: int
    runner_up_confidence: float


@dataclass(frozen=True)
class DecodedLine:
    """A line's best text, the probability that all of it is right, its digits, and the likeliest texts, best first.

    `fits` is how likely all that is allowed is beside all that the line may say in digits, at most 1; the other
    probabilities are among what is allowed.
    """

    text: str
    confidence: float
    digits: tuple[DecodedDigit, ...]
    likeliest: tuple[tuple[str, float], ...]
    fits: float = 1.0


def withhold(confidence: float) -> Abstained:
    """Return why an answer of this probability is withheld, or False."""
    return "uncertain" if confidence < UNCERTAIN else False


def decode(graph: Graph, spans: Int32, allowed: Automaton | None, best: int, signs: str = SYMBOLS) -> DecodedLine:
    """Find the likeliest text of a line's graph; its penalties are minus log-probabilities up to a constant.

    `spans` (arcs, 2) is where each arc begins and ends in the line, in any unit: arcs that share most of their spans
    are of the same place. With `allowed` the text is one of those that it allows, and probabilities are among them;
    there may be none: then the text is empty and its confidence 0. `best` is how many of the likeliest texts to list.
    Labels are places in `signs`.
    """
    open_graph = compose(graph, allowed) if allowed else graph
    least, path = viterbi(open_graph)
    if not np.isfinite(least):
        return DecodedLine("", 0.0, (), (), 0.0)
    every, shares = posteriors(open_graph)
    fits = 1.0
    if allowed:
        fits = float(np.exp(min(0.0, float(forward(_keep_digits(graph) if signs == SYMBOLS else graph)[-1]) - every)))
        path = [int(open_graph.origins[step]) for step in path if open_graph.origins[step] >= 0]
        own = open_graph.origins >= 0
        shares = np.bincount(open_graph.origins[own], shares[own], len(graph.labels)).astype(np.float64)
    text = _text(graph, path, signs)
    confidence = _share_of_paths(open_graph, _labels_of(text, signs), every)
    likeliest = _rank_texts(open_graph, every, max(best, 1), signs)
    small = len(graph.labels) * len(text) <= _MOST_COMPOSED
    if small and likeliest and likeliest[0][1] > confidence and likeliest[0][0] != text:
        # Another text has more in all its segmentations together.
        text, confidence = likeliest[0]
        again = compose(graph, linear_acceptor(_labels_of(text, signs), len(signs)))
        path = [int(again.origins[step]) for step in viterbi(again)[1] if again.origins[step] >= 0]
    digits = tuple(_decode_digit(graph, spans, shares, step, signs) for step in path if graph.labels[step] != EPSILON)
    return DecodedLine(text, min(1.0, confidence), digits, tuple(likeliest[:best]), fits)


def _keep_digits(graph: Graph) -> Graph:
    """Return a graph without the arcs that say separators."""
    return replace(graph, penalties=np.where(graph.labels < NOT_A_DIGIT, graph.penalties, np.inf))


def _text(graph: Graph, path: list[int], signs: str) -> str:
    return "".join(signs[graph.labels[step]] for step in path if graph.labels[step] != EPSILON)


def _labels_of(text: str, signs: str) -> list[int]:
    return [signs.index(character) for character in text]


def _share_of_paths(graph: Graph, text: list[int], every: float) -> float:
    """Return the share of all paths that say this text: exp of minus equation 17."""
    return float(np.exp(min(0.0, every - text_penalty(graph, text))))


def _decode_digit(graph: Graph, spans: Int32, shares: Float64, step: int, signs: str) -> DecodedDigit:
    """Add up, symbol by symbol, the shares of all arcs of the place of this one.

    A sweep's path may have two of them: then the shares are of all that is said there.
    """
    first, past = (int(side) for side in spans[step])
    shared = np.minimum(spans[:, 1], past) - np.maximum(spans[:, 0], first)
    longest = np.maximum(spans[:, 1] - spans[:, 0], past - first)
    same = (graph.labels != EPSILON) & (2 * shared > longest)
    probs = np.bincount(graph.labels[same], shares[same], len(signs)).astype(np.float64)
    probs = probs / max(1.0, float(probs.sum()))
    symbol = int(graph.labels[step])
    confidence = float(probs[symbol])
    probs[symbol] = -1.0
    runner_up = int(probs[: 10 if signs == SYMBOLS else None].argmax())
    return DecodedDigit(step, symbol, confidence, runner_up, float(max(0.0, probs[runner_up])))


def _rank_texts(graph: Graph, every: float, count: int, signs: str) -> list[tuple[str, float]]:
    """Return the likeliest texts and their shares of all paths, which have the forward penalty `every`."""
    ranked = rank_texts(graph, max(_FOLLOWED, 3 * count), _UNLIKELY)[:count]
    return [
        ("".join(signs[label] for label in labels), float(np.exp(min(0.0, every - cost)))) for labels, cost in ranked
    ]
