"""All peers by name, and whether they can be opened here."""

from __future__ import annotations

from collections.abc import Mapping

import cv2

from cleanplate.baselines import bgslibrary
from cleanplate.baselines.base import Peer, PeerKind
from cleanplate.baselines.bgslibrary import BGSLIBRARY_PEERS
from cleanplate.baselines.opencv import OPENCV_PEERS
from cleanplate.baselines.robust_pca import ROBUST_PCA
from cleanplate.errors import UnknownNameError

PEERS: Mapping[str, PeerKind] = {
    **OPENCV_PEERS,
    "robust_pca": ROBUST_PCA,
    **BGSLIBRARY_PEERS,
}
"""Every peer by name, those too that are not installed."""


def available_peers() -> list[str]:
    """Names of the peers that can be opened here."""
    return [name for name in PEERS if name not in BGSLIBRARY_PEERS or bgslibrary.is_installed()]


def open_peer(name: str, *, seed: int = 0) -> Peer:
    """A fresh peer at the defaults of its library.

    Args:
        name: One of `PEERS`.
        seed: Of OpenCV's random numbers, which some peers draw from.

    Raises:
        UnknownNameError: There is no peer of that name.
        SettingsError: Its package is not installed.
    """
    if name not in PEERS:
        raise UnknownNameError("peer", name, PEERS)
    cv2.setRNGSeed(seed)
    return PEERS[name].open()
