"""Masks as PNG files and an overlay as a video, safe against a full disk and a sudden end."""

from __future__ import annotations

import os
import queue
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from cleanplate.errors import OutputError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.video.opening import silence_decoders
from cleanplate.writing import Own, PartialFile, output_error, remove_leftovers, remove_own

MASKS, LABELS = "bin", "lab"
"""What the names of masks and of label images begin with."""
_MASKS_WAITING = 16

# Measured on a 1920x1080 mask with 40 blobs: 4.8 ms and 10 kB; without the two last 18 ms and
# 27 kB, OpenCV's default 6 ms and 14 kB. OpenCV before 4.12 has no setting for the filter.
_PNG_OPTIONS = [cv2.IMWRITE_PNG_COMPRESSION, 1]
_PNG_OPTIONS += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
if hasattr(cv2, "IMWRITE_PNG_FILTER"):
    _PNG_OPTIONS += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]

TINT = (255, 40, 40)
"""Colour laid over the foreground, RGB."""
OUTLINE = (255, 255, 0)
"""Colour of its outline, RGB."""
_TINT_SHARE = 0.45
_PIXELS_PER_OUTLINE_PIXEL = 500  # of the frame's height

_SPACE_NEEDED = 1 << 20  # bytes
_FRAMES_BETWEEN_SPACE_CHECKS = 25


def mask_name(number: int, prefix: str = MASKS) -> str:
    """File name of the mask of a frame, as CDnet has it, or of its labels."""
    return f"{prefix}{number:06d}.png"


def existing_masks(folder: Path, prefix: str = MASKS) -> set[int]:
    """Numbers of the frames whose masks, or labels, are in a folder; empty without a folder."""
    if not folder.is_dir():
        return set()
    name = re.compile(prefix + r"([0-9]{6,})\.png")
    matches = (name.fullmatch(path.name) for path in folder.iterdir())
    return {int(match[1]) for match in matches if match}


class MaskWriter:
    """Writes `binNNNNNN.png` or `labNNNNNN.png` (one channel) in one background thread.

    A mask appears under its name only when it is whole. After `close`, or the end of a `with`
    block, every mask is written and nothing half-written is left. An error of the thread is raised
    by the next `write` or by `close`; the masks after it are not written.

    Attributes:
        folder: Where the masks go; made if it is missing.

    Raises:
        OutputError: The folder cannot be made.
    """

    def __init__(self, folder: Path, prefix: str = MASKS) -> None:
        self.folder = folder
        self._prefix = prefix
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._failed(error) from error
        self._remove_leftovers()
        self._waiting: queue.Queue[tuple[int, Mask] | None] = queue.Queue(_MASKS_WAITING)
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="mask-writer", daemon=True)
        self._thread.start()

    def write(self, number: int, mask: Mask) -> None:
        """Queues the mask of a frame; the array may be used again afterwards.

        Raises:
            OutputError: An earlier mask could not be written.
        """
        assert mask.ndim == 2
        assert mask.dtype == np.uint8
        self._raise_error()
        self._waiting.put((number, mask.copy()))

    def close(self) -> None:
        """Waits until all is written.

        Raises:
            OutputError: A mask could not be written.
        """
        self._finish()
        self._raise_error()

    def __enter__(self) -> MaskWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._finish()
        if error is None:
            self._raise_error()

    def _work(self) -> None:
        while (entry := self._waiting.get()) is not None:
            if self._error is None:
                try:
                    self._write_file(*entry)
                except OSError as error:
                    self._error = error

    def _write_file(self, number: int, mask: Mask) -> None:
        _, encoded = cv2.imencode(".png", mask, _PNG_OPTIONS)
        path = self.folder / mask_name(number, self._prefix)
        with PartialFile(path, durable=False) as partial:
            partial.file.write(encoded.data)

    def _finish(self) -> None:
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _remove_leftovers(self) -> None:
        """Removes what a run that was killed left, also one of an earlier version."""
        remove_leftovers(self.folder)
        name = re.compile(rf"\.{self._prefix}[0-9]{{6,}}\.png\.partial")
        with suppress(OSError):
            remove_own(self.folder, Own(name))

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._failed(self._error) from self._error

    def _failed(self, error: OSError) -> OutputError:
        return output_error(error, self.folder, "the masks")


