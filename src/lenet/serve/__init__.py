"""The page and the HTTP interface: one command on 127.0.0.1, with a process per core that reads."""

from __future__ import annotations

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

import uvicorn

from lenet.errors import LenetError, UsageError, reason
from lenet.native.dispatch import count_cores
from lenet.serve.app import build
from lenet.serve.guard import Access
from lenet.serve.limits import Limits
from lenet.serve.model_registry import choose_folder
from lenet.serve.request_head import make_protocol

__all__ = ["Limits", "serve"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LEAST_TOKEN = 16


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    hosts: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
    folder: Path | None = None,
    limits: Limits | None = None,
    ready: Callable[[str], None] = print,
) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish what runs, and return. `ready` gets the address once it is open.

    `hosts` are names by which this machine may be called beside its addresses, `origins` other sites that may ask,
    such as https://example.org. `folder` keeps corrections and trained networks. Raises UsageError for a host that is
    not loopback without a token of 16 characters, and LenetError when the address is taken.
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
    )
    limits = limits or Limits()
    app, lessons = build(folder or choose_folder(), access, limits, count_cores())
    listening = _listen(host, port)
    name = f"[{host}]" if ":" in host else host
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


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
