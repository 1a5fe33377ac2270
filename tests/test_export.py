"""Exports answer what the engine answers; the C in 8 bits does what its twin does, to the bit; imports are exact."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lenet.cli import main
from lenet.data import dataset
from lenet.data.dataset import Dataset
from lenet.engine import Network, load
from lenet.errors import DataError, LenetError, UsageError, WeightsError
from lenet.export import export
from lenet.export.c_source import float_source, int8_source
from lenet.export.c_text import CHECK
from lenet.export.hub_cards import write_hub_folders
from lenet.export.parity import Answers, ten_digits
from lenet.export.quantised import quantise, run, scores
from lenet.export.to_c import vectors_text
from lenet.native.dispatch import chosen_engine
from lenet.network.initialisation import draw_tensors
from lenet.network.inputs import to_input, to_wide_input
from lenet.network.spec import NETS
from lenet.network.weights import Weights, list_line_weights, list_shipped, load_weights, save_weights
from lenet.preprocessing.decode import open_page

from conftest import ROOT

CC = shutil.which("cc")
needs_cc = pytest.mark.skipif(CC is None, reason="needs a C compiler")


def network(name: str, rng: np.random.Generator) -> Network:
    """A network of the table with drawn weights."""
    return Network(
        Weights(NETS[name], draw_tensors(NETS[name], "efficient-backprop", rng), 1.3, {}, name), chosen_engine()
    )


def glyphs(n: int, rng: np.random.Generator) -> np.ndarray:
    """Noise and blocks, as no digit is."""
    found = rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)
    found[: n // 2, 4:24, 4:24] = 0
    found[: n // 2, 8:20, 10:16] = rng.integers(100, 256, (n // 2, 1, 1))
    return found


@pytest.mark.parametrize("name", NETS)
@pytest.mark.engine
def test_onnx_gives_the_engines_scores(name: str, rng: np.random.Generator) -> None:
    """From grey levels to scores and probabilities, and along a wide field; nodes are named as the layers."""
    onnxruntime = pytest.importorskip("onnxruntime")
    from lenet.export.onnx_graph import glyph_model, wide_model

    ours, shown = network(name, rng), glyphs(20, rng)
    session = onnxruntime.InferenceSession(glyph_model(ours.weights), providers=["CPUExecutionProvider"])
    found, probs = session.run(["scores", "probabilities"], {"glyphs": shown})
    expected = ours.scores(shown)
    assert np.abs(found - expected).max() <= 1e-5 * max(1, np.abs(expected).max())
    assert np.abs(probs - ours.probabilities(shown)).max() < 1e-4
    greys = rng.integers(0, 256, (32, 81)).astype(np.uint8)
    wide = onnxruntime.InferenceSession(wide_model(ours.weights), providers=["CPUExecutionProvider"])
    along = ours.forward(to_wide_input(greys))
    theirs = wide.run(None, {"greys": greys[None]})[0]
    assert theirs.shape == along.shape
    assert np.abs(theirs - along).max() <= 1e-5 * max(1, np.abs(along).max())
    import onnx

    nodes = {node.name for node in onnx.load_model_from_string(glyph_model(ours.weights)).graph.node}
    assert {layer.name for layer in NETS[name].layers} <= nodes


def compiled(folder: Path, name: str, source: tuple[str, str], score: str, count: int, shown: np.ndarray) -> np.ndarray:
    """What an exported C file says of glyphs, compiled as strictly as can be."""
    text, header = source
    for file, words in ((f"{name}.c", text), (f"{name}.h", header)):
        (folder / file).write_text(words)
    (folder / "check.c").write_text(CHECK.format(name=name, score=score, count=count, value=""))
    assert CC is not None
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-fsanitize=undefined,address"]
    subprocess.run([CC, *flags, "-o", "check", "check.c", f"{name}.c", "-lm"], cwd=folder, check=True)
    done = subprocess.run([folder / "check"], input=shown.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, "<f4" if score == "float" else "<i4").reshape(len(shown), count)


@needs_cc
@pytest.mark.parametrize("name", NETS)
@pytest.mark.engine
def test_the_c_of_every_network_scores_the_same(name: str, rng: np.random.Generator, tmp_path: Path) -> None:
    """In floats as the engine, in 8 bits as the twin to the bit; no warning, no undefined behaviour."""
    ours, shown = network(name, rng), glyphs(12, rng)
    plain = name.replace("-", "_")
    expected = ours.scores(shown)
    found = compiled(tmp_path, plain, float_source(ours.weights, plain), "float", ours.net.outputs, shown)
    assert np.abs(found - expected).max() <= 2e-5 * max(1, np.abs(expected).max())
    model = quantise(ours, glyphs(64, rng))
    whole = compiled(tmp_path, plain, int8_source(model, plain), "int32_t", ours.net.outputs, shown)
    assert (whole == scores(model, shown)).all()


@pytest.mark.parametrize("name", ["lenet5-reader", "lenet5-1998", "lenet5", "lenet5-ascii"])
@pytest.mark.engine
def test_eight_bits_are_near_the_floats(name: str) -> None:
    """Every layer of ten digits is within a few steps of its scale, and they are answered alike."""
    ours = load(name)
    shown = ten_digits()
    model = quantise(ours, shown)
    inside = ours.activations(shown)
    for (layer, values), record in zip(list(run(model, shown))[1:-1], model.layers, strict=False):
        told = record.scale * (values.astype(np.float64) - record.zero)
        assert np.abs(told - inside[layer]).mean() < 4 * record.scale
    assert (scores(model, shown).argmax(axis=1) == ours.scores(shown).argmax(axis=1)).all()


@pytest.mark.engine
def test_values_near_zero_have_a_scale_of_their_own() -> None:
    """Those of S4 in `lenet5-ascii` are within 0.04: a hundred steps and more, where 1.7 for all would leave three."""
    ours, shown = load("lenet5-ascii"), ten_digits()
    assert np.abs(ours.activations(shown)["S4"]).max() < 0.05
    values = dict(run(quantise(ours, shown), shown))["S4"]
    assert len(np.unique(values)) > 100
    tensors = {name: np.zeros_like(tensor) for name, tensor in ours.weights.tensors.items()}
    dead = quantise(Network(replace(ours.weights, tensors=tensors)), shown)
    assert not np.any(dict(run(dead, shown))["S4"])


@pytest.mark.engine
def test_the_ten_digits_are_those_of_the_examples(tmp_path: Path) -> None:
    """As a reader sees them today, and answered right by the default."""
    made = tmp_path / "digits.png"
    subprocess.run([sys.executable, str(ROOT / "examples" / "make_digits.py"), str(made)], check=True)
    assert (open_page(made).grey == np.hstack(ten_digits())).all()
    assert load().scores(ten_digits())[:, :10].argmax(axis=1).tolist() == list(range(10))


@needs_cc
@pytest.mark.engine
def test_an_export_in_c_is_whole(
    mnist: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command: parity on test digits, vectors that the compiled file prints again, a report beside it."""
    few = replace(mnist, test=mnist.test.where(np.arange(len(mnist.test)) < 1_000))
    monkeypatch.setattr("lenet.export.dataset.load", lambda _name: few)
    with pytest.raises(SystemExit) as left:
        main(["export", "lenet5-reader", "--format", "c", "--int8", "-o", str(tmp_path / "out"), "--json"])
    assert not left.value.code
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["n"] == 1_000
    assert report["errors"] - report["errors_here"] <= 5
    assert report["vectors"].startswith("identical")
    if shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm"):
        assert report["cortex_m"]["vectors"] == "identical, byte for byte"
        assert (tmp_path / "out" / "chip.out").read_bytes() == (tmp_path / "out" / "vectors.txt").read_bytes()
    text = (tmp_path / "out" / "lenet5_reader.c").read_text()
    assert not {"malloc", "float", "double", "#include <math.h>"} & set(text.replace("(", " ").split())


