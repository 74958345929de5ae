"""`cleanplate segment`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.cli.outputs import make_folder, require_free_file
from cleanplate.errors import OutputError, SettingsError, UsageError
from cleanplate.scene import Scene, load
from cleanplate.scene.scene import require_size
from cleanplate.segmentation import SegmentationSettings
from cleanplate.settings import merge, parse_assignments
from cleanplate.video import (
    DEFAULT_FRAME_RATE,
    MaskWriter,
    OverlayWriter,
    VideoSource,
    existing_masks,
    mask_name,
    open_source,
)


def segment(
    source: str,
    *,
    model: Annotated[Path, Parameter(name=["--model", "-m"])],
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    assignments: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    overlay: Path | None = None,
    device: str = "auto",
    resume: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> None:
    """Cut the foreground out of every frame.

    Args:
        source: Video file, folder or pattern of pictures.
        model: Folder of a learned scene.
        out: Folder for the masks, binNNNNNN.png, numbered as the frames are.
        assignments: segmentation.KEY=VALUE for this call; may be repeated.
        overlay: Also write a video (.webm) with the foreground marked.
        device: auto, cpu, cuda or cuda:N.
        resume: Leave out the frames whose masks are there already.
        overwrite: Replace the masks that are in the folder.
    """
    with Console(common or CommonOptions()) as console:
        begin = time.monotonic()
        overrides = parse_assignments(assignments or [])
        scene = load(model, device=device)
        settings = overridden(scene, overrides)
        for key, value in overrides.get("segmentation", {}).items():
            console.info(f"segmentation.{key} = {value} for this call")
        recording = open_source(source)
        require_size(recording.size, scene.frame_size, recording.name)
        if overlay is not None:
            if overlay.resolve().is_relative_to(out.resolve()):
                raise UsageError(f"{out} is for masks only; give another place for {overlay.name}")
            require_free_file(overlay, overwrite=overwrite or resume, suffixes=(".webm",))
        if Path(source).resolve() == out.resolve():
            raise UsageError(f"{out} holds the frames; give another place for the masks")
        done = prepare_folder(out, resume=resume, overwrite=overwrite)
        outcome = _write_masks(
            scene, recording, _Task(settings, out, done, overlay), console=console
        )
        damaged, missing = recording.problems
        if damaged or missing:
            console.warn(f"{recording.name}: {damaged} damaged and {missing} missing frames")
        seconds = time.monotonic() - begin
        values = {
            "command": "segment",
            "masks": str(out),
            "frames": outcome.frames,
            "frames_skipped": len(done),
            "damaged_frames": damaged,
            "missing_frames": missing,
            "mean_foreground": outcome.foreground / max(1, outcome.frames),
            "overrides": overrides.get("segmentation", {}),
            "seconds": round(seconds, 3),
            "frames_per_second": round(outcome.frames / max(seconds, 1e-9), 1),
        }
        text = f"{outcome.frames} masks in {seconds:.1f} s: {out}"
        console.result(values, text)


@dataclass(frozen=True)
class _Task:
    """What is to be written where."""

    settings: SegmentationSettings
    masks: Path
    done: frozenset[int]
    overlay: Path | None


@dataclass
class _Outcome:
    """What was written."""

    frames: int = 0
    foreground: float = 0.0


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


def prepare_folder(out: Path, *, resume: bool, overwrite: bool) -> frozenset[int]:
    """Makes the folder of masks ready; the numbers of those to be left out.

    Raises:
        OutputError: Something is in the way.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; give a folder for the masks")
    masks = existing_masks(out)
    names = {mask_name(number) for number in masks}
    others = [entry.name for entry in out.iterdir()] if out.is_dir() else []
    foreign = sorted(name for name in others if name not in names and not name.startswith(".bin"))
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
    return frozenset()


def _write_masks(
    scene: Scene, recording: VideoSource, task: _Task, *, console: Console
) -> _Outcome:
    outcome = _Outcome()
    with ExitStack() as stack:
        masks = stack.enter_context(MaskWriter(task.masks))
        film = None
        if task.overlay is not None:
            rate = recording.frame_rate or DEFAULT_FRAME_RATE
            film = stack.enter_context(OverlayWriter(task.overlay, recording.size, rate))
        # A film has all frames, also those whose masks are there already.
        left_out = frozenset() if film is not None else task.done
        results = scene.segment(recording, segmentation=task.settings, skip=left_out)
        stack.callback(results.close)  # first: its thread may still be reading the frames
        for result in results:
            if film is not None:
                film.write(result.picture, result.mask)
            if result.number in task.done:
                continue
            masks.write(result.number, result.mask)
            outcome.frames += 1
            outcome.foreground += np.count_nonzero(result.mask) / result.mask.size
            console.progress("segmenting", result.frame.index + 1, recording.frame_count_hint)
    return outcome
