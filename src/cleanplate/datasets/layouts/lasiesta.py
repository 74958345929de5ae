"""LASIESTA: indoor and outdoor sequences whose objects are labelled by colours.

Unpacked one by one, or all into one folder::

    I_SI_01/I_SI_01/I_SI_01-1.bmp              I_SI_01/I_SI_01-1.bmp
    I_SI_01/I_SI_01-GT/I_SI_01-GT_1.png        I_SI_01-GT/I_SI_01-GT_1.png

Colours of the truth, after its authors' page: black is background; red, green and yellow are the
moving objects 1, 2 and 3; white is a moving object that stays still, which counts as moving, as it
does in CDnet; grey (128) is uncertain and is not scored. Shadows are not labelled.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from cleanplate.datasets.base import (
    MOVING,
    STATIC,
    UNKNOWN,
    LabelMap,
    numbered_pictures,
    read_picture_file,
)
from cleanplate.datasets.sequence import DataSet, LabelPictures, VideoSequence
from cleanplate.errors import GroundTruthError
from cleanplate.frames import FrameSize

FORM = "I_SI_01/I_SI_01-N.bmp and I_SI_01-GT/I_SI_01-GT_N.png"
TRUTH_ENDINGS = ("-GT", "_GT")
COLOURS = {
    (0, 0, 0): STATIC,
    (255, 0, 0): MOVING,
    (0, 255, 0): MOVING,
    (255, 255, 0): MOVING,
    (255, 255, 255): MOVING,
    (128, 128, 128): UNKNOWN,
}
"""Label of each colour (red, green, blue)."""
CATEGORIES = {
    "I_BS": "bootstrap",
    "I_CA": "camouflage",
    "I_IL": "illumination changes",
    "I_MB": "modified background",
    "I_MC": "moving camera, indoors",
    "I_OC": "occlusions",
    "I_SI": "simple sequences",
    "I_SM": "simulated motion, indoors",
    "O_CL": "cloudy conditions",
    "O_MC": "moving camera, outdoors",
    "O_RA": "rainy conditions",
    "O_SM": "simulated motion, outdoors",
    "O_SN": "snowy conditions",
    "O_SU": "sunny conditions",
}
_NAME = re.compile(r"[IO]_[A-Z]{2}_[0-9]{2}")


def _recognises(folder: Path) -> bool:
    return _locate(folder) is not None


def _open(folder: Path) -> VideoSequence:
    place = _locate(folder)
    assert place is not None
    frames, truth = place
    files = numbered_pictures(truth, prefix=folder.name, error=GroundTruthError)
    if not files:
        raise GroundTruthError(f"'{truth}' holds no numbered picture; expected is {FORM}")
    numbers = tuple(files)
    return VideoSequence(
        name=folder.name,
        folder=folder,
        size=FrameSize(*read_colour_labels(files[numbers[0]]).shape),
        source=frames,
        category=CATEGORIES.get(folder.name[:4]),
        numbers=numbers,
        labels=LabelPictures(files, read_colour_labels),
    )


def _locate(folder: Path) -> tuple[Path, Path] | None:
    """Folders of the frames and of the truth; None where a folder is none of this set."""
    name = folder.name
    if not _NAME.fullmatch(name):
        return None
    for inside in (folder, folder.parent):
        for end in TRUTH_ENDINGS:
            truth = inside / (name + end)
            if (inside / name).is_dir() and truth.is_dir():
                return inside / name, truth
    return None


def read_colour_labels(path: Path) -> LabelMap:
    """Labels of a picture in LASIESTA's colours, `(H, W)`, uint8, CDnet's values.

    Raises:
        GroundTruthError: The picture is damaged, or holds a colour that is no label.
    """
    picture = read_picture_file(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise GroundTruthError(
            f"'{path}' cannot be read as a picture; write it again, for example as PNG"
        )
    blue, green, red = np.moveaxis(picture.astype(np.uint32), -1, 0)
    codes = red << 16 | green << 8 | blue
    labels = np.zeros(codes.shape, np.uint8)
    is_known = np.zeros(codes.shape, np.bool_)
    for (level_red, level_green, level_blue), label in COLOURS.items():
        here = codes == (level_red << 16 | level_green << 8 | level_blue)
        labels[here] = label
        is_known |= here
    if not is_known.all():
        code = int(codes[~is_known][0])
        colour = (code >> 16, code >> 8 & 255, code & 255)
        raise GroundTruthError(
            f"'{path}' holds the colour {colour}, which is no label; the labels are black, red, "
            "green, yellow, white and grey (128, 128, 128)"
        )
    return labels


DATASET = DataSet(
    title="LASIESTA",
    homepage="https://www.gti.ssr.upm.es/data/LASIESTA",
    citation=(
        "Cuevas, Yáñez and García, Labeled dataset for integral evaluation of moving object "
        "detection algorithms: LASIESTA, Computer Vision and Image Understanding 152, 2016"
    ),
    terms="see its page; cite the paper; its archives are RAR files, which you unpack yourself",
    form=FORM,
    recognises=_recognises,
    open=_open,
)
