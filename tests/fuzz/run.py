"""Throw at each target what is nearly right, and see that it answers: with a result, or with one clear line.

    python tests/fuzz/run.py [--seconds 60 | --cases 1000000] [--target NAME ...] [--processes 2] [--json FILE]
    python tests/fuzz/run.py --target NAME --case 1234

A case is a target's name and a number: what it throws is drawn from that number alone, so that each can be run again,
alone. Any exception but a LenetError is a fault; so are a line that is none, ten seconds, a gigabyte, and a process
that ends. The status is 1 when there was one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from targets import TARGETS, Target

from lenet.errors import LenetError

# What a case may take: seconds of a core, six times as many of the clock on a busy machine, bytes of the whole process.
MOST_SECONDS, BUSY, MOST_BYTES = 10.0, 6, 1_000_000_000
# So many cases are run by a process before it tells of them, and before it is begun anew.
CHUNK, LIFE = 50, 20_000
# So many faults of one kind are kept.
MOST_ALIKE = 3


def run_case(target: Target, number: int, folder: Path) -> str | None:
    """Run a case; return what was wrong, if anything was."""
    try:
        target.run(random.Random(f"{target.name} {number}"), folder)
    except LenetError as error:
        line = str(error)
        return f"no line: {line[:200]!r}" if "\n" in line or not line.strip() or len(line) > 5_000 else None
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames if "lenet" in frame.filename]
        return f"{type(error).__name__} at {' '.join(own[-3:])}: {str(error)[:150]}"
    return None


def _work(pipe: Connection) -> None:
    """Run the cases that are asked for, telling each before it begins; a gigabyte is told and ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    os.close(1)
    os.open(os.devnull, os.O_WRONLY)
    os.dup2(1, 2)
    folder = Path(tempfile.mkdtemp())
    done = 0
    while (asked := pipe.recv()) is not None:
        name, first, count = asked
        faults = []
        for number in range(first, first + count):
            pipe.send(("begun", number))
            wrong = run_case(TARGETS[name], number, folder)
            if wrong:
                faults.append((number, wrong))
            done += 1
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > MOST_BYTES:
                faults.append((number, "more than a gigabyte"))
                pipe.send(("done", number + 1 - first, faults, True))
                return
        pipe.send(("done", count, faults, done >= LIFE))
        if done >= LIFE:
            break
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Worker:
    """A process that runs cases, what it was asked, and since when it has been at its case."""

    process: Any = None
    pipe: Any = None
    asked: tuple[str, int, int] = ("", 0, 0)
    number: int = 0
    since: float = 0.0
    cpu_before: float = 0.0

    def start(self) -> None:
        """Begin the process anew."""
        ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=_work, args=(theirs,))
        self.process.start()
        theirs.close()
        self.pipe = ours
        self.begin(0)

    def ask(self, asked: tuple[str, int, int]) -> None:
        """Give it cases to run."""
        self.asked = asked
        self.begin(asked[1])
        self.pipe.send(asked)

    def begin(self, number: int) -> None:
        """Note that it begins with a case now."""
        self.number, self.since, self.cpu_before = number, time.monotonic(), self._cpu()

    def took_too_long(self) -> bool:
        """Tell whether its case takes longer than one may."""
        long = time.monotonic() - self.since
        return long > MOST_SECONDS and (long > BUSY * MOST_SECONDS or self._cpu() - self.cpu_before > MOST_SECONDS)

    def _cpu(self) -> float:
        try:
            words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


