"""A picture of how the losses went down."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_NOT_LOSSES = {"step", "seconds", "rate"}


def loss_figure(metrics: Sequence[Mapping[str, float]]) -> Figure:
    """Every loss term of every phase over the steps, on a logarithmic scale."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots()
    names = sorted({name for line in metrics for name in line} - _NOT_LOSSES)
    for name in names:
        points = [(line["step"], line[name]) for line in metrics if name in line]
        axes.plot(*zip(*points, strict=True), label=name, linewidth=1.4)
    if all(line[name] > 0 for line in metrics for name in names if name in line):
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss term")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, alpha=0.25)
    if names:
        axes.legend(frameon=False)
    return figure


def loss_plot(metrics: Sequence[Mapping[str, float]]) -> bytes:
    """The figure as PNG, made without any window."""
    figure = loss_figure(metrics)
    FigureCanvasAgg(figure)
    content = BytesIO()
    figure.savefig(content, dpi=120)
    return content.getvalue()


def metrics_table(metrics: Sequence[Mapping[str, float]]) -> str:
    """The lines of the log as CSV, a column for each value that occurs."""
    columns = list(dict.fromkeys(name for line in metrics for name in line))
    text = StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(metrics)
    return text.getvalue()
