"""A folder of Parquet parts: begun once, gone on with, complete only when every picture is in its place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lenet.bulk.ray_cluster import LOCAL
from lenet.bulk.shards import Shards, find_shard, make_shard_writer, open_shards
from lenet.errors import LenetError
from lenet.network.spec import DEFAULT
from lenet.reader import ReadOptions
from test_cli import run
from test_jobs import EXAMPLES

pytest.importorskip("pyarrow")
JOB: dict[str, Any] = {"model": DEFAULT}
NAMES = [str(EXAMPLES / name) for name in ("form.png", "zip.jpg", "missing.png", "touching.jpg", "blank.jpg")]


def write_all(parts: Shards) -> None:
    """Do what the workers do."""
    do = make_shard_writer(str(parts.folder), None, DEFAULT, ReadOptions())
    for row in parts.left():
        do(row)


def test_parts_hold_every_picture_in_order(tmp_path: Path) -> None:
    """The manifest has each part's rows and failures; a part that is there is left as it is."""
    from pyarrow import dataset

    parts = open_shards(tmp_path / "out", JOB, NAMES, 1, resume=False)
    assert [row["count"] for row in parts.left()] == [1, 1, 1, 1, 1]
    rows = parts.left()
    write_all(parts)
    first = find_shard(parts.folder, 0).stat()
    make_shard_writer(str(parts.folder), None, DEFAULT, ReadOptions())(rows[0])
    assert find_shard(parts.folder, 0).stat().st_mtime_ns == first.st_mtime_ns
    manifest = parts.finish()
    assert manifest == json.loads((parts.folder / "_manifest.json").read_text())
    assert (manifest["pictures"], manifest["failed"]) == (5, 1)
    assert [part["failed"] for part in manifest["parts"]] == [0, 0, 1, 0, 0]
    # The folder is a data set as it is: what is no part of it begins with a line or a dot.
    table = dataset.dataset(parts.folder, format="parquet").to_table()
    assert sorted(table["path"].to_pylist()) == sorted(NAMES)
    assert open_shards(tmp_path / "out", JOB, NAMES, 1, resume=True).left() == []


def test_a_part_is_as_large_as_suits_the_cores(tmp_path: Path) -> None:
    """Eight for each core, of at most 1,000 pictures; a job that is taken up keeps its own size."""
    for count, cores, size in ((5, 2, 1), (4_000, 2, 250), (1_000_000, 64, 1_000)):
        names = [str(number) for number in range(count)]
        folder = tmp_path / str(count)
        assert open_shards(folder, JOB, names, cores, resume=False).size == size
        assert open_shards(folder, JOB, names, 7 * cores, resume=True).size == size


def test_a_folder_is_one_job(tmp_path: Path) -> None:
    """Another job, other pictures, a finished one, a strange folder, a file: each has its line."""
    out = tmp_path / "out"
    parts = open_shards(out, JOB, NAMES, 1, resume=False)
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "file").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "_manifest.json").write_text("[")

    def refused(folder: Path, line: str, job: dict[str, Any] = JOB, names: list[str] = NAMES, *, resume: bool) -> None:
        with pytest.raises(LenetError) as caught:
            open_shards(folder, job, names, 1, resume=resume)
        assert str(caught.value).endswith(line)

    refused(out, "out: holds an interrupted job; --resume goes on with it; or choose another folder", resume=False)
    same = "give the same command, or choose another folder"
    refused(out, f"out: was begun with other options; {same}", {"model": "other"}, resume=True)
    refused(out, f"out: was begun with other pictures; {same}", names=NAMES[1:], resume=True)
    refused(tmp_path / "strange", "strange: is not empty; choose another folder for --out", resume=True)
    refused(tmp_path / "strange" / "file", "file: cannot be written (file exists)", resume=False)
    refused(tmp_path / "damaged", "_manifest.json: is damaged; choose another folder for --out", resume=True)
    write_all(parts)
    parts.finish()
    refused(out, "out: holds a finished job; choose another folder for --out", resume=False)


def test_a_part_that_is_missing_or_strange_is_found(tmp_path: Path) -> None:
    """Counted before the job is called complete."""
    parts = open_shards(tmp_path / "out", JOB, NAMES, 1, resume=False)
    write_all(parts)
    find_shard(parts.folder, 3).rename(tmp_path / "part")
    with pytest.raises(LenetError, match=r"is not complete .*; --resume"):
        parts.finish()
    find_shard(parts.folder, 4).rename(find_shard(parts.folder, 3))
    (tmp_path / "part").rename(find_shard(parts.folder, 4))
    with pytest.raises(LenetError, match="part-00003.parquet: holds other pictures than its own; delete it"):
        parts.finish()


def test_the_command_says_what_a_cluster_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A folder for the parts, and files that its nodes can see."""
    for more in (
        (),
        ("--out", "x", "--json"),
        ("--out", "x", "--annotate", "y.png"),
        ("--out", "x", "--overwrite"),
        ("-", "--out", "x"),
    ):
        status, _out, err = run(capsys, "read", NAMES[0], "--cluster", LOCAL, *more)
        assert status == 2
        assert "--cluster: reads files into a folder of Parquet parts; give --out FOLDER" in err


def test_what_a_node_lacks_ends_the_job(tmp_path: Path) -> None:
    """The folder of the parts, or pictures that the command saw: no answers are made up for them."""
    parts = open_shards(tmp_path / "out", JOB, NAMES, 1, resume=False)
    row = parts.left()[0]
    with pytest.raises(LenetError, match=r"cannot be written \(no such file or directory\)"):
        make_shard_writer(str(tmp_path / "gone"), None, DEFAULT, ReadOptions())(row)
    row["given"] = row["given"].replace("form.png", "unmounted.png")
    with pytest.raises(LenetError, match=r"node .*: does not see .*unmounted.png; pictures must be on a file system"):
        make_shard_writer(str(parts.folder), None, DEFAULT, ReadOptions())(row)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_names_that_are_no_text_are_written_all_the_same(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file's name may be any bytes: in a table the strange ones are written as escapes."""
    strange = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.png")
    parts = open_shards(tmp_path / "out", JOB, [strange], 1, resume=False)
    write_all(parts)
    assert parts.finish()["failed"] == 1
    run(capsys, "read", strange, "--out", str(tmp_path / f"out{ending}"))
    assert b"\\udcff.png" in (tmp_path / f"out{ending}").read_bytes()
