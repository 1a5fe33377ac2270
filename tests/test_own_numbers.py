"""Learning from pictures of one's own numbers: which labels agree with a line, what is learned, what is counted."""

from __future__ import annotations

import csv
import json
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.cli.train import _choose_recipe
from lenet.data import dataset, labels
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.formats import accepts, parse_pattern
from lenet.network.probabilities import log_odds
from lenet.network.spec import LINE_DEFAULT, LINE_LABELS
from lenet.network.weights import load_weights
from lenet.training import own_numbers
from lenet.training.own_lines import LabelledPicture, accept_label, draw_numbers, gather_own, see_lines
from lenet.training.own_numbers import fit_trust
from test_cli import run

from conftest import ROOT

EXAMPLES = ROOT / "examples"


def says(label: str, text: str) -> bool:
    """Whether a line with a label may say a text of all that a line network tells apart."""
    allowed, state = accept_label(label), 0
    for sign in text:
        state = int(allowed.transitions[state, LINE_LABELS.index(sign)])
        if state < 0:
            return False
    return bool(allowed.accepting[state])


@pytest.mark.parametrize(
    ("label", "text", "expected"),
    [
        ("1275", "1275", True),
        ("1275", "12.75", True),  # a label of digits alone says nothing of signs
        ("1275", "$ 12.75-", True),
        ("1275", "127", False),
        ("1275", "12755", False),
        ("12.75", "12.75", True),
        ("12.75", "1275", False),  # one with signs says all of them
        ("12.75", "12,75", False),
        ("12.75", "12.7 5", True),
        ("", "-", True),
        ("", "1", False),
    ],
)
def test_a_label_says_what_a_line_may_say(label: str, text: str, expected: bool) -> None:
    """Its digits and signs in order; spaces between, and signs too if it has none."""
    assert says(label, text) is expected


def test_lines_are_seen_with_what_agrees_with_their_label() -> None:
    """Two views of each, as the reader sees them; the signs of an amount are found."""
    network = lenet.load().lines
    assert [line.text for line in see_lines(EXAMPLES / "zip.jpg", "90210", network)] == ["90210"] * 2
    assert {line.text for line in see_lines(EXAMPLES / "amount.jpg", "12750", network)} == {"12.750.-"}
    two = see_lines(EXAMPLES / "two-lines.jpg", "1998\n2026", network)
    assert [line.text for line in two] == ["1998", "1998", "2026", "2026"]
    assert all(line.strip.shape[0] == 32 for line in two)
    assert see_lines(EXAMPLES / "two-lines.jpg", "1998", network) == []
    assert not any(
        any(sign.isdigit() for sign in line.text) for line in see_lines(EXAMPLES / "zip.jpg", "none", network)
    )


def test_what_no_line_agrees_with_is_counted(tmp_path: Path) -> None:
    """Pictures that cannot be read, and those with too long a label."""
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    pictures = [LabelledPicture(EXAMPLES / "pen.png", "7" * 90), LabelledPicture(bad, "1")]
    assert gather_own(pictures, lenet.load().lines) == ([], 2)


