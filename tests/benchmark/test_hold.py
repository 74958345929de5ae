"""The hold: what is pasted, and what counts as marked and as a ghost."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from bench_samples import FRAMES, write_sequence

from cleanplate.benchmark.cells import Hold, parse_hold
from cleanplate.benchmark.hold import HeldRecording
from cleanplate.datasets import open_sequence
from cleanplate.errors import GroundTruthError, SettingsError
from cleanplate.frames import Mask

HOLD = Hold(frame=15, count=12)


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sequence(tmp_path_factory.mktemp("held") / "yard")


@pytest.fixture
def held(sequence: Path) -> HeldRecording:
    return HeldRecording(open_sequence(sequence), HOLD)


def test_the_pixels_stand_still_with_fresh_noise_and_nothing_else_changes(
    held: HeldRecording, sequence: Path, tmp_path: Path
) -> None:
    everything, before = held.write(sequence / "input", tmp_path)
    original = [cv2.imread(str(path)) for path in sorted((sequence / "input").iterdir())]
    written = [cv2.imread(str(path)) for path in sorted(everything.iterdir())]
    assert len(written) == FRAMES
    assert len(list(before.iterdir())) == HOLD.frame
    for number, (was, now) in enumerate(zip(original, written, strict=True), start=1):
        assert np.array_equal(was[~held.pixels], now[~held.pixels])
        is_held = HOLD.frame < number <= HOLD.frame + HOLD.count
        pasted = now[held.pixels].astype(int) - original[HOLD.frame - 1][held.pixels]
        if is_held:
            assert np.abs(pasted).max() < 20
            assert pasted.any()
        else:
            assert np.array_equal(was, now)


def masks(held: HeldRecording, *, marked: int, ghosts: bool) -> dict[int, Mask]:
    """Masks that mark the held pixels for so many frames, and maybe for ever."""
    empty = np.zeros(held.pixels.shape, np.uint8)
    full = np.where(held.pixels, 255, 0).astype(np.uint8)
    end = HOLD.frame + HOLD.count
    return {
        number: full if number <= HOLD.frame + marked or (ghosts and number > end) else empty
        for number in range(1, FRAMES + 1)
    }


def test_marked_is_the_share_of_the_time_and_of_its_last_quarter(held: HeldRecording) -> None:
    figures = held.measure(masks(held, marked=9, ghosts=False).get)
    assert figures.marked == pytest.approx(9 / 12)
    assert figures.marked_in_last_quarter == 0
    assert figures.ghosts == 0
    assert figures.held_pixels == held.pixels.sum()


def test_a_ghost_is_what_is_marked_after_it_has_left(held: HeldRecording) -> None:
    figures = held.measure(masks(held, marked=12, ghosts=True).get)
    assert figures.marked == figures.marked_in_last_quarter == 1
    assert figures.ghosts == 1


def test_where_nothing_moves_nothing_can_be_held(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "yard")
    cv2.imwrite(str(folder / "groundtruth" / "gt000015.png"), np.zeros((32, 48), np.uint8))
    with pytest.raises(GroundTruthError, match="nothing moves in frame 15"):
        HeldRecording(open_sequence(folder), HOLD)
    with pytest.raises(GroundTruthError, match="no truth for frame 3"):
        HeldRecording(open_sequence(folder), Hold(frame=3, count=12))


def test_a_hold_is_read_from_its_text() -> None:
    assert parse_hold("baseline/highway:1000:400") == (
        "baseline/highway",
        Hold(frame=1000, count=400),
    )
    with pytest.raises(SettingsError, match="SEQUENCE:FRAME:COUNT"):
        parse_hold("highway:1000")
    with pytest.raises(SettingsError, match=r"hold\.count"):
        parse_hold("highway:1000:1")
