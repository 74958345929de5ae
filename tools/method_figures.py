"""The figures of all methods as Markdown, from `methods.json` and `defaults.json`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TABLE = BENCHMARKS / "methods.json"
DEFAULTS = BENCHMARKS / "defaults.json"
Row: TypeAlias = Mapping[str, Any]
FOOTNOTE = (
    "The network's share is the mean difference of its backgrounds to the initial plate, in grey\n"
    "levels. Learning is all of `learn`: frames, plate, training, noise map. How this was\n"
    "measured: [all methods](README.md#figures)."
)
_WIDTH = 104
_COMPARED = ("sbi/HighwayI", "sbi/Board")
"""The sequences that both recipes were measured on."""
_DEAD = 0.05
"""Share of a network in grey levels below which it has left its plate as it was."""

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
_SHORT = tuple(column for column in _COLUMNS if column[0] not in {"recall", "precision", "steps"})


def protocol(table: Mapping[str, Any]) -> str:
    """How the table was measured."""
    machine = table["machine"]
    text = (
        f"All methods under the same rules: {table['protocol']}. The start is the plate "
        "`candidates`, unless a method is a plate of its own. Measured on "
        f"{machine['processors']} processors ({machine['device']}), torch {machine['torch']}; "
        f"{_note(machine)}. The figures stand in "
        "[benchmarks/methods.json](../../benchmarks/methods.json), which `tools/table.py` makes, "
        "and each method's own on its page. The network's share is the mean difference of its "
        "backgrounds to the initial plate, in grey levels; learning is all of `learn`: frames, "
        "plate, training, noise map."
    )
    return _paragraph(text)


def summary(rows: Sequence[Row]) -> str:
    """What the table says, in two paragraphs."""
    known = _by_cell(rows)
    networks = _networks(rows)
    robust, published = (
        " and ".join(
            f"{_range(known[name, recipe, sequence]['F'] for name in names)} on {sequence}"
            for sequence in _COMPARED
        )
        for recipe, names in (
            ("robust", networks),
            ("as_published", [name for name in networks if name != "bootstrap_plate"]),
        )
    )
    median, plate = (
        " and ".join(f"{known[name, recipe, sequence]['F']:.3f}" for sequence in _COMPARED)
        for name, recipe in (("median", "robust"), ("bootstrap_plate", "as_published"))
    )
    sequences = list(dict.fromkeys(row["sequence"] for row in rows if row["recipe"] == "robust"))
    shares = {
        each: [known[name, "robust", each]["network_share"] for name in networks]
        for each in sequences
    }
    dead = ", ".join(
        f"{sum(share < _DEAD for share in found)} on {each}" for each, found in shares.items()
    )
    return _paragraph(
        f"From the same start all {len(networks)} methods that learn reach F {robust} (`median`: "
        f"{median}). As they were published, in the recipe `as_published`, they reach {published}: "
        "plate and loss matter more than the network. `bootstrap_plate`, a plate under a robust "
        f"loss in both recipes, is the exception: {plate}."
    ) + _paragraph(
        f"Not all of them have moved away from the initial plate in this time. Of the "
        f"{len(networks)}, so many changed it by less than {_DEAD} grey levels (network's share): "
        f"{dead}. Their F is that of the plate."
    )


def compact(rows: Sequence[Row]) -> str:
    """One line a method: means over its sequences."""
    both = " and ".join(each.rpartition("/")[2] for each in _COMPARED)
    sequences = {row["sequence"] for row in rows if row["recipe"] == "robust"}
    has_more = len(sequences) > len(_COMPARED)
    titles = (
        "method",
        *([f"F, {len(sequences)} sequences"] if has_more else []),
        f"F, {both}",
        f"F `as_published`, {both}",
        *(title for title, _, _ in _SHORT[1:] if title != "memory, MB"),
    )
    known = _by_cell(rows)
    lines = []
    for name in _names(rows):
        found = [row for row in rows if row["method"] == name and row["recipe"] == "robust"]
        pairs = [
            [known.get((name, recipe, sequence)) for sequence in _COMPARED]
            for recipe in ("robust", "as_published")
        ]
        lines.append(
            _line(
                [
                    f"`{name}`",
                    *([_mean(found, "F", ".3f")] if has_more else []),
                    *(_mean(pair, "F", ".3f") for pair in pairs),
                    *(_mean(found, key, form) for title, key, form in _SHORT[1:] if form != "MB"),
                ]
            )
        )
    return _head(titles) + "".join(lines)


def by_sequence(rows: Sequence[Row]) -> str:
    """All columns of every method, a table for each recipe and sequence."""
    text = ""
    tables = dict.fromkeys((row["recipe"], row["sequence"]) for row in rows)
    for recipe, sequence in sorted(tables, key=lambda table: table[0] != "robust"):
        found = [row for row in rows if (row["recipe"], row["sequence"]) == (recipe, sequence)]
        known = {row["method"]: row for row in found}
        lines = [_line([f"`{name}`", *_cells(known[name], _SHORT)]) for name in _names(found)]
        head = _head(["method", *(title for title, _, _ in _SHORT)])
        text += f"#### {sequence}, `{recipe}`\n\n{head}{''.join(lines)}\n"
    return text


def own_budgets(table: Mapping[str, Any], folder: str) -> str:
    """What each method takes and reaches with its own budget, in a paragraph and a table.

    Args:
        table: What benchmarks/defaults.json holds.
        folder: Way from the page to `benchmarks/`, with a slash at its end.
    """
    rows, machine = table["rows"], table["machine"]
    known = {row["method"]: row for row in rows}
    networks = [known[name] for name in _networks(rows)]
    (sequence,) = {row["sequence"] for row in rows}
    memory = max(row["learn_peak_memory_bytes"] for row in networks) / 1e9
    text = (
        f"With their own budgets, on {machine['processors']} cores (torch {machine['torch']}; "
        f"{_note(machine)}), the methods learn {sequence} in "
        f"{_range((row['learn_seconds'] for row in networks), '.0f')} s and at most "
        f"{memory:.2f} GB. F is {_range(row['F'] for row in networks)}; that of `median` in the "
        f"same run is {known['median']['F']:.3f}. The figures stand in "
        f"[benchmarks/defaults.json]({folder}defaults.json)."
    )
    return _paragraph(text)


def own_budget_table(rows: Sequence[Row]) -> str:
    """All columns of every method with its own budget."""
    known = {row["method"]: row for row in rows}
    columns = [column for column in _COLUMNS if column[0] not in {"recall", "precision"}]
    lines = [_line([f"`{name}`", *_cells(known[name], columns)]) for name in _names(rows)]
    return _head(["method", *(title for title, _, _ in columns)]) + "".join(lines)


def overview(rows: Sequence[Row]) -> str:
    """F of every method on every sequence, a table for each recipe."""
    text = ""
    for recipe in dict.fromkeys(row["recipe"] for row in rows):
        found = [row for row in rows if row["recipe"] == recipe]
        sequences = list(dict.fromkeys(row["sequence"] for row in found))
        by_cell = {(row["method"], row["sequence"]): row for row in found}
        lines = [
            _line([f"`{name}`", *(_score(by_cell.get((name, each))) for each in sequences)])
            for name in _names(found)
        ]
        head = _head(["F, plate AGE", *sequences])
        text += f"### Recipe `{recipe}`\n\n{head}{''.join(lines)}\n"
    return text


def of_method(rows: Sequence[Row], defaults: Sequence[Row], name: str) -> str:
    """All figures of one method; empty where nothing was measured."""
    found = [row for row in rows if row["method"] == name and "failed" not in row]
    if not found:
        return ""
    head = _head(["sequence", "recipe", *(title for title, _, _ in _COLUMNS)])
    found.sort(key=lambda row: (row["recipe"] != "robust", row["sequence"]))
    found += [{**row, "recipe": "robust, own budget"} for row in defaults if row["method"] == name]
    lines = [_line([row["sequence"], row["recipe"], *_cells(row, _COLUMNS)]) for row in found]
    return head + "".join(lines)


def read_table(path: Path = TABLE) -> Mapping[str, Any]:
    """The table with its protocol; without rows where nothing was measured yet."""
    if not path.exists():
        return {"rows": []}
    table: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


def _by_cell(rows: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
    return {(row["method"], row["recipe"], row["sequence"]): row for row in rows}


def _score(row: Row | None) -> str:
    if row is None:
        return "not yet"
    return "failed" if "failed" in row else f"{row['F']:.3f}, {row['plate_AGE']:.1f}"


def _cells(row: Row, columns: Iterable[tuple[str, str, str]]) -> list[str]:
    return [_shown(row[key], form) if key in row else "failed" for _, key, form in columns]


def _shown(value: float, form: str) -> str:
    return f"{value / 1e6:.0f}" if form == "MB" else format(value, form)


def _mean(rows: Sequence[Row | None], key: str, form: str) -> str:
    """Mean of a column; empty where a row is missing."""
    values = [row[key] for row in rows if row is not None and key in row]
    if not values or len(values) < len(rows):
        return ""
    mean = sum(values) / len(values)
    return format(round(mean) if form.endswith("d") else mean, form)


def _range(values: Iterable[float], form: str = ".3f") -> str:
    found = sorted(values)
    return f"{found[0]:{form}} to {found[-1]:{form}}"


def _names(rows: Sequence[Row]) -> list[str]:
    """Methods that learn by their names, then those that do not."""
    networks = _networks(rows)
    return networks + sorted({row["method"] for row in rows} - set(networks))


def _networks(rows: Sequence[Row]) -> list[str]:
    return sorted({row["method"] for row in rows if row.get("parameters")})


def _note(machine: Mapping[str, Any]) -> str:
    return str(machine["note"]).replace("1 threads", "1 thread").replace("1 cells", "1 cell")


def _paragraph(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n\n"


def _head(titles: Sequence[str]) -> str:
    return _line(titles) + "|" + "---|" * len(titles) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
