"""A scene from its folder: each part is read before the larger one that needs it.

The texts come first, then what the file of tensors says of itself; its numbers and the pictures are
only read once that fits. What is damaged, lies or is too large is one `SceneFileError`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cleanplate.errors import SceneFileError, shortened, shown
from cleanplate.frames import MINIMUM_SIDE, MOST_PIXELS, FrameSize, Picture
from cleanplate.scene_file import CHECKPOINT, CONFIG, FORMAT, MINOR, NOISE, PLATE, SUMMED, SceneData
from cleanplate.scene_reading.files import damaged, open_part, read_part, read_summed
from cleanplate.scene_reading.migrations import up_to_date
from cleanplate.scene_reading.pictures import decoded, read_plots, read_samples
from cleanplate.scene_reading.tensors import TensorKind, read_kinds, read_tensors
from cleanplate.scene_reading.texts import is_number, read_metrics, read_provenance
from cleanplate.untrusted import UntrustedError, parse_yaml
from cleanplate.video.value_range import ValueRange
from cleanplate.writing import current

_MOST_ENTRIES, _MOST_DEPTH = 100_000, 8
"""Of the folder, so many are searched for pickles."""
_DEVICES = ("cpu", "cuda")
_PICKLE_SUFFIXES = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"}


@dataclass(frozen=True)
class SceneHead:
    """What a scene says of itself; none of its tensors and pictures is read yet.

    Attributes:
        folder: Where it is.
        config: Contents of `config.yaml`.
        settings: All settings as a nested tree.
        frame_size: Size of the camera's frames.
        working_size: Size in which the scene was learned.
        learned_on: `cpu` or `cuda`.
        tensors: Kinds of the tensors by name.
    """

    folder: Path
    config: Mapping[str, Any]
    settings: Mapping[str, Any]
    frame_size: FrameSize
    working_size: FrameSize
    learned_on: str
    tensors: Mapping[str, TensorKind]


def read_head(folder: Path) -> SceneHead:
    """Reads what a scene says of itself, in memory that its size does not matter for.

    Raises:
        SceneFileError: It is missing, damaged, of another format, or holds a pickle.
    """
    folder = current(folder)
    config = read_config(folder)
    _refuse_pickles(folder)
    frame_size, working_size = (_size(folder, config, k) for k in ("frame_size", "working_size"))
    if working_size.height > frame_size.height or working_size.width > frame_size.width:
        raise damaged(folder, CONFIG, f"works in {working_size} on frames of {frame_size}")
    settings = config.get("settings", {})
    if not isinstance(settings, Mapping):
        raise damaged(folder, CONFIG, "settings are no tree")
    learned_on = config.get("learned_on", "cpu")
    if learned_on not in _DEVICES:
        raise damaged(folder, CONFIG, f"learned_on is {shown(learned_on)}")
    return SceneHead(
        *(
            folder,
            config,
            up_to_date(settings, _minor(folder, config)),
            frame_size,
            working_size,
            learned_on,
        ),
        tensors=read_kinds(folder),
    )


def read_scene(folder: Path, head: SceneHead | None = None) -> SceneData:
    """Reads a scene and checks every part of it.

    Args:
        folder: Of the scene.
        head: What `read_head` gave, once it has been looked at; None: it is read here.

    Raises:
        SceneFileError: It is missing, damaged, of another format, or holds a pickle.
    """
    head = head or read_head(folder)
    folder = head.folder
    for name in SUMMED:  # a file that is not there is told before a large one is read
        open_part(folder, name).close()
    plate = read_plate(folder, head)
    noise = read_summed(folder, NOISE, head.config)
    return SceneData(
        settings=head.settings,
        frame_size=head.frame_size,
        working_size=head.working_size,
        learned_on=head.learned_on,
        tensors=read_tensors(folder, head.config),
        plate=plate,
        noise=decoded(folder, noise, NOISE, tuple(head.working_size)),
        registration=_mapping(folder, head.config, "registration"),
        value_range=_value_range(folder, head.config),
        shadow=_mapping(folder, head.config, "shadow"),
        provenance=read_provenance(folder),
        metrics=read_metrics(folder),
        samples=read_samples(folder),
        plots=read_plots(folder),
    )


def read_plate(folder: Path, head: SceneHead | None = None) -> Picture:
    """The still plate of a scene alone, `(H, W, 3)`, uint8, RGB.

    Raises:
        SceneFileError: It is missing, damaged, of another format, or holds a pickle.
    """
    head = head or read_head(folder)
    content = read_summed(head.folder, PLATE, head.config)
    plate = decoded(head.folder, content, PLATE, (*head.frame_size, 3))
    return np.ascontiguousarray(plate[..., ::-1])


def read_config(folder: Path) -> dict[str, Any]:
    """Checked contents of `config.yaml`.

    Raises:
        SceneFileError: The folder is no scene, or one of another format.
    """
    folder = current(folder)
    path = folder / CONFIG
    if not _holds(folder, Path.is_dir):
        raise SceneFileError(f"{folder} is no scene: there is no such folder")
    if not _holds(path, Path.exists):
        if (folder / CHECKPOINT).exists():
            raise SceneFileError(f"learning into {folder} is not finished; go on with --resume")
        raise SceneFileError(f"{folder} is no scene: it has no {CONFIG}")
    try:
        config = parse_yaml(read_part(folder, CONFIG).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise damaged(folder, CONFIG, "is no text in UTF-8") from error
    except UntrustedError as error:
        raise damaged(folder, CONFIG, str(error)) from error
    if not isinstance(config, dict) or "format" not in config:
        raise damaged(folder, CONFIG, "does not say its format")
    if config["format"] != FORMAT or isinstance(config["format"], bool | float):
        raise SceneFileError(
            f"the scene {folder} has format {shown(config['format'])}, "
            f"this version reads format {FORMAT}"
        )
    return config


def _minor(folder: Path, config: Mapping[str, Any]) -> int:
    """Minor version of a scene; those from before there was one are 0."""
    minor = config.get("minor", 0)
    if type(minor) is not int or minor < 0:
        raise damaged(folder, CONFIG, f"minor is {shown(minor)}")
    if minor > MINOR:
        raise SceneFileError(
            f"the scene {folder} has format {FORMAT}.{minor}, this version reads format {FORMAT} "
            f"up to {FORMAT}.{MINOR}; update cleanplate"
        )
    return minor


def _refuse_pickles(folder: Path) -> None:
    waiting = [(str(folder), 0)]
    looked_at = 0
    while waiting and looked_at < _MOST_ENTRIES:
        inner, depth = waiting.pop()
        with suppress(OSError), os.scandir(inner) as entries:
            for entry in entries:
                looked_at += 1
                is_named_so = Path(entry.name).suffix.lower() in _PICKLE_SUFFIXES
                if is_named_so and entry.is_file():
                    raise SceneFileError(
                        f"the scene {folder} holds a pickle ({shortened(entry.name)}), which is "
                        "never loaded; remove it"
                    )
                if depth < _MOST_DEPTH and entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, depth + 1))


def _size(folder: Path, config: Mapping[str, Any], key: str) -> FrameSize:
    value = config.get(key)
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(type(side) is int and side >= MINIMUM_SIDE for side in value)
        and math.prod(value) <= MOST_PIXELS
    ):
        return FrameSize(*value)
    raise damaged(folder, CONFIG, f"{key} is {shown(value)}")


def _mapping(folder: Path, config: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    value = config.get(key)
    if value is None or isinstance(value, dict):
        return value
    raise damaged(folder, CONFIG, f"{key} is {shown(value)}")


def _value_range(folder: Path, config: Mapping[str, Any]) -> ValueRange | None:
    value = config.get("value_range")
    if value is None:
        return None
    if isinstance(value, list) and len(value) == 2 and all(map(is_number, value)):
        try:
            return ValueRange.checked(*map(float, value))
        except ValueError as error:
            raise damaged(folder, CONFIG, f"value_range: {shortened(error)}") from error
    raise damaged(folder, CONFIG, "value_range is not two ascending numbers")


def _holds(path: Path, question: Callable[[Path], bool]) -> bool:
    try:
        return question(path)
    except (OSError, ValueError):  # a name that is too long, or no name at all
        return False
