"""Corruptions: they change what they say, as much as they say, and stay in the range."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from cleanplate.nn.corruption import (
    add_gaussian_noise,
    add_salt_and_pepper,
    draw_patches,
    mask_pixels,
    paste_patches,
    recolour,
    take_from_elsewhere,
)

CORRUPTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gaussian noise": lambda frames: add_gaussian_noise(frames, 0.3),
    "masking": lambda frames: mask_pixels(frames, 0.3, grain=3),
    "salt and pepper": lambda frames: add_salt_and_pepper(frames, 0.3, grain=3),
    "patches": lambda frames: paste_patches(frames, 16, recolouring=1.0),
    "other colours": lambda frames: recolour(frames, 1.0),
    "other places": take_from_elsewhere,
}
OFF: dict[str, Callable[[Tensor], Tensor]] = {
    "gaussian noise": lambda frames: add_gaussian_noise(frames, 0.0),
    "masking": lambda frames: mask_pixels(frames, 0.0),
    "salt and pepper": lambda frames: add_salt_and_pepper(frames, 0.0),
    "patches": lambda frames: paste_patches(frames, 0),
    "other colours": lambda frames: recolour(frames, 0.0),
}


def numbered_places(count: int, height: int, width: int) -> Tensor:
    """Frames whose colours say which frame, row and column a pixel is from."""
    frame, row, column = torch.meshgrid(
        *(torch.arange(side) / side for side in (count, height, width)), indexing="ij"
    )
    return torch.stack([frame, row, column], dim=1)


# All of them


@pytest.mark.parametrize("corruption", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(1, 3, 17, 23), (2, 3, 16, 16), (5, 3, 37, 20)], ids=str)
def test_frames_keep_shape_and_range_and_are_left_alone(
    corruption: str, shape: tuple[int, ...]
) -> None:
    frames = torch.rand(shape)
    before = frames.clone()
    corrupted = CORRUPTIONS[corruption](frames)
    assert torch.equal(frames, before)
    assert corrupted.shape == frames.shape
    assert corrupted.dtype == frames.dtype
    assert 0 <= float(corrupted.min()) <= float(corrupted.max()) <= 1
    assert not torch.equal(corrupted, frames)


@pytest.mark.parametrize("corruption", OFF)
def test_a_strength_of_0_changes_nothing(corruption: str) -> None:
    frames = torch.rand(2, 3, 16, 20)
    assert torch.equal(OFF[corruption](frames), frames)


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_a_corruption_follows_the_seed_and_changes_with_every_call(corruption: str) -> None:
    frames = torch.rand(3, 3, 40, 50)
    results = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        results.append(CORRUPTIONS[corruption](frames))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


# Noise


def test_gaussian_noise_has_the_given_deviation_and_no_bias() -> None:
    noise = add_gaussian_noise(torch.full((4, 3, 80, 80), 0.5), 0.1) - 0.5
    assert float(noise.std()) == pytest.approx(0.1, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("grain", [1, 4])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_masking_blackens_the_given_share_of_whole_pixels(share: float, grain: int) -> None:
    frames = torch.rand(8, 3, 160, 160) * 0.5 + 0.25
    masked = mask_pixels(frames, share, grain=grain)
    black = (masked == 0).all(dim=1)
    assert float(black.float().mean()) == pytest.approx(share, abs=0.02)
    kept = ~black[:, None].expand_as(frames)
    assert torch.equal(masked[kept], frames[kept])


@pytest.mark.parametrize("grain", [1, 4])
def test_salt_is_as_frequent_as_pepper(grain: int) -> None:
    frames = torch.full((8, 3, 160, 160), 0.5)
    corrupted = add_salt_and_pepper(frames, 0.4, grain=grain)
    for value in (0, 1):
        share = (corrupted == value).all(dim=1).float().mean()
        assert float(share) == pytest.approx(0.2, abs=0.02)
    assert float((corrupted == 0.5).float().mean()) == pytest.approx(0.6, abs=0.03)


def test_the_grain_is_the_side_of_the_squares_that_change_together() -> None:
    masked = mask_pixels(torch.ones(4, 1, 40, 60), 0.5, grain=5)
    squares = masked.view(4, 1, 8, 5, 12, 5).mean(dim=(3, 5))
    assert set(squares.unique().tolist()) == {0.0, 1.0}


# Patches


@pytest.mark.parametrize("count", [1, 4])
def test_a_patch_comes_from_another_place_and_where_it_can_from_another_frame(count: int) -> None:
    height, width = 20, 30
    places = numbered_places(count, height, width)
    for _ in range(20):
        change = (take_from_elsewhere(places) - places).abs()
        frame, row, column = change.amin(dim=(0, 2, 3)).tolist()
        assert (frame > 0) == (count > 1)
        assert row >= 0.1
        assert column >= 0.1


def test_what_is_pasted_covers_its_shape_and_nothing_else() -> None:
    frames = numbered_places(4, 40, 60)
    torch.manual_seed(3)
    opacity = draw_patches(frames, 2, size=0.5, softness=0.0)
    torch.manual_seed(3)
    pasted = paste_patches(frames, 2, size=0.5, softness=0.0, recolouring=0.0)
    is_other_frame = (pasted[:, :1] - frames[:, :1]).abs() > 0.01
    assert torch.equal(is_other_frame, opacity > 0.5)
    outside = (opacity == 0).expand_as(frames)
    assert torch.equal(pasted[outside], frames[outside])


def test_a_frame_alone_lends_patches_to_itself() -> None:
    frames = numbered_places(1, 40, 60)
    changes = [(paste_patches(frames, 4, recolouring=0.0) - frames).abs() for _ in range(10)]
    assert max(float(change.max()) for change in changes) > 0.1
    assert all(float(change[:, 0].max()) == 0 for change in changes)


def test_the_number_of_patches_is_any_from_0_to_the_most() -> None:
    frames = torch.zeros(3000, 3, 8, 8)
    opacity = draw_patches(frames, 1, size=0.5, softness=0.3)
    # Half of the frames get none; a few patches more lie between the middles of the pixels.
    assert 0.45 <= float((opacity.amax(dim=(1, 2, 3)) > 0).float().mean()) <= 0.5


def test_patches_are_no_larger_than_asked_for_and_seldom_tiny() -> None:
    frames = torch.zeros(400, 3, 40, 80)
    opacity = draw_patches(frames, 1, size=0.5, softness=0.0)[:, 0]
    rows = (opacity > 0.5).any(dim=2).sum(dim=1)
    columns = (opacity > 0.5).any(dim=1).sum(dim=1)
    assert int(rows.max()) <= 20 + 1
    assert int(columns.max()) <= 2.5 * 20 + 1
    assert int(columns.max()) > int(rows.max())
    pasted = rows[rows > 0]
    assert float((pasted >= 4).float().mean()) > 0.8


def test_edges_are_hard_or_soft_as_asked_for() -> None:
    frames = torch.zeros(100, 3, 60, 60)
    between = []
    for softness in (0.0, 1.0):
        opacity = draw_patches(frames, 2, size=0.8, softness=softness)
        between.append(float(((opacity > 0.02) & (opacity < 0.98)).float().mean()))
    assert between[0] < 0.01 < between[1]


def test_both_ellipses_and_rectangles_are_drawn() -> None:
    frames = torch.zeros(200, 3, 60, 60)
    opacity = draw_patches(frames, 1, size=0.4, softness=0.0)[:, 0] > 0.5
    fillings = []
    for patch in opacity:
        rows, columns = torch.nonzero(patch, as_tuple=True)
        inside = len(rows) and min(rows.min(), columns.min()) > 0 and max(*rows, *columns) < 59
        if inside and len(rows) > 100:
            box = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
            fillings.append(len(rows) / int(box))
    assert any(filling > 0.97 for filling in fillings)
    assert any(filling < 0.87 for filling in fillings)


def test_other_colours_differ_from_frame_to_frame_but_not_inside_one() -> None:
    colours = recolour(torch.full((6, 3, 5, 5), 0.5), 1.0)
    assert torch.equal(colours, colours[..., :1, :1].expand_as(colours))
    assert len(colours[:, 0, 0, 0].unique()) == 6
