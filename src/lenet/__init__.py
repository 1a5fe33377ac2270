"""LeNet-5, proved, and a reader of handwritten digits that runs on it.

>>> import lenet
>>> reading = lenet.read("examples/pen.png")
>>> reading.text, reading.confidence, reading.notes

Everything is loaded when it is first used: importing lenet imports neither PyTorch nor OpenCV.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenet.version import __version__ as __version__

if TYPE_CHECKING:
    from lenet.api import (
        create_model,
        evaluate,
        explain,
        list_models,
        list_networks,
        load,
        read,
        read_many,
        read_table,
        train,
    )
    from lenet.engine import Network
    from lenet.errors import DataError, LenetError, MissingExtra, PictureError, TrainingError, UsageError, WeightsError
    from lenet.evaluation.result import Evaluation
    from lenet.result import Digit, Line, Number, Reading, RunnerUp, Sign
    from lenet.steps import Step
    from lenet.tables.result import Cell, Sum, Table

__all__ = [
    "Cell",
    "DataError",
    "Digit",
    "Evaluation",
    "LenetError",
    "Line",
    "MissingExtra",
    "Network",
    "Number",
    "PictureError",
    "Reading",
    "RunnerUp",
    "Sign",
    "Step",
    "Sum",
    "Table",
    "TrainingError",
    "UsageError",
    "WeightsError",
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
# Where what is not in `lenet.api` is.
_HOMES = {
    "lenet.engine": ("Network",),
    "lenet.errors": (
        *("DataError", "LenetError", "MissingExtra", "PictureError", "TrainingError", "UsageError", "WeightsError"),
    ),
    "lenet.evaluation.result": ("Evaluation",),
    "lenet.result": ("Digit", "Line", "Number", "Reading", "RunnerUp", "Sign"),
    "lenet.steps": ("Step",),
    "lenet.tables.result": ("Cell", "Sum", "Table"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lenet' has no attribute {name!r}")
    from importlib import import_module

    home = next((module for module, names in _HOMES.items() if name in names), "lenet.api")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