def write_folder(folder: Path) -> Path:
    """Nine pictures of numbers: five to learn, four marked for testing."""
    folder.mkdir()
    names = {"zip.jpg": "90210", "touching.jpg": "8053", "form.png": "4736", "amount.jpg": "12750"}
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "part"])
        for part in ("train", "test"):
            for name, label in names.items():
                Image.open(EXAMPLES / name).save(folder / f"{part}-{Path(name).stem}.png")
                rows.writerow([f"{part}-{Path(name).stem}.png", label, part])
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of seconds: few old numbers, few lines."""
    for name, value in {"_OLD": 12, "_COUNTED": 6, "_PASS": 24, "_RUNS": 2, "_LEAST_PASSES": 1}.items():
        monkeypatch.setattr(own_numbers, name, value)


@pytest.mark.usefixtures("mnist", "small")
def test_a_folder_of_numbers_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By one command: weights that read beside the default ones, and what was right before and after."""
    folder, out = write_folder(tmp_path / "mine"), tmp_path / "run"
    given = ["train", "--init", "lenet5-hands", "--data", str(folder), "--out", str(out)]
    status, said, _err = run(capsys, *given)
    assert status == 0
    assert said.startswith("your numbers, 4 kept apart: wrong before 0 (0.0 %, 95 % interval 0.0 to 49.0), after ")
    assert "numbers in MNIST's hands, 6 kept apart: wrong before " in said
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["learned"] == {"pictures": 4, "passed_over": 0, "lines": 8}
    assert result["before"]["made"]["n"] == 6
    network = lenet.load(out / "weights.safetensors")
    shipped = lenet.load().lines.weights
    assert network.lines.weights.card["recipe"]["name"] == "own-numbers"
    assert not np.array_equal(network.lines.weights.pair_weights, shipped.pair_weights)
    assert np.array_equal(network.lines.weights.lattice_shares, shipped.lattice_shares)
    assert " kept apart" in network.lines.weights.card["calibration"]["answers_fitted_on"]
    moved = [np.abs(network.lines.weights.tensors[name] - shipped.tensors[name]).max() for name in shipped.tensors]
    assert max(moved) > 0
    assert lenet.read(EXAMPLES / "zip.jpg", model=network).text == "90210"
    assert run(capsys, *given)[0] == 1


