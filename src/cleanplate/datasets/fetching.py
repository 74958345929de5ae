"""Downloads the archives of a data set and unpacks them; nothing that is there is replaced."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from cleanplate.datasets.manifest import (
    MANIFEST,
    Manifest,
    files_of,
    read_manifest,
    sha256_of,
    sum_files,
)
from cleanplate.datasets.registry import dataset
from cleanplate.datasets.sequence import DataSet
from cleanplate.errors import FetchError, OutputError, UsageError
from cleanplate.progress import ProgressListener, silent
from cleanplate.writing import locked, make_own_folder

if TYPE_CHECKING:
    from types import ModuleType

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
_CHUNK = 1 << 20
_DOWNLOADS = ".cleanplate-downloads"


class Fetched(NamedTuple):
    """What came of fetching one archive.

    Attributes:
        part: Its name.
        files: Number of files that it gave.
        sha256: Its checksum; of an archive that had been fetched before, the one of then.
        is_new: Whether it was downloaded now.
    """

    part: str
    files: int
    sha256: str
    is_new: bool


def fetch(
    name: str,
    folder: Path,
    *,
    parts: Sequence[str] = (),
    progress: ProgressListener = silent,
) -> list[Fetched]:
    """Fetches a data set, or some archives of it, into a folder of its own.

    An archive of which all files are there is not fetched again. The checksums of archives and
    files are kept in the folder's manifest, and an archive that is fetched again has to have the
    sum of the first time.

    Args:
        name: Name of the data set.
        folder: Where to; made where it is missing.
        parts: Names of archives without `.zip`, for example `baseline/highway`; all where none.
        progress: Told how far each download is, in bytes.

    Raises:
        UnknownNameError: There is no such data set.
        UsageError: It cannot be fetched, a part has no possible name, or pooch is not installed.
        FetchError: There is no network, no such part, or the archive is damaged or another one
            than the first time.
        OutputError: A file of another content is in the way, or the folder cannot be written.
    """
    known = dataset(name)
    if known.archives is None:
        raise UsageError(f"{name} cannot be fetched: {_by_hand(known, folder)}")
    wanted = tuple(parts) or known.archives.whole
    for part in wanted:
        _require_plain(part, known)
    pooch = _import_pooch()
    busy = f"another process fetches into {folder}; wait for it or give another --out"
    with locked(folder, busy=busy, what="the data set"):
        make_own_folder(folder / _DOWNLOADS)
        try:
            return [_Fetch(pooch, known, folder, progress).part(part) for part in wanted]
        finally:
            with contextlib.suppress(OSError):  # a whole archive may be used again
                (folder / _DOWNLOADS).rmdir()


@dataclass(frozen=True)
class _Fetch:
    """One download after the other, into one folder."""

    pooch: ModuleType
    known: DataSet
    folder: Path
    progress: ProgressListener

    def part(self, part: str) -> Fetched:
        manifest = read_manifest(self.folder / MANIFEST)
        sha256, files = manifest.archives.get(part, (None, ()))
        if sha256 is not None and all((self.folder / name).is_file() for name in files):
            return Fetched(part, len(files), sha256, is_new=False)
        archive = self._download(part, sha256)
        found = sha256_of(archive)
        names = _unpack(archive, self.folder / PurePosixPath(part).parent, self.folder)
        new = sum_files({name: self.folder / name for name in names}, progress=self.progress)
        Manifest(
            {**manifest.files, **new}, {**manifest.archives, part: (found, tuple(names))}
        ).write(self.folder / MANIFEST)
        shutil.rmtree(self.folder / _DOWNLOADS, ignore_errors=True)
        return Fetched(part, len(names), found, is_new=True)

    def _download(self, part: str, sha256: str | None) -> Path:
        assert self.known.archives is not None
        address = self.known.archives.address.format(part=part)
        downloader = self.pooch.HTTPDownloader(
            progressbar=_Bar(part, self.progress),
            chunk_size=_CHUNK,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
        name = part.replace("/", "-") + ".zip"
        try:
            path = self.pooch.retrieve(
                address,
                known_hash=None if sha256 is None else f"sha256:{sha256}",
                fname=name,
                path=self.folder / _DOWNLOADS,
                downloader=downloader,
            )
        except ValueError as error:
            raise FetchError(
                f"{address} is another archive than the one fetched before; nothing was changed. "
                f"If its makers have replaced it, fetch it into a new folder"
            ) from error
        except OSError as error:
            raise FetchError(
                f"{address} cannot be fetched ({_reason(error)}); nothing was changed: "
                f"{_by_hand(self.known, self.folder)}"
            ) from error
        return Path(path)


class _Bar:
    """What pooch takes for a progress bar."""

    def __init__(self, part: str, progress: ProgressListener) -> None:
        self.total = 0
        self._part = part
        self._progress = progress
        self._done = 0

    def update(self, count: int) -> None:
        self._done = min(self._done + count, self.total or self._done + count)
        note = f"{self._done / 1e6:.0f} MB"
        self._progress(f"fetching {self._part}", self._done, self.total or None, note)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Nothing is left to close."""


