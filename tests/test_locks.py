"""Two processes never write one thing at once: who comes second waits or has a line, and a dead one holds nothing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lenet import files
from lenet.bulk.outputs import open_output
from lenet.data.labels import read_labels
from lenet.errors import LenetError, TrainingError
from lenet.files import claim_folder, take_lock
from lenet.training.corrections import add_correction, count_corrections
from lenet.training.run import RunFolder

GLYPH = np.zeros((28, 28), np.uint8)
TASK = {"recipe": {"name": "quick"}, "seeds": [0], "data": "none"}
_HOLDER = """
import sys
from pathlib import Path
from lenet.files import claim_folder, take_lock
held = (claim_folder if Path(sys.argv[1]).is_dir() else take_lock)(Path(sys.argv[1]))
print("held" if held else "refused", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock, until it is killed."""
    holder = [sys.executable, "-c", _HOLDER, str(path)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_lock_is_one_process_s_until_it_ends(tmp_path: Path) -> None:
    """Another is refused it while it runs; when it is killed, the lock is free, and nothing has to be deleted."""
    path = tmp_path / "lock"
    with held_elsewhere(path) as process:
        assert take_lock(path) is None
        assert take_lock(path, seconds=0.05) is None
        process.kill()
        process.wait()
        lock = take_lock(path)
        assert lock is not None
    assert lock.held
    assert take_lock(path) is None  # of a second one in this process too
    lock.release()
    again = take_lock(path)
    assert again is not None
    again.remove()
    assert not path.exists()


def test_a_lock_that_was_deleted_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opened the file before its holder deleted it takes the new one: else two would hold a lock of one name."""
    path = tmp_path / "lock"
    first = take_lock(path)
    assert first is not None
    real, tries = files._try_lock, []

    def slow(file: object) -> bool:
        if not tries:
            first.remove()  # after the other has opened it
        tries.append(file)
        return real(file)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "_try_lock", slow)
    second = take_lock(path)
    assert second is not None
    assert (len(tries), path.exists()) == (2, True)
    second.remove()


def test_a_file_system_without_locks_refuses_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some networks' file systems have none: work goes on as it did without them."""

    def refuse(_file: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(files, "_lock_now", refuse)
    for lock in [take_lock(tmp_path / "lock") for _time in range(2)]:
        assert lock is not None
        lock.release()


def test_a_folder_may_be_claimed_again_by_its_own_process(tmp_path: Path) -> None:
    """A training that failed is begun again in the same notebook; another process is refused meanwhile."""
    first = claim_folder(tmp_path)
    assert first is not None
    assert claim_folder(tmp_path / ".." / tmp_path.name) is first
    found = subprocess.run([sys.executable, "-c", _HOLDER, str(tmp_path)], input="", stdout=-1, text=True, check=True)
    assert found.stdout == "refused\n"
    first.remove()
    with held_elsewhere(tmp_path):
        assert claim_folder(tmp_path) is None


def test_a_job_is_written_by_one(tmp_path: Path) -> None:
    """--resume beside the job itself, or twice: the second has one line, and the first loses nothing."""
    out, job = tmp_path / "out.csv", {"model": "a"}
    with open_output(out, job, ["a", "b"], resume=False) as (put, _done):
        put({"path": "a", "text": "1"})
        for resume in (False, True):
            with (
                pytest.raises(LenetError, match=r"out.csv.part: is being written by another lenet; wait until"),
                open_output(out, job, ["a", "b"], resume=resume),
            ):
                pass
        put({"path": "b", "text": "2"})
    assert [line.split(",")[0] for line in out.read_text().splitlines()] == ["path", "a", "b"]
    assert list(tmp_path.iterdir()) == [out]


def test_a_job_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    """Neither an empty part nor a lock."""
    with pytest.raises(ZeroDivisionError), open_output(tmp_path / "out.csv", {}, [], resume=False):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_is_written_by_one(tmp_path: Path) -> None:
    """A second training in it is refused with a line while the first goes on, not when that was killed."""
    with held_elsewhere(tmp_path) as process:
        with pytest.raises(TrainingError, match="is being written by another lenet; wait for it, or choose --out"):
            RunFolder(tmp_path).start(TASK, resume=True)
        assert [each.name for each in tmp_path.iterdir()] == [".lock"]
        process.kill()
        process.wait()
        run = RunFolder(tmp_path)
        assert run.start(TASK, resume=True) == 0
    run.finish({})
    assert not (tmp_path / ".lock").exists()


def _add_some(folder: Path) -> None:
    for _turn in range(20):
        add_correction(folder, np.frombuffer(os.urandom(784), np.uint8).reshape(28, 28), "7")


def test_corrections_of_several_at_once_are_all_kept(tmp_path: Path) -> None:
    """Two services and a command that add to one folder: each picture has its own name and row."""
    work = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); import test_locks; from pathlib import Path;"
    work += f"test_locks._add_some(Path({str(tmp_path)!r}))"
    with ThreadPoolExecutor(4) as threads:
        codes = list(
            threads.map(lambda _n: subprocess.run([sys.executable, "-c", work], check=False).returncode, range(4))
        )
    assert codes == [0] * 4
    assert count_corrections(tmp_path) == {"7": 80}
    rows = read_labels(tmp_path)
    assert sorted(row.path for row in rows) == sorted(file.name for file in tmp_path.glob("*.png"))
    assert len({row.path for row in rows}) == 80


@pytest.mark.parametrize(
    ("end", "kept"),
    [
        ("000002-4.png,4", 2),  # a kill after the label, or an editor that ends no line
        ("000002-4.png,4,,1.00", 2),
        ("000002-4.png,", 1),
        ("000002-4.png", 1),
        ("000002", 1),
        ("000009-4.png,4", 1),  # a row without its picture
        ("", 1),
    ],
)
def test_a_row_that_broke_off_harms_no_other(tmp_path: Path, end: str, kept: int) -> None:
    """The next correction begins a line of its own; what stands in a broken row is kept where it is whole."""
    add_correction(tmp_path, GLYPH, "3")
    add_correction(tmp_path, GLYPH + 1, "4")
    file = tmp_path / "labels.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], end]))
    assert sum(count_corrections(tmp_path).values()) >= 1
    add_correction(tmp_path, GLYPH + 2, "5")
    assert sum(count_corrections(tmp_path).values()) == kept + 1
    assert [row.text for row in read_labels(tmp_path)] == (["3", "4", "5"] if kept == 2 else ["3", "5"])


def test_a_row_without_a_label_is_not_counted(tmp_path: Path) -> None:
    """Counting goes on: nobody can mend a file through the service."""
    add_correction(tmp_path, GLYPH, "3")
    with (tmp_path / "labels.csv").open("a") as file:
        file.write("cut\n")
    assert count_corrections(tmp_path) == {"3": 1}
