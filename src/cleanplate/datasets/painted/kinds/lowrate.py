"""A crossroads of which a frame is kept every two seconds: nothing is seen twice on its way."""

from __future__ import annotations

from cleanplate.datasets.painted.camera import Viewpoint
from cleanplate.datasets.painted.kinds.crossroads import PaintedIntersection
from cleanplate.datasets.painted.street.views import view_of


class LowRate(PaintedIntersection):
    """The street at a rate below one frame a second."""

    def _view(self) -> Viewpoint:
        return view_of(self.settings.seed)


SCENE = LowRate
