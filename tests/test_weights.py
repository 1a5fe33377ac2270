"""Weights files: what is in them, and the one clear line for each file that is not one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

import lenet
from lenet.errors import WeightsError
from lenet.network.initialisation import draw_tensors
from lenet.network.spec import DEFAULT, NETS
from lenet.network.weights import Weights, list_shipped, load_weights, save_weights

CARD = {"format": 1, "net": "lenet5", "activation": "squash", "outputs": 10}
CARD |= {"input": {"background": -0.1, "foreground": 1.175}, "calibration": {"temperature": 1.0}}


def tensors(name: str = "lenet5") -> dict[str, np.ndarray]:
    """Random tensors of a network."""
    return draw_tensors(NETS[name], "efficient-backprop", np.random.default_rng(0))


@pytest.mark.parametrize("name", list(NETS))
def test_weights_come_back_as_saved(name: str, tmp_path: Path) -> None:
    """Tensors bit for bit, the network, the temperature and the card."""
    path = tmp_path / "w.safetensors"
    net = NETS[name].with_activation("relu")
    save_weights(path, Weights(net, tensors(name), 1.25, {"seed": 7, "recipe": {"name": "x"}}))
    loaded = load_weights(path)
    assert loaded.net == net
    assert loaded.temperature == 1.25
    assert loaded.card["seed"] == 7
    assert all((loaded.tensors[key] == value).all() for key, value in tensors(name).items())
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def fitted(**calibration: object) -> dict[str, object]:
    """A card whose calibration says more than a temperature."""
    return {"card": {**CARD, "calibration": {"temperature": 1.0, **calibration}}}


def write(path: Path, card: object = CARD, **changes: np.ndarray | None) -> Path:
    """Write a weights file with changes to its card or its tensors."""
    found = {**tensors(), **{name.replace("_", "."): value for name, value in changes.items()}}
    metadata = None if card is None else {"lenet": json.dumps(card)}
    path.write_bytes(save({name: value for name, value in found.items() if value is not None}, metadata=metadata))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"card": None}, "no description of its network"),
        ({"card": [1]}, "no description of its network"),
        ({"card": {**CARD, "format": 2}}, "no description of its network"),
        ({"card": {**CARD, "net": "resnet"}}, "network 'resnet'; expected one of lenet5-1998"),
        ({"card": {**CARD, "activation": "gelu"}}, "activation 'gelu'"),
        ({"card": {**CARD, "outputs": 11}}, "11 outputs; lenet5 has 10"),
        ({"card": {**CARD, "input": {"background": 0, "foreground": 1}}}, "input range"),
        ({"card": {**CARD, "calibration": {"temperature": 0}}}, "temperature 0"),
        ({"card": {**CARD, "calibration": {"temperature": float("nan")}}}, "temperature nan"),
        ({"card": {**CARD, "calibration": 3}}, "temperature None"),
        (fitted(arc_scorer=[1.0] * 5), r"calibration arc_scorer \(5,\); expected 26 rows of 25 finite numbers"),
        (
            fitted(arc_scorer=[[1.0] * 25] * 23),
            r"calibration arc_scorer \(23, 25\); expected 26 rows of 25 finite numbers",
        ),
        (fitted(confidence_weights=[1.0] * 8), r"calibration confidence_weights \(8,\); expected 14 finite numbers"),
        (
            fitted(confidence_weights=[float("nan")] * 14),
            "calibration confidence_weights has NaN or infinity; expected 14 finite numbers",
        ),
        (fitted(confidence_weights=["a"] * 14), "calibration confidence_weights: .*; expected 14 finite numbers"),
        (fitted(error_curve=[[0.5, 0.1]]), r"calibration error_curve \(1, 2\); expected 3 finite numbers a row"),
        ({"c1_bias": None}, r"c1.bias is missing; lenet5 has it as \(6,\)"),
        ({"extra": np.zeros(3, np.float32)}, r"extra \(3,\) is not a tensor of lenet5"),
        ({"c1_bias": np.zeros(5, np.float32)}, r"c1.bias: expected \(6,\) float32, found \(5,\) float32"),
        ({"c1_bias": np.zeros(6)}, r"c1.bias: expected \(6,\) float32, found \(6,\) float64"),
        ({"c1_bias": np.full(6, np.nan, np.float32)}, "c1.bias holds NaN or infinity"),
    ],
)
def test_a_file_that_does_not_fit_is_named_tensor_by_tensor(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    """Path, tensor, expected and found, in one line."""
    path = write(tmp_path / "w.safetensors", **change)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match=message) as caught:
        load_weights(path)
    assert str(caught.value).startswith(str(path))


def test_kernels_outside_table_1_are_refused(tmp_path: Path) -> None:
    """The zeros of Table I are checked on loading and on saving."""
    net = NETS["lenet5-1998"]
    wrong = tensors("lenet5-1998")
    wrong["c3.weight"][0, 5] = 1
    with pytest.raises(WeightsError, match="c3.weight has kernels where the connection table has none"):
        save_weights(tmp_path / "w.safetensors", Weights(net, wrong))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"x", b"\xff" * 64, b"\x10\0\0\0\0\0\0\0{not json at all}", bytes(100)])
def test_other_bytes_are_refused_in_one_line(data: bytes, tmp_path: Path) -> None:
    """Empty, short, a hostile header length, no JSON."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="not a weights file of lenet") as caught:
        load_weights(path)
    assert "\n" not in str(caught.value)


def test_a_file_far_too_large_is_not_read(tmp_path: Path) -> None:
    """A sparse gigabyte."""
    path = tmp_path / "w.safetensors"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(WeightsError, match="1,073,741,824 bytes"):
        load_weights(path)


def test_an_unknown_name_lists_the_shipped_weights() -> None:
    """The line names what there is."""
    with pytest.raises(WeightsError, match="no-such: no such weights; shipped are lenet5-hands"):
        lenet.load("no-such")


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    """Nothing is written where nothing can be."""
    with pytest.raises(WeightsError, match="cannot be written"):
        save_weights(tmp_path / "none" / "w.safetensors", Weights(NETS["lenet5"], tensors()))


@pytest.mark.parametrize("name", list(list_shipped()))
def test_shipped_weights_carry_their_whole_story(name: str) -> None:
    """Recipe, seed, seeds, commit, data, errors, calibration, parity: nothing shipped without."""
    weights = load_weights(name)
    assert name == weights.name
    for key in ("recipe", "seed", "seeds", "commit", "data", "test", "held_out", "calibration", "parity", "groups"):
        assert key in weights.card, key
    assert weights.card["parity"] <= 1e-5
    assert not weights.card["commit"].endswith("+")
    assert weights.card["test"]["n"] == (8_602 if weights.net.says_characters else 10_000)
    shipped_seed = min(weights.card["seeds"], key=lambda each: (each["held_out_errors"], each["seed"]))
    assert weights.card["seed"] == shipped_seed["seed"]


def test_the_default_is_shipped_first() -> None:
    """`lenet read` without --model uses it."""
    assert next(iter(list_shipped())) == DEFAULT == "lenet5-hands"
