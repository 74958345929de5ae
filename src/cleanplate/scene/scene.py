"""A learned scene: backgrounds and masks of its frames, and its way to disk and back."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.background import spread_positions
from cleanplate.errors import FrameSizeError, SceneFileError, UsageError
from cleanplate.frames import FloatMap, Frame, FrameSize, Mask, Modality, Picture
from cleanplate.scene.estimators import (
    BackgroundEstimator,
    MendedEstimator,
    restore_estimator,
    restore_onnx,
)
from cleanplate.scene.inputs import LearningFrames
from cleanplate.scene_file import (
    CONFIG,
    COVERAGE,
    Sample,
    SceneData,
    read_coverage,
    read_scene,
    write_scene,
)
from cleanplate.segmentation import SegmentationSettings, Segmenter
from cleanplate.segmentation.difference import mended
from cleanplate.segmentation.layers import (
    BACKGROUND,
    MOVING,
    SHADOW,
    LayeredFrame,
    Layers,
    WaitingObject,
)
from cleanplate.settings import LearnSettings, resolve, resolve_closed
from cleanplate.video import VideoSource, in_batches, open_source, read_ahead

Runtime: TypeAlias = Literal["torch", "onnx"]
"""What runs the network of a scene."""
_BATCH = 8
_PLATE_FRAMES = 100


@dataclass(frozen=True, eq=False)
class Result:
    """What a scene says about one frame.

    Attributes:
        frame: The frame itself.
        mask: Its foreground, `(H, W)`, uint8, 0 or 255, in the frame's size.
        working_background: Its background in the size in which the scene was learned.
        working_labels: Layer of each pixel in that size, values of `Label`; None: not followed.
        objects: Who stands still, boxes and sizes in pixels of the frame.
    """

    frame: Frame
    mask: Mask
    working_background: Picture
    working_labels: Mask | None = None
    objects: tuple[WaitingObject, ...] = ()

    @property
    def number(self) -> int:
        """The user's number of the frame."""
        return self.frame.number

    @property
    def time(self) -> float:
        """Seconds from the first frame."""
        return self.frame.time

    @property
    def picture(self) -> Picture:
        """The frame's picture, `(H, W, 3)`, uint8, RGB."""
        return self.frame.picture

    @cached_property
    def background(self) -> Picture:
        """The empty scene in this frame's light, `(H, W, 3)`, uint8, RGB."""
        return resized(self.working_background, self.frame.size)

    @cached_property
    def labels(self) -> Mask | None:
        """Layer of each pixel, `(H, W)`, uint8, values of `Label`; None: not followed."""
        if self.working_labels is None or self.working_labels.shape == self.frame.size:
            return self.working_labels
        labels = cv2.resize(
            self.working_labels, self.frame.size[::-1], interpolation=cv2.INTER_NEAREST
        )
        # The smooth outline of the mask decides what is foreground.
        labels[(self.mask == 0) & (labels > SHADOW)] = BACKGROUND
        labels[(self.mask > 0) & (labels <= SHADOW)] = MOVING
        return np.asarray(labels, np.uint8)


