"""The figures of all methods as Markdown, from the rows of `methods.json` and `defaults.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from markdown_text import head, line, paragraph

Row: TypeAlias = Mapping[str, Any]
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
_COSTS = {"steps", "learning, s", "memory, MB", "parameters"}
_SHORT = tuple(column for column in _COLUMNS if column[0] not in {"recall", "precision", "steps"})


def protocol(table: Mapping[str, Any]) -> str:
    """How the table was measured."""
    return paragraph(
        f"All methods under the same rules: {table['protocol']}. The start is the plate "
        "`candidates`, unless a method is a plate of its own. The network's share is the mean "
        "difference of its backgrounds to the initial plate, in grey levels; learning is all of "
        "`learn`: frames, plate, training, noise map."
    )


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
    return paragraph(
        f"From the same start all {len(networks)} methods that learn reach F {robust} (`median`: "
        f"{median}). As they were published, in the recipe `as_published`, they reach {published}: "
        "plate and loss matter more than the network. `bootstrap_plate`, a plate under a robust "
        f"loss in both recipes, is the exception: {plate}."
    ) + paragraph(
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
            line(
                [
                    f"`{name}`",
                    *([_mean(found, "F", ".3f")] if has_more else []),
                    *(_mean(pair, "F", ".3f") for pair in pairs),
                    *(_mean(found, key, form) for title, key, form in _SHORT[1:] if form != "MB"),
                ]
            )
        )
    return head(titles) + "".join(lines)


def by_sequence(rows: Sequence[Row]) -> str:
    """All columns of every method, a table for each recipe and sequence."""
    text = ""
    tables = dict.fromkeys((row["recipe"], row["sequence"]) for row in rows)
    for recipe, sequence in sorted(tables, key=lambda table: table[0] != "robust"):
        found = [row for row in rows if (row["recipe"], row["sequence"]) == (recipe, sequence)]
        known = {row["method"]: row for row in found}
        lines = [line([f"`{name}`", *_cells(known[name], _SHORT)]) for name in _names(found)]
        titles = ["method", *(title for title, _, _ in _SHORT)]
        text += f"### {sequence}, `{recipe}`\n\n{head(titles)}{''.join(lines)}\n"
    return text


def own_budget_table(rows: Sequence[Row]) -> str:
    """What each method costs with its own budget."""
    known = {row["method"]: row for row in rows}
    columns = [column for column in _COLUMNS if column[0] in _COSTS]
    lines = [line([f"`{name}`", *_cells(known[name], columns)]) for name in _names(rows)]
    return head(["method", *(title for title, _, _ in columns)]) + "".join(lines)


def _by_cell(rows: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
    return {(row["method"], row["recipe"], row["sequence"]): row for row in rows}


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
