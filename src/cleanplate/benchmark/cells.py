"""What is measured: one method on one sequence, under one protocol and one seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import Field

from cleanplate._version import __version__
from cleanplate.baselines import PEERS, STILL_BASELINES
from cleanplate.errors import SettingsError
from cleanplate.parameters import Parameters

Protocol: TypeAlias = Literal["transductive", "held-out"]
Kind: TypeAlias = Literal["network", "plate", "peer"]

PROTOCOLS: Mapping[Protocol, str] = {
    "transductive": (
        "Learned from all frames of the sequence, without any truth; scored on the frames that its "
        "temporal region of interest names. Peers that learn while they go see all frames from the "
        "first one."
    ),
    "held-out": (
        "Learned from the first half of the frames; scored on those of the second half that the "
        "temporal region of interest names. Peers that learn while they go run through both halves "
        "and go on learning in the second, which alone is scored."
    ),
}
"""What a cell is learned from and scored on."""

_FORM = 1
"""Raised when what a cell holds, or how it is measured, changes."""


class Hold(Parameters):
    """Vehicles that are held still."""

    frame: int = Field(ge=0, description="number of the frame whose moving pixels are held")
    count: int = Field(ge=4, description="frames for which they are held")

    def __str__(self) -> str:
        return f"{self.frame}:{self.count}"


class Cell(Parameters):
    """One measurement."""

    sequence: str = Field(description="name of the sequence, its path below the data folder")
    category: str = Field(description="folder that the sequence is in")
    method: str = Field(description="name of the method or peer")
    seed: int = Field(ge=0, description="of everything that is random")
    protocol: Protocol = Field(description="frames learned from and frames scored")
    hold: Hold | None = Field(None, description="null: nothing is held still")
    budget: str = Field("auto", description="of networks; auto is the method's own")
    device: str = Field("auto", description="that networks run on")
    sweep: bool = Field(default=True, description="whether the best F over thresholds is sought")

    @property
    def kind(self) -> Kind:
        """What sort of method it is."""
        return method_kind(self.method)

    def identity(self, *, settings: Mapping[str, Any], fingerprint: str) -> str:
        """SHA-256 of all that the result depends on but the machine and its load.

        Args:
            settings: Resolved settings of the method, or versions of a peer's library.
            fingerprint: Of the recording and its truth.
        """
        whole = {
            "form": _FORM,
            "version": __version__,
            "cell": self.model_dump(mode="json"),
            "settings": settings,
            "data": fingerprint,
        }
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    def file_name(self, identity: str) -> str:
        """Name of what is kept of it, without an ending."""
        sequence = self.sequence.replace("/", "-")
        held = f".hold-{self.hold.frame}-{self.hold.count}" if self.hold else ""
        return f"{sequence}{held}.{self.method}.{self.protocol}.seed{self.seed}.{identity[:12]}"


def method_kind(method: str) -> Kind:
    """Whether a name is that of a peer, a still plate or a network."""
    if method in PEERS:
        return "peer"
    return "plate" if method in STILL_BASELINES else "network"


def uses_seed(method: str) -> bool:
    """Whether another seed may give another result."""
    kind = method_kind(method)
    return PEERS[method].is_random if kind == "peer" else kind == "network"


def parse_hold(text: str) -> tuple[str, Hold]:
    """Name of a sequence and what is held there, from `SEQUENCE:FRAME:COUNT`.

    Raises:
        SettingsError: The text has another form.
    """
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not all(part.isdecimal() for part in parts[1:]):
        raise SettingsError(
            f"--hold '{text}' is not understood; give SEQUENCE:FRAME:COUNT, for example "
            "baseline/highway:1000:400"
        )
    return parts[0], Hold.parse({"frame": int(parts[1]), "count": int(parts[2])}, prefix="hold")
