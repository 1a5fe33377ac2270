"""Interleaved timing: every contender in turn, many times, and the median of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

# Contenders keep their threads awake for a while after work; the next one should not be disturbed by it.
_REST = 0.03
_LEAST = 0.05


def repeats(work: Callable[[], object], least: float) -> int:
    """Return how often to do a piece of work so that it takes `least` seconds; does it twice, once to warm up."""
    work()
    started = time.perf_counter()
    work()
    return max(1, round(least / max(time.perf_counter() - started, 1e-9)))


def interleave(works: Mapping[str, Callable[[], object]], rounds: int, least: float = _LEAST) -> dict[str, float]:
    """Return the median seconds of each piece of work, over `rounds` in which all take their turn.

    Work that is shorter than `least` seconds is done several times in each turn.
    """
    counts = {name: repeats(work, least) for name, work in works.items()}
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _round in range(rounds):
        for name, work in works.items():
            time.sleep(_REST)
            work()  # threads awake again, caches warm
            started = time.perf_counter()
            for _time in range(counts[name]):
                work()
            taken[name].append((time.perf_counter() - started) / counts[name])
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
