"""Reading numbers, end to end: pictures as people have them, formats, many files, tables, corrections, measuring."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.bulk.inputs import list_pictures, open_pictures
from lenet.bulk.jobs import read_all
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.decoder import decode
from lenet.decoding.graph import Graph
from lenet.engine import load
from lenet.errors import UsageError
from lenet.evaluation.calibration import fit_confidence
from lenet.evaluation.numbers import edit_distance
from lenet.network.probabilities import log_odds
from lenet.network.spec import DEFAULT
from lenet.reader import ReadOptions, read
from lenet.training.synthetic.compose import space_out
from lenet.training.synthetic.styles import draw_style
from test_cli import run

from conftest import ROOT

pytestmark = pytest.mark.engine

EXAMPLES = ROOT / "examples"
NUMBERS = {
    "zip.jpg": "90210",
    "form.png": "4736",
    "touching.jpg": "8053",
    "two-lines.jpg": "1998\n2026",
    "amount.jpg": "12.750.-",
    "boxes.png": "305617",
    "lined.jpg": "26082",
}


@pytest.mark.parametrize(("name", "text"), list(NUMBERS.items()))
def test_every_sample_number_is_read(name: str, text: str) -> None:
    """A photograph, a form with a box, touching digits, two lines, an amount, a box for each digit, ruled paper."""
    reading = lenet.read(EXAMPLES / name)
    assert reading.text == text
    assert reading.confidence > 0.6
    assert reading.abstained is False
    assert "\n".join(line.text for line in reading.lines) == text
    assert "".join(digit.label for digit in reading.digits) == "".join(filter(str.isdigit, text))


@pytest.mark.parametrize("seed", range(4))
def test_a_large_first_digit_is_no_scrap(seed: int) -> None:
    """A drawn 4, twice as high as the 7 and the 0s behind it, is part of the number, and surely."""
    rng = np.random.default_rng(seed)
    digits = [draw_style(style, rng) for style in ("4 with a low bar", "crossed 7", "0 with a tail", "0 with a tail")]
    glyphs, labels = (
        np.stack([glyph for glyph, _label in digits]),
        np.array([label for _glyph, label in digits], np.uint8),
    )
    sizes = np.array([2.0, 0.9, 0.9, 0.9])
    writing = space_out(glyphs, labels, np.full(3, 4, np.int32), np.zeros(4, np.int32), sizes)
    reading = lenet.read((255 - np.rint(writing.ink * 255)).astype(np.uint8))
    assert reading.text == "4700"
    assert reading.confidence > 0.85


def test_boxes_are_in_the_pictures_own_pixels_and_in_order() -> None:
    """Each digit's box holds ink, stands right of the one before, and within its line's box."""
    reading = lenet.read(EXAMPLES / "two-lines.jpg")
    grey = np.asarray(Image.open(EXAMPLES / "two-lines.jpg").convert("L"))
    for number, line in enumerate(reading.lines):
        digits = [digit for digit in reading.digits if digit.line == number]
        lefts = [digit.box[0] for digit in digits]
        assert lefts == sorted(lefts)
        for digit in digits:
            x0, y0, x1, y1 = digit.box
            assert grey[y0:y1, x0:x1].min() < 120
            assert line.box[0] <= x0 < x1 <= line.box[2]
            assert line.box[1] <= y0 < y1 <= line.box[3]


def test_a_pattern_brings_out_the_separators() -> None:
    """An amount has its point; five digits have none; of a list one is chosen; nothing fits four digits."""
    picture = EXAMPLES / "amount.jpg"
    amount = lenet.read(picture, pattern="amount")
    assert amount.text == "12.750"
    assert amount.confidence > 0.8  # that a point looks like no digit is no reason to doubt it
    assert not amount.abstained
    assert lenet.read(picture, pattern="digits:5").text == "12750"
    assert lenet.read(picture, choices=["12150", "12750", "12751"]).text == "12750"
    assert lenet.read(EXAMPLES / "zip.jpg", pattern="zip").text == "90210"


@pytest.mark.parametrize(("options", "text"), [({"choices": ["2,50", "902"]}, "902"), ({"pattern": "digits:3"}, "902")])
def test_a_number_that_has_not_the_format_is_not_sure(options: dict[str, Any], text: str) -> None:
    """What is allowed is the guess, hardly likely, and a note says so; nor do --best's texts add up to more."""
    found = lenet.read(EXAMPLES / "zip.jpg", best=2, **options)
    assert (found.text, found.guess, found.abstained) == ("", text, "uncertain")
    assert found.confidence < 0.3
    assert found.notes[-1] == "what is written hardly fits the format"
    assert sum(share for _text, share in found.lines[0].likeliest) <= 1
    right = lenet.read(EXAMPLES / "zip.jpg", choices=["90210", "90211", "123"])
    assert (right.text, right.abstained) == ("90210", False)
    assert not any("format" in note for note in right.notes)


