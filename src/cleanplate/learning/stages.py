"""The stages of learning: each a function from what is known to what it finds out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.background import CANDIDATES, PLATES, choose_plate
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.learning.artifacts.coverage import coverage_files
from cleanplate.learning.artifacts.findings import parked_things, scene_findings
from cleanplate.learning.artifacts.samples import take_samples
from cleanplate.learning.calibration import Calibration, calibrate, find_rippling
from cleanplate.learning.job import LearningJob, read_frames
from cleanplate.learning.preparation.stabilised_states import Stabilised, stabilised_states
from cleanplate.learning.provenance import describe_input, describe_machine, now, peak_memory_bytes
from cleanplate.learning.sampling import learned_plate, plate_positions
from cleanplate.learning.start_plate import StartPlate
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.runtimes.network import NetworkEstimator, open_feature_extractors, pick_device
from cleanplate.scene.scene import Scene
from cleanplate.scene_model import BackgroundEstimator, SceneModel, SceneState, StillPlate
from cleanplate.scene_model.sizes import resized
from cleanplate.scene_model.states import state_names
from cleanplate.segmentation import SegmentationPlan, Segmenter
from cleanplate.segmentation.difference import corrected
from cleanplate.settings import LearnSettings, resolve, trained_plates
from cleanplate.video import FrameCache

if TYPE_CHECKING:
    from cleanplate.learning.fitting import Fitted


@dataclass(frozen=True, eq=False)
class Learned:
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


class _Main(NamedTuple):
    """What was found out of the main state."""

    start: StartPlate
    learned: Learned
    calibration: Calibration
    plate: Picture


def learn_scene(
    job: LearningJob, begin: Callable[[], None] | None = None, *, samples: bool = True
) -> Scene:
    """Goes through all stages.

    Args:
        job: What is learned, and how.
        begin: Makes room in the folder; called only when the frames have been read, so that a
            bad recording costs nothing of what is there. None: no checkpoints are written.
        samples: Keep a few frames for the report.
    """
    started, clock = now(), time.monotonic()
    settings = job.settings
    with LearningFrames(read_frames(job)) as inputs:
        frames = inputs.frames
        if begin is not None:
            begin()
        plan = SegmentationPlan.of(settings.segmentation, frames.size)
        stabilised = stabilised_states(
            frames, settings.sampling, plan.compared_threshold, job.progress
        )
        parts = stabilised.parts
        job.progress("initial plate", 0, 1)
        chosen = inputs.only(parts[0]) if len(parts) > 1 else inputs
        main = learn_main_state(job, chosen, plan, keep=begin is not None)
        others = [learn_still_state(job, inputs.only(part), plan) for part in parts[1:]]
        size = job.source.size
        scene = Scene(
            settings=settings,
            model=SceneModel(
                frame_size=size,
                working_size=frames.size,
                states=_states(main, others, size),
                plan=plan,
                camera=stabilised.camera,
                value_range=job.source.value_range,
            ),
            plate=resized(main.plate, size),
            learned_on=main.learned.learned_on,
            provenance={},
            metrics=main.learned.metrics,
            plots=_files(job, main, chosen, plan),
        )
        provenance = {
            "started": started,
            "finished": now(),
            "seconds": round(time.monotonic() - clock, 3),
            **_provenance(job, scene, main, stabilised, frames),
        }
        # What a method reads beside RGB is there only of the frames that it learned from.
        shown = chosen if main.learned.estimator.feature_extractors() else inputs
        taken = take_samples(scene, shown) if samples else ()
        return replace(scene, provenance=provenance, samples=taken)


def learn_main_state(
    job: LearningJob, inputs: LearningFrames, plan: SegmentationPlan, *, keep: bool
) -> _Main:
    """The method's background, and what is measured of it.

    Args:
        job: What is learned, and how.
        inputs: Frames of that state.
        plan: Of the masks.
        keep: Write checkpoints.
    """
    start = initial_plate(job, inputs)
    learned = fit_method(job, job.settings, inputs, start, keep=keep)
    found = _calibrated(job, inputs, learned.estimator, plan, start)
    plate = learned_plate(learned.estimator, inputs, found.correction)
    return _Main(start, learned, found, plate)


def learn_still_state(
    job: LearningJob, inputs: LearningFrames, plan: SegmentationPlan
) -> tuple[Picture, Mask]:
    """A plate and its noise from the frames of one state."""
    start = chosen_plate(job, inputs)
    found = _calibrated(job, inputs, StillPlate(start.picture), plan, start)
    correction = found.correction
    plate = start.picture if correction is None else corrected(start.picture, correction)
    return plate, found.noise


def initial_plate(job: LearningJob, inputs: LearningFrames) -> StartPlate:
    """The plate that the method begins at."""
    general, sampling = job.settings.general, job.settings.sampling
    how = general.init
    if how == CANDIDATES:
        return chosen_plate(job, inputs)
    if how in PLATES:
        return StartPlate(PLATES[how](inputs.frames, plate_positions(inputs.frames, sampling)))
    tree = {"method": trained_plates()[how], "device": general.device, "seed": general.seed}
    begin = chosen_plate(job, inputs)
    learned = fit_method(job, resolve(tree), inputs, begin, keep=False)
    return StartPlate(learned_plate(learned.estimator, inputs), begin.seen_share)


def chosen_plate(job: LearningJob, inputs: LearningFrames) -> StartPlate:
    """The plate of candidates, with what speaks for it."""
    positions = plate_positions(inputs.frames, job.settings.sampling)
    chosen = choose_plate(inputs.frames, positions)
    return StartPlate(chosen.picture, chosen.confidence, chosen.evidence)


def fit_method(
    job: LearningJob,
    settings: LearnSettings,
    inputs: LearningFrames,
    start: StartPlate,
    *,
    keep: bool,
) -> Learned:
    """The method's own estimator.

    Args:
        job: What is learned.
        settings: How; those of the job, or of a method that makes the initial plate.
        inputs: Frames of the main state.
        start: Where to begin.
        keep: Write checkpoints.
    """
    if settings.is_baseline:
        return Learned(StillPlate(start.picture), "cpu")
    from cleanplate.learning.fitting import fit

    device = pick_device(settings.general.device)
    modalities = settings.modalities()
    readers = open_feature_extractors(settings.architecture().modalities, modalities, start.picture)
    inputs.add(job.source, readers, folder=job.folder.cache, progress=job.progress)
    fitted = fit(
        settings,
        inputs,
        start.picture,
        contested=lambda: _only_softly(job, inputs, start),
        device=device,
        folder=job.folder if keep else None,
        progress=job.progress,
    )
    estimator = NetworkEstimator(
        fitted.model, device, start_plate=start.picture, modalities=modalities
    )
    return Learned(estimator, device.type, fitted)


def _only_softly(job: LearningJob, inputs: LearningFrames, start: StartPlate) -> NDArray[np.bool_]:
    """Where a network may learn only soft changes of the light, `(h, w)`.

    Where something stood as long as the plate was seen, and where the scene ripples: waves of which
    a network draws some are missing in the noise, and foreground as soon as they differ.
    """
    plan = SegmentationPlan.of(job.settings.segmentation, inputs.frames.size)
    count = job.settings.sampling.noise_frames
    ripples = find_rippling(inputs, start.picture, plan, start.seen_share, count)
    return ripples if start.contested is None else ripples | start.contested


def _calibrated(
    job: LearningJob,
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
        count=job.settings.sampling.noise_frames,
        sways=job.settings.sampling.swaying == "auto",
        on_frames=job.told("noise map"),
    )


def _states(
    main: _Main, others: list[tuple[Picture, Mask]], frame_size: FrameSize
) -> tuple[SceneState, ...]:
    """The main state and the others, of which plate and noise are given."""
    plate, found = main.plate, main.calibration
    if not others:
        # As it will be loaded: the file of a scene with one state has its plate in frame size only.
        plate = resized(resized(plate, frame_size), FrameSize(*plate.shape[:2]))
    names = state_names([plate, *(other for other, _ in others)])
    estimator = main.learned.estimator
    first = SceneState(names[0], plate, found.noise, estimator, found.shadow, found.correction)
    still = [SceneState.still(name, *each) for name, each in zip(names[1:], others, strict=True)]
    return (first, *still)


def _files(
    job: LearningJob, main: _Main, inputs: LearningFrames, plan: SegmentationPlan
) -> dict[str, bytes]:
    """Pictures and tables for people, by file name."""
    sampling, evidence = job.settings.sampling, main.start.evidence
    coverage = coverage_files(inputs.frames, main.plate, evidence, sampling, job.source.size)
    if main.learned.fitted is None:
        return coverage
    from cleanplate.learning.artifacts.training_files import training_files

    segmenter = Segmenter(main.calibration.noise, plan, main.calibration.shadow)
    return {**training_files(main.learned.fitted, inputs, segmenter), **coverage}


def _provenance(
    job: LearningJob, scene: Scene, main: _Main, stabilised: Stabilised, frames: FrameCache
) -> dict[str, Any]:
    """From what, by what and on what the scene was learned."""
    total = sum(len(part) for part in stabilised.parts)
    shares = [len(part) / total for part in stabilised.parts]
    parked = parked_things(main.calibration, frames, scene.model.enlargement)
    findings = scene_findings(
        job,
        scene.model,
        calibration=main.calibration,
        stabilised=stabilised,
        frames=frames,
        parked=parked,
    )
    return {
        "findings": findings.as_values(),
        "parked": [
            {"first_seen": each.first_seen, "last_seen": each.last_seen, "box": list(each.box)}
            for each in parked
        ],
        "ghosts_repaired": main.calibration.ghosts,
        "swaying_share": main.calibration.swaying_share or 0.0,
        "states": dict(zip(scene.model.names, shares, strict=True)),
        **stabilised.as_values(),
        "steps": main.learned.steps,
        "parameters": main.learned.parameters,
        "peak_memory_bytes": peak_memory_bytes(),
        "device": main.learned.learned_on,
        "seed": job.settings.general.seed,
        "input": describe_input(job.source, frames),
        "versions": describe_machine(),
    }
