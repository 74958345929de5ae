"""Whatever is measured behind one interface: a scene that is learned, or a peer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import cleanplate
from cleanplate.baselines import PEERS, Sweep, open_peer
from cleanplate.baselines.robust_pca import MOST_FRAMES
from cleanplate.benchmark.cells import Cell
from cleanplate.frames import Frame, Mask, Picture
from cleanplate.runtimes.processors import second_process, share_processors
from cleanplate.scene import Scene
from cleanplate.segmentation.worker_process import WorkerProcess
from cleanplate.video import FrameCache, open_source

THRESHOLDS = (15.0, 25.0, 35.0, 45.0, 60.0, 80.0, 110.0)
"""Values of `segmentation.threshold` among which the best F is sought."""
_CACHED = 2 * MOST_FRAMES
"""A cache may end half full, and the peer is to see as many frames as it takes."""
_CACHE_BYTES = 2_000_000_000


class FrameMask(NamedTuple):
    """The mask of one frame, by the frame's number."""

    number: int
    mask: Mask


class FrameMasks(NamedTuple):
    """Masks of one frame, one for each value of a sweep."""

    number: int
    masks: Sequence[Mask]


class Subject(Protocol):
    """What is measured."""

    @property
    def sweep(self) -> Sweep | None:
        """The number that cuts its difference; None: there is no single one."""
        ...

    def learn(self, recording: Path, work: Path) -> int:
        """Learns; gives how many frames it was shown, 0 where it learns on the go.

        Args:
            recording: What may be learned from.
            work: An empty folder for what is kept while learning.
        """
        ...

    def masks(self, recording: Path) -> Iterator[FrameMask]:
        """The mask of every frame of a recording from its start, in order."""
        ...

    @property
    def helpers(self) -> Sequence[int]:
        """Numbers of other processes that work for it, between `learn` and `close`."""
        ...

    def close(self) -> None:
        """Ends them."""
        ...

    def plate(self) -> Picture | None:
        """Its plate, after the last frame; None: it has none."""
        ...

    def swept_masks(self, recording: Path) -> Iterator[FrameMasks]:
        """As `masks`, at each value of the sweep."""
        ...


def open_subject(cell: Cell) -> Subject:
    """The subject of a cell, its libraries loaded so that their start-up costs it nothing."""
    return PeerSubject(cell) if cell.kind == "peer" else SceneSubject(cell)


class SceneSubject:
    """A method of this package, at its defaults."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._scene: Scene | None = None
        self._second: WorkerProcess | None = None
        if cell.kind == "network":
            import cleanplate.learning.fitting  # noqa: F401 - loads torch

    @property
    def sweep(self) -> Sweep | None:
        """The segmenter's threshold."""
        default = self._learned.settings.segmentation.threshold
        return Sweep("segmentation.threshold", default, THRESHOLDS)

    def learn(self, recording: Path, work: Path) -> int:  # noqa: ARG002 - it makes its own folder
        """Learns the scene."""
        cell = self._cell
        self._scene = cleanplate.learn(
            recording,
            method=cell.method,
            budget=cell.budget,
            device=cell.device,
            seed=cell.seed,
        )
        self._second = second_process()
        if self._second is not None:
            self._second.wait_until_ready()
        frames: int = self._scene.provenance["input"]["frames_learned_from"]
        return frames

    def masks(self, recording: Path) -> Iterator[FrameMask]:
        """Segments a recording, set up as `cleanplate segment` is."""
        share_processors()
        with self._learned.open_stream(
            recording, watch_camera=False, worker=self._second
        ) as stream:
            for result in stream:
                yield FrameMask(result.number, result.mask)

    @property
    def helpers(self) -> Sequence[int]:
        """The process that follows layers."""
        return [] if self._second is None else [self._second.pid]

    def close(self) -> None:
        """Ends it."""
        if self._second is not None:
            self._second.close()

    def plate(self) -> Picture | None:
        """The scene's plate."""
        return self._learned.plate

    def swept_masks(self, recording: Path) -> Iterator[FrameMasks]:
        """Segments a recording, its backgrounds estimated once for all thresholds."""
        default = self._learned.settings.segmentation
        settings = [default.model_copy(update={"threshold": value}) for value in THRESHOLDS]
        for results in self._learned.segment_by_each(recording, settings):
            yield FrameMasks(results[0].number, [result.mask for result in results])

    @property
    def _learned(self) -> Scene:
        assert self._scene is not None, "learn comes first"
        return self._scene


class PeerSubject:
    """A peer at the defaults of its library."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._peer = open_peer(cell.method, seed=cell.seed)

    @property
    def sweep(self) -> Sweep | None:
        """Its library's number."""
        return PEERS[self._cell.method].sweep

    def learn(self, recording: Path, work: Path) -> int:
        """Shows frames to those that have to see some before."""
        if not PEERS[self._cell.method].learns:
            return 0
        source = open_source(recording)
        with FrameCache.fill(
            source, work / "cache", size=source.size, max_frames=_CACHED, max_bytes=_CACHE_BYTES
        ) as frames:
            self._peer.learn(frames)
            return min(len(frames), MOST_FRAMES)

    def masks(self, recording: Path) -> Iterator[FrameMask]:
        """Applies it to every frame."""
        for frame in _decoded(recording):
            yield FrameMask(frame.number, self._peer.apply(frame.picture))

    @property
    def helpers(self) -> Sequence[int]:
        """None: its library has threads."""
        return []

    def close(self) -> None:
        """Nothing to end."""

    def plate(self) -> Picture | None:
        """Its background image."""
        return self._peer.background()

    def swept_masks(self, recording: Path) -> Iterator[FrameMasks]:
        """Applies a fresh peer for each value to every frame."""
        assert self.sweep is not None
        peers = [self._peer.at(value) for value in self.sweep.values]
        for frame in _decoded(recording):
            yield FrameMasks(frame.number, [peer.apply(frame.picture) for peer in peers])


def _decoded(recording: Path) -> Iterator[Frame]:
    # Decoded ahead by threads, as a scene has it, so that both sides pay the same for it.
    return open_source(recording).frames_ahead()
