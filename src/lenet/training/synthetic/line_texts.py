"""What a line says: numbers as people write them, with their signs, and what stands before and behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

# A part of a line: a number, whose text is read; a "word", letters or marks, a "unit" close behind a number, and a
# "struck" number, which are not.
PartKind = Literal["number", "word", "unit", "struck"]
# What numbers are counted in, as people write it behind them; t and C may be taken for signs or digits.
_UNITS = (
    *("kg", "g", "mg", "cm", "mm", "m", "km", "h", "hrs", "min", "ml", "L"),
    *("ft", "in", "lb", "lbs", "oz", "pcs", "x", "F", "K", "V"),
    *("W", "A", "px", "pt", "th", "nd", "rd", "st"),
)
# So many of the lists of single digits that would be drawn are kept.
_ONLY_DIGITS = 0.15


@dataclass(frozen=True)
class LinePart:
    """One part of a line, apart from others; a word's text is "" where any will do, a unit's are its letters."""

    kind: PartKind
    text: str


def _digits(rng: np.random.Generator, count: int) -> str:
    return "".join(rng.choice(list("0123456789"), count))


def _group(text: str, mark: str) -> str:
    """Return digits with a mark before every third from the end."""
    first = len(text) % 3 or 3
    return mark.join([text[:first], *(text[i : i + 3] for i in range(first, len(text), 3))])


def _amount(rng: np.random.Generator) -> str:
    length = int(rng.integers(2, 8))
    text = str(rng.integers(1, 10)) + _digits(rng, length - 1)
    if rng.random() < 0.4:  # a round one
        kept = int(rng.integers(1, max(2, length - 1)))
        text = text[:kept] + "0" * (length - kept)
    if rng.random() < 0.6:
        text = _group(text, str(rng.choice([".", ".", ",", "."])))
    ending = rng.random()
    if ending < 0.18:
        text += str(rng.choice([",", "."])) + _digits(rng, 2)
    elif ending < 0.5:
        text += str(rng.choice(["-", "-", "=", ".", ".-", "/-", ",-", ",--", "--", "=="]))
    if rng.random() < 0.12:
        currency = str(rng.choice(["$", "$", "€", "£"]))
        text = currency + text if rng.random() < 0.75 else text + currency
    return text


def _date(rng: np.random.Generator) -> str:
    mark = str(rng.choice(["/", "-", ".", "/"]))
    day, month = str(rng.integers(1, 32)), str(rng.integers(1, 13))
    if rng.random() < 0.5:
        day, month = day.zfill(2), month.zfill(2)
    year = str(rng.integers(1900, 2040))
    year = year if rng.random() < 0.5 else year[2:]
    parts = [year, month, day] if rng.random() < 0.15 else [day, month, year]
    return mark.join(parts[:2] if rng.random() < 0.1 else parts)


def _time(rng: np.random.Generator) -> str:
    mark = str(rng.choice([":", ":", "."]))
    text = f"{rng.integers(0, 24)}{mark}{rng.integers(0, 60):02d}"
    return f"{text}{mark}{rng.integers(0, 60):02d}" if rng.random() < 0.2 else text


def _small(rng: np.random.Generator) -> str:
    text = _digits(rng, int(rng.integers(1, 5)))
    if rng.random() < 0.5:
        text += str(rng.choice([",", "."])) + _digits(rng, int(rng.integers(1, 4)))
    before, behind = str(rng.choice(["-", "+", "", "", "("])), str(rng.choice(["", "", "%", "", "+", "-"]))
    return f"({text})" if before == "(" else before + text + behind


def _sum(rng: np.random.Generator) -> str:
    parts = [_digits(rng, int(rng.integers(1, 4))) for _part in range(int(rng.integers(2, 4)))]
    text = str(rng.choice(["+", "-", "+", ":", "/"])).join(parts)
    return text + "=" + (_digits(rng, 2) if rng.random() < 0.6 else "") if rng.random() < 0.6 else text


def _fraction(rng: np.random.Generator) -> str:
    return f"{_digits(rng, int(rng.integers(1, 4)))}/{_digits(rng, int(rng.integers(1, 4)))}"


def _phone(rng: np.random.Generator) -> str:
    if rng.random() < 0.4:
        return f"({_digits(rng, 3)}){_digits(rng, 3)}-{_digits(rng, 4)}"
    if rng.random() < 0.5:
        return f"{_digits(rng, 3)}-{_digits(rng, 4)}"
    mark = str(rng.choice(["-", "-", ".", "/"]))
    return mark.join(_digits(rng, int(count)) for count in rng.integers(2, 5, int(rng.integers(2, 4))))


def _plain(rng: np.random.Generator) -> str:
    length = int(rng.choice([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10]))
    if rng.random() < 0.06:
        return str(rng.integers(10)) * length
    if rng.random() < 0.12:
        return "".join(rng.choice(list("1470" if rng.random() < 0.5 else "1111234567890"), length))
    return _digits(rng, length)


_WRITERS = (_plain, _amount, _date, _time, _small, _sum, _fraction, _phone)
_SHARES = np.array([0.36, 0.36, 0.05, 0.04, 0.09, 0.02, 0.06, 0.05])


def write_number_text(rng: np.random.Generator) -> str:
    """Return one number as people write it."""
    return str(_WRITERS[int(rng.choice(len(_WRITERS), p=_SHARES / _SHARES.sum()))](rng))


def _write_numbers(rng: np.random.Generator, count: int) -> list[str]:
    """Return so many numbers of a line, several seldom all of one digit: so far apart they would look like one."""
    while True:
        texts = [
            _digits(rng, int(rng.integers(1, 5))) if count > 1 and rng.random() < 0.6 else write_number_text(rng)
            for _number in range(count)
        ]
        if count == 1 or max(map(len, texts)) > 1 or rng.random() < _ONLY_DIGITS:
            return texts


def write_digit(rng: np.random.Generator) -> list[LinePart]:
    """Return one digit."""
    return [LinePart("number", _digits(rng, 1))]


def write_line_text(rng: np.random.Generator) -> list[LinePart]:
    """Return what a line says, part by part: mostly one number; several; with words beside; none."""
    kind = rng.random()
    if kind < 0.09:
        return [LinePart("word", "") for _word in range(int(rng.integers(1, 3)))]
    if kind < 0.097:
        return []
    count = 1 if kind < 0.86 else int(rng.integers(2, 5))
    parts = [LinePart("number", text) for text in _write_numbers(rng, count)]
    if rng.random() < 0.06:
        parts.insert(0, LinePart("word", ""))
    behind = rng.random()
    if behind < 0.05:
        parts.append(LinePart("word", ""))
    elif behind < 0.16:
        parts.append(LinePart("unit", str(rng.choice(_UNITS))))
    if rng.random() < 0.025:
        parts.insert(int(rng.integers(len(parts) + 1)), LinePart("struck", _plain(rng)))
    return parts
