"""A sheet of made lines, a row for each kind: what the line network learns from, to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from lenet.arrays import Uint8
from lenet.network.inputs import LINE_HEIGHT
from lenet.training.synthetic.line_paper import LinePaper
from lenet.training.synthetic.line_texts import LinePart, write_number_text
from lenet.training.synthetic.lines import ANY_KIND, LineKind, LineMaker, MadeLine

# Samples in a row, and the pixels of a sample's place, of the name before a row and of the text below a strip.
_SAMPLES, _WIDE, _NAME, _TEXT, _EDGE = 6, 240, 170, 18, 6
_PLAIN = LinePaper(blurred=True)
# Nothing that would hide what a kind is about.
_EVEN: Mapping[str, object] = {"pitch": 0.0, "printed": False, "of_font": False, "styled": 0.0, "wide": 1.0}


def _say(*texts: str) -> Callable[[np.random.Generator], list[LinePart]]:
    """Return what draws one of these texts, as one number."""
    return lambda rng: [LinePart("number", str(rng.choice(texts)))]


def _write(*kinds: str) -> Callable[[np.random.Generator], list[LinePart]]:
    """Return what writes parts of these kinds, short numbers among them."""

    def write(rng: np.random.Generator) -> list[LinePart]:
        return [LinePart(kind, "" if kind == "word" else str(rng.integers(10, 9999))) for kind in kinds]  # type: ignore[arg-type]

    return write


def _number(rng: np.random.Generator) -> list[LinePart]:
    return [LinePart("number", write_number_text(rng))]


def _measure(rng: np.random.Generator) -> list[LinePart]:
    return [LinePart("number", str(rng.integers(1, 999))), LinePart("unit", str(rng.choice(["kg", "cm", "h", "m"])))]


_SHORT = _say("1998", "47306", "8205", "90210", "3146")
KINDS: dict[str, LineKind] = {
    "digits": LineKind(_SHORT, _EVEN, _PLAIN),
    "amounts": LineKind(_say("1.250,-", "$98.50", "30.000=", "1,234.56", "4.700.-", "12/-"), _EVEN, _PLAIN),
    "dates, times, signs": LineKind(_say("3/11/98", "17:45", "-12%", "(3+4)", "9/20", "2-0=2"), _EVEN, _PLAIN),
    "touching": LineKind(_SHORT, {**_EVEN, "gap": -0.08, "ligatures": 0.6}, _PLAIN),
    "far apart": LineKind(_say("146", "90", "3307"), {**_EVEN, "gap": 1.1}, _PLAIN),
    "uneven": LineKind(_SHORT, {**_EVEN, "uneven": True, "wobble": 0.12, "rise": 0.05}, _PLAIN),
    "wide and narrow": LineKind(_SHORT, {**_EVEN, "wide": 1.5}, _PLAIN),
    "slanted": LineKind(_SHORT, {**_EVEN, "shear": 0.55}, _PLAIN),
    "chains of zeros": LineKind(_say("5000", "1.000", "20000", "700"), {**_EVEN, "chained": True}, _PLAIN),
    "drawn styles": LineKind(_say("12475", "90129", "4571"), {**_EVEN, "styled": 1.0}, _PLAIN),
    "print": LineKind(_number, {**_EVEN, "printed": True, "font": 1}, _PLAIN),
    "displays": LineKind(_say("1208", "45.7", "12:36", "-8.5", "90653"), {**_EVEN, "printed": True, "font": 0}, _PLAIN),
    "several numbers": LineKind(_write("number", "number", "number"), _EVEN, _PLAIN),
    "words beside": LineKind(_write("word", "number"), _EVEN, _PLAIN),
    "units behind": LineKind(_measure, _EVEN, _PLAIN),
    "struck out": LineKind(_write("struck", "number"), _EVEN, _PLAIN),
    "letters alone": LineKind(_write("word"), _EVEN, _PLAIN),
    "on their heads": LineKind(_say("347", "74", "4703", "3"), _EVEN, _PLAIN, 2),
    "on their sides": LineKind(_say("2", "4", "7", "3"), _EVEN, _PLAIN, 1),
    "boxes and combs": LineKind(_SHORT, {**_EVEN, "pitch": 1.2}, _PLAIN),
    "framed": LineKind(_SHORT, _EVEN, LinePaper(framed=True, blurred=True)),
    "ruled": LineKind(_SHORT, _EVEN, LinePaper(ruled=True, blurred=True)),
    "specks, worn pens": LineKind(_SHORT, _EVEN, LinePaper(specked=True, worn=True, blurred=True)),
    "security paper": LineKind(_SHORT, _EVEN, LinePaper(patterned=True, blurred=True)),
    "light and shadow": LineKind(_SHORT, _EVEN, LinePaper(lit=True, shadowed=True, noisy=True, blurred=True)),
    "black and white": LineKind(_SHORT, _EVEN, LinePaper(black=True)),
    "few pixels, JPEG": LineKind(_SHORT, _EVEN, LinePaper(coarse=True, compressed=True)),
    "anything": ANY_KIND,
}


def draw_sheet(maker: LineMaker, seed: int = 0, samples: int = _SAMPLES) -> Uint8:
    """Return a sheet of samples, a row for each of `KINDS`: grey (H, W), dark ink, each with the text it should say."""
    high = LINE_HEIGHT + _TEXT + 2 * _EDGE
    sheet = np.full((high * len(KINDS), _NAME + samples * _WIDE), 255, np.uint8)
    for row, (name, kind) in enumerate(KINDS.items()):
        rng = np.random.default_rng([seed, row])
        _put_text(sheet, name, _EDGE, row * high + _EDGE + LINE_HEIGHT // 2 + 5)
        for place in range(samples):
            line = _make_narrow(maker, kind, rng)
            x, y = _NAME + place * _WIDE, row * high + _EDGE
            sheet[y : y + LINE_HEIGHT, x : x + line.strip.shape[1]] = 255 - line.strip
            _put_text(sheet, line.text, x, y + LINE_HEIGHT + _TEXT - 4)
    return sheet


def _make_narrow(maker: LineMaker, kind: LineKind, rng: np.random.Generator) -> MadeLine:
    """Return the first made line that has room."""
    while True:
        line = maker.make(rng, kind)
        if line.strip.shape[1] <= _WIDE - _EDGE:
            return line


def _put_text(sheet: Uint8, text: str, x: int, y: int) -> None:
    shown = text.replace("€", "EUR").replace("£", "GBP")  # the drawn font is ASCII
    cv2.putText(sheet, shown, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 90, 1, cv2.LINE_AA)


def write_sheet(path: Path, maker: LineMaker, seed: int = 0) -> bool:
    """Write a sheet as a picture; return whether it could be written."""
    try:
        return bool(cv2.imwrite(str(path), draw_sheet(maker, seed)))
    except cv2.error:  # no format has such a name
        return False
