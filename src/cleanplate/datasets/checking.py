"""Whether the sequences of a tree are whole: frames, sizes, labels and plates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cleanplate.datasets.registry import DatasetPlace, open_place
from cleanplate.datasets.sequence import TruePlate, VideoSequence
from cleanplate.datasets.sizes import picture_size
from cleanplate.errors import CleanplateError, GroundTruthError
from cleanplate.frames import FrameSize
from cleanplate.progress import ProgressListener, silent
from cleanplate.video import open_source

_NAMED = 3
"""So many of the frames that have a problem are named."""


@dataclass
class SequenceCheck:
    """What was found in one sequence.

    Attributes:
        dataset: Name of the data set whose form it has.
        category: Its category; None where there is none.
        name: Its name.
        path: Its folder or video.
        size: Width and height, as `320x240`; None where it cannot be opened.
        frames: Frames that can be decoded.
        scored: Frames with labels that count.
        labels: Values that occur in the labels, ascending.
        plates: Number of true plates.
        problems: What is wrong, a sentence each.
    """

    dataset: str
    category: str | None
    name: str
    path: str
    size: str | None = None
    frames: int = 0
    scored: int = 0
    labels: list[int] = field(default_factory=list)
    plates: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Category and name."""
        return self.name if self.category is None else f"{self.category}/{self.name}"

    def as_json(self) -> dict[str, Any]:
        """Its values by name."""
        return asdict(self)


def check_place(place: DatasetPlace, *, progress: ProgressListener = silent) -> SequenceCheck:
    """Everything that is wrong with a sequence, found by decoding all of it.

    Args:
        place: Where `find_places` has found it.
        progress: Called after each frame.
    """
    name = place.path.name
    result = SequenceCheck(place.dataset, None, name, str(place.path))
    try:
        sequence = open_place(place)
    except CleanplateError as error:
        result.problems.append(str(error))
        return result
    result.category, result.name = sequence.category, sequence.name
    result.size, result.scored = str(sequence.size), len(sequence.numbers)
    result.plates = len(sequence.plates)
    result.problems += _check_frames(sequence, result, progress)
    result.problems += _check_labels(sequence, result, progress)
    for plate in sequence.plates:
        result.problems += _check_plate(plate, sequence.size)
    return result


def _check_frames(
    sequence: VideoSequence, result: SequenceCheck, progress: ProgressListener
) -> Iterator[str]:
    if sequence.source is None:
        yield "there are no frames"
        return
    numbers = []
    try:
        source = open_source(sequence.source)
        for frame in source.frames():
            numbers.append(frame.number)
            progress(sequence.name, len(numbers), source.frame_count_hint)
    except CleanplateError as error:
        yield str(error)
        return
    result.frames = len(numbers)
    if source.size != sequence.size:
        yield f"frames are {source.size} where the truth is {sequence.size}"
    if source.problems.damaged:
        yield f"{source.problems.damaged} frames cannot be decoded"
    if source.problems.missing:
        yield f"{source.problems.missing} frames are missing at the end"
    present = set(numbers)
    gaps = [number for number in range(numbers[0], numbers[-1] + 1) if number not in present]
    if gaps:
        yield f"{len(gaps)} frames are missing between others: {_few(gaps)}"
    unseen = [number for number in sequence.numbers if number not in present and number not in gaps]
    if unseen:
        yield f"{len(unseen)} scored frames are not there: {_few(unseen)}"


def _check_labels(
    sequence: VideoSequence, result: SequenceCheck, progress: ProgressListener
) -> Iterator[str]:
    values: set[int] = set()
    bad: list[str] = []
    for done, number in enumerate(sequence.numbers, start=1):
        try:
            values.update(np.unique(sequence.read_labels(number)).tolist())
        except CleanplateError as error:
            bad.append(str(error))
        progress(f"{sequence.name}, labels", done, len(sequence.numbers))
    result.labels = sorted(values)
    if bad:
        yield f"{len(bad)} label maps are no truth, the first: {bad[0]}"


def _check_plate(plate: TruePlate, size: FrameSize) -> Iterator[str]:
    for path in (plate.picture, plate.valid):
        if path is None:
            continue
        try:
            found = picture_size(path, error=GroundTruthError)
        except GroundTruthError as error:
            yield str(error)
            continue
        if found != size:
            yield f"{path.name} is {found} where the frames are {size}"


def _few(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_NAMED]))
    return shown if len(numbers) <= _NAMED else f"{shown}, …"


def unknown_tree(folder: Path) -> GroundTruthError:
    """The error for a tree in which nothing was recognised."""
    return GroundTruthError(
        f"'{folder}' holds no sequence of a known data set; cleanplate datasets list shows the "
        "forms that are looked for"
    )
