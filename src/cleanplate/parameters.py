"""Base of everything that a user can set: frozen values with one-sentence errors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cleanplate.errors import SettingsError, nearest, shortened, shown

_MOST_OF_A_NAME = 80

WorkingPixels: TypeAlias = Annotated[int, Field(ge=256)]
"""Number of pixels to work on: a frame of 16x16, the smallest that is taken, or more."""


class RenamedSettingWarning(FutureWarning):
    """A setting was given by a name that it had before."""


class Parameters(BaseModel):
    """Frozen settings; an unknown key is refused with the nearest known one.

    Attributes:
        renamed: Names that settings had before, with those that they have. They are accepted for
            one minor release, with a `RenamedSettingWarning`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )
    renamed: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def under_new_names(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values under the names that the settings have, with a warning for each old one.

        Where both names are given the old one stays, and is refused as unknown when it is parsed.
        """
        old = {name for name, new in cls.renamed.items() if name in values and new not in values}
        for name in sorted(old):
            warnings.warn(
                f"setting '{name}' has been renamed '{cls.renamed[name]}'; the old name will be "
                "refused in a later version",
                RenamedSettingWarning,
                stacklevel=3,
            )
        return {cls.renamed[name] if name in old else name: value for name, value in values.items()}

    @model_validator(mode="before")
    @classmethod
    def _accept_old_names(cls, values: object) -> object:
        return cls.under_new_names(values) if isinstance(values, Mapping) else values

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
