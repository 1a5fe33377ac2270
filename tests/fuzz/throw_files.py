"""Files: archives, tables, idx, weights, run folders, jobs, and networks of other libraries."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mutate import mutate_bytes, mutate_json, mutate_text
from safetensors.numpy import save
from throw_pictures import make_files

from lenet.bulk.inputs import list_pictures, open_pictures
from lenet.bulk.outputs import open_output
from lenet.data import idx
from lenet.engine import Network, load
from lenet.export.import_model import import_model
from lenet.network.weights import list_shipped, load_weights
from lenet.training.run import RunFolder


@cache
def make_stores() -> dict[str, bytes]:
    """Return an archive of each kind, a table and an idx file, of a few pictures each."""
    members = [(f"page {number}.png", data) for number, data in enumerate(make_files()[:4])]
    found: dict[str, bytes] = {}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    found[".zip"] = out.getvalue()
    for ending, mode in ((".tar", "w"), (".tar.gz", "w:gz"), (".tar.bz2", "w:bz2"), (".tar.xz", "w:xz")):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as tape:  # type: ignore[call-overload]
            for name, data in members:
                member = tarfile.TarInfo(f"{'deep/' * 30}{name}")
                member.size = len(data)
                tape.addfile(member, io.BytesIO(data))
        found[ending] = out.getvalue()
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"path": [name for name, _data in members], "image": [{"bytes": data} for _name, data in members]})
    pq.write_table(table, out := io.BytesIO())
    found[".parquet"] = out.getvalue()
    values = np.random.default_rng(0).integers(0, 10, (3, 28, 28)).astype(np.uint8)
    found["images"] = bytes([0, 0, 8, 3]) + np.array(values.shape, ">u4").tobytes() + values.tobytes()
    found["labels"] = bytes([0, 0, 8, 1]) + np.array([3], ">u4").tobytes() + values[:, 0, 0].tobytes()
    found["writers"] = bytes([0, 0, 12, 2]) + np.array([3, 8], ">u4").tobytes() + bytes(96)
    return found


def _throw_store(rng: random.Random, folder: Path, endings: list[str]) -> None:
    stores = make_stores()
    ending = rng.choice(endings)
    data = stores[ending]
    if ending.startswith(".tar.") and rng.random() < 0.5:
        plain = mutate_bytes(rng, stores[".tar"], [stores[".tar"]])
        data, ending = gzip.compress(plain, 1), ".tar.gz"
    else:
        data = mutate_bytes(rng, data, [stores[each] for each in endings])
    path = folder / f"store{ending}"
    path.write_bytes(data)
    names = list_pictures([str(path)])
    found = [name for name, _source in open_pictures(names)]
    assert found == names, "each name has its turn"


def throw_archive(rng: random.Random, folder: Path) -> None:
    """Open all pictures of a damaged archive: each listed name has its turn."""
    _throw_store(rng, folder, [each for each in make_stores() if each.startswith((".zip", ".tar"))])


def throw_table(rng: random.Random, folder: Path) -> None:
    """Open all pictures of a damaged Parquet file."""
    _throw_store(rng, folder, [".parquet"])


def throw_idx(rng: random.Random, _folder: Path) -> None:
    """Unpack and parse a damaged idx file, of images, labels or writers."""
    seeds = [make_stores()[kind] for kind in ("images", "labels", "writers")]
    data = mutate_bytes(rng, rng.choice(seeds), seeds)
    if rng.random() < 0.5:
        data = gzip.compress(data, 1)
        data = mutate_bytes(rng, data, [data]) if rng.random() < 0.5 else data
    array = idx.parse_idx(idx.decompress(data, "file"), "file")
    (idx.as_images(array, "file") if array.ndim == 3 else idx.as_labels(array, "file", 3))


@cache
def make_weights() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the cards and tensors of two shipped networks: one reads numbers, one a digit."""
    found = []
    for name in ("lenet5-hands", "lenet5"):
        weights = load_weights(list_shipped()[name])
        data = list_shipped()[name].read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        found.append((json.loads(header["__metadata__"]["lenet"]), dict(weights.tensors)))
    load("lenet5-hands")
    return found


def _write_weights(rng: random.Random, path: Path) -> None:
    card, tensors = rng.choice(make_weights())
    given = mutate_json(rng, card)
    tensors = dict(tensors)
    if rng.random() < 0.3:
        name = rng.choice(list(tensors))
        shape = rng.choice((tensors[name].shape, tensors[name].shape[::-1], (1,), ()))
        tensors[name] = np.full(
            shape, rng.choice((np.nan, np.inf, 1e38, 0)), rng.choice((np.float32, np.float16, np.int8))
        )
    data = save(tensors, metadata={"lenet": given.decode(errors="replace")})
    path.write_bytes(mutate_bytes(rng, data, [data]) if rng.random() < 0.2 else data)


