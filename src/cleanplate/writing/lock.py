"""The lock of a folder that one process at a time writes into."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cleanplate.errors import OutputError, RunLockedError
from cleanplate.writing.files import FULL, output_error
from cleanplate.writing.folders import make_folder

LOCK = ".lock"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ATTEMPTS = 1000


@contextmanager
def locked(folder: Path, *, busy: str, what: str) -> Iterator[None]:
    """Makes a folder and keeps other processes out; the lock of a process that died does not count.

    Its file is removed while the lock is still held, and a process that gets the lock of a
    file that has lost its name asks again: so there are never two holders. Folders that were made
    and stayed empty are removed.

    Args:
        folder: Made if it is missing.
        busy: What to say where another process holds it.
        what: What is to be written there, for messages.

    Raises:
        RunLockedError: Another process holds it.
        OutputError: The folder cannot be written.
    """
    try:
        made, descriptor = _acquire(folder, busy)
    except OutputError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise output_error(error, folder, what) from error
        raise OutputError(
            f"cannot write to {folder}: {error.strerror}; give another place"
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            if os.fstat(descriptor).st_size == 0:  # else it is another program's file of that name
                (folder / LOCK).unlink()
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
        with suppress(OSError):  # only what is empty because nothing came of it
            for each in made:
                each.rmdir()


def _acquire(folder: Path, busy: str) -> tuple[list[Path], int]:
    made: list[Path] = []
    for _ in range(_ATTEMPTS):
        try:
            made = make_folder(folder) or made
            if not made and os.listdir(folder) == [LOCK]:  # noqa: PTH208 - of one that was killed
                made = [folder]
            descriptor = os.open(folder / LOCK, _FLAGS, 0o666)
        except (FileNotFoundError, FileExistsError):
            if _is_something_else(folder):
                raise
            continue  # another process has just removed the folder
        try:
            _take(descriptor, folder, busy)
            if _has_name(descriptor, folder / LOCK):
                return made, descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise OSError(errno.EBUSY, "its lock is taken and given back all the time")


def _is_something_else(folder: Path) -> bool:
    """Whether there is something of that name that is no folder, and no link to one."""
    try:
        # Asked once: between two questions another process may remove the folder.
        mode = folder.lstat().st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISDIR(mode) or (stat.S_ISLNK(mode) and folder.is_dir()))


def _take(descriptor: int, folder: Path, busy: str) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OutputError(f"{folder / LOCK} is no file; give another place")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RunLockedError(busy) from error


def _has_name(descriptor: int, path: Path) -> bool:
    """Whether the file that is locked is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
