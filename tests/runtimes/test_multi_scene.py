"""Scenes that are segmented together get the masks that each gets by itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import cleanplate
from changed_scenes import with_correction, with_main, with_model, with_states
from cleanplate.architectures import architecture_summaries, load_architecture
from cleanplate.architectures.base import BuildContext
from cleanplate.errors import FrameSizeError, SettingsError, UsageError
from cleanplate.frames import FrameSize, Modality
from cleanplate.runtimes.multi_scene import ScenesTogether
from cleanplate.runtimes.network import NetworkEstimator
from cleanplate.runtimes.tensors import TensorScene
from cleanplate.scene import Scene
from cleanplate.scene_model import SceneModel, SceneState, StillPlate
from cleanplate.segmentation import SegmentationPlan, ShadowModel
from cleanplate.settings import resolve
from lights import infrared
from scenes import paint_scene

SIZE = FrameSize(48, 64)
CPU = torch.device("cpu")
COUNT = 2
READ_COLOURS = [
    name
    for name in architecture_summaries()
    if load_architecture(name).modalities == {Modality.RGB}
]


@cache
def painted(seed: int) -> tuple[np.ndarray, np.ndarray]:
    scene = paint_scene(*SIZE, 9, drift=20, seed=seed)
    return scene.frames, scene.start_plate()


def frames_of(*seeds: int) -> Tensor:
    stacks = [painted(seed)[0][:COUNT] for seed in seeds]
    return torch.from_numpy(np.stack(stacks)).permute(0, 1, 4, 2, 3)


def scene_of(method: str, seed: int, **model: object) -> Scene:
    """A scene whose network has been moved away from the plate at random."""
    settings = resolve({"method": method, "model": model} if model else {"method": method})
    frames, plate = painted(seed)
    torch.manual_seed(seed)
    if settings.is_baseline:
        estimator: object = StillPlate(plate)
    else:
        start = BuildContext(plate, frames=frames)
        network = load_architecture(method).build(settings.model, start)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
        modalities = settings.modalities()
        estimator = NetworkEstimator(network, CPU, start_plate=plate, modalities=modalities)
    noise = np.random.default_rng(seed).integers(0, 9, SIZE, dtype=np.uint8)
    return Scene(
        settings=settings,
        model=SceneModel(
            frame_size=SIZE,
            working_size=SIZE,
            states=(SceneState("state 1", plate, noise, estimator),),  # type: ignore[arg-type]
            plan=SegmentationPlan.of(settings.segmentation, SIZE),
        ),
        plate=plate,
        learned_on="cpu",
        provenance={},
    )


def assert_as_apart(scenes: list[Scene], frames: Tensor) -> None:
    found = ScenesTogether(scenes).segment(frames)
    apart = torch.stack([scene.segment_tensors(own) for scene, own in zip(scenes, frames)])  # noqa: B905
    assert found.shape == apart.shape
    assert apart.any()
    assert float((found != apart).float().mean()) <= 1e-3


@pytest.mark.parametrize("method", READ_COLOURS)
def test_backgrounds_and_masks_are_those_of_each_scene_by_itself(method: str) -> None:
    scenes = [scene_of(method, seed) for seed in range(2)]
    together = ScenesTogether(scenes)
    assert together.is_stacked
    frames = frames_of(0, 1)
    drawn = together.draw(frames)
    for own, scene, pictures in zip(drawn, scenes, frames, strict=True):
        expected = TensorScene(scene, CPU).drawn(pictures)
        # What lies in the middle between two grey levels may be rounded to either.
        assert int((own.int() - expected.int()).abs().max()) <= 1
        assert float((own != expected).float().mean()) < 0.01
        assert not torch.equal(expected[0], torch.from_numpy(scene.plate).permute(2, 0, 1))
    assert_as_apart(scenes, frames)


def test_a_network_that_searches_for_its_codes_draws_by_itself() -> None:
    options = {"generator": "unconditional", "search_steps": 3}
    scenes = [scene_of("dcgan", seed, **options) for seed in range(2)]
    assert not ScenesTogether(scenes).is_stacked
    assert_as_apart(scenes, frames_of(0, 1))


def test_still_plates_go_together_too() -> None:
    scenes = [scene_of("candidates", seed) for seed in range(2)]
    assert not ScenesTogether(scenes).is_stacked
    assert_as_apart(scenes, frames_of(0, 1))


def test_each_scene_keeps_its_shadows_its_repairs_and_its_states() -> None:
    first, second, third = (scene_of("lowrank_ae", seed) for seed in range(3))
    spread = np.diag(np.square([0.1, 0.02, 0.02]))
    shadow = ShadowModel((-0.5, -0.02, 0.02), tuple(map(tuple, spread.tolist())))
    repair = np.zeros((*SIZE, 3), np.int16)
    repair[10:40, 10:40] = 90
    night = infrared(third.plate[None])[0], np.full(SIZE, 6, np.uint8)
    scenes = [
        with_main(first, shadow=shadow),
        with_correction(second, repair),
        with_states(third, night),
    ]
    frames = frames_of(0, 1, 2)
    frames[2, 0] = torch.from_numpy(infrared(frames[2, :1].permute(0, 2, 3, 1).numpy())[0]).permute(
        2, 0, 1
    )
    assert_as_apart(scenes, frames)


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (lambda: scene_of("conv_ae", 1), "method"),
        (lambda: scene_of("lowrank_ae", 1, rank=3), "settings of the network"),
        (
            lambda: with_model(scene_of("lowrank_ae", 1), frame_size=FrameSize(96, 128)),
            "frame size",
        ),
    ],
)
def test_scenes_that_differ_are_refused(second: object, what: str) -> None:
    with pytest.raises(UsageError, match=f"have one {what}, not "):
        ScenesTogether([scene_of("lowrank_ae", 0), second()])  # type: ignore[operator]


def test_no_scenes_wrong_frames_and_methods_that_read_more_are_refused() -> None:
    with pytest.raises(UsageError, match="no scenes"):
        ScenesTogether([])
    with pytest.raises(SettingsError, match="also reads flow"):
        ScenesTogether([scene_of("rgb_flow_ae", 0)])
    together = ScenesTogether([scene_of("candidates", 0)])
    for wrong in (frames_of(0, 1), frames_of(0)[0], frames_of(0)[..., :-1]):
        with pytest.raises(FrameSizeError):
            together.segment(wrong)


def test_learned_scenes_are_taken_as_they_are(tmp_path: Path) -> None:
    from scenes import write_image_folder

    scenes = [
        cleanplate.learn(
            write_image_folder(tmp_path / str(seed), painted(seed)[0]),
            budget="3steps",
            device="cpu",
        )
        for seed in range(2)
    ]
    assert_as_apart(scenes, frames_of(0, 1))


@pytest.mark.gpu
def test_on_a_gpu_masks_are_those_of_the_cpu(tmp_path: Path) -> None:
    scenes = [scene_of("lowrank_ae", seed) for seed in range(2)]
    expected = ScenesTogether(scenes).segment(frames_of(0, 1))
    for place, scene in enumerate(scenes):
        scene.save(tmp_path / str(place))
    there = [cleanplate.load(tmp_path / str(place), device="cuda") for place in range(2)]
    found = ScenesTogether(there).segment(frames_of(0, 1).cuda())
    assert found.device.type == "cuda"
    assert float((found.cpu() != expected).float().mean()) <= 1e-3
