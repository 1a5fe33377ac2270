"""What is read of a hundred pictures, drawn always alike, does not change unnoticed: golden.json has all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from golden import FILE, list_cases, round_values

pytestmark = pytest.mark.engine
WANTED = json.loads(FILE.read_text(encoding="utf-8"))
CASES = list_cases()
# Shares may differ so much from one engine to the next, by the order in which it adds.
NEAR = 0.002


def find_difference(wanted: Any, found: Any, place: str = "") -> str | None:
    """Where two answers differ first, if they do."""
    if isinstance(wanted, float) and isinstance(found, int | float):
        return None if abs(wanted - found) <= NEAR * max(1.0, abs(wanted)) else f"{place}: {found}, not {wanted}"
    if isinstance(wanted, dict) and isinstance(found, dict) and wanted.keys() == found.keys():
        pairs = [(wanted[key], found[key], f"{place}.{key}") for key in wanted]
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = [
            (one, other, f"{place}[{number}]") for number, (one, other) in enumerate(zip(wanted, found, strict=True))
        ]
    else:
        return None if wanted == found else f"{place}: {found}, not {wanted}"
    return next(filter(None, (find_difference(*each) for each in pairs)), None)


def test_every_case_has_its_answer() -> None:
    """python tests/golden.py writes them anew, where a change is meant."""
    assert [name for name, _read in CASES] == list(WANTED)


@pytest.mark.parametrize(("name", "read"), CASES, ids=[name for name, _read in CASES])
def test_a_picture_reads_as_it_did(name: str, read: Callable[[], dict[str, Any]]) -> None:
    """Text, numbers, boxes, signs, steps and all that is measured in them; confidences to two thousandths."""
    assert find_difference(WANTED[name], round_values(read())) is None


def test_a_difference_is_told_where_it_is() -> None:
    """In the depth, of numbers that are near and of those that are not."""
    one = {"a": [{"b": 0.5, "c": 3}], "d": "x"}
    assert find_difference(one, {"a": [{"b": 0.501, "c": 3}], "d": "x"}) is None
    assert find_difference(one, {"a": [{"b": 0.503, "c": 3}], "d": "x"}) == ".a[0].b: 0.503, not 0.5"
    assert find_difference(one, {"a": [{"b": 0.5, "c": 4}], "d": "x"}) == ".a[0].c: 4, not 3"
    assert find_difference(one, {"a": [], "d": "x"}) == ".a: [], not [{'b': 0.5, 'c': 3}]"
