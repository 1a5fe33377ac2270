"""Steps of training `lenet-line`: lenet's engine against PyTorch, on the same lines, from the same weights.

python benchmarks/line_training.py [--steps 9]. A step is 64 lines of 192 pixels: the forward loss over all alignments,
its gradient, AdamW. Interleaved, on as many threads; medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np
import torch

from lenet.native.dispatch import chosen_engine, count_cores
from lenet.network.inputs import PAPER_GREY
from lenet.network.spec import LINE_LABELS
from lenet.network.weights import load_weights
from lenet.training.line_backend import LineBackend
from lenet.training.line_engine import EngineLines
from lenet.training.line_recipe import LINE_RECIPES
from lenet.training.line_stream import LONGEST, LineBatch
from lenet.training.line_torch import TorchLines

LINES, WIDTH, TEXT = 64, 192, 8


def make_batch() -> LineBatch:
    """Return random strips with random texts: what they say does not change what a step takes."""
    rng = np.random.default_rng(0)
    strips = np.clip(rng.normal(PAPER_GREY, 30, (LINES, 32, WIDTH)), 0, 255).astype(np.uint8)
    labels = np.zeros((LINES, LONGEST), np.int32)
    labels[:, :TEXT] = rng.integers(0, len(LINE_LABELS), (LINES, TEXT))
    return LineBatch(strips, np.full(LINES, WIDTH, np.int32), labels, np.full(LINES, TEXT, np.int32))


def main() -> None:
    """Time steps of both in turn; print the medians in milliseconds a line, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=9)
    steps = parser.parse_args().steps
    torch.set_num_threads(count_cores())
    recipe, start = LINE_RECIPES["line"], load_weights("lenet-line").tensors
    backends: dict[str, LineBackend] = {
        "engine": EngineLines(recipe, 0, start),
        "torch": TorchLines(recipe, 0, start, "cpu"),
    }
    batch, rows = make_batch(), np.arange(LINES)
    kept = {name: backend.keep(batch) for name, backend in backends.items()}
    seconds: dict[str, list[float]] = {name: [] for name in backends}
    for step in range(-1, steps):
        for name, backend in backends.items():
            begun = time.perf_counter()
            float(backend.step(kept[name], rows, np.random.default_rng(step + 1), 0.5))
            if step >= 0:
                seconds[name].append(time.perf_counter() - begun)
    found = {name: 1000 * statistics.median(each) / LINES for name, each in seconds.items()}
    told = {f"{name}, ms a line": round(each, 2) for name, each in found.items()}
    where = {"threads": count_cores(), "engine": chosen_engine(), "torch": torch.__version__, "steps": steps}
    print(json.dumps({**told, "times as fast": round(found["torch"] / found["engine"], 2), **where}))


if __name__ == "__main__":
    main()
