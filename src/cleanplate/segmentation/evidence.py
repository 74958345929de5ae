"""What tells another light from an object: texture that shows through, and what casts it.

Light leaves the background's texture as it is: in logarithms a frame in another light differs from
its background by a number that is the same nearby, whatever pattern the background has; an object
that is as even hides the pattern. So each patch of even change is asked how much of the
background's pattern it shows. Where there is no pattern to see, it is a shadow if it looks like
one, what may cast it stands beside but not around it, and the frame has colours: without them to
look like one means nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from cleanplate.segmentation.ops import Bits, Numbers, Ops, Regions, Seen, square
from cleanplate.segmentation.plan import CASTER_SIDE, SegmentationPlan
from cleanplate.segmentation.shadows import WINDOW

SHOWN, HIDDEN = 0.45, 0.25
"""Share of the background's texture from which on it shows through, and below which something hides
it: more than half of it would be asked too much of backgrounds in which a network drew blotches of
its own, and of the hard outline of a patch of sun."""
DEVIATIONS, SURE_DEVIATIONS = 4.0, 6.0
"""How many standard deviations that share has to lie above nothing to count (for what nothing else
speaks for, the second), or below the whole."""
LEAST_TEXTURE, LEAST_HIDDEN = 0.2, 0.5
"""Power of the background's texture for each of the change's: below it nothing else than noise of
the plate may be shown, or hidden."""
LEAST_PATTERN = 0.02
"""Of a pattern that may be hidden, root of its mean square (log units): a codec wipes off what is
fainter where something moves, also in shadow."""
LEAST_PIXELS = 25
"""Of a patch that is told by its texture alone."""


class Verdict(NamedTuple):
    """What of a mask is the background in another light.

    Attributes:
        shadows: It is in shadow.
        shown: Where that is known by the texture that shows through.
        lit: It is brighter: sun, or lamps.
        possible: Where weak foreground may be either.
    """

    shadows: Bits
    shown: Bits
    lit: Bits
    possible: Bits


class Texture(NamedTuple):
    """How much of the background's texture patches show, `(N,)` each.

    Attributes:
        pixels: How many there are to see.
        power: Sum of the squares of the background's texture.
        product: Sum of its products with the texture of the change.
        rest: Sum of the squares of that.
    """

    pixels: Numbers
    power: Numbers
    product: Numbers
    rest: Numbers

    def is_shown(self) -> Numbers:
        """Whether the texture shows through."""
        return self._shows(DEVIATIONS)

    def is_surely_shown(self) -> Numbers:
        """Whether it shows so clearly that nothing else has to speak for another light."""
        is_much = (self.power > LEAST_TEXTURE * self.rest) & (self.pixels >= LEAST_PIXELS)
        return self._shows(SURE_DEVIATIONS) & is_much

    def is_hidden(self) -> Numbers:
        """Whether something hides it."""
        is_much = (self.power > LEAST_HIDDEN * self.rest) & (
            self.power > LEAST_PATTERN**2 * self.pixels
        )
        is_less = self.product < (HIDDEN - 1) * self.power
        apart = self.product**2 * self.pixels > DEVIATIONS**2 * self.power * self.rest
        return is_much & is_less & apart

    def _shows(self, deviations: float) -> Numbers:
        # The share is 1 + product / power, its variance rest / (pixels * power).
        shown = self.power + self.product
        is_more = shown > SHOWN * self.power
        return is_more & (shown**2 * self.pixels > deviations**2 * self.power * self.rest)


def judge(plan: SegmentationPlan, ops: Ops, seen: Seen, mask: Bits, considered: Bits) -> Verdict:
    """What of a mask is the background in another light.

    Args:
        plan: Of the masks.
        ops: The primitives.
        seen: The frames.
        mask: What differs clearly.
        considered: That, and what differs too little to be sure of.
    """
    tests = ops.shadow_tests(seen.picture, seen.background, considered)
    likely, brighter = mask & tests.likely, mask & tests.brighter
    darker = (mask & tests.darker) | likely
    relit, possible = darker | brighter, tests.possible & seen.coloured
    if ops.is_empty(relit):
        return Verdict(relit, relit, relit, possible)
    solid = ops.median_filter(relit, plan.median_side) & relit
    patches = ops.regions(solid, likely)
    usable = patches.are_in(tests.usable)
    own, other = patches.at(tests.texture) * usable, patches.at(tests.change) * usable
    sums = (patches.total(each) for each in (usable, own * own, own * other, other * other))
    texture = Texture(*sums)
    # Where nothing else speaks for it, its texture has to show clearly.
    surely, looks_so = texture.is_surely_shown(), ~texture.is_hidden()
    looks_so = looks_so & _is_cast(plan, ops, patches, seen.edge, mask, mask & ~likely)
    # Of the two numbers of a patch the first is that of its rest, the second of what is likely.
    found, shown = patches.covered(surely[::2]), patches.covered(texture.is_shown()[1::2])
    shown = patches.covered(surely[1::2]) | (shown & seen.coloured)
    cast = patches.covered(looks_so[1::2]) | ~solid  # single pixels are none of a patch
    shadows = likely & (shown | (cast & seen.coloured))
    if ops.general is not None:
        # The general test's window leaves a rim that is wide for the clean-up.
        rim = ops.dilated(likely & shown, square(WINDOW))
        shadows = shadows | (rim & darker & ops.general)
    # What is weak follows the clear pixels beside it.
    beside = square(plan.neighbour_side)
    possible = possible & ~ops.dilated(likely & ~shadows, beside)
    possible = possible | ops.dilated(found, beside)
    shadows = shadows | (found & darker & ~likely)
    return Verdict(shadows, likely & shown, found & brighter, possible)


def _is_cast(
    plan: SegmentationPlan, ops: Ops, patches: Regions, edge: Bits, mask: Bits, others: Bits
) -> Numbers:
    """Whether something that is no shadow may cast each patch, and does not enclose it.

    What casts a shadow stands on one side of it, or beyond the edge of the picture; a dark part of
    a thing has more of the thing around it than of the scene.
    """
    casters = ops.eroded(ops.median_filter(others, plan.median_side), square(CASTER_SIDE))
    near, free = (
        patches.total(patches.at(ops.counts(each, plan.caster_side))) for each in (casters, ~mask)
    )
    return ((near > 0) | (patches.total(patches.are_in(edge)) > 0)) & (near <= free)
