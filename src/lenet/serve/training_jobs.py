"""One training at a time, in a process of its own, told event by event; stopped, kept or thrown away."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

from lenet.data.fetch import find_local
from lenet.data.sources import SOURCES
from lenet.errors import DataError, LenetError, TrainingError
from lenet.files import Lock, take_lock
from lenet.processes import Child, start_child
from lenet.serve.inspect import pack

if TYPE_CHECKING:
    from lenet.training.loop import Progress

RECIPES = ("quick", "modern", "lenet5", "paper")
State = Literal["none", "running", "finished", "stopped", "failed", "kept"]
# A client that listens is told at least so often that the line is open, in seconds.
_BEAT = 10.0
# Who has a training stopped waits so long for it, in seconds; it may take longer where the engine is slow.
_PATIENCE = 30.0


@dataclass(frozen=True)
class Task:
    """What to learn: a recipe on MNIST, or corrections on top of a network (`init`)."""

    kind: Literal["train", "finetune"]
    recipe: str
    data: str
    passes: int | None
    seed: int
    init: str | None


def has_mnist() -> bool:
    """Tell whether MNIST need not be downloaded."""
    source = SOURCES["mnist"]
    return all(find_local(source, role) is not None for role in source.files)


class TrainingJobs:
    """The training that runs, or ran last: in `lesson` of a folder, which is emptied for the next one.

    Where another service of the same folder trains, it is `lesson-2`, and so on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "lesson"
        self._claim: Lock | None = None
        self._child: Child | None = None
        self._told = asyncio.Condition()
        self._telling: set[asyncio.Future[None]] = set()
        self._closing = False
        self.events: list[dict[str, Any]] = []
        self.state: State = "none"
        self.task: Task | None = None

    def begin(self, task: Task) -> None:
        """Start a training. Raises TrainingError when one runs, or MNIST is missing, DataError for the folder."""
        if self.state == "running":
            raise TrainingError("training", "one runs already", "stop it first")
        if not has_mnist():
            raise TrainingError("training", "MNIST is not on this machine", "lenet data fetch mnist")
        try:
            self._folder = self._claim_folder()
            shutil.rmtree(self._folder, ignore_errors=True)
        except OSError as error:
            raise DataError(self._folder, f"cannot be written ({error.strerror})") from error
        self.events, self.state, self.task = [], "running", task
        self._child = start_child(_learn, task, self._folder, deaf_to=(signal.SIGINT, signal.SIGTERM))
        Thread(target=self._listen, args=(self._child.pipe, asyncio.get_running_loop()), daemon=True).start()

    def _claim_folder(self) -> Path:
        """Return a folder that no other process has; it is this one's until the service ends. Raises OSError."""
        place = self._folder.parent
        place.mkdir(parents=True, exist_ok=True)
        number = 1
        while self._claim is None:
            name = "lesson" if number == 1 else f"lesson-{number}"
            self._claim = take_lock(place / f".{name}.lock")
            number += 1
        return place / self._claim.path.name.removeprefix(".").removesuffix(".lock")

    def _listen(self, pipe: Connection, loop: asyncio.AbstractEventLoop) -> None:
        last: dict[str, Any] = {}
        with suppress(RuntimeError):  # the loop is closed: nobody listens
            try:
                while True:
                    last = pipe.recv()
                    loop.call_soon_threadsafe(self._hear, last)
            except (EOFError, OSError):
                if last.get("event") not in ("finished", "stopped", "failed"):
                    ended = {"event": "failed", "error": "training: its process ended before it was done"}
                    loop.call_soon_threadsafe(self._hear, ended)

    def _hear(self, event: dict[str, Any]) -> None:
        telling = asyncio.ensure_future(self._tell(event))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _tell(self, event: dict[str, Any]) -> None:
        async with self._told:
            if event["event"] in ("finished", "stopped", "failed"):
                self.state = event["event"]
            self.events.append({"id": len(self.events) + 1, **event})
            self._told.notify_all()

    async def follow(self, after: int) -> AsyncIterator[bytes]:
        """Yield the events after a number as server-sent events, until the training has ended or the service leaves."""
        while not self._closing:
            for event in self.events[after:]:
                after = event["id"]
                yield f"id: {after}\nevent: {event['event']}\ndata: {json.dumps(event)}\n\n".encode()
            if self.state != "running" and after >= len(self.events):
                return
            if not await self._more(after):
                yield b": still here\n\n"

    async def _more(self, after: int) -> bool:
        """Wait for events after a number, or the end; return whether there is anything new."""
        try:
            async with self._told, asyncio.timeout(_BEAT):
                await self._told.wait_for(lambda: self._closing or len(self.events) > after)
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """Have the training stop after what it does now, its weights kept; return when it has, or after 30 seconds."""
        if self.state == "running" and self._child is not None:
            with suppress(OSError):
                self._child.pipe.send("stop")
            await self._ended()

    async def _ended(self) -> None:
        async with self._told:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait_for(lambda: self.state != "running"), _PATIENCE)

    def result(self) -> Path:
        """Return the weights of the last training. Raises TrainingError when there are none, or it still runs."""
        file = self._folder / "weights.safetensors"
        if self.state == "running":
            raise TrainingError("training", "it still runs", "wait until it has stopped, and keep it then")
        if self.state not in ("finished", "stopped") or not file.is_file():
            raise TrainingError("training", "nothing to keep", "train first")
        return file

    async def throw_away(self) -> None:
        """End what runs, at once, and forget it."""
        if self.state == "running" and self._child is not None:
            self._child.process.kill()
            await self._ended()
        shutil.rmtree(self._folder, ignore_errors=True)
        self.events, self.state, self.task = [], "none", None

    async def close(self) -> None:
        """End it all: nobody is listened to any more."""
        self._closing = True
        async with self._told:
            self._told.notify_all()
        if self._child is not None and self._child.process.is_alive():
            self._child.process.kill()
        if self._claim is not None:
            self._claim.remove()


