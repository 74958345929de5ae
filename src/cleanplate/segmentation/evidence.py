"""What tells another light from an object: texture that shows through, and what casts it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, Mask, Picture
from cleanplate.segmentation.cleanup import Cleanup, part_with
from cleanplate.segmentation.difference import is_grey
from cleanplate.segmentation.plan import CASTER_SIDE, SegmentationPlan
from cleanplate.segmentation.shadow_model import ShadowModel
from cleanplate.segmentation.shadows import SHADOW_REACH, WINDOW, Shadows, find_shadows
from cleanplate.segmentation.texture import Texture

CLIPPED = 250
"""Grey level from which on a channel may be cut off, and hides the texture."""
_WINDOW = np.ones((WINDOW, WINDOW), np.uint8)
_LEAST_CASTER = np.ones((CASTER_SIDE, CASTER_SIDE), np.uint8)
_BAND_PIXELS = 20_480
"""Pixels are asked in bands of so many: few calls that the processor's cache bears."""


class Verdict(NamedTuple):
    """What of a mask is the background in another light.

    Attributes:
        shadows: It is in shadow, `(H, W)`, 255 or 0.
        lit: It is brighter: sun, or lamps.
        possible: Where faint foreground may be either.
    """

    shadows: Mask
    lit: Mask
    possible: Mask


