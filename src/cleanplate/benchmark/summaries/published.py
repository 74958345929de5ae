"""Published figures of CDnet 2014 next to measured ones, only where the sequences are the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from cleanplate.benchmark.results import BenchResult, CellResult

_FILE = "published.json"
_CDNET = "cdnet/"


class PublishedCategory(NamedTuple):
    """A category of CDnet 2014 of which every sequence was measured.

    Attributes:
        category: Its name.
        measured: Mean F of each method over its sequences.
        published: F of each method as published.
    """

    category: str
    measured: Mapping[str, float]
    published: Mapping[str, float]


class PublishedFigures(NamedTuple):
    """What may stand next to the measured figures.

    Attributes:
        source: Where the published figures come from.
        pretrained: Methods that use a network pretrained on labelled pictures.
        categories: Those that were measured whole.
        partly: What was measured of other categories, such as `baseline (2 of 4)`.
    """

    source: str
    pretrained: tuple[str, ...]
    categories: tuple[PublishedCategory, ...]
    partly: tuple[str, ...]


def published_figures(result: BenchResult) -> PublishedFigures:
    """Published figures of the categories that a benchmark measured whole, on all frames."""
    known: dict[str, Any] = json.loads(
        files("cleanplate.benchmark").joinpath(_FILE).read_text(encoding="utf-8")
    )
    whole, partly = [], []
    for category, values in known["categories"].items():
        cells = [each for each in result.cells if _counts(each, category)]
        names = {each.cell.sequence.rpartition("/")[2] for each in cells}
        measured = _complete(result, category, names, values["sequences"])
        if measured:
            whole.append(PublishedCategory(category, measured, values["F"]))
        elif names:
            there = len(names & set(values["sequences"]))
            partly.append(f"{category} ({there} of {len(values['sequences'])})")
    return PublishedFigures(
        known["source"], tuple(known["pretrained"]), tuple(whole), tuple(partly)
    )


def _counts(each: CellResult, category: str) -> bool:
    cell = each.cell
    is_whole = cell.protocol == "transductive" and cell.hold is None
    return is_whole and cell.category == f"{_CDNET}{category}"


def _complete(
    result: BenchResult, category: str, names: set[str], wanted: Sequence[str]
) -> dict[str, float]:
    """Mean F of each method that was measured on exactly the sequences of a category."""
    if names != set(wanted):
        return {}
    found = {}
    for row in result.rows:
        mean = row.F_by_category.get(f"{_CDNET}{category}")
        if row.protocol == "transductive" and not row.failed and mean and mean.mean is not None:
            found[row.method] = mean.mean
    return found
