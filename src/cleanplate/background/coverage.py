"""What a user should know of a plate: how often each place was seen empty, and where never.

What is known: how often a sample shows the plate, in how many visits, what else stood still at the
place and for how long, and whether the plate has an outline there that some frame has not. What is
*not* known is the truth. Something that never left, and was always the same, looks like the scene
in every one of these: it is seen all the time and has no rival, and nothing here will say so. And
a doubt does not say that the plate is wrong: behind a man that stood for two thirds of the
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

from cleanplate.background.candidates import FEW_VISITS, RegionEvidence
from cleanplate.frames import FloatMap, FrameSize, Mask

_SELDOM = 0.2
"""Share of the samples below which a plate that came into sight once or twice is hardly seen."""
_ALMOST_NEVER = 0.02
"""Share of the samples below which not even visits count: nearly all of them showed else."""
_EVEN = 0.6
"""Lead below which some rival is about as good: one that has two thirds of the plate's time."""
_LEAST_DOUBTFUL_SHARE = 0.001
"""Share of the picture that a region needs to be reported: 9x9 pixels of 320x240."""
_WINDOW = 0.03
"""Side of the window, of the picture's shorter side, in which most pixels have to be in doubt."""
_JOINING = 0.02
"""Regions closer than this share of the shorter side are reported as one."""
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
        RIVAL: The plate came once or twice, and something else stood here for about as long.
        LEFT_OVER: It came as seldom, and has an outline here that some frame has not.
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
class DoubtfulRegion:
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
    regions: tuple[DoubtfulRegion, ...]

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
        return f"{share}, {self._places()}, was never seen empty for certain: {self._advice()}"

    def _advice(self) -> str:
        shares = {doubt: (self.doubts == doubt).mean() for doubt in Doubt}
        if shares[Doubt.LEFT_OVER] > shares[Doubt.RIVAL] + shares[Doubt.HARDLY_SEEN]:
            return "give a longer recording, in which what stands there is away for longer"
        return (
            "give a longer recording, in which it is empty for longer; "
            "where vehicles stop, with at least one more green phase"
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


def judge(evidence: RegionEvidence) -> Coverage:
    """What evidence says of each place, joined to regions that are worth a word."""
    doubts = _dense(_doubts(evidence))
    regions = []
    for place in _joined(doubts > 0):
        if np.count_nonzero(place) >= _LEAST_DOUBTFUL_SHARE * place.size:
            regions.append(_describe(place, doubts, evidence.seen))
        else:
            doubts[place] = Doubt.NONE
    left_over = evidence.left_over & (evidence.visits < FEW_VISITS)
    return Coverage(
        seen=evidence.seen,
        confidence=np.where(left_over, np.float32(0), evidence.lead),
        doubts=doubts,
        regions=tuple(sorted(regions, key=lambda region: -region.share)),
    )


def find_rivals(evidence: RegionEvidence) -> NDArray[np.bool_]:
    """Where something else stood for as long as the plate was in sight, or longer, `(H, W)`.

    What a recording shows there beside the plate may be an object that waits, and must not become
    the background: of such places only the light may be learned. They are the doubtful regions
    with what lies between their pixels.
    """
    doubts = (judge(evidence).doubts > Doubt.NONE).astype(np.uint8)
    return cv2.morphologyEx(doubts, cv2.MORPH_CLOSE, _disc(doubts.shape)) > 0


def _doubts(evidence: RegionEvidence) -> Mask:
    """The reason at each pixel by itself.

    Leaves, lamps and compression come back again and again, as the plate does among them; an
    object that stands there instead of the empty scene does not leave it three times.
    """
    few = evidence.visits < FEW_VISITS
    found = np.zeros(evidence.seen.shape, np.uint8)
    found[((evidence.seen < _SELDOM) & few) | (evidence.seen < _ALMOST_NEVER)] = Doubt.HARDLY_SEEN
    found[(evidence.lead < _EVEN) & few] = Doubt.RIVAL
    found[evidence.left_over & few] = Doubt.LEFT_OVER
    return found


def _dense(doubts: Mask) -> Mask:
    """Those in the middle of others: rims and single pixels of leaves do not speak."""
    side = max(3, round(_WINDOW * min(doubts.shape)) | 1)
    share = cv2.blur((doubts > Doubt.NONE).astype(np.float32), (side, side))
    return np.where(share > _MOSTLY, doubts, Doubt.NONE).astype(np.uint8)


def _joined(doubtful: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Masks of the doubtful pixels of each region, close ones together."""
    wide = cv2.dilate(doubtful.astype(np.uint8), _disc(doubtful.shape))
    count, numbers = cv2.connectedComponents(wide)
    for number in range(1, count):
        yield (numbers == number) & doubtful


def _disc(shape: tuple[int, ...]) -> Mask:
    """What joins regions."""
    radius = max(1, round(_JOINING * min(shape) / 2))
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)


def _describe(place: NDArray[np.bool_], doubts: Mask, seen: FloatMap) -> DoubtfulRegion:
    rows, columns = np.nonzero(place)
    left, top = int(columns.min()), int(rows.min())
    return DoubtfulRegion(
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
