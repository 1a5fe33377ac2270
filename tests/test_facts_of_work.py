"""Facts of reading, tables and lessons that a slip could move unseen: which look is taken, how sure sums are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lenet.engine import load
from lenet.errors import TrainingError
from lenet.preprocessing.pipeline import prepare_page
from lenet.reader import ReadOptions, explain_page
from lenet.segmentation.candidates import find_candidates
from lenet.tables.result import Cell, Table
from lenet.tables.sums import check_sums


@pytest.mark.engine
@pytest.mark.parametrize("digit", [False, True])
@pytest.mark.parametrize("light", [False, True])
def test_a_digit_that_was_cut_out_tightly_is_read_in_the_polarity_that_reads_better(light: bool, digit: bool) -> None:
    """An 8 that fills its picture, whose holes are likelier to be the pen than its strokes are: it is read as an 8."""
    page = np.full((90, 80), 200, np.uint8)
    for wide, y in ((13, 30), (14, 56)):
        cv2.ellipse(page, (40, y), (wide, 13), 0, 0, 360, 60, 8, cv2.LINE_AA)
    rows, columns = np.nonzero(page < 200)
    tight = page[rows.min() - 1 : rows.max() + 2, columns.min() - 1 : columns.max() + 2]
    noisy = np.clip(tight + np.random.default_rng(1).normal(0, 4, tight.shape), 0, 255).astype(np.uint8)
    picture = 255 - noisy if light else noisy
    assert find_candidates(picture).ambiguous_polarity
    reading = explain_page(prepare_page(picture), load(), ReadOptions(digit=digit)).reading
    assert reading.best_text == "8"
    assert reading.confidence > 0.9


def cell_of(row: int, text: str, confidence: float, likeliest: tuple[tuple[str, float], ...] = ()) -> Cell:
    """A cell of the first column that was read."""
    return Cell(
        row, 0, text, confidence, "read", "", (0, 0, 9, 9), ((0, 0), (9, 0), (9, 9), (0, 9)), likeliest=likeliest
    )


def test_numbers_that_add_up_are_as_sure_as_sums_are_right() -> None:
    """By Bayes' rule: of sums on paper 96 in a hundred are right, so those texts are likelier than all others."""
    texts = (("12", 0.9), ("30", 0.8), ("42", 0.75))
    cells = tuple(cell_of(row, text, sure) for row, (text, sure) in enumerate(texts))
    table = check_sums(Table(3, 1, cells), "last-row")
    chance = 0.9 * 0.8 * 0.75
    right, wrong = 0.96 * chance, 0.04 * (1 - chance)
    assert [cell.confidence for cell in table.cells] == pytest.approx([right / (right + wrong)] * 3)
    assert table.sums[0].holds


def test_numbers_that_add_up_in_two_ways_share_what_is_likely() -> None:
    """A second pair of texts with the same sum takes its part of the certainty from the first."""
    cells = (
        cell_of(0, "12", 0.8, (("12", 0.8), ("17", 0.2))),
        cell_of(1, "30", 0.9, (("30", 0.9), ("25", 0.1))),
        cell_of(2, "42", 1.0),
    )
    table = check_sums(Table(3, 1, cells), "last-row")
    both = 0.8 * 0.9 + 0.2 * 0.1
    share = 0.96 * 0.8 * 0.9 / (0.96 * both + 0.04 * (1 - both))
    assert [cell.text for cell in table.cells] == ["12", "30", "42"]
    assert [cell.confidence for cell in table.cells] == pytest.approx([share, share, 1.0])


def test_a_lesson_begins_in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the one before it left, whole or half, is gone when the next process is started."""
    pytest.importorskip("fastapi")
    from lenet.serve import training_jobs

    def start(_work: Any, _task: Any, folder: Path, **_more: Any) -> None:
        raise TrainingError("training", f"{folder.name} has {len(list(folder.glob('*')))} files")

    monkeypatch.setattr(training_jobs, "has_mnist", lambda: True)
    monkeypatch.setattr(training_jobs, "start_child", start)
    (tmp_path / "lesson").mkdir()
    (tmp_path / "lesson" / "weights.safetensors").touch()
    lessons = training_jobs.TrainingJobs(tmp_path)
    with pytest.raises(TrainingError, match="lesson has 0 files"):
        lessons.begin(training_jobs.Task("train", "quick", "mnist", None, 0, None))
    asyncio.run(lessons.close())
