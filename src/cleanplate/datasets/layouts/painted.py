"""The painted intersection, as `cleanplate demo` and `datasets.painted.write_sequence` leave it.

CDnet's form with the exact plate in `GT/GT_background.png`, and `objects.jsonl`, which says for
each frame what moves and how long it has waited.
"""

from __future__ import annotations

from pathlib import Path

from cleanplate.datasets.layouts.cdnet import has_form, open_form
from cleanplate.datasets.sequence import DataSet

OBJECTS = "objects.jsonl"


def _recognises(folder: Path) -> bool:
    return has_form(folder) and (folder / OBJECTS).is_file()


DATASET = DataSet(
    title="The painted intersection",
    homepage="",
    citation="cleanplate",
    terms="made by cleanplate demo, or cleanplate.datasets.painted; free of any terms",
    form=f"CDnet's form with GT/GT_background.png and {OBJECTS}",
    recognises=_recognises,
    open=open_form,
)
