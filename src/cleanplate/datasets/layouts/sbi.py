"""SBI (Scene Background Initialization 2015): fourteen sequences with their true plates.

As published, with the plates in one folder beside the sequences (`GT` or `groundtruths`) or in a
folder of the sequence::

    HighwayI/input/HighwayI_000000.png     frames, counted from 0
    GT/GT_HighwayI.png                     the true empty scene

and in CDnet's form, in which the masks that others have added since are given::

    HighwayI/input/in000000.png
    HighwayI/groundtruth/gt000000.png      labels
    HighwayI/GT/GT_background.png          the true empty scene, or GT_background_derived.png with
                                           GT_background_valid.png where it was made from labels
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cleanplate.datasets.layouts import cdnet
from cleanplate.datasets.sequence import (
    DataSet,
    TruePlate,
    VideoSequence,
    pictures_of,
    true_plates,
)
from cleanplate.datasets.sizes import picture_size
from cleanplate.errors import GroundTruthError

NAMES = frozenset(
    {
        "Board",
        "CAVIAR1",
        "CAVIAR2",
        "CaVignal",
        "Candela_m1.10",
        "Foliage",
        "Hall&Monitor",
        "HallAndMonitor",
        "HighwayI",
        "HighwayII",
        "HumanBody2",
        "IBMtest2",
        "PeopleAndFoliage",
        "Snellen",
        "Toscana",
    }
)
INPUT_FOLDER = "input"
PLATE_FOLDERS = ("GT", "../GT", "../groundtruths", ".", "..")


def _recognises(folder: Path) -> bool:
    if folder.name not in NAMES or not folder.is_dir():
        return False
    return cdnet.has_form(folder) or (
        (folder / INPUT_FOLDER).is_dir() and bool(_own_plates(folder) or _unnumbered_plates(folder))
    )


def _open(folder: Path) -> VideoSequence:
    if cdnet.has_form(folder):
        sequence = cdnet.open_form(folder)
        return replace(sequence, plates=_own_plates(folder) or sequence.plates)
    plates = _own_plates(folder) or _unnumbered_plates(folder)
    return VideoSequence(
        name=folder.name,
        folder=folder,
        size=picture_size(plates[0].picture, error=GroundTruthError),
        source=folder / INPUT_FOLDER,
        plates=plates,
    )


def _own_plates(folder: Path) -> tuple[TruePlate, ...]:
    """The plate `GT_NAME` of the published form."""
    name = f"GT_{folder.name}"
    for place in PLATE_FOLDERS:
        found = [path for path in pictures_of(folder / place) if path.stem == name]
        if found:
            return (TruePlate(found[0].resolve()),)
    return ()


def _unnumbered_plates(folder: Path) -> tuple[TruePlate, ...]:
    """Plates in the form above; those with a number are SBMnet's, which has such names too."""
    plates = true_plates(folder)
    return () if any(plate.picture.stem[-1].isdigit() for plate in plates) else plates


DATASET = DataSet(
    title="SBI 2015 (Scene Background Initialization)",
    homepage="https://sbmi2015.na.icar.cnr.it/SBIdataset.html",
    citation=(
        "Maddalena and Petrosino, Towards Benchmarking Scene Background Initialization, ICIAP "
        "Workshops 2015, arXiv:1506.04051"
    ),
    terms="taken by its authors from other public sets; no licence is known to us; cite the paper",
    form="NAME/input/*.png with GT/GT_NAME.png, or NAME in CDnet's form",
    recognises=_recognises,
    open=_open,
)
