"""`cleanplate segment`: masks, numbers, overrides, overlay, and what is refused."""

from __future__ import annotations

import errno
import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from calls import CommandLine, files_of, finish, start

from cleanplate.video import MaskWriter, silence_decoders
from scenes import PaintedScene, paint_scene, write_image_folder

SLOW_MASKS = """
import time
from cleanplate.video.sink import MaskWriter
write = MaskWriter._write_file
def write_slowly(self, *arguments):
    time.sleep(0.05)
    write(self, *arguments)
MaskWriter._write_file = write_slowly
"""


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    return tmp_path / "masks"


def write_movie(path: Path, scene: PaintedScene) -> Path:
    silence_decoders()
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 25.0, scene.size[::-1])
    assert writer.isOpened()
    for picture in scene.frames:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


class TestMasks:
    def test_there_is_one_of_each_frame_and_nothing_else(
        self, cleanplate: CommandLine, learned: Path, recording: Path, masks: Path
    ) -> None:
        outcome = cleanplate("segment", recording, "--model", learned, "--out", masks, "--json")
        assert outcome.code == 0
        assert {path.name for path in masks.iterdir()} == {
            f"bin{number:06d}.png" for number in range(1, 31)
        }
        for path in masks.iterdir():
            mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            assert mask.shape == (32, 48)
            assert mask.dtype == np.uint8
            assert set(np.unique(mask)) <= {0, 255}
        values = outcome.json
        assert values["command"] == "segment"
        assert values["frames"] == 30
        assert values["frames_skipped"] == values["damaged_frames"] == values["missing_frames"] == 0
        assert 0 < values["mean_foreground"] < 1
        assert values["seconds"] > 0
        assert values["frames_per_second"] > 0
        assert values["overrides"] == {}

    def test_they_are_numbered_as_the_pictures_are(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path, tmp_path: Path
    ) -> None:
        few = tmp_path / "few"
        few.mkdir()
        for before, after in ((3, "in000123"), (4, "in000125"), (5, "in1000000")):
            content = (recording / f"in{before:06d}.png").read_bytes()
            (few / f"{after}.png").write_bytes(content)
        cleanplate("segment", few, "--model", scene, "--out", masks)
        names = sorted(path.name for path in masks.iterdir())
        assert names == ["bin000123.png", "bin000125.png", "bin1000000.png"]

    def test_those_of_a_video_are_numbered_from_1(
        self,
        cleanplate: CommandLine,
        scene: Path,
        painted: PaintedScene,
        masks: Path,
        tmp_path: Path,
    ) -> None:
        video = write_movie(tmp_path / "video.avi", painted)
        cleanplate("segment", video, "--model", scene, "--out", masks)
        names = sorted(path.name for path in masks.iterdir())
        assert names == [f"bin{number:06d}.png" for number in range(1, 31)]


class TestRange:
    def test_that_of_the_scene_is_used_again(
        self, cleanplate: CommandLine, thermal: Path, tmp_path: Path
    ) -> None:
        scene, masks = tmp_path / "scene", tmp_path / "masks"
        assert cleanplate("learn", thermal, "--out", scene, "--method", "median").code == 0
        outcome = cleanplate("segment", thermal, "--model", scene, "--out", masks, "--json")
        assert outcome.json["warnings"] == []
        assert outcome.json["mean_foreground"] > 0
        warmer = tmp_path / "warmer"
        warmer.mkdir()
        for path in sorted(thermal.iterdir()):
            counts = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            assert cv2.imwrite(str(warmer / path.name), counts + np.uint16(20000))
        again = (warmer, "--model", scene, "--out", masks, "--overwrite", "--json")
        outcome = cleanplate("segment", *again)
        (warning,) = outcome.json["warnings"]
        assert "100% of its values lie beyond the range" in warning
        outcome = cleanplate("segment", *again, "--range", "26600", "28700")
        assert outcome.json["warnings"] == []
        assert outcome.json["mean_foreground"] < 0.5

    def test_pictures_of_8_bits_are_not_taken_for_counts(
        self, cleanplate: CommandLine, recording: Path, thermal: Path, tmp_path: Path
    ) -> None:
        scene, masks = tmp_path / "scene", tmp_path / "masks"
        assert cleanplate("learn", thermal, "--out", scene, "--method", "median").code == 0
        outcome = cleanplate("segment", recording, "--model", scene, "--out", masks)
        assert outcome.code == 1
        assert "has grey levels of 8 bits, but the range is" in outcome.err
        assert not masks.exists()


