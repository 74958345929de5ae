"""`cleanplate export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.cli.outputs import require_free_file
from cleanplate.scene import load


def export(
    run: Path,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> None:
    """Write the network of a learned scene as an ONNX file.

    Args:
        run: Folder of a learned scene.
        out: File to write, .onnx.
        overwrite: Replace the file that is there.
    """
    with Console(common or CommonOptions()) as console:
        require_free_file(out, overwrite=overwrite, suffixes=(".onnx",))
        scene = load(run, device="cpu")
        from cleanplate.scene.onnx import export_onnx

        console.progress("tracing", 0, 1)
        export_onnx(scene, out)
        height, width = scene.working_size
        values = {
            "command": "export",
            "onnx": str(out),
            "method": scene.settings.method,
            "working_size": [height, width],
            "bytes": out.stat().st_size,
        }
        console.result(values, f"{scene.settings.method} for {width}x{height}: {out}")
