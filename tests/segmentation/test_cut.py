"""The sequence of steps names no library of arrays."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cleanplate.segmentation

FOLDER = Path(cleanplate.segmentation.__file__).parent
LIBRARIES = {"cv2", "numpy", "torch"}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("name", ["cut", "evidence", "cleanup", "shadows", "ops"])
def test_the_rules_are_written_for_every_library(name: str) -> None:
    assert not imported(FOLDER / f"{name}.py") & LIBRARIES


def test_a_library_that_is_imported_is_found() -> None:
    assert imported(FOLDER / "opencv" / "ops.py") >= {"cv2", "numpy"}
