"""What a GPU does with these networks, in under ten minutes: training, resuming, the same again, many replicas at once.

    python benchmarks/gpu.py [--device cuda] [--json FILE]
    python benchmarks/gpu.py --device cpu --small      # whether the script runs, not a figure

MNIST lies in $LENET_DATA or the cache. What a card did is in RESULTS.md.

- `quick`: the recipe, its seconds and errors; how far weights are apart when it is trained again from the same seed,
  and when it is stopped and resumed.
- `best`: images a second, with batch normalisation and elastic distortions, over a few passes.
- `replicas`: many replicas of `lenet5-modern` in one batched step each (torch.func.vmap), updates a second beside one
  after the other.
- `to 99 %`: seconds of training until at most 100 of MNIST's 10,000 test digits are wrong, counted after every pass of
  `quick` with more passes; loading, warming up and counting are left out, distortions and augmentation are not.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional as F

from lenet.data import dataset
from lenet.data.dataset import Dataset, Digits
from lenet.nets import LeNet
from lenet.network.inputs import to_input
from lenet.network.spec import NETS
from lenet.training.backends import choose_backend
from lenet.training.loop import Progress, train_replicas
from lenet.training.recipe import Recipe
from lenet.training.recipes import RECIPES
from lenet.training.run import RunFolder

_RATE, _BATCH, _WRONG = 0.05, 64, 100


class Stopped(Exception):
    """A run was ended on purpose."""


def main() -> None:
    """Run all parts, print each, and write what was found so far."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="a thousand digits, few passes and replicas")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = torch.device(options.device)
    data = dataset.load("mnist")
    data = shrink(data) if options.small else data
    found: dict[str, Any] = {"device": name_device(device), "torch": torch.__version__, "small": options.small}
    counts = (2, 4) if options.small else (1, 10, 100, 1000)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        parts: dict[str, Callable[[], Any]] = {
            "quick": lambda: measure_quick(data, place, options.device),
            "replicas": lambda: [measure_replicas(data, device, each, 4 if options.small else 40) for each in counts],
            "to 99 %": lambda: measure_until(data, place, options.device, passes=2 if options.small else 12),
            "best": lambda: measure_best(data, place, options.device, passes=1 if options.small else 4),
        }
        for name, measure in parts.items():
            found[name] = measure()
            print(name, json.dumps(found[name], indent=2), flush=True)
            if options.json:
                options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def name_device(device: torch.device) -> str:
    """Return what the device is called."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def shrink(data: Dataset) -> Dataset:
    """Return the first thousand digits of each part."""
    first = [Digits(part.glyphs[:1000], part.labels[:1000]) for part in (data.train, data.test)]
    return Dataset(data.name, *first, data.held_out[:1000], data.checksum)


def train(data: Dataset, recipe: Recipe, out: Path, device: str, **more: Any) -> tuple[dict[str, Any], float]:
    """Train one replica on a device; return the result and the seconds of it."""
    started = time.perf_counter()
    result = train_replicas(recipe, data, RunFolder(out), choose_backend("torch", device), [0], **more)
    return result, time.perf_counter() - started


def measure_quick(data: Dataset, place: Path, device: str) -> dict[str, Any]:
    """Train `quick` twice, and once with a stop after its second pass; compare the weights."""
    recipe = RECIPES["quick"]
    result, seconds = train(data, recipe, place / "one", device)
    _again, warm = train(data, recipe, place / "two", device)
    try:
        train(data, recipe, place / "three", device, report=stop_after(2))
    except Stopped:
        train(data, recipe, place / "three", device, resume=True)
    one, two, three = (read_tensors(place / name / "weights.safetensors") for name in ("one", "two", "three"))
    return {
        "errors": result["errors"],
        "n": result["n"],
        "seconds, cold": round(seconds, 2),
        "seconds, warm": round(warm, 2),
        "seconds of its passes": result["seconds"],
        "same seed, weights apart": apart(one, two),
        "stopped and resumed, weights apart": apart(one, three),
    }


def stop_after(passes: int) -> Callable[[Progress], None]:
    """Return a report that ends a run once it has done so many passes."""

    def report(at: Progress) -> None:
        if at.line is not None and at.passed >= passes:
            raise Stopped

    return report


def read_tensors(path: Path) -> dict[str, Any]:
    """Return a weights file's tensors."""
    from lenet.network.weights import load_weights

    return load_weights(path).tensors


def apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the largest difference of two networks' weights."""
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


def measure_best(data: Dataset, place: Path, device: str, passes: int) -> dict[str, Any]:
    """Train a few passes of `best`."""
    result, _seconds = train(data, replace(RECIPES["best"], passes=passes), place / "best", device)
    lines = RunFolder(place / "best").log()
    return {"passes": passes, "errors": result["errors"], "images a second": lines[-1]["images_per_second"]}


def measure_until(data: Dataset, place: Path, device: str, passes: int) -> dict[str, Any]:
    """Train until few enough test digits are wrong."""
    train(data, replace(RECIPES["quick"], passes=1, hold_out=False), place / "warm", device)
    recipe = replace(RECIPES["quick"], passes=passes, hold_out=False, watch=True)
    train(data, recipe, place / "until", device)
    seconds = 0.0
    for line in RunFolder(place / "until").log():
        seconds += line["seconds"]
        if line["test_errors"][0] <= _WRONG:
            return {"reached": True, "passes": line["pass"], "seconds": round(seconds, 2), "of passes": passes}
    return {"reached": False, "passes": passes, "seconds": round(seconds, 2)}


def measure_replicas(data: Dataset, device: torch.device, count: int, steps: int) -> dict[str, Any]:
    """Do steps of SGD on many replicas at once, each with batches of its own; return replicas' updates a second."""
    models = [LeNet(NETS["lenet5-modern"], initialisation="he", seed=seed).to(device) for seed in range(count)]
    parameters, buffers = stack_module_state(models)
    inputs = torch.from_numpy(to_input(data.train.glyphs)).to(device)
    labels = torch.from_numpy(data.train.labels.astype(np.int64)).to(device)

    def loss_of(own: dict[str, Tensor], held: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(models[0], (own, held), (x,)), y)

    step = vmap(grad(loss_of))
    generator = torch.Generator().manual_seed(0)

    def run(times: int) -> float:
        started = time.perf_counter()
        for _step in range(times):
            rows = torch.randint(len(labels), (count, _BATCH), generator=generator).to(device)
            slopes = step(parameters, buffers, inputs[rows], labels[rows])
            with torch.no_grad():
                for name, slope in slopes.items():
                    parameters[name].sub_(_RATE * slope)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - started

    run(2)
    seconds = run(steps)
    return {"replicas": count, "updates a second": round(count * steps / seconds, 1), "batch": _BATCH}


if __name__ == "__main__":
    main()
