"""Figures by kind of scene, and of all methods, as Markdown, from what `cleanplate bench` wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from markdown_text import head, line, paragraph

from cleanplate.benchmark.results import BenchResult
from cleanplate.benchmark.summaries.published import published_figures
from cleanplate.settings import DEFAULT_METHOD

Table: TypeAlias = Mapping[str, Any]


def recorded(table: Table) -> str:
    """Recordings by kind, and what is said of published figures."""
    return paragraph(
        "Every recording under its kind of scene, which [kinds.yaml](../benchmarks/kinds.yaml) "
        "names: learned from all frames, every method in the same run, defaults everywhere. "
        f"{_published(table)}"
    ) + by_kind(table)


def painted(table: Table) -> str:
    """Painted kinds."""
    return paragraph(
        "Scenes that the program paints itself, three seeds of each kind, with exact truth: no "
        "recordings. Every method in the same run, defaults everywhere."
    ) + by_kind(table)


def by_kind(table: Table) -> str:
    """A table of kinds, then one of all sequences under their kinds."""
    groups = table["by_kind"]
    methods = [row["method"] for row in table["rows"]]
    peers = [row["method"] for row in table["rows"] if row["kind"] == "peer"]
    return (
        "F by kind, the mean over its sequences:\n\n"
        + head(["kind", "sequences", *(f"`{m}`" for m in methods), "less the best peer"])
        + "".join(_kind_line(group, methods) for group in groups)
        + f"\nEach sequence; F, recall, precision and wrong pixels (PWC, %) are of "
        f"`{DEFAULT_METHOD}`, the others F:\n\n"
        + head(["kind", "sequence", "F", "recall", "precision", "PWC", *(f"`{m}`" for m in peers)])
        + "".join(
            _sequence_line(group, sequence, peers)
            for group in groups
            for sequence in group["sequences"]
        )
        + "\n"
    )


def _published(table: Table) -> str:
    values = {key: value for key, value in table.items() if key != "measured"}
    cells = [{"identity": "", "settings": {}, **cell} for cell in table["cells"]]
    found = published_figures(BenchResult.model_validate({**values, "cells": cells}))
    if not found.categories:
        return (
            "No published figure stands here: what is published of other methods on CDnet 2014 are "
            "means of whole categories, and no category was measured whole."
        )
    shown = "; ".join(
        f"{each.category}: " + ", ".join(f"{name} {f:.3f}" for name, f in each.published.items())
        for each in found.categories
    )
    return f"Published on the same categories ({found.source}): {shown}."


def _title(group: Table) -> str:
    return f"{group['scene_kind']}{' (painted)' if group['is_painted'] else ''}"


def _kind_line(group: Table, methods: Sequence[str]) -> str:
    found = {row["method"]: row for row in group["rows"]}
    means = {name: row["overall"]["F"]["mean"] for name, row in found.items()}
    # A method that failed on a sequence is no rival: its mean is one of others.
    whole = {name: row for name, row in found.items() if not row["failed"]}
    peers = [means[name] for name, row in whole.items() if row["kind"] == "peer"]
    is_compared = DEFAULT_METHOD in whole and bool(peers)
    difference = f"{means[DEFAULT_METHOD] - max(peers):+.3f}" if is_compared else ""
    best = max((means[name] for name in whole), default=0.0)
    shown = [_best(means.get(name), best) for name in methods]
    return line([_title(group), str(len(group["sequences"])), *shown, difference])


def _best(value: float | None, best: float) -> str:
    if value is None:
        return ""
    return f"**{value:.3f}**" if f"{value:.3f}" == f"{best:.3f}" else f"{value:.3f}"


def _sequence_line(group: Table, sequence: str, peers: Sequence[str]) -> str:
    found = {row["method"]: row["by_sequence"].get(sequence, {}) for row in group["rows"]}

    def mean(method: str, name: str) -> float | None:
        value: float | None = found.get(method, {}).get(name, {}).get("mean")
        return value

    scores = {name: mean(name, "F") for name in (DEFAULT_METHOD, *peers)}
    best = max((score for score in scores.values() if score is not None), default=0.0)
    own = [
        "" if (value := mean(DEFAULT_METHOD, name)) is None else f"{value:.{digits}f}"
        for name, digits in (("recall", 3), ("precision", 3), ("PWC", 2))
    ]
    others = [_best(scores[peer], best) for peer in peers]
    return line([_title(group), sequence, _best(scores[DEFAULT_METHOD], best), *own, *others])


def all_methods(table: Table) -> str:
    """One line a method, with what it costs."""
    sequences = list(dict.fromkeys(name for row in table["rows"] for name in row["sequences"]))
    lines = [
        line(
            [
                f"`{row['method']}`",
                *(_number(row["F_by_sequence"].get(name), 3) for name in sequences),
                _number((row["plate"] or {}).get("AGE"), 2),
                f"{row['learn_seconds']:.0f}",
                f"{row['learn_peak_memory_bytes'] / 1e6:.0f}",
                f"{row['frames_per_second']:.0f}",
            ]
        )
        for row in table["rows"]
    ]
    titles = ("plate AGE", "learning, s", "memory while learning, MB", "frames/s")
    return f"{head(['method', *(f'F, {name}' for name in sequences), *titles])}{''.join(lines)}\n"


def _number(average: Table | None, digits: int) -> str:
    return "" if average is None else f"{average['mean']:.{digits}f}"
