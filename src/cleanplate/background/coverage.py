"""What a user should be told of a plate: how often each place was seen empty, and where never.

What is known: how often a sample shows the plate, in how many visits, what else stood still at the
place and for how long, and whether the plate has an outline there that some frame has not. What is
*not* known is the truth. Something that never left, and was always the same, looks like the scene
in every one of these: it is seen all the time and has no rival, and nothing here will say so. And
a doubt does not say that the plate is wrong: behind a man who stood for two thirds of the
recording the scene was seen once, and the plate may well be right, but the outline is all that
speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.background.candidates import Evidence
from cleanplate.frames import FloatMap, FrameSize, Mask

_SELDOM = 0.2
"""Share of the samples below which a plate that came into sight once or twice is hardly seen."""
_FEW_VISITS = 3
"""So many visits are enough, however short: other things look different every time."""
_ALMOST_NEVER = 0.02
"""Share of the samples below which not even visits count: nearly all of them showed else."""
_EVEN = 0.6
"""Lead below which some rival is about as good: one that has two thirds of the plate's time."""
_LEAST_SHARE = 0.001
"""Share of the picture that a region needs to be told of: 9x9 pixels of 320x240."""
_CLEANING = np.ones((3, 3), np.uint8)
"""Doubts are opened by it, so that rims and single pixels of leaves do not speak."""
_JOINING = 0.02
"""Regions closer than this share of the shorter side are told of as one."""
_VERTICAL = ("upper", "middle", "lower")
_HORIZONTAL = ("left", "middle", "right")
_CENTRE = "centre"
_MOSTLY = 0.5
"""Share of all doubts that a place needs to be named alone."""


class Doubt(IntEnum):
    """Why a place does not count as seen empty; of several reasons the last one.

    Attributes:
        NONE: It was seen empty.
        HARDLY_SEEN: The plate was in sight for less than a fifth of the samples, and came once or
            twice only; or hardly at all.
        RIVAL: Something else stood here for about as long, and came about as often.
        LEFT_OVER: The plate has an outline here that some frame has not.
    """

    NONE = 0
    HARDLY_SEEN = 1
    RIVAL = 2
    LEFT_OVER = 3

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _REASONS[self]


_REASONS = {
    Doubt.NONE: "seen empty",
    Doubt.HARDLY_SEEN: "the plate was hardly ever in sight",
    Doubt.RIVAL: "something else stood here for about as long",
    Doubt.LEFT_OVER: "the plate may show something that was away for a moment",
}


@dataclass(frozen=True)
class Region:
    """A place that was never seen empty for certain.

    Attributes:
        name: Where it is in the picture, such as `lower left`.
        share: Of the picture, 0 to 1.
        box: Left, top, width and height, in pixels of the maps.
        seen: Mean share of the samples that show the plate in it.
        doubt: The most frequent reason.
    """

    name: str
    share: float
    box: tuple[int, int, int, int]
    seen: float
    doubt: Doubt


@dataclass(frozen=True, eq=False)
class Coverage:
    """How well a recording shows the empty scene.

    Attributes:
        seen: `(H, W)`, 0 to 1, share of the samples that show the plate.
        confidence: `(H, W)`, 0 to 1, how far the plate is ahead of everything else; 0.5 is even,
            0 where an outline speaks against it.
        doubts: `(H, W)`, uint8, values of `Doubt`; only within regions.
        regions: Places never seen empty for certain, the largest first.
    """

    seen: FloatMap
    confidence: FloatMap
    doubts: Mask
    regions: tuple[Region, ...]

    @property
    def doubtful_share(self) -> float:
        """Share of the picture that was never seen empty for certain, 0 to 1."""
        return np.count_nonzero(self.doubts) / self.doubts.size

    @property
    def sentence(self) -> str:
        """What to tell the user; empty where all was seen empty."""
        if not self.regions:
            return ""
        share = f"{_percent(self.doubtful_share)} of the picture"
        if (self.doubts == Doubt.RIVAL).mean() > _MOSTLY:
            # No queue covers so much: the light or the camera changed for half of the time.
            return (
                f"{share} was seen in two states for about as long: the light or the view changed; "
                "give a longer recording, or learn the two apart"
            )
        return (
            f"{share}, {self._places()}, was never seen empty for certain: "
            "give a longer recording, with at least one more green phase"
        )

    def _places(self) -> str:
        shares: dict[str, float] = {}
        for region in self.regions:
            shares[region.name] = shares.get(region.name, 0.0) + region.share
        names = sorted(shares, key=lambda name: -shares[name])
        if len(names) == 1:
            return names[0]
        if shares[names[0]] >= _MOSTLY * sum(shares.values()):
            return f"mostly {names[0]}"
        return f"mostly {names[0]} and {names[1]}"


def judge(evidence: Evidence) -> Coverage:
    """What evidence says of each place, joined to regions that are worth a word."""
    raw = np.zeros(evidence.seen.shape, np.uint8)
    seldom = (evidence.seen < _SELDOM) & (evidence.visits < _FEW_VISITS)
    raw[seldom | (evidence.seen < _ALMOST_NEVER)] = Doubt.HARDLY_SEEN
    raw[evidence.lead < _EVEN] = Doubt.RIVAL
    raw[evidence.left_over] = Doubt.LEFT_OVER
    opened = cv2.morphologyEx((raw > 0).astype(np.uint8), cv2.MORPH_OPEN, _CLEANING)
    doubts = np.where(opened > 0, raw, Doubt.NONE).astype(np.uint8)
    regions = []
    for place in _joined(doubts > 0):
        if np.count_nonzero(place) >= _LEAST_SHARE * place.size:
            regions.append(_describe(place, doubts, evidence.seen))
        else:
            doubts[place] = Doubt.NONE
    return Coverage(
        seen=evidence.seen,
        confidence=np.where(evidence.left_over, np.float32(0), evidence.lead),
        doubts=doubts,
        regions=tuple(sorted(regions, key=lambda region: -region.share)),
    )


def _joined(doubtful: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Masks of the doubtful pixels of each region, close ones together."""
    radius = max(1, round(_JOINING * min(doubtful.shape) / 2))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    wide = cv2.dilate(doubtful.astype(np.uint8), kernel)
    count, numbers = cv2.connectedComponents(wide)
    for number in range(1, count):
        yield (numbers == number) & doubtful


def _describe(place: NDArray[np.bool_], doubts: Mask, seen: FloatMap) -> Region:
    rows, columns = np.nonzero(place)
    left, top = int(columns.min()), int(rows.min())
    return Region(
        name=place_name(rows.mean(), columns.mean(), FrameSize(*place.shape)),
        share=len(rows) / place.size,
        box=(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1),
        seen=float(seen[place].mean()),
        doubt=Doubt(int(np.bincount(doubts[place]).argmax())),
    )


def place_name(row: float, column: float, size: FrameSize) -> str:
    """Name of the ninth of the picture that a point lies in, such as `lower left`."""
    vertical = _VERTICAL[min(2, int(3 * row / size.height))]
    horizontal = _HORIZONTAL[min(2, int(3 * column / size.width))]
    return _CENTRE if vertical == horizontal else f"{vertical} {horizontal}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.0095 else f"{100 * share:.1f} %"
