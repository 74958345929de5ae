"""Writes the tables of methods and of their common groups into docs/manual.md.

Usage: python tools/manual.py
"""

from __future__ import annotations

import re
from pathlib import Path

from cleanplate.baselines import STILL_BASELINES
from cleanplate.cli.commands.methods import setting_rows
from cleanplate.modalities import FlowSettings, MaskSettings
from cleanplate.parameters import Parameters
from cleanplate.settings import known_methods, resolve

MANUAL = Path(__file__).parents[1] / "docs" / "manual.md"
HEAD = "| key | default | range | meaning |\n|---|---|---|---|\n"
OWN_GROUPS = ("model", "objective")


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
