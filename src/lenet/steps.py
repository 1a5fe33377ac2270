"""What was done to a picture: typed steps, each with an identifier, a category, values with units, and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

# Where a step belongs: to the file, the page as a whole, its ink, a digit as the network sees it, or the answer.
Category = Literal["file", "page", "ink", "glyph", "answer"]
Values = dict[str, int | float | str]


@dataclass(frozen=True)
class Kind:
    """A kind of step: its category, its sentence by the step's values, and whether it is `notable`.

    A notable step may change what a person thinks of the answer: something was passed over, or the picture is unusual.
    """

    category: Category
    sentence: Callable[[Values], str]
    notable: bool = False


def _say(words: str) -> Callable[[Values], str]:
    return lambda values: words.format(**values)


def _count(key: str, one: str, rest: str, many: str = "") -> Callable[[Values], str]:
    """Return a sentence that begins with a number of things: "3 specks dropped"."""
    return lambda values: f"{values[key]} {one if values[key] == 1 else many or one + 's'} {rest}"


# Every kind of step by its identifier. A value's unit is the end of its name, or the thing that is counted.
KINDS: dict[str, Kind] = {
    "first-frame": Kind("file", _say("first of {frames} frames"), notable=True),
    "exif-rotated": Kind("file", _say("turned as its EXIF data say")),
    "values-scaled": Kind("file", _say("values up to {highest:g} taken as 0 to {full:g}")),
    "values-stretched": Kind("file", _say("values {lowest:g} to {highest:g} stretched to 0 to 255")),
    "backdrop-laid": Kind("file", _say("transparent: laid over {backdrop}")),
    "reduced": Kind(
        "file",
        _say("reduced from {from_width_pixels}x{from_height_pixels} to {width_pixels}x{height_pixels}"),
    ),
    "turned": Kind("page", _say("turned to the left by {degrees} degrees to be read"), notable=True),
    "colour-contrast": Kind("page", _say("ink told from paper by its colour"), notable=True),
    "table-removed": Kind("page", _say("table around the paper laid over"), notable=True),
    "shadow-removed": Kind("page", _say("shadow taken out"), notable=True),
    "black-print-dropped": Kind("page", _say("black print passed over: the pen has a colour"), notable=True),
    "coloured-print-dropped": Kind("page", _say("coloured print passed over: the pen is black"), notable=True),
    "light-ink": Kind("ink", _say("light ink on dark paper"), notable=True),
    "uneven-light-removed": Kind("ink", _say("uneven light of {grey_levels} grey levels removed")),
    "ruled-lines-removed": Kind("ink", _count("lines", "ruled line", "removed")),
    "frames-dropped": Kind("ink", _count("frames", "frame or paper edge", "dropped", "frame or paper edge")),
    "boxes-dropped": Kind("ink", _count("boxes", "empty box", "dropped", "empty boxes")),
    "rings-dropped": Kind("ink", _count("rings", "circle", "around writing dropped")),
    "specks-dropped": Kind("ink", _count("specks", "speck", "dropped")),
    "stains-dropped": Kind("ink", _count("stains", "stain", "dropped"), notable=True),
    "ink-left-out": Kind("ink", _say("too much ink to read: {parts} of {all_parts} parts left out"), notable=True),
    "strokes-thickened": Kind(
        "glyph", _say("strokes thickened from {from_pixels:.1f} to {to_pixels:.1f} pixels of 20")
    ),
    "strokes-thinned": Kind("glyph", _say("strokes thinned from {from_pixels:.1f} to {to_pixels:.1f} pixels of 20")),
    "augmented": Kind("answer", _say("doubtful: turned, slanted and scaled looks count too")),
    "corrections-placed": Kind(
        "answer", _count("digits", "digit", "above what may be struck out guessed to be in its place"), notable=True
    ),
    "letters-passed-over": Kind(
        "answer", _count("places", "letter, word or mark", "passed over", "letters, words or marks"), notable=True
    ),
    "like-letters": Kind("answer", _say("may be a letter, not a digit: {letters}"), notable=True),
    "format-unlikely": Kind("answer", _say("what is written hardly fits the format"), notable=True),
    "error-out-of-reach": Kind(
        "answer",
        _say("withheld: even the surest answers of {weights} are wrong in {percent_wrong:.2f} %"),
        notable=True,
    ),
}


@dataclass(frozen=True)
class Step:
    """One step: the identifier of its kind, and its values by name."""

    id: str
    values: Values = field(default_factory=dict)

    @property
    def category(self) -> Category:
        """Where the step belongs."""
        return KINDS[self.id].category

    @property
    def text(self) -> str:
        """The step as a sentence."""
        return KINDS[self.id].sentence(self.values)

    @property
    def notable(self) -> bool:
        """Whether the step may change what a person thinks of the answer."""
        return KINDS[self.id].notable

    def as_json(self) -> dict[str, Any]:
        """Return the step as `lenet read --json` has it."""
        return {"id": self.id, "category": self.category, "text": self.text, "values": dict(self.values)}
