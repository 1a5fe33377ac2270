"""The HTTP interface: the answers of `lenet read`, a status and one line for what is wrong, nothing for strangers."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from lenet.cli import main
from lenet.errors import UsageError, WeightsError
from lenet.network.weights import list_shipped

from conftest import ROOT, served
from held import HELD, prepare, wait_until
from hostile import HOSTILE

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")

from lenet.serve import find_own_address, serve  # noqa: E402
from lenet.serve.model_registry import ModelRegistry  # noqa: E402
from lenet.serve.readers import Busy, Readers, TooSlow  # noqa: E402

EXAMPLES = ROOT / "examples"
GLYPH = base64.b64encode(bytes(784)).decode()


def as_file(name: str) -> dict[str, Any]:
    """A form with one of the examples."""
    return {"file": (name, (EXAMPLES / name).read_bytes())}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints on stdout."""
    with pytest.raises(SystemExit):
        main([*arguments])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["amount.jpg", "fax.tif", "blank.jpg", "form.png", "two-lines.jpg"])
def test_the_answer_is_that_of_the_command_line(
    service: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, under the client's own name of the file."""
    monkeypatch.chdir(EXAMPLES)
    found = httpx.post(f"{service}/read", files=as_file(name))
    assert found.status_code == 200
    assert found.text == printed(capsys, "read", "--json", name).strip()


def test_options_are_those_of_the_command_line(
    service: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the query and in the form, a list of choices too."""
    monkeypatch.chdir(EXAMPLES)
    expected = printed(capsys, "read", "--json", "--pattern", "amount", "--best", "3", "amount.jpg").strip()
    form = {"pattern": "amount", "best": "3"}
    assert httpx.post(f"{service}/read", files=as_file("amount.jpg"), data=form).text == expected
    assert httpx.post(f"{service}/read", files=as_file("amount.jpg"), params=form).text == expected
    listed = httpx.post(f"{service}/read?choices=12751&choices=99999", files=as_file("amount.jpg")).json()
    assert (listed["text"], listed["guess"], listed["state"]) == ("", "12751", "uncertain")


def test_tables_are_those_of_the_command_line(
    service: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page has the tables of `lenet table --json`, with its sums; a wrong option and a bad page are one line."""
    monkeypatch.chdir(EXAMPLES / "pages")
    page = {"file": ("log-sheet.jpg", Path("log-sheet.jpg").read_bytes())}
    found = httpx.post(f"{service}/table", files=page, params={"sum": "last-row"})
    assert found.status_code == 200
    assert found.text == printed(capsys, "table", "--json", "--sum", "last-row", "log-sheet.jpg").strip()
    assert [each["holds"] for each in found.json()["tables"][0]["sums"]] == [True, True, True]
    shown = httpx.post(f"{service}/table", files=page, params={"review": "true"}).json()
    assert len(shown["cells"]) == 24
    assert all(cell["crop"].startswith("data:image/png;base64,") for cell in shown["cells"])
    wrong = httpx.post(f"{service}/table", files=page, params={"sum": "somewhere"})
    assert wrong.status_code == 422
    bad = httpx.post(f"{service}/table", content=b"no picture", headers={"content-type": "image/png"})
    assert (bad.status_code, bad.json()["error"].count("\n")) == (415, 0)


def test_a_body_is_a_picture_too(service: str) -> None:
    """With an image's media type, or none; its path is null."""
    data = (EXAMPLES / "fax.tif").read_bytes()
    for headers in ({"content-type": "image/tiff"}, {"content-type": "application/octet-stream"}, {}):
        found = httpx.post(f"{service}/read", content=data, headers=headers).json()
        assert (found["text"], found["path"]) == ("0", None)


def test_a_batch_keeps_its_order_and_its_bad_pictures(service: str) -> None:
    """A bad picture has its error where its reading would be; wrong options are an error of all."""
    names = ["fax.tif", "make_pictures.py", "amount.jpg"]
    files = [("file", as_file(name)["file"]) for name in names]
    found = httpx.post(f"{service}/read/batch", files=files).json()["results"]
    assert [each["path"] for each in found] == names
    assert [each.get("text") for each in found] == ["0", None, "12.750.-"]
    assert found[1]["error"].startswith("make_pictures.py: is not a picture")
    assert httpx.post(f"{service}/read/batch?model=nothing", files=files).status_code == 404
    assert httpx.post(f"{service}/read/batch?pattern=a(", files=files).status_code == 422


@pytest.mark.parametrize(("data", "message", "status"), HOSTILE)
def test_hostile_pictures_have_their_status(service: str, data: bytes, message: str, status: int) -> None:
    """The one line of the command line, as JSON, and the service goes on."""
    found = httpx.post(f"{service}/read", content=data, headers={"content-type": "image/png"})
    assert found.status_code == status
    assert re.search(message, found.json()["error"])
    assert "\n" not in found.json()["error"]


@pytest.mark.parametrize(
    ("request_of", "status", "words"),
    [
        (("GET", "/nothing", {}), 404, "/nothing: nothing here"),
        (("GET", "/read", {}), 405, "/read: not with GET"),
        (("POST", "/read", {"content": b"x", "headers": {"content-type": "text/html"}}), 415, "content type text/html"),
        (("POST", "/read", {"files": {"other": b"x"}}), 400, "no picture in it"),
        (
            ("POST", "/read", {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=a"}}),
            400,
            "",
        ),
        (("POST", "/read?best=101", {"content": b"x"}), 422, "best"),
        (("POST", "/read?colour=red", {"content": b"x"}), 422, "colour: no such option; there are model, pattern"),
        (("POST", "/read?patern=zip", {"content": b"x"}), 422, "patern: no such option; did you mean pattern?"),
        (
            ("POST", "/activations", {"content": b"{", "headers": {"content-type": "application/json"}}),
            422,
            "body: is no JSON",
        ),
        (("POST", "/activations", {"json": {}}), 422, "glyph: is missing; see /docs"),
        (("GET", "/alive?net=nothing", {}), 404, "nothing: no such network; alive are lenet5-hands"),
        (("POST", "/read?model=../../etc/passwd", {"content": b"x"}), 404, "no such network"),
        (("POST", "/read?method=sweep&digit=true", {"content": b"x"}), 422, "give one"),
        (("POST", "/activations", {"json": {"glyph": "AAAA"}}), 422, "glyph"),
        (("POST", "/unit", {"json": {"glyph": GLYPH, "layer": "C9", "place": [0, 0, 0]}}), 422, "layer 'C9'"),
        (("POST", "/unit", {"json": {"glyph": GLYPH, "layer": "C1", "place": [16, 0, 0]}}), 422, "16 maps of 28x28"),
        (("POST", "/vary", {"json": {"glyph": GLYPH, "amounts": {"turn": 400}}}), 422, "expected -60 to 60"),
        (("POST", "/vary", {"json": {"glyph": GLYPH, "along": "time"}}), 422, "along 'time'"),
        (("POST", "/train", {"json": {"recipe": "quick"}}), 409, "MNIST is not on this machine"),
        (("POST", "/train/keep", {}), 409, "nothing to keep"),
        (("POST", "/finetune", {"json": {}}), 409, "fewer than 3 corrections"),
        (("GET", "/health", {"headers": {"host": "evil.example"}}), 403, "host evil.example"),
        (("POST", "/read", {"content": b"x", "headers": {"origin": "https://evil.example"}}), 403, "another site"),
        (("POST", "/read", {"content": b"x", "headers": {"origin": "null"}}), 403, "origin null"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    service: str, request_of: tuple[str, str, dict[str, Any]], status: int, words: str
) -> None:
    """Each mistake has its status, and its thing is named."""
    method, path, more = request_of
    found = httpx.request(method, service + path, **more)
    assert (found.status_code, list(found.json())) == (status, ["error"])
    assert words in found.json()["error"]


def test_every_answer_keeps_the_browser_at_home(service: str) -> None:
    """A strict policy, nothing cached but the page's own files, no other site named anywhere in them."""
    for path in ("/", "/docs", "/health", "/nothing", "/page/main.js"):
        policy = httpx.get(service + path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "")
    files = list((ROOT / "src" / "lenet" / "serve" / "site").iterdir())
    assert sum(file.stat().st_size for file in files) < 300_000
    for file in files:
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", file.read_text(encoding="utf-8")))
        assert addresses <= {"http://www.w3.org/2000/svg"}, file.name


def test_nothing_of_a_picture_is_logged(tmp_path: Path) -> None:
    """A line of JSON per request, with its time; the metrics count it under its route's own name."""
    with served(tmp_path) as (address, _process):
        httpx.post(f"{address}/read?digit=true", files=as_file("fax.tif"))
        httpx.get(f"{address}/secret-1234")
        counts = httpx.get(f"{address}/metrics").text
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["path"], line["status"]) for line in lines[:2]] == [("/read", 200), ("/secret-1234", 404)]
    assert {key for line in lines for key in line} == {"time", "client", "method", "path", "status", "ms", "bytes"}
    assert 'lenet_requests_total{method="POST",route="/read",status="200"} 1.0' in counts
    assert 'route="other",status="404"' in counts
    assert "secret" not in counts


def test_a_token_opens_what_others_can_reach(tmp_path: Path) -> None:
    """401 without it; the page and health need none; a name must be this machine's, an address may be any."""
    token = "a-token-of-some-length"
    with served(tmp_path, "--host", "0.0.0.0", LENET_TOKEN=token) as (everywhere, _process):
        address = f"http://127.0.0.1:{everywhere.rpartition(':')[2]}"
        assert "0.0.0.0" not in everywhere or find_own_address() is None
        data = (EXAMPLES / "fax.tif").read_bytes()
        refused = httpx.post(f"{address}/read", content=data)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert httpx.post(f"{address}/read", content=data, headers={"authorization": "Bearer x"}).status_code == 401
        good = {"authorization": f"Bearer {token}"}
        assert httpx.post(f"{address}/read", content=data, headers=good).json()["text"] == "0"
        assert httpx.get(f"{address}/").status_code == httpx.get(f"{address}/health").status_code == 200
        assert httpx.get(f"{address}/health", headers={"host": "192.168.1.7:80"}).status_code == 200
        assert httpx.get(f"{address}/health", headers={"host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": "0.0.0.0"}, "others can reach it; give --token, or LENET_TOKEN"),
        ({"host": "example.org"}, "others can reach it"),
        ({"token": "short"}, "expected 16 printable ASCII characters or more"),
    ],
)
def test_it_does_not_start_unsafely(options: dict[str, Any], message: str) -> None:
    """Another host needs a token, and one that is not guessed."""
    with pytest.raises(UsageError, match=message):
        serve(**options)


def test_a_taken_port_is_one_clear_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit status 1, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as left:
            main(["serve", "--port", str(port), "--folder", str(tmp_path)])
    assert left.value.code == 1
    assert "cannot be served at (address already in use); choose another --port" in capsys.readouterr().err


def test_sigterm_finishes_what_runs(tmp_path: Path) -> None:
    """A picture that was being read is answered when nobody else is any more; then it leaves with status 0."""
    hold = prepare(tmp_path)
    data = (EXAMPLES / "fax.tif").read_bytes() + HELD
    answers: list[Any] = []
    with served(tmp_path, **hold.environment) as (address, process):
        hold.close()
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{address}/read", content=data, timeout=None))
        )
        asking.start()
        wait_until(lambda: bool(hold.waiting()))
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_open(address), lambda: process.poll() is None)
        hold.open()
        asking.join()
        assert process.wait() == 0
    assert (answers[0].status_code, answers[0].text[:9]) == (200, '{"path": ')


