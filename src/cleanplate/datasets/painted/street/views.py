"""Other views of the street than the one of the crossroads."""

from __future__ import annotations

import math

import numpy as np

from cleanplate.datasets.painted.camera import Viewpoint


def view_of(seed: int, *, zoom: tuple[float, float] = (1.0, 1.5)) -> Viewpoint:
    """A camera on either side of the main road that looks at the crossing, by seed."""
    random = np.random.default_rng([seed, 71])
    side = 1 if random.random() < 0.5 else -1
    x, y = side * float(random.uniform(5.5, 10.5)), -float(random.uniform(26, 35))
    z, near = float(random.uniform(8, 13)), float(random.uniform(-3, 5))
    reach = math.hypot(x, near - y)
    yaw = math.degrees(math.atan2(-x, near - y)) + float(random.uniform(-3, 3))
    pitch = math.degrees(math.atan2(z, reach))
    return Viewpoint(x, y, z, pitch, yaw, float(random.uniform(*zoom)))
