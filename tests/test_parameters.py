"""Settings are frozen, and a wrong one is refused in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field, ValidationError

from cleanplate.errors import SettingsError
from cleanplate.parameters import Parameters, RenamedSettingWarning
from cleanplate.segmentation import SegmentationSettings


class Lens(Parameters):
    length: float = Field(35.0, gt=0, description="in millimetres")
    mount: Literal["screw", "bayonet"] = "screw"


class Camera(Parameters):
    pixels: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    lens: Lens = Lens()


def message(values: dict[str, object], prefix: str = "") -> str:
    with pytest.raises(SettingsError) as raised:
        Camera.parse(values, prefix=prefix)
    text = str(raised.value)
    assert "\n" not in text
    assert "pydantic" not in text
    return text


def test_nothing_given_is_all_defaults() -> None:
    assert Camera.parse({}) == Camera()


def test_values_may_be_texts_as_on_a_command_line() -> None:
    assert Camera.parse({"pixels": "12", "lens": {"length": "1e2"}}) == Camera(
        pixels=12, lens=Lens(length=100)
    )


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Lens().length = 50.0


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    assert message({"pixel": 3}) == (
        "unknown setting 'pixel' (did you mean 'pixels'?); known here: lens, pixels"
    )


def test_an_unknown_key_like_nothing_is_refused_with_what_is_known() -> None:
    assert message({"shutter": 3}) == "unknown setting 'shutter'; known here: lens, pixels"


def test_an_unknown_key_of_a_group_is_compared_with_that_group() -> None:
    assert message({"lens": {"lenght": 3}}, prefix="camera") == (
        "unknown setting 'camera.lens.lenght' (did you mean 'length'?); known here: length, mount"
    )


def test_a_value_out_of_range_is_refused_with_the_range() -> None:
    assert message({"lens": {"length": -1}}) == (
        "setting 'lens.length' cannot be -1: input should be greater than 0"
    )


def test_a_wrong_word_is_refused_with_the_allowed_ones() -> None:
    assert message({"lens": {"mount": "glue"}}) == (
        "setting 'lens.mount' cannot be 'glue': input should be 'screw' or 'bayonet'"
    )


@pytest.mark.parametrize("wrong", ["many", 0, None, [1]])
def test_a_value_of_several_kinds_is_named_as_the_user_wrote_it(wrong: object) -> None:
    text = message({"pixels": wrong}, prefix="camera")
    assert text.startswith(f"setting 'camera.pixels' cannot be {wrong!r}: ")


def test_a_long_wrong_value_is_shortened() -> None:
    text = message({"lens": {"length": "x" * 500}})
    assert len(text) < 200
    assert "..." in text


class Moved(Parameters):
    renamed: ClassVar[Mapping[str, str]] = {"before": "after"}
    after: int = Field(1, ge=0)


def test_the_name_that_a_setting_had_before_is_taken_with_a_warning() -> None:
    with pytest.warns(RenamedSettingWarning, match="setting 'before' has been renamed 'after'"):
        assert Moved.parse({"before": 5}).after == 5
    assert Moved.parse({"after": 5}).after == 5
    with pytest.warns(RenamedSettingWarning), pytest.raises(SettingsError, match=r"group\.after"):
        Moved.parse({"before": -1}, prefix="group")


def test_both_names_of_a_setting_are_refused() -> None:
    with pytest.raises(SettingsError, match="unknown setting 'before'"):
        Moved.parse({"before": 5, "after": 6})


def test_no_setting_has_the_old_name_of_another() -> None:
    renamed = SegmentationSettings.renamed
    assert set(renamed.values()) <= set(SegmentationSettings.model_fields)
    assert not set(renamed) & set(SegmentationSettings.model_fields)
