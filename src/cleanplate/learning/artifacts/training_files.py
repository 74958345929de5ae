"""What a training leaves for people: plots, tables, and pictures of what it saw and drew."""

from __future__ import annotations

from cleanplate.learning.artifacts.diagnostics import code_table, codes_over_time, draw_pictures
from cleanplate.learning.artifacts.snapshots import draw_moments
from cleanplate.learning.fitting import Fitted
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.scene_file import (
    LATENT_PLOT,
    LATENT_TABLE,
    LOSS_PLOT,
    METRICS_TABLE,
    PICTURES,
    TRAINING_GRID,
    jpeg,
)
from cleanplate.segmentation import Segmenter
from cleanplate.training.plot import latent_plot, loss_plot, metrics_table


def training_files(
    fitted: Fitted, inputs: LearningFrames, segmenter: Segmenter
) -> dict[str, bytes]:
    """Pictures and tables of a training, by file name."""
    device = next(fitted.model.parameters()).device
    watcher, metrics = fitted.watcher, fitted.result.metrics
    files = {
        LOSS_PLOT: loss_plot(metrics),
        METRICS_TABLE: metrics_table(metrics).encode(),
        TRAINING_GRID: jpeg(draw_moments(watcher.pictures, watcher.moments, segmenter)),
    }
    times, codes = codes_over_time(fitted.model, inputs, device)
    if codes.shape[1]:
        files[LATENT_PLOT] = latent_plot(times, codes)
        files[LATENT_TABLE] = code_table(fitted.model, inputs, device, codes).encode()
    others = draw_pictures(fitted.model, inputs, device)
    if others is not None:
        files[PICTURES] = jpeg(others)
    return files
