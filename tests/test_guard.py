"""Who may ask the service, how much and from where: the guard before all routes, by clients that are played."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")

from lenet.serve import Limits  # noqa: E402
from lenet.serve.app import build  # noqa: E402
from lenet.serve.guard import Access, Guard  # noqa: E402
from lenet.serve.metrics import Metrics  # noqa: E402


class Client:
    """Plays one client of the guard: its request, the parts of its body, and what it is told."""

    def __init__(self, *parts: bytes | None, **headers: str) -> None:
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": "/read",
            "client": ("127.0.0.1", 1),
            "headers": [
                (b"host", b"localhost"),
                *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()),
            ],
        }
        self.parts = list(parts)
        self.told: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if not self.parts:
            await asyncio.sleep(60)
        part = self.parts.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(self, message: dict[str, Any]) -> None:
        self.told.append(message)

    def status(self, limits: Limits, access: Access | None = None) -> int:
        """Return what the guard answers; an application that is reached says 204."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "http.response.start", "status": 204, "headers": []})

        guard = Guard(app, access or Access(frozenset({"localhost"})), limits, Metrics())
        asyncio.run(guard(self.scope, self.receive, self.send))
        return int(self.told[0]["status"])


def test_bodies_have_limits() -> None:
    """Announced or not, too large is 413; too slow is 408; who leaves before the end gets 400 that nobody hears."""
    limits = Limits(body=10)
    assert Client(b"12345", content_length="11").status(limits) == 413
    assert Client(b"12345", content_length="-1").status(limits) == 413
    assert Client(b"12345", content_length="0" * 5000 + "11").status(limits) == 413
    assert Client(b"1234567890", None, content_length="0" * 5000 + "10").status(limits) == 400  # taken until it left
    assert Client(b"12345", b"67890", b"1", transfer_encoding="chunked").status(limits) == 413
    assert Client(b"12345", content_length="10").status(Limits(body=10, body_seconds=0.1)) == 408
    assert Client(b"12345", None, content_length="10").status(limits) == 400
    assert Client().status(limits) == 204


def test_too_many_at_once_are_told_to_come_again(tmp_path: Path) -> None:
    """429 to one client that asks too much, 503 when all do; both say when to come again."""
    assert Client().status(Limits(waiting=0)) == 429
    app = build(tmp_path, Access(frozenset()), Limits(waiting=0), 0)[0].app

    async def ask() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.post("/read", content=b"x")

    found = asyncio.run(ask())
    assert (found.status_code, found.headers["retry-after"]) == (503, "1")
    assert "too many requests wait already" in found.json()["error"]


def test_other_sites_may_ask_when_they_are_named() -> None:
    """The named origin is told so; another is refused."""
    access = Access(frozenset({"localhost"}), origins=frozenset({"https://good.example"}))
    good = Client(origin="https://good.example")
    assert good.status(Limits(), access) == 204
    assert (b"access-control-allow-origin", b"https://good.example") in good.told[0]["headers"]
    assert Client(origin="https://evil.example").status(Limits(), access) == 403


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//", "https://localhost:99999", "file://localhost"])
def test_an_origin_that_is_no_address_is_another_site(origin: str) -> None:
    """What no browser sends is refused as what it is: not this site."""
    assert Client(origin=origin).status(Limits()) == 403


def test_the_scheme_of_a_token_has_any_case() -> None:
    """Bearer, bearer or BEARER (RFC 9110), but the token itself as it is, to its last character."""
    access = Access(frozenset({"localhost"}), token="aBcDeFgH12345678")
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert Client(authorization=f"{scheme} aBcDeFgH12345678").status(Limits(), access) == 204
        assert Client(authorization=f"{scheme} abcdefgh12345678").status(Limits(), access) == 401
        assert Client(authorization=f"{scheme} aBcDeFgH1234567").status(Limits(), access) == 401
        assert Client(authorization=f"{scheme} aBcDeFgH12345679").status(Limits(), access) == 401
    assert Client(authorization="Basic aBcDeFgH12345678").status(Limits(), access) == 401


def test_strangers_do_not_train() -> None:
    """Without a token, training and corrections are for clients of this machine."""
    far = Client()
    far.scope |= {"path": "/train", "client": ("192.168.1.9", 1)}
    assert far.status(Limits()) == 403
    near = Client()
    near.scope["path"] = "/train"
    assert near.status(Limits()) == 204
