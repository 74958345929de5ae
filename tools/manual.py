"""Writes the tables of methods and settings into docs/manual.md, docs/methods and README.md.

Usage: python tools/manual.py
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

from cleanplate.baselines import STILL_BASELINES
from cleanplate.cli.commands.methods import setting_rows
from cleanplate.modalities import FlowSettings, MaskSettings
from cleanplate.parameters import Parameters
from cleanplate.settings import DEFAULT_METHOD, known_methods, resolve

ROOT = Path(__file__).parents[1]
MANUAL = ROOT / "docs" / "manual.md"
HEAD = "| key | default | range | meaning |\n|---|---|---|---|\n"
OWN_GROUPS = ("model", "objective")
BEGIN = "<!-- figures of all methods, written by tools/manual.py -->\n"
END = "<!-- end of the figures -->\n"


def main() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    groups = "".join(
        f"### {name.capitalize()}\n\n{note}\n\n{HEAD}{rows(name, values)}\n"
        for name, values, note in (
            ("flow", FlowSettings(), "Of the methods that read optical flow."),
            ("mask", MaskSettings(), "Of the methods that read a mask of a simple method."),
        )
    )
    text = re.sub(r"(?ms)^### Flow\n.*?(?=^## )", "", text)
    text = text.replace("## Methods\n", f"{groups}## Methods\n", 1)
    order = sorted(known_methods(), key=lambda name: (name in STILL_BASELINES, name))
    methods = "".join(describe(name) for name in order)
    text = re.sub(r"(?ms)^(## Methods\n.*?)^### .*?(?=^## )", lambda m: m[1] + methods, text)
    MANUAL.write_text(text, encoding="utf-8")
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
    for page, folder in ((ROOT / "README.md", "benchmarks/"), (MANUAL, "../benchmarks/")):
        figures = f"{summary(rows)}{compact(rows)}\n{own_budgets(defaults, folder)}"
        replace_marked(page, figures)
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


def describe(name: str) -> str:
    settings = resolve({"method": name})
    text = f"### {name}\n\n{known_methods()[name]}\n\n"
    if settings.is_baseline:
        return text
    recipes = " and ".join(f"`{recipe}`" for recipe in settings.architecture().recipes)
    text += f"Own budget: `{settings.general.budget}`. Recipes: {recipes}.\n\n"
    own = {key: values for key, values in settings.groups().items() if key in OWN_GROUPS}
    tables = "".join(rows(group, values) for group, values in own.items())
    shared = resolve({"method": "lowrank_ae"}).training
    if settings.training is not None and settings.training != shared:
        tables += rows("training", settings.training)
    return f"{text}{HEAD}{tables}\n"


def rows(group: str, values: Parameters) -> str:
    return "".join(row(setting) for setting in setting_rows(group, values))


def row(setting: dict[str, object]) -> str:
    default = setting["default"]
    shown = str(default).lower() if isinstance(default, bool) else default
    cells = (f"`{setting['key']}`", f"`{shown}`", setting["range"], setting["meaning"])
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |\n"


if __name__ == "__main__":
    main()
