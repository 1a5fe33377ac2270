"""Change a line of lenet in a small way, and see whether a test notices: many times, at places drawn by chance.

    python tests/mutants/run.py [--changes 300] [--seed 0] [--tests FILE ...] [--json FILE] [--again FILE]

Which tests run a line is asked of the suite once (pytest-cov, some ten minutes), and kept in build/mutants. For each
change these tests alone run, the fastest first, until one fails. What none notices has survived: it is a test that is
missing, or changes nothing that anybody could see; those known to be such stand in equivalent.txt with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import coverage
from changes import Change, list_changes

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
# The packages and modules where an unnoticed slip would read a digit wrong, lose an answer or let a stranger in.
PLACES = (
    *("preprocessing", "segmentation", "decoding", "answers", "engine", "tables", "grids", "bulk", "evaluation"),
    *("reader.py", "result.py", "files.py", "network/weights.py", "network/probabilities.py", "export/parity.py"),
    *("serve/limits.py", "serve/guard.py", "serve/bodies.py", "serve/request_head.py", "serve/request.py"),
    *("serve/readers.py", "serve/training_jobs.py", "serve/model_registry.py", "data/labels.py", "data/idx.py"),
    *("training/loop.py", "training/run.py", "training/corrections.py", "training/fine_tune.py"),
)
# Tests that a change is given to first, and how long all of them may take, in seconds, by the trace.
FEW, MOST_SECONDS = 15, 20.0
# So long they are waited for at least, and eight times as long as the trace says: the rest is a loop without end.
LEAST_PATIENCE = 30.0
# The status of pytest for a test that it does not find, and ours for one that hangs.
UNKNOWN, HANGS = 4, 999


def trace_suite(kept: Path, tests: list[str]) -> None:
    """Run the suite, or some files of it, once; note which test runs which line, and how long each takes."""
    kept.mkdir(parents=True, exist_ok=True)
    more = ["--cov=src/lenet", "--cov-context=test", "--cov-report=", "--durations=0", "--durations-min=0"]
    environment = {**os.environ, "CI": "true", "COVERAGE_FILE": str(kept / "coverage")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more, *tests]
    with (kept / "suite.log").open("w") as log:
        subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=True)


def load_trace(data: Path, log: Path) -> tuple[dict[str, dict[int, list[str]]], dict[str, float]]:
    """Return the tests of each line of each file, and the seconds of each test."""
    seconds: dict[str, float] = {}
    for found in re.finditer(r"^([\d.]+)s (?:call|setup|teardown) +(\S.*)$", log.read_text(), re.MULTILINE):
        seconds[found[2]] = seconds.get(found[2], 0.0) + float(found[1])
    store = coverage.CoverageData(str(data))
    store.read()
    lines = {}
    for file in store.measured_files():
        contexts = store.contexts_by_lineno(file)
        lines[file.partition("/src/")[2]] = {
            line: sorted({name.partition("|")[0] for name in names if name}) for line, names in contexts.items()
        }
    return lines, seconds


def find_changes(lines: dict[str, dict[int, list[str]]]) -> list[tuple[Change, list[str]]]:
    """Return all changes of lines that a test runs, in the places that count, with these tests.

    A module's own lines run once, when it is imported: they are given to all tests of the module.
    """
    found: list[tuple[Change, list[str]]] = []
    for place in PLACES:
        path = SOURCE / "lenet" / place
        for file in [path] if path.suffix else sorted(path.rglob("*.py")):
            name = str(file.relative_to(SOURCE))
            covered = lines.get(name, {})
            every = sorted({test for tests in covered.values() for test in tests})
            for change in list_changes(name, file.read_text(encoding="utf-8")):
                tests = every if change.outside else covered.get(change.line, [])
                if tests:
                    found.append((change, tests))
    return found


def is_noticed(change: Change, tests: list[str], patience: float) -> tuple[bool, str]:
    """Run tests on a change; return whether one fails, or hangs, and which or why."""
    module = change.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    environment = {
        **os.environ,
        "CI": "true",
        "PYTHONPATH": str(Path(__file__).parent),
        "LENET_MUTANT": f"{module}|{SOURCE / change.file}|{change.number}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--tb=no", *tests]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            status = process.wait(patience)
        except subprocess.TimeoutExpired:
            status = HANGS
        with suppress(ProcessLookupError):  # with all that it has begun
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        said.seek(0)
        told = said.read()
    if status == HANGS:
        return True, "hangs"
    if status == UNKNOWN and "found no collectors" not in told:  # a test whose name is another each time
        missing = set(re.findall(r"^ERROR: not found: .*?/(tests/[^\s\[]+)", told, re.MULTILINE))
        left = [each for each in tests if each.partition("[")[0] not in missing]
        return is_noticed(change, left, patience) if missing and left else (False, "no test of these names")
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", told, re.MULTILINE)
    return status != 0, failed[1] if failed else f"status {status}"


def judge(change: Change, tests: list[str], seconds: dict[str, float]) -> dict[str, Any]:
    """Try a change on its tests, the fastest first."""
    order = sorted(tests, key=lambda name: (seconds.get(name, 1.0), name))
    begun = time.monotonic()
    noticed, by = False, ""
    spent = 0.0
    for part in (order[:FEW], order[FEW:]):
        given = []
        for name in part:
            spent += seconds.get(name, 1.0)
            if spent < MOST_SECONDS:
                given.append(name)
        if given and not noticed:
            expected = sum(seconds.get(name, 1.0) for name in given)
            noticed, by = is_noticed(change, given, LEAST_PATIENCE + 8 * expected)
    told = {**asdict(change), "tests": len(tests), "noticed": noticed, "by": by}
    return {**told, "seconds": round(time.monotonic() - begun, 1)}


def main() -> None:
    """Draw changes, judge each, and print those that no test noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--tests", nargs="*", default=[], help="these files of tests alone, and what they run")
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "mutants", help="where the trace is kept")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--again", type=Path, help="judge what survived there once more, by --tests alone")
    options = parser.parse_args()
    if not (options.kept / "coverage").exists():
        trace_suite(options.kept, options.tests)
    lines, seconds = load_trace(options.kept / "coverage", options.kept / "suite.log")
    every = find_changes(lines)
    chosen = random.Random(options.seed).sample(every, min(options.changes, len(every)))
    if options.again:
        survived = [each for each in json.loads(options.again.read_text())["changes"] if not each["noticed"]]
        wanted = {(each["file"], each["what"], each["line"]) for each in survived}
        chosen = [(each, options.tests) for each, _t in every if (each.file, each.what, each.line) in wanted]
    told: list[dict[str, Any]] = []
    threads = ThreadPoolExecutor(options.processes)  # each waits for a process
    for future in as_completed([threads.submit(judge, *each, seconds) for each in chosen]):
        found = future.result()
        told.append(found)
        if not found["noticed"]:
            print(f"{found['file']}:{found['line']}: {found['what']} ({found['tests']} tests)", flush=True)
        noticed = sum(each["noticed"] for each in told)
        text = json.dumps({"of": len(every), "noticed": noticed, "changes": told}, indent=1) + "\n"
        (options.json or options.kept / "told.json").write_text(text)
    print(f"{noticed} of {len(told)} changes noticed, of {len(every):,} that can be made")


if __name__ == "__main__":
    main()
