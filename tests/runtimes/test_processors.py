"""A process that segments hands its processors to the stages, not to single calls."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import cv2
import pytest

from cleanplate.runtimes import processors


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    threads, interval = cv2.getNumThreads(), sys.getswitchinterval()
    yield
    cv2.setNumThreads(threads)
    sys.setswitchinterval(interval)


@pytest.mark.parametrize(("count", "threads"), [(1, 1), (2, 1), (7, 1), (16, 4)])
def test_each_stage_gets_its_share(
    monkeypatch: pytest.MonkeyPatch, count: int, threads: int
) -> None:
    monkeypatch.setattr(processors.os, "cpu_count", lambda: count)
    cv2.setNumThreads(8)
    processors.share_processors()
    assert cv2.getNumThreads() == threads
    assert sys.getswitchinterval() < 0.001


def test_fewer_threads_stay_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors.os, "cpu_count", lambda: 16)
    cv2.setNumThreads(2)
    processors.share_processors()
    assert cv2.getNumThreads() == 2
