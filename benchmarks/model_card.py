"""The tables in a model card that benchmarks write, each between its own marks."""

from __future__ import annotations

from pathlib import Path

from lenet.files import replace_text


def fill(card: Path, table: str, benchmark: str, rows: list[str]) -> None:
    """Put rows of Markdown between a card's marks of a table, in place of what this benchmark wrote before.

    A card without these marks, which is of a network that does not read numbers, ends the benchmark with a line.
    """
    begin, end = f"<!-- {table}: benchmarks/{benchmark} writes this -->", f"<!-- end of {table} -->"
    text = card.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise SystemExit(f"{card}: has no place for {table}; choose the card of a network that reads numbers")
    before, rest = text.split(begin)
    _old, after = rest.split(end)
    replace_text(card, "\n".join([before + begin, *rows, end + after]))
