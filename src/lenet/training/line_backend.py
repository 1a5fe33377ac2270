"""What the training of a line network asks of a backend, and which one trains."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from lenet.arrays import Floats, Int64, Tensors, Uint8
from lenet.errors import MissingExtra, UsageError
from lenet.training.line_recipe import LineRecipe
from lenet.training.line_stream import LineBatch


class LineBackend(Protocol):
    """Trains one line network."""

    name: str
    runs_on: str  # for people: the instruction set and the threads, or the version and the device

    def keep(self, lines: LineBatch) -> Any:
        """Return the lines of a pass, ready for `step`."""

    def settle(self, strips: Uint8) -> None:
        """Make a start from given weights say the same as they do, on strips (n, 32, W)."""

    def step(self, lines: Any, rows: Int64, rng: np.random.Generator, share: float) -> Any:
        """Learn from those rows of kept lines, this share of all steps being done; return the mean loss of a label."""

    def scores(self, strips: Uint8) -> Floats:
        """Score strips (n, 32, W) by the weights that would be kept now: (n, columns, k)."""

    def weights(self) -> Tensors:
        """Return the tensors that would be kept now, as a weights file has them."""

    def state(self) -> Tensors:
        """Return all that a later pass goes on from, as named arrays."""

    def restore(self, state: Tensors) -> None:
        """Take up a state again. Raises TrainingError when it belongs to another recipe."""


def choose_line_backend(
    recipe: LineRecipe, seed: int, initial: Tensors | None, backend: str | None, device: str | None
) -> LineBackend:
    """Return what trains a recipe: the engine, or PyTorch for a device other than the CPU and for normalisation.

    Raises UsageError for what does not go together, and MissingExtra without PyTorch.
    """
    name = backend or ("engine" if device in (None, "cpu") and not recipe.batch_norm else "torch")
    if name == "engine":
        if device not in (None, "cpu"):
            raise UsageError(f"device {device}", "the engine runs on the CPU", "use --backend torch for it")
        if recipe.batch_norm:
            problem = "the engine does not train batch normalisation"
            raise UsageError(f"recipe {recipe.name}", problem, "use --backend torch, or --recipe line")
        from lenet.training.line_engine import EngineLines

        return EngineLines(recipe, seed, initial)
    if name != "torch":
        raise UsageError(f"backend {name!r}", "expected engine or torch")
    try:
        from lenet.training.line_torch import TorchLines
    except ImportError as error:
        raise MissingExtra("training with the torch backend", "PyTorch", "torch") from error
    return TorchLines(recipe, seed, initial, device)
