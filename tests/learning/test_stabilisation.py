"""A scene learned and segmented from a camera that shakes is as good as from one that does not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import cleanplate
from cleanplate.errors import SceneFileError
from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import measure
from cleanplate.frames import FrameSize
from cleanplate.learning.preparation.stabilisation import stabilise
from cleanplate.modalities import FlowReader, FlowSettings, ModalityCache
from cleanplate.scene import Scene
from cleanplate.scene_model import CameraMotion
from cleanplate.video import FrameCache, open_source
from scenes import PaintedScene, paint_scene, write_image_folder
from shaking import MARGIN, random_walk, shaken, turn_matrix, view

HEIGHT, WIDTH, COUNT = 96, 128, 36


def with_markings(scene: PaintedScene) -> PaintedScene:
    """The scene with white lines on the ground, whose edges show every motion of the camera."""
    ground = np.zeros(scene.size, np.bool_)
    for column in range(9, scene.size.width, 24):
        ground[:, column : column + 5] = True
    ground[20:25] = ground[70:75] = True
    frames, backgrounds = scene.frames.copy(), scene.backgrounds.copy()
    frames[ground & (scene.masks == 0)] = 225
    backgrounds[:, ground] = 225
    return PaintedScene(frames, backgrounds, scene.masks)


WIDE = with_markings(paint_scene(HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, COUNT, seed=2))
SHIFTS = random_walk(COUNT, 6.0)
SHAKEN = shaken(WIDE, SHIFTS)
STILL = shaken(WIDE, np.zeros((COUNT, 2)))
OFF = {"sampling": {"registration": "off"}}


@pytest.fixture(scope="module")
def shaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("shaken"), SHAKEN.frames)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("still"), STILL.frames)


@pytest.fixture(scope="module")
def scene(shaky: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of the shaken recording."""
    folder = tmp_path_factory.mktemp("scene") / "run"
    cleanplate.learn(shaky, out=folder, method="median")
    return folder


