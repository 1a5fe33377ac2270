"""Start a run from names: the recipe, the data, the folder, the backend and the seeds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lenet.data import dataset
from lenet.data.dataset import Dataset
from lenet.data.fetch import Report
from lenet.data.sources import SOURCES
from lenet.errors import UsageError
from lenet.network.spec import LINE_DEFAULT
from lenet.network.weights import Weights, load_weights
from lenet.progress import silent
from lenet.training.backends import choose_backend
from lenet.training.fine_tune import count_before_and_after, mix_corrections
from lenet.training.line_recipe import LINE_RECIPES
from lenet.training.loop import Progress, train_replicas
from lenet.training.own_numbers import RECIPE, learn_numbers
from lenet.training.ranks import Ranks
from lenet.training.recipe import Recipe, change_recipe, check_recipe
from lenet.training.recipes import RECIPES
from lenet.training.run import RunFolder
from lenet.training.sequence_loss import SequenceTraining, picture_numbers, undo_calibration
from lenet.training.synthetic.augment import add_hands, add_synthetic
from lenet.training.synthetic.characters import draw_characters
from lenet.training.synthetic.hand_glyphs import draw_hand_glyphs
from lenet.training.synthetic.windows import cut_windows

_THOUSAND = 1000


def find_recipe(name: str, passes: int | None = None, settings: dict[str, str] | None = None) -> Recipe:
    """Return a recipe by name with changes. Raises UsageError for a name or a value that is not allowed."""
    if name not in RECIPES:
        raise UsageError(f"recipe {name!r}", f"expected one of {', '.join((*RECIPES, *LINE_RECIPES, RECIPE))}")
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
    if recipe == RECIPE:
        if replicas > 1 or settings or str(data) in SOURCES or backend == "torch" or device not in (None, "cpu"):
            problem = "trains one network, on a folder of pictures of numbers, on the engine"
            remedy = "give --data FOLDER, without --replicas, --set, --backend and --device"
            raise UsageError(f"recipe {RECIPE}", problem, remedy)
        ways: dict[str, Any] = {"passes": passes, "seed": seed, "resume": resume, "report": report}
        place = run_folder(out, RECIPE, seed)
        return learn_numbers(data, place, init=init or LINE_DEFAULT, report_pictures=report_school, **ways)
    if recipe in LINE_RECIPES:
        if replicas > 1 or str(data) != "mnist":
            problem = "trains one network, on lines of UNIPEN's and MNIST's hands"
            raise UsageError(f"recipe {recipe}", problem, "leave out --replicas and --data")
        from lenet.training.line_run import train_lines

        given_out = run_folder(out, recipe, seed)
        more: dict[str, Any] = {"passes": passes, "seed": seed, "init": init, "resume": resume}
        more |= {"backend": backend, "device": device}
        return train_lines(LINE_RECIPES[recipe], given_out, settings=settings, report=report, **more)
    chosen = find_recipe(recipe, passes, settings)
    given = load_weights(init) if init is not None else None
    chosen = _suit_recipe(chosen, given, init)
    runs = choose_backend(backend or ("engine" if device in (None, "cpu") else "torch"), device)
    runs.require(chosen)
    start_from = _choose_start(chosen, given)
    folder = RunFolder(_choose_folder(run_folder(out, recipe, seed), resume))
    loaded = _load(chosen, data, given, report_fetch, report_school)
    numbers = _picture_numbers(chosen, loaded, given, report_school)
    loaded = _add_pictures(chosen, loaded, report_school)
    result = train_replicas(
        chosen, loaded, folder, runs, seeds, start_from=start_from, numbers=numbers, resume=resume, report=report
    )
    if chosen.mix and given:
        result = count_before_and_after(given, folder.path, loaded, result)
        folder.finish(result)
    return result


def _load(
    recipe: Recipe,
    data: str | Path,
    given: Weights | None,
    report_fetch: Report,
    report_drawn: Callable[[int, int], None],
) -> Dataset:
    """Return what a recipe learns from: a data set by name or folder, corrections among MNIST's, or characters."""
    if recipe.characters:
        if str(data) != "mnist":
            raise UsageError(f"recipe {recipe.name}", "learns UNIPEN's characters", "leave out --data")
        return draw_characters(_THOUSAND * recipe.characters, report=report_drawn)
    return mix_corrections(data, given) if recipe.mix and given else dataset.load(data, report_fetch)


def _suit_recipe(recipe: Recipe, given: Weights | None, init: str | Path | None) -> Recipe:
    """Return a recipe that goes on from given weights with their network, and for corrections with them as teacher."""
    if given is None or not (recipe.mix or recipe.numbers):
        return recipe
    recipe = replace(recipe, net=given.net.name)
    # Nobody but the weights themselves knows what is not to be forgotten.
    return replace(recipe, teacher=str(init)) if recipe.mix and recipe.teachable else recipe


def _choose_start(recipe: Recipe, given: Weights | None) -> Weights | None:
    """Return the weights that a run starts from, None for drawn ones. Raises UsageError where the recipe needs some."""
    if given is None and (recipe.mix or recipe.numbers):
        raise UsageError(f"recipe {recipe.name}", "starts from weights that read already", "give --init")
    return undo_calibration(given) if given is not None and recipe.numbers else given


def _picture_numbers(
    recipe: Recipe, data: Dataset, given: Weights | None, report: Callable[[int, int], None]
) -> SequenceTraining | None:
    """Return the numbers that a recipe learns as a whole, by the arc scorer of the given weights, or None."""
    if not recipe.numbers or given is None:
        return None
    every = picture_numbers(data, dataset.number_writers(data), report)
    return SequenceTraining(every, given, recipe.numbers, recipe.pull)


def _add_pictures(recipe: Recipe, data: Dataset, report: Callable[[int, int], None]) -> Dataset:
    """Return the data with what the recipe has made of it: pictures of digits and numbers, or windows."""
    if recipe.synthetic:
        writers, letters = dataset.number_writers(data), None
        if recipe.hands:
            hands = draw_hand_glyphs(_THOUSAND * recipe.hands, round(_THOUSAND * recipe.hands * recipe.letters))
            (data, writers), letters = add_hands(data, writers, hands), hands.letters
        data = add_synthetic(data, writers, recipe.synthetic, report, letters)
    if recipe.windows:
        data = cut_windows(data, dataset.number_writers(data))
    return data
