"""The light of frames on tensors: fitted to thumbnails on the CPU, applied on the device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cleanplate.frames import FloatMap, Mask, Picture
from cleanplate.segmentation.light import CALM, Light
from cleanplate.segmentation.row_light import GAIN_FLOOR
from cleanplate.tensor_segmentation.resampling import block_means


class TensorLight:
    """Brings backgrounds into the light of their frames, as `cleanplate.segmentation.light` does.

    Only thumbnails leave the device, of a few thousand pixels, and only where much differs.

    Args:
        thresholds: Difference summed over RGB that is foreground, `(h, w)`, for each view.
        device: Where the frames are.
    """

    def __init__(self, thresholds: list[Mask], device: torch.device) -> None:
        self._lights = [Light(threshold) for threshold in thresholds]
        least = np.stack([light.least_difference for light in self._lights])
        self._least_differences = torch.from_numpy(least).to(device)

    def relit(
        self, pictures: Tensor, backgrounds: Tensor, difference: Tensor, views: list[int]
    ) -> Tensor:
        """Backgrounds in the light of the pictures; themselves where no light differs.

        Args:
            pictures: `(B, 3, h, w)`, uint8.
            backgrounds: Likewise.
            difference: Of both summed over RGB, `(B, h, w)`, uint8.
            views: Whose threshold each frame has.
        """
        agrees = (difference < self._least_differences[views]).flatten(1).sum(1).tolist()
        least = CALM * difference[0].numel()
        places = [place for place, count in enumerate(agrees) if count < least]
        if not places:
            return backgrounds
        step = self._lights[0].step
        shown, plates = (
            _as_arrays(block_means(each[places], step)) for each in (pictures, backgrounds)
        )
        lights = [self._lights[views[place]] for place in places]
        changes = [light.explain(*pair) for light, *pair in zip(lights, shown, plates, strict=True)]
        if all(part is None for change in changes for part in change):
            return backgrounds
        lit = backgrounds.clone()
        for place, light, change in zip(places, lights, changes, strict=True):
            if change.curve is not None:
                lit[place] = _tabled(lit[place], change.curve.table())
            if change.rows is not None:
                lit[place] = _gained(lit[place], change.rows, light.band)
            if change.gains is not None:
                lit[place] = _gained(lit[place], change.gains, (light.cell, light.cell))
        return lit


def _as_arrays(pictures: Tensor) -> Picture:
    return np.asarray(pictures.permute(0, 2, 3, 1).contiguous().cpu().numpy(), np.uint8)


def _tabled(picture: Tensor, table: Mask) -> Tensor:
    """A picture `(3, h, w)` whose grey levels become those of a table `(256, 3)`."""
    levels = torch.from_numpy(table).to(picture.device)
    return torch.stack([levels[:, at][channel.long()] for at, channel in enumerate(picture)])


def _gained(picture: Tensor, gains: FloatMap, cell: tuple[int, int]) -> Tensor:
    """A picture `(3, h, w)` under a soft field of gains, of which one is known for each cell."""
    height, width = picture.shape[1:]
    grid = torch.from_numpy(np.ascontiguousarray(gains.transpose(2, 0, 1))).to(picture.device)
    covered = (grid.shape[1] * cell[0], grid.shape[2] * cell[1])
    field = functional.interpolate(grid[None], covered, mode="bilinear", align_corners=False)
    rest = (0, width - covered[1], 0, height - covered[0])
    field = functional.pad(field, rest, mode="replicate")[0]
    lit = picture * field + GAIN_FLOOR * field - GAIN_FLOOR
    return lit.round_().clamp_(0, 255).to(torch.uint8)
