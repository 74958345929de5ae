"""Most memory that this process has held, since its start or since it was last asked to forget."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from cleanplate.scene.provenance import peak_memory_bytes as peak_since_start

_STATUS = Path("/proc/self/status")
_FORGET = Path("/proc/self/clear_refs")
_FORGET_PEAK = "5"


def peak_memory_bytes() -> int:
    """Most memory that was resident; where the system keeps no such figure, since the start.

    The figure of `getrusage` is not enough: on Linux a process begins with that of its parent.
    """
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text("ascii"), re.MULTILINE)
        if found is not None:
            return int(found[1]) * 1024
    return peak_since_start()


def reset_peak_memory() -> None:
    """Forgets the peak so far, where the system can (Linux); else nothing."""
    with suppress(OSError):
        _FORGET.write_text(_FORGET_PEAK, "ascii")
