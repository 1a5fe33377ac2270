"""A Ray cluster, here or elsewhere: many workers do many things. The only file that knows Ray."""

from __future__ import annotations

import logging
import os
import pickle
import platform
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lenet.errors import LenetError, MissingExtra, reason
from lenet.native.dispatch import THREADS, count_cores
from lenet.version import __version__

# The address of a cluster that is made of this machine's cores, for one job.
LOCAL = "local"
# The address of the cluster that this machine is a node of.
AUTO = "auto"
# Nothing is told to anybody; and of what Ray's native part logs, only what ends it is for its user.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
# Seconds that a cluster has to answer.
_TO_ANSWER = 10.0
# Seconds that Ray's threads have to end once a job has, and the one that never does: it waits for what to fetch ahead.
_TO_END, _IDLE = 30.0, "Prefetcher"
# Variables that a worker takes over from where the job was begun.
_SHARED = ("LENET_DATA", "LENET_ENGINE")
# How often a task is begun anew whose worker was lost.
_RETRIES = 8
# Pieces that the rows of a job are handed out in, at most.
_BLOCKS = 10_000


@dataclass(frozen=True)
class _Place:
    """Where a job was begun. A worker goes there first, so that names of files mean the same everywhere."""

    folder: str = field(default_factory=os.getcwd)
    version: str = __version__
    command: list[str] = field(default_factory=lambda: sys.argv)
    environment: dict[str, str] = field(
        default_factory=lambda: {name: os.environ[name] for name in _SHARED if name in os.environ}
    )

    def enter(self) -> None:
        """Go there, with one core to work with."""
        node = f"node {platform.node()}"
        if __version__ != self.version:
            raise LenetError(node, f"has lenet {__version__}, the job is of {self.version}", "install the same there")
        try:
            os.chdir(self.folder)
        except OSError as error:
            remedy = "a job's folder must be on a file system that all nodes share"
            raise LenetError(node, f"cannot go to {self.folder} ({reason(error)})", remedy) from error
        os.environ.update({**self.environment, THREADS: "1"})
        sys.argv = self.command  # for the record of a run


class _Worker:
    """An actor of Ray Data: it keeps the function that `begin` makes, and calls it with each row."""

    def __init__(
        self, place: _Place, begin: Callable[..., Callable[[dict[str, Any]], None]], arguments: tuple[Any, ...]
    ):
        self.begin, self.arguments, self.place = begin, arguments, place
        self.do: Callable[[dict[str, Any]], None] | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row's number, or the error as bytes: Ray would wrap it in its own."""
        try:
            if self.do is None:
                self.place.enter()
                self.do = self.begin(*self.arguments)
            self.do(row)
        except LenetError as error:
            return {"number": row["number"], "error": pickle.dumps(error)}
        return {"number": row["number"], "error": b""}


@dataclass(frozen=True)
class Cluster:
    """Ray, connected. What a lost worker did not finish is begun anew by another: twice must be the same as once."""

    ray: Any
    cores: int

    def mapped(
        self,
        begin: Callable[..., Callable[[dict[str, Any]], None]],
        arguments: tuple[Any, ...],
        rows: list[dict[str, Any]],
    ) -> Iterator[int]:
        """Have workers call `begin(*arguments)(row)` with each row; yield its "number" when it is done.

        A worker is an actor of Ray Data with one core. Raises the LenetError of a worker.
        """
        if not rows:
            return
        from ray.data import ActorPoolStrategy, DataContext

        DataContext.get_current().enable_progress_bars = False
        given = self.ray.data.from_items(rows, override_num_blocks=min(len(rows), _BLOCKS))
        workers = ActorPoolStrategy(size=min(self.cores, len(rows)))
        made = (_Place(), begin, arguments)
        done = given.map(_Worker, fn_constructor_args=made, compute=workers, num_cpus=1)
        # Nothing is fetched ahead, so that the thread for it asks nothing of Ray.
        for rows_done in done.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
            for number, error in zip(rows_done["number"].tolist(), rows_done["error"].tolist(), strict=True):
                if error:
                    raise pickle.loads(error)
                yield number

    def apart(self, do: Callable[..., Any], given: list[tuple[Any, ...]], look: Callable[[], None]) -> list[Any]:
        """Return `do(*each)` of all that is given, each a task with one core; `look` is called about every second.

        Raises the LenetError of a task.
        """
        task = self.ray.remote(num_cpus=1, max_retries=_RETRIES)(_apart)
        place = _Place()
        waiting = {task.remote(place, do, each): number for number, each in enumerate(given)}
        found: list[Any] = [None] * len(given)
        while waiting:
            for each in self.ray.wait(list(waiting), timeout=1)[0]:
                result, error = self.ray.get(each)
                if error is not None:
                    raise error
                found[waiting.pop(each)] = result
            look()
        return found


