"""Files that appear whole or not at all, and names as a table can have them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; on success it replaces `path` in one step.

    On any failure, an interrupt included, the temporary file is removed and `path` stays as it was.
    Raises OSError when the folder cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def replace_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def escape_name(name: str) -> str:
    r"""Return a file's name as a table can have it: a byte that is no UTF-8 is written as an escape, such as \udcff."""
    return name.encode(errors="backslashreplace").decode()


def unescape_name(name: str) -> str:
    """Return the name of the file that `escape_name` wrote down."""
    return re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
