"""Packages of others, on the path as an installer would have left them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(place: Path, module: str, source: str, points: Mapping[str, Mapping[str, str]]) -> None:
    """Writes a package of one module with its metadata.

    Args:
        place: Folder of the path.
        module: Name of the module; that of the package has dashes.
        source: Of the module.
        points: What it registers under each entry point group.
    """
    info = place / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (place / f"{module}.py").write_text(source, encoding="utf-8")
    metadata = f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    lines = []
    for group, values in points.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in values.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
