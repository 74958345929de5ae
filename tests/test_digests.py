"""Masks, labels and plates of real sequences are byte for byte those of the recorded digests.

This guards refactorings: a change that is meant to change no result leaves all digests as they are.
After a change that is meant to change some, and whose figures are known, write them anew:

    CLEANPLATE_DATA=FOLDER python tests/test_digests.py --write

The last bits of floating point depend on the versions of the packages and on the processor; where
those are not the recorded ones, there is nothing to compare with and the test is skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleanplate import learn
from cleanplate.background import spread_positions
from cleanplate.frames import Frame
from cleanplate.segmentation import SegmentationSettings
from cleanplate.video import open_source

RECORDED = Path(__file__).with_name("digests.json")
SEQUENCES = (
    "cdnet/baseline/highway",
    "cdnet/baseline/pedestrians",
    "sbi/Board",
    "sbi/CAVIAR2",
    "sbi/CaVignal",
    "sbi/Foliage",
    "sbi/HighwayI",
    "sbi/IBMtest2",
    "sbi/Toscana",
)
TRAINED = ("cdnet/baseline/highway", "sbi/Foliage")
"""Sequences on which a network is trained too."""
_PACKAGES = ("numpy", "opencv-contrib-python-headless", "torch")
_FRAMES = 36
_READ = 400
"""Frames of each sequence among which those are spread."""
_TRAINING: dict[str, Any] = {
    "method": "lowrank_ae",
    "budget": "6steps",
    "device": "cpu",
    "settings": {"sampling": {"working_pixels": 80 * 60}},
}


def this_machine() -> dict[str, str]:
    """What the last bits of the results depend on."""
    versions = {name: version(name) for name in _PACKAGES}
    processor = f"{platform.machine()}: {cv2.getCPUFeaturesLine().strip()}"
    return {**versions, "processor": processor}


def digests(folder: Path, *, trained: bool) -> dict[str, str]:
    """What a sequence gives, by name."""
    frames = some_frames(folder)
    if trained:
        return digests_of(frames, **_TRAINING)
    return digests_of(frames, method="candidates")


def digests_of(frames: list[Frame], **how: Any) -> dict[str, str]:
    scene = learn(frames, **how)
    results = list(scene.segment(frames))
    labelled = SegmentationSettings(shadows="label", settle_seconds=4, shadow_test="general")
    labels = [result.labels for result in scene.segment(frames, segmentation=labelled)]
    tensors = scene.segment_tensors(as_tensors(frames[:8]))
    return {
        "plate": digest(scene.plate),
        "noise": digest(scene.noise),
        "masks": digest(*(result.mask for result in results)),
        "backgrounds": digest(*(result.background for result in results)),
        "labels": digest(*(result.labels for result in results)),
        "other_labels": digest(*labels),
        "tensor_masks": digest(tensors.numpy()),
    }


def some_frames(folder: Path) -> list[Frame]:
    """Frames spread over the beginning of a sequence, more than a second apart: objects wait."""
    source = open_source(folder / "input")
    positions = spread_positions(min(_READ, source.frame_count_hint or _READ), _FRAMES)
    wanted = set(positions)
    passing = source.frames(lambda index, _: index in wanted)
    return [replace(frame, time=float(frame.index) / 8) for frame in passing]


def as_tensors(frames: list[Frame]) -> Any:
    import torch

    return torch.from_numpy(np.stack([frame.picture for frame in frames]))


def digest(*arrays: NDArray[Any] | None) -> str:
    """Of the bytes and shapes of arrays."""
    found = hashlib.sha256()
    for array in arrays:
        assert array is not None
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def cases() -> list[tuple[str, bool]]:
    return [(name, False) for name in SEQUENCES] + [(name, True) for name in TRAINED]


def key(name: str, *, trained: bool) -> str:
    return f"{name} {'lowrank_ae' if trained else 'candidates'}"


@pytest.fixture(scope="module")
def recorded() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    here = this_machine()
    other = [name for name, value in found["machine"].items() if here.get(name) != value]
    if other:
        pytest.skip(f"digests were recorded with another {', '.join(other)}")
    return found["digests"]


@pytest.mark.data
@pytest.mark.parametrize(("name", "trained"), cases())
def test_digests(name: str, trained: bool, real_data: Path, recorded: Mapping[str, Any]) -> None:
    found = digests(real_data / name, trained=trained)
    assert found == recorded[key(name, trained=trained)], (
        f"results of {name} changed; where that is wanted, write the digests anew: see {__file__}"
    )


def test_a_single_bit_changes_a_digest() -> None:
    mask = np.zeros((4, 6), np.uint8)
    other = mask.copy()
    other[3, 5] = 1
    assert digest(mask) == digest(mask.copy())
    assert len({digest(mask), digest(other), digest(mask.reshape(6, 4)), digest(mask, mask)}) == 4


def main() -> None:
    """Writes the digests of this machine."""
    import torch

    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    data = Path(os.environ["CLEANPLATE_DATA"])
    found = {
        key(name, trained=trained): digests(data / name, trained=trained)
        for name, trained in cases()
    }
    content = {"machine": this_machine(), "digests": found}
    RECORDED.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
