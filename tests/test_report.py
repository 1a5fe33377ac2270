"""The reproduction: the paper's numbers are as printed, its figures are measured right, and the page says so."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lenet.cli import main
from lenet.data import dataset
from lenet.data.dataset import Dataset
from lenet.engine.transforms import flip_pixels, place_affine, sample_affine, thicken
from lenet.errors import LenetError, TrainingError, UsageError
from lenet.evaluation.interval import mean95, wilson95
from lenet.network import spec
from lenet.report import boosting, figures, paper, parts
from lenet.report.claims import OFTEN_SAID, SLIPS, code_distances, squash_facts, toy_graph
from lenet.report.classifiers import CLASSIFIERS, deslant, measure_classifier
from lenet.report.invariance import CHANGES, Change, borne
from lenet.report.measured import Run, Spread, count_rejected
from lenet.report.page import Picture, Section, TextTable, html, markdown
from lenet.report.reproduce import ReportStep, reproduce
from lenet.training import plan
from lenet.training.distortions import FIGURE_7
from lenet.training.recipes import RECIPES

from conftest import ROOT, blobs


def test_nothing_of_the_paper_was_changed() -> None:
    """Every count, code, table, rate and result of the paper, pinned: to change one is to change this line too."""
    facts = [
        *(spec.TABLE_I, spec.LENET1_TABLE, spec.GLYPH_ROWS, spec.SQUASH_AMPLITUDE, spec.SQUASH_SLOPE),
        *(spec.BACKGROUND, spec.FOREGROUND, spec.INPUT_SIZE, spec.GLYPH_SIZE, spec.DIGIT_BOX, plan.RATES_1998),
        *(paper.FIGURE_5_TEST, paper.FIGURE_5_TRAIN, paper.FIGURE_6, paper.FIGURE_7_ROWS, paper.FIGURE_8),
        *(paper.FINAL_ERROR, paper.FINAL_TRAIN_ERROR, paper.DISTORTED_ERROR, paper.DAYS_1998, paper.EFFECTIVE_RATES),
        *(paper.LAYERS, paper.AGREEMENT, paper.DISTORTED_POINT, paper.CLAIMED, paper.FLIPS, paper.BOOSTED_CALLS),
        *(FIGURE_7, spec.LENET4_C3, spec.LENET4_C5),
        *((key, *vars(rival).values()) for key, rival in paper.RIVALS.items()),
    ]
    assert hashlib.sha256(repr(facts).encode()).hexdigest()[:16] == "5dd01c27638da281"


def test_fig_8_has_82_errors_as_they_were_counted() -> None:
    """55 in the first 5,000 images, 27 after; the figure is in the order of the test set."""
    assert len(paper.FIGURE_8) == 82
    assert list(paper.FIGURE_8) == sorted(paper.FIGURE_8)
    assert sum(index < 5000 for index in paper.FIGURE_8) == 55


def test_fig_8_fits_the_labels(mnist: Dataset) -> None:
    """No answer is the label; by class 3 2 8 9 11 5 13 5 10 16; nine read as four eight times."""
    labels = mnist.test.labels
    assert all(labels[index] != answer for index, answer in paper.FIGURE_8.items())
    counts = np.bincount(labels[list(paper.FIGURE_8)], minlength=10)
    assert counts.tolist() == [3, 2, 8, 9, 11, 5, 13, 5, 10, 16]
    assert sum(answer == 4 and labels[index] == 9 for index, answer in paper.FIGURE_8.items()) == 8


def test_fig_5_and_the_text_agree() -> None:
    """21 points; the last test error is 0.96 where the text says 0.95, the last training error 0.36 for 0.35."""
    assert len(paper.FIGURE_5_TEST) == len(paper.FIGURE_5_TRAIN) == 21
    assert (paper.FIGURE_5_TEST[-1], paper.FIGURE_5_TRAIN[-1]) == (0.96, 0.36)
    assert list(paper.FIGURE_5_TRAIN) == sorted(paper.FIGURE_5_TRAIN, reverse=True)


@pytest.mark.engine
def test_every_claim_is_borne_out(mnist: Dataset) -> None:
    """What is often said and what the paper misprints: each check computes something and holds."""
    for claim in (*OFTEN_SAID, *SLIPS):
        words, holds = claim.check(mnist)
        assert holds is not False, claim.said
        assert words


def test_appendix_a_and_fig_3_in_numbers() -> None:
    """f(1) = 0.9999973, slope 1.14393 at 0, most curved at 0.98772; codes 48 to 200 apart, 124.4 on average."""
    facts = squash_facts()
    assert facts["f(1)"] == pytest.approx(0.9999973, abs=1e-7)
    assert facts["slope at 0"] == pytest.approx(1.14393, abs=1e-5)
    assert facts["greatest curvature at"] == pytest.approx(0.98772, abs=2e-5)
    apart = code_distances()[~np.eye(10, dtype=bool)]
    assert (apart.min(), apart.max(), round(apart.mean(), 1)) == (48, 200, 124.4)


def test_the_toy_graph_of_fig_20() -> None:
    """The best right path costs 0.7, the best of all 0.6; forward penalties 0.69392 and -0.61152."""
    found = toy_graph()
    assert found == pytest.approx({"cvit": 0.7, "vit": 0.6, "cforw": 0.69392, "forw": -0.61152}, abs=1e-5)


def test_rejection_is_the_least_that_suffices(rng: np.random.Generator) -> None:
    """Against trying every number of answers, surest first; nothing to reject when all is right."""
    labels = rng.integers(0, 10, 400).astype(np.uint8)
    scores = rng.normal(size=(400, 10)).astype(np.float32)
    scores[np.arange(400), labels] += 2.5
    ordered = np.sort(scores, axis=1)
    surest = np.argsort(-(ordered[:, -1] - ordered[:, -2]), kind="stable")
    wrong = scores.argmax(axis=1) != labels
    best = max((k for k in range(1, 401) if wrong[surest[:k]].mean() <= 0.02), default=0)
    assert count_rejected(scores, labels, target=2.0) == pytest.approx(100 * (1 - best / 400))
    scores[np.arange(400), labels] += 50
    assert count_rejected(scores, labels) == 0


def test_a_spread_is_student_s() -> None:
    """Mean, standard deviation, Student's interval; a single value has no spread."""
    spread = Spread((0.9, 1.0, 1.1))
    assert (spread.mean, spread.std) == (pytest.approx(1.0), pytest.approx(0.1))
    assert spread.interval95 == pytest.approx(mean95([0.9, 1.0, 1.1]))
    assert spread.as_dict()["replicas"] == 3
    assert Spread((2.0,)).interval95 is None
    assert Spread((2.0,)).as_dict()["std"] is None
    low, high = wilson95(200, 10_000)
    assert Spread((2.0,), 10_000).interval95 == pytest.approx((100 * low, 100 * high))


