"""What is small and unpacks to much is known before it is unpacked: archives, networks of others, lists, cards."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save

from lenet.bulk import inputs
from lenet.bulk.inputs import list_pictures, open_pictures
from lenet.errors import LenetError, UsageError, WeightsError
from lenet.export.import_model import import_model
from lenet.network.weights import list_shipped, load_weights

from conftest import ROOT

PICTURE = (ROOT / "examples" / "thin.png").read_bytes()


def tape(path: Path, *sizes: int) -> str:
    """A compressed tar archive of a picture, members of so many zeros, and the picture once more."""
    mode = f"w:{path.name.rpartition('.')[2]}"
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for number, data in enumerate([PICTURE, *map(bytes, sizes), PICTURE]):
            member = tarfile.TarInfo(f"{number}.png" if data == PICTURE else f"{number}.bin")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return str(path)


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_a_tape_unpacks_to_so_much_and_no_more(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that is no picture has to be unpacked to get behind it: a small archive of gigabytes ends before it."""
    monkeypatch.setattr(inputs, "_LEAST_UNPACKED", 1_000_000)
    monkeypatch.setattr(inputs, "_MOST_RATIO", 1)
    small = tape(tmp_path / f"small.tar.{ending}", 900_000)
    assert [name.partition("::")[2] for name in list_pictures([small])] == ["0.png", "2.png"]
    large = tape(tmp_path / f"large.tar.{ending}", 900_000, 900_000)
    names = list_pictures([large])
    assert names == [f"{large}::0.png", large]
    (first, picture), (_last, problem) = open_pictures(names)
    assert (first, picture) == (names[0], PICTURE)
    assert "it unpacks to more than 1,0" in str(problem)


def test_real_archives_may_be_large() -> None:
    """Ten million scans in one archive are no bomb: the bound is two hundred times its own size, and a gigabyte."""
    assert (inputs._LEAST_UNPACKED, inputs._MOST_RATIO) == (1_000_000_000, 200)
    assert inputs._find_most(__file__) == 1_000_000_000 + 200 * Path(__file__).stat().st_size


def test_a_long_description_is_not_read(tmp_path: Path) -> None:
    """A name or a table of megabytes would be held whole."""
    path = tmp_path / "long.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for comment in ("short", "x" * 2_000_000):
            member = tarfile.TarInfo("a.png")
            member.size, member.pax_headers = len(PICTURE), {"comment": comment}
            archive.addfile(member, io.BytesIO(PICTURE))
    names = list_pictures([str(path)])
    assert names == [f"{path}::a.png", str(path)]
    assert "a member's description of 2,000,0" in str(list(open_pictures(names))[1][1])


def test_a_zip_archive_unpacks_to_so_much_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its members are told one by one; those before the bound are read."""
    monkeypatch.setattr(inputs, "_LEAST_UNPACKED", 2_000_000)
    monkeypatch.setattr(inputs, "_MOST_RATIO", 0)
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.png", bytes(900_000))
    found = [source for _name, source in open_pictures(list_pictures([str(path)]))]
    assert [isinstance(each, bytes) for each in found] == [True, True, False, False]
    assert "it unpacks to more than 2,000,000 bytes" in str(found[2])


def test_a_table_of_a_billion_rows_is_no_list_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without values take no space in a file, and much in a list."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(inputs, "_MOST_ROWS", 100)
    for rows in (100, 101):
        pq.write_table(pa.table({"image": pa.array([None] * rows, pa.binary())}), tmp_path / "a.parquet")
        found = list(open_pictures(list_pictures([str(tmp_path / "a.parquet")])))
        assert len(found) == (100 if rows == 100 else 1)
    assert "101 rows; at most 100 are read; split it" in str(found[0][1])


def test_a_keras_file_says_how_large_its_arrays_are(tmp_path: Path) -> None:
    """Four gigabytes that no byte of the file holds are not made."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as tree:
        tree.create_dataset("dense/kernel", shape=(1_000_000_000,), dtype="f4", chunks=(1_000_000,), compression="gzip")
    assert path.stat().st_size < 10_000
    with pytest.raises(WeightsError, match="more than 16,777,216 values"):
        import_model(path)


