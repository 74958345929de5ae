"""Pictures of the training."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cleanplate.training.plot import latent_figure, latent_plot, loss_figure, metrics_table

PNG = b"\x89PNG"


def test_every_term_has_a_line_with_its_values() -> None:
    log = [{"step": 1, "seconds": 0.1, "rate": 1.0, "mse": 4.0}, {"step": 5, "mse": 2.0, "kl": 1.0}]
    (axes,) = loss_figure(log).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert lines == {"mse": [[1, 4], [5, 2]], "kl": [[5, 1]]}
    rows = list(csv.DictReader(StringIO(metrics_table(log))))
    assert [row["kl"] for row in rows] == ["", "1.0"]


def test_the_names_of_the_terms_hide_none_of_the_lines() -> None:
    names = [f"discriminator/term_{number}" for number in range(7)]
    figure = loss_figure([{"step": step, **dict.fromkeys(names, 1 / step)} for step in (1, 5)])
    FigureCanvasAgg(figure).draw()
    (axes,), (legend,) = figure.axes, figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    assert legend.get_window_extent().x0 >= axes.get_window_extent().x1
    assert axes.get_window_extent().width > 0.5 * figure.bbox.width


def test_codes_are_shown_in_their_main_directions_coloured_by_time() -> None:
    times = np.arange(6) / 2
    steps = np.array([-3, -1, 0, 0, 1, 3], np.float32)[:, None]
    codes = 7 + steps * np.array([[3, 4, 0]], np.float32)  # a line of direction (3, 4, 0) / 5
    plane, over_time, _ = latent_figure(times, codes).axes
    points = plane.collections[0]
    across = np.asarray(points.get_offsets())
    assert np.abs(across[:, 0]) == pytest.approx(5 * np.abs(steps[:, 0]))
    assert across[:, 1] == pytest.approx(0, abs=1e-4)
    assert np.asarray(points.get_array()) == pytest.approx(times)
    assert plane.get_xlabel() == "direction 1 (100%)"
    assert over_time.lines[0].get_xdata() == pytest.approx(times)


@pytest.mark.parametrize("codes", [np.ones((4, 3)), np.arange(4.0)[:, None], np.ones((1, 5))])
def test_codes_that_span_no_plane_are_drawn_too(codes: np.ndarray) -> None:
    plot = latent_plot(np.arange(len(codes), dtype=np.float64), codes.astype(np.float32))
    assert plot.startswith(PNG)