@dataclass(frozen=True, eq=False)
class Scene:
    """One learned camera view. Nothing that it does changes it.

    Attributes:
        settings: All settings that it was learned with.
        frame_size: Size of the camera's frames.
        plate: Still plate, `(H, W, 3)`, uint8, RGB: the median over time of its backgrounds.
        noise: Noise of each pixel, `(h, w)`, uint8, grey levels, in the working size.
        provenance: Where it comes from.
        metrics: Log of learning, a mapping for each line.
        samples: A few frames with background and mask.
        plots: Pictures and tables of the training for people, by file name.
    """

    settings: LearnSettings
    frame_size: FrameSize
    plate: Picture
    noise: Mask
    estimator: BackgroundEstimator
    learned_on: str
    provenance: Mapping[str, Any]
    metrics: Sequence[Mapping[str, float]] = ()
    samples: Sequence[Sample] = ()
    plots: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def coverage(self) -> Mapping[str, Any] | None:
        """How well the recording showed the empty scene, as in `coverage.json`; None: not known.

        Raises:
            SceneFileError: That file is damaged.
        """
        content = self.plots.get(COVERAGE)
        return None if content is None else read_coverage(content)

    @property
    def working_size(self) -> FrameSize:
        """Size in which background and difference are computed."""
        return FrameSize(*self.noise.shape)

    def segment(
        self,
        source: str | Path | VideoSource | Iterable[Frame],
        *,
        segmentation: SegmentationSettings | None = None,
        skip: Collection[int] = (),
        layers: Layers | None = None,
    ) -> Generator[Result]:
        """Foreground of every frame of a recording, one after the other.

        Memory does not depend on the length of the recording, and the same frames give the same
        masks in every call.

        Args:
            source: Path of a recording, an open recording, or frames.
            segmentation: Settings for this call instead of the scene's own.
            skip: Numbers of frames that need no result; the others come out as without it.
            layers: Fresh layers of `open_layers`, to be asked for repairs afterwards.

        Raises:
            SourceError: The recording cannot be read.
            FrameSizeError: Its frames are not of the scene's size.
        """
        settings = segmentation or self.settings.segmentation
        if layers is None and settings.follows:
            layers = self.open_layers(settings)
        if isinstance(source, str | Path):
            source = open_source(source)
        if isinstance(source, VideoSource):
            require_size(source.size, self.frame_size, source.name)
            source = read_ahead(source.frames(), depth=2 * _BATCH)
        # The next backgrounds are estimated while the masks of these frames are cut out.
        unseen = frozenset(skip) if layers is None else frozenset[int]()
        segmenter = Segmenter(self.noise, settings)
        for batch in read_ahead(self._estimated(source, unseen), depth=1):
            for frame, picture, background in batch:
                if layers is None:
                    mask = segmenter.segment(picture, background)
                    yield Result(frame, enlarged_mask(mask, self.frame_size), background)
                    continue
                found = layers.update(frame.time, picture, background)
                if frame.number not in skip:
                    yield self._result(frame, found)

    def open_layers(self, segmentation: SegmentationSettings | None = None) -> Layers:
        """Fresh layers for one call of `segment`."""
        settings = segmentation or self.settings.segmentation
        return Layers(self.noise, settings)

    def repaired(self, layers: Layers) -> Scene:
        """A copy of this scene whose background is mended as the layers mended theirs."""
        if not layers.repairs:
            return self
        repair = layers.repair
        return replace(
            self,
            plate=mended(self.plate, _resized_repair(repair, self.frame_size)),
            estimator=MendedEstimator.of(self.estimator, repair),
            provenance={**self.provenance, "ghosts_repaired_while_segmenting": layers.repairs},
        )

    def _result(self, frame: Frame, found: LayeredFrame) -> Result:
        ratio = (
            self.frame_size.width / self.working_size.width,
            self.frame_size.height / self.working_size.height,
        )
        return Result(
            frame,
            enlarged_mask(found.mask, self.frame_size),
            found.background,
            working_labels=found.labels,
            objects=tuple(item.enlarged(*ratio) for item in found.objects),
        )

    def save(self, run: str | Path) -> None:
        """Writes the scene to a folder.

        Raises:
            OutputError: It cannot be written.
        """
        folder = Path(run)
        write_scene(
            folder,
            SceneData(
                settings=self.settings.as_tree(),
                frame_size=self.frame_size,
                working_size=self.working_size,
                learned_on=self.learned_on,
                tensors=self.estimator.tensors(),
                plate=self.plate,
                noise=self.noise,
                provenance=self.provenance,
                metrics=self.metrics,
                samples=self.samples,
                plots=self.plots,
            ),
        )

    def _estimated(
        self, frames: Iterable[Frame], skip: frozenset[int]
    ) -> Iterator[tuple[tuple[Frame, Picture, Picture], ...]]:
        """Batches of frame, picture and background in the working size."""
        for batch in in_batches(self._inputs(frames, skip), _BATCH):
            pictures = np.stack([picture for _, picture, _ in batch])
            extras = {name: np.stack([e[name] for _, _, e in batch]) for name in batch[0][2]}
            backgrounds = self.estimator.estimate(pictures, extras)
            wanted = tuple(frame for frame, _, _ in batch)
            yield tuple(zip(wanted, pictures, backgrounds, strict=True))

    def _inputs(
        self, frames: Iterable[Frame], skip: frozenset[int]
    ) -> Iterator[tuple[Frame, Picture, dict[Modality, FloatMap]]]:
        """Frames with their picture in the working size and what else the method reads."""
        readers = self.estimator.readers()
        for frame in frames:
            if frame.number in skip and not readers:
                continue
            picture = self._reduced(frame)
            # Readers see every frame, also those left out: they may remember.
            extras = {name: reader.read(picture, frame.index) for name, reader in readers.items()}
            if frame.number not in skip:
                yield frame, picture, extras

    def _reduced(self, frame: Frame) -> Picture:
        require_size(frame.size, self.frame_size, f"frame {frame.number}")
        return resized(frame.picture, self.working_size)


