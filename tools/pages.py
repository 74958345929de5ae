"""Writes into the pages what the program and the measurements say: settings, methods, figures.

Usage: python tools/pages.py
"""

from __future__ import annotations

import re
from pathlib import Path

from method_figures import (
    DEFAULTS,
    FOOTNOTE,
    by_sequence,
    compact,
    of_method,
    overview,
    own_budget_table,
    own_budgets,
    protocol,
    read_table,
    summary,
)
from settings_reference import HEAD, describe, shared_tables

from cleanplate.baselines import STILL_BASELINES
from cleanplate.settings import DEFAULT_METHOD, known_methods

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "docs" / "settings.md"
BEGIN = "<!-- figures of all methods, written by tools/pages.py -->\n"
END = "<!-- end of the figures -->\n"


def main() -> None:
    order = sorted(known_methods(), key=lambda name: (name in STILL_BASELINES, name))
    write_settings(order)
    for page, folder in (
        (ROOT / "docs/methods/README.md", ""),
        (ROOT / "README.md", "docs/methods/"),
    ):
        table = "".join(method_row(name, folder) for name in order)
        text = page.read_text(encoding="utf-8")
        head = "| method | in one line |\n|---|---|\n"
        before, _, after = text.partition(head)
        after = re.sub(r"\A(\|.*\n)*", "", after)
        text = f"{before}{head}{table}{after}"
        page.write_text(text, encoding="utf-8")
    write_figures()


def write_settings(order: list[str]) -> None:
    """The tables of the sections of settings, then the sections of the methods at the end."""
    text = SETTINGS.read_text(encoding="utf-8")
    for title, table in shared_tables().items():
        pattern = rf"(?ms)^(## {title}\n(?:(?!^## ).)*?){re.escape(HEAD)}(?:\|.*?\n)*"
        text, count = re.subn(pattern, lambda match, table=table: match[1] + table, text)
        if count != 1:
            raise SystemExit(f"{SETTINGS} lacks a section '{title}' with a table of settings")
    before, heading, rest = text.partition("## Methods\n")
    note = rest.partition("### ")[0]
    methods = "".join(describe(name) for name in order)
    text = f"{before}{heading}{note}{methods}".rstrip() + "\n"
    SETTINGS.write_text(text, encoding="utf-8")


def write_figures() -> None:
    table, defaults = read_table(), read_table(DEFAULTS)
    rows = table["rows"]
    if not rows or not defaults["rows"]:
        return
    replace_figures(
        ROOT / "docs/methods/README.md",
        f"{protocol(table)}{summary(rows)}{compact(rows)}\n"
        f"### Own budgets\n\n{own_budgets(defaults, '../../benchmarks/')}"
        f"{own_budget_table(defaults['rows'])}\n"
        f"{overview(rows)}### All columns\n\n{by_sequence(rows)}",
    )
    figures = f"{summary(rows)}{compact(rows)}\n{own_budgets(defaults, 'benchmarks/')}"
    replace_marked(ROOT / "README.md", figures)
    for name in known_methods():
        page = ROOT / f"docs/methods/{name}.md"
        figures = of_method(rows, defaults["rows"], name)
        if page.exists() and figures:
            replace_figures(page, f"{figures}\n{FOOTNOTE}\n")


def replace_figures(page: Path, figures: str) -> None:
    before, _, _ = page.read_text(encoding="utf-8").partition("## Figures\n")
    page.write_text(f"{before}## Figures\n\n{figures}".rstrip() + "\n", encoding="utf-8")


def replace_marked(page: Path, figures: str) -> None:
    """Writes the figures between the two marks of a page."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{page} lacks the marks {BEGIN.strip()} and {END.strip()}")
    page.write_text(f"{before}{begin}\n{figures.rstrip()}\n\n{end}{after}", encoding="utf-8")


def method_row(name: str, folder: str) -> str:
    has_page = (ROOT / "docs" / "methods" / f"{name}.md").exists()
    shown = f"[`{name}`]({folder}{name}.md)" if has_page else f"`{name}`"
    default = " (default)" if name == DEFAULT_METHOD else ""
    return f"| {shown}{default} | {known_methods()[name]} |\n"


if __name__ == "__main__":
    main()
