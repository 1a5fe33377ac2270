"""The gate from a run to the shipped weights: chosen on held-out writers, and nothing incomplete passes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lenet
from lenet.data.dataset import load
from lenet.errors import TrainingError
from lenet.network.initialisation import draw_tensors
from lenet.network.spec import LINE_LABELS, LINE_NETS
from lenet.network.weights import Weights, find_weights, load_weights, save_weights
from lenet.training import fit_spaces, ship
from lenet.training import run as run_folder

from conftest import make_blob_folder


@pytest.fixture
def runs(trained: list[Path], blob_folder: Path, tmp_path: Path) -> list[Path]:
    """Two finished runs of one recipe, as if from a clean checkout."""
    return [shutil.copytree(run, tmp_path / run.name) for run in trained]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same, trained once; nobody changes them."""
    folder = tmp_path_factory.mktemp("ship")
    made = [folder / f"run-{seed}" for seed in (0, 1)]
    settings = {"batch": "20", "batch_norm": "true"}
    with pytest.MonkeyPatch.context() as changed:
        make_blob_folder(folder, np.random.default_rng(1998), changed)
        changed.setattr(run_folder, "find_commit", lambda: "0123456789ab")
        for seed, out in enumerate(made):
            lenet.train("modern", out=out, passes=3, seed=seed, backend="torch", settings=settings)
    return made


def gate(runs: list[Path], tmp_path: Path) -> Path:
    """Ship into folders of the test."""
    (tmp_path / "assets").mkdir(exist_ok=True)
    return ship.ship(runs, "lenet5-modern", tmp_path / "assets")


def edit(path: Path, **changes: object) -> None:
    """Change a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_fewest_held_out_errors_are_shipped_not_the_fewest_test_errors(runs: list[Path], tmp_path: Path) -> None:
    """Seed 1 looks better on the test set; seed 0 has fewer held-out errors and is taken."""
    for run, held, test in zip(runs, (1, 2), (9, 0), strict=True):
        result = json.loads((run / "result.json").read_text())
        edit(run / "result.json", replicas=[{**result["replicas"][0], "held_out_errors": held, "errors": test}])
    weights = load_weights(gate(runs, tmp_path))
    assert weights.card["seed"] == 0
    assert weights.card["median_errors"] == 4.5
    assert [each["seed"] for each in weights.card["seeds"]] == [0, 1]


@pytest.mark.engine
def test_the_card_has_the_errors_the_interval_and_the_recipe(runs: list[Path], tmp_path: Path) -> None:
    """A model card for people, made from the file and the evaluation alone."""
    path = gate(runs, tmp_path)
    weights = load_weights(path)
    card = path.with_suffix(".md").read_text()
    assert f"**{weights.card['test']['errors']} errors out of 100**" in card
    assert "95 % interval" in card
    assert '"passes": 3' in card
    assert "commit 0123456789ab" in card
    assert f"{weights.temperature:.4f}" in card


@pytest.mark.engine
def test_a_miscounted_run_does_not_pass(runs: list[Path], tmp_path: Path) -> None:
    """The engine counts again, and believes its own eyes."""
    for run in runs:
        weights = load_weights(run / "weights.safetensors")
        card = {**weights.card, "test": {"errors": 77, "n": 100}}
        save_weights(run / "weights.safetensors", replace(weights, card=card))
    with pytest.raises(TrainingError, match="errors recounted, 77 in its card"):
        gate(runs, tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("commit", "0123+", "train from a clean checkout"),
        ("commit", "unknown", "commit unknown"),
        ("recipe", None, "lacks recipe"),
    ],
)
def test_an_incomplete_card_does_not_pass(
    key: str, value: object, message: str, runs: list[Path], tmp_path: Path
) -> None:
    """No commit, a changed checkout, no recipe."""
    for run in runs:
        weights = load_weights(run / "weights.safetensors")
        save_weights(run / "weights.safetensors", replace(weights, card={**weights.card, key: value}))
    with pytest.raises(TrainingError, match=message):
        gate(runs, tmp_path)


@pytest.mark.engine
def test_engines_that_disagree_do_not_pass(runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference beyond 1e-5 of a layer's largest value stops the gate."""
    monkeypatch.setattr(ship, "PARITY", 1e-12)
    with pytest.raises(TrainingError, match="engine and PyTorch differ by"):
        gate(runs, tmp_path)