@dataclass
class Fuzz:
    """All that was thrown, and what was wrong."""

    names: list[str]
    until: float
    most: int
    first: int
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, int, str]] = field(default_factory=list)
    given: Counter[str] = field(default_factory=Counter)
    begun: float = field(default_factory=time.monotonic)

    def next(self) -> tuple[str, int, int] | None:
        """Return the next cases: of the target that is furthest behind its share; None when all is done."""
        if time.monotonic() > self.until or sum(self.given.values()) >= self.most:
            return None
        name = min(self.names, key=lambda each: self.given[each] / TARGETS[each].share)
        first = self.first + self.given[name]
        self.given[name] += CHUNK
        return name, first, CHUNK

    def note(self, name: str, number: int, wrong: str) -> None:
        """Keep a fault, unless there are enough of its kind."""
        kind = wrong.split(":", maxsplit=1)[0]
        if sum(each[0] == name and each[2].split(":")[0] == kind for each in self.faults) < MOST_ALIKE:
            print(f"{name} {number}: {wrong}", file=sys.stderr, flush=True)
        self.faults.append((name, number, wrong))

    def run(self, processes: int) -> None:
        """Have the processes run all cases; one that hangs or ends is told of, and begun anew behind its case."""
        workers = [Worker() for _number in range(processes)]
        busy = []
        for worker in workers:
            worker.start()
            if self._give(worker):
                busy.append(worker)
        while busy:
            ready = wait([worker.pipe for worker in busy], timeout=1.0)
            for worker in list(busy):
                wrong = None
                if worker.pipe in ready:
                    wrong = self._hear(worker, busy)
                elif worker.took_too_long():
                    wrong = f"more than {MOST_SECONDS:g} seconds"
                if wrong:
                    self.note(worker.asked[0], worker.number, wrong)
                    self._go_on(worker, busy)
        for worker in workers:
            worker.end()

    def _hear(self, worker: Worker, busy: list[Worker]) -> str | None:
        try:
            told = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            return f"the process ended with {worker.process.exitcode}"
        if told[0] == "begun":
            worker.begin(told[1])
            return None
        _done, count, faults, over = told
        name, first, asked = worker.asked
        self.counts[name] += count
        for number, wrong in faults:
            self.note(name, number, wrong)
        if over:
            worker.end()
            worker.start()
            if count < asked:
                worker.ask((name, first + count, asked - count))
                return None
        if not self._give(worker):
            busy.remove(worker)
        return None

    def _go_on(self, worker: Worker, busy: list[Worker]) -> None:
        name, first, count = worker.asked
        done = worker.number + 1 - first
        self.counts[name] += done
        worker.end()
        worker.start()
        if count > done:
            worker.ask((name, worker.number + 1, count - done))
        elif not self._give(worker):
            busy.remove(worker)

    def _give(self, worker: Worker) -> bool:
        asked = self.next()
        if asked:
            worker.ask(asked)
        return asked is not None

    def told(self) -> dict[str, Any]:
        """Return the counts and the faults, for a file."""
        return {
            "cases": sum(self.counts.values()),
            "seconds": round(time.monotonic() - self.begun),
            "targets": dict(sorted(self.counts.items())),
            "faults": [f"{name} {number}: {wrong}" for name, number, wrong in self.faults],
        }


def main() -> None:
    """Fuzz as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--cases", type=int, help="so many in all, however long it takes")
    parser.add_argument("--target", nargs="+", choices=sorted(TARGETS), default=sorted(TARGETS))
    parser.add_argument("--first", type=int, default=0, help="the number of the first case of each target")
    parser.add_argument("--case", type=int, help="run this case alone, in this process")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # Whatever makes a folder makes it in here: its processes are killed in the end, and clear nothing up.
    with tempfile.TemporaryDirectory(prefix="lenet-fuzz-") as folder:
        tempfile.tempdir = folder
        if options.case is None:
            sys.exit(_run_all(options))
        (name,) = options.target
        TARGETS[name].run(random.Random(f"{name} {options.case}"), Path(tempfile.mkdtemp()))


def _run_all(options: argparse.Namespace) -> int:
    """Run the targets that were asked for; return the command's status."""
    until = float("inf") if options.cases else time.monotonic() + options.seconds
    fuzz = Fuzz(options.target, until, options.cases or sys.maxsize, options.first)
    for each in fuzz.names:
        TARGETS[each].warm()
    with suppress(KeyboardInterrupt):  # what was run until then is told
        fuzz.run(options.processes)
    told = fuzz.told()
    for name, count in told["targets"].items():
        print(f"{name:12} {count:9,}")
    print(f"{told['cases']:,} cases in {told['seconds']:,} s, {len(fuzz.faults)} faults")
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    return int(bool(fuzz.faults))


if __name__ == "__main__":
    main()
