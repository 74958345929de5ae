"""SBMnet 2016: recordings with one or several true plates, and no labels.

::

    CATEGORY/SEQUENCE/
      input/in000001.jpg
      GT_background1.jpg        the true empty scene, in the folder itself or in GT/;
      GT_background2.jpg        more where the scene itself changes
"""

from __future__ import annotations

from pathlib import Path

from cleanplate.datasets.layouts.cdnet import has_form
from cleanplate.datasets.sequence import Archives, DataSet, VideoSequence, true_plates
from cleanplate.datasets.sizes import picture_size
from cleanplate.errors import GroundTruthError

INPUT_FOLDER = "input"
CATEGORIES = (
    "backgroundMotion",
    "basic",
    "clutter",
    "illuminationChanges",
    "intermittentMotion",
    "jitter",
    "veryLong",
    "veryShort",
)


def _recognises(folder: Path) -> bool:
    if has_form(folder) or not (folder / INPUT_FOLDER).is_dir():
        return False
    plates = true_plates(folder)
    is_numbered = any(plate.picture.stem[-1].isdigit() for plate in plates)
    return is_numbered or bool(plates and folder.parent.name in CATEGORIES)


def _open(folder: Path) -> VideoSequence:
    plates = true_plates(folder)
    parent = folder.parent.name
    return VideoSequence(
        name=folder.name,
        folder=folder,
        size=picture_size(plates[0].picture, error=GroundTruthError),
        source=folder / INPUT_FOLDER,
        category=parent if parent in CATEGORIES else None,
        plates=plates,
    )


DATASET = DataSet(
    title="SBMnet 2016 (scenebackgroundmodeling.net)",
    homepage="http://scenebackgroundmodeling.net",
    citation=(
        "Jodoin, Maddalena, Petrosino and Wang, Extensive Benchmark and Survey of Modeling Methods "
        "for Scene Background Initialization, IEEE Transactions on Image Processing 26 (11), 2017"
    ),
    terms="for research; no licence is known to us; cite the paper",
    form="input/inNNNNNN.jpg and GT_background1.jpg (or GT/GT_background1.jpg)",
    recognises=_recognises,
    open=_open,
    archives=Archives(
        address="http://pione.dinf.usherbrooke.ca/static/dataset/{part}.zip",
        whole=("SBMnet_dataset",),
        example="clutter/IndianTraffic3",
    ),
)
