"""Training: plans as data, distortions, one loop, and runs that survive a kill at any moment."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import lenet
from lenet.data import dataset
from lenet.engine import distort
from lenet.engine.learner import TrainingSet
from lenet.errors import LenetError, TrainingError, UsageError
from lenet.network.inputs import to_input
from lenet.network.spec import NETS
from lenet.network.weights import find_weights
from lenet.training import run as run_folder
from lenet.training.backend import Material
from lenet.training.engine_backend import _gather
from lenet.training.loop import describe_task
from lenet.training.plan import draw_plan, plan_rates, steps_per_pass
from lenet.training.recipe import change_recipe, check_recipe
from lenet.training.recipes import RECIPES
from lenet.training.start import find_recipe
from lenet.training.teacher import Teacher
from lenet.training.torch_backend import TorchBackend

from conftest import blobs
from held import prepare

BACKENDS = pytest.mark.parametrize("backend", ["engine", "torch"])


def test_plans_depend_on_seed_and_pass_alone() -> None:
    """Drawn twice, the same; another seed or pass, another order; every pattern once."""
    recipe = replace(RECIPES["best"], passes=3)
    plan, again = draw_plan(recipe, 100, 5, 2), draw_plan(recipe, 100, 5, 2)
    assert (plan.order == again.order).all()
    assert plan.distortions is not None
    assert again.distortions is not None
    assert (plan.distortions == again.distortions).all()
    assert plan.noise == again.noise
    assert sorted(plan.order) == list(range(100))
    for other in (draw_plan(recipe, 100, 6, 2), draw_plan(recipe, 100, 5, 3)):
        assert (plan.order != other.order).any()


def test_schedules() -> None:
    """Steps: a tenth every ten passes. Cosine: up during the first pass, down to its floor at the end."""
    stepped = replace(RECIPES["modern"], rate=0.01)
    assert [float(plan_rates(stepped, 640, p)[0]) for p in (1, 10, 11, 20)] == pytest.approx([0.01, 0.01, 0.001, 0.001])
    cosine = replace(RECIPES["best"], passes=10, batch=64, rate=1.0, floor=0.25)
    curve = np.concatenate([plan_rates(cosine, 6400, passed) for passed in range(1, 11)])
    assert curve.argmax() == 99
    assert (np.diff(curve[100:]) < 0).all()
    assert curve[-1] == pytest.approx(0.25, abs=1e-4)
    assert steps_per_pass(cosine, 6401) == 101


def test_the_paper_recipe_has_the_papers_rates() -> None:
    """Section III.B: 0.0005 twice, 0.0002 and 0.0001 three times, 0.00005 four times, then 0.00001 to pass 20."""
    paper = RECIPES["paper"]
    expected = [5e-4] * 2 + [2e-4] * 3 + [1e-4] * 3 + [5e-5] * 4 + [1e-5] * 8
    assert [float(plan_rates(paper, 100, p)[0]) for p in range(1, 21)] == pytest.approx(expected)
    assert (paper.passes, paper.mu, paper.curvature_patterns, paper.estimates) == (20, 0.02, 500, "every pass")
    plan = draw_plan(paper, 1000, 3, 4)
    assert plan.curvature is not None
    assert len(set(plan.curvature.tolist())) == 500
    assert (plan.distortions, len(plan.rates)) == (None, 1000)


def test_orders_and_estimates_follow_the_recipe() -> None:
    """A constant order is one for all passes; the first patterns are the first; once is before pass 1 alone."""
    constant = replace(RECIPES["paper"], order="constant", curvature_rows="first", estimates="once")
    first, second = (draw_plan(constant, 1000, 3, passed) for passed in (1, 2))
    assert (first.order == second.order).all()
    assert first.curvature is not None
    assert first.curvature.tolist() == list(range(500))
    assert second.curvature is None
    anew = [draw_plan(replace(RECIPES["paper"], order="new"), 1000, 3, passed).order for passed in (1, 2)]
    assert (anew[0] != anew[1]).any()


def test_the_curvature_may_be_that_of_distorted_patterns() -> None:
    """Drawn for itself: orders and distortions stay as they are; each replica has rows of its own."""
    plain = replace(RECIPES["paper-distorted"], curvature_patterns=20)
    bent = replace(plain, curvature_distorted=True)
    one, other = draw_plan(plain, 100, 3, 2), draw_plan(bent, 100, 3, 2)
    assert one.curvature_distortions is None
    assert other.curvature_distortions is not None
    assert other.curvature_distortions.shape == (20, 56)
    assert one.curvature is not None
    assert other.curvature is not None
    assert (one.order == other.order).all()
    assert (one.curvature == other.curvature).all()
    patterns = TrainingSet(np.random.default_rng(0).random((100, 1, 32, 32), np.float32), np.arange(100) % 10)
    shown, rows = _gather(patterns, [other, draw_plan(bent, 100, 4, 2)])
    assert rows.tolist() == [list(range(20)), list(range(20, 40))]
    assert (shown.labels[:20] == patterns.labels[other.curvature]).all()
    assert (shown.inputs[:20] == distort(patterns.inputs[other.curvature], other.curvature_distortions)).all()
    assert _gather(patterns, [one])[0] is patterns
    with pytest.raises(UsageError, match="needs distortions"):
        check_recipe(replace(RECIPES["paper"], curvature_distorted=True))


def test_a_pool_shows_every_copy_once_in_ten_passes() -> None:
    """Section III.B: 60,000 patterns and 540,000 distorted; twenty passes show each of the 600,000 twice."""
    recipe, n = RECIPES["paper-distorted-as-written"], 30
    plans = [draw_plan(recipe, n, 7, passed) for passed in range(1, 21)]
    identity = np.zeros(56, np.float32)
    identity[[0, 4]] = 1
    for round_ in (plans[:10], plans[10:]):
        rows = np.concatenate([plan.order for plan in round_])
        warps = np.concatenate([plan.distortions for plan in round_ if plan.distortions is not None])
        assert np.bincount(rows, minlength=n).tolist() == [10] * n
        assert (warps == identity).all(axis=1).sum() == n
    both = [{(int(r), *w.tolist()) for p in half for r, w in zip(p.order, p.distortions, strict=True)}
            for half in (plans[:10], plans[10:])]  # fmt: skip
    assert both[0] == both[1]
    assert len(both[0]) == 10 * n


def test_recipes_are_complete() -> None:
    """Every recipe has its provenance, values that are allowed, and plain data for its run folder."""
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert len(recipe.provenance) > 40
        assert check_recipe(recipe) is recipe
        assert json.loads(json.dumps(recipe.as_dict())) == recipe.as_dict()


def test_the_taught_recipe_is_as_it_is_taught() -> None:
    """SGD 0.01, momentum 0.9, weight decay 1e-4, a tenth every 10 passes, 20 passes, batches of 64."""
    recipe = RECIPES["modern"]
    taught = (recipe.rate, recipe.momentum, recipe.weight_decay, recipe.passes, recipe.batch, recipe.schedule)
    assert taught == (0.01, 0.9, 1e-4, 20, 64, "steps")
    assert recipe.distortions is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed": "3"}, "setting 'speed': expected one of: net, activation, loss"),
        ({"rate": "fast"}, "rate 'fast': expected a value of type float"),
        ({"rate": "-1"}, "rate -1.0: expected 1e-08 to 100"),
        ({"rate": "nan"}, "rate nan"),
        ({"batch": "0"}, "batch 0: expected 1 to 60000"),
        ({"net": "lenet5-1998", "loss": "mean squared error"}, "the scores of lenet5-1998 are distances"),
        ({"nesterov": "true", "momentum": "0"}, "momentum 0: Nesterov's step needs momentum"),
        ({"loss": "hinge"}, "loss 'hinge': expected one of: cross-entropy, mean squared error"),
        ({"batch_norm": "perhaps"}, "batch_norm 'perhaps': expected a value of type bool"),
    ],
)
def test_settings_that_make_no_sense_are_named(settings: dict[str, str], message: str) -> None:
    """Name, value, and what is allowed."""
    with pytest.raises(UsageError, match=message):
        change_recipe(RECIPES["modern"], settings)


def test_settings_change_a_recipe() -> None:
    """Text becomes the type of the value that it replaces."""
    recipe = find_recipe("lenet5", 3, {"activation": "sigmoid", "batch_norm": "true", "dropout": "0.5"})
    assert (recipe.activation, recipe.batch_norm, recipe.dropout, recipe.passes) == ("sigmoid", True, 0.5, 3)
    assert recipe.network() == NETS["lenet5"].with_activation("sigmoid")


def test_gradients_follow_a_hand_written_step() -> None:
    """One step of momentum SGD with decay on weights alone, against NumPy arithmetic on PyTorch's gradients."""
    recipe = replace(RECIPES["modern"], batch=10, rate=0.1, momentum=0.9, weight_decay=0.01)
    digits = blobs(10, np.random.default_rng(0))
    backend = TorchBackend("cpu")
    model = lenet.create_model("lenet5-modern")
    initial = model.folded()
    backend.begin(recipe, [initial], Material(to_input(digits.glyphs), digits.labels))
    plan = draw_plan(recipe, 10, 0, 1)
    order = plan.order
    x, y = torch.from_numpy(to_input(digits.glyphs[order])), torch.from_numpy(digits.labels[order].astype(np.int64))
    torch.nn.functional.cross_entropy(model(x), y).backward()
    backend.run([plan], 0, 1)
    after = backend.weights()[0]
    for name, parameter in model.named_parameters():
        decay = 0.01 * initial[name] if parameter.ndim > 1 else 0
        assert parameter.grad is not None
        expected = initial[name] - plan.rates[0] * (parameter.grad.numpy() + decay)
        assert np.allclose(after[name], expected, atol=1e-6), name


