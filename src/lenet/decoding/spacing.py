"""Where one number of a line ends and another begins: the room between signs beside the room in all of the line."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log

import numpy as np

from lenet.arrays import Float64, Int32, Uint8
from lenet.network.inputs import PAPER_GREY, PEN_GREY
from lenet.network.probabilities import log_odds
from lenet.network.spec import LINE_LABELS, SPACE

# What a place between two signs is weighed by, beside an offset: the log-odds that a column there says a space; the
# room without ink, in heights of the line; how many times the line's median room it is and how many times the largest
# other one, as logarithms; whether a sign that is no digit stands there; and where there is no other room that this is
# so, and the first two, which are all that there is to know of two signs.
_OF_TWO = ("two", "said of two", "room of two")
SPACE_FEATURES = ("said", "room", "beside the median", "beside the largest", "sign", *_OF_TWO)
# Beyond these logarithmic odds it makes no difference.
_MOST_ODDS = 8.0
# A column of a strip has ink where a pixel is so far from the paper towards the pen.
_INKED = 0.35
# A room is this much larger, in heights, before rooms are compared: that of two digits which touch is none.
_LEAST_ROOM = 0.05
# A wider room says no more, in heights.
_WIDE = 3.0
# Behind these signs, and before those, a number goes on.
_BEFORE, _BEHIND = "+-=$€£(", "+=%$€£)"


def measure_rooms(strip: Uint8, middles: Float64) -> Float64:
    """Return the widest room without ink between each two of the middles (n,), in heights of the strip (n - 1,)."""
    inked = (strip.max(axis=0) > PAPER_GREY + _INKED * (PEN_GREY - PAPER_GREY)).tobytes()
    sides = [min(max(int(side), 0), len(inked)) for side in middles.tolist()]
    rooms = [max(map(len, inked[first:past].split(b"\x01"))) / len(strip) for first, past in pairwise(sides)]
    return np.array(rooms, np.float64)


def weigh_rooms(rooms: Float64, view: Float64, spans: Int32, text: str) -> Float64:
    """Return SPACE_FEATURES (n - 1, 8) of the places between n signs of a text without spaces.

    `spans` (n, 2) is where the columns of a view, log-probabilities (w, k), say them.
    """
    space, wider = LINE_LABELS.index(SPACE), (rooms + _LEAST_ROOM).tolist()
    features = np.zeros((len(rooms), len(SPACE_FEATURES)))
    for place, room in enumerate(wider):
        first, past = int(spans[place, 1]) - 1, int(spans[place + 1, 0]) + 1
        said = exp(view[first:past, space].max()) if past > first else 0.0
        others = sorted(wider[:place] + wider[place + 1 :])
        middle = (others[(len(others) - 1) // 2] + others[len(others) // 2]) / 2 if others else room
        odds, alone = min(max(float(log_odds(np.array(said))), -_MOST_ODDS), _MOST_ODDS), float(not others)
        features[place] = (
            odds,
            min(room, _WIDE),
            log(room / middle),
            log(room / others[-1]) if others else 0.0,
            not text[place : place + 2].isdigit(),
            alone,
            alone * odds,
            alone * min(room, _WIDE),
        )
    return features


def find_spaces(features: Float64, weights: Float64, text: str) -> Float64:
    """Return how likely a space is at each of the places (n - 1,) between the signs of a text."""
    likely = 1 / (1 + np.exp(-(features @ weights[:-1] + weights[-1])))
    return np.where([is_bound(text, row) for row in range(len(likely))], 0.0, likely)


def is_bound(text: str, row: int) -> bool:
    """Return whether a sign of a text belongs to the next, whatever room is between."""
    return text[row] in _BEFORE or text[row + 1] in _BEHIND


def part_numbers(text: str, likely: Float64) -> str:
    """Return a text without spaces as numbers, a space at each place (n - 1,) where one is likely.

    Signs without a digit stay with the number before them, or else with that behind.
    """
    parts = [""]
    for row, sign in enumerate(text):
        if row and likely[row - 1] > 0.5:  # noqa: PLR2004
            parts.append("")
        parts[-1] += sign
    joined: list[str] = []
    for part in parts:
        if joined and (not any(map(str.isdigit, part)) or not any(map(str.isdigit, joined[-1]))):
            joined[-1] += part
        else:
            joined.append(part)
    return SPACE.join(joined)


def trust_spaces(certain: Float64, trust: Float64) -> float:
    """Return how likely all of these places are right: the least one's log-odds, times and plus `trust` (2,)."""
    if not len(certain) or certain.min() >= 1:
        return 1.0
    odds = float(log_odds(np.array(certain.min())))
    return float(1 / (1 + np.exp(-(trust[0] * odds + trust[1]))))
