"""Pictures of the training: how the losses went down, where the codes of the frames lie."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

_NOT_LOSSES = {"step", "seconds", "rate"}


def loss_figure(metrics: Sequence[Mapping[str, float]]) -> Figure:
    """Every loss term of every phase over the steps, on a logarithmic scale."""
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
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
        # Beside the lines: seven terms of two phases would hide what they name.
        figure.legend(loc="outside right upper", frameon=False)
    return figure


def loss_plot(metrics: Sequence[Mapping[str, float]]) -> bytes:
    """The figure as PNG, made without any window."""
    return _as_png(loss_figure(metrics))


def latent_figure(times: NDArray[np.float64], codes: NDArray[np.float32]) -> Figure:
    """The way of the codes through their two main directions, coloured by time; and over time.

    Args:
        times: Seconds of each frame, `(T,)`, ascending.
        codes: Of each frame, `(T, N)`, with N of at least 1.
    """
    # Two directions for one number too, and for frames that are all alike.
    centred = np.pad(codes - codes.mean(axis=0), ((0, 0), (0, max(0, 2 - codes.shape[1]))))
    strengths, directions = np.linalg.eigh(centred.T @ centred)
    places = centred @ directions[:, :-3:-1]
    shares = strengths[::-1] / max(float(strengths.sum()), np.finfo(np.float32).tiny)
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    plane, over_time = figure.subplots(1, 2)
    plane.plot(*places.T, color="0.85", linewidth=0.6, zorder=1)
    points = plane.scatter(*places.T, c=times, s=10, cmap="viridis", zorder=2)
    figure.colorbar(points, ax=plane, label="seconds")
    names = [f"direction {number + 1} ({share:.0%})" for number, share in enumerate(shares[:2])]
    plane.set(xlabel=names[0], ylabel=names[1], title="codes of the frames")
    for name, values in zip(names, places.T, strict=True):
        over_time.plot(times, values, label=name, linewidth=1.2)
    over_time.set(xlabel="seconds", title="their two main directions over time")
    over_time.legend(frameon=False)
    for axes in (plane, over_time):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, alpha=0.25)
    return figure


def latent_plot(times: NDArray[np.float64], codes: NDArray[np.float32]) -> bytes:
    """The figure as PNG, made without any window."""
    return _as_png(latent_figure(times, codes))


def _as_png(figure: Figure) -> bytes:
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
