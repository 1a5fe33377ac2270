"""The Python interface: the few functions that `import lenet` offers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet import reader
from lenet.answers.line import Readers
from lenet.engine import Network, load
from lenet.errors import MissingExtra, warn_renamed
from lenet.network.spec import DEFAULT, NETS, SLIDING_DEFAULT
from lenet.preprocessing.decode import PictureSource
from lenet.result import Reading

if TYPE_CHECKING:
    from lenet.evaluation.result import Evaluation
    from lenet.nets import LeNet
    from lenet.tables.result import Table
    from lenet.tables.sums import SumPlace

__all__ = ["create_model", "evaluate", "list_models", "load", "read", "read_table", "train"]

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
    """Read the numbers in a picture: a path, bytes, a NumPy array (H, W[, 1 to 4]) or a Pillow image.

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
    if model is None:
        model = SLIDING_DEFAULT if sliding_window else DEFAULT
    network = model if isinstance(model, Network) else _load_once(model)
    asked = reader.read_options(
        network,
        digit=digit,
        sliding_window=sliding_window,
        readers=readers,
        pattern=pattern,
        choices=choices,
        best=best,
        max_error=max_error,
    )
    return reader.read(image, network, asked)


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
    """Read the tables of a page of numbers: a path, bytes, a NumPy array (H, W[, 1 to 4]) or a Pillow image.

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
    return list(read_tables(image, network, table_options(network, **asked)).tables)


def list_models() -> list[str]:
    """Return the names of the networks that `create_model` builds."""
    return list(NETS)


def create_model(name: str, pretrained: bool = False, **options: Any) -> LeNet:
    """Build a network as a `torch.nn.Module`; see `lenet.nets.create_model`. Needs the extra "torch"."""
    try:
        from lenet import nets
    except ImportError as error:
        raise MissingExtra("create_model", "PyTorch", "torch") from error
    return nets.create_model(name, pretrained, **options)


def evaluate(model: str | Network = DEFAULT, data: str | Path = "mnist") -> Evaluation:
    """Count a network's errors on a public set's test part or on a folder of labelled pictures."""
    from lenet.data import dataset
    from lenet.evaluation import digits as measure

    network = model if isinstance(model, Network) else _load_once(model)
    return measure.evaluate(network, dataset.load_test(data), str(data))


def train(recipe: str = "modern", data: str | Path = "mnist", out: str | Path | None = None, **options: Any) -> Any:
    """Train by a named recipe and return the run's result; options are those of `lenet.training.start.train`."""
    from lenet.training import start

    return start.train(recipe, data, out, **options)
