"""Values of a label image: what each pixel shows."""

from __future__ import annotations

from enum import IntEnum


class Label(IntEnum):
    """Layer of a pixel; foreground is what is above 127, and no value is one of CDnet's own."""

    BACKGROUND = 0
    SETTLED = 64
    SHADOW = 127
    WAITING = 191
    MOVING = 255


BACKGROUND, SETTLED, SHADOW, WAITING, MOVING = (int(label) for label in Label)
