"""A recipe as its users meet it: every setting explained, and what lenet 0.1 called otherwise still understood."""

from __future__ import annotations

import ast
import json
from dataclasses import fields
from pathlib import Path

import pytest

import lenet
from lenet.errors import TrainingError, UsageError
from lenet.network.weights import list_shipped, load_weights
from lenet.training import recipe, ship
from lenet.training.recipe import Recipe, change_recipe, restore_settings
from lenet.training.recipes import RECIPES


def as_lenet_0_1(stored: dict[str, object]) -> dict[str, object]:
    """A stored recipe as it was: `synthetic` under its old name, and other words on where it is from."""
    renamed = {"school" if name == "synthetic" else name: value for name, value in stored.items()}
    return {**renamed, "provenance": "as lenet 0.1 had it"}


def test_every_setting_is_explained_where_it_stands() -> None:
    """Above each field of a recipe is a comment of its own, and the docstring is short."""
    lines = Path(recipe.__file__).read_text(encoding="utf-8").splitlines()
    (found,) = (
        node for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.ClassDef) and node.name == "Recipe"
    )
    settings = [node for node in found.body if isinstance(node, ast.AnnAssign)]
    assert len(settings) == len(fields(Recipe))
    for node in settings:
        assert lines[node.lineno - 2].startswith("    # "), lines[node.lineno - 1]
    assert len((ast.get_docstring(found) or "").splitlines()) <= 3


def test_the_old_name_of_a_setting_still_works() -> None:
    """`--set school=0.5` is `synthetic`, with one line that says so; its bounds are told by the new name."""
    with pytest.warns(FutureWarning, match="school: is called synthetic now; the old name works until lenet 0.3"):
        changed = change_recipe(RECIPES["reader"], {"school": "0.5"})
    assert changed == change_recipe(RECIPES["reader"], {"synthetic": "0.5"})
    assert changed.synthetic == 0.5
    with pytest.warns(FutureWarning), pytest.raises(UsageError, match="synthetic 11.0: expected 0 to 10"):
        change_recipe(RECIPES["reader"], {"school": "11"})


def test_a_run_of_lenet_0_1_goes_on(blob_folder: Path, tmp_path: Path) -> None:
    """Its folder has the old name and other words on the recipe; another value is another run."""
    out = tmp_path / "run"
    lenet.train("modern", out=out, passes=1)
    task = json.loads((out / "recipe.json").read_text())
    assert task["recipe"]["synthetic"] == 0.0
    task["recipe"] = as_lenet_0_1(task["recipe"])
    (out / "recipe.json").write_text(json.dumps(task))
    lenet.train("modern", out=out, passes=1, resume=True)
    task["recipe"]["school"] = 1.0
    (out / "recipe.json").write_text(json.dumps(task))
    with pytest.raises(TrainingError, match="its recipe is not the one given"):
        lenet.train("modern", out=out, passes=1, resume=True)


def test_runs_of_both_versions_are_of_one_recipe(blob_folder: Path, tmp_path: Path) -> None:
    """A replica that lenet 0.1 trained is a candidate beside one that was trained now."""
    runs = [tmp_path / "old", tmp_path / "new"]
    for seed, out in enumerate(runs):
        lenet.train("modern", out=out, passes=1, seed=seed)
    task = json.loads((runs[0] / "recipe.json").read_text())
    (runs[0] / "recipe.json").write_text(json.dumps({**task, "recipe": as_lenet_0_1(task["recipe"])}))
    assert [each.seed for each in ship.candidates(runs)] == [0, 1]


def test_shipped_cards_are_understood() -> None:
    """Whatever version wrote a card, its recipe has the settings of today and no other."""
    names = {field.name for field in fields(Recipe)} - {"provenance"}
    for name in list_shipped():
        assert set(restore_settings(load_weights(name).card["recipe"])) == names, name
    assert restore_settings(load_weights("lenet5-reader").card["recipe"])["synthetic"] == 1.0
