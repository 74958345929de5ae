"""Learning a scene from a recording: source, cache, start, training, noise, result."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanplate.background import (
    CANDIDATES,
    PLATES,
    choose_plate,
)
from cleanplate.errors import SourceError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.progress import ProgressListener, silent
from cleanplate.scene.calibration import Calibration, calibrate
from cleanplate.scene.coverage import coverage_files
from cleanplate.scene.estimators import NetworkEstimator, open_readers, pick_device
from cleanplate.scene.inputs import LearningFrames
from cleanplate.scene.loading import load
from cleanplate.scene.processors import survive_forks
from cleanplate.scene.provenance import describe_input, describe_machine, now, peak_memory_bytes
from cleanplate.scene.run_folder import RunFolder
from cleanplate.scene.sampled import learned_plate, plate_positions
from cleanplate.scene.samples import take_samples
from cleanplate.scene.scene import Scene
from cleanplate.scene.start_plate import StartPlate
from cleanplate.scene.steady_states import steady_states
from cleanplate.scene_model import BackgroundEstimator, SceneModel, SceneState, StillPlate
from cleanplate.scene_model.sizes import resized
from cleanplate.scene_model.states import state_names
from cleanplate.segmentation import SegmentationPlan, Segmenter
from cleanplate.segmentation.difference import mended
from cleanplate.settings import (
    LearnSettings,
    SamplingSettings,
    overruled,
    resolve,
    trained_plates,
)
from cleanplate.video import FrameCache, VideoSource, open_source
from cleanplate.video.given import GivenFrame, open_given

if TYPE_CHECKING:
    from cleanplate.scene.fitting import Fitted

_WORKING_PIXELS = {"cpu": 768 * 432, "cuda": 1920 * 1080}


@dataclass(frozen=True)
class LearnOptions:
    """How a run treats its folder and what it leaves there.

    Attributes:
        resume: Go on with a run that was broken off.
        overwrite: Replace what is in the folder.
        samples: Keep a few frames for the report.
    """

    resume: bool = False
    overwrite: bool = False
    samples: bool = True


@dataclass(frozen=True, eq=False)
class _Learned:
    """What the method itself gives: the estimator and how it was found."""

    estimator: BackgroundEstimator
    learned_on: str
    fitted: Fitted | None = None

    @property
    def steps(self) -> int:
        """Steps of the training."""
        return self.fitted.result.position.steps if self.fitted else 0

    @property
    def metrics(self) -> tuple[Mapping[str, float], ...]:
        """Log of the training."""
        return self.fitted.result.metrics if self.fitted else ()

    @property
    def parameters(self) -> int:
        """Numbers that a network learned; 0 for a statistic."""
        return sum(p.numel() for p in self.fitted.model.parameters()) if self.fitted else 0


def learn(
    source: str | Path | VideoSource | Sequence[GivenFrame],
    *,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    options: LearnOptions | None = None,
    method: str | None = None,
    recipe: str | None = None,
    init: str | None = None,
    budget: str | None = None,
    device: str | None = None,
    seed: int | None = None,
    value_range: tuple[float, float] | None = None,
    progress: ProgressListener = silent,
) -> Scene:
    """Learns the empty scene of a fixed camera from its own frames.

    Args:
        source: Video file, folder or pattern of pictures, an open recording, or frames in a list
            or along the first axis of an array, as `Scene.segment` takes them.
        out: Folder to save the scene to, with checkpoints on the way; None: nothing is saved.
        settings: Nested tree of settings, as in `config.yaml`. What is given by one of the names
            below wins over it; None there: what the tree says, else the default.
        options: How the folder is treated.
        method: Name of a method; `lowrank_ae` unless given.
        recipe: Named set of defaults of the method; `robust` unless given.
        init: Name of the initial plate; `candidates` unless given.
        budget: `600steps`, `90s` or `5min`; `auto`, the default, is the method's own.
        device: `auto`, the default, `cpu`, `cuda` or `cuda:N`.
        seed: Of everything that is random; 0 unless given.
        value_range: Values of the recording that become black and white; unless given, 8 bits as
            they are, of others the range that is used.
        progress: Told how the work goes on.

    Raises:
        SettingsError: A setting is unknown or out of range.
        UnknownNameError: A method or an initial plate is unknown.
        SourceError: The recording cannot be read or has fewer than two frames.
        UsageError: What is given as frames is none, or can be read only once.
        OutputError: The folder is in the way or cannot be written.
        TrainingError: Learning went wrong.
    """
    survive_forks()
    given = {
        "method": method,
        "recipe": recipe,
        "init": init,
        "budget": budget,
        "device": device,
        "seed": seed,
    }
    resolved = resolve(overruled(settings or {}, given, value_range))
    recording = _opened(source, resolved.sampling)
    if out is not None:
        return _learn_into(RunFolder(Path(out)), recording, resolved, options, progress)
    nowhere = RunFolder(Path(tempfile.gettempdir()))  # for files without a name
    return _Run(resolved, recording, nowhere, progress).learn()


def _opened(
    source: str | Path | VideoSource | Sequence[GivenFrame], sampling: SamplingSettings
) -> VideoSource:
    """What is learned from, as one recording in the range of values that the settings give."""
    if isinstance(source, str | Path):
        recording = open_source(source)
    else:
        recording = source if isinstance(source, VideoSource) else open_given(source)
    given = sampling.value_range
    return recording if given is None else recording.in_range(given)


def _learn_into(
    run: RunFolder,
    recording: VideoSource,
    settings: LearnSettings,
    options: LearnOptions | None,
    progress: ProgressListener,
) -> Scene:
    """Learns and saves, or goes on, or gives what is there already."""
    options = options or LearnOptions()
    if not settings.is_baseline:
        pick_device(settings.general.device)  # a device that is not there must not cost a run
    with run.locked():
        identity = {"settings": settings.as_tree(), "source": recording.fingerprint()}
        goes_on = run.takes_up(identity, resume=options.resume, overwrite=options.overwrite)
        run.require_apart(recording.files)
        run.clean_up()
        if goes_on and not run.is_begun:
            return load(run.path, device=settings.general.device)
        begin = _nothing if goes_on else partial(run.begin, identity)
        with run.asked(identity):
            scene = _Run(settings, recording, run, progress).learn(begin, samples=options.samples)
            scene.write_into(run.path)
            run.finish()
        return scene


class _Run:
    """One pass through all stages of learning."""

    def __init__(
        self,
        settings: LearnSettings,
        source: VideoSource,
        folder: RunFolder,
        progress: ProgressListener,
    ) -> None:
        self._settings = settings
        self._source = source
        self._folder = folder
        self._progress = progress
        self._begin = time.monotonic()

    def learn(self, begin: Callable[[], None] | None = None, *, samples: bool = True) -> Scene:
        """The scene.

        Args:
            begin: Makes room in the folder; called only when the frames have been read, so that a
                bad recording costs nothing of what is there. None: no checkpoints are written.
            samples: Keep a few frames for the report.
        """
        started = now()
        with LearningFrames(self._read()) as inputs:
            frames = inputs.frames
            if begin is not None:
                begin()
            size = self._source.size
            plan = SegmentationPlan.of(self._settings.segmentation, frames.size)
            seen = steady_states(
                frames, self._settings.sampling, plan.compared_threshold, self._progress
            )
            parts = seen.parts
            self._progress("initial plate", 0, 1)
            main = inputs.only(parts[0]) if len(parts) > 1 else inputs
            start = self._initial_plate(main)
            learned = self._fit(self._settings, main, start, keep=begin is not None)
            found = self._calibrated(main, learned.estimator, plan, start)
            plate = learned_plate(learned.estimator, main, found.correction)
            others = [self._still_state(inputs.only(part), plan) for part in parts[1:]]
            segmenter = Segmenter(found.noise, plan, found.shadow)
            scene = Scene(
                settings=self._settings,
                model=SceneModel(
                    frame_size=size,
                    working_size=frames.size,
                    states=_states(learned.estimator, plate, found, others, size),
                    plan=plan,
                    camera=seen.camera,
                    value_range=self._source.value_range,
                ),
                plate=resized(plate, size),
                learned_on=learned.learned_on,
                provenance={},
                metrics=learned.metrics,
                plots={
                    **_training_files(learned, main, segmenter),
                    **coverage_files(
                        main.frames, plate, start.evidence, self._settings.sampling, size
                    ),
                },
            )
            total = sum(len(part) for part in parts)
            shares = [len(part) / total for part in parts]
            provenance = {
                "started": started,
                "finished": now(),
                "seconds": round(time.monotonic() - self._begin, 3),
                "ghosts_repaired": found.ghosts,
                "states": dict(zip(scene.model.names, shares, strict=True)),
                **seen.as_values(),
                **self._origin(learned, frames),
            }
            # What a method reads beside RGB is there only of the frames that it learned from.
            shown = main if learned.estimator.readers() else inputs
            taken = take_samples(scene, shown) if samples else ()
            return replace(scene, provenance=provenance, samples=taken)

    def _origin(self, learned: _Learned, frames: FrameCache) -> dict[str, Any]:
        """From what, by what and on what the scene was learned."""
        return {
            "steps": learned.steps,
            "parameters": learned.parameters,
            "peak_memory_bytes": peak_memory_bytes(),
            "device": learned.learned_on,
            "seed": self._settings.general.seed,
            "input": describe_input(self._source, frames),
            "versions": describe_machine(),
        }

    def _read(self) -> FrameCache:
        sampling = self._settings.sampling
        frames = FrameCache.fill(
            self._source,
            self._folder.cache,
            size=self._working_size(),
            max_frames=sampling.max_frames,
            max_bytes=int(sampling.max_gigabytes * 1e9),
            on_frame=lambda done, total: self._progress("reading", done, total),
        )
        if len(frames) < 2:
            frames.close()
            raise SourceError(
                f"{self._source.name} has a single frame that can be read; "
                "a scene needs at least two"
            )
        return frames

    def _working_size(self) -> FrameSize:
        pixels = self._settings.sampling.working_pixels
        if pixels == "auto":
            kind = "cpu"
            if not self._settings.is_baseline:
                kind = pick_device(self._settings.general.device).type
            pixels = _WORKING_PIXELS.get(kind, _WORKING_PIXELS["cpu"])
        size = self._source.size
        scale = min(1.0, math.sqrt(pixels / size.pixels))
        return FrameSize(*(max(1, round(side * scale)) for side in size))

    def _initial_plate(self, inputs: LearningFrames) -> StartPlate:
        general, sampling = self._settings.general, self._settings.sampling
        how = general.init
        if how == CANDIDATES:
            return self._chosen_plate(inputs)
        if how in PLATES:
            return StartPlate(PLATES[how](inputs.frames, plate_positions(inputs.frames, sampling)))
        tree = {"method": trained_plates()[how], "device": general.device, "seed": general.seed}
        begin = self._chosen_plate(inputs)
        learned = self._fit(resolve(tree), inputs, begin, keep=False)
        return StartPlate(learned_plate(learned.estimator, inputs), begin.seen_share)

    def _chosen_plate(self, inputs: LearningFrames) -> StartPlate:
        positions = plate_positions(inputs.frames, self._settings.sampling)
        chosen = choose_plate(inputs.frames, positions)
        return StartPlate(chosen.picture, chosen.confidence, chosen.evidence)

    def _fit(
        self, settings: LearnSettings, inputs: LearningFrames, start: StartPlate, *, keep: bool
    ) -> _Learned:
        if settings.is_baseline:
            return _Learned(StillPlate(start.picture), "cpu")
        from cleanplate.scene.fitting import fit

        device = pick_device(settings.general.device)
        modalities = settings.modalities()
        readers = open_readers(settings.architecture().modalities, modalities, start.picture)
        inputs.add(self._source, readers, folder=self._folder.cache, progress=self._progress)
        fitted = fit(
            settings,
            inputs,
            start.picture,
            contested=start.contested,
            device=device,
            folder=self._folder if keep else None,
            progress=self._progress,
        )
        estimator = NetworkEstimator(
            fitted.model, device, start_plate=start.picture, modalities=modalities
        )
        return _Learned(estimator, device.type, fitted)

    def _calibrated(
        self,
        inputs: LearningFrames,
        estimator: BackgroundEstimator,
        plan: SegmentationPlan,
        start: StartPlate,
    ) -> Calibration:
        return calibrate(
            inputs,
            estimator,
            plan,
            seen_share=start.seen_share,
            count=self._settings.sampling.noise_frames,
            on_frames=lambda done, total: self._progress("noise map", done, total),
        )

    def _still_state(self, inputs: LearningFrames, plan: SegmentationPlan) -> tuple[Picture, Mask]:
        """A plate and its noise from the frames of one state."""
        start = self._chosen_plate(inputs)
        found = self._calibrated(inputs, StillPlate(start.picture), plan, start)
        correction = found.correction
        plate = start.picture if correction is None else mended(start.picture, correction)
        return plate, found.noise


def _states(
    estimator: BackgroundEstimator,
    plate: Picture,
    found: Calibration,
    others: Sequence[tuple[Picture, Mask]],
    frame_size: FrameSize,
) -> tuple[SceneState, ...]:
    """The main state and the others, of which plate and noise are given."""
    if not others:
        # As it will be loaded: the file of a scene with one state has its plate in frame size only.
        plate = resized(resized(plate, frame_size), FrameSize(*plate.shape[:2]))
    names = state_names([plate, *(other for other, _ in others)])
    main = SceneState(names[0], plate, found.noise, estimator, found.shadow, found.correction)
    still = [SceneState.still(name, *each) for name, each in zip(names[1:], others, strict=True)]
    return (main, *still)


def _training_files(
    learned: _Learned, inputs: LearningFrames, segmenter: Segmenter
) -> dict[str, bytes]:
    """Pictures and tables of the training, by file name."""
    if learned.fitted is None:
        return {}
    from cleanplate.scene.training_files import training_files

    return training_files(learned.fitted, inputs, segmenter)


def _nothing() -> None:
    """The folder is ready as it is."""
