"""What all commands have in common: exit codes, streams, JSON, help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from calls import CommandLine, environment, finish, start

from cleanplate import __version__
from cleanplate.cli.commands import learn as learn_module
from cleanplate.cli.main import run as run_command

COMMANDS = (
    "learn",
    "segment",
    "score",
    "plate",
    "score-plate",
    "methods",
    "report",
    "demo",
    "doctor",
)


def test_the_version_is_that_of_the_package(cleanplate: CommandLine) -> None:
    outcome = cleanplate("--version")
    assert (outcome.code, outcome.out) == (0, f"cleanplate {__version__}\n")


def test_help_names_every_command(cleanplate: CommandLine) -> None:
    outcome = cleanplate("--help")
    assert outcome.code == 0
    for command in COMMANDS:
        assert f" {command} " in outcome.out


@pytest.mark.parametrize("options", [("learn",), ("segment", "--model", "y")])
def test_a_second_source_is_told_what_to_give(
    cleanplate: CommandLine, options: tuple[str, ...]
) -> None:
    outcome = cleanplate(*options, "a.mp4", "b.mp4", "c.mp4", "--out", "x")
    assert outcome.code == 2
    assert "one source is read at a time, and b.mp4 and 1 more came after" in outcome.err
    assert "a pattern in quotes, such as 'part*.mp4'" in outcome.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_the_common_options(
    cleanplate: CommandLine, command: str
) -> None:
    outcome = cleanplate(command, "--help")
    assert outcome.code == 0
    assert outcome.err == ""
    for option in ("--json", "--quiet", "--verbose", "--debug"):
        assert option in outcome.out


def test_the_package_runs_as_a_module(recording: Path, tmp_path: Path) -> None:
    outcome = finish(start("plate", recording, "--out", tmp_path / "plate.png", "--json"))
    assert outcome.code == 0
    assert outcome.json["command"] == "plate"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["learn", "--help"],
        ["methods"],
        ["learn", "nothing.mp4", "--out", "run", "--method", "nothing"],
        ["plate", "nothing.mp4", "--out", "plate.png"],
    ],
    ids=" ".join,
)
def test_torch_is_not_imported_for(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from cleanplate.cli.main import run\n"
        f"run({arguments!r})\n"
        "sys.exit(3 if 'torch' in sys.modules else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True)
    assert done.returncode == 0


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (["frobnicate"], "frobnicate"),
            (["learn"], "--source"),
            (["learn", "video.mp4"], "--out"),
            (["learn", "video.mp4", "--out", "run", "--nope"], "--nope"),
            (["learn", "video.mp4", "--out", "run", "--seed", "many"], "many"),
            (["learn", "video.mp4", "another.mp4", "--out", "run"], "another.mp4"),
            (["segment", "video.mp4", "--out", "masks"], "--model"),
            (["score", "masks"], "--truth"),
            (["score", "masks", "--truth", "sequence", "--missing", "maybe"], "maybe"),
            (["methods", "lowrank"], "lowrank_ae"),
            (["plate", "video.mp4", "--out", "plate.png", "--how", "medina"], "median"),
            (["plate", "video.mp4", "--out", "plate.gif"], ".png or .jpg"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_ends_with_2_and_one_sentence(
        self, cleanplate: CommandLine, arguments: list[str], word: str
    ) -> None:
        assert cleanplate(*arguments).is_refused_with(word, code=2)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--json"],
            ["frobnicate", "--json"],
            ["learn", "--json"],
            ["learn", "video.mp4", "--out", "run", "--json", "--nope"],
            ["methods", "lowrank", "--json"],
            ["plate", "video.mp4", "--out", "plate.gif", "--json"],
        ],
        ids=" ".join,
    )
    def test_is_an_object_on_stdout_too(
        self, cleanplate: CommandLine, arguments: list[str]
    ) -> None:
        outcome = cleanplate(*arguments)
        assert outcome.code == outcome.json["exit_code"] == 2
        assert outcome.json["error"]["message"] in outcome.err


class TestErrors:
    def test_a_failure_is_an_object_with_kind_and_message(
        self, cleanplate: CommandLine, tmp_path: Path
    ) -> None:
        outcome = cleanplate(
            "plate", tmp_path / "nothing.mp4", "--out", tmp_path / "p.png", "--json"
        )
        assert outcome.code == outcome.json["exit_code"] == 1
        assert outcome.json["error"]["type"] == "SourceError"
        assert "does not exist" in outcome.json["error"]["message"]

    def test_a_traceback_is_shown_only_where_it_is_asked_for(
        self, cleanplate: CommandLine, tmp_path: Path
    ) -> None:
        arguments = ("plate", tmp_path / "nothing.mp4", "--out", tmp_path / "p.png")
        assert "Traceback" not in cleanplate(*arguments).err
        assert "Traceback" in cleanplate(*arguments, "--debug").err

    @pytest.mark.parametrize(
        ("error", "code", "words"),
        [
            (RuntimeError("two\nlines"), 1, "a mistake in cleanplate (RuntimeError: two lines)"),
            (MemoryError(), 1, "out of memory; lower sampling.working_pixels"),
            (OSError(28, "No space left on device", "/disk/a"), 1, "the disk is full (/disk/a)"),
            (PermissionError(13, "Permission denied", "/disk/a"), 1, "Permission denied: /disk/a"),
            (KeyboardInterrupt(), 130, "go on with: cleanplate learn 'a b.mp4'"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
    )
    def test_everything_that_can_be_raised_ends_in_a_sentence(
        self,
        cleanplate: CommandLine,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        error: BaseException,
        code: int,
        words: str,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(learn_module, "learn_scene", fail)
        outcome = cleanplate("learn", "a b.mp4", "--out", tmp_path / "run")
        assert outcome.is_refused_with(words, code=code)

    def test_a_reader_that_has_gone_is_no_error_of_ours(self) -> None:
        process = start("methods", "--json")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        with process.stderr as stream:
            said = stream.read()
        assert process.wait() in {0, 1}
        assert "Traceback" not in said
        assert "Exception" not in said


class TestStreams:
    def test_progress_goes_to_stderr_and_the_object_alone_to_stdout(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        outcome = cleanplate(
            "learn", recording, "--out", tmp_path / "run", "--budget", "2steps", "--json"
        )
        assert outcome.json["command"] == "learn"
        assert "learning 2/2" in outcome.err

    @pytest.mark.parametrize("command", ["learn", "segment", "plate", "report"])
    def test_quiet_says_nothing_on_stderr(
        self,
        cleanplate: CommandLine,
        command: str,
        learned: Path,
        recording: Path,
        tmp_path: Path,
    ) -> None:
        arguments = {
            "learn": [recording, "--out", tmp_path / "run", "--budget", "2steps"],
            "segment": [recording, "--model", learned, "--out", tmp_path / "masks"],
            "plate": [recording, "--out", tmp_path / "plate.png"],
            "report": [learned, "--out", tmp_path / "report.html"],
        }
        outcome = cleanplate(command, *arguments[command], "--quiet")
        assert (outcome.code, outcome.err) == (0, "")

    def test_quiet_still_says_what_went_wrong(
        self, cleanplate: CommandLine, tmp_path: Path
    ) -> None:
        outcome = cleanplate("learn", tmp_path / "no.mp4", "--out", tmp_path / "run", "--quiet")
        assert outcome.is_refused_with("does not exist", code=1)

    def test_a_path_with_brackets_is_shown_as_it_is(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        plate = tmp_path / "plate [red].png"
        outcome = cleanplate("plate", recording, "--out", plate)
        assert str(plate) in outcome.out


def test_the_process_ends_with_the_code_of_the_command(tmp_path: Path) -> None:
    outcome = finish(start("learn", tmp_path / "nothing.mp4", "--out", tmp_path / "run"))
    assert outcome.is_refused_with("nothing.mp4 does not exist", code=1)
    assert not (tmp_path / "run").exists()


def test_running_a_command_leaves_the_working_folder_alone(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run_command(["plate", str(recording), "--out", str(tmp_path / "plate.png")]) == 0
    assert list(Path.cwd().iterdir()) == []
