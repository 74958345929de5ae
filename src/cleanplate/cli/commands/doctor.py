"""`cleanplate doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.table import Table

from cleanplate._version import __version__
from cleanplate.cli.console import CommonOptions, Console, cell
from cleanplate.errors import CleanplateError
from cleanplate.frames import FrameSize
from cleanplate.video import OverlayWriter

_PACKAGES = ("torch", "numpy", "av", "opencv-contrib-python-headless", "safetensors")


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: What was looked at.
        is_fine: Whether cleanplate works with it.
        detail: What was found, and what to do where it is not fine.
    """

    name: str
    is_fine: bool
    detail: str


def doctor(*, common: CommonOptions | None = None) -> int:
    """Check this installation: versions, OpenCV, CUDA, video writing, disk, real data."""
    with Console(common or CommonOptions()) as console:
        findings = examine()
        table = Table(box=None, show_header=False)
        for finding in findings:
            table.add_row(
                "ok" if finding.is_fine else "PROBLEM", finding.name, cell(finding.detail)
            )
        sick = [finding.name for finding in findings if not finding.is_fine]
        if sick:
            console.warn(f"this installation has problems: {', '.join(sick)}")
        values = {
            "command": "doctor",
            "healthy": not sick,
            "findings": [finding._asdict() for finding in findings],
        }
        console.result(values, table)
        return 1 if sick else 0


def examine() -> list[Finding]:
    """All findings, in the order in which they are shown."""
    return [
        Finding("cleanplate", is_fine=True, detail=__version__),
        Finding("python", is_fine=True, detail=platform.python_version()),
        *(_package(name) for name in _PACKAGES),
        _one_opencv(),
        _cuda(),
        _video_writing(),
        _disk(),
        _real_data(),
    ]


def _package(name: str) -> Finding:
    try:
        return Finding(name, is_fine=True, detail=version(name))
    except PackageNotFoundError:
        return Finding(name, is_fine=False, detail=f"not installed; pip install {name}")


def _one_opencv() -> Finding:
    names = {str(found.metadata["Name"]).lower() for found in distributions()}
    variants = sorted(name for name in names if name.startswith("opencv-"))
    if len(variants) == 1:
        return Finding("one cv2", is_fine=True, detail=variants[0])
    detail = f"{', '.join(variants) or 'none'}; keep only opencv-contrib-python-headless"
    return Finding("one cv2", is_fine=False, detail=detail)


def _cuda() -> Finding:
    try:
        import torch
    except ImportError:
        return Finding("cuda", is_fine=False, detail="torch cannot be imported")
    if not torch.cuda.is_available():
        return Finding("cuda", is_fine=True, detail="none; scenes are learned on the CPU")
    count = torch.cuda.device_count()
    names = ", ".join(torch.cuda.get_device_name(i) for i in range(count))
    return Finding("cuda", is_fine=True, detail=names)


def _video_writing() -> Finding:
    with tempfile.TemporaryDirectory(prefix="cleanplate-") as folder:
        path = Path(folder) / "test.webm"
        try:
            with OverlayWriter(path, FrameSize(64, 64), Fraction(25)) as film:
                for _ in range(3):
                    film.write(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8))
        except CleanplateError as error:
            return Finding("video writing", is_fine=False, detail=str(error))
    return Finding("video writing", is_fine=True, detail="VP9 in WebM")


def _disk() -> Finding:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free / 1e9
    detail = f"{free:.0f} GB free in {folder}"
    return Finding("disk", is_fine=free > 0.5, detail=detail)


def _real_data() -> Finding:
    folder = os.environ.get("CLEANPLATE_DATA")
    if not folder:
        detail = "CLEANPLATE_DATA is not set; tests on real sequences are skipped"
        return Finding("real data", is_fine=True, detail=detail)
    is_there = Path(folder).is_dir()
    detail = folder if is_there else f"{folder} (CLEANPLATE_DATA) is not a folder"
    return Finding("real data", is_fine=is_there, detail=detail)
