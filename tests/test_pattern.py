"""What a number may be: automata against Python's own regular expressions and against checksums done by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.decoding.formats import NAMED, SYMBOLS, accept_choices, accept_digits, accepts, parse_pattern
from lenet.decoding.graph import Automaton
from lenet.engine import load
from lenet.errors import UsageError
from lenet.reader import read_options
from test_cli import run

from conftest import ROOT

TEXTS = st.text(SYMBOLS, max_size=9) | st.text("0123456789", max_size=9)
EXPRESSIONS = [
    *NAMED.values(),
    r"\d+",
    "1?2*3+",
    "(12|3[4-6]){2,3}",
    r"\d{3,}",
    "(1|2)*3",
    "(1*)*2",
    "[0-4,]{0,3}",
    ".5",
]


def says(automaton: Automaton, text: str) -> bool:
    """Whether the automaton allows a text."""
    state = 0
    for character in text:
        state = int(automaton.transitions[state, SYMBOLS.index(character)])
        if state < 0:
            return False
    return bool(automaton.accepting[state])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_allows_what_re_matches(expression: str) -> None:
    """On random texts, and on texts made to match."""
    automaton, matched = parse_pattern(expression), re.compile(expression)

    @given(TEXTS | st.from_regex(matched, fullmatch=True, alphabet=SYMBOLS).filter(lambda text: len(text) < 40))
    @settings(max_examples=120, deadline=None)
    def check(text: str) -> None:
        assert says(automaton, text) == bool(matched.fullmatch(text))

    check()


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        ("zip", ["90210", "90210-1234"], ["9021", "902101", "90210-"]),
        ("amount", ["7", "1.250", "1,250.00", "1.250,00", "1250,00"], ["1.2.3", "1.250.00", "1.250,000", ",50", ""]),
        ("time", ["9:05", "23:59", "0905"], ["24:00", "9:60", "9:5"]),
        ("date", ["1.12.1998", "31/12/98", "2026-11-21"], ["32.1.98", "1.13.98", "1.12/98"]),
        ("digits:5", ["12345"], ["1234", "123456"]),
        ("luhn", ["79927398713", "0"], ["79927398710", "1"]),
    ],
)
def test_named_formats(pattern: str, right: list[str], wrong: list[str]) -> None:
    """What each format is meant for, and near misses."""
    automaton = parse_pattern(pattern)
    assert all(says(automaton, text) for text in right)
    assert not any(says(automaton, text) for text in wrong)


@given(st.text("0123456789", min_size=1, max_size=16))
@settings(max_examples=200, deadline=None)
def test_luhn_is_the_checksum(text: str) -> None:
    """Every second digit from the right is doubled, 9 taken off what exceeds 9; the sum ends in 0."""
    doubled = [2 * int(digit) - 9 * (int(digit) > 4) for digit in text[-2::-2]]
    total = sum(map(int, text[::-2])) + sum(doubled)
    assert says(parse_pattern("luhn"), text) == (total % 10 == 0)


def test_choices_are_a_list() -> None:
    """These and no others, prefixes excluded."""
    automaton = accept_choices(["123", "12", "999"], "list")
    assert [says(automaton, text) for text in ("123", "12", "999", "1", "1234", "")] == [True] * 3 + [False] * 3
    assert says(accept_digits(), "0123456789")
    assert not says(accept_digits(), "1.5")


@given(st.lists(st.text("012", max_size=5), min_size=1, max_size=40), st.text("012", max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_list_allows_its_texts_alone(choices: list[str], text: str) -> None:
    """Shared beginnings, shared endings, the empty text and repetitions included."""
    automaton = accept_choices(choices, "list")
    assert all(says(automaton, choice) for choice in choices)
    assert says(automaton, text) == (text in choices)


def test_a_list_has_no_two_states_with_the_same_endings() -> None:
    """All numbers of four digits need five states, whatever their order."""
    every = [f"{number:04}" for number in range(10_000)]
    assert len(accept_choices(every[::-1], "list").accepting) == 5


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "a group is not closed"),
        ("[1", "a class is not closed"),
        ("*", "repeats nothing"),
        ("abc", "'a' is none of"),
        ("1{3,2}", "repeats {3,2}"),
        ("1)", "')' at 1"),
        ("(((1{99}){99}){99})", "too large"),
        ("1{999}", "{999} repeats more than 100 times"),
        (r"\d{1,100000}", "{1,100000} repeats more than 100 times"),
        ("\\", "'' is none of"),
        ("[z]", "allows nothing"),
        ("(" * 5000, "pattern"),
    ],
)
def test_a_wrong_expression_is_one_line(pattern: str, message: str) -> None:
    """With what is expected."""
    with pytest.raises(UsageError, match="expected zip, amount") as caught:
        parse_pattern(pattern)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("choices", "message"), [([], "no choices"), (["12a"], "'a' is none of")])
def test_a_wrong_list_is_one_line(choices: list[str], message: str) -> None:
    """Empty, or with what cannot be read."""
    with pytest.raises(UsageError, match=message):
        accept_choices(choices, "choices.txt")


@pytest.mark.parametrize(
    ("expression", "allowed", "refused"),
    [
        (r"^\d{5}$", "90210", "9021"),
        (r"^\d{2}", "12", "123"),
        (r"\d{2}$", "12$", "12"),  # without ^ before it, $ is the sign
        (r"^\d\$", "3$", "3"),
        (r"^(?:1|2){2}$", "21", "2"),
        (r"^$", "", "1"),
    ],
)
def test_anchors_stand_for_the_whole_number(expression: str, allowed: str, refused: str) -> None:
    """As every number is matched as a whole, they change nothing; a $ that is escaped, or without ^, is written."""
    pattern = parse_pattern(expression)
    assert accepts(pattern, allowed)
    assert not accepts(pattern, refused)


def test_what_is_no_text_is_no_choice_and_no_pattern() -> None:
    """A number is given as text; the line says how."""
    network = load()
    for options, line in (
        ({"choices": [12, 7]}, "choices: choice 12: no text; give texts, such as '12'"),
        ({"pattern": 5}, "pattern 5: no text; give a text, such as '5'"),
        ({"best": "a"}, "best a: expected 0 to 100"),
    ):
        with pytest.raises(UsageError, match=re.escape(line)):
            read_options(network, **options)


def test_what_is_no_choice_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a file of choices, with the signs that there are; so is a file without any. Both are wrong use."""
    choices = tmp_path / "choices.txt"
    choices.write_text("12 15\n\n17 a4\n", encoding="utf-8")
    status, _out, err = run(capsys, "read", str(ROOT / "examples" / "zip.jpg"), "--choices", str(choices))
    assert (status, err) == (2, f"{choices} line 3: choice 'a4'; its signs may be 0123456789.,:/-+=%()$€£\n")
    choices.write_text("\n", encoding="utf-8")
    status, _out, err = run(capsys, "read", str(ROOT / "examples" / "zip.jpg"), "--choices", str(choices))
    assert (status, err) == (2, f"{choices}: has no choices; give one to a line\n")
