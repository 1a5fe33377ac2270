"""Pictures that are read for ever, as a fault in Python, OpenCV or the engine might have it."""

from __future__ import annotations

import hashlib
import itertools
from contextlib import suppress
from pathlib import Path

PYTHON, LOCKED, FREE = b"loops in Python", b"loops in C, with Python's lock", b"loops in C, without it"


def loop(source: object) -> None:
    """Never return for one of these pictures, its bytes or its path."""
    if isinstance(source, str) and Path(source).is_file():
        source = Path(source).read_bytes()
    if not isinstance(source, bytes):
        return
    while source == PYTHON:
        with suppress(Exception):
            while True:
                pass
    if source == LOCKED:
        sum(itertools.repeat(0))
    if source == FREE:
        hashlib.pbkdf2_hmac("sha512", b"", b"", 2**31 - 1)
