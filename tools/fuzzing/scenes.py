"""Scenes with parts that were changed, opened and used on two frames."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import yaml

from fuzzing.mutations import (
    DUMPER,
    LOADER,
    hostile,
    mutate_bytes,
    mutate_folder,
    mutate_png,
    mutate_text,
    mutate_tree,
)
from fuzzing.painting import HEIGHT, WIDTH, paint_frames, write_folder

_METHODS = ("median", "lowrank_ae", "conv_ae", "vae", "patch_ae", "dcgan", "rgb_flow_ae")
_SUMMED = ("model.safetensors", "plate.png", "noise.png")
_MOST_PIXELS = 1 << 20
"""Of frames that are segmented here."""


def prepare(seeds: Path, methods: Sequence[str] = _METHODS, *, with_graphs: bool = True) -> None:
    """A scene of each of several methods, some with all that a scene may hold."""
    import cleanplate
    from cleanplate.scene_model import CameraMotion, SceneState
    from cleanplate.segmentation import ShadowModel

    source = write_folder(seeds / "recording", paint_frames())
    for method in methods:
        budget = "auto" if method == "median" else "2steps"
        model = {"generator": "unconditional", "search_steps": 3} if method == "dcgan" else {}
        settings = {"model": model} if model else {}
        scene = cleanplate.learn(
            source, method=method, budget=budget, device="cpu", settings=settings
        )
        scene = replace(scene, provenance=_PROVENANCE, samples=scene.samples[:2])
        if method in {"median", "lowrank_ae", "vae"}:
            plate = np.full_like(scene.plate, 90)
            whole = scene.model.corrected({0: np.ones(plate.shape, np.int16)})
            shadow = ShadowModel((-0.5, 0.0, 0.0), ((0.01, 0, 0), (0, 0.01, 0), (0, 0, 0.01)))
            other = SceneState.still("state 2", plate, scene.noise)
            whole = replace(
                whole,
                states=(replace(whole.main, shadow=shadow), other),
                camera=CameraMotion("homography", 2.5, 1),
            )
            scene = replace(scene, model=whole)
        scene.save(seeds / method)
        if with_graphs:
            _export(scene, seeds / method)


_PROVENANCE = {
    "started": "2026-01-01T00:00:00+00:00",
    "finished": "2026-01-01T00:00:09+00:00",
    "seconds": 9.0,
    "steps": 2,
    "peak_memory_bytes": 1000,
    "device": "cpu",
    "seed": 0,
    "states": {"state 1": 0.7, "state 2": 0.3},
    "input": {"name": "a/b", "sha256": "0" * 64, "frames": 12, "frames_learned_from": 12},
    "versions": {"cleanplate": "0", "python": "3"},
}


def _export(scene: Any, folder: Path) -> None:
    try:
        import onnxruntime  # noqa: F401

        from cleanplate.runtimes.onnx_export import export_onnx
    except ImportError:
        return
    if scene.settings.method in {"lowrank_ae", "conv_ae"}:
        export_onnx(scene, folder / "model.onnx")


def make(place: Path, seeds: Path, random: Random) -> str:
    """A copy of a scene with one to three changes; mostly with checksums that are right again."""
    method = random.choice([name for name in _METHODS if (seeds / name).exists()])
    scene = place / "scene"
    shutil.copytree(seeds / method, scene)
    (place / "frames.txt").write_text(str(seeds / "recording"))
    done = [method]
    changes = random.choices(_CHANGES, k=random.choice([1, 1, 1, 2, 3]))
    for change in changes:
        if change is mutate_folder:
            continue
        try:
            done.append(change(scene, random))
        except Exception:  # noqa: BLE001 - an earlier change left nothing that can be changed so
            done.append("nothing more")
    if random.random() < 0.75:
        done.append(_seal(scene))
    if mutate_folder in changes:  # nothing here may read what it leaves
        done.append(mutate_folder(scene, random))
    return ", ".join(done)


def use(place: Path, random: Random) -> None:
    """Loads the scene, segments two frames, and sometimes saves it or writes its report."""
    import cleanplate
    from cleanplate.frames import Frame
    from cleanplate.scene.run_folder import RunFolder
    from cleanplate.scene_reading import read_plate

    folder = place / "scene"
    what = random.random()
    if what < 0.03:
        read_plate(folder)
    if 0.03 < what < 0.06:
        identity = {"settings": {}, "source": "0"}
        RunFolder(folder).takes_up(identity, resume=True, overwrite=False)
    has_graph = (folder / "model.onnx").exists()
    runtime = "onnx" if has_graph and random.random() < 0.4 else "torch"
    scene = cleanplate.load(folder, device="cpu", runtime=runtime)
    assert scene.coverage is None or scene.coverage["regions"] is not None
    if scene.frame_size.pixels > _MOST_PIXELS:
        return
    size = scene.frame_size[::-1]
    pictures = [np.ascontiguousarray(cv2.resize(each, size)) for each in _frames()]
    frames = [Frame(index, index + 1, index / 25, each) for index, each in enumerate(pictures)]
    with scene.open_stream(frames) as stream:
        for result in stream:
            assert result.mask.shape == scene.frame_size
            assert result.mask.dtype == np.uint8
            assert set(np.unique(result.mask)) <= {0, 255}
            assert result.background.shape == (*scene.frame_size, 3)
    if what > 0.9:
        scene.save(place / "copy")
    if what > 0.96:
        from cleanplate.report import write_report

        write_report(folder, place / "report.html")


@lru_cache(maxsize=1)
def _frames() -> Any:
    return paint_frames()[:2]


def _seal(scene: Path) -> str:
    """Writes the checksums of the files into the settings, as a stranger could."""
    config = scene / "config.yaml"
    try:
        text = config.read_bytes()
        for name in _SUMMED:
            path = scene / name
            if path.is_file() and path.stat().st_size < 1 << 24:
                total = hashlib.sha256(path.read_bytes()).hexdigest().encode()
                head, found, rest = text.partition(f"  {name}: ".encode())
                text = head + found + total + rest[64:] if found else text
        if config.is_file() and not config.is_symlink():
            config.write_bytes(text)
    except OSError:
        return "not sealed"
    return "sealed"


def _change_config(scene: Path, random: Random) -> str:
    path = scene / "config.yaml"
    tree = copy.deepcopy(_tree_of(path.read_bytes()))
    for _ in range(random.choice([1, 1, 2])):
        if isinstance(tree, dict) and random.random() < 0.3:
            key = random.choice(["frame_size", "working_size", "shadow", "registration"])
            tree[key] = _section(key, random)
        else:
            tree = mutate_tree(tree, random)
    try:
        path.write_text(
            yaml.dump(tree, Dumper=DUMPER, sort_keys=False), encoding="utf-8", errors="replace"
        )
    except (ValueError, RecursionError):  # numbers of too many digits, or too deep
        path.write_bytes(mutate_text(path.read_bytes(), random))
    return "config"


@lru_cache(maxsize=16)
def _tree_of(config: bytes) -> Any:
    return yaml.load(config, LOADER)  # noqa: S506 - a safe one


def _section(key: str, random: Random) -> Any:
    number = random.choice([0, 1e-300, -1, 1e9, 1e300, 0.5, float("nan")])
    if key == "shadow":
        row = [number, 0.0, 0.1]
        return {"mean": [number, 0, 0], "covariance": [row, [0.0, 1.0, number], [0.1, number, 2]]}
    if key == "registration":
        motion = random.choice(["homography", "translation", "x", None])
        return {"motion": motion, "reach": number, "lost_frames": hostile(random)}
    sides = [0, 1, 15, 16, HEIGHT, WIDTH, 4096, 65536, 10**9, True, 24.0]
    return [random.choice(sides), random.choice(sides)]


def _change_text(scene: Path, random: Random) -> str:
    path = scene / random.choice(["config.yaml", *_JSON])
    path.write_bytes(mutate_text(path.read_bytes(), random))
    return f"text of {path.name}"


_JSON = ("provenance.json", "coverage.json", "samples/index.json", "metrics.jsonl")


def _change_json(scene: Path, random: Random) -> str:
    path = scene / random.choice(_JSON)
    lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    at = random.randrange(len(lines)) if lines else 0
    tree = json.loads(lines[at]) if lines else {"step": 1}
    try:
        lines[at : at + 1] = [json.dumps(mutate_tree(tree, random))]
    except (ValueError, RecursionError):
        lines[at : at + 1] = ["[" * 200_000]
    path.write_text("\n".join(lines))
    return path.name


def _change_bytes(scene: Path, random: Random) -> str:
    path = random.choice(sorted(path for path in scene.rglob("*") if path.is_file()))
    path.write_bytes(mutate_bytes(path.read_bytes(), random))
    return f"bytes of {path.name}"


def _change_tensors(scene: Path, random: Random) -> str:
    from safetensors.numpy import load, save

    path = scene / "model.safetensors"
    tensors = load(path.read_bytes())
    name = random.choice(sorted(tensors))
    array = np.array(tensors[name])
    changed = random.choice(_ARRAYS)(array, random)
    if changed is None:
        del tensors[name]
    else:
        tensors[random.choice([name, name, name, "x", "state_2_plate"])] = changed
    path.write_bytes(save(tensors))
    return f"tensor {name}"


def _filled(array: Any, random: Random) -> Any:
    values = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e30, 1e10, -1e5, 0, 1e-40]
    if array.dtype.kind != "f":
        info = np.iinfo(array.dtype) if array.dtype.kind in "iu" else np.iinfo(np.uint8)
        return np.full_like(array, random.choice([info.min, info.max]))
    value = np.float32(random.choice(values))
    if random.random() < 0.5:
        return np.full_like(array, value)
    array.reshape(-1)[: random.choice([1, 5])] = value
    return array


def _scaled(array: Any, random: Random) -> Any:
    with np.errstate(all="ignore"):
        return (array.astype(float) * random.choice([-1.0, 1e3, 1e10, 1e37])).astype(array.dtype)


_ARRAYS: tuple[Callable[[Any, Random], Any], ...] = (
    _filled,
    _filled,
    _filled,
    _scaled,
    lambda array, random: (
        array.astype(random.choice(["f8", "f2", "i8", "u1", "?"]), casting="unsafe")
        if array.dtype.kind != "f"
        else array.astype("f8")
    ),
    lambda array, _: array[..., :0],
    lambda array, _: array[None],
    lambda array, _: array.T,
    lambda array, _: np.concatenate([array, array]) if array.ndim else array,
    lambda *_: None,
)


def _change_header(scene: Path, random: Random) -> str:
    path = scene / "model.safetensors"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    if random.random() < 0.3:
        lie = random.choice([0, 1, length - 1, length + 8, 1 << 20, 1 << 40, (1 << 64) - 1])
        path.write_bytes(lie.to_bytes(8, "little") + content[8:])
        return f"length of header {lie}"
    tree = mutate_tree(json.loads(content[8 : 8 + length]), random)
    try:
        header = json.dumps(tree).encode()
    except (ValueError, RecursionError):
        header = b"[" * 100_000
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
    return "header of tensors"


def _change_picture(scene: Path, random: Random) -> str:
    path = random.choice(sorted(scene.rglob("*.png")))
    content = path.read_bytes()
    if random.random() < 0.6:
        path.write_bytes(mutate_png(content, random))
        return f"header of {path.name}"
    shape = random.choice(
        [(HEIGHT, WIDTH), (HEIGHT, WIDTH, 3), (HEIGHT, WIDTH, 4), (1, 1), (500, 500)]
    )
    kind = random.choice([np.uint8, np.uint8, np.uint16])
    ending = random.choice([".png", ".png", ".jpg", ".tiff"])
    picture = np.full(shape, 77, np.uint8 if ending == ".jpg" else kind)
    path.write_bytes(cv2.imencode(ending, picture[..., :3] if ending == ".jpg" else picture)[1])
    return f"another picture as {path.name}"


_CHANGES: tuple[Callable[[Path, Random], str], ...] = (
    _change_config,
    _change_config,
    _change_config,
    _change_config,
    _change_text,
    _change_json,
    _change_json,
    _change_bytes,
    _change_bytes,
    _change_tensors,
    _change_tensors,
    _change_tensors,
    _change_header,
    _change_picture,
    mutate_folder,
)