class OverlayWriter:
    """Writes a VP9 `.webm` of the frames with the foreground tinted and outlined.

    The file appears under its name when `close`, or the end of a `with` block without an error,
    has found it whole; otherwise nothing is left. Encoding is slow: about 50 frames/s at 320x240
    and 5 at 1920x1080 on two cores; give a smaller size to be faster.

    Attributes:
        path: The video.
        size: Size of the video; frames and masks are scaled to it. An odd side gets one more pixel.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path, size: FrameSize, frame_rate: Fraction) -> None:
        silence_decoders()
        self.path = path
        self.size = size
        self._frames = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(path.parent)
            self._partial = PartialFile(path, suffix=".webm")  # OpenCV would not say why it cannot
        except OSError as error:
            raise output_error(error, path, "the overlay") from error
        padded = (size.width + size.width % 2, size.height + size.height % 2)
        code = cv2.VideoWriter.fourcc(*"VP90")
        with _silent_stderr():  # OpenCV complains there that the format knows no "VP90"
            self._writer = cv2.VideoWriter(
                str(self._partial.partial.resolve()),
                cv2.CAP_FFMPEG,
                code,
                float(frame_rate),
                padded,
            )
        if not self._writer.isOpened():
            self._discard()
            raise OutputError(f"the overlay {path} cannot be written: this OpenCV has no VP9")

    def write(self, picture: Picture, mask: Mask) -> None:
        """Adds one frame, `(H, W, 3)` RGB and `(H, W)` 0 or 255.

        Raises:
            OutputError: The disk is full; nothing is left.
        """
        if self._frames % _FRAMES_BETWEEN_SPACE_CHECKS == 0:
            self._check_space()
        target = (self.size.width, self.size.height)
        if picture.shape[:2] != self.size:
            picture = np.asarray(cv2.resize(picture, target, interpolation=cv2.INTER_AREA))
        if mask.shape != self.size:
            mask = np.asarray(cv2.resize(mask, target, interpolation=cv2.INTER_NEAREST))
        drawn = cv2.cvtColor(draw_overlay(picture, mask), cv2.COLOR_RGB2BGR)
        odd_height, odd_width = self.size.height % 2, self.size.width % 2
        if odd_height or odd_width:
            drawn = cv2.copyMakeBorder(drawn, 0, odd_height, 0, odd_width, cv2.BORDER_REPLICATE)
        self._writer.write(drawn)
        self._frames += 1

    def close(self) -> None:
        """Finishes the file and checks it; without a frame there is no file.

        Raises:
            OutputError: The file is not whole, as on a full disk; nothing is left.
        """
        if not self._writer.isOpened():
            return
        self._writer.release()
        if self._frames == 0:
            self._discard()
            return
        if not self._is_whole():
            self._discard()
            raise OutputError(
                f"the overlay {self.path} could not be written to its end; the disk may be full: "
                f"free some space or give a folder on another disk"
            )
        try:
            self._partial.finish()
        except OSError as error:
            raise output_error(error, self.path, "the overlay") from error

    def __enter__(self) -> OverlayWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self._discard()

    def _check_space(self) -> None:
        if shutil.disk_usage(self.path.parent).free < _SPACE_NEEDED:
            self._discard()
            raise OutputError(
                f"the disk is full: the overlay could not be written to {self.path}; free some "
                f"space or give a folder on another disk"
            )

    def _is_whole(self) -> bool:
        # FFmpeg's writer does not report a failed write, and still completes the header, which
        # holds the duration; only the last frame shows that the file is there to its end.
        capture = cv2.VideoCapture(str(self._partial.partial.resolve()), cv2.CAP_FFMPEG)
        try:
            return (
                bool(capture.isOpened())
                and bool(capture.set(cv2.CAP_PROP_POS_FRAMES, self._frames - 1))
                and bool(capture.grab())
            )
        finally:
            capture.release()

    def _discard(self) -> None:
        self._writer.release()
        self._partial.discard()


def draw_overlay(picture: Picture, mask: Mask) -> Picture:
    """The frame, `(H, W, 3)` RGB, with the foreground tinted and outlined; a new array."""
    foreground = mask > 0
    drawn = picture.copy()
    tinted = (1 - _TINT_SHARE) * picture[foreground] + _TINT_SHARE * np.array(TINT)
    drawn[foreground] = np.rint(tinted).astype(np.uint8)
    contours, _ = cv2.findContours(
        foreground.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE
    )
    thickness = max(1, round(picture.shape[0] / _PIXELS_PER_OUTLINE_PIXEL))
    return np.asarray(cv2.drawContours(drawn, contours, -1, OUTLINE, thickness), np.uint8)


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Sends what native code writes to stderr to nowhere, for a moment."""
    try:
        saved = os.dup(2)
    except OSError:  # a process without stderr
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
