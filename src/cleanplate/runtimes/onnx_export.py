"""A learned network as an ONNX file, for runtimes without torch; needs the extra `onnx`."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cleanplate._version import __version__
from cleanplate.errors import SettingsError
from cleanplate.frames import FrameSize, Modality
from cleanplate.model import BackgroundModel
from cleanplate.runtimes.onnx_runtime import DIGEST, open_session
from cleanplate.scene_file import tensors_digest
from cleanplate.scene_model import LearnedScene
from cleanplate.scene_model.estimator import method_tensors
from cleanplate.scene_model.sizes import resized
from cleanplate.tensor_tools.batch import FrameBatch, make_batch
from cleanplate.writing import PartialFile, output_error

_CHANNELS = {Modality.RGB: 3, Modality.FLOW: 2, Modality.MASK: 1}
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_EXAMPLES = 2
"""Frames of the example batch; a single one would be taken for a fixed size."""


def export_onnx(scene: LearnedScene, path: str | Path) -> Path:
    """Writes the network of a scene as one ONNX file.

    Inputs are `rgb`, `(B, 3, h, w)`, float in [0, 1], in the scene's working size, and what else
    the method reads of each frame (`flow`, `mask`), for any B; the output is `background`, like
    `rgb`.

    Args:
        scene: A learned scene whose method is a network.
        path: File to write, `.onnx`.

    Returns:
        The path.

    Raises:
        SettingsError: The method is a still plate, its network is no single graph, or the extra is
            not installed.
        OutputError: The file cannot be written.
    """
    main = scene.model.main
    network = main.estimator.network
    if network is None:
        raise SettingsError(
            f"'{scene.settings.method}' is one still picture and no network; "
            "write it with cleanplate plate"
        )
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"exporting needs the package {missing[0]}; "
            "install it with: pip install 'cleanplate[onnx]'"
        )
    path = Path(path)
    graph = _Graph(network.model, _in_shares(main.correction))
    if not graph.model.is_one_graph:
        raise SettingsError(
            f"'{scene.settings.method}' as it was learned searches for its codes step by step, "
            "which is no single graph; segment with cleanplate instead"
        )
    program = _trace(graph, scene.model.working_size)
    program.model.metadata_props.update(
        cleanplate=__version__,
        method=scene.settings.method,
        working_size=str(scene.model.working_size),
        **{DIGEST: tensors_digest(method_tensors(main.estimator.tensors(), main.correction))},
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with PartialFile(path, suffix=".onnx") as partial:
            program.save(str(partial.partial))
    except OSError as error:
        raise output_error(error, path, "the network") from error
    return path


def parity(scene: LearnedScene, path: Path) -> float:
    """Most that an exported file's backgrounds differ from the scene's, in shares of full scale.

    Compared are the sampled frames of the scene, or its plate where it has none.

    Args:
        scene: What was exported, whose main state a network draws.
        path: The file.
    """
    main = scene.model.main
    network = main.estimator.network
    assert network is not None
    shown = [sample.picture for sample in scene.samples] or [scene.plate]
    pictures = np.stack([resized(picture, scene.model.working_size) for picture in shown])
    readers = main.estimator.feature_extractors()
    extras = {
        name: np.stack([reader.read(picture, at) for at, picture in enumerate(pictures)])
        for name, reader in readers.items()
    }
    graph = _Graph(network.model, _in_shares(main.correction))
    batch = make_batch(pictures, extras)
    with torch.no_grad():
        expected = graph(batch.rgb, *(batch.extras[name] for name in graph.others)).numpy()
    feed = {"rgb": batch.rgb.numpy()} | {name.value: each for name, each in extras.items()}
    (found,) = open_session(path).run(["background"], feed)
    return float(np.abs(found - expected).max())


def _in_shares(correction: NDArray[np.int16] | None) -> Tensor | None:
    """A correction as shares of full scale; None: there is none."""
    return None if correction is None else torch.from_numpy(correction / np.float32(255))


class _Graph(nn.Module):
    """A network as a function of tensors alone, on the CPU and without gradients."""

    def __init__(self, model: BackgroundModel, repair: Tensor | None) -> None:
        super().__init__()
        self.repair = None if repair is None else repair.permute(2, 0, 1)
        self.model = deepcopy(model).cpu().eval().requires_grad_(requires_grad=False)
        self.others = sorted(model.modalities - {Modality.RGB})

    def forward(self, rgb: Tensor, *others: Tensor) -> Tensor:
        extras = dict(zip(self.others, others, strict=True))
        background = self.model.estimate_background(FrameBatch(rgb, extras))
        if self.repair is not None:
            background = background + self.repair
        return background.clamp(0, 1)


def _trace(graph: _Graph, size: FrameSize) -> torch.onnx.ONNXProgram:
    names = [Modality.RGB, *graph.others]
    examples = [torch.rand(_EXAMPLES, _CHANNELS[name], *size) for name in names]
    any_count = {0: torch.export.Dim.DYNAMIC}
    shapes: tuple[object, ...] = (
        any_count,
        *([(any_count,) * len(graph.others)] * bool(names[1:])),
    )
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                graph,
                tuple(examples),
                dynamo=True,
                input_names=[str(name) for name in names],
                output_names=["background"],
                dynamic_shapes=shapes,
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    assert program is not None
    return program
