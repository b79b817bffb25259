"""A cron in English words, by cron-descriptor where it is right and by words of ours elsewhere.

cron-descriptor reads a step as a rhythm ("every 10 days", "every 59 minutes"), but Quartz
starts steps anew in every month, day or hour. So fields with such steps are handed over as the
numbers they mean. It does not know L alone in the day of week, L-nW, nor counted weekdays.
"""

from __future__ import annotations

import re

from cron_descriptor import (  # type: ignore[import-untyped]  # it ships no types
    FormatError,
    Options,
    get_description,
)

from schemas.cron import Cron
from schemas.cron.days import DayRule, FromLastDay, MonthDays, NthMondayToFriday, Weekdays

_EVEN_STEP = re.compile(r"(?:\*|0)/(?P<step>\d+)")
_POINTLESS_RANGE = re.compile(r"\b(\w+)-\1\b")
_OPTIONS = Options(
    day_of_week_start_index_zero=False,  # Quartz: 1 is Sunday
    use_24hour_time_format=True,
    locale_code="en_US",  # or the text would depend on the machine
)


def explain(cron: Cron) -> str:
    """What the schedule means, as one English phrase: `At 12:00, on the last day of the month`."""
    special = _special_days(cron.days)
    fields = _plainer_fields(cron, drop_days=special is not None)
    try:
        words: str = get_description(" ".join(fields), _OPTIONS)
    except FormatError:
        return f"By the Quartz schedule {cron}"
    return re.sub(" +,| {2,}", lambda found: found[0][-1], words) + (special or "")


def _special_days(rule: DayRule) -> str | None:
    """Our own words for day rules cron-descriptor does not know."""
    match rule:
        case FromLastDay(back=0, nearest=nearest):
            return f", on the last {'weekday' if nearest else 'day'} of the month"
        case FromLastDay(back=back, nearest=nearest):
            days = "1 day" if back == 1 else f"{back} days"
            words = f"{days} before the last day of the month"
            return f", on the weekday nearest to {words}" if nearest else f", {words}"
        case NthMondayToFriday(nth=nth):
            return f", on the {_ordinal(nth)} weekday (Monday to Friday) of the month"
        case _:
            return None


def _plainer_fields(cron: Cron, *, drop_days: bool) -> list[str]:
    """The fields as cron-descriptor reads them rightly."""
    second, minute, hour, day, month, weekday, *year = cron.text.split()
    if drop_days:
        day = "*"
    if isinstance(cron.days, Weekdays):
        weekday = _plainer(weekday, cron.days.weekdays, 7)
    elif isinstance(cron.days, MonthDays):
        day = _plainer(day, cron.days.days, 31)
    fields = [
        _plainer(second, cron.seconds, 60, even_step=True),
        _plainer(minute, cron.minutes, 60, even_step=True),
        _plainer(hour, cron.hours, 24, even_step=True),
        day,
        _plainer(month, cron.months, 12),
        weekday,
    ]
    if cron.years is not None:
        fields.append(_plainer(year[0], cron.years, 0) if cron.years else year[0])
    return fields


def _plainer(text: str, numbers: tuple[int, ...], every: int, *, even_step: bool = False) -> str:
    """The field itself, or the numbers it means where its text would be misread."""
    if len(numbers) == every:
        return "*"
    step = _EVEN_STEP.fullmatch(text) if even_step else None
    if step and every % int(step["step"]) == 0:
        return text
    if "/" in text or text == "L" or _POINTLESS_RANGE.search(text):
        return ",".join(map(str, numbers))
    return text


def _ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ... 11th ... 21st, 22nd, 23rd."""
    if number in {11, 12, 13}:
        return f"{number}th"
    return f"{number}" + {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
