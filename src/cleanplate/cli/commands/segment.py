"""`cleanplate segment`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.cli.object_log import ObjectLog
from cleanplate.cli.outputs import make_folder, require_free_file, require_free_folder
from cleanplate.errors import OutputError, SettingsError, UsageError
from cleanplate.scene import Scene, load
from cleanplate.scene.processors import share_processors
from cleanplate.scene.result import Result
from cleanplate.scene.scene import Runtime, require_size
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.layers import Layers
from cleanplate.settings import merge, parse_assignments
from cleanplate.video import (
    DEFAULT_FRAME_RATE,
    LABELS,
    MASKS,
    MaskWriter,
    OverlayWriter,
    VideoSource,
    existing_masks,
    mask_name,
    open_source,
)
from cleanplate.video.camera_watch import CameraMove, CameraWatch

LABELS_FOLDER = "labels"
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
    on_moved: Literal["warn", "stop"] = "warn",
    device: str = "auto",
    runtime: Runtime = "torch",
    resume: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> int:
    """Cut the foreground out of every frame.

    Args:
        source: Video file, folder or pattern of pictures.
        model: Folder of a learned scene.
        out: Folder for the masks, binNNNNNN.png, numbered as the frames are.
        assignments: segmentation.KEY=VALUE for this call; may be repeated.
        overlay: Also write a video (.webm) with the foreground marked.
        labels: Also write OUT/labels/labNNNNNN.png: moving, waiting, settled, shadow.
        objects: Also write who waited, where and for how long, a line each (.jsonl).
        save_scene: Save a copy of the scene without the ghosts that were found.
        on_moved: What to do when the camera is found to have been moved: warn and go on, or
            stop there with exit code 3; the masks so far are kept.
        device: auto, cpu, cuda or cuda:N.
        runtime: torch, or onnx: without torch, once the scene was exported into its folder.
        resume: Leave out the frames whose masks are there already.
        overwrite: Replace the masks that are in the folder.
    """
    with Console(common or CommonOptions()) as console:
        begin = time.monotonic()
        share_processors()
        overrides = parse_assignments(assignments or [])
        scene = load(model, device=device, runtime=runtime)
        settings = overridden(scene, overrides)
        for key, value in overrides.get("segmentation", {}).items():
            console.info(f"segmentation.{key} = {value} for this call")
        recording = open_source(source)
        require_size(recording.size, scene.frame_size, recording.name)
        if Path(source).resolve() == out.resolve():
            raise UsageError(f"{out} holds the frames; give another place for the masks")
        wanted = _Wanted(out, overlay, objects, save_scene, labels=labels)
        wanted.require_free(overwrite=overwrite or resume)
        if settings.shadows == "label" and not labels:
            console.warn("shadows have a label of their own only in the files of --labels")
        done = wanted.prepare(resume=resume, overwrite=overwrite)
        layers = scene.open_layers(settings) if settings.follows or wanted.follows else None
        watch = scene.open_watch()
        task = _Task(settings, wanted, done, layers, watch, stops=on_moved == "stop")
        outcome = _write_masks(scene, recording, task, console=console)
        if save_scene is not None and layers is not None:
            scene.repaired(layers).save(save_scene)
        _warn(console, recording, watch)
        seconds = time.monotonic() - begin
        values = _figures(task, outcome, recording, seconds)
        values["overrides"] = overrides.get("segmentation", {})
        console.result(values, _sentences(task, outcome, seconds))
        return CAMERA_MOVED if outcome.stopped else 0


@dataclass(frozen=True)
class _Wanted:
    """What is to be written where."""

    masks: Path
    overlay: Path | None
    objects: Path | None
    scene: Path | None
    labels: bool

    @property
    def follows(self) -> bool:
        """Whether something is wanted that depends on the frames before."""
        return self.labels or self.objects is not None or self.scene is not None

    def require_free(self, *, overwrite: bool) -> None:
        """Checks, before any work, all places but the folder of masks."""
        if self.overlay is not None:
            if self.overlay.resolve().is_relative_to(self.masks.resolve()):
                raise UsageError(
                    f"{self.masks} is for masks only; give another place for {self.overlay.name}"
                )
            require_free_file(self.overlay, overwrite=overwrite, suffixes=(".webm",))
        if self.objects is not None:
            if self.objects.resolve().is_relative_to(self.masks.resolve()):
                raise UsageError(
                    f"{self.masks} is for masks only; give another place for {self.objects.name}"
                )
            require_free_file(self.objects, overwrite=overwrite, suffixes=(".jsonl",))
        if self.scene is not None:
            require_free_folder(self.scene)

    def prepare(self, *, resume: bool, overwrite: bool) -> frozenset[int]:
        """Makes the folders ready; the numbers of the frames to be left out."""
        done = prepare_folder(self.masks, resume=resume, overwrite=overwrite)
        if self.labels:
            folder = self.masks / LABELS_FOLDER
            done &= prepare_folder(folder, LABELS, resume=resume, overwrite=overwrite)
        return done


@dataclass(frozen=True)
class _Task:
    """How it is to be made."""

    settings: SegmentationSettings
    wanted: _Wanted
    done: frozenset[int]
    layers: Layers | None
    watch: CameraWatch
    stops: bool


@dataclass
class _Outcome:
    """What was written."""

    frames: int = 0
    foreground: float = 0.0
    objects: int = 0
    stopped: bool = False
    states: dict[str, int] = field(default_factory=dict)

    def meet(self, result: Result) -> None:
        """Counts who waits, by the numbers of those that were found, and the states picked."""
        self.objects = max([self.objects, *(found.number for found in result.objects)])
        if result.state is not None:
            self.states[result.state] = self.states.get(result.state, 0) + 1


def _warn(console: Console, recording: VideoSource, watch: CameraWatch) -> None:
    damaged, missing = recording.problems
    if damaged or missing:
        console.warn(f"{recording.name}: {damaged} damaged and {missing} missing frames")
    if watch.moved is not None:
        console.warn(f"{watch.moved}; learn the scene anew from the frames after it")


def _figures(
    task: _Task, outcome: _Outcome, recording: VideoSource, seconds: float
) -> dict[str, Any]:
    """What `--json` prints."""
    damaged, missing = recording.problems
    return {
        "command": "segment",
        "masks": str(task.wanted.masks),
        "frames": outcome.frames,
        "frames_skipped": len(task.done),
        "damaged_frames": damaged,
        "missing_frames": missing,
        "mean_foreground": outcome.foreground / max(1, outcome.frames),
        "waiting_objects": outcome.objects,
        "ghosts_repaired": task.layers.repairs if task.layers else 0,
        "camera_moved_at": _described(task.watch.moved),
        "stopped": outcome.stopped,
        "states": outcome.states,
        "seconds": round(seconds, 3),
        "frames_per_second": round(outcome.frames / max(seconds, 1e-9), 1),
    }


def _sentences(task: _Task, outcome: _Outcome, seconds: float) -> str:
    """The same for people."""
    text = f"{outcome.frames} masks in {seconds:.1f} s: {task.wanted.masks}"
    if outcome.states:
        picked = ", ".join(f"{name} {count}" for name, count in outcome.states.items())
        text += f"\nframes in each state of the scene: {picked}"
    if task.layers and task.layers.repairs:
        text += f"\nghosts of what had left mended, in this call only: {task.layers.repairs}"
    if outcome.stopped:
        text += "\nstopped, because the camera was moved"
    return text


def _described(moved: CameraMove | None) -> dict[str, float | None] | None:
    if moved is None:
        return None
    return {"frame": moved.number, "time": moved.time, "pixels": moved.reach}


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


def prepare_folder(
    out: Path, prefix: str = MASKS, *, resume: bool, overwrite: bool
) -> frozenset[int]:
    """Makes the folder of masks, or of labels, ready; the numbers of those to be left out.

    Raises:
        OutputError: Something is in the way.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; give a folder for the masks")
    masks = existing_masks(out, prefix)
    names = {mask_name(number, prefix) for number in masks}
    others = [entry.name for entry in out.iterdir()] if out.is_dir() else []
    foreign = sorted(
        name
        for name in others
        if name not in names and name != LABELS_FOLDER and not name.startswith(f".{prefix}")
    )
    if foreign:
        raise OutputError(f"{out} holds {foreign[0]}, which is no mask; give another --out")
    if masks and not resume and not overwrite:
        raise OutputError(
            f"{out} is not empty; give another --out, --overwrite to replace the masks, "
            "or --resume to go on"
        )
    make_folder(out)
    if resume and not overwrite:
        return frozenset(masks)
    for name in names:
        (out / name).unlink()
    for number in existing_masks(out / LABELS_FOLDER, LABELS):  # of the masks that are no more
        (out / LABELS_FOLDER / mask_name(number, LABELS)).unlink()
    return frozenset()


