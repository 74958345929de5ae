"""What a run leaves of the inside of its network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import cleanplate
from cleanplate.architectures.vae import VAE
from cleanplate.tensor_tools.batch import make_batch
from scenes import paint_scene, write_image_folder


def learn(
    method: str, tmp_path: Path, *, size: tuple[int, int] = (40, 56), **settings: object
) -> Path:
    recording = write_image_folder(tmp_path / "recording", paint_scene(*size, 12).frames)
    tree = {"training": settings} if settings else None
    run = tmp_path / method
    cleanplate.learn(
        recording, out=run, method=method, budget="5steps", device="cpu", settings=tree
    )
    return run


def test_a_network_with_codes_leaves_their_way(tmp_path: Path) -> None:
    run = learn("conv_ae", tmp_path)
    assert (run / "latent.png").read_bytes().startswith(b"\x89PNG")
    lines = (run / "latent.csv").read_text().splitlines()
    assert lines[0] == "number,mean,standard_deviation"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", "4"]
    assert not (run / "pictures.jpg").exists()


def test_the_divergence_of_each_number_of_a_code_is_reported(tmp_path: Path) -> None:
    run = learn("vae", tmp_path)
    scene, painted = cleanplate.load(run, device="cpu"), paint_scene(40, 56, 12)
    network = scene.model.main.estimator.network
    assert network is not None
    model = network.model
    assert isinstance(model, VAE)
    batch = make_batch(painted.frames, {})
    with torch.no_grad():
        nats, codes = model.kl_per_latent(batch).numpy(), model.codes(batch).numpy()
    lines = [line.split(",") for line in (run / "latent.csv").read_text().splitlines()]
    assert lines[0] == ["number", "mean", "standard_deviation", "kl_nats"]
    expected = np.stack([np.arange(1, 9), codes.mean(axis=0), codes.std(axis=0), nats], axis=1)
    np.testing.assert_allclose(np.array(lines[1:], float), expected, rtol=1e-3, atol=1e-5)


def test_a_still_plate_has_no_codes(tmp_path: Path) -> None:
    run = learn("bootstrap_plate", tmp_path)
    assert not (run / "latent.png").exists()
    assert not (run / "latent.csv").exists()


def test_every_exit_has_a_row_of_pictures(tmp_path: Path) -> None:
    picture = cv2.imread(str(learn("multi_decoder_ae", tmp_path, size=(96, 128)) / "pictures.jpg"))
    assert picture is not None
    assert picture.shape == (4 * (180 + 22), 4 * 240, 3)  # the input and three exits
    tiles = picture.reshape(4, 202, 4, 240, 3)[:, 22:]
    assert tiles.astype(np.float32).std(axis=(1, 3)).min() > 5  # none is empty


def test_events_are_written_for_tensorboard(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = learn("conv_ae", tmp_path, tensorboard=True)
    events = accumulator.EventAccumulator(str(run / "tensorboard")).Reload()
    tags = set(events.Tags()["scalars"])
    assert tags == {"reconstruction/bootstrapped", "rate"}
    assert [event.step for event in events.Scalars("reconstruction/bootstrapped")] == [1, 5]
    logged = (run / "metrics.csv").read_text().splitlines()
    assert len(logged) == 3


def test_tensorboard_that_is_not_there_is_asked_for_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(cleanplate.CleanplateError, match=r"cleanplate\[tensorboard\]"):
        learn("conv_ae", tmp_path, tensorboard=True)
