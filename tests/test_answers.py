"""An answer is never a guess, steps are typed, and what was done to the file changes no confidence."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import lenet
from golden import line
from lenet.bulk.outputs import COLUMNS, describe_withheld
from lenet.engine.tta import TtaScores
from lenet.errors import warn_renamed
from lenet.evaluation.numbers import compare_texts
from lenet.network.weights import load_weights, save_weights
from lenet.result import describe_state, join_texts
from lenet.segmentation import lattice, text_lines
from lenet.segmentation.candidates import find_candidates
from lenet.steps import KINDS, Step

from conftest import ROOT, notes_of

EXAMPLES = ROOT / "examples"


def word(text: str) -> Image.Image:
    """A printed word, black on white."""
    picture = Image.new("L", (60 * len(text) + 60, 140), 255)
    ImageDraw.Draw(picture).text((30, 20), text, fill=0, font=ImageFont.load_default(80))
    return picture


def page_of(rows: int, columns: int) -> np.ndarray[Any, Any]:
    """Rows of printed digits that hang together with none of their neighbours."""
    picture = Image.new("L", (22 * columns + 20, 34 * rows + 20), 255)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(20)
    for row in range(rows):
        for column in range(columns):
            pen.text((10 + 22 * column, 10 + 34 * row), str((row + 3 * column) % 10), fill=0, font=font)
    return np.asarray(picture)


@pytest.mark.parametrize("text", ["HELM", "WAXY", "Kahn", "vuh"])
def test_a_withheld_word_has_no_text(text: str) -> None:
    """If a word is withheld there is no text, its digits are of a guess, and its state says so."""
    found = lenet.read(word(text)).as_json()
    assert (found["state"] == "read") == (found["abstained"] is False) == bool(found["text"])
    if found["abstained"]:
        assert found["text"] == ""
        assert all(not each["answered"] for each in (*found["digits"], *found["signs"]))
        assert "".join(line["text"] for line in found["lines"]) == ""


def test_some_words_are_withheld() -> None:
    """The fact above is one of withheld words, not of none."""
    assert any(lenet.read(word(text)).abstained for text in ("HELM", "WAXY", "Kahn", "vuh"))


def test_states_are_plain_words() -> None:
    """Every reason has one, an answer too."""
    assert [describe_state(each) for each in (False, "blank", "uncertain", "not a digit")] == [
        *("read", "blank", "uncertain", "not a number")
    ]


@pytest.mark.parametrize(
    ("texts", "joined"), [(["12", "7"], "12\n7"), (["12", ""], "12\n?"), (["", ""], ""), ([], ""), ([""], "")]
)
def test_what_is_withheld_beside_an_answer_is_a_question_mark(texts: list[str], joined: str) -> None:
    """And nothing where nothing is answered."""
    assert join_texts(texts) == joined


def test_the_plain_line_writes_the_guess_behind_the_state() -> None:
    """Of a picture as a whole, or of the lines that are withheld."""
    withheld = {"abstained": "uncertain", "state": "uncertain", "guess": "17\n70", "lines": []}
    assert describe_withheld(withheld) == ["uncertain: perhaps 17 70"]
    assert describe_withheld({"abstained": "blank", "state": "blank", "guess": "", "lines": []}) == ["blank"]
    read, doubtful = {"abstained": False}, {"abstained": "uncertain", "state": "uncertain", "guess": "9"}
    numbers = [{**read, "line": 0}, {**doubtful, "line": 1}]
    answer = {"abstained": False, "guess": "", "lines": [{}, {}], "numbers": numbers}
    assert describe_withheld(answer) == ["line 2 uncertain: perhaps 9"]
    answer["numbers"] = [*numbers, {**read, "line": 1}]
    assert describe_withheld(answer) == ["number 1 of line 2 uncertain: perhaps 9"]


def test_a_table_has_a_column_for_the_guess() -> None:
    """Beside the text, which is an answer."""
    assert COLUMNS[:6] == ("path", "text", "confidence", "abstained", "state", "guess")


@pytest.mark.parametrize(
    ("text", "label", "right"),
    [
        *(("1.250,00", "125000", True), ("12 50", "1250", True), ("1250", "1251", False)),
        *(("12.50", "12.50", True), ("12,50", "12.50", False), ("1250", "12.50", False)),
        *(("", "none", True), ("7", "none", False)),
    ],
)
def test_labels_of_digits_are_compared_by_digits(text: str, label: str, right: bool) -> None:
    """Labels with signs exactly, "none" with no text at all."""
    assert compare_texts(text, label) is right


def test_every_step_has_a_sentence_and_a_category() -> None:
    """Each kind can be told; the JSON has all of it."""
    values = {
        **dict.fromkeys(
            (
                "frames",
                "lines",
                "boxes",
                "rings",
                "specks",
                "stains",
                "parts",
                "all_parts",
                "grey_levels",
                "places",
                "digits",
            ),
            2,
        ),
        **dict.fromkeys(("highest", "full", "lowest", "from_pixels", "to_pixels", "percent_wrong"), 1.5),
        **dict.fromkeys(("from_width_pixels", "from_height_pixels", "width_pixels", "height_pixels", "degrees"), 3),
        **dict.fromkeys(("backdrop", "weights", "letters"), "x"),
    }
    for name, kind in KINDS.items():
        step = Step(name, values)
        assert step.text
        assert "{" not in step.text
        assert step.as_json()["category"] == kind.category


def test_every_step_is_in_the_documents() -> None:
    """With the names of its values, for those who read the JSON."""
    told = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert [name for name in KINDS if f"`{name}`" not in told] == []


@pytest.mark.parametrize(("count", "words"), [(1, "1 speck dropped"), (3, "3 specks dropped")])
def test_one_thing_is_not_many(count: int, words: str) -> None:
    """Sentences count as people do."""
    assert Step("specks-dropped", {"specks": count}).text == words


def encode(picture: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    """A picture as the bytes of a file without loss."""
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def framed(picture: Image.Image) -> bytes:
    """The picture as a TIFF file, with a second frame."""
    return encode(picture, "TIFF", save_all=True, append_images=[picture])


def tagged(picture: Image.Image) -> bytes:
    """The picture lying on its side, with the EXIF tag that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(picture.rotate(90, expand=True), exif=exif)


