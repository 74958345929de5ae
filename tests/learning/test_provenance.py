"""What a scene says of where it comes from."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from cleanplate.learning import provenance


def test_another_build_of_opencv_is_enough_to_say_where_a_scene_comes_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without_contrib(name: str) -> str | None:
        return None if name.startswith("opencv-") else version(name)

    monkeypatch.setattr(provenance, "version_of", without_contrib)
    found = provenance.describe_machine()
    assert found["opencv-contrib-python-headless"] == "another build"
    assert found["numpy"] == version("numpy")
