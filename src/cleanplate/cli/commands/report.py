"""`cleanplate report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.cli.outputs import require_free_file
from cleanplate.report import write_report
from cleanplate.scene_file import REPORT
from cleanplate.scene_reading import read_config


def report(
    run: Path,
    *,
    source: str | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> None:
    """Write one self-contained page about a learned scene.

    Args:
        run: Folder of a learned scene.
        source: Recording to segment for the foreground over time.
        out: Page to write; default report.html in the scene's folder.
        overwrite: Replace the page that is there.
    """
    with Console(common or CommonOptions()) as console:
        read_config(run)
        path = out or run / REPORT
        require_free_file(path, overwrite=overwrite, suffixes=(".html",))
        written = write_report(run, path, source=source, progress=console.progress)
        values = {"command": "report", "run": str(run), "report": str(written)}
        console.result(values, f"report: {written}")
