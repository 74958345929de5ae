"""What `import cleanplate` offers, and what it must not cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cleanplate


def reading_order(name: str) -> tuple[bool, bool, str]:
    """Key of the order that ruff keeps in `__all__`: constants, classes, then the rest."""
    return not name.isupper(), not name[:1].isupper(), name


def modules_loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after the statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(result.stdout.split())


def test_public_names_are_sorted_and_named_once() -> None:
    names = list(cleanplate.__all__)
    assert names == sorted(set(names), key=reading_order)


@pytest.mark.parametrize("name", cleanplate.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(cleanplate, name) is not None


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError):
        _ = cleanplate.no_such_name


def test_importing_the_package_does_not_import_torch() -> None:
    loaded = modules_loaded_by("import cleanplate")
    assert "cleanplate" in loaded
    assert "torch" not in loaded


def test_importing_the_command_line_does_not_import_torch() -> None:
    loaded = modules_loaded_by("import cleanplate.cli")
    assert "cleanplate" in loaded
    assert "torch" not in loaded


def test_what_imports_torch_is_found_out() -> None:
    assert "torch" in modules_loaded_by("import cleanplate.losses")