@pytest.mark.engine
def test_vectors_are_text_that_a_bench_can_read(rng: np.random.Generator) -> None:
    """A name and a number, then so many whole numbers; every layer of every digit."""
    model = quantise(load("lenet5-1998"), ten_digits())
    lines = vectors_text(model, ten_digits()).splitlines()
    assert [line for line in lines if line.startswith("digit")] == [f"digit {digit}" for digit in range(10)]
    at = lines.index("C3 1600")
    assert sum(len(line.split()) for line in lines[at + 1 : at + 51]) == 1600
    assert lines.count("S2 1176") == lines.count("scores 10") == 10


@pytest.mark.engine
def test_pytorch_takes_it_from_a_folder(mnist: Dataset, tmp_path: Path) -> None:
    """save_pretrained and from_pretrained with the network off, torch.export, and torch.hub from a clone."""
    pytest.importorskip("huggingface_hub")
    torch = pytest.importorskip("torch")
    report = export("lenet5-modern", "pytorch", tmp_path / "out")
    assert report["answers_that_differ"] == 0
    assert (tmp_path / "out" / "README.md").read_text().startswith("---\nlicense: mit")
    model = torch.hub.load(str(ROOT), "lenet5_modern", source="local")
    x = torch.from_numpy(to_input(ten_digits()))
    assert np.abs(model(x).detach().numpy() - load("lenet5-modern").scores(ten_digits())).max() < 1e-4


