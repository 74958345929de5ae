"""States of a scene: found while learning, picked while segmenting, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import cleanplate
from cleanplate.errors import SceneFileError
from cleanplate.frames import FrameSize, Picture
from cleanplate.learning.preparation.find_states import find_states
from cleanplate.scene.state_tensors import restore_states, tensors_of
from cleanplate.scene_model.states import StatePicker
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings
from cleanplate.streaming.watching import open_watch
from cleanplate.video.cache import ArrayStack
from cleanplate.video.camera_watch import CameraWatch
from lights import drifted, infrared, jumped
from scenes import PaintedScene, paint_scene, write_image_folder

DAYS, NIGHTS = 84, 36
THRESHOLD = SegmentationPlan.of(SegmentationSettings(), FrameSize(60, 80)).compared_threshold


def day_and_night(painted: PaintedScene) -> Picture:
    return np.concatenate([painted.frames[:DAYS], infrared(painted.frames[DAYS:])])


def of_size(height: int = 60, width: int = 80, **settings: float) -> PaintedScene:
    return paint_scene(height, width, DAYS + NIGHTS, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def painted() -> PaintedScene:
    return of_size()


@pytest.fixture(scope="module")
def recording(painted: PaintedScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("both"), day_and_night(painted))


@pytest.fixture(scope="module")
def run(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene") / "run"
    cleanplate.learn(recording, method="candidates", out=folder)
    return folder


def test_day_and_infrared_are_told_apart(painted: PaintedScene) -> None:
    parts = find_states(ArrayStack(day_and_night(painted)), 4, THRESHOLD)
    assert parts == [list(range(DAYS)), list(range(DAYS, DAYS + NIGHTS))]


@pytest.mark.parametrize(
    "change", [lambda p: p, lambda p: drifted(p, 60), lambda p: jumped(p, -30)]
)
def test_light_is_no_state(painted: PaintedScene, change: object) -> None:
    half = len(painted) // 2
    frames = np.concatenate([painted.frames[:half], change(painted.frames[half:])])  # type: ignore[operator]
    assert len(find_states(ArrayStack(frames), 4, THRESHOLD)) == 1


def test_who_hides_most_of_the_picture_for_long_is_no_state(painted: PaintedScene) -> None:
    frames = painted.frames.copy()
    random = np.random.default_rng(4)
    coat = random.integers(0, 255, (12, 14, 3)).repeat(5, axis=0).repeat(5, axis=1)
    frames[DAYS:, :, :70] = coat
    assert len(find_states(ArrayStack(frames), 4, THRESHOLD)) == 1


def no_signal(height: int, width: int) -> Picture:
    screen = np.full((height, width, 3), (0, 0, 200), np.uint8)
    cv2.putText(screen, "NO SIGNAL", (width // 6, height // 2), 0, width / 200, (255, 255, 255), 1)
    return screen


def colour_bars(height: int, width: int) -> Picture:
    colours = np.array([[c >> 2 & 1, c >> 1 & 1, c & 1] for c in range(7, -1, -1)]) * 190
    bars = np.repeat(colours[None], -(-width // 8), axis=1)[:, :width]
    picture = np.repeat(bars, height, axis=0).astype(np.uint8)
    picture[height * 2 // 3 :, : width // 2] = (20, 30, 90)
    return picture


def logo(height: int, width: int) -> Picture:
    picture = np.zeros((height, width, 3), np.uint8)
    cv2.circle(picture, (width // 2, height // 2), height // 4, (220, 180, 40), -1)
    cv2.putText(picture, "CAM", (width // 3, height - 20), 0, width / 200, (255, 255, 255), 1)
    return picture


def black(height: int, width: int) -> Picture:
    return np.zeros((height, width, 3), np.uint8)


@pytest.mark.parametrize("screen", [no_signal, colour_bars, logo, black])
@pytest.mark.parametrize("lasts", [0.3, 0.6])
def test_what_shows_nothing_of_the_scene_is_a_state_and_never_the_first(
    screen: Callable[[int, int], Picture], lasts: float
) -> None:
    painted = of_size(120, 160)
    frames = painted.frames.copy()
    until = round(lasts * len(frames))
    frames[:until] = screen(120, 160)
    parts = find_states(ArrayStack(frames), 4, THRESHOLD)
    assert parts == [list(range(until, len(frames))), list(range(until))]


def test_a_fade_is_of_the_scene() -> None:
    painted = of_size(120, 160)
    gain = np.clip(np.arange(len(painted)) / 60, 0, 1)[:, None, None, None]
    assert len(find_states(ArrayStack((painted.frames * gain).astype(np.uint8)), 4, THRESHOLD)) == 1


def test_a_screen_without_signal_is_learned_around(tmp_path: Path) -> None:
    painted = of_size(120, 160)
    frames = painted.frames.copy()
    frames[:70] = no_signal(120, 160)
    folder = write_image_folder(tmp_path / "lost", frames)
    scene = cleanplate.learn(folder, method="candidates")
    assert list(scene.provenance["states"]) == ["state 1", "no picture"]
    assert np.abs(scene.plate.astype(int) - painted.backgrounds[0]).mean() < 2
    masks = [result.mask for result in scene.segment(folder)]
    assert not np.any(masks[:70])
    errors = [(a != b).mean() for a, b in zip(masks[70:], painted.masks[70:], strict=True)]
    assert np.mean(errors) < 0.03


def test_a_few_frames_are_no_state(painted: PaintedScene) -> None:
    frames = day_and_night(painted)[: DAYS + 12]
    assert len(find_states(ArrayStack(frames), 4, THRESHOLD)) == 1


def test_no_more_states_are_found_than_wanted(painted: PaintedScene) -> None:
    assert len(find_states(ArrayStack(day_and_night(painted)), 1, THRESHOLD)) == 1


def faint(frames: Picture) -> Picture:
    """The same with a fifth of its contrast, as a camera in the fog sees it."""
    return np.rint(120 + 0.2 * (frames.astype(np.float32) - 120)).astype(np.uint8)


def test_states_are_compared_by_the_threshold_of_the_scene(
    painted: PaintedScene, tmp_path: Path
) -> None:
    frames = faint(day_and_night(painted))
    assert len(find_states(ArrayStack(frames), 4, THRESHOLD)) == 1
    settings = {"segmentation": {"threshold": 6, "noise_factor": 0.5}}
    cleanplate.learn(frames, method="median", settings=settings, out=tmp_path / "run")
    picker = StatePicker.of(cleanplate.load(tmp_path / "run").model)
    assert picker.pick(frames[[5, -5]]) == [0, 1]


def wrong(scene: cleanplate.Scene, pictures: Picture, masks: np.ndarray, folder: Path) -> float:
    """Share of the pixels that are wrong in the masks of some pictures."""
    results = list(scene.segment(write_image_folder(folder, pictures)))
    return float(np.mean([(r.mask != m).mean() for r, m in zip(results, masks, strict=True)]))


def test_each_state_has_its_own_background(
    run: Path, recording: Path, painted: PaintedScene
) -> None:
    results = list(cleanplate.load(run).segment(recording))
    assert [result.state for result in results] == ["day"] * DAYS + ["infrared"] * NIGHTS
    day, night = results[10], results[-10]
    assert np.abs(day.background.astype(int) - painted.backgrounds[10]).mean() < 4
    assert np.abs(night.background.astype(int) - infrared(painted.backgrounds[-10])).mean() < 6
    errors = [
        float((result.mask != mask).mean())
        for result, mask in zip(results, painted.masks, strict=True)
    ]
    assert np.mean(errors[:DAYS]) < 0.05
    assert np.mean(errors[DAYS:]) < 0.08


def test_the_watch_over_the_camera_knows_every_state(run: Path, painted: PaintedScene) -> None:
    """Night after night would be a move of the camera."""
    scene = cleanplate.load(run)
    knows, misled = open_watch(scene.model), CameraWatch(scene.plate)
    for index, picture in enumerate(day_and_night(painted)):
        knows.look(index + 1, float(index), picture)
        misled.look(index + 1, float(index), picture)
    assert knows.moved is None
    assert misled.moved is not None


def test_with_one_state_alone_the_other_is_foreground(recording: Path) -> None:
    settings = {"sampling": {"max_states": 1}}
    scene = cleanplate.learn(recording, method="candidates", settings=settings)
    results = list(scene.segment(recording))
    assert {result.state for result in results} == {None}
    assert np.mean([(result.mask > 0).mean() for result in results[-NIGHTS:]]) > 0.5


def test_the_order_of_the_frames_does_not_matter(
    run: Path, painted: PaintedScene, tmp_path: Path
) -> None:
    scene = cleanplate.load(run)
    mixed = day_and_night(painted)[[90, 3, 100, 20, 119]]
    results = list(scene.segment(write_image_folder(tmp_path / "mixed", mixed)))
    assert [r.state for r in results] == ["infrared", "day", "infrared", "day", "infrared"]


def test_provenance_names_the_states_and_their_shares(run: Path) -> None:
    assert cleanplate.load(run).provenance["states"] == {"day": 0.7, "infrared": 0.3}


def test_states_are_kept_exactly(run: Path, recording: Path, tmp_path: Path) -> None:
    scene = cleanplate.load(run)
    scene.save(tmp_path / "copy")
    copy = cleanplate.load(tmp_path / "copy")
    first, second = tensors_of(scene.model), tensors_of(copy.model)
    assert set(first) == set(second)
    assert "state_1_plate" in first
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor, second[name])
    for one, two in zip(scene.segment(recording), copy.segment(recording), strict=True):
        assert np.array_equal(one.mask, two.mask)


def test_a_network_learns_the_main_state_and_keeps_a_plate_of_the_other(
    recording: Path, painted: PaintedScene
) -> None:
    scene = cleanplate.learn(recording, budget="30steps", device="cpu")
    assert scene.model.names == ["day", "infrared"]
    results = list(scene.segment(recording))
    assert [result.state for result in results] == ["day"] * DAYS + ["infrared"] * NIGHTS
    errors = [
        float((result.mask != mask).mean())
        for result, mask in zip(results, painted.masks, strict=True)
    ]
    assert np.mean(errors) < 0.06


@pytest.mark.slow
def test_a_method_that_reads_flow_learns_of_a_scene_with_states(recording: Path) -> None:
    scene = cleanplate.learn(recording, method="rgb_flow_ae", budget="4steps", device="cpu")
    assert len(scene.samples) == 8
    assert {result.state for result in scene.segment(recording)} == {"day", "infrared"}


def test_a_repair_is_of_the_state_in_which_it_was_made(run: Path) -> None:
    scene = cleanplate.load(run)
    repair = np.full((*scene.working_size, 3), 9, np.int16)
    main, night = scene.model.states
    kept, corrected = scene.model.corrected({1: repair}).states
    brighter = np.minimum(night.plate.astype(int) + 9, 255)
    assert np.array_equal(corrected.plate, brighter)
    assert np.array_equal(corrected.estimate(night.plate[None])[0], brighter)
    assert kept is main


def test_a_damaged_state_is_named(run: Path) -> None:
    scene = cleanplate.load(run)
    tensors = tensors_of(scene.model)
    del tensors["state_1_noise"]
    with pytest.raises(SceneFileError, match="state_1_noise of 80x60"):
        restore_states(tensors, scene.working_size)
