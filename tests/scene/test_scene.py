"""A learned scene in Python: learning, segmenting, saving, loading."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from safetensors.numpy import save

import cleanplate
from cleanplate.baselines import STILL_BASELINES
from cleanplate.errors import (
    FrameSizeError,
    OutputError,
    SceneFileError,
    SettingsError,
    SourceError,
    UnknownNameError,
)
from cleanplate.scene_reading import holds_pickle
from scenes import paint_scene, write_image_folder

QUICK = {"budget": "12steps", "device": "cpu"}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = paint_scene(40, 56, 30)
    return write_image_folder(tmp_path_factory.mktemp("recording"), scene.frames)


@pytest.fixture(scope="module")
def run(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene") / "run"
    cleanplate.learn(recording, out=folder, **QUICK)
    return folder


def files_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def masks_of(scene: cleanplate.Scene, recording: Path) -> np.ndarray:
    return np.stack([result.mask for result in scene.segment(recording)])


def test_the_scene_file_holds_what_it_promises_and_nothing_else(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert names == {
        "config.yaml",
        "model.safetensors",
        "plate.png",
        "noise.png",
        "metrics.jsonl",
        "losses.png",
        "metrics.csv",
        "training.jpg",
        "latent.png",
        "latent.csv",
        "coverage.json",
        "coverage.png",
        "provenance.json",
        "samples",
    }
    assert (run / "config.yaml").read_text().startswith("format: 1\n")


def test_a_mean_plate_finds_a_bright_square_that_it_never_saw(tmp_path: Path) -> None:
    painted = paint_scene(40, 56, 20, squares=0)
    scene = cleanplate.learn(write_image_folder(tmp_path / "empty", painted.frames), method="mean")
    picture = painted.frames[0].copy()
    picture[10:26, 20:40] = 255 - picture[10:26, 20:40] // 4
    visited = write_image_folder(tmp_path / "visited", picture[None])
    (result,) = scene.segment(visited)
    inside = result.mask[12:24, 22:38]
    assert (inside == 255).mean() > 0.95
    assert (result.mask[:, :14] == 0).all()


def test_a_reloaded_scene_gives_the_same_masks_byte_for_byte(run: Path, recording: Path) -> None:
    first, second = cleanplate.load(run), cleanplate.load(run)
    np.testing.assert_array_equal(masks_of(first, recording), masks_of(second, recording))


def test_saving_a_loaded_scene_elsewhere_changes_no_mask(
    run: Path, recording: Path, tmp_path: Path
) -> None:
    scene = cleanplate.load(run)
    scene.save(tmp_path / "copy")
    copy = cleanplate.load(tmp_path / "copy")
    np.testing.assert_array_equal(masks_of(scene, recording), masks_of(copy, recording))
    assert files_of(run)["model.safetensors"] == files_of(tmp_path / "copy")["model.safetensors"]


def test_segmenting_writes_nothing_into_the_scene(run: Path, recording: Path) -> None:
    before = files_of(run)
    masks_of(cleanplate.load(run), recording)
    assert files_of(run) == before


def test_a_learned_scene_in_memory_equals_the_one_on_disk(recording: Path, tmp_path: Path) -> None:
    scene = cleanplate.learn(recording, out=tmp_path / "run", **QUICK)
    loaded = cleanplate.load(tmp_path / "run")
    np.testing.assert_array_equal(masks_of(scene, recording), masks_of(loaded, recording))
    np.testing.assert_array_equal(scene.plate, loaded.plate)


def test_results_carry_number_time_and_background(run: Path, recording: Path) -> None:
    results = list(cleanplate.load(run).segment(recording))
    assert [result.number for result in results] == list(range(1, 31))
    assert results[0].time == 0
    assert results[1].time > 0
    assert results[0].background.shape == results[0].picture.shape == (40, 56, 3)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    recording: Path, tmp_path: Path
) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        cleanplate.learn(recording, out=tmp_path / name, seed=seed, **QUICK)
    one, two, three = (files_of(tmp_path / name) for name in ("one", "two", "three"))
    assert one["model.safetensors"] == two["model.safetensors"]
    assert one["model.safetensors"] != three["model.safetensors"]


def test_learning_leaves_the_callers_random_numbers_alone(recording: Path) -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    cleanplate.learn(recording, **QUICK)
    assert torch.equal(torch.rand(3), expected)


def test_provenance_names_input_versions_and_seed(run: Path) -> None:
    provenance = json.loads((run / "provenance.json").read_text())
    assert provenance["input"]["frames"] == 30
    assert len(provenance["input"]["sha256"]) == 64
    assert provenance["seed"] == 0
    assert provenance["steps"] == 12
    assert {"cleanplate", "torch", "numpy"} <= set(provenance["versions"])


def test_no_time_and_no_path_stands_in_the_tensors(run: Path, recording: Path) -> None:
    content = (run / "model.safetensors").read_bytes()
    assert str(recording).encode() not in content
    assert b"20" + b"26" not in content[:2000]


def test_samples_can_be_left_out(recording: Path, tmp_path: Path) -> None:
    options = cleanplate.LearnOptions(samples=False)
    cleanplate.learn(recording, out=tmp_path / "run", method="median", options=options)
    assert not (tmp_path / "run" / "samples").exists()
    assert not cleanplate.load(tmp_path / "run").samples


def test_there_are_eight_samples_at_most_960_pixels_wide(tmp_path: Path) -> None:
    wide = paint_scene(32, 1200, 12, squares=0)
    source = write_image_folder(tmp_path / "wide", wide.frames)
    scene = cleanplate.learn(source, out=tmp_path / "run", method="median")
    assert len(scene.samples) == 8
    assert {sample.picture.shape[1] for sample in scene.samples} == {960}


def test_a_baseline_scene_needs_no_torch(recording: Path, tmp_path: Path) -> None:
    source, run = str(recording), str(tmp_path / "run")
    code = (
        "import sys, cleanplate\n"
        f"cleanplate.learn({source!r}, method='median', out={run!r})\n"
        f"list(cleanplate.load({run!r}).segment({source!r}))\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_large_frames_are_worked_on_reduced_with_masks_at_full_size(tmp_path: Path) -> None:
    painted = paint_scene(240, 320, 12, squares=1)
    source = write_image_folder(tmp_path / "large", painted.frames)
    scene = cleanplate.learn(
        source, method="median", settings={"sampling": {"working_pixels": 80 * 60}}
    )
    assert scene.working_size == (60, 80)
    assert scene.plate.shape == (240, 320, 3)
    result = next(scene.segment(source))
    assert result.mask.shape == (240, 320)
    assert set(np.unique(result.mask)) <= {0, 255}


@pytest.mark.parametrize("size", [(17, 23), (33, 16), (41, 57)])
def test_odd_sizes_work(size: tuple[int, int], tmp_path: Path) -> None:
    painted = paint_scene(*size, 10)
    source = write_image_folder(tmp_path / "odd", painted.frames)
    for method in ("lowrank_ae", "conv_ae", "median"):
        budget = "auto" if method == "median" else "2steps"
        scene = cleanplate.learn(source, method=method, budget=budget)
        assert next(scene.segment(source)).mask.shape == size


@pytest.mark.parametrize("length", [640, 896, 1152, 1408])
def test_tensors_whose_header_is_as_long_as_a_pickle_begins_are_read(length: int) -> None:
    tensors = {"plate": np.zeros(1, np.uint8)}
    content = save(tensors)
    header = content[8:].split(b"}}", 1)[0] + b"}}"
    padded = header + b" " * (length - len(header))
    content = length.to_bytes(8, "little") + padded + content[8 + content[0] :]
    assert content[:2] in {b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"}
    assert not holds_pickle(content)
    assert holds_pickle(b"\x80\x04.")
    assert holds_pickle(b"PK\x03\x04archive/data.pkl")


class TestRefused:
    def test_a_single_frame(self, tmp_path: Path) -> None:
        source = write_image_folder(tmp_path / "one", paint_scene(32, 32, 1).frames)
        with pytest.raises(SourceError, match="single frame"):
            cleanplate.learn(source, method="median")

    def test_an_unknown_method(self, recording: Path) -> None:
        with pytest.raises(UnknownNameError, match="did you mean 'lowrank_ae'"):
            cleanplate.learn(recording, method="lowrnk_ae")

    def test_an_unknown_setting(self, recording: Path) -> None:
        with pytest.raises(SettingsError, match=r"model\.rnk.*did you mean 'rank'"):
            cleanplate.learn(recording, settings={"model": {"rnk": 3}})

    def test_an_output_in_the_way(self, recording: Path, tmp_path: Path) -> None:
        (tmp_path / "precious.txt").write_text("mine")
        with pytest.raises(OutputError, match=r"precious\.txt"):
            cleanplate.learn(recording, out=tmp_path, method="median")
        assert (tmp_path / "precious.txt").read_text() == "mine"

    def test_a_file_where_the_folder_should_be(self, recording: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        with pytest.raises(OutputError):
            cleanplate.learn(recording, out=tmp_path / "file", method="median")
        assert (tmp_path / "file").read_text() == "mine"

    def test_a_device_that_makes_no_sense_whatever_methods_there_are(
        self, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cleanplate.learn(recording, method="mean", out=tmp_path / "run")
        others = {name: text for name, text in STILL_BASELINES.items() if name != "median"}
        monkeypatch.setattr("cleanplate.settings.STILL_BASELINES", others)
        cleanplate.load(tmp_path / "run", device="cpu")
        for device in ("tpu", "cuda:", 3):
            with pytest.raises(SettingsError, match=r"makes no sense; give auto"):
                cleanplate.load(tmp_path / "run", device=device)  # type: ignore[arg-type]

    def test_a_device_that_is_not_there(self, recording: Path, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="CUDA devices"):
            cleanplate.learn(recording, device="cuda:99", out=tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_frames_of_another_size(self, run: Path, tmp_path: Path) -> None:
        source = write_image_folder(tmp_path / "other", paint_scene(32, 32, 3).frames)
        with pytest.raises(FrameSizeError, match=r"32x32.*56x40"):
            next(cleanplate.load(run).segment(source))

    def test_a_bad_source_loses_nothing_of_an_older_scene(self, run: Path, tmp_path: Path) -> None:
        before = files_of(run)
        with pytest.raises(SourceError):
            cleanplate.learn(
                tmp_path / "nothing.mp4", out=run, options=cleanplate.LearnOptions(overwrite=True)
            )
        assert files_of(run) == before


OLD_NAMES = {
    "low_noise_factor": "faint_noise_factor",
    "median_size": "majority",
    "boundary_depth": "rim",
    "correct_ghosts": "repair_ghosts",
}
"""Of the segmentation, as minor version 0 of the scene file had them."""


def aged(scene: cleanplate.Scene, folder: Path, *, mixed: bool = True) -> Path:
    """The scene as a version wrote it that had other names for some settings."""
    scene.save(folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config.pop("minor") == 1
    settings = config["settings"]
    segmentation = settings["segmentation"]
    assert set(OLD_NAMES) < set(segmentation)
    settings["segmentation"] = {
        OLD_NAMES.get(name, name): segmentation[name] for name in segmentation
    }
    if "training" in settings:
        del settings["training"]["precision"]
        settings["training"]["mixed_precision"] = mixed
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.mark.parametrize(("before", "now"), [(True, "auto"), (False, "float32")])
def test_a_scene_of_an_older_version_is_read_and_gives_the_same_masks(
    run: Path, recording: Path, tmp_path: Path, before: bool, now: str
) -> None:
    scene = cleanplate.load(run)
    old = cleanplate.load(aged(scene, tmp_path / "old", mixed=before))
    assert old.settings.training.precision == now
    assert old.settings.segmentation == scene.settings.segmentation
    assert np.array_equal(masks_of(old, recording), masks_of(scene, recording))


def test_what_an_older_version_was_told_is_kept(recording: Path, tmp_path: Path) -> None:
    told = {"median_size": 5, "boundary_depth": 0, "low_noise_factor": 1.5, "correct_ghosts": False}
    scene = cleanplate.learn(recording, method="median", settings={"segmentation": told})
    old = cleanplate.load(aged(scene, tmp_path / "old"))
    kept = old.settings.segmentation.model_dump()
    assert {name: kept[name] for name in told} == told
    old.save(tmp_path / "new")
    config = yaml.safe_load((tmp_path / "new" / "config.yaml").read_text())
    assert config["minor"] == 1
    assert not set(OLD_NAMES.values()) & set(config["settings"]["segmentation"])


def test_a_scene_of_this_version_has_no_old_names(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    cleanplate.load(run).save(folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["settings"]["training"]["mixed_precision"] = True
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(SceneFileError, match="mixed_precision"):
        cleanplate.load(folder)


class TestDamagedScene:
    @pytest.fixture
    def copy(self, run: Path, tmp_path: Path) -> Path:
        cleanplate.load(run).save(tmp_path / "copy")
        return tmp_path / "copy"

    @pytest.mark.parametrize("name", ["model.safetensors", "plate.png", "noise.png"])
    def test_a_flipped_byte_is_found(self, copy: Path, name: str) -> None:
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        with pytest.raises(SceneFileError, match=name):
            cleanplate.load(copy)

    @pytest.mark.parametrize(
        "name", ["model.safetensors", "plate.png", "noise.png", "provenance.json", "config.yaml"]
    )
    def test_a_missing_file_is_named(self, copy: Path, name: str) -> None:
        (copy / name).unlink()
        with pytest.raises(SceneFileError, match=name):
            cleanplate.load(copy)

    @pytest.mark.parametrize("name", ["model.safetensors", "plate.png", "config.yaml"])
    def test_a_cut_file_is_named(self, copy: Path, name: str) -> None:
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content[: len(content) // 3])
        with pytest.raises(SceneFileError, match=name):
            cleanplate.load(copy)

    def test_another_format_is_refused(self, copy: Path) -> None:
        config = yaml.safe_load((copy / "config.yaml").read_text())
        (copy / "config.yaml").write_text(yaml.safe_dump(config | {"format": 2}))
        with pytest.raises(SceneFileError, match="format 2"):
            cleanplate.load(copy)

    @pytest.mark.parametrize(
        ("minor", "sentence"),
        [
            (2, r"format 1\.2, this version reads format 1 up to 1\.1"),
            (-1, "minor"),
            ("1", "minor"),
        ],
    )
    def test_a_newer_minor_version_is_refused(
        self, copy: Path, minor: object, sentence: str
    ) -> None:
        config = yaml.safe_load((copy / "config.yaml").read_text())
        (copy / "config.yaml").write_text(yaml.safe_dump(config | {"minor": minor}))
        with pytest.raises(SceneFileError, match=sentence):
            cleanplate.load(copy)

    def test_a_pickle_in_the_folder_is_refused(self, copy: Path) -> None:
        (copy / "weights.pt").write_bytes(b"\x80\x04.")
        with pytest.raises(SceneFileError, match="pickle"):
            cleanplate.load(copy)

    def test_a_pickle_under_the_name_of_the_tensors_is_refused(self, copy: Path) -> None:
        (copy / "model.safetensors").write_bytes(b"\x80\x04.")
        with pytest.raises(SceneFileError, match="pickle"):
            cleanplate.load(copy)

    def test_an_unknown_setting_in_the_file_is_named(self, copy: Path) -> None:
        config = yaml.safe_load((copy / "config.yaml").read_text())
        config["settings"]["model"]["rnk"] = 3
        (copy / "config.yaml").write_text(yaml.safe_dump(config))
        with pytest.raises(SceneFileError, match="rnk"):
            cleanplate.load(copy)

    def test_tensors_of_another_method_are_refused(self, copy: Path) -> None:
        config = yaml.safe_load((copy / "config.yaml").read_text())
        config["settings"]["model"]["rank"] = 5
        (copy / "config.yaml").write_text(yaml.safe_dump(config))
        with pytest.raises(SceneFileError, match="do not fit 'lowrank_ae'"):
            cleanplate.load(copy)

    def test_a_plate_of_another_size_is_refused(self, copy: Path) -> None:
        config = yaml.safe_load((copy / "config.yaml").read_text())
        ok, content = cv2.imencode(".png", np.zeros((10, 10, 3), np.uint8))
        assert ok
        (copy / "plate.png").write_bytes(content.tobytes())
        config["sha256"]["plate.png"] = hashlib.sha256(content.tobytes()).hexdigest()
        (copy / "config.yaml").write_text(yaml.safe_dump(config))
        with pytest.raises(SceneFileError, match=r"plate\.png"):
            cleanplate.load(copy)

    def test_a_shadow_that_is_none_is_named(self, copy: Path) -> None:
        config = yaml.safe_load((copy / "config.yaml").read_text())
        for shadow in ("dark", {"mean": [1, 2]}):
            (copy / "config.yaml").write_text(yaml.safe_dump(config | {"shadow": shadow}))
            with pytest.raises(SceneFileError, match="shadow"):
                cleanplate.load(copy)

    def test_a_folder_that_is_no_scene_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SceneFileError, match="no scene"):
            cleanplate.load(tmp_path / "nothing")
        with pytest.raises(SceneFileError, match="no scene"):
            cleanplate.load(tmp_path)


def test_several_settings_at_once_give_the_masks_of_each_by_itself(tmp_path: Path) -> None:
    recording = write_image_folder(tmp_path / "junction", paint_scene(32, 48, 20).frames)
    scene = cleanplate.learn(recording, method="median")
    default = scene.settings.segmentation
    settings = [default.model_copy(update={"threshold": value}) for value in (20.0, 255.0)]
    together = list(scene.segment_by_each(recording, settings))
    for place, each in enumerate(settings):
        alone = list(scene.segment(recording, segmentation=each))
        assert len(alone) == len(together) == 20
        for results, result in zip(together, alone, strict=True):
            assert results[place].number == result.number
            assert np.array_equal(results[place].mask, result.mask)
    assert any(not np.array_equal(low.mask, high.mask) for low, high in together)
