"""What strangers wrote, read within limits: files of the plain kind, JSON and YAML.

Kind and size of a file are looked at before it is opened and read; nothing that is read is nested
deeply, holds a number beyond 64 bits, refers to another part of itself or names a type.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import yaml

from cleanplate.errors import shortened

MOST_YAML = 1 << 17
"""Bytes of a text in YAML: some thousand settings."""
MOST_VALUES = 10_000
MOST_DEPTH = 32
_MOST_BITS = 63
_MOST_DIGITS = 400
_MOST_TEXT = 1 << 16
_OPENING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0)


class UntrustedError(ValueError):
    """What was read is not within the limits; the message goes on behind its name: "is …"."""


def open_regular(path: Path, most: int, *, inside: Path | None = None) -> BinaryIO:
    """A file opened for reading.

    Args:
        path: The file.
        most: Bytes that it may have.
        inside: The folder that it must not leave by links; None: links are followed.

    Raises:
        UntrustedError: It is no regular file, too large, or a link out of the folder.
        OSError: It is not there, or cannot be read.
    """
    flags = _OPENING
    if inside is not None:
        path, flags = _within(path, inside), flags | _NOT_THROUGH_LINKS
    # Looked at twice: merely opening a device may do something, and a file may be exchanged.
    _require_regular(path.stat(), most)
    descriptor = os.open(path, flags)
    try:
        _require_regular(os.fstat(descriptor), most)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most: int, *, inside: Path | None = None) -> bytes:
    """Content of a file; arguments and errors as of `open_regular`.

    Raises:
        UntrustedError: It is no regular file, too large, or a link out of the folder.
        OSError: It is not there, or cannot be read.
    """
    with open_regular(path, most, inside=inside) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise _too_large(most)
    return content


def parse_json(content: bytes | str, *, most_values: int = MOST_VALUES) -> Any:
    """Values of a text in JSON, all of them finite.

    Raises:
        UntrustedError: It is no JSON, or not within the limits.
    """
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_integer)
    except UntrustedError:
        raise
    except RecursionError as error:
        raise UntrustedError("is nested too deeply") from error
    except ValueError as error:
        raise UntrustedError("is not JSON") from error
    require_bounded(value, most_values=most_values)
    return value


def parse_yaml(text: str) -> Any:
    """Values of a text in YAML; `true` and `false` alone are booleans, `off` is a word.

    Raises:
        UntrustedError: It is no YAML, or not within the limits: no anchors, no tags.
    """
    if len(text) > MOST_YAML:
        raise _too_large(MOST_YAML)
    try:
        value = yaml.load(text, _PlainLoader)  # noqa: S506 - a safe loader
    except RecursionError as error:
        raise UntrustedError("is nested too deeply") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # a date like 2001-99-99
        raise UntrustedError(f"is not YAML that can be read: {_problem(error)}") from error
    require_bounded(value)
    return value


def require_bounded(
    value: object, *, most_values: int = MOST_VALUES, most_depth: int = MOST_DEPTH
) -> None:
    """Refuses a tree of plain values that is too large, too deep, or holds too large numbers.

    Raises:
        UntrustedError: It is.
    """
    waiting: list[tuple[object, int]] = [(value, 0)]
    count = 0
    while waiting:
        item, depth = waiting.pop()
        count += 1
        if count > most_values:
            raise UntrustedError(f"holds more than {most_values:,} values")
        if depth > most_depth:
            raise UntrustedError("is nested too deeply")
        if isinstance(item, Mapping | list | tuple | set | frozenset):
            if len(item) > most_values:
                raise UntrustedError(f"holds more than {most_values:,} values")
            inner = [*item.keys(), *item.values()] if isinstance(item, Mapping) else item
            waiting += [(each, depth + 1) for each in inner]
        elif isinstance(item, int) and item.bit_length() > _MOST_BITS:
            raise UntrustedError("holds a whole number of more than 64 bits")
        elif isinstance(item, str | bytes) and len(item) > _MOST_TEXT:
            raise UntrustedError(f"holds a text of more than {_MOST_TEXT:,} characters")


_Loader = yaml.SafeLoader
if yaml.__with_libyaml__ and not TYPE_CHECKING:

    class _Loader(yaml.composer.Composer, yaml.cyaml.CSafeLoader):
        """Takes a text apart in C, several times as fast, and puts it together in Python.

        The composer of libyaml's own loader dies of 100,000 brackets.
        """

        def __init__(self, stream: str) -> None:
            yaml.cyaml.CSafeLoader.__init__(self, stream)
            yaml.composer.Composer.__init__(self)


class _PlainLoader(_Loader):
    """Takes `true` and `false` alone for booleans, as YAML 1.2 does; no anchors, no tags."""

    _depth = _count = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """One value, refused before what is inside it is looked at."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self._refuse("anchors and aliases are not read")
        if getattr(event, "tag", None) is not None:
            self._refuse("tags are not read")
        self._count += 1
        if self._count > MOST_VALUES:
            self._refuse(f"there are more than {MOST_VALUES:,} values")
        if self._depth >= MOST_DEPTH:
            self._refuse("it is nested too deeply")
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _refuse(self, problem: str) -> NoReturn:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        raise yaml.composer.ComposerError(None, None, problem, mark)


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _within(path: Path, folder: Path) -> Path:
    """Where a path leads to, links followed.

    Raises:
        UntrustedError: Out of the folder, or in a circle.
        OSError: To nothing.
    """
    try:
        real, home = path.resolve(strict=True), folder.resolve(strict=True)
    except RuntimeError as error:  # Python 3.12 and older: a circle of links
        raise UntrustedError("is a link to itself") from error
    if not real.is_relative_to(home):
        raise UntrustedError("is a link out of its folder")
    return real


def _require_regular(found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UntrustedError("is no regular file")
    if found.st_size > most:
        raise _too_large(most)


def _too_large(most: int) -> UntrustedError:
    unit = 1 << (20 if most >= 1 << 20 else 10)
    return UntrustedError(f"is larger than {most // unit:,} {'MiB' if unit > 1 << 10 else 'KiB'}")


def _problem(error: Exception) -> str:
    """What is wrong, with the line, without the text around it."""
    problem = getattr(error, "problem", None) or str(error)[:1000]
    mark = getattr(error, "problem_mark", None)
    return shortened(problem) + (f" (line {mark.line + 1})" if mark is not None else "")


def _refuse(constant: str) -> NoReturn:
    raise UntrustedError(f"holds {constant}, which is no finite number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise UntrustedError("holds a number that is not finite")
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise UntrustedError("holds a whole number of more than 64 bits")
    return int(digits)
