"""Pieces of the picture grids that a run leaves."""

from __future__ import annotations

import cv2
import numpy as np

from cleanplate.frames import FrameSize, Mask, Picture

TILE_WIDTH = 240
_TITLE_HEIGHT = 22


def tile(picture: Picture | Mask, frame_size: FrameSize) -> Picture:
    """A picture of any size as a tile of the frame's shape."""
    size = (TILE_WIDTH, max(1, round(frame_size.height * TILE_WIDTH / frame_size.width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def title_strip(text: str, tiles: int) -> Picture:
    """A white strip with a line of text over so many tiles, `(22, tiles * 240, 3)`."""
    strip = np.full((_TITLE_HEIGHT, tiles * TILE_WIDTH, 3), 255, np.uint8)
    cv2.putText(strip, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return strip
