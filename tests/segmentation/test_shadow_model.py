"""What the shadows of a scene look like: learned from its frames, and used on others."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import relit
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation import SegmentationSettings, ShadowModel
from cleanplate.segmentation.shadow_model import ShadowSamples, learn_shadow_model
from plans import segmenter_of
from scenes import paint_plate

SIZE = FrameSize(120, 160)
CALM = np.full(SIZE, 3, np.uint8)
SHARE = np.array([0.50, 0.53, 0.59])
"""Share of the red, green and blue light that the painted shadows leave."""
MEAN, AWAY = np.log(SHARE).mean(), np.log(SHARE) - np.log(SHARE).mean()
THIN = np.s_[60:64, 20:140]


def plate() -> Picture:
    return paint_plate(*SIZE)


def darkened(area: tuple[slice, slice], share: NDArray[np.floating], *, seed: int = 0) -> Picture:
    """The plate with an area in another light, and sensor noise."""
    seen = plate().astype(np.float32)
    seen[area] *= share
    seen += np.random.default_rng(seed).normal(0, 1.5, seen.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def recording() -> list[Picture]:
    """Frames with a shadow somewhere, and something dark and smooth that is another each time."""
    random = np.random.default_rng(1)
    frames = []
    for index in range(24):
        left = int(random.integers(10, 100))
        frame = darkened(np.s_[20:40, left : left + 40], SHARE, seed=index)
        other = darkened(np.s_[80:100, left : left + 30], random.uniform(0.35, 0.8) * np.ones(3))
        frame[70:] = other[70:]
        frames.append(frame)
    return frames


@cache
def learned() -> ShadowModel:
    segmenter = segmenter_of(CALM, SegmentationSettings())
    model = learn_shadow_model([segmenter.shadow_samples(frame, plate()) for frame in recording()])
    assert model is not None
    return model


def masks(frame: Picture, **settings: object) -> tuple[Mask, Mask]:
    """Masks with the scene's own shadows, and by general limits."""
    chosen = SegmentationSettings.parse(settings, prefix="")
    first, second = (
        segmenter_of(CALM, chosen, model).segment(frame, plate()) for model in (learned(), None)
    )
    return first, second


def test_the_shadows_of_a_scene_are_found_among_dark_things() -> None:
    model = learned()
    np.testing.assert_allclose(model.mean, [MEAN, AWAY[0], AWAY[2]], atol=0.03)
    assert np.sqrt(model.covariance[0][0]) < 0.08


def test_a_thin_shadow_is_dropped_where_the_scene_s_shadows_are_known() -> None:
    by_model, by_limits = masks(darkened(THIN, SHARE))
    assert not by_model.any()
    assert (by_limits[THIN] > 0).mean() > 0.7


def test_what_is_darker_than_the_scene_s_shadows_is_foreground() -> None:
    area = np.s_[40:80, 50:110]
    by_model, by_limits = masks(darkened(area, 0.36 * np.ones(3)))
    assert (by_model[area] > 0).mean() > 0.95
    assert (by_limits[area] > 0).mean() < 0.2


def test_the_general_test_can_be_asked_for() -> None:
    frame = darkened(np.s_[40:80, 50:110], 0.36 * np.ones(3))
    by_model, by_limits = masks(frame, shadow_test="general")
    np.testing.assert_array_equal(by_model, by_limits)


def test_the_limit_is_in_deviations_of_the_scene_s_shadows() -> None:
    seen = relit.relit(tuple(SHARE), texture=0.5, is_cast=True)
    strict, loose = (
        segmenter_of(CALM, SegmentationSettings(shadow_deviations=limit), learned()).segment(
            seen.picture, seen.background
        )
        for limit in (0, 3)
    )
    assert (strict[relit.PATCH] > 0).mean() > 0.95
    assert (loose[relit.PATCH] > 0).mean() < 0.05


def test_whitening_gives_the_distance_in_deviations() -> None:
    model = ShadowModel((-0.5, 0.02, -0.01), ((0.04, 0.002, 0), (0.002, 0.003, 0), (0, 0, 0.002)))
    ratio = np.array([-0.3, -0.45, -0.52])
    away = np.array([ratio.mean(), ratio[0] - ratio.mean(), ratio[2] - ratio.mean()]) - model.mean
    expected = away @ np.linalg.inv(model.covariance) @ away
    found = model.whitening @ np.append(ratio, 1)
    assert float(found @ found) == pytest.approx(expected, rel=1e-4)


def sampled(
    colours: NDArray[np.floating], *, seen: int, is_shown: bool = True
) -> list[ShadowSamples]:
    shown = np.full(len(colours), is_shown)
    return [ShadowSamples(colours.astype(np.float32), shown, len(colours), seen)]


def crowd_and_rest(share: float, count: int = 4000) -> NDArray[np.float64]:
    """Samples of which a share is alike."""
    random = np.random.default_rng(5)
    crowd = random.normal([-0.6, 0, 0], [0.03, 0.01, 0.01], (round(share * count), 3))
    rest = random.uniform([-1.2, -0.1, -0.1], [-0.1, 0.1, 0.1], (count - len(crowd), 3))
    return random.permutation(np.concatenate([crowd, rest]))


