"""`cleanplate segment`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.cli.mask_output import MaskFolder, Wanted
from cleanplate.cli.segmenting import OnMoved, Outcome, Task, write_masks
from cleanplate.errors import SettingsError, UsageError
from cleanplate.learning import LearnOptions
from cleanplate.learning.views import LEAST_SECONDS, View, learn_views
from cleanplate.runtimes.processors import second_process
from cleanplate.scene import Scene, load
from cleanplate.scene.loading import Runtime
from cleanplate.scene_model.sizes import require_size
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.worker_process import WorkerProcess
from cleanplate.setting_trees import merge, parse_assignments
from cleanplate.settings import under_new_names
from cleanplate.streaming.reading import opened_for
from cleanplate.video import VideoSource
from cleanplate.video.camera_watch import CameraMove
from cleanplate.video.value_range import ValueRange

CAMERA_MOVED = 3
"""Exit code where the camera was moved and only the frames up to there have masks."""


def segment(
    source: str,
    *,
    model: Annotated[Path, Parameter(name=["--model", "-m"])],
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    assignments: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    overlay: Path | None = None,
    labels: Annotated[bool, Parameter(negative="")] = False,
    objects: Path | None = None,
    save_scene: Path | None = None,
    on_moved: OnMoved = "warn",
    value_range: Annotated[
        tuple[float, float] | None,
        Parameter(name="--range", allow_leading_hyphen=True, negative=""),
    ] = None,
    device: str = "auto",
    runtime: Runtime = "torch",
    resume: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> int:
    """Cut the foreground out of every frame.

    Args:
        source: Video file, folder of pictures, or pattern of pictures or of a video's parts.
        model: Folder of a learned scene.
        out: Folder for the masks, binNNNNNN.png, numbered as the frames are.
        assignments: segmentation.KEY=VALUE for this call; may be repeated.
        overlay: Also write a video (.webm) with the foreground marked.
        labels: Also write OUT/labels/labNNNNNN.png: moving, waiting, settled, shadow.
        objects: Also write the objects that waited, where and for how long, a line each (.jsonl).
        save_scene: Save a copy of the scene, or of the last one, without the ghosts found.
        on_moved: What to do when the camera is found to have been moved: warn and go on, stop
            there with exit code 3 and keep the masks so far, or relearn: a new scene from the
            frames after the move, in OUT-scenes, for the frames after it.
        value_range: Values that become black and white, LOW HIGH; default: those of the scene.
        device: auto, cpu, cuda or cuda:N.
        runtime: torch, or onnx: without torch, once the scene was exported into its folder.
        resume: Leave out the frames whose masks are there already.
        overwrite: Replace the masks that are in the folder.
    """
    wanted = Wanted(out, overlay, objects, save_scene, labels=labels)
    with Console(common or CommonOptions()) as console, _worker(on_moved) as worker:
        begin = time.monotonic()
        overrides = under_new_names(parse_assignments(assignments or []))
        if on_moved == "relearn":
            _require_room_to_learn(wanted.new_scenes, model, runtime)
        scene = load(model, device=device, runtime=runtime)
        settings = _settings_of_call(scene, overrides, labels=labels, console=console)
        recording = _open_recording(source, scene, value_range)
        wanted.require_free(recording, overwrite=overwrite or resume)
        folder = MaskFolder(out, labels=labels)
        with folder.locked():
            done = folder.take_up(resume=resume, overwrite=overwrite)
            task = Task(settings, wanted, folder, done, on_moved, [View(scene)])
            if on_moved == "relearn":
                keeps = bool(scene.samples)
                options = LearnOptions(resume=resume, overwrite=overwrite, samples=keeps)
                task = _relearned(task, recording, options, device=device, console=console)
            outcome = write_masks(recording, task, worker=worker, console=console)
        _warn(console, recording, task, outcome)
        seconds = time.monotonic() - begin
        values = {
            **_figures(task, outcome, recording, seconds),
            "overrides": overrides.get("segmentation", {}),
        }
        console.result(values, _sentences(task, outcome, seconds))
        return CAMERA_MOVED if outcome.stopped else 0


def _worker(on_moved: OnMoved) -> AbstractContextManager[WorkerProcess | None]:
    """A worker process, which starts while this one loads what it needs.

    None where a move ends the call: layers must not have seen more than the frames up to there.
    """
    worker = None if on_moved == "stop" else second_process()
    return worker or nullcontext()


def _relearned(
    task: Task, recording: VideoSource, options: LearnOptions, *, device: str, console: Console
) -> Task:
    """The task with a new scene wherever the camera was moved."""
    views = learn_views(
        task.views[0].scene,
        recording,
        out=task.wanted.new_scenes,
        options=options,
        device=device,
        progress=console.progress,
    )
    return replace(task, views=views)


def _open_recording(
    source: str, scene: Scene, value_range: tuple[float, float] | None
) -> VideoSource:
    given = None if value_range is None else ValueRange.given(value_range)
    recording = opened_for(scene.model, source, given)
    require_size(recording.size, scene.frame_size, recording.name)
    return recording


def _settings_of_call(
    scene: Scene, overrides: Mapping[str, Any], *, labels: bool, console: Console
) -> SegmentationSettings:
    settings = overridden(scene, overrides)
    for key, value in overrides.get("segmentation", {}).items():
        console.info(f"segmentation.{key} = {value} for this call")
    if settings.shadows == "label" and not labels:
        console.warn("shadows have a label of their own only in the files of --labels")
    return settings


def _require_room_to_learn(new_scenes: Path, model: Path, runtime: Runtime) -> None:
    """Refuses, before any work, what cannot be together with learning anew."""
    if runtime != "torch":
        raise UsageError(
            f"--on-moved relearn learns, which --runtime {runtime} cannot; give --runtime torch, "
            "or --on-moved warn or stop"
        )
    if new_scenes.is_symlink():
        raise UsageError(
            f"new scenes go to {new_scenes}, which is a link, and nothing is written there; "
            "give another --out"
        )
    if Path(os.path.realpath(model)).is_relative_to(os.path.realpath(new_scenes)):
        raise UsageError(
            f"new scenes go to {new_scenes}, where {model} is, which is only read; "
            "give another --out"
        )


def _warn(console: Console, recording: VideoSource, task: Task, outcome: Outcome) -> None:
    missing = recording.problems.missing
    if (damaged := recording.frames_damaged) or missing:
        console.warn(f"{recording.name}: {damaged} damaged and {missing} missing frames")
    for note in recording.notes:
        console.warn(f"{recording.name}: {note}")
    for view in task.moves:
        learned = f"a new scene was learned from there on: {view.folder}"
        too_short = (
            f"less than {LEAST_SECONDS:.0f} s of it are too little to learn a new scene from, "
            "the masks are by the one before"
        )
        console.warn(f"{view.move}; {learned if view.is_learned else too_short}")
    if outcome.moved is not None and not task.moves:
        advice = _learned_view(task.views[0].scene, recording, outcome.moved)
        console.warn(advice or f"{outcome.moved}; learn the scene anew from the frames after it")


def _learned_view(scene: Scene, recording: VideoSource, moved: CameraMove) -> str | None:
    """That another view of this very recording was learned; None: it was not."""
    view, source = scene.provenance.get("view"), scene.provenance.get("input", {})
    if not view or source.get("sha256") != recording.fingerprint():
        return None
    if view["first"] <= moved.number <= view["last"]:
        return None
    return f"{view['sentence']}; the masks of the other frames are of no use"


def _figures(
    task: Task, outcome: Outcome, recording: VideoSource, seconds: float
) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "command": "segment",
        "masks": str(task.wanted.masks),
        "frames": outcome.frames,
        "frames_skipped": len(task.done),
        "damaged_frames": recording.frames_damaged,
        "missing_frames": recording.problems.missing,
        "mean_foreground": outcome.foreground / max(1, outcome.frames),
        "waiting_objects": outcome.objects,
        "ghosts_repaired": outcome.corrected_ghosts,
        "camera_moved_at": _described(outcome.moved),
        "stopped": outcome.stopped,
        "relearned": [_named(view) for view in task.moves],
        "states": outcome.states,
        "seconds": round(seconds, 3),
        "frames_per_second": round(outcome.frames / max(seconds, 1e-9), 1),
    }


def _sentences(task: Task, outcome: Outcome, seconds: float) -> str:
    """The same for people."""
    text = f"{outcome.frames} masks in {seconds:.1f} s: {task.wanted.masks}"
    if outcome.states:
        picked = ", ".join(f"{name} {count}" for name, count in outcome.states.items())
        text += f"\nframes in each state of the scene: {picked}"
    if outcome.corrected_ghosts:
        text += (
            f"\nghosts of what had left corrected, in this call only: {outcome.corrected_ghosts}"
        )
    for view in task.moves:
        if view.is_learned and view.move is not None:
            text += f"\nby a new scene from frame {view.move.number} on: {view.folder}"
    if outcome.stopped:
        text += "\nstopped, because the camera was moved"
    return text


def _described(moved: CameraMove | None) -> dict[str, float | None] | None:
    if moved is None:
        return None
    return {"frame": moved.number, "time": moved.time, "pixels": moved.reach}


def _named(view: View) -> dict[str, Any]:
    return {
        **(_described(view.move) or {}),
        "scene": str(view.folder) if view.is_learned else None,
    }


def overridden(scene: Scene, overrides: Mapping[str, Any]) -> SegmentationSettings:
    """The scene's segmentation settings with those of this call.

    Raises:
        SettingsError: Another setting than one of the segmentation is given.
    """
    others = sorted(set(overrides) - {"segmentation"})
    if others:
        is_near = others[0] in SegmentationSettings.model_fields
        hint = f"; did you mean segmentation.{others[0]}?" if is_near else ""
        raise SettingsError(
            f"setting '{others[0]}' is fixed since the scene was learned, "
            f"segment takes segmentation.KEY=VALUE only{hint}"
        )
    given = overrides.get("segmentation", {})
    if not isinstance(given, Mapping):
        raise SettingsError("'segmentation' is a group; give segmentation.KEY=VALUE")
    tree = merge(scene.settings.segmentation.model_dump(), given)
    return SegmentationSettings.parse(tree, prefix="segmentation")