def _unpack(archive: Path, target: Path, folder: Path) -> list[str]:
    """Unpacks an archive; gives the paths of its files in the folder of the data set.

    Files appear in their places only after all of them could be unpacked.
    """
    try:
        with tempfile.TemporaryDirectory(dir=archive.parent) as place:
            _extract(archive, Path(place))
            files = files_of(Path(place))
            for name, path in files.items():
                _require_free(target / name, path, folder)
            for name, path in files.items():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                path.replace(target / name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        archive.unlink(missing_ok=True)
        raise FetchError(
            f"{archive.name} is no ZIP archive that can be unpacked ({error}); nothing was "
            "changed: try again, or download and unpack it by hand"
        ) from error
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{archive.name} cannot be unpacked into {target}: {error.strerror or error}; free "
            "some space or give another --out"
        ) from error
    return [(target / name).relative_to(folder).as_posix() for name in files]


def _require_free(there: Path, new: Path, folder: Path) -> None:
    """Refuses to replace another content, and to write through links in the folder."""
    for place in (there, *there.parents):
        if place == folder:
            break
        if place.is_symlink():
            raise OutputError(
                f"{place} is a link, and nothing is written there; nothing was changed: give "
                "another --out"
            )
    if there.exists() and (not there.is_file() or sha256_of(there) != sha256_of(new)):
        raise OutputError(
            f"{there} is in the way, with another content; nothing was changed: give another --out"
        )


def _extract(archive: Path, place: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            path = PurePosixPath(member.filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts:
                raise zipfile.BadZipFile(f"it wants to write to {member.filename}")
        opened.extractall(place)


def _require_plain(part: str, known: DataSet) -> None:
    path = PurePosixPath(part)
    if not part or path.is_absolute() or ".." in path.parts or part.endswith(".zip"):
        assert known.archives is not None
        raise UsageError(
            f"'{part}' is no name of an archive; give one as {known.archives.example}, or none "
            "for the whole data set"
        )


def _import_pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise UsageError(
            "fetching needs the extra datasets: pip install 'cleanplate[datasets]'"
        ) from error
    # pooch tells of each download on stderr, where --quiet is ours to keep
    pooch.get_logger().setLevel(logging.WARNING)
    return pooch


def _by_hand(known: DataSet, folder: Path) -> str:
    if not known.homepage:
        return "it is no published data set; any folder in its form can be given"
    return (
        f"download it by hand from {known.homepage} and unpack it, for example into {folder}; any "
        "unpacked tree can be given to cleanplate datasets check, score --truth and score-plate"
    )


def _reason(error: OSError) -> str:
    """The innermost cause in a few words; requests and urllib3 nest it in lines of addresses."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"the server says {status}"
    names = {type(cause).__name__ for cause in _causes(error)}
    if names & {"NameResolutionError", "gaierror"}:
        return "its address cannot be found; is there a network?"
    if names & {"ConnectTimeout", "ConnectTimeoutError", "ReadTimeout", "ReadTimeoutError"}:
        return "the server does not answer"
    if names & {"NewConnectionError", "ConnectionRefusedError"}:
        return "no connection; is there a network?"
    return type(error).__name__ if not error.strerror else error.strerror


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            reason = getattr(current, "reason", None)
            waiting += [*current.args, current.__cause__, current.__context__, reason]
    return found
