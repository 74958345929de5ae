"""The foreground of estimated frames, followed from one to the next, here or by a process."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing

from cleanplate.frames import ExtraModalities, FrameSize, Picture
from cleanplate.scene_model import SceneModel
from cleanplate.segmentation import Cut, SegmentationPlan, Segmenter
from cleanplate.segmentation.layers import LayeredFrame, Layers
from cleanplate.segmentation.worker_process import WorkerProcess, WorkerStream
from cleanplate.streaming.estimating import Backgrounds, Estimated
from cleanplate.video import read_ahead

_MOST_PIXELS_BESIDE = 640 * 480
"""Frames that a worker process is of use for: larger ones give threads long calls, and those on
their way to it would need too much memory."""


def open_layers(model: SceneModel, plan: SegmentationPlan) -> Layers:
    """Fresh layers for one stream."""
    main, *others = model.states
    return Layers(main.noise, plan, [state.noise for state in others], shadow=main.shadow)


def open_segmenters(model: SceneModel, plan: SegmentationPlan) -> list[Segmenter]:
    """What cuts frames by themselves, for each state."""
    return [Segmenter(state.noise, plan, state.shadow) for state in model.states]


def cut_frames(model: SceneModel, pictures: Picture, extras: ExtraModalities) -> list[Cut]:
    """Mask and background of pictures `(B, h, w, 3)` in the working size, each by itself."""
    segmenters = open_segmenters(model, model.plan)
    picked, backgrounds = Backgrounds(model).estimate(pictures, extras)
    return [
        segmenters[state].cut(picture, background)
        for state, picture, background in zip(picked, pictures, backgrounds, strict=True)
    ]


def followed(
    batches: Iterator[tuple[Estimated, ...]],
    layers: Layers | None,
    batch_size: int,
    worker: WorkerProcess | None = None,
) -> Generator[tuple[Estimated, LayeredFrame | None]]:
    """Each frame of the batches with what the layers say of it; None without layers.

    Args:
        batches: Of frames.
        layers: Fresh ones.
        batch_size: Most frames of a batch; 1: nothing is done ahead, here or elsewhere.
        worker: A process that follows the layers; None: this one does.
    """
    if batch_size == 1:
        for each in itertools.chain.from_iterable(batches):
            yield each, None if layers is None else layers.update(*each.to_follow)
        return
    if layers is not None and worker is not None:
        first = next(batches, None)
        if first is None:
            return
        batches = itertools.chain([first], batches)
        if first[0].frame.size.pixels <= _MOST_PIXELS_BESIDE:
            size = FrameSize(*first[0].picture.shape[:2])
            with worker.open(layers, size, batch_size) as stream:
                yield from _followed_beside(batches, stream)
            return
    # The next backgrounds are estimated while the masks of these frames are cut out.
    with closing(read_ahead(batches, depth=1)) as ahead:
        for each in itertools.chain.from_iterable(ahead):
            yield each, None if layers is None else layers.update(*each.to_follow)


def _followed_beside(
    batches: Iterator[tuple[Estimated, ...]], stream: WorkerStream
) -> Generator[tuple[Estimated, LayeredFrame]]:
    """The same by another process, which always has some batches to work on."""
    given: deque[tuple[Estimated, ...]] = deque()
    failure: Exception | None = None
    try:
        for batch in batches:
            frames, cuts = [each.to_follow for each in batch], []
            if stream.is_full:
                # What the other process is slower with than this one is done here.
                cuts = stream.cut_while_waiting(frames)
                yield from zip(given.popleft(), stream.take(), strict=True)
            stream.give(frames, cuts)
            given.append(batch)
    except Exception as error:  # noqa: BLE001 - raised after the frames before it
        failure = error
    while given:
        yield from zip(given.popleft(), stream.take(), strict=True)
    if failure is not None:
        raise failure
