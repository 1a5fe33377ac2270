"""A run folder: everything about one training, written so that a kill at any moment loses a pass at most.

recipe.json       the recipe, the seeds, the data and its checksum
environment.json  versions, machine, commit, command
log.jsonl         one line per finished pass
state.safetensors what the next pass depends on
weights.safetensors, or weights-SEED.safetensors for several replicas
result.json       written last
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

import lenet
from lenet.arrays import Tensors
from lenet.errors import TrainingError, reason
from lenet.files import Lock, claim_folder, replace_text, replacing
from lenet.native.dispatch import chosen_engine
from lenet.training.recipe import restore_settings

# What a folder of replicas that a cluster trains has, in place of recipe.json.
SPREAD = "cluster.json"
# No pass takes longer than this, in seconds: more in a log is damage.
_LONGEST = 1e9


class RunFolder:
    """One run's folder; every file in it is replaced in one step, but the log, which grows by a line per pass."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: Lock | None = None

    def start(self, task: dict[str, Any], resume: bool) -> int:
        """Begin or take up the run of `task` (recipe, seeds, data); return the number of finished passes.

        Raises TrainingError when the folder holds a run and `resume` is not set, holds another task, or is written by
        another process.
        """
        file = self.path / "recipe.json"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = claim_folder(self.path)
            if self._lock is None:
                raise TrainingError(self.path, "is being written by another lenet", "wait for it, or choose --out")
            if file.exists() and not resume:
                raise TrainingError(self.path, "holds a run already", "--resume goes on with it, or choose --out")
            if (self.path / SPREAD).exists():
                raise TrainingError(self.path, "holds the replicas of a cluster", "choose another --out")
            for unfinished in self.path.glob(".*.safetensors"):  # what a kill left of a file being written
                unfinished.unlink()
            if file.exists():
                self.compare(task)
                self._note_other_environment()
            else:
                replace_text(self.path / "environment.json", _json(describe_environment()))
                replace_text(file, _json(task))
            return self._finished_passes()
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise TrainingError(self.path, reason(error), "choose another --out") from error

    def compare(self, task: dict[str, Any]) -> None:
        """Raise TrainingError unless the folder holds the run of this task."""
        found, expected = load_stored(self.path / "recipe.json"), json.loads(json.dumps(task))
        for each in (found, expected):
            each["recipe"] = restore_settings(each.get("recipe", {}))
        for key in expected:
            if found.get(key) != expected[key]:
                raise TrainingError(
                    self.path, f"its {key} is not the one given", "resume with the same command, or choose --out"
                )

    def _note_other_environment(self) -> None:
        """Mark the run if this session has another commit, version or engine: its weights cannot be shipped."""
        file = self.path / "environment.json"
        first, now = load_stored(file), describe_environment()
        if any(first.get(key) != now[key] for key in ("commit", "torch", "numpy", "engine")):
            resumed = [*first.get("resumed", []), now]
            replace_text(file, _json({**first, "commit": first["commit"].rstrip("+") + "+", "resumed": resumed}))

    def _finished_passes(self) -> int:
        """Return the passes that both the state and the log have; the log loses a line beyond the state."""
        state = self.path / "state.safetensors"
        if not state.exists():
            replace_text(self.path / "log.jsonl", "")
            return 0
        state_now = self._load()
        if "passes" not in state_now:
            raise TrainingError(state, "damaged (no passes)", "choose another --out")
        finished = int(state_now["passes"])
        file = self.path / "log.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines()[:finished]
        _parse_log(file, lines, finished)
        replace_text(file, "".join(f"{line}\n" for line in lines))
        return finished

    def finish_pass(self, passed: int, line: dict[str, Any], state: Tensors) -> None:
        """Log pass `passed` and then keep the state after it, so that the state never runs ahead of the log.

        Raises TrainingError when the folder can no longer be written; the passes before are kept.
        """
        try:
            with (self.path / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
                log.flush()
                os.fsync(log.fileno())
            with replacing(self.path / "state.safetensors") as temporary:
                temporary.write_bytes(save({**state, "passes": np.array(passed)}))
        except OSError as error:
            raise TrainingError(self.path, f"pass {passed} cannot be written ({reason(error)})", "--resume") from error

    def state(self) -> Tensors:
        """Return the state after the last finished pass."""
        return {name: tensor for name, tensor in self._load().items() if name != "passes"}

    def _load(self) -> Tensors:
        path = self.path / "state.safetensors"
        try:
            return load_file(path)
        except SafetensorError as error:
            raise TrainingError(path, f"damaged ({error})", "choose another --out") from error

    def commit(self) -> str:
        """Return the commit that the run was started from."""
        return str(load_stored(self.path / "environment.json")["commit"])

    def log(self) -> list[dict[str, Any]]:
        """Return the log, one entry per finished pass. Raises TrainingError when it is damaged."""
        file = self.path / "log.jsonl"
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise TrainingError(file, f"damaged ({reason(error)})", "choose another --out") from error
        return _parse_log(file, lines, len(lines))

    def finish(self, result: dict[str, Any]) -> None:
        """Write the result, the last thing that a run does. Raises TrainingError when it cannot be written."""
        try:
            replace_text(self.path / "result.json", _json(result))
        except OSError as error:
            raise TrainingError(self.path, f"the result cannot be written ({reason(error)})", "--resume") from error
        if self._lock is not None:
            self._lock.remove()


def load_stored(file: Path) -> dict[str, Any]:
    """Return what a JSON file of a run holds. Raises TrainingError when it is damaged."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"a {type(found).__name__}, not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(file, f"damaged ({reason(error)})", "choose another --out") from error
    return found


def _parse_log(file: Path, lines: list[str], passes: int) -> list[dict[str, Any]]:
    """Return the entries of a log of so many passes. Raises TrainingError for one that is none, or missing."""
    entries = []
    for number in range(1, passes + 1):
        try:
            entry = json.loads(lines[number - 1])
            seconds = entry["seconds"]
            if not isinstance(seconds, int | float) or not 0 <= seconds < _LONGEST:
                raise ValueError("no seconds")
        except (ValueError, RecursionError, TypeError, KeyError, IndexError) as error:
            raise TrainingError(file, f"damaged (pass {number} is missing)", "choose another --out") from error
        entries.append(entry)
    return entries


def describe_environment() -> dict[str, Any]:
    """Return the versions, the machine, the commit and the command of this process."""
    torch = sys.modules.get("torch")
    return {
        "lenet": lenet.__version__,
        "commit": find_commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": getattr(torch, "__version__", None),
        "engine": chosen_engine(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
    }


def find_commit() -> str:
    """Return the commit of lenet's own source, with "+" when it was changed since, or "unknown" if installed.

    Weights are not source: a teacher that is about to be shipped goes into the record by its checksum.
    """
    source = Path(lenet.__file__).resolve().parent
    if not any((folder / ".git").exists() for folder in source.parents):
        return "unknown"
    try:
        asked = [["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "--", str(source), ":!*.safetensors"]]
        head, changes = (
            subprocess.run(["git", "-C", str(source), *words], capture_output=True, text=True, check=True).stdout
            for words in asked
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.strip() + ("+" if changes.strip() else "")


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2) + "\n"
