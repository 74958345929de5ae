"""The order of pictures by their names, as cameras and programs give them, and their numbers."""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeAlias

from cleanplate.errors import SourceError

Value: TypeAlias = int | Fraction

_DIGITS = re.compile(r"([0-9]+)")
_YEARS = range(1970, 2100)
_MONTHS = range(1, 13)
_DAYS = range(1, 32)

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"({'|'.join(_MONTH_NAMES)})[a-z]*"
_BETWEEN = r"[-_ .,]*"
_YEAR = r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])"
_YEAR_MONTH = re.compile(rf"{_YEAR}{_BETWEEN}{_MONTH}")
_DAY_MONTH_YEAR = re.compile(rf"(?<![0-9])([0-9]{{1,2}}){_BETWEEN}{_MONTH}{_BETWEEN}{_YEAR}")
_MONTH_DAY_YEAR = re.compile(rf"{_MONTH}{_BETWEEN}([0-9]{{1,2}}){_BETWEEN}{_YEAR}")
_HALF_OF_DAY = re.compile(
    r"(?<![0-9])([0-9]{1,2})((?:[-_.:h]?[0-9]{2}){0,2})[ _-]?([ap])\.?m(?![a-z0-9])"
)

_HIGHEST_NUMBER = 2**63 - 1
"""Of a frame, in the files that are written about it."""
_COUNTER_DIGITS = 3
"""Digits of the shortest counter that is known to begin again."""
_FARTHEST_WRAP = 3
"""Over the end of a counter, in the steps that it usually takes."""


class NumberedImage(NamedTuple):
    """A picture file and the number that its frame gets."""

    number: int
    path: Path


class Numbering(NamedTuple):
    """Pictures in the order of time.

    Attributes:
        images: With their numbers, ascending.
        note: What the user should know about their order, a sentence; None: nothing.
    """

    images: list[NumberedImage]
    note: str | None = None


class _Name(NamedTuple):
    """The parts of a name.

    Attributes:
        path: Whose name it is.
        texts: What stands between the runs of digits, before and behind them.
        runs: The runs of digits.
        values: What they count.
    """

    path: Path
    texts: tuple[str, ...]
    runs: tuple[str, ...]
    values: tuple[Value, ...]

    @property
    def number(self) -> int:
        return int(self.runs[-1])

    @property
    def form(self) -> str:
        return "#".join(self.texts)


def number_images(paths: Sequence[Path]) -> Numbering:
    """The pictures in natural order of their whole names (2 before 10), numbered.

    Dates with the day or the month first, names of months and hours of half a day are understood.
    The number is the last run of digits of the name where that ascends in this order, else the only
    run that changes; a counter that begins again after 9999 goes on. Where there is no such number,
    pictures are numbered by their position from 1.

    Raises:
        SourceError: Two pictures have the same number, or their names tell no order.
    """
    names = [_parsed(path, stem) for path, stem in zip(paths, _stems(paths), strict=True)]
    if not all(name.runs for name in names):
        ordered = sorted(names, key=_key)
        return Numbering([NumberedImage(i, name.path) for i, name in enumerate(ordered, start=1)])
    names = sorted(_in_decimals(_year_first(names)), key=_key)
    numbers = [name.number for name in names]
    if not _ascends(numbers):
        _require_one_order(names)
        numbers = _numbers_of_one_run(names) or list(range(1, len(names) + 1))
    if max(numbers) > _HIGHEST_NUMBER:
        numbers = list(range(1, len(names) + 1))
    return _unwrapped(names, numbers)


def in_order_of_names(paths: Sequence[Path]) -> list[Path]:
    """Files, such as the parts of a recording, in the order that `number_images` gives.

    Raises:
        SourceError: Their names tell no order.
    """
    try:
        return [image.path for image in number_images(paths).images]
    except SourceError as error:
        raise SourceError(
            f"the names of {paths[0]} and {len(paths) - 1} more tell no order in which they follow "
            f"each other; give one of them, or a narrower pattern"
        ) from error


def _stems(paths: Sequence[Path]) -> list[str]:
    """Names in small letters, their hours those of a whole day."""
    stems = [path.stem.casefold() for path in paths]
    halves = [_HALF_OF_DAY.search(stem) for stem in stems]
    if not all(half is not None and 1 <= int(half[1]) <= 12 for half in halves):
        return stems
    return [_HALF_OF_DAY.sub(_whole_day, stem, count=1) for stem in stems]


