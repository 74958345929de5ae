"""Writes a painted scene as a sequence in CDnet's layout, or as a video."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from cleanplate.datasets.painted.scene import PaintedFrame, PaintedScene
from cleanplate.datasets.painted.settings import DEFAULT_KIND
from cleanplate.errors import OutputError, UsageError
from cleanplate.frames import Mask, Picture
from cleanplate.writing import PartialFile, make_own_folder, output_error, write_whole

CODECS = {".avi": "FFV1", ".mp4": "mp4v"}
"""FFV1 keeps every value: what JPEG does to colours is more than a plate is scored by."""
JPEG_QUALITY = 95
INPUT_VIDEO = "input.avi"
TRUTH = ("groundtruth", "GT")


def write_sequence(
    scene: PaintedScene,
    folder: Path,
    *,
    picture_format: Literal["png", "jpg", "avi"] = "png",
    first_scored: int = 1,
    exist_ok: bool = False,
) -> Path:
    """Write a clip in CDnet's layout, with its exact plate.

    Frames are numbered from 1: `input/in000001.png`, `groundtruth/gt000001.png`; beside them
    `ROI.bmp`, `temporalROI.txt`, `GT/GT_background.png` (the still plate) and `objects.jsonl`,
    one line a frame with the number, the time and every object (id, kind, box, waiting seconds,
    pixels); where the scene is no crossroads each line names its kind as `scene`.

    Args:
        scene: What is painted.
        folder: Where to; made when it is missing.
        picture_format: Format of the input pictures; the truth is always PNG. `avi` writes one
            video `input.avi` without loss, which keeps the times too.
        first_scored: Number of the first frame in `temporalROI.txt`.
        exist_ok: Whether a folder with something in it may be written into.

    Returns:
        The folder.

    Raises:
        OutputError: The folder holds something, or a file cannot be written.
        UsageError: `first_scored` is not the number of a frame.
    """
    if not 1 <= first_scored <= len(scene):
        raise UsageError(
            f"frame {first_scored} cannot be the first to score; give 1 to {len(scene)}"
        )
    as_video = picture_format == "avi"
    _make_folders(folder, exist_ok=exist_ok, names=TRUTH if as_video else ("input", *TRUTH))
    lines = []

    def write(frame: PaintedFrame) -> None:
        number = frame.index + 1
        if not as_video:
            _write_picture(folder / "input" / f"in{number:06d}.{picture_format}", frame.picture)
        _write_picture(folder / "groundtruth" / f"gt{number:06d}.png", frame.labels)
        lines.append(_describe(frame, number, scene.settings.kind) + "\n")

    if as_video:
        write_video(scene, folder / INPUT_VIDEO, each=write)
    else:
        for index in range(len(scene)):
            write(scene.frame(index))
    write_whole(folder / "objects.jsonl", "".join(lines), durable=False)
    _write_picture(folder / "ROI.bmp", np.full(scene.size, 255, np.uint8))
    _write_picture(folder / "GT" / "GT_background.png", scene.still_plate)
    write_whole(folder / "temporalROI.txt", f"{first_scored} {len(scene)}\n", durable=False)
    return folder


def write_video(
    scene: PaintedScene, path: Path, *, each: Callable[[PaintedFrame], None] | None = None
) -> Path:
    """Write a clip as a video file, `.avi` (FFV1, without loss) or `.mp4` (MPEG-4).

    Args:
        scene: What is painted.
        path: The file.
        each: Is given every frame too, which is painted only once.

    Raises:
        OutputError: The file cannot be written.
        UsageError: The name ends in something else.
    """
    codec = CODECS.get(path.suffix.lower())
    if codec is None:
        raise UsageError(
            f"a video named '{path.name}' cannot be written; end the name in {' or '.join(CODECS)}"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            PartialFile(path, suffix=path.suffix.lower()) as partial,
            _writer(scene, partial.partial, codec, path) as writer,
        ):
            for index in range(len(scene)):
                frame = scene.frame(index)
                writer.write(cv2.cvtColor(frame.picture, cv2.COLOR_RGB2BGR))
                if each is not None:
                    each(frame)
    except OSError as error:
        raise output_error(error, path, "the video") from error
    return path


@contextmanager
def _writer(scene: PaintedScene, place: Path, codec: str, path: Path) -> Iterator[cv2.VideoWriter]:
    height, width = scene.size
    writer = cv2.VideoWriter(
        str(place), cv2.VideoWriter.fourcc(*codec), scene.settings.frame_rate, (width, height)
    )
    if not writer.isOpened():
        raise OutputError(f"{path} cannot be written as a video; give another folder or ending")
    try:
        yield writer
    finally:
        writer.release()


def _make_folders(folder: Path, *, exist_ok: bool, names: Sequence[str]) -> None:
    if not exist_ok and folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"{folder} is not empty; give another folder or remove it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            make_own_folder(folder / name)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error}; give another folder") from error


def _write_picture(path: Path, picture: Picture | Mask) -> None:
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
    write_whole(path, cv2.imencode(path.suffix, picture, options)[1].tobytes(), durable=False)


def _describe(frame: PaintedFrame, number: int, kind: str) -> str:
    objects = [asdict(one) for one in frame.objects]
    scene = {} if kind == DEFAULT_KIND else {"scene": kind}
    return json.dumps({**scene, "frame": number, "time": round(frame.time, 6), "objects": objects})
