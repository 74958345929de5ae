"""The painted scenes, as `cleanplate demo`, `datasets paint` and `write_sequence` leave them.

CDnet's form with the exact plate in `GT/GT_background.png`, and `objects.jsonl`, which says for
each frame what moves and how long it has waited. The category is the `scene` that its first line
names, or `crossroads` where it names none. The frames are pictures in `input`, or the video
`input.avi`, which has their times too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cleanplate.datasets.layouts.cdnet import has_form, open_form
from cleanplate.datasets.painted.sequence import INPUT_VIDEO
from cleanplate.datasets.painted.settings import DEFAULT_KIND
from cleanplate.datasets.sequence import DataSet, VideoSequence
from cleanplate.errors import GroundTruthError
from cleanplate.untrusted import UntrustedError, parse_json

OBJECTS = "objects.jsonl"
_MOST_OF_A_LINE = 1 << 20


def _recognises(folder: Path) -> bool:
    return has_form(folder) and (folder / OBJECTS).is_file()


def _open(folder: Path) -> VideoSequence:
    sequence = open_form(folder)
    video = folder / INPUT_VIDEO
    source = video if sequence.source is None and video.is_file() else sequence.source
    return replace(sequence, source=source, category=_scene(folder / OBJECTS))


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
    return scene if isinstance(scene, str) and scene else DEFAULT_KIND


DATASET = DataSet(
    title="Painted scenes of several kinds",
    homepage="",
    citation="cleanplate",
    terms="made by cleanplate demo or cleanplate datasets paint; free of any terms",
    form=f"CDnet's form with GT/GT_background.png and {OBJECTS}; {INPUT_VIDEO} instead of input",
    recognises=_recognises,
    open=_open,
)