class Evidence:
    """Tells cast shadows and patches of light from objects; holds no memory of earlier frames.

    Light leaves the background's texture as it is: in logarithms a frame in another light differs
    from its background by a number that is the same nearby, whatever pattern the background has; an
    object that is as even hides the pattern. So each patch of even change is asked how much of the
    background's pattern it shows. Where there is no pattern to see, it is a shadow if it looks like
    one, what may cast it stands beside but not around it, and the frame has colours: without them
    to look like one means nothing.

    Args:
        plan: Of the masks.
        shadow: What the scene's shadows look like; None: not known.
    """

    def __init__(self, plan: SegmentationPlan, shadow: ShadowModel | None) -> None:
        self._plan = plan
        self._shadow = shadow
        self._cleanup = Cleanup(plan)
        self._window = plan.caster_side
        self._edge = np.zeros(plan.size, np.uint8)
        self._edge[[0, -1]] = self._edge[:, [0, -1]] = 255
        self._beside = np.ones((plan.neighbour_side, plan.neighbour_side), np.uint8)

    def judge(
        self, mask: Mask, faint: Mask | None, picture: Picture, background: Picture
    ) -> Verdict | None:
        """What of a mask is the background in another light; None: nothing.

        Args:
            mask: What differs clearly, `(H, W)`, 255 or 0.
            faint: That, and what differs too little to be sure of; None: nothing does.
            picture: The frame.
            background: What it is compared with.
        """
        considered = mask if faint is None else faint
        if not cv2.hasNonZero(mask):
            return None
        seen = self._seen(considered, picture, background)
        part = part_with(considered, self._plan.majority_side // 2)
        inner = mask[part]
        likely = cv2.bitwise_and(inner, seen.likely[part])
        darker = cv2.bitwise_or(cv2.bitwise_and(inner, seen.darker[part]), likely)
        brighter = cv2.bitwise_and(inner, seen.brighter[part])
        has_colour = not is_grey(picture, background)
        possible = seen.possible if has_colour else np.zeros_like(mask)
        verdict = Verdict(np.zeros_like(mask), np.zeros_like(mask), possible)
        relit = cv2.bitwise_or(darker, brighter)
        if not cv2.hasNonZero(relit):
            return verdict
        others = mask.copy()
        cv2.subtract(inner, likely, dst=others[part])
        patches = _Patches.of(cv2.bitwise_and(self._cleanup.majority(relit), relit), likely)
        texture = patches.texture(seen.texture[part], seen.change[part], picture[part])
        is_cast = self._is_cast(patches, mask, others, part)
        # Where nothing else speaks for it, its texture has to show clearly.
        is_relit = texture.is_surely_shown()
        is_shown = texture.is_shown() if has_colour else is_relit
        is_shadow = is_shown | (is_cast & ~texture.is_hidden() & has_colour)
        is_shadow[:2], is_relit[:2] = has_colour, False  # single pixels
        shadows, sure, found = patches.masks(is_shadow[1::2], is_shown[1::2], is_relit[::2])
        shadows = cv2.bitwise_and(shadows, likely)
        if self._shadow is None:
            # The general test's window leaves a rim that is wide for the clean-up.
            rim = cv2.dilate(cv2.bitwise_and(sure, likely), _WINDOW)
            shadows = cv2.bitwise_or(shadows, cv2.bitwise_and(rim, darker))
        hard = cv2.bitwise_and(found, cv2.subtract(darker, likely))
        verdict.shadows[part] = cv2.bitwise_or(shadows, hard)
        verdict.lit[part] = cv2.bitwise_and(found, brighter)
        self._extend(verdict.possible[part], cv2.subtract(likely, shadows), found)
        return verdict

    def _extend(self, possible: Mask, kept: Mask, relit: Mask) -> None:
        """What is faint follows the clear pixels beside it."""
        if cv2.hasNonZero(kept):
            cv2.subtract(possible, cv2.dilate(kept, self._beside), dst=possible)
        if cv2.hasNonZero(relit):
            cv2.bitwise_or(possible, cv2.dilate(relit, self._beside), dst=possible)

    def _is_cast(
        self, patches: _Patches, mask: Mask, others: Mask, part: tuple[slice, slice]
    ) -> NDArray[np.bool_]:
        """Whether something that is no shadow may cast each patch, and does not enclose it.

        What casts a shadow stands on one side of it, or beyond the edge of the picture; a dark part
        of a thing has more of the thing around it than of the scene.
        """
        casters = cv2.erode(self._cleanup.majority(others), _LEAST_CASTER)
        nothing = cv2.compare(mask, 0, cv2.CMP_EQ)
        near, free = (patches.total(self._around(each)[part]) for each in (casters, nothing))
        return ((near > 0) | patches.touch(self._edge[part])) & (near <= free)

    def _around(self, mask: Mask) -> NDArray[np.uint16]:
        """How many pixels of a mask are in the window of casters around each pixel."""
        counted = cv2.boxFilter(
            cv2.min(mask, 1),
            cv2.CV_16U,
            (self._window, self._window),
            normalize=False,
            borderType=cv2.BORDER_CONSTANT,
        )
        return np.asarray(counted, np.uint16)

    def _seen(self, considered: Mask, picture: Picture, background: Picture) -> Shadows:
        """What the tests of single pixels say where something is considered."""
        height, width = self._plan.size
        likely, possible, darker, brighter = np.zeros((4, height, width), np.uint8)
        texture, change = np.empty((2, height, width), np.float32)
        seen = Shadows(likely, possible, darker, brighter, texture, change)
        rows = max(1, _BAND_PIXELS // width)
        for first in range(0, height, rows):
            left, top, across, down = cv2.boundingRect(considered[first : first + rows])
            if not across:
                continue
            # Only the part that holds foreground is looked at, with what the windows reach beyond.
            top, outer_left = top + first, max(0, left - SHADOW_REACH)
            outer_top = max(0, top - SHADOW_REACH)
            outer = np.s_[
                outer_top : top + down + SHADOW_REACH, outer_left : left + across + SHADOW_REACH
            ]
            found = find_shadows(
                picture[outer], background[outer], self._plan.shadow_limits, self._shadow
            )
            inner = np.s_[top : top + down, left : left + across]
            skipped, beside = top - outer_top, left - outer_left
            own = np.s_[skipped : skipped + down, beside : beside + across]
            maps: tuple[tuple[Mask | FloatMap, Mask | FloatMap], ...]
            maps = tuple(zip(seen, found, strict=True))
            for whole, each in maps:
                whole[inner] = each[own]
        return seen


class _Patches(NamedTuple):
    """Connected patches of even change; each has a part that looks like a shadow and a rest.

    Attributes:
        labels: Patch of each pixel, `(h, w)`; 0: none.
        places: Of the pixels of all patches, `(N,)`.
        owners: Of each of these, `(N,)`: twice the label, and one more in what looks like a shadow.
        most: Number of owners.
    """

    labels: NDArray[np.int32]
    places: NDArray[np.intp]
    owners: NDArray[np.int32]
    most: int

    @classmethod
    def of(cls, solid: Mask, likely: Mask) -> _Patches:
        """The 8-connected patches of a mask."""
        count, labels = cv2.connectedComponents(solid, connectivity=8)
        places = np.flatnonzero(solid.reshape(-1) > 0)
        owners = 2 * labels.reshape(-1)[places] + (likely.reshape(-1)[places] > 0)
        return cls(labels, places, owners, 2 * count)

    def texture(self, texture: FloatMap, change: FloatMap, picture: Picture) -> Texture:
        """How much of the background's texture each shows where no channel is cut off."""
        usable = cv2.inRange(picture, (0, 0, 0), (CLIPPED - 1,) * 3)
        is_usable = usable.reshape(-1)[self.places] > 0
        owners, places = self.owners[is_usable], self.places[is_usable]
        own, other = texture.reshape(-1)[places], change.reshape(-1)[places]
        return Texture(
            np.bincount(owners, minlength=self.most).astype(np.float64),
            *(self._sum(owners, each) for each in (own * own, own * other, other * other)),
        )

    def touch(self, mask: Mask) -> NDArray[np.bool_]:
        """Whether each has a pixel of a mask, `(most,)`."""
        touching = self.owners[mask.reshape(-1)[self.places] > 0]
        return np.bincount(touching, minlength=self.most) > 0

    def total(self, counts: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Sum of counts over the pixels of each, `(most,)`."""
        return self._sum(self.owners, counts.reshape(-1)[self.places])

    def masks(self, *chosen: NDArray[np.bool_]) -> list[Mask]:
        """Chosen patches, by their label, as a mask for each choice; 0: all that is no patch."""
        codes = sum(each.view(np.uint8) << bit for bit, each in enumerate(chosen))
        coded = np.take(np.asarray(codes, np.uint8), self.labels)
        return [
            np.asarray(cv2.compare(cv2.bitwise_and(coded, 1 << bit), 0, cv2.CMP_GT), np.uint8)
            for bit in range(len(chosen))
        ]

    def _sum(
        self, owners: NDArray[np.int32], values: FloatMap | NDArray[np.uint16]
    ) -> NDArray[np.float64]:
        return np.asarray(np.bincount(owners, values, self.most), np.float64)
