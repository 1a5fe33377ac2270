"""How results show themselves: in a notebook, as pictures, in one short line."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.evaluation.result import Evaluation
from lenet.training.loop import Progress
from lenet.training.watch import RunResult, watch_run

from conftest import ROOT

ZIP = ROOT / "examples" / "zip.jpg"


@pytest.fixture(scope="module")
def reading() -> lenet.Reading:
    """A ZIP code, read from its path."""
    return lenet.read(ZIP)


def test_a_repr_is_one_short_line(reading: lenet.Reading) -> None:
    """Of a reading, a network, weights, an evaluation: what it is, and no arrays."""
    evaluation = Evaluation("lenet5", "mnist", 100, 2, (0.01, 0.05), ((1,),), 0.0, (), {})
    for each in (reading, lenet.load(), lenet.load().weights, evaluation):
        assert len(repr(each)) < 150
        assert "\n" not in repr(each)
    assert repr(reading).startswith("Reading('90210', confidence=0.")
    assert repr(evaluation) == "Evaluation('lenet5' on 'mnist': 2 errors of 100, 2.00 %)"
    assert "lenet5-hands" in repr(lenet.load())


def test_a_reading_is_true_if_it_is_answered(reading: lenet.Reading) -> None:
    """A blank picture is false, and so is a guess; so is a number that is withheld."""
    assert reading
    assert all(reading.numbers)
    assert not lenet.read(np.full((60, 60), 255, np.uint8))
    guess = replace(reading, text="", guess="90210", abstained="uncertain")
    assert not guess
    assert repr(guess).startswith("Reading(uncertain, guess '90210'")
    assert not replace(reading.numbers[0], text="", guess="90210")


def test_a_reading_draws_itself(reading: lenet.Reading) -> None:
    """On the picture that it is of, with boxes in colour; on another one that is given."""
    drawn = reading.annotated()
    assert drawn.mode == "RGB"
    levels = np.asarray(drawn).astype(int)
    assert np.ptp(levels, axis=2).max() > 100
    assert reading.annotated(np.full((300, 900), 255, np.uint8)).size == (900, 300)


def test_a_reading_whose_picture_is_not_known_says_so() -> None:
    """Of what was an array among many: the picture can be given."""
    (found,) = lenet.read_many([np.asarray(Image.open(ZIP))])
    assert isinstance(found, lenet.Reading)
    with pytest.raises(lenet.UsageError, match=r"the picture is not known any more; give it: reading.annotated"):
        found.annotated()
    assert found.annotated(ZIP).size == lenet.read(ZIP).annotated().size
    assert "90210" in found._repr_html_()


def test_many_readings_of_paths_know_their_pictures() -> None:
    """They hold the path alone."""
    (found,) = lenet.read_many(ZIP)
    assert isinstance(found, lenet.Reading)
    assert found.source == str(ZIP)
    assert found.annotated().size == lenet.read(ZIP).annotated().size


def test_a_notebook_sees_picture_answer_and_glyphs(reading: lenet.Reading) -> None:
    """The page, and each of the five digits, as pictures that need no file."""
    html = reading._repr_html_()
    assert html.count("data:image/png;base64,") == 6
    assert "<b>90210</b>" in html
    assert "90210" in reading.numbers[0]._repr_html_()


def test_what_is_withheld_shows_as_a_guess(reading: lenet.Reading) -> None:
    """Not as an answer; and what it says is escaped."""
    guess = replace(reading, text="", guess="<9>", abstained="uncertain", numbers=(), source=None)
    assert "uncertain: perhaps &lt;9&gt;" in guess._repr_html_()
    assert "<b>90210" not in guess._repr_html_()


def test_a_picture_that_is_gone_is_said_so(tmp_path: Path) -> None:
    """The rest is shown all the same."""
    copy = tmp_path / "gone.jpg"
    copy.write_bytes(ZIP.read_bytes())
    found = lenet.read(copy)
    copy.unlink()
    html = found._repr_html_()
    assert "gone.jpg: no such file" in html
    assert "90210" in html


def test_a_network_shows_its_layers() -> None:
    """A row for each, with the paper's counts."""
    html = lenet.load("lenet5-1998")._repr_html_()
    assert html.count("<tr>") == 8
    assert "<td>C3</td>" in html
    assert "<td>1,516</td>" in html


