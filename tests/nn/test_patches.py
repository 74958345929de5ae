"""Patches of every size of frame: cut, blended without seams, with weights of their own."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from cleanplate.frames import FrameSize
from cleanplate.nn.patches import (
    Codes,
    PatchDecoder,
    PatchEncoder,
    PatchGrid,
    patch_side_for,
    patch_window,
)

SIZES = [
    *(FrameSize(8, 8), FrameSize(16, 16), FrameSize(37, 53), FrameSize(53, 37)),
    *(FrameSize(64, 64), FrameSize(17, 130), FrameSize(120, 160)),
]
OVERLAPS = [0.0, 0.25, 0.5]


def grid_of(size: FrameSize, overlap: float = 0.5, side: int = 16) -> PatchGrid:
    return PatchGrid(size, side=side, overlap=overlap)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("side", [16, 32])
def test_what_is_cut_and_blended_is_what_it_was(size: FrameSize, overlap: float, side: int) -> None:
    grid, maps = grid_of(size, overlap, side), torch.rand(2, 3, *size)
    patches = grid.cut(maps)
    assert patches.shape == (2, grid.count * 3, side, side)
    assert torch.allclose(grid.blend(patches), maps, atol=1e-6)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_patch_is_the_piece_of_the_map_at_its_place(size: FrameSize) -> None:
    grid, maps = grid_of(size, overlap=0.25), torch.rand(1, 2, *size)
    patches = grid.cut(maps).view(grid.rows, grid.columns, 2, grid.side, grid.side)
    row, column = grid.rows // 2, grid.columns // 2
    top, left = row * grid.stride, column * grid.stride
    piece = maps[0, :, top : top + grid.side, left : left + grid.side]
    height, width = piece.shape[-2:]
    assert torch.equal(patches[row, column, :, :height, :width], piece)


@pytest.mark.parametrize("overlap", [4, 8, 16])
def test_a_window_and_its_neighbour_add_up_to_1(overlap: int) -> None:
    line = patch_window(32, overlap).diagonal().sqrt()
    assert torch.allclose(line[:overlap] + line[-overlap:], torch.ones(overlap), atol=1e-6)
    assert torch.equal(line, line.flip(0))
    assert float(line[0]) < 0.1
    assert torch.all(line[overlap : 32 - overlap] == 1)


@pytest.mark.parametrize(("overlap", "most"), [(0.5, 0.4), (0.25, 0.8), (0.0, 10.0)])
def test_patches_that_disagree_fade_into_each_other(overlap: float, most: float) -> None:
    grid = grid_of(FrameSize(64, 96), overlap)
    greys = torch.arange(grid.columns).expand(grid.rows, -1).flatten().float()
    blended = grid.blend(greys.view(1, -1, 1, 1).expand(-1, -1, 16, 16))
    steps = [float(blended[0, 0, 30, k + 1] - blended[0, 0, 30, k]) for k in range(95)]
    # A hard tiling makes the whole step of 1 between two pixels; a ramp over the overlap does not.
    assert max(steps) < most
    assert (max(steps) > 0.99) == (overlap == 0)
    assert all(after >= before - 1e-6 for before, after in pairwise(blended[0, 0, 30].tolist()))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("codes", ["shared", "per_patch"])
@pytest.mark.parametrize("side", [16, 32])
def test_codes_and_patches_fit_every_frame(size: FrameSize, codes: Codes, side: int) -> None:
    grid = grid_of(size, 0.25, side)
    encoder = PatchEncoder(grid, width=4, codes=codes, latent_dim=5)
    decoder = PatchDecoder(grid, width=4, codes=codes, latent_dim=5)
    found = encoder(grid.cut(torch.rand(3, 3, *size)))
    assert found.shape == (3, 5 * (grid.count if codes == "per_patch" else 1), 1, 1)
    assert grid.blend(decoder(found)).shape == (3, 3, *size)


def places_that_change(codes: Codes) -> Tensor:
    """Patches `(rows, columns)` that are drawn otherwise when only the first patch is."""
    grid = grid_of(FrameSize(48, 64), overlap=0.0)
    encoder = PatchEncoder(grid, width=4, codes=codes, latent_dim=3)
    decoder = PatchDecoder(grid, width=4, codes=codes, latent_dim=3)
    frame = torch.rand(1, 3, 48, 64)
    other = frame.clone()
    other[..., :16, :16] = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        before, after = (decoder(encoder(grid.cut(each))) for each in (frame, other))
    change = (before - after).abs().unflatten(1, (grid.count, -1)).amax(dim=(0, 2, 3, 4))
    return change.view(grid.rows, grid.columns) > 0


def test_a_code_of_its_own_knows_nothing_of_other_places() -> None:
    changed = places_that_change("per_patch")
    assert changed[0, 0]
    assert int(changed.sum()) == 1


def test_a_shared_code_carries_what_one_place_sees_to_all_others() -> None:
    assert bool(places_that_change("shared").all())


@pytest.mark.parametrize("codes", ["shared", "per_patch"])
def test_every_place_has_weights_of_its_own(codes: Codes) -> None:
    grid = grid_of(FrameSize(32, 48), overlap=0.0)
    encoder = PatchEncoder(grid, width=4, codes=codes, latent_dim=3)
    same_everywhere = torch.rand(1, 3, 16, 16).repeat(1, grid.count, 1, 1)
    features = encoder.features(same_everywhere)[0].unflatten(1, (grid.count, -1))[0]
    assert all(not torch.allclose(one, other) for one, other in pairwise(features))


def test_a_patch_is_about_a_quarter_of_the_shorter_side_or_a_half_with_its_own_code() -> None:
    sizes = [FrameSize(8, 8), FrameSize(48, 64), FrameSize(120, 160), FrameSize(1280, 720)]
    assert [patch_side_for(size, "shared") for size in sizes] == [16, 16, 32, 128]
    assert [patch_side_for(size, "per_patch") for size in sizes] == [16, 32, 64, 256]
