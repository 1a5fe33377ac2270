"""A page of sections, as one self-contained HTML file and as Markdown with its figures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from lenet.files import replace_text


@dataclass(frozen=True)
class TextTable:
    """A table: a header and rows of text; figures stand to the right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A figure: its file's name, its SVG and what it shows."""

    name: str
    svg: str
    caption: str


Block = str | TextTable | Picture


@dataclass
class Section:
    """A heading and what stands below it: paragraphs, tables, figures."""

    title: str
    blocks: list[Block] = field(default_factory=list)


_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: .9rem; display: block; overflow-x: auto; }
td, th { padding: .25rem .7rem; border-bottom: 1px solid #8884; text-align: left; vertical-align: top; }
figure { margin: 1.5rem 0; background: #fff; color: #1b1b1f; padding: .5rem; }
figure svg { max-width: 100%; height: auto; } figcaption { font-size: .85rem; color: #55555f; }
nav { columns: 2; font-size: .9rem; }
"""


def html(title: str, sections: Sequence[Section]) -> str:
    """Return the page as one HTML document that refers to nothing outside itself."""
    links = "".join(
        f'<li><a href="#s{n}">{escape(section.title)}</a></li>\n' for n, section in enumerate(sections, start=1)
    )
    bodies = "".join(
        f'<h2 id="s{n}">{n}. {escape(section.title)}</h2>\n' + "".join(map(_html_block, section.blocks))
        for n, section in enumerate(sections, start=1)
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{escape(title)}</h1>\n<nav><ol>{links}</ol></nav>\n{bodies}</body></html>\n"
    )


def _html_block(block: Block) -> str:
    if isinstance(block, str):
        return f"<p>{escape(block)}</p>\n"
    if isinstance(block, Picture):
        return f"<figure>{block.svg}<figcaption>{escape(block.caption)}</figcaption></figure>\n"
    head = "".join(f"<th>{escape(cell)}</th>" for cell in block.header)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in block.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table>\n"


def markdown(title: str, sections: Sequence[Section]) -> str:
    """Return the page as Markdown; figures are files of their names beside it."""
    parts = [f"# {title}\n"]
    for n, section in enumerate(sections, start=1):
        parts.append(f"## {n}. {section.title}\n")
        parts += map(_markdown_block, section.blocks)
    return "\n".join(parts)


def _markdown_block(block: Block) -> str:
    if isinstance(block, str):
        return block + "\n"
    if isinstance(block, Picture):
        return f"![{block.caption}]({block.name}.svg)\n\n{block.caption}\n"
    lines = [block.header, ["---"] * len(block.header), *block.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def write_page(folder: Path, title: str, sections: Sequence[Section]) -> Path:
    """Write index.html, README.md and the figures; return the HTML file's path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Picture):
                replace_text(folder / f"{block.name}.svg", block.svg)
    replace_text(folder / "README.md", markdown(title, sections))
    replace_text(folder / "index.html", html(title, sections))
    return folder / "index.html"
