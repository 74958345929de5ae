"""The worst frames of a benchmark, as the page shows them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleanplate.benchmark.pages.figures import ABSENT
from cleanplate.benchmark.results import BenchResult, CellResult, ResultRow
from cleanplate.benchmark.scores import WORST_FRAMES

_MOST_OPEN = 3
"""Methods whose worst frames are unfolded."""
_FORMATS = {".jpg": "jpeg", ".png": "png"}


@dataclass(frozen=True)
class ShownFrame:
    """One of the worst frames; pictures are data URIs."""

    sequence: str
    number: int
    wrong: str
    F: str
    pictures: Mapping[str, str]


@dataclass(frozen=True)
class WorstOfMethod:
    """The worst frames of a method."""

    method: str
    protocol: str
    is_open: bool
    frames: Sequence[ShownFrame]


def worst_by_method(result: BenchResult, folder: Path) -> list[WorstOfMethod]:
    """The worst frames of each method, the best method first."""
    found = []
    for at, row in enumerate(result.rows):
        frames = worst_of(cells_of(result, row), folder)
        if frames:
            found.append(WorstOfMethod(row.method, row.protocol, at < _MOST_OPEN, frames))
    return found


def cells_of(result: BenchResult, row: ResultRow) -> list[CellResult]:
    """The measured cells of a method under a protocol, first seed, nothing held still."""
    return [
        each
        for each in result.cells
        if each.findings
        and (each.cell.method, each.cell.protocol) == (row.method, row.protocol)
        and each.cell.seed == row.seeds[0]
        and not each.cell.hold
    ]


def worst_of(
    cells: Sequence[CellResult], folder: Path, *, most: int = WORST_FRAMES
) -> list[ShownFrame]:
    """One frame of each of the worst sequences; more of each where there are few.

    Args:
        cells: Of one method.
        folder: Where the pictures are.
        most: Frames that are shown.
    """
    ranked = []
    for each in cells:
        for place, frame in enumerate(each.findings.worst if each.findings else ()):
            ranked.append((place, -frame.wrong_share, each.cell.sequence, frame))
    ranked.sort(key=lambda entry: entry[:3])
    return [
        ShownFrame(
            sequence=sequence,
            number=frame.number,
            wrong=f"{100 * frame.wrong_share:.1f} %",
            F=ABSENT if frame.F is None else f"{frame.F:.3f}",
            pictures={name: _uri(folder / path) for name, path in frame.pictures.items()},
        )
        for _, _, sequence, frame in ranked[:most]
        if all((folder / path).is_file() for path in frame.pictures.values())
    ]


def _uri(path: Path) -> str:
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:image/{_FORMATS[path.suffix]};base64,{encoded}"
