"""Files that appear whole or not at all, that one process writes at a time, and names as a table can have them."""

from __future__ import annotations

import atexit
import errno
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

# Between two tries of who waits for a lock, in seconds.
_PAUSE = 0.01
# What a system says when another process holds it; any other error is of a file system that has no locks.
_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


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


class Lock:
    """A file that this process alone may write, until `release`, `remove` or its end, however that comes."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path, self._file = path, file

    @property
    def held(self) -> bool:
        """Whether it is this process's still."""
        return not self._file.closed

    def release(self) -> None:
        """Let others have it."""
        self._file.close()

    def remove(self) -> None:
        """Delete the file and let others have its name, if it is held. Raises OSError."""
        if not self.held:
            return
        if os.name == "nt":  # an open file cannot be deleted there
            self._file.close()
        self.path.unlink(missing_ok=True)
        self._file.close()


def take_lock(path: Path, seconds: float = 0.0) -> Lock | None:
    """Take the lock of a file, which is made where there is none; None when another has it for so many seconds.

    The system lets go of it when the process ends. Where a file system has no locks, everybody gets it.
    Raises OSError when the file cannot be opened.
    """
    until = time.monotonic() + seconds
    while True:
        file = path.open("ab")
        taken = _try_lock(file)
        if taken and _is_at(path, file):  # else it was deleted by who had it before
            return Lock(path, file)
        file.close()
        if not taken:
            if time.monotonic() >= until:
                return None
            time.sleep(_PAUSE)


# The folders that this process has claimed, by the file that is locked.
_CLAIMED: dict[Path, Lock] = {}


def claim_folder(folder: Path) -> Lock | None:
    """Take the lock of a folder, its file .lock, for this process, which may claim it again; None: another has it.

    Raises OSError when the folder cannot be written.
    """
    file = folder.resolve() / ".lock"
    held = _CLAIMED.get(file)
    if held is not None and held.held:
        return held
    taken = take_lock(file)
    if taken is not None:
        if not _CLAIMED:
            atexit.register(_leave_folders)
        _CLAIMED[file] = taken
    return taken


def _leave_folders() -> None:
    for lock in _CLAIMED.values():
        with suppress(OSError):
            lock.remove()
        lock.release()


def _is_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(file: IO[bytes]) -> bool:
    try:
        _lock_now(file)
    except OSError as error:
        return error.errno not in _HELD
    return True


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


if os.name == "nt":
    import msvcrt

    def _lock_now(file: IO[bytes]) -> None:
        file.seek(2**30)  # a byte that nobody reads: what is locked there cannot be read by others
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
else:
    import fcntl

    def _lock_now(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
