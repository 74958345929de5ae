"""Masks of tensors are those of the segmenter that needs no torch."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.datasets.painted import PaintedIntersection, PaintedSettings
from cleanplate.errors import FrameSizeError
from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import measure
from cleanplate.frames import Mask, Picture
from cleanplate.segmentation import SegmentationSettings, ShadowModel
from lights import cloudy, exposed, jumped, rolling
from plans import segmenter_of, tensor_segmenter_of
from scenes import paint_scene

CPU = torch.device("cpu")
STEPS = range(0, 160, 20)


@cache
def crossroads() -> tuple[Picture, Picture, Mask]:
    """Frames of a painted crossroads, their still plate for each, and the labels."""
    painted = PaintedIntersection(PaintedSettings(size=(180, 240), seconds=16, seed=4))
    frames = [painted.frame(index) for index in STEPS]
    pictures = np.stack([frame.picture for frame in frames])
    plates = np.broadcast_to(painted.still_plate, pictures.shape)
    return pictures, plates, np.stack([frame.labels for frame in frames])


def planes(pictures: Picture) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def noise_of(pictures: Picture) -> Mask:
    random = np.random.default_rng(0)
    return random.integers(0, 12, pictures.shape[1:3], dtype=np.uint8)


def both_ways(
    pictures: Picture,
    backgrounds: Picture,
    settings: SegmentationSettings,
    shadow: ShadowModel | None = None,
) -> tuple[Mask, Mask]:
    """Masks by OpenCV, and by tensors."""
    noise = noise_of(pictures)
    segmenter = segmenter_of(noise, settings, shadow)
    expected = [segmenter.segment(*pair) for pair in zip(pictures, backgrounds, strict=True)]
    tensors = tensor_segmenter_of([noise], settings, shadows=[shadow], device=CPU)
    found = tensors.segment(planes(pictures), planes(backgrounds))
    return np.stack(expected), found.numpy()


def share_apart(masks: tuple[Mask, Mask]) -> float:
    assert masks[0].any()
    assert set(np.unique(masks[1])) <= {0, 255}
    return float((masks[0] != masks[1]).mean())


@cache
def known_shadow() -> ShadowModel:
    """That of the crossroads: half of the light stays, a little bluer."""
    spread = np.diag(np.square([0.1, 0.02, 0.02]))
    return ShadowModel((-0.5, -0.02, 0.02), tuple(map(tuple, spread.tolist())))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"shadows": "keep"},
        {"shadows": "label"},
        {"light": "off"},
        {"low_noise_factor": 3},
        {"blur": 0, "median_size": 0, "closing": 0, "min_area": 0},
        {"blur": 2.5, "median_size": 11, "closing": 15, "min_area": 200},
        {"threshold": 30, "noise_factor": 1},
    ],
    ids=str,
)
def test_masks_are_those_of_opencv_under_all_settings(settings: dict[str, object]) -> None:
    pictures, plates, _ = crossroads()
    chosen = SegmentationSettings.parse(settings)
    assert share_apart(both_ways(pictures, plates, chosen)) <= 1e-4


def test_masks_under_a_known_shadow_model_are_those_of_opencv() -> None:
    pictures, plates, labels = crossroads()
    settings = SegmentationSettings()
    masks = both_ways(pictures, plates, settings, known_shadow())
    assert share_apart(masks) <= 1e-4
    general, _ = both_ways(pictures, plates, settings)
    assert (general != masks[0]).any()
    scores = []
    for found in masks:
        counts = Counts()
        for mask, truth in zip(found, labels, strict=True):
            counts += count_frame(mask, truth)
        scores.append(measure(counts, frames=len(labels)).F)
    assert scores[0] > 0.5
    assert scores[1] == pytest.approx(scores[0], abs=0.002)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: jumped(p, 30),
        lambda p: exposed(p, 0.7),
        lambda p: exposed(p, np.array([1.2, 1.0, 0.8])),
        lambda p: cloudy(p, 0.6),
        lambda p: rolling(p, p.shape[1] / 2.2, swing=0.25),
    ],
    ids=["jump", "exposure", "tint", "cloud", "bands"],
)
@pytest.mark.parametrize(("height", "width"), [(60, 80), (181, 240)])
def test_changes_of_the_light_are_followed_as_without_tensors(
    change: object, height: int, width: int
) -> None:
    painted = paint_scene(height, width, 6, squares=1)
    frames = np.concatenate([painted.frames[:3], change(painted.frames[3:])])  # type: ignore[operator]
    followed, ignored = (
        both_ways(frames, painted.backgrounds, SegmentationSettings(light=light, shadows="keep"))
        for light in ("follow", "off")
    )
    assert share_apart(followed) <= 1e-3
    assert (ignored[1][3:] > 0).mean() > 2 * (followed[1][3:] > 0).mean()


def test_frames_of_several_views_are_judged_by_their_own_noise_and_shadows() -> None:
    pictures, plates, _ = crossroads()
    noises = [noise_of(pictures), np.full(pictures.shape[1:3], 40, np.uint8)]
    shadows = [None, known_shadow()]
    settings = SegmentationSettings()
    together = tensor_segmenter_of(noises, settings, shadows=shadows, device=CPU)
    owners = [0, 1, 1, 0, 0, 1, 0, 1]
    found = together.segment(planes(pictures), planes(plates), owners)
    for place, owner in enumerate(owners):
        alone = tensor_segmenter_of([noises[owner]], settings, shadows=[shadows[owner]], device=CPU)
        one = alone.segment(planes(pictures)[place, None], planes(plates)[place, None])[0]
        assert torch.equal(found[place], one)


def test_frames_and_backgrounds_are_left_alone() -> None:
    pictures, plates, _ = crossroads()
    frames, backgrounds = planes(jumped(pictures, 20)), planes(plates)
    copies = frames.clone(), backgrounds.clone()
    segmenter = tensor_segmenter_of(
        [noise_of(pictures)], SegmentationSettings(), shadows=[None], device=CPU
    )
    segmenter.segment(frames, backgrounds)
    assert torch.equal(frames, copies[0])
    assert torch.equal(backgrounds, copies[1])


@pytest.mark.parametrize("wrong", ["frames", "backgrounds"])
def test_another_size_is_refused(wrong: str) -> None:
    fits = torch.zeros(1, 3, 32, 48, dtype=torch.uint8)
    other = torch.zeros(1, 3, 20, 20, dtype=torch.uint8)
    segmenter = tensor_segmenter_of(
        [np.zeros((32, 48), np.uint8)], SegmentationSettings(), shadows=[None], device=CPU
    )
    pair = (other, fits) if wrong == "frames" else (fits, other)
    with pytest.raises(FrameSizeError, match=f"^{wrong} of 3x20x20 for a scene of 48x32; give"):
        segmenter.segment(*pair)


@pytest.mark.gpu
def test_a_gpu_gives_the_masks_of_the_cpu() -> None:
    pictures, plates, _ = crossroads()
    masks: list[NDArray[np.uint8]] = []
    for name in ("cpu", "cuda"):
        segmenter = tensor_segmenter_of(
            [noise_of(pictures)],
            SegmentationSettings(),
            shadows=[known_shadow()],
            device=torch.device(name),
        )
        frames, backgrounds = (planes(each).to(name) for each in (pictures, plates))
        found = segmenter.segment(frames, backgrounds)
        assert found.device.type == name
        masks.append(found.cpu().numpy())
    assert (masks[0] != masks[1]).mean() <= 1e-4
