"""Base of everything that a user can set: frozen values with one-sentence errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanplate.errors import SettingsError, nearest, shortened, shown

_MOST_OF_A_NAME = 80

WorkingPixels: TypeAlias = Annotated[int, Field(ge=256)]
"""Number of pixels to work on: a frame of 16x16, the smallest that is taken, or more."""


class Parameters(BaseModel):
    """Frozen settings; an unknown key is refused with the nearest known one."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    @classmethod
    def parse(cls, values: Mapping[str, object], *, prefix: str = "") -> Self:
        """Settings from plain values.

        Args:
            values: Nested plain values, strings allowed for numbers.
            prefix: Dotted path of these settings in a larger tree, for the message.

        Raises:
            SettingsError: A key is unknown or a value out of range.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_sentence(cls, error, prefix)) from error


def _sentence(settings: type[BaseModel], error: ValidationError, prefix: str) -> str:
    errors = error.errors(include_url=False, include_context=False)
    first = errors[0]
    path, owner = _place(settings, first["loc"])
    name = shortened(".".join(part for part in (prefix, *path) if part), _MOST_OF_A_NAME)
    if first["type"] == "extra_forbidden":
        known = sorted(owner.model_fields)
        return f"unknown setting '{name}'{nearest(path[-1], known)}; known here: {', '.join(known)}"
    # A setting of several kinds has an error for each of them.
    alike = [each for each in errors if _place(settings, each["loc"])[0] == path]
    reasons = dict.fromkeys(_reason(str(each["msg"])) for each in alike)
    return f"setting '{name}' cannot be {shown(first.get('input'))}: {', or '.join(reasons)}"


def _place(
    settings: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[tuple[str, ...], type[BaseModel]]:
    """Path of a setting, without what pydantic adds behind it, and the settings it belongs to."""
    path: tuple[str, ...] = ()
    for part in (str(each)[:_MOST_OF_A_NAME] for each in location):
        path = (*path, part)
        field = settings.model_fields.get(part)
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        settings = annotation
    return path, settings


def _reason(message: str) -> str:
    reason = shortened(message.removeprefix("Value error, "))
    return reason[:1].lower() + reason[1:]