@pytest.mark.engine
def test_parity_sees_every_layer(runs: list[Path]) -> None:
    """Between the engine and PyTorch, layer by layer."""
    found = ship.parity(load_weights(runs[0] / "weights.safetensors"), load("mnist").test.glyphs)
    assert 0 < found <= ship.PARITY


def test_unfinished_and_mixed_runs_do_not_pass(runs: list[Path], tmp_path: Path) -> None:
    """A run without a result; two recipes at once."""
    lenet.train("lenet5", out=tmp_path / "other", passes=1)
    with pytest.raises(TrainingError, match="2 different recipes or data sets"):
        gate([*runs, tmp_path / "other"], tmp_path)
    with pytest.raises(TrainingError, match="a seed appears twice"):
        gate([runs[0], runs[0]], tmp_path)
    (runs[1] / "result.json").unlink()
    with pytest.raises(TrainingError, match="is not a finished run; finish it with --resume"):
        gate(runs, tmp_path)


def test_a_refitted_network_has_its_new_curve_in_its_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What finds the path stays as it is, and so does what benchmarks wrote into the card."""
    weights = load_weights("lenet5-reader")
    calibration = {**weights.card["calibration"], "error_curve": [[0.25, 0.125, 0.75]]}
    fitted = replace(weights, card={**weights.card, "calibration": calibration})
    monkeypatch.setattr(ship, "load", lambda _name: None)
    monkeypatch.setattr(ship, "_hold_out", lambda *_: None)
    monkeypatch.setattr(ship.fit_decoder, "fit_answers", lambda *_: fitted)
    card = tmp_path / "lenet5-reader.md"
    old = find_weights("lenet5-reader").with_suffix(".md").read_text(encoding="utf-8")
    card.write_text(old, encoding="utf-8")
    path = ship.refit("lenet5-reader", tmp_path)
    new = card.read_text(encoding="utf-8")
    assert "| 25 % | 75.0 % | 12.50 % |" in new
    assert new.count("| 25 % |") == 1
    assert new.partition("## Reading")[2] == old.partition("## Reading")[2]
    assert load_weights(path).card["calibration"]["error_curve"] == [[0.25, 0.125, 0.75]]
    assert (load_weights(path).arc_scorer == weights.arc_scorer).all()
    for name in ("lenet5-modern", "lenet-cell"):
        with pytest.raises(TrainingError, match=f"{name}: reads no numbers; choose weights that do"):
            ship.refit(name, tmp_path)


def test_a_refitted_network_of_characters_has_its_new_codes_in_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What finds the path is new too; what is taken for what stays, as the network does."""
    weights = load_weights("lenet5-characters")
    counted = {"with the format": {"codes": 1000, "exact": 123, "answered": 45, "answered_wrong": 6, "signs": 7}}
    calibration = {**weights.card["calibration"], "character_scorer_fitted_on": "seven codes"}
    fitted = replace(weights, card={**weights.card, "calibration": calibration})
    monkeypatch.setattr(ship.fit_characters, "fit_characters", lambda _weights: fitted)
    monkeypatch.setattr(ship.fit_characters, "measure_codes", lambda _weights: counted)
    card = tmp_path / "lenet5-characters.md"
    old = find_weights("lenet5-characters").with_suffix(".md").read_text(encoding="utf-8")
    card.write_text(old, encoding="utf-8")
    path = ship.refit("lenet5-characters", tmp_path)
    new = card.read_text(encoding="utf-8")
    assert "| with the format | 123 of 1,000 | 45 | 6 |" in new
    assert "was fitted on seven codes." in new
    parts = [text.split("## Codes")[0] + text.partition("## What is taken for what")[2] for text in (old, new)]
    assert parts[0] == parts[1]
    assert load_weights(path).card["codes"] == counted


