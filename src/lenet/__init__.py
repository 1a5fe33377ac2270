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
    from lenet.api import create_model, evaluate, list_models, load, read, read_table, train
    from lenet.engine import Network
    from lenet.errors import LenetError
    from lenet.result import Reading
    from lenet.tables.result import Table

__all__ = [
    "LenetError",
    "Network",
    "Reading",
    "Table",
    "create_model",
    "evaluate",
    "list_models",
    "load",
    "read",
    "read_table",
    "train",
]
_HOMES = {
    "LenetError": "lenet.errors",
    "Network": "lenet.engine",
    "Reading": "lenet.result",
    "Table": "lenet.tables.result",
    "__version__": "lenet.version",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lenet' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "lenet.api")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
