"""Jobs that are killed, whose disk is full, whose workers die: nothing lost, nothing twice, the same in the end.

    python benchmarks/soak_jobs.py kills [--each 20] [--json FILE]
    python benchmarks/soak_jobs.py disk [--n 100000] [--json FILE]
    python benchmarks/soak_jobs.py cluster [--n 20000] [--json FILE]

`kills` ends each of six kinds of work with SIGKILL at moments drawn at random over the time that it takes, goes on with
it where it can be gone on with, and compares what it made in the end with what it makes undisturbed, byte by byte.
`disk` reads pictures onto a file system of some megabytes (a tmpfs, so it needs root) that is filled and cleared
meanwhile. `cluster` kills a worker of a Ray cluster every 8 to 20 seconds. The status is 1 when anything was wrong.
"""

from __future__ import annotations

import argparse
import base64
import csv
import filecmp
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image
from read_cluster import kill_a_worker
from read_many import write_pictures
from safetensors.numpy import load_file

ROOT = Path(__file__).parents[1]
LENET = [sys.executable, "-c", "from lenet.cli import main; main()"]
Same = Callable[[Path, Path], bool]


def run(*arguments: str, kill_after: float | None = None) -> tuple[int, str]:
    """Run a command, ended after so many seconds; return its status and the last line that it said on stderr."""
    with subprocess.Popen([*LENET, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as job:
        timer = threading.Timer(kill_after or 1e6, job.kill)
        timer.start()
        said = job.communicate()[1].strip().splitlines()
        timer.cancel()
    return job.returncode, said[-1] if said else ""


def same_bytes(one: Path, other: Path) -> bool:
    """Tell whether two files are the same."""
    return filecmp.cmp(one, other, shallow=False)


def same_weights(one: Path, other: Path) -> bool:
    """Tell whether two run folders have the same weights, to the bit, and logs of as many passes."""
    tensors = [load_file(each / "weights.safetensors") for each in (one, other)]
    logs = [(each / "log.jsonl").read_text().count("\n") for each in (one, other)]
    return logs[0] == logs[1] and all((tensors[0][name] == tensors[1][name]).all() for name in tensors[0])


def kill(begin: list[str], go_on: list[str], made: str, same: Same, each: int, rng: random.Random) -> dict[str, Any]:
    """Kill a command at moments drawn at random, and go on with it; `OUT` in its words is the place of its output."""
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place) / "whole"
        whole.mkdir()
        started = time.monotonic()
        status, said = run(*(word.replace("OUT", str(whole)) for word in begin))
        seconds = time.monotonic() - started
        assert status == 0, said
        wrong, killed, runs = [], 0, 0
        while killed < each:
            folder = Path(place) / f"run-{runs}"
            folder.mkdir()
            runs += 1
            for turn in range(30):
                words = [word.replace("OUT", str(folder)) for word in (begin if turn == 0 or not go_on else go_on)]
                last = killed >= each or turn == 29
                status, said = run(*words, kill_after=None if last else rng.uniform(0.0, 1.1 * seconds))
                killed += status == -signal.SIGKILL
                if "is finished" in said:  # it was killed when all was done
                    status = 0
                if status == 0:
                    break
                if status != -signal.SIGKILL and "--resume goes on" not in said:
                    wrong.append(f"status {status}: {said[:200]}")
                    break
                if not go_on:
                    partly = [file.name for file in folder.iterdir() if not file.name.startswith(".")]
                    if partly and not same(folder / made, whole / made):
                        wrong.append(f"{partly} is there, and another")
            if status == 0 and not same(folder / made, whole / made):
                wrong.append("it ended, and made another")
        return {"killed": killed, "runs": runs, "seconds_undisturbed": round(seconds, 1), "wrong": wrong}


def kill_services(each: int, rng: random.Random) -> dict[str, Any]:
    """Kill a service while corrections are sent to it; each that was answered is there, and the next one begins."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        kept: list[bytes] = []
        wrong = []
        for _service in range(each):
            command = [*LENET, "serve", "--port", "0", "--folder", str(folder)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as service:
                assert service.stdout is not None
                address = service.stdout.readline().strip().removeprefix("http://")
                timer = threading.Timer(rng.uniform(0.05, 1.0), service.kill)
                timer.start()
                try:
                    while True:
                        glyph = rng.randbytes(784)
                        asked = json.dumps({"glyph": base64.b64encode(glyph).decode(), "label": "7"})
                        line = http.client.HTTPConnection(address, timeout=30)
                        line.request("POST", "/corrections", asked, {"content-type": "application/json"})
                        if line.getresponse().status == 200:
                            kept.append(glyph)
                        else:
                            wrong.append("not taken")
                except (OSError, http.client.HTTPException):
                    pass
                timer.join()
        with (folder / "corrections" / "labels.csv").open(newline="") as file:
            names = [row["path"] for row in csv.DictReader(file)]
        found = [255 - np.asarray(Image.open(folder / "corrections" / name)) for name in names]
        lost = set(kept) - {each.tobytes() for each in found}
        more = len(names) - len(set(names))
        return {"killed": each, "answered": len(kept), "lost": len(lost), "twice": more, "wrong": wrong}


def kills(each: int, only: list[str]) -> dict[str, Any]:
    """Kill each kind of work so often, or some kinds only."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        pictures, digits = Path(place) / "numbers", Path(place) / "digits"
        pictures.mkdir()
        for number in range(120):
            shutil.copy(ROOT / "examples" / "zip.jpg", pictures / f"{number:03d}.jpg")
        run("read", str(pictures), "--save-glyphs", str(digits), "-o", str(Path(place) / "a.csv"))
        pages = [str(ROOT / "examples" / "pages" / name) for name in ("class-list.jpg", "log-sheet.jpg", "exam.jpg")]
        read = ["read", str(pictures), "--out", "OUT/out.csv"]
        table = ["table", *pages, *pages, "--out", "OUT/out.csv"]
        train = ["train", "--recipe", "quick", "--passes", "4", "--set", "train_on=3000", "--out", "OUT/run"]
        tune = ["train", "--init", "lenet5-modern", "--data", str(digits), "--passes", "3", "--out", "OUT/run"]
        export = ["export", "lenet5", "--format", "onnx", "--check", "examples", "-o", "OUT/net.onnx"]
        work: dict[str, tuple[list[str], list[str], str, Same]] = {
            "train": (train, [*train, "--resume"], "run", same_weights),
            "fine-tuning": (tune, [*tune, "--resume"], "run", same_weights),
            "read": (read, [*read, "--resume"], "out.csv", same_bytes),
            "table": (table, [*table, "--resume"], "out.csv", same_bytes),
            "export": (export, [], "net.onnx", same_bytes),
        }
        told = {}
        for name, given in work.items():
            if only and name not in only:
                continue
            told[name] = kill(*given, each, rng)
            print(name, told[name], file=sys.stderr, flush=True)
    return told if only else told | {"corrections": kill_services(each, rng)}


def fill_disk(n: int) -> dict[str, Any]:
    """Read pictures onto a disk that is filled and cleared, until all are read."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        archive, small, whole = Path(place) / "digits.zip", Path(place) / "small", Path(place) / "whole.csv"
        write_pictures(archive, n)
        assert run("read", "--digit", str(archive), "--out", str(whole))[0] == 0
        size = 3 * whole.stat().st_size + n * 800
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)], check=True)
        attempts, lines = 0, []
        try:
            done = threading.Event()

            def fill() -> None:
                while not done.wait(rng.uniform(2, 12)):
                    with suppress(OSError), (small / "filler").open("wb") as file:  # the job may have filled it itself
                        while True:
                            file.write(bytes(1 << 16))
                            file.flush()
                    done.wait(rng.uniform(0.5, 4))
                    (small / "filler").unlink(missing_ok=True)

            filler = threading.Thread(target=fill)
            filler.start()
            status, out = 1, small / "out.csv"
            while status and attempts < 500:
                attempts += 1
                status, said = run("read", "--digit", str(archive), "--out", str(out), "--resume")
                if status:
                    lines.append(said)
                    time.sleep(1)
            done.set()
            filler.join()
            same = out.exists() and same_bytes(out, whole)
            left = sorted(each.name for each in small.iterdir() if each.name not in ("out.csv", "filler"))
        finally:
            subprocess.run(["umount", str(small)], check=True)
    kinds = {line.partition(": ")[2] for line in lines}
    wrong = [] if same and not left else [f"same {same}, left {left}"]
    return {"pictures": n, "attempts": attempts, "lines": sorted(kinds), "same": same, "wrong": wrong}


def lose_workers(n: int) -> dict[str, Any]:
    """Read pictures on a Ray cluster of this machine, a worker killed every few seconds."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        archive, out = Path(place) / "digits.zip", Path(place) / "out"
        write_pictures(archive, n)
        killed = 0
        command = [*LENET, "read", "--digit", str(archive), "--out", str(out), "--cluster", "local"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
            while job.poll() is None:
                time.sleep(rng.uniform(8, 20))
                try:
                    kill_a_worker()
                    killed += 1
                except RuntimeError:  # none runs yet, or any more
                    continue
        parts = [pq.read_table(file, columns=["path", "error"]) for file in sorted(out.glob("part-*.parquet"))]
        names = [name for part in parts for name in part["path"].to_pylist()]
        failed = sum(bool(line) for part in parts for line in part["error"].to_pylist())
    wrong = [] if job.returncode == 0 and len(names) == len(set(names)) == n and not failed else ["pictures are lost"]
    return {"pictures": n, "killed": killed, "rows": len(names), "failed": failed, "wrong": wrong}


def main() -> None:
    """Do what the command line says, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("kills", "disk", "cluster"))
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[], help="these kinds of work")
    parser.add_argument("--n", type=int)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("LENET_DATA", str(ROOT.parent / "shared" / "data"))
    if options.what == "kills":
        told = kills(options.each, options.only)
    elif options.what == "disk":
        told = {"disk": fill_disk(options.n or 100_000)}
    else:
        told = {"cluster": lose_workers(options.n or 20_000)}
    text = json.dumps(told, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    sys.exit(any(each["wrong"] or each.get("lost") or each.get("twice") for each in told.values()))


if __name__ == "__main__":
    main()
