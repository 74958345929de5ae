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

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.scene.run_folder import RunFolder
from cleanplate.scene.state_tensors import tensors_of
from cleanplate.scene_file import COVERAGE, Sample, SceneData, write_scene
from cleanplate.scene_model import CameraMotion, SceneModel
from cleanplate.scene_model.findings import SceneFindings
from cleanplate.scene_reading import read_coverage
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings, ShadowModel
from cleanplate.segmentation.difference import corrected
from cleanplate.segmentation.worker_process import WorkerProcess
from cleanplate.settings import LearnSettings
from cleanplate.streaming import DEFAULT_BATCH, Corrections, Result, Stream, StreamOptions
from cleanplate.streaming.several import segmented_by_each
from cleanplate.video import VideoSource
from cleanplate.video.given import GivenFrame
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

    @cached_property
    def findings(self) -> SceneFindings:
        """What the scene was found to be, and what is done about it; empty in older scenes."""
        return SceneFindings.of(self.provenance.get("findings"))

    def open_stream(
        self,
        source: str | Path | VideoSource | Iterable[GivenFrame],
        *,
        batch: int = DEFAULT_BATCH,
        value_range: tuple[float, float] | None = None,
        segmentation: SegmentationSettings | None = None,
        skip: Collection[int] = (),
        labels: bool = False,
        watch_camera: bool = True,
        worker: WorkerProcess | bool | None = None,
    ) -> Stream:
        """Opens a recording, for its foreground frame by frame and for what is found on the way.

        To be used by `with`, which ends all that the stream has started. The same frames give the
        same masks in every stream.

        Args:
            source: Path of a recording, an open recording, or frames. Pictures alone, of any real
                type, in grey, RGB or RGBA, are numbered from 1 with 25 in a second.
            batch: Frames that are worked on together; 1, for a live camera: each result comes
                before the next frame is asked for, and nothing is done by other threads or
                processes.
            value_range: Values that become black and white; None: those of the recording where
                they were given when it was opened, else the scene's.
            segmentation: Settings for this stream instead of the scene's own.
            skip: Numbers of frames that need no result; the others come out as without it.
            labels: Tell stationary foreground from moving foreground though no setting needs it.
            watch_camera: Find out whether the camera is moved, for `Stream.camera_moved`.
            worker: A process that cuts masks out and tracks; the masks are the same, in less time.
                True: one for this stream alone, which ends with it.

        Raises:
            SourceError: The recording cannot be read.
            FrameSizeError: Its frames are not of the scene's size.
            UsageError: The source has no frames, or an argument makes no sense.
            SegmentationError: The worker process cannot be started.
        """
        plan = self._plan(segmentation)
        tracks = labels or plan.needs_tracking
        return Stream(
            self.model,
            plan,
            source,
            StreamOptions(batch, skip, tracks=tracks, watches=watch_camera),
            value_range=None if value_range is None else ValueRange.given(value_range),
            worker=worker,
        )

    def segment(
        self,
        source: str | Path | VideoSource | Iterable[GivenFrame],
        *,
        batch: int = DEFAULT_BATCH,
        value_range: tuple[float, float] | None = None,
        segmentation: SegmentationSettings | None = None,
        skip: Collection[int] = (),
        worker: WorkerProcess | bool | None = None,
    ) -> Generator[Result]:
        """Foreground of every frame of a recording: a stream of which nothing else is asked.

        Args:
            source: See `open_stream`, as for the other arguments.
            batch: Frames that are worked on together.
            value_range: Values that become black and white.
            segmentation: Settings for this call.
            skip: Numbers of frames that need no result.
            worker: A process that cuts masks out and tracks.

        Raises:
            SourceError: The recording cannot be read.
            FrameSizeError: Its frames are not of the scene's size.
            UsageError: The source has no frames, one is no picture, or the range is none.
            SegmentationError: The worker process has ended.
        """
        with self.open_stream(
            source,
            batch=batch,
            value_range=value_range,
            segmentation=segmentation,
            skip=skip,
            watch_camera=False,
            worker=worker,
        ) as stream:
            yield from stream

    def segment_by_each(
        self, source: str | Path, settings: Sequence[SegmentationSettings]
    ) -> Generator[tuple[Result, ...]]:
        """As `segment` under each of several settings; backgrounds are estimated only once.

        Raises:
            SourceError: The recording cannot be read.
            FrameSizeError: Its frames are not of the scene's size.
        """
        return segmented_by_each(self.model, source, [self._plan(each) for each in settings])

    def segment_tensors(self, pictures: Tensor) -> Tensor:
        """Foreground of frames that are tensors, `(B, H, W)`, uint8, 0 or 255, on their device.

        Each frame is judged by itself: no layers, so that what waits is not told from what moves
        and ghosts are not corrected. Frames on another device than the network are brought to it.

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

    def _plan(self, settings: SegmentationSettings | None) -> SegmentationPlan:
        if settings is None:
            return self.model.plan
        return SegmentationPlan.of(settings, self.working_size)

    def corrected(self, corrections: Corrections) -> Scene:
        """A copy of this scene whose backgrounds are corrected as those of a stream were."""
        if not corrections.count:
            return self
        plate, change = self.plate, corrections.changes.get(0)
        if change is not None:
            plate = corrected(plate, _resized_change(change, self.frame_size))
        return replace(
            self,
            plate=plate,
            model=self.model.corrected(corrections.changes),
            provenance={**self.provenance, "ghosts_repaired_while_segmenting": corrections.count},
        )

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


def _resized_change(change: NDArray[np.int16], size: FrameSize) -> NDArray[np.int16]:
    return np.asarray(cv2.resize(change, size[::-1], interpolation=cv2.INTER_LINEAR), np.int16)
