"""The command line as users and scripts meet it: answers, exit statuses, one line for every error."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenet.cli import main
from lenet.evaluation.result import Evaluation, Mistake
from lenet.network.spec import DEFAULT, NETS

from conftest import ROOT

PEN = str(ROOT / "examples" / "pen.png")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command in this process; return its status, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def test_pictures_alone_are_read_as_with_options(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without options no parser is loaded: the same lines and the same status, also for a file that is none."""
    (tmp_path / "none.png").write_bytes(b"none")
    for given in ([PEN], [PEN, str(tmp_path / "none.png")], [str(tmp_path / "missing.png")]):
        assert run(capsys, "read", *given) == run(capsys, "read", *given, "--method", "both")


@pytest.mark.engine
def test_read_prints_path_text_confidence_and_what_one_should_know(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, separated by tabs; every step with --verbose alone, a notable one always."""
    status, out, err = run(capsys, "read", PEN)
    path, text, confidence = out.rstrip("\n").split("\t")
    assert (status, path, text, err) == (0, PEN, "7", "")
    assert 0.9 < float(confidence) <= 1
    _status, out, _err = run(capsys, "read", "--verbose", PEN)
    assert "strokes thickened" in out.rstrip("\n").split("\t")[3]
    _status, out, _err = run(capsys, "read", str(ROOT / "examples" / "chalk.jpg"))
    assert out.rstrip("\n").split("\t")[3] == "light ink on dark paper"


@pytest.mark.engine
def test_read_json_has_the_documented_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """One object per picture, with all the keys of the interface."""
    status, out, _err = run(capsys, "read", "--json", PEN, PEN)
    assert status == 0
    first, second = (json.loads(line) for line in out.splitlines())
    assert first == second
    answer = ["text", "guess", "confidence", "abstained", "state"]
    keys = ["lines", "numbers", "digits", "signs", "notes", "steps"]
    assert list(first) == ["path", *answer, "digits_confidence", *keys]
    assert list(first["lines"][0]) == [*answer, "digits_confidence", "box"]
    assert list(first["numbers"][0]) == [*answer, "box", "line"]
    assert [step["text"] for step in first["steps"]] == first["notes"]
    assert list(first["steps"][0]) == ["id", "category", "text", "values"]
    digit = first["digits"][0]
    assert list(digit) == ["label", "confidence", "runner_up", "line", "box", "answered"]
    assert list(digit["runner_up"]) == ["label", "confidence"]
    assert digit["label"] == first["text"] == "7"
    assert (first["abstained"], first["state"], first["guess"]) == (False, "read", "")
    x0, y0, x1, y1 = digit["box"]
    assert 0 <= x0 < x1 <= 200
    assert 0 <= y0 < y1 <= 220


def test_bad_pictures_give_a_line_each_and_the_others_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit status 1, one line per failure on stderr, answers for the rest on stdout."""
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    bad = [str(tmp_path / "missing.png"), str(tmp_path / "text.png"), str(tmp_path / "empty")]
    status, out, err = run(capsys, "read", *bad, PEN)
    assert status == 1
    assert out.startswith(f"{PEN}\t7\t")
    assert [line.split(": ")[0] for line in err.splitlines()] == bad
    status, out, _err = run(capsys, "read", "--json", bad[0], PEN)
    failed, read = (json.loads(line) for line in out.splitlines())
    assert status == 1
    assert failed == {"path": bad[0], "error": f"{bad[0]}: no such file"}
    assert read["text"] == "7"


@pytest.mark.engine
def test_a_blank_page_is_blank_and_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0, no text, no confidence, the reason."""
    status, out, _err = run(capsys, "read", "--json", str(ROOT / "examples" / "blank.jpg"))
    found = json.loads(out)
    assert status == 0
    assert (found["text"], found["confidence"], found["abstained"], found["state"]) == ("", 0.0, "blank", "blank")
    assert found["digits"] == found["lines"] == []


def test_read_takes_standard_input() -> None:
    """`-` reads a picture's bytes."""
    program = [sys.executable, "-c", "from lenet.cli import main; main()", "read", "-"]
    found = subprocess.run(program, input=Path(PEN).read_bytes(), capture_output=True, check=True)
    assert found.stdout.startswith(b"-\t7\t")


@pytest.mark.engine
def test_annotate_draws_one_picture_or_a_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The picture with its box; with several paths a folder of them."""
    one = tmp_path / "one.png"
    assert run(capsys, "read", PEN, "--annotate", str(one))[0] == 0
    with Image.open(one) as picture:
        drawn = np.asarray(picture)
    assert drawn.ndim == 3
    assert (drawn == (0xC2, 0x41, 0x0C)).all(axis=2).sum() > 100
    assert run(capsys, "read", PEN, PEN, "--annotate", str(tmp_path / "several"))[0] == 0
    assert sorted(path.name for path in (tmp_path / "several").iterdir()) == ["0001-pen.png", "0002-pen.png"]
    (tmp_path / "there").mkdir()
    assert run(capsys, "read", PEN, "--annotate", str(tmp_path / "there"))[0] == 0
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["0001-pen.png"]


def test_a_picture_is_not_drawn_over(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The picture itself is no place for its drawing; nor is a name without an ending."""
    own = tmp_path / "own.png"
    own.write_bytes(Path(PEN).read_bytes())
    status, _out, err = run(capsys, "read", str(own), "--annotate", str(own))
    assert (status, err) == (1, f"{own}: is the picture itself; choose another name\n")
    assert own.read_bytes() == Path(PEN).read_bytes()
    status, _out, err = run(capsys, "read", str(own), "--annotate", str(tmp_path / "drawn"))
    assert (status, err) == (1, f"{tmp_path / 'drawn'}: has no ending; use a name that ends in .png\n")


def test_an_unwritable_picture_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A folder that is not there; an ending that is no format."""
    for out in (tmp_path / "none" / "a.png", tmp_path / "a.nothing"):
        status, _out, err = run(capsys, "explain", PEN, "-o", str(out))
        assert status == 1
        assert err.startswith(f"{out}: cannot be written")
        assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", PEN, PEN, "--annotate", PEN],
        ["read", PEN, "--annotate", "/tmp/no-such-kind-of.psd"],
        ["read", "--model", "x" * 300, PEN],
        ["evaluate", "--data", "x" * 300],
    ],
)
def test_odd_names_are_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A file where a folder should be, an ending that cannot be written, names that are too long."""
    status, _out, err = run(capsys, *arguments)
    assert status == 1
    assert err.count("\n") == 1


def test_odd_paths_stay_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A tab or a newline in a file's name does not break the answer's line."""
    path = tmp_path / "a\tb\nc.png"
    path.write_bytes(Path(PEN).read_bytes())
    status, out, _err = run(capsys, "read", str(path))
    assert status == 0
    assert out.startswith(f"{tmp_path}/a\\tb\\nc.png\t7\t")
    assert out.count("\n") == 1


def test_answers_reach_stdout_while_a_bar_is_shown(tmp_path: Path) -> None:
    """More than 20 pictures, stderr a terminal, stdout a file: every answer is in the file."""
    master, terminal = pty.openpty()
    program = [sys.executable, "-c", "from lenet.cli import main; main()", "read", *[PEN] * 25]
    with (tmp_path / "out").open("wb") as out:
        subprocess.run(program, stdout=out, stderr=terminal, check=True)
    os.close(terminal)
    os.close(master)
    assert (tmp_path / "out").read_text().count("\t7\t") == 25


def test_a_full_disk_is_one_line() -> None:
    """Answers that cannot be written: status 1, no traceback."""
    command = f"{sys.executable} -c 'from lenet.cli import main; main()' summary > /dev/full"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stderr == "lenet: no space left on device\n"


@pytest.mark.engine
def test_explain_draws_every_layer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A figure of some size; the answer on stdout; a blank page has nothing to explain."""
    out = tmp_path / "figure.png"
    status, answer, _err = run(capsys, "explain", PEN, "-o", str(out))
    assert status == 0
    assert answer.startswith(f"{PEN}\t7\t")
    with Image.open(out) as figure:
        assert figure.size > (1000, 600)
    status, _out, err = run(capsys, "explain", str(ROOT / "examples" / "blank.jpg"), "-o", str(out))
    assert status == 1
    assert "nothing to explain, the page is blank" in err


def test_summary_json_carries_the_papers_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Keys of the interface; 60,000 and 340,908."""
    status, out, _err = run(capsys, "summary", "lenet5-1998", "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["net"], found["trainable"], found["connections"], found["macs"]) == (
        "lenet5-1998",
        60_000,
        340_908,
        328_096,
    )
    assert [layer["trainable"] for layer in found["layers"]] == [156, 12, 1_516, 32, 48_120, 10_164, 0]
    assert set(found["layers"][0]) >= {"name", "output", "trainable", "connections", "macs"}


def test_summary_without_names_shows_every_network(capsys: pytest.CaptureFixture[str]) -> None:
    """The table per network, the totals side by side, and where 60,000, 61,706 and 61,750 come from."""
    status, out, _err = run(capsys, "summary")
    assert status == 0
    assert all(f"\n{name}: " in out for name in NETS)
    assert "61,706 = 60,000 + 900 (C3 sees all maps) + 850 (linear output) - 44" in out
    assert "61,750 = 61,706 + 44 (batch normalisation, while it is trained)" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "lenet: missing command"),
        (["bogus"], "lenet: no such command 'bogus'"),
        (["read"], "lenet read: missing argument"),
        (["read", "--nonsense", "x"], "lenet read: no such option: --nonsense"),
        (["summary", "resnet"], "network 'resnet': no such network; expected one of lenet5-1998"),
        (["train", "--recipe", "magic"], "recipe 'magic': expected one of modern"),
        (["train", "--passes", "many"], "lenet train: invalid value for"),
        (["train", "--passes", "0"], "passes 0: expected 1 to 10000"),
        (["train", "--replicas", "0"], "replicas 0: expected 1 to 1,000"),
        (["train", "--seed", "-1"], "seed -1: expected 0 to"),
        (["train", "--set", "rate"], "lenet train: invalid value for --set"),
        (["train", "--set", "rate=x"], "rate 'x': expected a value of type float"),
        (["train", "--backend", "jax"], "backend 'jax': expected engine or torch"),
        (["data", "fetch", "imagenet"], "data set 'imagenet': no such data set; expected one of mnist"),
    ],
)
def test_wrong_usage_is_status_2_and_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing on stdout, one line on stderr."""
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(message)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["read", "--model", "nothing", "x.png"], "nothing: no such weights"),
        (["evaluate", "--data", "/nowhere"], "/nowhere: no such file or folder; give a folder with labels.csv"),
        (["train", "--init", "nothing"], "nothing: no such weights"),
    ],
)
def test_what_is_missing_is_status_1_and_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file or a set that is not there."""
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (1, "")
    assert err.startswith(message)
    assert err.count("\n") == 1


@pytest.mark.engine
def test_train_prints_one_line_and_evaluate_counts_the_same(
    capsys: pytest.CaptureFixture[str], blob_folder: Path, tmp_path: Path
) -> None:
    """The result is the last and only line on stdout; evaluation of its weights finds the same errors."""
    out = tmp_path / "run"
    status, printed, err = run(
        capsys, "train", "--recipe", "modern", "--passes", "2", "--out", str(out), "--set", "batch=20", "--json"
    )
    assert status == 0
    assert printed.count("\n") == 1
    result = json.loads(printed)
    assert {"recipe", "backend", "passes", "seconds", "out", "errors", "n", "replicas"} <= set(result)
    assert err.count("pass ") == 2
    status, printed, _err = run(capsys, "evaluate", "--model", str(out / "weights.safetensors"), "--json")
    found = json.loads(printed)
    assert {"model", "data", "n", "errors", "error_rate", "interval95", "confusion", "worst"} <= set(found)
    assert (found["errors"], found["n"]) == (result["errors"], 100)
    assert found["error_rate"] == found["errors"] / 100
    assert np.sum(found["confusion"]) == 100


@pytest.mark.engine
def test_evaluate_prints_a_table_and_draws_the_mistakes(
    capsys: pytest.CaptureFixture[str], blob_folder: Path, tmp_path: Path
) -> None:
    """Shipped weights on blobs they never saw: many errors, all in the table and on the sheet."""
    sheet = tmp_path / "sheet.png"
    status, out, _err = run(capsys, "evaluate", "-o", str(sheet))
    assert status == 0
    assert f"{DEFAULT} on mnist: " in out
    assert "confusion (rows: truth, columns: answer):" in out
    with Image.open(sheet) as drawn:
        assert drawn.size[0] > 800


@pytest.mark.engine
@pytest.mark.usefixtures("blob_folder")
def test_evaluate_lists_what_several_networks_get_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The rows that are wrong in each one's own list, and no others; the sheet says how many."""
    names = ["lenet5-modern", "lenet5", "lenet5-1998"]
    rows = []
    for name in names:
        printed = run(capsys, "evaluate", "--model", name, "--json")[1]
        rows.append({mistake["row"] for mistake in json.loads(printed)["worst"]})
    arguments = ["evaluate", "--model", names[0], "--beside", names[1], "--beside", names[2]]
    found = json.loads(run(capsys, *arguments, "--json")[1])
    assert set(found["shared"]) == set.intersection(*rows)
    assert found["shared"]
    assert found["beside"] == {name: len(each) for name, each in zip(names[1:], rows[1:], strict=True)}
    status, out, _err = run(capsys, *arguments, "-o", str(tmp_path / "sheet.png"))
    assert status == 0
    assert f"all of them get {len(found['shared'])} wrong (row: truth > answer, probability):" in out
    assert out.count(" > ") == len(found["shared"]) + 1
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_shared_mistakes_are_those_of_all() -> None:
    """Rows that every network gets wrong, whatever each says of them, in the order of the first."""
    glyph = np.zeros((28, 28), np.uint8)

    def measured(*wrong: tuple[int, int]) -> Evaluation:
        mistakes = tuple(Mistake(row, None, 3, answer, 0.9, glyph) for row, answer in wrong)
        return Evaluation("m", "d", 9, len(wrong), (0.0, 1.0), (), 0.0, mistakes, {})

    first = measured((7, 5), (2, 8), (4, 1))
    shared = first.find_shared([measured((2, 5), (7, 5), (1, 0)), measured((7, 9), (2, 8), (5, 5))])
    assert [(mistake.row, mistake.answer) for mistake in shared] == [(7, 5), (2, 8)]
    assert first.find_shared([]) == first.mistakes