def is_open(address: str) -> bool:
    """Tell whether anybody takes calls there."""
    try:
        httpx.get(f"{address}/health")
    except httpx.TransportError:
        return False
    return True


def test_who_listens_to_a_training_does_not_hold_it_up(tmp_path: Path, few_digits: Path, mnist: object) -> None:
    """Told to leave while a training is followed that goes on, the service ends the line and leaves with status 0."""
    hold = prepare(tmp_path)
    hold.close()  # the training waits after its first pass
    with served(tmp_path, **hold.environment, LENET_DATA=str(few_digits)) as (address, process):
        httpx.post(f"{address}/train", json={"recipe": "quick", "passes": 50})
        with httpx.stream("GET", f"{address}/train/events", timeout=None) as events:
            lines = events.iter_lines()
            told = [next(lines)]
            process.send_signal(signal.SIGTERM)
            told += lines  # to its proper end: a line that is cut is an error of httpx
        assert process.wait() == 0
    assert not {"event: finished", "event: failed"} & set(told)


def test_readers_are_replaced_and_the_queue_ends() -> None:
    """One that is killed or takes too long is started again; more than may wait is refused at once."""

    async def asked() -> None:
        readers = Readers(1, waiting=0, seconds=60)
        await readers.start()
        try:
            first = asyncio.ensure_future(readers.ask("ready", model="lenet5"))
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await readers.ask("ready", model="lenet5")
            assert (await first).status == 200
            readers.seconds = 0.0
            with pytest.raises(TooSlow):
                await readers.ask("ready", model="lenet5")
            readers.seconds = 60
            assert (await readers.ask("ready", model="lenet5")).status == 200
            child = readers._all[0].child
            assert child is not None
            child.process.kill()
            child.process.join()
            assert (await readers.ask("ready", model="lenet5")).status == 200
            child = readers._all[0].child
            assert child is not None
            assert child.process.pid is not None
            os.kill(child.process.pid, signal.SIGSTOP)  # it hears nothing, and a pipe is full at 64 KiB
            readers.seconds = 0.5
            with pytest.raises(TooSlow):
                await readers.ask("read", picture=bytes(1_000_000))
            readers.seconds = 60
            assert (await readers.ask("ready", model="lenet5")).status == 200
            assert readers.asked == 0  # none is counted that is done, refused or lost
        finally:
            readers.stop()

    asyncio.run(asked())


