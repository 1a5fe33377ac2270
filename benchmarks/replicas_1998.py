"""Many replicas of the paper's LeNet-5: mean, interval, spread, best and worst, and the distribution as a figure.

lenet train --recipe paper --replicas 100 --out runs/paper-100
python benchmarks/replicas_1998.py runs/paper-100 [RUN ...] [--out docs/reproduction/replicas.svg]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from lenet.files import replace_text
from lenet.report.figures import histogram
from lenet.report.measured import Spread

STATED = 0.95


def main() -> None:
    """Print what the replicas of some runs of the recipe `paper` come to, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found: dict[int, float] = {}
    for run in options.runs:
        result = json.loads((run / "result.json").read_text(encoding="utf-8"))
        assert result["recipe"] == "paper", run
        found |= {each["seed"]: 100 * each["errors"] / each["n"] for each in result["replicas"]}
    errors = Spread(tuple(found[seed] for seed in sorted(found)))
    low, high = errors.interval95
    values = np.array(errors.values)
    print(f"{len(values)} replicas, seeds {min(found)} to {max(found)}: {errors.mean:.3f} % ± {errors.std:.3f}")
    print(f"95 % interval of the mean {low:.3f} to {high:.3f}; median {np.median(values):.2f}")
    print(
        f"best {values.min():.2f}, worst {values.max():.2f}, nine of ten from {np.quantile(values, 0.05):.2f} ", end=""
    )
    print(f"to {np.quantile(values, 0.95):.2f}")
    print(f"{int((values <= STATED).sum())} of {len(values)} have {STATED} % or less")
    if options.out:
        replace_text(options.out, histogram(errors, STATED))


if __name__ == "__main__":
    main()
