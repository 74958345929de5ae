"""From a frame and its background to a mask: the sequence of steps, for every library of arrays."""

from __future__ import annotations

from cleanplate.segmentation.cleanup import (
    cleaned,
    refined,
    small_objects,
    with_evidence,
    without_small,
)
from cleanplate.segmentation.evidence import judge
from cleanplate.segmentation.ops import Bits, Flags, Maps, Ops, Pictures, Seen, square
from cleanplate.segmentation.plan import SegmentationPlan


def cut(
    plan: SegmentationPlan, ops: Ops, picture: Pictures, background: Pictures
) -> tuple[Bits, Pictures, Bits | None]:
    """Foreground of frames, what they were compared with, and shadows where they get a label.

    Args:
        plan: Of the masks.
        ops: The primitives.
        picture: The frames.
        background: Of them.
    """
    whole = compared(plan, ops, picture, background)
    everything = ops.above(whole.difference, ops.threshold)
    if ops.is_empty(everything):
        return everything, whole.background, everything if plan.labels_shadows else None
    considered = everything
    if ops.low_threshold is not None:
        considered = ops.above(whole.difference, ops.low_threshold)
    # What is empty all around stays so: only the part that holds anything is looked at.
    part = ops.part(considered, plan.reach)
    seen, mask, considered = whole.within(part), everything[part], considered[part]
    weak = None if ops.low_threshold is None else considered
    dropped: Bits | None = None
    raw = mask
    if plan.tells_shadows:
        verdict = judge(plan, ops, seen, mask, considered)
        dropped = verdict.shadows
        mask = mask & ~(verdict.shadows | verdict.lit)
        if weak is not None:  # what is clearly foreground is weak foreground too
            weak = (weak & ~verdict.possible) | mask
    rough = cleaned(plan, ops, mask, weak, seen.difference)
    strong = ops.strong_threshold[part]
    clear = ops.above(seen.difference, strong)
    relit = raw & ~mask
    rough = rough | small_objects(plan, ops, mask, rough, relit, clear)
    inner = ops.part(rough, max(plan.boundary_reach, plan.alone_side // 2))
    found = refined(plan, ops, seen.within(inner), rough[inner], mask[inner], strong[inner])
    stays = with_evidence(plan, ops, found.mask, relit[inner], found.strong)
    final = ops.placed(stays, inner, mask)
    shadows: Bits | None = None
    if plan.labels_shadows:
        if found.shaded is not None:
            dropped = dropped | ops.placed(found.shaded, inner, mask)
        # The test leaves a rim of each shadow; a majority would take thin ones out.
        shadows = ops.dilated(dropped, square(3)) & everything[part] & ~final
        shadows = ops.placed(without_small(ops, shadows, plan.min_area), part, everything)
    return ops.placed(final, part, everything), whole.background, shadows


def compared(plan: SegmentationPlan, ops: Ops, picture: Pictures, background: Pictures) -> Seen:
    """Frames with their backgrounds in their light, and what is compared with the threshold."""
    coloured = ops.coloured(picture, background)
    apart = difference(plan, ops, picture, background, coloured)
    lit = ops.relit(picture, background, apart)
    if lit is not background:
        coloured = ops.coloured(picture, lit)
        apart = difference(plan, ops, picture, lit, coloured)
    return Seen(picture, lit, apart, ops.threshold, ops.edge, coloured)


def difference(
    plan: SegmentationPlan, ops: Ops, picture: Pictures, other: Pictures, coloured: Flags
) -> Maps:
    """What pictures differ from others by, blurred, uint8."""
    apart = ops.difference(picture, other, coloured)
    return ops.blurred(apart, plan.blur_side, plan.blur_sigma) if plan.blur_sigma > 0 else apart