CODES = {"net": "lenet5-1998", "activation": "squash", "initialisation": "efficient-backprop", "momentum": "0.5"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"loss": "mean squared error", "activation": "sigmoid"},
        {"dropout": "0.1", "averaging": "0.9", "label_smoothing": "0.1"},
        {"net": "lenet5-1998", "activation": "squash", "initialisation": "efficient-backprop", "rate": "0.005"},
        {**CODES, "loss": "distance", "rate": "0.0005"},
        {**CODES, "loss": "discriminative", "junk": "80", "rate": "0.001"},
        {"net": "lenet1", "activation": "squash"},
    ],
)
@BACKENDS
@pytest.mark.engine
def test_every_kind_of_network_and_loss_trains(
    settings: dict[str, str], backend: str, blob_folder: Path, tmp_path: Path
) -> None:
    """The loss falls from the first pass to the last."""
    out = tmp_path / "run"
    chosen = {"batch": "20", "rate": "0.02", **settings}
    lenet.train("modern", out=out, passes=4, settings=chosen, backend=backend)
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [line["pass"] for line in log] == [1, 2, 3, 4]
    assert log[-1]["loss"][0] < 0.9 * log[0]["loss"][0]


@BACKENDS
@pytest.mark.engine
def test_a_run_folder_tells_the_whole_story(backend: str, blob_folder: Path, tmp_path: Path) -> None:
    """Recipe, environment, log, weights that read at once, and the result, with errors of the test part."""
    out = tmp_path / "run"
    settings = {"batch": "20", "batch_norm": str(backend == "torch").lower()}
    result = lenet.train("best", out=out, passes=6, seed=3, settings=settings, backend=backend)
    assert result["errors"] <= 5
    assert (result["n"], result["recipe"], result["passes"], result["backend"]) == (100, "best", 6, backend)
    assert result["replicas"][0]["seed"] == 3
    assert json.loads((out / "result.json").read_text()) == result
    environment = json.loads((out / "environment.json").read_text())
    assert environment["numpy"] == np.__version__
    weights = lenet.load(out / "weights.safetensors").weights
    assert weights.card["recipe"]["name"] == "best"
    assert weights.card["data"]["trained_on"] == 360
    assert weights.card["held_out"]["n"] == 40
    assert lenet.evaluate(out / "weights.safetensors", "mnist").errors == result["errors"]


