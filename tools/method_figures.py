"""The table of all methods as Markdown, from benchmarks/methods.json."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

TABLE = Path(__file__).parents[1] / "benchmarks" / "methods.json"
Row: TypeAlias = Mapping[str, Any]
FOOTNOTE = (
    "The network's share is the mean difference of its backgrounds to the initial plate, in grey\n"
    "levels. How this was measured: [all methods](README.md#figures)."
)

_COLUMNS = (
    ("F", "F", ".3f"),
    ("recall", "recall", ".3f"),
    ("precision", "precision", ".3f"),
    ("plate AGE", "plate_AGE", ".2f"),
    ("network's share", "network_share", ".2f"),
    ("steps", "steps", "d"),
    ("learning, s", "learn_seconds", ".0f"),
    ("memory, MB", "learn_peak_memory_bytes", "MB"),
    ("frames/s", "segment_frames_per_second", ".0f"),
    ("parameters", "parameters", ",d"),
)


def protocol(table: Mapping[str, Any]) -> str:
    """How the table was measured."""
    machine = table["machine"]
    text = (
        f"All methods under the same rules: {table['protocol']}. The start is the plate "
        "`candidates`, unless a method is a plate of its own. Measured on "
        f"{machine['processors']} processors ({machine['device']}), torch {machine['torch']}; "
        f"{machine['note']}. The figures stand in "
        "[benchmarks/methods.json](../../benchmarks/methods.json), which `tools/table.py` makes, "
        "and each method's own on its page."
    )
    return textwrap.fill(text, 104, break_long_words=False) + "\n\n"


def overview(rows: Sequence[Row]) -> str:
    """F of every method on every sequence, a table for each recipe."""
    text = ""
    for recipe in dict.fromkeys(row["recipe"] for row in rows):
        found = [row for row in rows if row["recipe"] == recipe]
        sequences = list(dict.fromkeys(row["sequence"] for row in found))
        by_cell = {(row["method"], row["sequence"]): row for row in found}
        names = sorted(
            {row["method"] for row in found}, key=lambda name: (_is_still(found, name), name)
        )
        lines = [
            _line([f"`{name}`", *(_score(by_cell.get((name, each))) for each in sequences)])
            for name in names
        ]
        head = _head(["F, plate AGE", *sequences])
        text += f"### Recipe `{recipe}`\n\n{head}{''.join(lines)}\n"
    return text


def of_method(rows: Iterable[Row], name: str) -> str:
    """All figures of one method; empty where nothing was measured."""
    found = [row for row in rows if row["method"] == name and "failed" not in row]
    if not found:
        return ""
    head = _head(["sequence", "recipe", *(title for title, _, _ in _COLUMNS)])
    lines = [
        _line(
            [
                row["sequence"],
                row["recipe"],
                *(_shown(row[key], form) for _, key, form in _COLUMNS),
            ]
        )
        for row in sorted(found, key=lambda row: (row["recipe"] != "robust", row["sequence"]))
    ]
    return head + "".join(lines)


def read_table() -> Mapping[str, Any]:
    """The table with its protocol; without rows where nothing was measured yet."""
    if not TABLE.exists():
        return {"rows": []}
    table: Mapping[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def _score(row: Row | None) -> str:
    if row is None:
        return "not yet"
    return "failed" if "failed" in row else f"{row['F']:.3f}, {row['plate_AGE']:.1f}"


def _shown(value: float, form: str) -> str:
    return f"{value / 1e6:.0f}" if form == "MB" else format(value, form)


def _names(rows: Sequence[Row]) -> set[str]:
    return {row["method"] for row in rows}


def _is_still(rows: Sequence[Row], name: str) -> bool:
    return not any(row.get("parameters") for row in rows if row["method"] == name)


def _head(titles: Sequence[str]) -> str:
    return _line(titles) + "|" + "---|" * len(titles) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
