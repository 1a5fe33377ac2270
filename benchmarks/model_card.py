"""The tables in a model card that benchmarks write, each between its own marks."""

from __future__ import annotations

from pathlib import Path


def fill(card: Path, table: str, benchmark: str, rows: list[str]) -> None:
    """Put rows of Markdown between a card's marks of a table, in place of what this benchmark wrote before."""
    begin, end = f"<!-- {table}: benchmarks/{benchmark} writes this -->", f"<!-- end of {table} -->"
    before, rest = card.read_text(encoding="utf-8").split(begin)
    _old, after = rest.split(end)
    card.write_text("\n".join([before + begin, *rows, end + after]), encoding="utf-8")
