"""Figures of the page's tables: how each is written, which is the best of its column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cleanplate.benchmark.results import Average

ABSENT = "–"  # noqa: RUF001 - the dash of the house


@dataclass(frozen=True)
class TableFigure:
    """One figure of a table.

    Attributes:
        shown: What stands in the cell.
        spread: Its spread over seeds; empty for a single seed.
        is_best: Whether no other in its column is better.
        share: How far its cell is filled, 0 to 100.
        details: Further figures of the same cell, in small print.
        note: What the figure lacks, in small print.
    """

    shown: str
    spread: str = ""
    is_best: bool = False
    share: int = 0
    details: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class TableLine:
    """A line of a table, most often one method."""

    method: str
    kind: str
    figures: Sequence[TableFigure]
    note: str = ""


def average_figure(average: Average | None, *, digits: int = 3) -> TableFigure:
    """A mean with its spread."""
    if average is None or average.mean is None:
        return TableFigure(ABSENT)
    spread = "" if average.spread is None else f"{average.spread:.{digits}f}"
    return TableFigure(f"{average.mean:.{digits}f}", spread)


def percent_figure(average: Average) -> TableFigure:
    """A share as a percentage, its cell filled as far."""
    if average.mean is None:
        return TableFigure(ABSENT)
    spread = "" if average.spread is None else f"{100 * average.spread:.1f}"
    return TableFigure(f"{100 * average.mean:.1f} %", spread, share=round(100 * average.mean))


def with_best(figures: Sequence[TableFigure], *, lowest: bool = False) -> list[TableFigure]:
    """Marks the best of the figures, equal as they are shown."""
    numbers = [float(figure.shown) for figure in figures if figure.shown != ABSENT]
    if len(numbers) < 2:
        return list(figures)
    best = min(numbers) if lowest else max(numbers)
    return [
        replace(figure, is_best=figure.shown != ABSENT and float(figure.shown) == best)
        for figure in figures
    ]


def filled(figures: Sequence[TableFigure], shares: Sequence[float | None]) -> list[TableFigure]:
    """Fills the cells as far as shares of 0 to 1 say."""
    return [
        replace(figure, share=round(100 * (share or 0)))
        for figure, share in zip(figures, shares, strict=True)
    ]
