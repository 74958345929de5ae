"""`cleanplate plate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cleanplate.background import still_plate
from cleanplate.cli.console import CommonOptions, Console
from cleanplate.cli.outputs import (
    require_apart,
    require_free_file,
    require_suffix,
    write_picture,
)
from cleanplate.errors import UnknownNameError, UsageError
from cleanplate.frames import Picture
from cleanplate.learning import learn
from cleanplate.scene_file import CHECKPOINT, CONFIG
from cleanplate.scene_reading import read_plate
from cleanplate.settings import DEFAULT_INIT, known_plates, trained_plates
from cleanplate.video import FrameCache, VideoSource, open_source

_LEARNED = "learned"
_FRAMES = 200
_SUFFIXES = (".png", ".jpg")


def plate(
    source: str,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    how: str | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> None:
    """Write the empty scene as one still picture.

    Args:
        source: Folder of a learned scene, or video file, folder or pattern of pictures.
        out: Picture to write, .png or .jpg.
        how: learned for a scene (default: the median over time of its backgrounds);
            candidates (default), median, mean, trimmed_mean, mode, low_motion, pooled or
            bootstrap for a recording.
        overwrite: Replace the picture that is there.
    """
    with Console(common or CommonOptions()) as console:
        is_scene = (Path(source) / CONFIG).exists() or (Path(source) / CHECKPOINT).is_dir()
        how = how or (_LEARNED if is_scene else DEFAULT_INIT)
        _check(how, is_scene=is_scene)
        require_suffix(out, _SUFFIXES)
        recording = None if is_scene else open_source(source)
        if recording is not None:
            require_apart(recording, out)
        require_free_file(out, overwrite=overwrite)
        if recording is None:
            picture, frames = read_plate(Path(source)), 0
        elif how in trained_plates():
            scene = learn(recording, method=trained_plates()[how], progress=console.progress)
            picture, frames = scene.plate, scene.provenance["input"]["frames_learned_from"]
        else:
            picture, frames = _from_recording(recording, how, out.parent, console)
        write_picture(out, picture)
        height, width = picture.shape[:2]
        values = {
            "command": "plate",
            "plate": str(out),
            "how": how,
            "frame_size": [height, width],
            "frames_used": frames,
        }
        console.result(values, f"{how} plate, {width}x{height}: {out}")


def _check(how: str, *, is_scene: bool) -> None:
    if how not in {_LEARNED, *known_plates()}:
        raise UnknownNameError("plate", how, [_LEARNED, *known_plates()])
    if is_scene and how != _LEARNED:
        raise UsageError(f"a learned scene has no {how} plate; give the recording for --how {how}")
    if not is_scene and how == _LEARNED:
        raise UsageError("--how learned needs a learned scene; run cleanplate learn first")


def _from_recording(
    recording: VideoSource, how: str, folder: Path, console: Console
) -> tuple[Picture, int]:
    cache = FrameCache.fill(
        recording,
        folder,
        size=recording.size,
        max_frames=2 * _FRAMES,
        on_frame=lambda done, total: console.progress("reading", done, total),
    )
    with cache as frames:
        missing = recording.problems.missing
        if (damaged := recording.frames_damaged) or missing:
            console.warn(f"{recording.name}: {damaged} damaged and {missing} missing frames")
        for note in recording.notes:
            console.warn(f"{recording.name}: {note}")
        return still_plate(how, frames, max_frames=_FRAMES), min(len(frames), _FRAMES)
