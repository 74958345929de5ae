"""Results of cells on the disk: one file each, whole or not there at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from cleanplate.benchmark.results import CellResult
from cleanplate.errors import OutputError, RunLockedError
from cleanplate.video.writing import output_error

CELLS, PICTURES, WORK, LOGS = "cells", "pictures", "work", "logs"
_LOCK = ".lock"


class CellStore:
    """The folder of a benchmark.

    Attributes:
        folder: What was given with `--out`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and keeps other processes out.

        Raises:
            OutputError: The folder holds something else, or cannot be written.
            RunLockedError: Another benchmark runs into it.
        """
        if self.folder.exists() and (
            not self.folder.is_dir()
            or (any(self.folder.iterdir()) and not (self.folder / CELLS).is_dir())
        ):
            raise OutputError(f"{self.folder} is in the way; give another --out")
        try:
            (self.folder / CELLS).mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / _LOCK)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RunLockedError(
                f"another benchmark runs into {self.folder}; wait for it or give another --out"
            ) from error
        except OSError as error:
            raise output_error(error, self.folder, "the benchmark") from error
        try:
            self._remove_work()  # of a run that was killed
            yield
        finally:
            self._remove_work()
            lock.release()
            with contextlib.suppress(OSError):
                (self.folder / _LOCK).unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Where the result of a cell is, or will be."""
        return self.folder / CELLS / f"{name}.json"

    def pictures(self, name: str) -> Path:
        """Where the pictures of a cell are."""
        return self.folder / PICTURES / name

    def work_path(self, name: str) -> Path:
        """Where a cell works while it is measured."""
        return self.folder / WORK / name

    def make_work(self, name: str) -> None:
        """Makes that folder, empty."""
        self.remove_work(name)
        self.work_path(name).mkdir(parents=True)

    def remove_work(self, name: str) -> None:
        """Removes that folder."""
        shutil.rmtree(self.work_path(name), ignore_errors=True)

    def log(self, name: str) -> Path:
        """Where what a cell's process says is kept."""
        (self.folder / LOGS).mkdir(exist_ok=True)
        return self.folder / LOGS / f"{name}.log"

    def read(self, name: str, identity: str) -> CellResult | None:
        """The result of a cell; None: it was not measured, or as something else."""
        try:
            text = self.path(name).read_text(encoding="utf-8")
            result = CellResult.model_validate_json(text)
        except (OSError, ValidationError):
            return None
        return result if result.identity == identity else None

    def write(self, name: str, result: CellResult) -> None:
        """Keeps the result of a cell, whole or not at all."""
        write_whole(self.path(name), result.model_dump_json(indent=1) + "\n")

    def _remove_work(self) -> None:
        shutil.rmtree(self.folder / WORK, ignore_errors=True)
        with contextlib.suppress(OSError):  # only where nothing had anything to say
            (self.folder / LOGS).rmdir()


def write_whole(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise output_error(error, path, path.name) from error
