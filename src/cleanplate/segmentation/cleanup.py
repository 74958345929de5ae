"""Clean-up of a mask: specks out, gaps closed, boundaries refined, small regions removed.

Boundary refinement: blur, windows and clean-up mix both sides of an outline. Along it every pixel
is asked by itself: what is the background, or the background in the scene's own shadow, leaves the
mask; what differs by the whole threshold and was cut off by the clean-up comes back. The majority
of 3x3 pixels decides about what is neither, and evens out what noise does to single ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import mul, sub
from typing import NamedTuple

from cleanplate.segmentation.difference import GREY_GAIN
from cleanplate.segmentation.ops import Bits, Maps, Numbers, Ops, Regions, Seen, disc, square
from cleanplate.segmentation.plan import STRONG_COUNTS, SegmentationPlan

LEAST_CLEAR = 0.5
"""Share of a weak region that has to be clear for the rest to be foreground too."""
SHADOW_LEVELS, NO_SHADOW_LEVELS = 8.0, 16.0
"""Distance to the background in shadow, summed over RGB, below which a pixel is in shadow (little
more than the noise of one pixel, since vehicles are dark and grey as well), and from which not."""
LEAST_SHADE, MOST_SHADE = 0.5, 1.1
"""Shares of the scene's own shadow that are one: from the middle of a soft edge on."""
_SMOOTHING = 3
"""Side of the square whose majority evens out what single pixels say."""


def cleaned(
    plan: SegmentationPlan, ops: Ops, mask: Bits, weak: Bits | None, difference: Maps
) -> Bits:
    """A raw mask with specks taken out and gaps closed.

    Args:
        plan: Of the masks.
        ops: The primitives.
        mask: What is clearly foreground.
        weak: That, and what is foreground only beside it; None: nothing is.
        difference: A gap between two vehicles in which the plain road shows is none in a vehicle.
    """
    clear = ops.median_filter(mask, plan.median_side)
    if weak is not None:
        clear = _joined(ops, clear, ops.median_filter(weak, plan.median_side))
    if plan.closing_diameter <= 1:
        return clear
    closed = ops.closed(clear, disc(plan.closing_diameter))
    return clear | (closed & ops.above(difference, plan.differs))


def _joined(ops: Ops, mask: Bits, weak: Bits) -> Bits:
    """The mask and those regions of the weak one that it covers half of."""
    if ops.is_empty(mask):
        return mask
    regions = ops.regions(weak)
    is_clear = regions.are_in(mask)
    covered, area = regions.total(is_clear), regions.total(is_clear | True)
    return mask | regions.covered((covered >= LEAST_CLEAR * area) & (covered > 0))


def small_objects(
    plan: SegmentationPlan, ops: Ops, mask: Bits, rough: Bits, relit: Bits, strong: Bits
) -> Bits:
    """Regions of a raw mask that the clean-up took for specks, and that are too clear for that.

    A region stays by its evidence, not by its size alone: its pixels count, and strong ones several
    times. It has to be alone, since larger objects and shadows have pieces around them.

    Args:
        plan: Of the masks.
        ops: The primitives.
        mask: Before the clean-up.
        rough: After it.
        relit: What is the background in another light.
        strong: Where the difference is strong evidence.
    """
    left = strong & mask & ~rough
    if ops.is_empty(left):
        return left
    regions = ops.regions(mask)
    near = _near(plan, ops, rough, relit)
    return regions.covered(_are_evident(plan, regions, mask, near, strong))


class Refined(NamedTuple):
    """A mask with its boundary decided again.

    Attributes:
        mask: What is foreground.
        strong: Single pixels along the boundary that are strong evidence.
        shaded: What left the mask as a shadow; None: not asked for.
    """

    mask: Bits
    strong: Bits
    shaded: Bits | None