def _apart(place: _Place, do: Callable[..., Any], given: tuple[Any, ...]) -> tuple[Any, LenetError | None]:
    try:
        place.enter()
        return do(*given), None
    except LenetError as error:
        return None, error


@contextmanager
def join_cluster(address: str) -> Iterator[Cluster]:
    """Join the cluster at an address, or make one of this machine's cores that is gone at the end.

    Raises MissingExtra without Ray, and LenetError when the cluster cannot be reached or is lost.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtra(f"--cluster {address}", "Ray", "cluster") from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    _knock(address)
    here: dict[str, Any] = {"num_cpus": count_cores(), "include_dashboard": False} if address == LOCAL else {}
    try:
        with _hush(), _keep_sigterm():
            ray.init(address=address, logging_level=logging.CRITICAL, log_to_driver=False, **here)
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        raise _unreachable(address, error, "one that wants a token needs RAY_AUTH_MODE=token") from error
    # Ray prints on stdout that a worker was lost; that is no answer, and another does its work.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), _leave(ray):
        try:
            resources: Any = ray.cluster_resources  # Ray does not say its type
            yield Cluster(ray, max(1, int(resources().get("CPU", 1))))
        except ray.exceptions.RayError as error:
            raise LenetError(f"--cluster {address}", f"the job ended ({_first_line(error)})", "--resume") from error


@contextmanager
def _leave(ray: Any) -> Iterator[None]:
    """Leave the cluster at the end, when Ray's own threads for this job have ended, as they do when it is stopped.

    One that asked anything of Ray afterwards would end this process at once, with status 1 and without a word.
    """
    before = set(threading.enumerate())
    try:
        yield
    finally:
        try:
            until = time.monotonic() + _TO_END
            for thread in {each for each in threading.enumerate() if each.name != _IDLE} - before:
                thread.join(max(0.0, until - time.monotonic()))
        finally:
            ray.shutdown()


def _knock(address: str) -> None:
    """Raise LenetError unless something answers at an address: Ray would wait for it without end."""
    if address in (LOCAL, AUTO):
        return
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        if not parts.hostname or not parts.port:
            raise ValueError("expected local, auto or HOST:PORT")
        socket.create_connection((parts.hostname, parts.port), timeout=_TO_ANSWER).close()
    except (OSError, ValueError) as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception, remedy: str = "") -> LenetError:
    return LenetError(f"--cluster {address}", f"cannot be reached ({_first_line(error)})", remedy)


@contextmanager
def _hush() -> Iterator[None]:
    """Keep off stderr what Ray's native part says of its own settings; what fails is raised."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _keep_sigterm() -> Iterator[None]:
    """Keep what SIGTERM does: Ray would have it end the process as if all were done, with status 0."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def _first_line(error: BaseException) -> str:
    """Return the first line of an error; of one that Ray wraps, its kind and its own first line."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BaseException):
        return f"{type(cause).__name__}: {_first_line(cause)}"
    return reason(error).strip().splitlines()[0]
