"""`plate`, `score`, `score-plate`, `export`, `methods`, `report`, `demo` and `doctor`."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from calls import CommandLine, files_of, start

from cleanplate.background import PLATES
from cleanplate.cli.commands import demo as demo_module
from cleanplate.cli.commands import doctor as doctor_module
from cleanplate.cli.commands.doctor import Finding
from cleanplate.datasets.painted import PaintedIntersection, PaintedSettings, write_sequence
from scenes import PaintedScene


def write_truth(folder: Path, painted: PaintedScene) -> Path:
    """Truth of a painted scene in CDnet's form."""
    truth = folder / "sequence" / "groundtruth"
    truth.mkdir(parents=True)
    for number, mask in enumerate(painted.masks, start=1):
        assert cv2.imwrite(str(truth / f"gt{number:06d}.png"), mask)
    return truth.parent


def write_masks(folder: Path, painted: PaintedScene) -> Path:
    folder.mkdir()
    for number, mask in enumerate(painted.masks, start=1):
        assert cv2.imwrite(str(folder / f"bin{number:06d}.png"), mask)
    return folder


class TestPlate:
    @pytest.mark.parametrize("how", sorted(PLATES))
    def test_of_a_recording_is_a_picture_of_its_size(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path, how: str
    ) -> None:
        path = tmp_path / "plate.png"
        outcome = cleanplate("plate", recording, "--out", path, "--how", how, "--json")
        assert outcome.code == 0
        assert outcome.json["how"] == how
        assert outcome.json["frame_size"] == [32, 48]
        assert outcome.json["frames_used"] == 30
        assert cv2.imread(str(path)).shape == (32, 48, 3)

    def test_is_chosen_from_candidates_in_the_right_colours_unless_said_otherwise(
        self, cleanplate: CommandLine, recording: Path, painted: PaintedScene, tmp_path: Path
    ) -> None:
        path = tmp_path / "plate.png"
        assert cleanplate("plate", recording, "--out", path, "--json").json["how"] == "candidates"
        plate = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        difference = np.abs(plate.astype(int) - painted.best_still_plate())
        assert difference.mean() <= 1.5

    def test_of_a_scene_is_what_it_learned(
        self, cleanplate: CommandLine, learned: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "plate.png"
        assert cleanplate("plate", learned, "--out", path, "--json").json["how"] == "learned"
        plates = [cv2.imread(str(file)) for file in (path, learned / "plate.png")]
        np.testing.assert_array_equal(*plates)

    @pytest.mark.parametrize(
        ("is_scene", "how", "word"),
        [(True, "median", "give the recording"), (False, "learned", "cleanplate learn")],
    )
    def test_of_the_other_kind_is_refused(
        self,
        cleanplate: CommandLine,
        learned: Path,
        recording: Path,
        tmp_path: Path,
        is_scene: bool,
        how: str,
        word: str,
    ) -> None:
        source = learned if is_scene else recording
        outcome = cleanplate("plate", source, "--out", tmp_path / "plate.png", "--how", how)
        assert outcome.is_refused_with(word, code=2)

    def test_in_the_way_is_kept_unless_it_is_to_be_replaced(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "plate.png"
        path.write_text("mine")
        assert cleanplate("plate", recording, "--out", path).is_refused_with("in the way", code=1)
        assert path.read_text() == "mine"
        assert cleanplate("plate", recording, "--out", path, "--overwrite").code == 0
        assert cv2.imread(str(path)) is not None

    def test_goes_into_a_folder_that_is_made_for_it(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "deep" / "folder" / "plate.jpg"
        assert cleanplate("plate", recording, "--out", path).code == 0
        assert path.exists()

    @pytest.mark.parametrize("place", ["file/plate.png", "folder.png"])
    def test_in_an_impossible_place_is_refused(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path, place: str
    ) -> None:
        (tmp_path / "file").write_text("mine")
        (tmp_path / "folder.png").mkdir()
        outcome = cleanplate("plate", recording, "--out", tmp_path / place, "--overwrite")
        assert outcome.is_refused_with("fol" if "fol" in place else "file", code=1)

    def test_on_a_full_disk_costs_nothing_of_the_old_one(
        self,
        cleanplate: CommandLine,
        recording: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = tmp_path / "plate.png"
        path.write_text("mine")

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        outcome = cleanplate("plate", recording, "--out", path, "--overwrite")
        assert outcome.is_refused_with("the disk is full", code=1)
        assert files_of(tmp_path).keys() == {"plate.png"}
        assert path.read_text() == "mine"

    def test_counts_damaged_frames(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken"
        broken.mkdir()
        for file in recording.iterdir():
            (broken / file.name).write_bytes(file.read_bytes())
        (broken / "in000002.png").write_bytes(b"garbage")
        outcome = cleanplate("plate", broken, "--out", tmp_path / "plate.png", "--json")
        assert outcome.code == 0
        assert outcome.json["frames_used"] == 29
        assert len(outcome.json["warnings"]) == 1


class TestScore:
    def test_of_the_truth_itself_is_perfect(
        self, cleanplate: CommandLine, painted: PaintedScene, tmp_path: Path
    ) -> None:
        truth = write_truth(tmp_path, painted)
        masks = write_masks(tmp_path / "masks", painted)
        outcome = cleanplate("score", masks, "--truth", truth, "--json")
        assert outcome.code == 0
        values = outcome.json
        assert values["F"] == values["recall"] == values["precision"] == 1
        assert values["PWC"] == 0
        assert values["frames"] == 30
        assert values["missing"] == 0

    def test_is_a_table_without_json(
        self, cleanplate: CommandLine, painted: PaintedScene, tmp_path: Path
    ) -> None:
        truth = write_truth(tmp_path, painted)
        outcome = cleanplate("score", write_masks(tmp_path / "masks", painted), "--truth", truth)
        for name in ("F", "recall", "precision", "PWC", "frames"):
            assert f"\n {name} " in f"\n{outcome.out}"

    def test_missing_masks_are_an_error_or_counted_as_empty(
        self, cleanplate: CommandLine, painted: PaintedScene, tmp_path: Path
    ) -> None:
        truth = write_truth(tmp_path, painted)
        masks = write_masks(tmp_path / "masks", painted)
        for number in (3, 4):
            (masks / f"bin{number:06d}.png").unlink()
        refused = cleanplate("score", masks, "--truth", truth)
        assert refused.is_refused_with("bin000003.png", code=1)
        outcome = cleanplate("score", masks, "--truth", truth, "--missing", "negative", "--json")
        assert outcome.code == 0
        assert outcome.json["missing"] == 2
        assert outcome.json["frames"] == 30
        assert outcome.json["recall"] < 1
        assert len(outcome.json["warnings"]) == 1

    def test_without_any_foreground_is_still_json(
        self, cleanplate: CommandLine, painted: PaintedScene, tmp_path: Path
    ) -> None:
        empty = PaintedScene(painted.frames, painted.backgrounds, np.zeros_like(painted.masks))
        truth = write_truth(tmp_path, empty)
        outcome = cleanplate(
            "score", write_masks(tmp_path / "masks", empty), "--truth", truth, "--json"
        )
        assert outcome.code == 0
        assert outcome.json["F"] is None or 0 <= outcome.json["F"] <= 1

    @pytest.mark.parametrize("masks", ["nothing", "file"])
    def test_without_a_folder_of_masks_is_refused(
        self, cleanplate: CommandLine, painted: PaintedScene, tmp_path: Path, masks: str
    ) -> None:
        (tmp_path / "file").write_text("mine")
        truth = write_truth(tmp_path, painted)
        assert cleanplate("score", tmp_path / masks, "--truth", truth).is_refused_with(
            "is not a folder", code=1
        )

    def test_without_truth_is_refused(
        self, cleanplate: CommandLine, painted: PaintedScene, tmp_path: Path
    ) -> None:
        masks = write_masks(tmp_path / "masks", painted)
        outcome = cleanplate("score", masks, "--truth", tmp_path)
        assert outcome.is_refused_with("groundtruth", code=1)


class TestScorePlate:
    NAMES = ("AGE", "pEPs", "pCEPs", "MS_SSIM", "PSNR", "CQM")

    def test_of_identical_pictures_is_json_with_null(
        self, cleanplate: CommandLine, learned: Path
    ) -> None:
        plate = learned / "plate.png"
        outcome = cleanplate("score-plate", plate, "--truth", plate, "--json")
        assert outcome.code == 0
        values = outcome.json
        assert values["AGE"] == values["pEPs"] == values["pCEPs"] == 0
        assert values["MS_SSIM"] == 1
        assert values["PSNR"] is None
        assert "infinite" in cleanplate("score-plate", plate, "--truth", plate).out

    def test_of_different_pictures_has_all_measures(
        self, cleanplate: CommandLine, learned: Path, recording: Path
    ) -> None:
        outcome = cleanplate(
            "score-plate", learned / "plate.png", "--truth", recording / "in000001.png", "--json"
        )
        assert all(isinstance(outcome.json[name], float) for name in self.NAMES)
        assert outcome.json["AGE"] > 0

    def test_looks_only_at_valid_pixels(
        self, cleanplate: CommandLine, learned: Path, tmp_path: Path
    ) -> None:
        plate = cv2.imread(str(learned / "plate.png"))
        spoiled = plate.copy()
        spoiled[:, 40:] = 255 - spoiled[:, 40:]
        valid = np.full(plate.shape[:2], 255, np.uint8)
        valid[:, 40:] = 0
        cv2.imwrite(str(tmp_path / "spoiled.png"), spoiled)
        cv2.imwrite(str(tmp_path / "valid.png"), valid)
        arguments = ("score-plate", tmp_path / "spoiled.png", "--truth", learned / "plate.png")
        assert cleanplate(*arguments, "--json").json["AGE"] > 0
        outcome = cleanplate(*arguments, "--json", "--valid", tmp_path / "valid.png")
        assert outcome.json["AGE"] == 0

    def test_of_another_size_or_no_picture_is_refused(
        self, cleanplate: CommandLine, learned: Path, tmp_path: Path
    ) -> None:
        cv2.imwrite(str(tmp_path / "small.png"), np.zeros((20, 20, 3), np.uint8))
        (tmp_path / "text.png").write_text("no picture")
        plate = learned / "plate.png"
        for name, word in (("small", "20x20"), ("text", "text.png"), ("absent", "absent.png")):
            outcome = cleanplate("score-plate", tmp_path / f"{name}.png", "--truth", plate)
            assert outcome.is_refused_with(word, code=1)


class TestMethods:
    def test_all_are_listed_with_the_default_marked(self, cleanplate: CommandLine) -> None:
        rows = {row["name"]: row for row in cleanplate("methods", "--json").json["methods"]}
        assert {"lowrank_ae", "conv_ae", "median", "mean"} <= set(rows)
        assert [name for name, row in rows.items() if row["is_default"]] == ["lowrank_ae"]
        assert rows["median"]["kind"] == "baseline"
        assert rows["lowrank_ae"]["kind"] == "network"
        assert all(row["summary"] for row in rows.values())
        shown = cleanplate("methods").out
        assert all(name in shown for name in rows)

    @pytest.mark.parametrize("name", ["lowrank_ae", "conv_ae", "median"])
    def test_one_is_told_with_all_its_settings(self, cleanplate: CommandLine, name: str) -> None:
        values = cleanplate("methods", name, "--json").json
        keys = {row["key"] for row in values["settings"]}
        assert {"method", "seed", "segmentation.min_area", "sampling.max_frames"} <= keys
        assert ("training.batch_size" in keys) == (name != "median")
        assert all(row["meaning"] and row["range"] for row in values["settings"])
        shown = cleanplate("methods", name).out
        assert all(key in shown for key in keys)


_NO_TORCH = """
import sys
sys.modules["torch"] = None
"""


class TestExport:
    def test_writes_a_graph_that_runs_without_torch(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        onnxruntime = pytest.importorskip("onnxruntime")
        run = tmp_path / "run"
        assert cleanplate("learn", recording, "--out", run, "--budget", "5steps").code == 0
        before = files_of(run)
        outcome = cleanplate("export", run, "--out", tmp_path / "scene.onnx", "--json")
        assert outcome.code == 0
        height, width = outcome.json["working_size"]
        assert outcome.json["bytes"] == (tmp_path / "scene.onnx").stat().st_size
        session = onnxruntime.InferenceSession(tmp_path / "scene.onnx")
        frames = np.full((3, 3, height, width), 0.5, np.float32)
        (background,) = session.run(None, {"rgb": frames})
        assert background.shape == frames.shape
        assert outcome.json["largest_difference"] < 1e-4
        assert files_of(run) == before

    @pytest.mark.slow
    def test_an_exported_scene_is_segmented_without_torch_and_alike(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        pytest.importorskip("onnxruntime")
        run = tmp_path / "run"
        learned = ("--method", "rgb_flow_ae", "--budget", "5steps")
        assert cleanplate("learn", recording, "--out", run, *learned).code == 0
        masks = {name: tmp_path / name for name in ("torch", "onnx")}
        alone = ("segment", recording, "--model", run, "--runtime", "onnx")
        early = cleanplate(*alone, "--out", masks["onnx"])
        assert early.is_refused_with(f"cleanplate export {run}", code=1)
        assert cleanplate("export", run).code == 0
        given = ("segment", recording, "--model", run, "--out", masks["torch"])
        assert cleanplate(*given).code == 0
        process = start(*alone, "--out", masks["onnx"], "--json", patch=_NO_TORCH)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert json.loads(out)["frames"] == len(list(masks["torch"].iterdir()))
        for path in masks["torch"].iterdir():
            ours, theirs = (cv2.imread(str(at)) for at in (path, masks["onnx"] / path.name))
            assert (ours != theirs).mean() <= 1e-4

    @pytest.mark.slow
    def test_a_file_of_another_network_is_refused(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        pytest.importorskip("onnxruntime")
        runs = [tmp_path / name for name in ("first", "second")]
        for seed, run in enumerate(runs):
            how = ("--budget", "2steps", "--seed", seed, "--method", "conv_ae")
            assert cleanplate("learn", recording, "--out", run, *how).code == 0
        assert cleanplate("export", runs[0], "--out", runs[1] / "model.onnx").code == 0
        outcome = cleanplate(
            "segment", recording, "-m", runs[1], "-o", tmp_path / "masks", "--runtime", "onnx"
        )
        assert outcome.is_refused_with("made of another network", code=1)

    def test_a_still_plate_is_refused(
        self, cleanplate: CommandLine, scene: Path, tmp_path: Path
    ) -> None:
        outcome = cleanplate("export", scene, "--out", tmp_path / "scene.onnx")
        assert outcome.is_refused_with("is one still picture and no network", code=2)

    def test_needs_the_right_ending(
        self, cleanplate: CommandLine, scene: Path, tmp_path: Path
    ) -> None:
        outcome = cleanplate("export", scene, "--out", tmp_path / "scene.pb")
        assert outcome.is_refused_with("should end in .onnx", code=2)


class TestReport:
    def test_is_one_page_in_the_folder_of_the_scene(
        self, cleanplate: CommandLine, scene: Path
    ) -> None:
        outcome = cleanplate("report", scene, "--json")
        assert outcome.code == 0
        assert outcome.json["report"] == str(scene / "report.html")
        assert "<html" in (scene / "report.html").read_text(encoding="utf-8")

    def test_goes_elsewhere_and_reads_the_recording_when_asked_to(
        self, cleanplate: CommandLine, scene: Path, recording: Path, tmp_path: Path
    ) -> None:
        page = tmp_path / "page.html"
        before = files_of(scene)
        outcome = cleanplate("report", scene, "--source", recording, "--out", page)
        assert outcome.code == 0
        assert page.exists()
        assert files_of(scene) == before

    def test_in_the_way_is_kept_unless_it_is_to_be_replaced(
        self, cleanplate: CommandLine, scene: Path
    ) -> None:
        (scene / "report.html").write_text("mine")
        assert cleanplate("report", scene).is_refused_with("in the way", code=1)
        assert (scene / "report.html").read_text() == "mine"
        assert cleanplate("report", scene, "--overwrite").code == 0

    def test_of_no_scene_is_refused(
        self, cleanplate: CommandLine, tmp_path: Path, recording: Path
    ) -> None:
        assert cleanplate("report", tmp_path / "no").is_refused_with("is no scene", code=1)
        assert cleanplate("report", recording).is_refused_with("is no scene", code=1)
        assert not (recording / "report.html").exists()

    def test_from_a_bad_recording_costs_nothing_of_the_old_one(
        self, cleanplate: CommandLine, scene: Path, tmp_path: Path
    ) -> None:
        (scene / "report.html").write_text("mine")
        outcome = cleanplate("report", scene, "--overwrite", "--source", tmp_path / "no.mp4")
        assert outcome.is_refused_with("does not exist", code=1)
        assert (scene / "report.html").read_text() == "mine"


class TestDemo:
    SHORT = ("--seconds", "2", "--method", "median")

    def test_paints_learns_scores_and_reports(
        self, cleanplate: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        outcome = cleanplate("demo", *self.SHORT, "--json")
        assert outcome.code == 0, outcome
        assert Path(outcome.json["report"]).is_file()
        assert {"F", "recall", "precision", "AGE", "seconds"} <= set(outcome.json)
        assert outcome.json["kind"] == "crossroads"
        assert (tmp_path / "demo" / "scene" / "plate.png").exists()
        assert (tmp_path / "demo" / "crossroads.avi").exists()

    def test_a_kind_replaces_another(self, cleanplate: CommandLine, tmp_path: Path) -> None:
        call = ("demo", "--out", tmp_path / "demo", *self.SHORT, "--overwrite", "--json")
        for kind, video in (("arena", "arena.avi"), ("sunpatch", "sunpatch.avi")):
            outcome = cleanplate(*call, "--kind", kind)
            assert outcome.code == 0, outcome
            assert outcome.json["kind"] == kind
            assert [path.name for path in (tmp_path / "demo").glob("*.avi")] == [video]

    def test_an_unknown_kind_is_refused(self, cleanplate: CommandLine, tmp_path: Path) -> None:
        outcome = cleanplate("demo", "--out", tmp_path / "demo", "--kind", "fog")
        assert outcome.is_refused_with("there is no kind 'fog'", code=2)
        assert not (tmp_path / "demo").exists()

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ([], 1),
            (["--overwrite", "--method", "medain"], 2),
            (["--overwrite", "--budget", "soon"], 2),
            (["--overwrite", "--recipe", "none"], 2),
            (["--overwrite", "--seed", "-3"], 2),
        ],
        ids=["nothing", "method", "budget", "option", "seed"],
    )
    def test_a_refused_one_costs_nothing_of_the_one_that_is_there(
        self,
        cleanplate: CommandLine,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        options: list[str],
        code: int,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise AssertionError("nothing is to be painted")

        monkeypatch.setattr(demo_module, "write_sequence", fail)
        (tmp_path / "scene").mkdir()
        (tmp_path / "scene" / "plate.png").write_text("mine")
        outcome = cleanplate("demo", "--out", tmp_path, "--seconds", "2", *options)
        assert outcome.code == code, outcome
        assert (tmp_path / "scene" / "plate.png").read_text() == "mine"


class TestDoctor:
    def test_tells_what_it_found(
        self, cleanplate: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        findings = [Finding("disk", is_fine=True, detail="9 GB free")]
        monkeypatch.setattr(doctor_module, "examine", lambda: findings)
        outcome = cleanplate("doctor", "--json")
        assert outcome.code == 0
        assert outcome.json["healthy"]
        assert outcome.json["findings"] == [
            {"name": "disk", "is_fine": True, "detail": "9 GB free"}
        ]

    def test_looks_at_packages_opencv_cuda_video_disk_and_data(
        self, cleanplate: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CLEANPLATE_DATA", str(tmp_path / "nothing"))
        values = cleanplate("doctor", "--json").json
        found = {finding["name"]: finding for finding in values["findings"]}
        assert {"cleanplate", "torch", "one cv2", "cuda", "video writing", "disk"} <= set(found)
        assert not found["real data"]["is_fine"]

    def test_ends_with_1_and_still_one_object_where_something_is_wrong(
        self, cleanplate: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        findings = [Finding("disk", is_fine=False, detail="full")]
        monkeypatch.setattr(doctor_module, "examine", lambda: findings)
        outcome = cleanplate("doctor", "--json")
        assert outcome.code == 1
        assert not outcome.json["healthy"]
        assert "has problems: disk" in outcome.err
        assert "PROBLEM" in cleanplate("doctor").out


def test_a_painted_sequence_is_scored_from_end_to_end(
    cleanplate: CommandLine, tmp_path: Path
) -> None:
    painted = PaintedIntersection(
        PaintedSettings.parse({"seconds": 3, "size": (96, 128), "frame_rate": 8})
    )
    sequence = write_sequence(painted, tmp_path / "sequence")
    run, masks, plate = (tmp_path / name for name in ("run", "masks", "plate.png"))
    for arguments in (
        ("learn", sequence / "input", "--out", run, "--method", "median"),
        ("segment", sequence / "input", "--model", run, "--out", masks),
        ("plate", run, "--out", plate),
    ):
        assert cleanplate(*arguments).code == 0
    score = cleanplate("score", masks, "--truth", sequence, "--json").json
    assert score["frames"] == len(painted)
    assert score["recall"] > 0.3
    truth = sequence / "GT" / "GT_background.png"
    assert cleanplate("score-plate", plate, "--truth", truth, "--json").json["AGE"] < 30
