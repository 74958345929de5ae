"""Shadows and patches of light are told from objects by what speaks for them."""

from __future__ import annotations

import numpy as np
import pytest

import relit
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.difference import is_grey
from cleanplate.segmentation.shadow_model import learn_shadow_model
from plans import segmenter_of
from relit import CALM, PATCH, agreement

DEFAULT = SegmentationSettings()


def mask_of(seen: relit.Seen, settings: SegmentationSettings = DEFAULT) -> relit.Mask:
    return segmenter_of(CALM, settings).segment(seen.picture, seen.background)


@pytest.mark.parametrize("name", relit.OBJECTS)
def test_an_even_thing_is_an_object_whatever_share_of_the_light_it_shows(name: str) -> None:
    seen = relit.OBJECTS[name]
    assert agreement(mask_of(seen), seen.truth) > 0.93


@pytest.mark.parametrize("name", relit.CHANGES)
def test_the_background_in_another_light_is_none(name: str) -> None:
    seen = relit.CHANGES[name]
    mask = mask_of(seen)
    assert (mask[PATCH] > 0).mean() < 0.16
    assert ((mask > 0) & (seen.truth == 0)).mean() < 0.02
    if seen.truth.any():
        assert (mask[seen.truth > 0] > 0).mean() > 0.97


@pytest.mark.parametrize("name", ["shadow", "sun"])
def test_what_is_lit_otherwise_is_kept_where_the_user_wants_it(name: str) -> None:
    mask = mask_of(relit.CHANGES[name], SegmentationSettings(shadows="keep"))
    assert (mask[PATCH] > 0).mean() > 0.9


@pytest.mark.parametrize(("name", "is_shadow"), [("shadow", True), ("sun", False)])
def test_only_what_is_darker_gets_the_label_of_a_shadow(name: str, is_shadow: bool) -> None:
    seen = relit.CHANGES[name]
    segmenter = segmenter_of(CALM, SegmentationSettings(shadows="label"))
    shadows = segmenter.cut(seen.picture, seen.background).shadows
    assert shadows is not None
    assert (shadows[PATCH] > 0).mean() > 0.8 if is_shadow else not shadows.any()


def test_a_shadow_on_an_even_floor_needs_what_casts_it() -> None:
    alone, cast = (relit.relit(0.6, texture=0.3, is_cast=is_cast) for is_cast in (False, True))
    assert (mask_of(alone)[PATCH] > 0).mean() > 0.9
    assert (mask_of(cast)[PATCH] > 0).mean() < 0.16


def test_what_casts_a_shadow_may_be_out_of_the_picture() -> None:
    plate = relit.floor(texture=0.5)
    painted = plate.copy()
    painted[:, :40] *= 0.6
    seen = relit.seen(painted, plate, np.zeros(relit.SIZE, np.uint8))
    assert not mask_of(seen)[:, :37].any()


@pytest.mark.parametrize("name", ["dark on a grey camera", "dark part, grey"])
def test_nothing_is_learned_of_shadows_where_nothing_speaks_for_one(name: str) -> None:
    seen = relit.OBJECTS[name]
    sample = segmenter_of(CALM, DEFAULT).shadow_samples(seen.picture, seen.background)
    assert not sample.found
    assert learn_shadow_model([sample] * 10) is None


def test_shadows_whose_texture_shows_through_are_learned_from() -> None:
    seen = relit.CHANGES["shadow"]
    sample = segmenter_of(CALM, DEFAULT).shadow_samples(seen.picture, seen.background)
    model = learn_shadow_model([sample] * 10)
    assert model is not None
    assert model.mean[0] == pytest.approx(np.log(0.6), abs=0.05)
    grey = relit.CHANGES["shadow, grey"]
    assert not segmenter_of(CALM, DEFAULT).shadow_samples(grey.picture, grey.background).found


def test_a_camera_without_colours_is_known_in_each_frame() -> None:
    colour, grey = relit.CHANGES["shadow"], relit.CHANGES["shadow, grey"]
    assert not is_grey(*colour[:2])
    assert is_grey(*grey[:2])
    assert not is_grey(colour.picture, grey.background)
    stamped = grey.picture.copy()
    stamped[:4, :40] = (255, 220, 0)  # the time of day in yellow
    assert is_grey(stamped, grey.background)
