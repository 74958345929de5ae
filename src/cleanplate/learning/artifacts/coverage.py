"""How well a recording shows the empty scene, as a picture for people and as figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from cleanplate.background import (
    Coverage,
    Doubt,
    RegionEvidence,
    find_evidence,
    judge,
    spread_over_time,
)
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.scene_file import COVERAGE, COVERAGE_PICTURE, png
from cleanplate.settings import SamplingSettings
from cleanplate.video import FrameCache

_WIDTHS = (640, 960)
"""The picture is enlarged or reduced to a width between these, so that its letters can be read."""
_COLOURS = cv2.COLORMAP_TURBO
_BRIGHTNESS = 0.55
"""Of the plate under the colours."""
_STRENGTH = 0.75
"""Of the colours where the plate was never seen; they fade out where it always was."""
_LEVELS = (0.1, 0.2, 0.5)
_SCALE_HEIGHT, _SCALE_BAR, _MARGIN = 62, 14, 12
_FONT, _SMALL = cv2.FONT_HERSHEY_SIMPLEX, 0.42
_WHITE = (255, 255, 255)
_TITLE = "share of the time that the empty scene was seen"
_OUTLINED = "outlined: never seen empty for certain"
_TICKS = 5


def coverage_files(
    frames: FrameCache,
    plate: Picture,
    evidence: RegionEvidence | None,
    sampling: SamplingSettings,
    frame_size: FrameSize,
) -> dict[str, bytes]:
    """Picture and figures by file name.

    Args:
        frames: What was learned from.
        plate: What was learned, in their size, `(h, w, 3)`.
        evidence: For the plate that learning began at; None: it is looked for.
        sampling: Says how many frames are looked at.
        frame_size: Size of the camera's frames; boxes are given in their pixels.
    """
    positions = spread_over_time(frames.times, sampling.plate_frames)
    coverage = judge(evidence or find_evidence(frames, positions, plate))
    figures = coverage_figures(coverage, frame_size=frame_size, samples=len(positions))
    return {
        COVERAGE: (json.dumps(figures, indent=2) + "\n").encode(),
        COVERAGE_PICTURE: png(draw_coverage(coverage, plate)[..., ::-1]),
    }


def coverage_figures(
    coverage: Coverage, *, frame_size: FrameSize, samples: int
) -> Mapping[str, Any]:
    """What `coverage.json` holds; shares are rounded to six digits."""
    height, width = coverage.seen.shape
    scale = frame_size.width / width, frame_size.height / height
    return {
        "format": 1,
        "samples": samples,
        "mean_seen": _rounded(coverage.seen.mean()),
        "share_seen_below": {str(x): _rounded((coverage.seen < x).mean()) for x in _LEVELS},
        "mean_confidence": _rounded(coverage.confidence.mean()),
        "doubtful_share": _rounded(coverage.doubtful_share),
        "sentence": coverage.sentence,
        "regions": [
            {
                "name": region.name,
                "share": _rounded(region.share),
                "box": [round(side * scale[i % 2]) for i, side in enumerate(region.box)],
                "seen": _rounded(region.seen),
                "doubt": region.doubt.name.lower(),
                "reason": region.doubt.sentence,
            }
            for region in coverage.regions
        ],
    }


def draw_coverage(coverage: Coverage, plate: Picture) -> Picture:
    """The plate dimmed under colours for how often it was seen, with a scale, `(H, W, 3)`."""
    width = int(np.clip(plate.shape[1], *_WIDTHS))
    size = (width, max(1, round(plate.shape[0] * width / plate.shape[1])))
    dimmed = _BRIGHTNESS * cv2.resize(plate, size, interpolation=cv2.INTER_AREA)
    seen = np.clip(cv2.resize(coverage.seen, size, interpolation=cv2.INTER_LINEAR), 0, 1)
    strength = (_STRENGTH * (1 - seen))[..., None]
    picture = ((1 - strength) * dimmed + strength * _coloured(seen)).astype(np.uint8)
    doubts = (coverage.doubts > Doubt.NONE).astype(np.uint8)
    doubts = cv2.resize(doubts, size, interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(doubts, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, _WHITE, 2, cv2.LINE_AA)
    return np.concatenate([picture, _scale(width)])


def _scale(width: int) -> Picture:
    """What the colours mean, from never to always, as they look on a grey plate."""
    strip = np.full((_SCALE_HEIGHT, width, 3), 24, np.uint8)
    seen = np.linspace(0, 1, width // 2 - 2 * _MARGIN, dtype=np.float32)[None]
    grey = np.full((1, seen.size, 3), _BRIGHTNESS * 128)
    strength = (_STRENGTH * (1 - seen))[..., None]
    bar = ((1 - strength) * grey + strength * _coloured(seen)).astype(np.uint8)
    top = 24
    strip[top : top + _SCALE_BAR, _MARGIN : _MARGIN + seen.size] = bar
    _write(strip, _TITLE, _MARGIN, 16)
    for tick in range(_TICKS):
        part = tick / (_TICKS - 1)
        _write(strip, f"{100 * part:.0f} %", _MARGIN + round(part * (seen.size - 34)), 54)
    left = width // 2 + 2 * _MARGIN
    cv2.rectangle(strip, (left, top), (left + 22, top + _SCALE_BAR), _WHITE, 2, cv2.LINE_AA)
    _write(strip, _OUTLINED, left + 32, top + 12)
    return strip


def _write(picture: Picture, text: str, left: int, bottom: int) -> None:
    cv2.putText(picture, text, (left, bottom), _FONT, _SMALL, (225, 225, 225), 1, cv2.LINE_AA)


def _coloured(seen: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Mask:
    """Colours of shares, RGB: red where never seen, over yellow and green to blue."""
    levels = np.rint(255 * (1 - seen)).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, _COLOURS)[..., ::-1], np.uint8)


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 6)