def score(scene: Scene, recording: Path, painted: PaintedScene) -> float:
    """F where the plate was always seen; beyond it nobody knows what the scene looks like."""
    counts = Counts()
    region = np.zeros(painted.size, np.bool_)
    region[MARGIN:-MARGIN, MARGIN:-MARGIN] = True
    for result, truth in zip(scene.segment(recording), painted.masks, strict=True):
        # As in CDnet's truth, the pixels of an outline belong to neither side.
        rim = cv2.morphologyEx(truth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        labels = np.where(rim, 170, truth).astype(np.uint8)
        counts += count_frame(result.mask, labels, region=region)
    return measure(counts, frames=len(painted)).F


def masks(scene: Scene, recording: Path) -> list[bytes]:
    return [result.mask.tobytes() for result in scene.segment(recording)]


def test_a_shaken_scene_is_as_good_as_a_still_one(scene: Path, shaky: Path, calm: Path) -> None:
    still = score(cleanplate.learn(calm, method="median"), calm, STILL)
    stabilised = score(cleanplate.load(scene), shaky, SHAKEN)
    untreated = score(cleanplate.learn(shaky, method="median", settings=OFF), shaky, SHAKEN)
    assert still > 0.9
    assert stabilised > still - 0.02
    assert untreated < still - 0.1


def test_a_still_scene_is_left_alone_to_the_byte(calm: Path) -> None:
    by_default = cleanplate.learn(calm, method="median")
    without = cleanplate.learn(calm, method="median", settings=OFF)
    assert by_default.camera == CameraMotion()
    assert np.array_equal(by_default.plate, without.plate)
    assert masks(by_default, calm) == masks(without, calm)


def test_the_scene_file_says_how_the_camera_shook(scene: Path) -> None:
    loaded = cleanplate.load(scene)
    assert loaded.camera.motion == "translation"
    assert 5 < loaded.camera.reach < 13
    assert loaded.provenance["registration"] == loaded.camera.as_values()
    text = (scene / "config.yaml").read_text()
    assert "motion: translation" in text
    with pytest.raises(SceneFileError, match="makes no sense"):
        CameraMotion.of({"motion": "somersault", "reach": 3.0})


def background_error(scene: Scene, recording: Path) -> float:
    """Mean over the frames and the middle of the picture, in grey levels."""
    inside = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    errors = [
        np.abs(result.background[inside].astype(int) - truth[inside]).mean()
        for result, truth in zip(scene.segment(recording), SHAKEN.backgrounds, strict=True)
    ]
    return float(np.mean(errors))


def test_backgrounds_are_those_of_the_frame(scene: Path, shaky: Path) -> None:
    untreated = cleanplate.learn(shaky, method="median", settings=OFF)
    stabilised = background_error(cleanplate.load(scene), shaky)
    assert stabilised < 8
    assert stabilised < 0.4 * background_error(untreated, shaky)


def test_labels_agree_with_the_mask_of_the_frame(scene: Path, shaky: Path) -> None:
    for result in cleanplate.load(scene).segment(shaky):
        assert result.labels is not None
        assert np.array_equal(result.labels > 127, result.mask > 0)


def test_a_frame_has_the_same_mask_whatever_else_is_segmented(scene: Path, shaky: Path) -> None:
    alone = cleanplate.load(scene)
    off = alone.settings.segmentation.model_copy(update={"correct_ghosts": False})
    every = {r.number: r.mask for r in alone.segment(shaky, segmentation=off)}
    skip = [number for number in every if number % 5]
    some = {r.number: r.mask for r in alone.segment(shaky, segmentation=off, skip=skip)}
    assert sorted(some) == [5, 10, 15, 20, 25, 30, 35]
    assert all(np.array_equal(mask, every[number]) for number, mask in some.items())


def test_large_frames_get_masks_of_their_own_size(shaky: Path) -> None:
    settings = {"sampling": {"working_pixels": HEIGHT * WIDTH // 4}}
    scene = cleanplate.learn(shaky, method="median", settings=settings)
    assert scene.working_size == FrameSize(HEIGHT // 2, WIDTH // 2)
    assert scene.camera.motion == "translation"
    assert score(scene, shaky, SHAKEN) > 0.85


def test_a_camera_that_turns_is_registered_by_homographies(tmp_path: Path) -> None:
    degrees = np.random.default_rng(0).uniform(-2, 2, COUNT)
    middle = ((WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    matrices = [turn_matrix(turn, middle) for turn in degrees]
    turned = PaintedScene(
        np.stack([view(p, m) for p, m in zip(WIDE.frames, matrices, strict=True)]),
        STILL.backgrounds,
        np.stack(
            [view(p, m, how=cv2.INTER_NEAREST) for p, m in zip(WIDE.masks, matrices, strict=True)]
        ),
    )
    recording = write_image_folder(tmp_path, turned.frames)
    scene = cleanplate.learn(recording, method="median")
    assert scene.camera.motion == "homography"
    assert score(scene, recording, turned) > 0.88


def test_flow_is_that_of_the_steadied_frames(tmp_path: Path) -> None:
    wide = paint_scene(HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, 12, squares=0)
    empty = shaken(wide, SHIFTS[:12])
    source = open_source(write_image_folder(tmp_path / "in", empty.frames))
    inside = np.s_[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    seen: dict[str, float] = {}
    for wanted in ("off", "auto"):
        with FrameCache.fill(source, tmp_path / wanted, size=source.size) as frames:
            stabilise(frames, wanted)
            reader = FlowReader(FlowSettings())
            cache = ModalityCache.fill(source, frames, reader, folder=tmp_path / "flow")
            seen[wanted] = float(np.median(np.abs(cache.read(range(1, 12))[inside])))
            cache.close()
    assert seen["off"] > 1
    assert seen["auto"] < 0.1


@pytest.mark.slow
def test_a_method_that_reads_flow_segments_a_shaken_scene(shaky: Path) -> None:
    scene = cleanplate.learn(shaky, method="rgb_flow_ae", budget="3steps", device="cpu")
    assert scene.camera.motion == "translation"
    assert score(scene, shaky, SHAKEN) > 0.85


def test_frames_without_the_scene_are_not_learned_from(tmp_path: Path) -> None:
    frames = SHAKEN.frames.copy()
    for place in (7, 20):  # somebody holds a hand before the lens
        frames[place] = paint_scene(HEIGHT, WIDTH, 1, seed=40 + place).frames[0]
    recording = write_image_folder(tmp_path / "in", frames)
    source = open_source(recording)
    with FrameCache.fill(source, tmp_path / "a", size=source.size) as cache:
        shake = stabilise(cache, "translation")
        assert shake.lost_frames == 2
        assert len(cache) == COUNT - 2
        assert {8, 21}.isdisjoint(cache.numbers)
        assert len(cache.times) == len(cache.indices) == len(cache.numbers)


def test_registration_can_be_switched_off_and_forced(shaky: Path, calm: Path) -> None:
    assert cleanplate.learn(shaky, method="median", settings=OFF).camera == CameraMotion()
    forced = {"sampling": {"registration": "homography"}}
    assert cleanplate.learn(calm, method="median", settings=forced).camera.motion == "homography"
