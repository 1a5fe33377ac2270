"""The page and the HTTP interface: one command on 127.0.0.1, with a process per core that reads."""

from __future__ import annotations

import io
import ipaddress
import json
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import segno
import uvicorn

from lenet.errors import LenetError, UsageError, reason
from lenet.native.dispatch import count_cores
from lenet.serve.app import build
from lenet.serve.guard import Access
from lenet.serve.limits import Limits
from lenet.serve.model_registry import choose_folder
from lenet.serve.request_head import make_protocol

__all__ = ["Limits", "draw_code", "find_own_address", "serve"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LEAST_TOKEN = 16
# Hosts that are no address to go to: all of this machine's.
_EVERYWHERE = ("0.0.0.0", "::")


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    hosts: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
    folder: Path | None = None,
    limits: Limits | None = None,
    ready: Callable[[str], None] = print,
    *,
    root_path: str = "",
    proxies: tuple[str, ...] = (),
) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish what runs, and return. `ready` gets the address once it is open.

    `hosts` are names by which this machine may be called beside its addresses, `origins` other sites that may ask,
    such as https://example.org. `folder` keeps corrections and trained networks. Behind a proxy `root_path` is the path
    that it takes off, and `proxies` are addresses whose X-Forwarded-For is believed. Raises UsageError for a host that
    is not loopback without a token of 16 characters, and LenetError when the address is taken.
    """
    loopback = _is_loopback(host)
    if not loopback and not token:
        raise UsageError(f"host {host}", "others can reach it", "give --token, or LENET_TOKEN")
    if token is not None and (len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable()):
        raise UsageError("token", f"expected {_LEAST_TOKEN} printable ASCII characters or more")
    access = Access(
        frozenset((*_LOOPBACK, host.lower(), *(each.lower() for each in hosts))),
        addresses=not loopback,
        origins=frozenset(each.rstrip("/") for each in origins),
        token=token,
        proxies=frozenset(map(_check_address, proxies)),
    )
    if root_path and not (root_path.startswith("/") and root_path.isascii() and not root_path.endswith("/")):
        raise UsageError(f"root path {root_path}", "expected a path such as /lenet")
    limits = limits or Limits()
    app, lessons = build(folder or choose_folder(), access, limits, count_cores(), root_path)
    listening = _listen(host, port)
    shown = (find_own_address() or host) if host in _EVERYWHERE else host
    name = f"[{shown}]" if ":" in shown else shown
    config = uvicorn.Config(
        app,
        http=make_protocol(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=limits.leaving_seconds,
    )
    logging.getLogger("uvicorn.error").addHandler(_Lines(logging.WARNING))
    server = _Server(config, lambda: ready(f"http://{name}:{listening.getsockname()[1]}"), lessons.close)
    with listening:
        server.run(sockets=[listening])


class _Lines(logging.Handler):
    """Writes what Uvicorn warns of as one JSON object a line, as the guard writes the requests."""

    def emit(self, record: logging.LogRecord) -> None:
        line = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "warning": " ".join(record.getMessage().split())}
        sys.stderr.write(json.dumps(line) + "\n")


class _Server(uvicorn.Server):
    """Says when it is open, and leaves with status 0 when it is told to."""

    def __init__(
        self, config: uvicorn.Config, opened: Callable[[], None], leaving: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        super().__init__(config)
        self._opened, self._leaving = opened, leaving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._opened()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what clients listen to without end, then let all else finish."""
        await self._leaving()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear SIGTERM and Ctrl-C as the wish to leave, and not once more when it has left, as Uvicorn's own does."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, heard in before.items():
                signal.signal(each, heard)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(512)
    except (OSError, OverflowError) as error:
        listening.close()
        raise LenetError(f"{host}:{port}", f"cannot be served at ({reason(error)})", "choose another --port") from error
    return listening


def find_own_address() -> str | None:
    """Return this machine's address in its network, of packets to the outside; None without one. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        try:
            out.connect(("192.0.2.1", 9))  # of RFC 5737: an address that nobody has
        except OSError:
            return None
        return str(out.getsockname()[0])


def draw_code(address: str) -> str:
    """Return an address as a QR code for a terminal."""
    drawn = io.StringIO()
    segno.make(address, error="l").terminal(drawn, compact=True)
    return drawn.getvalue()


def _check_address(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        raise UsageError(f"proxy {address}", "expected an IP address") from None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
