"""The sequences of a data folder, of any known data set, opened only when they are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from cleanplate.datasets import VideoSequence, find_places, open_place
from cleanplate.datasets.registry import DatasetPlace
from cleanplate.errors import CleanplateError, GroundTruthError, UnknownNameError


@dataclass(frozen=True)
class BenchSequence:
    """One recording with truth.

    Attributes:
        name: Path below the data folder, with forward slashes.
        category: What official averages are taken over first: that of its data set, or the path
            of the folder above.
        place: Where it lies, and in which form.
    """

    name: str
    category: str
    place: DatasetPlace

    def open(self) -> VideoSequence:
        """Its frames and its truth.

        Raises:
            GroundTruthError: It is damaged, or has no frames.
        """
        sequence = open_place(self.place)
        if sequence.source is None:
            raise GroundTruthError(f"'{self.name}' has truth but no frames; add its frames")
        return sequence

    @property
    def recording(self) -> Path:
        """What `open_source` reads."""
        source = self.open().source
        assert source is not None
        return source


def find_sequences(data: Path) -> list[BenchSequence]:
    """All sequences in a folder and below it, by name.

    Raises:
        GroundTruthError: There is none.
    """
    data = data.resolve()
    found = [_sequence(data, place) for place in find_places(data)]
    if not found:
        raise GroundTruthError(
            f"'{data}' holds no sequence; give a folder that holds, somewhere below it, sequences "
            "of a known data set (cleanplate datasets list)"
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


def _sequence(data: Path, place: DatasetPlace) -> BenchSequence:
    is_alone = place.path == data
    name = data.name if is_alone else place.path.relative_to(data).as_posix()
    return BenchSequence(name, _category(data, place), place)


def _category(data: Path, place: DatasetPlace) -> str:
    try:
        category = open_place(place).category
    except CleanplateError:
        category = None  # measuring it will say what is wrong with it
    if category is not None:
        return f"{place.dataset}/{category}"
    above = place.path.parent
    return above.relative_to(data).as_posix() if data in above.parents else above.name
