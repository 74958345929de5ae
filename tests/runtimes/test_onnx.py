"""A network as an ONNX file gives what it gives in torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import cleanplate
from changed_scenes import with_correction
from cleanplate.architectures import architecture_summaries
from cleanplate.errors import OutputError, SettingsError
from cleanplate.runtimes.onnx_export import export_onnx
from cleanplate.scene.state_tensors import tensors_of
from cleanplate.tensor_tools.batch import make_batch
from families import some_nightly
from scenes import PaintedScene, paint_scene, write_image_folder

onnxruntime = pytest.importorskip("onnxruntime")
PAINTED = paint_scene(41, 57, 10, drift=20)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("recording"), PAINTED.frames)


def learned(recording: Path, method: str, **settings: object) -> cleanplate.Scene:
    tree = {"model": settings} if settings else None
    return cleanplate.learn(recording, method=method, budget="8steps", device="cpu", settings=tree)


def largest_difference(scene: cleanplate.Scene, painted: PaintedScene, path: Path) -> float:
    network = scene.model.main.estimator.network
    assert network is not None
    model = network.model
    batch = make_batch(painted.frames, painted.extras(model.modalities))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {"rgb": batch.rgb.numpy()} | {str(k): v.numpy() for k, v in batch.extras.items()}
    assert {each.name for each in session.get_inputs()} == set(feed)
    (found,) = session.run(["background"], feed)
    with torch.no_grad():
        expected = model.estimate_background(batch).clamp(0, 1).numpy()
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("method", some_nightly(architecture_summaries()))
def test_every_method_can_be_exported(method: str, recording: Path, tmp_path: Path) -> None:
    scene = learned(recording, method)
    path = export_onnx(scene, tmp_path / "new" / "scene.onnx")
    # Learned from and tried on ten frames, traced with two: any number of frames will do.
    assert largest_difference(scene, PAINTED, path) < 1e-4


def test_what_mends_the_background_is_in_the_graph(recording: Path, tmp_path: Path) -> None:
    scene = learned(recording, "conv_ae")
    repair = np.zeros((*PAINTED.size, 3), np.int16)
    repair[5:20, 7:30] = (40, -200, 9)
    corrected = with_correction(scene, repair)
    path = export_onnx(corrected, tmp_path / "scene.onnx")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(["background"], {"rgb": make_batch(PAINTED.frames, {}).rgb.numpy()})
    expected = corrected.model.main.estimate(PAINTED.frames)
    assert np.abs(found.transpose(0, 2, 3, 1) * 255 - expected).max() < 1.01
    assert np.abs(expected.astype(int) - scene.model.main.estimate(PAINTED.frames)).max() > 50


def test_a_correction_that_was_exported_is_added_once_and_later_ones_to_it(
    recording: Path, tmp_path: Path
) -> None:
    first, later = np.zeros((2, *PAINTED.size, 3), np.int16)
    first[5:20, 7:30] = (40, -60, 9)
    later[10:30, 20:40] = (-30, 20, 50)
    scene = with_correction(learned(recording, "conv_ae"), first)
    scene.save(tmp_path / "run")
    export_onnx(scene, tmp_path / "run" / "model.onnx")
    model = cleanplate.load(tmp_path / "run", runtime="onnx").model
    expected = scene.model.main.estimate(PAINTED.frames)
    found = model.main.estimate(PAINTED.frames)
    assert np.abs(found.astype(int) - expected).max() <= 1
    corrected = model.corrected({0: later})
    changed = corrected.main.estimate(PAINTED.frames)
    assert np.array_equal(changed, np.clip(found + later, 0, 255))
    assert np.array_equal(tensors_of(corrected)["ghost_repair"], first + later)


def test_what_goes_past_black_or_white_is_held_in_range(recording: Path, tmp_path: Path) -> None:
    scene = learned(recording, "conv_ae")
    network = scene.model.main.estimator.network
    assert network is not None
    view = network.model.get_submodule("view")
    view.get_buffer("plate")[..., :9] = -2
    view.get_buffer("plate")[..., 9:20] = 3
    path = export_onnx(scene, tmp_path / "scene.onnx")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(["background"], {"rgb": make_batch(PAINTED.frames, {}).rgb.numpy()})
    assert (found[..., :9] == 0).all()
    assert (found[..., 9:20] == 1).all()


def test_exporting_leaves_the_scene_as_it_was(recording: Path, tmp_path: Path) -> None:
    scene = learned(recording, "conv_ae")
    before = scene.model.main.estimate(PAINTED.frames)
    export_onnx(scene, tmp_path / "scene.onnx")
    np.testing.assert_array_equal(scene.model.main.estimate(PAINTED.frames), before)
    network = scene.model.main.estimator.network
    assert network is not None
    assert all(parameter.requires_grad for parameter in network.model.parameters())


def test_what_is_no_single_graph_is_refused(recording: Path, tmp_path: Path) -> None:
    scene = learned(recording, "dcgan", generator="unconditional", search_steps=2)
    with pytest.raises(SettingsError, match="no single graph"):
        export_onnx(scene, tmp_path / "scene.onnx")


def test_a_still_plate_is_refused(recording: Path, tmp_path: Path) -> None:
    scene = cleanplate.learn(recording, method="median")
    with pytest.raises(SettingsError, match="one still picture and no network"):
        export_onnx(scene, tmp_path / "scene.onnx")


def test_without_the_extra_the_user_is_told(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = learned(recording, "conv_ae")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match=r"pip install 'cleanplate\[onnx\]'"):
        export_onnx(scene, tmp_path / "scene.onnx")


def test_a_file_in_the_way_of_the_folder_is_named(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="the network could not be written"):
        export_onnx(learned(recording, "conv_ae"), tmp_path / "file" / "scene.onnx")
