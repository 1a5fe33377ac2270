"""The service for others: behind a proxy, under a path, on a phone, for generators of clients."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import pytest

from lenet.errors import UsageError
from lenet.result import Abstained

from conftest import ROOT, served

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")

from lenet.serve import Limits, draw_code, find_own_address, serve  # noqa: E402
from lenet.serve.app import build  # noqa: E402
from lenet.serve.guard import Access  # noqa: E402
from test_guard import Client  # noqa: E402


def test_what_a_proxy_forwards_is_of_its_client() -> None:
    """Of one that is trusted; what another forwards is nobody's, even on this machine: it does not train."""
    trusted = Access(frozenset({"localhost"}), proxies=frozenset({"127.0.0.1"}))
    for access, forwarded, status in (
        (None, "127.0.0.1", 403),
        (trusted, "127.0.0.1", 204),
        (trusted, "192.168.1.9", 403),
        (trusted, "127.0.0.1, 192.168.1.9", 403),
        (trusted, "nonsense", 403),
    ):
        client = Client(x_forwarded_for=forwarded)
        client.scope["path"] = "/train"
        assert client.status(Limits(), access) == status, (access, forwarded)
    with pytest.raises(UsageError, match="proxy example.org: expected an IP address"):
        serve(proxies=("example.org",))
    with pytest.raises(UsageError, match="root path lenet/: expected a path such as /lenet"):
        serve(root_path="lenet/")


def test_a_path_of_its_own_is_told(tmp_path: Path) -> None:
    """Behind a proxy the interface's description names it, and no address of the pages is absolute."""
    app = build(tmp_path, Access(frozenset()), Limits(), 0, "/lenet")[0].app

    async def ask() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return [(await client.get(path)) for path in ("/openapi.json", "/ready")] + [await client.head("/health")]

    described, ready, health = asyncio.run(ask())
    assert described.json()["servers"] == [{"url": "/lenet"}]
    assert (health.status_code, health.text) == (200, "")
    assert ready.status_code == 200
    for file in (ROOT / "src" / "lenet" / "serve" / "site").glob("*.*"):
        assert not re.search(r"""(href|src|from) ?=? ?["']/""", file.read_text(encoding="utf-8")), file.name


def test_generators_of_clients_understand_the_description(service: str) -> None:
    """A reading is told in types that they know: `abstained` is false or a text, `state` a text; bodies name kinds."""
    described = httpx.get(f"{service}/openapi.json").json()
    reading = described["components"]["schemas"]["Reading"]["properties"]
    texts = [each["enum"] for each in reading["abstained"]["anyOf"] if each["type"] == "string"]
    assert [set(each) for each in texts] == [set(get_args(Abstained)) - {False}]
    assert reading["state"]["type"] == "string"
    assert "enum" not in reading["state"]
    assert described["security"] == [{}, {"token": []}]
    bodies = described["paths"]["/read"]["post"]["requestBody"]["content"]
    assert "image/*" not in bodies
    assert "image/png" in bodies


def test_an_address_is_shared_with_its_token(tmp_path: Path) -> None:
    """It is printed with the token behind a #, and drawn as a code; the token opens the service."""
    if find_own_address() is None:
        pytest.skip("this machine is in no network")
    with served(tmp_path, "--share", LENET_TOKEN="a+token/of&16=signs") as (address, _process):
        place, _hash, token = address.partition("/#token=")
        assert token == "a%2Btoken%2Fof%2616%3Dsigns"
        token = unquote(token)
        good = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{place}/models").status_code == 401
        assert httpx.get(f"{place}/models", headers=good).status_code == 200
    code = draw_code("http://192.168.1.7:8000/#token=x")
    assert len(code.splitlines()) > 10


def test_a_body_that_is_no_json_is_told_so(service: str) -> None:
    """With what is wrong in it, and where to look."""
    found = httpx.post(f"{service}/activations", content=b"{", headers={"content-type": "application/json"})
    assert found.status_code == 422
    assert re.fullmatch(r"body: is no JSON \(.+\); see /docs", found.json()["error"])


def test_pages_are_sent_packed(service: str) -> None:
    """To those who can unpack them; what a browser loads before the network is under 100 kB then."""
    with httpx.Client(base_url=service) as client:
        plain = client.get("/", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert client.get("/").headers["content-encoding"] == "gzip"
        assert client.get("/").text == plain.text
        alive = client.get("/alive")
        assert alive.headers["content-encoding"] == "gzip"
        assert "sha256-" in alive.headers["content-security-policy"]
        assert client.get("/alive", headers={"if-none-match": alive.headers["etag"]}).status_code == 304
        files = {f"/page/{name}" for name in re.findall(r'"page/([^"]+)"', plain.text)}
        seen: set[str] = set()
        while files - seen:
            address = min(files - seen)
            seen.add(address)
            found = client.get(address)
            assert found.status_code == 200, address
            folder = address.rpartition("/")[0]
            files |= {f"{folder}/{name}" for name in re.findall(r'from "\./([^"]+)"', found.text)}
        assert len(seen) > 15
        sizes = [int(client.head(address).headers["content-length"]) for address in seen]
        assert sum(sizes) < 100_000
