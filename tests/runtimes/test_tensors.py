"""Frames that are tensors get the masks that they get as pictures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

import cleanplate
from changed_scenes import with_correction, with_model, with_states
from cleanplate.datasets import open_sequence
from cleanplate.errors import FrameSizeError, SettingsError
from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import measure
from cleanplate.frames import Mask, Picture
from cleanplate.learning import LearnOptions
from cleanplate.scene import Scene
from cleanplate.scene_model import CameraMotion
from cleanplate.segmentation import SegmentationSettings
from cleanplate.video import open_source
from lights import infrared
from scenes import paint_scene, write_image_folder

PAINTED = paint_scene(72, 100, 24, drift=20)
WITHOUT_LAYERS = SegmentationSettings(correct_ghosts=False)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("recording"), PAINTED.frames)


@cache
def learned(recording: Path, method: str = "lowrank_ae", pixels: int | str = "auto") -> Scene:
    return cleanplate.learn(
        recording,
        method=method,
        budget="8steps",
        device="cpu",
        settings={
            "sampling": {"working_pixels": pixels},
            "segmentation": WITHOUT_LAYERS.model_dump(),
        },
        options=LearnOptions(samples=False),
    )


def tensors(pictures: Picture) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def frame_by_frame(scene: Scene, pictures: Picture, folder: Path) -> Mask:
    results = scene.segment(write_image_folder(folder, pictures), segmentation=WITHOUT_LAYERS)
    return np.stack([result.mask for result in results])


@pytest.mark.parametrize(
    ("method", "pixels"),
    [("lowrank_ae", "auto"), ("lowrank_ae", 3000), ("conv_ae", "auto"), ("candidates", 3000)],
)
def test_masks_are_those_of_segment_without_layers(
    recording: Path, tmp_path: Path, method: str, pixels: int | str
) -> None:
    scene = learned(recording, method, pixels)
    expected = frame_by_frame(scene, PAINTED.frames, tmp_path)
    found = scene.segment_tensors(tensors(PAINTED.frames))
    assert found.shape == expected.shape
    assert found.dtype == torch.uint8
    assert expected.any()
    assert (found.numpy() != expected).mean() <= 1e-3


def test_both_orders_of_the_dimensions_and_any_batch_give_the_same(recording: Path) -> None:
    scene = learned(recording)
    together = scene.segment_tensors(tensors(PAINTED.frames))
    assert torch.equal(scene.segment_tensors(torch.from_numpy(PAINTED.frames)), together)
    for place in (0, 7):
        one = scene.segment_tensors(tensors(PAINTED.frames)[place, None])[0]
        assert float((one != together[place]).float().mean()) <= 1e-3


def test_what_mends_a_background_mends_it_on_tensors_too(recording: Path, tmp_path: Path) -> None:
    scene = learned(recording, "candidates")
    repair = np.zeros((*PAINTED.size, 3), np.int16)
    repair[20:50, 30:60] = (-90, 40, 220)
    mended = with_correction(scene, repair)
    found = mended.segment_tensors(tensors(PAINTED.frames)).numpy()
    assert (found[:, 25:45, 35:55] > 0).mean() > 0.9
    assert (found != frame_by_frame(mended, PAINTED.frames, tmp_path)).mean() <= 1e-3


def test_the_state_of_each_frame_is_picked_as_it_is_for_pictures(
    recording: Path, tmp_path: Path
) -> None:
    scene = learned(recording, "candidates")
    scene = with_states(scene, (infrared(scene.plate[None])[0], np.full(PAINTED.size, 6, np.uint8)))
    frames = np.concatenate([PAINTED.frames[:4], infrared(PAINTED.frames[4:8])])
    found = scene.segment_tensors(tensors(frames)).numpy()
    assert (found != frame_by_frame(scene, frames, tmp_path)).mean() <= 1e-3
    assert (found[4:] > 0).mean() < 0.5


@pytest.mark.parametrize(
    "frames",
    [
        torch.zeros(2, 3, 72, 99, dtype=torch.uint8),
        torch.zeros(2, 100, 72, 3, dtype=torch.uint8),
        torch.zeros(3, 72, 100, dtype=torch.uint8),
        torch.zeros(2, 3, 72, 100),
    ],
    ids=lambda frames: f"{tuple(frames.shape)}-{frames.dtype}",
)
def test_what_is_no_frame_of_the_scene_is_refused(recording: Path, frames: torch.Tensor) -> None:
    with pytest.raises(FrameSizeError, match=r"for a scene of 100x72; give uint8, \(B, 3, 72, 100"):
        learned(recording, "candidates").segment_tensors(frames)


def test_what_needs_more_than_the_frame_is_refused(recording: Path) -> None:
    reads_flow = learned(recording, "rgb_flow_ae")
    shakes = with_model(learned(recording, "candidates"), camera=CameraMotion("translation", 3.0))
    with pytest.raises(SettingsError, match="'rgb_flow_ae' also reads flow"):
        reads_flow.segment_tensors(tensors(PAINTED.frames))
    with pytest.raises(SettingsError, match="shakes"):
        shakes.segment_tensors(tensors(PAINTED.frames))


@pytest.mark.gpu
def test_on_a_gpu_masks_stay_there_and_are_those_of_the_cpu(
    recording: Path, tmp_path: Path
) -> None:
    learned(recording).save(tmp_path / "scene")
    frames = tensors(PAINTED.frames)
    masks = []
    for device in ("cpu", "cuda"):
        scene = cleanplate.load(tmp_path / "scene", device=device)
        found = scene.segment_tensors(frames.to(device))
        assert found.device.type == device
        masks.append(found.cpu())
    assert float((masks[0] != masks[1]).float().mean()) <= 1e-3
    pinned = frames.contiguous().pin_memory()
    assert torch.equal(scene.segment_tensors(pinned).cpu(), masks[1])


@pytest.mark.data
@pytest.mark.slow
def test_on_highway_masks_and_f_are_those_of_segment(real_data: Path) -> None:
    sequence = open_sequence(real_data / "cdnet" / "baseline" / "highway")
    scene = cleanplate.learn(
        sequence.source,
        budget="60steps",
        device="cpu",
        settings={"segmentation": WITHOUT_LAYERS.model_dump()},
    )
    scored = [frame for frame in open_source(sequence.source).frames() if frame.number % 20 == 0]
    scored = [frame for frame in scored if frame.number >= 470]
    expected = [each.mask for each in scene.segment(scored)]
    found = [
        scene.segment_tensors(torch.from_numpy(frame.picture[None]))[0].numpy() for frame in scored
    ]
    assert np.mean(np.stack(found) != np.stack(expected)) <= 1e-3
    scores = []
    for masks in (expected, found):
        counts = Counts()
        for frame, mask in zip(scored, masks, strict=True):
            counts += count_frame(mask, sequence.read_labels(frame.number))
        scores.append(measure(counts, frames=len(scored)).F)
    assert scores[0] > 0.9
    assert scores[1] == pytest.approx(scores[0], abs=0.002)
