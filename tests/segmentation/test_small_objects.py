"""A small region stays by its evidence: birds of a few pixels are found, specks are not."""

from __future__ import annotations

import numpy as np
import pytest

import relit
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation import SegmentationSettings
from plans import segmenter_of
from scenes import paint_plate

SIZE = FrameSize(240, 320)
CALM, ROUGH = np.full(SIZE, 4, np.uint8), np.full(SIZE, 40, np.uint8)
LARGE = np.s_[100:160, 100:180]


def plate() -> Picture:
    return paint_plate(*SIZE)


def bird(side: int, row: int = 40, column: int = 60) -> tuple[slice, slice]:
    return np.s_[row : row + side, column : column + side]


def with_things(*places: tuple[slice, slice], contrast: int = 90, noise: float = 2.0) -> Picture:
    """A frame with things that differ by so many grey levels in every channel."""
    seen = plate().astype(np.float32)
    for place in places:
        away = np.where(seen[place].mean() > 128, -contrast, contrast)
        seen[place] += away
    seen += np.random.default_rng(5).normal(0, noise, seen.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def mask_of(picture: Picture, noise: Mask = CALM, **settings: object) -> Mask:
    chosen = SegmentationSettings.parse(settings, prefix="")
    return segmenter_of(noise, chosen).segment(picture, plate())


@pytest.mark.parametrize("side", [3, 4, 5])
def test_a_bird_of_a_few_pixels_is_found_with_its_outline(side: int) -> None:
    mask = mask_of(with_things(bird(side)))
    assert (mask[bird(side)] > 0).mean() > 0.9
    mask[bird(side)] = 0
    assert not mask.any()


@pytest.mark.parametrize("side", [3, 4])
@pytest.mark.parametrize(
    ("contrast", "noise"),
    [pytest.param(25, CALM, id="hardly-differs"), pytest.param(90, ROUGH, id="in-rough-water")],
)
def test_what_is_no_evidence_is_a_speck(side: int, contrast: int, noise: Mask) -> None:
    assert not mask_of(with_things(bird(side), contrast=contrast), noise).any()


def test_a_single_pixel_is_never_an_object() -> None:
    assert not mask_of(with_things(bird(1), bird(2, 180, 250), contrast=120)).any()


def test_a_piece_beside_a_larger_object_is_none_of_its_own() -> None:
    beside = bird(3, 128, 186)
    assert not mask_of(with_things(LARGE, beside))[beside].any()


def test_a_piece_beside_a_patch_of_light_is_no_object() -> None:
    """Where the sun creeps over a floor, its rim differs strongly in some pixels."""
    piece, far = np.s_[58:61, 114:117], np.s_[58:61, 140:143]
    seen = relit.CHANGES["shadow"]
    picture = seen.picture.copy()
    picture[piece] = picture[far] = 20
    settings = SegmentationSettings(min_area=80)  # 20 pixels of this frame
    mask = segmenter_of(relit.CALM, settings).segment(picture, seen.background)
    assert (mask[far] > 0).all()
    assert not mask[piece].any()


def test_who_asks_for_large_objects_gets_no_small_ones() -> None:
    assert mask_of(with_things(bird(4))).any()
    assert not mask_of(with_things(bird(4)), min_area=100).any()