@pytest.mark.usefixtures("mnist", "small")
def test_cells_of_a_reviewed_table_are_learned_as_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`corrections.zip` has each cell that was looked at, with its text, beside its digits; an empty one says none."""
    folder, archive = tmp_path / "reviewed", tmp_path / "corrections.zip"
    (folder / "cells").mkdir(parents=True)
    (folder / "labels.csv").write_text("path,label\n000001-1-9.png,9\n", encoding="utf-8")
    rows = ["path,text"]
    for number, (name, text) in enumerate({"zip.jpg": "90210", "touching.jpg": "8053", "form.png": "4736"}.items(), 1):
        Image.open(EXAMPLES / name).save(folder / "cells" / f"{number:06d}.png")
        rows.append(f"cells/{number:06d}.png,{text}")
    Image.new("L", (60, 40), 255).save(folder / "cells" / "000004.png")
    (folder / "cells.csv").write_text("\n".join([*rows, "cells/000004.png,", ""]), encoding="utf-8")
    with zipfile.ZipFile(archive, "w") as store:
        for path in sorted(folder.rglob("*.*")):
            store.write(path, path.relative_to(folder))
    assert [row.text for row in labels.read_labels(folder, whole=True)] == ["90210", "8053", "4736", "none"]
    status, said, err = run(capsys, "train", "--numbers", "--data", str(archive), "--out", str(tmp_path / "run"))
    assert (status, err.count("Traceback")) == (0, 0)
    assert said.endswith(
        f"1 pictures passed over, in which no line agrees with the label: {tmp_path}/run/weights.safetensors\n"
    )


@pytest.mark.usefixtures("mnist", "small")
def test_learning_is_the_same_again(tmp_path: Path) -> None:
    """The same folder and seed give the same weights; another seed gives others."""
    folder = write_folder(tmp_path / "mine")
    found = []
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        lenet.train("own-numbers", folder, tmp_path / out, seed=seed)
        found.append(lenet.load(tmp_path / out / "weights.safetensors").lines.weights.tensors)
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
    assert not all(np.array_equal(found[0][name], found[2][name]) for name in found[0])


def test_how_sure_answers_are_is_fitted_to_those_that_were_kept_apart() -> None:
    """Of answers at 0.9 six of ten are right: then what was weighed as 0.9 is 0.6; the curve of errors says so too."""
    weights = load_weights(LINE_DEFAULT)
    sure, right = np.full(1000, 0.9), np.arange(1000) % 10 < 6
    fitted = fit_trust(weights, sure, right)
    for name in ("pair_weights", "alone_weights"):
        before, after = getattr(weights, name), getattr(fitted, name)
        features = np.zeros(len(before) - 1)
        features[0] = (log_odds(np.array(0.9)) - before[-1]) / before[0]
        assert calibrate_confidence(features, before) == pytest.approx(0.9)
        assert calibrate_confidence(features, after) == pytest.approx(0.6, abs=0.01)
    assert fitted.error_curve[0].tolist() == pytest.approx([0.0, 400.5 / 1001, 1.0])
    assert fitted.card["calibration"]["answers_fitted_on"] == "1,000 answers to pictures that were kept apart"
    assert (fitted.space_weights == weights.space_weights).all()
    assert fit_trust(weights, np.zeros(0), np.zeros(0, bool)) is weights
    few = fit_trust(weights, sure[:2], right[:2])
    assert np.abs(few.pair_weights - weights.pair_weights).max() < 0.5


def test_numbers_and_digits_are_told_apart(tmp_path: Path) -> None:
    """By the labels, unless --numbers says so; a public set is what it is."""
    folder = write_folder(tmp_path / "mine")
    assert _choose_recipe("lenet5-hands", str(folder), numbers=False) == "own-numbers"
    (folder / "labels.csv").write_text("path,label\na.png,1\nb.png,none\n")
    assert _choose_recipe("lenet5-reader", str(folder), numbers=False) == "corrections"
    assert _choose_recipe("lenet5-hands", str(folder), numbers=True) == "own-numbers"
    assert _choose_recipe(None, "mnist", numbers=False) == "modern"


def test_a_table_of_answers_that_were_corrected_is_learned_from(tmp_path: Path) -> None:
    """Rows without a correction are left out, paths are as they were read; one without any says what to do."""
    table = tmp_path / "numbers.csv"
    table.write_text("path,text,corrected\na.png,12,17\nb.png,3,\nc.png,,none\n")
    rows = labels.read_labels(table)
    assert [(row.path, row.text) for row in rows] == [
        (str(Path("a.png").absolute()), "17"),
        (str(Path("c.png").absolute()), "none"),
    ]
    assert labels.has_numbers(table)
    table.write_text("path,text,corrected\na.png,12,\n")
    with pytest.raises(lenet.DataError, match="0 of 1 rows have a text in the column corrected; write what"):
        labels.read_labels(table)
    table.write_text("path,text\na.png,12\n")
    with pytest.raises(lenet.DataError, match=r"columns path,text; expected path,corrected"):
        labels.read_labels(table)


def test_a_name_that_is_no_text_is_found_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table can have no such bytes; what it has in their place leads back to the file."""
    picture = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.jpg"))
    shutil.copy(EXAMPLES / "zip.jpg", picture)
    assert run(capsys, "read", str(tmp_path), "--out", str(tmp_path / "out.csv"))[0] == 0
    rows = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert rows[1].startswith(f"{tmp_path}/a\\udcff.jpg,90210,")
    rows = [f"{row},{more}" for row, more in zip(rows, ("corrected", "90210"), strict=True)]
    (tmp_path / "out.csv").write_text("\n".join(rows), encoding="utf-8")
    (row,) = labels.read_labels(tmp_path / "out.csv")
    assert Path(row.path) == picture


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            {"init": "lenet5-reader"},
            "init lenet5-reader: reads digits: whole numbers are learned by the network that reads",
        ),
        ({"replicas": 2}, "recipe own-numbers: trains one network, on a folder of pictures of numbers"),
        ({"data": "mnist"}, "recipe own-numbers: trains one network, on a folder"),
        ({"settings": {"rate": "1"}}, "recipe own-numbers: trains one network"),
        (
            {"device": "cuda"},
            "recipe own-numbers: trains one network, on a folder of pictures of numbers, on the engine",
        ),
        ({"backend": "torch"}, "recipe own-numbers: trains one network"),
        ({"passes": 0}, "passes 0: expected 1 to 10,000"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, object], line: str, tmp_path: Path) -> None:
    """Before anything is read."""
    given = {"data": tmp_path, "out": tmp_path / "run", **options}
    with pytest.raises(lenet.UsageError) as caught:
        lenet.train("own-numbers", **given)  # type: ignore[arg-type]
    assert str(caught.value).startswith(line)


