"""Speed against accuracy, drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from cleanplate.benchmark.cells import Kind
from cleanplate.benchmark.results import ResultRow
from cleanplate.report.figures import ACCENT, INK, MUTED, SERIES, Chart, draw_chart

_COLOURS: dict[Kind, str] = {"network": ACCENT, "plate": SERIES[1], "peer": SERIES[0]}
_MARKERS: dict[Kind, str] = {"network": "o", "plate": "D", "peer": "s"}
_WIDE, _NARROW = (10.0, 4.8), (3.8, 4.2)
_LETTER = 5.2
"""Width of a letter of a label, in points."""
_LINE = 10.5
"""Height of its line."""
_POINTS = 72
"""Points in an inch."""
_MARGINS = (0.75, 0.6)
"""What the axes leave for their own labels, in inches."""
_OFFSETS = tuple(
    (right * dx, dy)
    for dy in (0, 9, -9, 18, -18, 27, -27, 36, -36)
    for dx in (8, 26)
    for right in (1, -1)
)
"""Where a label may stand beside its point, in points, the nearest first."""


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def holds(self, other: _Box) -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )


def speed_chart(rows: Sequence[ResultRow]) -> Chart:
    """Overall F over frames a second, a point for each method."""
    shown = [row for row in rows if row.overall["F"].mean is not None]
    # Where a label fits depends on the size, so that each size has a drawing of its own.
    return Chart(
        wide=draw_chart(partial(_draw, shown, _WIDE), wide=_WIDE).wide,
        narrow=draw_chart(partial(_draw, shown, _NARROW), narrow=_NARROW).narrow,
    )


def _draw(rows: Sequence[ResultRow], inches: tuple[float, float]) -> Figure:
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    for kind, colour in _COLOURS.items():
        points = [(r.frames_per_second, r.overall["F"].mean) for r in rows if r.kind == kind]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, _MARKERS[kind], color=colour, markersize=6, label=kind, clip_on=False)
    axes.set_xscale("log")
    speeds = [row.frames_per_second for row in rows]
    axes.set_xlim(min(speeds) / 1.8, max(speeds) * 2.2)
    values = [row.overall["F"].mean or 0 for row in rows]
    margin = 0.06 * max(0.1, max(values) - min(values))
    axes.set_ylim(max(0.0, min(values) - margin), min(1.0, max(values) + 2 * margin))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(_minor))
    axes.set_xlabel("frames a second, decoded and written")
    axes.set_ylabel("F")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, alpha=0.2)
    axes.legend(frameon=False, loc="lower left", fontsize=8)
    _label(axes, rows, inches)
    return figure


def _label(axes: Axes, rows: Sequence[ResultRow], inches: tuple[float, float]) -> None:
    """Names beside the points, the best first; a name without room is left out."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    width, height = (
        (side - margin) * _POINTS for side, margin in zip(inches, _MARGINS, strict=True)
    )
    places = [
        (
            math.log(row.frames_per_second / left) / math.log(right / left) * width,
            ((row.overall["F"].mean or 0) - bottom) / (top - bottom) * height,
        )
        for row in rows
    ]
    page = _Box(0, 0, width, height)
    taken = [_Box(x - 4, y - 4, x + 4, y + 4) for x, y in places]
    for row, (x, y) in sorted(zip(rows, places, strict=True), key=lambda pair: -pair[1][1]):
        length = _LETTER * len(row.method)
        for dx, dy in _OFFSETS:
            start = x + dx if dx > 0 else x + dx - length
            middle = y + dy
            box = _Box(start, middle - _LINE / 2, start + length, middle + _LINE / 2)
            if page.holds(box) and not any(box.meets(other) for other in taken):
                taken.append(box)
                _write(axes, row, (dx, dy))
                break


def _write(axes: Axes, row: ResultRow, offset: tuple[float, float]) -> None:
    is_far = abs(offset[0]) > 10 or abs(offset[1]) > 10
    axes.annotate(
        row.method,
        (row.frames_per_second, row.overall["F"].mean or 0),
        xytext=offset,
        textcoords="offset points",
        ha="left" if offset[0] > 0 else "right",
        va="center",
        fontsize=8,
        color=INK,
        arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.5} if is_far else None,
    )


def _minor(value: float, _: int) -> str:
    first = f"{value:.0e}"[0]
    return f"{value:g}" if first in "25" else ""
