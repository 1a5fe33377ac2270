"""The Python interface: the few functions that `import lenet` offers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet import reader
from lenet.answers.line import Readers
from lenet.engine import Network, load
from lenet.errors import LenetError, MissingExtra, warn_renamed
from lenet.network.spec import DEFAULT, NETS, SLIDING_DEFAULT
from lenet.network.weights import list_shipped
from lenet.preprocessing.sources import PictureSource, take_source
from lenet.result import Reading

if TYPE_CHECKING:
    from PIL import Image

    from lenet.bulk.many import Pictures, Progress
    from lenet.evaluation.result import Evaluation
    from lenet.nets import LeNet
    from lenet.tables.result import Table
    from lenet.tables.sums import SumPlace

__all__ = [
    "create_model",
    "evaluate",
    "explain",
    "list_models",
    "list_networks",
    "load",
    "read",
    "read_many",
    "read_table",
    "train",
]

_load_once = lru_cache(maxsize=8)(load)


def read(
    image: PictureSource,
    *,
    model: str | Network | None = None,
    digit: bool = False,
    sliding_window: bool = False,
    readers: Readers = "both",
    pattern: str | None = None,
    choices: list[str] | None = None,
    best: int = 0,
    max_error: float | None = None,
    sweep: bool | None = None,
) -> Reading:
    """Read the numbers in a picture.

    It is a path, bytes, an open file, a NumPy array (H, W[, 1 to 4]), a Pillow image, or a tensor (C, H, W).

    `model` is shipped weights by name, a weights file or a loaded network (None: lenet5-hands, or lenet5-sweep).
    `digit` takes all of it for one digit; `sliding_window` slides the network along each line (section VII of the
    paper). `readers` says who reads lines of numbers: "cut" cuts the ink into digits, "line" reads lines as a
    whole, "both" asks the one that is enough, and in doubt weighs what the two say. `pattern` says what a number
    may be (`lenet.decoding.formats.parse_pattern`: zip, amount, time, date, digits:N, luhn, or a regular
    expression), `choices` lists it. `best` is how many of the likeliest texts each line lists. With `max_error` an
    answer is withheld where more than this share of answers is wrong.

    Returns the text with a calibrated confidence, and for each digit the runner-up, the box and the glyph that the
    network saw, with a note for every decision taken on the way. Raises PictureError when the picture cannot be
    decoded, WeightsError when the weights cannot be used, and UsageError for a wrong pattern, choice or share.
    """
    if sweep is not None:
        warn_renamed("read(sweep=...)", "sliding_window")
        sliding_window = sweep
    network = _choose_network(model, sliding_window=sliding_window)
    asked: dict[str, Any] = {"digit": digit, "sliding_window": sliding_window, "readers": readers, "pattern": pattern}
    asked |= {"choices": choices, "best": best, "max_error": max_error}
    source = take_source(image)
    found = reader.read(source, network, reader.read_options(network, **asked))
    return replace(found, path=_name_path(source), source=source)


def read_many(
    pictures: Pictures,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    timeout: float | None = None,
    column: str | None = None,
    model: str | Network | None = None,
    digit: bool = False,
    sliding_window: bool = False,
    readers: Readers = "both",
    pattern: str | None = None,
    choices: list[str] | None = None,
    best: int = 0,
    max_error: float | None = None,
) -> Iterator[Reading | LenetError]:
    """Read many pictures on all cores, one after the other in order, and hold few of them at a time.

    `pictures` are a folder, a glob, an archive (.zip, .tar), a Parquet file (its `column` of bytes), a file of several
    pages, a stack of arrays (N, H, W) or (N, H, W, C), or any iterable of what `read` takes, a generator among them;
    paths in it may be folders and archives too. `workers` is how many processes read (None: all cores, or this process
    alone for few pictures). `progress` is called with how many are read, and of how many, or None where nobody knows.
    A picture that takes more than `timeout` CPU seconds is given up. The other options are those of `read`.

    Yields a Reading for each picture, whose `path` is its name or its number; for one that cannot be read, in its
    place, the LenetError that says why, with the same `path`: nothing is raised. What is wrong with the options or the
    model raises at once, as in `read`.
    """
    from lenet.bulk.many import read_pictures

    network = _choose_network(model, sliding_window=sliding_window)
    asked: dict[str, Any] = {"digit": digit, "sliding_window": sliding_window, "readers": readers, "pattern": pattern}
    asked |= {"choices": choices, "best": best, "max_error": max_error}
    options = reader.read_options(network, **asked)
    ways: dict[str, Any] = {"workers": workers, "column": column, "timeout": timeout, "progress": progress}
    return read_pictures(pictures, network, options, **ways)


def explain(
    image: PictureSource,
    *,
    model: str | Network | None = None,
    digit: bool = False,
    sliding_window: bool = False,
) -> Image.Image:
    """Draw how a picture was read, as a Pillow image: its ink in pieces, all candidates with scores, the best path.

    Of one digit the figure has the maps of every layer; of a `sliding_window` the columns of scores along the line.
    Raises what `read` does, and PictureError where there is nothing to explain.
    """
    from lenet.drawing.show import explain_picture

    network = _choose_network(model, sliding_window=sliding_window)
    reader.read_options(network, digit=digit, sliding_window=sliding_window)
    return explain_picture(image, network, digit=digit, sliding_window=sliding_window)[0]


def _choose_network(model: str | Network | None, *, sliding_window: bool) -> Network:
    if model is None:
        model = SLIDING_DEFAULT if sliding_window else DEFAULT
    return model if isinstance(model, Network) else _load_once(model)


def _name_path(source: object) -> str | None:
    return os.fspath(source) if isinstance(source, str | os.PathLike) else None


def read_table(
    image: PictureSource,
    *,
    model: str | Network | None = None,
    pattern: str | None = None,
    columns: dict[int, str] | None = None,
    choices: list[str] | None = None,
    sums: SumPlace | None = None,
    printed: bool = False,
    fields: str | Path | None = None,
    best: int = 0,
    max_error: float | None = None,
) -> list[Table]:
    """Read the tables of a page of numbers, which is given as to `read`.

    `pattern` and `choices` say what a number may be, as in `read`; `columns` what those of a column may be, by its
    number from 0. `sums` says where sums stand, which are checked, and decide between likely texts. Machine print is
    read if it is `printed` that is wanted too. Of a form, `fields` is its file, as `lenet form` writes it. `best` is
    how many of the likeliest texts each cell lists.

    Returns the tables in reading order, their cells with state, text, confidence, guess and place; none if there are no
    lines that make one. Raises PictureError when the picture cannot be decoded, WeightsError when the weights cannot be
    used, DataError when the form cannot, and UsageError for a wrong pattern, choice, column, sum or share.
    """
    from lenet.tables.read_page import read_tables, table_options

    chosen = DEFAULT if model is None else model
    network = chosen if isinstance(chosen, Network) else _load_once(chosen)
    asked: dict[str, Any] = {"pattern": pattern, "columns": columns, "choices": choices, "sums": sums}
    asked |= {"printed": printed, "fields": fields, "best": best, "max_error": max_error}
    return list(read_tables(take_source(image), network, table_options(network, **asked)).tables)


def list_models() -> list[str]:
    """Return the names of the shipped weights: what `load`, and `model` of `read`, take."""
    return list(list_shipped())


def list_networks() -> dict[str, str]:
    """Return the architectures that `create_model` builds: each by its name, with what it is."""
    return {name: net.about for name, net in NETS.items()}


def create_model(name: str, pretrained: bool = False, **options: Any) -> LeNet:
    """Build a network as a `torch.nn.Module`; see `lenet.nets.create_model`. Needs the extra "torch"."""
    try:
        from lenet import nets
    except ImportError as error:
        raise MissingExtra("create_model", "PyTorch", "torch") from error
    return nets.create_model(name, pretrained, **options)


def evaluate(model: str | Network = DEFAULT, data: str | Path = "mnist") -> Evaluation:
    """Count a network's errors on a public set's test part or on a folder of labelled pictures."""
    from lenet.evaluation import digits as measure
    from lenet.training.synthetic.characters import load_measured

    network = model if isinstance(model, Network) else _load_once(model)
    return measure.evaluate(network, *load_measured(network, data))


def train(
    recipe: str = "modern", data: str | Path = "mnist", out: str | Path | None = None, **options: Any
) -> dict[str, Any]:
    """Train by a named recipe and return the run's result: its errors, its folder `out`, and the weights in it.

    `data` is a public set, or a folder of labelled pictures: of digits for "corrections", of whole numbers for
    "own-numbers". The options, such as `passes`, `seed` and `init`, are those of `lenet.training.start.train`. In a
    notebook a bar shows how far it is, and the result shows itself. Raises UsageError, DataError, WeightsError,
    TrainingError or MissingExtra.
    """
    from lenet.training import start
    from lenet.training.watch import RunResult, watch_run

    return RunResult(start.train(recipe, data, out, **{"report": watch_run(), **options}))