def _parsed(path: Path, stem: str) -> _Name:
    stem = _YEAR_MONTH.sub(lambda m: f"{m[1]}-{_month(m[2])}", stem)
    stem = _DAY_MONTH_YEAR.sub(lambda m: _date(m[3], m[2], m[1]), stem)
    stem = _MONTH_DAY_YEAR.sub(lambda m: _date(m[3], m[1], m[2]), stem)
    parts = _DIGITS.split(stem)
    runs = tuple(parts[1::2])
    return _Name(path, tuple(parts[::2]), runs, tuple(map(int, runs)))


def _date(year: str, month: str, day: str) -> str:
    return f"{year}-{_month(month)}-{int(day):02d}"


def _month(name: str) -> str:
    return f"{_MONTH_NAMES.index(name) + 1:02d}"


def _whole_day(match: re.Match[str]) -> str:
    return f"{int(match[1]) % 12 + 12 * (match[3] == 'p'):02d}{match[2]}"


def _key(name: _Name) -> tuple[list[tuple[int, int, str]], list[tuple[int, Value, str]], str, str]:
    folder = _DIGITS.split(str(name.path.parent).casefold())
    parts: list[tuple[int, Value, str]] = [(0, 0, name.texts[0])]
    for value, text in zip(name.values, name.texts[1:], strict=True):
        parts += [(1, value, ""), (0, 0, text)]
    return (
        [(1, int(run), "") if run.isdecimal() else (0, 0, run) for run in folder],
        parts,
        name.path.suffix.casefold(),
        str(name.path),
    )


def _year_first(names: list[_Name]) -> list[_Name]:
    """Names with their date in the order of its significance."""
    names = _with_split_dates(names)
    if len({name.form for name in names}) > 1:
        return names
    for place in range(len(names[0].values) - 2):
        dates = [name.values[place : place + 3] for name in names]
        if not _is_date_backwards(names, place):
            continue
        orders = [
            order
            for order, days, months in (((2, 1, 0), 0, 1), ((2, 0, 1), 1, 0))
            if all(date[months] in _MONTHS and date[days] in _DAYS for date in dates)
        ]
        found = [[_reordered(name, place, order) for name in names] for order in orders]
        if len(found) == 2 and _paths(found[0]) != _paths(found[1]):
            raise SourceError(
                f"{names[0].path.name} and the names beside it may begin with the day or with the "
                f"month, which makes two orders; rename them, as in 2024-05-01"
            )
        if found:
            return found[0]
    return names


def _with_split_dates(names: list[_Name]) -> list[_Name]:
    """Runs as 01052024 as three, where they are no dates as 20240501."""
    places = range(min(len(name.runs) for name in names))
    for place in places:
        runs = [name.runs[place] for name in names]
        if all(len(run) == 8 for run in runs) and not all(
            int(run[:4]) in _YEARS and int(run[4:6]) in _MONTHS and int(run[6:]) in _DAYS
            for run in runs
        ):
            split = [(run[:2], run[2:4], run[4:]) for run in runs]
            if all(int(y) in _YEARS and int(a) in _DAYS and int(b) in _DAYS for a, b, y in split):
                return [_split(name, place, date) for name, date in zip(names, split, strict=True)]
    return names


def _split(name: _Name, place: int, parts: tuple[str, ...]) -> _Name:
    runs = (*name.runs[:place], *parts, *name.runs[place + 1 :])
    texts = (*name.texts[: place + 1], "", "", *name.texts[place + 1 :])
    return _Name(name.path, texts, runs, tuple(map(int, runs)))


def _is_date_backwards(names: Sequence[_Name], place: int) -> bool:
    return names[0].texts[place + 1] == names[0].texts[place + 2] and all(
        len(name.runs[place + 2]) == 4
        and name.values[place + 2] in _YEARS
        and all(len(run) <= 2 for run in name.runs[place : place + 2])
        for name in names
    )


def _reordered(name: _Name, place: int, order: tuple[int, ...]) -> _Name:
    values = list(name.values)
    values[place : place + 3] = [name.values[place + each] for each in order]
    return name._replace(values=tuple(values))


def _paths(names: Sequence[_Name]) -> list[Path]:
    return [name.path for name in sorted(names, key=_key)]


def _in_decimals(names: list[_Name]) -> list[_Name]:
    """Names as 0.25, 0.5, 1.0 by their value; 1.9, 1.10 are two counters."""
    if len({name.form for name in names}) > 1:
        return names
    texts = names[0].texts
    for place in range(1, len(texts) - 1):
        if texts[place] != "." or "." in (texts[place - 1][-1:], texts[place + 1][:1]):
            continue
        fractions = [name.runs[place] for name in names]
        is_written_short = not any(len(run) > 1 and run.endswith("0") for run in fractions)
        if len({len(run) for run in fractions}) > 1 and is_written_short:
            names = [
                name._replace(values=_with_fraction(name.values, place, run))
                for name, run in zip(names, fractions, strict=True)
            ]
    return names