def test_several_weights_of_a_line_network_are_shipped_as_their_mean(tmp_path: Path) -> None:
    """The card is the first one's, and says of what they are the mean; other networks are refused."""
    first = load_weights("lenet-line")
    second = replace(first, tensors={name: tensor + 1 for name, tensor in first.tensors.items()})
    save_weights(tmp_path / "one.safetensors", first)
    save_weights(tmp_path / "two.safetensors", second)
    given = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    mean = ship.average_weights(given)
    for name, tensor in first.tensors.items():
        assert np.abs(mean.tensors[name] - tensor - 0.5).max() < 1e-6
        assert mean.tensors[name].dtype == np.float32
    assert mean.card["mean_of"] == list(map(str, given))
    assert mean.card["calibration"] == first.card["calibration"]
    assert ship.average_weights(given[:1]).card == first.card
    with pytest.raises(TrainingError, match="choose weights of a line network"):
        ship.average_weights([given[0], find_weights("lenet5-hands")])
    with pytest.raises(TrainingError, match="choose weights of a line network"):
        ship.average_weights([find_weights("lenet-cell")])


def test_weights_of_a_smaller_line_network_count_as_they_are_grown(tmp_path: Path) -> None:
    """Half of what a layer that they have not does is to hand on what it gets; the second counts as often as given."""
    rng = np.random.default_rng(0)
    paths = {}
    for name in ("lenet-line-long", "lenet-line"):
        paths[name] = tmp_path / f"{name}.safetensors"
        save_weights(paths[name], Weights(LINE_NETS[name], draw_tensors(LINE_NETS[name], "he", rng)))
    long, short = (load_weights(path) for path in paths.values())
    mean = ship.average_weights([*paths.values(), paths["lenet-line"]])
    assert mean.net.name == "lenet-line-long"
    expected = (long.tensors["c11.weight"] + 2 * short.tensors["c11.weight"]) / 3
    np.testing.assert_allclose(mean.tensors["c11.weight"], expected, atol=1e-6)
    straight = np.zeros_like(long.tensors["c12.weight"])
    straight[range(192), range(192), 0, 2] = 1
    np.testing.assert_allclose(mean.tensors["c12.weight"], (long.tensors["c12.weight"] + 2 * straight) / 3, atol=1e-6)


def test_numbers_may_be_parted_as_other_weights_part_them() -> None:
    """Their weights, how far they are trusted and what they were fitted on are taken; nothing else is."""
    shipped = load_weights("lenet-line")
    fitted = shipped.card["calibration"]
    others = replace(shipped, card={"calibration": {**fitted, "space_weights": [0.5] * 9, "pair_weights": [1.0] * 11}})
    taken = fit_spaces.take_spaces(shipped, others).card["calibration"]
    assert taken == {**fitted, "space_weights": [0.5] * 9}


def test_a_slash_is_lowered_once() -> None:
    """In both places that a column of the output has for it, by so much in all, and nothing else is."""
    weights = load_weights("lenet-line")
    bare = replace(weights, card={key: value for key, value in weights.card.items() if key != "slash_lowered_by"})
    lowered = ship.lower_slash(bare)
    moved = np.flatnonzero(lowered.tensors["output.bias"] != bare.tensors["output.bias"])
    assert [(LINE_LABELS + "_")[row % (len(LINE_LABELS) + 1)] for row in moved] == ["/", "/"]
    assert lowered.card["slash_lowered_by"] > 0
    assert np.array_equal(ship.lower_slash(lowered).tensors["output.bias"], lowered.tensors["output.bias"])