@BACKENDS
@pytest.mark.engine
def test_the_same_seed_gives_the_same_weights_and_replicas_stand_alone(
    backend: str, blob_folder: Path, tmp_path: Path
) -> None:
    """Two replicas trained side by side are the two seeds trained apart, bit for bit."""
    settings = {"batch": "20", "dropout": "0.2", "batch_norm": str(backend == "torch").lower()}
    lenet.train("modern", out=tmp_path / "both", passes=2, seed=4, replicas=2, settings=settings, backend=backend)
    for seed in (4, 5):
        lenet.train("modern", out=tmp_path / str(seed), passes=2, seed=seed, settings=settings, backend=backend)
        alone = load_file(tmp_path / str(seed) / "weights.safetensors")
        beside = load_file(tmp_path / "both" / f"weights-{seed}.safetensors")
        assert all((alone[name] == beside[name]).all() for name in alone)


KILLED = """
import json, os, signal, sys, lenet

def die(progress):
    if (progress.passed, progress.line) == (3, None):
        os.kill(os.getpid(), signal.SIGKILL)

lenet.train("best", out=sys.argv[1], report=die, **json.loads(sys.argv[2]))
"""


@BACKENDS
@pytest.mark.engine
def test_kill_9_and_resume_give_bit_identical_weights(backend: str, blob_folder: Path, tmp_path: Path) -> None:
    """Killed in the middle of a pass, taken up again: weights and log as if nothing had happened."""
    norm = str(backend == "torch").lower()
    settings = {"batch": "10", "dropout": "0.2", "momentum": "0.9", "batch_norm": norm}
    same = {"passes": 6, "backend": backend, "settings": settings}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    environment = {**os.environ, **prepare(tmp_path).environment, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", KILLED, broken, json.dumps(same)]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    assert (broken / "log.jsonl").read_text().count("\n") == 2
    assert not (broken / "result.json").exists()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        lenet.train("best", out=whole, **same)
        lenet.train("best", out=broken, resume=True, **same)
    finally:
        torch.set_num_threads(threads)
    expected, found = load_file(whole / "weights.safetensors"), load_file(broken / "weights.safetensors")
    assert all((expected[name] == found[name]).all() for name in expected)
    logs = [[json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in (whole, broken)]
    assert [line["loss"] for line in logs[0]] == [line["loss"] for line in logs[1]]


def test_a_finished_run_is_not_overwritten(blob_folder: Path, tmp_path: Path) -> None:
    """Without --resume the folder is left alone; with it, another recipe is refused; the same one is done at once."""
    out = tmp_path / "run"
    first = lenet.train("modern", out=out, passes=1)
    (out / ".state.safetensors.x1.safetensors").write_text("what a kill left")
    with pytest.raises(TrainingError, match="holds a run already; --resume goes on with it"):
        lenet.train("modern", out=out, passes=1)
    with pytest.raises(TrainingError, match="its recipe is not the one given"):
        lenet.train("modern", out=out, passes=2, resume=True)
    assert lenet.train("modern", out=out, passes=1, resume=True)["replicas"] == first["replicas"]
    assert not list(out.glob(".*"))


def test_a_run_from_before_a_setting_existed_is_the_same_run(blob_folder: Path, tmp_path: Path) -> None:
    """A setting that its recipe.json lacks had its default; one that differs is another run."""
    out = tmp_path / "run"
    lenet.train("modern", out=out, passes=1)
    task = json.loads((out / "recipe.json").read_text())
    del task["recipe"]["synthetic"]
    (out / "recipe.json").write_text(json.dumps(task))
    lenet.train("modern", out=out, passes=1, resume=True)
    task["recipe"]["synthetic"] = 1.0
    (out / "recipe.json").write_text(json.dumps(task))
    with pytest.raises(TrainingError, match="its recipe is not the one given"):
        lenet.train("modern", out=out, passes=1, resume=True)


def test_a_run_resumed_at_another_commit_cannot_be_shipped(
    blob_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card's commit gets a "+", which the gate refuses."""
    out = tmp_path / "run"
    monkeypatch.setattr(run_folder, "find_commit", lambda: "aaaa")
    lenet.train("modern", out=out, passes=1)
    monkeypatch.setattr(run_folder, "find_commit", lambda: "bbbb")
    lenet.train("modern", out=out, passes=1, resume=True)
    assert lenet.load(out / "weights.safetensors").weights.card["commit"] == "aaaa+"
    assert json.loads((out / "environment.json").read_text())["resumed"][0]["commit"] == "bbbb"


@BACKENDS
@pytest.mark.engine
def test_divergence_stops_the_run_with_its_reason(backend: str, blob_folder: Path, tmp_path: Path) -> None:
    """A rate far too high: which seed, which pass, what to do; no weights are written."""
    out = tmp_path / "run"
    with pytest.raises(TrainingError, match=r"seed 0: the loss became (nan|inf) in pass \d; lower the rate, now 100"):
        lenet.train("modern", out=out, passes=5, settings={"rate": "100", "batch": "20"}, backend=backend)
    assert not list(out.glob("weights*"))


@pytest.mark.engine
def test_training_starts_from_given_weights(blob_folder: Path, tmp_path: Path) -> None:
    """--init: a run that starts from a good network is good at once; another network is refused."""
    first = tmp_path / "first"
    lenet.train("best", out=first, passes=6, settings={"batch": "20", "batch_norm": "false"})
    start = first / "weights.safetensors"
    gentle = {"rate": "0.0001", "batch": "20"}
    result = lenet.train("modern", out=tmp_path / "second", passes=1, init=start, settings=gentle)
    assert result["errors"] <= 5
    with pytest.raises(TrainingError, match="weights of lenet5-modern; the recipe trains lenet5"):
        lenet.train("lenet5", out=tmp_path / "third", passes=1, init=start)


def test_a_damaged_state_is_named(blob_folder: Path, tmp_path: Path) -> None:
    """A state file that is cut off gives one line."""
    out = tmp_path / "run"
    lenet.train("modern", out=out, passes=1)
    state = out / "state.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(LenetError, match="state.safetensors: damaged"):
        lenet.train("modern", out=out, passes=1, resume=True)


def test_an_unknown_device_is_one_line(blob_folder: Path, tmp_path: Path) -> None:
    """No traceback for a device that this machine lacks."""
    with pytest.raises(TrainingError, match="device warp9"):
        lenet.train("modern", out=tmp_path / "run", device="warp9")


def test_held_out_writers_are_apart(mnist: dataset.Dataset) -> None:
    """5,092 digits, half of them students', none of whose writers is trained on."""
    try:
        who = dataset.load_writers("train", 60_000)
    except LenetError as error:
        pytest.skip(f"needs QMNIST's labels: {error}")
    mask = dataset.load_held_out_mask()
    assert (mask == dataset.choose_held_out(who)).all()
    assert int(mask.sum()) == 5092
    assert int((mask & (who[:, 0] == dataset.STUDENTS)).sum()) == 2448
    pairs = [{tuple(row) for row in who[chosen].tolist()} for chosen in (mask, ~mask)]
    assert not pairs[0] & pairs[1]
    training, held_out = mnist.split(True)
    assert (len(training), len(held_out)) == (54_908, 5_092)


@pytest.mark.usefixtures("blob_folder")
def test_a_runs_record_names_its_teacher() -> None:
    """By checksum; a teacher with other outputs, or for a loss that is not plain cross-entropy, is refused."""
    data = dataset.load("mnist")
    recipe = check_recipe(replace(RECIPES["quick"], teacher="lenet5-modern"))
    task = describe_task(recipe, data, "engine", [0])
    assert task["teacher"]["sha256"] == hashlib.sha256(find_weights("lenet5-modern").read_bytes()).hexdigest()
    assert "teacher" not in describe_task(RECIPES["quick"], data, "engine", [0])
    with pytest.raises(UsageError, match="has 10 outputs, lenet5-reader 11"):
        Teacher("lenet5-modern", NETS["lenet5-reader"], np.zeros(1, np.uint8))
    with pytest.raises(UsageError, match="in mini-batches"):
        check_recipe(replace(recipe, label_smoothing=0.1))


@pytest.mark.engine
def test_a_teacher_teaches_rubbish_as_it_learned_it() -> None:
    """What was lowered for reading is raised again: the shipped wide network's own probabilities."""
    glyphs = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    network = lenet.load("lenet5-wide")
    by = network.weights.card["calibration"]["rubbish_lowered_by"]
    assert by > 0
    scores = network.scores(glyphs).astype(np.float64)
    scores[:, 10] += by
    expected = np.exp(scores - scores.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    rows, labels = np.arange(5, dtype=np.int32), np.array([3, 1, 4, 1, 5], np.uint8)
    taught = Teacher("lenet5-wide", NETS["lenet5-reader"], labels)(to_input(glyphs), rows)
    assert np.allclose(taught, expected, atol=1e-6)


@pytest.mark.engine
def test_corrected_labels_are_taught_and_of_the_others_what_is_said_already() -> None:
    """Nothing is raised then: the network is to stay as it is, but for what was corrected."""
    glyphs = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    scores = lenet.load("lenet5-reader").scores(glyphs).astype(np.float64)
    expected = np.exp(scores - scores.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    labels, corrected = np.array([3, 10, 4], np.uint8), np.array([False, True, True])
    rows = np.array([2, 0, 1, 0, 0], np.int32)
    taught = Teacher("lenet5-reader", NETS["lenet5-reader"], labels, corrected)(to_input(glyphs), rows)
    expected[[0, 2]] = np.eye(11)[[4, 10]]
    assert np.allclose(taught, expected, atol=1e-6)
