"""The one training loop: it draws each pass's plan, has the backend run it in chunks, and keeps the record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from statistics import mean
from typing import Any

import numpy as np

from lenet.arrays import Float32, Tensors, Uint8
from lenet.data.dataset import Dataset, Digits
from lenet.errors import TrainingError
from lenet.evaluation.calibration import expected_calibration_error, fit_temperature
from lenet.network.initialisation import draw_tensors
from lenet.network.inputs import to_input
from lenet.network.probabilities import probabilities
from lenet.network.weights import Weights, save_weights
from lenet.progress import silent
from lenet.training.backend import Backend, Material
from lenet.training.plan import PassPlan, Plans, draw_plan, make_generator, steps_per_pass
from lenet.training.recipe import Recipe
from lenet.training.run import RunFolder
from lenet.training.sequence_loss import SequenceTraining
from lenet.training.teacher import Teacher, find_teachers

# Patterns in a chunk: 0.1 to 1 s of work, between looks at the progress, at Ctrl-C and at NaN.
_CHUNK = 4096
# What was fitted to weights for reading numbers stays with what is fine-tuned from them.
_FITTED = (
    "rubbish_lowered_by",
    *("arc_scorer", "arc_scorer_fitted_on", "confidence_weights", "confidence_fitted_on", "error_curve"),
)


@dataclass(frozen=True)
class Progress:
    """Where a run is: pass `passed` of `passes`, `done` of `total` patterns of it, on what, and the last log line.

    `weights` gives each replica's tensors as they would be kept now.
    """

    passed: int
    passes: int
    done: int
    total: int
    runs_on: str
    line: dict[str, Any] | None
    weights: Callable[[], list[Tensors]]


def train_replicas(
    recipe: Recipe,
    data: Dataset,
    folder: RunFolder,
    backend: Backend,
    seeds: list[int],
    *,
    start_from: Weights | None = None,
    numbers: SequenceTraining | None = None,
    plans: Plans = draw_plan,
    plans_from: dict[str, Any] | None = None,
    resume: bool = False,
    report: Callable[[Progress], None] = silent,
) -> dict[str, Any]:
    """Train one replica per seed and return the result, as the run folder has it.

    `start_from` gives every replica these weights instead of drawn ones, `numbers` what a recipe with numbers learns
    beside the data; `plans` draws the passes otherwise than
    the recipe alone says, and `plans_from` says by what, for the record. Raises TrainingError when the loss is no
    longer finite, or when the folder holds another run.
    """
    training, held_out = _split(recipe, data)
    outputs = recipe.network().outputs
    if not len(training) or int(training.labels.max()) >= outputs:
        found = f"label {training.labels.max()} of {outputs} outputs" if len(training) else "nothing to train on"
        raise TrainingError(data.name, found, f"{recipe.net} learns the labels 0 to {outputs - 1}")
    task = describe_task(recipe, data, backend.name, seeds, start_from, plans_from)
    finished = folder.start(task, resume)
    material = Material(
        to_input(training.glyphs), training.labels, _load_teacher(recipe, data, training.labels), numbers
    )
    backend.begin(recipe, _draw_initial(recipe, seeds, start_from), material)
    if finished:
        backend.restore(folder.state())
    n = len(training.labels)

    def tell(passed: int, done: int, line: dict[str, Any] | None = None) -> None:
        report(Progress(passed, recipe.passes, done, n, f"{backend.name} ({backend.runs_on})", line, backend.weights))

    tell(finished, n)
    for passed in range(finished + 1, recipe.passes + 1):
        drawn = [plans(recipe, n, seed, passed) for seed in seeds]
        line = _run_pass(recipe, n, backend, drawn, seeds, passed, tell)
        line["held_out_errors"] = _count_errors(backend.scores(to_input(held_out.glyphs)), held_out.labels)
        if recipe.watch:
            line["test_errors"] = _count_errors(backend.scores(to_input(data.test.glyphs)), data.test.labels)
        folder.finish_pass(passed, line, backend.state())
        tell(passed, n, line)
    result = _conclude(recipe, data, held_out, folder, backend, seeds, task, start_from)
    folder.finish(result)
    return result


def describe_task(
    recipe: Recipe,
    data: Dataset,
    backend: str,
    seeds: list[int],
    start_from: Weights | None = None,
    plans_from: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what a run folder's recipe.json says of a run: all that its outcome depends on."""
    trained_on = len(_split(recipe, data)[0])
    task = {
        "recipe": recipe.as_dict(),
        "backend": backend,
        "seeds": seeds,
        "data": {"name": data.name, "checksum": data.checksum, "trained_on": trained_on},
        "started_from": start_from.name if start_from else None,
    }
    if recipe.teacher:
        sums = [sha256(file.read_bytes()).hexdigest() for file in find_teachers(recipe.teacher)]
        task["teacher"] = {"weights": recipe.teacher, "sha256": sums[0] if len(sums) == 1 else sums}
    return task | ({"plans_from": plans_from} if plans_from else {})


