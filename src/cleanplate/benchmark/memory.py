"""Most memory that processes have held, since its start or since it was last asked to forget."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cleanplate.learning.provenance import peak_memory_bytes as peak_since_start

_FORGET = Path("/proc/self/clear_refs")
_FORGET_PEAK = "5"


def peak_memory_bytes(others: Sequence[int] = ()) -> int:
    """Most memory that was resident; where the system keeps no such figure, since the start.

    The figure of `getrusage` is not enough: on Linux a process begins with that of its parent.

    Args:
        others: Numbers of other processes, whose peaks are added as far as the system tells them.
    """
    own = _peak("self")
    return (peak_since_start() if own is None else own) + sum(_peak(str(n)) or 0 for n in others)


def _peak(process: str) -> int | None:
    with suppress(OSError):
        status = Path("/proc", process, "status").read_text("ascii")
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        if found is not None:
            return int(found[1]) * 1024
    return None


def reset_peak_memory() -> None:
    """Forgets the peak so far, where the system can (Linux); else nothing."""
    with suppress(OSError):
        _FORGET.write_text(_FORGET_PEAK, "ascii")
