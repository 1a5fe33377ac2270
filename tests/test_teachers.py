"""What a network learns of others that teach it: their mean, its root, and asked once of what comes again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lenet
from lenet.arrays import Float32, Int32
from lenet.data import dataset
from lenet.errors import TrainingError, UsageError
from lenet.network.initialisation import draw_tensors
from lenet.network.inputs import to_input
from lenet.network.spec import NETS
from lenet.network.weights import Weights, load_weights, save_weights
from lenet.training import run as run_folder
from lenet.training import ship
from lenet.training.backend import Material
from lenet.training.distortions import Ranges
from lenet.training.engine_backend import EngineBackend
from lenet.training.loop import describe_task
from lenet.training.plan import draw_plan
from lenet.training.recipe import Recipe, change_recipe, check_recipe
from lenet.training.recipes import RECIPES
from lenet.training.teacher import Teacher, find_teachers

from conftest import blobs

# Networks that lenet ships, with ten outputs and with eleven.
TEN, ELEVEN = "lenet5-modern", "lenet5-wide"
PUPIL = NETS["lenet5-modern"]


@pytest.fixture
def shown(rng: np.random.Generator) -> Float32:
    """Network input of eight glyphs of noise."""
    return to_input(rng.integers(0, 256, (8, 28, 28)).astype(np.uint8))


def ask(teacher: str, shown: Float32, softness: float = 1.0) -> Float32:
    """What a teacher says to `lenet5-modern`."""
    labels = np.zeros(len(shown), np.uint8)
    return Teacher(teacher, PUPIL, labels, softness=softness)(shown, np.arange(len(shown), dtype=np.int32))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with two networks in it, as a run of two replicas leaves it."""
    folder = tmp_path / "run"
    folder.mkdir()
    for seed in (0, 1):
        tensors = draw_tensors(PUPIL, "he", np.random.default_rng(seed))
        save_weights(folder / f"weights-{seed}.safetensors", Weights(PUPIL, tensors, 1.0, {}))
    return folder


@pytest.mark.engine
def test_replicas_of_a_run_teach_the_mean_of_their_probabilities(run: Path, shown: Float32) -> None:
    """Not of their scores, and each counts alike."""
    one, two = (ask(str(file), shown) for file in sorted(run.iterdir()))
    assert np.abs(one - two).max() > 0.1
    assert np.allclose(ask(str(run), shown), (one + two) / 2, atol=1e-6)


@pytest.mark.engine
def test_softness_is_a_root_in_parts_of_one(shown: Float32) -> None:
    """Of degree 2: square roots, divided by their sum."""
    roots = np.sqrt(ask(TEN, shown).astype(float))
    assert np.allclose(ask(TEN, shown, softness=2.0), roots / roots.sum(axis=1, keepdims=True), atol=1e-5)


@pytest.mark.engine
def test_who_knows_what_is_no_digit_can_teach_digits_alone(shown: Float32) -> None:
    """Ten probabilities whose sum is 1, in the proportions that it gives the digits."""
    labels, rows = np.zeros(len(shown), np.uint8), np.arange(len(shown), dtype=np.int32)
    eleven = Teacher(ELEVEN, NETS["lenet5-reader"], labels)(shown, rows)
    said = ask(ELEVEN, shown)
    assert said.shape == (8, 10)
    assert np.allclose(said, eleven[:, :10] / eleven[:, :10].sum(axis=1, keepdims=True), rtol=1e-3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "no such run folder or weights file; train it first: lenet train --recipe teacher"),
        (lambda folder: folder.mkdir(), "has no weights: its run is not finished; finish it, with --resume"),
    ],
)
def test_a_teacher_that_is_not_there_is_named(make: object, said: str, tmp_path: Path) -> None:
    """With the command that makes it."""
    folder = tmp_path / "teachers"
    make(folder)  # type: ignore[operator]
    with pytest.raises(UsageError) as raised:
        find_teachers(str(folder))
    assert str(raised.value).startswith(f"teacher {folder}: {said}")


@pytest.mark.usefixtures("blob_folder")
def test_a_record_has_the_checksum_of_each_network_that_teaches(run: Path) -> None:
    """In the order of their files."""
    recipe = check_recipe(replace(RECIPES["quick"], teacher=str(run)))
    task = describe_task(recipe, dataset.load("mnist"), "engine", [0])
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(run.iterdir())]
    assert task["teacher"] == {"weights": str(run), "sha256": sums}


