"""The rim of a mask follows what single pixels show, not what windows made of it."""

from __future__ import annotations

import numpy as np
import pytest

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation import SegmentationSettings, ShadowModel
from plans import refined_of, rims_plan, segmenter_of
from scenes import paint_plate

SIZE = FrameSize(240, 320)
CALM = np.full(SIZE, 3, np.uint8)
SHARE = np.array([0.50, 0.53, 0.59])
"""Share of the red, green and blue light that the shadows of the scene leave."""
_LOG = np.log(SHARE)
MODEL = ShadowModel(
    (_LOG.mean(), _LOG[0] - _LOG.mean(), _LOG[2] - _LOG.mean()),
    ((0.0006, 0.0, 0.0), (0.0, 0.0002, 0.0), (0.0, 0.0, 0.0002)),
)
CAR = np.s_[80:140, 100:180]
CONTACT = np.s_[140:142, 100:180]
"""Two rows of shadow under the car: too thin for any window that holds nothing else."""
PERSON = np.s_[40:52, 30:34]


def plate() -> Picture:
    return paint_plate(*SIZE)


def frame(*, shade: float = 1.0, noise: float = 1.5) -> Picture:
    """A car with its shadow below it, and a person far away; shade is how deep the shadow is."""
    seen = plate().astype(np.float32)
    seen[CAR] = (210, 60, 40)
    seen[PERSON] = (230, 220, 30)
    seen[CONTACT] *= 1 - shade * (1 - SHARE)
    seen += np.random.default_rng(3).normal(0, noise, seen.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def mask_of(picture: Picture, model: ShadowModel | None = MODEL, **settings: object) -> Mask:
    chosen = SegmentationSettings.parse(settings, prefix="")
    return segmenter_of(CALM, chosen, model).segment(picture, plate())


def decided_of(mask: Mask, raw: Mask, picture: Picture) -> Mask:
    return refined_of(rims_plan(3, 45, SIZE), 54, MODEL, (mask, raw), (picture, plate()))


def truth() -> Mask:
    mask = np.zeros(SIZE, np.uint8)
    mask[CAR] = mask[PERSON] = 255
    return mask


@pytest.mark.parametrize("shade", [0.6, 1.0])
def test_the_shadow_under_a_car_leaves_the_mask(shade: float) -> None:
    picture = frame(shade=shade)
    assert (mask_of(picture, boundary_depth=0)[CONTACT] > 0).mean() > 0.9
    assert (mask_of(picture)[CONTACT] > 0).mean() < 0.1


def test_what_stays_with_its_rims_decided_is_nearly_the_truth() -> None:
    picture = frame()
    before, after = (
        np.count_nonzero(mask_of(picture, boundary_depth=rim) != truth()) for rim in (0, 3)
    )
    assert after < 0.25 * before
    assert after < 0.01 * np.count_nonzero(truth())


def test_what_is_dark_but_no_shadow_of_the_scene_keeps_its_rim() -> None:
    picture = plate()
    own = 0.45 * plate()[CAR].mean(axis=(0, 1)) * (1.3, 1.0, 0.7)
    picture[CAR] = own.astype(np.uint8)
    assert (mask_of(picture)[CAR] > 0).mean() > 0.97


def test_no_pixel_is_a_shadow_where_none_are_known_or_they_are_kept() -> None:
    picture = frame()
    for mask in (
        mask_of(picture, None),
        mask_of(picture, shadows="keep"),
        mask_of(picture, shadow_test="general"),
        mask_of(picture, shadow_deviations=0),
    ):
        assert (mask[CONTACT] > 0).mean() > 0.9


def test_a_shadow_that_leaves_the_mask_gets_its_label() -> None:
    settings = SegmentationSettings(shadows="label", min_area=0)
    cut = segmenter_of(CALM, settings, MODEL).cut(frame(), plate())
    assert cut.shadows is not None
    assert (cut.shadows[CONTACT] > 0).mean() > 0.9
    assert not (cut.shadows & cut.mask).any()
    assert np.array_equal(cut.mask, mask_of(frame(), min_area=0))


def test_an_object_that_the_frame_cuts_has_no_outline_there() -> None:
    picture = plate()
    picture[200:, 120:200] = (210, 60, 40)
    picture[-1] = plate()[-1]  # would be taken out if the last row were a rim
    mask = mask_of(picture)
    assert (mask[-1, 124:196] > 0).all()


def test_only_the_rim_changes() -> None:
    random = np.random.default_rng(1)
    mask, raw = np.zeros((2, *SIZE), np.uint8)
    mask[60:180, 60:260] = 255
    background = random.integers(0, 200, (*SIZE, 3), dtype=np.uint8)
    picture = background + random.integers(0, 25, (*SIZE, 3), dtype=np.uint8)
    plan = rims_plan(3, 45, SIZE)
    decided = refined_of(plan, 60, MODEL, (mask, raw), (picture, background))
    assert (decided[63:177, 63:257] == 255).all()
    assert not decided[mask == 0].any()  # nothing was cut off, so nothing comes back
    assert (decided != mask).any()


def test_what_is_clear_stays_though_it_is_thin() -> None:
    """An aerial, one pixel wide: the majority of 3x3 pixels would take it out."""
    picture, aerial = plate(), np.s_[74:80, 140]
    picture[CAR] = picture[aerial] = (210, 60, 40)
    mask = truth()
    mask[PERSON] = 0
    mask[aerial] = 255
    decided = decided_of(mask, mask, picture)
    assert (decided[aerial] == 255).all()
    assert np.count_nonzero(decided) <= np.count_nonzero(mask) + 2  # the corners at its foot


def test_what_the_clean_up_cut_off_comes_back_if_it_was_there_before() -> None:
    mask, raw = truth(), truth()
    cut = ([80, 80, 81], [100, 101, 100])
    mask[cut] = 0
    beside = ([80, 81], [101, 100])
    assert (decided_of(mask, raw, frame())[beside] == 255).all()
    raw[cut] = 0
    assert not decided_of(mask, raw, frame())[beside].any()


def test_nothing_is_decided_at_depth_0_or_without_foreground() -> None:
    mask, pair = truth(), (plate(), plate())
    decided = refined_of(rims_plan(0, 45, SIZE), 3, MODEL, (mask, mask), pair)
    assert np.array_equal(decided, mask)
    nothing = np.zeros_like(mask)
    assert not refined_of(rims_plan(3, 45, SIZE), 3, MODEL, (nothing, mask), pair).any()


@pytest.mark.parametrize("area", [np.s_[0:40, 0:60], np.s_[200:240, 250:320]])
def test_a_mask_in_a_corner_is_decided_as_one_in_the_middle(area: tuple[slice, slice]) -> None:
    """A window of the frame is looked at: its place must not matter."""
    rows, columns = area
    picture = plate()
    picture[rows, columns] = (210, 60, 40)
    mask = np.zeros(SIZE, np.uint8)
    grown = (
        slice(max(0, rows.start - 2), rows.stop + 2),
        slice(max(0, columns.start - 2), columns.stop + 2),
    )
    mask[grown] = 255
    exact = np.zeros(SIZE, np.uint8)
    exact[area] = 255
    decided = decided_of(mask, mask, picture)
    assert np.count_nonzero(decided != exact) <= 1  # the majority rounds a corner
