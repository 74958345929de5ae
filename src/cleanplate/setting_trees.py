"""Trees of settings as plain nested values: from texts and files, one over the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cleanplate.errors import SettingsError, shortened, shown
from cleanplate.untrusted import MOST_DEPTH, MOST_YAML, UntrustedError, parse_yaml, read_regular

_MOST_SHOWN = 80


def merge(*trees: Mapping[str, Any]) -> dict[str, Any]:
    """One nested tree of several; a later one wins."""
    merged: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            old = merged.get(key)
            if isinstance(value, Mapping) and isinstance(old, Mapping):
                merged[key] = merge(old, value)
            else:
                merged[key] = value
    return merged


def overruled(
    tree: Mapping[str, Any],
    given: Mapping[str, Any],
    value_range: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """A tree of settings and, over it, what was given by name and is not None."""
    ranged = {} if value_range is None else {"sampling": {"range": value_range}}
    return merge(tree, {key: value for key, value in given.items() if value is not None}, ranged)


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Nested tree from texts like `segmentation.threshold=30`; values are read as YAML.

    Raises:
        SettingsError: A text has no `=`.
    """
    tree: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        name = shortened(assignment, _MOST_SHOWN)
        if not equals or not key.strip():
            raise SettingsError(f"'{name}' is no setting; give KEY=VALUE")
        path = key.strip().split(".")
        if len(path) > MOST_DEPTH:
            raise SettingsError(f"'{name}' is no setting: there are none in so many groups")
        try:
            tree = merge(tree, nested(path, parse_yaml(text)))
        except UntrustedError as error:
            raise SettingsError(f"the value of '{name}' is not understood: it {error}") from error
    return tree


def read_settings_file(path: Path) -> dict[str, Any]:
    """Nested tree from a YAML file.

    Raises:
        SettingsError: It cannot be read or is not a tree.
    """
    try:
        tree = parse_yaml(read_regular(path, MOST_YAML).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SettingsError(f"settings file {path} cannot be read: no text in UTF-8") from error
    except OSError as error:
        reason = error.strerror or shortened(error)
        raise SettingsError(f"settings file {path} cannot be read: {reason}") from error
    except UntrustedError as error:
        raise SettingsError(f"settings file {path} cannot be read: it {error}") from error
    except ValueError as error:  # a name that is none
        raise SettingsError(f"{shown(str(path))} is no name of a settings file") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise SettingsError(f"settings file {path} holds no settings; give lines KEY: VALUE")
    settings = tree.get("settings")
    # The config.yaml of a scene may be given as it is: its settings are one part of it.
    if "format" in tree and isinstance(settings, dict):
        return settings
    return tree


def nested(path: Sequence[str], value: Any) -> dict[str, Any]:
    """A tree with one value.

    Args:
        path: Keys from the root.
        value: What is there.
    """
    for key in reversed(path):
        value = {key: value}
    return dict(value)
