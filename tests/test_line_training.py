"""Training a network that reads lines: its loss, its steps, its record, and what is refused."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lenet.engine.lines import LineNetwork
from lenet.errors import MissingExtra, UsageError
from lenet.network.initialisation import draw_tensors
from lenet.network.inputs import PAPER_GREY
from lenet.network.spec import LINE_LABELS, LINE_NETS
from lenet.network.weights import Weights
from lenet.training.grow import grow_tensors
from lenet.training.line_backend import LineBackend, choose_line_backend
from lenet.training.line_engine import EngineLines
from lenet.training.line_recipe import LINE_RECIPES, LineRecipe, change_line_recipe
from lenet.training.line_run import draw_batch, train_lines
from lenet.training.line_stream import LineBatch, LineSource, count_columns, encode_text
from lenet.training.run import RunFolder
from lenet.training.start import train
from lenet.training.synthetic import fonts
from lenet.training.synthetic.fonts import NO_FONTS, PACKAGES, FontPackage, Fonts
from lenet.training.synthetic.line_variation import draw_variation, vary_lines

torch = pytest.importorskip("torch")

from lenet.decoding.alignments import score_texts  # noqa: E402
from lenet.training.line_torch import TorchLines, vary  # noqa: E402

RECIPE, NORMALISED = LINE_RECIPES["line"], LINE_RECIPES["line-normalised"]


def batch(rng: np.random.Generator, n: int = 12, width: int = 64) -> LineBatch:
    """Lines of bars: digit k is a bar at the k-th of ten heights."""
    strips = np.full((n, 32, width), PAPER_GREY, np.uint8)
    texts = []
    for strip in strips:
        text = "".join(rng.choice(list("0123456789"), 3))
        for place, digit in enumerate(text):
            strip[3 * int(digit) : 3 * int(digit) + 3, 8 + 18 * place : 20 + 18 * place] = 191
        texts.append(text)
    labels = np.zeros((n, 96), np.int32)
    for row, text in enumerate(texts):
        labels[row, :3] = encode_text(text)
    return LineBatch(strips, np.full(n, width, np.int32), labels, np.full(n, 3, np.int32))


def needs_strokes() -> None:
    """Skip where UNIPEN is not at hand."""
    if not (Path(os.environ.get("LENET_DATA", ".")) / "unipen").is_dir():
        pytest.skip("needs the strokes of UNIPEN in LENET_DATA")


def test_the_loss_is_that_of_the_forward_sum(rng: np.random.Generator) -> None:
    """PyTorch's forward loss over alignments is minus the log-probability that decoding gives a text."""
    log_probs = np.log(rng.dirichlet(np.ones(len(LINE_LABELS) + 1), 20))
    text = tuple(encode_text("1.005").tolist())
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(log_probs)[:, None],
        torch.tensor([text]),
        torch.tensor([20]),
        torch.tensor([5]),
        len(LINE_LABELS),
        "sum",
    )
    assert float(loss) == pytest.approx(-score_texts(log_probs, [text])[0])


def begin(recipe: LineRecipe, backend: str, seed: int) -> LineBackend:
    """What trains a recipe, on a CPU."""
    return choose_line_backend(recipe, seed, None, backend, "cpu")


@pytest.mark.parametrize(("given", "backend"), [(NORMALISED, "torch"), (RECIPE, "torch"), (RECIPE, "engine")])
def test_steps_learn(given: LineRecipe, backend: str, rng: np.random.Generator) -> None:
    """The loss of a few lines falls; a state that is taken up again goes on the same."""
    recipe = change_line_recipe(given, {"batch": "12", "rate": "0.002", "warm": "0"}, 1)
    one = begin(recipe, backend, 0)
    kept = one.keep(batch(rng))
    rows = np.arange(12)
    losses = [float(one.step(kept, rows, np.random.default_rng(step), 0.0)) for step in range(12)]
    assert np.mean(losses[-3:]) < 0.6 * losses[0]
    other = begin(recipe, backend, 1)
    other.restore(one.state())
    last = [float(each.step(kept, rows, np.random.default_rng(99), 0.5)) for each in (one, other)]
    assert last[0] == pytest.approx(last[1], rel=1e-5)


def test_given_weights_say_the_same_once_settled(rng: np.random.Generator) -> None:
    """Normalisation that is put behind folded weights changes nothing of what they say on those lines."""
    one = TorchLines(NORMALISED, 3, None, "cpu")
    strips = batch(rng).strips
    before = one.weights()
    other = TorchLines(NORMALISED, 4, before, "cpu")
    plain = TorchLines(NORMALISED, 4, before, "cpu")
    plain.settle(strips)
    expected = one.scores(strips)
    assert np.abs(plain.scores(strips) - expected).max() < 1e-3 * np.abs(expected).max() + 1e-4
    plain.net.train()
    with torch.no_grad():
        trained = plain.net(torch.from_numpy(strips.astype(np.float32) / 127.5 - 0.5)[:, None])
    other.net.train()
    with torch.no_grad():
        unsettled = other.net(torch.from_numpy(strips.astype(np.float32) / 127.5 - 0.5)[:, None])
    whole = one.net.eval()(torch.from_numpy(strips.astype(np.float32) / 127.5 - 0.5)[:, None]).detach()
    assert float((trained - whole).abs().max()) < 0.05 * float((unsettled - whole).abs().max())