def _split(recipe: Recipe, data: Dataset) -> tuple[Digits, Digits]:
    training, held_out = data.split(recipe.hold_out)
    return training.where(np.arange(len(training)) < (recipe.train_on or len(training))), held_out


def _load_teacher(recipe: Recipe, data: Dataset, labels: Uint8) -> Teacher | None:
    if not recipe.teacher:
        return None
    corrected = data.corrected
    if corrected is not None and recipe.hold_out:
        corrected = corrected[~data.held_out]
    return Teacher(recipe.teacher, recipe.network(), labels, corrected, recipe.softness)


def _draw_initial(recipe: Recipe, seeds: list[int], start_from: Weights | None) -> list[Tensors]:
    net = recipe.network()
    if start_from is None:
        return [draw_tensors(net, recipe.initialisation, make_generator(seed, 0)) for seed in seeds]
    if start_from.net != net:
        raise TrainingError(start_from.name, f"weights of {start_from.net.name}", f"the recipe trains {net.name}")
    return [start_from.tensors for _seed in seeds]


def _run_pass(
    recipe: Recipe,
    n: int,
    backend: Backend,
    plans: list[PassPlan],
    seeds: list[int],
    passed: int,
    tell: Callable[[int, int], None],
) -> dict[str, Any]:
    started = time.perf_counter()
    beside = len(seeds) if recipe.online else 1  # replicas that learn in one call
    steps, chunk = steps_per_pass(recipe, n), max(1, _CHUNK // (recipe.batch * beside))
    loss, errors = [0.0] * len(seeds), [0] * len(seeds)
    for first in range(0, steps, chunk):
        last = min(first + chunk, steps)
        for replica, counts in enumerate(backend.run(plans, first, last)):
            if not isfinite(counts.loss):
                raise TrainingError(
                    f"seed {seeds[replica]}",
                    f"the loss became {counts.loss} in pass {passed}",
                    f"lower the rate, now {recipe.rate:g}",
                )
            loss[replica] += counts.loss
            errors[replica] += counts.errors
        tell(passed, min(last * recipe.batch, n))
    seconds = time.perf_counter() - started
    return {
        "pass": passed,
        "rate": float(plans[0].rates[-1]),
        "loss": [each / n for each in loss],
        "train_errors": errors,
        "seconds": round(seconds, 3),
        "images_per_second": round(n * len(seeds) / seconds, 1),
    }


def _count_errors(scores: list[Float32], labels: Uint8) -> list[int]:
    return [int((each.argmax(axis=1) != labels).sum()) for each in scores]


def _conclude(
    recipe: Recipe,
    data: Dataset,
    held_out: Digits,
    folder: RunFolder,
    backend: Backend,
    seeds: list[int],
    task: dict[str, Any],
    start_from: Weights | None,
) -> dict[str, Any]:
    """Calibrate on the held-out digits, count the test errors once, write the weights; return the result."""
    test_errors = _count_errors(backend.scores(to_input(data.test.glyphs)), data.test.labels)
    held_scores = backend.scores(to_input(held_out.glyphs))
    held_errors = _count_errors(held_scores, held_out.labels)
    n, held_n = len(data.test.labels), len(held_out.labels)
    replicas = []
    # What finds paths through numbers goes on with the weights that it was fitted for.
    given = start_from.card.get("calibration", {}) if start_from else {}
    kept = {key: given[key] for key in _FITTED if key in given}
    for replica, (seed, tensors) in enumerate(zip(seeds, backend.weights(), strict=True)):
        temperature, calibration = _calibrate(
            held_scores[replica], held_out.labels, "characters" if recipe.characters else "digits"
        )
        calibration |= kept
        counts = {
            "test": {"errors": test_errors[replica], "n": n},
            "held_out": {"errors": held_errors[replica], "n": held_n},
        }
        card = {**task, "seed": seed, "commit": folder.commit(), **counts, "calibration": calibration}
        del card["seeds"]
        name = "weights" if len(seeds) == 1 else f"weights-{seed}"
        file = folder.path / f"{name}.safetensors"
        save_weights(file, Weights(recipe.network(), tensors, temperature, card))
        replicas.append(
            {"seed": seed, "errors": test_errors[replica], "n": n}
            | {"held_out_errors": held_errors[replica], "held_out_n": held_n, "weights": file.name}
        )
    return {
        "recipe": recipe.name,
        "backend": backend.name,
        "runs_on": backend.runs_on,
        "passes": recipe.passes,
        "seconds": round(sum(line["seconds"] for line in folder.log()), 1),
        "out": str(folder.path),
        "errors": mean(test_errors),
        "n": n,
        "data": data.name,
        "replicas": replicas,
    }


def _calibrate(scores: Float32, labels: Uint8, what: str) -> tuple[float, dict[str, Any]]:
    if not len(labels):
        return 1.0, {"fitted_on": "nothing: no digits were held out"}
    temperature = fit_temperature(scores, labels)
    error = expected_calibration_error(probabilities(scores, temperature), labels)
    return temperature, {"fitted_on": f"{len(labels):,} held-out {what}", "expected_calibration_error": error}