def test_deslanting_rights_a_slanted_bar() -> None:
    """A bar that leans by half a pixel per row comes out upright, within a pixel."""
    glyph = np.zeros((1, 28, 28), np.uint8)
    for row in range(6, 22):
        glyph[0, row, 10 + (row - 6) // 2 : 13 + (row - 6) // 2] = 255
    upright = deslant(glyph)[0]
    columns = np.arange(20)
    centres = [(line * columns).sum() / line.sum() for line in upright if line.sum() > 1]
    assert np.ptp(centres) <= 1


@pytest.mark.engine
def test_changes_do_what_their_names_say(rng: np.random.Generator) -> None:
    """No amount changes nothing; a turn by 90 degrees is a turn; strokes grow; noise inverts its share."""
    glyphs = blobs(8, rng).glyphs
    plain = [change.changed(glyphs, change.unchanged) for change in CHANGES]
    assert all(np.abs(each - plain[0]).max() < 1e-5 for each in plain)
    quarter = sample_affine(glyphs, place_affine(0, 0, 1, 90, 1, 0))
    assert np.abs(quarter[:, 0] - np.rot90(plain[0][:, 0], -1, axes=(1, 2))).max() < 1e-4
    assert thicken(glyphs, 1).sum() > thicken(glyphs, 0.5).sum() > glyphs.sum() > thicken(glyphs, -1).sum()
    assert (flip_pixels(np.zeros((50, 28, 28), np.uint8), 10) > 0).mean() == pytest.approx(0.1, abs=0.01)


def test_what_is_borne_is_a_span_around_unchanged() -> None:
    """The span ends where the errors first exceed the bound, even if they fall again beyond."""
    curve = [Spread((value,)) for value in (5.0, 50.0, 8.0, 1.0, 9.0, 30.0)]
    change = Change(
        "a", "b", (-3, -2, -1, 0, 1, 2), lambda glyphs, by: sample_affine(glyphs, place_affine(0, 0, 1, by, 1, 0))
    )
    assert borne(change, curve, 10.0) == (-1, 1)
    assert borne(change, [Spread((40.0,))] * 6, 10.0) is None


@pytest.mark.engine
def test_lenet1_sees_digits_of_16_pixels() -> None:
    """A bar of 20 rows comes out 16 rows high, in the middle."""
    glyph = np.zeros((1, 28, 28), np.uint8)
    glyph[0, 4:24, 12:16] = 255
    rows = np.flatnonzero(parts.shrink(glyph)[0].max(axis=1) > 127)
    assert (rows[0], rows[-1]) == (6, 21)


def test_a_page_escapes_and_refers_to_nothing_outside() -> None:
    """Marks of HTML are text, bars of tables are escaped in Markdown, no address is fetched."""
    sections = [Section("a < b", ["x & y", TextTable(["a|b"], [["<i>"]]), Picture("p", "<svg></svg>", "caption")])]
    page, text = html("t", sections), markdown("t", sections)
    assert "a &lt; b" in page
    assert "<td>&lt;i&gt;</td>" in page
    assert "a\\|b" in text
    assert "![caption](p.svg)" in text
    assert not re.search(r"(src|href)=\"(?!#)", page)


def test_figures_are_the_same_bytes_every_time() -> None:
    """No date and no random names: a page that is made again shows what changed."""
    train, test = [Spread((3.0, 4.0))], [Spread((2.0, 2.5))]
    assert figures.figure_5(train, test) == figures.figure_5(train, test)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> Dataset:
    """Blobs in place of MNIST; trainings of two passes over 48 patterns with two replicas."""
    digits = blobs(160, rng)
    data = Dataset("mnist", digits, digits.where(np.arange(160) < 60), np.arange(160) % 7 == 0, "sum")
    monkeypatch.setattr(dataset, "load", lambda *_: data)
    monkeypatch.setattr(parts, "_QUICK_PATTERNS", 48)
    monkeypatch.setattr("lenet.report.reproduce._QUICK_DIGITS", 40)
    monkeypatch.setattr(parts, "_QUICK_PASSES", 2)
    for name, part in parts.PARTS.items():
        monkeypatch.setitem(parts.PARTS, name, replace(part, replicas=2))
    return data


SOME = ["paper", "paper-15000", "distorted_as_written", "lenet1", "linear"]


@pytest.mark.engine
def test_a_page_is_made_of_what_is_there(small: Dataset, tmp_path: Path) -> None:
    """Parts that were trained are shown, others say so; a second call trains nothing; the JSON has its keys."""
    steps: list[ReportStep] = []
    found = reproduce(tmp_path, quick=True, only=SOME, pictures=False, report=steps.append)
    assert steps[-1].words == "measuring and drawing"
    shown = [step.done for step in steps if step.total]
    assert shown == sorted(shown)
    assert shown[-1] == steps[0].total == 2 * 2 * (48 + 12 + 48 + 48)
    folder = tmp_path / "quick"
    stored = json.loads((folder / "results.json").read_text())
    assert stored == json.loads(json.dumps(found))
    assert stored["unit"] == "per cent"
    for part in ("paper", "distorted_as_written"):
        assert {"mean", "std", "interval95", "replicas"} <= set(stored[part])
        assert stored[part]["replicas"] == 2
    page = (folder / "index.html").read_text()
    for words in ("60,000", "Fig. 5", "Often said", "LeNet-1", "not to be compared"):
        assert words in page
    assert "figure-8" not in (folder / "README.md").read_text()
    assert "data:image/png" not in "".join((folder / f"figure-{n}.svg").read_text() for n in (5, 6, 13))
    state = folder / "runs" / "paper" / "result.json"
    before = state.stat().st_mtime_ns
    again = reproduce(tmp_path, quick=True, only=SOME, pictures=False)
    assert state.stat().st_mtime_ns == before
    assert again["paper"] == found["paper"]


def test_pictures_are_there_unless_they_are_unwanted(small: Dataset, tmp_path: Path) -> None:
    """With pictures the errors of Fig. 8 are shown; every fifth label here is wrong on purpose."""
    small.test.labels[::5] += 1
    small.test.labels[:] %= 10
    reproduce(tmp_path, quick=True, only=["paper"])
    assert "figure-8-paper.svg" in (tmp_path / "quick" / "README.md").read_text()


def test_unknown_parts_and_missing_parts_are_named(small: Dataset, tmp_path: Path) -> None:
    """A part that does not exist; the second boosted network before the first."""
    with pytest.raises(UsageError, match="part 'lenet9': expected one of paper, paper-30000"):
        reproduce(tmp_path, quick=True, only=["lenet9"])
    with pytest.raises(TrainingError, match="boosted-1: is not a finished run"):
        reproduce(tmp_path, quick=True, only=["boosted-2"])


@pytest.mark.engine
def test_boosting_shows_the_second_network_as_much_wrong_as_right(small: Dataset, tmp_path: Path) -> None:
    """Of what plans of the second network show, the first gets half wrong; every pass is as long as the set."""
    recipe = replace(RECIPES["paper-lenet4-distorted"], passes=1, train_on=48, hold_out=False, watch=False)
    parts.train_part(parts.PARTS["boosted-1"], small, tmp_path, True, lambda _: None)
    plans = boosting.plan_boosted([tmp_path / "boosted-1"], small, recipe)
    drawn = plans(recipe, 48, 0, 1)
    assert len(drawn.order) == 48
    assert drawn.distortions is not None
    rows, warps = plans.patterns(0)  # type: ignore[attr-defined]
    first = Run(tmp_path / "boosted-1").network(0)
    inputs = boosting.distort(boosting.to_input(small.train.glyphs[:48])[rows], warps)
    wrong = first.forward(inputs).argmax(axis=1) != small.train.labels[rows]
    assert wrong.mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", [name for name, each in CLASSIFIERS.items() if not name.startswith("mlp")])
def test_every_classifier_learns_blobs(name: str, small: Dataset, tmp_path: Path) -> None:
    """Ten bright squares: nearly all right; what was measured is not measured again."""
    found = measure_classifier(name, small, tmp_path, 100)
    assert found["errors"] <= 3
    assert found["n"] == 60
    assert measure_classifier(name, small, tmp_path, 100) == found


def test_the_command_says_what_it_found_and_where(
    small: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for people, one object for programs whose keys stand in docs/json.md; an unknown part is status 2."""
    for arguments, status in (([], 0), (["--json"], 0), (["--part", "lenet9"], 2)):
        with pytest.raises(SystemExit) as left:
            main(["reproduce", "--quick", "--out", str(tmp_path), "--part", "paper", *arguments])
        assert left.value.code == status
        printed = capsys.readouterr()
        if arguments == []:
            assert re.fullmatch(r"LeNet-5 \d+\.\d\d ± \d+\.\d\d % \(2 replicas\): .*index\.html\n", printed.out)
            assert printed.err.startswith("1/2 LeNet-5 by the paper's recipe\n")
        if arguments == ["--json"]:
            section = (ROOT / "docs" / "json.md").read_text(encoding="utf-8").split("## lenet reproduce\n")[1]
            found = json.loads(printed.out)
            assert all(f"`{key}`" in section.split("\n## ")[0] for key in [*found, *found["paper"]])
    assert printed.err.startswith("part 'lenet9': expected one of paper")


def test_a_folder_that_cannot_be_used_is_one_line(small: Dataset, tmp_path: Path) -> None:
    """A file where the folder should be; a damaged result; a run of another recipe."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LenetError, match="file/quick/runs/paper: not a directory"):
        reproduce(tmp_path / "file", quick=True, only=["paper"])
    reproduce(tmp_path, quick=True, only=["paper"])
    run = tmp_path / "quick" / "runs" / "paper"
    for name in ("result.json", "log.jsonl", "weights-0.safetensors"):
        whole = (run / name).read_bytes()
        (run / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(LenetError, match=name):
            reproduce(tmp_path, quick=True, only=["paper"])
        if name.endswith("json"):
            (run / name).write_text("{}")
            with pytest.raises(LenetError, match=f"{name}: damaged"):
                reproduce(tmp_path, quick=True, only=["paper"])
        (run / name).write_bytes(whole)
    (run / "result.json").unlink()
    task = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(task | {"seeds": [7]}))
    with pytest.raises(TrainingError, match="its seeds is not the one given"):
        reproduce(tmp_path, quick=True, only=["paper"])
