"""Settings of the painted scenes, and the kinds of scenes with what they set otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, field_validator, model_validator

from cleanplate.parameters import Parameters

SMALLEST = (48, 64)
LARGEST = (2160, 3840)
DEFAULT_KIND = "crossroads"
KINDS: Mapping[str, Mapping[str, float | bool]] = {
    DEFAULT_KIND: {},
    "night": {"noise": 3.0, "light_drift": 0.0, "shadows": False},
    "snow": {"shadows": False, "light_drift": 3.0},
    "sway": {"sway": 0.5, "red_share": 0.4},
    "water": {"light_drift": 3.0},
    "thermal": {"shadows": False, "noise": 1.5},
    "lowrate": {"seconds": 640.0, "frame_rate": 0.5, "cycle": 60.0, "red_share": 0.4},
    "jitter": {"red_share": 0.4},
    "arena": {"seconds": 60.0, "light_drift": 2.0},
    "sunpatch": {"seconds": 60.0, "light_drift": 0.0},
}
"""The kinds of scenes by name, each with the defaults in which it differs from the crossroads."""


class PaintedSettings(Parameters):
    """What a painted scene shows; every value has a default that fits its kind.

    Traffic, lights, people and trees are those of the street that most kinds show.
    """

    kind: str = Field(default=DEFAULT_KIND, description="Kind of scene, one of `KINDS`.")
    strength: float = Field(
        default=1.0,
        ge=0.0,
        le=3.0,
        description="How strong that is which makes the kind, such as flakes, waves or the shake "
        "of the camera; 0 is none of it.",
    )

    size: tuple[int, int] = Field(
        default=(240, 320), description="Height and width of a frame in pixels, at least 48 by 64."
    )
    seconds: float = Field(
        default=40.0, ge=1.0, le=3600.0, description="Length of the clip in seconds."
    )
    frame_rate: float = Field(default=10.0, ge=0.1, le=60.0, description="Frames in a second.")
    seed: int = Field(default=0, ge=0, description="Chooses traffic, colours, trees and noise.")
    cycle: float = Field(
        default=20.0,
        ge=8.0,
        le=300.0,
        description="Seconds from one red of the main road to the next.",
    )
    red_share: float = Field(
        default=0.6,
        ge=0.1,
        le=0.9,
        description="Share of the cycle in which the main road has red.",
    )
    traffic: float = Field(
        default=7.0,
        ge=0.0,
        le=30.0,
        description="Vehicles that want to pass, for each lane and minute.",
    )
    light_drift: float = Field(
        default=6.0,
        ge=0.0,
        le=60.0,
        description="Change of the plate's mean over the clip, peak to peak, grey levels.",
    )
    noise: float = Field(
        default=2.0,
        ge=0.0,
        le=30.0,
        description="Standard deviation of the sensor noise, grey levels.",
    )
    shadows: bool = Field(
        default=True, description="Whether vehicles and pedestrians cast shadows."
    )
    sway: float = Field(
        default=0.25,
        ge=0.0,
        le=1.0,
        description="How far the tree tops move to each side, in metres.",
    )
    pedestrians: bool = Field(default=True, description="Whether people walk and cross.")

    @model_validator(mode="before")
    @classmethod
    def _fill_in_defaults_of_the_kind(cls, values: object) -> object:
        if not isinstance(values, Mapping):
            return values
        kind = values.get("kind", DEFAULT_KIND)
        return {**KINDS.get(str(kind), {}), **values}

    @field_validator("kind")
    @classmethod
    def _kind_is_known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"there is no kind '{kind}'; give one of {', '.join(KINDS)}")
        return kind

    @field_validator("size")
    @classmethod
    def _size_can_be_painted(cls, size: tuple[int, int]) -> tuple[int, int]:
        if any(side < least for side, least in zip(size, SMALLEST, strict=True)) or any(
            side > most for side, most in zip(size, LARGEST, strict=True)
        ):
            raise ValueError(
                f"size {size[1]}x{size[0]} cannot be painted; give a height of {SMALLEST[0]} to "
                f"{LARGEST[0]} and a width of {SMALLEST[1]} to {LARGEST[1]} pixels"
            )
        return size

    @property
    def frames(self) -> int:
        """Number of frames of the clip."""
        return max(1, round(self.seconds * self.frame_rate))