class TestOverrides:
    def test_they_change_the_masks_and_are_said_but_not_stored(
        self, cleanplate: CommandLine, scene: Path, recording: Path, tmp_path: Path
    ) -> None:
        before = files_of(scene)
        plain, strict = tmp_path / "plain", tmp_path / "strict"
        cleanplate("segment", recording, "--model", scene, "--out", plain)
        outcome = cleanplate(
            *("segment", recording, "--model", scene, "--out", strict, "--json"),
            *("--set", "segmentation.min_area=40000"),
        )
        assert "segmentation.min_area = 40000" in outcome.err
        assert outcome.json["overrides"] == {"min_area": 40000}
        assert files_of(plain) != files_of(strict)
        assert files_of(scene) == before

    def test_an_old_name_of_a_setting_is_taken_with_one_warning(
        self, cleanplate: CommandLine, scene: Path, recording: Path, tmp_path: Path
    ) -> None:
        old, new = tmp_path / "old", tmp_path / "new"
        outcome = cleanplate(
            *("segment", recording, "--model", scene, "--out", old, "--json"),
            *("--set", "segmentation.majority=3"),
        )
        assert outcome.code == 0
        told = [each for each in outcome.json["warnings"] if "renamed" in each]
        assert len(told) == 1
        assert "setting 'majority' has been renamed 'median_size'" in told[0]
        assert outcome.err.count("renamed") == 1
        assert outcome.json["overrides"] == {"median_size": 3}
        again = ("segment", recording, "--model", scene, "--out", new, "--json")
        outcome = cleanplate(*again, "--set", "segmentation.median_size=3")
        assert not [each for each in outcome.json["warnings"] if "renamed" in each]
        assert files_of(old) == files_of(new)

    @pytest.mark.parametrize(
        ("assignment", "words"),
        [
            ("segmentation.min_aera=4", ["did you mean 'min_area'"]),
            ("segmentation.min_area=-1", ["segmentation.min_area"]),
            ("segmentation=4", ["'segmentation' is a group"]),
            ("min_area=4", ["segmentation.KEY=VALUE"]),
            ("model.rank=4", ["segmentation.KEY=VALUE"]),
            ("segmentation.min_area", ["KEY=VALUE"]),
        ],
    )
    def test_nonsense_is_refused_and_costs_no_mask(
        self,
        cleanplate: CommandLine,
        scene: Path,
        recording: Path,
        masks: Path,
        assignment: str,
        words: list[str],
    ) -> None:
        masks.mkdir()
        (masks / "bin000001.png").write_bytes(b"mine")
        outcome = cleanplate(
            *("segment", recording, "--model", scene, "--out", masks),
            *("--overwrite", "--set", assignment),
        )
        assert outcome.is_refused_with(*words, code=2)
        assert files_of(masks).keys() == {"bin000001.png"}


class TestOverlay:
    def test_it_has_every_frame(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path, tmp_path: Path
    ) -> None:
        film = tmp_path / "film.webm"
        outcome = cleanplate(
            "segment", recording, "--model", scene, "--out", masks, "--overlay", film
        )
        assert outcome.code == 0
        assert frames_in(film) == 30

    def test_it_has_every_frame_when_some_masks_were_there(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path, tmp_path: Path
    ) -> None:
        film = tmp_path / "film.webm"
        masks.mkdir()
        for number in range(1, 11):
            (masks / f"bin{number:06d}.png").write_bytes(b"there already")
        outcome = cleanplate(
            *("segment", recording, "--model", scene, "--out", masks, "--resume"),
            *("--overlay", film, "--json"),
        )
        assert outcome.json["frames"] == 20
        assert outcome.json["frames_skipped"] == 10
        assert (masks / "bin000001.png").read_bytes() == b"there already"
        assert frames_in(film) == 30

    @pytest.mark.parametrize(
        ("name", "word", "code"),
        [
            ("film.mp4", ".webm", 2),
            ("masks/film.webm", "for masks only", 2),
            ("there.webm", "in the way", 1),
            ("file/film.webm", "file", 1),
        ],
    )
    def test_one_that_cannot_be_costs_no_mask(
        self,
        cleanplate: CommandLine,
        scene: Path,
        recording: Path,
        masks: Path,
        name: str,
        word: str,
        code: int,
    ) -> None:
        cleanplate("segment", recording, "--model", scene, "--out", masks)
        before = files_of(masks)
        for there in ("there.webm", "file"):
            (masks.parent / there).write_text("mine")
        flag = "--resume" if name == "masks/film.webm" else "--overwrite"
        if name == "there.webm":
            flag = "--quiet"  # without --overwrite the film is in the way before the masks are
        outcome = cleanplate(
            *("segment", recording, "--model", scene, "--out", masks, flag),
            *("--overlay", masks.parent / name),
        )
        assert outcome.is_refused_with(word, code=code)
        assert files_of(masks) == before
        assert (masks.parent / "there.webm").read_text() == "mine"


def frames_in(film: Path) -> int:
    capture = cv2.VideoCapture(str(film), cv2.CAP_FFMPEG)
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count


