"""The known data sets, and which of them a folder belongs to."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple

from cleanplate.datasets import layouts
from cleanplate.datasets.layouts.cdnet import TRUTH_FOLDER
from cleanplate.datasets.sequence import VIDEO_SUFFIXES, DataSet, VideoSequence
from cleanplate.errors import GroundTruthError, UnknownNameError, UsageError

ENTRY_POINT_GROUP = "cleanplate.datasets"


class DatasetPlace(NamedTuple):
    """Where a sequence lies.

    Attributes:
        dataset: Name of the data set whose form it has.
        path: Its folder, or its video.
    """

    dataset: str
    path: Path


def known_datasets() -> Mapping[str, DataSet]:
    """Every data set by its name, in the order in which they are tried.

    Raises:
        UsageError: One that another package registers cannot be loaded.
    """
    found = {point.name: _load(point) for point in entry_points(group=ENTRY_POINT_GROUP)}
    for module in pkgutil.iter_modules(layouts.__path__):
        found[module.name] = importlib.import_module(f"{layouts.__name__}.{module.name}").DATASET
    return dict(sorted(found.items(), key=lambda item: (item[1].generality, item[0])))


def dataset(name: str) -> DataSet:
    """The data set of that name.

    Raises:
        UnknownNameError: There is none.
    """
    known = known_datasets()
    if name not in known:
        raise UnknownNameError("data set", name, known)
    return known[name]


def open_sequence(path: Path | str) -> VideoSequence:
    """The sequence in a folder (or of a video), in the form of any known data set.

    Raises:
        GroundTruthError: It has none of the known forms, or one of its files is damaged or does
            not fit the others.
        SourceError: Its frames are needed to know their size, and cannot be read.
    """
    path = Path(path).resolve()
    if path.name == TRUTH_FOLDER:  # a folder that scoring is given
        path = path.parent
    known = known_datasets()
    if not path.exists():
        raise GroundTruthError(f"'{path}' does not exist; {_expected(known)}")
    name = _recognise(path, known)
    if name is None:
        raise GroundTruthError(f"'{path}' is no sequence of a known data set; {_expected(known)}")
    return replace(known[name].open(path), dataset=name)


def find_places(folder: Path | str) -> list[DatasetPlace]:
    """Every sequence in a tree, not opened yet, in the order of their paths.

    Hidden folders and what lies within a sequence are passed over.

    Raises:
        GroundTruthError: There is no such folder.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise GroundTruthError(f"'{folder}' is not a folder; give one that holds sequences")
    return list(_walk(folder, known_datasets(), set()))


def find_sequences(folder: Path | str) -> list[VideoSequence]:
    """Every sequence in a tree, which may hold several data sets, in the order of their paths.

    Raises:
        GroundTruthError: There is no such folder, or one of the sequences is damaged.
    """
    return [open_place(place) for place in find_places(folder)]


def open_place(place: DatasetPlace) -> VideoSequence:
    """The sequence that `find_places` has found.

    Raises:
        GroundTruthError: One of its files is damaged or does not fit the others.
        SourceError: Its frames are needed to know their size, and cannot be read.
    """
    return replace(dataset(place.dataset).open(place.path), dataset=place.dataset)


def _load(point: EntryPoint) -> DataSet:
    try:
        loaded: DataSet = point.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the data set '{point.name}' ({point.value}) cannot be loaded: {error}; mend or "
            "remove the package that registers it"
        ) from error
    return loaded


def _walk(folder: Path, known: Mapping[str, DataSet], seen: set[Path]) -> Iterator[DatasetPlace]:
    real = folder.resolve()
    if real in seen:  # a link that leads back
        return
    seen.add(real)
    name = _recognise(folder, known)
    if name is not None:
        yield DatasetPlace(name, folder)
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path, known, seen)
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            name = _recognise(path, known)
            if name is not None:
                yield DatasetPlace(name, path)


def _recognise(path: Path, known: Mapping[str, DataSet]) -> str | None:
    return next((name for name, known_set in known.items() if known_set.recognises(path)), None)


def _expected(known: Mapping[str, DataSet]) -> str:
    forms = "; ".join(f"{name}: {known_set.form}" for name, known_set in known.items())
    return f"looked for: {forms}"
