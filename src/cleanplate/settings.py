"""One tree of settings: defaults, file and command line, resolved and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, field_validator

from cleanplate.architectures import architecture_summaries, load_architecture
from cleanplate.background import CANDIDATES, PLATES
from cleanplate.baselines import STILL_BASELINES
from cleanplate.errors import SettingsError, UnknownNameError, nearest, shortened, shown
from cleanplate.frames import Modality
from cleanplate.modalities import FlowSettings, MaskSettings, ModalitySettings
from cleanplate.parameters import Parameters, WorkingPixels
from cleanplate.segmentation.settings import SegmentationSettings
from cleanplate.setting_trees import merge, nested
from cleanplate.training.budget import Budget
from cleanplate.untrusted import UntrustedError, require_bounded
from cleanplate.video.value_range import ValueRange

if TYPE_CHECKING:
    from cleanplate.architectures.base import Architecture

DEFAULT_METHOD = "lowrank_ae"
DEFAULT_INIT = CANDIDATES
DEFAULT_RECIPE = "robust"
_PLATE_SUFFIX = "_plate"
_DEVICE = r"auto|cpu|cuda(:[0-9]{1,3})?"
_MOST_SHOWN = 80


_Range: TypeAlias = Literal["auto"] | tuple[float, float]


class SamplingSettings(Parameters):
    """Which frames are learned from, and how large."""

    max_frames: int = Field(2000, ge=2, description="most frames kept, spread over the recording")
    max_gigabytes: float = Field(2.0, gt=0, description="most that they take on disk, in GB")
    plate_frames: int = Field(200, ge=1, description="most frames of the initial plate")
    still_weight: float = Field(
        0.5,
        gt=0,
        le=1,
        description="how much a stretch in which nothing moves counts in the initial plate; 1: all",
    )
    noise_frames: int = Field(150, ge=2, description="most frames of the noise map")
    max_states: int = Field(
        4, ge=1, description="most states of the scene, such as day and infrared; 1: only one"
    )
    working_pixels: Literal["auto"] | WorkingPixels = Field(
        "auto", description="larger frames are reduced to so many pixels; auto looks at the device"
    )
    range: _Range = Field(
        "auto",
        description="values of the recording that become black and white, as in [7000, 9000]; "
        "auto: 8 bits as they are, of others the range that is used",
    )
    registration: Literal["auto", "off", "translation", "homography"] = Field(
        "auto",
        description="takes the camera's shaking out of the frames: shifts, or turns and zooms too; "
        "auto: what there is of them",
    )

    swaying: Literal["auto", "off"] = Field(
        "auto",
        description="raises the noise where leaves and the like come and go without going anywhere",
    )

    @field_validator("range")
    @classmethod
    def _is_range(cls, value: _Range) -> _Range:
        if value != "auto":
            ValueRange.checked(*value)
        return value

    @property
    def value_range(self) -> ValueRange | None:
        """The range that is given; None: none is."""
        return None if self.range == "auto" else ValueRange(*self.range)


class GeneralSettings(Parameters):
    """The settings that stand above all groups."""

    method: str = Field(DEFAULT_METHOD, description="name of the method")
    recipe: str = Field(DEFAULT_RECIPE, description="named set of defaults of the method")
    init: str = Field(DEFAULT_INIT, description="initial plate")
    budget: str = Field("auto", description="600steps, 90s or 5min; auto is the method's own")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    seed: int = Field(0, ge=0, description="of everything that is random")


@dataclass(frozen=True)
class LearnSettings:
    """All settings of one learned scene, checked.

    Attributes:
        training: None for a baseline, like `model` and `objective`.
        flow: None for a method that reads no optical flow.
        mask: None for a method that reads no mask.
    """

    general: GeneralSettings
    sampling: SamplingSettings
    segmentation: SegmentationSettings
    training: Parameters | None = None
    model: Parameters | None = None
    objective: Parameters | None = None
    flow: FlowSettings | None = None
    mask: MaskSettings | None = None

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.general.method

    @property
    def is_baseline(self) -> bool:
        """Whether the method is a still plate without a network."""
        return self.method in STILL_BASELINES

    def architecture(self) -> Architecture:
        """The architecture of the method; not for baselines."""
        return load_architecture(self.method)

    def modalities(self) -> ModalitySettings:
        """How the modalities beside RGB are computed."""
        return ModalitySettings(flow=self.flow or FlowSettings(), mask=self.mask or MaskSettings())

    def groups(self) -> dict[str, Parameters]:
        """The groups that the method has, by name."""
        groups = {
            "sampling": self.sampling,
            "model": self.model,
            "objective": self.objective,
            "flow": self.flow,
            "mask": self.mask,
            "training": self.training,
            "segmentation": self.segmentation,
        }
        return {name: group for name, group in groups.items() if group is not None}

    def as_tree(self) -> dict[str, Any]:
        """Plain nested values, in the order in which a person would read them."""
        groups = {name: group.model_dump(mode="json") for name, group in self.groups().items()}
        return {**self.general.model_dump(mode="json"), **groups}


def known_methods() -> dict[str, str]:
    """One-line summary of every method by name; imports no network."""
    return dict(sorted({**architecture_summaries(), **STILL_BASELINES}.items()))


def trained_plates() -> dict[str, str]:
    """Name of the architecture by the name of the plate that it learns: `NAME_plate` gives NAME."""
    names = [name for name in architecture_summaries() if name.endswith(_PLATE_SUFFIX)]
    return {name.removesuffix(_PLATE_SUFFIX): name for name in names}


def known_plates() -> list[str]:
    """Names of all plates that learning may start from."""
    return [*PLATES, *trained_plates()]


def resolve(tree: Mapping[str, Any]) -> LearnSettings:
    """Checked settings from a nested tree of values, defaults filled in.

    Raises:
        SettingsError: A key is unknown or a value out of range.
        UnknownNameError: The method or the initial plate is unknown.
    """
    _require_tree(tree)
    names = GeneralSettings.model_fields
    general_values = {key: value for key, value in tree.items() if key in names}
    groups = {key: value for key, value in tree.items() if key not in names}
    general = GeneralSettings.parse(general_values)
    _check_general(general)
    baseline = general.method in STILL_BASELINES
    known = ["sampling", "segmentation"] if baseline else list(_GROUPS)
    for key, value in groups.items():
        if baseline and key in _GROUPS and key not in known:
            raise SettingsError(f"'{general.method}' is a still plate, it has no {key} settings")
        if key not in known:
            all_known = [*names, *known]
            name = shortened(key, _MOST_SHOWN) if isinstance(key, str) else shown(key)
            hint = nearest(name, all_known)
            raise SettingsError(f"unknown setting '{name}'{hint}; known: {', '.join(all_known)}")
        if not isinstance(value, Mapping):
            raise SettingsError(f"'{key}' is a group; give {key}.SETTING=VALUE")
    sampling = SamplingSettings.parse(groups.get("sampling", {}), prefix="sampling")
    segmentation = SegmentationSettings.parse(groups.get("segmentation", {}), prefix="segmentation")
    if baseline:
        return LearnSettings(_without_learning(general), sampling, segmentation)
    return _resolve_learned(general, sampling, segmentation, groups)


def require_device(name: str) -> None:
    """Refuses what is no name of a device, whether there is one or not.

    Raises:
        SettingsError: It is not `auto`, `cpu`, `cuda` or `cuda:N`.
    """
    if not (isinstance(name, str) and re.fullmatch(_DEVICE, name)):
        text = shortened(name, _MOST_SHOWN) if isinstance(name, str) else shown(name)
        raise SettingsError(f"device '{text}' makes no sense; give auto, cpu, cuda or cuda:N")


def resolve_closed(tree: Mapping[str, Any]) -> LearnSettings:
    """Settings of a learned scene whose network stays closed; never imports torch.

    What concerns the network and its training is kept as it stands in the scene.

    Raises:
        SettingsError: A key is unknown or a value out of range.
        UnknownNameError: The method is none of a name.
    """
    _require_tree(tree)
    names = GeneralSettings.model_fields
    general = GeneralSettings.parse({key: value for key, value in tree.items() if key in names})
    if general.method in STILL_BASELINES:
        return resolve(tree)
    return LearnSettings(
        general,
        SamplingSettings.parse(tree.get("sampling", {}), prefix="sampling"),
        SegmentationSettings.parse(tree.get("segmentation", {}), prefix="segmentation"),
        flow=FlowSettings.parse(tree["flow"], prefix="flow") if "flow" in tree else None,
        mask=MaskSettings.parse(tree["mask"], prefix="mask") if "mask" in tree else None,
        training=_Closed.parse(tree.get("training", {})),
        model=_Closed.parse(tree.get("model", {})),
        objective=_Closed.parse(tree.get("objective", {})),
    )


def _require_tree(tree: object) -> None:
    """Refuses what is no tree, or one that is too large to be one of settings."""
    if not isinstance(tree, Mapping):
        raise SettingsError(f"settings are a tree, not {shown(tree)}")
    try:
        require_bounded(tree)
    except UntrustedError as error:
        raise SettingsError(f"the tree of settings {error}") from error


class _Closed(Parameters):
    """Settings that are kept without being understood."""

    model_config = ConfigDict(frozen=True, extra="allow")


def under_new_names(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A tree as a user wrote it, under the names of today: only such trees can be merged."""
    segmentation = tree.get("segmentation")
    if not isinstance(segmentation, Mapping):
        return dict(tree)
    return {**tree, "segmentation": SegmentationSettings.under_new_names(segmentation)}


