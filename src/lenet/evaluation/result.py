"""What measuring a network gives, as data and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any

from lenet.arrays import Uint8
from lenet.network.spec import DIGITS
from lenet.result import Abstained, State, describe_state


@dataclass(frozen=True)
class Mistake:
    """One wrong answer: its row in the set, its picture if it has one, the truth, the answer, its probability."""

    row: int
    path: str | None
    label: int
    answer: int
    confidence: float
    glyph: Uint8 = field(repr=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return the mistake as `lenet evaluate --json` has it."""
        found = {"row": self.row, "label": self.label, "answer": self.answer}
        return {**found, "confidence": self.confidence, "path": self.path}


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Errors of a network on a set; `error_rate` and `interval95` (Wilson's) are fractions.

    Labels and answers are places in `signs`. `confusion[i][j]` counts signs i answered j; the last column, and the last
    row if the set has rubbish, are none of them. `mistakes` has the most confident first. `groups` counts (errors, n)
    by kind of writer, or of character, if known.
    """

    model: str
    data: str
    n: int
    errors: int
    interval95: tuple[float, float]
    confusion: tuple[tuple[int, ...], ...]
    calibration_error: float
    mistakes: tuple[Mistake, ...]
    groups: dict[str, tuple[int, int]]
    signs: str = DIGITS

    def __repr__(self) -> str:
        wrong = f"{self.errors} errors of {self.n}, {100 * self.error_rate:.2f} %"
        return f"Evaluation({self.model!r} on {self.data!r}: {wrong})"

    def _repr_html_(self) -> str:
        """Show the errors, and which digits were taken for which, in a notebook."""
        html: str = import_module("lenet.drawing.show").draw_evaluation_html(self)
        return html

    @property
    def error_rate(self) -> float:
        """The share of wrong answers, a fraction."""
        return self.errors / self.n

    def as_json(self) -> dict[str, Any]:
        """Return the evaluation as `lenet evaluate --json` has it."""
        return {
            "model": self.model,
            "data": self.data,
            "n": self.n,
            "errors": self.errors,
            "error_rate": self.error_rate,
            "interval95": list(self.interval95),
            "confusion": [list(row) for row in self.confusion],
            "expected_calibration_error": self.calibration_error,
            "groups": {name: {"errors": errors, "n": n} for name, (errors, n) in self.groups.items()},
            "worst": [mistake.as_json() for mistake in self.mistakes],
        }

    def find_shared(self, others: list[Evaluation]) -> tuple[Mistake, ...]:
        """Return the mistakes whose glyphs all the other networks, measured on the same set, get wrong as well."""
        theirs = [{mistake.row for mistake in each.mistakes} for each in others]
        return tuple(mistake for mistake in self.mistakes if all(mistake.row in rows for rows in theirs))


@dataclass(frozen=True)
class Misread:
    """One number whose best text is wrong: its picture, its label, what was answered or guessed, how sure that was."""

    path: str
    label: str
    text: str
    guess: str
    confidence: float
    abstained: Abstained

    @property
    def best_text(self) -> str:
        """The answer, or the guess where there is none."""
        return self.text or self.guess

    @property
    def state(self) -> State:
        """`abstained` as a plain word."""
        return describe_state(self.abstained)

    def as_json(self) -> dict[str, Any]:
        """Return the mistake as `lenet evaluate --json` has it."""
        return {**asdict(self), "state": self.state}


@dataclass(frozen=True)
class NumbersEvaluation:
    """Errors of a network on pictures of numbers; `error_rate` and `interval95` (Wilson's) are of best texts.

    A picture's best text is its answer, or its guess where there is none; it is right if it equals the label. Labels of
    digits alone, `by_digits` of them, are compared with the digits of the text; labels with signs exactly. A picture
    that is labelled "none" has no text. `answered`, `answered_wrong` and `withheld` are counted on answers alone.
    `digit_errors` are edit distances added up, out of `digits`. `curve` is (share of pictures, share of their best
    texts that are wrong), the surest first. `unreadable` pictures, each with the reason, are not counted.
    """

    model: str
    data: str
    strings: int
    string_errors: int
    interval95: tuple[float, float]
    answered: int
    answered_wrong: int
    by_digits: int
    digits: int
    digit_errors: int
    calibration_error: float
    curve: tuple[tuple[float, float], ...]
    mistakes: tuple[Misread, ...]
    unreadable: tuple[tuple[str, str], ...]

    @property
    def error_rate(self) -> float:
        """The share of numbers whose best text is wrong, a fraction."""
        return self.string_errors / self.strings

    @property
    def answered_right(self) -> int:
        """How many answers are right."""
        return self.answered - self.answered_wrong

    @property
    def withheld(self) -> int:
        """How many pictures have no answer."""
        return self.strings - self.answered

    def as_json(self) -> dict[str, Any]:
        """Return the evaluation as `lenet evaluate --json` has it."""
        return {
            "model": self.model,
            "data": self.data,
            "n": self.strings,
            "errors": self.string_errors,
            "error_rate": self.error_rate,
            "interval95": list(self.interval95),
            "strings": self.strings,
            "string_errors": self.string_errors,
            "right": self.answered_right,
            "wrong": self.answered_wrong,
            "withheld": self.withheld,
            "abstained": self.withheld,
            "compared_by_digits": self.by_digits,
            "digits": self.digits,
            "digit_errors": self.digit_errors,
            "expected_calibration_error": self.calibration_error,
            "curve": [{"coverage": coverage, "error_rate": error} for coverage, error in self.curve],
            "worst": [mistake.as_json() for mistake in self.mistakes],
            "unreadable": [{"path": path, "error": error} for path, error in self.unreadable],
        }
