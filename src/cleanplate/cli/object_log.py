"""Objects that waited, one line of JSON for each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from cleanplate.errors import OutputError
from cleanplate.segmentation.layers import StationaryObject
from cleanplate.writing import PartialFile, output_error


class ObjectLog:
    """Writes an object when it has left, or at the end.

    The file has its name when the end of a `with` block without an error has made it whole.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._present: dict[int, StationaryObject] = {}
        try:
            self._partial = PartialFile(path)
        except OSError as error:
            raise self._failed(error) from error

    def update(self, objects: Iterable[StationaryObject]) -> None:
        """Takes in the objects of the next frame.

        Raises:
            OutputError: The file cannot be written.
        """
        present = {found.number: found for found in objects}
        gone = [found for number, found in self._present.items() if number not in present]
        self._present = present
        self._write(gone)

    def __enter__(self) -> ObjectLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._partial.discard()
            return
        try:
            self._write(self._present.values())
            self._partial.finish()
        except OSError as failure:
            self._partial.discard()
            raise self._failed(failure) from failure

    def _write(self, objects: Iterable[StationaryObject]) -> None:
        try:
            for found in objects:
                self._partial.file.write(f"{json.dumps(_line(found))}\n".encode())
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputError:
        return output_error(error, self._path, "the objects")


def _line(found: StationaryObject) -> dict[str, object]:
    return {
        "number": found.number,
        "first_seen": round(found.first_seen, 3),
        "last_seen": round(found.last_seen, 3),
        "dwell": round(found.dwell, 3),
        "box": list(found.box),
        "pixels": found.pixels,
        "state": "settled" if found.settled else "waiting",
        "began_before": found.began_before,
    }
