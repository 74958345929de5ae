"""From a frame and its background to a mask, with shadows and at every size."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cleanplate.errors import FrameSizeError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation import SegmentationSettings
from plans import segmenter_of
from scenes import paint_plate, paint_scene

SIZE = FrameSize(240, 320)
DEFAULT = SegmentationSettings()
CALM = np.full(SIZE, 3, np.uint8)


def plate(size: FrameSize = SIZE) -> Picture:
    return paint_plate(*size)


def with_patch(
    picture: Picture, patch: Picture | tuple[int, int, int], area: tuple[slice, slice]
) -> Picture:
    changed = picture.copy()
    changed[area] = patch
    return changed


def middle_of(size: FrameSize) -> tuple[slice, slice]:
    """The middle third of a frame."""
    return tuple(slice(side // 3, 2 * side // 3) for side in size)  # type: ignore[return-value]


def iou(mask: Mask, area: tuple[slice, slice]) -> float:
    truth = np.zeros(mask.shape, bool)
    truth[area] = True
    found = mask > 0
    return float((truth & found).sum() / (truth | found).sum())


def test_an_object_is_found_where_it_is() -> None:
    area = middle_of(SIZE)
    frame = with_patch(plate(), (240, 30, 20), area)
    assert iou(segmenter_of(CALM, DEFAULT).segment(frame, plate()), area) > 0.93


def test_a_frame_that_is_its_background_has_no_foreground() -> None:
    assert not segmenter_of(CALM, DEFAULT).segment(plate(), plate()).any()


def test_noise_alone_is_no_foreground() -> None:
    scene = paint_scene(240, 320, 2, noise=3, squares=0)
    mask = segmenter_of(CALM, DEFAULT).segment(scene.frames[0], scene.backgrounds[0])
    assert not mask.any()


def test_a_mask_is_of_the_frames_size_and_holds_only_0_and_255() -> None:
    scene = paint_scene(61, 83, 6, drift=60, noise=6)
    segmenter = segmenter_of(np.zeros(scene.size, np.uint8), DEFAULT)
    for frame in scene.frames:
        mask = segmenter.segment(frame, scene.backgrounds[0])
        assert mask.dtype == np.uint8
        assert mask.shape == (61, 83)
        assert set(np.unique(mask)) <= {0, 255}


def test_the_squares_of_a_painted_scene_are_found() -> None:
    scene = paint_scene(96, 128, 12)
    segmenter = segmenter_of(np.full(scene.size, 3, np.uint8), DEFAULT)
    wrong = [
        float((segmenter.segment(frame, background) != mask).mean())
        for frame, background, mask in zip(
            scene.frames, scene.backgrounds, scene.masks, strict=True
        )
    ]
    assert scene.masks.any()
    assert max(wrong) < 0.03


def test_the_same_frame_gives_the_same_mask_whatever_came_before() -> None:
    scene = paint_scene(64, 96, 8)
    noise = np.full(scene.size, 3, np.uint8)
    segmenter = segmenter_of(noise, DEFAULT)
    pairs = list(zip(scene.frames, scene.backgrounds, strict=True))
    forwards = [segmenter.segment(*pair) for pair in pairs]
    backwards = [segmenter.segment(*pair) for pair in pairs[::-1]][::-1]
    alone = [segmenter_of(noise, DEFAULT).segment(*pair) for pair in pairs]
    for first, second, third in zip(forwards, backwards, alone, strict=True):
        assert np.array_equal(first, second)
        assert np.array_equal(first, third)


def test_frame_and_background_are_left_alone() -> None:
    frame = with_patch(plate(), (240, 30, 20), middle_of(SIZE))
    background = plate()
    copies = frame.copy(), background.copy()
    segmenter_of(CALM, DEFAULT).segment(frame, background)
    assert np.array_equal(frame, copies[0])
    assert np.array_equal(background, copies[1])


@pytest.mark.parametrize("wrong", ["frame", "background"])
def test_another_size_is_refused(wrong: str) -> None:
    fits, other = plate(), plate(FrameSize(100, 100))
    pair = (other, fits) if wrong == "frame" else (fits, other)
    with pytest.raises(FrameSizeError, match=f"^{wrong} of 100x100 for a scene of 320x240; give"):
        segmenter_of(CALM, DEFAULT).segment(*pair)


def test_a_threshold_of_255_never_fires() -> None:
    settings = SegmentationSettings(threshold=255, blur=0, shadows="keep")
    black, white = np.zeros((*SIZE, 3), np.uint8), np.full((*SIZE, 3), 255, np.uint8)
    assert not segmenter_of(np.zeros(SIZE, np.uint8), settings).segment(white, black).any()


def test_what_differs_by_more_than_the_threshold_and_only_that_is_foreground() -> None:
    raw = SegmentationSettings(
        threshold=30,
        noise_factor=2,
        low_noise_factor=2,
        blur=0,
        median_size=0,
        closing=0,
        boundary_depth=0,
        min_area=0,
        shadows="keep",
        light="off",
    )
    noise = np.zeros(SIZE, np.uint8)
    noise[:, 160:] = 10
    background = np.full((*SIZE, 3), 100, np.uint8)
    frame = background.copy()
    frame[..., 1] += np.arange(240, dtype=np.uint8)[:, None] // 3  # 0 to 79 down the frame
    mask = segmenter_of(noise, raw).segment(frame, background)
    difference = frame[..., 1].astype(int) - 100
    assert np.array_equal(mask > 0, difference > np.where(noise == 10, 50, 30))


def test_a_pixel_that_sways_raises_its_threshold() -> None:
    area = middle_of(SIZE)
    noise = CALM.copy()
    frame = with_patch(plate(), plate()[area] + np.uint8(30), area)  # 90 summed over RGB
    all_that_differs = SegmentationSettings(shadows="keep")
    assert iou(segmenter_of(noise, all_that_differs).segment(frame, plate()), area) > 0.9
    noise[area] = 40
    assert not segmenter_of(noise, all_that_differs).segment(frame, plate()).any()


@pytest.mark.parametrize(("clear_share", "is_whole"), [(0.7, True), (0.3, False)])
def test_where_half_of_a_region_is_clear_the_faint_rest_belongs_to_it(
    clear_share: float, is_whole: bool
) -> None:
    rows, columns = middle_of(SIZE)
    noise = np.full(SIZE, 20, np.uint8)  # 105 is clear, 55 is weak
    border = columns.start + round(clear_share * (columns.stop - columns.start))
    clear, weak = (rows, slice(columns.start, border)), (rows, slice(border, columns.stop))
    background = np.full((*SIZE, 3), 100, np.uint8)
    frame = with_patch(background, (100, 220, 100), clear)
    frame = with_patch(frame, (100, 180, 100), weak)
    alone = with_patch(background, (100, 180, 100), weak)
    segmenter = segmenter_of(noise, DEFAULT)
    assert iou(segmenter.segment(frame, background), middle_of(SIZE) if is_whole else clear) > 0.9
    assert not segmenter.segment(alone, background).any()
    strict = SegmentationSettings(low_noise_factor=DEFAULT.noise_factor)
    assert iou(segmenter_of(noise, strict).segment(frame, background), clear) > 0.9


@pytest.mark.parametrize(("shown_in_gap", "is_closed"), [(0, False), (12, True)])
def test_a_gap_closes_unless_the_plain_scene_shows_in_it(
    shown_in_gap: int, is_closed: bool
) -> None:
    background = np.full((*SIZE, 3), 100, np.uint8)
    frame = background.copy()
    frame[80:160, 100:200] = (240, 30, 20)
    frame[80:160, 147:153] = 100 + shown_in_gap  # 36 over RGB: less than the threshold
    settings = SegmentationSettings(blur=0, median_size=0, shadows="keep")
    mask = segmenter_of(np.zeros(SIZE, np.uint8), settings).segment(frame, background)
    assert mask[90:150, 100:147].all()
    assert (mask[90:150, 147:153] > 0).all() == is_closed
    assert (mask[90:150, 147:153] > 0).any() == is_closed


@pytest.mark.parametrize("scale", [0.5, 1, 2, 3])
def test_an_object_is_found_alike_at_every_size_and_a_speck_at_none(scale: float) -> None:
    size = FrameSize(round(240 * scale), round(320 * scale))
    area = middle_of(size)
    speck = (slice(0, round(5 * scale)), slice(0, round(5 * scale)))  # 25 of the 40 pixels
    frame = with_patch(plate(size), (240, 30, 20), area)
    faint = np.clip(frame[speck].astype(np.int16) + 25, 0, 255).astype(np.uint8)
    frame = with_patch(frame, faint, speck)
    mask = segmenter_of(np.full(size, 3, np.uint8), DEFAULT).segment(frame, plate(size))
    assert iou(mask, area) > 0.9
    assert not mask[: size.height // 6, : size.width // 6].any()


# Shadows


def in_shadow(background: Picture, share: float, area: tuple[slice, slice]) -> Picture:
    return with_patch(background, np.rint(background[area] * share).astype(np.uint8), area)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("share", [0.45, 0.6, 0.8])
def test_a_cast_shadow_is_dropped(share: float, scale: int) -> None:
    size = FrameSize(240 * scale, 320 * scale)
    frame = in_shadow(plate(size), share, middle_of(size))
    segmenter = segmenter_of(np.full(size, 3, np.uint8), DEFAULT)
    assert not segmenter.segment(frame, plate(size)).any()


def test_a_shadow_is_kept_where_the_user_wants_it() -> None:
    area = middle_of(SIZE)
    frame = in_shadow(plate(), 0.6, area)
    settings = SegmentationSettings(shadows="keep")
    assert iou(segmenter_of(CALM, settings).segment(frame, plate()), area) > 0.9


def textured_object(background: Picture, area: tuple[slice, slice]) -> Picture:
    """Something with the mean of the shadow of 0.6, but stripes of its own."""
    shadow = background[area].astype(np.float32) * 0.6
    stripes = np.where(np.arange(shadow.shape[1]) // 4 % 2, 1.5, 0.5)[None, :, None]
    own = shadow.mean(axis=(0, 1)) * np.broadcast_to(stripes, shadow.shape)
    own *= shadow.mean() / own.mean()
    return with_patch(background, np.rint(own).astype(np.uint8), area)


def test_a_darker_object_with_a_texture_of_its_own_is_no_shadow() -> None:
    area = middle_of(SIZE)
    mask = segmenter_of(CALM, DEFAULT).segment(textured_object(plate(), area), plate())
    assert iou(mask, area) > 0.8


def test_a_darker_object_of_another_colour_is_no_shadow() -> None:
    area = middle_of(SIZE)
    tinted = plate()[area].mean(axis=(0, 1)) * np.array([0.95, 0.4, 0.4])
    frame = with_patch(plate(), tuple(map(round, tinted.tolist())), area)
    mask = segmenter_of(CALM, DEFAULT).segment(frame, plate())
    assert iou(mask, area) > 0.9


def test_a_black_object_is_darker_than_any_shadow() -> None:
    area = middle_of(SIZE)
    mask = segmenter_of(CALM, DEFAULT).segment(with_patch(plate(), (5, 5, 5), area), plate())
    assert iou(mask, area) > 0.9


def test_a_brighter_object_is_no_shadow() -> None:
    area = middle_of(SIZE)
    mask = segmenter_of(CALM, DEFAULT).segment(with_patch(plate(), (230, 225, 228), area), plate())
    assert iou(mask, area) > 0.9


def test_dropping_shadows_only_takes_away_from_a_mask_before_it_is_cleaned() -> None:
    raw = {"median_size": 0, "closing": 0, "min_area": 0}
    frame = in_shadow(textured_object(plate(), middle_of(SIZE)), 0.7, (slice(0, 60), slice(0, 60)))
    with_shadows, without = (
        segmenter_of(CALM, SegmentationSettings(shadows=how, **raw)).segment(frame, plate())
        for how in ("keep", "drop")
    )
    assert not (without & ~with_shadows).any()
    assert without.any()


def test_masks_need_no_torch() -> None:
    code = (
        "import numpy as np, sys\n"
        "from cleanplate.frames import FrameSize\n"
        "from cleanplate.segmentation import SegmentationPlan, SegmentationSettings, Segmenter\n"
        "picture = np.zeros((32, 32, 3), np.uint8)\n"
        "plan = SegmentationPlan.of(SegmentationSettings(), FrameSize(32, 32))\n"
        "segmenter = Segmenter(np.zeros((32, 32), np.uint8), plan)\n"
        "segmenter.segment(picture + np.uint8(200), picture)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
