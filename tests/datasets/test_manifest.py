"""Checksums of a tree: written once, and what has changed since is told."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cleanplate.datasets.manifest import (
    MANIFEST,
    Differences,
    FileSum,
    Manifest,
    files_of,
    read_manifest,
    sum_files,
)
from cleanplate.errors import GroundTruthError, OutputError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, content in (("a.txt", "one"), ("deep/b.txt", "two"), (".hidden/c.txt", "three")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_the_sum_is_sha256_of_the_content(tree: Path) -> None:
    sums = sum_files(files_of(tree))
    assert list(sums) == ["a.txt", "deep/b.txt"]  # hidden files are left out
    assert sums["a.txt"] == FileSum(3, hashlib.sha256(b"one").hexdigest())


def test_it_comes_back_as_it_was_written(tree: Path) -> None:
    written = Manifest(sum_files(files_of(tree)), {"part": ("abc", ("a.txt",))})
    written.write(tree / MANIFEST)
    assert read_manifest(tree / MANIFEST) == written
    assert [path.name for path in tree.iterdir() if "partial" in path.name] == []


def test_what_has_changed_since_is_told(tree: Path) -> None:
    path = tree / MANIFEST
    manifest = Manifest(sum_files(files_of(tree, ignore=path)))
    manifest.write(path)
    assert manifest.compare(tree, ignore=path) == Differences([], [], [])
    (tree / "a.txt").write_text("One")
    (tree / "deep" / "b.txt").unlink()
    (tree / "new.txt").write_text("new")
    assert manifest.compare(tree, ignore=path) == Differences(
        ["deep/b.txt"], ["a.txt"], ["new.txt"]
    )


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / MANIFEST) == Manifest()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"schema_version": 2}', "no JSON"])
def test_a_damaged_one_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(GroundTruthError, match="is no manifest that can be read"):
        read_manifest(tmp_path / MANIFEST)


def test_one_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--manifest"):
        Manifest().write(tmp_path / "nowhere" / MANIFEST)
