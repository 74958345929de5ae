"""Base of everything that a user can set: frozen values with one-sentence errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from cleanplate.errors import SettingsError, nearest


class Parameters(BaseModel):
    """Frozen settings; an unknown key is refused with the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

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
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    name = ".".join(part for part in (prefix, path) if part)
    if first["type"] == "extra_forbidden":
        owner = _owner(settings, first["loc"][:-1])
        known = sorted(owner.model_fields)
        hint = nearest(str(first["loc"][-1]), known)
        return f"unknown setting '{name}'{hint}; known here: {', '.join(known)}"
    reason = str(first["msg"]).removeprefix("Value error, ")
    reason = reason[:1].lower() + reason[1:]
    return f"setting '{name}' cannot be {_shown(first.get('input'))}: {reason}"


def _owner(settings: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel]:
    for part in path:
        annotation = settings.model_fields[str(part)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            settings = annotation
    return settings


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
