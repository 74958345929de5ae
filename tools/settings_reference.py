"""The tables of settings as Markdown: what several networks share is written once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from cleanplate.cli.commands.methods import setting_rows
from cleanplate.modalities import FlowSettings, MaskSettings
from cleanplate.parameters import Parameters
from cleanplate.settings import GeneralSettings, known_methods, resolve

Setting: TypeAlias = Mapping[str, Any]
HEAD = "| key | default | range | meaning |\n|---|---|---|---|\n"
SHARED_SECTION = "Model and objective"
_OWN_GROUPS = ("model", "objective")
_SHARED_BY = 10
"""Methods that have a setting of one key, range and meaning, from which it is told once for all."""


def shared_tables() -> dict[str, str]:
    """The table of each section of the settings that belong to no single method."""
    reference = resolve({"method": "lowrank_ae"})
    groups: dict[str, Parameters] = {
        "General": GeneralSettings(),
        "Sampling": reference.sampling,
        "Segmentation": reference.segmentation,
        "Flow": FlowSettings(),
        "Mask": MaskSettings(),
    }
    if reference.training is not None:
        groups["Training"] = reference.training
    tables = {
        title: table(setting_rows("" if title == "General" else title.lower(), values))
        for title, values in groups.items()
    }
    return {**tables, SHARED_SECTION: table(shared_settings())}


def shared_settings() -> list[Setting]:
    """Settings of the model and the objective that many networks have, with the usual default."""
    found: dict[tuple[Any, ...], list[Setting]] = defaultdict(list)
    for name in known_methods():
        for setting in _own_settings(name):
            found[_meaning(setting)].append(setting)
    many = [settings for settings in found.values() if len(settings) >= _SHARED_BY]
    usual = [
        Counter(setting["default"] for setting in settings).most_common(1) for settings in many
    ]
    return [
        {**settings[0], "default": default}
        for settings, [(default, _)] in sorted(
            zip(many, usual, strict=True), key=lambda pair: str(pair[0][0]["key"])
        )
    ]


def describe(name: str) -> str:
    """The section of one method."""
    settings = resolve({"method": name})
    text = f"### {name}\n\n{known_methods()[name]}\n\n"
    if settings.is_baseline:
        return text
    recipes = " and ".join(f"`{recipe}`" for recipe in settings.architecture().recipes)
    text += f"Own budget: `{settings.general.budget}`. Recipes: {recipes}.\n\n"
    text += f"{shared_sentence(name)}\n\n"
    usual = {_meaning(setting) for setting in shared_settings()}
    own = [setting for setting in _own_settings(name) if _meaning(setting) not in usual]
    training = resolve({"method": "lowrank_ae"}).training
    if settings.training is not None and settings.training != training:
        own += setting_rows("training", settings.training)
    return f"{text}{table(own)}\n" if own else text


def shared_sentence(name: str) -> str:
    """Which of the shared settings a network has, and which default of its own."""
    usual = {_meaning(setting): setting["default"] for setting in shared_settings()}
    keys = []
    for setting in _own_settings(name):
        if _meaning(setting) in usual:
            is_usual = setting["default"] == usual[_meaning(setting)]
            keys.append(f"`{setting['key']}`" + ("" if is_usual else f" ({shown(setting)})"))
    anchor = SHARED_SECTION.lower().replace(" ", "-")
    return f"Shared [settings](#{anchor}): {', '.join(sorted(keys))}."


def table(settings: Iterable[Setting]) -> str:
    return HEAD + "".join(map(row, settings))


def row(setting: Setting) -> str:
    cells = (f"`{setting['key']}`", shown(setting), setting["range"], setting["meaning"])
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |\n"


def shown(setting: Setting) -> str:
    """A default as it is written on the command line."""
    default = setting["default"]
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _own_settings(name: str) -> list[Setting]:
    groups = resolve({"method": name}).groups()
    return [
        setting
        for group in _OWN_GROUPS
        if group in groups
        for setting in setting_rows(group, groups[group])
    ]


def _meaning(setting: Setting) -> tuple[Any, ...]:
    return setting["key"], setting["range"], setting["meaning"]