def test_lines_are_varied_and_stay_lines(rng: np.random.Generator) -> None:
    """Stretched by a sixth at most, a multiple of four wide, as wide as their own ink at least."""
    lines = batch(rng)
    moved = 0
    for seed in range(20):
        change = draw_variation(12, 64, np.random.default_rng(seed))
        x = vary_lines(lines.strips, change, rng)
        assert x.shape == (12, 1, 32, change.wanted)
        assert change.wanted % 4 == 0
        assert 52 <= change.wanted <= 76
        assert change.widen(lines.widths).max() <= change.wanted
        assert (
            count_columns(change.widen(lines.widths), change.wanted, LINE_NETS["lenet-line"]).max()
            <= change.wanted // 2
        )
        moved += change.moved
    assert 10 <= moved <= 18


def test_pytorch_varies_lines_the_same(rng: np.random.Generator) -> None:
    """A change is the same with and without PyTorch, but for the noise and the fineness of what lies between pixels."""
    lines = batch(rng)
    for seed in range(8):
        change = replace(draw_variation(12, 64, np.random.default_rng(seed)), noise=np.zeros(12, np.float32))
        one, other = vary_lines(lines.strips, change, rng), vary(torch.from_numpy(lines.strips), change, 0).numpy()
        assert one.shape == other.shape
        assert np.abs(one - other).max() < 0.05


def test_every_pixel_is_as_likely(rng: np.random.Generator) -> None:
    """Wide lines come in smaller batches, no row twice, and no oftener than their share of all pixels."""
    sizes = {64: 1000, 256: 1000}
    drawn = [draw_batch(sizes, 64, rng) for _batch in range(300)]
    assert {width: len(rows) for rows, width in drawn} == {64: 192, 256: 48}
    assert all(len(set(rows.tolist())) == len(rows) for rows, _width in drawn)
    assert 0.72 < np.mean([width == 256 for _rows, width in drawn]) < 0.88


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": "2"}, "rate 2: expected 1e-08 to 1"),
        ({"rate": "fast"}, "--set rate=fast: expected a number, as 0.001"),
        ({"net": "lenet5"}, "--set net: recipe line has no such setting; it has passes, thousands"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], message: str) -> None:
    """With what it should be."""
    with pytest.raises(UsageError, match=message):
        change_line_recipe(RECIPE, settings, None)


def test_what_does_not_go_together_is_refused() -> None:
    """Replicas, other data, the engine for what it does not do, weights of another network."""
    for more in ({"replicas": 2}, {"data": "kmnist"}):
        with pytest.raises(UsageError, match="recipe line: trains one network, on lines"):
            train("line", **more)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the engine does not train batch normalisation; use --backend torch, or"):
        train("line-normalised", backend="engine")
    with pytest.raises(UsageError, match="device cuda: the engine runs on the CPU; use --backend torch for it"):
        train("line", backend="engine", device="cuda")
    with pytest.raises(UsageError, match="backend 'jax': expected engine or torch"):
        train("line", backend="jax")
    with pytest.raises(UsageError, match="init lenet5-reader: weights of lenet5-reader; give some of lenet-line"):
        train_lines(RECIPE, Path("never"), init="lenet5-reader")


@pytest.mark.parametrize("maps", [192, 64])
def test_a_larger_network_begins_with_all_that_a_smaller_one_knows(maps: int) -> None:
    """Grown from weights of a network with fewer layers, and fewer maps, lenet-line-long scores strips as these do."""
    name, line = "lenet-line-long", LINE_NETS["lenet-line"]
    layers = [replace(each, maps=maps) if each.name in ("C10", "C11") else each for each in line.layers]
    small = replace(line, layers=tuple(layers))
    given = Weights(small, draw_tensors(small, "he", np.random.default_rng(0)))
    grown = Weights(LINE_NETS[name], grow_tensors(given, LINE_NETS[name], np.random.default_rng(1)))
    assert sum(each.size for each in grown.tensors.values()) > sum(each.size for each in given.tensors.values())
    strips = np.random.default_rng(2).integers(0, 256, (2, 32, 96), dtype=np.uint8)
    expected = LineNetwork(given, threads=1).column_scores(strips)
    np.testing.assert_allclose(LineNetwork(grown, threads=1).column_scores(strips), expected, atol=1e-4)


