"""`cleanplate learn`: results, settings, and what is refused without losing anything."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from calls import CommandLine, files_of

import cleanplate.scene.scene as scene_module
from cleanplate import __version__, load
from scenes import PaintedScene, paint_scene, write_image_folder

NETWORK = ("--budget", "6steps", "--device", "cpu")


class TestResult:
    def test_the_object_tells_how_it_went(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        outcome = cleanplate("learn", recording, "--out", tmp_path / "run", *NETWORK, "--json")
        assert outcome.code == 0
        values = outcome.json
        assert values["command"] == "learn"
        assert values["method"] == "lowrank_ae"
        assert values["steps"] == 6
        assert values["seconds"] > 0
        assert values["peak_memory_bytes"] > 1e6
        assert values["damaged_frames"] == values["missing_frames"] == 0
        assert values["frames"] == values["frames_learned_from"] == 30
        assert values["frame_size"] == values["working_size"] == [32, 48]
        assert values["warnings"] == []
        assert values["coverage"]["sentence"] == ""
        assert values["coverage"]["samples"] == 30

    def test_a_place_that_never_was_free_is_told_once(
        self, cleanplate: CommandLine, tmp_path: Path
    ) -> None:
        pictures = paint_scene(32, 48, 24, squares=0).frames.copy()
        pictures[:16, 8:20, 4:20] = (200, 30, 20)
        recording = write_image_folder(tmp_path / "in", pictures)
        outcome = cleanplate("learn", recording, "--out", tmp_path / "run", "--method", "median")
        assert outcome.code == 0
        (warning,) = [line for line in outcome.err.splitlines() if line.startswith("warning")]
        assert "of the picture, middle left, was never seen empty" in warning

    def test_a_range_of_values_is_used_kept_and_told(
        self, cleanplate: CommandLine, thermal: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "run"
        outcome = cleanplate("learn", thermal, "--out", out, "--method", "median", "--json")
        values = outcome.json["values"]
        assert (values["type"], values["origin"]) == ("uint16", "found")
        low, high = values["range"]
        assert 6500 < low < 7200 < 8200 < high < 9500
        (warning,) = outcome.json["warnings"]
        assert "less than a tenth of 0 to 65535" in warning
        assert yaml.safe_load((out / "config.yaml").read_text())["value_range"] == [low, high]
        provenance = json.loads((out / "provenance.json").read_text())
        assert provenance["input"]["values"] == values
        given = ("--range", "-20", "9000.5", "--method", "median", "--json")
        outcome = cleanplate("learn", thermal, "--out", tmp_path / "given", *given)
        assert outcome.json["values"]["range"] == [-20.0, 9000.5]
        assert outcome.json["values"]["origin"] == "given"

    @pytest.mark.parametrize("ends", [("9000", "7000"), ("1", "1"), ("nan", "5"), ("0", "inf")])
    def test_what_is_no_range_is_refused(
        self, cleanplate: CommandLine, thermal: Path, tmp_path: Path, ends: tuple[str, str]
    ) -> None:
        outcome = cleanplate("learn", thermal, "--out", tmp_path / "run", "--range", *ends)
        assert outcome.code == 2
        assert "setting 'sampling.range' cannot be" in outcome.err
        assert not (tmp_path / "run").exists()

    def test_the_text_is_a_line_with_the_folder_and_one_with_the_scene(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        outcome = cleanplate("learn", recording, "--out", tmp_path / "run", "--method", "mean")
        said, found = outcome.out.splitlines()
        assert str(tmp_path / "run") in said
        assert found == f"the scene: {load(tmp_path / 'run').findings.sentence}"

    def test_nothing_of_an_unfinished_run_is_left(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        cleanplate("learn", recording, "--out", tmp_path / "run", *NETWORK)
        names = {path.name for path in (tmp_path / "run").iterdir()}
        assert "checkpoint" not in names
        assert not {name for name in names if name.startswith(".") or name.endswith(".partial")}

    def test_samples_are_left_out_for_privacy(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "run"
        cleanplate("learn", recording, "--out", out, "--method", "median", "--no-samples")
        assert not (out / "samples").exists()

    def test_options_are_the_settings_of_the_same_name(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "run"
        cleanplate("learn", recording, "--out", out, *NETWORK, "--init", "mean", "--seed", "5")
        settings = yaml.safe_load((out / "config.yaml").read_text())["settings"]
        assert settings["init"] == "mean"
        assert settings["seed"] == 5
        assert settings["budget"] == "6steps"
        assert settings["device"] == "cpu"
        assert json.loads((out / "provenance.json").read_text())["seed"] == 5


class TestSettings:
    def test_the_command_line_wins_over_the_file(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        config = tmp_path / "settings.yaml"
        config.write_text("method: mean\nseed: 3\nsegmentation:\n  threshold: 40\n  min_area: 7\n")
        out = tmp_path / "run"
        outcome = cleanplate(
            *("learn", recording, "--out", out, "--config", config),
            *("--method", "median", "--set", "segmentation.threshold=50"),
        )
        assert outcome.code == 0
        settings = yaml.safe_load((out / "config.yaml").read_text())["settings"]
        assert settings["method"] == "median"
        assert settings["seed"] == 3
        assert settings["segmentation"]["threshold"] == 50
        assert settings["segmentation"]["min_area"] == 7

    @pytest.mark.parametrize("whole", [False, True], ids=["settings alone", "whole file"])
    def test_the_stored_settings_reproduce_the_run(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path, whole: bool
    ) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        cleanplate(
            *("learn", recording, "--out", first, *NETWORK, "--seed", "4"),
            *("--set", "training.batch_size=3", "--set", "model.rank=2", "--init", "mode"),
        )
        config = tmp_path / "settings.yaml"
        stored = yaml.safe_load((first / "config.yaml").read_text())
        config.write_text(yaml.safe_dump(stored if whole else stored["settings"]))
        outcome = cleanplate("learn", recording, "--out", second, "--config", config)
        assert outcome.code == 0
        one, two = files_of(first), files_of(second)
        for name in ("model.safetensors", "config.yaml", "plate.png", "noise.png"):
            assert one[name] == two[name]

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--method", "lowrnk_ae"], ["lowrnk_ae", "did you mean 'lowrank_ae'"]),
            (["--init", "medain"], ["medain", "did you mean 'median'"]),
            (["--recipe", "robst"], ["robst", "did you mean 'robust'"]),
            (["--set", "model.rnk=3"], ["model.rnk", "did you mean 'rank'"]),
            (["--set", "modle.rank=3"], ["modle", "did you mean 'model'"]),
            (["--set", "model=3"], ["'model' is a group"]),
            (["--set", "model.rank"], ["model.rank", "KEY=VALUE"]),
            (["--set", "=3"], ["'=3'", "KEY=VALUE"]),
            (["--set", "model.rank=[1"], ["model.rank=[1"]),
            (["--set", "model.rank=many"], ["model.rank", "many"]),
            (["--set", "training.batch_size=0"], ["training.batch_size"]),
            (["--set", "method.name=3"], ["method"]),
            (["--seed", "-1"], ["seed"]),
            (["--budget", "0s"], ["budget '0s'"]),
            (["--budget", "soon"], ["budget 'soon'", "600steps"]),
            (["--budget=-5steps"], ["budget '-5steps'"]),
            (["--budget", "1.5steps"], ["budget '1.5steps'"]),
            (["--device", "tpu"], ["device 'tpu'", "auto, cpu, cuda"]),
            (["--device", "cuda:99"], ["device 'cuda:99'"]),
            (["--device", "cuda:"], ["device 'cuda:'"]),
            (["--method", "median", "--device", "tpu"], ["device 'tpu'"]),
            (["--method", "median", "--budget", "soon"], ["budget 'soon'"]),
            (["--method", "median", "--set", "training.batch_size=3"], ["training"]),
        ],
        ids=lambda value: " ".join(value) if value[0].startswith("--") else "",
    )
    def test_nonsense_is_refused_before_any_work(
        self,
        cleanplate: CommandLine,
        recording: Path,
        scene: Path,
        options: list[str],
        words: list[str],
    ) -> None:
        before = files_of(scene)
        outcome = cleanplate("learn", recording, "--out", scene, "--overwrite", *options)
        assert outcome.is_refused_with(*words, code=2)
        assert files_of(scene) == before

    @pytest.mark.parametrize(
        ("content", "word"),
        [
            (b"method: [1", "settings.yaml"),
            (b"a: b: c", "settings.yaml"),
            (b"- method\n", "KEY: VALUE"),
            (b"\xff\xfe\x00", "settings.yaml"),
            (b"metod: mean\n", "did you mean 'method'"),
            (b"model:\n  rnk: 3\n", "did you mean 'rank'"),
            (b"model: 3\n", "'model' is a group"),
            (b"3: 4\n", "3"),
            (b"model:\n  3: 4\n", "3"),
        ],
        ids=lambda value: repr(value) if isinstance(value, bytes) else "",
    )
    def test_a_settings_file_that_makes_no_sense_is_refused(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path, content: bytes, word: str
    ) -> None:
        config = tmp_path / "settings.yaml"
        config.write_bytes(content)
        outcome = cleanplate("learn", recording, "--out", tmp_path / "run", "--config", config)
        assert outcome.is_refused_with(word, code=2)
        assert not (tmp_path / "run").exists()

    def test_a_settings_file_that_is_missing_is_refused(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        for config in (tmp_path / "nothing.yaml", tmp_path):
            outcome = cleanplate("learn", recording, "--out", tmp_path / "run", "--config", config)
            assert outcome.is_refused_with(str(config), code=2)

    def test_an_empty_settings_file_changes_nothing(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "settings.yaml").write_text("# all as it is\n")
        outcome = cleanplate(
            *("learn", recording, "--out", tmp_path / "run", "--method", "median"),
            *("--config", tmp_path / "settings.yaml"),
        )
        assert outcome.code == 0


def make_bad_source(kind: str, folder: Path) -> Path:
    """A recording that cannot be learned from."""
    if kind == "missing":
        return folder / "nothing.mp4"
    if kind in BAD_FILES:
        (folder / "bad.mp4").write_bytes(BAD_FILES[kind])
        return folder / "bad.mp4"
    if kind == "folder named as a video":
        (folder / "bad.mp4").mkdir()
        return folder / "bad.mp4"
    return make_bad_folder(kind, folder / "bad")


def make_bad_folder(kind: str, folder: Path) -> Path:
    frames = paint_scene(32, 48, 4).frames
    match kind:
        case "folder without pictures":
            folder.mkdir()
            (folder / "notes.txt").write_text("nothing to see")
        case "single frame":
            write_image_folder(folder, frames[:1])
        case "one frame of several readable":
            write_image_folder(folder, frames)
            for number in (2, 3, 4):
                (folder / f"in{number:06d}.png").write_bytes(b"broken")
        case "all damaged":
            write_image_folder(folder, frames)
            for picture in folder.iterdir():
                picture.write_bytes(b"broken")
        case "two sizes":
            write_image_folder(folder, paint_scene(40, 48, 1).frames)
            (folder / "in000001.png").replace(folder / "in000009.png")
            write_image_folder(folder, frames)
        case "too small":
            write_image_folder(folder, np.zeros((4, 15, 48, 3), np.uint8))
    return folder


BAD_FILES = {
    "empty": b"",
    "no video": bytes(range(256)) * 40,
    "text": b"this is not a video\n",
}

BAD_SOURCES = {
    "missing": "does not exist",
    "empty": "empty file",
    "no video": "cannot be opened as a video",
    "text": "is a text file",
    "folder named as a video": "no pictures",
    "folder without pictures": "no pictures",
    "single frame": "at least two",
    "one frame of several readable": "at least two",
    "all damaged": "no readable frame",
    "two sizes": "48x40",
    "too small": "at least 16",
}


@pytest.mark.parametrize("kind", BAD_SOURCES)
class TestBadSource:
    def test_is_refused_in_one_sentence(
        self, cleanplate: CommandLine, tmp_path: Path, kind: str
    ) -> None:
        source = make_bad_source(kind, tmp_path)
        outcome = cleanplate("learn", source, "--out", tmp_path / "run", "--method", "median")
        assert outcome.is_refused_with(BAD_SOURCES[kind], code=1)
        assert not (tmp_path / "run").exists()

    def test_costs_nothing_of_the_scene_that_should_be_overwritten(
        self, cleanplate: CommandLine, scene: Path, tmp_path: Path, kind: str
    ) -> None:
        before = files_of(scene)
        source = make_bad_source(kind, tmp_path)
        outcome = cleanplate("learn", source, "--out", scene, "--overwrite", "--method", "mean")
        assert outcome.code == 1
        assert files_of(scene) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="unreadable: root may read everything")
def test_a_source_that_may_not_be_read_is_refused(cleanplate: CommandLine, tmp_path: Path) -> None:
    source = tmp_path / "bad.mp4"
    source.write_bytes(bytes(100))
    source.chmod(0)
    outcome = cleanplate("learn", source, "--out", tmp_path / "run")
    assert outcome.is_refused_with("Permission denied", code=1)


class TestOutput:
    def test_a_scene_in_the_way_is_kept(
        self, cleanplate: CommandLine, recording: Path, scene: Path
    ) -> None:
        before = files_of(scene)
        outcome = cleanplate("learn", recording, "--out", scene)
        assert outcome.is_refused_with("is not empty", "--overwrite", "--resume", code=1)
        assert files_of(scene) == before

    def test_a_scene_in_the_way_is_replaced_when_asked_for(
        self, cleanplate: CommandLine, recording: Path, scene: Path
    ) -> None:
        (scene / "notes.txt").write_text("mine")
        outcome = cleanplate("learn", recording, "--out", scene, "--overwrite", "--method", "mean")
        assert outcome.code == 0
        config = yaml.safe_load((scene / "config.yaml").read_text())
        assert config["settings"]["method"] == "mean"
        assert (scene / "notes.txt").read_text() == "mine"

    def test_an_empty_folder_is_not_in_the_way(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "run").mkdir()
        out = tmp_path / "run"
        assert cleanplate("learn", recording, "--out", out, "--method", "median").code == 0

    @pytest.mark.parametrize("place", ["file", "file/run", "file/deep/run"])
    def test_a_file_in_the_path_is_kept(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path, place: str
    ) -> None:
        (tmp_path / "file").write_text("mine")
        outcome = cleanplate("learn", recording, "--out", tmp_path / place, "--overwrite")
        assert outcome.is_refused_with("cannot write to", code=1)
        assert (tmp_path / "file").read_text() == "mine"

    def test_a_folder_that_may_not_be_written_is_refused(
        self, cleanplate: CommandLine, recording: Path
    ) -> None:
        outcome = cleanplate("learn", recording, "--out", "/proc/cleanplate")
        assert outcome.is_refused_with("/proc/cleanplate", code=1)

    def test_an_interrupt_before_anything_was_replaced_names_the_same_command(
        self,
        cleanplate: CommandLine,
        recording: Path,
        scene: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before = files_of(scene)

        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("cleanplate.learning.job.FrameCache.fill", interrupt)
        outcome = cleanplate("learn", recording, "--out", scene, "--overwrite", "--seed", "1")
        assert outcome.is_refused_with("give the same command again", code=130)
        assert files_of(scene) == before


class TestCompleteRun:
    def test_resuming_it_ends_at_once_and_changes_nothing(
        self,
        cleanplate: CommandLine,
        recording: Path,
        copy: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise AssertionError("nothing is to be read")

        monkeypatch.setattr("cleanplate.learning.job.FrameCache.fill", fail)
        before = files_of(copy)
        outcome = cleanplate(
            *("learn", recording, "--out", copy, "--resume", "--json"),
            *("--budget", "12steps", "--device", "cpu"),
        )
        assert outcome.code == 0
        assert outcome.json["steps"] == 12
        assert files_of(copy) == before

    def test_other_settings_are_refused_with_their_name_and_both_values(
        self, cleanplate: CommandLine, recording: Path, copy: Path
    ) -> None:
        before = files_of(copy)
        outcome = cleanplate(
            *("learn", recording, "--out", copy, "--resume", "--budget", "12steps"),
            *("--device", "cpu", "--set", "training.batch_size=3"),
        )
        assert outcome.is_refused_with("training.batch_size = 8", "now it is 3", code=2)
        assert files_of(copy) == before

    def test_another_source_is_refused(
        self, cleanplate: CommandLine, painted: PaintedScene, copy: Path, tmp_path: Path
    ) -> None:
        before = files_of(copy)
        other = write_image_folder(tmp_path / "other", painted.frames[:5])
        outcome = cleanplate(
            *("learn", other, "--out", copy, "--resume"),
            *("--budget", "12steps", "--device", "cpu"),
        )
        assert outcome.is_refused_with("another source", code=2)
        assert files_of(copy) == before

    def test_its_losses_are_drawn_before_it_counts_as_complete(
        self,
        cleanplate: CommandLine,
        recording: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        arguments = ("learn", recording, "--out", tmp_path / "run", *NETWORK)
        with monkeypatch.context() as patch:
            patch.setattr(scene_module, "write_scene", interrupt)
            assert cleanplate(*arguments).code == 130
        assert cleanplate(*arguments, "--resume").code == 0
        assert (tmp_path / "run" / "losses.png").exists()


def test_provenance_names_the_version(scene: Path) -> None:
    provenance = json.loads((scene / "provenance.json").read_text())
    assert provenance["versions"]["cleanplate"] == __version__
