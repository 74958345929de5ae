"""The settings of all modalities, one group each."""

from __future__ import annotations

from pydantic import Field

from cleanplate.modalities.flow import FlowSettings
from cleanplate.modalities.simple_mask import MaskSettings
from cleanplate.parameters import Parameters


class ModalitySettings(Parameters):
    """How the modalities beside RGB are computed."""

    flow: FlowSettings = Field(default=FlowSettings(), description="optical flow")
    mask: MaskSettings = Field(default=MaskSettings(), description="mask of a simple method")
