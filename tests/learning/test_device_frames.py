"""Frames that are kept on a device are those of the disk, and are read from it once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from cleanplate.frames import ExtraModalities, Modality, Picture
from cleanplate.learning import device_frames
from cleanplate.learning.device_frames import DeviceFrames, open_batches, size_in_bytes
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.modalities import ModalitySettings
from cleanplate.progress import silent
from cleanplate.runtimes.network import open_feature_extractors
from cleanplate.tensor_tools.batch import FrameBatch, make_batch
from cleanplate.training.sampler import FrameSampler
from cleanplate.video import FrameCache, open_source
from scenes import paint_scene, write_image_folder

PAINTED = paint_scene(32, 48, 11)
CPU = torch.device("cpu")


class Counting(LearningFrames):
    """Frames that remember how often each was read."""

    def __init__(self, frames: FrameCache) -> None:
        super().__init__(frames)
        self.reads: list[int] = []

    def read(self, positions: Sequence[int]) -> tuple[Picture, ExtraModalities]:
        self.reads += positions
        return super().read(positions)


@pytest.fixture
def learned_from(tmp_path: Path) -> Iterator[Counting]:
    source = open_source(write_image_folder(tmp_path / "input", PAINTED.frames))
    with Counting(FrameCache.fill(source, tmp_path / "cache", size=PAINTED.size)) as inputs:
        modalities = {Modality.FLOW, Modality.MASK}
        readers = open_feature_extractors(modalities, ModalitySettings(), PAINTED.start_plate())
        inputs.add(source, readers, folder=tmp_path / "cache", progress=silent)
        yield inputs


def assert_same(found: FrameBatch, expected: FrameBatch) -> None:
    # A GPU multiplies by the inverse of 255, and the last digit may differ; a CPU gives the same.
    apart = 1e-7 if found.rgb.is_cuda else 0
    torch.testing.assert_close(found.rgb.cpu(), expected.rgb, rtol=0, atol=apart)
    assert found.extras.keys() == expected.extras.keys()
    for name, maps in expected.extras.items():
        assert torch.equal(found.extras[name].cpu(), maps)


def test_batches_are_those_of_the_disk_and_each_frame_is_read_once(learned_from: Counting) -> None:
    kept = DeviceFrames(learned_from, CPU)
    sampler = FrameSampler(len(PAINTED), batch_size=4, seed=0)
    learned_from.reads.clear()
    for step in range(9):
        positions = sampler.positions(step)
        expected = make_batch(*LearningFrames.read(learned_from, positions.tolist()))
        assert_same(kept.batch(positions), expected)
    assert sorted(learned_from.reads) == list(range(len(PAINTED)))


def test_only_what_is_asked_for_is_read(learned_from: Counting) -> None:
    kept = DeviceFrames(learned_from, CPU)
    learned_from.reads.clear()
    kept.batch(np.array([7, 2, 7]))
    assert sorted(learned_from.reads) == [2, 7]


def test_the_size_is_that_of_frames_flow_and_mask(learned_from: Counting) -> None:
    pixels = 32 * 48
    assert size_in_bytes(learned_from) == 11 * (3 * pixels + 4 * 2 * pixels + 4 * pixels)


@pytest.mark.parametrize(("free", "kept"), [(10**9, True), (11 * 15 * 32 * 48 * 2 - 1, False)])
def test_a_gpu_keeps_frames_that_fit_into_half_of_its_free_memory(
    learned_from: Counting, monkeypatch: pytest.MonkeyPatch, free: int, kept: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (free, 10**10))
    opened: list[torch.device] = []

    class Kept:
        batch = None

        def __init__(self, _frames: LearningFrames, device: torch.device) -> None:
            opened.append(device)

    monkeypatch.setattr(device_frames, "DeviceFrames", Kept)
    open_batches(learned_from, torch.device("cuda"))
    assert bool(opened) is kept


def test_on_a_cpu_frames_stay_on_the_disk(learned_from: Counting) -> None:
    read = open_batches(learned_from, CPU)
    learned_from.reads.clear()
    for _ in range(2):
        read(np.array([3, 4]))
    assert learned_from.reads == [3, 4, 3, 4]


@pytest.mark.gpu
def test_a_gpu_keeps_the_very_frames(learned_from: Counting) -> None:
    positions = np.array([5, 0, 10])
    expected = make_batch(*LearningFrames.read(learned_from, positions.tolist()))
    kept = open_batches(learned_from, torch.device("cuda"))
    from_disk = make_batch(*LearningFrames.read(learned_from, positions.tolist()), "cuda")
    for found in (kept(positions), kept(positions), from_disk):
        assert found.rgb.device.type == "cuda"
        assert_same(found, expected)
