"""Files that appear whole, folders of which only our part is touched, and swaps."""

from __future__ import annotations

import errno
import itertools
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest

from cleanplate.errors import OutputError
from cleanplate.writing import (
    Own,
    PartialFile,
    current,
    foreign_in,
    make_own_folder,
    read_plain,
    remove_leftovers,
    remove_own,
    require_own,
    swap_in,
    write_whole,
)

OWN = Own(re.compile(r"[ab]\.txt"), {"inner": Own(re.compile(r"c\.txt"))})


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def mine(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    return path


class TestFiles:
    def test_a_link_of_that_name_is_replaced_and_not_followed(self, tmp_path: Path) -> None:
        target = mine(tmp_path / "elsewhere" / "target.txt")
        link = tmp_path / "out.txt"
        for place in (target, tmp_path / "elsewhere" / "dangling.txt", link):
            link.symlink_to(place)
            write_whole(link, "ours")
            assert not link.is_symlink()
            assert link.read_text() == "ours"
            link.unlink()
        assert target.read_text() == "mine"
        assert names(tmp_path / "elsewhere") == {"target.txt"}

    def test_it_has_its_name_only_when_it_is_whole(self, tmp_path: Path) -> None:
        path = mine(tmp_path / "out.txt")
        with PartialFile(path) as partial:
            partial.file.write(b"ours")
            partial.file.flush()
            assert path.read_text() == "mine"
        assert path.read_text() == "ours"
        assert names(tmp_path) == {"out.txt"}

    def test_an_error_leaves_what_was_there_and_nothing_else(self, tmp_path: Path) -> None:
        path = mine(tmp_path / "out.txt")
        with pytest.raises(KeyError), PartialFile(path) as partial:  # noqa: PT012
            partial.file.write(b"ours")
            raise KeyError
        assert path.read_text() == "mine"
        assert names(tmp_path) == {"out.txt"}

    def test_a_full_disk_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="the disk is full: the list could not be written"):
            write_whole(tmp_path / "out.txt", "ours", "the list")
        assert names(tmp_path) == set()

    def test_others_may_read_it_as_they_may_read_any_file(self, tmp_path: Path) -> None:
        write_whole(tmp_path / "ours", "")
        mine(tmp_path / "mine")
        assert (tmp_path / "ours").stat().st_mode == (tmp_path / "mine").stat().st_mode

    def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(self, tmp_path: Path) -> None:
        target = mine(tmp_path / "target.txt")
        dead = mine(tmp_path / ".cleanplate-0123456789ab.partial.webm")
        (tmp_path / ".cleanplate-0123456789ac.partial").symlink_to(target)
        mine(tmp_path / ".cleanplate-mine.partial")
        with PartialFile(tmp_path / "out.txt") as living:
            remove_leftovers(tmp_path)
            assert living.partial.exists()
        assert not dead.exists()
        assert target.read_text() == "mine"
        assert (tmp_path / ".cleanplate-mine.partial").exists()

    def test_only_a_plain_file_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(mine(tmp_path / "target"))
        os.mkfifo(tmp_path / "pipe")
        for name in ("link", "pipe", "absent"):
            with pytest.raises(OSError):  # noqa: PT011
                read_plain(tmp_path / name)
        assert read_plain(tmp_path / "target") == b"mine"


