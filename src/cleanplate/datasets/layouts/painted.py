"""The painted intersection, as `cleanplate demo` and `datasets.painted.write_sequence` leave it.

CDnet's form with the exact plate in `GT/GT_background.png`, and `objects.jsonl`, which says for
each frame what moves and how long it has waited. The category is the `scene` that its first line
names, or `crossroads` where it names none.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cleanplate.datasets.layouts.cdnet import has_form, open_form
from cleanplate.datasets.sequence import DataSet, VideoSequence
from cleanplate.errors import GroundTruthError
from cleanplate.untrusted import UntrustedError, parse_json

OBJECTS = "objects.jsonl"
CROSSROADS = "crossroads"
_MOST_OF_A_LINE = 1 << 20


def _recognises(folder: Path) -> bool:
    return has_form(folder) and (folder / OBJECTS).is_file()


def _open(folder: Path) -> VideoSequence:
    return replace(open_form(folder), category=_scene(folder / OBJECTS))


def _scene(objects: Path) -> str:
    """What kind of scene was painted, from the first line about its objects."""
    try:
        with objects.open("rb") as file:
            line = file.readline(_MOST_OF_A_LINE)
        first = parse_json(line) if line.strip() else {}
    except (OSError, UntrustedError) as error:
        raise GroundTruthError(
            f"the first line of '{objects}' is not understood; paint the sequence again"
        ) from error
    scene = first.get("scene") if isinstance(first, dict) else None
    return scene if isinstance(scene, str) and scene else CROSSROADS


DATASET = DataSet(
    title="The painted intersection",
    homepage="",
    citation="cleanplate",
    terms="made by cleanplate demo, or cleanplate.datasets.painted; free of any terms",
    form=f"CDnet's form with GT/GT_background.png and {OBJECTS}",
    recognises=_recognises,
    open=_open,
)
