"""Two readers, one answer: what a lattice of cut digits says of a line beside what its columns spell as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64
from lenet.decoding.whole_lines import SpelledLine
from lenet.network.probabilities import log_odds
from lenet.network.spec import LINE_LABELS, PASSED_OVER

# What a reader does not list it may still mean: it has these probabilities at least.
_LEAST_CUT, _LEAST_WHOLE = 1e-6, 1e-9
_PLAIN = frozenset("0123456789.,-")
# What the confidence of a text of both is weighed by, beside an offset.
PAIR_FEATURES = (
    *("log-odds", "agree", "cut", "whole", "whole of a label", "digits"),
    *("passed over", "single", "cut of a single one", "whole of a single one"),
)
# Beyond these, as logarithms, it makes no difference.
_MOST_ODDS, _LEAST_SAID = 8.0, -12.0


@dataclass(frozen=True)
class PairedText:
    """The text of two readers, all candidates with their share, the likeliest first, and PAIR_FEATURES (10,)."""

    text: str
    likeliest: tuple[tuple[str, float], ...]
    features: Float64


def pair_texts(cut: dict[str, float], whole: SpelledLine, shares: Float64) -> PairedText:
    """Weigh the texts of both readers, each with its probability, and return the likeliest; "" says nothing.

    The log-probabilities are added, the lattice's times the first of `shares`, or times the second where the whole line
    has what is cut into digits wrongly: other signs than points, commas and dashes, spaces, letters.
    """
    share = float(shares[0] if _is_plain(whole) else shares[1])
    texts = list(dict.fromkeys((*whole.texts, *cut))) or [""]
    scores = np.array([_score(text, cut, whole, share) for text in texts])
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    order = np.argsort(-chances, kind="stable")
    likeliest = tuple((texts[row], float(chances[row])) for row in order.tolist())
    text = likeliest[0][0]
    return PairedText(text, likeliest, _weigh(text, likeliest, cut, whole))


def _is_plain(whole: SpelledLine) -> bool:
    """Return whether a line is likeliest digits, with points, commas and dashes at most."""
    written = next(iter(whole.written.values()), ())
    return all(LINE_LABELS[label] in _PLAIN for label in written)


def _score(text: str, cut: dict[str, float], whole: SpelledLine, share: float) -> float:
    lattice = np.log(max(cut.get(text, 0.0), _LEAST_CUT))
    return float(np.log(max(whole.texts.get(text, 0.0), _LEAST_WHOLE)) + share * lattice)


def _weigh(text: str, likeliest: tuple[tuple[str, float], ...], cut: dict[str, float], whole: SpelledLine) -> Float64:
    best_cut = max(cut, key=lambda each: cut[each], default="")
    best_whole = next(iter(whole.texts), "")
    written = whole.written.get(text, ())
    single = float(len(text) == 1)
    odds, of_cut, of_whole = (
        float(np.clip(log_odds(np.array(chance)), -_MOST_ODDS, _MOST_ODDS))
        for chance in (likeliest[0][1], cut.get(text, 0.0), whole.texts.get(text, 0.0))
    )
    said = max(_LEAST_SAID, float(np.log(max(whole.texts.get(text, 0.0), _LEAST_WHOLE))))
    return np.array(
        [
            odds,
            float(best_cut == best_whole),
            of_cut,
            of_whole,
            said / max(1, len(written)),
            float(np.log(max(1, len(text)))),
            float(any(LINE_LABELS[label] == PASSED_OVER for label in written)),
            single,
            single * of_cut,
            single * of_whole,
        ]
    )
