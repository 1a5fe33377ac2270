"""A run that trains a line network: lines made for every pass, steps, a record, and the weights at the end."""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Tensors, Uint8
from lenet.decoding.alignments import find_texts
from lenet.errors import UsageError
from lenet.network.probabilities import log_probabilities, probabilities
from lenet.network.spec import LINE_NETS, find_net
from lenet.network.weights import Weights, load_weights, save_weights
from lenet.progress import silent
from lenet.training.grow import grow_tensors
from lenet.training.line_backend import LineBackend, choose_line_backend
from lenet.training.line_recipe import LineRecipe, change_line_recipe
from lenet.training.line_stream import PART, LineSource, decode_labels, load_hands
from lenet.training.loop import Progress
from lenet.training.run import RunFolder
from lenet.training.synthetic.fonts import find_fonts
from lenet.training.synthetic.lines import LineMaker, MadeLine

# So many lines of held-out hands are read after every pass.
_WATCHED = 500
# What a step's lines are counted by: strips so many pixels wide.
_WIDTH = 192
_LEAST_BATCH, _THOUSAND = 8, 1000
# The normalisation of given weights is set on so many lines at most.
_SAMPLE = 512


def train_lines(
    recipe: LineRecipe,
    out: Path,
    *,
    passes: int | None = None,
    seed: int = 0,
    init: str | Path | None = None,
    resume: bool = False,
    backend: str | None = None,
    device: str | None = None,
    settings: dict[str, str] | None = None,
    report: Callable[[Progress], None] = silent,
) -> dict[str, Any]:
    """Train a line network and return the result, as the run folder has it.

    Its errors are lines of held-out hands, made once for all passes, of which any label is wrong. Raises UsageError,
    TrainingError, DataError, WeightsError or MissingExtra.
    """
    chosen = change_line_recipe(recipe, settings or {}, passes)
    initial = _load_initial(chosen, init, seed)
    trainer = choose_line_backend(chosen, seed, initial, backend, device)
    fonts = find_fonts()
    task: dict[str, Any] = {
        "recipe": chosen.as_dict(),
        "seeds": [seed],
        "data": "unipen, mnist",
        "backend": trainer.name,
    }
    if fonts.missing:
        told = "not here, or other versions; lines are written without them"
        warnings.warn(f"fonts: {', '.join(fonts.missing)}: {told}", stacklevel=2)
    task |= {"fonts": [Path(font).name for font in fonts.every], "init": str(init) if init else None}
    folder = RunFolder(out)
    watched = _make_watched()
    finished = folder.start(task, resume)
    if finished:
        trainer.restore(folder.state())
    with LineSource(seed, -(-_THOUSAND * chosen.thousands // PART), fonts) as source:
        if initial is not None and not finished:
            trainer.settle(_take_sample(source))
        _run_passes(chosen, seed, trainer, source, folder, finished, watched, report)
    tensors = trainer.weights()
    errors = count_wrong(trainer, watched)
    card = {**task, "seed": seed, "commit": folder.commit(), "calibration": {}}
    card["held_out"] = {"errors": errors, "n": len(watched)}
    net = find_net(chosen.net)
    assert net is not None
    save_weights(out / "weights.safetensors", Weights(net, tensors, 1.0, card))
    replica = {"seed": seed, "errors": errors, "n": len(watched), "weights": "weights.safetensors"}
    result = {
        "recipe": chosen.name,
        "backend": trainer.name,
        "runs_on": trainer.runs_on,
        "passes": chosen.passes,
        "seconds": round(sum(line["seconds"] for line in folder.log()), 1),
        "out": str(out),
        "errors": errors,
        "n": len(watched),
        "data": task["data"],
        "replicas": [replica],
    }
    folder.finish(result)
    return result


def _load_initial(recipe: LineRecipe, init: str | Path | None, seed: int) -> Tensors | None:
    """Return the tensors that a run starts from, grown where they are of a smaller network.

    Raises UsageError for those of a network that this one is not grown from.
    """
    if init is None:
        return None
    given = load_weights(init)
    if given.net.name == recipe.net:
        return given.tensors
    if not given.net.says_labels:
        raise UsageError(f"init {given.name}", f"weights of {given.net.name}", f"give some of {recipe.net}")
    return grow_tensors(given, LINE_NETS[recipe.net], np.random.default_rng([seed, 0]))


def _make_watched() -> list[MadeLine]:
    """Return lines of held-out hands, none in print: the same wherever they are made."""
    maker = LineMaker(load_hands("dev"))
    rng = np.random.default_rng(0xD0)
    return [maker.make(rng) for _line in range(_WATCHED)]


def _take_sample(source: LineSource) -> Uint8:
    """Return strips (n, 32, W) of one width, those of which most are made for the pass before the first."""
    batches = source.take(0)
    return max(batches.values(), key=lambda batch: len(batch.counts)).strips[:_SAMPLE]


def _run_passes(
    recipe: LineRecipe,
    seed: int,
    backend: LineBackend,
    source: LineSource,
    folder: RunFolder,
    finished: int,
    watched: list[MadeLine],
    report: Callable[[Progress], None],
) -> None:
    window: deque[dict[int, Any]] = deque(maxlen=recipe.window)
    sizes: deque[dict[int, int]] = deque(maxlen=recipe.window)

    def take(passed: int) -> None:
        lines = source.take(passed)
        window.append({width: backend.keep(batch) for width, batch in lines.items()})
        sizes.append({width: len(batch.counts) for width, batch in lines.items()})

    total = recipe.thousands * _THOUSAND * recipe.repeats

    def tell(passed: int, done: int, line: dict[str, Any] | None = None) -> None:
        runs_on = f"{backend.name} ({backend.runs_on})"
        report(Progress(passed, recipe.passes, done, total, runs_on, line, lambda: [backend.weights()]))

    # What a run that is taken up again had kept is made once more.
    for passed in range(max(1, finished - recipe.window + 2), finished + 1):
        take(passed)
    for passed in range(finished + 1, recipe.passes + 1):
        started = time.perf_counter()
        take(passed)
        if passed < recipe.passes:
            source.begin(passed + 1)
        rng = np.random.default_rng([seed, passed, 1])
        shown, losses = 0, []
        while shown < total:
            share = (passed - 1 + shown / total) / recipe.passes
            which = int(rng.integers(len(window)))
            rows, width = draw_batch(sizes[which], recipe.batch, rng)
            losses.append(backend.step(window[which][width], rows, rng, share))
            shown += len(rows)
            tell(passed, min(shown, total))
        seconds = time.perf_counter() - started
        line = {
            "pass": passed,
            "loss": [float(np.mean([float(each) for each in losses]))],
            "seconds": round(seconds, 3),
            "images_per_second": round(shown / seconds, 1),
            "held_out_errors": [count_wrong(backend, watched)],
        }
        folder.finish_pass(passed, line, backend.state())
        tell(passed, total, line)


def draw_batch(sizes: dict[int, int], batch: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Return rows of the lines of one width, and that width; each pixel is as likely as any to be seen.

    `sizes` says how many lines of each width there are; of the width 192 a batch has `batch` lines.
    """
    widths = list(sizes)
    pixels = np.array([width * sizes[width] for width in widths], float)
    width = widths[int(rng.choice(len(widths), p=pixels / pixels.sum()))]
    count = max(_LEAST_BATCH, round(batch * _WIDTH / width))
    return rng.choice(sizes[width], min(count, sizes[width]), replace=False), width


def count_wrong(backend: LineBackend, lines: list[MadeLine]) -> int:
    """Return how many lines are not read to the last sign."""
    wrong = 0
    for line in lines:
        scores = backend.scores(line.strip[None])[0]
        texts = find_texts(log_probabilities(probabilities(scores, 1.0)), 1)
        wrong += decode_labels(list(texts[0])) != line.text
    return wrong