def test_an_evaluation_shows_what_was_taken_for_which() -> None:
    """The confusion matrix, right ones in grey."""
    confusion = tuple(tuple(90 if row == column else 0 for column in range(11)) for row in range(10))
    found = Evaluation("lenet5", "mnist", 900, 3, (0.001, 0.01), confusion, 0.0, (), {})
    html = found._repr_html_()
    assert "3 errors of 900, 0.33 %" in html
    assert html.count("<td") == 110


def test_explain_is_a_picture(reading: lenet.Reading) -> None:
    """Of a number, a digit, a sliding window; what the command draws."""
    assert lenet.explain(ZIP).mode == "RGB"
    assert lenet.explain(ROOT / "examples" / "pen.png", digit=True).height > 200
    assert lenet.explain(ZIP, sliding_window=True).width > 300
    with pytest.raises(lenet.PictureError, match="nothing to explain, the page is blank"):
        lenet.explain(np.full((80, 80), 255, np.uint8))


def test_to_dict_is_the_json_of_the_command(reading: lenet.Reading) -> None:
    """With the path first; json.dumps takes it."""
    told = reading.to_dict()
    assert list(told)[:2] == ["path", "text"]
    assert told["path"] == str(ZIP)
    assert json.loads(json.dumps(told))["text"] == "90210"
    assert lenet.read(ZIP.read_bytes()).path is None


class FakeNotebook:
    """IPython as a notebook has it: what is displayed is kept, and what it is updated to."""

    def __init__(self, kernel: object) -> None:
        self.shell = SimpleNamespace(kernel=kernel)
        self.display = SimpleNamespace(display=self.show)
        self.shown: list[dict[str, str]] = []

    def get_ipython(self) -> SimpleNamespace:
        """Return the shell."""
        return self.shell

    def show(self, data: dict[str, str], **_options: object) -> FakeNotebook:
        """Keep what is displayed; return what it is updated by."""
        self.update(data)
        return self

    def update(self, data: dict[str, str], **_options: object) -> None:
        """Keep what it is updated to."""
        self.shown.append(data)


def report_run(passes: int, parts: int) -> None:
    """Report a run of some passes, each of some parts, to what watches it."""
    report = watch_run()
    line = {"loss": [0.5], "held_out_errors": [7], "images_per_second": 9}
    for passed in range(1, passes + 1):
        for done in range(1, parts + 1):
            report(Progress(passed, passes, done, parts, "<engine>", line if done == parts else None, list))


def test_a_notebook_shows_how_far_training_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """One bar, drawn anew for each percent and for each pass that ends, whatever the parts; in a terminal none."""
    notebook = FakeNotebook(object())
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    report_run(2, 1_000)
    assert len(notebook.shown) == 101
    first, last = notebook.shown[0], notebook.shown[-1]
    assert 'value="0"' in first["text/html"]
    assert 'value="100"' in last["text/html"]
    assert "&lt;engine&gt;" in last["text/html"]
    assert last["text/plain"].splitlines()[1:] == [
        f"pass {passed}/2: loss 0.5000, 7 held-out errors, 9 images/s" for passed in (1, 2)
    ]
    terminal = FakeNotebook(None)
    monkeypatch.setitem(sys.modules, "IPython", terminal)
    report_run(1, 2)
    assert not terminal.shown


def test_a_run_shows_its_errors() -> None:
    """Each replica's, and before and after; it stays the dictionary that it is."""
    counted = {"own": {"errors": 1, "n": 9}}
    replicas = [{"seed": 3, "errors": 48, "n": 10_000, "weights": "a<b"}]
    told = {"recipe": "quick", "out": "runs/x", "seconds": 9.1, "replicas": replicas}
    shown = RunResult({**told, "before": counted, "after": counted})._repr_html_()
    assert "48 wrong of 10,000: a&lt;b" in shown
    assert shown.count("own 1 wrong of 9") == 2
    assert "before" not in RunResult(told)._repr_html_()
    assert json.loads(json.dumps(RunResult(told))) == told