_GROUPS = ("sampling", "model", "objective", "flow", "mask", "training", "segmentation")


def _check_general(general: GeneralSettings) -> None:
    if general.method not in known_methods():
        raise UnknownNameError("method", general.method, known_methods())
    if general.init not in known_plates():
        raise UnknownNameError("initial plate", general.init, known_plates())
    require_device(general.device)


def _without_learning(general: GeneralSettings) -> GeneralSettings:
    """General settings of a still plate; a budget may be given, for it fits every method.

    Raises:
        SettingsError: The budget makes no sense.
        UnknownNameError: A recipe is given.
    """
    if general.budget != "auto":
        Budget.parse(general.budget)
    if general.recipe != DEFAULT_RECIPE:
        raise UnknownNameError("recipe", general.recipe, [DEFAULT_RECIPE])
    return general.model_copy(update={"init": general.method})


def _resolve_learned(
    general: GeneralSettings,
    sampling: SamplingSettings,
    segmentation: SegmentationSettings,
    groups: Mapping[str, Any],
) -> LearnSettings:
    from cleanplate.training.trainer import TrainingSettings

    architecture = load_architecture(general.method)
    if general.recipe not in architecture.recipes:
        raise UnknownNameError("recipe", general.recipe, architecture.recipes)
    recipe: dict[str, Any] = {}
    for path, value in architecture.recipes[general.recipe].items():
        recipe = merge(recipe, nested(path.split("."), value))
    tree = merge(recipe, groups)
    budget = general.budget
    if budget == "auto":
        budget = str(Budget(steps=architecture.steps))
    general = general.model_copy(update={"budget": str(Budget.parse(budget))})
    reads = architecture.modalities
    for modality in (Modality.FLOW, Modality.MASK):
        if modality.value in tree and modality not in reads:
            raise SettingsError(f"'{general.method}' reads no {modality}, it has no such settings")
    return LearnSettings(
        general,
        sampling,
        segmentation,
        flow=FlowSettings.parse(tree.get("flow", {}), prefix="flow")
        if Modality.FLOW in reads
        else None,
        mask=MaskSettings.parse(tree.get("mask", {}), prefix="mask")
        if Modality.MASK in reads
        else None,
        training=TrainingSettings.parse(tree.get("training", {}), prefix="training"),
        model=architecture.settings.parse(tree.get("model", {}), prefix="model"),
        objective=architecture.objective.parse(tree.get("objective", {}), prefix="objective"),
    )
