"""Entry point: runs a command and turns every error into a sentence and an exit code."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType

from cyclopts import CycloptsError, UnusedCliTokensError

from cleanplate.cli.app import app
from cleanplate.cli.console import SCHEMA_VERSION, plain, write_json
from cleanplate.errors import CleanplateError

FAILURE = 1
USAGE = 2
INTERRUPTED = 130


class Ended(KeyboardInterrupt):
    """A signal that asks the process to end, taken for Ctrl-C by all that cleans up."""

    number = signal.SIGTERM


class HungUp(Ended):
    """The terminal has gone."""

    number = signal.SIGHUP


def main() -> None:
    """Runs the command that the process was called with, and ends the process."""
    # Threads of torch that wait burn whole cores by default: on a machine with other work, learning
    # took 131 s that way and 19 s this way (100 steps, 2 cores, load 6). Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for ending in (Ended, HungUp):
        if signal.getsignal(ending.number) == signal.SIG_DFL:  # nohup has it ignored
            signal.signal(ending.number, _end)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command.

    Returns:
        0 where it went well, 1 for a failure, 2 for wrong usage, 3 where a moved camera ended it,
        130 where Ctrl-C did, 143 where SIGTERM did.
    """
    try:
        code = app(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CleanplateError as error:
        return _fail(arguments, error, str(error), error.exit_code)
    except CycloptsError as error:
        return _fail(arguments, error, _usage(error), USAGE)
    except KeyboardInterrupt as error:
        code = 128 + error.number if isinstance(error, Ended) else INTERRUPTED
        return _fail(arguments, error, _interrupted(arguments, error), code)
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except MemoryError as error:
        sentence = "out of memory; lower sampling.working_pixels or training.batch_size"
        return _fail(arguments, error, sentence, FAILURE)
    except OSError as error:
        return _fail(arguments, error, _system(error), FAILURE)
    except Exception as error:  # noqa: BLE001 - even our own mistakes end in a sentence
        sentence = f"a mistake in cleanplate ({type(error).__name__}: {error}); --debug shows where"
        return _fail(arguments, error, sentence, FAILURE)
    return code if isinstance(code, int) else 0


def _fail(arguments: Sequence[str], error: BaseException, sentence: str, code: int) -> int:
    sentence = plain(" ".join(sentence.split()))
    if "--debug" in arguments:
        sys.stderr.write(plain("".join(traceback.format_exception(error)), lines=True))
    if "--json" in arguments:
        what = {"type": type(error).__name__, "message": sentence}
        write_json({"schema_version": SCHEMA_VERSION, "error": what, "exit_code": code})
    sys.stderr.write(f"cleanplate: {sentence}\n")
    return code


def _usage(error: CycloptsError) -> str:
    if isinstance(error, UnusedCliTokensError):
        unused = list(error.unused_tokens or ())
        if unused and not any(token.startswith("-") for token in unused):
            more = unused[0] if len(unused) == 1 else f"{unused[0]} and {len(unused) - 1} more"
            return (
                f"one source is read at a time, and {more} came after the first; give the parts of "
                f"one recording, or its pictures, as a pattern in quotes, such as 'part*.mp4'"
            )
    return f"{error} (cleanplate --help lists the commands and their options)"


def _interrupted(arguments: Sequence[str], interrupt: KeyboardInterrupt) -> str:
    begin = "interrupted"
    if isinstance(interrupt, Ended):
        begin = f"ended by {signal.Signals(interrupt.number).name}"
    if str(interrupt):
        return f"{begin}; {interrupt}"
    if arguments and arguments[0] in {"learn", "segment"}:
        kept = [word for word in arguments if word not in {"--resume", "--overwrite"}]
        return f"{begin}; go on with: cleanplate {shlex.join(kept)} --resume"
    return begin


def _end(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough, what follows cleans up
    raise HungUp if number == signal.SIGHUP else Ended


def _system(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"the disk is full{f' ({error.filename})' if error.filename else ''}"
    return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
