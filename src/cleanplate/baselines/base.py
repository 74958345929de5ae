"""What every table compares with: a method that sees frames in order and gives their masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cleanplate.frames import FrameStack, Mask, Picture


class Peer(Protocol):
    """A method of another library, at its defaults."""

    def learn(self, frames: FrameStack) -> None:
        """Shows it frames spread over what may be learned from; nothing for most peers."""
        ...

    def apply(self, picture: Picture) -> Mask:
        """Foreground of the next frame, `(H, W)`, uint8, 0 or 255; shadows are background."""
        ...

    def background(self) -> Picture | None:
        """Its plate so far, `(H, W, 3)`, uint8, RGB; None: it has none."""
        ...

    def at(self, threshold: float) -> Peer:
        """A peer with what this one learned, before its first frame, at a value of its sweep."""
        ...


@dataclass(frozen=True)
class Sweep:
    """The one number of a peer that cuts a graded difference into a mask.

    Attributes:
        name: As its library or paper calls it.
        default: Its default.
        values: What is tried, ascending, the default among them.
    """

    name: str
    default: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class PeerKind:
    """A peer that can be opened.

    Attributes:
        summary: One line for people.
        open: A fresh peer at its defaults.
        sweep: None where no single number cuts a graded difference.
        learns: Whether `learn` has to be called before `apply`.
        is_random: Whether two runs may differ.
    """

    summary: str
    open: Callable[[], Peer]
    sweep: Sweep | None = None
    learns: bool = False
    is_random: bool = False
