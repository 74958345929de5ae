"""Folders that hold what is ours beside what is not: only the former is ever touched."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cleanplate.errors import OutputError
from cleanplate.writing.files import is_partial, output_error

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True)
class Own:
    """What is ours in a folder.

    Attributes:
        files: Names of files, a pattern for the whole name.
        folders: Folders, by name, with what is ours in them.
    """

    files: re.Pattern[str] = re.compile(r"(?!)")
    folders: Mapping[str, Own] = field(default_factory=dict)

    @classmethod
    def named(cls, *files: str, folders: Mapping[str, Own] | None = None) -> Own:
        """Files of just these names."""
        return cls(re.compile("|".join(map(re.escape, files)) or r"(?!)"), folders or {})

    def holds(self, name: str) -> bool:
        """Whether a file of that name is ours."""
        return self.files.fullmatch(name) is not None


class _Entry(NamedTuple):
    name: str
    is_folder: bool


def make_folder(folder: Path) -> list[Path]:
    """Makes a folder where it is missing, with those above it; gives what was made, deepest first.

    Raises:
        OSError: It cannot be made.
    """
    missing = []
    above = folder
    while not above.exists() and above != above.parent:
        missing.append(above)
        above = above.parent
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def make_own_folder(folder: Path) -> None:
    """Makes a folder of our own inside another; one that is there must be no link.

    Raises:
        OutputError: Something else is in the way, or it cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise (
            _in_the_way(folder)
            if os.path.lexists(folder)
            else output_error(error, folder, folder.name)
        ) from error
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise _in_the_way(folder)


def require_own(folder: Path, own: Own) -> None:
    """Refuses what has one of our names but is of another kind: links, folders for files.

    Raises:
        OutputError: There is such a thing.
    """
    for entry in _entries(folder):
        path = folder / entry.name
        if entry.name in own.folders:
            if not entry.is_folder:
                raise _in_the_way(path)
            require_own(path, own.folders[entry.name])
        elif own.holds(entry.name) and entry.is_folder:
            raise OutputError(f"{path} is a folder, which is not ours; give another place")


def foreign_in(folder: Path, own: Own) -> Iterator[str]:
    """Paths, from the folder, of all that is not ours in it; partial files do not count."""
    for entry in sorted(_entries(folder), key=lambda entry: entry.name):
        if entry.is_folder and entry.name in own.folders:
            inner = foreign_in(folder / entry.name, own.folders[entry.name])
            yield from (f"{entry.name}/{name}" for name in inner)
        elif entry.is_folder or not (own.holds(entry.name) or is_partial(entry.name)):
            yield entry.name


def remove_own(folder: Path, own: Own, keep: Collection[str] = ()) -> None:
    """Removes what is ours in a folder, but not the folder; nothing is done without one.

    Folders of ours that are empty then are removed too. A link is removed where a file of ours has
    its name, and what it points to is never touched.

    Args:
        folder: The folder.
        own: What is ours in it.
        keep: Paths, from the folder, of files that stay.

    Raises:
        OSError: Something cannot be removed.
    """
    with suppress(FileNotFoundError, NotADirectoryError), _opened(folder) as descriptor:
        _remove_in(descriptor, own, keep, "")


def _remove_in(folder: int, own: Own, keep: Collection[str], prefix: str) -> None:
    for name, is_folder in _entries(folder):
        if not is_folder and own.holds(name) and f"{prefix}{name}" not in keep:
            os.unlink(name, dir_fd=folder)
        elif is_folder and name in own.folders:
            with _opened(name, folder) as inner:
                _remove_in(inner, own.folders[name], keep, f"{prefix}{name}/")
            with suppress(OSError):  # files of other programs are left in it
                os.rmdir(name, dir_fd=folder)


def _entries(folder: Path | int) -> list[_Entry]:
    try:
        with os.scandir(folder) as found:
            return [_Entry(each.name, each.is_dir(follow_symlinks=False)) for each in found]
    except FileNotFoundError:
        return []


@contextmanager
def _opened(folder: Path | str, above: int | None = None) -> Iterator[int]:
    """A folder as a number; below another one it must be no link."""
    flags = _FOLDER if above is None else _FOLDER | os.O_NOFOLLOW
    descriptor = os.open(folder, flags, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _in_the_way(path: Path) -> OutputError:
    kind = "a link" if path.is_symlink() else "no folder of ours"
    return OutputError(f"{path} is {kind}, and nothing is written there; give another place")
