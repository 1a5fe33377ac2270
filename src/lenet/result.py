"""What reading a picture gives, as data and as JSON: an answer where there is one, and a guess where it is withheld."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from lenet.arrays import Uint8
from lenet.steps import Step

if TYPE_CHECKING:
    from PIL import Image

    from lenet.preprocessing.sources import PictureSource, PlainSource

Box = tuple[int, int, int, int]
# Why there is no answer: False when there is one; "uncertain" has a guess, the others have none.
Abstained = Literal[False, "blank", "not a digit", "too small", "too blurred", "uncertain"]
# The same as one plain word or two.
State = Literal["read", "blank", "not a number", "too small", "too blurred", "uncertain"]
# What stands in a text for a line that is withheld while another is answered.
WITHHELD = "?"
# The step that says where something was passed over.
PASSED_STEP = "letters-passed-over"


def _shows() -> Any:
    """Return what shows results, which stands above them all: only who asks for a picture imports it."""
    return import_module("lenet.drawing.show")


def describe_state(abstained: Abstained) -> State:
    """Return an abstention, or that there is none, as a plain word."""
    if abstained == "not a digit":
        return "not a number"
    return abstained or "read"


@dataclass(frozen=True)
class RunnerUp:
    """The second best label and its probability."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Digit:
    """One digit: its label, its calibrated probability, and the box x0, y0, x1, y1 in the picture's own pixels.

    `glyph` (28, 28) uint8 is what the network saw; `line` is the number of its line, from 0. If it is `answered` it is
    of an answer, else of a guess. `arc` is the number of its candidate on the page, or of its column; -1: not known.
    """

    label: str
    confidence: float
    runner_up: RunnerUp
    line: int
    box: Box
    glyph: Uint8 = field(repr=False, compare=False)
    answered: bool = True
    arc: int = field(default=-1, repr=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return the digit as `lenet read --json` has it."""
        runner_up = {"label": self.runner_up.label, "confidence": self.runner_up.confidence}
        return {
            "label": self.label,
            "confidence": self.confidence,
            "runner_up": runner_up,
            "line": self.line,
            "box": list(self.box),
            "answered": self.answered,
        }


@dataclass(frozen=True)
class Sign:
    """A point, a comma, a dash and the like: as `Digit`, which it is none of."""

    label: str
    confidence: float
    line: int
    box: Box
    answered: bool = True
    arc: int = field(default=-1, repr=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return the sign as `lenet read --json` has it."""
        return {
            "label": self.label,
            "confidence": self.confidence,
            "line": self.line,
            "box": list(self.box),
            "answered": self.answered,
        }


@dataclass(frozen=True)
class Number:
    """One number: `text` is an answer or empty, `guess` the likeliest text of what is withheld or empty.

    `confidence` is the probability that all of the text, or of the guess, is right.
    """

    text: str
    guess: str
    confidence: float
    abstained: Abstained
    box: Box
    line: int

    def __bool__(self) -> bool:
        """Whether it is answered."""
        return bool(self.text)

    def _repr_html_(self) -> str:
        """Show the answer, or the guess, and how sure it is in a notebook."""
        said = f"<b>{escape(self.text)}</b>" if self.text else f"{self.state}: perhaps {escape(self.guess)}"
        return f"{said} <small>{min(100 * self.confidence, 99.99):.2f} %</small>"

    @property
    def state(self) -> State:
        """`abstained` as a plain word: "read" for an answer."""
        return describe_state(self.abstained)

    def as_json(self) -> dict[str, Any]:
        """Return the number as `lenet read --json` has it."""
        return {
            **_answer_json(self),
            "box": list(self.box),
            "line": self.line,
        }


@dataclass(frozen=True)
class Line:
    """One line of writing: its numbers joined by spaces, an answer in `text`, and its likeliest texts.

    A number that is withheld stands in `text` as "?" while another is answered. `confidence` is the probability that
    all that is answered is right; `digits_confidence` that the digits of all numbers are, answered or not, whatever
    signs and spaces stand among them.
    """

    text: str
    guess: str
    confidence: float
    abstained: Abstained
    box: Box
    likeliest: tuple[tuple[str, float], ...] = ()
    digits_confidence: float = 0.0

    @property
    def state(self) -> State:
        """`abstained` as a plain word: "read" for an answer."""
        return describe_state(self.abstained)

    def as_json(self) -> dict[str, Any]:
        """Return the line as `lenet read --json` has it."""
        likeliest: list[dict[str, Any]] = [{"text": text, "confidence": sure} for text, sure in self.likeliest]
        return {
            **_answer_json(self),
            "digits_confidence": self.digits_confidence,
            "box": list(self.box),
            **({"likeliest": likeliest} if likeliest else {}),
        }


@dataclass(frozen=True, repr=False)
class Reading:
    """What a picture says: an answer, and only an answer, in `text`; what is not answered in `guess`.

    `text` joins the numbers of a line by spaces and the lines by newlines; a number, or a line, that is withheld stands
    in it as "?" while another is answered.
    `abstained` has a reason only if nothing is answered: then `text` is empty. `confidence` is the probability that all
    that is answered is right; of what is withheld as a whole it is the guess's. `steps` are what was done to the
    picture, `notes` their sentences. `path` is the picture's name, and `source` what was read, if they are known.
    """

    text: str
    guess: str
    confidence: float
    abstained: Abstained
    lines: tuple[Line, ...] = ()
    numbers: tuple[Number, ...] = ()
    digits: tuple[Digit, ...] = ()
    signs: tuple[Sign, ...] = ()
    steps: tuple[Step, ...] = ()
    path: str | None = field(default=None, compare=False)
    source: PlainSource | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        said = repr(self.text) if self.text else f"{self.state}, guess {self.guess!r}" if self.guess else self.state
        where = "" if self.path is None else f", path={self.path!r}"
        return f"Reading({said}, confidence={self.confidence:.4f}{where})"

    def _repr_html_(self) -> str:
        """Show the picture, the answer and each digit in a notebook."""
        html: str = _shows().draw_reading_html(self)
        return html

    def annotated(self, picture: PictureSource | None = None) -> Image.Image:
        """Return the picture that was read, as a Pillow image, with boxes and answers drawn on it.

        `picture` is needed only where the reading does not know it: after `read_many` of what has no path. Raises
        UsageError then, and PictureError when the picture cannot be decoded any more.
        """
        drawn: Image.Image = _shows().annotate_reading(self, picture)
        return drawn

    def __bool__(self) -> bool:
        """Whether anything is answered: a blank picture, and one that gives a guess alone, are false."""
        return bool(self.text)

    @property
    def state(self) -> State:
        """`abstained` as a plain word: "read" if anything is answered."""
        return describe_state(self.abstained)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the picture, a sentence a step."""
        return tuple(step.text for step in self.steps)

    @property
    def passed_over(self) -> tuple[Box, ...]:
        """The boxes of letters and the like that were passed over."""
        told = [str(step.values["boxes"]) for step in self.steps if step.id == PASSED_STEP]
        return tuple(_read_box(box) for boxes in told for box in boxes.split(";"))

    @property
    def digits_confidence(self) -> float:
        """The probability that the digits of `best_text` are right, whatever signs and spaces stand among them."""
        return prod((line.digits_confidence for line in self.lines), start=1.0) if self.lines else self.confidence

    @property
    def best_text(self) -> str:
        """The likeliest text of every number, answered or not: what is compared with a label."""
        best = [
            " ".join(number.text or number.guess for number in self.numbers if number.line == row)
            or (line.text or line.guess)
            for row, line in enumerate(self.lines)
        ]
        return "\n".join(best)

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as `lenet read --json` has it: what json.dumps takes, and a row of a data frame."""
        return {"path": self.path, **self.as_json()}

    def as_json(self) -> dict[str, Any]:
        """Return the reading as `lenet read --json` has it, without the path."""
        return {
            **_answer_json(self),
            "digits_confidence": self.digits_confidence,
            "lines": [line.as_json() for line in self.lines],
            "numbers": [number.as_json() for number in self.numbers],
            "digits": [digit.as_json() for digit in self.digits],
            "signs": [sign.as_json() for sign in self.signs],
            "notes": list(self.notes),
            "steps": [step.as_json() for step in self.steps],
        }


def note_passed_over(boxes: Iterable[Box]) -> list[Step]:
    """Return the step that says where letters and the like were passed over, if any were."""
    every = ["/".join(map(str, box)) for box in boxes]
    return [Step(PASSED_STEP, {"places": len(every), "boxes": ";".join(every)})] if every else []


def _read_box(text: str) -> Box:
    x0, y0, x1, y1 = map(int, text.split("/"))
    return x0, y0, x1, y1


def join_texts(texts: Iterable[str], between: str = "\n") -> str:
    """Join texts of lines or of numbers; what is withheld, an empty one, is "?" unless all are: then nothing is."""
    every = tuple(texts)
    return between.join(text or WITHHELD for text in every) if any(every) else ""


def _answer_json(said: Number | Line | Reading) -> dict[str, Any]:
    """Return what every answer has as JSON, of a number, a line or a picture."""
    return {
        "text": said.text,
        "guess": said.guess,
        "confidence": said.confidence,
        "abstained": said.abstained,
        "state": said.state,
    }