def test_a_cycle_brings_the_same_distortions_again_in_another_order() -> None:
    """Row by row they are those of three passes before; of one pass before they are not."""
    recipe = change_recipe(RECIPES["quick"], {"cycle": "3", "passes": "9"})
    plans = {passed: draw_plan(recipe, 50, 7, passed) for passed in (1, 2, 4)}
    assert [plan.turn for plan in plans.values()] == [0, 1, 0]
    by_row = {}
    for passed, plan in plans.items():
        assert plan.distortions is not None
        assert sorted(plan.order) == list(range(50))
        by_row[passed] = plan.distortions[np.argsort(plan.order)]
    assert (plans[1].order != plans[4].order).any()
    assert (by_row[1] == by_row[4]).all()
    assert (by_row[1] != by_row[2]).any()
    assert draw_plan(RECIPES["quick"], 50, 7, 1).turn is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"softness": "2"}, "softness 2: is of what a teacher says"),
        ({"cycle": "2", "pool": "3"}, "cycle 2: needs distortions that come again"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, str], said: str) -> None:
    """A softness without a teacher, a cycle beside a pool."""
    with pytest.raises(UsageError, match=said):
        change_recipe(RECIPES["quick"], settings)


class Counting(Teacher):
    """A teacher that counts how many rows it is asked of."""

    asked = 0

    def __call__(self, shown: Float32, rows: Int32) -> Float32:
        """Answer, and count."""
        self.asked += len(rows)
        return super().__call__(shown, rows)


def learn(recipe: Recipe, passes: int, forget: bool) -> tuple[Float32, int]:
    """Return what `lenet5-modern` learns of 60 made digits, and of how many rows its teacher was asked."""
    digits = blobs(60, np.random.default_rng(0))
    teacher = Counting(recipe.teacher, PUPIL, digits.labels)
    backend = EngineBackend()
    backend.begin(recipe, [load_weights(TEN).tensors] * 2, Material(to_input(digits.glyphs), digits.labels, teacher))
    for passed in range(1, passes + 1):
        backend.run([draw_plan(recipe, 60, seed, passed) for seed in (3, 4)], 0, 4)
        if forget:
            backend._learners.said = [{}, {}]  # type: ignore[union-attr]
    return np.concatenate([t.ravel() for each in backend.weights() for t in each.values()]), teacher.asked


@pytest.mark.engine
def test_a_teacher_is_asked_once_of_what_comes_again() -> None:
    """Two replicas, four passes in a cycle of two: 240 rows, not 480; what is learned is the same to the bit."""
    ranges = Ranges(zoom=0.2, shift=1.0)
    recipe = replace(RECIPES["quick"], teacher=ELEVEN, batch=16, cycle=2, distortions=ranges, averaging=0.0)
    kept, asked = learn(recipe, 4, forget=False)
    again, asked_again = learn(recipe, 4, forget=True)
    assert (asked, asked_again) == (240, 480)
    assert (kept == again).all()


@pytest.mark.engine
@pytest.mark.usefixtures("blob_folder")
def test_the_card_counts_the_teachers_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all together and of each; teachers that are not those that taught do not pass."""
    monkeypatch.setattr(run_folder, "find_commit", lambda: "0123456789ab")
    lenet.train("quick", out=tmp_path / "teachers", passes=1, replicas=2, settings={"batch": "20"})
    settings = {"teacher": str(tmp_path / "teachers"), "cycle": "2", "softness": "2", "batch": "20"}
    lenet.train("quick", out=tmp_path / "pupil", passes=3, settings=settings)
    (tmp_path / "assets").mkdir()
    made = ship.ship([tmp_path / "pupil"], "lenet5-modern", tmp_path / "assets")
    told = load_weights(made).card["teacher"]
    files = sorted((tmp_path / "teachers").glob("weights*.safetensors"))
    assert told["test"]["of_each"] == [lenet.evaluate(lenet.load(file)).errors for file in files]
    digits = dataset.load("mnist").test
    said = Teacher(settings["teacher"], PUPIL, digits.labels)(to_input(digits.glyphs), np.arange(100, dtype=np.int32))
    assert told["test"]["errors"] == int((said.argmax(axis=1) != digits.labels).sum())
    card = made.with_suffix(".md").read_text(encoding="utf-8")
    assert f"{told['test']['errors']} on the test digits (each: {', '.join(map(str, told['test']['of_each']))})" in card
    files[0].write_bytes(files[1].read_bytes())
    with pytest.raises(TrainingError, match="its teacher is not what it was; keep the run folder that taught it"):
        ship.ship([tmp_path / "pupil"], "lenet5-modern", tmp_path / "assets")
