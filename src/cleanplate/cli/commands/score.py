"""`cleanplate score` and `cleanplate score-plate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.datasets import open_sequence
from cleanplate.errors import UsageError
from cleanplate.evaluation import score_masks, score_sequence_plate
from cleanplate.evaluation import score_plate as measure_plate_files


def score(
    masks: Path,
    *,
    truth: Path,
    missing: Literal["error", "negative"] = "error",
    common: CommonOptions | None = None,
) -> None:
    """Score masks against truth by the rules of CDnet 2014.

    Args:
        masks: Folder of masks, binNNNNNN.png.
        truth: Sequence of any known data set: cleanplate datasets list shows their forms.
        missing: What a missing mask is: an error, or a frame without foreground.
    """
    with Console(common or CommonOptions()) as console:
        result = score_masks(masks, open_sequence(truth), missing=missing)
        values = {
            "command": "score",
            "sequence": result.name,
            **result.measures.as_json(),
            "missing": result.missing,
        }
        if result.missing:
            console.warn(f"{result.missing} masks are missing and were counted as empty")
        console.result(values, _table(values))


def score_plate(
    plate: Path,
    *,
    truth: Path,
    valid: Path | None = None,
    common: CommonOptions | None = None,
) -> None:
    """Score a plate against the true empty scene, as SBMnet does.

    Args:
        plate: Picture to score.
        truth: Picture of the empty scene, or a sequence that has one.
        valid: Mask of the pixels that count; default all, or those that the sequence says.
    """
    with Console(common or CommonOptions()) as console:
        if truth.is_dir():
            if valid is not None:
                raise UsageError(
                    "--valid belongs to a picture; a sequence brings its own: leave it out, or "
                    "give the picture as --truth"
                )
            measures = score_sequence_plate(plate, open_sequence(truth))
        else:
            measures = measure_plate_files(plate, truth, valid=valid)
        values = {"command": "score-plate", **measures.as_json()}
        console.result(values, _table(values))


def _table(values: Mapping[str, Any]) -> Table:
    table = Table(show_header=False, box=None)
    for name, value in values.items():
        if name != "command":
            shown = f"{value:.4f}" if isinstance(value, float) else str(value)
            table.add_row(name, shown if value is not None else "infinite or undefined")
    return table
