"""The primitives of the segmentation, as `cleanplate.segmentation.ops.Ops` describes them."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.frames import Mask
from cleanplate.segmentation import SegmentationPlan, ShadowModel
from cleanplate.segmentation.difference import GREY_LEVELS, GREY_STEP, IN_GREY, MOST_COLOURED
from cleanplate.segmentation.shadow_model import loss_of_light
from cleanplate.segmentation.shadows import ShadowTests
from cleanplate.tensor_segmentation import filters
from cleanplate.tensor_segmentation.light import TensorLight
from cleanplate.tensor_segmentation.regions import TensorPixels, TensorRegions
from cleanplate.tensor_segmentation.shadows import shadow_tests


class Views:
    """What is known of some views of one size, on one device.

    Args:
        noises: Noise of each pixel, `(h, w)`, uint8, grey levels summed over RGB, of each view.
        plan: Of the masks.
        shadows: What each view's shadows look like; None: not known.
        device: Where the frames are.
    """

    def __init__(
        self,
        noises: Sequence[Mask],
        plan: SegmentationPlan,
        shadows: Sequence[ShadowModel | None],
        device: torch.device,
    ) -> None:
        thresholds = [plan.thresholds(noise) for noise in noises]
        weak = [each for noise in noises if (each := plan.low_thresholds(noise)) is not None]
        self.limits = plan.shadow_limits
        self.thresholds = _on(device, thresholds)
        self.low_thresholds = _on(device, weak) if weak else None
        self.strong_thresholds = _on(device, [plan.strong_thresholds(noise) for noise in noises])
        self.light = TensorLight(thresholds, device) if plan.follows_light else None
        self.in_grey = torch.from_numpy(IN_GREY).to(device)
        self.edge = torch.ones(plan.size, dtype=torch.bool, device=device)
        self.edge[1:-1, 1:-1] = False
        own = [shadow if plan.uses_own_shadows else None for shadow in shadows]
        allowed, unknown = np.float32(plan.shadow_limits.deviations), np.full((3, 4), np.nan, "f4")
        self.is_known = np.array([each is not None for each in own])
        whitenings = [each.whitening / allowed if each else unknown for each in own]
        losses = [loss_of_light(each) if each else unknown[:, 0] for each in own]
        self.whitenings = _on(device, whitenings)
        self.losses = _on(device, losses) if plan.single_pixels_in_shadow else None


class TensorOps:
    """The primitives for many frames: masks are `(B, h, w)`, bool, flags `(B, 1, 1)`.

    Args:
        views: What the frames may show.
        owners: Which view each of them shows.
    """

    pixels, regions = TensorPixels, TensorRegions
    median_filter, counts = staticmethod(filters.median_filter), staticmethod(filters.counts)
    dilated, eroded = staticmethod(filters.dilated), staticmethod(filters.eroded)
    closed = staticmethod(filters.closed)

    def __init__(self, views: Views, owners: list[int]) -> None:
        self._views, self._owners = views, owners
        at, is_known = torch.tensor(owners, device=views.edge.device), views.is_known[owners]
        weak, losses = views.low_thresholds, views.losses
        self.threshold, self.edge = views.thresholds[at], views.edge
        self.strong_threshold = views.strong_thresholds[at]
        self.low_threshold = None if weak is None else weak[at]
        self._whitening = views.whitenings[at] if is_known.any() else None
        self.loss: tuple[Tensor, ...] | None = None
        if losses is not None and is_known.any():
            self.loss = losses[at, :, None, None].unbind(1)
        general = torch.from_numpy(~is_known)[:, None, None].to(at.device)
        self.general = None if is_known.all() else general

    def coloured(self, pictures: Tensor, backgrounds: Tensor) -> Tensor:
        found = torch.zeros(len(pictures), dtype=torch.bool, device=pictures.device)
        for each in (pictures, backgrounds):
            red, green, blue = each[:, :, ::GREY_STEP, ::GREY_STEP].to(torch.int16).unbind(1)
            apart = torch.maximum((red - green).abs(), (blue - green).abs()).flatten(1)
            found |= (apart > GREY_LEVELS).sum(1) > MOST_COLOURED * apart.shape[1]
        return found[:, None, None]

    def difference(self, pictures: Tensor, backgrounds: Tensor, coloured: Tensor) -> Tensor:
        apart = (pictures.to(torch.int16) - backgrounds).abs_()
        difference = apart.sum(1, dtype=torch.int16).clamp_(max=255)
        counts = self._views.in_grey[difference.int()]
        return torch.where(coloured, difference.to(torch.uint8), counts)

    def relit(self, pictures: Tensor, backgrounds: Tensor, difference: Tensor) -> Tensor:
        light = self._views.light
        if light is None:
            return backgrounds
        return light.relit(pictures, backgrounds, difference, self._owners)

    def blurred(self, values: Tensor, side: int, sigma: float) -> Tensor:
        return filters.blurred(values, filters.gaussian_weights(side, sigma))

    def above(self, values: Tensor, limit: Tensor | float) -> Tensor:
        return values > limit

    def is_empty(self, mask: Tensor) -> bool:
        return False  # to know it, all would wait for the device

    def part(self, mask: Tensor, reach: int) -> EllipsisType:
        return ...

    def placed(self, inner: Tensor, part: EllipsisType, whole: Tensor) -> Tensor:
        return inner

    def shadow_tests(
        self, pictures: Tensor, backgrounds: Tensor, considered: Tensor
    ) -> ShadowTests:
        limits = self._views.limits
        return shadow_tests(pictures, backgrounds, considered, limits, self._whitening)


def _on(device: torch.device, maps: Sequence[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.stack(maps)).to(device)
