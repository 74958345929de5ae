"""Results of cells on the disk: one file each, whole or not there at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from cleanplate.benchmark.results import CellResult
from cleanplate.errors import OutputError
from cleanplate.writing import (
    Own,
    foreign_in,
    locked,
    make_own_folder,
    open_fresh,
    output_error,
    remove_leftovers,
    require_own,
    write_whole,
)

CELLS, PICTURES, LOGS = "cells", "pictures", "logs"
_OWN_CELLS = Own(re.compile(r".*\.json"))
_OWN = Own(folders={CELLS: _OWN_CELLS, PICTURES: Own(), LOGS: Own()})
_WORK = re.compile(r"\.cleanplate-work-[0-9a-f]{12}")


class CellStore:
    """The folder of a benchmark.

    Attributes:
        folder: What was given with `--out`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._work = folder / f".cleanplate-work-{secrets.token_hex(6)}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and keeps other processes out.

        Raises:
            OutputError: The folder holds something else, or cannot be written.
            RunLockedError: Another benchmark runs into it.
        """
        self._refuse_foreign()
        busy = f"another benchmark runs into {self.folder}; wait for it or give another --out"
        with locked(self.folder, busy=busy, what="the benchmark"):
            make_own_folder(self.folder / CELLS)
            self._remove_work()  # of a run that was killed
            try:
                yield
            finally:
                self._remove_work()

    def path(self, name: str) -> Path:
        """Where the result of a cell is, or will be."""
        return self.folder / CELLS / f"{name}.json"

    def pictures(self, name: str) -> Path:
        """Where the pictures of a cell are."""
        return self.folder / PICTURES / name

    def work_path(self, name: str) -> Path:
        """Where a cell works while it is measured."""
        return self._work / name

    def make_work(self, name: str) -> None:
        """Makes that folder, empty.

        Raises:
            OutputError: It cannot be made.
        """
        self.remove_work(name)
        try:
            self.work_path(name).mkdir(parents=True)
        except OSError as error:
            raise output_error(error, self.folder, "the benchmark") from error

    def remove_work(self, name: str) -> None:
        """Removes that folder."""
        shutil.rmtree(self.work_path(name), ignore_errors=True)

    def open_log(self, name: str) -> IO[str]:
        """A fresh file for what a cell's process says.

        Raises:
            OutputError: It cannot be made.
        """
        make_own_folder(self.folder / LOGS)
        try:
            self.remove_log(name)
            descriptor = open_fresh(self._log(name))
        except OSError as error:
            raise output_error(error, self.folder, "the benchmark") from error
        return os.fdopen(descriptor, "w+", encoding="utf-8", errors="replace")

    def remove_log(self, name: str) -> None:
        """Removes that file."""
        self._log(name).unlink(missing_ok=True)

    def _log(self, name: str) -> Path:
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
        for path in self.folder.iterdir():
            if _WORK.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)
        for folder in (self.folder, self.folder / CELLS):
            remove_leftovers(folder)
        with suppress(OSError):  # only where nothing had anything to say
            (self.folder / LOGS).rmdir()

    def _refuse_foreign(self) -> None:
        if not os.path.lexists(self.folder):
            return
        is_free = self.folder.is_dir() and not any(self.folder.iterdir())
        if not is_free and not (self.folder / CELLS).is_dir():
            raise OutputError(f"{self.folder} is in the way; give another --out")
        require_own(self.folder, _OWN)
        for name in foreign_in(self.folder / CELLS, _OWN_CELLS):
            raise OutputError(
                f"{self.folder / CELLS} holds {name}, which is no result; give another --out"
            )
