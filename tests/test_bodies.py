"""Bodies on their way: a client that sends much or slowly is held back, and its neighbours do not feel it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("fastapi")

from lenet.serve import bodies
from lenet.serve.bodies import Bodies, Refused
from lenet.serve.limits import Limits

from clock import run_without_waiting

CHUNKED = {b"transfer-encoding": b"chunked".decode()}


class Sender:
    """Sends a part each so many seconds, and counts what it could send."""

    def __init__(self, part: bytes, seconds: float, parts: int) -> None:
        self.part, self.seconds, self.left = part, seconds, parts

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(self.seconds)
        self.left -= 1
        return {"type": "http.request", "body": self.part, "more_body": self.left > 0}


async def send(coming: Bodies, client: str, sender: Sender, held: float = 0.0) -> int:
    """Send a body, have it held for a while; return the status: 200 if it was taken."""
    with coming.hold(client) as body:
        try:
            await coming.receive(body, sender.receive, CHUNKED)
        except Refused as refused:
            return refused.status
        await asyncio.sleep(held)
        return 200


def test_the_slowest_of_a_client_gives_way() -> None:
    """Seventy bodies that drip keep no honest one of the same address out, nor one of another."""

    async def play() -> tuple[int, int, list[int]]:
        coming = Bodies(Limits(waiting=128))
        drips = [asyncio.ensure_future(send(coming, "a", Sender(b"x", 1.5, 1000))) for _n in range(64)]
        await asyncio.sleep(3)
        honest = await send(coming, "a", Sender(b"x" * 1000, 0.1, 5))
        other = await send(coming, "b", Sender(b"x" * 1000, 0.1, 5))
        return honest, other, sorted(await asyncio.gather(*drips))

    honest, other, drips = run_without_waiting(play())
    assert (honest, other) == (200, 200)
    assert drips == [408] * 64


def test_too_many_that_began_just_now_are_told_to_come_again() -> None:
    """Nobody is known to be slow within the first second: the new one waits."""

    async def play() -> list[int]:
        coming = Bodies(Limits(waiting=8))
        sent = [send(coming, "a", Sender(b"x", 0.1, 3)) for _n in range(6)]
        return list(await asyncio.gather(*sent))

    assert sorted(run_without_waiting(play())) == [200] * 4 + [429] * 2


def test_one_body_at_a_time_is_the_least_that_is_taken() -> None:
    """However few requests may wait: one is received, and a second one at once is told to come again."""

    async def play() -> list[int]:
        coming = Bodies(Limits(waiting=1))
        return list(await asyncio.gather(*(send(coming, "a", Sender(b"x", 0.1, 3)) for _n in range(2))))

    assert run_without_waiting(play()) == [200, 429]


def test_a_client_holds_half_of_what_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one address sends at once leaves room for the next; what was answered is held no more."""
    monkeypatch.setattr(bodies, "_IN_FLIGHT", 100)

    async def play() -> list[int]:
        coming = Bodies(Limits())
        first = asyncio.ensure_future(send(coming, "a", Sender(b"x" * 50, 0.1, 1), held=5))
        await asyncio.sleep(1)
        found = [
            await send(coming, "a", Sender(b"x", 0.1, 1)),  # its half is held
            await send(coming, "b", Sender(b"x" * 50, 0.1, 1)),
            await first,
            await send(coming, "a", Sender(b"x" * 50, 0.1, 1)),  # given back
        ]
        both = [asyncio.ensure_future(send(coming, name, Sender(b"x" * 50, 0.1, 1), held=5)) for name in "ab"]
        await asyncio.sleep(1)
        found.append(await send(coming, "c", Sender(b"x", 0.1, 1)))
        assert await asyncio.gather(*both) == [200, 200]
        return found

    assert run_without_waiting(play()) == [429, 200, 200, 200, 503]


def test_a_slow_body_has_its_time_alone() -> None:
    """Alone it is refused only when its time is over, with how long that is."""

    async def play() -> str:
        coming = Bodies(Limits(body_seconds=3))
        with coming.hold("a") as body, pytest.raises(Refused) as refused:
            await coming.receive(body, Sender(b"x", 1, 1000).receive, CHUNKED)
        return f"{refused.value.status} {refused.value.message} {body.size}"

    assert run_without_waiting(play()) == "408 the body took more than 3 s 2"
