"""What `import cleanplate` offers, and what it must not cost."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import cleanplate
import cleanplate.errors

ROOT = Path(__file__).resolve().parents[1]


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


def test_a_light_import_loads_nothing_of_others() -> None:
    loaded = modules_loaded_by("import cleanplate")
    assert not loaded & {"numpy", "cv2", "av", "pydantic", "torch", "matplotlib"}


def test_what_is_imported_from_the_package_is_what_its_module_has() -> None:
    from cleanplate import Frame, SettingsError, open_source
    from cleanplate.errors import SettingsError as Refused
    from cleanplate.frames import Frame as Picture
    from cleanplate.video import open_source as opened

    assert (Frame, SettingsError, open_source) == (Picture, Refused, opened)


def test_every_error_that_can_be_raised_is_public() -> None:
    raised = {
        name
        for name, value in vars(cleanplate.errors).items()
        if isinstance(value, type) and issubclass(value, cleanplate.CleanplateError)
    }
    assert "UsageError" in raised
    assert raised <= set(cleanplate.__all__)


@pytest.fixture
def surface(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(ROOT / "tools")
    yield importlib.import_module("api")
    sys.modules.pop("api")


def test_the_page_of_the_public_surface_is_that_of_the_code(surface: ModuleType) -> None:
    written = (ROOT / "docs" / "api.txt").read_text(encoding="utf-8")
    assert written == surface.surface(), "write it anew: .venv/bin/python tools/api.py"


def test_a_change_of_a_signature_or_a_default_changes_the_page(
    surface: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = surface.surface()
    assert "\nlearn(source: str | Path | VideoSource | Sequence[GivenFrame], *, out:" in before
    assert "    threshold: float = 45.0\n" in before

    class Other(cleanplate.LearnOptions):
        """With one method more."""

        def more(self, count: int = 3) -> str:
            return "x" * count

    Other.__module__ = "cleanplate.learning"
    monkeypatch.setattr("cleanplate.learning.LearnOptions", Other)
    assert "    more(self, count: int = 3) -> str\n" in surface.surface()
