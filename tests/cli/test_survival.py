"""What is survived with a warning, what a full disk does, and Ctrl-C."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from calls import CommandLine, files_of, finish, start

import cleanplate.scene.scene as scene_module
from cleanplate.frames import Picture
from cleanplate.video import silence_decoders
from cleanplate.video.array_file import ArrayFile
from cleanplate.writing import PartialFile
from scenes import paint_scene


def write_jpegs(folder: Path, pictures: Picture) -> Path:
    folder.mkdir()
    for number, picture in enumerate(pictures, start=1):
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        assert cv2.imwrite(str(folder / f"in{number:06d}.jpg"), bgr)
    return folder


def write_movie(path: Path, pictures: Picture) -> Path:
    silence_decoders()
    height, width = pictures.shape[1:3]
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 25.0, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


class TestSurvived:
    def test_damaged_frames_in_the_middle(self, cleanplate: CommandLine, tmp_path: Path) -> None:
        source = write_jpegs(tmp_path / "source", paint_scene(32, 48, 12).frames)
        (source / "in000005.jpg").write_bytes(b"garbage")
        content = (source / "in000008.jpg").read_bytes()
        (source / "in000008.jpg").write_bytes(content[: len(content) // 2])
        outcome = cleanplate(
            "learn", source, "--out", tmp_path / "run", "--method", "median", "--json"
        )
        assert outcome.code == 0
        assert outcome.json["damaged_frames"] == 2
        assert outcome.json["missing_frames"] == 0
        assert outcome.json["frames_learned_from"] == 10
        damaged = [text for text in outcome.json["warnings"] if "damaged" in text]
        assert len(damaged) == outcome.err.count("damaged frames were left out") == 1
        provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
        assert provenance["input"]["damaged_frames"] == 2

    def test_a_video_that_was_cut_off(self, cleanplate: CommandLine, tmp_path: Path) -> None:
        source = write_movie(tmp_path / "cut.avi", paint_scene(32, 48, 40).frames)
        content = source.read_bytes()
        source.write_bytes(content[: len(content) // 2])
        outcome = cleanplate(
            "learn", source, "--out", tmp_path / "run", "--method", "median", "--json"
        )
        assert outcome.code == 0
        values = outcome.json
        assert values["missing_frames"] > 0
        assert 2 <= values["frames_learned_from"] < 40
        assert values["frames"] + values["missing_frames"] + values["damaged_frames"] == 40
        assert len(values["warnings"]) == outcome.err.count("warning") == 1
        provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
        assert provenance["input"]["missing_frames"] == values["missing_frames"]
        segmented = cleanplate(
            "segment", source, "--model", tmp_path / "run", "--out", tmp_path / "masks", "--json"
        )
        assert segmented.json["missing_frames"] == values["missing_frames"]
        assert segmented.json["frames"] == values["frames"]

    @pytest.mark.parametrize("size", [(17, 33), (35, 51)])
    def test_odd_sizes(
        self, cleanplate: CommandLine, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        source = write_jpegs(tmp_path / "source", paint_scene(*size, 8).frames)
        run, masks = tmp_path / "run", tmp_path / "masks"
        assert cleanplate("learn", source, "--out", run, "--budget", "2steps").code == 0
        outcome = cleanplate(
            *("segment", source, "--model", run, "--out", masks),
            *("--overlay", tmp_path / "film.webm"),
        )
        assert outcome.code == 0
        assert cv2.imread(str(masks / "bin000001.png"), cv2.IMREAD_UNCHANGED).shape == size
        assert (tmp_path / "film.webm").stat().st_size > 0

    @pytest.mark.slow
    @pytest.mark.parametrize("method", ["median", "lowrank_ae"])
    def test_frames_of_8k(self, cleanplate: CommandLine, tmp_path: Path, method: str) -> None:
        small = paint_scene(27, 48, 3).frames
        large = np.stack([cv2.resize(picture, (7680, 4320)) for picture in small])
        source = write_jpegs(tmp_path / "source", large)
        run, masks = tmp_path / "run", tmp_path / "masks"
        outcome = cleanplate(
            *("learn", source, "--out", run, "--method", method, "--json"),
            *(("--budget", "2steps") if method != "median" else ()),
        )
        assert outcome.code == 0
        assert outcome.json["frame_size"] == [4320, 7680]
        height, width = outcome.json["working_size"]
        assert height * width < 2_200_000
        assert cleanplate("segment", source, "--model", run, "--out", masks).code == 0
        mask = cv2.imread(str(masks / "bin000001.png"), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (4320, 7680)
        assert set(np.unique(mask)) <= {0, 255}


class TestFullDisk:
    FULL = OSError(errno.ENOSPC, "No space left on device")

    def test_while_the_frames_are_kept_costs_nothing_of_the_old_scene(
        self,
        cleanplate: CommandLine,
        recording: Path,
        scene: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: object) -> None:
            raise self.FULL

        before = files_of(scene)
        monkeypatch.setattr(ArrayFile, "_write_bytes", fail)
        outcome = cleanplate("learn", recording, "--out", scene, "--overwrite", "--seed", "9")
        assert outcome.is_refused_with("the disk is full", "frame cache", code=1)
        assert files_of(scene) == before

    def test_while_the_frames_are_kept_leaves_nothing_in_the_way(
        self,
        cleanplate: CommandLine,
        recording: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: object) -> None:
            raise self.FULL

        arguments = ("learn", recording, "--out", tmp_path / "run", "--method", "median")
        with monkeypatch.context() as patch:
            patch.setattr(ArrayFile, "_write_bytes", fail)
            assert cleanplate(*arguments).code == 1
        assert not (tmp_path / "run").exists()
        assert cleanplate(*arguments).code == 0

    def test_at_a_checkpoint_can_be_resumed_from_the_one_before(
        self,
        cleanplate: CommandLine,
        recording: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        arguments = (
            *("learn", recording, "--budget", "12steps", "--device", "cpu"),
            *("--set", "training.checkpoint_seconds=0.000001"),
        )
        finish, count = PartialFile.finish, 0

        def finish_five(self: PartialFile) -> None:
            nonlocal count
            count += self.path.suffix == ".safetensors"
            if count > 5:
                self.discard()
                raise TestFullDisk.FULL
            finish(self)

        with monkeypatch.context() as patch:
            patch.setattr(PartialFile, "finish", finish_five)
            outcome = cleanplate(*arguments, "--out", tmp_path / "run")
            assert outcome.is_refused_with("the disk is full", "checkpoint", code=1)
        assert cleanplate(*arguments, "--out", tmp_path / "run", "--resume").code == 0
        assert cleanplate(*arguments, "--out", tmp_path / "whole").code == 0
        resumed, whole = files_of(tmp_path / "run"), files_of(tmp_path / "whole")
        assert resumed["model.safetensors"] == whole["model.safetensors"]
        assert resumed.keys() == whole.keys()

    @pytest.mark.parametrize("name", ["model.safetensors", "plate.png", "config.yaml"])
    def test_at_the_scene_file_leaves_a_run_that_can_be_resumed(
        self,
        cleanplate: CommandLine,
        recording: Path,
        learned: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        out = tmp_path / "run"
        arguments = (
            *("learn", recording, "--out", out, "--quiet"),
            *("--budget", "12steps", "--device", "cpu"),
        )
        finish = PartialFile.finish

        def finish_others(self: PartialFile) -> None:
            if self.path.name == name:
                self.discard()
                raise TestFullDisk.FULL
            finish(self)

        with monkeypatch.context() as patch:
            patch.setattr(PartialFile, "finish", finish_others)
            outcome = cleanplate(*arguments)
        assert outcome.is_refused_with("the disk is full", code=1)
        unfinished = cleanplate("segment", recording, "--model", out, "--out", tmp_path / "masks")
        assert unfinished.is_refused_with("--resume", code=1)
        assert cleanplate(*arguments, "--resume").code == 0
        resumed, whole = files_of(out), files_of(learned)
        assert resumed.keys() == whole.keys()
        assert resumed["model.safetensors"] == whole["model.safetensors"]


class TestInterrupt:
    @pytest.mark.parametrize(
        ("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "ended by SIGTERM")]
    )
    def test_ctrl_c_says_how_to_go_on_and_that_works(
        self,
        cleanplate: CommandLine,
        recording: Path,
        tmp_path: Path,
        number: signal.Signals,
        word: str,
    ) -> None:
        run = tmp_path / "my run"
        process = start(
            *("learn", recording, "--out", run, "--budget", "300steps", "--device", "cpu"),
            *("--set", "training.checkpoint_seconds=0.05"),
        )
        while process.poll() is None and not (run / "checkpoint" / "state.json").exists():
            time.sleep(0.005)
        process.send_signal(number)
        outcome = finish(process)
        words = f"{word}; go on with: cleanplate learn"
        assert outcome.is_refused_with(words, code=128 + number)
        assert not (run / ".lock").exists()
        done = json.loads((run / "checkpoint" / "state.json").read_text())["steps"]
        assert 0 < done < 300
        command = outcome.err.partition("go on with: ")[2]
        resumed = cleanplate(*shlex.split(command)[1:], "--json")
        assert resumed.code == 0
        assert resumed.json["steps"] == 300
        assert not (run / "checkpoint").exists()

    def test_ctrl_c_is_an_object_too(
        self,
        cleanplate: CommandLine,
        recording: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(scene_module, "write_scene", interrupt)
        outcome = cleanplate(
            "learn", recording, "--out", tmp_path / "run", "--method", "median", "--json"
        )
        assert outcome.code == outcome.json["exit_code"] == 130
        assert outcome.json["error"]["type"] == "KeyboardInterrupt"


SLOW_MASKS = """
import time
from cleanplate.video import MaskWriter
write = MaskWriter.write
def write_slowly(self, *given):
    time.sleep(0.1)
    write(self, *given)
