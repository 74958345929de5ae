"""Pictures and curves as text that stands inside the page: data URIs and inline SVG."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.report.foreground import Foreground
from cleanplate.scene_model.sizes import resized
from cleanplate.training.plot import loss_figure

_JPEG_QUALITY = 88
_NOISE_COLOURS = "magma"
_NOISE_TICKS = 4
_BAR_PIXELS = 256
_MOST_POINTS = 1200
_FEW_POINTS = 12

# Matplotlib wants colours; the page wants its own, which follow light and dark.
_COLOURS = {
    "#010101": "var(--ink)",
    "#010102": "var(--muted)",
    "#010103": "var(--line)",
    "#010111": "var(--accent)",
    "#010112": "var(--series-2)",
    "#010113": "var(--series-3)",
    "#010114": "var(--series-4)",
    "#010115": "var(--series-5)",
    "#010116": "var(--series-6)",
}
INK, MUTED, LINE, ACCENT, *SERIES = _COLOURS
"""Colours for Matplotlib that become those of the page."""
_STYLE: Any = {  # keys and values are typed differently in every release of Matplotlib
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.prop_cycle": f"cycler(color={[ACCENT, *SERIES]!r})",
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "grid.color": MUTED,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "cleanplate",
}
_WIDE = (10.0, 3.1)
_NARROW = (3.8, 2.9)
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


@dataclass(frozen=True)
class Chart:
    """One curve drawn twice, so that its letters are as large on a phone as on a desk.

    Attributes:
        wide: SVG for wide pages and for paper.
        narrow: SVG for narrow pages.
    """

    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class NoiseFigure:
    """The noise map in colours, with what its colours mean.

    Attributes:
        picture: Data URI of the map.
        bar: Data URI of a row of pixels from the first to the last colour.
        ticks: Grey levels spread evenly over the bar, from 0.
        is_cut: Whether some pixels are above the last tick.
    """

    picture: str
    bar: str
    ticks: tuple[int, ...]
    is_cut: bool


def jpeg_uri(picture: Picture, *, max_width: int) -> str:
    """Data URI of a picture, `(H, W, 3)` RGB, reduced to a width in pixels."""
    return _uri(_narrowed(picture, max_width)[..., ::-1], ".jpg", "jpeg", _JPEG_QUALITY)


def encoded_uri(content: bytes, *, max_width: int) -> str | None:
    """Data URI of a picture file, reduced to a width in pixels; None if it is damaged."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    return None if picture is None else jpeg_uri(np.asarray(picture), max_width=max_width)


def mask_uri(mask: Mask, *, max_width: int) -> str:
    """Data URI of a mask, `(H, W)`, reduced to a width in pixels."""
    return _uri(_narrowed(mask, max_width), ".png", "png")


