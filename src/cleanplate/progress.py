"""How long work reports its progress: one callback, no display."""

from __future__ import annotations

from typing import Protocol


class ProgressListener(Protocol):
    """Called often while work goes on; must return quickly."""

    def __call__(self, stage: str, done: float, total: float | None, note: str = "") -> None:
        """One sign of life.

        Args:
            stage: What is going on, for example `learning`.
            done: How much is done, in the unit of total.
            total: How much there is; None if unknown.
            note: Figures worth showing, for example the loss.
        """


def silent(stage: str, done: float, total: float | None, note: str = "") -> None:
    """Listener that shows nothing."""
