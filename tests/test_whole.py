"""Numbers learned as a whole: the loss through the graph, its gradient in every score, and steps that follow it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lenet.data.dataset import Dataset, Digits
from lenet.engine import Network, load
from lenet.errors import UsageError
from lenet.network.inputs import to_input
from lenet.network.spec import NOT_A_DIGIT
from lenet.segmentation.candidates import find_candidates
from lenet.training import sequence_loss as learned
from lenet.training.backend import Material
from lenet.training.engine_backend import EngineBackend
from lenet.training.plan import draw_plan
from lenet.training.recipe import change_recipe
from lenet.training.recipes import RECIPES
from lenet.training.sequence_loss import (
    SeenNumber,
    SequenceTraining,
    differentiate_number,
    picture_numbers,
    undo_calibration,
)
from lenet.training.start import train
from lenet.training.synthetic.compose import space_out

from conftest import by_small_steps

READER = load("lenet5-reader").weights


def number(font: Digits, rows: list[int], gap: int = 1) -> SeenNumber:
    """A number of the paper's own font."""
    gaps = np.full(len(rows) - 1, gap, np.int32)
    writing = space_out(font.glyphs[rows], font.labels[rows], gaps, np.zeros(len(rows), np.int32))
    candidates = find_candidates((255 - 255 * writing.ink).astype(np.uint8))
    return SeenNumber(candidates.lattice, candidates.glyphs, writing.text)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_that_of_small_steps(font: Digits, seed: int) -> None:
    """Every score of every candidate of a number with several cuts, against the difference quotient of the loss."""
    shown = number(font, [3, 0, 8], -1)
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (len(shown.glyphs), NOT_A_DIGIT + 1))
    scores[:, NOT_A_DIGIT] += READER.rubbish_lowered_by
    loss, grad = differentiate_number(shown, scores, READER)
    assert loss > 0
    assert len(shown.glyphs) > 3
    assert np.count_nonzero(np.abs(grad).max(axis=1) > 1e-3) > 3
    by_steps = by_small_steps(lambda each: differentiate_number(shown, each, READER)[0], scores)
    assert np.allclose(grad, by_steps, rtol=1e-3, atol=1e-6)


def test_a_text_that_no_path_says_teaches_nothing(font: Digits) -> None:
    """Two digits cannot be read as nine."""
    shown = replace(number(font, [1, 2], 5), text="123456789")
    loss, grad = differentiate_number(shown, np.zeros((len(shown.glyphs), NOT_A_DIGIT + 1)), READER)
    assert loss == 0
    assert not grad.any()


@pytest.mark.engine
def test_a_lesson_is_cross_entropy_with_the_gradient_of_the_loss(font: Digits) -> None:
    """Its targets are the probabilities less the pull, strongest first; its excess is what the sum has too much."""
    shown = number(font, [3, 0, 8], -1)
    network = Network(undo_calibration(READER))
    scores = network.forward(to_input(shown.glyphs)).astype(np.float64)
    loss, grad = differentiate_number(shown, scores, READER)
    lesson = SequenceTraining([shown], READER, 1, 3.0).lesson(network, np.random.default_rng(0), 2)
    first, second = np.argsort(-np.abs(grad).max(axis=1))[:2]
    probs = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    assert np.allclose(lesson.targets, (probs - 3 * grad)[[first, second]], atol=1e-6)
    assert np.allclose(lesson.targets.sum(axis=1), 1, atol=1e-5)
    assert (lesson.inputs == to_input(shown.glyphs[[first, second]])).all()
    apparent = -(lesson.targets * np.log(probs[[first, second]])).sum()
    assert lesson.excess == pytest.approx(apparent - 3 * loss, rel=1e-4)


@pytest.mark.engine
def test_steps_make_the_right_texts_likelier(font: Digits) -> None:
    """Twenty steps over two numbers of a font that the reader hardly knows, beside the font's own digits."""
    shown = [number(font, rows, gap) for rows, gap in (([3, 0, 8], -1), ([6, 9, 4, 1], 0))]
    start = undo_calibration(READER)
    recipe = change_recipe(RECIPES["numbers"], {"teacher": "", "batch": "10", "rate": "0.003", "averaging": "0"})
    backend = EngineBackend()
    numbers = SequenceTraining(shown, READER, 2, 1.0)
    backend.begin(recipe, [start.tensors], Material(to_input(font.glyphs), font.labels, None, numbers))
    before, first = losses(start, shown), backend.run([draw_plan(recipe, 10, 0, 1)], 0, 1)[0]
    for passed in range(2, 21):
        last = backend.run([draw_plan(recipe, 10, 0, passed)], 0, 1)[0]
    after = losses(replace(start, tensors=backend.weights()[0]), shown)
    assert sum(after) < 0.5 * sum(before)
    assert last.loss < first.loss


def losses(weights: learned.Weights, shown: list[SeenNumber]) -> list[float]:
    """The loss of every number."""
    return [
        differentiate_number(each, Network(weights).scores(each.glyphs).astype(np.float64), READER)[0] for each in shown
    ]


def test_numbers_are_the_same_for_any_number_of_processes(font: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out writers wrote none of them, and the page behind them is not kept."""
    digits = Digits(np.tile(font.glyphs, (13, 1, 1)), np.tile(font.labels, 13))
    data = Dataset("mnist", digits, font, digits.labels == 9, "1234")
    made = []
    for processes in (1, 2):
        monkeypatch.setattr(learned, "count_cores", lambda processes=processes: processes)
        made.append(picture_numbers(data, np.zeros(130, np.int64), parts=1))
    assert [each.text for each in made[0]] == [each.text for each in made[1]]
    assert all((one.glyphs == other.glyphs).all() for one, other in zip(*made, strict=True))
    assert len(made[0]) > 40
    assert not any("9" in each.text or each.lattice.pieces.size for each in made[0])
    assert {len(each.text) for each in made[0]} >= set(range(1, 9))


def test_what_is_learned_is_as_it_was_before_fitting() -> None:
    """The rubbish output is raised again, and path, trust and risk, fitted to other weights, are gone."""
    before = undo_calibration(READER)
    raised = before.tensors["output.bias"] - READER.tensors["output.bias"]
    assert raised.tolist() == pytest.approx([0.0] * 10 + [READER.rubbish_lowered_by], rel=1e-4)
    assert before.arc_scorer is None
    assert before.rubbish_lowered_by == 0


@pytest.mark.parametrize(
    ("init", "backend", "settings", "message"),
    [
        (None, None, {}, "recipe numbers: starts from weights that read already; give --init"),
        (
            "lenet5-modern",
            None,
            {"teacher": ""},
            "init lenet5-modern: reads no numbers, so nothing scores their arcs",
        ),
        ("lenet5-reader", "torch", {}, "recipe numbers, numbers 8: whole numbers are learned on the engine alone"),
        (
            "lenet5-reader",
            None,
            {"label_smoothing": "0.1", "teacher": ""},
            "numbers 8: are learned beside",
        ),
    ],
)
def test_what_cannot_learn_numbers_is_named(
    init: str | None, backend: str | None, settings: dict[str, str], message: str
) -> None:
    """Nothing to start from, a judge that there is not, PyTorch, another loss."""
    with pytest.raises(UsageError, match=message):
        train("numbers", init=init, backend=backend, settings=settings)
