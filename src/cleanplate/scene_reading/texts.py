"""Texts of a scene beside its settings: where it comes from, its log, its coverage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cleanplate.errors import SceneFileError
from cleanplate.scene_file import COVERAGE, METRICS, PROVENANCE
from cleanplate.scene_reading.files import damaged, read_part
from cleanplate.untrusted import UntrustedError, parse_json

_MOST_LINE = 1 << 14
_MOST_TERMS = 100
_MOST_LINES = 200_000
"""Of a million steps."""
_TERM = re.compile(r"[A-Za-z0-9_./ -]{1,80}")
_LARGEST = 1e30
_COVERAGE_KEYS = {"samples", "mean_seen", "doubtful_share", "sentence", "regions"}


def read_provenance(folder: Path) -> dict[str, Any]:
    """Where the scene comes from.

    Raises:
        SceneFileError: The file is missing or damaged.
    """
    try:
        value = parse_json(read_part(folder, PROVENANCE))
    except UntrustedError as error:
        raise damaged(folder, PROVENANCE, f"it {error}") from error
    if not isinstance(value, dict):
        raise damaged(folder, PROVENANCE, "it is no tree")
    return value


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """Lines of the log of learning; none where there is no log.

    Raises:
        SceneFileError: The file is damaged.
    """
    if not (folder / METRICS).exists():
        return []
    content = read_part(folder, METRICS)
    if content.count(b"\n") > _MOST_LINES:
        raise damaged(folder, METRICS, f"more than {_MOST_LINES:,} lines; remove that file")
    lines = content.split(b"\n")
    try:
        return [_terms(line) for line in lines if line.strip()]
    except UntrustedError as error:
        raise damaged(folder, METRICS, f"a line {error}; remove that file") from error


def read_coverage(content: bytes) -> dict[str, Any]:
    """Checked contents of `coverage.json`.

    Raises:
        SceneFileError: They are damaged.
    """
    try:
        value = parse_json(content)
    except UntrustedError as error:
        raise SceneFileError(f"{COVERAGE} is damaged: it {error}; remove it") from error
    if not isinstance(value, dict) or not value.keys() >= _COVERAGE_KEYS:
        raise SceneFileError(f"{COVERAGE} is damaged: it lacks figures; remove it")
    numbers = (value[key] for key in ("samples", "mean_seen", "doubtful_share"))
    regions = value["regions"]
    if not (
        all(is_number(number) for number in numbers)
        and isinstance(value["sentence"], str)
        and isinstance(regions, list)
        and all(isinstance(region, dict) for region in regions)
    ):
        raise SceneFileError(f"{COVERAGE} is damaged: its figures make no sense; remove it")
    return value


def is_number(value: object) -> bool:
    """Whether a value of a JSON file is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _terms(line: bytes) -> dict[str, float]:
    value = parse_json(line, most_values=2 * _MOST_TERMS + 1) if len(line) <= _MOST_LINE else None
    if not (
        isinstance(value, dict)
        and "step" in value
        and all(map(_TERM.fullmatch, value))
        and all(is_number(term) and abs(term) <= _LARGEST for term in value.values())
    ):
        raise UntrustedError("is not one of losses")
    return value
