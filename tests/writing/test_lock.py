"""The lock of a folder: one holder at a time, and nothing left of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleanplate.errors import OutputError, RunLockedError
from cleanplate.writing import lock as lock_module
from cleanplate.writing import locked

HAMMER = """
import os, sys, time
from pathlib import Path
from cleanplate.errors import RunLockedError
from cleanplate.writing import locked

folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
holder = folder.parent / "holder"
entries = two = 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        with locked(folder, busy="busy", what="it"):
            entries += 1
            try:
                os.close(os.open(holder, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                two += 1
            else:
                os.sched_yield()
                holder.unlink()
    except RunLockedError:
        pass
print(entries, two)
"""


def lock(folder: Path) -> object:
    return locked(folder, busy="somebody else is at it", what="the thing")


@pytest.mark.parametrize("is_there", [True, False])
def test_there_are_never_two_holders(tmp_path: Path, is_there: bool) -> None:
    if is_there:
        (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", HAMMER, str(tmp_path / "out"), "0.7"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    counts = [list(map(int, process.communicate()[0].split())) for process in processes]
    assert sum(entries for entries, _ in counts) > 20
    assert sum(two for _, two in counts) == 0
    assert not (tmp_path / "out" / ".lock").exists()


def test_a_folder_that_goes_while_it_is_looked_at_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two questions about a folder that other processes make and remove, each is true once."""
    answers = [False]
    is_dir, open_file, calls = Path.is_dir, os.open, []

    def fails_once(path: str | Path, *how: int) -> int:
        calls.append(path)
        if len(calls) == 1:
            monkeypatch.setattr(Path, "is_dir", lambda it: answers.pop() if answers else is_dir(it))
            raise FileNotFoundError(2, "No such file or directory")
        return open_file(path, *how)

    monkeypatch.setattr("cleanplate.writing.lock.os.open", fails_once)
    with lock(tmp_path / "out"):  # type: ignore[attr-defined]
        assert (tmp_path / "out" / ".lock").exists()
    assert len(calls) == 2


def test_who_opened_the_file_of_a_holder_that_went_asks_for_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has lost its name by then: two would hold a lock each."""
    holder = lock(tmp_path)
    holder.__enter__()  # type: ignore[attr-defined]
    taken, take = [], lock_module._take

    def late(descriptor: int, folder: Path, busy: str) -> None:
        taken.append(os.fstat(descriptor).st_ino)
        if len(taken) == 1:
            holder.__exit__(None, None, None)  # type: ignore[attr-defined]
        take(descriptor, folder, busy)

    monkeypatch.setattr(lock_module, "_take", late)
    with lock(tmp_path):
        assert len(taken) == 2
        assert (tmp_path / ".lock").stat().st_ino == taken[-1]
        refused = pytest.raises(RunLockedError)
        with refused, lock(tmp_path):
            pytest.fail("two at once")


def test_it_leaves_nothing(tmp_path: Path) -> None:
    with lock(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b" / ".lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_of_the_user_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with lock(tmp_path / "out"):
        pass
    assert list(tmp_path.rglob("*")) == [tmp_path / "out"]


def test_a_file_of_the_user_of_that_name_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("mine")
    with lock(tmp_path):
        pass
    assert (tmp_path / ".lock").read_text() == "mine"


@pytest.mark.parametrize("kind", ["link", "dangling", "loop", "folder", "pipe"])
def test_nothing_else_of_that_name_is_opened(tmp_path: Path, kind: str) -> None:
    out, target = tmp_path / "out", tmp_path / "target"
    out.mkdir()
    place = out / ".lock"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(place if kind == "loop" else target)
    if kind == "link":
        target.write_text("mine")
    with pytest.raises(OutputError), lock(out):
        pytest.fail("locked")
    assert os.path.lexists(place)
    assert not target.exists() or target.read_text() == "mine"


def test_a_process_forked_meanwhile_does_not_keep_it(tmp_path: Path) -> None:
    read, write = os.pipe()
    with lock(tmp_path):
        child = os.fork()
        if child == 0:
            os.read(read, 1)
            os._exit(0)
    try:
        with lock(tmp_path):
            pass
    finally:
        os.write(write, b"x")
        os.waitpid(child, 0)


def test_that_of_another_is_refused(tmp_path: Path) -> None:
    refused = pytest.raises(RunLockedError, match="somebody else is at it")
    with lock(tmp_path), refused, lock(tmp_path):
        pytest.fail("two at once")
    with lock(tmp_path):
        pass