def load(run: str | Path, *, device: str = "auto", runtime: Runtime = "torch") -> Scene:
    """A scene from its folder.

    Args:
        run: Folder that `learn` or `Scene.save` wrote.
        device: Where to compute: `auto`, `cpu`, `cuda` or `cuda:N`.
        runtime: What runs a network: `torch`, or `onnx` without torch, once the scene was exported
            into its folder.

    Raises:
        SceneFileError: The folder is no scene, or one that is damaged or of another format.
        SettingsError: There is no such device, or the runtime is not installed.
    """
    resolve({"method": "median", "device": device})  # refuses a name that makes no sense
    data = read_scene(Path(run))
    try:
        settings = resolve(data.settings) if runtime == "torch" else resolve_closed(data.settings)
    except UsageError as error:
        raise SceneFileError(f"{CONFIG} of the scene {run}: {error}") from error
    restored = restore_estimator if runtime == "torch" else partial(restore_onnx, Path(run))
    estimator = restored(
        settings, data.tensors, size=data.working_size, learned_on=data.learned_on, device=device
    )
    return Scene(
        settings=settings,
        frame_size=data.frame_size,
        plate=data.plate,
        noise=data.noise,
        estimator=estimator,
        learned_on=data.learned_on,
        provenance=data.provenance,
        metrics=data.metrics,
        samples=data.samples,
        plots=data.plots,
    )


def learned_plate(estimator: BackgroundEstimator, inputs: LearningFrames) -> Picture:
    """Median over time of the backgrounds of frames spread over a recording."""
    positions = spread_positions(len(inputs), _PLATE_FRAMES)
    backgrounds = [
        estimator.estimate(*inputs.read(chunk)) for chunk in in_batches(positions, _BATCH)
    ]
    return np.rint(np.median(np.concatenate(backgrounds), axis=0)).astype(np.uint8)


def require_size(got: FrameSize, expected: FrameSize, name: str) -> None:
    """Refuses frames that are not of the scene's size.

    Raises:
        FrameSizeError: They are not.
    """
    if got != expected:
        raise FrameSizeError(
            f"{name} is {got}, but the scene was learned from {expected}; "
            "learn a scene for this camera and size"
        )


def resized(picture: Picture, size: FrameSize) -> Picture:
    """Picture in another size: by area when it shrinks, linearly when it grows."""
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    shrinks = height * width > size.pixels
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=how), np.uint8)


def _resized_repair(repair: NDArray[np.int16], size: FrameSize) -> NDArray[np.int16]:
    return np.asarray(cv2.resize(repair, size[::-1], interpolation=cv2.INTER_LINEAR), np.int16)


def enlarged_mask(mask: Mask, size: FrameSize) -> Mask:
    """Mask in the frame's size, with smooth outlines, 0 or 255."""
    if mask.shape == size:
        return mask
    smooth = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.compare(smooth, 127, cv2.CMP_GT), np.uint8)
