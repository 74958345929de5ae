"""A learned scene on disk: one folder, plain formats, nothing pickled.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from cleanplate.errors import OutputError, SceneFileError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.video.value_range import ValueRange

FORMAT = 1
CONFIG = "config.yaml"
MODEL = "model.safetensors"
PLATE = "plate.png"
NOISE = "noise.png"
METRICS = "metrics.jsonl"
PROVENANCE = "provenance.json"
SAMPLES = "samples"
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

_COVERAGE_KEYS = {"samples", "mean_seen", "doubtful_share", "sentence", "regions"}
_SUMMED = (MODEL, PLATE, NOISE)
_PICKLE_SUFFIXES = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"}
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


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
    """Writes a scene; `config.yaml` comes last, so that a folder without it is not a scene.

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
        "frame_size": list(scene.frame_size),
        "working_size": list(scene.working_size),
        "learned_on": scene.learned_on,
        **({"value_range": list(scene.value_range)} if scene.value_range else {}),
        **({"registration": dict(scene.registration)} if scene.registration else {}),
        **({} if scene.shadow is None else {"shadow": scene.shadow}),
        "settings": scene.settings,
        "sha256": {name: hashlib.sha256(contents[name]).hexdigest() for name in _SUMMED},
    }
    contents |= _sample_files(scene.samples) | dict(scene.plots)
    contents[CONFIG] = yaml.safe_dump(config, sort_keys=False).encode()
    try:
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.partial")
            partial.write_bytes(content)
            partial.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write the scene to {folder}: {error.strerror}") from error


def read_scene(folder: Path) -> SceneData:
    """Reads a scene and checks every part of it.

    Raises:
        SceneFileError: It is missing, damaged, of another format, or holds a pickle.
    """
    config = read_config(folder)
    _refuse_pickles(folder)
    contents = {name: _read_summed(folder, name, config) for name in _SUMMED}
    frame_size = _size(folder, config, "frame_size")
    working_size = _size(folder, config, "working_size")
    try:
        tensors = load_tensors(contents[MODEL])
    except (SafetensorError, ValueError) as error:
        raise SceneFileError(f"{MODEL} of the scene {folder} is damaged: {error}") from error
    plate = _decoded(folder, contents[PLATE], PLATE, (*frame_size, 3))
    return SceneData(
        settings=_named_as_now(config.get("settings", {})),
        frame_size=frame_size,
        working_size=working_size,
        learned_on=str(config.get("learned_on", "cpu")),
        tensors=tensors,
        plate=np.ascontiguousarray(plate[..., ::-1]),
        noise=_decoded(folder, contents[NOISE], NOISE, tuple(working_size)),
        registration=_registration(folder, config),
        value_range=_value_range(folder, config),
        shadow=config.get("shadow"),
        provenance=_read_provenance(folder),
        metrics=_read_metrics(folder / METRICS),
        samples=_read_samples(folder / SAMPLES),
        plots={name: (folder / name).read_bytes() for name in PLOTS if (folder / name).exists()},
    )


def read_config(folder: Path) -> dict[str, Any]:
    """Checked contents of `config.yaml`.

    Raises:
        SceneFileError: The folder is no scene, or one of another format.
    """
    path = folder / CONFIG
    if not folder.is_dir():
        raise SceneFileError(f"{folder} is no scene: there is no such folder")
    if not path.exists():
        if (folder / CHECKPOINT).exists():
            raise SceneFileError(f"learning into {folder} is not finished; go on with --resume")
        raise SceneFileError(f"{folder} is no scene: it has no {CONFIG}")
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SceneFileError(f"{path} is damaged: it is not YAML that can be read") from error
    if not isinstance(config, dict) or "format" not in config:
        raise SceneFileError(f"{path} is damaged: it does not say its format")
    if config["format"] != FORMAT:
        raise SceneFileError(
            f"the scene {folder} has format {config['format']}, this version reads format {FORMAT}"
        )
    return config


def _named_as_now(settings: Any) -> Any:
    """Settings of a scene, also of one that was kept when one of them had another name."""
    training = settings.get("training") if isinstance(settings, Mapping) else None
    if not isinstance(training, Mapping) or "mixed_precision" not in training:
        return settings
    kept = {name: value for name, value in training.items() if name != "mixed_precision"}
    precision = "auto" if training["mixed_precision"] else "float32"
    return {**settings, "training": {"precision": precision, **kept}}


