"""What one process serves at most: sizes, counts and times, all of them finite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of the service; `lenet.preprocessing.decode.MOST_PIXELS` limits pixels, before anything is decoded.

    `body` is the bytes of a request, `head` those of its address and headers, `pictures` those of a batch,
    `body_seconds` how long a client may take to send, `seconds` how long a picture may take to be read, `waiting` how
    many requests wait for a reader.
    """

    body: int = 32_000_000
    head: int = 32_768
    pictures: int = 64
    body_seconds: float = 20.0
    seconds: float = 20.0
    waiting: int = 128
    # Connections that have not sent a request's head are cut after so many seconds, those between two requests after so
    # many; a service that was told to leave waits so long for what runs.
    head_seconds: float = 5.0
    idle_seconds: int = 30
    leaving_seconds: int = 30
