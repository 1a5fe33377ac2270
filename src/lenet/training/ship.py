"""The gate from runs to the shipped weights: python -m lenet.training.ship RUN... --as NAME.

Of all the replicas in the runs, one recipe's, the one with the fewest errors on held-out writers is taken,
never looking at the test set. It passes only if the engine and PyTorch agree, layer by layer, if the engine
counts the same test errors as the run did, and if the card is complete. With --lines the weights of a line network are
shipped, or the mean of several, once it is fitted how their answers go together with the reader's.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from lenet.arrays import Uint8
from lenet.data.dataset import Dataset, load
from lenet.engine import Network
from lenet.engine.lines import LineNetwork
from lenet.errors import LenetError, TrainingError, reason
from lenet.evaluation import digits as measure
from lenet.evaluation.result import Evaluation
from lenet.files import replace_text
from lenet.nets import LeNet
from lenet.network.inputs import to_input
from lenet.network.spec import DEFAULT, LINE_LABELS
from lenet.network.weights import Weights, load_weights, save_weights
from lenet.training import fit_characters, fit_decoder, fit_letters, fit_pair, fit_spaces
from lenet.training.card import refresh_card, write_card
from lenet.training.grow import grow_tensors
from lenet.training.line_stream import load_hands
from lenet.training.recipe import restore_settings
from lenet.training.synthetic.characters import draw_characters
from lenet.training.synthetic.fonts import find_fonts
from lenet.training.synthetic.lines import LineMaker
from lenet.training.teacher import Teacher, find_teachers

# The largest difference between engines, as a share of a layer's largest value.
PARITY = 1e-5
_COMPARED = 1000
_REQUIRED = ("recipe", "seed", "commit", "data", "test", "held_out", "calibration", "backend")
# By so much a line network's slash is less likely than it learned, in nats: 1s that lean are commoner than in made
# lines. With 0.5 and with 1 so many more of 4,813 pictures without a slash are read: 19 and 26; of 400 with one 5 and
# 10 fewer; of UNIPEN's 156 numbers as many, and one more (docs/log.md).
_SLASH = 1.0


@dataclass(frozen=True)
class Candidate:
    """One trained replica: its weights file, its seed and its errors."""

    weights: Path
    seed: int
    held_out_errors: int
    errors: int


def candidates(runs: list[Path]) -> list[Candidate]:
    """Return every replica of the finished runs. Raises TrainingError for an unfinished run or mixed recipes."""
    found, recipes = [], set()
    for run in runs:
        try:
            result = json.loads((run / "result.json").read_text(encoding="utf-8"))
            task = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
            settings = restore_settings(task.get("recipe", {}))
            recipes.add(json.dumps({**task, "recipe": settings, "seeds": None}, sort_keys=True))
        except (OSError, ValueError, AttributeError) as error:
            raise TrainingError(run, "is not a finished run", "finish it with --resume") from error
        found += [
            Candidate(run / each["weights"], each["seed"], each["held_out_errors"], each["errors"])
            for each in result["replicas"]
        ]
    if len(recipes) != 1:
        raise TrainingError("runs", f"{len(recipes)} different recipes or data sets", "ship one at a time")
    if len({each.seed for each in found}) != len(found):
        raise TrainingError("runs", "a seed appears twice", "give each run once")
    return found


def parity(weights: Weights, glyphs: Uint8) -> float:
    """Return the largest difference of any layer between the engine and PyTorch, as a share of its largest value."""
    import torch

    inputs = to_input(glyphs)
    model = LeNet(weights.net).eval()
    model.load(weights.tensors)
    inside = Network(weights).activations(glyphs)
    worst, x = 0.0, torch.from_numpy(inputs)
    margin = weights.net.margin
    x = x[:, :, margin : x.shape[2] - margin, margin : x.shape[3] - margin]
    with torch.no_grad():
        for layer in weights.net.layers:
            x = model.get_submodule(layer.name.lower())(x)
            ours, theirs = inside[layer.name], x.numpy()
            worst = max(worst, float(np.abs(ours - theirs).max() / np.abs(theirs).max()))
    return worst


def check(weights: Weights, data: Dataset) -> tuple[Evaluation, float]:
    """Pass the gate or raise TrainingError; return the engine's own evaluation and the parity found."""
    missing = [key for key in _REQUIRED if not weights.card.get(key) and weights.card.get(key) != 0]
    if missing:
        raise TrainingError(weights.name, f"its card lacks {', '.join(missing)}")
    if weights.card["commit"] == "unknown" or weights.card["commit"].endswith("+"):
        raise TrainingError(weights.name, f"trained at commit {weights.card['commit']}", "train from a clean checkout")
    if weights.card["data"]["checksum"].split(",")[0] != data.checksum:  # what follows is what was made of it
        raise TrainingError(weights.name, f"trained on other data than {data.name} here")
    held_out = data.split(True)[1]
    apart = parity(weights, held_out.glyphs[:_COMPARED])
    if not apart <= PARITY:
        raise TrainingError(weights.name, f"engine and PyTorch differ by {apart:.1e} of a layer's largest value")
    found = measure.evaluate(Network(weights), data.test, data.name)
    if found.errors != weights.card["test"]["errors"]:
        raise TrainingError(
            weights.name, f"{found.errors} errors recounted, {weights.card['test']['errors']} in its card"
        )
    return found, apart


