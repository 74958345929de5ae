"""Frames of a video whose values are more than 8 bits of grey, as of a thermal camera."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

_DEEP_GREY = re.compile(r"gray(9|1[0-6])(le|be)?")


def grey_bits(frame: av.VideoFrame) -> int | None:
    """How many bits its values have, where they are grey of more than 8; else None."""
    kind = _DEEP_GREY.fullmatch(frame.format.name)
    return None if kind is None else int(kind.group(1))


def grey_values(frame: av.VideoFrame) -> NDArray[np.uint16]:
    """The values of a frame of such a kind, `(H, W)`, turned as the file asks."""
    plane = frame.planes[0]
    kind = _DEEP_GREY.fullmatch(frame.format.name)
    assert kind is not None
    order = {"le": "<", "be": ">"}.get(kind.group(2), "=")
    stored: NDArray[Any] = np.frombuffer(plane, f"{order}u2")
    values = stored.reshape(-1, plane.line_size // 2)[: frame.height, : frame.width]
    turns = round(frame.rotation / 90) % 4 if frame.rotation % 90 == 0 else 0
    return np.ascontiguousarray(np.rot90(values, turns), np.uint16)
