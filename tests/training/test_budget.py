"""A budget is what the user wrote, or a sentence about it."""

from __future__ import annotations

import pytest

from cleanplate.errors import SettingsError
from cleanplate.training.budget import Budget


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("600steps", Budget(steps=600)),
        ("1step", Budget(steps=1)),
        ("90s", Budget(seconds=90)),
        ("2min", Budget(seconds=120)),
        ("1h", Budget(seconds=3600)),
        ("0.5h", Budget(seconds=1800)),
        (" 600 Steps ", Budget(steps=600)),
        ("2.5S", Budget(seconds=2.5)),
    ],
)
def test_a_budget_is_read_in_steps_or_in_time(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize("text", ["", "fast", "-3s", "10 parsecs", "600", "s", "1e3s", "5min 3s"])
def test_what_is_no_budget_is_refused_with_examples(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Budget.parse(text)
    expected = f"budget '{text}' is not understood; give 600steps, 90s or 5min"
    assert str(raised.value) == expected


@pytest.mark.parametrize("text", ["0s", "0steps", "0.0h", "1.5steps", "9" * 40 + "s"])
def test_a_budget_of_nothing_or_of_part_of_a_step_is_refused(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Budget.parse(text)
    expected = f"budget '{text}' makes no sense; give at least 1step or some time"
    assert str(raised.value) == expected


@pytest.mark.parametrize(
    "text", ["600steps", "123456789steps", "90s", "0.00001s", "12345.678s", "300h", "9999999h"]
)
def test_a_budget_written_out_is_read_back_as_the_same(text: str) -> None:
    budget = Budget.parse(text)
    assert Budget.parse(str(budget)) == budget


def test_a_budget_is_written_in_steps_or_seconds() -> None:
    assert str(Budget.parse("600steps")) == "600steps"
    assert str(Budget.parse("90s")) == "90s"
    assert str(Budget.parse("2min")) == "120s"


def test_progress_follows_what_the_budget_is_given_in_and_ends_at_1() -> None:
    in_steps, in_time = Budget.parse("10steps"), Budget.parse("20s")
    assert [in_steps.progress(done, 1e9) for done in (0, 5, 10, 11)] == [0, 0.5, 1, 1]
    assert [in_time.progress(10**9, seconds) for seconds in (0, 5, 20, 30)] == [0, 0.25, 1, 1]