def _with_fraction(values: tuple[Value, ...], place: int, run: str) -> tuple[Value, ...]:
    fraction = Fraction(int(run), 10 ** len(run))
    return (*values[:place], fraction, *values[place + 1 :])


def _ascends(numbers: Sequence[int]) -> bool:
    return all(before < after for before, after in itertools.pairwise(numbers))


def _require_one_order(names: Sequence[_Name]) -> None:
    """Refuses pictures of several kinds whose numbers do not follow the order of their names."""
    for before, after in itertools.pairwise(names):
        if _key(before)[:2] == _key(after)[:2]:
            raise _same_number(before, after)
    forms = sorted({name.form for name in names}, key=len)
    folders = {name.path.parent for name in names}
    if len(folders) == 1 and all(forms[-1].startswith(form) for form in forms):
        return
    if len(folders) > 1 and len(forms) == 1 and all(map(_has_year, folders)):
        return
    by_number = sorted(names, key=lambda name: name.number)
    for before, after in itertools.pairwise(by_number):
        if before.number == after.number:
            raise _same_number(before, after)
    before, after = next(
        pair for pair in itertools.pairwise(names) if pair[0].number > pair[1].number
    )
    raise SourceError(
        f"{before.path} comes before {after.path} by name and after it by number, and their names "
        f"are of different kinds; rename them or give a narrower pattern"
    )


def _has_year(folder: Path) -> bool:
    runs = _DIGITS.findall(folder.name)
    return any(len(run) in {4, 8} and int(run[:4]) in _YEARS for run in runs)


def _same_number(before: _Name, after: _Name) -> SourceError:
    return SourceError(
        f"{before.path} and {after.path} both have the frame number {after.number}, which is the "
        f"last run of digits in the name; rename one or give a narrower pattern"
    )


def _numbers_of_one_run(names: Sequence[_Name]) -> list[int] | None:
    """The run of digits that changes, where there is only one."""
    if len({name.form for name in names}) > 1 or len({name.path.parent for name in names}) > 1:
        return None
    changing = [column for column in zip(*_columns(names), strict=True) if len(set(column)) > 1]
    if len(changing) != 1 or not all(isinstance(value, int) for value in changing[0]):
        return None
    return [int(value) for value in changing[0]]


def _columns(names: Sequence[_Name]) -> Iterator[tuple[Value, ...]]:
    return (name.values for name in names)


def _unwrapped(names: Sequence[_Name], numbers: list[int]) -> Numbering:
    """The pictures in time where a counter began again after its highest number."""
    images = [NumberedImage(*pair) for pair in zip(numbers, _all_paths(names), strict=True)]
    start = _place_of_wrap(names, numbers)
    if start is None:
        return Numbering(images)
    period = 10 ** len(names[0].runs[-1]) - (1 if numbers[0] > 0 else 0)
    later = [NumberedImage(number + period, path) for number, path in images[:start]]
    note = (
        f"the counter in its names begins again after {images[-1].path.name}: "
        f"{images[0].path.name} and what follows it were taken as the later pictures, numbered "
        f"from {later[0].number}"
    )
    return Numbering([*images[start:], *later], note)


def _all_paths(names: Sequence[_Name]) -> list[Path]:
    return [name.path for name in names]


def _place_of_wrap(names: Sequence[_Name], numbers: Sequence[int]) -> int | None:
    """Where the pictures begin that are older than those before them."""
    widths = {len(name.runs[-1]) for name in names}
    is_counter = numbers == [name.number for name in names] and len(widths) == 1
    digits = min(widths)
    if len(numbers) < 4 or not is_counter or digits < _COUNTER_DIGITS:
        return None
    if len({name.form for name in names}) > 1 or len({name.values[:-1] for name in names}) > 1:
        return None
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    start = steps.index(max(steps)) + 1
    usual = statistics.median_low(steps[: start - 1] + steps[start:])
    over = numbers[0] + 10**digits - numbers[-1]
    if steps[start - 1] <= 10**digits // 2 or over > _FARTHEST_WRAP * usual + 1:
        return None
    early, late = _times(names[:start]), _times(names[start:])
    # Their files say that the low numbers are the older ones: they were picked out.
    return None if early and late and max(early) < min(late) else start


def _times(names: Sequence[_Name]) -> list[int]:
    try:
        return [name.path.stat().st_mtime_ns for name in names]
    except OSError:
        return []
