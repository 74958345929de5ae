"""Settings of scenes of older minor versions, under the names that they have today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Renaming:
    """A setting that another minor version of the scene file calls differently.

    Attributes:
        minor: The first minor version with the new name.
        group: Group of the setting.
        old: Its name before.
        new: Its name since then.
        convert: What becomes of its value.
    """

    minor: int
    group: str
    old: str
    new: str
    convert: Callable[[Any], Any] = _same


RENAMINGS = (
    Renaming(
        1, "training", "mixed_precision", "precision", lambda is_on: "auto" if is_on else "float32"
    ),
    Renaming(1, "segmentation", "faint_noise_factor", "low_noise_factor"),
    Renaming(1, "segmentation", "majority", "median_size"),
    Renaming(1, "segmentation", "rim", "boundary_depth"),
    Renaming(1, "segmentation", "repair_ghosts", "correct_ghosts"),
)
"""All of them, the oldest first."""


def up_to_date(settings: Mapping[str, Any], minor: int) -> dict[str, Any]:
    """Settings of a scene of some minor version, as this version calls them.

    Args:
        settings: Nested tree, as the scene has it.
        minor: The scene's minor version.
    """
    tree = dict(settings)
    for each in RENAMINGS:
        group = tree.get(each.group)
        if minor >= each.minor or not isinstance(group, Mapping) or each.old not in group:
            continue
        tree[each.group] = {
            each.new if name == each.old else name: each.convert(value)
            if name == each.old
            else value
            for name, value in group.items()
            if name != each.new
        }
    return tree
