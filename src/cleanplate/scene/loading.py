"""A scene from its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from cleanplate.errors import SceneFileError, UsageError, shortened
from cleanplate.runtimes.network import restore_estimator, restore_onnx
from cleanplate.runtimes.processors import survive_forks
from cleanplate.scene.expected import require_tensors
from cleanplate.scene.scene import Scene
from cleanplate.scene.state_tensors import restore_correction, restore_states
from cleanplate.scene_file import CONFIG, SceneData
from cleanplate.scene_model import BackgroundEstimator, CameraMotion, SceneModel, SceneState
from cleanplate.scene_model.sizes import resized
from cleanplate.scene_model.states import state_names
from cleanplate.scene_reading import SceneHead, read_head, read_scene
from cleanplate.segmentation import SegmentationPlan, ShadowModel
from cleanplate.settings import LearnSettings, require_device, resolve, resolve_closed

Runtime: TypeAlias = Literal["torch", "onnx"]
"""What runs the network of a scene."""


def load(run: str | Path, *, device: str = "auto", runtime: Runtime = "torch") -> Scene:
    """A scene from its folder.

    Args:
        run: Folder that `learn` or `Scene.save` wrote.
        device: Where to compute: `auto`, `cpu`, `cuda` or `cuda:N`.
        runtime: What runs a network: `torch`, or `onnx` without torch, once the scene was exported
            into its folder.

    Raises:
        SceneFileError: The folder is no scene, or one that is damaged or of another format.
        SettingsError: There is no such device, or the runtime is not installed.
    """
    survive_forks()
    require_device(device)
    head = read_head(Path(run))
    settings = _settings_of(head, runtime)
    require_tensors(head, settings if runtime == "torch" else None)
    data = read_scene(Path(run), head)
    shadow = _restored_shadow(data.shadow, f"{CONFIG} of the scene {run}")
    restore = restore_estimator if runtime == "torch" else partial(restore_onnx, Path(run))
    return Scene(
        settings=settings,
        model=_restored_model(data, settings, shadow, partial(restore, device=device)),
        plate=data.plate,
        learned_on=data.learned_on,
        provenance=data.provenance,
        metrics=data.metrics,
        samples=data.samples,
        plots=data.plots,
    )


def _restored_model(
    data: SceneData,
    settings: LearnSettings,
    shadow: ShadowModel | None,
    restore: Callable[..., BackgroundEstimator],
) -> SceneModel:
    size = data.working_size
    tensors, main_plate, others = restore_states(data.tensors, size)
    tensors, correction = restore_correction(tensors, size)
    estimator = restore(settings, tensors, correction, size=size, learned_on=data.learned_on)
    if main_plate is None:
        main_plate = resized(data.plate, size)
    names = state_names([main_plate, *(plate for plate, _ in others)])
    main = SceneState(names[0], main_plate, data.noise, estimator, shadow, correction)
    still = [SceneState.still(name, *each) for name, each in zip(names[1:], others, strict=True)]
    return SceneModel(
        frame_size=data.frame_size,
        working_size=size,
        states=(main, *still),
        plan=SegmentationPlan.of(settings.segmentation, size),
        camera=CameraMotion.of(data.registration),
        value_range=data.value_range,
    )


def _settings_of(head: SceneHead, runtime: Runtime) -> LearnSettings:
    try:
        return (resolve if runtime == "torch" else resolve_closed)(head.settings)
    except UsageError as error:
        raise SceneFileError(f"{CONFIG} of the scene {head.folder}: {error}") from error


def _restored_shadow(tree: Mapping[str, Any] | None, name: str) -> ShadowModel | None:
    if tree is None:
        return None
    try:
        return ShadowModel.from_tree(tree)
    except (ValueError, TypeError, AttributeError, np.linalg.LinAlgError) as error:
        raise SceneFileError(f"{name} is damaged: shadow: {shortened(error)}") from error
