"""What MkDocs calls: README, figures and changelog are pages too; links to other files lead to the repository."""

from __future__ import annotations

import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = f"{_PROJECT['urls']['Repository']}/blob/main/"
# Pages of the site that are files of the repository.
_PAGES = {"index.md": "README.md", "benchmarks.md": "benchmarks/RESULTS.md", "changelog.md": "CHANGELOG.md"}
_LINK = re.compile(r"(\]\()([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_given: Any) -> str:
    """Return a page as the site has it."""
    source = page.file.src_uri
    given = _PAGES.get(source, "")
    if given:
        markdown = (ROOT / given).read_text(encoding="utf-8")
    folder = posixpath.dirname(given or posixpath.join("docs", source))
    pages = {file: f"docs/{name}" for name, file in _PAGES.items()}

    def lead(found: re.Match[str]) -> str:
        target, anchor = found[2], found[3] or ""
        if re.match(r"[a-z]+:", target):
            return found[0]
        place = posixpath.normpath(posixpath.join(folder, target))
        place = pages.get(place, place)
        if place.startswith("docs/") and (ROOT / place).is_file() and not place.endswith(".py"):
            inside = posixpath.relpath(place, posixpath.join("docs", posixpath.dirname(source)))
            return f"{found[1]}{inside}{anchor})"
        return f"{found[1]}{REPOSITORY}{place}{anchor})"

    return _LINK.sub(lead, markdown)
