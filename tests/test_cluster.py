"""A job on a Ray cluster of two nodes on this machine: workers, a node and the command itself are lost on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from looping import LOCKED

from conftest import ROOT
from held import HELD, POISON, Hold, prepare, wait_until

pytest.importorskip("ray")

# Of so many pictures, in parts of two, one is none, and one is read when the test lets it be.
COUNT, BAD, SLOW = 32, 7, 20
# Others, where a test wants them, end who reads them: at once, or when their time is over.
DEADLY = {10: POISON, 13: LOCKED}


@dataclass
class Nodes:
    """A running cluster, and pictures whose reading ends when the test lets it."""

    address: str
    process: subprocess.Popen[str]
    folder: Path
    hold: Hold

    def read(self, out: Path, *more: str, archive: str = "pictures.zip") -> subprocess.Popen[str]:
        """Start to read an archive, but for its slow picture."""
        self.hold.close()
        return lenet("read", str(self.folder / archive), "--cluster", self.address, "--out", str(out), *more)


def lenet(*arguments: str) -> subprocess.Popen[str]:
    """Start the command."""
    command = [sys.executable, "-c", "from lenet.cli import main; main()", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Status, stdout and stderr of a command, when it has ended."""
    out, err = process.communicate()
    return process.returncode, out, err


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Two nodes of one core each."""
    folder = tmp_path_factory.mktemp("cluster")
    good = (ROOT / "examples" / "form.png").read_bytes()
    others = {BAD: b"no picture", SLOW: good + HELD}
    for name, pictures in (("pictures.zip", others), ("deadly.zip", others | DEADLY)):
        with zipfile.ZipFile(folder / name, "w") as file:
            for number in range(COUNT):
                file.writestr(f"{number:03}.png", pictures.get(number, good))
    hold = prepare(folder)
    settings = {
        **hold.environment,
        "RAY_AUTH_MODE": "disabled",
        "RAY_memory_monitor_refresh_ms": "0",  # whatever else this machine does
        "RAY_worker_niceness": "0",  # beside busy processes a nice worker gets hardly any time
        # A node that is gone is soon known to be, one that is slow is waited for.
        "RAY_health_check_initial_delay_ms": "200",
        "RAY_health_check_period_ms": "200",
        "RAY_health_check_timeout_ms": "60000",
    }
    with pytest.MonkeyPatch.context() as changed:
        for name, value in settings.items():
            changed.setenv(name, value)
        command = [sys.executable, str(Path(__file__).with_name("nodes.py")), "2"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address
        try:
            yield Nodes(address, process, folder, hold)
        finally:
            process.stdin.close()
            process.wait(60)
            process.stdout.close()


def in_the_middle(nodes: Nodes, out: Path, job: subprocess.Popen[str], do: Callable[[], object]) -> None:
    """Do it once three parts are written while another waits to be; then let that be written."""
    wait_until(lambda: bool(nodes.hold.waiting()) and len(list(out.glob("part-*"))) >= 3, lambda: job.poll() is None)
    do()
    nodes.hold.open()


def rows(out: Path) -> list[dict[str, Any]]:
    """All rows of all parts, in order."""
    from pyarrow import parquet

    manifest = json.loads((out / "_manifest.json").read_text())
    found = [row for part in manifest["parts"] for row in parquet.read_table(out / part["file"]).to_pylist()]
    assert sum(part["rows"] for part in manifest["parts"]) == manifest["pictures"] == len(found)
    assert manifest["failed"] == sum(bool(row["error"]) for row in found)
    return found


def check_that_every_picture_is_there_once(nodes: Nodes, out: Path, archive: str = "pictures.zip") -> dict[int, str]:
    """In the order of the archive; nothing else lies about. Return the line of each that could not be read."""
    found = rows(out)
    assert [row["path"] for row in found] == [f"{nodes.folder / archive}::{number:03}.png" for number in range(COUNT)]
    wrong = {number: row["error"] for number, row in enumerate(found) if row["error"]}
    assert "is not a picture in a known format" in wrong.pop(BAD)
    assert {row["text"] for row in found if not row["error"]} == {"4736"}
    assert all(each.name == "_manifest.json" or each.suffix == ".parquet" for each in out.iterdir())
    return wrong


def test_a_lost_worker_and_deadly_pictures_lose_nothing(nodes: Nodes, tmp_path: Path) -> None:
    """A worker is killed in the middle: every picture is there exactly once, what ended workers with its line."""
    out = tmp_path / "numbers"
    job = nodes.read(out, "--timeout", "2", archive="deadly.zip")
    in_the_middle(nodes, out, job, lambda: os.kill(nodes.hold.waiting()[0], signal.SIGKILL))
    status, stdout, stderr = told(job)
    assert status == 1, stderr
    assert stdout == f"{out}: 32 pictures in 16 parts, 3 could not be read (column error)\n"
    assert stderr == ""
    wrong = check_that_every_picture_is_there_once(nodes, out, "deadly.zip")
    poisoned, late = (f"{nodes.folder / 'deadly.zip'}::{number:03}.png" for number in DEADLY)
    assert list(wrong.values()) == [
        f"{poisoned}: reading it ended the process that read it",
        f"{late}: took more than 2 CPU seconds to read; leave it out, or give a larger --timeout",
    ]


def test_an_interrupted_job_goes_on(nodes: Nodes, tmp_path: Path) -> None:
    """Ctrl-C says how to go on, and what is done is not done again."""
    out = tmp_path / "numbers"
    job = nodes.read(out)
    stopped: list[tuple[int, str, str]] = []

    def stop() -> None:
        job.send_signal(signal.SIGINT)
        stopped.append(told(job))

    in_the_middle(nodes, out, job, stop)
    ((status, stdout, stderr),) = stopped
    assert (status, stdout) == (130, ""), stderr
    assert stderr == f"{out}: stopped; type the same command with --resume to go on\n"
    first = min(out.glob("part-*"))
    done = first.stat().st_mtime_ns
    again = nodes.read(out, "--resume")
    nodes.hold.open()
    assert told(again)[0] == 1
    assert first.stat().st_mtime_ns == done
    assert check_that_every_picture_is_there_once(nodes, out) == {}


LATE = """
import sys, threading, time
import ray
from lenet.bulk.ray_cluster import join_cluster
begun = threading.Event()
def ask(ref):
    core, until = ray._private.worker.global_worker.core_worker, time.monotonic() + 0.3
    while time.monotonic() < until:
        try:
            core.get_objects([ref], 1000)
        except SystemExit:
            pass
        begun.set()
