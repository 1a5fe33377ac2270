"""What long work reports to when nobody watches."""

from __future__ import annotations


def silent(*_progress: object) -> None:
    """Report nothing, whatever the progress is of."""