@pytest.mark.parametrize("name", ["zip.jpg", "touching.jpg", "two-lines.jpg"])
@pytest.mark.parametrize("dress", [framed, tagged])
def test_frames_and_tags_change_no_confidence(name: str, dress: Callable[[Image.Image], bytes]) -> None:
    """The same pixels with a second frame, or turned with an EXIF tag, are as sure as plain ones, with a step more."""
    with Image.open(EXAMPLES / name) as opened:
        picture = opened.convert("RGB")
    plain, dressed = lenet.read(encode(picture)), lenet.read(dress(picture))
    assert len(dressed.steps) == len(plain.steps) + 1
    assert dressed.steps[0].category == "file"
    assert (dressed.text, dressed.confidence) == (plain.text, plain.confidence)
    assert [digit.confidence for digit in dressed.digits] == [digit.confidence for digit in plain.digits]


def test_a_page_of_four_hundred_digits_is_read_whole() -> None:
    """Twenty lines of twenty."""
    found = lenet.read(page_of(20, 20))
    assert [len(line.text or line.guess) for line in found.lines] == [20] * 20
    assert not any("left out" in note for note in found.notes)


@pytest.mark.parametrize(("module", "most"), [(text_lines, "_MOST_COMPONENTS"), (lattice, "_MOST_ON_A_PAGE")])
def test_what_is_left_out_of_a_page_is_said_and_nothing_is_sure(
    module: ModuleType, most: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More components, or more pieces after cutting, than are looked at: no number is answered."""
    assert getattr(module, most) >= 1_000
    monkeypatch.setattr(module, most, 30)
    found = lenet.read(page_of(6, 6))
    assert re.search(r"too much ink to read: \d+ of \d+ parts left out", "; ".join(found.notes))
    assert (found.text, found.state) == ("", "uncertain")
    assert found.confidence < 0.5
    assert all(not number.text for number in found.numbers)


@pytest.mark.parametrize("shape", [(1, 64_000_000), (64_000_000, 1), (2, 3_000_000)])
def test_a_blank_strip_of_any_length_is_blank(shape: tuple[int, int]) -> None:
    """As many pixels as are read at all: work grows with them, not with their square."""
    assert lenet.read(np.full(shape, 255, np.uint8)).state == "blank"


@pytest.mark.parametrize("options", [{}, {"digit": True}, {"sliding_window": True}])
def test_ink_wider_than_opencv_samples_has_an_answer_or_a_state(options: dict[str, Any]) -> None:
    """A comb of 36,000 pixels, of which OpenCV's remap takes 32,767."""
    comb = np.full((60, 36_000), 255, np.uint8)
    comb[44:46, 50:-50] = 0
    for x in range(50, 35_900, 60):
        comb[15:45, x : x + 5] = 0
    assert lenet.read(comb, **options).state in ("uncertain", "not a number", "read")


def test_squares_take_no_more_work_for_more_lines() -> None:
    """Seventy-five lines each way are removed and leave nothing."""
    page = np.full((600, 600), 255, np.uint8)
    page[::8] = page[:, ::8] = 150
    found = lenet.read(page)
    assert not found.best_text
    assert "150 ruled lines removed" in found.notes


def test_a_page_is_decoded_and_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though light and dark might be exchanged, and both are read."""
    from lenet.preprocessing import pipeline

    opened = []
    real = pipeline.open_page
    monkeypatch.setattr(pipeline, "open_page", lambda source: opened.append(source) or real(source))
    page = np.full((40, 30), 230, np.uint8)
    cv2.ellipse(page, (15, 20), (12, 17), 0, 0, 360, 60, 4, cv2.LINE_AA)
    noise = np.random.default_rng(1).normal(0, 4, page.shape)
    tight = np.clip(page * 0.6 + 40 + noise, 0, 255).astype(np.uint8)
    assert find_candidates(tight).ambiguous_polarity
    opened.clear()
    lenet.read(tight)
    assert len(opened) == 1


def test_the_digits_of_a_reading_know_their_candidates() -> None:
    """Box and glyph of the candidate are the digit's own."""
    from lenet.engine import load
    from lenet.preprocessing.pipeline import prepare_page
    from lenet.reader import ReadOptions, explain_page

    explained = explain_page(prepare_page(EXAMPLES / "touching.jpg"), load(), ReadOptions(thorough=True))
    assert len(explained.chosen) == len(explained.reading.digits) == 4
    for digit in explained.reading.digits:
        assert explained.candidates.box(digit.arc) == digit.box
        assert (explained.candidates.glyphs[digit.arc] == digit.glyph).all()
        assert int(explained.probabilities[digit.arc].argmax()) == int(digit.label)


def test_an_explanation_scores_every_candidate_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's and the command's explanations too."""
    from lenet.answers import readers
    from lenet.engine import load
    from lenet.reader import ReadOptions
    from lenet.serve.inspect import explain_candidates

    scored = []
    real = readers.score_once
    monkeypatch.setattr(readers, "score_once", lambda network, glyphs: scored.append(1) or real(network, glyphs))
    found = explain_candidates(EXAMPLES / "zip.jpg", load(), ReadOptions())
    assert len(scored) == 1
    assert sum(each["chosen"] for each in found["candidates"]) == 5


def test_the_old_word_for_the_sliding_window_works_with_a_line() -> None:
    """`sweep` is `sliding_window` now."""
    with pytest.warns(FutureWarning, match=r"^read\(sweep=\.\.\.\): is called sliding_window now"):
        old = lenet.read(EXAMPLES / "zip.jpg", sweep=True)
    assert old == lenet.read(EXAMPLES / "zip.jpg", sliding_window=True)
    with pytest.warns(FutureWarning, match="a: is called b now; the old name works until lenet 0.3"):
        warn_renamed("a", "b")


def test_weights_of_the_first_version_still_load(tmp_path: Path) -> None:
    """What they call path, trust and risk is the arc scorer, the confidence weights and the curve of errors."""
    weights = load_weights("lenet5-reader")
    names = {
        "arc_scorer": "path",
        "confidence_weights": "trust",
        "error_curve": "risk",
        "arc_scorer_fitted_on": "path_fitted_on",
        "confidence_fitted_on": "trust_fitted_on",
    }
    calibration = weights.card["calibration"]
    weights.card["calibration"] = {names.get(key, key): value for key, value in calibration.items()}
    save_weights(tmp_path / "old.safetensors", weights)
    old, new = load_weights(tmp_path / "old.safetensors"), load_weights("lenet5-reader")
    assert old.reads_numbers
    for one, other in ((old.arc_scorer, new.arc_scorer), (old.confidence_weights, new.confidence_weights)):
        assert one is not None
        assert (one == other).all()
    assert old.card["calibration"].keys() == new.card["calibration"].keys()


def test_notes_are_the_sentences_of_steps() -> None:
    """Of a reading, and of the candidates that it is of."""
    found = lenet.read(EXAMPLES / "lined.jpg", readers="cut")
    assert found.notes == notes_of(found)
    assert notes_of(find_candidates(EXAMPLES / "lined.jpg")) == found.notes[: len(found.notes)]


def test_digits_may_be_surer_than_the_signs_among_them() -> None:
    """An amount whose comma is in doubt is as sure as its digits times its signs; by its cuts it is its digits."""
    page = line("1.204,50", np.random.default_rng(0), gap=0.12, height=46)
    both, cut = lenet.read(page), lenet.read(page, readers="cut")
    assert both.confidence < both.digits_confidence - 0.05
    assert both.digits_confidence == both.lines[0].digits_confidence == both.as_json()["digits_confidence"]
    assert both.as_json()["lines"][0]["digits_confidence"] == both.digits_confidence
    assert cut.digits_confidence == cut.confidence
    lines = lenet.read(EXAMPLES / "two-lines.jpg")
    assert lines.digits_confidence == pytest.approx(np.prod([line.digits_confidence for line in lines.lines]))
    assert lenet.read(EXAMPLES / "blank.jpg").digits_confidence == 0.0


def test_labels_of_digits_are_compared_with_how_sure_the_digits_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label with signs with how sure all of the text is: an answer of 0.4, its digits 0.9, is right of both."""
    from lenet.bulk.jobs import Answer
    from lenet.data.labels import Labelled
    from lenet.evaluation import numbers
    from lenet.result import Line, Reading

    line = Line("", "1.6", 0.4, "uncertain", (0, 0, 1, 1), (), 0.9)
    said = Reading("", "1.6", 0.4, "uncertain", (line,))
    monkeypatch.setattr(numbers, "read_all", lambda *_: [Answer("", said, None)])
    for label, gap in (("16", 0.1), ("1.6", 0.6)):
        rows = [Labelled("a.png", label, "", "")]
        found = numbers.evaluate_numbers("lenet5-reader", tmp_path, rows)
        assert (found.string_errors, found.calibration_error) == (0, pytest.approx(gap))


def test_evaluating_counts_answers_and_guesses_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess may be right and is no answer; an answer is right or wrong; what has none is withheld."""
    from lenet.bulk.jobs import Answer
    from lenet.data.labels import Labelled
    from lenet.evaluation import numbers
    from lenet.result import Line, Reading

    def say(text: str, guess: str) -> Reading:
        line = Line(text, guess, 0.75, False if text else "uncertain", (0, 0, 1, 1))
        return Reading(text, guess, 0.75, line.abstained, (line,))

    told = [say("12", ""), say("13", ""), say("", "14"), say("", "9"), say("1.6", ""), Reading("", "", 0.0, "blank")]
    labels = ["12", "31", "14", "15", "16", "none"]
    rows = [Labelled(f"{number}.png", label, "", "") for number, label in enumerate(labels)]
    monkeypatch.setattr(numbers, "read_all", lambda *_: [Answer("", reading, None) for reading in told])
    found = numbers.evaluate_numbers("lenet5-reader", tmp_path, rows).as_json()
    assert (found["right"], found["wrong"], found["withheld"], found["strings"]) == (2, 1, 3, 6)
    assert (found["string_errors"], found["errors"], found["compared_by_digits"]) == (2, 2, 5)
    assert [(each["label"], each["text"], each["guess"]) for each in found["worst"]] == [
        ("31", "13", ""),
        ("15", "", "9"),
    ]
    assert found["digit_errors"] == 2 + 2


def test_a_number_with_a_doubtful_digit_says_that_it_was_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a single digit does, and only if a candidate that is part of the answer was."""
    from lenet.answers import readers

    real = readers.score_with_tta
    chosen = lenet.read(EXAMPLES / "zip.jpg", readers="cut").digits[0].arc
    for arc, told in ((chosen, True), (-1, False)):

        def score(network: Any, glyphs: Any, doubtful: int = arc) -> TtaScores:
            return TtaScores(real(network, glyphs).probabilities, np.arange(len(glyphs)) == doubtful)

        monkeypatch.setattr(readers, "score_with_tta", score)
        found = lenet.read(EXAMPLES / "zip.jpg", readers="cut")
        assert ("augmented" in {step.id for step in found.steps}) is told
