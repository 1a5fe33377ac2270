"""What MkDocs calls: the README is the first page, and links to files outside docs/ lead to the repository."""

from __future__ import annotations

import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = f"{_PROJECT['urls']['Repository']}/blob/main/"
_LINK = re.compile(r"(\]\()([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_given: Any) -> str:
    """Return a page as the site has it."""
    source = page.file.src_uri
    if source == "index.md":
        markdown, folder = (ROOT / "README.md").read_text(encoding="utf-8"), ""
    else:
        folder = posixpath.join("docs", posixpath.dirname(source))

    def lead(found: re.Match[str]) -> str:
        target, anchor = found[2], found[3] or ""
        if re.match(r"[a-z]+:", target):
            return found[0]
        place = posixpath.normpath(posixpath.join(folder, target))
        if place.startswith("docs/") and (ROOT / place).is_file() and not place.endswith(".py"):
            inside = posixpath.relpath(place, posixpath.join("docs", posixpath.dirname(source)))
            return f"{found[1]}{inside}{anchor})"
        return f"{found[1]}{REPOSITORY}{place}{anchor})"

    return _LINK.sub(lead, markdown)