@pytest.mark.usefixtures("blob_folder")
def test_evaluate_compares_networks_of_the_same_signs_on_digits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Characters beside digits, and numbers, are refused with a line."""
    status, _out, err = run(capsys, "evaluate", "--model", "lenet5", "--beside", "lenet5-ascii")
    assert (status, err.count("\n")) == (2, 1)
    assert "--beside lenet5-ascii: says other signs than lenet5; choose other weights" in err
    Image.new("L", (40, 20), 255).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("path,label\na.png,123\n", encoding="utf-8")
    status, _out, err = run(capsys, "evaluate", "--data", str(tmp_path), "--beside", "lenet5")
    assert (status, err.count("\n")) == (2, 1)
    assert "has numbers of several digits; it is for single digits" in err


def test_data_list_shows_what_is_here(capsys: pytest.CaptureFixture[str], blob_folder: Path) -> None:
    """mnist lies in LENET_DATA; JSON is one object per line."""
    status, out, _err = run(capsys, "data", "list", "--json")
    states = {row["name"]: row["state"] for row in map(json.loads, out.splitlines())}
    assert status == 0
    assert states["mnist"] == "here"
    assert "kmnist" in states
    status, out, _err = run(capsys, "data", "fetch", "mnist")
    assert status == 0
    assert len(out.splitlines()) == 4


def test_a_closed_pipe_ends_quietly() -> None:
    """`lenet summary | head -1` leaves nothing on stderr."""
    command = f"{sys.executable} -c 'from lenet.cli import main; main()' summary --json | head -c 10"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert found.stderr == ""
    command = f"set -o pipefail; {sys.executable} -c 'from lenet.cli import main; main()' read {PEN} {PEN} | true"
    assert subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stderr == ""


def test_ctrl_c_says_how_to_go_on(blob_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    """Exit status 130, as shells have it, and one line with --resume; what was finished stays."""
    from lenet.training.engine_backend import EngineBackend

    runs = []
    original = EngineBackend.run

    def interrupted(self, plans, first, last):  # type: ignore[no-untyped-def]
        runs.append(first)
        if len(runs) == 2:
            raise KeyboardInterrupt
        return original(self, plans, first, last)

    monkeypatch.setattr(EngineBackend, "run", interrupted)
    out = tmp_path / "run"
    status, _out, err = run(capsys, "train", "--passes", "3", "--out", str(out))
    assert status == 130
    assert err.splitlines()[-1] == f"{out}: stopped; type the same command with --resume to go on"
    monkeypatch.setattr(EngineBackend, "run", original)
    assert run(capsys, "train", "--passes", "3", "--out", str(out), "--resume")[0] == 0


def test_ctrl_c_ends_a_job_with_status_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --out the one line says how to go on, if an answer is kept; else it is one word."""
    from lenet.bulk import jobs

    read: list[object] = []
    real = jobs.read

    def interrupted(source: object, *more: object) -> object:
        read.append(source)
        if len(read) == 2:
            raise KeyboardInterrupt
        return real(source, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "read", interrupted)
    out = tmp_path / "out.jsonl"
    stopped = f"{out}: stopped; type the same command with --resume to go on\n"
    assert run(capsys, "read", PEN, PEN, PEN, "--out", str(out)) == (130, "", stopped)
    assert run(capsys, "read", PEN, PEN, PEN, "--out", str(out), "--resume") == (0, "", "")
    read[:] = [PEN]
    assert run(capsys, "read", PEN) == (130, "", "interrupted\n")
    read[:] = [PEN]
    assert run(capsys, "read", PEN, "--out", str(tmp_path / "none.csv")) == (130, "", "interrupted\n")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`lenet --version`."""
    import lenet

    assert run(capsys, "--version") == (0, f"lenet {lenet.__version__}\n", "")
