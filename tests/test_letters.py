"""A digit that stands alone may be a letter: what is asked, of which lines, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import lenet
from lenet.answers import letters
from lenet.answers.letters import doubt_letter
from lenet.answers.line import Place, PlacedLine, place_symbols
from lenet.answers.page import join_lines
from lenet.arrays import Uint8
from lenet.decoding.decoder import DecodedDigit, DecodedLine
from lenet.decoding.letters import ALIKE, LETTER_FEATURES, LIKE_DIGITS, letter_features, likeliest_letter
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import Network, load
from lenet.network.spec import PRINTABLE
from lenet.training.fit_letters import Singles, fit_letters, forget_letters
from lenet.training.synthetic.degrade import picture_sign


def likely(**shares: float) -> np.ndarray:
    """Probabilities of all printable signs, these and nothing else."""
    found = np.zeros(len(PRINTABLE))
    for sign, share in shares.items():
        found[PRINTABLE.index(sign)] = share
    return found


def line(text: str, confidence: float) -> PlacedLine:
    """A line that says so, with one other text behind it."""
    digits = tuple(DecodedDigit(place, int(each), confidence, 1, 0.0) for place, each in enumerate(text))
    decoded = DecodedLine(text, confidence, digits, ((text, confidence), ("7", 1 - confidence)))
    return place_symbols(decoded, [Place(0, (0, 0, 9, 9), np.zeros((28, 28), np.uint8))] * len(text))


def a_p(high: int = 90) -> Uint8:
    """A small p, as a pen writes it: a stem, and a bow at its top right."""
    page = np.full((high + 60, 110), 255, np.uint8)
    cv2.line(page, (40, 30), (40, 30 + high), 0, 6, cv2.LINE_AA)
    cv2.ellipse(page, (55, 50), (17, 20), 0, -150, 150, 0, 6, cv2.LINE_AA)
    return page


def test_a_digits_look_alikes_speak_for_it() -> None:
    """An O is as good as a 0; a p speaks against a 9, and is the letter that is named."""
    assert LETTER_FEATURES == ("log-odds", "letters", "digit", "whole", "silent")
    odds, none, said, *_line = letter_features("0", 0.5, likely(O=0.75, o=0.25), None)
    assert (odds, said) == pytest.approx((0, 0))
    assert none == -8
    _odds, some, said, *_line = letter_features("9", 0.5, likely(p=0.9, q=0.1), None)
    assert some == pytest.approx(np.log(9))
    assert said == pytest.approx(np.log(0.1))
    assert likeliest_letter(likely(O=0.6, q=0.3, p=0.1)) == "p"
    assert letter_features("4", 1.0, likely(H=1.0), None) == pytest.approx([8, 8, -7, 0, 0])


def test_a_line_as_a_whole_speaks_for_its_digit_and_for_nothing() -> None:
    """By the log-odds of each; a text that it does not list has none to speak of."""
    whole = SpelledLine({"9": 0.75, "": 0.2}, {})
    features = letter_features("9", 0.5, likely(p=1.0), whole)
    assert features[3:] == pytest.approx([np.log(3), -np.log(4)])
    assert letter_features("4", 0.5, likely(p=1.0), whole)[3] == -8


def test_what_is_hardly_a_letter_is_not_asked_as_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign that is a letter by one in a hundred stays as it is; by three in a hundred its line is read."""
    asked: list[bool] = []
    for share in (0.01, 0.03):
        monkeypatch.setattr(
            Network, "probabilities", lambda *_, share=share: likely(**{"9": 1 - share, "p": share})[None]
        )
        placed = line("9", 0.9)
        found = doubt_letter(placed, load(), lambda: asked.append(True))
        assert (found is placed) is (share == 0.01)
        assert asked == [True] * (share == 0.03)


def test_weights_that_were_saved_before_do_not_ask_the_line() -> None:
    """Of their four numbers the last is the offset; what the line says weighs nothing."""
    shipped = load().lines.weights
    calibration = {**shipped.card["calibration"], "letter_weights": [0.7, -0.6, 0.4, -0.5]}
    old = replace(shipped, card={**shipped.card, "calibration": calibration})
    assert old.letter_weights is not None
    assert old.letter_weights.tolist() == [0.7, -0.6, 0.4, 0.0, 0.0, -0.5]