class _Stopped(Exception):
    """The training was asked to stop."""


def _learn(pipe: Connection, task: Task, folder: Path) -> None:
    """Train, and tell the pipe how it goes."""
    if hasattr(os, "nice"):
        os.nice(10)  # answers go before lessons
    from lenet.network.weights import Weights, load_weights, save_weights
    from lenet.training.start import find_recipe, train

    settings = {"watch": "true"} if task.kind == "train" else {}
    recipe = find_recipe(task.recipe, task.passes, settings)
    net = recipe.network() if task.init is None else load_weights(task.init).net

    def report(progress: Progress) -> None:
        tensors = progress.weights()[0]
        pipe.send(_event(progress, tensors[f"{net.layers[0].name.lower()}.weight"]))
        if pipe.poll():
            card = {"recipe": recipe.as_dict(), "stopped": f"in pass {progress.passed} of {progress.passes}"}
            save_weights(folder / "weights.safetensors", Weights(net, tensors, 1.0, card))
            raise _Stopped

    with suppress(OSError, EOFError):  # the service has left
        try:
            result = train(
                task.recipe,
                task.data,
                folder,
                passes=task.passes,
                seed=task.seed,
                init=task.init,
                settings=settings,
                report=report,
            )
            result.pop("out")
            pipe.send({"event": "finished", "result": result})
        except _Stopped:
            pipe.send({"event": "stopped"})
        except LenetError as error:
            pipe.send({"event": "failed", "error": str(error)})


def _event(progress: Progress, filters: Any) -> dict[str, Any]:
    shape = list(filters.shape)
    told: dict[str, Any] = {
        "event": "pass" if progress.line else "progress",
        "pass": progress.passed,
        "passes": progress.passes,
        "done": progress.done,
        "total": progress.total,
        "runs_on": progress.runs_on,
        "filters": {"shape": [shape[0], *shape[2:]], "values": pack(filters[:, 0])},
    }
    if progress.line:
        told |= {key: progress.line[key] for key in ("loss", "train_errors", "held_out_errors", "images_per_second")}
        told["test_errors"] = progress.line.get("test_errors")
    return told