def test_what_is_wrong_in_an_archive_is_told_of_it(tmp_path: Path) -> None:
    """Not of the folder that it is unpacked to; of whole cells it says what to give."""
    archive = tmp_path / "mine.zip"
    with zipfile.ZipFile(archive, "w") as store:
        store.writestr("cells.csv", "path,text\na.png,1\n")
    with pytest.raises(lenet.DataError) as told:
        labels.has_numbers(archive)
    assert str(told.value) == f"{archive}: no labelled pictures; it has cells.csv, of whole numbers: give --numbers"
    with zipfile.ZipFile(archive, "w") as store:
        store.writestr("labels.csv", "name\n1\n")
    with pytest.raises(lenet.DataError) as told:
        labels.has_numbers(archive)
    assert str(told.value) == f"{archive} labels.csv: columns name; expected path,label[,part]"
    (tmp_path / "labels.csv").write_text("path,label\na.png,1\n")
    with pytest.raises(lenet.DataError, match=f"for labels give the folder, {tmp_path}; else expected path,corrected"):
        labels.read_labels(tmp_path / "labels.csv")


@pytest.mark.usefixtures("mnist", "small")
def test_members_of_archives_are_learned_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `lenet read --out` names them; what cannot be opened is passed over, and told."""
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
        archive.write(EXAMPLES / "zip.jpg", "a.jpg")
        archive.write(EXAMPLES / "form.png", "b.png")
    table = tmp_path / "numbers.csv"
    inside = tmp_path / "scans.zip"
    table.write_text(
        "path,text,corrected,part\n"
        f"{inside}::a.jpg,90210,90210,train\n{tmp_path / 'gone.png'},1,12,train\n{inside}::b.png,4736,4736,test\n"
    )
    status, said, _err = run(capsys, "train", "--data", str(table), "--out", str(tmp_path / "run"))
    assert status == 0
    assert "1 pictures passed over, in which no line agrees with the label" in said
    result = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert result["learned"] == {"pictures": 1, "passed_over": 1, "lines": 2}
    assert result["before"]["own"] == {**result["before"]["own"], "errors": 0, "n": 1}


@pytest.mark.usefixtures("mnist")
def test_a_folder_without_what_is_needed_says_so(tmp_path: Path) -> None:
    """Nothing to count on, and labels that no picture agrees with."""
    folder = write_folder(tmp_path / "mine")
    (folder / "labels.csv").write_text("path,label\ntrain-zip.png,90210\n")
    with pytest.raises(lenet.DataError, match="1 pictures to learn from, 0 to count on; needs some of both"):
        lenet.train("own-numbers", folder, tmp_path / "run")
    rows = "".join(f"train-zip.png,1\\n2,{part}\n" for part in ("train", "test")).replace("\\n", " ")
    (folder / "labels.csv").write_text("path,label,part\n" + rows.replace("1 2", "9" * 80))
    with pytest.raises(lenet.DataError, match="no line that agrees with its label in 1 pictures; look at the labels"):
        lenet.train("own-numbers", folder, tmp_path / "run2")


@pytest.mark.usefixtures("mnist")
def test_made_numbers_are_of_one_part_of_the_writers() -> None:
    """The same for a seed; those that are counted on are of writers who are held out."""
    data = dataset.load("mnist")
    one, same = (list(draw_numbers(data, 3, held_out=True, seed=4)) for _time in range(2))
    assert [each.label for each in one] == [each.label for each in same]
    held = replace(data, held_out=~data.held_out)
    assert [each.label for each in draw_numbers(held, 3, held_out=True, seed=4)] != [each.label for each in one]
    assert accepts(parse_pattern(r"\d{1,8}"), one[0].label)
