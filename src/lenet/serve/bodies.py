"""Bodies that are on their way: bounds for one, for those of a client and for all, and who is slowest gives way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.types import Message, Receive

from lenet.serve.limits import Limits

# The bodies of all requests that are under way may take so many bytes together, those of one client half of them.
_IN_FLIGHT = 256_000_000
# So old is a body that gives way to a new one of its client, in seconds: at full speed it would be done by then.
_SETTLED = 1.0


class Refused(Exception):
    """A request is not taken: the status and the line that say why, and headers beside."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        self.status, self.message, self.headers = status, message, headers


@dataclass(eq=False)
class Body:
    """What was received of a request, since when by the loop's clock; `patience` ends when its client had its time."""

    client: str
    began: float = 0.0
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    patience: asyncio.Timeout | None = None
    gives_way: bool = False

    def give(self, receive: Receive) -> Receive:
        """Return what gives it to the application in one message, and then says whether the client has left."""
        first: Message | None = {"type": "http.request", "body": b"".join(self.parts), "more_body": False}

        async def give() -> Message:
            nonlocal first
            message, first = first, None
            return message if message is not None else await receive()

        return give


class Bodies:
    """All bodies that are received, or held until their request is answered."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._coming: list[Body] = []
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(self, client: str) -> Iterator[Body]:
        """Yield a client's body, not begun; what it has received is held until the end."""
        body = Body(client)
        try:
            yield body
        finally:
            self._held[client] -= body.size
            if not self._held[client]:
                del self._held[client]

    async def receive(self, body: Body, receive: Receive, headers: dict[bytes, str]) -> None:
        """Receive a whole body, within its limits. Raises Refused."""
        announced = headers.get(b"content-length", "0")
        too_large = Refused(413, f"body of more than {self._limits.body:,} bytes; send a smaller picture")
        if not _is_at_most(announced, self._limits.body):
            raise too_large
        more = b"content-length" in headers or b"transfer-encoding" in headers
        if not more:
            return
        body.began = asyncio.get_running_loop().time()
        self._make_room(body.client, body.began)
        self._coming.append(body)
        try:
            async with asyncio.timeout(self._limits.body_seconds) as body.patience:
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "the client left before it had sent all")
                    self._take(body, message.get("body", b""))
                    if body.size > self._limits.body:
                        raise too_large
                    more = message.get("more_body", False)
        except TimeoutError:
            slow = f"the body took more than {self._limits.body_seconds:g} s"
            said = "the body was the slowest of too many at once from one client" if body.gives_way else slow
            raise Refused(408, said, connection="close") from None
        finally:
            self._coming.remove(body)

    def _take(self, body: Body, part: bytes) -> None:
        body.parts.append(part)
        body.size += len(part)
        self._held[body.client] += len(part)
        again = {"retry-after": "1"}
        if self._held[body.client] > _IN_FLIGHT // 2:
            raise Refused(429, "too much is being sent at once by one client; try again", **again)
        if self._held.total() > _IN_FLIGHT:
            raise Refused(503, "too much is being sent at once; try again", **again)

    def _make_room(self, client: str, now: float) -> None:
        """Have the slowest body of a client that sends too many at once give way to a new one. Raises Refused."""
        most = max(1, self._limits.waiting // 2)
        own = [each for each in self._coming if each.client == client and not each.gives_way]
        if len(own) < most:
            return
        settled = [each for each in own if now - each.began > _SETTLED]
        if not settled:
            raise Refused(429, f"more than {most} requests at once", **{"retry-after": "1"})
        slowest = min(settled, key=lambda each: each.size / (now - each.began))
        slowest.gives_way = True
        assert slowest.patience is not None
        slowest.patience.reschedule(now)


def _is_at_most(announced: str, most: int) -> bool:
    """Tell whether a Content-Length is a number, and not above a limit: it may have any number of digits."""
    digits = announced.lstrip("0")
    return announced.isdecimal() and len(digits) <= len(str(most)) and int(digits or "0") <= most