# Run where the package was copied to, by itself, as a wheel installs it; an editable install's finder is left out.
INSTALLED = """
import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path
sys.meta_path[:] = [BuiltinImporter, FrozenImporter, PathFinder]
site, given = Path(sys.argv[1]), sys.argv[2:]
sys.path.insert(0, str(site))
import numpy as np
import lenet
from lenet.data.dataset import Dataset, Digits
from lenet.export import dataset, export
from lenet.export.parity import ten_digits
assert Path(lenet.__file__).is_relative_to(site)
ten = Digits(ten_digits(), np.arange(10, dtype=np.uint8))
dataset.load = lambda _name: Dataset("mnist", ten, ten, "none", np.zeros(10, bool))
for out, name in zip(given[::2], given[1::2]):
    print(export(name, "pytorch", Path(out))["files"])
"""


def test_an_installed_lenet_exports_the_model_card_too(tmp_path: Path) -> None:
    """Away from the checkout the folder has the shipped network's card; weights of one's own have no other's."""
    pytest.importorskip("huggingface_hub")
    installed = tmp_path / "site" / "lenet"
    shutil.copytree(ROOT / "src" / "lenet", installed, ignore=shutil.ignore_patterns("__pycache__"))
    own = tmp_path / "lenet5-reader.safetensors"
    shutil.copy(installed / "assets" / "lenet5.safetensors", own)
    given = [str(tmp_path / "site"), str(tmp_path / "shipped"), "lenet5-reader", str(tmp_path / "own"), str(own)]
    command = [sys.executable, "-W", "ignore", "-c", INSTALLED, *given]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    readme = {name: (tmp_path / name / "README.md").read_text(encoding="utf-8") for name in ("shipped", "own")}
    card = list_shipped()["lenet5-reader"].with_suffix(".md").read_text(encoding="utf-8")
    assert readme["shipped"].startswith("---\nlicense: mit")
    assert readme["shipped"].endswith(card)
    assert "errors out of" not in readme["own"]