@pytest.mark.parametrize("radius", [3, 4, 6])
def test_two_dots_are_a_colon_where_one_may_be(radius: int) -> None:
    """In a time, whatever the pen; without a format they are what they look like."""
    page = np.full((120, 380), 250, np.uint8)
    glyphs = [draw_style(style, np.random.default_rng(7))[0] for style in ("crossed 7", "4 with a low bar") * 2]
    for place, glyph in zip((20, 95, 225, 300), glyphs, strict=True):
        page[30:86, place : place + 56] -= np.kron(glyph, np.ones((2, 2), np.uint8)) // 2
    for y in (46, 70):
        cv2.circle(page, (188, y), radius, 30, -1)
    found = lenet.read(page, pattern=r"\d\d:?\d\d")
    assert found.text == "74:74"
    assert "".join(filter(str.isdigit, lenet.read(page).best_text)) == "7474"


@pytest.mark.parametrize("name", ["zip.jpg", "touching.jpg", "amount.jpg", "lined.jpg"])
def test_the_likeliest_texts_are_listed_best_first(name: str) -> None:
    """The answer leads with its own confidence; shares fall and add up to at most 1."""
    (line,) = lenet.read(EXAMPLES / name, best=5).lines
    shares = [share for _text, share in line.likeliest]
    assert line.likeliest[0] == (line.text, line.confidence)
    assert 1 < len(shares) <= 5
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-9


def test_max_error_withholds_what_is_not_sure_enough() -> None:
    """A share that the weights never reach withholds all; a generous one nothing; a silly one is a usage error."""
    assert lenet.read(EXAMPLES / "zip.jpg", max_error=1e-9).abstained == "uncertain"
    assert lenet.read(EXAMPLES / "zip.jpg", max_error=0.5).abstained is False
    with pytest.raises(UsageError, match="expected a share above 0 and below 1"):
        lenet.read(EXAMPLES / "zip.jpg", max_error=2)


def test_the_same_number_turned_pale_or_inverted_is_the_same() -> None:
    """Polarity and contrast do not matter."""
    grey = np.asarray(Image.open(EXAMPLES / "touching.jpg").convert("L"))
    pale = (200 + (grey.astype(float) - 255) * 0.35).astype(np.uint8)
    assert lenet.read(255 - grey).text == lenet.read(pale).text == "8053"


def test_a_page_of_letters_noise_or_nothing_is_no_number() -> None:
    """Nothing is answered to a blank page, hatching, a blot or a big X."""
    pages = [np.full((80, 200), 240, np.uint8) for _page in range(4)]
    pages[1][::7] = 30
    pages[2][20:60, 60:120] = 10
    for step in range(70):
        pages[3][5 + step, 60 + step : 66 + step] = 0
        pages[3][5 + step, 134 - step : 140 - step] = 0
    for page in pages:
        reading = lenet.read(page)
        assert not reading.text or reading.abstained or reading.confidence < 0.5


