"""Whatever the settings, sizes and contents, both libraries give the same masks.

All but two primitives are exact, and given the results of those two so is the whole sequence. The
tests of shadows take means of logarithms over windows, summed in another order: they may differ
where a measure lies within rounding of its limit (a limit of 0 leaves all that is even to rounding,
and is not drawn). A background in another light may differ by a
grey level, since fields of gains are interpolated in another order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings, ShadowModel
from cleanplate.segmentation.cut import cut
from cleanplate.segmentation.opencv import ArrayOps
from cleanplate.segmentation.plan import ShadowLimits
from cleanplate.segmentation.shadows import (
    LEAST_DARKENING,
    LOG_OFFSET,
    LOOSE_COLOUR,
    LOOSE_SPREAD,
    RELIT_LIGHT,
    SMALL_WINDOW,
    WINDOW,
    ShadowTests,
)
from cleanplate.tensor_segmentation.ops import TensorOps, Views

CPU = torch.device("cpu")
MODEL = ShadowModel((-0.5, -0.02, 0.02), ((0.02, 0.0, 0.0), (0.0, 9e-4, 0.0), (0.0, 0.0, 9e-4)))
NEAR = 1e-4
"""Distance of a measure to its limit within which float32 may take it for either side."""
MOST_APART = 1e-3
"""Share of the pixels that may be so near."""


class Case(NamedTuple):
    """Frames of a scene with several views, and how they are segmented."""

    plan: SegmentationPlan
    pictures: list[Picture]
    backgrounds: list[Picture]
    noises: list[Mask]
    shadows: list[ShadowModel | None]

    def __repr__(self) -> str:
        return f"{self.plan}, {len(self.shadows)} frames"

    def array_ops(self) -> list[ArrayOps]:
        pairs = zip(self.noises, self.shadows, strict=True)
        return [ArrayOps(self.plan, noise, shadow) for noise, shadow in pairs]

    def views(self) -> tuple[Views, list[int]]:
        return Views(self.noises, self.plan, self.shadows, CPU), list(range(len(self.noises)))

    def tensors(self) -> tuple[Tensor, Tensor]:
        return planes(self.pictures), planes(self.backgrounds)


def planes(pictures: list[Picture]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def painted(size: FrameSize, seed: int, *, is_grey: bool, gain: float) -> tuple[Picture, Picture]:
    """A frame and its background: things, shadows and patches of sun before a texture."""
    random = np.random.default_rng(seed)
    texture = random.uniform(0, 60, (*size, 1)) * random.choice([0, 0.3, 1])
    level = cv2.resize(random.uniform(40, 190, (4, 5, 3)), size[::-1])
    plate = np.clip(level + texture, 0, 255)
    seen = plate.copy()
    for _ in range(random.integers(1, 6)):
        top, left = random.integers(-4, size.height), random.integers(-4, size.width)
        height, width = random.integers(3, 40, 2)
        part = np.s_[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
        match random.integers(4):
            case 0:
                seen[part] = random.uniform(0, 255, 3)
            case 1:
                seen[part] = random.uniform(0, 255, seen[part].shape)
            case 2:
                seen[part] *= random.uniform(0.3, 0.9) * np.array([0.98, 1.0, 1.04])
            case _:
                seen[part] = plate[part] * random.uniform(1.1, 2.0)
    seen = gain * seen + random.normal(0, 2, seen.shape)
    pictures = [np.clip(np.rint(each), 0, 255).astype(np.uint8) for each in (seen, plate)]
    if is_grey:
        pictures = [np.repeat(each[..., 1:2], 3, axis=2) for each in pictures]
    return pictures[0], pictures[1]


chosen_settings = st.builds(
    SegmentationSettings,
    threshold=st.floats(15, 90),
    noise_factor=st.floats(0, 4),
    low_noise_factor=st.floats(0, 4),
    blur=st.sampled_from([0, 0.5, 1.2, 3]),
    median_size=st.integers(0, 13),
    closing=st.integers(0, 15),
    boundary_depth=st.integers(0, 9),
    min_area=st.integers(0, 200),
    shadows=st.sampled_from(["drop", "keep", "label"]),
    shadow_darkest=st.floats(0.2, 0.8),
    shadow_spread=st.floats(0.02, 0.4),
    shadow_colour=st.floats(0.02, 0.5),
    shadow_test=st.sampled_from(["learned", "general"]),
    shadow_deviations=st.sampled_from([0, 1, 3, 6]),
    light=st.sampled_from(["follow", "off"]),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    size = FrameSize(draw(st.integers(16, 80)), draw(st.integers(16, 110)))
    count = draw(st.integers(1, 3))
    frames = [
        painted(
            size,
            draw(st.integers(0, 10_000)),
            is_grey=draw(st.booleans()),
            gain=draw(st.sampled_from([1, 1, 0.7, 1.3])),
        )
        for _ in range(count)
    ]
    random = np.random.default_rng(draw(st.integers(0, 100)))
    return Case(
        SegmentationPlan.of(draw(chosen_settings), size),
        [picture for picture, _ in frames],
        [background for _, background in frames],
        [random.integers(0, draw(st.integers(1, 30)), size, dtype=np.uint8) for _ in range(count)],
        [draw(st.sampled_from([None, MODEL])) for _ in range(count)],
    )


class Told(TensorOps):
    """The primitives on torch, but for the two that are not exact: those are of OpenCV."""

    def __init__(self, case: Case) -> None:
        super().__init__(*case.views())
        self._exact = case.array_ops()

    def relit(self, pictures: Tensor, backgrounds: Tensor, difference: Tensor) -> Tensor:
        seen = zip(*map(arrays, (pictures, backgrounds)), difference.numpy(), strict=True)
        lit = [ops.relit(*each) for ops, each in zip(self._exact, seen, strict=True)]
        found = planes(lit)
        return backgrounds if torch.equal(found, backgrounds) else found

    def shadow_tests(
        self, pictures: Tensor, backgrounds: Tensor, considered: Tensor
    ) -> ShadowTests:
        seen = zip(*map(arrays, (pictures, backgrounds)), masks(considered), strict=True)
        found = [ops.shadow_tests(*each) for ops, each in zip(self._exact, seen, strict=True)]
        *tests, texture, change = (np.stack(each) for each in zip(*found, strict=True))
        maps = (np.where(considered.numpy(), each, 0) for each in (texture, change))
        return ShadowTests(
            *(torch.from_numpy(each > 0) for each in tests), *map(torch.tensor, maps)
        )


def arrays(pictures: Tensor) -> list[Picture]:
    return list(np.ascontiguousarray(pictures.permute(0, 2, 3, 1).numpy()))


def masks(found: Tensor) -> list[Mask]:
    return list(found.numpy().astype(np.uint8) * np.uint8(255))


@settings(max_examples=120, deadline=None)
@given(cases())
def test_the_sequence_is_equal_bit_for_bit(case: Case) -> None:
    found = cut(case.plan, Told(case), *case.tensors())
    for at, ops in enumerate(case.array_ops()):
        mask, background, shadows = cut(case.plan, ops, case.pictures[at], case.backgrounds[at])
        np.testing.assert_array_equal(masks(found[0])[at], mask)
        np.testing.assert_array_equal(arrays(found[1])[at], background)
        assert (shadows is None) == (found[2] is None)
        if found[2] is not None:
            np.testing.assert_array_equal(masks(found[2])[at], shadows)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_without_shadows_and_light_nothing_is_inexact(case: Case) -> None:
    keeps = SegmentationSettings(shadows="keep", light="off")
    plain = SegmentationPlan.of(keeps, case.plan.size)
    exact = case._replace(plan=plain)
    found = cut(plain, TensorOps(*exact.views()), *case.tensors())[0]
    for at, ops in enumerate(exact.array_ops()):
        expected = cut(plain, ops, case.pictures[at], case.backgrounds[at])[0]
        np.testing.assert_array_equal(masks(found)[at], expected)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_shadow_tests_differ_only_where_a_measure_is_at_its_limit(case: Case) -> None:
    everywhere = np.full(case.plan.size, 255, np.uint8)
    considered = torch.ones(len(case.noises), *case.plan.size, dtype=torch.bool)
    found = TensorOps(*case.views()).shadow_tests(*case.tensors(), considered)
    for at, (ops, shadow) in enumerate(zip(case.array_ops(), case.shadows, strict=True)):
        pair = case.pictures[at], case.backgrounds[at]
        expected = ops.shadow_tests(*pair, everywhere)
        own = shadow if case.plan.uses_own_shadows else None
        is_near = near_a_limit(*pair, case.plan.shadow_limits, own)
        assert np.array_equal(expected.usable > 0, found.usable[at].numpy())
        for name in ("likely", "possible", "darker", "brighter"):
            differs = (getattr(expected, name) > 0) != getattr(found, name)[at].numpy()
            assert not (differs & ~is_near).any(), name
            assert differs.sum() <= 1 + MOST_APART * differs.size
        for name in ("texture", "change"):
            np.testing.assert_allclose(
                getattr(found, name)[at].numpy(), getattr(expected, name), atol=1e-5
            )


@settings(max_examples=60, deadline=None)
@given(cases())
def test_light_is_followed_to_a_grey_level(case: Case) -> None:
    ops = TensorOps(*case.views())
    pictures, backgrounds = case.tensors()
    difference = ops.difference(pictures, backgrounds, ops.coloured(pictures, backgrounds))
    found = arrays(ops.relit(pictures, backgrounds, difference))
    for at, exact in enumerate(case.array_ops()):
        seen = case.pictures[at], case.backgrounds[at], difference[at].numpy()
        apart = np.abs(exact.relit(*seen).astype(int) - found[at])
        assert apart.max() <= 1
        assert apart.mean() <= 0.01


def near_a_limit(
    picture: Picture, background: Picture, limits: ShadowLimits, model: ShadowModel | None
) -> Any:
    """Where a measure of the tests, in float64, is as good as at one of its limits."""
    plate = np.log(background.astype(np.float64) + LOG_OFFSET)
    ratio = np.log(picture.astype(np.float64) + LOG_OFFSET) - plate
    light, smooth = ratio.mean(axis=2), windowed(ratio, SMALL_WINDOW)
    near = smooth.mean(axis=2), variance(light, SMALL_WINDOW)
    if model is None:
        off = smooth - smooth.mean(axis=2, keepdims=True)
        shadow = windowed(light, WINDOW), variance(light, WINDOW)
        strangeness = np.abs(off).sum(axis=2) / limits.colour
    else:
        away = smooth @ model.whitening[:, :3].T.astype(np.float64) + model.whitening[:, 3]
        shadow, strangeness = near, np.linalg.norm(away, axis=2) / limits.deviations
    most, darkest = limits.variance, limits.darkest
    checks = [(shadow[0], limit) for limit in (darkest, -LEAST_DARKENING)]
    checks += [(near[0], limit) for limit in (*RELIT_LIGHT, LEAST_DARKENING, -LEAST_DARKENING)]
    checks += [(shadow[1], limit) for limit in (most, LOOSE_SPREAD**2 * most)]
    checks += [(near[1], most)]
    checks += [(strangeness, limit) for limit in (1, LOOSE_COLOUR)]
    return np.any([np.abs(values - limit) < NEAR for values, limit in checks], axis=0)


def windowed(values: Any, side: int) -> Any:
    return cv2.blur(values, (side, side))


def variance(light: Any, side: int) -> Any:
    return windowed(light * light, side) - np.square(windowed(light, side))