def test_look_alikes_are_letters_and_a_stroke() -> None:
    """Fifteen letters may be digits on their own; a stroke is a 1 and no letter."""
    assert sorted(LIKE_DIGITS) == sorted("OoDQlIiSsZzBbgq")
    assert "|" in ALIKE["1"]
    assert "|" not in LIKE_DIGITS


@pytest.mark.parametrize("told", [0.02, 0.98])
def test_a_digit_is_never_surer_for_it(told: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other network says takes from an answer or leaves it; what is withheld names the letter."""
    monkeypatch.setattr(letters, "calibrate_confidence", lambda *_: told)
    monkeypatch.setattr(Network, "probabilities", lambda *_: likely(p=1.0)[None])
    found = doubt_letter(line("9", 0.9), load(), lambda: None)
    assert found.sure == (min(told, 0.9),)
    assert found.decoded.confidence == found.decoded.likeliest[0][1] == min(told, 0.9)
    assert sum(chance for _text, chance in found.decoded.likeliest) <= 1
    assert found.like == ("p" if told < 0.5 else "")
    reading = join_lines([found], (), (), 0.0)
    assert (reading.text, reading.guess) == (("", "9") if told < 0.5 else ("9", ""))
    assert [step.text for step in reading.steps] == ["may be a letter, not a digit: p"] * (told < 0.5)


def test_only_one_digit_that_would_be_answered_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number, a guess, and what weights without such a fit read stay as they are."""
    monkeypatch.setattr(Network, "probabilities", lambda *_: pytest.fail("asked"))
    network = load()
    for placed in (line("90", 0.9), line("9", 0.4)):
        assert doubt_letter(placed, network, lambda: None) is placed
    unfitted = Network(network.weights, own_lines=forget_letters(network.lines.weights))
    assert unfitted.lines.weights.letter_weights is None
    placed = line("9", 0.9)
    assert doubt_letter(placed, unfitted, lambda: None) is placed


def test_a_letter_is_no_answer_unless_it_is_said_to_be_a_digit() -> None:
    """A drawn p is withheld or passed over; with a format, or as one digit, it is read as what it must be."""
    reading = lenet.read(a_p())
    assert not reading.text
    assert any("letter" in step.text for step in reading.steps)
    assert lenet.read(a_p(), pattern=r"\d").best_text == "9"
    assert lenet.read(a_p(), digit=True).best_text == "9"


def test_what_is_fitted_tells_letters_from_digits() -> None:
    """Of pairs of equal confidence those that look like letters are wrong: the weights learn so much."""
    rng = np.random.default_rng(0)
    wrong = rng.random(400) < 0.3
    letters_odds = np.where(wrong, 3.0, -3.0) + rng.normal(0, 2, 400)
    features = np.stack([np.full(400, 2.0), letters_odds, np.full(400, -1.0), np.zeros(400), np.zeros(400)], 1)
    weights = load().lines.weights
    fitted = fit_letters(weights, Singles(features, ~wrong, 500))
    assert fitted.letter_weights is not None
    assert fitted.letter_weights[1] < -0.5
    told = fitted.card["calibration"]["letters_fitted_on"]
    assert told == (
        f"400 of 500 pages with one sign by held-out hands that read as a digit, {wrong.sum()} of them wrongly"
    )
    before = {key: value for key, value in weights.card["calibration"].items() if not key.startswith("letter")}
    assert {key: fitted.card["calibration"][key] for key in before} == before


def test_a_sign_is_pictured_whole() -> None:
    """Photographed or crisp, its ink is there and does not reach the picture's edge."""
    glyph = np.zeros((28, 28), np.uint8)
    glyph[4:24, 10:18] = 255
    rng = np.random.default_rng(1)
    for _picture in range(20):
        page = picture_sign(glyph, rng).astype(int)
        edge = np.concatenate([page[0], page[-1], page[:, 0], page[:, -1]])
        assert np.abs(page - np.median(edge)).max() > 40
