"""Start a run from names: the recipe, the data, the folder, the backend and the seeds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lenet.data import dataset
from lenet.data.fetch import Report
from lenet.errors import UsageError
from lenet.network.weights import load_weights
from lenet.progress import silent
from lenet.training.backends import choose_backend
from lenet.training.fine_tune import count_before_and_after, mix_corrections
from lenet.training.loop import Progress, train_replicas
from lenet.training.ranks import Ranks
from lenet.training.recipe import Recipe, change_recipe, check_recipe
from lenet.training.recipes import RECIPES
from lenet.training.run import RunFolder
from lenet.training.sequence_loss import SequenceTraining, picture_numbers, undo_calibration
from lenet.training.synthetic.augment import add_synthetic
from lenet.training.synthetic.windows import cut_windows


def find_recipe(name: str, passes: int | None = None, settings: dict[str, str] | None = None) -> Recipe:
    """Return a recipe by name with changes. Raises UsageError for a name or a value that is not allowed."""
    if name not in RECIPES:
        raise UsageError(f"recipe {name!r}", f"expected one of {', '.join(RECIPES)}")
    recipe = change_recipe(RECIPES[name], settings or {})
    return recipe if passes is None else check_recipe(replace(recipe, passes=passes))


def run_folder(out: str | Path | None, recipe: str, seed: int) -> Path:
    """Return where a run goes: `out`, or by default runs/RECIPE-seedN."""
    return Path("runs") / f"{recipe}-seed{seed}" if out is None else Path(out)


def check_seeds(seed: int, replicas: int) -> list[int]:
    """Return a seed for each replica, counted on from the first. Raises UsageError for what is out of range."""
    if not 1 <= replicas <= 1000:
        raise UsageError(f"replicas {replicas}", "expected 1 to 1,000")
    if not 0 <= seed < 2**32:
        raise UsageError(f"seed {seed}", "expected 0 to 4,294,967,295")
    return list(range(seed, seed + replicas))


def _choose_folder(folder: Path, resume: bool) -> Path:
    """Return the folder that this process writes: of several the first keeps the record, the others a copy of it."""
    if Ranks.here().first:
        return folder
    copy = Path(tempfile.mkdtemp(prefix="lenet-rank-")) / folder.name
    if resume and folder.exists():
        shutil.copytree(folder, copy)
    return copy


def train(
    recipe: str = "modern",
    data: str | Path = "mnist",
    out: str | Path | None = None,
    *,
    passes: int | None = None,
    seed: int = 0,
    replicas: int = 1,
    init: str | Path | None = None,
    resume: bool = False,
    backend: str | None = None,
    device: str | None = None,
    settings: dict[str, str] | None = None,
    report: Callable[[Progress], None] = silent,
    report_fetch: Report = silent,
    report_school: Callable[[int, int], None] = silent,
) -> dict[str, Any]:
    """Train `replicas` networks with the seeds `seed`, `seed` + 1, ... and return the result as a dictionary.

    `out` is the run folder (default: runs/RECIPE-seedN). `init` starts from shipped weights or a weights file.
    `backend` is "engine" or "torch" (None: the engine, but PyTorch for a `device` other than the CPU).
    `settings` change the recipe, such as ``{"activation": "sigmoid", "loss": "mean squared error"}``.
    Raises UsageError, TrainingError, DataError, WeightsError or MissingExtra, each one clear line.
    """
    seeds = check_seeds(seed, replicas)
    chosen = find_recipe(recipe, passes, settings)
    given = start_from = load_weights(init) if init is not None else None
    if given is not None and (chosen.mix or chosen.numbers):
        chosen = replace(chosen, net=given.net.name)
    if chosen.mix and init is not None and chosen.teachable:  # nobody else knows what is not to be forgotten
        chosen = replace(chosen, teacher=str(init))
    runs = choose_backend(backend or ("engine" if device in (None, "cpu") else "torch"), device)
    runs.require(chosen)
    if given is None and (chosen.mix or chosen.numbers):
        raise UsageError(f"recipe {recipe}", "starts from weights that read already", "give --init")
    if given is not None and chosen.numbers:
        start_from = undo_calibration(given)
    folder = RunFolder(_choose_folder(run_folder(out, recipe, seed), resume))
    loaded = mix_corrections(data, given) if chosen.mix and given else dataset.load(data, report_fetch)
    numbers = None
    if chosen.numbers and given:
        every = picture_numbers(loaded, dataset.number_writers(loaded), report_school)
        numbers = SequenceTraining(every, given, chosen.numbers, chosen.pull)
    if chosen.school:
        loaded = add_synthetic(loaded, dataset.number_writers(loaded), chosen.school, report_school)
    if chosen.windows:
        loaded = cut_windows(loaded, dataset.number_writers(loaded))
    result = train_replicas(
        chosen, loaded, folder, runs, seeds, start_from=start_from, numbers=numbers, resume=resume, report=report
    )
    if not chosen.mix or given is None:
        return result
    result = count_before_and_after(given, folder.path, loaded, result)
    folder.finish(result)
    return result
