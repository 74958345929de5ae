"""What every data set gives: one value for a sequence, one for the set itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from cleanplate.datasets.base import PICTURE_SUFFIXES, LabelMap, Region, read_grey
from cleanplate.errors import GroundTruthError
from cleanplate.frames import FrameSize

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"})
_PLATE_FOLDER = "GT"
_PLATE_NAME = re.compile(r"GT_background[0-9]*")
_DERIVED_PLATE = "GT_background_derived"
_VALID_PLATE = "GT_background_valid"


class TruePlate(NamedTuple):
    """The true empty scene as a picture file.

    Attributes:
        picture: The picture.
        valid: Grey picture, not 0 where the truth is known; None where it is known everywhere.
    """

    picture: Path
    valid: Path | None = None


class LabelReader(Protocol):
    """Reads the label maps of a sequence in CDnet's five values."""

    @property
    def numbers(self) -> Collection[int]:
        """Numbers of the frames that have labels."""
        ...

    def read(self, number: int) -> LabelMap:
        """Labels of one of these frames, `(H, W)`, uint8, values of `base.LABELS`."""
        ...


@dataclass(frozen=True, eq=False)
class LabelPictures:
    """Labels in one picture for each frame.

    Attributes:
        files: Picture of each frame by its number, ascending.
        decode: Makes the labels of one picture.
    """

    files: Mapping[int, Path]
    decode: Callable[[Path], LabelMap]

    @property
    def numbers(self) -> Collection[int]:
        """Numbers of the frames that have labels."""
        return self.files.keys()

    def read(self, number: int) -> LabelMap:
        """Labels of a frame.

        Raises:
            GroundTruthError: The picture is damaged or no picture of labels.
        """
        return self.decode(self.files[number])


@dataclass(frozen=True, eq=False)
class VideoSequence:
    """One recording with its truth; label maps are read when they are asked for.

    Attributes:
        name: Name of the sequence.
        folder: Its folder, or its video where a sequence is a file.
        size: Size of every frame and label map.
        source: Folder of the frames or a video file, for `open_source`; None where there are none.
        dataset: Name of the data set whose form it has, filled in by `open_sequence`.
        category: Category within the data set; None where that has none.
        numbers: Numbers of the scored frames, ascending; empty where there are no labels.
        region: Region of interest, `(H, W)`, true where pixels are scored; None scores all.
        plates: True empty scenes, most often one or none; several where the scene itself changes.
    """

    name: str
    folder: Path
    size: FrameSize
    source: Path | None
    dataset: str = ""
    category: str | None = None
    numbers: tuple[int, ...] = ()
    region: Region | None = None
    plates: tuple[TruePlate, ...] = ()
    labels: LabelReader | None = field(default=None, repr=False)

    def read_labels(self, number: int) -> LabelMap:
        """Label map of a frame, `(H, W)`, uint8, CDnet's values.

        Raises:
            GroundTruthError: The frame has no truth, or its truth is damaged, of another size
                than the first, or holds a value that is no label.
        """
        if self.labels is None or number not in self.labels.numbers:
            known = f"{self.numbers[0]} to {self.numbers[-1]}" if self.numbers else "none"
            raise GroundTruthError(
                f"'{self.name}' has no truth for frame {number}; its scored frames are {known}"
            )
        labels = self.labels.read(number)
        if labels.shape != self.size:
            raise GroundTruthError(
                f"the truth of frame {number} of '{self.name}' is {FrameSize(*labels.shape)} where "
                f"the others are {self.size}; give truth of one size"
            )
        return labels


@dataclass(frozen=True)
class Archives:
    """Where the archives of a data set lie, as ZIP files.

    Attributes:
        address: Address of one archive, with `{part}` for its name.
        whole: Names of the archives that make the whole set.
        example: Name of an archive of a part of it.
    """

    address: str
    whole: tuple[str, ...]
    example: str


@dataclass(frozen=True)
class DataSet:
    """A data set: how it is recognised and opened, and where it comes from.

    Attributes:
        title: Its name in print.
        homepage: Where it is described and downloaded by hand; empty where there is no such place.
        citation: The paper to cite.
        terms: What is known of its terms of use.
        form: What a sequence looks like on disk, in one line.
        recognises: Whether a folder, or a video file, is a sequence of this set; quick, and reads
            no picture.
        open: Opens what `recognises` accepts; raises `GroundTruthError` where it is damaged.
        archives: Where it can be fetched from; None where it has to be downloaded by hand.
        generality: How many other sets might have this form too: those with a lower number are
            tried first. 0 where the form tells the set, 1 for CDnet's form, 2 for a plain folder.
    """

    title: str
    homepage: str
    citation: str
    terms: str
    form: str
    recognises: Callable[[Path], bool]
    open: Callable[[Path], VideoSequence]
    archives: Archives | None = None
    generality: int = 0


def true_plates(folder: Path) -> tuple[TruePlate, ...]:
    """Plates `GT_background*.png|jpg|bmp` of a sequence folder or its folder `GT`.

    Numbered plates are all given. A plate `GT_background_derived.*`, made from labels, counts only
    where there is no other. `GT_background_valid.png` says where they are known.
    """
    found: list[Path] = []
    derived: list[Path] = []
    valid: Path | None = None
    for path in pictures_of(folder) + pictures_of(folder / _PLATE_FOLDER):
        if _PLATE_NAME.fullmatch(path.stem):
            found.append(path)
        elif path.stem == _DERIVED_PLATE:
            derived.append(path)
        elif path.stem == _VALID_PLATE:
            valid = path
    return tuple(TruePlate(path, valid) for path in found or derived)


def pictures_of(folder: Path) -> list[Path]:
    """Pictures that lie in a folder, by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    )


def read_region(path: Path, size: FrameSize) -> Region:
    """Region of interest, `(H, W)`, true where a grey picture is not black.

    Raises:
        GroundTruthError: The picture is damaged, of another size, or all black.
    """
    region: Region = read_grey(path, error=GroundTruthError) != 0
    if region.shape != size:
        raise GroundTruthError(
            f"'{path}' is {FrameSize(*region.shape)} where the truth is {size}; give a region of "
            "interest of the size of the truth"
        )
    if not region.any():
        raise GroundTruthError(f"'{path}' is black, so that no pixel is scored; remove or redo it")
    return region
