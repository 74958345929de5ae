"""The sequences of a data folder: frames, truth, and the true plate where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from cleanplate.datasets import GroundTruth, open_sequence
from cleanplate.datasets.cdnet import TRUTH_FOLDER
from cleanplate.errors import GroundTruthError, UnknownNameError

_INPUT = "input"
_PLATES = ("GT_background.png", "GT_background_derived.png", "GT_background.jpg")
_VALID = "GT_background_valid.png"


@dataclass(frozen=True)
class TruePlate:
    """Where the true empty scene is, and for which pixels it is known.

    Attributes:
        picture: RGB picture.
        valid: Grey picture, not 0 where the truth is known; None: everywhere.
    """

    picture: Path
    valid: Path | None


@dataclass(frozen=True)
class BenchSequence:
    """One recording with truth.

    Attributes:
        name: Path below the data folder, with forward slashes.
        category: What official averages are taken over first: the path of the folder above.
        folder: The sequence folder.
    """

    name: str
    category: str
    folder: Path

    @property
    def recording(self) -> Path:
        """What `open_source` reads."""
        return self.folder / _INPUT

    def open_truth(self) -> GroundTruth:
        """Labels of the scored frames."""
        return open_sequence(self.folder)

    def find_plate(self) -> TruePlate | None:
        """The true empty scene; None: nobody knows it."""
        folder = self.folder / "GT"
        picture = next((folder / name for name in _PLATES if (folder / name).is_file()), None)
        if picture is None:
            return None
        valid = folder / _VALID
        return TruePlate(picture, valid if valid.is_file() else None)


def find_sequences(data: Path) -> list[BenchSequence]:
    """All sequences in CDnet's form in a folder and below it, by name.

    Raises:
        GroundTruthError: There is none.
    """
    data = data.resolve()
    found = [
        BenchSequence(
            name=folder.relative_to(data).as_posix() if folder != data else folder.name,
            category=folder.parent.relative_to(data).as_posix()
            if folder not in (data, *data.iterdir())
            else data.name,
            folder=folder,
        )
        for folder in _sequence_folders(data)
    ]
    if not found:
        raise GroundTruthError(
            f"'{data}' holds no sequence; give a folder that holds, somewhere below it, folders "
            f"with {TRUTH_FOLDER}/gtNNNNNN.png and {_INPUT}/inNNNNNN.jpg"
        )
    return sorted(found, key=lambda sequence: sequence.name)


def choose_sequences(
    sequences: Sequence[BenchSequence], names: Sequence[str] | None
) -> list[BenchSequence]:
    """Those that a name or a pattern like `sbi/*` fits, in their order; None: all.

    Raises:
        UnknownNameError: A name fits none.
    """
    if names is None:
        return list(sequences)
    for name in names:
        if not any(fnmatch(sequence.name, name) for sequence in sequences):
            raise UnknownNameError("sequence", name, [sequence.name for sequence in sequences])
    return [each for each in sequences if any(fnmatch(each.name, name) for name in names)]


def _sequence_folders(data: Path) -> Iterator[Path]:
    for folder, below, _ in os.walk(data):
        if TRUTH_FOLDER in below and _INPUT in below:
            below.clear()  # a sequence holds no other one
            yield Path(folder)