def _write_masks(
    scene: Scene, recording: VideoSource, task: _Task, *, console: Console
) -> _Outcome:
    outcome = _Outcome()
    wanted = task.wanted
    with ExitStack() as stack:
        masks = stack.enter_context(MaskWriter(wanted.masks))
        labels = log = film = None
        if wanted.labels:
            labels = stack.enter_context(MaskWriter(wanted.masks / LABELS_FOLDER, LABELS))
        if wanted.objects is not None:
            log = stack.enter_context(ObjectLog(wanted.objects))
        if wanted.overlay is not None:
            rate = recording.frame_rate or DEFAULT_FRAME_RATE
            film = stack.enter_context(OverlayWriter(wanted.overlay, recording.size, rate))
        # A film and a log have all frames, also those whose masks are there already.
        left_out = frozenset() if film is not None or log is not None else task.done
        results = scene.segment(
            recording,
            segmentation=task.settings,
            skip=left_out,
            layers=task.layers,
            watch=task.watch,
        )
        stack.callback(results.close)  # first: its thread may still be reading the frames
        for result in results:
            if task.stops and task.watch.moved is not None:
                outcome.stopped = True
                break
            if film is not None:
                film.write(result.picture, result.mask)
            if log is not None:
                log.update(result.objects)
            outcome.meet(result)
            if result.number in task.done:
                continue
            masks.write(result.number, result.mask)
            if labels is not None and result.labels is not None:
                labels.write(result.number, result.labels)
            outcome.frames += 1
            outcome.foreground += np.count_nonzero(result.mask) / result.mask.size
            console.progress("segmenting", result.frame.index + 1, recording.frame_count_hint)
    return outcome
