"""Rolling bands of lamps: a rolling shutter reads each row in another phase of their flicker."""

from __future__ import annotations

import numpy as np

from cleanplate.frames import FloatMap

GAIN_FLOOR = 8.0
"""Grey levels added before a ratio is taken, so that noise in the dark does not matter."""
_LEAST_ROWS = 8
_PARTS = 3
"""Parts of the width: who stands in one of them does not matter."""
_MOST_STEP = 0.75
"""Share of the swing by which rows may differ from the next but one: a wave of eight rows does by
0.7 of it, the edge of an object by all of it."""
_MANY_TURNS = 4
"""Changes from dark to bright or back from which on they are waves, however steep: an object that
fills the width makes two."""
_MOST_CHANGE = 0.7
"""Largest gain of a row, and the inverse of the least, as a logarithm: lamps never go out."""
_TOLD = 0.2
"""Share of the swing beyond which a row is brighter or darker than the middle."""
_LEAST_TURNS = 2
"""Changes from dark to bright or back in a picture with bands."""
_MOST_APART = 0.25
"""Share of the swing by which two parts of a row may differ, in half of the rows."""


def row_gains(shown: FloatMap, plate: FloatMap) -> FloatMap | None:
    """Gain of each row of a thumbnail over its background, `(h, 1, 3)`; None: it is no such light.

    Bands of light reach over the whole width and are soft from row to row.

    Args:
        shown: Thumbnail of the picture, `(h, w, 3)`.
        plate: That of the background.
    """
    if len(shown) < _LEAST_ROWS or shown.shape[1] < _PARTS:
        return None
    ratio = np.log((shown + GAIN_FLOOR) / (plate + GAIN_FLOOR))
    parts = np.stack([np.median(p, axis=1) for p in np.array_split(ratio, _PARTS, axis=1)])
    profile = np.median(parts, axis=0)
    light = profile.mean(axis=1)
    if np.abs(light).max() > _MOST_CHANGE:
        return None
    swing = float(np.ptp(light))
    step = float(np.abs(light[2:] - light[:-2]).max())
    # One of the parts is the middle one itself; another has to agree with it.
    apart = float(np.median(np.sort(np.abs(parts.mean(axis=2) - light), axis=0)[1]))
    is_steep = step > _MOST_STEP * swing and _turns(light) < _MANY_TURNS
    if is_steep or apart > _MOST_APART * swing:
        return None
    return np.exp(profile)[:, None].astype(np.float32)


def is_wavy(gains: FloatMap) -> bool:
    """Whether gains of rows rise and fall like bands, and not from one side to the other.

    Args:
        gains: `(h, 1, 3)`.
    """
    return _turns(np.log(gains).mean(axis=(1, 2))) >= _LEAST_TURNS


def _turns(light: FloatMap) -> int:
    """Changes from clearly dark to clearly bright or back from the first row to the last."""
    middle = (light.max() + light.min()) / 2
    told = np.abs(light - middle) > _TOLD * np.ptp(light)
    return int(np.count_nonzero(np.diff(np.sign(light[told] - middle))))
