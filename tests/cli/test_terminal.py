"""What a terminal would obey never reaches it, whatever names and messages hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from calls import CommandLine
from rich.console import Console as RichConsole

from cleanplate.cli.console import CommonOptions, Console, plain

ESCAPE = "\x1b]0;owned\x07\x1b[2J"
NAMES = (
    f"a{ESCAPE}b",
    "a\rb",
    "a\nwarning: b",
    "a\x9b31mb",
    "a\u202eb",
    "a\x08b",
    "a[/bold]b",
    "a[red]b",
    "a\udcffb",
)


def is_harmless(text: str) -> bool:
    return all(character == "\n" or character.isprintable() for character in text)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files_are_shown_and_not_obeyed(
    cleanplate: CommandLine, recording: Path, tmp_path: Path, name: str
) -> None:
    source = tmp_path / name
    try:
        shutil.copytree(recording, source)
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    out, absent = tmp_path / f"{name}-run", tmp_path / f"{name}-absent"
    (source / "in000003.png").write_bytes(b"damaged")
    calls = [
        ("learn", source, "--out", out, "--method", "median", "--verbose"),
        ("learn", source, "--out", out, "--method", "median"),
        ("segment", source, "--model", out, "--out", tmp_path / f"{name}-masks"),
        ("segment", absent, "--model", out, "--out", tmp_path / "masks"),
        ("segment", source, "--model", absent, "--out", tmp_path / "masks"),
        ("segment", source, "--model", out, "--out", tmp_path / "m", "--set", f"{name}=1"),
        ("plate", source, "--out", tmp_path / f"{name}.png", "--how", "median"),
        ("plate", source, "--out", tmp_path / "x.png", "--how", name),
        ("report", out, "--out", tmp_path / f"{name}.html"),
        ("bench", source, "--out", tmp_path / f"{name}-bench"),
        ("datasets", "check", source),
        ("methods", name),
        (name,),
        ("learn", absent, "--out", out, "--debug"),
    ]
    for call in calls:
        outcome = cleanplate(*call)
        assert is_harmless(outcome.out + outcome.err), call
        if "--debug" not in call:
            assert outcome.err.count("\nwarning: b") == 0
        if outcome.code != 0 and "--debug" not in call:
            assert outcome.err.count("\n") == 1, outcome.err
        if outcome.code != 0 and "--debug" not in call:
            machine = cleanplate(*call, "--json")
            assert is_harmless(machine.out)
            json.loads(machine.out)


@pytest.mark.parametrize("name", NAMES)
def test_progress_is_shown_as_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Console(CommonOptions()) as console:
        terminal = RichConsole(stderr=True, force_terminal=True, record=True, width=200)
        monkeypatch.setattr(console, "_err", terminal)
        console.progress(name, 1, 2, name)
        console.progress(name, 2, 2, name)
    assert plain(name) in terminal.export_text()


def test_plain_text_stays_as_it_is() -> None:
    text = "Übergang 交差点 “a” 5 %"
    assert plain(text) == text
    assert plain("a\nb", lines=True) == "a\nb"
    assert plain("a\nb\x1b") == "a\\nb\\x1b"
