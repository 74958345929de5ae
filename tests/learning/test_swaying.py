"""What sways is told from what drives and from what waits, by how far its foreground travels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleanplate import learn
from cleanplate.frames import FrameSize, Picture
from cleanplate.learning.swaying import find_swaying, raised
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.scene_model import StillPlate
from cleanplate.scene_model.findings import FindingState
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings
from cleanplate.video import FrameCache, open_source
from scenes import write_image_folder

SIZE = FrameSize(120, 160)
PLACE = np.s_[20:100, 10:70]
"""Where something sways, drives or waits; lanes go on to the right of it."""
SECONDS, RATE = 10, 25
PLAN = SegmentationPlan.of(SegmentationSettings(), SIZE)
NOISE = np.full(SIZE, 4, np.uint8)
Paint = Callable[[Picture, int], Picture]


def pattern(seed: int, sigma: float, contrast: float) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(random.normal(0, 1, SIZE).astype(np.float32), (0, 0), sigma)
    return np.asarray(smooth * contrast / smooth.std(), np.float32)


def plate() -> Picture:
    grey = 120 + pattern(0, 3, 8)
    leaves = np.where(pattern(1, 1.6, 1) > 0, 95, 165)  # against the sky
    grey[PLACE] = leaves[PLACE]
    return np.repeat(np.clip(grey, 0, 255)[..., None], 3, axis=2).astype(np.uint8)


PLATE = plate()
GUSTS = [pattern(2, 9, 1), pattern(3, 9, 1)]


def sways(frame: Picture, at: int) -> Picture:
    """Branches swing by up to three pixels, each in its own time."""
    rows, columns = np.indices(SIZE, dtype=np.float32)
    swing = 3 * np.sin(2 * np.pi * (at / RATE / 1.3 + GUSTS[0] / 3))
    moved = cv2.remap(PLATE, columns + swing, rows + 0.3 * swing, cv2.INTER_LINEAR)
    frame[PLACE] = moved[PLACE]
    return frame


def drives(frame: Picture, at: int) -> Picture:
    """Dense traffic: the next vehicle comes as soon as the last one has gone."""
    for left in range(-160 + 3 * at % 32, 160, 32):
        colour = (30 + 40 * (left // 32 % 5), 200, 60)
        frame[40:70, max(0, left) : max(0, left + 24)] = colour
    return frame


def waits(frame: Picture, at: int) -> Picture:
    """A queue stands for nearly all of the time."""
    if at >= RATE:
        frame[30:90, 12:68] = (200, 60, 40)
    return frame


FLAG = np.s_[10:30, 100:135]


def waves(frame: Picture, at: int) -> Picture:
    """A flag at its pole: folds run along it once in half a second."""
    for column in range(35):
        phase = column / 4.5 - 2 * np.pi * at / RATE / 0.55
        top = 12 + round(2.5 * np.sin(phase) * column / 35)
        colour = np.array((200, 40, 40)) * (0.75 + 0.25 * np.cos(phase))
        frame[top : top + 8, 100 + column] = colour
        frame[top + 8 : top + 16, 100 + column] = 230 * (0.75 + 0.25 * np.cos(phase))
    return frame


def fidgets(frame: Picture, at: int) -> Picture:
    """Somebody who sits there, and leans over every few seconds."""
    left = 108 + 8 * (at // (2 * RATE) % 2)
    frame[8:32, left : left + 14] = (40, 60, 160)
    return frame


def paces(frame: Picture, at: int) -> Picture:
    """An animal that walks to and fro in its cage, always the same few steps."""
    left = 100 + round(21 * abs(at / RATE / 1.2 % 2 - 1))
    frame[10:30, left : left + 14] = (120, 60, 160)
    frame[12:28:4, left + 2 : left + 12 : 3] = 220
    return frame


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        paint.__name__: record(paint, tmp_path_factory.mktemp(paint.__name__))
        for paint in (sways, drives, waits, waves, fidgets, paces)
    }


def record(paint: Paint, folder: Path, seconds: float = SECONDS) -> Path:
    random = np.random.default_rng(5)
    frames = []
    for at in range(round(seconds * RATE)):
        frame = paint(PLATE.copy(), at) + random.normal(0, 2, (*SIZE, 3))
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
    return write_image_folder(folder, np.stack(frames))


def found(
    recording: Path, folder: Path, every: int = 1, *, background: Picture = PLATE
) -> NDArray[np.bool_] | None:
    with LearningFrames(FrameCache.fill(open_source(recording), folder, size=SIZE)) as inputs:
        some = inputs.only(range(0, len(inputs), every))
        return find_swaying(some, StillPlate(background), PLAN, NOISE, None)


def test_what_sways_is_found_where_it_is(recordings: dict[str, Path], tmp_path: Path) -> None:
    swaying = found(recordings["sways"], tmp_path)
    assert swaying is not None
    assert swaying[PLACE].mean() > 0.8
    beyond = swaying.copy()
    beyond[10:110, :80] = False
    assert not beyond.any()


def test_a_flag_sways_however_small_it_is(recordings: dict[str, Path], tmp_path: Path) -> None:
    usual = np.median([waves(PLATE.copy(), at) for at in range(0, 100, 3)], axis=0)
    swaying = found(recordings["waves"], tmp_path, background=usual.astype(np.uint8))
    assert swaying is not None
    assert swaying[FLAG].mean() > 0.5
    beyond = swaying.copy()
    beyond[4:38, 92:145] = False
    assert not beyond.any()


@pytest.mark.parametrize("name", ["drives", "waits", "fidgets", "paces"])
def test_traffic_queues_and_who_stays_do_not_sway(
    recordings: dict[str, Path], tmp_path: Path, name: str
) -> None:
    swaying = found(recordings[name], tmp_path)
    assert swaying is not None
    assert not swaying.any()


def test_a_short_recording_and_frames_far_apart_say_nothing(
    recordings: dict[str, Path], tmp_path: Path
) -> None:
    short = record(sways, tmp_path / "short", seconds=7)
    assert found(short, tmp_path / "cache") is None
    assert found(recordings["sways"], tmp_path / "cache", every=4) is None


def test_a_scene_that_sways_finds_the_vehicle_and_not_the_leaves(
    recordings: dict[str, Path],
) -> None:
    scene = learn(recordings["sways"], method="median")
    assert scene.provenance["swaying_share"] == pytest.approx(0.27, abs=0.1)
    entry = scene.findings["swaying"]
    assert (entry.state, entry.done) == (FindingState.SPECIAL, "the noise is raised there")
    assert entry.value == scene.provenance["swaying_share"]
    still = learn(recordings["waits"], method="median").findings["swaying"]
    assert (still.state, still.value) == (FindingState.ABSENT, 0.0)
    calm = learn(recordings["sways"], method="median", settings={"sampling": {"swaying": "off"}})
    assert calm.provenance["swaying_share"] == 0.0
    truth = np.zeros(SIZE, bool)
    truth[50:74, 30:100] = True
    frames = [sways(PLATE.copy(), at) for at in range(7, 200, 40)]
    for frame in frames:
        frame[truth] = (250, 30, 200)
    wrong, missed = [], []
    for each in (scene, calm):
        masks = np.stack([result.mask > 0 for result in each.segment(frames)])
        wrong.append(masks[:, ~truth].mean())
        missed.append(1 - masks[:, truth].mean())
    assert wrong[1] > 0.015
    assert wrong[0] < wrong[1] / 4
    assert missed[0] < 0.1


def test_noise_is_raised_only_where_the_scene_sways() -> None:
    residuals = np.zeros((10, 4, 6), np.uint8)
    residuals[::2, :, 3:] = 200
    swaying = np.zeros((4, 6), bool)
    swaying[:, 4:] = True
    noise = np.full((4, 6), 5, np.uint8)
    plan = SegmentationPlan.of(SegmentationSettings(), FrameSize(4, 6))
    result = raised(noise, swaying, residuals, plan)
    assert (result[:, :4] == 5).all()
    assert (plan.thresholds(result)[:, 4:] >= 200).all()
    still = SegmentationPlan.of(SegmentationSettings(noise_factor=0), FrameSize(4, 6))
    assert np.array_equal(raised(noise, swaying, residuals, still), noise)
