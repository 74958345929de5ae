"""Opens mutated scenes, settings and media, and reports all that does not end in a clean error.

Usage: python tools/fuzz.py [--kinds scenes settings media] [--count 20000] [--first 0] [--seed 0]
                            [--workers 1] [--seconds 5] [--megabytes 1000] [--keep FOLDER]
       python tools/fuzz.py --kinds scenes --only 1234    tries one again, with its traceback
       python tools/fuzz.py --kinds scenes --only 1234 --keep FOLDER      and leaves it there

An input is made of seed, kind and number alone. It is clean if what is done with it ends within the
time, in less than the memory, without a warning and without an error other than those of
`cleanplate.errors` with a short message of one line. Ends with exit code 1 if one is not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "src")]

from fuzzing import KINDS, Limits, Trials, run_trials, try_one, work  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), default=sorted(KINDS))
    parser.add_argument("--count", type=int, default=20_000, help="inputs of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes at a time")
    parser.add_argument("--seconds", type=float, default=5.0, help="most for one input")
    parser.add_argument("--megabytes", type=int, default=1000, help="most that one input may add")
    parser.add_argument("--only", type=int, help="tries this one input, here")
    parser.add_argument("--keep", type=Path, help="folder in which inputs are made and left")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)  # a worker, from such seeds
    arguments = parser.parse_args()
    if arguments.only is not None:
        return try_one(arguments.kinds[0], arguments.seed, arguments.only, keep=arguments.keep)
    numbers = range(arguments.first, arguments.first + arguments.count)
    if arguments.work is not None:
        work(Trials(arguments.kinds[0], arguments.seed, numbers), arguments.work)
        return 0
    limits = Limits(arguments.seconds, arguments.megabytes)
    unclean = 0
    for kind in arguments.kinds:
        trials = Trials(kind, arguments.seed, numbers)
        unclean += run_trials(trials, limits, workers=arguments.workers)
    return 1 if unclean else 0


if __name__ == "__main__":
    sys.exit(main())
