"""The order of pictures by the names that cameras give."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanplate.errors import SourceError
from cleanplate.video.pictures.numbering import Numbering, number_images

BEGIN = dt.datetime(2024, 4, 30, 11, 59, 0)


def at(seconds: float) -> dt.datetime:
    return BEGIN + dt.timedelta(seconds=seconds)


def numbered(names: list[str], folder: Path = Path("in")) -> Numbering:
    mixed = [folder / name for name in names]
    random.Random(0).shuffle(mixed)
    return number_images(mixed)


STYLES: dict[str, Callable[[int], str]] = {
    "motion": lambda i: f"01-{at(i // 5):%Y%m%d%H%M%S}-{i % 5:02d}.jpg",
    "events of motion": lambda i: f"{1 + i // 9:02d}-{at(i):%Y%m%d%H%M%S}-{i % 9:02d}.jpg",
    "a clock": lambda i: f"cam1_{at(59 * i):%Y-%m-%d_%H-%M-%S}.jpg",
    "days": lambda i: f"{at(86_000 * i):%Y-%m-%d %H.%M.%S}.png",
    "bursts of a phone": lambda i: f"IMG_{at(i // 2):%Y%m%d_%H%M%S}{' (1)' if i % 2 else ''}.jpg",
    "bursts with numbers": lambda i: f"{at(i // 3):%Y%m%d_%H%M%S}_BURST{i % 3:03d}.jpg",
    "milliseconds": lambda i: f"{at(i * 0.3):%H%M%S}_{i * 300 % 1000:03d}.jpg",
    "minutes": lambda i: f"{10 + i // 60:02d}h{i % 60:02d}m.jpg",
    "the day first": lambda i: f"{at(40_000 * i):%d-%m-%Y_%H%M%S}.jpg",
    "the month first": lambda i: f"cam {at(40_000 * i):%m.%d.%Y %H.%M.%S}.jpg",
    "the day first, in one": lambda i: f"{at(40_000 * i):%d%m%Y_%H%M%S}.jpg",
    "names of months": lambda i: f"{at(40_000 * i):%d%b%Y-%H%M%S}.jpg",
    "long names of months": lambda i: f"{at(400_000 * i):%B %d, %Y %H%M}.jpg",
    "the year and the month's name": lambda i: f"{at(400_000 * i):%Y-%b-%d %H%M}.jpg",
    "halves of a day": lambda i: f"shot {at(1800 * i):%Y-%m-%d} at {at(1800 * i):%I.%M.%S %p}.png",
    "fractions of a second": lambda i: f"frame_{i * 0.25}.jpg",
    "sections": lambda i: f"take{1 + i // 12}.{1 + i % 12}.jpg",
    "seconds since 1970": lambda i: f"{1714560000 + i // 4}.{i % 4}.jpg",
}


@pytest.mark.parametrize("style", STYLES)
def test_names_of_cameras_are_in_the_order_of_time(style: str) -> None:
    names = [STYLES[style](index) for index in range(60)]
    found = numbered(names)
    assert [image.path.name for image in found.images] == names
    numbers = [image.number for image in found.images]
    assert numbers == sorted(set(numbers))
    assert found.note is None


@pytest.mark.parametrize(
    ("style", "numbers"),
    [
        (lambda i: f"frame{i + 1:04d}_320x240.jpg", range(1, 61)),
        (lambda i: f"{1714560000000 + i * 500}.jpg", range(1714560000000, 1714560030000, 500)),
        (
            lambda i: f"{1714560000000000000 + i}.jpg",
            range(1714560000000000000, 1714560000000000060),
        ),
        (lambda i: f"{20240501120000000000 + i}.jpg", range(1, 61)),
        (lambda i: f"Photo ({i + 1}).jpg", range(1, 61)),
        (lambda i: f"Copy {i} of 60 at 1080p.png", range(60)),
        (lambda i: f"2024-05-01 cam3 f{i}.png", range(60)),
        (lambda i: f"am{i}_pm1.png", None),
    ],
)
def test_the_run_that_changes_is_the_number(
    style: Callable[[int], str], numbers: range | None
) -> None:
    names = [style(index) for index in range(60)]
    found = numbered(names)
    assert [image.path.name for image in found.images] == names
    if numbers is not None:
        assert [image.number for image in found.images] == list(numbers)


@pytest.mark.parametrize(
    ("digits", "first", "period"), [(4, 1, 9999), (4, 0, 10_000), (3, 0, 1000), (5, 1, 99_999)]
)
def test_a_counter_that_begins_again_goes_on(digits: int, first: int, period: int) -> None:
    end = 10**digits
    counts = [*range(end - 20, end), *range(first, first + 30)]
    names = [f"DSC_{count:0{digits}d}.JPG" for count in counts]
    found = numbered(names)
    assert [image.path.name for image in found.images] == names
    assert [image.number for image in found.images] == list(range(end - 20, end + 30))
    assert period == end - first
    assert found.note is not None
    assert f"begins again after {names[19]}: {names[20]}" in found.note


def test_low_and_high_numbers_that_are_so_old_are_left_in_their_order(tmp_path: Path) -> None:
    names = [f"in{count:04d}.png" for count in [*range(1, 31), *range(9970, 10_000)]]
    for age, name in enumerate(names):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    found = numbered(names, tmp_path)
    assert [image.path.name for image in found.images] == names
    assert found.note is None


@pytest.mark.parametrize(
    "counts", [[1, 2, 9000, 9001], [1, 2, 3, 9000, 9990], [5, 6, 7, 8], list(range(10_000))]
)
def test_other_holes_are_no_end_of_a_counter(counts: list[int]) -> None:
    found = numbered([f"in{count:04d}.png" for count in counts])
    assert [image.number for image in found.images] == counts


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["left_0004.png", "right_4.png"], r"left_0004\.png and .*right_4\.png both have the"),
        (["in1.png", "in1.jpg"], r"in1\.jpg and .*in1\.png both have the frame number 1"),
        (["in01.png", "in1.png", "in2.png"], r"both have the frame number 1"),
        (["day_9.png", "night_3.png"], r"day_9.png comes before .*night_3.png by name and after"),
        (["01-05-2024 1.png", "02-04-2024 2.png"], r"may begin with the day or with the month"),
    ],
)
def test_names_that_tell_no_order_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        numbered(names)


def test_folders_of_days_follow_each_other() -> None:
    names = [f"2024-05-{1 + i // 20:02d}/{12 + i % 20 // 10}-{i % 10:02d}.jpg" for i in range(60)]
    assert [str(image.path) for image in numbered(names).images] == [f"in/{n}" for n in names]


def test_folders_of_cameras_are_not_one_recording() -> None:
    with pytest.raises(SourceError, match=r"both have the frame number 1"):
        numbered(["cam1/1.png", "cam1/2.png", "cam2/1.png", "cam2/2.png"])