def test_there_is_no_model_where_hardly_anything_looks_like_a_shadow() -> None:
    colours = crowd_and_rest(0.8)
    assert learn_shadow_model([]) is None
    assert learn_shadow_model(sampled(colours[:150], seen=200)) is None
    assert learn_shadow_model(sampled(colours, seen=1_000_000)) is None
    assert learn_shadow_model(sampled(colours, seen=100_000)) is not None


def test_there_is_no_model_where_little_of_what_looks_like_a_shadow_is_alike() -> None:
    assert learn_shadow_model(sampled(crowd_and_rest(0.25), seen=10_000)) is None
    model = learn_shadow_model(sampled(crowd_and_rest(0.6), seen=10_000))
    assert model is not None
    np.testing.assert_allclose(model.mean, [-0.6, 0, 0], atol=0.02)


@pytest.mark.parametrize(("light", "spread"), [(-0.6, 0.03), (-0.25, 0.12)])
@pytest.mark.parametrize("is_shown", [True, False])
def test_what_only_looks_like_a_shadow_has_to_be_far_from_no_change(
    light: float, spread: float, is_shown: bool
) -> None:
    """On snow the dark sides of cars would be the shadows that the scene has not."""
    colours = np.random.default_rng(5).normal([light, 0, 0], [spread, 0.01, 0.01], (4000, 3))
    model = learn_shadow_model(sampled(colours, seen=10_000, is_shown=is_shown))
    assert (model is not None) == (is_shown or -light > 3 * spread)


def test_texture_that_shows_through_is_asked_before_looks() -> None:
    random = np.random.default_rng(5)
    shadows = random.normal([-0.6, 0, 0], [0.03, 0.01, 0.01], (1000, 3))
    cars = random.normal([-0.3, 0, 0], [0.03, 0.01, 0.01], (4000, 3))
    both = sampled(shadows, seen=5_000) + sampled(cars, seen=20_000, is_shown=False)
    model = learn_shadow_model(both)
    assert model is not None
    np.testing.assert_allclose(model.mean, [-0.6, 0, 0], atol=0.02)


def test_what_stands_still_gives_no_samples_of_shadows() -> None:
    """A grey van that waits would be the crowd; a shadow that moves on counts."""
    segmenter = segmenter_of(CALM, SegmentationSettings())
    van, further = np.s_[20:60, 20:60], np.s_[80:100, 60:100]
    before = darkened(van, np.full(3, 0.7), seed=1)
    frame = darkened(van, np.full(3, 0.7), seed=2)
    assert segmenter.shadow_samples(frame, plate()).found > 1_000
    assert segmenter.shadow_samples(frame, plate(), before).found == 0
    frame[70:] = darkened(further, SHARE)[70:]
    samples = segmenter.shadow_samples(frame, plate(), before)
    assert 500 < samples.found <= samples.seen <= 900
    np.testing.assert_allclose(np.median(samples.colours[:, 0]), MEAN, atol=0.03)


def test_samples_are_few_however_large_the_frame() -> None:
    size = FrameSize(480, 640)
    background = cv2.resize(plate(), size[::-1], interpolation=cv2.INTER_CUBIC)
    frame = background.copy()
    frame[:, :200] = np.rint(background[:, :200] * 0.6)
    segmenter = segmenter_of(np.full(size, 3, np.uint8), SegmentationSettings())
    samples = segmenter.shadow_samples(frame, background)
    assert 1_000 < len(samples.colours) <= 2_000
    assert samples.found > 0.28 * size.pixels
    assert samples.found <= samples.seen <= size.pixels


def test_a_model_is_read_as_it_was_written() -> None:
    model = learned()
    assert ShadowModel.from_tree(model.as_tree()) == model


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"mean": [0, 0], "covariance": np.eye(3).tolist()},
        {"mean": [0, 0, 0], "covariance": np.eye(2).tolist()},
        {"mean": [0, 0, 0], "covariance": (-np.eye(3)).tolist()},
        {"mean": [0, 0, float("nan")], "covariance": np.eye(3).tolist()},
        {"mean": [0, 0, 200.0], "covariance": np.eye(3).tolist()},  # of which no factor is finite
    ],
)
def test_what_is_no_model_is_refused(tree: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"covariance|number"):
        ShadowModel.from_tree(tree)


def test_hard_shadows_are_bluer_and_learned_where_no_usual_ones_are() -> None:
    random = np.random.default_rng(2)
    hard = random.normal([-0.7, -0.22, 0.25], [0.05, 0.02, 0.02], (2000, 3))
    model = learn_shadow_model(sampled(hard, seen=40_000))
    assert model is not None
    np.testing.assert_allclose(model.mean, [-0.7, -0.22, 0.25], atol=0.02)
    usual = random.normal([-0.4, 0, 0], [0.05, 0.02, 0.02], (2000, 3))
    model = learn_shadow_model(sampled(np.concatenate([hard, usual]), seen=40_000))
    assert model is not None
    assert model.mean[0] == pytest.approx(-0.4, abs=0.03)


def test_what_is_warmer_than_its_surroundings_is_not_learned_as_a_shadow() -> None:
    random = np.random.default_rng(3)
    leaves = random.normal([-0.3, 0.04, -0.07], [0.05, 0.02, 0.02], (2000, 3))
    assert learn_shadow_model(sampled(leaves, seen=40_000)) is None