def test_every_weights_file_goes_to_the_hub_with_its_card(tmp_path: Path) -> None:
    """A folder each; the Hub's own reader finds licence, data and the accuracy that the card has in words."""
    hub = pytest.importorskip("huggingface_hub")
    shipped = list_shipped() | list_line_weights()
    assert [folder.name for folder in write_hub_folders(tmp_path / "hub")] == list(shipped)
    for name, path in shipped.items():
        folder = tmp_path / "hub" / name
        assert (folder / path.name).read_bytes() == path.read_bytes()
        card = hub.ModelCard.load(folder / "README.md")
        assert card.data.license == "mit"
        assert card.text.strip() == path.with_suffix(".md").read_text(encoding="utf-8").strip()
        characters = name in {"lenet5-ascii", "lenet5-characters"}
        assert ("unipen" in card.data.tags) == (characters or name in {"lenet5-hands", "lenet-line", "lenet-cell"})
        assert card.data.datasets == (None if characters else ["ylecun/mnist"])
        assert not (characters and card.data.eval_results)
        if name == "lenet5-modern":
            (found,) = card.data.eval_results
            assert (found.dataset_type, found.metric_type, found.metric_value) == ("ylecun/mnist", "accuracy", 0.9965)
    command = [sys.executable, "-m", "lenet.export.hub_cards"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "hub_cards: expected one folder; python -m lenet.export.hub_cards OUT\n"


def test_without_mnist_it_is_told_what_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of the set that is missing, and what compares without it."""

    def refuse(_name: str) -> Dataset:
        raise DataError("mnist: a.gz", "not found here", "put it there")

    monkeypatch.setattr(dataset, "load", refuse)
    with pytest.raises(DataError) as told:
        export("lenet5", "onnx", tmp_path / "x.onnx")
    line = "mnist: a.gz: not found here; put it there; or compare on ten digits: --check examples"
    assert str(told.value) == line


@pytest.mark.parametrize("form", ["onnx", "c"])
def test_without_mnist_ten_digits_are_compared(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that come with lenet, all answered alike; the report says how many they were."""
    monkeypatch.setattr(dataset, "load", lambda _name: pytest.fail("MNIST was asked for"))
    report = export("lenet5-modern", form, tmp_path / "out.onnx", check="examples")
    assert (report["n"], report["answers_that_differ"], report["errors"]) == (10, 0, 0)


def test_an_export_that_answers_otherwise_is_refused(rng: np.random.Generator) -> None:
    """One other answer of floats is too many; in 8 bits five lost ones are borne."""
    truth = np.eye(10, dtype=np.float32)[np.arange(100) % 10]
    answers = Answers(glyphs(100, rng), (np.arange(100) % 10).astype(np.uint8), truth)
    found = truth.copy()
    found[3] = np.roll(found[3], 1)
    assert answers.compared("x", found, exact=False)["errors"] == 1
    with pytest.raises(LenetError, match="1 of 100 answers differ"):
        answers.compared("x", found)
    found[:6] = np.roll(truth[:6], 1, axis=1)
    with pytest.raises(LenetError, match="6 of 100 answers differ"):
        answers.compared("x", found, exact=False)


@pytest.mark.parametrize(
    ("form", "options", "message"),
    [
        ("onyx", {}, "--format onyx: expected onnx, c, pytorch, html"),
        ("onnx", {"int8": True}, "--int8: goes with --format c, not onnx"),
        ("onnx", {"check": "cifar"}, "--check cifar: expected mnist or examples"),
        ("c", {"int8": True, "check": "examples"}, "--int8: takes its ranges from MNIST's digits; leave out --check"),
    ],
)
def test_wrong_exports_are_refused(form: str, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    """One line each."""
    with pytest.raises(UsageError, match=message):
        export("lenet5", form, tmp_path / "x", **options)


def stranger(torch: object, activation: str, pooling: str, padding: int) -> object:
    """A LeNet-5 as others write it, with plain layers of PyTorch."""
    from torch import nn

    act = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[activation]
    pool = nn.MaxPool2d if pooling == "max" else nn.AvgPool2d
    torch.manual_seed(5)  # type: ignore[attr-defined]
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=padding), act(), pool(2)),
        *(nn.Conv2d(6, 16, 5), act(), pool(2), nn.Flatten()),
        *(nn.Linear(400, 120), act(), nn.Linear(120, 84), act(), nn.Linear(84, 10)),
    )


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize(
    ("pooling", "padding", "paper", "pen"),
    [("max", 2, 0.0, 1.0), ("average", 0, -0.4242, 2.8215), ("max", 0, -1.0, 1.0)],
)
@pytest.mark.engine
def test_a_state_dict_becomes_ours_exactly(
    activation: str, pooling: str, padding: int, paper: float, pen: float, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Their scores of their input are ours of ours: ranges are folded, tanh becomes a squash; saved, loaded, read."""
    torch = pytest.importorskip("torch")
    from lenet.export.import_model import import_model

    model = stranger(torch, activation, pooling, padding)
    file = tmp_path / "theirs.pt"
    torch.save(model.state_dict(), file)  # type: ignore[attr-defined]
    ours = import_model(file, activation=activation, pooling=pooling, paper=paper, pen=pen, padding=padding)
    save_weights(tmp_path / "ours.safetensors", ours)
    shown = glyphs(16, rng)
    field = np.pad(shown, ((0, 0), (0, 0), (0, 0)) if padding else ((0, 0), (2, 2), (2, 2)))
    theirs = torch.from_numpy((paper + (pen - paper) * field / 255).astype(np.float32))[:, None]
    expected = model(theirs).detach().numpy()  # type: ignore[operator]
    found = load(tmp_path / "ours.safetensors").scores(shown)
    assert np.abs(found - expected).max() < 1e-4 * max(1, np.abs(expected).max())


def test_onnx_safetensors_and_keras_files_become_ours(tmp_path: Path, rng: np.random.Generator) -> None:
    """The same network in each of them gives the same weights; Keras has its channels last."""
    torch = pytest.importorskip("torch")
    h5py = pytest.importorskip("h5py")
    onnx = pytest.importorskip("onnx")
    from safetensors.numpy import save_file

    from lenet.export.import_model import import_model
    from lenet.export.onnx_graph import input_model

    state = {name: each.numpy() for name, each in stranger(torch, "relu", "max", 0).state_dict().items()}  # type: ignore[attr-defined]
    torch.save({name: torch.from_numpy(each) for name, each in state.items()}, tmp_path / "a.pt")
    expected = import_model(tmp_path / "a.pt", paper=-0.1, pen=1.175)
    save_file(dict(sorted(state.items())), tmp_path / "a.safetensors")
    (tmp_path / "a.onnx").write_bytes(input_model(expected))
    names = list(state)
    with h5py.File(tmp_path / "a.h5", "w") as tree:
        for number, layer in enumerate(("conv2d", "conv2d_1", "dense", "dense_1", "dense_2")):
            weight, bias = state[names[2 * number]], state[names[2 * number + 1]]
            if weight.ndim == 4:
                weight = weight.transpose(2, 3, 1, 0)
            elif weight.shape[1] == 400:
                weight = weight.reshape(-1, 16, 5, 5).transpose(2, 3, 1, 0).reshape(400, -1)
            else:
                weight = weight.T
            tree[f"model_weights/{layer}/{layer}/kernel:0"], tree[f"model_weights/{layer}/{layer}/bias:0"] = (
                weight,
                bias,
            )
    del onnx
    for name in ("a.safetensors", "a.onnx", "a.h5"):
        found = import_model(tmp_path / name, paper=-0.1, pen=1.175)
        for tensor, values in expected.tensors.items():
            assert np.abs(found.tensors[tensor] - values).max() < 1e-6, (name, tensor)


def test_what_cannot_be_brought_is_told(tmp_path: Path) -> None:
    """A pickle with code, another shape, a padded margin that is no paper, unknown endings and options."""
    torch = pytest.importorskip("torch")
    from lenet.export.import_model import import_model

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    torch.save({"weight": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(WeightsError, match="holds more than weights, or is damaged; save it with torch.save"):
        import_model(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()
    torch.save(torch.nn.Linear(4, 3).state_dict(), tmp_path / "small.pt")
    with pytest.raises(WeightsError, match=r"2 tensors: weight \(3, 4\), bias \(3,\); expected 5 matrices"):
        import_model(tmp_path / "small.pt")
    with pytest.raises(UsageError, match="its margin of zeros is not paper, and cannot be folded exactly"):
        import_model(tmp_path / "small.pt", padding=2, paper=-0.4)
    with pytest.raises(UsageError, match="activation gelu: expected relu, sigmoid, squash, tanh"):
        import_model(tmp_path / "small.pt", activation="gelu")
    (tmp_path / "x.pkl").write_bytes(b"")
    with pytest.raises(WeightsError, match="ends in .pkl; expected one of"):
        import_model(tmp_path / "x.pkl")
    for name in ("x.pt", "x.h5", "x.onnx", "x.safetensors"):
        (tmp_path / name).write_bytes(b"not a file of theirs")
        with pytest.raises(WeightsError):
            import_model(tmp_path / name)
    with pytest.raises(WeightsError, match="no such file"):
        import_model(tmp_path / "missing.pt")


def test_import_is_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It writes weights that load, and says which network they are of."""
    torch = pytest.importorskip("torch")
    state = stranger(torch, "tanh", "average", 2).state_dict()  # type: ignore[attr-defined]
    torch.save(state, tmp_path / "theirs.pth")
    options = [
        "--activation",
        "tanh",
        "--pooling",
        "average",
        "--padding",
        "2",
        "-o",
        str(tmp_path / "ours.safetensors"),
    ]
    with pytest.raises(SystemExit) as left:
        main(["import", str(tmp_path / "theirs.pth"), *options])
    assert not left.value.code
    assert "\tlenet5\t" in capsys.readouterr().out
    assert load_weights(tmp_path / "ours.safetensors").net.name == "lenet5"
