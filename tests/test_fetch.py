"""Downloads, against a server of our own: mirrors in turn, checked by sum, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from lenet.data import dataset, fetch, sources
from lenet.data.sources import DataSource, Pinned
from lenet.errors import DataError

from conftest import write_idx


class Server:
    """Serves bytes by path; a path in `cut` is cut off in the middle; remembers what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                body = outer.files.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if self.path in outer.cut else body)

            def log_message(self, *_words: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server on a free port of loopback."""
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no LENET_DATA."""
    monkeypatch.delenv("LENET_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lenet"


def made_source(tmp_path: Path, server: Server, n: int = 20) -> DataSource:
    """A set of made images on the server's second mirror (/b/), pinned by the sums of its content."""
    rng = np.random.default_rng(0)
    files: dict[sources.Role, Pinned] = {}
    for role, pinned in sources.SOURCES["mnist"].files.items():
        shape = (n, 28, 28) if role.endswith("images") else (n,)
        path = tmp_path / pinned.name
        write_idx(path, rng.integers(0, 10, shape).astype(np.uint8))
        server.files[f"/b/{pinned.name}"] = path.read_bytes()
        files[role] = Pinned(pinned.name, hashlib.md5(gzip.decompress(path.read_bytes())).hexdigest())
    mirrors = (f"{server.url}/a/", f"{server.url}/b/")
    return replace(sources.SOURCES["mnist"], files=files, mirrors=mirrors)


def test_a_dead_mirror_is_passed_over(tmp_path: Path, server: Server, cache: Path) -> None:
    """The first mirror answers 404, the second has the file, which then lies in the cache."""
    source = made_source(tmp_path, server)
    seen: list[tuple[str, int, int]] = []
    raw = fetch.read_content(source, "train labels", lambda *report: seen.append(report))
    assert len(raw) == 8 + 20
    assert [asked.split("/")[1] for asked in server.asked] == ["a", "b"]
    assert seen[-1][1] == seen[-1][2] > 0
    assert [path.name for path in (cache / "mnist").iterdir()] == ["train-labels-idx1-ubyte.gz"]


def test_a_file_in_the_cache_is_not_fetched_again(tmp_path: Path, server: Server) -> None:
    """The second call asks nobody."""
    source = made_source(tmp_path, server)
    fetch.read_content(source, "train labels")
    server.asked.clear()
    fetch.read_content(source, "train labels")
    assert server.asked == []


def test_wrong_bytes_are_refused_and_leave_nothing(tmp_path: Path, server: Server, cache: Path) -> None:
    """A mirror with another file: its sum is named, the cache stays empty."""
    source = made_source(tmp_path, server)
    server.files["/b/train-labels-idx1-ubyte.gz"] = gzip.compress(b"something else")
    with pytest.raises(DataError, match=r"no mirror gave it .*Not Found.*MD5 .* expected"):
        fetch.read_content(source, "train labels")
    assert list((cache / "mnist").iterdir()) == []


def test_a_cut_connection_is_refused_and_leaves_nothing(tmp_path: Path, server: Server, cache: Path) -> None:
    """Half a file is no file."""
    source = made_source(tmp_path, server)
    server.cut.add("/b/train-images-idx3-ubyte.gz")
    with pytest.raises(DataError, match="no mirror gave it"):
        fetch.read_content(source, "train images")
    assert list((cache / "mnist").iterdir()) == []


def test_a_half_downloaded_file_of_someone_else_is_named(tmp_path: Path, server: Server, cache: Path) -> None:
    """A damaged file in the cache is not replaced behind the user's back: the line says what to do."""
    source = made_source(tmp_path, server)
    (cache / "mnist").mkdir(parents=True)
    half = server.files["/b/train-images-idx3-ubyte.gz"][:500]
    (cache / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(half)
    with pytest.raises(DataError, match="gzip data end early; delete it and fetch it again"):
        fetch.read_content(source, "train images")


def test_lenet_data_comes_before_the_cache(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in $LENET_DATA/<name> is used, compressed or not."""
    source = made_source(tmp_path, server)
    folder = tmp_path / "given" / "mnist"
    folder.mkdir(parents=True)
    packed = server.files["/b/t10k-labels-idx1-ubyte.gz"]
    (folder / "t10k-labels-idx1-ubyte").write_bytes(gzip.decompress(packed))
    monkeypatch.setenv("LENET_DATA", str(tmp_path / "given"))
    assert len(fetch.read_content(source, "test labels")) == 28
    assert server.asked == []


def test_an_archive_is_checked_and_unpacked(tmp_path: Path, server: Server, cache: Path) -> None:
    """EMNIST's way: one zip whose members hold the set, images stored column by column."""
    plain = made_source(tmp_path, server)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for pinned in plain.files.values():
            archive.writestr(f"gzip/{pinned.name}", server.files[f"/b/{pinned.name}"])
    server.files["/b/gzip.zip"] = packed.getvalue()
    source = replace(
        plain,
        name="emnist-digits",
        files={role: Pinned(pinned.name, None) for role, pinned in plain.files.items()},
        archive=Pinned("gzip.zip", hashlib.md5(packed.getvalue()).hexdigest()),
        transposed=True,
        sums_of="file",
    )
    assert len(fetch.read_content(source, "train labels")) == 28
    assert server.asked == ["/a/gzip.zip", "/b/gzip.zip"]
    assert not (cache / "emnist-digits" / "gzip.zip").exists()
    assert len(list((cache / "emnist-digits").iterdir())) == 4


def test_transposed_images_are_turned(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set stored column by column comes out upright."""
    source = made_source(tmp_path, server)
    monkeypatch.setitem(sources.SOURCES, "mnist", source)
    upright = dataset.load_test("mnist").glyphs
    monkeypatch.setitem(sources.SOURCES, "mnist", replace(source, transposed=True))
    assert (dataset.load_test("mnist").glyphs == upright.transpose(0, 2, 1)).all()


def test_an_unwritable_cache_is_named(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder cannot be made where a file stands."""
    source = made_source(tmp_path, server)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="set LENET_DATA or XDG_CACHE_HOME"):
        fetch.read_content(source, "train labels")


def test_every_source_names_four_files_and_a_mirror() -> None:
    """The registry is complete; every mirror ends with a slash."""
    for name, source in sources.SOURCES.items():
        assert source.name == name
        assert set(source.files) == {"train images", "train labels", "test images", "test labels"}
        assert source.mirrors
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in source.mirrors)
        assert source.archive or all(pinned.md5 for pinned in source.files.values())