MaskWriter.write = write_slowly
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux for processes")
class TestProcesses:
    @pytest.fixture
    def process(
        self, recording: Path, scene: Path, tmp_path: Path
    ) -> Iterator[subprocess.Popen[str]]:
        """A process that segments and has written some masks."""
        masks = tmp_path / "masks"
        arguments = ("segment", recording, "--model", scene, "--out", masks, "--labels", "--quiet")
        objects = ("--objects", tmp_path / "objects.jsonl")
        process = start(*arguments, *objects, patch=SLOW_MASKS)
        while process.poll() is None and len(list(masks.glob("bin*.png"))) < 3:
            time.sleep(0.005)
        with process:
            yield process
            process.kill()

    def test_sigterm_ends_all_and_leaves_what_can_be_gone_on_with(
        self, cleanplate: CommandLine, process: subprocess.Popen[str], tmp_path: Path
    ) -> None:
        children = children_of(process.pid)
        process.send_signal(signal.SIGTERM)
        outcome = finish(process)
        assert outcome.is_refused_with("ended by SIGTERM; go on with: cleanplate", code=143)
        assert not any(runs(child) for child in children)
        left = {path.name for path in tmp_path.rglob("*") if path.name.startswith(".")}
        assert not left
        assert not (tmp_path / "objects.jsonl").exists()
        command = outcome.err.partition("go on with: ")[2]
        assert cleanplate(*shlex.split(command)[1:]).code == 0
        assert len(list((tmp_path / "masks").glob("bin*.png"))) == 30

    def test_a_second_process_that_is_killed_ends_the_first_with_a_sentence(
        self, process: subprocess.Popen[str], tmp_path: Path
    ) -> None:
        children = children_of(process.pid)
        if not children:
            pytest.skip("one processor: there is no worker process")
        for child in children:
            os.kill(child, signal.SIGKILL)
        outcome = finish(process)
        assert outcome.is_refused_with("the process that cuts masks out ended", code=1)
        assert not list(tmp_path.rglob(".cleanplate-*"))

    def test_a_second_process_ends_when_the_first_is_killed(
        self, process: subprocess.Popen[str]
    ) -> None:
        children = children_of(process.pid)
        process.kill()
        process.wait()
        until = time.monotonic() + 20
        while any(runs(child) for child in children) and time.monotonic() < until:
            time.sleep(0.05)
        assert not any(runs(child) for child in children)


def children_of(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
