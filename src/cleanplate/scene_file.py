"""A learned scene on disk: one folder, plain formats, nothing pickled; `scene_reading` reads it.

::

    config.yaml         format, method, sizes, all settings, SHA-256 of the files below
    model.safetensors   the tensors of the method; no times and no paths in it
    plate.png           the learned background as one still picture, in the frames' size
    noise.png           noise of each pixel in grey levels, in the working size
    metrics.jsonl       the loss terms over the steps; metrics.csv, losses.png: the same for people
    training.jpg        a few frames as the network saw them at several moments of its training
    latent.png          the codes of the frames over time, of a network that has codes
    latent.csv          mean and spread of each number of the codes, and what else is known of it
    pictures.jpg        what else the network draws: exits, gates, generated samples
    coverage.json       how often the empty scene was seen; coverage.png: the same for people
    samples/            a few frames with background and mask, for the report
    model.onnx          the network for runtimes without torch, of a scene that was exported
    provenance.json     where it comes from: input, versions, machine, times
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from safetensors.numpy import save as save_tensors

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.video.value_range import ValueRange
from cleanplate.writing import Own, swap_in

FORMAT, MINOR = 1, 1
"""What a scene is written in. Another format is refused; of older minor versions, the names are
brought up to date when they are read (`scene_reading/migrations.py`)."""
CONFIG = "config.yaml"
MODEL = "model.safetensors"
PLATE = "plate.png"
NOISE = "noise.png"
METRICS = "metrics.jsonl"
PROVENANCE = "provenance.json"
SAMPLES = "samples"
SAMPLES_INDEX = "index.json"
CHECKPOINT = "checkpoint"
LOSS_PLOT = "losses.png"
METRICS_TABLE = "metrics.csv"
TRAINING_GRID = "training.jpg"
LATENT_PLOT = "latent.png"
LATENT_TABLE = "latent.csv"
PICTURES = "pictures.jpg"
COVERAGE = "coverage.json"
COVERAGE_PICTURE = "coverage.png"
PLOTS = (
    *(LOSS_PLOT, METRICS_TABLE, TRAINING_GRID, LATENT_PLOT, LATENT_TABLE, PICTURES),
    *(COVERAGE, COVERAGE_PICTURE),
)
REPORT = "report.html"
ONNX = "model.onnx"
EVENTS = "tensorboard"
OWN = Own.named(
    *(CONFIG, MODEL, PLATE, NOISE, METRICS, PROVENANCE, *PLOTS),
    folders={
        SAMPLES: Own(
            re.compile(r"index\.json|[0-9]{6,}-(frame|background)\.jpg|[0-9]{6,}-mask\.png")
        )
    },
)
"""What `write_scene` writes."""

SUMMED = (MODEL, PLATE, NOISE)
"""Files whose checksums stand in `config.yaml`."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame with what was made of it, for the report.

    Attributes:
        number: Frame number.
        time: Seconds from the first frame.
        picture: The frame, `(h, w, 3)`, uint8, RGB, at most 960 pixels wide.
        background: Its background, in the same size.
        mask: Its mask, in the same size.
    """

    number: int
    time: float
    picture: Picture
    background: Picture
    mask: Mask


@dataclass(frozen=True, eq=False)
class SceneData:
    """What a scene file holds, as plain values.

    Attributes:
        settings: All settings as a nested tree.
        frame_size: Size of the camera's frames.
        working_size: Size in which the scene was learned.
        learned_on: Kind of device, `cpu` or `cuda`; `auto` settings of a network look at it.
        tensors: Arrays of the method by name.
        plate: Still plate in the frame size.
        noise: Noise map in the working size.
        value_range: Values of the recording that became black and white; None: 8 bits as they are.
        registration: How frames are brought over the plate, by name; None: they are not.
        shadow: What the scene's cast shadows look like, as plain numbers; None: not known.
        provenance: Where the scene comes from.
        metrics: Lines of the log of learning.
        samples: A few frames; may be empty.
        plots: Contents of files for people, by name, out of `PLOTS`.
    """

    settings: Mapping[str, Any]
    frame_size: FrameSize
    working_size: FrameSize
    learned_on: str
    tensors: Mapping[str, NDArray[Any]]
    plate: Picture
    noise: Mask
    registration: Mapping[str, Any] | None = None
    value_range: ValueRange | None = None
    shadow: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, float]] = ()
    samples: Sequence[Sample] = ()
    plots: Mapping[str, bytes] = field(default_factory=dict)


def write_scene(folder: Path, scene: SceneData) -> None:
    """Writes a scene over the one that is there: at any moment, one of the two can be read.

    Raises:
        OutputError: It cannot be written.
    """
    contents = {
        MODEL: _tensor_file(scene.tensors),
        PLATE: png(scene.plate[..., ::-1]),
        NOISE: png(scene.noise),
        METRICS: "".join(json.dumps(line) + "\n" for line in scene.metrics).encode(),
        PROVENANCE: (json.dumps(scene.provenance, indent=2) + "\n").encode(),
    }
    config = {
        "format": FORMAT,
        "minor": MINOR,
        "frame_size": list(scene.frame_size),
        "working_size": list(scene.working_size),
        "learned_on": scene.learned_on,
        **({"value_range": list(scene.value_range)} if scene.value_range else {}),
        **({"registration": dict(scene.registration)} if scene.registration else {}),
        **({} if scene.shadow is None else {"shadow": scene.shadow}),
        "settings": scene.settings,
        "sha256": {name: hashlib.sha256(contents[name]).hexdigest() for name in SUMMED},
    }
    contents |= _sample_files(scene.samples) | dict(scene.plots)
    contents[CONFIG] = yaml.safe_dump(config, sort_keys=False).encode()
    swap_in(folder, contents, OWN)


def tensors_digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of the file that holds these tensors."""
    return hashlib.sha256(_tensor_file(tensors)).hexdigest()


def _tensor_file(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    return save_tensors({name: np.ascontiguousarray(array) for name, array in tensors.items()})


def _sample_files(samples: Sequence[Sample]) -> dict[str, bytes]:
    if not samples:
        return {}
    index = [{"number": sample.number, "time": sample.time} for sample in samples]
    files = {f"{SAMPLES}/{SAMPLES_INDEX}": (json.dumps(index) + "\n").encode()}
    for sample in samples:
        stem = f"{SAMPLES}/{sample.number:06d}"
        files[f"{stem}-frame.jpg"] = jpeg(sample.picture)
        files[f"{stem}-background.jpg"] = jpeg(sample.background)
        files[f"{stem}-mask.png"] = png(sample.mask)
    return files


def png(picture: NDArray[np.uint8]) -> bytes:
    """A picture of one channel, or of three as blue, green and red, as PNG."""
    return bytes(cv2.imencode(".png", picture)[1])


def jpeg(picture: Picture) -> bytes:
    """An RGB picture as JPEG."""
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1])
