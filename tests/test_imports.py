"""No module imports itself by way of others, and values import nothing that computes.

Every import counts: at the head of a module, in a function, and for type checkers alone. One that
is put off hides a circle from Python, but not from who has to understand the modules one by one.
What a package's own `__init__` imports does not count for those that import one of its modules.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import cleanplate

SOURCES = Path(cleanplate.__file__).parents[1]
VALUES = (
    "cleanplate.scene_model.model",
    "cleanplate.scene_model.camera",
    "cleanplate.scene_model.estimator",
    "cleanplate.segmentation.plan",
)
"""Modules that say what a scene and its segmentation are, and do nothing with it."""
COMPUTING = (
    "cleanplate.segmentation.segmenter",
    "cleanplate.segmentation.light",
    "cleanplate.segmentation.layers",
    "cleanplate.tensor_segmentation",
    "cleanplate.training",
    "cleanplate.scene.",
)


def modules(root: Path) -> dict[str, Path]:
    """The modules below a folder by their name."""
    found = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(tree: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    """Names of the known modules that a module imports anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module


def graph(root: Path) -> dict[str, set[str]]:
    """What each module imports of the others."""
    known = modules(root)
    return {
        name: {
            each
            for each in imported(ast.parse(path.read_text(encoding="utf-8")), known)
            if each in known and each != name
        }
        for name, path in known.items()
    }


def circle(of: Mapping[str, set[str]]) -> list[str]:
    """One circle of imports; empty: there is none."""
    try:
        TopologicalSorter(of).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert not circle(graph(SOURCES))


@pytest.mark.parametrize(
    "hidden",
    [
        "def f():\n    from package import one\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from package.one import Class\n",
        "import package.one\n",
    ],
)
def test_a_circle_that_is_put_off_is_found(tmp_path: Path, hidden: str) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text("from package.two import function\n")
    (package / "two.py").write_text("import os\n")
    assert not circle(graph(tmp_path))
    (package / "two.py").write_text(hidden)
    assert set(circle(graph(tmp_path))) == {"package.one", "package.two"}


def test_values_import_nothing_that_computes() -> None:
    of = graph(SOURCES)
    reached, asked = set(VALUES), list(VALUES)
    while asked:
        for name in of[asked.pop()] - reached:
            reached.add(name)
            asked.append(name)
    computing = sorted(name for name in reached if name.startswith(COMPUTING))
    assert not computing
