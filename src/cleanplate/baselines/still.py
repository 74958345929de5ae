"""Still plates as methods: the background is the same picture in every frame."""

from __future__ import annotations

from collections.abc import Mapping

STILL_BASELINES: Mapping[str, str] = {
    "candidates": "States of each pixel chosen jointly over space and time: one still plate.",
    "mean": "Temporal mean of the sampled frames: one still plate, no network.",
    "median": "Temporal median of the sampled frames: one still plate, no network.",
}
"""One-line summary by name; the name is also that of the plate."""
