"""What can be set about the way from a difference to a mask; one default for all scenes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from cleanplate.parameters import Parameters

PARKED_SECONDS = 300.0
"""Time after which a vehicle is parked and does not wait: no red light is that long."""
_LONGEST = 1e9
"""A time in seconds that is longer than any recording."""


class SegmentationSettings(Parameters):
    """Settings of the segmenter.

    Lengths are given for a frame of 320x240 and grow with the root of the number of pixels.
    """

    renamed: ClassVar[Mapping[str, str]] = {
        "faint_noise_factor": "low_noise_factor",
        "majority": "median_size",
        "rim": "boundary_depth",
        "repair_ghosts": "correct_ghosts",
    }

    threshold: float = Field(
        45.0, ge=0, le=255, description="difference summed over RGB that counts, in grey levels"
    )
    noise_factor: float = Field(
        3.0,
        ge=0,
        le=1000,
        description="how much of the pixel's own noise is added to the threshold",
    )
    low_noise_factor: float = Field(
        0.5,
        ge=0,
        le=1000,
        description="the same for the low threshold of the hysteresis: within regions of which at "
        "least half exceeds the whole threshold; no less than noise_factor: no such regions",
    )
    blur: float = Field(
        1.2, ge=0, le=63, description="sigma of the difference's blur, in pixels; 0: none"
    )
    median_size: int = Field(
        7,
        ge=0,
        le=63,
        description="side of the square of the binary median filter, in pixels; 0: none",
    )
    closing: int = Field(
        9, ge=0, le=63, description="diameter of gaps that are closed, in pixels; 0: none"
    )
    boundary_depth: int = Field(
        3,
        ge=0,
        le=31,
        description="how far inside the outline single pixels decide once more, in pixels; 0: "
        "they do not",
    )
    min_area: int = Field(
        25,
        ge=0,
        le=10**9,
        description="smaller regions are removed, in pixels; those that differ by twice the "
        "threshold count three times",
    )
    shadows: Literal["drop", "keep", "label"] = Field(
        "drop",
        description="cast shadows and patches of light: background, foreground like all that "
        "differs, or background and the shadows with a label of their own",
    )
    shadow_darkest: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="a shadow keeps at least this share of the light, unless the background's "
        "texture shows through",
    )
    shadow_spread: float = Field(
        0.1,
        ge=0,
        le=100,
        description="most that the share of light varies within a shadow (log units)",
    )
    shadow_colour: float = Field(
        0.15,
        ge=0,
        le=100,
        description="most that a shadow changes the colour (log units, sum over RGB), likewise",
    )
    shadow_test: Literal["learned", "general"] = Field(
        "learned",
        description="which darkening is a shadow: what the scene's own shadows do, where they were "
        "met while learning, or what is within the limits above",
    )
    shadow_deviations: float = Field(
        3.0,
        ge=0,
        le=1000,
        description="most that a shadow differs from the scene's own (deviations)",
    )
    light: Literal["follow", "off"] = Field(
        "follow",
        description="changes of the light that the background does not show: it is made lighter, "
        "darker or tinted as the frame is, or left as it is",
    )
    wait_seconds: float = Field(
        2.0,
        ge=0,
        le=_LONGEST,
        description="foreground that stays for longer waits instead of moving",
    )
    settle_seconds: Annotated[float, Field(gt=0, le=_LONGEST)] | Literal["never"] = Field(
        "never",
        description="what waits for longer is background; never: nothing is, unless parked says so",
    )
    parked: Literal["auto", "foreground", "background"] = Field(
        "auto",
        description="what comes and stays, such as a parked car: foreground for as long as it "
        "stands, or background once it has stood for settle_seconds (300 where that is never); "
        "auto: background where settle_seconds is a time",
    )
    correct_ghosts: bool = Field(
        default=True,
        description="correct the background where it shows what has left, for this call only",
    )

    @field_validator("parked")
    @classmethod
    def _agrees(cls, parked: str, others: ValidationInfo) -> str:
        settles = others.data.get("settle_seconds", "never")
        if parked == "foreground" and settles != "never":
            raise ValueError(
                f"settle_seconds={settles:g} makes it background after that time; "
                "give settle_seconds=never, or parked=background"
            )
        return parked

    @property
    def settled_after(self) -> float | None:
        """Seconds after which what stands is background; None: it stays foreground."""
        if self.settle_seconds != "never":
            return self.settle_seconds
        return PARKED_SECONDS if self.parked == "background" else None
