"""Clean-up of a mask: specks out, gaps closed, boundaries refined, small regions removed.

Boundary refinement: blur, windows and clean-up mix both sides of an outline. Along it every pixel
is asked by itself: what is the background, or the background in the scene's own shadow, leaves the
mask; what differs by the whole threshold and was cut off by the clean-up comes back. The majority
of 3x3 pixels decides about what is neither, and evens out what noise does to single ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import mul, sub

from cleanplate.segmentation.difference import GREY_GAIN
from cleanplate.segmentation.ops import Bits, Maps, Numbers, Ops, Seen, disc
from cleanplate.segmentation.plan import SegmentationPlan

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


def refined(
    plan: SegmentationPlan, ops: Ops, seen: Seen, mask: Bits, raw: Bits
) -> tuple[Bits, Bits | None]:
    """Mask with its boundary decided again, and what left it as a shadow; None: not asked for.

    Args:
        plan: Of the masks.
        ops: The primitives.
        seen: The frames.
        mask: After the clean-up.
        raw: Before it; only what is in here can come back.
    """
    if plan.boundary_depth == 0 or ops.is_empty(mask):
        return mask, None
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
    surely = core | pixels.mask(is_inside & is_clear)
    decided = surely | (ops.median_filter(single, _SMOOTHING) & rim)
    shaded: Bits | None = None
    if plan.labels_shadows:
        shaded = pixels.mask(differs & is_shaded) & ~decided
    return decided, shaded


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
