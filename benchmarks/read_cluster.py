"""Pictures a second of a job on one worker to as many as there are cores: processes of one machine, and a Ray cluster.

    python benchmarks/read_cluster.py [--n 20000] [--killed] [--json]

The pictures are those of benchmarks/read_many.py. Each row is one command from its start to its end, Ray's start
included. With --killed it is the cluster on all cores alone, one of its workers killed once a third of the parts is
written, and every picture is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from read_many import loop_rate, write_pictures

from lenet.native.dispatch import count_cores


def timed(archive: Path, out: Path, workers: int, *more: str, kill: bool = False) -> float:
    """Return the seconds of one command with so many workers."""
    command = [sys.executable, "-c", "from lenet.cli import main; main()", "read", "--digit", str(archive)]
    started = time.perf_counter()
    environment = {**os.environ, "LENET_THREADS": str(workers)}
    with subprocess.Popen([*command, "--out", str(out), *more], env=environment, stdout=subprocess.DEVNULL) as job:
        while kill and job.poll() is None:
            time.sleep(0.2)
            if (out / "_manifest.json").exists():
                told = json.loads((out / "_manifest.json").read_text())
                if 3 * told["pictures_a_part"] * len(list(out.glob("part-*"))) > told["pictures"]:
                    kill_a_worker()
                    kill = False
    assert job.returncode == 0
    assert not kill
    return time.perf_counter() - started


def kill_a_worker() -> None:
    """Kill one of Ray's processes that read."""
    for each in Path("/proc").iterdir():
        with suppress(OSError):  # it has ended
            if each.name.isdigit() and (each / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
                os.kill(int(each.name), signal.SIGKILL)
                return
    raise RuntimeError("no worker runs")


def main() -> None:
    """Write the pictures, read them in every way, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--killed", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = folder / "digits.zip"
        write_pictures(archive, options.n)
        some = min(options.n, 3000)
        loops = [loop_rate(archive, some)]

        def row(what: str, workers: int, out: str, *more: str, kill: bool = False) -> None:
            seconds = timed(archive, folder / out, workers, *more, kill=kill)
            names = pq.read_table(folder / out).column("path").to_pylist()
            assert len(names) == len(set(names)) == options.n
            loops.append(loop_rate(archive, some))
            share = options.n / seconds / (workers * sum(loops[-2:]) / 2)
            rates = {"per_second": round(options.n / seconds, 1), "share_of_loop_times_workers": round(share, 3)}
            rows.append({"what": what, "workers": workers, "seconds": round(seconds, 1), **rates})

        if options.killed:
            row("cluster, a worker killed", count_cores(), "killed", "--cluster", "local", kill=True)
        else:
            for workers in range(1, count_cores() + 1):
                row("processes", workers, f"{workers}.parquet")
                row("cluster", workers, f"cluster{workers}", "--cluster", "local")
    loop = round(sum(loops) / len(loops), 1)
    if options.json:
        print(json.dumps({"n": options.n, "loop_per_second": loop, "rows": rows}))
        return
    print(f"{options.n:,} pictures; a warm loop on one core, before and after each row: {loop} a second on average")
    for each in rows:
        print(", ".join(f"{key} {value}" for key, value in each.items()))


if __name__ == "__main__":
    main()
