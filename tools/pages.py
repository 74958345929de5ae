"""Writes into the pages what the program and the measurements say: settings, methods, figures.

Usage: python tools/pages.py
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmark_figures import page, read_tables
from readme_figures import readme, readme_note
from settings_reference import HEAD, describe, shared_tables

from cleanplate.baselines import STILL_BASELINES
from cleanplate.settings import DEFAULT_METHOD, known_methods

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "docs" / "settings.md"
BEGIN = "<!-- figures, written by tools/pages.py from benchmarks/*.json -->\n"
END = "<!-- end of the figures -->\n"


def main() -> None:
    order = sorted(known_methods(), key=lambda name: (name in STILL_BASELINES, name))
    write_settings(order)
    write_methods(order)
    tables = read_tables()
    (ROOT / "docs/benchmarks.md").write_text(page(tables), encoding="utf-8")
    replace_marked(ROOT / "README.md", f"{readme(tables)}\n{readme_note(tables)}")


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


def write_methods(order: list[str]) -> None:
    """The list of the methods in docs/methods/README.md."""
    path = ROOT / "docs/methods/README.md"
    head = "| method | in one line |\n|---|---|\n"
    before, _, after = path.read_text(encoding="utf-8").partition(head)
    after = re.sub(r"\A(\|.*\n)*", "", after)
    table = "".join(map(method_row, order))
    path.write_text(f"{before}{head}{table}{after}", encoding="utf-8")


def replace_marked(path: Path, figures: str) -> None:
    """Writes the figures between the two marks of a page."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{path} lacks the marks {BEGIN.strip()} and {END.strip()}")
    path.write_text(f"{before}{begin}\n{figures.rstrip()}\n\n{end}{after}", encoding="utf-8")


def method_row(name: str) -> str:
    has_page = (ROOT / "docs" / "methods" / f"{name}.md").exists()
    shown = f"[`{name}`]({name}.md)" if has_page else f"`{name}`"
    default = " (default)" if name == DEFAULT_METHOD else ""
    return f"| {shown}{default} | {known_methods()[name]} |\n"


if __name__ == "__main__":
    main()
