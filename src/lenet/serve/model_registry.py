"""The networks that may be asked for by name: the shipped ones, and those trained here. Clients name no files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from lenet.errors import DataError, LenetError, WeightsError, reason
from lenet.files import replacing, take_lock
from lenet.network.spec import DEFAULT, SLIDING_DEFAULT
from lenet.network.summary import count_trainable
from lenet.network.weights import Weights, list_shipped, load_weights

# Who keeps a network waits so long for another service that keeps one, in seconds: it is a file of a megabyte.
_PATIENCE = 10.0


def choose_folder() -> Path:
    """Return where this user's corrections and networks are kept by default (not made yet)."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "lenet"


class ModelRegistry:
    """Networks by name; those trained here are files TRAINED-N.safetensors of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "networks"
        self._shipped = list_shipped()
        self._told: dict[Path, dict[str, Any]] = {}

    def _own(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted(self._folder.glob("[!.]*.safetensors"))}

    def find(self, name: str | None, sliding_window: bool) -> str:
        """Return what a reader process loads: a shipped name, or the path of one trained here. Raises WeightsError."""
        name = name or (SLIDING_DEFAULT if sliding_window else DEFAULT)
        if name in self._shipped:
            return name
        own = self._own()
        if name not in own:
            raise WeightsError(name, "no such network", f"there are {', '.join([*self._shipped, *own])}")
        return str(own[name])

    def networks(self) -> list[dict[str, Any]]:
        """Describe all networks, the default first; files that cannot be loaded are left out."""
        found = []
        for path, own in [
            *((each, False) for each in self._shipped.values()),
            *((each, True) for each in self._own().values()),
        ]:
            if path not in self._told:
                try:
                    self._told[path] = _describe(load_weights(path))
                except LenetError:
                    continue
            found.append({"name": path.stem, **self._told[path], "own": own})
        return found

    def keep(self, file: Path, kind: str) -> str:
        """Copy a trained network to the shelf; return its name, KIND-N. Raises DataError when it cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = take_lock(self._folder / ".lock", _PATIENCE)
            if lock is None:
                raise DataError(self._folder, "is being written by another lenet", "try again")
            try:
                taken = self._folder.glob(f"{kind}-[0-9]*.safetensors")
                number = 1 + max((int(path.stem.rpartition("-")[2]) for path in taken), default=0)
                with replacing(self._folder / f"{kind}-{number}.safetensors") as temporary:
                    shutil.copyfile(file, temporary)
            finally:
                lock.release()
        except (OSError, ValueError) as error:
            raise DataError(self._folder, f"cannot be written ({reason(error)})") from error
        return f"{kind}-{number}"


def _describe(weights: Weights) -> dict[str, Any]:
    reads = "numbers" if weights.reads_numbers else "characters" if weights.net.says_characters else "a digit"
    if weights.recipe == "sweep":
        reads = "a line, by sliding"
    return {
        "net": weights.net.name,
        "about": weights.net.about,
        "parameters": count_trainable(weights.net),
        "errors": weights.test_errors,
        "reads": reads,
    }
