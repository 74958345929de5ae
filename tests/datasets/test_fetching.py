"""Fetching from a server in this process: what comes, what is kept, what is said without one."""

from __future__ import annotations

import functools
import http.server
import shutil
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import cleanplate.datasets.fetching as fetching
from cleanplate.datasets import dataset, find_sequences
from cleanplate.datasets.fetching import fetch
from cleanplate.datasets.manifest import MANIFEST, files_of, read_manifest, sha256_of
from cleanplate.errors import FetchError, OutputError, UnknownNameError, UsageError
from dataset_copies import COPIES

pytest.importorskip("pooch")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """The folder that is served, and its address."""
    folder = tmp_path / "server"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def serve_cdnet_from(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dataset("cdnet")
    assert known.archives is not None
    archives = replace(known.archives, address=address + "/{part}.zip")
    monkeypatch.setattr(fetching, "dataset", lambda _: replace(known, archives=archives))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def archive(server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The served archive `baseline/street.zip` of a painted sequence."""
    painted = COPIES["cdnet"][1](tmp_path / "made")
    path = server[0] / "baseline" / "street.zip"
    path.parent.mkdir()
    shutil.make_archive(str(path.with_suffix("")), "zip", painted.path.parent, "street")
    serve_cdnet_from(server[1], monkeypatch)
    return path


def test_an_archive_comes_to_its_place_with_its_checksums(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (fetched,) = fetch("cdnet", out, parts=["baseline/street"])
    assert fetched.is_new
    assert fetched.sha256 == sha256_of(archive)
    (sequence,) = find_sequences(out)
    assert (sequence.dataset, sequence.category, sequence.name) == ("cdnet", "baseline", "street")
    manifest = read_manifest(out / MANIFEST)
    assert len(manifest.files) == fetched.files == 12
    difference = manifest.compare(out, ignore=out / MANIFEST)
    assert (difference.missing, difference.changed, difference.added) == ([], [], [])
    assert [path.name for path in out.iterdir()] != []
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_progress_is_told_in_bytes(archive: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float, float | None]] = []

    def listen(stage: str, done: float, total: float | None, note: str = "") -> None:
        told.append((stage, done, total))

    fetch(
        "cdnet",
        tmp_path / "out",
        parts=["baseline/street"],
        progress=listen,
    )
    size = archive.stat().st_size
    assert ("fetching baseline/street", size, size) in told


def test_what_is_there_is_not_fetched_again(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch("cdnet", out, parts=["baseline/street"])
    archive.unlink()
    (fetched,) = fetch("cdnet", out, parts=["baseline/street"])
    assert not fetched.is_new


def test_another_archive_than_the_first_time_is_refused(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch("cdnet", out, parts=["baseline/street"])
    before = set(files_of(out))
    gone = out / "baseline" / "street" / "input" / "in000001.jpg"
    gone.unlink()
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("street/note.txt", "changed")
    with pytest.raises(FetchError, match="another archive than the one fetched before"):
        fetch("cdnet", out, parts=["baseline/street"])
    assert set(files_of(out)) == before - {gone.relative_to(out).as_posix()}


def test_a_lost_file_comes_back_and_the_others_stay(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch("cdnet", out, parts=["baseline/street"])
    gone = out / "baseline" / "street" / "input" / "in000001.jpg"
    gone.unlink()
    assert fetch("cdnet", out, parts=["baseline/street"])[0].is_new
    assert gone.is_file()


@pytest.mark.parametrize("name", ["baseline", "baseline/street/input", "baseline/street/ROI.bmp"])
def test_nothing_is_written_through_links(archive: Path, tmp_path: Path, name: str) -> None:
    home, link = tmp_path / "home", tmp_path / "out" / name
    home.mkdir()
    link.parent.mkdir(parents=True)
    link.symlink_to(home)
    with pytest.raises(OutputError, match="is a link, and nothing is written there"):
        fetch("cdnet", tmp_path / "out", parts=["baseline/street"])
    assert list(home.iterdir()) == []
    assert link.is_symlink()


def test_a_file_of_ones_own_is_never_replaced(archive: Path, tmp_path: Path) -> None:
    mine = tmp_path / "out" / "baseline" / "street" / "temporalROI.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(OutputError, match="is in the way, with another content"):
        fetch("cdnet", tmp_path / "out", parts=["baseline/street"])
    assert mine.read_text() == "mine"
    assert list(mine.parent.iterdir()) == [mine]


@pytest.mark.parametrize("name", ["../outside.txt", "/tmp/outside.txt"])
def test_an_archive_that_writes_elsewhere_is_refused(
    archive: Path, tmp_path: Path, name: str
) -> None:
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(name, "outside")
    with pytest.raises(FetchError, match="it wants to write to"):
        fetch("cdnet", tmp_path / "out", parts=["baseline/street"])
    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_refused_and_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    archive.write_text("<html>sorry</html>")
    with pytest.raises(FetchError, match="is no ZIP archive"):
        fetch("cdnet", tmp_path / "out", parts=["baseline/street"])
    assert not (tmp_path / "out").exists()


def test_a_part_that_does_not_exist_is_told(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"the server says 404\); nothing was changed"):
        fetch("cdnet", tmp_path / "out", parts=["baseline/nothing"])


def test_without_a_network_it_fails_within_seconds_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:  # a port that nobody listens on
        closed.bind(("127.0.0.1", 0))
        serve_cdnet_from(f"http://127.0.0.1:{closed.getsockname()[1]}", monkeypatch)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine")
        begin = time.monotonic()
        with pytest.raises(FetchError) as failure:
            fetch("cdnet", tmp_path / "out")
    assert time.monotonic() - begin < 10
    sentence = str(failure.value)
    for words in (
        "no connection; is there a network?",
        "nothing was changed",
        "by hand from http://changedetection.net",
        "any unpacked tree can be given to cleanplate datasets check",
    ):
        assert words in sentence
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["lasiesta", "sbi", "painted", "folder"])
def test_sets_that_cannot_be_fetched_say_what_to_do(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be fetched: .*can be given"):
        fetch(name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("part", ["", "/etc", "../up", "baseline/highway.zip"])
def test_a_part_with_an_impossible_name_is_refused(part: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give one as baseline/highway"):
        fetch("cdnet", tmp_path / "out", parts=[part])


def test_an_unknown_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        fetch("cdnetz", tmp_path / "out")


def test_without_pooch_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(UsageError, match=r"pip install 'cleanplate\[datasets\]'"):
        fetch("cdnet", tmp_path / "out")
    assert not (tmp_path / "out").exists()
