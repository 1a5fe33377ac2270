"""The benchmark: fair turns, rows with the keys that scripts rely on, and peers that answer the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lenet
from lenet.bench import reading, run, timing
from lenet.bench.contenders import (
    Contender,
    Engine,
    LiteRt,
    OnnxRuntime,
    OpenVinoFloat,
    TorchEager,
    TrainingWork,
    Work,
    find_contenders,
)
from lenet.cli.bench import _table
from lenet.engine.warp import warp
from lenet.native import dispatch
from lenet.network.spec import NETS
from lenet.network.weights import Weights
from test_engine import inputs, network

from conftest import ROOT


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that `lenet.bench.timing` reads."""
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_contenders_take_turns_and_medians_ignore_an_outlier(clock: Clock) -> None:
    """Each is called in every round; one slow call does not move its figure."""
    calls: list[str] = []

    def work(name: str, seconds: float) -> Work:
        def do() -> None:
            calls.append(name)
            slow = name == "a" and calls.count("a") == 6
            clock.sleep(20 * seconds if slow else seconds)

        return do

    found = timing.interleave({"a": work("a", 0.002), "b": work("b", 0.004)}, rounds=5, least=0.0)
    assert calls[4:] == ["a", "a", "b", "b"] * 5
    assert found == pytest.approx({"a": 0.002, "b": 0.004})


def test_short_work_is_repeated_until_it_can_be_timed(clock: Clock) -> None:
    """Work of 2 ms is done 25 times in a turn of 50 ms; work of a second once."""
    assert timing.repeats(lambda: clock.sleep(0.002), 0.05) == 25
    assert timing.repeats(lambda: clock.sleep(1.0), 0.05) == 1


@pytest.mark.parametrize("contender", [OnnxRuntime(), OpenVinoFloat(), LiteRt()], ids=lambda each: str(each.name))
@pytest.mark.parametrize("name", ["lenet5", "lenet5-modern", "lenet5-1998-softmax", "lenet5-1998"])
@pytest.mark.engine
def test_a_contender_scores_the_same(name: str, contender: Contender, rng: np.random.Generator) -> None:
    """What is measured is the network: its scores agree to 1e-5, whatever its activation."""
    for net in (NETS[name], NETS[name].with_activation("sigmoid")):
        ours, x = network(net, dispatch.chosen_engine()), inputs(rng, 9, 32, 32)
        work = contender.forward(ours.weights, x, 1)
        assert work is not None
        found: Any = work()
        scores = found if isinstance(found, np.ndarray) else found[0]
        theirs = ours.forward(x)
        assert np.abs(np.asarray(scores).reshape(theirs.shape) - theirs).max() <= 1e-5 * np.abs(theirs).max()


def test_pytorch_is_timed_on_the_same_distortion(rng: np.random.Generator) -> None:
    """Its affine_grid and grid_sample give what the engine warps; both can do the distorted lesson."""
    weights = run.random_weights("lenet5")
    x = inputs(rng, 64, 32, 32)
    warps = run.draw(run.AFFINE_RANGES, 64, rng)
    lesson = TrainingWork(x, rng.integers(0, 10, 64).astype(np.uint8), 16, warps)
    import torch
    from torch.nn import functional as F

    from lenet.bench.contenders import _theta

    theta = torch.from_numpy(_theta(warps))
    grid = F.affine_grid(theta, [64, 1, 32, 32], align_corners=False)
    theirs = F.grid_sample(torch.from_numpy(x) + 0.1, grid, "bilinear", "zeros", align_corners=False).numpy() - 0.1
    assert np.abs(theirs - warp(x, warps)).max() < 1e-4
    for contender in (Engine(), TorchEager()):
        work = contender.train(weights, lesson, 1)
        assert work is not None
        work()


class Sleeper:
    """A contender that takes its time, or fails."""

    def __init__(self, name: str, clock: Clock, seconds: float | None) -> None:
        self.name, self.clock, self.seconds = name, clock, seconds

    def _work(self) -> Work:
        if self.seconds is None:
            raise RuntimeError("no such instruction\nsecond line")
        seconds = self.seconds
        return lambda: self.clock.sleep(seconds)

    def forward(self, weights: Weights, x: np.ndarray, threads: int) -> Work | None:
        return self._work()

    def train(self, weights: Weights, lesson: TrainingWork, threads: int) -> Work | None:
        return None if self.name == "onnxruntime" else self._work()

    def online(self, weights: Weights, lesson: TrainingWork, replicas: int, threads: int) -> tuple[Work, int] | None:
        return (self._work(), 10) if self.name == "engine" else None


