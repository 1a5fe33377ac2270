"""A picture may take so many CPU seconds, in whatever code it loops: it has its line, and the others are read."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lenet.bulk.cpu_limit import Interrupter, TookTooLong
from lenet.bulk.jobs import read_all, read_in_processes
from lenet.bulk.shards import Shards, find_shard, make_shard_writer
from lenet.network.spec import DEFAULT
from lenet.reader import ReadOptions
from looping import FREE, LOCKED, PYTHON, loop
from test_cli import run
from test_jobs import EXAMPLES, JOB

from conftest import ROOT
from held import prepare

# CPU seconds. Reading a picture here takes a tenth of that and less, the first one too.
TIME = 1.0
GOOD = (EXAMPLES / "form.png").read_bytes()


def have_loops_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading one of these in this process loops for ever."""
    from lenet.bulk import jobs

    real = jobs.read

    def read(source: Any, *more: Any) -> Any:
        loop(source)
        return real(source, *more)

    monkeypatch.setattr(jobs, "read", read)


def late(name: object) -> str:
    """The line of a picture that took too long."""
    return f"{name}: took more than 1 CPU second to read; leave it out, or give a larger --timeout"


@pytest.mark.parametrize(("processes", "bad"), [(1, {2: LOCKED}), (2, {2: PYTHON, 3: LOCKED, 19: FREE})])
def test_what_takes_too_long_has_its_line_and_the_others_are_read(
    processes: int, bad: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Python and in C that never lets go, two of them together too, in one process of a job and in several."""
    monkeypatch.setenv(*prepare(tmp_path).environment.popitem())
    given = [(str(number), bad.get(number, GOOD)) for number in range(20)]
    answers = list(read_in_processes(processes, given, DEFAULT, ReadOptions(), timeout=TIME))
    assert [answer.path for answer in answers] == [str(number) for number in range(20)]
    told = [answer.reading.text if answer.reading else answer.error for answer in answers]
    assert told == [late(number) if number in bad else "4736" for number in range(20)]


def test_few_pictures_are_limited_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started; Python code is interrupted, and what hears the signal is as it was."""
    have_loops_here(monkeypatch)
    heard, threads = signal.getsignal(signal.SIGPROF), threading.active_count()
    given = [("0", GOOD), ("1", PYTHON), ("2", GOOD)]
    answers = list(read_all(given, 3, DEFAULT, ReadOptions(), timeout=TIME))
    assert [answer.error for answer in answers] == [None, late(1), None]
    assert (signal.getsignal(signal.SIGPROF), threading.active_count()) == (heard, threads)


def test_time_of_the_wall_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that has other things to do a picture takes long, and is read."""
    from lenet.bulk import jobs

    real = jobs.read

    def read(*given: Any) -> Any:
        time.sleep(2 * TIME)
        return real(*given)

    monkeypatch.setattr(jobs, "read", read)
    (answer,) = read_all([("0", GOOD)], 1, DEFAULT, ReadOptions(), timeout=TIME)
    assert answer.error is None


def test_what_ends_too_late_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the thread had no moment to look: whether there is an answer depends on CPU time alone."""
    monkeypatch.setattr("lenet.bulk.cpu_limit._LOOK", 1e6)
    with Interrupter(0.01) as interrupter:
        assert interrupter.run("a", lambda: 1) == 1
        with pytest.raises(TookTooLong):
            interrupter.run("b", lambda: sum(itertools.repeat(0, 50_000_000)))
        assert interrupter.run("c", lambda: 3) == 3


def test_an_interrupt_that_is_lost_comes_again() -> None:
    """As in a destructor, where Python drops what is raised."""

    def stubborn() -> None:
        for _time in range(2):
            with suppress(TookTooLong):
                loop(PYTHON)
        loop(PYTHON)

    with Interrupter(0.01) as interrupter, pytest.raises(TookTooLong):
        interrupter.run("a", stubborn)


def test_what_hears_no_interrupt_is_given_up_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """From another thread, after some more CPU seconds, while it goes on."""
    monkeypatch.setattr("lenet.bulk.cpu_limit._GRACE", 0.2)
    given_up: set[str] = set()

    def deaf() -> None:
        while not given_up:
            with suppress(TookTooLong):
                while not given_up:
                    pass

    with Interrupter(0.01, given_up.add) as interrupter, pytest.raises(TookTooLong):
        interrupter.run("a", deaf)
    assert given_up == {"a"}


def command(*arguments: object) -> tuple[int, str]:
    """Status and stderr of the command, on one core."""
    line = [sys.executable, "-c", "from lenet.cli import main; main()", *map(str, arguments)]
    found = subprocess.run(
        line, capture_output=True, text=True, check=False, env={**os.environ, "LENET_THREADS": "1"}, cwd=ROOT
    )
    return found.returncode, found.stderr


def test_a_loop_in_c_ends_the_command_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process is started; its answer is kept, so --resume goes on behind it, and so is all that was read."""
    monkeypatch.setenv(*prepare(tmp_path).environment.popitem())
    bad, out, digits = tmp_path / "bad.png", tmp_path / "out.jsonl", tmp_path / "digits"
    bad.write_bytes(FREE)
    names = [str(EXAMPLES / "form.png"), str(bad), str(EXAMPLES / "zip.jpg")]
    line = late(bad).replace("; ", "; reading it could not be interrupted, which ended the command; ")
    status, err = command("read", *names, "--timeout", TIME)
    assert (status, err) == (1, f"{line}\n")
    more = ("--out", out, "--save-glyphs", digits, "--timeout", TIME)
    status, err = command("read", *names, *more)
    assert (status, err) == (1, f"{line}\n{out}: stopped; type the same command with --resume to go on\n")
    assert (digits / "labels.csv").read_text().count("form.png") == 4
    assert command("read", *names, *more, "--resume") == (0, "")
    rows = [json.loads(row) for row in out.read_text().splitlines()]
    assert [row.get("text") or row["error"] for row in rows] == ["4736", line, "90210"]


def test_a_resumed_job_has_the_same_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is late after the interrupt has its line, and what was late before it keeps its own."""
    monkeypatch.setenv(*prepare(tmp_path).environment.popitem())
    bad, out = tmp_path / "bad.png", tmp_path / "out.jsonl"
    bad.write_bytes(PYTHON)
    names = [str(bad), str(EXAMPLES / "zip.jpg"), str(bad)]
    more = ("--out", out, "--timeout", TIME)
    assert command("read", *names, *more) == (1, f"{late(bad)}\n" * 2)
    whole = out.read_text()
    (tmp_path / "out.jsonl.part").write_text(json.dumps({"job": JOB}) + "\n" + whole.splitlines()[0] + "\n")
    out.unlink()
    assert command("read", *names, *more, "--resume") == (1, f"{late(bad)}\n")
    assert out.read_text() == whole


def test_a_part_whose_worker_was_late_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a cluster the time ends the worker, and the next one finds the picture out."""
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setenv(*prepare(tmp_path).environment.popitem())
    (tmp_path / "bad.png").write_bytes(LOCKED)
    names = [str(EXAMPLES / "form.png"), str(tmp_path / "bad.png"), str(EXAMPLES / "zip.jpg")]
    parts = Shards(tmp_path / "out", names, 3)
    parts.folder.mkdir()
    (row,) = parts.left()
    program = (
        "import json, sys; from lenet.bulk.shards import make_shard_writer; from lenet.reader import ReadOptions\n"
        "folder, model, time, row = sys.argv[1:]\n"
        "make_shard_writer(folder, None, model, ReadOptions(), float(time))(json.loads(row))\n"
    )
    worker = [sys.executable, "-c", program, str(parts.folder), DEFAULT, str(TIME), json.dumps(row)]
    assert subprocess.run(worker, check=False).returncode == -signal.SIGPROF
    make_shard_writer(str(parts.folder), None, DEFAULT, ReadOptions(), TIME)(row)
    found = parquet.read_table(find_shard(parts.folder, 0)).to_pylist()
    assert [each["text"] or each["error"] for each in found] == ["4736", late(names[1]), "90210"]


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "1e9"])
def test_a_wrong_time_is_wrong_usage(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Below 0, no number, or more than a clock can be set to."""
    status, _out, err = run(capsys, "read", "x.png", "--timeout", seconds)
    assert status == 2
    assert "expected 0 to 1,000,000 CPU seconds" in err


def test_no_limit_is_no_limit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With --timeout 0 no thread looks at the time, and no signal is taken over."""
    monkeypatch.setattr("lenet.bulk.jobs.Interrupter", None)
    assert run(capsys, "read", str(EXAMPLES / "pen.png"), "--timeout", "0")[0] == 0
