"""Failures of writing, told in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path

from cleanplate.errors import OutputError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def output_error(error: OSError, path: Path, what: str) -> OutputError:
    """The error of this package for a failed write.

    Args:
        error: What the system said.
        path: The file or folder written to.
        what: What was being written, as in "the frame cache".
    """
    if error.errno in _FULL:
        return OutputError(
            f"the disk is full: {what} could not be written to {path}; free some space or give a "
            f"folder on another disk"
        )
    reason = error.strerror or str(error)
    return OutputError(f"{what} could not be written to {path}: {reason}; give another place")
