"""Answers: what reading a picture gives, and what measuring a network gives, as data and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from lenet.arrays import Uint8

Box = tuple[int, int, int, int]
# Why there is no answer: False when there is one; "uncertain" keeps the best guess, the others have no text.
Abstained = Literal[False, "blank", "not a digit", "too small", "too blurred", "uncertain"]


@dataclass(frozen=True)
class RunnerUp:
    """The second best label and its probability."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Digit:
    """One digit: its label, its calibrated probability, and the box x0, y0, x1, y1 in the picture's own pixels.

    `glyph` (28, 28) uint8 is what the network saw; `line` is the number of its line, from 0.
    """

    label: str
    confidence: float
    runner_up: RunnerUp
    line: int
    box: Box
    glyph: Uint8 = field(repr=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return the digit as `lenet read --json` has it."""
        runner_up = {"label": self.runner_up.label, "confidence": self.runner_up.confidence}
        return {
            "label": self.label,
            "confidence": self.confidence,
            "runner_up": runner_up,
            "line": self.line,
            "box": list(self.box),
        }


@dataclass(frozen=True)
class Line:
    """One line of writing: its text, the probability that all of it is right, its box, and the likeliest texts."""

    text: str
    confidence: float
    abstained: Abstained
    box: Box
    likeliest: tuple[tuple[str, float], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the line as `lenet read --json` has it."""
        likeliest = [{"text": text, "confidence": confidence} for text, confidence in self.likeliest]
        return {
            "text": self.text,
            "confidence": self.confidence,
            "abstained": self.abstained,
            "box": list(self.box),
            **({"likeliest": likeliest} if likeliest else {}),
        }


@dataclass(frozen=True)
class Reading:
    """What a picture says: the lines joined by newlines, with an honest confidence and every decision taken.

    `text` is the best guess when `abstained` is "uncertain" and empty for the other reasons.
    """

    text: str
    confidence: float
    abstained: Abstained
    lines: tuple[Line, ...]
    digits: tuple[Digit, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the reading as `lenet read --json` has it, without the path."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "abstained": self.abstained,
            "lines": [line.as_json() for line in self.lines],
            "digits": [digit.as_json() for digit in self.digits],
            "notes": list(self.notes),
        }
