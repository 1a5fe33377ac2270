"""From a run folder to numbers: curves, errors, answers, rejection; all in per cent, as the paper has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from lenet.arrays import Float32, Float64, Uint8
from lenet.engine import Network, load
from lenet.errors import TrainingError, reason
from lenet.evaluation.interval import mean95, wilson95
from lenet.training.run import load_stored


@dataclass(frozen=True)
class Spread:
    """A figure over replicas, in per cent. `n` is the answers behind a single error rate, for Wilson's interval."""

    values: tuple[float, ...]
    n: int = 0

    @property
    def mean(self) -> float:
        """The mean."""
        return mean(self.values)

    @property
    def std(self) -> float:
        """The standard deviation; 0 for a single value."""
        return stdev(self.values) if len(self.values) > 1 else 0.0

    @property
    def interval95(self) -> tuple[float, float] | None:
        """Student's 95 % interval of the mean; Wilson's for a single error rate; else None."""
        if len(self.values) > 1:
            return mean95(list(self.values))
        if not self.n:
            return None
        low, high = wilson95(round(self.mean * self.n / 100), self.n)
        return 100 * low, 100 * high

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "mean": round(self.mean, 4),
            "std": round(self.std, 4) if len(self.values) > 1 else None,
            "interval95": [round(end, 4) for end in self.interval95] if self.interval95 else None,
            "best": min(self.values),
            "worst": max(self.values),
            "replicas": len(self.values),
        }

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.std:.2f}" if len(self.values) > 1 else f"{self.mean:.2f}"


_KEYS = {
    "recipe.json": ("recipe", "seeds", "data"),
    "result.json": ("passes", "seconds", "replicas", "runs_on"),
    "environment.json": ("commit",),
}


@dataclass(frozen=True)
class Run:
    """A finished run folder of one or more replicas."""

    path: Path

    @cached_property
    def task(self) -> dict[str, Any]:
        """The recipe, the seeds and the data."""
        return self._json("recipe.json")

    @cached_property
    def result(self) -> dict[str, Any]:
        """The result of the run."""
        return self._json("result.json")

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Versions, machine, commit, command."""
        return self._json("environment.json")

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """A line for each pass."""
        try:
            lines = (self.path / "log.jsonl").read_text(encoding="utf-8").splitlines()
            return [json.loads(line) for line in lines]
        except (OSError, ValueError) as error:
            raise TrainingError(self.path / "log.jsonl", f"damaged ({reason(error)})", "remove this folder") from error

    @cached_property
    def networks(self) -> list[Network]:
        """The network of each replica."""
        return [load(self.path / each["weights"]) for each in self.result["replicas"]]

    def checked(self) -> Run:
        """Return the run if its files are whole. Raises TrainingError naming the one that is not."""
        for name, keys in _KEYS.items():
            lacking = [key for key in keys if key not in self._json(name)]
            if lacking:
                raise TrainingError(self.path / name, f"damaged (no {lacking[0]})", "remove this folder")
        if len(self.log) != self.result["passes"]:
            problem = f"damaged ({len(self.log)} lines for {self.result['passes']} passes)"
            raise TrainingError(self.path / "log.jsonl", problem, "remove this folder")
        return self

    def network(self, seed: int) -> Network:
        """Return the network of the replica with this seed."""
        return self.networks[self.task["seeds"].index(seed)]

    def _json(self, name: str) -> dict[str, Any]:
        return load_stored(self.path / name)

    @property
    def trained_on(self) -> int:
        """The number of training patterns of a pass."""
        return int(self.task["data"]["trained_on"])

    def curve(self, key: str, n: int) -> list[Spread]:
        """Return per pass the errors of n under a key of the log ("train_errors", "test_errors")."""
        return [Spread(tuple(100 * errors / n for errors in line[key])) for line in self.log]

    @property
    def test_errors(self) -> Spread:
        """The test errors after the last pass."""
        return Spread(tuple(100 * each["errors"] / each["n"] for each in self.result["replicas"]))

    def scores(self, inputs: Float32) -> Float32:
        """Score inputs (n, 1, 32, 32) with every replica -> (replicas, n, k)."""
        return np.stack([network.forward(inputs) for network in self.networks])


def count_rejected(scores: Float32, labels: Uint8, target: float = 0.5) -> float:
    """Return the least share, in per cent, to reject so that at most `target` per cent of the rest are wrong.

    Rejected first is what has the least difference between its two best scores (n, k), as for Fig. 10.
    """
    best = np.sort(scores, axis=1)[:, -2:]
    order = np.argsort(best[:, 0] - best[:, 1], kind="stable")  # the surest first
    wrong = (scores.argmax(axis=1) != labels)[order]
    answered = np.arange(1, len(labels) + 1)
    allowed = np.flatnonzero(np.cumsum(wrong) <= target / 100 * answered)
    return 100.0 * (1 - (int(allowed[-1]) + 1) / len(labels)) if len(allowed) else 100.0


def count_error_rates(scores: Float32, labels: Uint8) -> Spread:
    """Return the errors of scores (replicas, n, k) in per cent."""
    wrong: Float64 = (scores.argmax(axis=2) != labels).mean(axis=1)
    return Spread(tuple(float(100 * each) for each in wrong))
