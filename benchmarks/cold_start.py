"""Wall time of a cold `lenet read` against `import torch`, interleaved: python benchmarks/cold_start.py [--runs 9]."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

_PICTURE = str(Path(__file__).resolve().parent.parent / "examples" / "pen.png")
READ = [sys.executable, "-c", "from lenet.cli import main; main()", "read", _PICTURE]
TORCH = [sys.executable, "-c", "import torch"]


def seconds(command: list[str]) -> float:
    """Return the wall time of one run of a command."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Run both in turn, after one run of each to warm the file cache, and print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    seconds(READ), seconds(TORCH)
    pairs = [(seconds(READ), seconds(TORCH)) for _run in range(runs)]
    read, torch = (statistics.median(column) for column in zip(*pairs, strict=True))
    found = {"lenet_read_s": round(read, 3), "import_torch_s": round(torch, 3), "ratio": round(read / torch, 3)}
    print(json.dumps({**found, "runs": runs}))


if __name__ == "__main__":
    main()