try:
    with join_cluster(sys.argv[1]) as cluster:
        threading.Thread(target=ask, args=(cluster.ray.put(1),), daemon=True).start()
        begun.wait()
        raise KeyboardInterrupt
except KeyboardInterrupt:
    time.sleep(0.6)
    print("told")
    sys.exit(130)
"""


def test_a_cluster_is_left_after_its_last_question(nodes: Nodes) -> None:
    """A thread of Ray's that goes on after Ctrl-C is waited for: one that asked later would end the command with 1."""
    command = [sys.executable, "-c", LATE, nodes.address]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert told(process) == (130, "told\n", "")


KILLED = """
import os, signal, sys
from lenet.bulk.ray_cluster import join_cluster
with join_cluster(sys.argv[1]):
    os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_killed_job_is_not_done(nodes: Nodes) -> None:
    """SIGTERM ends it as it ends others; no status says that all went well."""
    command = [sys.executable, "-c", KILLED, nodes.address]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert told(process) == (-signal.SIGTERM, "", "")


NOWHERE = """
import sys
from lenet.cli import main
for address in sys.argv[2:]:
    try:
        main(["read", "x.png", "--cluster", address, "--out", sys.argv[1]])
    except SystemExit as left:
        print(left.code)
"""


def test_a_cluster_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    """Nothing answers, or it is no address: one line, and no folder."""
    addresses = ["127.0.0.1:9", "nowhere", "ray://127.0.0.1:9"]
    command = [sys.executable, "-c", NOWHERE, str(tmp_path / "numbers"), *addresses]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == 3 * "1\n"
    for line, address in zip(done.stderr.splitlines(), addresses, strict=True):
        assert line.startswith(f"--cluster {address}: cannot be reached (")
    assert not (tmp_path / "numbers").exists()


def test_what_cannot_be_written_is_one_clear_line(nodes: Nodes, tmp_path: Path) -> None:
    """The folder vanishes under way."""
    out = tmp_path / "numbers"
    job = nodes.read(out)
    in_the_middle(nodes, out, job, lambda: out.rename(tmp_path / "elsewhere"))
    status, stdout, stderr = told(job)
    assert (status, stdout, stderr.count("\n")) == (1, "", 1)
    assert "cannot be written (no such file or directory)" in stderr


def test_pages_of_tables_are_spread(nodes: Nodes, tmp_path: Path) -> None:
    """Every page is in a part, also one without a table and one that is none, each cell once, in order."""
    import pyarrow.parquet

    pages = tmp_path / "pages"
    pages.mkdir()
    shutil.copy(ROOT / "examples" / "pages" / "log-sheet.jpg", pages / "a.jpg")
    shutil.copy(ROOT / "examples" / "tiny.bmp", pages / "b.bmp")
    (pages / "c.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    status, said, err = told(lenet("table", str(pages), "--cluster", nodes.address, "--out", str(out)))
    assert status == 1
    assert said == f"{out}: 3 pages in 3 parts, 1 could not be read (column error)\n"
    assert err == ""
    tables = [pyarrow.parquet.read_table(part).to_pylist() for part in sorted(out.glob("part-*.parquet"))]
    rows = [row for table in tables for row in table]
    assert [Path(row["path"]).name for row in rows] == ["a.jpg"] * 24 + ["b.bmp", "c.png"]
    assert [rows[21]["text"], rows[23]["text"]] == ["43", "43"]
    assert rows[24]["state"] is None
    assert rows[25]["error"].endswith("c.png: is not a picture in a known format; save it as PNG or JPEG")


def test_replicas_are_spread_and_a_lost_one_goes_on(nodes: Nodes, tmp_path: Path, blob_folder: Path) -> None:
    """The result is that of one machine, bit for bit, though a task was killed after its first pass."""
    out, here = tmp_path / "spread", tmp_path / "here"
    same = ("train", "--recipe", "quick", "--replicas", "2", "--passes", "2", "--set", "train_on=320", "--json")
    nodes.hold.close()
    job = lenet(*same, "--out", str(out), "--cluster", nodes.address)
    wait_until(lambda: len(nodes.hold.waiting()) == 2, lambda: job.poll() is None)
    first = {log: log.read_text() for log in out.glob("seeds-*/log.jsonl")}
    os.kill(nodes.hold.waiting()[0], signal.SIGKILL)
    nodes.hold.open()
    status, stdout, stderr = told(job)
    assert (status, stderr) == (0, "")
    assert len(first) == 2
    for log, line in first.items():  # with the seconds that it took: no pass was done again
        assert line.count("\n") == 1
        assert log.read_text().startswith(line)
    found = json.loads(stdout)
    assert found == json.loads((out / "result.json").read_text())
    status, stdout, _stderr = told(lenet(*same, "--out", str(here)))
    expected = json.loads(stdout)
    for key in ("recipe", "backend", "passes", "errors", "n", "data"):
        assert found[key] == expected[key]
    for replica, as_here in zip(found["replicas"], expected["replicas"], strict=True):
        tensors, same_here = load_file(out / replica.pop("weights")), load_file(here / as_here.pop("weights"))
        assert all((tensors[name] == same_here[name]).all() for name in same_here)
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
    """A machine goes in the middle, and the others do its share; this is the last test, for one node is left."""
    out = tmp_path / "numbers"
    job = nodes.read(out)

    def lose_one() -> None:
        assert nodes.process.stdin is not None
        assert nodes.process.stdout is not None
        print(file=nodes.process.stdin, flush=True)
        assert nodes.process.stdout.readline() == "removed\n"

    in_the_middle(nodes, out, job, lose_one)
    status, _stdout, stderr = told(job)
    assert status == 1, stderr
    assert check_that_every_picture_is_there_once(nodes, out) == {}
