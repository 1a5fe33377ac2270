"""What a number may be: a named format, a regular expression, so many digits, or one of a list, as an automaton."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np

from lenet.arrays import Int32
from lenet.decoding.graph import Automaton
from lenet.errors import UsageError
from lenet.network.spec import DIGITS, LINE_LABELS, SPACE

# What a number is written of: digits and signs, in the order of `LINE_LABELS`.
SYMBOLS = LINE_LABELS[: LINE_LABELS.index(SPACE)]
_MOST_STATES = 5_000
# So many moves from state to state are followed to make an expression's automaton: a second of work.
_MOST_STEPS = 5_000_000
_MOST_REPEATS = 100

_DAY, _MONTH = r"(0?[1-9]|[12]\d|3[01])", "(0?[1-9]|1[0-2])"
# Separators of one kind part thousands, or day, month and year.
NAMED = {
    "zip": r"\d{5}(-\d{4})?",
    "amount": r"\d{1,3}(\.\d{3})+(,\d{2})?|\d{1,3}(,\d{3})+(\.\d{2})?|\d+([.,]\d{2})?",
    "time": r"([01]?\d|2[0-3]):?[0-5]\d",
    "date": "|".join(rf"{_DAY}{mark}{_MONTH}{mark}(\d\d)?\d\d" for mark in (r"\.", "/", "-"))
    + rf"|(\d\d)?\d\d-{_MONTH}-{_DAY}",
}


def parse_pattern(pattern: str, symbols: str = SYMBOLS) -> Automaton:
    r"""Return the texts of a named format (zip, amount, time, date), `digits:N`, `luhn`, or a regular expression.

    A regular expression knows literals, [classes], \d, ., groups, |, ?, *, + and {m,n}; `symbols` are all that a text
    may be written of. Raises UsageError.
    """
    if not pattern:
        raise UsageError("pattern ''", "allows no number", "leave it out to allow all")
    if pattern == "luhn":
        return _accept_luhn(symbols)
    count = re.fullmatch(r"digits:(\d{1,2})", pattern)
    if count:
        return _parse(rf"\d{{{int(count[1])}}}", pattern, symbols)
    return _parse(NAMED.get(pattern, pattern), pattern, symbols)


def accept_choices(choices: list[str], name: str, symbols: str = SYMBOLS) -> Automaton:
    """Return the automaton of a list of texts. Raises UsageError for an empty list or a text that cannot be written."""
    if not choices:
        raise UsageError(name, "no choices", "give one to a line")
    transitions: list[dict[int, int]] = [{}]
    accepting: set[int] = set()
    for choice in choices:
        if not isinstance(choice, str):
            raise UsageError(f"{name}: choice {choice!r}", "no text", f"give texts, such as {str(choice)!r}")
        state = 0
        for character in choice:
            symbol = symbols.find(character)
            if symbol < 0:
                raise UsageError(f"{name}: choice {choice!r}", f"{character!r} is none of {symbols}")
            if symbol not in transitions[state]:
                transitions.append({})
                transitions[state][symbol] = len(transitions) - 1
            state = transitions[state][symbol]
        accepting.add(state)
    return _merge_states(transitions, accepting, len(symbols))


def _merge_states(transitions: list[dict[int, int]], accepting: set[int], symbols: int) -> Automaton:
    """Return the least automaton of a tree: states that the same endings follow are one."""
    places: dict[tuple[bool, tuple[tuple[int, int], ...]], int] = {}
    merged = [0] * len(transitions)
    # A branch is numbered after its root, so its ends come first here; the tree's root is the last that is new.
    for state in reversed(range(len(transitions))):
        ways = tuple(sorted((symbol, merged[target]) for symbol, target in transitions[state].items()))
        merged[state] = places.setdefault((state in accepting, ways), len(places))
    table = np.full((len(places), symbols), -1, np.int32)
    ends = np.zeros(len(places), bool)
    for (accepted, ways), place in places.items():
        row = len(places) - 1 - place
        ends[row] = accepted
        for symbol, target in ways:
            table[row, symbol] = len(places) - 1 - target
    return Automaton(table, ends)


def accepts(allowed: Automaton, text: str, symbols: str = SYMBOLS) -> bool:
    """Return whether a text of `symbols` is allowed."""
    state = 0
    for character in text:
        symbol = symbols.find(character)
        state = int(allowed.transitions[state, symbol]) if symbol >= 0 else -1
        if state < 0:
            return False
    return bool(allowed.accepting[state])


def accept_digits() -> Automaton:
    """Return the automaton of every text of digits."""
    transitions = np.full((1, len(SYMBOLS)), -1, np.int32)
    transitions[0, :10] = 0
    return Automaton(transitions, np.ones(1, bool))


def _accept_luhn(symbols: str) -> Automaton:
    """Return the texts of digits whose Luhn checksum is 0: a state is (sum if the length is even, if it is odd)."""
    doubled = [2 * d - 9 * (d > 4) for d in range(10)]  # noqa: PLR2004
    transitions = np.full((100, len(symbols)), -1, np.int32)
    for even in range(10):
        for odd in range(10):
            for digit in range(10):
                # Digits are doubled by their place from the right: keep the sums for both parities of what is to come.
                transitions[even * 10 + odd, symbols.index(str(digit))] = (odd + digit) % 10 * 10 + (
                    even + doubled[digit]
                ) % 10
    accepting = np.arange(100) // 10 == 0
    return Automaton(transitions, accepting)


@dataclass
class _Nfa:
    """A nondeterministic automaton under construction: symbol moves and free moves of each state."""

    transitions: list[dict[int, set[int]]]
    epsilon: list[set[int]]

    def state(self) -> int:
        self.transitions.append({})
        self.epsilon.append(set())
        if len(self.transitions) > _MOST_STATES:
            raise ValueError("too large")
        return len(self.transitions) - 1


class _Parser:
    """Recursive descent over a regular expression; each part becomes (first, last) states."""

    def __init__(self, text: str, alphabet: str) -> None:
        self.text, self.alphabet, self.at, self.nfa = text, alphabet, 0, _Nfa([], [])

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def either(self) -> tuple[int, int]:
        first, last = self.nfa.state(), self.nfa.state()
        while True:
            start, end = self.sequence()
            self.nfa.epsilon[first].add(start)
            self.nfa.epsilon[end].add(last)
            if self.peek() != "|":
                return first, last
            self.at += 1

    def sequence(self) -> tuple[int, int]:
        first = last = self.nfa.state()
        while self.peek() not in ("", "|", ")"):
            begin = self.at
            part = self.atom()
            end = self.at
            low, high = self.repeats()
            after = self.at
            # Each further copy is parsed again: states cannot be shared.
            for copy in range(max(low, 1 if high is None else high)):
                if copy:
                    self.at = begin
                    part = self.atom()
                    self.at = end
                if copy >= low:
                    self.nfa.epsilon[part[0]].add(part[1])
                self.nfa.epsilon[last].add(part[0])
                last = part[1]
                if high is None and copy == max(low, 1) - 1:
                    self.nfa.epsilon[part[1]].add(part[0])
            self.at = after
        return first, last

    def repeats(self) -> tuple[int, int | None]:
        mark = self.peek()
        if mark and mark in "?*+":
            self.at += 1
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[mark]
        found = re.compile(r"\{(\d{1,9})(,(\d{1,9})?)?\}").match(self.text, self.at)
        if not found:
            return 1, 1
        self.at = found.end()
        low = int(found[1])
        high = low if found[2] is None else int(found[3]) if found[3] else None
        if max(low, high or 0) > _MOST_REPEATS:
            raise ValueError(f"{found[0]} repeats more than {_MOST_REPEATS} times")
        if high is not None and (high < low or high == 0):
            raise ValueError(f"repeats {found[0]}")
        return low, high

    def atom(self) -> tuple[int, int]:
        character = self.peek()
        if character == "(":
            self.at += 1
            if self.text.startswith("?:", self.at):
                self.at += 2
            inside = self.either()
            if self.peek() != ")":
                raise ValueError("a group is not closed")
            self.at += 1
            return inside
        first, last = self.nfa.state(), self.nfa.state()
        for symbol in self.symbols(character):
            self.nfa.transitions[first].setdefault(symbol, set()).add(last)
        return first, last

    def symbols(self, character: str) -> set[int]:
        self.at += 1
        if character == ".":
            return set(range(len(self.alphabet)))
        if character == "\\":
            escaped = self.peek()
            self.at += 1
            return {self.alphabet.index(digit) for digit in DIGITS} if escaped == "d" else self.one(escaped)
        if character == "[":
            closing = self.text.find("]", self.at)
            if closing < 0:
                raise ValueError("a class is not closed")
            body, self.at = self.text[self.at : closing], closing + 1
            inside = {place for place, symbol in enumerate(self.alphabet) if re.match(f"[{body}]", symbol)}
            if not inside:
                raise ValueError(f"[{body}] allows nothing")
            return inside
        if character in "?*+{":
            raise ValueError(f"{character!r} repeats nothing")
        return self.one(character)

    def one(self, character: str) -> set[int]:
        place = self.alphabet.find(character) if character else -1
        if place < 0:
            raise ValueError(f"{character!r} is none of {self.alphabet}")
        return {place}


def _drop_anchors(expression: str) -> str:
    """Return an expression without ^ before and $ behind it: it stands for the whole number anyway.

    Without ^ before it, $ is the sign of dollars.
    """
    if not expression.startswith("^"):
        return expression
    escapes = len(expression) - 1 - len(expression[:-1].rstrip("\\"))
    return expression[1:-1] if expression.endswith("$") and escapes % 2 == 0 else expression[1:]


def _parse(expression: str, name: str, symbols: str) -> Automaton:
    expression = _drop_anchors(expression)
    parser = _Parser(expression, symbols)
    try:
        first, last = parser.either()
        if parser.at < len(expression):
            raise ValueError(f"{parser.peek()!r} at {parser.at}")
        return _determine(parser.nfa, first, last, len(symbols))
    except (ValueError, re.error, RecursionError) as error:
        expected = f"expected {', '.join(NAMED)}, digits:N, luhn or a regular expression"
        raise UsageError(f"pattern {name!r}", str(error) or "too deep", expected) from error


def _determine(nfa: _Nfa, first: int, last: int, alphabet: int) -> Automaton:
    """Return the deterministic automaton: a state for each set of states that can be reached together.

    A set is an integer with a bit for each state. Raises ValueError for more sets, or work, than an expression needs.
    """
    free = _close_freely(nfa.epsilon)
    # Where a symbol leads from each state, free moves included; symbols that lead to the same places are one class.
    ways: list[dict[int, int]] = [{} for _symbol in range(alphabet)]
    for state, moves in enumerate(nfa.transitions):
        for symbol, targets in moves.items():
            ways[symbol][state] = _unite(free[target] for target in targets)
    alike: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for symbol, own in enumerate(ways):
        alike.setdefault(tuple(own.items()), []).append(symbol)
    classes = [
        (ways[symbols[0]], _unite(1 << state for state in ways[symbols[0]]), symbols) for symbols in alike.values()
    ]
    sets = [free[first]]
    numbers = {sets[0]: 0}
    rows: list[Int32] = []
    steps = 0
    while len(rows) < len(sets):
        row = np.full(alphabet, -1, np.int32)
        for leads, movers, symbols in classes:
            found = 0
            for state in _list_bits(sets[len(rows)] & movers):
                found |= leads[state]
                steps += 1
            if found and found not in numbers:
                if len(sets) == _MOST_STATES or steps > _MOST_STEPS:
                    raise ValueError("too large")
                numbers[found] = len(sets)
                sets.append(found)
            if found:
                row[symbols] = numbers[found]
        rows.append(row)
    return Automaton(np.stack(rows), np.array([each >> last & 1 for each in sets], bool))


def _close_freely(moves: list[set[int]]) -> list[int]:
    """Return for each state the set of those that free moves reach from it, itself included."""
    found = [1 << state for state in range(len(moves))]
    order = _order_targets_first(moves)
    changed = True
    while changed:  # once, and once more for each loop within loops
        changed = False
        for state in order:
            more = found[state] | _unite(found[target] for target in moves[state])
            changed = changed or more != found[state]
            found[state] = more
    return found


def _order_targets_first(moves: list[set[int]]) -> list[int]:
    """Return all states, those that a state's moves lead to before it, but where they lead back."""
    order: list[int] = []
    seen = [False] * len(moves)
    for root in range(len(moves)):
        waiting = [] if seen[root] else [(root, iter(moves[root]))]
        seen[root] = True
        while waiting:
            state, targets = waiting[-1]
            target = next((each for each in targets if not seen[each]), None)
            if target is None:
                order.append(state)
                waiting.pop()
            else:
                seen[target] = True
                waiting.append((target, iter(moves[target])))
    return order


def _unite(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)


def _list_bits(members: int) -> Iterator[int]:
    """Yield the numbers of a set's members, in order."""
    word = 0
    for part in members.to_bytes(-(-members.bit_length() // 8), "little"):
        while part:
            low = part & -part
            yield word + low.bit_length() - 1
            part ^= low  # noqa: PLW2901
        word += 8
