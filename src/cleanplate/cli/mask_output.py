"""What `segment` writes: places that are free, folders that are ready."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cleanplate.cli.outputs import require_apart, require_free_file, require_free_folder
from cleanplate.errors import OutputError, UsageError
from cleanplate.video import LABELS, MASKS, VideoSource, existing_masks
from cleanplate.writing import (
    LOCK,
    Own,
    begin_swap,
    decide_swap,
    finish_swap,
    foreign_in,
    locked,
    make_own_folder,
    own_files,
    require_own,
    with_new,
)
from cleanplate.writing.swap import NEW, NEW_PARTIAL

LABELS_FOLDER = "labels"
_NAME = r"{0}[0-9]{{6,}}\.png|\.{0}[0-9]{{6,}}\.png\.partial"
"""The second is that of files which earlier versions left behind."""
_OWN_LABELS = Own(re.compile(_NAME.format(LABELS)))
_OWN = Own(re.compile(_NAME.format(MASKS)), {LABELS_FOLDER: _OWN_LABELS})
_ALL = with_new(_OWN)


@dataclass(frozen=True)
class Wanted:
    """What is to be written where."""

    masks: Path
    overlay: Path | None
    objects: Path | None
    scene_copy: Path | None
    labels: bool

    @property
    def new_scenes(self) -> Path:
        """Folder for the scenes that are learned after a move, beside that of the masks."""
        masks = self.masks if self.masks.name else self.masks.resolve()
        return masks.with_name(f"{masks.name}-scenes")

    @property
    def follows(self) -> bool:
        """Whether something is wanted that depends on the frames before."""
        return self.labels or self.objects is not None or self.scene_copy is not None

    def require_free(self, recording: VideoSource, *, overwrite: bool) -> None:
        """Checks, before any work, all places but the folder of masks.

        Raises:
            OutputError: Something is in the way.
            UsageError: A place cannot be that of such a file, or is that of the recording.
        """
        require_apart(recording, self.masks)
        for file, suffix in ((self.overlay, ".webm"), (self.objects, ".jsonl")):
            if file is None:
                continue
            if Path(os.path.realpath(file)).is_relative_to(os.path.realpath(self.masks)):
                raise UsageError(
                    f"{self.masks} is for masks only; give another place for {file.name}"
                )
            require_apart(recording, file)
            require_free_file(file, overwrite=overwrite, suffixes=(suffix,))
        if self.scene_copy is not None:
            require_free_folder(self.scene_copy)


class MaskFolder:
    """The folder of masks, with that of labels in it; what is not ours there is refused.

    Masks that replace others are written aside, in a folder inside it, until all of them are there.

    Attributes:
        path: The folder.
        place: Where masks are to be written.
    """

    def __init__(self, path: Path, *, labels: bool) -> None:
        self.path = path
        self.place = path
        self._labels = labels
        self._starts_over = False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out.

        Raises:
            RunLockedError: Another process writes masks into it.
            OutputError: It cannot be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"{self.path} is a file; give a folder for the masks")
        busy = f"another process writes into {self.path}; wait for it or give another --out"
        with locked(self.path, busy=busy, what="the masks"):
            yield

    def take_up(self, *, resume: bool, overwrite: bool) -> frozenset[int]:
        """The numbers of the frames to be left out; changes nothing, `prepare` does.

        Raises:
            OutputError: Something is in the way.
        """
        self._refuse_foreign()
        there = any(own_files(self.path, _ALL))
        if there and not resume and not overwrite:
            raise OutputError(
                f"{self.path} is not empty; give another --out, --overwrite to replace the masks, "
                "or --resume to go on"
            )
        if overwrite or not there:
            self._starts_over = there
            self.place = self.path / NEW_PARTIAL if there else self.path
            return frozenset()
        places = [self.path / name for name in (NEW_PARTIAL, NEW)]
        self.place = next((place for place in places if place.is_dir()), self.path)
        done = existing_masks(self.place)
        if self._labels:
            done &= existing_masks(self.place / LABELS_FOLDER, LABELS)
        return frozenset(done)

    def prepare(self) -> None:
        """Ends what was decided and makes room; comes after every refusal.

        Raises:
            OutputError: The folder cannot be written.
        """
        finish_swap(self.path, _OWN)
        if self._starts_over:
            begin_swap(self.path, _OWN)
        elif not self.place.is_dir():
            self.place = self.path
        if self._labels:
            make_own_folder(self.place / LABELS_FOLDER)

    def publish(self) -> None:
        """Gives masks that were written aside their places; those of before are gone.

        Raises:
            OutputError: The folder cannot be written.
        """
        if self.place != self.path:
            decide_swap(self.path)
            finish_swap(self.path, _OWN)

    def _refuse_foreign(self) -> None:
        require_own(self.path, _ALL)
        for name in foreign_in(self.path, _ALL):
            if name != LOCK and (self._labels or not name.startswith(f"{LABELS_FOLDER}/")):
                raise OutputError(f"{self.path} holds {name}, which is no mask; give another --out")
