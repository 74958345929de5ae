"""A process that does not outlive the one that it works for."""

from __future__ import annotations

import os
import threading
import time

_SECONDS_BETWEEN_LOOKS = 1.0


def end_with(parent: int) -> None:
    """Ends this process soon after the one that started it, whatever it does then.

    A pipe that ends is noticed at once, but other processes may have inherited the end of it.

    Args:
        parent: Number of the process that started this one.
    """
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(1)