def tensors_digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of the file that holds these tensors."""
    return hashlib.sha256(_tensor_file(tensors)).hexdigest()


def _tensor_file(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    return save_tensors({name: np.ascontiguousarray(array) for name, array in tensors.items()})


def _read_summed(folder: Path, name: str, config: Mapping[str, Any]) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise SceneFileError(f"{name} of the scene {folder} cannot be read") from error
    if holds_pickle(content):
        raise SceneFileError(f"{name} of the scene {folder} holds a pickle, which is never loaded")
    sums = config.get("sha256")
    expected = sums.get(name) if isinstance(sums, dict) else None
    if hashlib.sha256(content).hexdigest() != expected:
        raise SceneFileError(
            f"{name} of the scene {folder} is damaged: it is not what {CONFIG} describes"
        )
    return content


def holds_pickle(content: bytes) -> bool:
    """Whether bytes begin like a pickle or like an archive of one."""
    # A tensor file may begin alike: the length of its header, then the header's "{".
    return content.startswith(_PICKLE_STARTS) and content[8:9] != b"{"


def _refuse_pickles(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in _PICKLE_SUFFIXES:
            raise SceneFileError(
                f"the scene {folder} holds a pickle ({path.name}), which is never loaded; remove it"
            )


def _size(folder: Path, config: Mapping[str, Any], key: str) -> FrameSize:
    value = config.get(key)
    if isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value):
        return FrameSize(*value)
    raise SceneFileError(f"{CONFIG} of the scene {folder} is damaged: {key} is {value!r}")


def _registration(folder: Path, config: Mapping[str, Any]) -> dict[str, Any] | None:
    value = config.get("registration")
    if value is None or isinstance(value, dict):
        return value
    raise SceneFileError(f"{CONFIG} of the scene {folder} is damaged: registration is {value!r}")


def _value_range(folder: Path, config: Mapping[str, Any]) -> ValueRange | None:
    value = config.get("value_range")
    if value is None:
        return None
    try:
        return ValueRange.checked(*(float(end) for end in value))
    except (TypeError, ValueError, OverflowError) as error:
        raise SceneFileError(
            f"{CONFIG} of the scene {folder} is damaged: value_range is not two ascending numbers"
        ) from error


def _decoded(folder: Path, content: bytes, name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.shape != shape or picture.dtype != np.uint8:
        raise SceneFileError(f"{name} of the scene {folder} is damaged: not a picture of its size")
    return picture


def _read_provenance(folder: Path) -> dict[str, Any]:
    try:
        value = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SceneFileError(f"{PROVENANCE} of the scene {folder} is damaged") from error
    if not isinstance(value, dict):
        raise SceneFileError(f"{PROVENANCE} of the scene {folder} is damaged")
    return value


def _read_metrics(path: Path) -> list[dict[str, float]]:
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise SceneFileError(f"{path} is damaged: a line is not JSON") from error


def read_coverage(content: bytes) -> dict[str, Any]:
    """Checked contents of `coverage.json`.

    Raises:
        SceneFileError: They are damaged.
    """
    try:
        value = json.loads(content)
    except ValueError as error:
        raise SceneFileError(f"{COVERAGE} is damaged: it is not JSON; remove it") from error
    if not isinstance(value, dict) or not value.keys() >= _COVERAGE_KEYS:
        raise SceneFileError(f"{COVERAGE} is damaged: it lacks figures; remove it")
    return value


def _sample_files(samples: Sequence[Sample]) -> dict[str, bytes]:
    if not samples:
        return {}
    index = [{"number": sample.number, "time": sample.time} for sample in samples]
    files = {f"{SAMPLES}/index.json": (json.dumps(index) + "\n").encode()}
    for sample in samples:
        stem = f"{SAMPLES}/{sample.number:06d}"
        files[f"{stem}-frame.jpg"] = jpeg(sample.picture)
        files[f"{stem}-background.jpg"] = jpeg(sample.background)
        files[f"{stem}-mask.png"] = png(sample.mask)
    return files


def _read_samples(folder: Path) -> list[Sample]:
    index = folder / "index.json"
    if not index.exists():
        return []
    try:
        return [_read_sample(folder, **entry) for entry in json.loads(index.read_text())]
    except (OSError, ValueError, TypeError) as error:
        raise SceneFileError(f"the samples in {folder} are damaged; remove that folder") from error


def _read_sample(folder: Path, *, number: int, time: float) -> Sample:
    stem = folder / f"{number:06d}"
    picture = cv2.imread(f"{stem}-frame.jpg", cv2.IMREAD_COLOR_RGB)
    background = cv2.imread(f"{stem}-background.jpg", cv2.IMREAD_COLOR_RGB)
    mask = cv2.imread(f"{stem}-mask.png", cv2.IMREAD_GRAYSCALE)
    if picture is None or background is None or mask is None:
        raise ValueError(f"sample {number} cannot be read")
    return Sample(number, time, picture, background, mask)


def png(picture: NDArray[np.uint8]) -> bytes:
    """A picture of one channel, or of three as blue, green and red, as PNG."""
    return bytes(cv2.imencode(".png", picture)[1])


def jpeg(picture: Picture) -> bytes:
    """An RGB picture as JPEG."""
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1])
