"""Schedules in English: right for Quartz' numbers, steps, L, W, # and years."""

from __future__ import annotations

import pytest

from jobplan.cron.words import explain
from schemas.cron import parse


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0 1 ? * * *", "At 01:00"),
        ("* * * * * ?", "Every second"),
        ("0 0/5 * * * ?", "Every 5 minutes"),
        ("0 0/59 * * * ?", "At 0 and 59 minutes past the hour"),
        ("0 40/10,5 * * * ?", "At 5, 40, and 50 minutes past the hour"),
        ("* * 22-23 ? * *", "Every second, between 22:00 and 23:59"),
        ("0 0 20-4/3 * * ?", "At 02:00, 20:00 and 23:00"),
        ("0 0 0 ? * 1", "At 00:00, only on Sunday"),
        ("0 0 0 ? * 2-6", "At 00:00, Monday through Friday"),
        ("0 0 2 ? * FRI-MON", "At 02:00, Friday through Monday"),
        ("0 0 0 ? * 2-6/2", "At 00:00, only on Monday, Wednesday, and Friday"),
        ("0 0 0 ? * L", "At 00:00, only on Saturday"),
        ("0 0 12 ? * FRIL", "At 12:00, on the last Friday of the month"),
        ("0 0 12 ? * 6#3", "At 12:00, on the third Friday of the month"),
        ("0 0 12 5-5 * ?", "At 12:00, on day 5 of the month"),
        ("0 0 0 2/10 * ?", "At 00:00, on day 2, 12, and 22 of the month"),
        ("0 0 0 1 11-2/2 ?", "At 00:00, on day 1 of the month, only in January and November"),
        ("0 0 12 L * ?", "At 12:00, on the last day of the month"),
        ("0 0 12 L-0 * ?", "At 12:00, on the last day of the month"),
        ("0 0 12 L-1 * ?", "At 12:00, 1 day before the last day of the month"),
        ("0 0 12 LW * ?", "At 12:00, on the last weekday of the month"),
        ("0 0 12 L-3W * ?", "At 12:00, on the weekday nearest to 3 days before the last day of the month"),
        ("0 0 12 15W * ?", "At 12:00, on the weekday nearest day 15 of the month"),
        ("0 0 12 * * ? 2025-2027", "At 12:00, 2025 through 2027"),
        ("0 0 12 * * ? 2025/3", "At 12:00, every 3 years from 2025"),
        ("0 0 12 * * ? 2025/1", "At 12:00, every year from 2025"),
        ("0 0 12 1 12,1,1 ?", "At 12:00, on day 1 of the month, only in January and December"),
        ("0 0 9,12-14 ? * MON,WED", "At 09:00 and 12:00 through 14:59, only on Monday and Wednesday"),
        ("0 0 12 * * ? 2300", "At 12:00, only in 2300"),
    ],
)
def test_words_of_a_schedule(text: str, words: str) -> None:
    """The text says what fires, not how it was written."""
    assert explain(parse(text)) == words


@pytest.mark.parametrize(
    ("day", "ordinal"), [(2, "2nd"), (3, "3rd"), (11, "11th"), (12, "12th"), (21, "21st"), (23, "23rd")]
)
def test_words_of_counted_weekdays(day: int, ordinal: str) -> None:
    """Where the plan counts weekdays, the words say so."""
    cron = parse(f"0 0 1 {day}W * ?", custom_weekday_of_month=True)

    assert explain(cron) == f"At 01:00, on the {ordinal} weekday (Monday to Friday) of the month"
