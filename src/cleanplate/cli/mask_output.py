"""What `segment` writes: places that are free, folders that are ready."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cleanplate.cli.outputs import make_folder, require_free_file, require_free_folder
from cleanplate.errors import OutputError, UsageError
from cleanplate.video import LABELS, MASKS, existing_masks, mask_name

LABELS_FOLDER = "labels"


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

    def require_free(self, *, overwrite: bool) -> None:
        """Checks, before any work, all places but the folder of masks."""
        for file, suffix in ((self.overlay, ".webm"), (self.objects, ".jsonl")):
            if file is None:
                continue
            if file.resolve().is_relative_to(self.masks.resolve()):
                raise UsageError(
                    f"{self.masks} is for masks only; give another place for {file.name}"
                )
            require_free_file(file, overwrite=overwrite, suffixes=(suffix,))
        if self.scene_copy is not None:
            require_free_folder(self.scene_copy)

    def prepare(self, *, resume: bool, overwrite: bool) -> frozenset[int]:
        """Makes the folders ready; the numbers of the frames to be left out."""
        done = prepare_folder(self.masks, resume=resume, overwrite=overwrite)
        if self.labels:
            folder = self.masks / LABELS_FOLDER
            done &= prepare_folder(folder, LABELS, resume=resume, overwrite=overwrite)
        return done


def prepare_folder(
    out: Path, prefix: str = MASKS, *, resume: bool, overwrite: bool
) -> frozenset[int]:
    """Makes the folder of masks, or of labels, ready; the numbers of those to be left out.

    Raises:
        OutputError: Something is in the way.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; give a folder for the masks")
    masks = existing_masks(out, prefix)
    names = {mask_name(number, prefix) for number in masks}
    others = [entry.name for entry in out.iterdir()] if out.is_dir() else []
    foreign = sorted(
        name
        for name in others
        if name not in names and name != LABELS_FOLDER and not name.startswith(f".{prefix}")
    )
    if foreign:
        raise OutputError(f"{out} holds {foreign[0]}, which is no mask; give another --out")
    if masks and not resume and not overwrite:
        raise OutputError(
            f"{out} is not empty; give another --out, --overwrite to replace the masks, "
            "or --resume to go on"
        )
    make_folder(out)
    if resume and not overwrite:
        return frozenset(masks)
    for name in names:
        (out / name).unlink()
    for number in existing_masks(out / LABELS_FOLDER, LABELS):  # of the masks that are no more
        (out / LABELS_FOLDER / mask_name(number, LABELS)).unlink()
    return frozenset()
