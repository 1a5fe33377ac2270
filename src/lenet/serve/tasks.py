"""What a reader process does for a request: from bytes to the body of the answer. Nothing here knows the routes."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Uint8
from lenet.data.dataset import load_test
from lenet.drawing.review import tell_review
from lenet.engine import Network, load
from lenet.errors import LenetError, PictureError, UsageError, WeightsError
from lenet.reader import read, read_options
from lenet.serve.inspect import explain_candidates, explain_columns, explain_layers, explain_unit, list_mistakes
from lenet.serve.occlusion import find_runner_up, vary
from lenet.tables.read_page import read_tables, table_options

# What a wrong picture is, by the kind of its error.
_STATUS = {"unsupported": 415, "too large": 413, "empty": 400, "damaged": 422}


@dataclass(frozen=True)
class Outcome:
    """A status of HTTP, a media type, and the body; `picture` if a picture is wrong, rather than what was asked."""

    status: int
    media: str
    body: bytes
    picture: bool = False


def fail(status: int, message: str, picture: bool = False) -> Outcome:
    """Return an error as every route tells it: one line."""
    return Outcome(status, "application/json", json.dumps({"error": " ".join(message.split())}).encode(), picture)


def _told(found: dict[str, Any]) -> Outcome:
    return Outcome(200, "application/json", json.dumps(found).encode())


def find_status(error: LenetError) -> int:
    """Return the status that tells a client what is wrong."""
    if isinstance(error, PictureError):
        return _STATUS[error.kind]
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return 507
    if isinstance(error, WeightsError):
        return 404
    return 500 if isinstance(cause, OSError) else 422  # of this machine, or of what was asked


def _as_outcome(task: Callable[..., Outcome]) -> Callable[..., Outcome]:
    @wraps(task)
    def done(**arguments: Any) -> Outcome:
        try:
            return task(**arguments)
        except LenetError as error:
            return fail(find_status(error), str(error))

    return done


@lru_cache(maxsize=8)
def _loaded(path: str, changed: float) -> Network:
    """Load a network once for a process that has one core to itself; again when its file has changed."""
    del changed
    return replace(load(path), threads=1)


def network(model: str) -> Network:
    """Return shipped weights by name, or a file's. Raises WeightsError."""
    return _loaded(model, _find_change(model))


def _find_change(model: str) -> float:
    """Return when a weights file was changed; 0 of shipped weights."""
    path = Path(model)
    return path.stat().st_mtime if path.suffix and path.is_file() else 0.0


@_as_outcome
def ready(model: str) -> Outcome:
    """Load a network and read a blank page, so that the first client need not wait."""
    read(np.full((64, 64), 255, np.uint8), network(model), read_options(network(model)))
    return _told({})


@_as_outcome
def read_picture(
    picture: bytes, path: str | None, model: str, sliding_window: bool, digit: bool, options: dict[str, Any]
) -> Outcome:
    """Read a picture as `lenet read --json` does."""
    loaded = network(model)
    asked = read_options(loaded, digit=digit, sliding_window=sliding_window, **options)
    try:
        reading = read(picture, loaded, asked)
    except PictureError as error:
        return fail(find_status(error), f"{path or 'picture'}: {error.problem}", picture=True)
    return _told({"path": path, **reading.as_json()})


@_as_outcome
def read_table(picture: bytes, path: str | None, model: str, review: bool, options: dict[str, Any]) -> Outcome:
    """Read the tables of a page as `lenet table --json` does; for `review` with a picture of each cell."""
    loaded = network(model)
    asked = table_options(loaded, **options)
    try:
        found = read_tables(picture, loaded, asked)
    except PictureError as error:
        return fail(find_status(error), f"{path or 'picture'}: {error.problem}", picture=True)
    if review:
        return _told(tell_review(found, picture, path or ""))
    return _told({"path": path, "page": 0, **found.as_json()})


@_as_outcome
def find_mistakes(model: str) -> Outcome:
    """Say which of MNIST's test digits a network gets wrong, the surest mistakes first; of the user's own copy."""
    return _told(_mistakes(model, _find_change(model)))


@lru_cache(maxsize=8)
def _mistakes(model: str, _changed: float) -> dict[str, Any]:
    return list_mistakes(network(model), load_test("mnist"))


@_as_outcome
def explain(
    picture: bytes, path: str | None, model: str, sliding_window: bool, digit: bool, options: dict[str, Any]
) -> Outcome:
    """Say all that is known of how a picture was read: its candidates with their glyphs and scores, its cuts."""
    loaded = network(model)
    asked = read_options(
        loaded, digit=digit, sliding_window=sliding_window, **{**options, "best": options["best"] or 4}
    )
    try:
        found = (
            explain_columns(picture, loaded, asked) if sliding_window else explain_candidates(picture, loaded, asked)
        )
    except PictureError as error:
        return fail(find_status(error), f"{path or 'picture'}: {error.problem}", picture=True)
    return _told({"path": path, "model": loaded.weights.name, **found})


@_as_outcome
def inside(glyph: bytes, model: str) -> Outcome:
    """Return every layer's values for a glyph."""
    return _told(explain_layers(network(model), _glyph(glyph)))


@_as_outcome
def one_unit(glyph: bytes, model: str, layer: str, place: tuple[int, int, int]) -> Outcome:
    """Return where one value of a layer comes from."""
    return _told(explain_unit(network(model), _glyph(glyph), layer, place))


@_as_outcome
def why_not(glyph: bytes, model: str) -> Outcome:
    """Return what in a glyph would have to change for its runner-up to win."""
    return _told(find_runner_up(network(model), _glyph(glyph)))


@_as_outcome
def change(glyph: bytes, model: str, amounts: dict[str, float], along: str | None) -> Outcome:
    """Return a glyph changed by amounts, its probabilities, and their curves along one kind of change."""
    return _told(vary(network(model), _glyph(glyph), amounts, along))


def _glyph(values: bytes) -> Uint8:
    if len(values) != 784:
        raise UsageError("glyph", f"{len(values)} values", "expected 784: 28 rows of 28, 0 for paper and 255 for pen")
    return np.frombuffer(values, np.uint8).reshape(28, 28)


TASKS: dict[str, Callable[..., Outcome]] = {
    "ready": ready,
    "read": read_picture,
    "table": read_table,
    "explain": explain,
    "activations": inside,
    "unit": one_unit,
    "why": why_not,
    "vary": change,
    "mistakes": find_mistakes,
}
