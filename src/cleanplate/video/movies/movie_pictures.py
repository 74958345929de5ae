"""RGB pictures of what a video decoder gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SourceError
from cleanplate.frames import Picture
from cleanplate.installed import version_of

if TYPE_CHECKING:
    import av
    from av.video.reformatter import VideoReformatter

_WITH_LUMA = ("yuv", "nv", "gray")
"""Pixel formats so named have the luma in their first plane."""
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_LEAST_DETAIL = 8.0
_LEAST_CORRELATION = 0.5
_LARGEST_DIFFERENCE = 48.0


class PictureMaker:
    """Turns decoded frames into RGB pictures, and checks that the build at hand can do it.

    OpenCV 5.0.0 with its FFmpeg gives the memory as it was for an interlaced frame, without a
    word. Therefore the first frame of every kind is compared with its own luma.

    Args:
        name: What messages call the recording.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._kinds: set[tuple[str, int, int, bool]] = set()
        self._reformatter: VideoReformatter | None = None

    def picture(self, frame: av.VideoFrame) -> Picture | None:
        """The frame as `(H, W, 3)`, uint8, RGB, turned as the file asks; None where it cannot be.

        Raises:
            SourceError: The installed build made another picture of it than the video holds.
        """
        import av
        from av.video.reformatter import Interpolation, VideoReformatter

        if self._reformatter is None:
            self._reformatter = VideoReformatter()
        try:
            converted = self._reformatter.reformat(
                _woven(frame), format="rgb24", interpolation=Interpolation.BICUBIC, threads=1
            )
            picture = np.asarray(converted.to_ndarray(), np.uint8)
        except (av.FFmpegError, ValueError):
            return None
        kind = (frame.format.name, frame.width, frame.height, frame.interlaced_frame)
        if kind not in self._kinds:
            if not _shows(frame, picture):
                raise self._wrong_build(frame)
            self._kinds.add(kind)
        turns = quarter_turns(frame)
        return np.ascontiguousarray(np.rot90(picture, turns) if turns else picture)

    def _wrong_build(self, frame: av.VideoFrame) -> SourceError:
        how = "interlaced " if frame.interlaced_frame else ""
        return SourceError(
            f"{self._name} cannot be read by the installed av {version_of('av')}: of its "
            f"{how}{frame.format.name} frames it makes other pictures than they hold; install "
            f"another version of av, or convert the video with ffmpeg"
        )


def _woven(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame without the mark that it is interlaced.

    Marked frames are converted a field at a time, with half of the colour's lines: edges of what
    stands still would get rims of a wrong colour.
    """
    import av

    if not frame.interlaced_frame or any(plane.line_size <= 0 for plane in frame.planes):
        return frame
    woven = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(frame.planes, woven.planes, strict=True):
        used = min(source.line_size, target.line_size)
        lines = np.frombuffer(source, np.uint8).reshape(-1, source.line_size)[:, :used]
        place = np.frombuffer(target, np.uint8).reshape(-1, target.line_size)
        count = min(len(lines), len(place))
        place[:count, :used] = lines[:count]
    woven.colorspace, woven.color_range = frame.colorspace, frame.color_range
    return woven


def quarter_turns(frame: av.VideoFrame) -> int:
    """How often the file asks to turn its frames to the left."""
    return frame.rotation // 90 % 4 if frame.rotation % 90 == 0 else 0


def _shows(frame: av.VideoFrame, picture: Picture) -> bool:
    """Whether a picture is that of the frame, as far as the luma of the frame tells it."""
    kind, bits = frame.format.name, frame.format.components[0].bits
    has_luma = kind.startswith(_WITH_LUMA) and not kind.endswith(("be", "msble")) and bits >= 8
    has_luma = has_luma and not kind.startswith("grayf")
    if not has_luma or frame.planes[0].line_size <= 0:
        return True
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
    row = frame.planes[0].line_size // dtype.itemsize
    plane: NDArray[Any] = np.frombuffer(frame.planes[0], dtype)
    step = max(1, min(frame.width, frame.height) // 64)
    luma = plane.reshape(-1, row)[: frame.height : step, : frame.width : step].astype(np.float64)
    luma /= 2 ** (bits - 8)
    if frame.color_range != _FULL_RANGE and "yuvj" not in frame.format.name:
        luma = np.clip((luma - 16) * (255 / 219), 0, 255)
    shown = picture[::step, ::step] @ np.array([0.299, 0.587, 0.114])
    if np.abs(shown - luma).mean() > _LARGEST_DIFFERENCE:
        return False
    if luma.std() < _LEAST_DETAIL:
        return True
    spread = float(shown.std())
    if spread == 0:
        return False
    covariance = ((shown - shown.mean()) * (luma - luma.mean())).mean()
    return bool(covariance / (spread * luma.std()) >= _LEAST_CORRELATION)
