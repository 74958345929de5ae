"""Safe writing: whole files, own names only, never through a link, one process at a time."""

from cleanplate.writing.files import (
    PartialFile,
    is_partial,
    open_fresh,
    output_error,
    read_plain,
    remove_leftovers,
    sync_folder,
    write_whole,
)
from cleanplate.writing.folders import (
    Own,
    foreign_in,
    make_folder,
    make_own_folder,
    remove_own,
    require_own,
)
from cleanplate.writing.lock import LOCK, locked
from cleanplate.writing.swap import (
    begin_swap,
    current,
    decide_swap,
    finish_swap,
    own_files,
    swap_in,
    with_new,
)

__all__ = [
    "LOCK",
    "Own",
    "PartialFile",
    "begin_swap",
    "current",
    "decide_swap",
    "finish_swap",
    "foreign_in",
    "is_partial",
    "locked",
    "make_folder",
    "make_own_folder",
    "open_fresh",
    "output_error",
    "own_files",
    "read_plain",
    "remove_leftovers",
    "remove_own",
    "require_own",
    "swap_in",
    "sync_folder",
    "with_new",
    "write_whole",
]
