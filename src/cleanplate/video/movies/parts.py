"""Several video files as one recording, as recorders cut it into parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cleanplate.errors import FrameSizeError, SourceError
from cleanplate.frames import Frame
from cleanplate.video.decoding import Values
from cleanplate.video.movies.movie import Movie
from cleanplate.video.source import DEFAULT_FRAME_RATE, Tally, VideoSource, Wanted
from cleanplate.video.value_range import LOOKED_AT_FOR_RANGE, ValueRange


class MovieParts(VideoSource):
    """Video files of one camera that follow each other; numbers and times go on over all of them.

    A part begins a frame's time after the last frame of the one before: how long nothing was
    recorded in between, its file does not say.

    Args:
        movies: In their order, at least one.
        name: What messages call them.

    Raises:
        FrameSizeError: A part has frames of another size than the first.
        SourceError: A part has values of another kind than the first.
    """

    def __init__(self, movies: Sequence[Movie], name: str) -> None:
        first = movies[0]
        for movie in movies:
            if movie.size != first.size:
                raise FrameSizeError(
                    f"the frames of {movie.name} are {movie.size}, but those of {first.name} are "
                    f"{first.size}; parts of one recording have one size: give a narrower pattern"
                )
            if movie.values_kind != first.values_kind:
                raise SourceError(
                    f"{movie.name} has {movie.values_kind} values, but {first.name} has "
                    f"{first.values_kind}; parts of one recording have one kind: give a narrower "
                    "pattern"
                )
        hints = [movie.frame_count_hint for movie in movies]
        super().__init__(
            name,
            first.size,
            frame_rate=first.frame_rate,
            frame_count_hint=None if None in hints else sum(hint or 0 for hint in hints),
        )
        self._movies = movies
        self.dtype = first.dtype

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the last pass, or the running one, a sentence each."""
        own = [f"{movie.name}: {note}" for movie in self._movies for note in movie.notes]
        return (*super().notes, *own)

    @property
    def files(self) -> Sequence[Path]:
        """The parts."""
        return [file for movie in self._movies for file in movie.files]

    def fingerprint(self) -> str:
        """SHA-256 of those of the parts and of their order."""
        digest = hashlib.sha256()
        for movie in self._movies:
            digest.update(movie.fingerprint().encode())
        if self.is_part:
            digest.update(f"{self.span.first}:{self.span.end}\0".encode())
        return digest.hexdigest()

    @property
    def whole_range(self) -> ValueRange | None:
        """See `VideoSource.whole_range`."""
        return self._movies[0].whole_range

    @property
    def declared_range(self) -> ValueRange | None:
        """See `VideoSource.declared_range`."""
        return self._movies[0].declared_range

    def _spread_values(self) -> Iterator[Values]:
        chosen = np.unique(np.linspace(0, len(self._movies) - 1, LOOKED_AT_FOR_RANGE).astype(int))
        each = -(-LOOKED_AT_FOR_RANGE // len(chosen))
        for place in chosen:
            yield from self._movies[place].spread_values(each)

    def _pass(self, wanted: Wanted | None, tally: Tally) -> Iterator[Frame]:
        index, time = 0, 0.0
        step = float(1 / (self.frame_rate or DEFAULT_FRAME_RATE))
        if self.dtype != np.uint8:
            self._movies = [movie.in_range(self.value_range) for movie in self._movies]
        for movie in self._movies:
            if self.span.has_passed(index):
                return
            part = _Part(self, index, time, wanted, tally)
            for frame in movie._pass(part.wants, part.tally):  # noqa: SLF001 - one of our own
                yield replace(
                    frame,
                    index=frame.index + index - self.span.first,
                    number=frame.number + index,
                    time=frame.time + time,
                )
            part.finish()
            index += part.tally.passed + part.tally.damaged
            time += part.tally.last_time + step


class _Part:
    """One file on its way through the whole.

    Attributes:
        tally: Of the file.
    """

    def __init__(
        self, whole: VideoSource, index: int, time: float, wanted: Wanted | None, tally: Tally
    ) -> None:
        self.tally = Tally()
        self._whole, self._index, self._time = whole, index, time
        self._wanted, self._sum = wanted, tally
        self._met = 0

    def wants(self, index: int, time: float) -> bool:
        """Whether a frame of the file is wanted; counts those of the span."""
        span = self._whole.span
        index, time = index + self._index, time + self._time
        self._met += 1
        if index < span.first or span.has_passed(index):
            return False
        self._sum.meet(time)
        return self._wanted is None or self._wanted(index - span.first, time)

    def finish(self) -> None:
        """Adds what was wrong with the file to the sum."""
        self._sum.passed -= self._met - self.tally.passed
        self._sum.damaged += self.tally.damaged
        self._sum.missing += self.tally.missing
        self._sum.repaired += self.tally.repaired
        self._sum.interlaced += self.tally.interlaced
