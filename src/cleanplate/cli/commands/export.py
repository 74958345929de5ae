"""`cleanplate export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.cli.outputs import require_free_file
from cleanplate.scene import load
from cleanplate.scene_file import ONNX


def export(
    run: Path,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> None:
    """Write the network of a learned scene as an ONNX file.

    Args:
        run: Folder of a learned scene.
        out: File to write, .onnx; RUN/model.onnx unless given, for segment --runtime onnx.
        overwrite: Replace the file that is there.
    """
    with Console(common or CommonOptions()) as console:
        out = out or run / ONNX
        require_free_file(out, overwrite=overwrite, suffixes=(".onnx",))
        scene = load(run, device="cpu")
        from cleanplate.runtimes.onnx_export import export_onnx, parity

        if others := scene.model.names[1:]:
            console.warn(f"plates of other states are no network and left out: {', '.join(others)}")
        console.progress("tracing", 0, 1)
        export_onnx(scene, out)
        difference = parity(scene, out)
        height, width = scene.working_size
        values = {
            "command": "export",
            "onnx": str(out),
            "method": scene.settings.method,
            "working_size": [height, width],
            "largest_difference": difference,
            "bytes": out.stat().st_size,
        }
        text = f"{scene.settings.method} for {width}x{height}: {out}"
        text += f"\nlargest difference from torch on the scene's sampled frames: {difference:.1e}"
        console.result(values, text)