def refined(
    plan: SegmentationPlan, ops: Ops, seen: Seen, mask: Bits, raw: Bits, strong: Maps
) -> Refined:
    """Mask with its boundary decided again.

    Args:
        plan: Of the masks.
        ops: The primitives.
        seen: The frames.
        mask: After the clean-up.
        raw: Before it; only what is in here can come back.
        strong: Difference above which a pixel is strong evidence.
    """
    if plan.boundary_depth == 0 or ops.is_empty(mask):
        return Refined(mask, ops.above(seen.difference, strong), None)
    # Where the frame cuts through an object there is no outline: nothing is eroded there.
    core = ops.eroded(mask, disc(2 * plan.boundary_depth + 1))
    rim = ops.dilated(mask, disc(2 * plan.boundary_reach + 1)) & ~core
    pixels = ops.pixels(rim)
    scene = pixels.colours(seen.background)
    change = tuple(map(sub, pixels.colours(seen.picture), scene))
    difference = _sum(map(abs, change))
    is_grey = ~pixels.are_in(seen.coloured)
    difference = (difference + (GREY_GAIN * difference - difference) * is_grey).clip(max=255)
    is_inside, is_clear = pixels.are_in(mask), difference > pixels.at(seen.threshold)
    is_shaded = is_clear & False
    if ops.loss is not None:
        off = _off_shadow(change, scene, tuple(map(pixels.at, ops.loss)))
        is_shaded, is_clear = off < SHADOW_LEVELS, is_clear & ~(off < NO_SHADOW_LEVELS)
    differs = is_inside & (difference >= plan.empty)
    differs = differs | (~is_inside & is_clear & pixels.are_in(raw))
    single = core | pixels.mask(differs & ~is_shaded)
    is_strong = difference > pixels.at(strong)
    surely = core | pixels.mask(is_clear & (is_inside | (is_strong & pixels.are_in(raw))))
    decided = surely | (ops.median_filter(single, _SMOOTHING) & rim)
    shaded: Bits | None = None
    if plan.labels_shadows:
        shaded = pixels.mask(differs & is_shaded) & ~decided
    return Refined(decided, pixels.mask(is_strong), shaded)


def _off_shadow(
    change: Sequence[Numbers], scene: Sequence[Numbers], loss: Sequence[Numbers]
) -> Numbers:
    """How far pixels are from the background in shadow, in grey levels summed over RGB; or NaN.

    In the soft edge of a shadow only a part of the light is lost: the nearest part counts.
    """
    whole = tuple(map(mul, scene, loss))
    share = _sum(map(mul, change, whole)) / _sum(map(mul, whole, whole)).clip(min=1)
    share = share.clip(LEAST_SHADE, MOST_SHADE)
    return _sum(abs(c - share * w) for c, w in zip(change, whole, strict=True))


def _sum(channels: Iterable[Numbers]) -> Numbers:
    red, green, blue = channels
    return red + green + blue


def without_small(ops: Ops, mask: Bits, least: int) -> Bits:
    """Mask without the 8-connected regions of fewer pixels."""
    if least <= 1 or ops.is_empty(mask):
        return mask
    regions = ops.regions(mask)
    return regions.covered(regions.total(regions.are_in(mask)) >= least)


def with_evidence(plan: SegmentationPlan, ops: Ops, mask: Bits, relit: Bits, strong: Bits) -> Bits:
    """Mask without the regions below the least size; of those that are alone, strong pixels count.

    Args:
        plan: Of the masks.
        ops: The primitives.
        mask: Foreground.
        relit: What is the background in another light: it has pieces around it as well.
        strong: Where the difference is strong evidence.
    """
    if plan.min_area <= 1 or ops.is_empty(mask):
        return mask
    regions = ops.regions(mask)
    is_large = regions.total(regions.are_in(mask)) >= plan.min_area
    large = regions.covered(is_large)
    if ops.is_empty(mask & strong & ~large):
        return large
    near = _near(plan, ops, large, relit)
    return regions.covered(is_large | _are_evident(plan, regions, mask, near, strong))


def _near(plan: SegmentationPlan, ops: Ops, large: Bits, relit: Bits) -> Bits:
    """Where a small region is not alone."""
    patches = ops.median_filter(relit, plan.median_side)
    return ops.dilated(large | patches, square(plan.alone_side))


def _are_evident(
    plan: SegmentationPlan, regions: Regions, mask: Bits, near: Bits, strong: Bits
) -> Numbers:
    """Which regions are alone and hold evidence enough: pixels, strong ones several times."""
    pixels = regions.are_in(mask)
    clear = regions.total(pixels & regions.are_in(strong))
    evidence = regions.total(pixels) + STRONG_COUNTS * clear
    is_alone = regions.total(regions.are_in(near)) == 0
    return is_alone & (clear > 0) & (evidence >= plan.min_area)
