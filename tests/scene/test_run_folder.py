"""The folder of a run: its lock, what is in the way, and what is taken up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from cleanplate import LearnOptions, learn
from cleanplate.cli.main import run as run_command
from cleanplate.errors import OutputError, RunLockedError, SceneFileError, SettingsError
from cleanplate.scene.run_folder import RunFolder
from scenes import paint_scene, write_image_folder

IDENTITY = {"settings": {"seed": 0, "model": {"rank": 4}}, "source": "abc"}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_image_folder(tmp_path / "recording", paint_scene(32, 32, 4).frames)


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def begin(run: RunFolder) -> None:
    with run.locked():
        run.begin(IDENTITY)


class TestLock:
    def test_it_makes_the_folder_and_leaves_none_that_is_empty(self, run: RunFolder) -> None:
        with run.locked():
            assert run.path.is_dir()
        assert not run.path.exists()

    def test_it_leaves_what_was_begun(self, run: RunFolder) -> None:
        begin(run)
        assert {path.name for path in run.path.iterdir()} == {"checkpoint"}

    def test_it_is_taken_back_after_an_error(self, run: RunFolder) -> None:
        with pytest.raises(ZeroDivisionError), run.locked():
            raise ZeroDivisionError
        with run.locked():
            pass

    def test_that_of_a_living_process_is_refused(self, run: RunFolder) -> None:
        refused = pytest.raises(RunLockedError, match="wait for it")
        with run.locked(), refused, RunFolder(run.path).locked():
            pytest.fail("two at once")

    def test_that_of_a_dead_process_does_not_count(self, run: RunFolder) -> None:
        code = (
            "import os, signal, sys\n"
            "from pathlib import Path\n"
            "from cleanplate.scene.run_folder import RunFolder\n"
            "with RunFolder(Path(sys.argv[1])).locked():\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        assert subprocess.run([sys.executable, "-c", code, str(run.path)]).returncode == -9
        assert (run.path / ".lock").exists()
        with run.locked():
            pass
        assert not run.path.exists()

    def test_learning_into_a_locked_folder_is_refused_by_the_command(
        self, recording: Path, run: RunFolder, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.path.mkdir()
        command = ["learn", str(recording), "--out", str(run.path), "--method", "median"]
        with FileLock(run.path / ".lock"):
            for option in ([], ["--resume"], ["--overwrite"]):
                assert run_command([*command, *option]) == 1
                assert "another process is learning" in capsys.readouterr().err
        assert run_command(command) == 0

    @pytest.mark.parametrize("place", ["file", "file/run"])
    def test_a_place_that_cannot_be_written_is_refused(self, tmp_path: Path, place: str) -> None:
        (tmp_path / "file").write_text("mine")
        refused = pytest.raises(OutputError, match="cannot write to")
        with refused, RunFolder(tmp_path / place).locked():
            pytest.fail("there is no folder")


class TestTakingUp:
    def test_a_new_folder_is_not_taken_up(self, run: RunFolder) -> None:
        with run.locked():
            assert not run.takes_up(IDENTITY, resume=False, overwrite=False)
            assert not run.takes_up(IDENTITY, resume=True, overwrite=False)

    def test_the_same_run_is_taken_up(self, run: RunFolder) -> None:
        begin(run)
        with run.locked():
            assert run.takes_up(IDENTITY, resume=True, overwrite=False)

    def test_overwriting_wins_over_resuming(self, run: RunFolder) -> None:
        begin(run)
        with run.locked():
            assert not run.takes_up(IDENTITY, resume=True, overwrite=True)

    def test_deep_settings_are_named_with_both_values(self, run: RunFolder) -> None:
        begin(run)
        other = {**IDENTITY, "settings": {"seed": 0, "model": {"rank": 5}}}
        with pytest.raises(SettingsError, match=r"model\.rank = 4, now it is 5"):
            run.takes_up(other, resume=True, overwrite=False)

    def test_a_setting_that_one_of_them_lacks_is_named(self, run: RunFolder) -> None:
        begin(run)
        other = {**IDENTITY, "settings": {"seed": 0, "model": {"rank": 4, "width": 2}}}
        with pytest.raises(SettingsError, match=r"model\.width = None, now it is 2"):
            run.takes_up(other, resume=True, overwrite=False)

    def test_asking_changes_nothing(self, run: RunFolder) -> None:
        begin(run)
        before = sorted(run.path.rglob("*"))
        run.takes_up(IDENTITY, resume=False, overwrite=True)
        with pytest.raises(OutputError):
            run.takes_up(IDENTITY, resume=False, overwrite=False)
        assert sorted(run.path.rglob("*")) == before

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"input": 3}', '{"input": {}}'])
    def test_a_complete_run_whose_origin_is_damaged_is_told(
        self, recording: Path, run: RunFolder, content: str
    ) -> None:
        learn(recording, out=run.path, method="median")
        (run.path / "provenance.json").write_text(content)
        with pytest.raises(SceneFileError, match=r"provenance\.json"):
            learn(recording, out=run.path, method="median", options=LearnOptions(resume=True))


class TestBeginning:
    def test_it_notes_who_begins(self, run: RunFolder) -> None:
        begin(run)
        assert json.loads((run.checkpoint / "begun.json").read_text()) == IDENTITY

    def test_it_removes_an_unfinished_run_but_no_scene_nor_what_is_not_ours(
        self, run: RunFolder
    ) -> None:
        begin(run)
        kept = ("config.yaml", "plate.png", "notes.txt", "checkpoint/mine.ckpt")
        for name in (*kept, "checkpoint/state.json", "checkpoint/step-00000001.safetensors"):
            (run.path / name).write_text("old")
        run.begin(IDENTITY)
        assert names_in(run.path) == {*kept, "checkpoint", "checkpoint/begun.json"}

    def test_a_folder_that_has_become_a_file_is_told(self, run: RunFolder) -> None:
        run.path.write_text("mine")
        with pytest.raises(OutputError, match="could not be written to"):
            run.begin(IDENTITY)

    def test_finishing_removes_what_only_an_unfinished_run_needs(self, run: RunFolder) -> None:
        begin(run)
        run.finish()
        run.finish()
        assert not run.checkpoint.exists()
