"""Pictures a second of one job on many pictures, beside a warm `lenet.read` loop over the same files on one core.

    python benchmarks/read_many.py [--n 100000] [--stages] [--json]

The pictures are MNIST's test digits at sizes of 20 to 120 pixels, as PNGs in a zip archive, each read as one digit, the
answers written to Parquet. Told are both rates, the job's as a share of the loop's times the cores, and the memory of
the job's processes in its second and its last tenth, which should be the same. With --stages it tells instead where
the time of a picture goes.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import lenet
from lenet.data import dataset
from lenet.native.dispatch import count_cores
from lenet.preprocessing.decode import open_page
from lenet.reader import read_digit
from lenet.segmentation.candidates import find_digit


def write_pictures(archive: Path, n: int) -> None:
    """Write so many digits at sizes drawn at random, dark on white."""
    rng = np.random.default_rng(0x10)
    glyphs = dataset.load("mnist").test.glyphs
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(n):
            side = int(rng.integers(20, 121))
            picture = Image.fromarray(255 - glyphs[number % len(glyphs)]).resize((side, side), Image.Resampling.BICUBIC)
            data = io.BytesIO()
            picture.save(data, "PNG", compress_level=1)
            file.writestr(f"{number:07d}.png", data.getvalue())


def loop_rate(archive: Path, n: int) -> float:
    """Return the pictures a second of a warm loop on one core."""
    network = replace(lenet.load(), threads=1)
    with zipfile.ZipFile(archive) as file:
        pictures = [file.read(name) for name in file.namelist()[:n]]
    for each in pictures[:50]:
        lenet.read(each, model=network, digit=True)
    started = time.perf_counter()
    for each in pictures:
        lenet.read(each, model=network, digit=True)
    return n / (time.perf_counter() - started)


def stages(archive: Path, n: int) -> dict[str, float]:
    """Return the mean milliseconds of a picture by stage, on one core, out of the archive and into a line of JSON."""
    network = replace(lenet.load(), threads=1)
    took: defaultdict[str, float] = defaultdict(float)
    with zipfile.ZipFile(archive) as file:
        for name in file.namelist()[:n]:
            times = [time.perf_counter()]
            data = file.read(name)
            times.append(time.perf_counter())
            open_page(data)
            times.append(time.perf_counter())
            candidates = find_digit(data)
            times.append(time.perf_counter())
            network.scores(candidates.glyphs)
            times.append(time.perf_counter())
            reading = read_digit(candidates, network)
            times.append(time.perf_counter())
            json.dumps({"path": name, **reading.as_json()})
            times.append(time.perf_counter())
            unpack, decode, see, score, say, answer = (b - a for a, b in pairwise(times))
            # Seeing decodes once more, and saying what it is scores once more.
            parts = {"unpack": unpack, "decode": decode, "see": see - decode, "score": score, "say": say - score}
            for stage, seconds in (parts | {"answer": answer}).items():
                took[stage] += seconds
    return {stage: round(1000 * seconds / n, 3) for stage, seconds in took.items()}


def memory(pid: int) -> float:
    """Return the megabytes of a process and all below it."""
    total = 0.0
    for each in [pid, *descendants(pid)]:
        try:
            status = Path(f"/proc/{each}/status").read_text()
        except OSError:
            continue
        total += next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)
    return total


def descendants(pid: int) -> list[int]:
    """Return the processes below one."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def main() -> None:
    """Write the pictures, read them both ways, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive, out = Path(folder) / "digits.zip", Path(folder) / "answers.parquet"
        write_pictures(archive, options.n)
        some = min(options.n, 3000)
        if options.stages:
            tell({"milliseconds": stages(archive, some)}, options.json)
            return
        before = loop_rate(archive, some)
        command = [sys.executable, "-c", "from lenet.cli import main; main()", "read", "--digit", str(archive)]
        started = time.perf_counter()
        job = subprocess.Popen([*command, "--out", str(out)], env=os.environ)
        used: list[float] = []
        while job.poll() is None:
            used.append(memory(job.pid))
            time.sleep(0.5)
        seconds = time.perf_counter() - started
        assert job.returncode == 0
        loop = (before + loop_rate(archive, some)) / 2
        import pyarrow.parquet as pq

        names = pq.read_table(out).column("path").to_pylist()
        assert len(names) == len(set(names)) == options.n
    tenth = max(1, len(used) // 10)
    found = {
        "n": options.n,
        "cores": count_cores(),
        "job_per_second": round(options.n / seconds, 1),
        "loop_per_second": round(loop, 1),
        "share_of_loop_times_cores": round(options.n / seconds / (loop * count_cores()), 3),
        "mb_second_tenth": round(max(used[tenth : 2 * tenth]), 1),
        "mb_last_tenth": round(max(used[-tenth:]), 1),
        "mb_most": round(max(used), 1),
    }
    tell(found, options.json)


def tell(found: dict[str, Any], as_json: bool) -> None:
    """Print what was found."""
    print(json.dumps(found) if as_json else "\n".join(f"{key}: {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
