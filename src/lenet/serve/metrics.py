"""What Prometheus may ask: how many requests came, how they ended, how long they took, how many wait."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MEDIA = CONTENT_TYPE_LATEST
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


class Metrics:
    """The counts of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self._requests = Counter("lenet_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "lenet_request_seconds", "Time to answer.", ("route",), registry=self._registry, buckets=_BUCKETS
        )
        self._asked = Gauge("lenet_asked", "Requests that wait for a reader or have one.", registry=self._registry)

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request; `route` is the route's own path, never the client's."""
        known = method if method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS") else "other"
        self._requests.labels(route, known, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def watch(self, asked: Callable[[], int]) -> None:
        """Ask so how many requests wait, whenever somebody wants to know."""
        self._asked.set_function(asked)

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)
