"""The networks: one file each, found by file name.

A new file here with a value `ARCHITECTURE` is a new method; no list is edited. Other packages
register the same value under the entry point group `cleanplate.architectures`. Names and one-line
summaries are read without importing any of them, so that listing stays fast.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from cleanplate.errors import UnknownNameError

if TYPE_CHECKING:
    from cleanplate.architectures.base import Architecture

ENTRY_POINT_GROUP = "cleanplate.architectures"


def architecture_summaries() -> dict[str, str]:
    """One-line summary of each architecture by its name, sorted."""
    summaries = {name: f"from {_origin(point)}" for name, point in _plugins().items()}
    summaries |= {name: _first_line(path) for name, path in _files().items()}
    return dict(sorted(summaries.items()))


def load_architecture(name: str) -> Architecture:
    """The architecture of that name, imported now.

    Raises:
        UnknownNameError: There is none.
    """
    if name in _files():
        module = importlib.import_module(f"{__name__}.{name}")
        architecture: Architecture = module.ARCHITECTURE
        return architecture
    plugins = _plugins()
    if name in plugins:
        plugin: Architecture = plugins[name].load()
        return plugin
    raise UnknownNameError("method", name, architecture_summaries())


def is_own(name: str) -> bool:
    """Whether the architecture is one of this package."""
    return name in _files()


def _files() -> dict[str, Path]:
    folder = Path(__file__).parent
    names = (module.name for module in pkgutil.iter_modules([str(folder)]))
    return {name: folder / f"{name}.py" for name in names if name != "base"}


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


@cache
def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
