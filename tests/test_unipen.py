"""UNIPEN's format into arrays: ink, delineations, units; only pinned samples, whole or not at all; the download."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.cli import main
from lenet.data import unipen_sets
from lenet.data.strokes import load_strokes
from lenet.data.unipen import normalise_strokes, read_ink, read_segments
from lenet.data.unipen_sets import SETS, PinnedSet, convert_archive, digest_sample, load_pinned, pin_set, read_archive
from lenet.errors import DataError
from test_fetch import Server, cache, server

__all__ = ["cache", "server"]
INK = """.COORD X Y T
.X_POINTS_PER_INCH 200
.Y_POINTS_PER_INCH 100
.PEN_DOWN
10 50 0
10 50 1
14 40 2
.PEN_UP
.PEN_UP
16 40 3
.PEN_DOWN
20 50 4
20 30 5
"""
SEGMENTS = """.INCLUDE a/ink.dat
.SEGMENT CHARACTER 0 ? "1"
.SEGMENT CHARACTER 0-1 OK "4"
.SEGMENT CHARACTER 1:0-1:0 OK "."
.SEGMENT CHARACTER 7 OK "9"
.SEGMENT WORD 0,1 OK "a\\"b"
"""


def segments(contributor: str, text: str = SEGMENTS) -> list[tuple[str, list[list[list[int]]]]]:
    """Labels and strokes of a file by a contributor."""
    found = read_segments(text, contributor, lambda name: INK if name == "a/ink.dat" else "")
    return [(each.label, [stroke.tolist() for stroke in each.strokes]) for each in found]


def test_ink_has_its_units_and_columns() -> None:
    """x is brought into the unit of y; what stands behind the coordinates is left alone."""
    ink = read_ink(INK)
    assert ink.down == (True, False, False, True)
    assert [points.tolist() for points in ink.points[::3]] == [[[5, 50], [5, 50], [7, 40]], [[10, 50], [10, 30]]]


def test_segments_point_at_strokes() -> None:
    """Turned downwards, from 0, no point twice; a component that is not there leaves the segment out."""
    four = [[[0, 0], [2, 10]], [[5, 0], [5, 20]]]
    assert segments("apa") == [("1", [[[0, 0], [2, 10]]]), ("4", four), (".", [[[0, 0]]]), ('a"b', four)]


def test_some_contributors_count_what_the_pen_did_above_the_paper() -> None:
    """Component 1 is then the movement between the strokes, of which nothing is kept."""
    text = '.INCLUDE a/ink.dat\n.SEGMENT CHARACTER 0-2 OK "4"\n.SEGMENT CHARACTER 1 OK "."\n'
    assert segments("pri", text) == [("4", [[[0, 0], [2, 10]], [[5, 0], [5, 20]]])]
    assert segments("apa", text) == [(".", [[[0, 0], [0, 20]]])]


@given(st.lists(st.lists(st.tuples(*[st.integers(-9000, 9000)] * 2), min_size=1, max_size=6), min_size=1, max_size=3))
def test_strokes_are_in_a_box(strokes: list[list[tuple[int, int]]]) -> None:
    """From 0 to 4,096 at most, as many strokes as given, the shape kept to a unit."""
    given_strokes = [np.array(stroke, np.float64) for stroke in strokes]
    placed = normalise_strokes(given_strokes)
    every, before = np.concatenate(placed), np.concatenate(given_strokes)
    assert len(placed) == len(strokes)
    assert (every.min(axis=0) == 0).all()
    assert every.max() <= 4096
    extent = np.ptp(before, axis=0)
    assert np.abs(np.ptp(every, axis=0) - extent * min(1, 4096 / max(1, extent.max()))).max() <= 1
    assert all((np.diff(stroke, axis=0) != 0).any(axis=1).all() for stroke in placed)


def make_archive(path: Path, more: dict[str, str] | None = None) -> Path:
    """A collection of two contributors, in a folder of its own as a repository's archive has it."""
    with zipfile.ZipFile(path, "w") as archive:
        files = {"include/a/ink.dat": INK, "data/1a/apa/x/0.dat": SEGMENTS, "data/1a/gmd/x/0.dat": SEGMENTS}
        for name, text in {**files, **(more or {})}.items():
            archive.writestr(f"train_r01_v07-1/{name}", text)
    return path


def make_pinned() -> dict[str, PinnedSet]:
    """What pins the "1" and the "4" of the contributor apa, in that set's own order."""
    arrays = {
        "points": np.array([[0, 0], [2, 10], [5, 0], [5, 20], [0, 0], [2, 10]], np.int16),
        "strokes": np.array([0, 2, 4, 6], np.int32),
        "samples": np.array([0, 2, 3], np.int32),
        "label": np.array(["4", "1"]),
        "contributor": np.array(["apa", "apa"]),
        "writer": np.array(["apx-1", "apx-2"]),
    }
    return {"train-digits": pin_set(arrays)}


def test_only_pinned_samples_are_kept(tmp_path: Path) -> None:
    """In the pinned order, with the pinned writers; nobody else's, whatever the collection holds."""
    (path,) = convert_archive(make_archive(tmp_path / "a.zip"), tmp_path, make_pinned())
    with np.load(path, allow_pickle=False) as found:
        assert found["label"].tolist() == ["4", "1"]
        assert found["writer"].tolist() == ["apx-1", "apx-2"]
        assert found["samples"].tolist() == [0, 2, 3]
        assert found["points"].dtype == np.int16


