"""Many files that replace others all at once.

New files are written into a folder inside the one that they go to. Renaming that folder decides:
before, the old files count, after, the new ones, which then take the places of the old ones. So
`current` says where to read at any moment, and the next writer ends what was decided.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from cleanplate.writing.files import (
    fresh_name,
    output_error,
    read_plain,
    remove_leftovers,
    sync_folder,
    write_whole,
)
from cleanplate.writing.folders import Own, make_own_folder, remove_own

NEW_PARTIAL, NEW, NEW_DONE = ".new.partial", ".new", ".new.done"
"""Folder of new files: while they are written, once they are whole, when they have their places."""


def with_new(own: Own) -> Own:
    """What is ours in a folder whose files are replaced all at once."""
    inner = Own(own.files, own.folders)
    return Own(own.files, {**own.folders, **dict.fromkeys((NEW_PARTIAL, NEW, NEW_DONE), inner)})


def current(folder: Path) -> Path:
    """Where the files of a folder are to be read: in itself, or in that of the new ones."""
    return folder / NEW if _is_folder(folder / NEW) else folder


def swap_in(folder: Path, contents: Mapping[str, bytes], own: Own) -> None:
    """Replaces the files of a folder; killed at any moment, all are the old ones or all the new.

    Args:
        folder: The folder, which no other process writes into.
        contents: The new files by path from the folder.
        own: What may be replaced, and is removed where there is nothing new for it.

    Raises:
        OutputError: They cannot be written; the old ones stay, unless all new ones are there.
    """
    finish_swap(folder, own)
    partial = begin_swap(folder, own)
    for name, content in contents.items():
        _make_folders(partial, name)
        write_whole(partial / name, content)
    _sync(partial, contents)
    decide_swap(folder)
    finish_swap(folder, own)


def begin_swap(folder: Path, own: Own) -> Path:
    """An empty folder for the new files.

    Raises:
        OutputError: It cannot be made.
    """
    partial = folder / NEW_PARTIAL
    try:
        _remove_folder(partial, own)
    except OSError as error:
        raise output_error(error, folder, "new files") from error
    make_own_folder(partial)
    return partial


def decide_swap(folder: Path) -> None:
    """From here on the new files are the ones that count.

    Raises:
        OutputError: Their folder cannot be renamed.
    """
    try:
        (folder / NEW_PARTIAL).rename(folder / NEW)
    except OSError as error:
        raise output_error(error, folder, "new files") from error
    sync_folder(folder)


def finish_swap(folder: Path, own: Own) -> None:
    """Gives new files that count their places; does nothing where there are none.

    Raises:
        OutputError: That is not possible now; it can be done later.
    """
    try:
        _remove_folder(folder / NEW_DONE, own)
        new = current(folder)
        if new == folder:
            return
        for inner in (folder, *(folder / name for name in own.folders)):
            remove_leftovers(inner)
        names = set(own_files(new, own))
        for name in sorted(names):
            _make_folders(folder, name)
            _copy(new / name, folder / name)
        remove_own(folder, own, keep=names)
        _sync(folder, names)
        new.rename(folder / NEW_DONE)
        sync_folder(folder)
        _remove_folder(folder / NEW_DONE, own)
    except OSError as error:
        raise output_error(error, folder, "new files") from error


def own_files(folder: Path, own: Own, prefix: str = "") -> Iterator[str]:
    """Paths, from the folder, of regular files that are ours; none where there is no folder."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        if entry.is_file(follow_symlinks=False) and own.holds(entry.name):
            yield f"{prefix}{entry.name}"
        elif entry.is_dir(follow_symlinks=False) and entry.name in own.folders:
            inner = own.folders[entry.name]
            yield from own_files(folder / entry.name, inner, f"{prefix}{entry.name}/")


def _copy(source: Path, target: Path) -> None:
    """A file that is on the disk already under one more name, whole or not at all."""
    partial = fresh_name(target)
    try:
        os.link(source, partial, follow_symlinks=False)
    except OSError:  # a file system without such links
        write_whole(target, read_plain(source))
        return
    try:
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)  # renaming to another name of the same file does nothing


def _make_folders(folder: Path, name: str) -> None:
    for above in [*PurePosixPath(name).parents][-2::-1]:
        make_own_folder(folder / above)


def _sync(folder: Path, names: Iterable[str]) -> None:
    for above in {folder, *((folder / name).parent for name in names)}:
        sync_folder(above)


def _remove_folder(folder: Path, own: Own) -> None:
    if not _is_folder(folder):
        return
    for inner in (folder, *(folder / name for name in own.folders)):
        remove_leftovers(inner)
    remove_own(folder, own)
    with suppress(OSError):  # files of other programs are left in it
        folder.rmdir()


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (OSError, ValueError):  # no name at all
        return False
