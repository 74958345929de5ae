"""How a camera shakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from cleanplate.errors import SceneFileError, shown
from cleanplate.video.registration import Registration

_FARTHEST = 1e6
"""Motion that a scene may speak of, in pixels."""


@dataclass(frozen=True)
class CameraMotion:
    """How a camera shakes.

    Attributes:
        motion: What its motion is taken for; None: it stands still, frames are taken as they are.
        reach: How far a corner of a learned frame lay from its place at most, in pixels of the
            working size.
        lost_frames: Frames that were not learned from because their motion was not found.
    """

    motion: Registration | None = None
    reach: float = 0.0
    lost_frames: int = 0

    def as_values(self) -> dict[str, Any] | None:
        """Plain values for a scene file; None for a camera that stands still."""
        return asdict(self) if self.motion else None

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> CameraMotion:
        """What `as_values` gave.

        Raises:
            SceneFileError: The values are not of that kind.
        """
        if values is None:
            return cls()
        motion, reach = values.get("motion"), values.get("reach")
        lost = values.get("lost_frames", 0)
        is_known = motion in get_args(Registration) and type(lost) is int
        if is_known and isinstance(reach, int | float) and 0 <= reach <= _FARTHEST:
            return cls(motion, float(reach), lost)
        raise SceneFileError(f"the registration of the scene makes no sense: {shown(values)}")
