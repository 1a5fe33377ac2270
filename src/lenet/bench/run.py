"""The whole benchmark: which work, who does it, what came out."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Float32
from lenet.bench.contenders import Contender, TrainingWork, Work, find_contenders
from lenet.bench.reading import compare_readers, measure_growth
from lenet.bench.timing import interleave
from lenet.drawing.pictures import draw_ink, draw_text, save_picture
from lenet.native.dispatch import REFERENCE, chosen_engine, count_cores
from lenet.network.initialisation import draw_tensors
from lenet.network.spec import INPUT_SIZE, NETS
from lenet.network.summary import layer_facts
from lenet.network.weights import Weights
from lenet.training.distortions import Ranges, draw

FORWARD_BATCHES = (1, 64, 1024)
TRAIN_BATCHES = (1, 64, 512)
REPLICAS = 16
# Section III.B's distortions, by the ranges that its Fig. 7 shows.
AFFINE_RANGES = Ranges(zoom=0.3, squeeze=0.1, shear=0.14, shift=2)

Say = Callable[[str], None]
Make = Callable[[Contender], tuple[Work, int] | None]


def random_weights(name: str) -> Weights:
    """Return a network with drawn weights."""
    return Weights(NETS[name], draw_tensors(NETS[name], "efficient-backprop", np.random.default_rng(0)))


def random_inputs(n: int) -> Float32:
    """Return network input (n, 1, 32, 32)."""
    return np.random.default_rng(n).uniform(-0.1, 1.175, (n, 1, INPUT_SIZE, INPUT_SIZE)).astype(np.float32)


def _lesson(n: int, batch: int, distorted: bool = False) -> TrainingWork:
    rng = np.random.default_rng(n)
    return TrainingWork(
        random_inputs(n),
        rng.integers(0, 10, n).astype(np.uint8),
        batch,
        draw(AFFINE_RANGES, n, rng) if distorted else None,
    )


class _Bench:
    """Collects a row for each piece of work and contender."""

    def __init__(self, contenders: list[Contender], threads: int, rounds: int, say: Say) -> None:
        self.contenders, self.threads, self.rounds, self.say = contenders, threads, rounds, say
        self.rows: list[dict[str, Any]] = []

    def add(self, described: dict[str, Any], make: Make, beside: dict[str, Work] | None = None) -> float:
        """Measure one piece of work on all contenders, and `beside` in turn with them; return the engine's speed."""
        self.say(f"{described['work']}, {described['net']}, batch {described['batch']}")
        found = {each.name: made for each in self.contenders if (made := self._prepared(each, make))}
        works = {name: work for name, (work, _patterns) in found.items()}
        seconds = interleave({**works, **(beside or {})}, self.rounds)
        speeds = {name: patterns / seconds[name] for name, (_work, patterns) in found.items()}
        for name, speed in speeds.items():
            measured = {"per_second": round(speed, 1), "ratio_to_engine": round(speed / speeds["engine"], 4)}
            self.rows.append({**described, "threads": self.threads, "contender": name, **measured})
        return speeds["engine"]

    def _prepared(self, contender: Contender, make: Make) -> tuple[Work, int] | None:
        """Return the work, tried once; a peer that fails on this machine is left out with its reason."""
        try:
            made = make(contender)
            if made:
                made[0]()
        except Exception as error:  # whatever a peer raises must not end the run
            if contender.name == "engine":
                raise
            first_line = (str(error).splitlines() or [""])[0]
            self.say(f"{contender.name}: left out ({type(error).__name__}: {first_line})")
            return None
        return made


def results(
    contenders: list[Contender], threads: int, rounds: int, say: Say
) -> tuple[list[dict[str, Any]], float | None]:
    """Return a row for each piece of work and contender, and the share of the FMA peak of the largest forward pass."""
    bench = _Bench(contenders, threads, rounds, say)
    share, peaks = None, list[float]()
    for name in ("lenet5-modern", "lenet5"):
        for batch in FORWARD_BATCHES:
            described = {"work": "forward", "net": name, "batch": batch, "replicas": 1}
            make = partial(_forward, random_weights(name), random_inputs(batch), threads)
            if (name, batch) != ("lenet5-modern", max(FORWARD_BATCHES)) or chosen_engine() == REFERENCE:
                bench.add(described, make)
                continue
            speed = bench.add(described, make, {"peak": lambda: peaks.append(peak(threads))})
            operations = 2 * sum(facts.macs for facts in layer_facts(NETS[name]))
            share = round(operations * speed / statistics.median(peaks), 4)
    for batch in TRAIN_BATCHES:
        described = {"work": "train", "net": "lenet5", "batch": batch, "replicas": 1}
        bench.add(
            described, partial(_train, random_weights("lenet5"), _lesson(64 if batch == 1 else 2048, batch), threads)
        )
    described = {"work": "train distorted", "net": "lenet5", "batch": 64, "replicas": 1}
    bench.add(described, partial(_train, random_weights("lenet5"), _lesson(2048, 64, distorted=True), threads))
    described = {"work": "train online", "net": "lenet5-1998", "batch": 1, "replicas": REPLICAS}
    bench.add(described, lambda each: each.online(random_weights("lenet5-1998"), _lesson(100, 1), REPLICAS, threads))
    return bench.rows, share


