"""Files that appear whole: made aside under a fresh name, never through a link, then renamed."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from cleanplate.errors import OutputError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says of a full disk."""
_FRESH = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PARTIAL = re.compile(r"\.cleanplate-[0-9a-f]{12}\.partial(\.[a-z0-9]+)?")


class PartialFile:
    """A fresh file beside the one that it will be; at the end of a `with` block it takes its place.

    After an error it is gone, and what was there is as it was. A link of that name is replaced, not
    followed. While the file is open it is locked, so that `remove_leftovers` knows those of
    processes that live.

    Attributes:
        path: What it will be.
        partial: Where it is until then.
        file: Open for writing.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, path: Path, *, suffix: str = "", durable: bool = True) -> None:
        """Makes the file.

        Args:
            path: What it will be.
            suffix: Ending of its name until then, for libraries that look at it.
            durable: Wait until it is on the disk before it takes its place.
        """
        self.path = path
        self.partial = fresh_name(path, suffix)
        self._durable = durable
        descriptor = open_fresh(self.partial)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.file: IO[bytes] = os.fdopen(descriptor, "w+b")

    def finish(self) -> None:
        """Puts it in its place.

        Raises:
            OSError: It cannot be written; nothing is left of it.
        """
        try:
            self.file.flush()
            if self._durable:
                os.fsync(self.file.fileno())
            self.partial.replace(self.path)
        except BaseException:
            self.discard()
            raise
        self.file.close()
        if self._durable:
            sync_folder(self.path.parent)

    def discard(self) -> None:
        """Removes it."""
        with suppress(OSError):
            self.partial.unlink(missing_ok=True)
        with suppress(OSError):  # what waits to be written has no room
            self.file.close()

    def __enter__(self) -> PartialFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.finish()
        else:
            self.discard()


def open_fresh(path: Path) -> int:
    """A new file, for reading and writing, where nothing has that name.

    Raises:
        OSError: Something has it, or it cannot be made.
    """
    return os.open(path, _FRESH, 0o666)


def write_whole(path: Path, content: bytes | str, what: str = "", *, durable: bool = True) -> None:
    """Writes a file, whole or not at all.

    Args:
        path: Where to; a link there is replaced, not followed.
        content: All of it; text as UTF-8.
        what: What it is, for messages; its name unless given.
        durable: Wait until it is on the disk.

    Raises:
        OutputError: It cannot be written; what was there is as it was.
    """
    try:
        with PartialFile(path, durable=durable) as partial:
            partial.file.write(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise output_error(error, path, what or path.name) from error


def read_plain(path: Path) -> bytes:
    """Content of a regular file; a link is not followed.

    Raises:
        OSError: It is none, or cannot be read.
    """
    with os.fdopen(os.open(path, _PLAIN), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        return file.read()


def fresh_name(path: Path, suffix: str = "") -> Path:
    """A name beside a file that nothing has."""
    return path.with_name(f".cleanplate-{secrets.token_hex(6)}.partial{suffix}")


def is_partial(name: str) -> bool:
    """Whether a name is that of a file on its way."""
    return _PARTIAL.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Removes files on their way whose processes were killed; those of others stay."""
    try:
        names = [name for name in os.listdir(folder) if is_partial(name)]  # noqa: PTH208
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            descriptor = os.open(folder / name, _PLAIN)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (folder / name).unlink()
            finally:
                os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system can tell."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def output_error(error: OSError, path: Path, what: str) -> OutputError:
    """The error of this package for a failed write.

    Args:
        error: What the system said.
        path: The file or folder written to.
        what: What was being written, as in "the frame cache".
    """
    if isinstance(error, OutputError):
        return error
    if error.errno in FULL:
        return OutputError(
            f"the disk is full: {what} could not be written to {path}; free some space or give a "
            f"folder on another disk"
        )
    reason = error.strerror or str(error)
    return OutputError(f"{what} could not be written to {path}: {reason}; give another place")
