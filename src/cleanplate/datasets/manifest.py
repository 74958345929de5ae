"""Checksums of a tree of files: written once, verified afterwards.

The sums are those of the files as they were found here. No list of sums by the makers of the data
sets is known, and none is invented.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cleanplate.errors import GroundTruthError, OutputError
from cleanplate.progress import ProgressListener, silent
from cleanplate.writing import write_whole

MANIFEST = "cleanplate-manifest.json"
SCHEMA_VERSION = 1
_BLOCK = 1 << 20


class FileSum(NamedTuple):
    """Size and SHA-256 of a file.

    Attributes:
        bytes: Its size.
        sha256: Its checksum in hexadecimal.
    """

    bytes: int
    sha256: str


class Differences(NamedTuple):
    """Files of a tree that are not as its manifest says, by their paths in the tree.

    Attributes:
        missing: Files of the manifest that are not there.
        changed: Files of another content.
        added: Files that the manifest does not name; no fault.
    """

    missing: list[str]
    changed: list[str]
    added: list[str]


@dataclass(frozen=True)
class Manifest:
    """What is known of the files of a tree.

    Attributes:
        files: Sum of each file by its path in the tree, with `/`.
        archives: SHA-256 of each archive that was fetched, by its name, and the files it gave.
    """

    files: Mapping[str, FileSum] = field(default_factory=dict)
    archives: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Writes it as JSON, whole or not at all.

        Raises:
            OutputError: It cannot be written.
        """
        values = {
            "schema_version": SCHEMA_VERSION,
            "files": {name: self.files[name]._asdict() for name in sorted(self.files)},
            "archives": {
                name: {"sha256": sha256, "files": list(files)}
                for name, (sha256, files) in sorted(self.archives.items())
            },
        }
        try:
            write_whole(path, json.dumps(values, indent=1) + "\n", "the manifest")
        except OutputError as error:
            raise OutputError(f"{error} with --manifest") from error

    def compare(
        self, folder: Path, *, ignore: Path, progress: ProgressListener = silent
    ) -> Differences:
        """What has changed in the tree since.

        Args:
            folder: The tree.
            ignore: The manifest's own file.
            progress: Called after each file.
        """
        present = files_of(folder, ignore=ignore)
        missing = [name for name in self.files if name not in present]
        known = {name: path for name, path in present.items() if name in self.files}
        sums = sum_files(known, progress=progress)
        changed = [name for name, found in sums.items() if found != self.files[name]]
        return Differences(missing, changed, [name for name in present if name not in self.files])


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file; an empty one where there is no file.

    Raises:
        GroundTruthError: The file is damaged or of another format.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _require_schema(values["schema_version"])
        files = {str(name): FileSum(**found) for name, found in values["files"].items()}
        archives = {
            str(name): (str(found["sha256"]), tuple(found["files"]))
            for name, found in values["archives"].items()
        }
    except FileNotFoundError:
        return Manifest()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GroundTruthError(
            f"'{path}' is no manifest that can be read; remove it, or write it again with "
            "--write-manifest --overwrite"
        ) from error
    return Manifest(files, archives)


def files_of(folder: Path, *, ignore: Path | None = None) -> dict[str, Path]:
    """Files of a tree by their paths in it, sorted; hidden ones are left out."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts):
            continue
        if path.is_file() and path != ignore:
            found[name.as_posix()] = path
    return found


def sum_files(
    files: Mapping[str, Path], *, progress: ProgressListener = silent
) -> dict[str, FileSum]:
    """Size and SHA-256 of each file."""
    return dict(_sums(files, progress))


def _require_schema(version: object) -> None:
    if version != SCHEMA_VERSION:
        raise ValueError(f"schema_version {version}")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sums(files: Mapping[str, Path], progress: ProgressListener) -> Iterable[tuple[str, FileSum]]:
    for done, (name, path) in enumerate(files.items(), start=1):
        yield name, FileSum(path.stat().st_size, sha256_of(path))
        progress("checksums", done, len(files))
