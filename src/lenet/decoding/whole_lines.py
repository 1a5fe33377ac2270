"""A line read as a whole: what the columns of its views spell together, and where each sign of it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64, Int32
from lenet.decoding.alignments import find_texts, place_labels, score_texts
from lenet.decoding.graph import Automaton
from lenet.network.spec import LINE_LABELS, NOT_A_DIGIT, PASSED_OVER, SPACE

# So many texts of each view are compared; so many of all views together are told.
_FOLLOWED, _TOLD = 8, 24
_DIGITS = frozenset(LINE_LABELS[:NOT_A_DIGIT])
_SIGNS = LINE_LABELS[NOT_A_DIGIT:]
# A sign that belongs to the number behind it, and one that belongs to that before it, whatever room is between.
_HOLDS = re.compile(r"(?<=[-+=$€£]) (?=\S)|(?<=\S) (?=[+=%$€£])")


@dataclass(frozen=True)
class SpelledLine:
    """What the views of a line say: texts as they would be answered with their probability, the likeliest first.

    Without a format, spaces stand only where something is passed over. `written` has for each text the likeliest
    labels, spaces and what is passed over among them, that say it. `fits` is how much of what the line may say is
    allowed.
    """

    texts: dict[str, float]
    written: dict[str, tuple[int, ...]]
    fits: float = 1.0

    @property
    def text(self) -> str:
        """The likeliest text; "" for a line that says nothing."""
        return next(iter(self.texts), "")

    @property
    def likeliest(self) -> float:
        """How likely the likeliest text is of all that the line may say, allowed or not."""
        return self.texts.get(self.text, 0.0) * min(1.0, self.fits)


def spell_line(views: list[Float64], allowed: Automaton | None = None) -> SpelledLine:
    """Find what views of a line say, log-probabilities (w, k) of columns each: the mean of theirs is a text's own.

    Without a format a text is what is written: numbers with their signs. With one each number is what the format
    allows, signs before and behind it passed over, and its probability is among those.
    """
    own = adapt_format(allowed) if allowed else None
    found = {text: None for view in views for text in find_texts(view, _FOLLOWED)}
    if own:
        found |= {text: None for view in views for text in find_texts(view, _FOLLOWED, own)}
    texts = list(found)
    scores = np.mean([score_texts(view, texts) for view in views], axis=0)
    said: dict[str, float] = {}
    written: dict[str, tuple[int, ...]] = {}
    every = 0.0
    for row in np.argsort(-scores, kind="stable").tolist():
        chance = float(np.exp(scores[row]))
        every += chance
        answer = _find_answer(texts[row], own)
        if answer is not None:
            said[answer] = said.get(answer, 0.0) + chance
            written.setdefault(answer, texts[row])
    ranked = sorted(said.items(), key=lambda each: -each[1])[:_TOLD]
    fits = 1.0
    if own:
        among = sum(said.values())
        ranked = [(text, chance / among) for text, chance in ranked if among > 0]
        fits = among / every if every > 0 else 0.0
    return SpelledLine(dict(ranked), {text: written[text] for text, _p in ranked}, fits)


def _find_answer(labels: tuple[int, ...], own: Automaton | None) -> str | None:
    """Return what labels answer: their numbers, or what a format allows of them; None: it allows nothing of them."""
    if own is None:
        # Where a number ends is found by `spacing`.
        return SPACE.join(split_numbers("".join(LINE_LABELS[label] for label in labels).replace(SPACE, "")))
    numbers = split_numbers("".join(LINE_LABELS[label] for label in labels))
    found = []
    for number in numbers:
        fitting = [each for each in (number, number.strip(_SIGNS)) if _accepts(own, each)]
        if not fitting:
            return None
        found.append(fitting[0])
    return SPACE.join(found) if found else None


def split_numbers(written: str) -> list[str]:
    """Return the numbers of what is written, each with its signs; what has no digit is passed over."""
    text = _HOLDS.sub("", SPACE.join(written.replace(PASSED_OVER, SPACE).split()))
    return [part for part in text.split(SPACE) if not _DIGITS.isdisjoint(part)]


def _accepts(own: Automaton, text: str) -> bool:
    state = 0
    for sign in text:
        state = int(own.transitions[state, LINE_LABELS.index(sign)]) if state >= 0 else -1
    return state >= 0 and bool(own.accepting[state])


def adapt_format(allowed: Automaton) -> Automaton:
    """Return a format's automaton for the labels of a line network, of which `SYMBOLS` are the first.

    Before a number, and behind it, stand spaces and what is passed over, and there may be another. These are said in
    the first state and in the last, so the format's own go one place on.
    """
    count, signs = allowed.transitions.shape
    own = np.where(allowed.transitions < 0, -1, allowed.transitions + 1)
    transitions = np.full((count + 2, len(LINE_LABELS)), -1, np.int32)
    transitions[:, :signs] = np.concatenate([own[:1], own, own[:1]])
    accepting = np.concatenate([allowed.accepting[:1], allowed.accepting, [True]])
    for between in map(LINE_LABELS.index, (SPACE, PASSED_OVER)):
        transitions[accepting, between] = count + 1
        transitions[0, between] = 0
    return Automaton(transitions, accepting)


def place_text(view: Float64, labels: tuple[int, ...], text: str) -> Int32:
    """Return from which column to which (n, 2) each sign of a text without spaces stands, that labels say with others.

    Raises ValueError when the view has too few columns for the labels.
    """
    spans = place_labels(view, labels)
    kept, place = [], 0
    for row, label in enumerate(labels):
        if place < len(text) and LINE_LABELS[label] == text[place]:
            kept.append(row)
            place += 1
    return spans[kept]
