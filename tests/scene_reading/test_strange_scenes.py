"""Scenes as strangers may write them: refused by our error before they cost time or memory."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from safetensors.numpy import load, save

import cleanplate
from cleanplate.errors import SceneFileError
from cleanplate.frames import Frame
from cleanplate.report import write_report
from cleanplate.scene_reading import read_plate
from scenes import paint_scene, write_image_folder

SUMMED = ("model.safetensors", "plate.png", "noise.png")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stranger")
    source = write_image_folder(folder / "recording", paint_scene(24, 32, 12).frames)
    cleanplate.learn(source, out=folder / "run", method="conv_ae", budget="2steps", device="cpu")
    return folder / "run"


@pytest.fixture
def scene(run: Path, tmp_path: Path) -> Path:
    cleanplate.load(run).save(tmp_path / "scene")
    return tmp_path / "scene"


def change(scene: Path, changed: Callable[[dict[str, Any]], object] = id) -> None:
    """Changes the settings, with checksums that are right, as a stranger could."""
    config = yaml.safe_load((scene / "config.yaml").read_text())
    for name in SUMMED:
        if (scene / name).is_file():
            config["sha256"][name] = hashlib.sha256((scene / name).read_bytes()).hexdigest()
    changed(config)
    (scene / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def refusal(scene: Path) -> str:
    with pytest.raises(SceneFileError) as raised:
        cleanplate.load(scene, device="cpu")
    text = str(raised.value)
    assert text.isprintable()
    assert len(text) < 700
    return text


@pytest.mark.parametrize("name", ["config.yaml", "model.safetensors", "plate.png", "metrics.jsonl"])
class TestKindsOfFiles:
    def test_a_pipe(self, scene: Path, name: str) -> None:
        (scene / name).unlink()
        os.mkfifo(scene / name)
        assert f"{name} of the scene" in refusal(scene)

    def test_a_link_out_of_the_folder(self, scene: Path, name: str, tmp_path: Path) -> None:
        (scene / name).rename(tmp_path / name)
        (scene / name).symlink_to(tmp_path / name)
        assert "is a link out of its folder" in refusal(scene)

    def test_a_link_to_a_device(self, scene: Path, name: str) -> None:
        (scene / name).unlink()
        (scene / name).symlink_to("/dev/zero")
        assert "is a link out of its folder" in refusal(scene)

    def test_an_enormous_file(self, scene: Path, name: str) -> None:
        with (scene / name).open("r+b") as file:
            file.truncate(1 << 40)
        assert "is larger than" in refusal(scene)

    def test_a_folder(self, scene: Path, name: str) -> None:
        (scene / name).unlink()
        (scene / name).mkdir()
        assert f"{name} of the scene" in refusal(scene)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("frame_size", [10**9, 10**9]),
        ("frame_size", [True, 32]),
        ("frame_size", [24.0, 32.0]),
        ("working_size", [48, 64]),
        ("working_size", [1, 1]),
        ("settings", [1, 2]),
        ("settings", None),
        ("learned_on", "meta"),
        ("learned_on", {"a": 1}),
        ("registration", {"motion": "homography", "reach": 1.0, "lost_frames": "many"}),
        ("registration", {"motion": "homography", "reach": float("nan")}),
        ("registration", {"motion": ["homography"], "reach": 1.0}),
        ("registration", "translation"),
        ("shadow", {"mean": [0, 0, float("inf")], "covariance": np.eye(3).tolist()}),
        ("shadow", {"mean": [0, 0, 0], "covariance": (np.eye(3) * 1e-300).tolist()}),
        ("shadow", {"mean": [0, 0, 0], "covariance": (np.eye(3) * float("nan")).tolist()}),
        ("shadow", {"mean": [[0], 0, 0], "covariance": np.eye(3).tolist()}),
        ("shadow", {"mean": [0, 0, 0], "covariance": [[1, 9, 9], [0, 1, 9], [0, 0, 1]]}),
        ("shadow", [1]),
        ("format", True),
        ("format", "x" * 100_000),
        ("sha256", "none"),
    ],
)
def test_values_that_make_no_sense_are_refused(scene: Path, key: str, value: object) -> None:
    change(scene, lambda config: config.update({key: value}))
    refusal(scene)


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [
        ("model", "width", 10**9),
        ("model", "width", 5000),
        ("model", "latent_dim", 10**12),
        ("model", "width", float("nan")),
        ("model", "x" * 100_000, 1),
        ("segmentation", "threshold", "y" * 100_000),
        ("segmentation", "blur", 1e9),
        ("segmentation", "noise_factor", float("inf")),
        ("training", "batch_size", 2**70),
    ],
)
def test_settings_that_would_cost_much_are_refused(
    scene: Path, group: str, key: str, value: object
) -> None:
    change(scene, lambda config: config["settings"][group].update({key: value}))
    refusal(scene)


def test_tensors_that_are_not_finite_are_refused(scene: Path) -> None:
    for value in (np.nan, np.inf, -np.inf):
        tensors = load((scene / "model.safetensors").read_bytes())
        name = next(name for name in sorted(tensors) if tensors[name].dtype == np.float32)
        tensors[name] = tensors[name].copy()
        tensors[name].flat[0] = value
        (scene / "model.safetensors").write_bytes(save(tensors))
        change(scene)
        assert "holds numbers that are not finite" in refusal(scene)


@pytest.mark.parametrize(
    "lie",
    [
        {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2**80], "data_offsets": [0, 4]},
        {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]},
        7,
    ],
)
def test_a_header_of_tensors_that_lies_is_refused(scene: Path, lie: object) -> None:
    header = json.dumps({"plate": lie}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(4)
    (scene / "model.safetensors").write_bytes(content)
    change(scene)
    assert "header" in refusal(scene)


@pytest.mark.parametrize("length", [0, 1, 1 << 30, (1 << 64) - 1])
def test_a_header_of_another_length_is_refused(scene: Path, length: int) -> None:
    content = (scene / "model.safetensors").read_bytes()
    (scene / "model.safetensors").write_bytes(length.to_bytes(8, "little") + content[8:])
    change(scene)
    assert "header" in refusal(scene)


def bomb(content: bytes, side: int) -> bytes:
    header = struct.pack(">II", side, side) + content[24:29]
    return content[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + content[33:]


@pytest.mark.parametrize("name", ["plate.png", "noise.png", "coverage.png"])
def test_a_small_picture_that_claims_to_be_enormous_is_refused(scene: Path, name: str) -> None:
    (scene / name).write_bytes(bomb((scene / name).read_bytes(), 30_000))
    change(scene)
    assert name in refusal(scene)


def test_samples_that_claim_to_be_enormous_are_refused(scene: Path) -> None:
    mask = sorted((scene / "samples").glob("*-mask.png"))[0]
    mask.write_bytes(bomb(mask.read_bytes(), 30_000))
    assert "samples" in refusal(scene)


@pytest.mark.parametrize(
    "index",
    [
        "[" * 5000,
        '[{"number": 1e400, "time": 0}]',
        '[{"number": "../../x", "time": 0}]',
        "[7]",
        "{}",
    ],
)
def test_an_index_of_samples_that_is_none_is_refused(scene: Path, index: str) -> None:
    (scene / "samples" / "index.json").write_text(index)
    assert "samples" in refusal(scene)


@pytest.mark.parametrize(
    "line",
    ['{"step": NaN}', '{"step": 1, "$\\\\frac": 2}', "[" * 9000, '{"a": {"b": 1}}', "7", "{}"],
)
def test_a_log_that_is_none_is_refused(scene: Path, line: str) -> None:
    (scene / "metrics.jsonl").write_text(line + "\n")
    assert "metrics.jsonl" in refusal(scene)


@pytest.mark.parametrize("text", ["[1]", '{"a": 1e400}', '{"a": ' + "9" * 5000 + "}", "{" * 90_000])
def test_provenance_that_is_none_is_refused(scene: Path, text: str) -> None:
    (scene / "provenance.json").write_text(text)
    assert "provenance.json" in refusal(scene)


def test_a_log_of_very_many_lines_is_refused(scene: Path) -> None:
    (scene / "metrics.jsonl").write_text('{"step":1}\n' * 300_000)
    assert "200,000 lines" in refusal(scene)


def test_folders_within_folders_do_not_matter(scene: Path) -> None:
    try:
        inner = os.open(scene, os.O_RDONLY)
        for _ in range(1500):
            os.mkdir("x", dir_fd=inner)
            deeper = os.open("x", os.O_RDONLY, dir_fd=inner)
            os.close(inner)
            inner = deeper
        os.close(inner)
        assert cleanplate.load(scene, device="cpu").frame_size == (24, 32)
    finally:  # Python would go in too deeply to remove them
        subprocess.run(["rm", "-rf", scene / "x"], check=True)


def test_a_name_that_is_none_is_no_scene() -> None:
    for name in ("x" * 5000, "a\0b", ""):
        with pytest.raises(SceneFileError):
            cleanplate.load(name)


def test_a_plate_is_read_without_the_tensors(scene: Path) -> None:
    assert read_plate(scene).shape == (24, 32, 3)


def test_large_but_finite_weights_give_a_mask(scene: Path) -> None:
    tensors = load((scene / "model.safetensors").read_bytes())
    tensors = {
        name: np.full_like(array, 1e38) if array.dtype == np.float32 else array
        for name, array in tensors.items()
    }
    (scene / "model.safetensors").write_bytes(save(tensors))
    change(scene)
    frames = paint_scene(24, 32, 2).frames
    shown = [Frame(i, i + 1, i / 25, frame) for i, frame in enumerate(frames)]
    masks = [result.mask for result in cleanplate.load(scene).segment(shown)]
    assert set(np.unique(np.stack(masks))) <= {0, 255}


def test_a_report_takes_odd_origins(scene: Path, tmp_path: Path) -> None:
    origins = {"states": {"a": "x", "b": [1]}, "input": [1], "finished": {"x": 1}, "seconds": "x"}
    (scene / "provenance.json").write_text(json.dumps(origins))
    assert write_report(scene, tmp_path / "report.html").exists()


def test_another_picture_of_a_sample_is_refused(scene: Path) -> None:
    picture = sorted((scene / "samples").glob("*-frame.jpg"))[0]
    picture.write_bytes(cv2.imencode(".jpg", np.zeros((50, 50, 3), np.uint8))[1].tobytes())
    assert "several sizes" in refusal(scene)
