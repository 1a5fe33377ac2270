"""Two readers, one answer: what a lattice of cut digits says of a line beside what its columns spell as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64
from lenet.decoding.whole_lines import SpelledLine
from lenet.network.probabilities import log_odds
from lenet.network.spec import LINE_LABELS, PASSED_OVER, SPACE

# What a reader does not list it may still mean: it has these probabilities at least.
_LEAST_CUT, _LEAST_WHOLE = 1e-6, 1e-9
_DIGITS, _PLAIN = frozenset("0123456789"), frozenset("0123456789.,-")
# Signs that are no digit when they are cut.
_PASSED = frozenset(".,- ")
_CUT_ALIKE = _DIGITS | _PASSED
# What the confidence of a text of both is weighed by, beside an offset.
PAIR_FEATURES = (
    *("log-odds", "agree", "cut", "whole", "whole of a label", "digits"),
    *("passed over", "single", "cut of a single one", "whole of a single one"),
)
# Beyond these, as logarithms, it makes no difference.
_MOST_ODDS, _LEAST_SAID = 8.0, -12.0


@dataclass(frozen=True)
class PairedText:
    """The text of two readers, all candidates with their share, the likeliest first, and PAIR_FEATURES (10,).

    The features are of the text's digits; `signs` is how likely it is among the texts of the same digits.
    """

    text: str
    likeliest: tuple[tuple[str, float], ...]
    features: Float64
    signs: float


def pair_texts(cut: dict[str, float], whole: SpelledLine, shares: Float64, *, formatted: bool = False) -> PairedText:
    """Weigh the texts of both readers, each with its probability, and return the likeliest; "" says nothing.

    Without a format the lattice says digits, and cuts other signs than points, commas and dashes into some: what it
    says counts for each text that may be cut so. The log-probabilities are added, the lattice's times the first of
    `shares` (3,), times the second where the whole line has such signs, spaces or letters, and times the third where a
    format says which signs there are.
    """
    share = float(shares[2] if formatted else shares[0] if _is_plain(whole) else shares[1])
    texts = list(dict.fromkeys((*whole.texts, *cut))) or [""]
    known = {text: cut.get(text, 0.0) if formatted else _add_cuts(text, cut) for text in texts}
    scores = np.array([_score(known[text], whole.texts.get(text, 0.0), share) for text in texts])
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    order = np.argsort(-chances, kind="stable")
    likeliest = tuple((texts[row], float(chances[row])) for row in order.tolist())
    text = likeliest[0][0]
    same = _add_digits(dict(likeliest))[keep_digits(text)]
    return PairedText(text, likeliest, _weigh(text, same, cut, whole), likeliest[0][1] / same)


def _add_cuts(text: str, cut: dict[str, float]) -> float:
    """Return the probability of all digits that a text may be cut into: a slash or a bracket into one or none."""
    if _CUT_ALIKE.issuperset(text):
        return cut.get(keep_digits(text), 0.0)
    cuts = re.compile("".join(sign if sign in _DIGITS else "" if sign in _PASSED else r"\d?" for sign in text))
    return sum(chance for digits, chance in cut.items() if cuts.fullmatch(digits))


def share_confidence(text: str, confidence: float, likeliest: tuple[tuple[str, float], ...]) -> list[float]:
    """Return how sure each number of a text is: their product is the text's own confidence.

    A number is the less sure the more of the likeliest texts have another in its place.
    """
    numbers = text.split(SPACE)
    alike = [(other.split(SPACE), chance) for other, chance in likeliest]
    alike = [each for each in alike if len(each[0]) == len(numbers)]
    every = sum(chance for _other, chance in alike)
    doubts = [
        -np.log(max(_LEAST_CUT, sum(chance for other, chance in alike if other[place] == own) / max(every, _LEAST_CUT)))
        for place, own in enumerate(numbers)
    ]
    total = sum(doubts)
    shares = [doubt / total if total > 0 else 1 / len(numbers) for doubt in doubts]
    return [float(confidence**share) for share in shares]


def keep_digits(text: str) -> str:
    """Return a text without its signs and spaces."""
    return "".join(sign for sign in text if sign in _DIGITS)


def _add_digits(texts: dict[str, float]) -> dict[str, float]:
    """Return the probability of digits, whatever signs and spaces stand between them."""
    sums: dict[str, float] = {}
    for text, chance in texts.items():
        sums[keep_digits(text)] = sums.get(keep_digits(text), 0.0) + chance
    return sums


def _is_plain(whole: SpelledLine) -> bool:
    """Return whether a line is likeliest digits, with points, commas and dashes at most."""
    written = next(iter(whole.written.values()), ())
    return all(LINE_LABELS[label] in _PLAIN for label in written)


def _score(cut: float, whole: float, share: float) -> float:
    """Weigh the probabilities that two readers give a text, as a logarithm."""
    return float(np.log(max(whole, _LEAST_WHOLE)) + share * np.log(max(cut, _LEAST_CUT)))


def _weigh(text: str, same: float, cut: dict[str, float], whole: SpelledLine) -> Float64:
    """Return PAIR_FEATURES of a text whose digits have the share `same` of all."""
    digits = keep_digits(text)
    of_cut, of_whole = _add_digits(cut), _add_digits(whole.texts)
    agree = max(of_cut, key=lambda each: of_cut[each], default="") == next(iter(of_whole), "")
    written = whole.written.get(text, ())
    single = float(len(digits) == 1)
    odds, cut_odds, whole_odds = (
        float(np.clip(log_odds(np.array(chance)), -_MOST_ODDS, _MOST_ODDS))
        for chance in (same, of_cut.get(digits, 0.0), of_whole.get(digits, 0.0))
    )
    said = max(_LEAST_SAID, float(np.log(max(of_whole.get(digits, 0.0), _LEAST_WHOLE))))
    return np.array(
        [
            odds,
            float(agree),
            cut_odds,
            whole_odds,
            said / max(1, len(written)),
            float(np.log(max(1, len(digits)))),
            float(any(LINE_LABELS[label] == PASSED_OVER for label in written)),
            single,
            single * cut_odds,
            single * whole_odds,
        ]
    )
