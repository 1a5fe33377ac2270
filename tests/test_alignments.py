"""What columns spell, against every way to say it: sums, beams, places, formats."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.decoding.alignments import (
    find_texts,
    place_labels,
    reference_find_texts,
    reference_place_labels,
    reference_score_texts,
    score_texts,
)
from lenet.decoding.formats import accept_choices, parse_pattern
from lenet.decoding.whole_lines import adapt_format, place_text, spell_line, split_numbers
from lenet.network.spec import LINE_LABELS

pytestmark = pytest.mark.engine
COLUMNS = st.tuples(st.integers(1, 5), st.integers(2, 4), st.integers(0, 2**32 - 1))


def columns(width: int, k: int, seed: int) -> np.ndarray:
    """Random log-probabilities (width, k), none of them as small as a beam leaves out."""
    return np.log(0.99 * np.random.default_rng(seed).dirichlet(np.ones(k), width) + 0.01 / k)


def spell(path: tuple[int, ...], nothing: int) -> tuple[int, ...]:
    """What a label for each column says."""
    kept = [label for place, label in enumerate(path) if place == 0 or path[place - 1] != label]
    return tuple(label for label in kept if label != nothing)


def sum_all(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """The probability of every text, added up over all labels for all columns."""
    width, k = log_probs.shape
    sums: dict[tuple[int, ...], float] = defaultdict(float)
    for path in product(range(k), repeat=width):
        sums[spell(path, k - 1)] += float(np.exp(log_probs[np.arange(width), path].sum()))
    return dict(sums)


def line(text: str, sure: float = 0.9) -> np.ndarray:
    """Columns that say a text, each label in one column between two of nothing."""
    k = len(LINE_LABELS) + 1
    rows = [k - 1]
    for sign in text:
        rows += [LINE_LABELS.index(sign), k - 1]
    log_probs = np.full((len(rows), k), np.log((1 - sure) / (k - 1)))
    log_probs[np.arange(len(rows)), rows] = np.log(sure)
    return log_probs


@given(COLUMNS)
def test_a_text_has_the_probability_of_all_its_alignments(drawn: tuple[int, int, int]) -> None:
    """The forward sum is the sum over every label for every column that says the text."""
    log_probs = columns(*drawn)
    every = sum_all(log_probs)
    assert np.exp(score_texts(log_probs, list(every))) == pytest.approx(list(every.values()), rel=1e-9)
    assert sum(every.values()) == pytest.approx(1)


@given(COLUMNS)
def test_a_wide_beam_finds_every_text_in_order(drawn: tuple[int, int, int]) -> None:
    """Without a bound the beam is exact: the texts in the order of their probabilities."""
    log_probs = columns(*drawn)
    every = sum_all(log_probs)
    found = find_texts(log_probs, 10_000)
    assert set(found) <= set(every)
    chances = [every[text] for text in found]
    assert chances == sorted(chances, reverse=True)
    assert found[0] == max(every, key=lambda text: every[text])


@given(COLUMNS)
def test_a_text_that_has_no_room_has_no_probability(drawn: tuple[int, int, int]) -> None:
    """Two equal labels need a column of nothing between them."""
    width, k, seed = drawn
    log_probs = columns(width, k, seed)
    assert score_texts(log_probs, [(0,) * (width + 1)])[0] == -np.inf
    if width < 3:
        assert score_texts(log_probs, [(0, 0)])[0] == -np.inf
        with pytest.raises(ValueError, match=f"{width} columns: expected at least 3 for 2 labels"):
            place_labels(log_probs, (0, 0))


@given(st.integers(1, 90), st.sampled_from([None, r"\d{2,5}", "zip"]), st.integers(0, 2**32 - 1))
def test_a_line_is_searched_as_its_twin_searches_it(width: int, pattern: str | None, seed: int) -> None:
    """The same texts in the same order, as likely, in the same places, with a format and without."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 3, (width, len(LINE_LABELS) + 1))
    scores[:, -1] += 5
    said = rng.random(width) < 0.25
    scores[said, rng.integers(0, len(LINE_LABELS), np.count_nonzero(said))] += 12
    log_probs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    allowed = adapt_format(parse_pattern(pattern)) if pattern else None
    found = find_texts(log_probs, 8, allowed)
    assert found == reference_find_texts(log_probs, 8, allowed)
    for text in found[:1]:
        assert score_texts(log_probs, found) == pytest.approx(reference_score_texts(log_probs, found), abs=1e-9)
        np.testing.assert_array_equal(place_labels(log_probs, text), reference_place_labels(log_probs, text))