def test_the_shelf_keeps_networks_under_names_of_its_own(tmp_path: Path) -> None:
    """Numbered on from those that are there; a client's name is looked up, never opened."""
    shelf = ModelRegistry(tmp_path)
    file = list_shipped()["lenet5-modern"]
    assert [shelf.keep(file, "trained") for _time in range(2)] == ["trained-1", "trained-2"]
    (tmp_path / "networks" / "trained-9.safetensors").write_bytes(b"damaged")
    own = [each["name"] for each in shelf.networks() if each["own"]]
    assert own == ["trained-1", "trained-2"]
    assert shelf.keep(file, "trained") == "trained-10"
    for name in ("../networks/trained-1", str(file), "trained-1.safetensors"):
        with pytest.raises(WeightsError, match="no such network"):
            shelf.find(name, sliding_window=False)


def test_corrections_are_kept_and_counted(service: str) -> None:
    """A glyph and its label; others than 0 to 9 and none are refused; all can be forgotten."""
    httpx.delete(f"{service}/corrections")
    glyphs = [base64.b64encode(bytes([number]) * 784).decode() for number in range(3)]
    for glyph, label in zip(glyphs, ("7", "7", "none"), strict=True):
        found = httpx.post(f"{service}/corrections", json={"glyph": glyph, "label": label})
    assert found.json()["counts"] == {"7": 2, "none": 1}
    assert httpx.post(f"{service}/corrections", json={"glyph": GLYPH, "label": "77"}).status_code == 422
    folder = Path(found.json()["folder"])
    assert sorted(file.name for file in folder.glob("*.png")) == ["000001-7.png", "000002-7.png", "000003-none.png"]
    names = ["000003-none.png", "000002-7.png", "000001-7.png"]
    kept = zip(names, ("none", "7", "7"), glyphs[::-1], strict=True)
    assert found.json()["latest"] == [{"name": name, "label": label, "glyph": glyph} for name, label, glyph in kept]
    # Another opinion of a digit takes the place of the first.
    found = httpx.post(f"{service}/corrections", json={"glyph": glyphs[1], "label": "1"})
    assert found.json()["counts"] == {"1": 1, "7": 1, "none": 1}
    assert [each["name"] for each in found.json()["latest"]] == ["000004-1.png", "000003-none.png", "000001-7.png"]
    assert httpx.delete(f"{service}/corrections/000001-7.png").json()["counts"] == {"1": 1, "none": 1}
    assert httpx.delete(f"{service}/corrections/000001-7.png").status_code == 422
    assert httpx.delete(f"{service}/corrections").json()["counts"] == {}


def test_mistakes_are_those_of_the_own_copy_of_mnist(
    service: str, few_digits: Path, mnist: object, tmp_path: Path
) -> None:
    """Without one the way to it is told; with one they are counted and shown, the surest first."""
    assert httpx.get(f"{service}/mistakes").json() == {
        "error": "mistakes: MNIST is not on this machine; lenet data fetch mnist"
    }
    with served(tmp_path, **prepare(tmp_path).environment, LENET_DATA=str(few_digits)) as (address, _process):
        found = httpx.get(f"{address}/mistakes?model=lenet5").json()
    assert (found["of"], found["errors"]) == (500, len(found["mistakes"]))
    sure = [each["probability"] for each in found["mistakes"]]
    assert sure == sorted(sure, reverse=True)
    assert all(each["label"] != each["answer"] for each in found["mistakes"])
