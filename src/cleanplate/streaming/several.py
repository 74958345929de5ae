"""The foreground of a recording by several plans at once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from cleanplate.scene_model import SceneModel
from cleanplate.segmentation import SegmentationPlan
from cleanplate.streaming.estimating import estimated
from cleanplate.streaming.reading import frames_of
from cleanplate.streaming.result import Result, layered_result_of
from cleanplate.streaming.stream import DEFAULT_BATCH
from cleanplate.streaming.tracking import followed, open_layers


def segmented_by_each(
    model: SceneModel, source: str | Path, plans: Sequence[SegmentationPlan]
) -> Generator[tuple[Result, ...]]:
    """Results of each frame by each plan; backgrounds are estimated only once.

    Raises:
        SourceError: The recording cannot be read.
        FrameSizeError: Its frames are not of the scene's size.
    """
    layers = [open_layers(model, plan) for plan in plans]
    batches = estimated(model, frames_of(model, source), frozenset(), DEFAULT_BATCH)
    with closing(followed(batches, None, DEFAULT_BATCH)) as tracked:
        for each, _ in tracked:
            found = [one.update(*each.to_follow) for one in layers]
            yield tuple(layered_result_of(model, each.frame, one, each.motion) for one in found)
