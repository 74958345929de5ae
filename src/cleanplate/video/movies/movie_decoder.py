"""A video file decoded by PyAV: its frames with what the file says about them."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cleanplate.errors import SourceError
from cleanplate.frames import MOST_PIXELS, FrameSize, Picture
from cleanplate.video.movies.movie_pictures import PictureMaker, quarter_turns

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

_HIGHEST_FRAME_RATE = 1000.0
_HIGHEST_FRAME_COUNT = 1_000_000_000

_FAILED_READS = 1000
"""Reads that fail in a row after which a file is taken to have ended."""
_RECENT_PACKETS = 64
"""A decoder gives a frame at most about this many packets after the one that it came in."""
_TOLERANCE = 0.5
"""Seconds by which the end of a file may differ from what it promises."""
_LEAST_HOLE = 512
"""Bytes between two packets of a Matroska file that are no header of a block or a cluster."""


@dataclass(frozen=True)
class Shot:
    """One decoded frame, not yet a picture.

    Attributes:
        frame: As PyAV gives it.
        maker: Makes pictures of the frames of this recording.
        lost: Frames just before it that could not be decoded.
        presented: Its time as the file says it, in seconds; None where it does not.
        is_damaged: Whether the decoder reports that it had to make up parts of it.
        after_damage: Whether data were found to be lost shortly before it.
        after_hole: Whether bytes of the file shortly before it belong to no frame.
    """

    frame: av.VideoFrame
    maker: PictureMaker
    lost: int
    presented: float | None
    is_damaged: bool
    after_damage: bool
    after_hole: bool

    def picture(self) -> Picture | None:
        """The frame as `(H, W, 3)`, uint8, RGB; None where it cannot be made one.

        Raises:
            SourceError: The installed build made another picture of it than the video holds.
        """
        return self.maker.picture(self.frame)

    @property
    def size(self) -> FrameSize:
        """Size of the picture."""
        size = FrameSize(self.frame.height, self.frame.width)
        return FrameSize(*size[::-1]) if quarter_turns(self.frame) % 2 else size


class Decoder:
    """The first video stream of a file, once from its start to its end.

    Attributes:
        frame_rate: Frames per second as the file says it; None where it does not.
        frame_count: Frames that it promises; None where it does not.
        is_counted: Whether it counts its frames; else they are guessed from the duration.
        promised_end: When its last frame ends, in the time of `Shot.presented`; None: unknown.
        headless: Frames at the start that lack the picture they are built on, known after the
            first frame.
        lost_at_end: Frames that could not be decoded after the last one, known at the end.
        discarded: Frames that the file itself says are not to be shown, known at the end.

    Raises:
        SourceError: The file is no video that can be opened.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._container = _open(path, name)
        self._maker = PictureMaker(name)
        # A picture of the cover is a stream too.
        streams = [s for s in self._container.streams.video if s.codec_context is not None]
        moving = [s for s in streams if "attached_pic" not in str(s.disposition).lower()]
        if not moving and not streams:
            self._container.close()
            raise SourceError(f"{name} has no video; give a file with pictures that move")
        stream = self._stream = (moving or streams)[0]
        stream.thread_type = "AUTO"
        # A small file may say that its frames are enormous.
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        self._unit = stream.time_base or Fraction(1, 1)
        self._holes_tell = "matroska" in self._container.format.name
        self.frame_rate = _frame_rate(stream.average_rate or stream.guessed_rate)
        self.is_counted = stream.frames > 0
        seconds = self._duration()
        self.frame_count = _frame_count(
            stream.frames or round((seconds or 0) * (self.frame_rate or 0))
        )
        start = stream.start_time
        self.promised_end = (
            None if start is None or seconds is None else float(start * self._unit) + seconds
        )
        self.headless = 0
        self.lost_at_end = 0
        self.discarded = 0
        self._last_end = -math.inf
        self._hurt_at = self._hole_at = -_RECENT_PACKETS - 1
        self._packets = 0

    def frames(self) -> Generator[Shot]:
        """All frames that can be decoded, in the order in which they are shown."""
        import av

        lost = 0
        is_first = True
        first_packets: list[tuple[bool, int | None]] = []
        for packet in self._demuxed():
            if is_first and packet.size:
                first_packets.append((packet.is_keyframe, packet.pts))
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                lost += 1
                self._hurt_at = self._packets
                continue
            for frame in frames:
                if is_first:
                    self.headless = _headless(first_packets, frame.pts)
                    lost = 0 if first_packets and not first_packets[0][0] else lost
                yield self._shot(frame, lost)
                lost, is_first = 0, False
        self.lost_at_end = lost

    def times(self) -> Iterator[float]:
        """Times of all frames in the order of the file, in seconds, without decoding any."""
        for packet in self._demuxed():
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is not None:
                yield float(stamp * self._unit)

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _shot(self, frame: av.VideoFrame, lost: int) -> Shot:
        stamp = frame.pts if frame.pts is not None else frame.dts
        return Shot(
            frame,
            self._maker,
            lost,
            None if stamp is None else float(stamp * self._unit),
            bool(frame.is_corrupt),
            self._packets - self._hurt_at <= _RECENT_PACKETS,
            self._packets - self._hole_at <= _RECENT_PACKETS,
        )

    def _demuxed(self) -> Iterator[av.Packet]:
        """Packets of the stream, then the empty one that makes the decoder give the rest."""
        import av

        end_of_last: int | None = None
        failures = 0
        while failures <= _FAILED_READS:
            try:
                # Those of the sound too, so that bytes that belong to nothing are seen.
                for packet in self._container.demux():
                    failures = 0
                    self._note_end(packet)
                    if self._holes_tell and packet.size and packet.pos is not None:
                        if end_of_last is not None and packet.pos > end_of_last + _LEAST_HOLE:
                            self._hole_at = self._packets
                        end_of_last = packet.pos + packet.size
                    if packet.stream_index != self._stream.index:
                        continue
                    self._packets += packet.size > 0
                    self.discarded += bool(packet.is_discard)
                    if packet.is_corrupt:
                        self._hurt_at = self._packets
                    yield packet
            except av.FFmpegError:
                failures += 1
            else:
                return

    @property
    def is_whole(self) -> bool:
        """Whether something beside the pictures, as sound, goes on to the promised end so far."""
        return self.promised_end is not None and self._last_end >= self.promised_end - _TOLERANCE

    def _note_end(self, packet: av.Packet) -> None:
        is_timed = packet.pts is not None and packet.time_base is not None
        if is_timed and packet.stream_index != self._stream.index:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self._last_end = max(self._last_end, end)

    def _duration(self) -> float | None:
        container, stream = self._container, self._stream
        if container.duration is not None and container.duration > 0:
            return float(container.duration) / 1_000_000
        if stream.duration is not None and stream.duration > 0:
            return float(stream.duration * self._unit)
        return None


def _headless(packets: list[tuple[bool, int | None]], shown: int | None) -> int:
    """How many frames of a stream cut at its start come before the first that can be shown."""
    if not packets or packets[0][0]:
        return 0
    if shown is None:
        return next((place for place, (is_key, _) in enumerate(packets) if is_key), 0)
    return sum(stamp is not None and stamp < shown for _, stamp in packets)


def _open(path: Path, name: str) -> InputContainer:
    import av

    try:
        return av.open(str(path), metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError):
            raise SourceError(f"{name} cannot be opened: {error.strerror}") from error
        raise SourceError(
            f"{name} cannot be opened as a video: its format is unknown, or it was cut off before "
            f"its index was written; convert it with ffmpeg or give another copy"
        ) from error


def _frame_rate(reported: Fraction | None) -> Fraction | None:
    if reported is None or not 0 < reported <= _HIGHEST_FRAME_RATE:
        return None
    rate = Fraction(reported).limit_denominator(1001)
    return rate if rate > 0 else None


def _frame_count(reported: float) -> int | None:
    is_count = math.isfinite(reported) and 0 < reported <= _HIGHEST_FRAME_COUNT
    return int(reported) if is_count else None
