"""OpenCV's background subtractors at their defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import cv2
import numpy as np

from cleanplate.baselines.base import PeerKind, Sweep
from cleanplate.errors import SettingsError
from cleanplate.frames import FrameStack, Mask, Picture

_FOREGROUND = 255
"""What OpenCV marks foreground with; 127 is a shadow."""
_Subtractor: TypeAlias = Any  # cv2 has no types


class OpenCVPeer:
    """One of OpenCV's subtractors; the rate at which it learns is left to it."""

    def __init__(self, make: Callable[[], _Subtractor], setter: str = "") -> None:
        self._make = make
        self._setter = setter
        self._subtractor = make()

    def learn(self, frames: FrameStack) -> None:
        """Nothing: it learns while it goes."""

    def apply(self, picture: Picture) -> Mask:
        """Foreground of the next frame, `(H, W)`, uint8, 0 or 255."""
        marked = self._subtractor.apply(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return np.asarray(cv2.compare(marked, _FOREGROUND, cv2.CMP_EQ), np.uint8)

    def background(self) -> Picture | None:
        """Its plate so far, `(H, W, 3)`; CNT's is grey, GMG has none."""
        plate = self._subtractor.getBackgroundImage()
        if plate is None or plate.size == 0:
            return None
        how = cv2.COLOR_GRAY2RGB if plate.ndim == 2 else cv2.COLOR_BGR2RGB
        return np.asarray(cv2.cvtColor(plate, how), np.uint8)

    def at(self, threshold: float) -> OpenCVPeer:
        """A fresh one at another threshold; only for those with a sweep."""
        assert self._setter, "this subtractor has no sweep"
        peer = OpenCVPeer(self._make, self._setter)
        getattr(peer._subtractor, self._setter)(threshold)
        return peer


def _contributed(name: str) -> Callable[[], _Subtractor]:
    """Opens one of opencv_contrib, looked for when it is opened: other builds of cv2 lack it."""

    def make() -> _Subtractor:
        bgsegm = getattr(cv2, "bgsegm", None)
        if bgsegm is None:
            raise SettingsError(
                "the OpenCV here has no bgsegm; keep only opencv-contrib-python-headless installed"
            )
        return getattr(bgsegm, name)()

    return make


OPENCV_PEERS: Mapping[str, PeerKind] = {
    "MOG2": PeerKind(
        "OpenCV's linear_decoder of Gaussians (Zivkovic, 2004).",
        partial(OpenCVPeer, cv2.createBackgroundSubtractorMOG2, "setVarThreshold"),
        Sweep("varThreshold", 16.0, (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)),
    ),
    "KNN": PeerKind(
        "OpenCV's nearest neighbours (Zivkovic and van der Heijden, 2006).",
        partial(OpenCVPeer, cv2.createBackgroundSubtractorKNN, "setDist2Threshold"),
        Sweep("dist2Threshold", 400.0, (100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0)),
        is_random=True,
    ),
    "GSOC": PeerKind(
        "OpenCV's subtractor of Google Summer of Code 2017.",
        partial(OpenCVPeer, _contributed("createBackgroundSubtractorGSOC")),
        is_random=True,
    ),
    "LSBP": PeerKind(
        "OpenCV's local SVD binary patterns (Guo, Xu and Qiang, 2016).",
        partial(OpenCVPeer, _contributed("createBackgroundSubtractorLSBP")),
        is_random=True,
    ),
    "CNT": PeerKind(
        "OpenCV's counting of stable frames (Zeevi, 2016).",
        partial(OpenCVPeer, _contributed("createBackgroundSubtractorCNT")),
    ),
    "GMG": PeerKind(
        "OpenCV's Bayesian segmentation (Godbehere, Matsukawa and Goldberg, 2012).",
        partial(OpenCVPeer, _contributed("createBackgroundSubtractorGMG"), "setDecisionThreshold"),
        Sweep("decisionThreshold", 0.8, (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)),
    ),
}
"""OpenCV's peers by name."""