def test_a_sample_that_is_missing_stops_all(tmp_path: Path) -> None:
    """Where it is more than a few: nothing is written."""
    archive = make_archive(tmp_path / "a.zip", {"data/1a/apa/x/0.dat": SEGMENTS.replace('"1"', '"7"')})
    with pytest.raises(DataError, match=r"a.zip: 1 of 2 samples of train-digits are not in it; fetch the collection"):
        convert_archive(archive, tmp_path, make_pinned())
    assert not list(tmp_path.glob("*.npz"))


def test_a_few_missing_samples_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the others are as good without them."""
    monkeypatch.setattr(unipen_sets, "_MOST_MISSING", 0.5)
    archive = make_archive(tmp_path / "a.zip", {"data/1a/apa/x/0.dat": SEGMENTS.replace('"1"', '"7"')})
    with pytest.warns(UserWarning, match="1 of 2 samples of train-digits are not in it; they are left out"):
        (path,) = convert_archive(archive, tmp_path, make_pinned())
    with np.load(path, allow_pickle=False) as found:
        assert found["writer"].tolist() == ["apx-1"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x00" * 100])
def test_what_is_no_archive_is_one_line(content: bytes, tmp_path: Path) -> None:
    """Whatever was downloaded."""
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.zip: does not hold the collection \(.*\); fetch it again"):
        list(read_archive(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other/readme", "")
    with pytest.raises(DataError, match=r"a.zip: does not hold the collection; expected one folder with data/"):
        list(read_archive(path))


def test_the_command_fetches_and_converts(
    server: Server, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From an address, into the cache, where training looks for it; a second time nothing is asked for."""
    server.files["/u.zip"] = make_archive(tmp_path / "a.zip").read_bytes()
    monkeypatch.setattr(unipen_sets, "ARCHIVE", f"{server.url}/u.zip")
    monkeypatch.setattr(unipen_sets, "SETS", ("train-digits",))
    monkeypatch.setattr(unipen_sets, "load_pinned", make_pinned)
    for _time in range(2):
        with pytest.raises(SystemExit, match="0"):
            main(["data", "fetch", "unipen", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert told == {"name": "unipen", "files": [str(cache / "unipen" / "train-digits.npz")]}
    assert server.asked == ["/u.zip"]
    assert load_strokes("train", "digits").labels.tolist() == ["4", "1"]
    assert [path.name for path in (cache / "unipen").iterdir()] == ["train-digits.npz"]


def test_a_cut_download_leaves_nothing(
    server: Server, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and no file."""
    server.files["/u.zip"] = make_archive(tmp_path / "a.zip").read_bytes()
    server.cut.add("/u.zip")
    monkeypatch.setattr(unipen_sets, "ARCHIVE", f"{server.url}/u.zip")
    with pytest.raises(SystemExit, match="1"):
        main(["data", "fetch", "unipen"])
    assert capsys.readouterr().err.count("\n") == 2  # what is fetched, and what went wrong
    assert not list((cache / "unipen").iterdir())


def test_a_set_that_was_changed_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is here already is checked against the pinned digest."""
    monkeypatch.setattr(unipen_sets, "SETS", ("train-digits",))
    monkeypatch.setattr(unipen_sets, "load_pinned", make_pinned)
    (cache / "unipen").mkdir(parents=True)
    (path,) = convert_archive(make_archive(tmp_path / "a.zip"), cache / "unipen", make_pinned())
    with np.load(path) as found:
        arrays = {name: found[name] for name in found.files}
    one = {"strokes": arrays["strokes"][:3], "samples": arrays["samples"][:2]}
    few = {**arrays, **one, **{name: arrays[name][:1] for name in ("label", "contributor", "writer")}}
    for other in ({**arrays, "label": np.array(["4", "7"])}, few):
        np.savez_compressed(path, **other)
        with pytest.raises(SystemExit, match="1"):
            main(["data", "fetch", "unipen"])
        assert "is not the set that was pinned; delete it and fetch it again" in capsys.readouterr().err
    monkeypatch.setattr(unipen_sets, "_MOST_MISSING", 0.5)
    with pytest.raises(SystemExit, match="0"):  # so few are missing then
        main(["data", "fetch", "unipen"])


GIVEN = Path(os.environ.get("LENET_DATA", ".")) / "unipen"


@pytest.mark.skipif(not (GIVEN / "raw-sample").is_dir(), reason="needs the raw sample of UNIPEN in LENET_DATA")
def test_the_collections_own_files_give_the_very_samples(tmp_path: Path) -> None:
    """Nine digits of one writer are those of the set; writers who are kept apart are nobody's."""
    path = tmp_path / "raw.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted((GIVEN / "raw-sample").rglob("*")):
            if each.is_file():
                archive.write(each, f"train_r01_v07-1/{each.relative_to(GIVEN / 'raw-sample')}")
    pinned = load_pinned()
    places = {digest: name for name in SETS for digest in pinned[name].digests.tolist()}
    found = [
        (who, each.label, places.get(digest_sample(who, each.label, each.strokes))) for who, each in read_archive(path)
    ]
    assert [label for who, label, place in found if (who, place) == ("pri", "train-digits")] == list("124901347")
    assert {place for who, _label, place in found if who != "pri"} == {None}
    with np.load(GIVEN / "dev-numbers.npz") as arrays:
        assert pin_set({name: arrays[name] for name in arrays.files}).whole == pinned["dev-numbers"].whole