def test_a_network_is_not_grown_from_a_larger_one() -> None:
    """Weights with more maps or layers than a network has are refused, by the layer's name."""
    short, long = LINE_NETS["lenet-line"], LINE_NETS["lenet-line-long"]
    wide = replace(short, name="wide", layers=(replace(short.layers[0], maps=32), *short.layers[1:]))  # type: ignore[arg-type]
    larger = {net: Weights(net, draw_tensors(net, "he", np.random.default_rng(0)), name="mine") for net in (long, wide)}
    with pytest.raises(UsageError, match="init mine: lenet-line-long has C12; lenet-line has not"):
        grow_tensors(larger[long], short, np.random.default_rng(0))
    with pytest.raises(UsageError, match=r"init mine: its C1 is \(32, 1, 5, 5\); lenet-line-long has \(24, 1, 5, 5\)"):
        grow_tensors(larger[wide], long, np.random.default_rng(0))


def test_the_rate_rises_and_falls() -> None:
    """From a twentieth to its highest, and along a cosine to nothing."""
    rates = [RECIPE.rate_at(share) for share in (0, RECIPE.warm, 0.5, 1)]
    assert rates[0] == pytest.approx(RECIPE.rate / 20)
    assert rates[1] == pytest.approx(RECIPE.rate)
    assert rates[1] > rates[2] > rates[3] == pytest.approx(0)
    assert LINE_NETS[RECIPE.net].reads_lines


def test_the_engine_trains_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalisation and devices are PyTorch's; without it one line says what to install."""
    assert isinstance(choose_line_backend(RECIPE, 0, None, None, None), EngineLines)
    assert isinstance(choose_line_backend(NORMALISED, 0, None, None, "cpu"), TorchLines)
    monkeypatch.setitem(sys.modules, "lenet.training.line_torch", None)
    with pytest.raises(MissingExtra, match="PyTorch"):
        choose_line_backend(NORMALISED, 0, None, None, None)


def test_a_run_leaves_its_record_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small pass from shipped weights: its line, weights that read; finished, --resume gives the same result."""
    needs_strokes()
    monkeypatch.setattr("lenet.training.line_run._WATCHED", 40)
    monkeypatch.setattr("lenet.training.line_run._THOUSAND", 100)
    settings = {"thousands": "1", "repeats": "1", "batch": "8", "window": "1", "rate": "1e-6"}
    more = {"passes": 1, "init": "lenet-line", "settings": settings}
    monkeypatch.setattr("lenet.training.line_run.find_fonts", lambda: Fonts(missing=("fonts-a 1.0", "fonts-b 2.0")))
    with pytest.warns(UserWarning, match="fonts: fonts-a 1.0, fonts-b 2.0: not here, or other versions; lines are"):
        result = train("line", out=tmp_path / "run", **more)  # type: ignore[arg-type]
    assert result["n"] == 40
    assert result["errors"] < 30
    assert result["backend"] == "engine"
    assert len(RunFolder(tmp_path / "run").log()) == 1
    assert (tmp_path / "run" / "weights.safetensors").exists()
    monkeypatch.setattr("lenet.training.line_run.find_fonts", lambda: NO_FONTS)
    again = train("line", out=tmp_path / "run", resume=True, **more)  # type: ignore[arg-type]
    assert again["errors"] == result["errors"]


def test_only_pinned_fonts_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By checksum, wherever they lie in the folder; a package of which a file is missing or another is named."""
    (tmp_path / "some" / "where").mkdir(parents=True)
    for name in ("a.ttf", "b.otf"):
        (tmp_path / "some" / "where" / name).write_bytes(name.encode())
    digest = hashlib.sha256(b"a.ttf").hexdigest()
    packages = (
        FontPackage("fonts-a", "1.0", "OFL 1.1", "hand", {"a.ttf": digest}),
        FontPackage("fonts-b", "2.0", "OFL 1.1", "print", {"b.otf": digest, "c.ttf": digest}),
    )
    monkeypatch.setattr(fonts, "PACKAGES", packages)
    monkeypatch.setenv("LENET_FONTS", str(tmp_path))
    found = fonts.find_fonts.__wrapped__()
    assert found == Fonts((), (str(tmp_path / "some" / "where" / "a.ttf"),), ("fonts-b 2.0",))
    assert all(len(digest) == 64 for package in PACKAGES for digest in package.files.values())
    assert all("OFL" in package.licence for package in PACKAGES if package.kind == "hand")


def test_a_pass_is_the_same_for_any_number_of_processes() -> None:
    """One and two make the same lines, in the same order."""
    needs_strokes()
    found = []
    for processes in (1, 2):
        with LineSource(3, 2, processes=processes) as source:
            found.append(source.take(5))
    assert found[0].keys() == found[1].keys()
    for width, one in found[0].items():
        assert (one.strips == found[1][width].strips).all()
        assert (one.labels == found[1][width].labels).all()
