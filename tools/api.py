"""Writes docs/api.txt: the public surface of the package, name by name, with signatures.

    .venv/bin/python tools/api.py

A test compares the file with the code, so that no change of the surface goes unseen.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import cleanplate
from cleanplate.parameters import Parameters

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.txt"
HEAD = """\
The public surface of cleanplate: what `cleanplate.__all__` names. Written by tools/api.py.
How names may change is told in CONTRIBUTING.md, "The public surface".
"""


def surface() -> str:
    """The whole page."""
    parts = [HEAD, *("\n".join(_lines(name)) + "\n" for name in cleanplate.__all__)]
    return "\n".join(parts)


def _lines(name: str) -> Iterator[str]:
    value = getattr(cleanplate, name)
    if inspect.isclass(value):
        yield from _class_lines(name, value)
    elif callable(value):
        yield f"{name}{_signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def _class_lines(name: str, kind: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    is_settings = issubclass(kind, Parameters)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if is_settings:
        yield from _settings_lines(kind)
    elif not issubclass(kind, Exception):
        yield f"    {name}{_signature(kind)}"
    fields = {each.name for each in dataclasses.fields(kind)} if _is_record(kind) else set()
    for member in sorted(_public_members(kind) - fields):
        if not is_settings or member not in kind.model_fields:
            yield f"    {_member_line(member, inspect.getattr_static(kind, member))}"


def _settings_lines(kind: type[Parameters]) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        yield f"    {name}: {kind.__annotations__[name]} = {field.default!r}"


def _is_record(kind: type) -> bool:
    return dataclasses.is_dataclass(kind)


def _public_members(kind: type) -> set[str]:
    """Names that the class or one of this package that it inherits from defines."""
    own = (each for each in kind.__mro__ if each.__module__.startswith("cleanplate"))
    names = {name for each in own if each is not Parameters for name in vars(each)}
    return {name for name in names if not name.startswith("_") and name != "model_config"}


def _member_line(name: str, member: object) -> str:
    if isinstance(member, property | cached_property):
        function = member.fget if isinstance(member, property) else member.func
        return f"{name}: {inspect.signature(function).return_annotation}"  # type: ignore[arg-type]
    if isinstance(member, classmethod | staticmethod):
        return f"{type(member).__name__} {name}{_signature(member.__func__)}"
    if callable(member):
        return f"{name}{_signature(member)}"
    return f"{name} = {member!r}"


def _signature(value: Callable[..., Any]) -> str:
    """A signature with its annotations as they are written, and functions by their names."""
    signature = inspect.signature(value)
    parameters = [
        each.replace(annotation=_annotation(each.annotation), default=_default(each.default))
        for each in signature.parameters.values()
    ]
    returns = "" if inspect.isclass(value) else f" -> {signature.return_annotation}"
    shown = signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
    return f"{shown}{returns}"


class _Text:
    """What a signature shows as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _annotation(written: Any) -> Any:
    return _Text(written) if isinstance(written, str) else written


def _default(value: Any) -> Any:
    """A default, functions and factories by their names."""
    return _Text(value.__name__) if inspect.isfunction(value) else value


if __name__ == "__main__":
    PAGE.write_text(surface(), encoding="utf-8")
