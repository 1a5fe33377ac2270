"""A line read as a whole: what the columns of its views spell together, and where each sign of it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64, Int32
from lenet.decoding.alignments import find_texts, place_labels, score_texts
from lenet.decoding.formats import SYMBOLS
from lenet.decoding.graph import Automaton
from lenet.network.spec import LINE_LABELS

# So many texts of each view are compared; so many of all views together are told.
_FOLLOWED, _TOLD = 8, 24
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class SpelledLine:
    """What the views of a line say: texts as they would be answered with their probability, the likeliest first.

    `written` has for each text the likeliest labels, all signs among them, that say it. `fits` is how much of what the
    line may say is allowed.
    """

    texts: dict[str, float]
    written: dict[str, tuple[int, ...]]
    fits: float = 1.0


def spell_line(views: list[Float64], allowed: Automaton | None = None) -> SpelledLine:
    """Find what views of a line say, log-probabilities (w, k) of columns each: the mean of theirs is a text's own.

    Without a format a text is the digits of what is written; with one it is what the format allows, and its probability
    is among those.
    """
    own = _adapt(allowed) if allowed else None
    found = {text: None for view in views for text in find_texts(view, _FOLLOWED, own)}
    if not found:
        return SpelledLine({}, {}, 0.0)
    texts = list(found)
    scores = np.mean([score_texts(view, texts) for view in views], axis=0)
    said: dict[str, float] = {}
    written: dict[str, tuple[int, ...]] = {}
    for row in np.argsort(-scores, kind="stable").tolist():
        text = "".join(LINE_LABELS[label] for label in texts[row])
        answer = text if allowed else "".join(sign for sign in text if sign in _DIGITS)
        said[answer] = said.get(answer, 0.0) + float(np.exp(scores[row]))
        written.setdefault(answer, texts[row])
    ranked = sorted(said.items(), key=lambda each: -each[1])[:_TOLD]
    fits = 1.0
    if allowed:
        free = list({text: None for view in views for text in find_texts(view, 1)})
        best = float(np.mean([score_texts(view, free) for view in views], axis=0).max())
        fits = float(np.exp(min(0.0, float(scores.max()) - best)))
        every = sum(said.values())
        ranked = [(text, chance / every) for text, chance in ranked if every > 0]
    return SpelledLine(dict(ranked), {text: written[text] for text, _p in ranked}, fits)


def _adapt(allowed: Automaton) -> Automaton:
    """Return a format's automaton for the labels of a line network in place of `SYMBOLS`."""
    transitions = np.full((len(allowed.transitions), len(LINE_LABELS)), -1, np.int32)
    for column, sign in enumerate(SYMBOLS):
        transitions[:, LINE_LABELS.index(sign)] = allowed.transitions[:, column]
    return Automaton(transitions, allowed.accepting)


def place_text(view: Float64, labels: tuple[int, ...], text: str) -> Int32:
    """Return from which column to which (n, 2) each sign of a text stands, that labels with signs left out say.

    Raises ValueError when the view has too few columns for the labels.
    """
    spans = place_labels(view, labels)
    kept, place = [], 0
    for row, label in enumerate(labels):
        if place < len(text) and LINE_LABELS[label] == text[place]:
            kept.append(row)
            place += 1
    return spans[kept]