def test_an_archive_of_weights_says_how_large_it_is(tmp_path: Path) -> None:
    """Of Keras and PyTorch alike."""
    pytest.importorskip("torch")
    pytest.importorskip("h5py")
    for name in ("net.keras", "net.pt"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model.weights.h5", bytes(80_000_000))
        with pytest.raises(WeightsError, match="unpacks to 80,000,000 bytes; not a LeNet-5"):
            import_model(tmp_path / name)


def test_a_tensor_is_counted_by_what_it_shows(tmp_path: Path) -> None:
    """PyTorch stores a number that is repeated a billion times once."""
    torch = pytest.importorskip("torch")
    torch.save({"fc.weight": torch.zeros(1).expand(1_000_000_000)}, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match="more than 16,777,216 values"):
        import_model(tmp_path / "net.pt")


def test_a_graph_keeps_its_weights_in_itself(tmp_path: Path) -> None:
    """An ONNX file may name any other file of the machine: it is not opened."""
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    graph = onnx.helper.make_graph([], "net", [], [], [tensor])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "net.onnx")
    with pytest.raises(WeightsError, match="keeps its weights in another file; save it as one file"):
        import_model(tmp_path / "net.onnx")


def write_card(path: Path, **changes: object) -> Path:
    """Write shipped weights whose calibration has other values."""
    source = list_shipped()["lenet5-hands"]
    data = source.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    card = json.loads(header["__metadata__"]["lenet"])
    for key, value in changes.items():
        (card if key in card else card["calibration"])[key] = value
    path.write_bytes(save(load_file(source), metadata={"lenet": json.dumps(card)}))
    return path


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("temperature", 10**400, "temperature of 1329 bits; expected a number from 0.001 to 1000"),
        ("temperature", 1e-320, "temperature 1e-320; expected a number from 0.001 to 1000"),
        ("temperature", 1e300, "expected a number from 0.001 to 1000"),
        ("temperature", True, "temperature True"),
        ("temperature", "x" * 9_000, "temperature 'xxx"),
        ("confidence_weights", [10**400] * 14, "calibration confidence_weights"),
        ("error_curve", [[0, 0, 10**400]], "calibration error_curve"),
        ("rubbish_lowered_by", "much", "calibration rubbish_lowered_by: could not convert"),
        ("rubbish_lowered_by", float("nan"), "calibration rubbish_lowered_by nan; expected a finite number"),
    ],
)
def test_a_number_of_a_card_is_one_that_can_be_used(key: str, value: object, words: str, tmp_path: Path) -> None:
    """Digits by the hundred, and numbers that make nonsense of every confidence, are refused by name."""
    with pytest.raises(WeightsError) as refused:
        load_weights(write_card(tmp_path / "net.safetensors", **{key: value}))
    assert words in str(refused.value)
    assert len(str(refused.value)) < 1_000


def test_a_card_tells_only_what_it_has(tmp_path: Path) -> None:
    """What is no name and no number of errors is none, rather than a fault in who asks."""
    weights = load_weights(write_card(tmp_path / "net.safetensors", recipe=["x"], test="good", held_out=None))
    assert (weights.recipe, weights.test_errors) == (None, None)
    shipped = load_weights("lenet5-modern")
    assert (shipped.recipe, shipped.test_errors) == ("taught", 35)


def test_an_error_is_one_line_of_bounded_length() -> None:
    """Whatever is named: what moves a terminal's pen is written out, and of what is endless the ends are kept."""
    error = UsageError("a\x1b[2J\nb\x9b", "x" * 5_000 + "end", "do\x07 it")
    assert str(error).startswith(r"a\x1b[2J b\x9b: xxx")
    assert str(error).endswith(r"xend; do\x07 it")
    assert len(str(error)) < 1_100
    assert str(LenetError("Größe 図.png", "déjà vu")) == "Größe 図.png: déjà vu"