def test_rows_have_the_keys_and_a_failing_peer_is_left_out_with_its_reason(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half the speed is a ratio of a half; who does not do a piece of work has no row for it."""
    contenders = [
        Sleeper("engine", clock, 0.002),
        Sleeper("onnxruntime", clock, 0.004),
        Sleeper("torch eager", clock, None),
    ]
    monkeypatch.setattr(run, "peak", lambda threads: clock.sleep(0.1) or 1e12)
    said: list[str] = []
    rows, share = run.results(contenders, 2, 2, said.append)
    keys = {"work", "net", "batch", "replicas", "threads", "contender", "per_second", "ratio_to_engine"}
    assert all(set(row) == keys for row in rows)
    assert {row["work"] for row in rows} == {"forward", "train", "train distorted", "train online"}
    assert {row["contender"] for row in rows if row["work"] == "train"} == {"engine"}
    slower = [row["ratio_to_engine"] for row in rows if row["contender"] == "onnxruntime"]
    assert slower == pytest.approx([0.5] * 6)
    assert "torch eager: left out (RuntimeError: no such instruction)" in said
    assert (share is None) == (dispatch.chosen_engine() == "reference")


def test_the_table_says_it_all() -> None:
    """Machine, versions, a line for each row, and the figures that stand alone."""
    row = {"work": "forward", "net": "lenet5", "batch": 64, "replicas": 1, "threads": 2}
    found: dict[str, Any] = {
        "machine": "a machine",
        "versions": {"torch": None, "lenet": "1"},
        "threads": 2,
        "results": [{**row, "contender": "engine", "per_second": 12345.6, "ratio_to_engine": 1.0}],
        "reading": [{"pictures": "line", "reader": "lenet", "ms": 8.5, "times_lenet": 1.0, "right": 11, "n": 12}],
        "growth": [{"axis": "specks", "sizes": [200, 3200], "ms": [48.7, 194.3], "exponent": 0.4}],
        "stages": {"see": 1.5},
        "peak_mb": {"engine": 70.0, "onnxruntime": None},
        "fma_peak_share": 0.755,
        "cold_start_ratio": None,
    }
    text = "\n".join(_table(json.loads(json.dumps(found))))
    for words in (
        "a machine; 2 threads",
        "torch absent",
        "12,346",
        "75.5 % of the measured FMA peak",
        "engine 70 MB",
        "8.50",
        "11 of 12",
    ):
        assert words in text
    assert "200: 49, 3,200: 194" in text
    assert "import torch" not in text


@pytest.mark.engine
def test_small_measurements_are_real(tmp_path: Path) -> None:
    """Stages in milliseconds, memory of a fresh process, the picture of a number that reads as one."""
    picture = tmp_path / "7.png"
    run.draw_number(picture)
    assert lenet.read(picture).text == "25836"
    assert set(run.stages(picture, runs=2)) == {"open", "ink", "lattice", "answer"}
    memory = run.peak_memory("engine", 1)
    assert memory is not None
    assert 20 < memory < 400
    assert run.peak_memory("nobody", 1) is None
    assert run.find_versions()["engine"] == dispatch.chosen_engine()


def test_all_contenders_are_present_where_all_is_installed() -> None:
    """Their names are those that scripts look for."""
    found, missing = find_contenders()
    assert [each.name for each in found] == [
        *("engine", "onnxruntime", "openvino", "openvino f32", "litert", "torch eager", "torch compiled")
    ]
    assert not missing
    assert OnnxRuntime().train(run.random_weights("lenet5"), None, 1) is None  # type: ignore[arg-type]


def test_every_key_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `lenet bench --json` prints stands in docs/json.md."""
    for name in ("stages", "peak_memory", "cold_start", "compare_readers", "measure_growth"):
        monkeypatch.setattr(run, name, lambda *_: None)
    monkeypatch.setattr(run, "results", lambda *_: ([], None))
    monkeypatch.setattr(run, "find_contenders", lambda: ([], ["a peer: absent"]))
    said: list[str] = []
    section = (ROOT / "docs" / "json.md").read_text(encoding="utf-8").split("## lenet bench\n")[1].split("\n## ")[0]
    row = {"pictures", "reader", "ms", "times_lenet", "right", "n", "axis", "sizes", "exponent"}
    row |= {"work", "net", "batch", "replicas", "threads", "contender", "per_second", "ratio_to_engine"}
    assert not [key for key in row | set(run.bench(said.append)) if f"`{key}`" not in section]
    assert said[0] == "a peer: absent"


def test_pictures_to_read_are_read() -> None:
    """By lenet, each kind of them; a tutorial's forty lines read what nothing touches, and no form fields."""
    readers = reading.find_readers(lenet.load())
    assert list(readers)[:2] == [reading.OURS, reading.CLASSIC]
    for kind in ("line", "field", "digit", "page"):
        pictures = reading.make_pictures(kind, 2)
        assert [readers[reading.OURS](each.page, each.digit) for each in pictures] == [each.text for each in pictures]
        classic = [readers[reading.CLASSIC](each.page, each.digit) == each.text for each in pictures]
        assert classic == [kind != "field"] * 2


def test_readers_take_turns_and_growth_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row for each kind and reader with the keys of the documents; an exponent for each axis, from its sizes."""
    monkeypatch.setattr(reading, "_PICTURES", {"digit": 2})
    monkeypatch.setattr(reading, "GROWTH", dict.fromkeys(reading.GROWTH, (2, 4)))
    monkeypatch.setattr(reading, "_time", lambda work: (work() and 0.0) or 2.0)
    said: list[str] = []
    rows = reading.compare_readers(said.append, 1)
    assert [row["reader"] for row in rows][:2] == [reading.OURS, reading.CLASSIC]
    assert rows[0]["times_lenet"] == 1
    assert rows[0]["right"] == rows[0]["n"] == 2
    assert [row["exponent"] for row in reading.measure_growth(said.append)] == [0.0] * 5
    assert said[0] == "reading, digit"