def test_what_nobody_can_read_for_blur_is_too_blurred() -> None:
    """A number slightly out of focus is read; at a fifth of its height there is no answer."""
    grey = np.asarray(Image.open(EXAMPLES / "two-lines.jpg").convert("L"))
    reading = lenet.read(EXAMPLES / "two-lines.jpg")
    high = max(digit.box[3] - digit.box[1] for digit in reading.digits)
    assert lenet.read(cv2.GaussianBlur(grey, (0, 0), 0.03 * high)).text == reading.text
    for share in (0.2, 0.3):
        blurred = lenet.read(cv2.GaussianBlur(grey, (0, 0), share * high))
        assert (blurred.text, blurred.abstained) == ("", "too blurred")


def test_many_pictures_come_back_in_order_from_all_cores(tmp_path: Path) -> None:
    """Sixty files, one of them no picture: the same answers as one by one, in the order given."""
    names = []
    for number in range(60):
        name = tmp_path / f"{number:02d}.png"
        if number == 31:
            name.write_text("no picture")
        else:
            source = list(NUMBERS)[number % 3 + 1]
            Image.open(EXAMPLES / source).save(name)
        names.append(str(name))
    assert list_pictures([str(tmp_path)]) == names
    assert list_pictures([str(tmp_path / "*1.png")]) == names[1::10]
    answers = list(read_all(open_pictures(names), len(names), DEFAULT, ReadOptions()))
    assert [answer.path for answer in answers] == names
    assert [answer.reading is None for answer in answers] == [number == 31 for number in range(60)]
    wanted = [list(NUMBERS.values())[number % 3 + 1] for number in range(60)]
    assert [answer.reading.text for answer in answers if answer.reading] == wanted[:31] + wanted[32:]


