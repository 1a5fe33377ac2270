"""Folders of pictures as data sets: labels.csv or sub-folders, and the one clear line for each mistake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.data import dataset
from lenet.errors import DataError, LenetError


def draw(path: Path, place: int) -> None:
    """Save a white page with a dark bar that is more or less slanted by `place`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page = np.full((60, 60), 255, np.uint8)
    for row in range(40):
        x = 15 + place * row // 20
        page[10 + row, x : x + 6] = 0
    Image.fromarray(page).save(path)


def test_sub_folders_are_labels(tmp_path: Path) -> None:
    """0 to 9 and none; hidden files are not pictures."""
    for label in ("1", "7", "none"):
        for number in range(3):
            draw(tmp_path / label / f"{number}.png", number)
    (tmp_path / "1" / ".DS_Store").write_text("x")
    digits = dataset.load_test(tmp_path)
    assert digits.labels.tolist() == [1, 1, 1, 7, 7, 7, 10, 10, 10]
    assert digits.paths[3] == str(Path("7") / "0.png")
    assert digits.glyphs.shape == (9, 28, 28)
    assert digits.glyphs.any(axis=(1, 2)).all()


def test_labels_csv_names_labels_and_parts(tmp_path: Path) -> None:
    """Rows marked "train" are trained on, the others are measured on."""
    rows = ["path,label,part"]
    for number in range(12):
        draw(tmp_path / f"{number}.png", number % 3)
        rows.append(f"{number}.png,{number % 10},{'train' if number < 8 else 'dev'}")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    loaded = dataset.load(tmp_path)
    assert (len(loaded.train), len(loaded.test)) == (8, 4)
    assert dataset.load_test(tmp_path).labels.tolist() == [8, 9, 0, 1]


def test_a_folder_without_parts_gives_a_tenth_to_the_test(tmp_path: Path) -> None:
    """Trained on nine tenths; evaluated on all of it."""
    for number in range(20):
        draw(tmp_path / str(number % 10) / f"{number}.png", number % 3)
    loaded = dataset.load(tmp_path)
    assert (len(loaded.train), len(loaded.test)) == (18, 2)
    assert len(dataset.load_test(tmp_path)) == 20


def test_pictures_pass_through_the_reader(tmp_path: Path) -> None:
    """The glyph in the set is the glyph that `lenet.read` shows the network."""
    draw(tmp_path / "1" / "a.png", 1)
    assert (dataset.load_test(tmp_path).glyphs[0] == lenet.read(tmp_path / "1" / "a.png").digits[0].glyph).all()


@pytest.mark.engine
def test_a_blank_picture_counts_as_answered_not_a_digit(tmp_path: Path) -> None:
    """Wrong for a digit, right for rubbish."""
    for label in ("3", "none"):
        (tmp_path / label).mkdir()
        Image.fromarray(np.full((50, 50), 255, np.uint8)).save(tmp_path / label / "blank.png")
    found = lenet.evaluate(data=tmp_path)
    assert (found.errors, found.n) == (1, 2)
    assert found.confusion[3][10] == found.confusion[10][10] == 1


@pytest.mark.engine
def test_a_folder_can_be_trained_on(tmp_path: Path) -> None:
    """`lenet train --data FOLDER`: slants are told apart."""
    for number in range(60):
        draw(tmp_path / "pictures" / str(number % 3) / f"{number}.png", 2 * (number % 3))
    result = lenet.train("modern", tmp_path / "pictures", tmp_path / "run", passes=30, settings={"batch": "5"})
    assert result["errors"] == 0
    assert result["n"] == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,digit\na.png,1", r"columns name,digit; expected path,label"),
        ("path,label\na.png,12", "labels.csv line 2: label '12'; expected one digit, or 'none'"),
        ("path,label\na.png", "line 2: label None"),
        ("path,label\n", "no labelled pictures"),
        ("path,label\nmissing.png,1", "missing.png: no such file"),
        (b"path,label\n\xff\xfe.png,1", "cannot be read"),
    ],
)
def test_a_wrong_label_file_gives_one_clear_line(text: str | bytes, message: str, tmp_path: Path) -> None:
    """File, line, found and expected."""
    (tmp_path / "labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LenetError, match=message) as caught:
        dataset.load_test(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_says_what_to_put_there(tmp_path: Path) -> None:
    """Neither labels.csv nor sub-folders."""
    with pytest.raises(DataError, match=r"no labelled pictures; give it a labels.csv \(path,label\) or sub-folders"):
        dataset.load_test(tmp_path)


def test_a_folder_too_small_to_test_on_is_refused(tmp_path: Path) -> None:
    """No "0 errors of 0"."""
    draw(tmp_path / "1" / "a.png", 1)
    with pytest.raises(DataError, match="1 pictures to train on, 0 to test on; needs some of both"):
        dataset.load(tmp_path)


def test_rubbish_cannot_be_trained_by_ten_outputs(tmp_path: Path) -> None:
    """Label "none" needs a network with an eleventh output."""
    for number in range(6):
        draw(tmp_path / "pictures" / "none" / f"{number}.png", 1)
        draw(tmp_path / "pictures" / "1" / f"{number}.png", 1)
    with pytest.raises(LenetError, match="label 10 of 10 outputs; lenet5-modern learns the labels 0 to 9"):
        lenet.train("modern", tmp_path / "pictures", tmp_path / "run", passes=1)