class TestFolders:
    def test_only_what_is_ours_is_removed(self, tmp_path: Path) -> None:
        for name in ("a.txt", "d.txt", "inner/c.txt", "inner/a.txt", "other/a.txt"):
            mine(tmp_path / name)
        remove_own(tmp_path, OWN)
        assert names(tmp_path) == {"d.txt", "inner", "inner/a.txt", "other", "other/a.txt"}

    def test_a_folder_of_ours_goes_when_it_is_empty(self, tmp_path: Path) -> None:
        mine(tmp_path / "inner" / "c.txt")
        remove_own(tmp_path, OWN, keep=["a.txt"])
        assert names(tmp_path) == set()

    def test_links_are_never_followed(self, tmp_path: Path) -> None:
        home, out = tmp_path / "home", tmp_path / "out"
        mine(home / "c.txt")
        out.mkdir()
        (out / "inner").symlink_to(home)
        (out / "a.txt").symlink_to(home / "c.txt")
        remove_own(out, OWN)
        assert names(out) == {"inner"}
        assert names(home) == {"c.txt"}
        with pytest.raises(OutputError, match="inner is a link"):
            require_own(out, OWN)
        with pytest.raises(OutputError, match="inner is a link"):
            make_own_folder(out / "inner")

    def test_a_link_that_the_user_gave_is_followed(self, tmp_path: Path) -> None:
        mine(tmp_path / "real" / "a.txt")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        remove_own(tmp_path / "link", OWN)
        assert names(tmp_path / "real") == set()

    @pytest.mark.parametrize("name", ["a.txt/x", "inner"])
    def test_other_kinds_are_refused(self, tmp_path: Path, name: str) -> None:
        mine(tmp_path / name)
        with pytest.raises(OutputError, match=r"not ours|no folder of ours"):
            require_own(tmp_path, OWN)

    def test_what_is_foreign_is_named(self, tmp_path: Path) -> None:
        for name in ("a.txt", "z.txt", "inner/c.txt", "inner/y.txt", "other/c.txt"):
            mine(tmp_path / name)
        mine(tmp_path / ".cleanplate-0123456789ab.partial")
        assert list(foreign_in(tmp_path, OWN)) == ["inner/y.txt", "other", "z.txt"]
        assert list(foreign_in(tmp_path / "absent", OWN)) == []


class TestSwap:
    OLD: ClassVar = {"a.txt": b"old", "b.txt": b"old", "inner/c.txt": b"old"}
    NEW: ClassVar = {"a.txt": b"new", "inner/c.txt": b"new"}

    @staticmethod
    def contents(folder: Path) -> dict[str, bytes]:
        place = current(folder)
        files = (path for path in place.rglob("*") if path.is_file())
        found = {str(path.relative_to(place)): path.read_bytes() for path in files}
        return {name: content for name, content in found.items() if not name.startswith(".")}

    def test_the_new_files_replace_the_old_ones(self, tmp_path: Path) -> None:
        mine(tmp_path / "notes.txt")
        swap_in(tmp_path, self.OLD, OWN)
        swap_in(tmp_path, self.NEW, OWN)
        assert names(tmp_path) == {"a.txt", "inner", "inner/c.txt", "notes.txt"}
        assert self.contents(tmp_path) == {**self.NEW, "notes.txt": b"mine"}

    @pytest.mark.parametrize("linked", [True, False])
    def test_stopped_anywhere_all_are_old_or_all_new(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
    ) -> None:
        def count(*_: object, **__: object) -> None:
            nonlocal steps
            steps += 1
            if steps == last:
                raise KeyboardInterrupt

        def counted(real: object) -> object:
            def call(*arguments: object, **options: object) -> object:
                count()
                return real(*arguments, **options)  # type: ignore[operator]

            return call

        def no_links(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "fsync", lambda _: None)
        found = set()
        for last in itertools.count(1):
            steps = 0
            folder = tmp_path / str(last)
            folder.mkdir()
            swap_in(folder, self.OLD, OWN)
            with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
                for name in ("replace", "rename", "unlink"):
                    patch.setattr(Path, name, counted(getattr(Path, name)))
                for name in ("open", "unlink", "rmdir"):
                    patch.setattr(os, name, counted(getattr(os, name)))
                patch.setattr(os, "link", counted(os.link) if linked else no_links)
                swap_in(folder, self.NEW, OWN)
            found.add(len(self.contents(folder)))
            assert self.contents(folder) in (self.OLD, self.NEW)
            swap_in(folder, self.NEW, OWN)
            assert names(folder) == {"a.txt", "inner", "inner/c.txt"}
            if steps < last:
                break
        assert found == {2, 3}
        assert last > 30
