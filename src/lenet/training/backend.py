"""What the training loop asks of a backend. The loop owns the schedule; a backend owns the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lenet.arrays import Float32, Tensors, Uint8
from lenet.training.plan import PassPlan
from lenet.training.recipe import Recipe
from lenet.training.sequence_loss import SequenceTraining
from lenet.training.teacher import Teacher


@dataclass(frozen=True)
class Counts:
    """What one replica saw during a chunk: the sum of the losses and the wrong answers, before each step."""

    loss: float
    errors: int


@dataclass(frozen=True)
class Material:
    """What there is to learn from: inputs (n, 1, 32, 32) and labels (n,), each 0 to 10.

    A `teacher` says how likely each label is, in place of the labels; a recipe with numbers learns `numbers` besides.
    """

    inputs: Float32
    labels: Uint8
    teacher: Teacher | None = None
    numbers: SequenceTraining | None = None


class Backend(Protocol):
    """Trains one or more replicas of a network side by side. Lists have one entry per replica."""

    name: str
    runs_on: str  # for people: the instruction set and the threads, or the version and the device

    def require(self, recipe: Recipe) -> None:
        """Raise UsageError, naming the other backend, for a recipe that this one does not train."""

    def begin(self, recipe: Recipe, initial: list[Tensors], material: Material) -> None:
        """Take what there is to learn from, and each replica's initial tensors."""

    def run(self, plans: list[PassPlan], first: int, last: int) -> list[Counts]:
        """Do the steps `first` to `last` - 1 of a pass: 0.1 to 1 s of work."""

    def scores(self, inputs: Float32) -> list[Float32]:
        """Score inputs (n, 1, 32, 32) -> (n, k) with the weights that would be kept now."""

    def weights(self) -> list[Tensors]:
        """Return the tensors that would be kept now, as a weights file has them."""

    def state(self) -> Tensors:
        """Return all that the next pass depends on, as named arrays."""

    def restore(self, state: Tensors) -> None:
        """Take up a state again, after `begin`."""
