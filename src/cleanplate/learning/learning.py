"""Learning a scene from a recording: with a folder for it, or without."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cleanplate.learning.job import LearningJob
from cleanplate.learning.stages import learn_scene
from cleanplate.progress import ProgressListener, silent
from cleanplate.runtimes.network import pick_device
from cleanplate.runtimes.processors import survive_forks
from cleanplate.scene.loading import load
from cleanplate.scene.run_folder import RunFolder
from cleanplate.scene.scene import Scene, write_into
from cleanplate.setting_trees import overruled
from cleanplate.settings import LearnSettings, SamplingSettings, resolve
from cleanplate.video import VideoSource, open_source
from cleanplate.video.given import GivenFrame, open_given


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
    return learn_scene(LearningJob(resolved, recording, nowhere, progress))


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
            job = LearningJob(settings, recording, run, progress)
            scene = learn_scene(job, begin, samples=options.samples)
            write_into(run.path, scene)
            run.finish()
        return scene


def _nothing() -> None:
    """The folder is ready as it is."""