def _forward(weights: Weights, inputs: Float32, threads: int, contender: Contender) -> tuple[Work, int] | None:
    work = contender.forward(weights, inputs, threads)
    return (work, len(inputs)) if work else None


def _train(weights: Weights, lesson: TrainingWork, threads: int, contender: Contender) -> tuple[Work, int] | None:
    work = contender.train(weights, lesson, threads)
    return (work, len(lesson.labels)) if work else None


def peak(threads: int) -> float:
    """Return the floating-point operations per second of code that only multiplies and adds, on `threads`."""
    from lenet.native import _native

    return _native.peak(chosen_engine(), threads)


_READ = "import sys; from lenet.cli import main; main(['read', sys.argv[1]])"


def cold_start(picture: Path, runs: int = 5) -> float | None:
    """Return the wall time of a cold `lenet read` over that of `import torch`; medians of interleaved runs."""
    if find_spec("torch") is None:
        return None
    commands = ([sys.executable, "-c", _READ, str(picture)], [sys.executable, "-c", "import torch"])
    pairs = [[_seconds(command) for command in commands] for _run in range(runs + 1)][1:]
    read, torch = (statistics.median(column) for column in zip(*pairs, strict=True))
    return round(read / torch, 3)


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


_MEMORY = """
import resource, sys
from pathlib import Path
from lenet.bench.contenders import find_contenders
from lenet.bench.run import random_inputs, random_weights
contender = next(each for each in find_contenders()[0] if each.name == sys.argv[1])
contender.forward(random_weights("lenet5-modern"), random_inputs(1024), int(sys.argv[2]))()
status = Path("/proc/self/status")
if status.exists():  # getrusage would count what the parent had
    print(next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM")))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20))
"""


def peak_memory(contender: str, threads: int) -> float | None:
    """Return the most memory, in MB, of a process in which a contender scores 1,024 images; None if it fails."""
    command = [sys.executable, "-c", _MEMORY, contender, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return round(float(done.stdout), 1) if done.returncode == 0 else None


def stages(picture: Path, runs: int = 15) -> dict[str, float]:
    """Return the milliseconds of the stages of reading a picture of a number, medians of interleaved runs.

    "open" decodes it and makes it grey; "ink" and "lattice" see what may be digits; "answer" is the networks and what
    they say together.
    """
    from lenet.engine import load
    from lenet.preprocessing.pipeline import find_writing, prepare_page
    from lenet.reader import read_page
    from lenet.segmentation.candidates import outline_numbers

    network = load()
    took: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        found = work()
        took.setdefault(name, []).append(1000 * (time.perf_counter() - started))
        return found

    for _run in range(runs):
        page = timed("open", partial(prepare_page, picture))
        writing = timed("ink", partial(find_writing, page))
        timed("lattice", partial(outline_numbers, writing))
        timed("answer", partial(read_page, page, network))
    median = {name: statistics.median(each) for name, each in took.items()}
    median["answer"] -= median["ink"] + median["lattice"]
    return {name: round(each, 3) for name, each in median.items()}


def draw_number(path: Path) -> None:
    """Write a picture to read: 25836 in Pillow's own font, as ink on paper of a megapixel."""
    save_picture(draw_ink(draw_text("25836", 150, 1000).astype(np.float32), 0.0, 255.0), path)


def describe_machine() -> str:
    """Return the machine in words."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def find_versions() -> dict[str, str | None]:
    """Return the versions of what is measured; None for what is not installed."""

    def is_installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    names = ("lenet", "numpy", "onnxruntime", "openvino", "ai-edge-litert", "rapidocr", "torch")
    return {
        "python": platform.python_version(),
        **{name: is_installed(name) for name in names},
        "engine": chosen_engine(),
    }


def bench(say: Say, rounds: int = 15) -> dict[str, Any]:
    """Run everything and return it as `lenet bench --json` prints it; `say` gets a line for each step."""
    threads = count_cores()
    contenders, missing = find_contenders()
    for line in missing:
        say(line)
    rows, share = results(contenders, threads, rounds, say)
    reading, growth = compare_readers(say, max(3, rounds // 3)), measure_growth(say)
    say("cold start, memory, stages of reading")
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "25836.png"
        draw_number(picture)
        return {
            "machine": describe_machine(),
            "versions": find_versions(),
            "threads": threads,
            "results": rows,
            "reading": reading,
            "growth": growth,
            "stages": stages(picture),
            "peak_mb": {each.name: peak_memory(each.name, threads) for each in contenders},
            "fma_peak_share": share,
            "cold_start_ratio": cold_start(picture),
        }
