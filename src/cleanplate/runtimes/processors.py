"""How what segments shares the processors: by threads, by a worker process, and after forks."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from functools import cache

import cv2

from cleanplate.errors import SegmentationError
from cleanplate.segmentation.worker_process import WorkerProcess

_SWITCH_SECONDS = 5e-5
_PIPELINE_THREADS = 4
"""Threads of the pipeline that have work at the same time: decoding, background, masks, writing."""


def share_processors() -> None:
    """Sets up a process that does nothing but segment, as the command line and the benchmark do.

    The stages of segmenting have threads of their own. So OpenCV is left no more threads for each
    of its calls than there are processors for each stage: at 320x240 their hand-overs cost more
    than they save. And Python passes its lock on after 50 microseconds instead of 5 milliseconds,
    for which a thread that has only to fetch the next frame would often wait. What has been
    imported stays, so that the search for garbage leaves it out.
    """
    processors = os.cpu_count() or 1
    cv2.setNumThreads(max(1, min(cv2.getNumThreads(), processors // _PIPELINE_THREADS)))
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()


@cache
def survive_forks() -> None:
    """Lets processes that are forked from this one compute, from now on.

    Threads do not go with a fork, and torch waits for its own for ever: there it has one only.
    """
    os.register_at_fork(after_in_child=_compute_alone)


def _compute_alone() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def second_process() -> WorkerProcess | None:
    """Another process to follow layers; None where there is no processor for it, or no room."""
    if (os.cpu_count() or 1) < 2:
        return None
    with suppress(SegmentationError):
        return WorkerProcess()
    return None
