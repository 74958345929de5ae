"""Pictures, stacks and videos that were changed, opened and read for twenty frames."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from random import Random
from typing import Any

import av
import cv2
import numpy as np

from fuzzing.mutations import mutate_bytes, mutate_folder, mutate_png
from fuzzing.painting import HEIGHT, WIDTH, paint_frames, write_folder

_PICTURES = (".png", ".jpg", ".tiff", ".bmp", ".webp", ".ppm", ".pgm")
_VIDEOS = {
    "motion.avi": "MJPG",
    "xvid.avi": "XVID",
    "part2.mp4": "mp4v",
    "part2.mkv": "mp4v",
    "raw.m4v": "mp4v",
    "raw.mjpeg": "MJPG",
    "old.mpg": "mpg1",
    "plain.avi": "I420",
}
_STREAMS = {
    "raw.h264": "libx264",
    "index.mov": "libx264",
    "transport.ts": "mpeg2video",
    "browser.webm": "libvpx",
    "raw.hevc": "libx265",
    "old.flv": "flv1",
    "old.wmv": "wmv2",
    "open.ogv": "libtheora",
    "plain.y4m": "wrapped_avframe",
    "tagged.mkv": "ffv1",
}
_MOST_FRAMES = 20


def prepare(seeds: Path) -> None:
    """Every format that OpenCV can write here."""
    from cleanplate.video.opening import silence_decoders

    silence_decoders()
    frames = paint_frames()
    for suffix in _PICTURES:
        pictures = frames[..., 0] if suffix == ".pgm" else frames
        try:
            write_folder(seeds / f"pictures{suffix}", pictures[:4], suffix)
        except cv2.error:
            shutil.rmtree(seeds / f"pictures{suffix}")
    write_folder(seeds / "deep.png", frames[:4].astype(np.uint16) * 257)
    cv2.imwrite(str(seeds / "float.tiff"), frames[0].astype(np.float32) / 255)
    cv2.imwritemulti(str(seeds / "stack.tiff"), list(frames[:6]))
    animation = cv2.Animation()
    animation.frames, animation.durations = list(frames), [40] * len(frames)
    for name in ("moving.gif", "moving.webp"):
        cv2.imwriteanimation(str(seeds / name), animation)
    for name, code in _VIDEOS.items():
        _write_video(seeds / name, code, frames)
    for name, codec in _STREAMS.items():
        _write_stream(seeds / name, codec, frames)


def _write_video(path: Path, code: str, frames: Any) -> None:
    size, fourcc = (2 * WIDTH, 2 * HEIGHT), cv2.VideoWriter.fourcc(*code)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, 25.0, size)
    for frame in frames:
        writer.write(cv2.resize(frame, size))
    writer.release()
    if path.exists() and not path.stat().st_size:
        path.unlink()


def _write_stream(path: Path, codec: str, frames: Any) -> None:
    try:
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 2 * WIDTH, 2 * HEIGHT, "yuv420p"
            for frame in frames:
                large = cv2.resize(frame, (2 * WIDTH, 2 * HEIGHT))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(large, format="rgb24")))
            container.mux(stream.encode())
    except (av.FFmpegError, ValueError):  # this build has no such coder
        path.unlink(missing_ok=True)


def make(place: Path, seeds: Path, random: Random) -> str:
    """One file, or a folder of pictures, with changes; sometimes under another ending."""
    entries = sorted(seeds.iterdir())
    entry = random.choice(entries)
    target = place / entry.name
    if entry.is_dir():
        target = place / "pictures"
        shutil.copytree(entry, target)
        if random.random() < 0.15:
            return f"{entry.name}: {mutate_folder(target, random)}"
        path = random.choice(sorted(target.iterdir()))
    else:
        shutil.copy(entry, target)
        path = target
    content = path.read_bytes()
    change = mutate_png if path.suffix == ".png" and random.random() < 0.4 else mutate_bytes
    path.write_bytes(change(content, random))
    if random.random() < 0.1:
        other = random.choice([*_PICTURES, ".mp4", ".avi", ".gif", ".mkv", ".h264", ""])
        path.rename(path.with_suffix(other))
        return f"{entry.name} as {other}"
    return entry.name


def use(place: Path, random: Random) -> None:
    """Opens the recording and reads up to twenty frames of it."""
    from cleanplate.video import open_source

    (path,) = (each for each in place.iterdir() if not each.name.startswith("outside"))
    if path.is_dir() and random.random() < 0.2:
        recording = open_source(str(path / "*"))
    else:
        recording = open_source(
            random.choice(sorted(path.iterdir()))
            if path.is_dir() and random.random() < 0.3
            else path
        )
    frames = recording.frames() if random.random() < 0.7 else recording.frames_ahead()
    for frame in itertools.islice(frames, _MOST_FRAMES):
        assert frame.picture.shape == (*recording.size, 3)
        assert frame.picture.dtype == np.uint8
    frames.close()
    assert recording.problems.damaged >= 0
    if random.random() < 0.1:
        recording.fingerprint()
