"""Files, JSON and YAML of strangers: refused by kind, size and form."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cleanplate.untrusted import (
    UntrustedError,
    parse_json,
    parse_yaml,
    read_regular,
    require_bounded,
)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


class TestFiles:
    def test_a_pipe_is_refused_without_waiting_for_a_writer(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UntrustedError, match="no regular file"):
            read_regular(tmp_path / "pipe", 100)

    @pytest.mark.parametrize("target", ["/dev/zero", "/", "/etc/passwd"])
    def test_a_link_out_of_the_folder_is_refused(self, tmp_path: Path, target: str) -> None:
        (tmp_path / "link").symlink_to(target)
        with pytest.raises(UntrustedError, match="out of its folder"):
            read_regular(tmp_path / "link", 1 << 20, inside=tmp_path)

    def test_a_device_is_refused_where_links_are_followed(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("/dev/zero")
        with pytest.raises(UntrustedError, match="no regular file"):
            read_regular(tmp_path / "link", 100)

    def test_a_link_to_itself_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("link")
        with pytest.raises((UntrustedError, OSError)):
            read_regular(tmp_path / "link", 100, inside=tmp_path)

    def test_a_link_within_the_folder_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "there").write_bytes(b"text")
        (tmp_path / "link").symlink_to("there")
        assert read_regular(tmp_path / "link", 100, inside=tmp_path) == b"text"

    def test_an_enormous_file_is_refused_unread(self, tmp_path: Path) -> None:
        with (tmp_path / "sparse").open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(UntrustedError, match="larger than 2 MiB"):
            read_regular(tmp_path / "sparse", 2 << 20)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 40 + "]" * 40, "nested too deeply"),
        ('{"a": NaN}', "no finite number"),
        ("[-Infinity]", "no finite number"),
        ("1e400", "not finite"),
        ("9" * 5000, "64 bits"),
        ("9" * 30, "64 bits"),
        ("[" + "0," * 20_000 + "0]", "10,000 values"),
        ("{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_hostile_json_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(UntrustedError, match=reason):
        parse_json(text)


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + chr(ord(name) - 1)] * 9)}]\n" for name in "bcdefghi"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LAUGHS, "anchors and aliases"),
        ("a: &a 1", "anchors and aliases"),
        ("a: !!python/object/apply:os.system [id]", "tags are not read"),
        ("a: !!binary aaaa", "tags are not read"),
        ("[" * 10_000, "nested too deeply"),
        ("- " * 100 + "1", "nested too deeply"),
        ("0x" + "f" * 5000, "64 bits"),
        ("1" + ":59" * 2000, "64 bits"),
        ("- 1\n" * 20_000, "10,000 values"),
        ("x" * 200_000, "larger than 128 KiB"),
        ("a: 2001-99-99", "not YAML"),
        ("a: [", "not YAML"),
        ("? [a]\n: 1", "not YAML"),
    ],
)
def test_hostile_yaml_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UntrustedError, match=reason) as raised:
        parse_yaml(text)
    assert len(str(raised.value)) < 400


def test_words_stay_words_and_booleans_booleans() -> None:
    assert parse_yaml("{a: off, b: true, c: 1.5, d: [1, x]}") == {
        "a": "off",
        "b": True,
        "c": 1.5,
        "d": [1, "x"],
    }


def test_a_tree_that_holds_itself_is_refused() -> None:
    tree: dict[str, object] = {}
    tree["self"] = tree
    with pytest.raises(UntrustedError, match="nested too deeply"):
        require_bounded(tree)


def test_a_deep_tree_of_python_is_refused() -> None:
    with pytest.raises(UntrustedError, match="nested too deeply"):
        require_bounded({"a": nested(5000)})
