"""`cleanplate methods`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from cleanplate.baselines import STILL_BASELINES
from cleanplate.cli.console import CommonOptions, Console, cell
from cleanplate.errors import UnknownNameError
from cleanplate.parameters import Parameters
from cleanplate.settings import DEFAULT_METHOD, known_methods, resolve


def methods(name: str | None = None, *, common: CommonOptions | None = None) -> None:
    """List the methods, or all settings of one with default, range and meaning.

    Args:
        name: Name of a method; default all.
    """
    with Console(common or CommonOptions()) as console:
        summaries = known_methods()
        if name is None:
            _list(console, summaries)
        elif name not in summaries:
            raise UnknownNameError("method", name, summaries)
        else:
            _describe(console, name, summaries[name])


def _list(console: Console, summaries: Mapping[str, str]) -> None:
    rows = [
        {
            "name": name,
            "summary": summary,
            "kind": "baseline" if name in STILL_BASELINES else "network",
            "is_default": name == DEFAULT_METHOD,
        }
        for name, summary in summaries.items()
    ]
    table = Table(box=None)
    for title in ("method", "kind", "summary"):
        table.add_column(title, no_wrap=title != "summary")
    for row in rows:
        shown = f"{row['name']} (default)" if row["is_default"] else row["name"]
        table.add_row(str(shown), str(row["kind"]), cell(str(row["summary"])))
    console.result({"command": "methods", "methods": rows}, table)


def _describe(console: Console, name: str, summary: str) -> None:
    settings = resolve({"method": name})
    groups: dict[str, Parameters] = {"": settings.general, **settings.groups()}
    rows = [row for group, values in groups.items() for row in setting_rows(group, values)]
    values: dict[str, Any] = {"command": "methods", "name": name, "summary": summary}
    if not settings.is_baseline:
        architecture = settings.architecture()
        values |= {"source": architecture.source, "recipes": dict(architecture.recipes)}
    table = Table(box=None, title=cell(f"{name}: {summary}"), title_justify="left")
    for title in ("setting", "default", "range", "meaning"):
        table.add_column(title, no_wrap=title == "setting")
    for row in rows:
        cells = (row["key"], row["default"], row["range"], row["meaning"])
        table.add_row(*(cell(each) for each in cells))
    console.result({**values, "settings": rows}, table)


def setting_rows(group: str, values: Parameters) -> list[dict[str, Any]]:
    """Key, default, range and meaning of each setting of a group."""
    properties = type(values).model_json_schema()["properties"]
    defaults = values.model_dump(mode="json")
    return [
        {
            "key": f"{group}.{name}" if group else name,
            "default": defaults[name],
            "range": _range(schema),
            "meaning": schema.get("description", ""),
        }
        for name, schema in properties.items()
    ]


def _range(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_range(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    bounds = {
        "minimum": ">= {}",
        "exclusiveMinimum": "> {}",
        "maximum": "<= {}",
        "exclusiveMaximum": "< {}",
    }
    parts = [text.format(schema[key]) for key, text in bounds.items() if key in schema]
    return f"{schema.get('type', 'value')} {', '.join(parts)}".strip()
