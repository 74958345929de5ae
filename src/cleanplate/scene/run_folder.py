"""The folder that a run writes into: locked, never overwritten unasked, resumable.

Whatever is not ours stays as it is, also under one of our names. While a run learns, all that it
writes is in `checkpoint`; the scene that is there already is replaced at the end, all at once.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cleanplate.errors import OutputError, SceneFileError, SettingsError
from cleanplate.scene_file import (
    CHECKPOINT,
    CONFIG,
    EVENTS,
    METRICS,
    MODEL,
    NOISE,
    ONNX,
    OWN,
    PLATE,
    PROVENANCE,
    REPORT,
)
from cleanplate.scene_reading import read_config, read_provenance
from cleanplate.video.pictures.images import IMAGE_SUFFIXES
from cleanplate.writing import (
    LOCK,
    Own,
    current,
    finish_swap,
    foreign_in,
    is_partial,
    locked,
    make_own_folder,
    output_error,
    own_files,
    read_plain,
    remove_leftovers,
    remove_own,
    require_own,
    with_new,
    write_whole,
)

_BEGUN, _STATE = "begun.json", "state.json"
_ASKED = "asked.json"
_CACHE = "frames"
_MOMENTS = "moments"
_OWN_EVENTS = Own(re.compile(r"events\.out\.tfevents\..*"))
_OWN_CHECKPOINT = Own(
    # In folders of earlier versions the frames had names.
    re.compile(r"(begun|asked|state)\.json|metrics\.jsonl|step-[0-9]{8,}\.safetensors(\.partial)?"),
    {
        _CACHE: Own(re.compile(r"frames-\w+\.raw")),
        _MOMENTS: Own(re.compile(r"[0-9]{8,}\.png")),
        EVENTS: _OWN_EVENTS,
    },
)
_OWN = Own(
    re.compile(f"{OWN.files.pattern}|{re.escape(REPORT)}|{re.escape(ONNX)}"),
    {**with_new(OWN).folders, CHECKPOINT: _OWN_CHECKPOINT, EVENTS: _OWN_EVENTS},
)


class RunFolder:
    """What `learn` needs to know of the folder it writes into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / CHECKPOINT

    @property
    def metrics(self) -> Path:
        """The log of learning, while it goes on."""
        return self.checkpoint / METRICS

    @property
    def events(self) -> Path:
        """Where the log goes for TensorBoard, while learning goes on."""
        return self.checkpoint / EVENTS

    @property
    def cache(self) -> Path:
        """Where the frames are kept while learning, in files without a name."""
        return self.path

    @property
    def moments(self) -> Path:
        """Where the moments of the training are kept while learning."""
        return self.checkpoint / _MOMENTS

    @property
    def is_complete(self) -> bool:
        """Whether there is a finished scene in it, be it that of a run before."""
        return (current(self.path) / CONFIG).exists()

    @property
    def is_begun(self) -> bool:
        """Whether there is a run in it that is not finished."""
        return self._noted(_BEGUN) is not None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out; the lock of a process that died does not count.

        Raises:
            RunLockedError: Another process is learning into the folder.
            OutputError: The folder cannot be written.
        """
        busy = f"another process is learning into {self.path}; wait for it or give another --out"
        with locked(self.path, busy=busy, what="the scene"):
            try:
                yield
            finally:
                with suppress(OSError):  # only what is empty because nothing came of it
                    self.checkpoint.rmdir()

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
        require_own(self.path, _OWN)
        if overwrite:
            self.require_replaceable()
            return False
        if resume and (begun := self._begun()) is not None:
            is_same = _first_difference(begun, identity) is None
            asked = self._noted(_ASKED)
            if not is_same and asked and _first_difference(asked, identity) is None:
                return False  # it was to be overwritten by a run that was killed before it began
            if not is_same:
                _require_same(begun, identity, self.path)
            return True
        if not (resume and self._is_harmless()):
            self._refuse_occupied()
        return False

    def require_apart(self, recording: Iterable[Path]) -> None:
        """Refuses a recording some of which would be replaced, or to which pictures would be added.

        Raises:
            OutputError: It lies where the scene is to go.
        """
        out = os.path.realpath(self.path)
        for file in recording:
            place = Path(os.path.realpath(file))
            if not place.is_relative_to(out):
                continue
            top, *below = place.relative_to(out).parts
            is_picture = place.suffix.lower() in IMAGE_SUFFIXES
            if (top in _OWN.folders) if below else (is_picture or _OWN.holds(top)):
                raise OutputError(
                    f"{self.path} holds the recording ({place.name}); give another --out"
                )

    def require_replaceable(self) -> None:
        """Refuses a folder where something has the name of a part of a scene and is of none.

        Raises:
            OutputError: There is such a thing.
        """
        require_own(self.path, _OWN)
        strange = self._strange()
        if strange is not None:
            raise OutputError(
                f"{self.path} holds {strange}, but no scene that it is of; "
                "give another --out, or move it away"
            )

    def clean_up(self) -> None:
        """Ends what a process was killed at; comes after every refusal."""
        finish_swap(self.path, OWN)
        for folder in (self.path, self.checkpoint, self.moments):
            remove_leftovers(folder)

    @contextmanager
    def asked(self, identity: Mapping[str, Any]) -> Iterator[None]:
        """Notes whose run is to begin here, in case it is killed before it has read its frames.

        Raises:
            OutputError: The folder cannot be written.
        """
        make_own_folder(self.checkpoint)
        write_whole(self.checkpoint / _ASKED, json.dumps(identity))
        try:
            yield
        finally:
            with suppress(OSError):
                (self.checkpoint / _ASKED).unlink(missing_ok=True)

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Removes what a run before has not finished, and notes which run begins; a scene stays.

        Raises:
            OutputError: The folder cannot be written.
        """
        try:
            make_own_folder(self.checkpoint)
            if self.is_begun:
                # First what would be gone on from: it must never be that of another run.
                (self.checkpoint / _STATE).unlink(missing_ok=True)
                remove_own(self.checkpoint, _OWN_CHECKPOINT, keep=(_BEGUN, _ASKED))
            write_whole(self.checkpoint / _BEGUN, json.dumps(identity))
            (self.checkpoint / _ASKED).unlink(missing_ok=True)
        except OSError as error:
            raise output_error(error, self.path, "the scene") from error

    def finish(self) -> None:
        """Removes all that only an unfinished run needs, and what was made of the scene before.

        Raises:
            OutputError: The folder cannot be written.
        """
        try:
            for name in (REPORT, ONNX):
                (self.path / name).unlink(missing_ok=True)
            self._keep_events()
            (self.checkpoint / _BEGUN).unlink(missing_ok=True)  # the run counts as finished
            remove_own(self.checkpoint, _OWN_CHECKPOINT)
            with suppress(OSError):  # not there, or with files of other programs in it
                self.checkpoint.rmdir()
        except OSError as error:
            raise output_error(error, self.path, "the scene") from error

    def _keep_events(self) -> None:
        kept = self.path / EVENTS
        new = [path for path in self.events.glob("*") if _OWN_EVENTS.holds(path.name)]
        if kept.is_dir() and not kept.is_symlink():
            remove_own(kept, _OWN_EVENTS, keep=[path.name for path in new])
            with suppress(OSError):
                kept.rmdir()
        if new:
            make_own_folder(kept)
        for path in new:
            path.replace(kept / path.name)

    def _begun(self) -> dict[str, Any] | None:
        """Identity of the run that is there, finished or not."""
        if (begun := self._noted(_BEGUN)) is not None:
            return begun
        if not self.is_complete:
            return None
        config = read_config(self.path)
        try:
            provenance = read_provenance(current(self.path))
            return {"settings": config["settings"], "source": provenance["input"]["sha256"]}
        except (SceneFileError, TypeError, KeyError) as error:
            raise SceneFileError(
                f"{PROVENANCE} or {CONFIG} of the scene {self.path} is damaged; "
                "learn again with --overwrite"
            ) from error

    def _noted(self, name: str) -> dict[str, Any] | None:
        """Identity that a file of the checkpoint notes; None: there is none."""
        if self.checkpoint.is_symlink():
            return None
        try:
            noted = json.loads(read_plain(self.checkpoint / name))
        except (OSError, ValueError, RecursionError):
            return None
        is_ours = isinstance(noted, dict) and noted.keys() == {"settings", "source"}
        return noted if is_ours and isinstance(noted["settings"], dict) else None

    def _is_run(self) -> bool:
        """Whether what is there is a scene, damaged or not, or a run that was broken off."""
        if self.is_begun:
            return True
        if all((self.path / name).is_file() for name in (MODEL, PLATE, NOISE)):
            return True
        try:
            return {"sha256", "settings"} <= read_config(self.path).keys()
        except SceneFileError:
            return False

    def _is_harmless(self) -> bool:
        """Whether all that is there is what a run leaves that died before it saved anything."""
        return (
            set(self._names()) <= {CHECKPOINT}
            and all(name == LOCK for name in foreign_in(self.path, _OWN))
            and self._strange() is None
        )

    def _strange(self) -> str | None:
        """What has the name of a part of a scene, or of a run, and is of none; None: nothing."""
        if not self._is_run():
            held = {*with_new(OWN).folders, EVENTS}
            for name in sorted(self._names()):
                if name in held or _OWN.holds(name):
                    return name
        if not self.is_begun:
            for name in sorted(own_files(self.checkpoint, _OWN_CHECKPOINT)):
                if name != _ASKED or self._noted(_ASKED) is None:
                    return f"{CHECKPOINT}/{name}"
        return None

    def _refuse_occupied(self) -> None:
        names = sorted(self._names())
        if names:
            raise OutputError(
                f"{self.path} is not empty (it holds {names[0]}); give another --out, "
                "--overwrite to replace it, or --resume to go on"
            )

    def _names(self) -> Iterator[str]:
        for entry in self.path.iterdir():
            if entry.name != LOCK and not is_partial(entry.name):
                yield entry.name


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
