"""A job on a Ray cluster of three nodes on this machine: workers, a node and the command itself are lost on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from looping import LOCKED
from test_jobs import EXAMPLES, POISON, deadly

pytest.importorskip("ray")
from read_cluster import kill_a_worker

COUNT, BAD, POISONED = 300, 7, 100


@dataclass
class Nodes:
    """A running cluster, and an archive of pictures that take their time to be read."""

    address: str
    process: subprocess.Popen[str]
    archive: Path

    def read(self, out: Path, *more: str) -> subprocess.Popen[str]:
        """Start to read the archive."""
        return lenet("read", str(self.archive), "--cluster", self.address, "--out", str(out), *more)


def lenet(*arguments: str) -> subprocess.Popen[str]:
    """Start the command."""
    command = [sys.executable, "-c", "from lenet.cli import main; main()", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Status, stdout and stderr of a command, when it has ended."""
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Three nodes of one core each, on which reading a picture takes 20 ms more, and one picture ends its process."""
    folder = tmp_path_factory.mktemp("cluster")
    archive = folder / "pictures.zip"
    good = (EXAMPLES / "form.png").read_bytes()
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(COUNT):
            file.writestr(f"{number:03}.png", {BAD: b"no picture", POISONED: POISON}.get(number, good))
    with pytest.MonkeyPatch.context() as changed:
        deadly(folder, changed, seconds=0.05)
        changed.setenv("RAY_AUTH_MODE", "disabled")
        changed.setenv("RAY_memory_monitor_refresh_ms", "0")  # whatever else this machine does
        command = [sys.executable, str(Path(__file__).with_name("nodes.py")), "3"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address
        try:
            yield Nodes(address, process, archive)
        finally:
            process.stdin.close()
            process.wait(60)
            process.stdout.close()


def when(count: int, out: Path, job: subprocess.Popen[str], do: Callable[[], None], files: str = "part-*") -> None:
    """Do it once so many parts, or other files, are written."""
    until = time.monotonic() + 120
    while len(list(out.glob(files))) < count:
        assert job.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    do()


def rows(out: Path) -> list[dict[str, Any]]:
    """All rows of all parts, in order."""
    from pyarrow import parquet

    manifest = json.loads((out / "_manifest.json").read_text())
    found = [row for part in manifest["parts"] for row in parquet.read_table(out / part["file"]).to_pylist()]
    assert sum(part["rows"] for part in manifest["parts"]) == manifest["pictures"] == len(found)
    assert manifest["failed"] == sum(bool(row["error"]) for row in found)
    return found


def assert_every_picture_is_there_once(nodes: Nodes, out: Path) -> None:
    """In the order of the archive; two have a line in place of an answer; nothing else lies about."""
    found = rows(out)
    assert [row["path"] for row in found] == [f"{nodes.archive}::{number:03}.png" for number in range(COUNT)]
    wrong = {number: row["error"] for number, row in enumerate(found) if row["error"]}
    assert set(wrong) == {BAD, POISONED}
    assert "is not a picture in a known format" in wrong[BAD]
    assert wrong[POISONED].endswith("100.png: reading it ended the process that read it")
    assert {row["text"] for number, row in enumerate(found) if number not in wrong} == {"4736"}
    assert all(each.name == "_manifest.json" or each.suffix == ".parquet" for each in out.iterdir())


def test_a_lost_worker_and_a_poisoned_picture_lose_nothing(nodes: Nodes, tmp_path: Path) -> None:
    """A worker is killed in the middle: every picture has its answer exactly once, the poisoned one its line."""
    out = tmp_path / "numbers"
    job = nodes.read(out)
    when(3, out, job, kill_a_worker)
    status, stdout, stderr = told(job)
    assert status == 1, stderr
    assert stdout == f"{out}: 300 pictures in 25 parts, 2 could not be read (column error)\n"
    assert stderr == ""
    assert_every_picture_is_there_once(nodes, out)


def test_an_interrupted_job_goes_on(nodes: Nodes, tmp_path: Path) -> None:
    """Ctrl-C says how to go on, and what is done is not done again."""
    out = tmp_path / "numbers"
    job = nodes.read(out)
    when(3, out, job, lambda: job.send_signal(signal.SIGINT))
    status, stdout, stderr = told(job)
    assert (status, stdout) == (130, ""), stderr
    assert stderr == f"{out}: stopped; type the same command with --resume to go on\n"
    first = min(out.glob("part-*"))
    done = first.stat().st_mtime_ns
    assert told(nodes.read(out, "--resume"))[0] == 1
    assert first.stat().st_mtime_ns == done
    assert_every_picture_is_there_once(nodes, out)


def test_a_picture_that_takes_too_long_has_its_line(nodes: Nodes, tmp_path: Path) -> None:
    """Its time ends the worker; the next one finds it out, and the others are read."""
    archive, out = tmp_path / "slow.zip", tmp_path / "numbers"
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(20):
            file.writestr(f"{number:02}.png", LOCKED if number == 3 else (EXAMPLES / "form.png").read_bytes())
    more = ("--cluster", nodes.address, "--out", str(out), "--timeout", "2")
    status, stdout, stderr = told(lenet("read", str(archive), *more))
    assert (status, stdout, stderr) == (1, f"{out}: 20 pictures in 20 parts, 1 could not be read (column error)\n", "")
    ((error, path),) = ((row["error"], row["path"]) for row in rows(out) if row["text"] != "4736")
    assert error == f"{path}: took more than 2 CPU seconds to read; leave it out, or give a larger --timeout"


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nowhere", "ray://127.0.0.1:9"])
def test_a_cluster_that_is_not_there_is_one_clear_line(address: str, tmp_path: Path) -> None:
    """Nothing answers, or it is no address: one line, and no folder."""
    status, stdout, stderr = told(lenet("read", "x.png", "--cluster", address, "--out", str(tmp_path / "numbers")))
    assert (status, stdout, stderr.count("\n")) == (1, "", 1)
    assert stderr.startswith(f"--cluster {address}: cannot be reached (")
    assert not (tmp_path / "numbers").exists()


def test_what_cannot_be_written_is_one_clear_line(nodes: Nodes, tmp_path: Path) -> None:
    """The folder vanishes under way."""
    out = tmp_path / "numbers"
    job = nodes.read(out)
    when(3, out, job, lambda: out.rename(tmp_path / "elsewhere"))
    status, stdout, stderr = told(job)
    assert (status, stdout, stderr.count("\n")) == (1, "", 1)
    assert "cannot be written (no such file or directory)" in stderr


def test_replicas_are_spread_and_a_lost_one_goes_on(nodes: Nodes, tmp_path: Path, mnist: object) -> None:
    """The result is that of one machine, though a task was killed after its first pass."""
    out, here = tmp_path / "spread", tmp_path / "here"
    same = ("train", "--recipe", "quick", "--replicas", "3", "--passes", "4", "--set", "train_on=8000", "--json")
    job = lenet(*same, "--out", str(out), "--cluster", nodes.address)
    first: list[tuple[Path, str]] = []

    def kill() -> None:
        first.extend(
            (log, log.read_text().splitlines()[0]) for log in out.glob("seeds-*/log.jsonl") if log.stat().st_size
        )
        kill_a_worker(b"ray::_apart")

    when(3, out, job, kill, "seeds-*/state.safetensors")
    status, stdout, stderr = told(job)
    assert (status, stderr) == (0, "")
    for log, line in first:  # with the seconds that it took: no pass was done again
        assert log.read_text().splitlines()[0] == line
    found = json.loads(stdout)
    assert found == json.loads((out / "result.json").read_text())
    status, stdout, _stderr = told(lenet(*same, "--out", str(here)))
    expected = json.loads(stdout)
    for key in ("recipe", "backend", "passes", "errors", "n", "data"):
        assert found[key] == expected[key]
    for replica, as_here in zip(found["replicas"], expected["replicas"], strict=True):
        assert (out / replica.pop("weights")).exists()
        del as_here["weights"]
        assert replica == as_here
    again = ("train", "--recipe", "quick", "--out", str(out), "--cluster", nodes.address)
    assert told(lenet(*again))[2] == f"{out}: holds a run already; --resume goes on with it, or choose --out\n"
    assert (
        told(lenet(*again, "--resume"))[2] == f"{out}: was begun with another command; give the same, or choose --out\n"
    )
    assert told(lenet(*again[:-2]))[2] == f"{out}: holds the replicas of a cluster; choose another --out\n"


def test_what_one_machine_does_alone_is_not_spread(tmp_path: Path) -> None:
    """Fine-tuning on corrections, and a folder that holds a run of one machine."""
    spread = ("train", "--cluster", "local", "--out", str(tmp_path))
    (tmp_path / "recipe.json").write_text("{}")
    assert told(lenet(*spread, "--resume")) == (1, "", f"{tmp_path}: holds something else; choose another --out\n")
    status, _stdout, stderr = told(lenet(*spread, "--recipe", "corrections", "--init", "lenet5-reader"))
    assert (status, stderr) == (
        2,
        "recipe corrections: starts from one network's corrections; leave out --cluster\n",
    )


def test_a_lost_node_loses_nothing(nodes: Nodes, tmp_path: Path) -> None:
    """A machine goes in the middle, and the others do its share; this is the last test, for two nodes are left."""
    out = tmp_path / "numbers"
    job = nodes.read(out)
    assert nodes.process.stdin is not None
    when(3, out, job, lambda: print(file=nodes.process.stdin, flush=True))
    status, _stdout, stderr = told(job)
    assert status == 1, stderr
    assert_every_picture_is_there_once(nodes, out)
