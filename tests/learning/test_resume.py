"""A run that was killed goes on to the very weights of an unbroken one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanplate.cli.main import run as run_command
from scenes import paint_scene, write_image_folder

STEPS = 60
OPTIONS = (
    *("--budget", f"{STEPS}steps", "--device", "cpu"),
    *("--set", "training.checkpoint_seconds=0.05"),
)

RUN = "import sys\nfrom cleanplate.cli.main import run\nsys.exit(run(sys.argv[1:]))\n"

SLOW_READING = """
import time
from cleanplate.video import FrameCache
fill = FrameCache.fill
def fill_slowly(*arguments, on_frame, **options):
    return fill(*arguments, on_frame=lambda *_: time.sleep(60), **options)
FrameCache.fill = fill_slowly
"""

DYING = """
import os, signal
from pathlib import Path
replace = Path.replace
def die_before(self, target):
    if Path(target).name == {name!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = die_before
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = paint_scene(32, 48, 30)
    return write_image_folder(tmp_path_factory.mktemp("recording"), scene.frames)


@pytest.fixture(scope="module")
def unbroken(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    assert learn(recording, folder) == 0
    return folder


def learn(recording: Path, folder: Path, *options: str) -> int:
    return run_command(["learn", str(recording), "--out", str(folder), *OPTIONS, *options])


def kill_learning(
    recording: Path, folder: Path, *, when: Callable[[], bool], patch: str = ""
) -> None:
    """Learns in a process of its own and kills it at a moment, unless it kills itself."""
    arguments = ["learn", str(recording), "--out", str(folder), *OPTIONS, "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-c", patch + RUN, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    while process.poll() is None and not when():
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -9


def never() -> bool:
    return False


def steps_saved(folder: Path) -> int:
    try:
        return int(json.loads((folder / "checkpoint" / "state.json").read_text())["steps"])
    except FileNotFoundError:
        return 0


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def is_like_unbroken(folder: Path, unbroken: Path) -> bool:
    assert weights(folder) == weights(unbroken)
    assert names_in(folder) == names_in(unbroken)
    assert not any("checkpoint" in name or name.endswith(".raw") for name in names_in(folder))
    steps = [
        [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        for run in (folder, unbroken)
    ]
    assert steps[0] == steps[1]
    assert json.loads((folder / "provenance.json").read_text())["steps"] == STEPS
    return True


class TestKilled:
    def test_while_it_reads(self, recording: Path, unbroken: Path, tmp_path: Path) -> None:
        folder = tmp_path / "run"
        asked = folder / "checkpoint" / "asked.json"
        kill_learning(recording, folder, when=asked.exists, patch=SLOW_READING)
        assert steps_saved(folder) == 0
        assert names_in(folder) == {".lock", "checkpoint", "checkpoint/asked.json"}
        assert learn(recording, folder, "--resume") == 0
        assert is_like_unbroken(folder, unbroken)

    @pytest.mark.parametrize("steps", [1, STEPS // 2], ids=["first", "later"])
    def test_after_a_checkpoint(
        self, recording: Path, unbroken: Path, tmp_path: Path, steps: int
    ) -> None:
        folder = tmp_path / "run"
        kill_learning(recording, folder, when=lambda: steps_saved(folder) >= steps)
        assert steps <= steps_saved(folder) < STEPS
        assert not (folder / "config.yaml").exists()
        assert learn(recording, folder, "--resume") == 0
        assert is_like_unbroken(folder, unbroken)

    @pytest.mark.parametrize("name", ["state.json", "config.yaml"])
    def test_while_it_writes(
        self, recording: Path, unbroken: Path, tmp_path: Path, name: str
    ) -> None:
        folder = tmp_path / "run"
        kill_learning(recording, folder, when=never, patch=DYING.format(name=name))
        assert not (folder / "config.yaml").exists()
        assert learn(recording, folder, "--resume") == 0
        assert is_like_unbroken(folder, unbroken)


class TestNothingSaved:
    def test_a_folder_that_does_not_exist_is_begun(
        self, recording: Path, unbroken: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "deep" / "run"
        assert learn(recording, folder, "--resume") == 0
        assert is_like_unbroken(folder, unbroken)

    def test_an_empty_folder_is_begun(self, recording: Path, tmp_path: Path) -> None:
        assert learn(recording, tmp_path, "--resume", "--init", "mean") == 0

    def test_a_folder_with_something_else_is_refused(
        self, recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        assert learn(recording, tmp_path, "--resume") == 1
        assert "notes.txt" in capsys.readouterr().err
        assert names_in(tmp_path) == {"notes.txt"}


class TestUnfinished:
    @pytest.fixture
    def unfinished(self, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("cleanplate.scene.scene.write_scene", interrupt)
            assert learn(recording, tmp_path / "run") == 130
        return tmp_path / "run"

    def test_other_settings_are_refused_and_nothing_is_lost(
        self, recording: Path, unfinished: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = names_in(unfinished)
        assert learn(recording, unfinished, "--resume", "--seed", "8") == 2
        assert "seed = 0, now it is 8" in capsys.readouterr().err
        assert learn(recording, unfinished, "--resume", "--method", "conv_ae") == 2
        assert "method = lowrank_ae, now it is conv_ae" in capsys.readouterr().err
        assert names_in(unfinished) == before
        assert steps_saved(unfinished) == STEPS

    def test_another_source_is_refused_and_nothing_is_lost(
        self, unfinished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        other = write_image_folder(tmp_path / "other", paint_scene(32, 48, 5).frames)
        assert learn(other, unfinished, "--resume") == 2
        assert "another source" in capsys.readouterr().err
        assert steps_saved(unfinished) == STEPS

    def test_it_is_in_the_way_of_a_new_run(
        self, recording: Path, unfinished: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert learn(recording, unfinished) == 1
        assert "--resume" in capsys.readouterr().err
        assert steps_saved(unfinished) == STEPS

    def test_overwriting_it_starts_from_the_beginning(
        self, recording: Path, unbroken: Path, unfinished: Path
    ) -> None:
        state = unfinished / "checkpoint" / "state.json"
        state.write_text("not to be read")
        assert learn(recording, unfinished, "--overwrite") == 0
        assert is_like_unbroken(unfinished, unbroken)

    def test_a_bad_source_costs_nothing_of_it_even_when_overwriting(
        self, unfinished: Path, tmp_path: Path
    ) -> None:
        before = names_in(unfinished)
        single = write_image_folder(tmp_path / "single", paint_scene(32, 48, 1).frames)
        assert learn(single, unfinished, "--overwrite") == 1
        assert names_in(unfinished) == before

    def test_a_damaged_checkpoint_is_told(
        self, recording: Path, unfinished: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tensors,) = (unfinished / "checkpoint").glob("step-*.safetensors")
        tensors.write_bytes(b"broken")
        assert learn(recording, unfinished, "--resume") == 1
        assert "--overwrite" in capsys.readouterr().err
