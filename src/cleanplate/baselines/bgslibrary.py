"""BGSLibrary's methods at their defaults, where its Python package is installed.

The package `pybgs` is published as source and is compiled against an OpenCV of the system; the
manual says how it is built.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from functools import partial
from typing import Any

import cv2
import numpy as np

from cleanplate.baselines.base import Peer, PeerKind
from cleanplate.errors import SettingsError
from cleanplate.frames import FrameStack, Mask, Picture
from cleanplate.installed import version_of

PACKAGE = "pybgs"


class BGSLibraryPeer:
    """A method of BGSLibrary.

    It reads, or writes, its parameters in the folder `config` of the working directory, so that
    only a process that starts in an empty folder is sure of the defaults.
    """

    def __init__(self, name: str) -> None:
        self._method: Any = getattr(_import_package(name), name)()

    def learn(self, frames: FrameStack) -> None:
        """Nothing: it learns while it goes."""

    def apply(self, picture: Picture) -> Mask:
        """Foreground of the next frame, `(H, W)`, uint8, 0 or 255."""
        marked = self._method.apply(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        if marked is None or marked.size == 0:
            return np.zeros(picture.shape[:2], np.uint8)  # its first frames have no mask
        return np.asarray(cv2.compare(marked.reshape(picture.shape[:2]), 255, cv2.CMP_EQ), np.uint8)

    def background(self) -> Picture | None:
        """Its plate so far, `(H, W, 3)`; None: it has none."""
        plate = self._method.getBackgroundModel()
        if plate is None or not plate.any():  # ViBe gives a black picture
            return None
        plate = np.asarray(plate, np.uint8)
        how = cv2.COLOR_GRAY2RGB if plate.ndim == 2 or plate.shape[2] == 1 else cv2.COLOR_BGR2RGB
        return np.asarray(cv2.cvtColor(plate, how), np.uint8)

    def at(self, threshold: float) -> Peer:
        """Not for these: none of them has a sweep."""
        raise NotImplementedError(f"BGSLibrary's methods are not set to a threshold of {threshold}")


def is_installed() -> bool:
    """Whether BGSLibrary's Python package can be imported."""
    return importlib.util.find_spec(PACKAGE) is not None


def library_version() -> str | None:
    """Version of BGSLibrary's Python package; None: it is not installed."""
    return version_of(PACKAGE)


def _import_package(name: str) -> Any:
    if not is_installed():
        raise SettingsError(
            f"'{name}' needs BGSLibrary's Python package {PACKAGE}, which is not installed; "
            "the manual says how it is built (docs/benchmark-protocol.md)"
        )
    return importlib.import_module(PACKAGE)


BGSLIBRARY_PEERS: Mapping[str, PeerKind] = {
    name: PeerKind(f"BGSLibrary's {summary}", partial(BGSLibraryPeer, name), is_random=True)
    for name, summary in {
        "SuBSENSE": "SuBSENSE (St-Charles, Bilodeau and Bergevin, 2015).",
        "PAWCS": "PAWCS (St-Charles, Bilodeau and Bergevin, 2016).",
        "LOBSTER": "LOBSTER (St-Charles and Bilodeau, 2014).",
        "ViBe": "ViBe (Barnich and Van Droogenbroeck, 2011).",
    }.items()
}
"""BGSLibrary's peers by name."""