def test_a_glob_that_matches_nothing_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It is kept and said to be missing: a misspelt folder must not look like a job that is done."""
    status, out, err = run(capsys, "read", str(tmp_path / "*.png"))
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "*.png" in err


def test_standard_input_among_many_files_keeps_its_place(tmp_path: Path) -> None:
    """Its bytes go to the process that reads it."""
    names = [str(EXAMPLES / "form.png")] * 20 + ["-"] + [str(EXAMPLES / "zip.jpg")] * 20
    given = (EXAMPLES / "touching.jpg").read_bytes()
    answers = list(read_all(open_pictures(names, given=given), len(names), DEFAULT, ReadOptions()))
    assert [answer.reading.text for answer in answers if answer.reading] == ["4736"] * 20 + ["8053"] + ["90210"] * 20


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_answers_go_into_a_table(ending: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A row for each picture, the failed one with its error; the file appears whole."""
    bad, out = tmp_path / "bad.png", tmp_path / f"answers{ending}"
    bad.write_text("no picture")
    assert run(capsys, "read", str(EXAMPLES / "zip.jpg"), str(bad), "--best", "2", "--out", str(out))[0] == 1
    if ending == ".csv":
        with out.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    elif ending == ".jsonl":
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    else:
        import pyarrow.parquet as pq

        rows = pq.read_table(out).to_pylist()
    assert rows[0]["text"] == "90210"
    ranked = rows[0]["lines"][0]["likeliest"] if ending == ".jsonl" else rows[0]["likeliest"].split(", ")
    assert len(ranked) == 2
    assert "not a picture" in rows[1]["error"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "answers.txt"], "ends in '.txt'; expected .csv, .jsonl, .parquet"),
        (["--pattern", "("], "a group is not closed"),
        (["--pattern", ""], "allows no number"),
        (["--pattern", "zip", "--choices", str(ROOT / "Makefile")], "both given"),
        (["--digit", "--pattern", "zip"], "reads one digit"),
        (["--best", "1000"], "expected 0 to 100"),
        (["--method", "guess"], "expected cut, line, both, sweep"),
        (["--max-error", "7"], "expected a share above 0 and below 1"),
        (["--method", "sweep", "--model", "lenet5-modern"], "these weights have no blank"),
        (["--pattern", "zip", "--model", "lenet5-modern"], "these weights read one digit"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before any picture is read."""
    status, out, err = run(capsys, "read", str(EXAMPLES / "zip.jpg"), *words)
    assert status == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_saved_glyphs_are_corrected_and_trained_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each digit as a small picture with its label in labels.csv, which reads back as a folder of digits."""
    from lenet.data.dataset import load_test

    folder = tmp_path / "mine"
    assert run(capsys, "read", str(EXAMPLES / "zip.jpg"), "--save-glyphs", str(folder))[0] == 0
    assert run(capsys, "read", str(EXAMPLES / "form.png"), "--save-glyphs", str(folder))[0] == 0
    digits = load_test(str(folder))
    assert digits.labels.tolist() == [9, 0, 2, 1, 0, 4, 7, 3, 6]
    seen = lenet.read(EXAMPLES / "zip.jpg", readers="cut").digits[0].glyph
    assert (digits.glyphs[0] == seen).mean() > 0.95


def test_glyphs_of_odd_names_are_saved(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file's name that is no UTF-8 is written as escapes."""
    odd = tmp_path / os.fsdecode(b"bad\xff.png")
    odd.write_bytes((EXAMPLES / "pen.png").read_bytes())
    assert run(capsys, "read", str(odd), "--save-glyphs", str(tmp_path / "mine"))[0] == 0
    assert "bad\\udcff.png" in (tmp_path / "mine" / "labels.csv").read_text(encoding="utf-8")


def test_choices_are_a_list() -> None:
    """One text is none: its characters were choices."""
    with pytest.raises(UsageError, match="choices '90210': one text; give a list of texts"):
        lenet.read(EXAMPLES / "zip.jpg", choices="90210")  # type: ignore[arg-type]


def test_a_share_of_errors_out_of_reach_is_said() -> None:
    """All is withheld, and a note says what is known."""
    found = lenet.read(EXAMPLES / "zip.jpg", max_error=0.0001)
    assert (found.text, found.guess, found.abstained) == ("", "90210", "uncertain")
    assert re.fullmatch(r"withheld: even the surest answers of lenet-line are wrong in 0\.\d\d %", found.notes[-1])
    assert not any("withheld" in note for note in lenet.read(EXAMPLES / "zip.jpg", max_error=0.01).notes)


def test_a_line_is_withheld_by_its_own_confidence() -> None:
    """Of two lines the less sure one is "?" beside the other's answer, and empty where it stands alone."""
    found = lenet.read(EXAMPLES / "two-lines.jpg")
    first, second = (line.confidence for line in found.lines)
    assert found.confidence == pytest.approx(first * second)
    assert (found.text, found.guess, found.state) == ("1998\n2026", "", "read")
    network = load()
    again = read(EXAMPLES / "two-lines.jpg", network, ReadOptions(least=(first + second) / 2))
    surer, sure = ("1998\n?", first) if first > second else ("?\n2026", second)
    assert (again.text, again.guess, again.abstained, again.state) == (surer, "", False, "read")
    assert again.confidence == pytest.approx(sure)
    assert again.best_text == "1998\n2026"
    assert sorted(line.state for line in again.lines) == ["read", "uncertain"]
    assert sorted((number.text, number.guess) for number in again.numbers) == sorted(
        [("1998", ""), ("", "2026")] if first > second else [("", "1998"), ("2026", "")]
    )
    answered = {digit.line for digit in again.digits if digit.answered}
    assert answered == {0 if first > second else 1}
    none = read(EXAMPLES / "two-lines.jpg", network, ReadOptions(least=1.0))
    assert (none.text, none.guess, none.abstained) == ("", "1998\n2026", "uncertain")
    assert none.confidence == pytest.approx(first * second)


def test_separators_are_no_corrections(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The point of an amount is not saved, and numbering goes on from the highest file there."""
    (tmp_path / "000041-7.png").write_bytes(b"")
    picture = str(EXAMPLES / "amount.jpg")
    assert run(capsys, "read", picture, "--pattern", "amount", "--save-glyphs", str(tmp_path))[0] == 0
    saved = sorted(path.name for path in tmp_path.glob("*.png"))
    assert saved[1:] == ["000042-1.png", "000043-2.png", "000044-7.png", "000045-5.png", "000046-0.png"]


def test_evaluate_counts_numbers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """String errors, edit distances, abstentions; a sheet of what went wrong."""
    for name in NUMBERS:
        Image.open(EXAMPLES / name).save(tmp_path / name)
    rows = "".join(f"{name},{'1' * 4 if name == 'form.png' else NUMBERS[name]}\n" for name in ("zip.jpg", "form.png"))
    (tmp_path / "labels.csv").write_text("path,label\n" + rows)
    sheet = tmp_path / "sheet.png"
    status, out, _err = run(capsys, "evaluate", "--data", str(tmp_path), "--json", "-o", str(sheet))
    found = json.loads(out)
    assert status == 0
    assert (found["strings"], found["string_errors"], found["digits"], found["digit_errors"]) == (2, 1, 9, 4)
    assert found["worst"][0]["label"] == "1111"
    assert found["worst"][0]["text"] == "4736"
    with Image.open(sheet) as drawn:
        assert drawn.width > 300


def test_evaluate_passes_over_a_picture_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It has its line and exit status 1, and the others are counted; without any other there is nothing to count."""
    Image.open(EXAMPLES / "amount.jpg").save(tmp_path / "amount.jpg")
    (tmp_path / "cut.jpg").write_bytes((EXAMPLES / "zip.jpg").read_bytes()[:600])
    (tmp_path / "labels.csv").write_text("path,label\ncut.jpg,90210\namount.jpg,12.750\n")
    status, out, err = run(capsys, "evaluate", "--data", str(tmp_path), "--pattern", "amount", "--json")
    found = json.loads(out)
    assert status == 1
    assert len(err.splitlines()) == 1
    assert "cut.jpg" in err
    assert (found["n"], found["errors"], found["digits"]) == (1, 0, 6)
    assert [each["path"] for each in found["unreadable"]] == ["cut.jpg"]
    (tmp_path / "labels.csv").write_text("path,label\ncut.jpg,90210\n")
    status, _out, err = run(capsys, "evaluate", "--data", str(tmp_path))
    assert (status, "none of 1 pictures can be read" in err) == (1, True)
    status, _out, err = run(capsys, "evaluate", "--data", "mnist", "--pattern", "zip")
    assert (status, "--pattern: mnist has single digits" in err) == (2, True)


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("", "", 0), ("123", "123", 0), ("123", "13", 1), ("13", "1234", 2), ("777", "1", 3)]
)
def test_edit_distance(one: str, other: str, distance: int) -> None:
    """Insertions, deletions and changes, the same both ways."""
    assert edit_distance(one, other) == edit_distance(other, one) == distance


def test_texts_have_their_signs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written is answered, in every kind of output, and so are the runners-up."""
    page = np.full((60, 240), 255, np.uint8)
    cv2.putText(page, "12:34", (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 3, cv2.LINE_AA)
    path = tmp_path / "date.png"
    cv2.imwrite(str(path), page)
    reading = lenet.read(page, best=3)
    (line,) = reading.lines
    assert (reading.text, line.likeliest[0]) == ("12:34", ("12:34", line.confidence))
    assert [(sign.label, sign.line) for sign in reading.signs] == [(":", 0)]
    assert [digit.label for digit in reading.digits] == list("1234")
    assert reading.digits[1].box[2] <= reading.signs[0].box[2] <= reading.digits[2].box[2]
    _status, out, _err = run(capsys, "read", "--best", "3", str(path))
    assert re.search(r"\t12:34\t0\.\d{4}\tlikeliest 12:34 0\.\d{4}", out)


def test_the_likeliest_texts_are_in_a_pictures_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines of writing are parted by a bar; the text of no digit is called nothing; a digit's runners-up are listed."""
    _status, out, _err = run(capsys, "read", "--best", "2", str(EXAMPLES / "two-lines.jpg"))
    other = r"\S+ 0\.\d{4}"
    assert re.search(rf"\tlikeliest 1998 0\.\d{{4}}, {other} \| 2026 0\.\d{{4}}, {other}\n", out)
    _status, out, _err = run(capsys, "read", "--best", "2", str(EXAMPLES / "pen.png"))
    assert re.search(r"\tlikeliest 7 0\.\d{4}, nothing 0\.\d{4}\n", out)
    _status, out, _err = run(capsys, "read", "--digit", "--best", "3", str(EXAMPLES / "pen.png"))
    assert re.search(r"\tlikeliest 7 0\.\d{4}, \d 0\.\d{4}, \d 0\.\d{4}\n", out)


def test_confidences_are_shares_of_all_paths() -> None:
    """Two arcs side by side with penalties of their log-probabilities: 0.7 and 0.3, and a runner-up to each."""
    probs = np.array([0.7, 0.3])
    ends = np.array([0, 0], np.int32), np.array([1, 1], np.int32)
    graph = Graph(2, *ends, np.array([4, 9], np.int32), -np.log(probs), np.arange(2, dtype=np.int32))
    found = decode(graph, np.stack(ends, axis=1), None, 2)
    assert found.text == "4"
    assert found.confidence == pytest.approx(0.7)
    assert [text for text, _share in found.likeliest] == ["4", "9"]
    assert (found.digits[0].runner_up, found.digits[0].runner_up_confidence) == (9, pytest.approx(0.3))


def test_trust_moves_log_odds() -> None:
    """A slope of 1 and nothing else leave a confidence as it is; other signs are weighed."""
    found = np.array([np.log(4), 3.0])
    assert calibrate_confidence(found, np.array([1.0, 0.0, 0.0])) == pytest.approx(0.8)
    assert log_odds(np.array(calibrate_confidence(found, np.array([2.0, -0.5, 1.0])))) == pytest.approx(
        2 * np.log(4) - 1.5 + 1
    )


def test_trust_is_fitted_to_what_answers_were_worth() -> None:
    """Confidences that are too low where there is no doubt, and too high where there is, come out as they should."""
    rng = np.random.default_rng(4)
    found = np.stack([log_odds(rng.uniform(0.05, 0.95, 20_000)), rng.uniform(-4, 4, 20_000)], axis=1)
    truth = 1 / (1 + np.exp(-(found @ [1.5, -0.7] + 0.5)))
    assert fit_confidence(found, rng.random(20_000) < truth) == pytest.approx([1.5, -0.7, 0.5], abs=0.1)


def test_the_sweep_reads_along_the_line() -> None:
    """Section VII's reader finds the same number without cutting; its digits stand in order."""
    reading = lenet.read(EXAMPLES / "touching.jpg", sliding_window=True, model="lenet5-sweep")
    assert all(digit.confidence + digit.runner_up.confidence <= 1.0 + 1e-9 for digit in reading.digits)
    assert reading.text == "8053"
    lefts = [digit.box[0] for digit in reading.digits]
    assert lefts == sorted(lefts)


def test_weights_that_do_not_know_rubbish_read_one_digit() -> None:
    """lenet5-modern takes the whole picture for one digit, as --digit does."""
    assert len(lenet.read(EXAMPLES / "pen.png", model="lenet5-modern").digits) == 1
    assert not load("lenet5-modern").weights.reads_numbers
    assert lenet.read(EXAMPLES / "pen.png", digit=True).text == "7"
