"""A learned scene: backgrounds and masks of its frames, and its way to disk."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Extras, Frame, FrameSize, Mask, Picture
from cleanplate.scene.run_folder import RunFolder
from cleanplate.scene.state_tensors import tensors_of
from cleanplate.scene_file import COVERAGE, Sample, SceneData, write_scene
from cleanplate.scene_model import CameraMotion, SceneModel
from cleanplate.scene_model.sizes import enlarged_mask
from cleanplate.scene_reading import read_coverage
from cleanplate.segmentation import (
    Cut,
    SegmentationPlan,
    SegmentationSettings,
    Segmenter,
    ShadowModel,
)
from cleanplate.segmentation.beside import SecondProcess
from cleanplate.segmentation.difference import mended
from cleanplate.segmentation.layers import LayeredFrame, Layers
from cleanplate.settings import LearnSettings
from cleanplate.streaming.alignment import (
    labels_in_frame,
    mask_in_frame,
    objects_in_frame,
)
from cleanplate.streaming.result import Result
from cleanplate.streaming.stream import Backgrounds, estimated, followed, frames_of, reduced
from cleanplate.video import VideoSource
from cleanplate.video.camera_watch import CameraWatch
from cleanplate.video.given import GivenFrame
from cleanplate.video.registration import Motion
from cleanplate.video.value_range import ValueRange

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from cleanplate.runtimes.tensors import TensorScene


@dataclass(frozen=True, eq=False)
class Scene:
    """One learned camera view. Nothing that it does changes it.

    Attributes:
        settings: All settings that it was learned with.
        model: What is known of the scene.
        plate: Still plate, `(H, W, 3)`, uint8, RGB: the median over time of its backgrounds.
        learned_on: Kind of device that it was learned on.
        provenance: Where it comes from.
        metrics: Log of learning, a mapping for each line.
        samples: A few frames with background and mask.
        plots: Pictures and tables of the training for people, by file name.
    """

    settings: LearnSettings
    model: SceneModel
    plate: Picture
    learned_on: str
    provenance: Mapping[str, Any]
    metrics: Sequence[Mapping[str, float]] = ()
    samples: Sequence[Sample] = ()
    plots: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def frame_size(self) -> FrameSize:
        """Size of the camera's frames."""
        return self.model.frame_size

    @property
    def working_size(self) -> FrameSize:
        """Size in which background and difference are computed."""
        return self.model.working_size

    @property
    def noise(self) -> Mask:
        """Noise of each pixel, `(h, w)`, uint8, grey levels, in the working size."""
        return self.model.main.noise

    @property
    def shadow(self) -> ShadowModel | None:
        """What its cast shadows look like; None: hardly any were met while learning."""
        return self.model.main.shadow

    @property
    def camera(self) -> CameraMotion:
        """How the camera shakes; its frames are brought over the plate before all else."""
        return self.model.camera

    @property
    def value_range(self) -> ValueRange | None:
        """Values that became black and white; None: grey levels of 8 bits as they are."""
        return self.model.value_range

    @cached_property
    def coverage(self) -> Mapping[str, Any] | None:
        """How well the recording showed the empty scene, as in `coverage.json`; None: not known.

        Raises:
            SceneFileError: That file is damaged.
        """
        content = self.plots.get(COVERAGE)
        return None if content is None else read_coverage(content)

    def segment(
        self,
        source: str | Path | VideoSource | Iterable[GivenFrame],
        *,
        value_range: tuple[float, float] | None = None,
        segmentation: SegmentationSettings | None = None,
        skip: Collection[int] = (),
        layers: Layers | None = None,
        watch: CameraWatch | None = None,
        second: SecondProcess | None = None,
    ) -> Generator[Result]:
        """Foreground of every frame of a recording, one after the other.

        Memory does not depend on the length of the recording, and the same frames give the same
        masks in every call.

        Args:
            source: Path of a recording, an open recording, or frames. Pictures alone, of any real
                type, in grey, RGB or RGBA, are numbered from 1 with 25 in a second.
            value_range: Values that become black and white; None: those of the recording where
                they were given when it was opened, else the scene's.
            segmentation: Settings for this call instead of the scene's own.
            skip: Numbers of frames that need no result; the others come out as without it.
            layers: Fresh layers of `open_layers`, to be asked for repairs afterwards.
            watch: A fresh one of `open_watch`, which tells whether the camera was moved.
            second: A process that follows the layers; the masks are the same, in less time. Where
                the caller stops early, layers have seen some frames more than he has.

        Raises:
            SourceError: The recording cannot be read.
            FrameSizeError: Its frames are not of the scene's size.
            UsageError: The source has no frames, one is no picture, or the range is none.
            SegmentationError: The second process has ended.
        """
        settings = segmentation or self.settings.segmentation
        if layers is None and settings.follows:
            layers = self.open_layers(settings)
        unseen = frozenset(skip) if layers is None else frozenset[int]()
        names = self.model.names
        # Layers have segmenters of their own.
        segmenters = self._segmenters(settings) if layers is None else []
        given = None if value_range is None else ValueRange.given(value_range)
        batches = estimated(self.model, frames_of(self.model, source, given), unseen)
        for each, found in followed(batches, layers, second):
            frame, name = each.frame, names[each.state] if len(names) > 1 else None
            if watch is not None and watch.is_due(frame.time):
                watch.look(frame.number, frame.time, reduced(self.model, frame))
            if found is None:
                cut = segmenters[each.state].cut(each.picture, each.background)
                result = self._result(frame, cut.mask, cut.background, each.motion)
                yield replace(result, state=name)
            elif frame.number not in skip:
                yield replace(self._layered_result(frame, found, each.motion), state=name)

    def cut(self, pictures: Picture, extras: Extras) -> list[Cut]:
        """Mask and background of pictures `(B, h, w, 3)` in the working size, each by itself."""
        settings = self.settings.segmentation
        segmenters = self._segmenters(settings)
        picked, backgrounds = Backgrounds(self.model).estimate(pictures, extras)
        return [
            segmenters[state].cut(picture, background)
            for state, picture, background in zip(picked, pictures, backgrounds, strict=True)
        ]

    def segment_tensors(self, pictures: Tensor) -> Tensor:
        """Foreground of frames that are tensors, `(B, H, W)`, uint8, 0 or 255, on their device.

        Each frame is judged by itself: no layers, so that what waits is not told from what moves
        and ghosts are not mended. Frames on another device than the network are brought to it.

        Args:
            pictures: `(B, 3, H, W)` or `(B, H, W, 3)`, uint8, RGB, in the frames' size.

        Raises:
            FrameSizeError: They are not of the scene's size.
            SettingsError: The camera shakes, or the method reads more than the frames' colours.
        """
        from cleanplate.runtimes.tensors import TensorScene

        if pictures.device not in self._on_devices:
            self._on_devices[pictures.device] = TensorScene(self, pictures.device)
        return self._on_devices[pictures.device].segment(pictures)

    @cached_property
    def _on_devices(self) -> dict[torch.device, TensorScene]:
        """This scene as tensors, by the device of the frames that it met."""
        return {}

    def segment_by_each(
        self, source: str | Path, settings: Sequence[SegmentationSettings]
    ) -> Generator[tuple[Result, ...]]:
        """As `segment` under each of several settings; backgrounds are estimated only once.

        Raises:
            SourceError: The recording cannot be read.
            FrameSizeError: Its frames are not of the scene's size.
        """
        layers = [self.open_layers(each) for each in settings]
        batches = estimated(self.model, frames_of(self.model, source), frozenset())
        for each, _ in followed(batches, None):
            found = [one.update(*each.to_follow) for one in layers]
            yield tuple(self._layered_result(each.frame, one, each.motion) for one in found)

    def open_layers(self, segmentation: SegmentationSettings | None = None) -> Layers:
        """Fresh layers for one call of `segment`."""
        others = [state.noise for state in self.model.states[1:]]
        return Layers(self.noise, self._plan(segmentation), others, shadow=self.shadow)

    def _segmenters(self, settings: SegmentationSettings) -> list[Segmenter]:
        plan = self._plan(settings)
        return [Segmenter(state.noise, plan, state.shadow) for state in self.model.states]

    def _plan(self, settings: SegmentationSettings | None) -> SegmentationPlan:
        if settings is None:
            return self.model.plan
        return SegmentationPlan.of(settings, self.working_size)

    def open_watch(self) -> CameraWatch:
        """A fresh watch over the camera, for one call of `segment`."""
        main, *others = self.model.states
        return CameraWatch(
            main.plate,
            reach=self.camera.reach,
            enlargement=self.model.enlargement,
            others=[state.plate for state in others],
        )

    def repaired(self, layers: Layers) -> Scene:
        """A copy of this scene whose background is mended as the layers mended theirs."""
        if not layers.repairs:
            return self
        return replace(
            self,
            plate=mended(self.plate, _resized_repair(layers.repair, self.frame_size)),
            model=self.model.corrected(layers.mends),
            provenance={**self.provenance, "ghosts_repaired_while_segmenting": layers.repairs},
        )

    def _result(
        self, frame: Frame, mask: Mask, background: Picture, motion: Motion | None
    ) -> Result:
        if motion is None or motion.is_none:
            return Result(frame, enlarged_mask(mask, self.frame_size), background)
        mask = mask_in_frame(mask, motion, self.frame_size)
        return Result(frame, mask, background, motion=motion)

    def _layered_result(self, frame: Frame, found: LayeredFrame, motion: Motion | None) -> Result:
        result = self._result(frame, found.mask, found.background, motion)
        labels, objects = found.labels, found.objects
        if motion is not None:
            labels = labels_in_frame(labels, motion, result.mask)
            objects = objects_in_frame(objects, motion)
        ratio = (
            self.frame_size.width / self.working_size.width,
            self.frame_size.height / self.working_size.height,
        )
        enlarged = tuple(item.enlarged(*ratio) for item in objects)
        return replace(result, working_labels=labels, objects=enlarged)

    def save(self, run: str | Path) -> None:
        """Writes the scene to a folder, over a scene that is there.

        Raises:
            OutputError: It cannot be written, or something else is in the way.
            RunLockedError: Another process learns into the folder.
        """
        folder = RunFolder(Path(run))
        with folder.locked():
            folder.require_replaceable()
            write_into(folder.path, self)


def write_into(folder: Path, scene: Scene) -> None:
    """Writes a scene to a folder that is locked and free.

    Raises:
        OutputError: It cannot be written.
    """
    write_scene(
        folder,
        SceneData(
            settings=scene.settings.as_tree(),
            frame_size=scene.frame_size,
            working_size=scene.working_size,
            learned_on=scene.learned_on,
            tensors=tensors_of(scene.model),
            plate=scene.plate,
            noise=scene.noise,
            registration=scene.camera.as_values(),
            value_range=scene.value_range,
            shadow=None if scene.shadow is None else scene.shadow.as_tree(),
            provenance=scene.provenance,
            metrics=scene.metrics,
            samples=scene.samples,
            plots=scene.plots,
        ),
    )


def _resized_repair(repair: NDArray[np.int16], size: FrameSize) -> NDArray[np.int16]:
    return np.asarray(cv2.resize(repair, size[::-1], interpolation=cv2.INTER_LINEAR), np.int16)