class TestOutput:
    def test_masks_in_the_way_are_kept(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path
    ) -> None:
        masks.mkdir()
        (masks / "bin000001.png").write_bytes(b"mine")
        outcome = cleanplate("segment", recording, "--model", scene, "--out", masks)
        assert outcome.is_refused_with("is not empty", "--overwrite", "--resume", code=1)
        assert (masks / "bin000001.png").read_bytes() == b"mine"

    def test_masks_in_the_way_are_replaced_when_asked_for(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path
    ) -> None:
        masks.mkdir()
        for name in ("bin000001.png", "bin000777.png"):
            (masks / name).write_bytes(b"old")
        outcome = cleanplate("segment", recording, "--model", scene, "--out", masks, "--overwrite")
        assert outcome.code == 0
        assert len(files_of(masks)) == 30

    @pytest.mark.parametrize("option", ["--overwrite", "--resume"])
    def test_what_is_no_mask_is_never_touched(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path, option: str
    ) -> None:
        masks.mkdir()
        (masks / "bin000001.png").write_bytes(b"mine")
        (masks / "holiday.png").write_bytes(b"mine")
        before = files_of(masks)
        outcome = cleanplate("segment", recording, "--model", scene, "--out", masks, option)
        assert outcome.is_refused_with("holiday.png", code=1)
        assert files_of(masks) == before

    @pytest.mark.parametrize("place", ["file", "file/masks"])
    def test_a_file_in_the_path_is_kept(
        self, cleanplate: CommandLine, scene: Path, recording: Path, tmp_path: Path, place: str
    ) -> None:
        (tmp_path / "file").write_text("mine")
        outcome = cleanplate("segment", recording, "--model", scene, "--out", tmp_path / place)
        assert outcome.is_refused_with("file", code=1)
        assert (tmp_path / "file").read_text() == "mine"

    def test_a_full_disk_is_told_and_the_masks_written_are_whole(
        self,
        cleanplate: CommandLine,
        scene: Path,
        recording: Path,
        masks: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write = MaskWriter._write_file

        def write_five(self: MaskWriter, number: int, mask: np.ndarray) -> None:
            if number > 5:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(self, number, mask)

        with monkeypatch.context() as patch:
            patch.setattr(MaskWriter, "_write_file", write_five)
            outcome = cleanplate("segment", recording, "--model", scene, "--out", masks)
        assert outcome.is_refused_with("the disk is full", code=1)
        assert files_of(masks).keys() == {f"bin{number:06d}.png" for number in range(1, 6)}
        resumed = cleanplate(
            "segment", recording, "--model", scene, "--out", masks, "--resume", "--json"
        )
        assert resumed.json["frames"] == 25
        assert len(files_of(masks)) == 30


class TestResume:
    def test_masks_after_a_kill_are_those_of_an_unbroken_run(
        self, cleanplate: CommandLine, learned: Path, recording: Path, masks: Path, tmp_path: Path
    ) -> None:
        whole = tmp_path / "whole"
        arguments = ("segment", recording, "--model", learned)
        cleanplate(*arguments, "--out", whole)
        process = start(*arguments, "--out", masks, patch=SLOW_MASKS)
        while process.poll() is None and len(list(masks.glob("bin*.png"))) < 5:
            time.sleep(0.005)
        process.kill()
        killed = finish(process)
        assert killed.code == -9, killed
        done = len(list(masks.glob("bin*.png")))
        assert 5 <= done < 30
        (masks / f".bin{done + 1:06d}.png.partial").write_bytes(b"half")
        outcome = cleanplate(*arguments, "--out", masks, "--resume", "--json")
        assert outcome.code == 0
        assert outcome.json["frames_skipped"] == done
        assert files_of(masks) == files_of(whole)

    def test_an_interrupt_says_how_to_go_on(
        self,
        cleanplate: CommandLine,
        scene: Path,
        recording: Path,
        masks: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write = MaskWriter.write

        def interrupt_at_9(self: MaskWriter, number: int, mask: np.ndarray) -> None:
            if number == 9:
                raise KeyboardInterrupt
            write(self, number, mask)

        arguments = ("segment", recording, "--model", scene, "--out", masks)
        with monkeypatch.context() as patch:
            patch.setattr(MaskWriter, "write", interrupt_at_9)
            outcome = cleanplate(*arguments, "--overwrite")
        assert outcome.is_refused_with("go on with: cleanplate segment", code=130)
        assert "--overwrite" not in outcome.err
        assert outcome.err.endswith("--resume\n")
        assert len(files_of(masks)) == 8
        assert cleanplate(*arguments, "--resume").code == 0
        assert len(files_of(masks)) == 30

    def test_there_is_nothing_to_do_when_all_is_done(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path
    ) -> None:
        arguments = ("segment", recording, "--model", scene, "--out", masks)
        cleanplate(*arguments)
        before = files_of(masks)
        outcome = cleanplate(*arguments, "--resume", "--json")
        assert outcome.code == 0
        assert outcome.json["frames"] == 0
        assert outcome.json["frames_skipped"] == 30
        assert files_of(masks) == before

    def test_it_may_be_the_first_call(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path
    ) -> None:
        arguments = ("segment", recording, "--model", scene, "--out", masks, "--resume")
        assert cleanplate(*arguments).code == 0
        assert len(files_of(masks)) == 30


def flip_a_byte(scene: Path) -> None:
    content = bytearray((scene / "model.safetensors").read_bytes())
    content[-5] ^= 1
    (scene / "model.safetensors").write_bytes(content)


def raise_format(scene: Path) -> None:
    config = yaml.safe_load((scene / "config.yaml").read_text())
    (scene / "config.yaml").write_text(yaml.safe_dump(config | {"format": 99}))


def add_pickle(scene: Path) -> None:
    (scene / "weights.pt").write_bytes(pickle.dumps({"weights": 3}))


def hide_pickle(scene: Path) -> None:
    (scene / "model.safetensors").write_bytes(pickle.dumps({"weights": 3}))


def cut_config(scene: Path) -> None:
    (scene / "config.yaml").write_text("format: [1")


def unfinish(scene: Path) -> None:
    (scene / "config.yaml").unlink()
    (scene / "checkpoint").mkdir()


BAD_SCENES: dict[Callable[[Path], None], str] = {
    flip_a_byte: "model.safetensors",
    raise_format: "format 99",
    add_pickle: "weights.pt",
    hide_pickle: "pickle",
    cut_config: "config.yaml",
    unfinish: "--resume",
}


@pytest.mark.parametrize("spoil", BAD_SCENES)
def test_a_bad_scene_is_refused_and_costs_no_mask(
    cleanplate: CommandLine,
    copy: Path,
    recording: Path,
    masks: Path,
    spoil: Callable[[Path], None],
) -> None:
    spoil(copy)
    masks.mkdir()
    (masks / "bin000001.png").write_bytes(b"mine")
    before = files_of(copy)
    outcome = cleanplate("segment", recording, "--model", copy, "--out", masks, "--overwrite")
    assert outcome.is_refused_with(BAD_SCENES[spoil], code=1)
    assert files_of(masks).keys() == {"bin000001.png"}
    assert files_of(copy) == before


class TestRefused:
    def test_frames_of_another_size(
        self, cleanplate: CommandLine, scene: Path, masks: Path, tmp_path: Path
    ) -> None:
        other = write_image_folder(tmp_path / "other", paint_scene(40, 40, 2).frames)
        outcome = cleanplate("segment", other, "--model", scene, "--out", masks)
        assert outcome.is_refused_with("40x40", "48x32", code=1)
        assert not masks.exists()

    @pytest.mark.parametrize("device", ["tpu", "cuda:", "cuda:99", "meta"])
    def test_a_device_that_makes_no_sense(
        self, cleanplate: CommandLine, learned: Path, recording: Path, masks: Path, device: str
    ) -> None:
        outcome = cleanplate(
            "segment", recording, "--model", learned, "--out", masks, "--device", device
        )
        assert outcome.is_refused_with(f"device '{device}'", code=2)
        assert not masks.exists()

    def test_a_device_that_makes_no_sense_for_a_method_that_needs_none(
        self, cleanplate: CommandLine, scene: Path, recording: Path, masks: Path
    ) -> None:
        outcome = cleanplate(
            "segment", recording, "--model", scene, "--out", masks, "--device", "tpu"
        )
        assert outcome.is_refused_with("device 'tpu'", code=2)

    def test_a_missing_source(
        self, cleanplate: CommandLine, scene: Path, masks: Path, tmp_path: Path
    ) -> None:
        outcome = cleanplate("segment", tmp_path / "no.mp4", "--model", scene, "--out", masks)
        assert outcome.is_refused_with("does not exist", code=1)
        assert not masks.exists()


def test_damaged_frames_are_counted_and_warned_of(
    cleanplate: CommandLine, scene: Path, recording: Path, masks: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in recording.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    for number in (11, 20):
        (broken / f"in{number:06d}.png").write_bytes(b"garbage")
    outcome = cleanplate("segment", broken, "--model", scene, "--out", masks, "--json")
    assert outcome.code == 0
    assert outcome.json["damaged_frames"] == 2
    assert len(outcome.json["warnings"]) == outcome.err.count("warning") == 1
    assert len(files_of(masks)) == 28
    assert "bin000011.png" not in files_of(masks)
    assert json.loads(outcome.out)["frames"] == 28
