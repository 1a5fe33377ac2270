"""Learn from pictures of one's own numbers, without forgetting others: the line network alone, in a minute or two."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Bools, Float64, Tensors
from lenet.bulk.inputs import open_pictures
from lenet.data import dataset
from lenet.data.labels import open_folder, read_labels
from lenet.engine import Network, load
from lenet.errors import DataError, PictureError, UsageError
from lenet.evaluation.calibration import fit_confidence
from lenet.evaluation.interval import wilson95
from lenet.evaluation.numbers import compare_texts
from lenet.network.probabilities import log_odds
from lenet.network.spec import DEFAULT, LINE_DEFAULT
from lenet.network.weights import Weights, save_weights
from lenet.progress import silent
from lenet.reader import read
from lenet.training.fit_decoder import count_error_curve
from lenet.training.line_engine import EngineLines
from lenet.training.line_recipe import LINE_RECIPES, LineRecipe, change_line_recipe
from lenet.training.line_run import draw_batch
from lenet.training.line_stream import LineBatch, gather_lines
from lenet.training.loop import Progress
from lenet.training.own_lines import LabelledPicture, draw_numbers, gather_own
from lenet.training.run import RunFolder

# What `lenet train --recipe` calls it.
RECIPE = "own-numbers"
# Every third picture is kept to count on, unless the folder says which.
_KEPT = 3
# It learns so many times from the same start, in another order, and the weights are averaged (Wortsman et al., 2022):
# one run is off by some, now to one side and now to the other.
_RUNS = 3
# Lines shown in a pass, passes whatever there is to learn, and one more for so many lines of one's own.
_PASS, _LEAST_PASSES, _LINES_A_PASS = 1_000, 3, 150
# The share of steps that show one's own lines; the others show numbers in MNIST's hands, which are not to be forgotten.
_OWN_SHARE = 0.7
# So many pictures of those are learned from, and so many of held-out writers are counted on.
_OLD, _COUNTED = 400, 200
# Smaller steps than from nothing, on fewer lines, and a shorter average: there are few steps.
_RECIPE = replace(LINE_RECIPES["line"], rate=3e-4, batch=32, warm=0.05, weight_decay=0.0, averaging=0.99)


def learn_numbers(
    data: str | Path,
    out: Path,
    *,
    init: str | Path = LINE_DEFAULT,
    passes: int | None = None,
    seed: int = 0,
    resume: bool = False,
    report: Callable[[Progress], None] = silent,
    report_pictures: Callable[[int, int], None] = silent,
) -> dict[str, Any]:
    """Learn from a folder of pictures of whole numbers with their text; return the result, as the run folder has it.

    The line network of `init` learns, beside which numbers are cut by the default network. Numbers made of MNIST's
    digits are mixed in, so that nothing else is forgotten; MNIST is loaded as ever. What the folder marks for testing
    is counted on, before and after, or else every third picture, and so are made numbers of held-out writers; how sure
    answers are is fitted anew on these. A run that was killed begins anew with `resume`. Raises UsageError, DataError,
    WeightsError or TrainingError.
    """
    before = load(init)
    if before.weights.name != DEFAULT:
        problem = "reads digits: whole numbers are learned by the network that reads lines"
        raise UsageError(f"init {init}", problem, f"choose {LINE_DEFAULT}, or weights that were learned from it")
    change_line_recipe(_RECIPE, {}, passes)  # which refuses a number of passes that is none
    with open_folder(Path(data)) as folder:
        own, kept = _part_rows(folder, data)
        mnist = dataset.load("mnist")
        old, counted = (
            list(draw_numbers(mnist, count, held_out, seed)) for count, held_out in ((_OLD, False), (_COUNTED, True))
        )
        every = len(own) + len(old)
        lines, passed_over = gather_own(own, before.lines, lambda done, _n: report_pictures(done, every))
        if not lines:
            raise DataError(data, f"no line that agrees with its label in {len(own):,} pictures", "look at the labels")
        made, _none = gather_own(old, before.lines, lambda done, _n: report_pictures(len(own) + done, every))
        recipe = replace(_RECIPE, net=before.lines.weights.net.name)
        count = passes or _LEAST_PASSES + len(lines) // _LINES_A_PASS
        task = {
            "recipe": {**recipe.as_dict(), "name": RECIPE, "passes": count, "runs": _RUNS},
            "seeds": [seed],
            "data": str(data),
            "init": str(init),
        }
        run = RunFolder(out)
        run.start(task, resume)
        started = time.perf_counter()
        given = before.lines.weights
        tensors, runs_on = _learn(recipe, given.tensors, gather_lines(lines), gather_lines(made), count, seed, report)
        seconds = round(time.perf_counter() - started, 1)
        card = {**task, "commit": run.commit(), "calibration": given.card.get("calibration", {})}
        learned = replace(given, tensors=tensors, card=card, name="")
        weights = fit_trust(learned, *_judge(replace(before, own_lines=learned), [*kept, *counted]))
        save_weights(out / "weights.safetensors", weights)
        after = replace(before, own_lines=weights)
        told = {
            when: {"own": _count_wrong(network, kept), "made": _count_wrong(network, counted)}
            for when, network in (("before", before), ("after", after))
        }
    wrong = told["after"]["own"]["errors"], told["after"]["own"]["n"]
    result = {
        "recipe": RECIPE,
        "backend": EngineLines.name,
        "runs_on": runs_on,
        "passes": count,
        "seconds": seconds,
        "out": str(out),
        "errors": wrong[0],
        "n": wrong[1],
        "data": str(data),
        "learned": {"pictures": len(own) - passed_over, "passed_over": passed_over, "lines": len(lines)},
        "replicas": [{"seed": seed, "errors": wrong[0], "n": wrong[1], "weights": "weights.safetensors"}],
        **told,
    }
    run.finish(result)
    return result


def _part_rows(folder: Path, data: str | Path) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Return what to learn from and what to count on. Raises DataError when there is none of either."""
    rows = read_labels(folder, whole=True)
    training = np.array([row.part == "train" for row in rows])
    if training.all() or not training.any():
        training = np.arange(len(rows)) % _KEPT != _KEPT - 1
    # As they were read: members of archives and pages too. What cannot be opened is no picture, and is passed over.
    opened = open_pictures([str(folder / row.path) for row in rows])
    every = [LabelledPicture(source, row.text) for row, (_name, source) in zip(rows, opened, strict=True)]
    own, kept = ([each for each, chosen in zip(every, which, strict=True) if chosen] for which in (training, ~training))
    if not own or not kept:
        raise DataError(data, f"{len(own)} pictures to learn from, {len(kept)} to count on", "needs some of both")
    return own, kept


