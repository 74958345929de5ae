"""Arrays of one shape in one raw file on disk, read by position."""

from __future__ import annotations

import errno
import math
import os
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import OutputError
from cleanplate.writing import output_error


class ArrayFile:
    """Arrays of one shape and type, one after the other, in a raw file without a name.

    Nothing is left of it, however the process ends. Reading takes memory for the result only (no
    memory map: the pages of one would count as the process's own), and may be done by several
    threads.

    Attributes:
        shape: Of every array.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        self.shape = shape
        self._dtype = np.dtype(dtype)
        self._bytes = math.prod(shape) * self._dtype.itemsize
        self._folder = folder
        self._made_folder = not folder.exists()
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Unbuffered: every request reads exactly the rows it asks for.
            self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
        except OSError as error:
            self._remove_folder()
            raise self._failed(error) from error

    @property
    def nbytes(self) -> int:
        """Size of the file."""
        return os.fstat(self._file.fileno()).st_size

    def write(self, array: NDArray[Any], position: int) -> None:
        """Puts an array at a position, in the type of the file.

        Raises:
            OutputError: The disk is full.
        """
        content = np.ascontiguousarray(array, self._dtype)
        assert content.shape == self.shape
        try:
            self._write_bytes(content, position * self._bytes)
        except OSError as error:
            raise self._failed(error) from error

    def keep(self, positions: Sequence[int]) -> None:
        """Moves the arrays of ascending positions to the front and drops the others."""
        array = np.empty(self.shape, self._dtype)
        for target, position in enumerate(positions):
            if target != position:
                self.read_into(array, position)
                self.write(array, target)
        self.truncate(len(positions))

    def truncate(self, count: int) -> None:
        """Drops all arrays from a position on."""
        try:
            self._file.truncate(count * self._bytes)
        except OSError as error:
            raise self._failed(error) from error

    def read_into(self, part: NDArray[Any], position: int, first: int = 0) -> None:
        """Fills a contiguous part of an array, beginning at index `first` of its first axis."""
        row_bytes = self._bytes // self.shape[0]
        with self._lock:
            self._file.seek(position * self._bytes + first * row_bytes)
            remaining = part.reshape(-1).view(np.uint8).data
            while remaining:
                count = self._file.readinto(remaining)
                if not count:
                    raise OSError(errno.EIO, "the frame cache ends early", str(self._folder))
                remaining = remaining[count:]

    def remove(self) -> None:
        """Removes the file, and the folder if it was made for it and is empty."""
        self._file.close()
        self._remove_folder()

    def _remove_folder(self) -> None:
        if self._made_folder:
            with suppress(OSError):  # not there, or not empty
                self._folder.rmdir()

    def _write_bytes(self, content: NDArray[Any], start: int) -> None:
        with self._lock:
            self._file.seek(start)
            remaining = content.reshape(-1).view(np.uint8).data
            while remaining:  # a disk that fills up takes a part before it refuses
                remaining = remaining[self._file.write(remaining) :]

    def _failed(self, error: OSError) -> OutputError:
        return output_error(error, self._folder, "the frame cache")
