"""The log of a training as TensorBoard reads it, by the extra `tensorboard`."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanplate.errors import SettingsError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_NOT_VALUES = ("step", "seconds")


class EventLog:
    """Every value of the log over the steps, in a folder of event files."""

    def __init__(self, folder: Path, steps: int) -> None:
        """Opens the folder.

        Args:
            folder: Where the events go.
            steps: Steps done before: events after them did not happen.

        Raises:
            SettingsError: The extra is not installed.
        """
        if importlib.util.find_spec("tensorboard") is None:
            raise SettingsError(
                "training.tensorboard needs the package tensorboard; "
                "install it with: pip install 'cleanplate[tensorboard]'"
            )
        from torch.utils.tensorboard import SummaryWriter

        writer: Any = SummaryWriter
        self._writer: SummaryWriter = writer(str(folder), purge_step=steps + 1)

    def write(self, line: Mapping[str, float]) -> None:
        """Appends the values of one line of the log."""
        step = int(line["step"])
        for name, value in line.items():
            if name not in _NOT_VALUES:
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Ends the files."""
        self._writer.close()
