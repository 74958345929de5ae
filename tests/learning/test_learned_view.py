"""A bump in the middle of a recording: found, told, and one view learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import cleanplate
from cleanplate.frames import Picture
from cleanplate.learning.preparation.learned_view import LearnedView, keep_one_view
from cleanplate.report.wording import warnings
from cleanplate.video import FrameCache, open_source
from moves import HEIGHT, WIDTH, f_measure, paint_moves, part_of
from scenes import paint_scene, write_image_folder
from shaking import random_walk, shaken


def kept(pictures: Picture, folder: Path) -> tuple[LearnedView | None, tuple[int, ...]]:
    """The view that is learned, and the numbers of its frames."""
    source = open_source(write_image_folder(folder / "frames", pictures))
    with FrameCache.fill(source, folder / "cache", size=source.size) as frames:
        view = keep_one_view(frames)
        return view, frames.numbers


@pytest.mark.parametrize(
    ("lengths", "moved", "first", "last"),
    [
        ([60, 60], [61], 61, 120),
        ([25, 95], [26], 26, 120),
        ([95, 25], [96], 1, 95),
        ([30, 60, 30], [31, 91], 31, 90),
    ],
)
def test_the_longer_or_the_last_view_is_kept(
    tmp_path: Path, lengths: Sequence[int], moved: list[int], first: int, last: int
) -> None:
    view, numbers = kept(paint_moves(lengths).frames, tmp_path)
    assert view is not None
    assert [move.number for move in view.moves] == moved
    assert (view.first, view.last) == (first, last)
    assert numbers == tuple(range(first, last + 1))


def test_a_camera_that_is_held_in_hands_for_a_moment_was_moved_once(tmp_path: Path) -> None:
    scene = paint_moves([60, 60])
    frames = scene.frames.copy()
    for time in range(56, 60):
        frames[time] = np.roll(frames[time], 5 * (time - 55), axis=0)
    view, numbers = kept(frames, tmp_path)
    assert view is not None
    assert len(view.moves) == 1
    assert numbers[0] in range(59, 62)


def test_a_still_camera_keeps_all_frames(tmp_path: Path) -> None:
    assert kept(paint_scene(HEIGHT, WIDTH, 60).frames, tmp_path) == (None, tuple(range(1, 61)))


@pytest.mark.parametrize("reach", [2.0, 6.0])
def test_a_camera_that_shakes_was_not_moved(tmp_path: Path, reach: float) -> None:
    scene = shaken(paint_scene(HEIGHT, WIDTH, 80), random_walk(80, reach))
    assert kept(scene.frames, tmp_path)[0] is None


def test_a_camera_that_turns_slowly_was_not_moved(tmp_path: Path) -> None:
    wide = paint_scene(HEIGHT, WIDTH + 40, 80).frames
    frames = np.stack([f[:, round(t / 2) :][:, :WIDTH] for t, f in enumerate(wide)])
    assert kept(frames, tmp_path)[0] is None


def test_what_was_learned_is_told_and_fits_its_view(tmp_path: Path) -> None:
    scene = paint_moves([50, 70])
    recording = write_image_folder(tmp_path / "bumped", scene.frames)
    learned = cleanplate.learn(recording, method="candidates", out=tmp_path / "run")
    sentence = learned.provenance["view"]["sentence"]
    assert "moved at frame 51" in sentence
    assert "learned from frames 51 to 120" in sentence
    assert any(sentence[1:] in warning for warning in warnings(learned))
    assert not learned.coverage or learned.coverage["sentence"] == ""
    rest = part_of(scene, 50)
    results = learned.segment(write_image_folder(tmp_path / "rest", rest.frames))
    assert f_measure((result.mask for result in results), rest.masks) > 0.9
