"""`lenet train --recipe quick`, from the command to its last line, against PyTorch's import and one pass.

python benchmarks/quick_start.py [--seeds 5]. Interleaved. The command runs in a Python where PyTorch cannot be
imported; PyTorch imports itself and trains one pass of 54,908 images in batches of 64 (as many as the recipe
trains on) of the same network, on random images, without loading anything.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

QUICK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Block())
from lenet.cli import main
main(["train", "--recipe", "quick", "--json", "--seed", sys.argv[1], "--out", sys.argv[2]])
"""
TORCH = """
import torch
from torch.nn import functional as F
import lenet
torch.set_num_threads(int(__import__("sys").argv[1]))
model = lenet.create_model("lenet5-modern")
optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
x, y = torch.rand(54908, 1, 32, 32), torch.randint(0, 10, (54908,))
for first in range(0, len(y), 64):
    loss = F.cross_entropy(model(x[first : first + 64]), y[first : first + 64])
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
"""


def timed(program: str, *arguments: str) -> tuple[float, str]:
    """Return the wall time of a program in a fresh Python, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True)
    return time.perf_counter() - started, done.stdout


def main() -> None:
    """Run both in turn for each seed; print the medians, their ratio and the errors."""
    from lenet.native.dispatch import chosen_engine, count_cores

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    ours, theirs, errors = [], [], []
    for seed in range(parser.parse_args().seeds):
        with TemporaryDirectory() as folder:
            seconds, printed = timed(QUICK, str(seed), str(Path(folder) / "run"))
        ours.append(seconds)
        errors.append(json.loads(printed)["errors"])
        theirs.append(timed(TORCH, str(count_cores()))[0])
    quick, torch = statistics.median(ours), statistics.median(theirs)
    found = {
        "quick_s": round(quick, 2),
        "torch_import_and_pass_s": round(torch, 2),
        "ratio": round(quick / torch, 3),
        "errors": errors,
        "median_errors": statistics.median(errors),
        "slowest_quick_s": round(max(ours), 2),
        "engine": chosen_engine(),
        "threads": count_cores(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
