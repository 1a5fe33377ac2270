"""Numbers that were chosen, not learned: each a field with a unit, a role and a source, in one frozen set a stage."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any, Literal

# Where a number comes from: tried by hand on drawn pages, `data/real` and `data/field`; measured on MNIST's training
# digits; what follows from the shape of the thing; or what bounds time or memory and hardly the answer.
Source = Literal["tried", "MNIST", "shape", "time"]


def tuned(value: float, unit: str, role: str, source: Source = "tried") -> Any:
    """Return a field of a parameter set: its value, in which unit, what it decides, and where it comes from."""
    return field(default=value, metadata={"unit": unit, "role": role, "source": source})


def list_parameters(stage: object) -> list[tuple[str, float, str, str, Source]]:
    """Return the numbers of a stage's set: the name, value, unit, role and source of each."""
    return [
        (each.name, getattr(stage, each.name), each.metadata["unit"], each.metadata["role"], each.metadata["source"])
        for each in fields(stage)  # type: ignore[arg-type]
    ]
