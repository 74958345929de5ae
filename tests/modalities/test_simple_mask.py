"""The mask of a simple method: what stands out from the plate, in whatever light."""

from __future__ import annotations

import numpy as np
import pytest

from cleanplate.frames import FloatMap, Mask, Modality, Picture
from cleanplate.modalities import MaskReader, MaskSettings, ModalitySettings, open_reader
from scenes import PaintedScene, paint_plate, paint_scene

SOURCES = ("median", "mog2")


def read_masks(
    pictures: Picture, plate: Picture, source: str = "median", **settings: object
) -> FloatMap:
    reader = MaskReader(MaskSettings.parse({"source": source, **settings}), plate)
    return np.stack([reader.read(picture, index)[0] for index, picture in enumerate(pictures)])


def visited(count: int = 6) -> tuple[Picture, Picture, Mask]:
    """Frames with a bright square that moves right, their plate, and where the square is."""
    plate = paint_plate(48, 64)
    pictures = np.repeat(plate[None], count, axis=0)
    masks = np.zeros(pictures.shape[:3], np.uint8)
    for index in range(count):
        place = (index, slice(16, 32), slice(4 + 6 * index, 20 + 6 * index))
        pictures[place] = 255 - pictures[place] // 3
        masks[place] = 1
    return pictures, plate, masks


def overlap(found: FloatMap, truth: Mask) -> float:
    """Intersection over union."""
    return float(np.minimum(found, truth).sum() / np.maximum(found, truth).sum())


@pytest.mark.parametrize("source", SOURCES)
def test_the_mask_is_where_the_square_is(source: str) -> None:
    pictures, plate, truth = visited()
    masks = read_masks(pictures, plate, source, dilation=0)
    assert masks.dtype == np.float32
    assert set(np.unique(masks)) == {0, 1}
    assert overlap(masks, truth) > 0.75


@pytest.mark.parametrize("source", SOURCES)
def test_the_mask_grows_to_each_side_by_half_of_the_dilation(source: str) -> None:
    pictures, plate, _ = visited()
    thin, thick = (read_masks(pictures, plate, source, dilation=side) for side in (0, 7))
    assert thin[:, 20:28].any(axis=1)[0].nonzero()[0].min() == pytest.approx(
        thick[:, 20:28].any(axis=1)[0].nonzero()[0].min() + 3, abs=0
    )
    assert (thick >= thin).all()


@pytest.mark.parametrize("source", SOURCES)
def test_an_empty_scene_has_an_empty_mask_from_its_first_frame_on(source: str) -> None:
    scene = paint_scene(48, 64, 10, squares=0)
    assert not read_masks(scene.frames, scene.start_plate(), source).any()


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("change", [-40, 40])
def test_the_light_is_no_foreground(source: str, change: int) -> None:
    pictures, plate, truth = visited()
    lit = np.clip(pictures.astype(int) + change, 0, 255).astype(np.uint8)
    masks = read_masks(lit, plate, source, dilation=0)
    assert masks[truth == 0].mean() < 0.05
    assert masks[truth == 1].mean() > 0.8


def test_a_higher_threshold_finds_less() -> None:
    scene = paint_scene(48, 64, 8)
    areas = [
        read_masks(scene.frames, scene.start_plate(), threshold=threshold).mean()
        for threshold in (30, 90, 200)
    ]
    assert areas[0] > areas[1] > areas[2]


@pytest.mark.parametrize("source", SOURCES)
def test_a_fresh_reader_gives_the_same_masks(source: str) -> None:
    scene = paint_scene(48, 64, 12)
    first, second = (read_masks(scene.frames, scene.start_plate(), source) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("source", "before"), [("median", 0), ("mog2", None)])
def test_a_reader_says_how_many_frames_it_has_to_see(source: str, before: int | None) -> None:
    settings = ModalitySettings.parse({"mask": {"source": source}})
    reader = open_reader(Modality.MASK, settings, paint_plate(48, 64))
    assert reader.frames_before == before


def test_the_difference_to_the_plate_needs_no_memory() -> None:
    scene = paint_scene(48, 64, 8)
    whole = read_masks(scene.frames, scene.start_plate())
    np.testing.assert_array_equal(read_masks(scene.frames[5:6], scene.start_plate())[0], whole[5])


def test_mog2_does_not_take_in_at_once_what_stops() -> None:
    pictures, plate, truth = visited(2)
    standing = np.repeat(pictures[1:], 12, axis=0)
    masks = read_masks(standing, plate, "mog2", dilation=0)
    assert masks[-1][truth[1] == 1].mean() > 0.8


def test_masks_of_a_painted_scene_cover_its_squares() -> None:
    scene: PaintedScene = paint_scene(48, 64, 20, drift=25, squares=1)
    masks = read_masks(scene.frames, scene.start_plate())
    assert masks[scene.masks > 0].mean() > 0.9
    assert masks[scene.masks == 0].mean() < 0.15
