"""Background in another light: the plate times a factor that hardly varies and hardly colours.

In a shadow, light = share * plate with one share nearby: the logarithm of the ratio has a small
spread in a window (a vehicle brings its own texture).
After the ratio test of Jacques, Jung & Musse (SIBGRAPI 2005, doi:10.1109/SIBGRAPI.2005.35).

Where the scene's own shadows are not known the ratio must also be alike in R, G and B, and the
window is 5x5. Where they are, it must be what they do; since little else does that, 3x3 pixels are
enough, and thin shadows are found too.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from cleanplate.segmentation.plan import ShadowLimits

LOG_OFFSET = 2
"""Grey levels added before a logarithm is taken, so that noise in the dark does not matter."""
WINDOW, SMALL_WINDOW = 5, 3
"""Sides of the windows in which light has to change evenly, in pixels."""
CLIPPED = 250
"""Grey level from which on a channel may be cut off, and hides the texture."""
LEAST_DARKENING = 0.05
LOOSE_SPREAD, LOOSE_COLOUR = 3.5, 2.0
"""How many times the limits of a likely shadow are those of a possible one."""
RELIT_LIGHT = (math.log(0.08), math.log(8))
"""The least light that is left in a hard shadow, and the most that a lamp adds (log units)."""


class ShadowTests(NamedTuple):
    """What frames do to the light of their backgrounds, in maps and masks of `ops`.

    Attributes:
        likely: Whatever stands there has no texture and no colour of its own: it may be in shadow.
        possible: The same with looser limits, for what differs too little to be sure of.
        darker: Light may have been taken away evenly; by itself hardly evidence of anything.
        brighter: It may have been added. Of whatever colour: lamps are of another than the evening.
        usable: No channel of frame or background is cut off.
        texture: What single pixels of the background differ from those around them by, logarithms
            of grey levels.
        change: The same of frame over background.
    """

    likely: Any
    possible: Any
    darker: Any
    brighter: Any
    usable: Any
    texture: Any
    change: Any


class Clipped(NamedTuple):
    """Where a channel is cut off, and hides the texture.

    Attributes:
        now: In the frames.
        usually: In their backgrounds.
    """

    now: Any
    usually: Any


class Change(NamedTuple):
    """What frames do to the light of their backgrounds, in windows.

    Attributes:
        light: Logarithm of their ratio, mean over RGB and a window.
        variance: Of the mean over RGB, in that window.
        strangeness: How far it is from what shadows do to colours, 1: as far as is allowed.
    """

    light: Any
    variance: Any
    strangeness: Any


def tested(
    change: Change, near: Change, limits: ShadowLimits, clipped: Clipped
) -> tuple[Any, Any, Any, Any, Any]:
    """Where shadows are likely and possible, where light may be darker and brighter, and usable.

    What is cut off is never even, where the other of frame and background shows the texture: sun on
    a floor is all white. It is asked for nothing, and goes with the patch that it is part of.

    Args:
        change: In the window that is asked for shadows.
        near: In the small one.
        limits: What a shadow may be.
        clipped: Where a channel is cut off.

    Returns:
        bool, in the order of `ShadowTests`.
    """
    most = limits.variance
    is_darker = (change.light >= limits.darkest) & (change.light <= -LEAST_DARKENING)
    likely = is_darker & (change.variance < most) & (change.strangeness < 1)
    is_even = change.variance < LOOSE_SPREAD**2 * most
    possible = is_darker & is_even & (change.strangeness < LOOSE_COLOUR)
    is_even, (least, brightest) = near.variance < most, RELIT_LIGHT
    darker = (is_even | clipped.usually) & (near.light >= least) & (near.light <= -LEAST_DARKENING)
    brighter = (is_even | clipped.now) & (near.light >= LEAST_DARKENING) & (near.light <= brightest)
    return likely, possible, darker, brighter, ~(clipped.now | clipped.usually)
