"""Shared fixtures: MNIST when it can be had, digits made here when it cannot, and a few glyphs."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# One test has one core: another runs beside it.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from lenet.arrays import Float64
from lenet.data import dataset
from lenet.errors import DataError
from lenet.native.dispatch import count_cores
from lenet.network.spec import code

settings.register_profile("lenet", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lenet")

# A shell that runs tests in the background has them ignore Ctrl-C, and all that they start: here it is heard again.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Nobody is given up because this machine has other work; httpx has no public way to say so for all its calls.
with suppress(ImportError):
    from httpx._config import DEFAULT_TIMEOUT_CONFIG as PATIENCE

    PATIENCE.connect = PATIENCE.read = PATIENCE.write = PATIENCE.pool = None

ROOT = Path(__file__).resolve().parent.parent
# Scripts that tests run parts of.
sys.path += [str(ROOT / folder) for folder in ("benchmarks", "docs", "examples")]

# What is dear to make, by the files whose tests share it: they run one after the other, in one of the processes that
# run tests.
SHARED = {
    **dict.fromkeys(("test_clients", "test_heads", "test_interface", "test_service"), "the service"),
    "test_cluster": "Ray",
    "test_deploy": "exports",
    "test_page": "the browser",
    "test_ship": "trained runs",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many processes run tests as this one may use cores."""
    return count_cores()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares a dear thing, begin with it, and hand out all else test by test."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return SHARED.get(Path(nodeid.partition("::")[0]).stem, nodeid)

    return Scheduling(config, log)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(1998)


@pytest.fixture(scope="session")
def mnist() -> dataset.Dataset:
    """MNIST, or a skip with the reason; with LENET_REQUIRE_MNIST set, a failure instead of a skip."""
    try:
        return dataset.load("mnist")
    except DataError as error:
        if os.environ.get("LENET_REQUIRE_MNIST"):
            raise
        pytest.skip(f"needs MNIST: {error}")


def write_idx(path: Path, array: np.ndarray[Any, Any]) -> None:
    """Write a uint8 or int32 array as idx, compressed when `path` ends in .gz."""
    kind = {np.dtype(np.uint8): 0x08, np.dtype(np.int32): 0x0C}[array.dtype]
    header = bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    data = header + array.astype(array.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(gzip.compress(data, compresslevel=1, mtime=0) if path.suffix == ".gz" else data)


def blobs(n: int, rng: np.random.Generator) -> dataset.Digits:
    """Return n glyphs that a network can learn at once: label k is a bright square at the k-th of ten places."""
    labels = np.arange(n).astype(np.uint8) % 10
    glyphs = rng.integers(0, 40, (n, 28, 28)).astype(np.uint8)
    for glyph, label in zip(glyphs, labels, strict=True):
        y, x = 4 + 10 * (label // 5), 2 + 5 * (label % 5)
        glyph[y : y + 6, x : x + 4] = 230
    return dataset.Digits(glyphs, labels)


@pytest.fixture
def blob_folder(tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A LENET_DATA folder whose "mnist" is 400 blobs to learn and 100 to test on, its checksums unpinned."""
    return make_blob_folder(tmp_path, rng, monkeypatch)


def make_blob_folder(inside: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make what `blob_folder` is."""
    from dataclasses import replace

    from lenet.data import sources

    folder = inside / "data" / "mnist"
    folder.mkdir(parents=True)
    source = sources.SOURCES["mnist"]
    unpinned = {role: sources.Pinned(pinned.name, None) for role, pinned in source.files.items()}
    monkeypatch.setitem(sources.SOURCES, "mnist", replace(source, files=unpinned))
    monkeypatch.setenv("LENET_DATA", str(folder.parent))
    for part, n in (("train", 400), ("t10k", 100)):
        digits = blobs(n, rng)
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", digits.glyphs)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", digits.labels)
    return folder.parent


@pytest.fixture(scope="session")
def few_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LENET_DATA folder with the beginning of MNIST, if that can be had, for processes changed by `held.prepare`."""
    folder = tmp_path_factory.mktemp("few") / "mnist"
    folder.mkdir()
    with suppress(DataError):
        found = dataset.load("mnist")
        for part, digits, n in (("train", found.train, 12_000), ("t10k", found.test, 500)):
            write_idx(folder / f"{part}-images-idx3-ubyte.gz", digits.glyphs[:n])
            write_idx(folder / f"{part}-labels-idx1-ubyte.gz", digits.labels[:n])
    return folder.parent


@contextmanager
def served(folder: Path, *options: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `lenet serve` on a free port; yield its address and its process. What it logs goes to log.jsonl."""
    command = [sys.executable, "-c", "from lenet.cli import main; main()", "serve", "--port", "0"]
    command += ["--folder", str(folder / "own"), *options]
    with (folder / "log.jsonl").open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **environment}
        )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, (folder / "log.jsonl").read_text()
            yield address, process
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def by_small_steps(loss: Callable[[Float64], float], at: Float64) -> Float64:
    """The gradient of a loss at a point, of any shape, by central differences."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-5
        found[place] = (loss(at + step) - loss(at - step)) / 2e-5
    return found


@pytest.fixture(scope="session")
def font() -> dataset.Digits:
    """Figure 3's ten digits as glyphs: 7x12 bitmaps, enlarged, in the middle of the field."""
    glyphs = np.zeros((10, 28, 28), np.uint8)
    for digit in range(10):
        bitmap = np.array(code(ord(str(digit)))).reshape(12, 7)
        rows = np.flatnonzero((bitmap > 0).any(axis=1))
        large = np.kron((bitmap[rows[0] : rows[-1] + 1] > 0).astype(np.uint8) * 255, np.ones((2, 2), np.uint8))
        top, left = (28 - large.shape[0]) // 2, (28 - large.shape[1]) // 2
        glyphs[digit, top : top + large.shape[0], left : left + large.shape[1]] = large
    return dataset.Digits(glyphs, np.arange(10, dtype=np.uint8))


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service that all tests share; there is nothing to train on where it runs."""
    pytest.importorskip("uvicorn")
    folder = tmp_path_factory.mktemp("service")
    nothing = {"LENET_DATA": str(folder), "XDG_CACHE_HOME": str(folder)}
    with served(folder, **nothing) as (address, _process):
        yield address


def notes_of(seen: Any) -> tuple[str, ...]:
    """The sentences of the steps that led to a page, ink, candidates or a reading."""
    return tuple(step.text for step in seen.steps)
