"""The folder that a run writes into: locked, never overwritten unasked, resumable."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cleanplate.errors import OutputError, RunLockedError, SceneFileError, SettingsError
from cleanplate.scene_file import (
    CHECKPOINT,
    CONFIG,
    EVENTS,
    METRICS,
    MODEL,
    NOISE,
    ONNX,
    PLATE,
    PLOTS,
    PROVENANCE,
    REPORT,
    SAMPLES,
)
from cleanplate.scene_reading import read_config

_LOCK = ".lock"
_BEGUN = "begun.json"
_CACHE = "frames"
_MOMENTS = "moments"
_OWN = (
    CONFIG,
    MODEL,
    PLATE,
    NOISE,
    METRICS,
    PROVENANCE,
    SAMPLES,
    CHECKPOINT,
    EVENTS,
    *PLOTS,
    REPORT,
    ONNX,
)


class RunFolder:
    """What `learn` needs to know of the folder it writes into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / CHECKPOINT

    @property
    def metrics(self) -> Path:
        """The log of learning."""
        return self.path / METRICS

    @property
    def events(self) -> Path:
        """Where the log goes for TensorBoard."""
        return self.path / EVENTS

    @property
    def cache(self) -> Path:
        """Where the frames are kept while learning."""
        return self.checkpoint / _CACHE

    @property
    def moments(self) -> Path:
        """Where the moments of the training are kept while learning."""
        return self.checkpoint / _MOMENTS

    @property
    def is_complete(self) -> bool:
        """Whether the scene in it is finished."""
        return (self.path / CONFIG).exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out; the lock of a process that died does not count.

        Raises:
            RunLockedError: Another process is learning into the folder.
            OutputError: The folder cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / _LOCK)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RunLockedError(
                f"another process is learning into {self.path}; wait for it or give another --out"
            ) from error
        except OSError as error:
            raise OutputError(f"cannot write to {self.path}: {error.strerror}") from error
        shutil.rmtree(self.cache, ignore_errors=True)  # of a process that was killed
        try:
            yield
        finally:
            lock.release()
            (self.path / _LOCK).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # only what is empty because nothing came of it
                self.checkpoint.rmdir()
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def takes_up(self, identity: Mapping[str, Any], *, resume: bool, overwrite: bool) -> bool:
        """Whether to go on with what is there; where not, `begin` comes next. Changes nothing.

        Args:
            identity: Settings and source; a run is only gone on with under the same.
            resume: Go on with what is there.
            overwrite: Start anew over what is there.

        Raises:
            OutputError: Something is in the way.
            SceneFileError: What is there is damaged.
            SettingsError: What is there was begun with other settings or another source.
        """
        if resume and not overwrite and (begun := self._begun()) is not None:
            _require_same(begun, identity, self.path)
            return True
        if not overwrite and not (resume and self._is_harmless()):
            self._refuse_occupied()
        return False

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Removes the scene that is there, but not the frame cache, and notes who begins.

        Raises:
            OutputError: The folder cannot be written.
        """
        try:
            self._empty()
            self.checkpoint.mkdir(parents=True, exist_ok=True)
            (self.checkpoint / _BEGUN).write_text(json.dumps(identity), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write to {self.path}: {error.strerror}") from error

    def finish(self) -> None:
        """Removes all that only an unfinished run needs."""
        shutil.rmtree(self.checkpoint, ignore_errors=True)

    def _begun(self) -> dict[str, Any] | None:
        """Identity of the run that is there, finished or not."""
        if self.is_complete:
            config = read_config(self.path)
            try:
                provenance = json.loads((self.path / PROVENANCE).read_text(encoding="utf-8"))
                return {"settings": config["settings"], "source": provenance["input"]["sha256"]}
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise SceneFileError(
                    f"{PROVENANCE} or {CONFIG} of the scene {self.path} is damaged; "
                    "learn again with --overwrite"
                ) from error
        path = self.checkpoint / _BEGUN
        try:
            begun: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return begun

    def _is_harmless(self) -> bool:
        """Whether all that is there is what a run leaves that died before it saved anything."""
        names = {entry.name for entry in self.path.iterdir()} - {_LOCK}
        return names <= {CHECKPOINT, METRICS}

    def _refuse_occupied(self) -> None:
        names = sorted(entry.name for entry in self.path.iterdir() if entry.name != _LOCK)
        if names:
            raise OutputError(
                f"{self.path} is not empty (it holds {names[0]}); give another --out, "
                "--overwrite to replace it, or --resume to go on"
            )

    def _empty(self) -> None:
        """Removes the files of a scene; what somebody else put there stays."""
        own = [self.path / name for name in _OWN if name != CHECKPOINT]
        unfinished = [path for path in self.checkpoint.glob("*") if path != self.cache]
        for path in own + unfinished:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _require_same(begun: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    if begun["source"] != now["source"]:
        raise SettingsError(
            f"{path} was begun with another source; give the same source or another --out"
        )
    different = _first_difference(begun["settings"], now["settings"])
    if different is not None:
        key, old, new = different
        raise SettingsError(
            f"{path} was begun with {key} = {old}, now it is {new}; "
            "give the same settings or another --out"
        )


def _first_difference(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ""
) -> tuple[str, Any, Any] | None:
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            inner = _first_difference(before, after, f"{prefix}{key}.")
            if inner is not None:
                return inner
        elif before != after:
            return f"{prefix}{key}", before, after
    return None