def throw_weights(rng: random.Random, folder: Path) -> None:
    """Load damaged weights; those that are taken answer a picture with a number that is one."""
    path = folder / "weights.safetensors"
    _write_weights(rng, path)
    weights = load_weights(path)
    assert isinstance(weights.test_errors, int | None)
    network = Network(weights)
    if rng.random() < 0.2:
        from lenet.reader import read, read_options

        reading = read(make_files()[0], network, read_options(network))
        assert 0 <= reading.confidence <= 1, reading.confidence


def throw_run_folder(rng: random.Random, folder: Path) -> None:
    """Take up a run whose files are damaged."""
    run = folder / "run"
    run.mkdir(exist_ok=True)
    for each in run.iterdir():
        each.unlink()
    recipe = {"name": "quick", "passes": 2, "rate": 0.1}
    task = {"recipe": recipe, "seeds": [0], "data": {"name": "mnist", "checksum": "0"}}
    log = "".join(json.dumps({"pass": each, "loss": [0.5], "seconds": 1.0}) + "\n" for each in (1, 2))
    given = {
        "recipe.json": json.dumps(task),
        "environment.json": json.dumps({"commit": "0", "torch": None, "numpy": "2", "engine": "avx2"}),
        "log.jsonl": log,
    }
    for name, text in given.items():
        (run / name).write_text(text)
    (run / "state.safetensors").write_bytes(save({"passes": np.array(2), "weight": np.zeros(3, np.float32)}))
    name = rng.choice((*given, "state.safetensors", "log.jsonl"))
    if name == "state.safetensors":
        (run / name).write_bytes(mutate_bytes(rng, (run / name).read_bytes(), [b"\x00" * 8]))
    elif name == "log.jsonl":
        (run / name).write_bytes(mutate_text(rng, log, [log]))
    else:
        (run / name).write_bytes(mutate_json(rng, json.loads(given[name])))
    taken = RunFolder(run)
    taken.start(task, resume=True)
    sum(line["seconds"] for line in taken.log())
    taken.state()
    taken.commit()


def throw_job(rng: random.Random, folder: Path) -> None:
    """Take up an interrupted job whose part is damaged, and end it."""
    for each in folder.iterdir():
        if each.name.startswith("out."):
            each.unlink()
    out = folder / rng.choice(("out.csv", "out.jsonl", "out.parquet"))
    lines = [{"job": {"model": "a", "best": 0}}]
    lines += [
        {"path": name, "text": "1", "confidence": 0.5, "abstained": False, "lines": [], "notes": []} for name in "ab"
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    if rng.random() < 0.5:
        place = rng.randrange(3)
        data = b"".join(
            mutate_json(rng, line) + b"\n" if number == place else json.dumps(line).encode() + b"\n"
            for number, line in enumerate(lines)
        )
    else:
        data = mutate_text(rng, text, [text])
    out.with_name(f"{out.name}.part").write_bytes(data)
    with open_output(out, {"model": "a", "best": 0}, ["a", "b", "c"], resume=True) as (put, done):
        for name in "abc"[done:]:
            put({"path": name, "text": "1", "confidence": 0.5, "abstained": False, "lines": [], "notes": []})
    assert out.exists()


@cache
def make_imports() -> dict[str, bytes]:
    """Return a network of each library that we import, all of one shape."""
    import tempfile

    import h5py
    import torch
    from torch import nn

    from lenet.export import export

    layers = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    state = layers.state_dict()
    found: dict[str, bytes] = {}
    out = io.BytesIO()
    torch.save(state, out)
    found[".pt"] = out.getvalue()
    out = io.BytesIO()
    torch.save({"state_dict": state, "epoch": 3}, out, _use_new_zipfile_serialization=False)
    found[".bin"] = out.getvalue()
    found[".safetensors"] = save({name: each.numpy() for name, each in state.items()})
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "net.h5"
        with h5py.File(file, "w") as tree:
            for number, name in enumerate(("conv2d", "conv2d_1", "dense", "dense_1", "dense_2")):
                weight, bias = list(state.values())[2 * number : 2 * number + 2]
                kernel = weight.numpy().transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.numpy().T
                tree[f"model_weights/{name}/{name}/kernel:0"], tree[f"model_weights/{name}/{name}/bias:0"] = (
                    kernel,
                    bias.numpy(),
                )
        found[".h5"] = file.read_bytes()
        export("lenet5-modern", "onnx", Path(place) / "net.onnx", check="examples")
        found[".onnx"] = (Path(place) / "net.onnx").read_bytes()
    return found


def throw_import(rng: random.Random, folder: Path) -> None:
    """Import a damaged network of another library."""
    seeds = make_imports()
    ending = rng.choice(list(seeds))
    path = folder / f"net{ending}"
    # What describes the weights stands before or behind them: the weights themselves say little.
    data = seeds[ending]
    head, tail = data[:4_000], data[-4_000:]
    if rng.random() < 0.5:
        data = mutate_bytes(rng, head, [head, tail]) + data[4_000:]
    else:
        data = data[:-4_000] + mutate_bytes(rng, tail, [head, tail])
    path.write_bytes(data)
    import_model(path)
