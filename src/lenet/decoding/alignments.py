"""What the columns of a line spell: the sum over all alignments of a text (section VII; known as CTC today).

A column says a label or nothing, the last of its k scores. A label that goes on from one column to the next is said
once, and said again only after a column of nothing. What each function does in C++, its `reference_` twin says here.
"""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, log1p

import numpy as np

from lenet.arrays import Bools, Float64, Int32, Int64
from lenet.decoding.graph import Automaton
from lenet.native.dispatch import runs_natively

# A label that is less likely in a column than this, as a logarithm, does not go on any text.
_UNLIKELY = -9.0
# A column that says nothing but with this logarithm at most adds no text.
_SILENT = -1e-4


def find_texts(log_probs: Float64, width: int, allowed: Automaton | None = None) -> list[tuple[int, ...]]:
    """Return the likeliest texts of columns (w, k) as labels, likeliest first: a beam of so many, alignments added up.

    With `allowed` a text is one of those that it allows; there may be none.
    """
    if not runs_natively():
        return reference_find_texts(log_probs, width, allowed)
    from lenet.native import _native

    transitions, accepting = (allowed.transitions, allowed.accepting) if allowed else (None, None)
    return [tuple(text) for text in _native.find_texts(log_probs, width, transitions, accepting)]


def reference_find_texts(log_probs: Float64, width: int, allowed: Automaton | None) -> list[tuple[int, ...]]:
    """Say in NumPy what `find_texts` does."""
    nothing = log_probs.shape[1] - 1
    # Each text: the log-probability of its alignments that end with nothing, and with its last label; its state.
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -inf)}
    states: dict[tuple[int, ...], int] = {(): 0}
    likely = log_probs[:, :nothing] > _UNLIKELY
    for column, silent in enumerate(log_probs[:, nothing].tolist()):
        if silent > _SILENT:
            beam = {text: (_add(*both) + silent, -inf) for text, both in beam.items()}
            continue
        said = np.flatnonzero(likely[column]).tolist()
        costs = log_probs[column].tolist()
        found: dict[tuple[int, ...], tuple[float, float]] = {}
        for text, (apart, going) in beam.items():
            every = _add(apart, going)
            ending, staying = found.get(text, (-inf, -inf))
            again = going + costs[text[-1]] if text else -inf
            found[text] = (_add(ending, every + silent), _add(staying, again))
            for label in said:
                longer = (*text, label)
                if allowed is not None and not _go_on(longer, states, allowed):
                    continue
                way = (apart if text and text[-1] == label else every) + costs[label]
                if way == -inf:  # nothing stands between two equal labels yet
                    continue
                ending, staying = found.get(longer, (-inf, -inf))
                found[longer] = (ending, _add(staying, way))
        kept = sorted(found.items(), key=lambda each: -_add(*each[1]))[:width]
        beam = dict(kept)
    texts = sorted(beam, key=lambda text: -_add(*beam[text]))
    return texts if allowed is None else [text for text in texts if allowed.accepting[states[text]]]


def _go_on(text: tuple[int, ...], states: dict[tuple[int, ...], int], allowed: Automaton) -> bool:
    """Note the state that a text leads to; return whether there is one."""
    if text not in states:
        label = text[-1]
        known = label < allowed.transitions.shape[1] and states[text[:-1]] >= 0
        states[text] = int(allowed.transitions[states[text[:-1]], label]) if known else -1
    return states[text] >= 0


def _add(one: float, other: float) -> float:
    """Return the logarithm of the sum of two probabilities given by theirs."""
    most, least = (one, other) if one > other else (other, one)
    return most if least == -inf else most + log1p(exp(least - most))


def score_texts(log_probs: Float64, texts: list[tuple[int, ...]]) -> Float64:
    """Return the log-probability (n,) of each text: the forward sum over all of its alignments to columns (w, k)."""
    if not runs_natively():
        return reference_score_texts(log_probs, texts)
    from lenet.native import _native

    return _native.score_texts(log_probs, texts)


def reference_score_texts(log_probs: Float64, texts: list[tuple[int, ...]]) -> Float64:
    """Say in NumPy what `score_texts` does."""
    labels, skips = _lay_out(texts, log_probs.shape[1] - 1)
    sums = np.full((len(texts), labels.shape[1] + 2), -np.inf)
    sums[:, 2] = log_probs[0, -1]
    sums[:, 3:4] = log_probs[0][labels[:, 1:2]]
    with np.errstate(invalid="ignore"):
        for column in log_probs[1:]:
            stay = np.logaddexp(sums[:, 2:], sums[:, 1:-1])
            sums[:, 2:] = np.logaddexp(stay, np.where(skips, sums[:, :-2], -np.inf)) + column[labels]
    rows, ends = np.arange(len(texts)), 2 + 2 * np.array([len(text) for text in texts])
    last = np.where(ends > 2, sums[rows, ends - 1], -np.inf)  # noqa: PLR2004
    return np.logaddexp(sums[rows, ends], last)


def _lay_out(texts: list[tuple[int, ...]], nothing: int) -> tuple[Int64, Bools]:
    """Return texts as rows of states (n, m), nothing before, between and behind labels; and where one may be skipped.

    At least one label's place is there, so that a text of none is as the others.
    """
    most = max(1, max(map(len, texts), default=0))
    labels = np.full((len(texts), 2 * most + 1), nothing, np.int64)
    for row, text in enumerate(texts):
        labels[row, 1 : 2 * len(text) : 2] = text
    skips = np.zeros(labels.shape, bool)
    skips[:, 2:] = (labels[:, 2:] != nothing) & (labels[:, 2:] != labels[:, :-2])
    return labels, skips


def place_labels(log_probs: Float64, text: tuple[int, ...]) -> Int32:
    """Return from which column to which (n, 2), past the last, each label of a text is said, on its best alignment.

    Raises ValueError when there are fewer columns than the text needs.
    """
    needed = len(text) + sum(one == other for one, other in pairwise(text))
    if needed > len(log_probs):
        raise ValueError(f"{len(log_probs)} columns: expected at least {needed} for {len(text)} labels")
    if not runs_natively():
        return reference_place_labels(log_probs, text)
    from lenet.native import _native

    return _native.place_labels(log_probs, text)


def reference_place_labels(log_probs: Float64, text: tuple[int, ...]) -> Int32:
    """Say in NumPy what `place_labels` does, for a text that there are enough columns for."""
    (labels,), (skips,) = _lay_out([text], log_probs.shape[1] - 1)
    best = np.full(len(labels) + 2, -np.inf)
    best[2:4] = log_probs[0][labels[:2]]
    came = np.zeros((len(log_probs), len(labels)), np.int64)
    for column in range(1, len(log_probs)):
        ways = np.stack([best[2:], best[1:-1], np.where(skips, best[:-2], -np.inf)])
        came[column] = ways.argmax(axis=0)
        best[2:] = ways.max(axis=0) + log_probs[column][labels]
    last = 2 * len(text)
    state = last if not text or best[2 + last] > best[1 + last] else last - 1
    spans = np.zeros((len(text), 2), np.int32)
    spans[:, 0] = len(log_probs)
    for column in range(len(log_probs) - 1, -1, -1):
        if state % 2:
            label = state // 2
            spans[label] = min(int(spans[label, 0]), column), max(int(spans[label, 1]), column + 1)
        state -= int(came[column, state])
    return spans