def _learn(
    recipe: LineRecipe,
    start: Tensors,
    own: dict[int, LineBatch],
    made: dict[int, LineBatch],
    passes: int,
    seed: int,
    report: Callable[[Progress], None],
) -> tuple[Tensors, str]:
    """Return the mean of what several runs from the same start learn, and what they ran on."""
    sizes = [{width: len(batch.counts) for width, batch in lines.items()} for lines in (own, made)]
    found: list[Tensors] = []
    for run in range(_RUNS):
        trainer, rng = EngineLines(recipe, seed, start), np.random.default_rng([seed, run])
        for passed in range(1, passes + 1):
            shown = 0
            while shown < _PASS:
                old = int(rng.random() >= _OWN_SHARE)
                rows, width = draw_batch(sizes[old], recipe.batch, rng)
                share = (passed - 1 + min(1.0, shown / _PASS)) / passes
                trainer.step((own, made)[old][width], rows, rng, share)
                shown += len(rows)
                number, done = run * passes + passed, min(shown, _PASS)
                keep = partial(_list_weights, trainer)
                report(Progress(number, _RUNS * passes, done, _PASS, trainer.runs_on, None, keep))
        found.append(trainer.weights())
    mean = {name: np.mean([each[name] for each in found], axis=0).astype(np.float32) for name in start}
    return mean, trainer.runs_on


def _list_weights(trainer: EngineLines) -> list[Tensors]:
    return [trainer.weights()]


def _judge(network: Network, pictures: list[LabelledPicture]) -> tuple[Float64, Bools]:
    """Return how sure the readings of pictures are (n,), and which of them are right (n,)."""
    found = []
    for each in pictures:
        with suppress(PictureError):
            reading = read(each.picture, network)
            if reading.best_text:
                found.append((reading.confidence, compare_texts(reading.best_text, each.label)))
    return np.array([sure for sure, _right in found]), np.array([right for _sure, right in found], bool)


def fit_trust(weights: Weights, sure: Float64, right: Bools) -> Weights:
    """Return a line network's weights with confidences as honest as answers to other pictures say, (n,) each.

    What weighs how sure an answer is, is multiplied by one number and moved by another, in log-odds; the curve of
    errors is counted anew. With few answers they stay nearly what they are, without any they do.
    """
    if not len(right):
        return weights
    slope, offset = fit_confidence(log_odds(sure)[:, None], right)
    calibration = dict(weights.card.get("calibration", {}))
    for what, fitted in (("pair_weights", weights.pair_weights), ("alone_weights", weights.alone_weights)):
        if fitted is not None:
            calibration[what] = [*(slope * fitted[:-1]).tolist(), float(slope * fitted[-1] + offset)]
    honest = 1 / (1 + np.exp(-(slope * log_odds(sure) + offset)))
    calibration["error_curve"] = count_error_curve(honest, right)
    calibration["answers_fitted_on"] = f"{len(right):,} answers to pictures that were kept apart"
    return replace(weights, card={**weights.card, "calibration": calibration})


def _count_wrong(network: Network, pictures: list[LabelledPicture]) -> dict[str, Any]:
    """Return how many pictures' best texts are wrong, of how many, with the 95 % interval of that share.

    `answered_wrong` of those are answers. A picture that cannot be read is wrong.
    """
    errors = answered_wrong = 0
    for each in pictures:
        try:
            found = read(each.picture, network)
        except PictureError:
            errors += 1
            continue
        errors += not compare_texts(found.best_text, each.label)
        answered_wrong += bool(found.text) and not compare_texts(found.text, each.label)
    n = len(pictures)
    return {"errors": errors, "n": n, "interval95": list(wilson95(errors, n)), "answered_wrong": answered_wrong}
