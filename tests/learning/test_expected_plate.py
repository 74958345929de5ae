"""Training is weighed by the initial plate: a network follows the light, and no queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cleanplate.architectures import architecture_summaries
from cleanplate.background import choose_plate
from cleanplate.frames import FloatMap, Picture
from cleanplate.learning.expected_plate import ExpectedPlate
from cleanplate.learning.fitting import fit
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.losses import bootstrapped_error
from cleanplate.progress import silent
from cleanplate.runtimes.network import NetworkEstimator, open_feature_extractors
from cleanplate.settings import resolve
from cleanplate.tensor_tools.batch import FrameBatch, make_batch
from cleanplate.video import FrameCache, open_source
from families import some_nightly
from lights import cloudy, exposed, light_slope
from scenes import as_bytes, paint_plate, write_image_folder

CPU = torch.device("cpu")
DRAWS_EACH_FRAME = tuple(name for name in architecture_summaries() if not name.endswith("_plate"))
NOT_THE_DEFAULT = [name for name in DRAWS_EACH_FRAME if name != "lowrank_ae"]
PLATE = paint_plate(48, 64, seed=4)
QUEUE = np.s_[20:42, 8:40]
"""Where two vehicles stand for five sixths of the frames."""
COUNT = 60
LIGHT = 5.0
"""Standard deviation of the light in grey levels, as on a real road."""


def light_of_frames() -> FloatMap:
    """Grey levels that are added to each frame; no period of the traffic."""
    return LIGHT * np.sqrt(2) * np.sin(np.arange(COUNT) * 0.7).astype(np.float32)


def red_light(brighter: float) -> Picture:
    """A road on which two vehicles wait, go, and come again, under light that changes a little.

    Args:
        brighter: How much the even vehicles are brighter than the road.
    """
    generator = np.random.default_rng(5)
    frames = np.repeat(PLATE[None].astype(np.float32), COUNT, axis=0)
    body = PLATE[QUEUE].mean(axis=(0, 1)) + brighter
    texture = body + generator.uniform(-12, 12, (22, 32, 3))
    texture[:, 14:18] = PLATE[20:42, 22:26]  # the gap between them
    for index in range(COUNT):
        if index % 12 >= 2:
            frames[(index, *QUEUE)] = texture
    frames += light_of_frames()[:, None, None, None]
    return as_bytes(frames + generator.normal(0, 1.5, frames.shape))


def traffic() -> Picture:
    """The same road and light with vehicles that pass, another one in every frame."""
    generator = np.random.default_rng(6)
    frames = np.repeat(PLATE[None].astype(np.float32), COUNT, axis=0)
    for index in range(COUNT):
        for _ in range(3):
            top, left = generator.integers(0, 38), generator.integers(0, 50)
            frames[index, top : top + 10, left : left + 14] = generator.uniform(0, 255, 3)
    frames += light_of_frames()[:, None, None, None]
    return as_bytes(frames + generator.normal(0, 1.5, frames.shape))


@contextmanager
def opened(pictures: Picture, folder: Path) -> Iterator[LearningFrames]:
    source = open_source(write_image_folder(folder / "input", pictures))
    size = source.size
    with LearningFrames(FrameCache.fill(source, folder / "cache", size=size)) as frames:
        yield frames


def learned_backgrounds(
    pictures: Picture,
    folder: Path,
    *,
    contested: NDArray[np.bool_] | None = None,
    plate: Picture = PLATE,
    **tree: object,
) -> Picture:
    """Backgrounds of all frames by a network that began at a plate, the right one by default."""
    settings = resolve({"device": "cpu", **tree})
    modalities = settings.modalities()
    with opened(pictures, folder) as frames:
        readers = open_feature_extractors(settings.architecture().modalities, modalities, plate)
        source = open_source(folder / "input")
        frames.add(source, readers, folder=folder / "cache", progress=silent)
        fitted = fit(
            settings,
            frames,
            plate,
            contested=None if contested is None else lambda: contested,
            device=CPU,
            folder=None,
            progress=silent,
        )
        estimator = NetworkEstimator(fitted.model, CPU, start_plate=plate, modalities=modalities)
        return np.concatenate(
            [estimator.estimate(*frames.read([place])) for place in range(len(frames))]
        )


def queue_error(backgrounds: Picture) -> float:
    """Mean difference in the queue to the empty road in the light of the frame, grey levels."""
    light = light_of_frames()[:, None, None, None]
    truth = PLATE[QUEUE].astype(np.float32) + light
    return float(np.abs(backgrounds[(slice(None), *QUEUE)] - truth).mean())


# The weight


def test_what_the_reference_does_not_show_is_compared_with_the_reference() -> None:
    target, reference = torch.full((1, 3, 20, 60), 0.4), torch.full((1, 3, 20, 60), 0.4)
    target[..., 30:] = 0.9
    estimate = target.clone()  # the estimate has drawn all of it
    own, own_weight = bootstrapped_error(estimate, target, strength=6)
    error, weight = bootstrapped_error(estimate, target, reference, strength=6)
    assert own.max() == 0
    assert own_weight.min() == 1
    assert torch.allclose(weight[..., 34:], torch.tensor(0.02))
    assert error[..., 34:].min() > 0.4  # it has to leave again
    assert error[..., :26].max() == 0
    assert torch.allclose(weight[..., :26], torch.tensor(1.0))


def test_a_small_difference_to_the_reference_is_still_learned() -> None:
    target, reference = torch.full((1, 3, 20, 60), 0.4), torch.full((1, 3, 20, 60), 0.43)
    error, weight = bootstrapped_error(reference, target, reference, strength=6)
    assert weight.min() > 0.1
    assert error.min() > 0  # by its difference to the frame, not to the reference


# The plate in the light of the frames


@pytest.mark.parametrize("light", ["brighter", "cloud"])
def test_the_expected_plate_has_the_light_of_each_frame(light: str) -> None:
    pictures = np.stack([PLATE] * 2)
    pictures[1:] = exposed(PLATE, 1.3) if light == "brighter" else cloudy(PLATE, 0.6, softness=0.5)
    empty = pictures.copy()
    pictures[:, 18:30, 24:40] = (250, 20, 20)
    plates = ExpectedPlate(PLATE, None, CPU).added_to(
        lambda places: make_batch(pictures[places], {})
    )
    batch = plates(np.array([1, 0, 1]))
    assert batch.expected is not None
    assert torch.equal(batch.expected[0], batch.expected[2])
    drawn = batch.expected.permute(0, 2, 3, 1).numpy() * 255
    still = np.abs(PLATE - empty[1].astype(np.float32)).mean()
    assert still > 10
    assert np.abs(drawn[0] - empty[1]).mean() < 0.3 * still
    assert np.abs(drawn[1] - PLATE).mean() < 1


def test_contested_places_are_compared_with_the_expected_plate() -> None:
    contested = np.zeros(PLATE.shape[:2], np.bool_)
    contested[10:20] = True
    frame = as_bytes(PLATE.astype(np.float32) + 3)
    plates = ExpectedPlate(PLATE, contested, CPU).added_to(
        lambda places: make_batch(np.stack([frame] * len(places)), {})
    )
    batch = plates(np.array([0]))
    assert batch.expected is not None
    assert torch.equal(batch.target[:, :, 10:20], batch.expected[:, :, 10:20])
    assert torch.equal(batch.target[:, :, 20:], batch.rgb[:, :, 20:])
    assert torch.equal(FrameBatch(batch.rgb).target, batch.rgb)


# A queue


@pytest.mark.parametrize(
    "name",
    ["lowrank_ae", *some_nightly(NOT_THE_DEFAULT, always=["conv_ae"], slow=True)],
)
def test_a_network_does_not_learn_who_waits(name: str, tmp_path: Path) -> None:
    contested = np.zeros(PLATE.shape[:2], np.bool_)
    contested[QUEUE] = True
    backgrounds = learned_backgrounds(red_light(15), tmp_path, contested=contested, method=name)
    assert queue_error(backgrounds) < 3


def test_a_weight_by_its_own_error_lets_a_network_learn_who_waits(tmp_path: Path) -> None:
    tree = {"objective": {"weight_from": "estimate"}}
    assert queue_error(learned_backgrounds(red_light(15), tmp_path, **tree)) > 8


# The light


@pytest.mark.parametrize(
    "name",
    ["lowrank_ae", *some_nightly(NOT_THE_DEFAULT, always=["conv_ae"], slow=True)],
)
def test_the_background_follows_light_of_a_few_grey_levels(name: str, tmp_path: Path) -> None:
    frames = traffic()
    backgrounds = learned_backgrounds(frames, tmp_path, method=name)
    assert light_slope(backgrounds, frames, PLATE) > 0.6


@pytest.fixture(scope="module")
def highway(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Picture, Picture]:
    """Every seventh frame of a real road whose light goes up and down, and its initial plate."""
    source = open_source(real_data / "cdnet/baseline/highway/input")
    folder = tmp_path_factory.mktemp("highway")
    with FrameCache.fill(source, folder, size=source.size) as frames:
        pictures = frames.read(range(0, len(frames), 7))
    with opened(pictures, folder) as every_seventh:
        positions = list(range(len(every_seventh)))
        return pictures, choose_plate(every_seventh.frames, positions).picture


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", DRAWS_EACH_FRAME)
def test_the_background_follows_the_light_of_a_real_road(
    name: str, highway: tuple[Picture, Picture], tmp_path: Path
) -> None:
    frames, plate = highway
    backgrounds = learned_backgrounds(frames, tmp_path, plate=plate, method=name)
    assert light_slope(backgrounds, frames, plate) > 0.6


def test_a_dead_network_has_no_slope() -> None:
    frames = traffic()
    assert light_slope(np.broadcast_to(PLATE, frames.shape), frames, PLATE) == pytest.approx(0)
    assert light_slope(frames, frames, PLATE) == pytest.approx(1)
