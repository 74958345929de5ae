"""The segmenter on tensors: the steps of `cleanplate.segmentation.Segmenter`, many frames at once.

Differences, blur, thresholds, majority, regions and closing are arithmetic of whole numbers and
come out as they do there; tests of shadows are not, and may differ where a number meets its limit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.errors import FrameSizeError
from cleanplate.frames import Mask
from cleanplate.segmentation import SegmentationPlan, ShadowModel
from cleanplate.segmentation.cleanup import LEAST_CLEAR
from cleanplate.segmentation.rims import loss_of_light
from cleanplate.tensor_segmentation.difference import residual
from cleanplate.tensor_segmentation.evidence import TensorEvidence
from cleanplate.tensor_segmentation.filters import blurred, closed, gaussian_weights, majority
from cleanplate.tensor_segmentation.light import TensorLight, picked
from cleanplate.tensor_segmentation.regions import joined, without_small
from cleanplate.tensor_segmentation.rims import TensorRims
from cleanplate.tensor_segmentation.shadows import TensorShadows, find_shadows


class TensorSegmenter:
    """Masks of frames of one or several views; holds no memory of the frames it has seen.

    Args:
        noises: Noise of each pixel, `(h, w)`, uint8, grey levels summed over RGB, of each view; all
            of one size.
        plan: Of the masks; shadows that are to get a label are dropped.
        shadows: What each view's shadows look like; None: not known.
        device: Where the frames are.
    """

    def __init__(
        self,
        noises: Sequence[Mask],
        plan: SegmentationPlan,
        *,
        shadows: Sequence[ShadowModel | None],
        device: torch.device,
    ) -> None:
        self._plan = plan
        limits = [plan.thresholds(noise) for noise in noises]
        faint = [each for noise in noises if (each := plan.faint_thresholds(noise)) is not None]
        self._thresholds = _on(device, limits)
        self._faint_thresholds = _on(device, faint) if faint else None
        self._light = TensorLight(limits, device) if plan.follows_light else None
        self._whitenings = [
            None
            if shadow is None or not plan.uses_own_shadows
            else _whitening(shadow, plan.shadow_limits.deviations, device)
            for shadow in shadows
        ]
        self._weights: tuple[int, ...] = ()
        if plan.blur_sigma > 0:
            self._weights = gaussian_weights(plan.blur_side, plan.blur_sigma)
        self._evidence = TensorEvidence(plan)
        self._rims = TensorRims(plan)
        tells = plan.single_pixels_in_shadow
        self._losses = _on(device, [_loss(shadow if tells else None) for shadow in shadows])

    def segment(
        self, pictures: Tensor, backgrounds: Tensor, views: Sequence[int] | None = None
    ) -> Tensor:
        """Foreground of frames, `(B, h, w)`, uint8, 0 or 255, on their device.

        Args:
            pictures: `(B, 3, h, w)`, uint8, RGB.
            backgrounds: Likewise.
            views: Position of each frame's noise map among those given; None: the first.

        Raises:
            FrameSizeError: The frames or their backgrounds are not of the scene's size.
        """
        self._require_size(pictures, "frames")
        self._require_size(backgrounds, "backgrounds")
        owners = [0] * len(pictures) if views is None else list(views)
        backgrounds, difference = self._compared(pictures, backgrounds, owners)
        mask = difference > picked(self._thresholds, owners)
        faint: Tensor | None = None
        if self._faint_thresholds is not None:
            faint = difference > picked(self._faint_thresholds, owners)
        if self._plan.tells_shadows:
            mask, faint = self._without_shadows(mask, faint, (pictures, backgrounds), owners)
        differs = difference > self._plan.differs
        cleaned = self._cleaned(mask, faint, differs)
        thresholds = picked(self._thresholds, owners)
        decided = self._rims.decide(
            (cleaned, mask), (pictures, backgrounds), thresholds, self._losses[owners]
        )
        found = without_small(decided, self._plan.min_area)
        return found.to(torch.uint8).mul_(255)

    def _compared(
        self, pictures: Tensor, backgrounds: Tensor, owners: list[int]
    ) -> tuple[Tensor, Tensor]:
        """The backgrounds in the frames' light, and what is compared with the thresholds."""
        difference = self._difference(pictures, backgrounds)
        if self._light is None:
            return backgrounds, difference
        places = self._light.changed(difference, owners)
        if places:
            views = [owners[place] for place in places]
            lit = self._light.follow(pictures[places], backgrounds[places], views)
            backgrounds = backgrounds.clone()
            backgrounds[places] = lit
            difference[places] = self._difference(pictures[places], lit)
        return backgrounds, difference

    def _difference(self, pictures: Tensor, backgrounds: Tensor) -> Tensor:
        difference = residual(pictures, backgrounds)
        return blurred(difference, self._weights) if self._weights else difference

    def _without_shadows(
        self,
        mask: Tensor,
        faint: Tensor | None,
        seen: tuple[Tensor, Tensor],
        owners: list[int],
    ) -> tuple[Tensor, Tensor | None]:
        considered = mask if faint is None else mask | faint
        whole: TensorShadows | None = None
        for is_known in (False, True):
            # The two tests are different ones: each is done once, for all of its frames.
            found = [self._whitenings[owner] for owner in owners]
            places = [at for at, each in enumerate(found) if (each is not None) is is_known]
            if not places:
                continue
            whitening = torch.stack([w for w in found if w is not None]) if is_known else None
            frames, plates, asked = (
                each if len(places) == len(each) else each[places] for each in (*seen, considered)
            )
            some = find_shadows(frames, plates, self._plan.shadow_limits, asked, whitening)
            if len(places) == len(mask):
                whole = some
                break
            if whole is None:
                whole = TensorShadows(*(each.new_empty(mask.shape) for each in some))
            for every, each in zip(whole, some, strict=True):
                every[places] = each
        assert whole is not None
        known = torch.tensor(
            [self._whitenings[owner] is not None for owner in owners], device=mask.device
        )
        return self._evidence.without(mask, faint, seen, whole, known)

    def _cleaned(self, mask: Tensor, faint: Tensor | None, differs: Tensor) -> Tensor:
        side, gap = self._plan.majority_side, self._plan.closing_diameter
        mask = majority(mask, side)
        if faint is not None:
            mask = joined(mask, majority(faint, side), LEAST_CLEAR)
        if gap > 1:
            mask = mask | (closed(mask, gap) & differs)
        return mask

    def _require_size(self, pictures: Tensor, name: str) -> None:
        if tuple(pictures.shape[1:]) != (3, *self._plan.size):
            got = "x".join(str(side) for side in pictures.shape[1:])
            raise FrameSizeError(
                f"{name} of {got} for a scene of {self._plan.size}; give (B, 3, height, width) in "
                "the scene's working size"
            )


def _loss(shadow: ShadowModel | None) -> NDArray[np.float32]:
    return np.zeros(3, np.float32) if shadow is None else loss_of_light(shadow)


def _on(device: torch.device, maps: Sequence[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.stack(maps)).to(device)


def _whitening(shadow: ShadowModel, allowed: float, device: torch.device) -> Tensor:
    return torch.from_numpy(shadow.whitening / np.float32(allowed)).to(device)
