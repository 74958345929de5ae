"""Where a scene comes from: input, versions, machine, times."""

from __future__ import annotations

import os
import platform
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cleanplate._version import __version__
from cleanplate.installed import version_of
from cleanplate.video import FrameCache, VideoSource

_PACKAGES = ("av", "numpy", "opencv-contrib-python-headless", "safetensors", "torch")


def describe_input(source: VideoSource, frames: FrameCache) -> dict[str, Any]:
    """What was read: name, hash, counts and times."""
    return {
        "name": short_name(source),
        "sha256": source.fingerprint(),
        "frame_size": list(source.size),
        "frames": frames.frames_read,
        "frames_learned_from": len(frames),
        "first_time": frames.first_time,
        "last_time": frames.last_time,
        "damaged_frames": source.frames_damaged,
        "repaired_frames": source.frames_repaired,
        "missing_frames": source.problems.missing,
        "values": _describe_values(source),
        "notes": list(source.notes),
    }


def _describe_values(source: VideoSource) -> dict[str, Any]:
    """Of what type they are, and which of them became black and white."""
    used = source.value_range
    return {
        "type": str(source.dtype),
        "range": None if used is None else list(used),
        "origin": source.range_origin,
    }


def short_name(source: VideoSource) -> str:
    """What a person would call a recording: the file's name, for a folder with its parent's."""
    parts = Path(source.name).parts
    is_folder = Path(source.name).is_dir()
    return "/".join(parts[-2:] if is_folder else parts[-1:]).lstrip("/")


def describe_machine() -> dict[str, Any]:
    """Versions and hardware."""
    return {
        "cleanplate": __version__,
        "python": platform.python_version(),
        # Another build of a package, as of cv2, has another name.
        **{name: version_of(name) or "another build" for name in _PACKAGES},
        "platform": platform.platform(),
        "processors": os.cpu_count(),
    }


def now() -> str:
    """This moment in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def peak_memory_bytes() -> int:
    """Most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
