"""Which engine runs: the native one with the best instruction set of this machine, or what LENET_ENGINE names."""

from __future__ import annotations

import os
import warnings
from functools import cache
from pathlib import Path

from lenet.errors import UsageError

try:
    from lenet.native import _native
except ImportError as error:  # not built here, as on Windows
    _instructions: tuple[str, ...] = ()
    _why_not = str(error)
else:
    _instructions = tuple(_native.available())
    _why_not = ""

REFERENCE = "reference"
# The variable that says how many cores may be used, if not all.
THREADS = "LENET_THREADS"


def available_engines() -> tuple[str, ...]:
    """Return the engines of this machine, the fastest first: instruction sets, then "reference" (NumPy)."""
    return (*_instructions, REFERENCE)


def chosen_engine() -> str:
    """Return the engine that runs: LENET_ENGINE if it is set, else the fastest.

    Raises UsageError when LENET_ENGINE names an engine that this machine does not have. Warns, once, when the
    native engine is missing altogether.
    """
    return _chosen(os.environ.get("LENET_ENGINE"))


def runs_natively() -> bool:
    """Return whether stages of reading run in C++: wherever the engine does."""
    return chosen_engine() != REFERENCE


@cache
def _chosen(named: str | None) -> str:
    names = available_engines()
    if named:
        if named not in names:
            raise UsageError(f"LENET_ENGINE {named!r}", f"this machine has {', '.join(names)}")
        return named
    if not _instructions:
        warnings.warn(f"the native engine is not built ({_why_not}): the slow reference runs", stacklevel=4)
    return names[0]


def count_cores() -> int:
    """Return how many cores this process may use: its affinity, within its control group's quota and LENET_THREADS.

    Raises UsageError when LENET_THREADS is no number above 0.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    usable = len(affinity(0)) if affinity else os.cpu_count() or 1
    wanted = os.environ.get(THREADS) or str(usable)
    if not wanted.isdecimal() or not int(wanted):
        raise UsageError(f"{THREADS} {wanted!r}", "expected a number of cores from 1 on")
    return max(1, min(usable, _quota() or usable, int(wanted)))


@cache
def _quota() -> int | None:
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return None if limit == "max" else max(1, int(limit) // int(period))
    except (OSError, ValueError):
        return None