def noise_figure(noise: Mask, *, max_width: int) -> NoiseFigure:
    """The noise map in perceptually uniform colours, from 0 to its brightest pixels but few."""
    top = _round_top(float(np.percentile(noise, 99.5)))
    scaled = np.clip(noise.astype(np.float64) / top, 0, 1)
    bar = _coloured(np.linspace(0, 1, _BAR_PIXELS)[None])
    picture = _narrowed(_coloured(scaled), max_width)
    return NoiseFigure(
        picture=_uri(picture[..., ::-1], ".png", "png"),
        bar=_uri(bar[..., ::-1], ".png", "png"),
        ticks=tuple(top * step // _NOISE_TICKS for step in range(_NOISE_TICKS + 1)),
        is_cut=bool(noise.max() > top),
    )


def loss_chart(metrics: Sequence[Mapping[str, float]]) -> Chart:
    """Every loss term over the steps."""

    def draw() -> Figure:
        figure = loss_figure(metrics)
        axes = figure.axes[0]
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
        axes.yaxis.set_minor_formatter(FuncFormatter(_plain_minor(axes.get_ylim())))
        for line in axes.lines:
            if np.size(line.get_xdata()) <= _FEW_POINTS:
                line.set_marker("o")
                line.set_markersize(4)
        return figure

    return draw_chart(draw)


def draw_chart(
    draw: Callable[[], Figure],
    *,
    wide: tuple[float, float] = _WIDE,
    narrow: tuple[float, float] = _NARROW,
) -> Chart:
    """A curve in the page's colours.

    Args:
        draw: Draws it, anew with every call.
        wide: Width and height for wide pages, in inches.
        narrow: The same for narrow ones.
    """
    with mpl.rc_context(_STYLE):
        return Chart(wide=_svg(draw(), wide), narrow=_svg(draw(), narrow))


def foreground_chart(foreground: Foreground) -> Chart:
    """Share of foreground pixels over time in percent: a curve, or points for a few frames."""
    return draw_chart(lambda: _foreground_figure(foreground))


def _foreground_figure(foreground: Foreground) -> Figure:
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    seconds, unit = _time_unit(float(foreground.times[-1]))
    times, percent = foreground.times / seconds, 100 * foreground.shares
    if foreground.is_whole:
        _draw_curve(figure, times, percent)
        top = int(percent.argmax())
        axes.plot(times[top], percent[top], "o", color=ACCENT, markersize=5)
        axes.axhline(float(percent.mean()), color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    else:
        axes.vlines(times, 0, percent, color=ACCENT, linewidth=1.2, alpha=0.5)
        axes.plot(times, percent, "o", color=ACCENT, markersize=6)
    axes.set_ylim(0, max(0.1, 1.12 * float(percent.max())))
    axes.set_xlim(0, max(1e-3, 1.01 * float(times[-1])))
    axes.set_xlabel(f"time in {unit}")
    axes.set_ylabel("foreground in %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, axis="y", alpha=0.25)
    return figure


def _draw_curve(figure: Figure, times: NDArray[np.float64], percent: NDArray[np.float64]) -> None:
    axes = figure.axes[0]
    if len(times) <= _MOST_POINTS:
        axes.fill_between(times, 0, percent, color=ACCENT, alpha=0.14, linewidth=0)
        axes.plot(times, percent, color=ACCENT, linewidth=1.2)
        return
    # A page of an hour would be megabytes of path: each point stands for a stretch of time.
    stretches = np.array_split(np.arange(len(times)), _MOST_POINTS)
    middle = [float(times[stretch].mean()) for stretch in stretches]
    means = [float(percent[stretch].mean()) for stretch in stretches]
    tops = [float(percent[stretch].max()) for stretch in stretches]
    axes.fill_between(middle, 0, tops, color=ACCENT, alpha=0.14, linewidth=0)
    axes.plot(middle, means, color=ACCENT, linewidth=1.2)


def _svg(figure: Figure, inches: tuple[float, float]) -> Markup:
    figure.set_size_inches(inches)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    # What follows fits into HTML and the page's own style: no fixed size, no names used twice.
    svg = re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg [^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    for stand_in, colour in _COLOURS.items():
        svg = svg.replace(stand_in, colour)
    return Markup(svg)  # noqa: S704 - matplotlib escapes what it is given


def _time_unit(last: float) -> tuple[float, str]:
    if last > 3 * 3600:
        return 3600.0, "hours"
    return (60.0, "minutes") if last > 600 else (1.0, "seconds")


def _plain(value: float, _: int | None = None) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".") if 1e-5 <= abs(value) < 1e6 else f"{value:g}"


def _plain_minor(limits: tuple[float, float]) -> Callable[[float, int | None], str]:
    """Labels between powers of ten, where there are too few of those."""
    decades = np.log10(limits[1] / limits[0]) if limits[0] > 0 else np.inf
    shown = {1.0, 2.0, 5.0} if decades > 0.5 else set(map(float, range(1, 10)))

    def label(value: float, _: int | None = None) -> str:
        first = value / 10 ** np.floor(np.log10(value)) if value > 0 else 0.0
        return _plain(value) if decades <= 2 and round(first, 6) in shown else ""

    return label


def _round_top(value: float) -> int:
    """The end of a scale of four equal, whole steps that holds a value; at most 256."""
    for top in (8, 12, 16, 20, 40, 60, 80, 100, 120, 160, 200):
        if value <= top:
            return top
    return 256


def _coloured(values: NDArray[np.float64]) -> Picture:
    colours = mpl.colormaps[_NOISE_COLOURS](values, bytes=True)
    return np.ascontiguousarray(colours[..., :3])


def _narrowed(picture: NDArray[np.uint8], max_width: int) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    if width <= max_width:
        return picture
    return resized(picture, FrameSize(max(1, round(height * max_width / width)), max_width))


def _uri(picture: NDArray[np.uint8], suffix: str, kind: str, quality: int | None = None) -> str:
    options = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    encoded = cv2.imencode(suffix, np.ascontiguousarray(picture), options)[1]
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"
