"""The readable truth of a line's loss: the forward sum over all alignments of a text, and its gradient, in NumPy.

A column says a label or nothing, the last of its k scores. A text's states are its labels with nothing before, between
and behind them; an alignment goes on by one state, by none, or past a nothing that stands between two labels that
differ. Section VII of the paper; known as CTC today. The native engine has the same steps in the same order.
"""

from __future__ import annotations

import numpy as np

from lenet.arrays import Floats, Int32


def text_loss(scores: Floats, text: Int32) -> tuple[float, Floats]:
    """Return the loss of a text (m,) on scores (w, k), and its gradient (w, k).

    The loss is minus the logarithm of the sum over all alignments, divided by m + 1; both are 0 without any alignment.
    """
    k = scores.shape[1]
    labels = np.full(2 * len(text) + 1, k - 1)
    labels[1::2] = text
    apart = np.zeros(len(labels), bool)  # whether the state before it may be left out
    apart[2:] = (labels[2:] != k - 1) & (labels[2:] != labels[:-2])
    largest = scores.max(axis=1, keepdims=True)
    log_probs = scores - largest - np.log(np.exp(scores - largest).sum(axis=1, keepdims=True))
    said = log_probs[:, labels].astype(np.float64)
    forward = _sum_forward(said, apart)
    # Backwards a line is read from its end: the states and the columns turned round.
    turned = np.zeros(len(labels), bool)
    turned[2:] = apart[2:][::-1]
    backward = _sum_forward(said[::-1, ::-1], turned)[::-1, ::-1] - said
    last = forward[-1, -2:] if len(text) else forward[-1, -1:]
    total = np.logaddexp.reduce(last)
    if np.isneginf(total):
        return 0.0, np.zeros_like(scores)
    shares = np.exp(forward + backward - total)
    gradient = np.exp(log_probs)
    for state, label in enumerate(labels):
        gradient[:, label] -= shares[:, state]
    return float(-total / (len(text) + 1)), gradient / (len(text) + 1)


def _sum_forward(said: Floats, apart: Floats) -> Floats:
    """Return the logarithm of all ways to each state at each column (w, states)."""
    sums = np.full(said.shape, -np.inf)
    sums[0, :2] = said[0, :2]
    with np.errstate(invalid="ignore"):
        for column in range(1, len(said)):
            before = sums[column - 1]
            ways = np.logaddexp(before, np.concatenate([[-np.inf], before[:-1]]))
            past = np.where(apart, np.concatenate([[-np.inf, -np.inf], before])[: len(before)], -np.inf)
            sums[column] = np.logaddexp(ways, past) + said[column]
    return sums