def test_labels_are_placed_where_they_are_said() -> None:
    """Each label of a text in the columns of its best alignment."""
    spans = place_labels(line("170"), tuple(map(LINE_LABELS.index, "170")))
    assert spans.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_signs_left_out_have_no_place() -> None:
    """Of `1.7` the digits stand in the first and in the third place."""
    labels = tuple(map(LINE_LABELS.index, "1.7"))
    assert place_text(line("1.7"), labels, "17").tolist() == [[1, 2], [5, 6]]
    assert place_text(line("1.7"), labels, "1.7").tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_line_without_a_format_is_what_is_written() -> None:
    """With its signs; spaces are found by the room between signs, what is passed over parts numbers."""
    said = spell_line([line("12.50 ~7"), line("12.50 ~7")])
    text, chance = next(iter(said.texts.items()))
    assert text == "12.50 7"
    assert "".join(LINE_LABELS[label] for label in said.written[text]) == "12.50 ~7"
    assert 0 < chance <= 1


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("12 345", ["12", "345"]),
        ("12~345", ["12", "345"]),
        ("~12~", ["12"]),
        ("- 5", ["-5"]),
        ("54 %", ["54%"]),
        ("12 + 5 = 17", ["12+5=17"]),
        ("~ -", []),
    ],
)
def test_what_is_written_is_its_numbers(written: str, numbers: list[str]) -> None:
    """A sign belongs to its number, whatever room is between; what has no digit is passed over."""
    assert split_numbers(written) == numbers


def test_what_stands_before_a_number_needs_no_format() -> None:
    """A format finds the number behind a word: words and spaces may stand anywhere around numbers."""
    view = line("~ 12 ~ 7 ~")
    assert find_texts(view, 1, adapt_format(parse_pattern(r"\d+"))) == [tuple(map(LINE_LABELS.index, "~ 12 ~ 7 ~"))]
    assert next(iter(spell_line([view], parse_pattern(r"\d+")).texts)) == "12 7"


def test_a_format_holds_for_each_number() -> None:
    """Two of them are both what it allows, or nothing is."""
    two = parse_pattern("digits:2")
    assert next(iter(spell_line([line("12 34")], two).texts)) == "12 34"
    assert spell_line([line("12 345")], two).fits < 0.1


def test_a_format_allows_its_signs_alone() -> None:
    """With a format the text is what it allows, or nothing; how well it fits is told."""
    fits = spell_line([line("12.50")], parse_pattern(r"\d+\.\d\d"))
    assert next(iter(fits.texts)) == "12.50"
    assert fits.fits > 0.99
    bent = spell_line([line("12.50")], accept_choices(["1250", "99"], "choices"))
    assert set(bent.texts) <= {"1250", "99"}
    assert bent.fits < 0.1


def test_signs_around_what_a_format_allows_are_passed_over() -> None:
    """The dash behind an amount, a currency before it: the text is the amount, written with them; not within it."""
    amount = parse_pattern("amount")
    said = spell_line([line("$12.750.-")], amount)
    text = next(iter(said.texts))
    assert text == "12.750"
    assert said.texts[text] > 0.9
    assert "".join(LINE_LABELS[label] for label in said.written[text]) == "$12.750.-"
    assert said.fits > 0.9
    assert spell_line([line("12/750")], amount).fits < 0.1


def test_views_are_averaged() -> None:
    """A view that is unsure yields to one that is sure."""
    unsure = line("7")
    unsure[1, [LINE_LABELS.index("1"), LINE_LABELS.index("7")]] = np.log([0.5, 0.4])
    assert next(iter(spell_line([unsure]).texts)) == "1"
    assert next(iter(spell_line([unsure, line("7", 0.99)]).texts)) == "7"
