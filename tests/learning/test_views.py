"""A camera that is moved within a recording: each view has a scene of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import cleanplate
from cleanplate.errors import UsageError
from cleanplate.frames import Frame
from cleanplate.learning.views import View, find_moves, learn_views, segment_views
from cleanplate.scene import Scene
from cleanplate.video import open_source
from moves import PAN, RATE, f_measure, paint_moves, part_of
from scenes import PaintedScene, write_image_folder
from video.video_samples import write_movie

BEFORE, AFTER = 40, 145
MOVED = paint_moves([BEFORE, AFTER])
LOOK = 10
"""Frames between two looks."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("moved"), MOVED.frames)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A scene of the view before the first move."""
    return learned_from(part_of(MOVED, 0, BEFORE), tmp_path_factory.mktemp("still"))


@pytest.fixture(scope="module")
def views(
    scene: Scene, recording: Path, tmp_path_factory: pytest.TempPathFactory
) -> Sequence[View]:
    return learn_views(scene, recording, out=tmp_path_factory.mktemp("views") / "scenes")


def learned_from(painted: PaintedScene, folder: Path) -> Scene:
    return cleanplate.learn(write_image_folder(folder, painted.frames), method="median")


def test_the_frames_after_a_move_are_as_good_as_if_learned_there(
    scene: Scene, views: Sequence[View], recording: Path, tmp_path: Path
) -> None:
    results = list(segment_views(views, recording))
    assert [result.number for result in results] == list(range(1, len(MOVED) + 1))
    assert [result.time for result in results] == [i / RATE for i in range(len(MOVED))]

    direct = learned_from(part_of(MOVED, BEFORE), tmp_path)
    there = [result.mask for result in direct.segment(recording)]
    without = [result.mask for result in scene.segment(recording)]
    masks = [result.mask for result in results]
    after = slice(BEFORE + LOOK, None)
    truth = MOVED.masks[after]
    assert f_measure(masks[after], truth) > f_measure(there[after], truth) - 0.02
    assert f_measure(masks[after], truth) > 0.9
    assert f_measure(without[after], truth) < 0.6
    assert np.array_equal(masks[:BEFORE], without[:BEFORE]), "nothing changes before the move"


def test_a_view_says_when_it_begins_and_where_its_scene_is(
    scene: Scene, views: Sequence[View]
) -> None:
    first, second = views
    assert first.scene is scene
    assert (first.move, first.folder, first.is_learned) == (None, None, False)
    assert second.is_learned
    assert second.move is not None
    assert BEFORE < second.move.number <= BEFORE + LOOK
    assert second.move.reach == pytest.approx(PAN, abs=0.5)
    assert second.folder is not None
    assert second.folder.parts[-2:] == ("scenes", f"{second.move.number:06d}")
    loaded = cleanplate.load(second.folder)
    assert np.array_equal(loaded.plate, second.scene.plate)
    assert loaded.settings == scene.settings
    source = loaded.provenance["input"]
    assert source["frames"] == len(MOVED) - second.move.number + 1
    assert source["first_time"] == pytest.approx(second.move.time)


@pytest.mark.slow
def test_every_move_has_a_scene_but_a_view_that_is_too_short(tmp_path: Path) -> None:
    painted = paint_moves([BEFORE, 190, 210, 110])
    recording = write_movie(tmp_path / "moves.avi", list(painted.frames))
    scene = learned_from(part_of(painted, 0, BEFORE), tmp_path / "still")
    views = learn_views(scene, recording)
    starts = [view.move.number for view in views if view.move]
    assert len(starts) == 3
    for start, truth in zip(starts, (BEFORE, BEFORE + 190, BEFORE + 400), strict=True):
        assert truth < start <= truth + LOOK
    assert [view.is_learned for view in views] == [False, True, True, False]
    assert views[3].scene is views[2].scene
    masks = [result.mask for result in segment_views(views, recording)]
    assert len(masks) == len(painted)
    for first, end in ((BEFORE + LOOK, BEFORE + 190), (BEFORE + 200, BEFORE + 400)):
        assert f_measure(masks[first:end], painted.masks[first:end]) > 0.9


def test_a_camera_that_stands_still_has_one_view(scene: Scene, tmp_path: Path) -> None:
    still = part_of(MOVED, 0, BEFORE)
    folder = write_image_folder(tmp_path, np.concatenate([still.frames] * 3))
    told: list[str] = []
    views = learn_views(scene, folder, progress=lambda stage, *_: told.append(stage))
    assert [view.scene for view in views] == [scene]
    assert set(told) == {"looking for moves"}, "nothing is learned"


def test_looking_for_moves_decodes_a_picture_in_ten(
    scene: Scene, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, decoded = open_source(recording), []
    read = counting(decoded)
    monkeypatch.setattr("cleanplate.video.pictures.images.read_content", read)
    find_moves(scene, source)
    assert len(MOVED) // (LOOK + 1) < len(decoded) <= len(MOVED) // LOOK + 1


def counting(decoded: list[Path]) -> Callable[[Path], object]:
    from cleanplate.video.pictures.images import read_content

    def read(path: Path) -> object:
        decoded.append(path)
        return read_content(path)

    return read


def test_frames_that_come_only_once_are_refused(scene: Scene) -> None:
    def camera() -> list[Frame]:
        return [Frame(0, 1, 0.0, MOVED.frames[0])]

    for call in (lambda: learn_views(scene, camera()), lambda: list(segment_views([], camera()))):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"come only once.*a recording that can be read again"):
            call()


def test_a_learned_view_can_be_part_of_an_open_recording(recording: Path) -> None:
    part = open_source(recording).part(BEFORE + 1)
    learned = cleanplate.learn(part, method="median")
    assert learned.provenance["input"]["frames"] == AFTER
    truth: PaintedScene = part_of(MOVED, BEFORE)
    assert np.abs(learned.plate.astype(int) - truth.backgrounds[0]).mean() < 3