def ship(runs: list[Path], name: str, assets: Path) -> Path:
    """Choose on held-out writers, pass the gate, write the weights and their model card beside; return their path."""
    found = candidates(runs)
    chosen = min(found, key=lambda each: (each.held_out_errors, each.seed))
    weights = load_weights(chosen.weights)
    data = _load(weights)
    evaluation, apart = check(weights, data)
    if weights.net.knows_none and not weights.card["recipe"].get("windows"):
        weights = fit_decoder.fit_decoder(weights, _hold_out(weights, data))
        evaluation = measure.evaluate(Network(weights), data.test, data.name)
        weights.card["test"] = {"errors": evaluation.errors, "n": evaluation.n}
    if weights.net.says_characters:
        weights = _fit_codes(weights)
    card: dict[str, Any] = {
        **weights.card,
        "parity": apart,
        "seeds": [
            {"seed": each.seed, "held_out_errors": each.held_out_errors, "errors": each.errors}
            for each in sorted(found, key=lambda each: each.seed)
        ],
        "median_errors": median(each.errors for each in found),
        "test_calibration_error": evaluation.calibration_error,
        "groups": {group: {"errors": errors, "n": n} for group, (errors, n) in evaluation.groups.items()},
    }
    if weights.card["recipe"].get("teacher"):
        card["teacher"] = {**card["teacher"], **_measure_teacher(weights, data)}
    shipped = replace(weights, card=card, name=name)
    path = assets / f"{name}.safetensors"
    card_path = path.with_suffix(".md")
    try:
        replace_text(card_path, write_card(shipped, evaluation))
    except OSError as error:
        raise TrainingError(card_path, f"the model card cannot be written ({reason(error)})") from error
    save_weights(path, shipped)
    return path


def _measure_teacher(weights: Weights, data: Dataset) -> dict[str, Any]:
    """Count the errors of what taught weights, of all its networks together and of each, on both sets of digits."""
    files = find_teachers(weights.card["recipe"]["teacher"])
    sums = [sha256(file.read_bytes()).hexdigest() for file in files]
    if sums != [weights.card["teacher"]["sha256"]] and sums != weights.card["teacher"]["sha256"]:
        raise TrainingError(weights.name, "its teacher is not what it was", "keep the run folder that taught it")
    found: dict[str, Any] = {}
    for name, digits in (("held_out", data.split(True)[1]), ("test", data.test)):
        inputs, rows = to_input(digits.glyphs), np.arange(len(digits), dtype=np.int32)
        said = [Teacher(str(file), weights.net, digits.labels)(inputs, rows) for file in files]
        wrong = [int((each.argmax(axis=1) != digits.labels).sum()) for each in (np.mean(said, axis=0), *said)]
        found[name] = {"errors": wrong[0], "n": len(digits), "of_each": wrong[1:]}
    return found


def _fit_codes(weights: Weights) -> Weights:
    """Fit what reads lines of characters, and count codes of the writers apart."""
    fitted = fit_characters.fit_characters(weights)
    return replace(fitted, card={**fitted.card, "codes": fit_characters.measure_codes(fitted)})


def _load(weights: Weights) -> Dataset:
    """Return what weights were trained on."""
    if weights.net.says_characters:
        return draw_characters(1000 * weights.card["recipe"]["characters"])
    return load(weights.card["data"]["name"])


def _hold_out(weights: Weights, data: Dataset) -> fit_decoder.HeldOut:
    """Return what no writer who taught the weights wrote."""
    return fit_decoder.gather_held_out(data, hands=bool(weights.card["recipe"].get("hands")))


def refit(name: str, assets: Path) -> Path:
    """Fit the confidence of shipped weights' answers anew, after what it is weighed by has changed; return their path.

    The network stays as it is, and so does what finds the path through digits; what finds it through characters is
    fitted too. Of weights that read lines it is where numbers end, and how sure one digit is beside all letters. The
    model card beside them is refreshed.
    """
    weights = load_weights(name)
    path = assets / f"{name}.safetensors"
    if weights.net.says_labels:
        path, fitted = assets / "lines" / path.name, _fit_places(weights)
    elif weights.net.says_characters:
        fitted = _fit_codes(weights)
    elif weights.reads_numbers:
        fitted = fit_decoder.fit_answers(weights, _hold_out(weights, load(weights.card["data"]["name"])))
    else:
        raise TrainingError(name, "reads no numbers", "choose weights that do")
    card = path.with_suffix(".md")
    if card.exists() and not weights.net.says_labels:
        replace_text(card, refresh_card(card.read_text(encoding="utf-8"), fitted))
    save_weights(path, fitted)
    return path


