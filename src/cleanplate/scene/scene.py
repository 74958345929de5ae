"""A learned scene: backgrounds and masks of its frames, and its way to disk and back."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SceneFileError, UsageError, shortened
from cleanplate.frames import Extras, Frame, FrameSize, Mask, Picture
from cleanplate.scene.alignment import (
    labels_in_frame,
    mask_in_frame,
    objects_in_frame,
)
from cleanplate.scene.estimators import BackgroundEstimator, restore_estimator, restore_onnx
from cleanplate.scene.expected import require_tensors
from cleanplate.scene.processors import survive_forks
from cleanplate.scene.result import Result, enlarged_mask, resized
from cleanplate.scene.run_folder import RunFolder
from cleanplate.scene.states import (
    StatesEstimator,
    mended_states,
    other_states,
    pick_and_estimate,
    restore_states,
    state_names,
)
from cleanplate.scene.steadying import Shake
from cleanplate.scene.stream import estimated, followed, frames_of, reduced
from cleanplate.scene_file import (
    CONFIG,
    COVERAGE,
    Sample,
    SceneData,
    write_scene,
)
from cleanplate.scene_reading import SceneHead, read_coverage, read_head, read_scene
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
from cleanplate.settings import LearnSettings, require_device, resolve, resolve_closed
from cleanplate.video import VideoSource
from cleanplate.video.camera_watch import CameraWatch
from cleanplate.video.given import GivenFrame
from cleanplate.video.registration import Motion
from cleanplate.video.value_range import ValueRange

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from cleanplate.scene.tensors import TensorScene

Runtime: TypeAlias = Literal["torch", "onnx"]
"""What runs the network of a scene."""


@dataclass(frozen=True, eq=False)
class Scene:
    """One learned camera view. Nothing that it does changes it.

    Attributes:
        settings: All settings that it was learned with.
        frame_size: Size of the camera's frames.
        plate: Still plate, `(H, W, 3)`, uint8, RGB: the median over time of its backgrounds.
        noise: Noise of each pixel, `(h, w)`, uint8, grey levels, in the working size.
        value_range: Values of the recording that became black and white; None: grey levels of 8
            bits as they are. The scene's frames are read by it.
        shake: How the camera shakes; its frames are brought over the plate before all else.
        provenance: Where it comes from.
        shadow: What its cast shadows look like; None: hardly any were met while learning.
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
    shake: Shake = field(default_factory=Shake)
    value_range: ValueRange | None = None
    shadow: ShadowModel | None = None
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

    @cached_property
    def working_size(self) -> FrameSize:
        """Size in which background and difference are computed."""
        return FrameSize(*self.noise.shape)

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
        names = state_names(self.estimator)
        # Layers have segmenters of their own.
        segmenters = self._segmenters(settings) if layers is None else []
        given = None if value_range is None else ValueRange.given(value_range)
        batches = estimated(self, frames_of(self, source, given), unseen)
        for each, found in followed(batches, layers, second):
            frame, name = each.frame, names[each.state] if len(names) > 1 else None
            if watch is not None and watch.is_due(frame.time):
                watch.look(frame.number, frame.time, reduced(self, frame))
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
        picked, backgrounds = pick_and_estimate(self.estimator, pictures, extras)
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
        from cleanplate.scene.tensors import TensorScene

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
        batches = estimated(self, frames_of(self, source), frozenset())
        for each, _ in followed(batches, None):
            found = [one.update(*each.to_follow) for one in layers]
            yield tuple(self._layered_result(each.frame, one, each.motion) for one in found)

    def open_layers(self, segmentation: SegmentationSettings | None = None) -> Layers:
        """Fresh layers for one call of `segment`."""
        settings = segmentation or self.settings.segmentation
        plan = SegmentationPlan.of(settings, self.working_size)
        return Layers(self.noise, plan, self._other_noises(), shadow=self.shadow)

    def _segmenters(self, settings: SegmentationSettings) -> list[Segmenter]:
        plan = SegmentationPlan.of(settings, self.working_size)
        others = (Segmenter(noise, plan) for noise in self._other_noises())
        return [Segmenter(self.noise, plan, self.shadow), *others]

    def _other_noises(self) -> tuple[Mask, ...]:
        return tuple(state.noise for state in other_states(self.estimator))

    def open_watch(self) -> CameraWatch:
        """A fresh watch over the camera, for one call of `segment`."""
        return CameraWatch(
            resized(self.plate, self.working_size),
            reach=self.shake.reach,
            enlargement=self.frame_size.width / self.working_size.width,
            others=[state.plate for state in other_states(self.estimator)],
        )

    def repaired(self, layers: Layers) -> Scene:
        """A copy of this scene whose background is mended as the layers mended theirs."""
        if not layers.repairs:
            return self
        return replace(
            self,
            plate=mended(self.plate, _resized_repair(layers.repair, self.frame_size)),
            estimator=mended_states(self.estimator, layers.mends),
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
            tensors=scene.estimator.tensors(),
            plate=scene.plate,
            noise=scene.noise,
            registration=scene.shake.as_values(),
            value_range=scene.value_range,
            shadow=None if scene.shadow is None else scene.shadow.as_tree(),
            provenance=scene.provenance,
            metrics=scene.metrics,
            samples=scene.samples,
            plots=scene.plots,
        ),
    )


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
    survive_forks()
    require_device(device)
    head = read_head(Path(run))
    settings = _settings_of(head, runtime)
    require_tensors(head, settings if runtime == "torch" else None)
    data = read_scene(Path(run), head)
    restored = restore_estimator if runtime == "torch" else partial(restore_onnx, Path(run))
    size = data.working_size
    tensors, states = restore_states(data.tensors, size)
    main = restored(settings, tensors, size=size, learned_on=data.learned_on, device=device)
    threshold = SegmentationPlan.of(settings.segmentation, size).compared_threshold
    estimator = main if states is None else StatesEstimator(main, *states, threshold)
    return Scene(
        settings=settings,
        frame_size=data.frame_size,
        plate=data.plate,
        noise=data.noise,
        shadow=_restored_shadow(data.shadow, f"{CONFIG} of the scene {run}"),
        estimator=estimator,
        learned_on=data.learned_on,
        shake=Shake.of(data.registration),
        value_range=data.value_range,
        provenance=data.provenance,
        metrics=data.metrics,
        samples=data.samples,
        plots=data.plots,
    )


def _settings_of(head: SceneHead, runtime: Runtime) -> LearnSettings:
    try:
        return (resolve if runtime == "torch" else resolve_closed)(head.settings)
    except UsageError as error:
        raise SceneFileError(f"{CONFIG} of the scene {head.folder}: {error}") from error


def _restored_shadow(tree: Mapping[str, Any] | None, name: str) -> ShadowModel | None:
    if tree is None:
        return None
    try:
        return ShadowModel.from_tree(tree)
    except (ValueError, TypeError, AttributeError, np.linalg.LinAlgError) as error:
        raise SceneFileError(f"{name} is damaged: shadow: {shortened(error)}") from error


def _resized_repair(repair: NDArray[np.int16], size: FrameSize) -> NDArray[np.int16]:
    return np.asarray(cv2.resize(repair, size[::-1], interpolation=cv2.INTER_LINEAR), np.int16)
