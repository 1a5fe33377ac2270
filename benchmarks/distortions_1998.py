"""Why the paper's distortions do not give 0.8 %: one change at a time, errors of held-out writers.

    python benchmarks/distortions_1998.py [--only NAME ...] [--replicas 16] [--out FOLDER]

Each row trains LeNet-5 of 1998 by `paper-distorted-as-written` with one change, on the digits of all but the held-out
writers, and counts the errors on theirs. A row takes ten minutes of a core. What is done already stays in the folder.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

from lenet.cli.progress import bar
from lenet.data import dataset
from lenet.training.backends import choose_backend
from lenet.training.distortions import FIGURE_7, Figure7
from lenet.training.loop import train_replicas
from lenet.training.recipe import Recipe
from lenet.training.recipes import RECIPES
from lenet.training.run import RunFolder

AS_WRITTEN = replace(RECIPES["paper-distorted-as-written"], hold_out=True)
HALF = Figure7(shrink_low=0.77**0.5, shrink_high=1.4**0.5, squeeze=0.05, shear=0.07, shift=1.0)
ROWS: dict[str, Recipe] = {
    "none": replace(AS_WRITTEN, distortions=None, pool=0),
    "none-rates-half": replace(AS_WRITTEN, distortions=None, pool=0, rate=2.5e-4),
    "as-written": AS_WRITTEN,
    "anew": replace(AS_WRITTEN, pool=0, order="new"),
    "anew-constant-order": replace(AS_WRITTEN, pool=0),
    "half": replace(AS_WRITTEN, distortions=HALF),
    "no-zoom": replace(AS_WRITTEN, distortions=replace(FIGURE_7, shrink_low=1.0, shrink_high=1.0)),
    "no-shift": replace(AS_WRITTEN, distortions=replace(FIGURE_7, shift=0.0)),
    "rates-twice": replace(AS_WRITTEN, rate=1e-3),
    "rates-half": replace(AS_WRITTEN, rate=2.5e-4),
    "rates-quarter": replace(AS_WRITTEN, rate=1.25e-4),
    "rates-half-passes-40": replace(AS_WRITTEN, rate=2.5e-4, passes=40),
    "curvature-distorted": replace(AS_WRITTEN, curvature_distorted=True),
    "passes-40": replace(AS_WRITTEN, passes=40),
    "passes-200": replace(AS_WRITTEN, passes=200),
}


def main() -> None:
    """Train the rows that are not done, and print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--replicas", type=int, default=16)
    parser.add_argument("--out", type=Path, default=Path("runs/distortions-1998"))
    options = parser.parse_args()
    data = dataset.load("mnist")
    for name in options.only:
        folder = options.out / name
        if not (folder / "result.json").exists():
            with bar(name, "patterns") as move:
                train_replicas(
                    ROWS[name],
                    data,
                    RunFolder(folder),
                    choose_backend("engine", None),
                    list(range(options.replicas)),
                    resume=folder.exists(),
                    report=lambda at: move((at.passed - 1) * at.total + at.done, at.passes * at.total),
                )
        found = json.loads((folder / "result.json").read_text(encoding="utf-8"))["replicas"]
        held = [100 * each["held_out_errors"] / each["held_out_n"] for each in found]
        last = json.loads((folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        wrong = mean(last["train_errors"]) / last_size(folder)
        print(f"| {name} | {mean(held):.2f} ± {stdev(held):.2f} | {100 * wrong:.2f} | {len(held)} |", flush=True)


def last_size(folder: Path) -> int:
    """Return how many patterns a pass of a run showed."""
    task = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    return int(task["data"]["trained_on"])


if __name__ == "__main__":
    main()
