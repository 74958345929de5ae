"""Simple methods that every table needs beside the learned ones, and the peers to compare with."""

from cleanplate.baselines.base import Peer, PeerKind, Sweep
from cleanplate.baselines.peers import PEERS, available_peers, open_peer
from cleanplate.baselines.still import STILL_BASELINES

__all__ = [
    "PEERS",
    "STILL_BASELINES",
    "Peer",
    "PeerKind",
    "Sweep",
    "available_peers",
    "open_peer",
]
