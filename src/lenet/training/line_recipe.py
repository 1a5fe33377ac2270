"""Recipes for networks that read lines: everything about such a run but the seed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from lenet.errors import UsageError
from lenet.network.spec import LINE_NETS


@dataclass(frozen=True)
class LineRecipe:
    """How to train one line network: AdamW on lines that are made anew in every pass."""

    # what it is called: with `lenet train --recipe`, in a run folder and in a model card
    name: str
    # the network, by its name in `lenet.network.spec.LINE_NETS`
    net: str
    # where the values come from, for people
    provenance: str
    # how many passes there are, and how many thousand lines are made for each
    passes: int = 100
    thousands: int = 16
    # the lines of so many passes are kept, and shown so many times in all: fewer have to be made
    window: int = 8
    repeats: int = 6
    # lines in a step, if they are 192 pixels wide; of wider ones fewer
    batch: int = 64
    # the rate at its highest, up during this share of the steps, then down along half a cosine
    rate: float = 1e-3
    warm: float = 0.03
    # share of each weight, not of biases, that a step takes off, times the rate
    weight_decay: float = 0.01
    # decay per step of a running average of the weights, which is kept at the end
    averaging: float = 0.9995
    # whether sums are normalised while it learns, which the engine does not do; folded into the weights at the end
    batch_norm: bool = False

    def rate_at(self, share: float) -> float:
        """Return the rate when this share of all steps is done."""
        if share < self.warm:
            return self.rate * (0.05 + 0.95 * share / self.warm)
        along = (share - self.warm) / max(1e-9, 1 - self.warm)
        return self.rate * (0.5 + 0.5 * math.cos(math.pi * min(1.0, along)))

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data for JSON."""
        return asdict(self)


LINE_RECIPES: dict[str, LineRecipe] = {
    recipe.name: recipe
    for recipe in (
        LineRecipe(
            name="line",
            net="lenet-line-long",
            provenance="the paper's section VII trained as a whole, by the forward loss over all alignments of a text, "
            "on lines that are made of UNIPEN's strokes, MNIST's digits, print and drawn styles",
        ),
        LineRecipe(
            name="line-normalised",
            net="lenet-line-long",
            provenance="the same in large batches with batch normalisation (Ioffe and Szegedy, 2015), for a GPU",
            batch=640,
            rate=3e-3,
            batch_norm=True,
        ),
    )
}
_BOUNDS: dict[str, tuple[float, float]] = {
    "passes": (1, 10_000),
    "thousands": (1, 1_000),
    "window": (1, 1_000),
    "repeats": (1, 1_000),
    "batch": (1, 10_000),
    "rate": (1e-8, 1),
    "warm": (0, 1),
    "weight_decay": (0, 1),
    "averaging": (0, 0.999999),
}


def change_line_recipe(recipe: LineRecipe, settings: dict[str, str], passes: int | None) -> LineRecipe:
    """Return a recipe with changes. Raises UsageError for a name or a value that is not allowed."""
    changes: dict[str, Any] = {} if passes is None else {"passes": passes}
    kinds = {field.name: type(getattr(recipe, field.name)) for field in fields(recipe) if field.name in _BOUNDS}
    for name, text in settings.items():
        if name not in kinds:
            raise UsageError(f"--set {name}", f"recipe {recipe.name} has no such setting", f"it has {', '.join(kinds)}")
        try:
            changes[name] = kinds[name](text)
        except ValueError:
            raise UsageError(f"--set {name}={text}", f"expected a number, as {getattr(recipe, name)}") from None
    for name, value in changes.items():
        low, high = _BOUNDS[name]
        if not low <= value <= high:
            raise UsageError(f"{name} {value:g}", f"expected {low:g} to {high:,g}")
    changed = replace(recipe, **changes)
    assert changed.net in LINE_NETS
    return changed
