"""Who may ask, how much and how fast; and what is told of it: a line in the log, a count in the metrics."""

from __future__ import annotations

import hmac
import ipaddress
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lenet.serve.bodies import Bodies, Refused
from lenet.serve.limits import Limits
from lenet.serve.metrics import Metrics
from lenet.serve.tasks import fail

# What every answer says to a browser: nothing comes from elsewhere, nothing goes elsewhere.
HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    b"img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}
# What is served without a token, so that the page can ask for it.
_PUBLIC = ("/", "/docs", "/health", "/ready", "/alive", "/robots.txt")
_PUBLIC_FOLDER = "/page/"
# What changes this machine: for its own users, or for those who have the token.
_OWN = ("/train", "/corrections", "/finetune")


@dataclass(frozen=True)
class Access:
    """Who may ask: by which names this machine may be called, from which other sites, with which token.

    With `addresses` it may be called by any IP address: a name can be pointed at it by a stranger, a number cannot.
    What comes from one of the `proxies` is of the client that it names last in X-Forwarded-For.
    """

    hosts: frozenset[str]
    addresses: bool = False
    origins: frozenset[str] = frozenset()
    token: str | None = None
    proxies: frozenset[str] = frozenset()


@dataclass
class Guard:
    """ASGI: refuse what may not be asked, receive the body within its limits, and keep the record."""

    app: ASGIApp
    access: Access
    limits: Limits
    metrics: Metrics
    _clients: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._bodies = Bodies(self.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        started, status, sent = time.perf_counter(), 0, 0
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        client = self._find_client((scope.get("client") or ("",))[0], headers)

        async def answer(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _value in message["headers"]}
                added = {**HEADERS, **self._shared(headers.get(b"origin"))}
                more = [(name, value) for name, value in added.items() if name not in given]
                message = {**message, "headers": [*message["headers"], *more]}
            else:
                sent += len(message.get("body", b""))
            await send(message)

        try:
            self._admit(scope, client, headers)
            if scope["method"] == "OPTIONS" and headers.get(b"origin", "") in self.access.origins:
                await _send(answer, 204, b"", {"access-control-allow-methods": "GET, POST, DELETE"})
            else:
                with self._bodies.hold(client) as body:
                    await self._bodies.receive(body, receive, headers)
                    with self._count(client):
                        await self.app(scope, body.give(receive), answer)
        except Refused as refused:
            await _send(answer, refused.status, fail(refused.status, refused.message).body, refused.headers)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            self.metrics.count(route, scope["method"], status, seconds)
            _log(scope, client, status, seconds, sent)

    def _find_client(self, nearest: str, headers: dict[bytes, str]) -> str:
        """Return the address of who asks. What a proxy forwards that nobody trusts is of no known client."""
        forwarded = headers.get(b"x-forwarded-for") or headers.get(b"forwarded")
        if not forwarded:
            return nearest
        if nearest not in self.access.proxies:
            return f"{nearest} for another"
        last = headers.get(b"x-forwarded-for", "").rpartition(",")[2].strip()
        return last if _is_address(last) else f"{nearest} for another"

    def _admit(self, scope: Scope, client: str, headers: dict[bytes, str]) -> None:
        host = _host(headers.get(b"host", ""))
        if host not in self.access.hosts and not (self.access.addresses and _is_address(host)):
            raise Refused(403, f"host {host or 'none'}: not a name of this service; --allow-host names more")
        origin = headers.get(b"origin")
        known = origin is None or origin in self.access.origins
        if not known and not _is_same_site(origin or "", headers.get(b"host")):
            raise Refused(403, f"origin {origin}: another site; --allow-origin names those that may ask")
        path, token = scope["path"], self.access.token
        if token is not None and scope["method"] != "OPTIONS" and not _is_public(path):
            given = headers.get(b"authorization", "")
            scheme, _space, secret = given.partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(secret.strip().encode(), token.encode()):
                raise Refused(
                    401, "no or a wrong token; send Authorization: Bearer TOKEN", **{"www-authenticate": "Bearer"}
                )
        if token is None and path.startswith(_OWN) and not _is_loopback(client):
            raise Refused(403, f"{path}: only from this machine, or with a token")

    @contextmanager
    def _count(self, client: str) -> Iterator[None]:
        """Count a request of a client while it is answered. Raises Refused where the client has too many."""
        most = self.limits.waiting // 2
        if self._clients[client] >= most:
            raise Refused(429, f"more than {most} requests at once", **{"retry-after": "1"})
        self._clients[client] += 1
        try:
            yield
        finally:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    def _shared(self, origin: str | None) -> dict[bytes, bytes]:
        if origin is None or origin not in self.access.origins:
            return {}
        return {
            b"access-control-allow-origin": origin.encode(),
            b"access-control-allow-headers": b"authorization, content-type",
            b"cross-origin-resource-policy": b"cross-origin",
            b"vary": b"origin",
        }


async def _send(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    told = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _log(scope: Scope, client: str, status: int, seconds: float, sent: int) -> None:
    """Write one JSON object to stderr: who asked for what, and how long it took; nothing of a picture."""
    line: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "client": client,
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(1000 * seconds, 2),
        "bytes": sent,
    }
    sys.stderr.write(json.dumps(line) + "\n")


def _is_public(path: str) -> bool:
    return path in _PUBLIC or path.startswith(_PUBLIC_FOLDER)


def _host(header: str) -> str:
    """Return the name in a Host header, without its port, in lower case; empty if there is none or it is no host."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_same_site(origin: str, host: str | None) -> bool:
    """Tell whether an Origin header names the host that was asked."""
    try:
        own = urlsplit(origin)
    except ValueError:
        return False
    return own.scheme in ("http", "https") and own.netloc == host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_loopback