def ship_lines(given: list[Path], name: str, assets: Path, beside: str = DEFAULT, *, keep_spaces: bool = False) -> Path:
    """Ship a line network, once its spaces and how its answers go with those `beside` it are fitted; return the path.

    A slash is said less readily than was learned. Of several weights files, such as what a run ended with and what it
    began with, the mean is shipped (Wortsman et al., 2022); one that is given twice counts twice. With `keep_spaces`
    numbers are parted as the last of them parts its own. Takes minutes: thousands of lines of held-out hands are read.
    Raises TrainingError for other networks.
    """
    weights = lower_slash(average_weights(given))
    cut, whole = Network(load_weights(beside), threads=1), LineNetwork(weights, threads=1)
    lines = fit_pair.picture_lines(cut, whole, load_hands("dev"), find_fonts(), fit_pair.PAGES, 0)
    path = assets / "lines" / f"{name}.safetensors"
    save_weights(path, _fit_places(fit_pair.fit_pair(weights, lines), beside, given[-1] if keep_spaces else None))
    return path


def lower_slash(weights: Weights) -> Weights:
    """Return a line network's weights that say a slash less readily by _SLASH nats in all, in whichever column."""
    labels = len(LINE_LABELS) + 1
    bias = weights.tensors["output.bias"].copy()
    bias[LINE_LABELS.index("/") :: labels] -= np.float32(_SLASH - weights.card.get("slash_lowered_by", 0.0))
    card = {**weights.card, "slash_lowered_by": _SLASH}
    return replace(weights, tensors={**weights.tensors, "output.bias": bias}, card=card)


def average_weights(given: list[Path]) -> Weights:
    """Return the mean of line networks' weights, with the first one's card.

    Those of smaller networks are grown to the first one's. Raises TrainingError for networks that read no lines, and
    UsageError for larger ones.
    """
    every = [load_weights(path) for path in given]
    for path, weights in zip(given, every, strict=True):
        if not weights.net.says_labels:
            raise TrainingError(path, f"weights of {weights.net.name}", "choose weights of a line network")
    first = every[0]
    alike = [
        each.tensors if each.net.name == first.net.name else grow_tensors(each, first.net, np.random.default_rng(0))
        for each in every
    ]
    tensors = {name: np.mean([each[name] for each in alike], axis=0).astype(np.float32) for name in first.tensors}
    card = {**first.card, "mean_of": list(map(str, given))} if len(given) > 1 else first.card
    return replace(first, tensors=tensors, card=card)


def _fit_places(weights: Weights, beside: str = DEFAULT, spaces: Path | None = None) -> Weights:
    """Fit where numbers end, unless `spaces` say it, and how sure one digit is beside all letters and `beside` it."""
    if spaces:
        fitted = fit_spaces.take_spaces(weights, load_weights(spaces))
    else:
        maker, whole = LineMaker(load_hands("train"), find_fonts()), LineNetwork(weights, threads=1)
        fitted = fit_spaces.fit_spaces(weights, fit_spaces.picture_spaces(maker, whole, fit_spaces.LINES, 0))
    network = Network(load_weights(beside), own_lines=fit_letters.forget_letters(fitted))
    singles = fit_letters.picture_singles(network, load_hands("dev"), fit_letters.PAGES, 0)
    return fit_letters.fit_letters(fitted, singles)


def main() -> None:
    """Ship from the command line."""
    parser = argparse.ArgumentParser(description="Ship the best replica of finished runs of one recipe.")
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--as", dest="name", required=True)
    parser.add_argument("--refit", action="store_true", help="only fit the confidence of shipped weights anew")
    parser.add_argument(
        "--lines", action="store_true", help="ship the weights of a line network, or the mean of several"
    )
    parser.add_argument("--keep-spaces", action="store_true", help="part numbers as the last of these weights does")
    parser.add_argument("--assets", type=Path, default=Path(__file__).resolve().parents[1] / "assets")
    options = parser.parse_args()
    try:
        if options.refit:
            print(refit(options.name, options.assets))
        elif options.lines:
            print(ship_lines(options.runs, options.name, options.assets, keep_spaces=options.keep_spaces))
        else:
            print(ship(options.runs, options.name, options.assets))
    except LenetError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
